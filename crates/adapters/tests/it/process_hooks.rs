//! Runs whose processes stay: deploy hooks, and the services that they begin.

use std::fs;

use orch_adapters::process::Ending;
use rustix::process::Signal;

use super::process::{Bench, dead, eventually, kill, own_niceness};

/// A deploy hook is as quick as Orch: the services that it leaves would give way ever after (decision 58).
#[test]
fn a_hook_does_not_give_way() {
    let bench = Bench::new();
    let mut spec = bench.script("nice; cut -d' ' -f3 /proc/$$/autogroup 2>/dev/null || echo 0");
    spec.keep_children = true;
    assert_eq!(bench.run(&spec).ending, Ending::Exited { code: 0 });
    assert_eq!(bench.out(), format!("{}\n0\n", own_niceness()));
}

/// A deploy hook's service stays, and may write to the hook's output as long as it likes.
#[test]
fn a_kept_service_stays() {
    let bench = Bench::new();
    let mut spec = bench.script(
        "sh -c 'trap \"echo hup\" HUP; echo $$ > pid; while ! test -e go; do sleep 0.02; done
                echo still here && echo wrote > wrote; while :; do sleep 1; done' &
         while ! test -s pid; do sleep 0.01; done; echo deployed",
    );
    spec.keep_children = true;
    let shim = bench.start(&spec);
    let service = bench.process("pid");
    let record = bench.end();
    assert_eq!((record.ending, record.killed), (Ending::Exited { code: 0 }, 0));
    assert_eq!(bench.out(), "deployed\n");
    eventually("the shim's end", || dead(&shim).then_some(()));
    fs::write(bench.path("tree/go"), "").unwrap();
    eventually("the service's word", || bench.path("tree/wrote").exists().then_some(()));
    kill(&service, Signal::KILL);
}

/// A kept service that writes without end delays neither the record nor itself.
#[test]
fn a_noisy_kept_service_delays_nothing() {
    let bench = Bench::new();
    let mut spec = bench.script("yes & echo $! > pid");
    spec.keep_children = true;
    spec.output.bytes = 1000;
    let shim = bench.start(&spec);
    let record = bench.end();
    assert_eq!((record.ending, record.stdout.bytes <= 1000), (Ending::Exited { code: 0 }, true));
    eventually("the shim's end", || dead(&shim).then_some(()));
    kill(&bench.process("pid"), Signal::KILL);
}
