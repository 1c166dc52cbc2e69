//! Runs whose processes stay: deploy hooks, and the services that they begin.

use std::fs;

use orch_adapters::process::{Ending, Life, Observed, observe, wait};
use rustix::process::Signal;

use super::process::{Bench, dead, eventually, kill, own_niceness};
use crate::block_on;

/// A deploy hook is as quick as Orch: the services that it leaves would give way ever after (decision 58).
#[test]
fn a_hook_does_not_give_way() {
    let bench = Bench::new();
    let mut spec = bench.script("nice; cut -d' ' -f3 /proc/$$/autogroup 2>/dev/null || echo 0");
    spec.keep_children = true;
    assert_eq!(bench.run(&spec).ending, Ending::Exited { code: 0 });
    assert_eq!(bench.out(), format!("{}\n0\n", own_niceness()));
}

/// A deploy hook's service stays, and may write to the hook's output as long as it likes: somebody reads it also when the shim
/// has ended, or the service would wait for room in the pipe for ever, or die of it.
#[test]
fn a_kept_service_stays() {
    let bench = Bench::new();
    let mut spec = bench.script(
        "sh -c 'trap \"echo hup\" HUP; echo $$ > pid; while ! test -e go; do sleep 0.02; done
                head -c 1048576 /dev/zero && head -c 1048576 /dev/zero >&2 && echo wrote > wrote; while :; do sleep 1; done' &
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
    assert_eq!(bench.out(), "deployed\n", "what comes after the record is kept nowhere");
    kill(&service, Signal::KILL);
}

/// A kept service that writes without end delays neither the record nor itself, nor one that shares its output: all of it is
/// read on.
#[test]
fn a_noisy_kept_service_delays_nothing() {
    let bench = Bench::new();
    let mut spec = bench.script(
        "yes & echo $! > pid
         sh -c 'while ! test -e go; do sleep 0.02; done; head -c 1048576 /dev/zero && echo wrote > wrote' &",
    );
    spec.keep_children = true;
    spec.output.bytes = 1000;
    let shim = bench.start(&spec);
    let record = bench.end();
    assert_eq!((record.ending, record.stdout.bytes <= 1000), (Ending::Exited { code: 0 }, true));
    eventually("the shim's end", || dead(&shim).then_some(()));
    fs::write(bench.path("tree/go"), "").unwrap();
    eventually("the other one's word", || bench.path("tree/wrote").exists().then_some(()));
    kill(&bench.process("pid"), Signal::KILL);
}

/// Proves that a hook whose supervisor alone was killed is at work as long as its own process lives, is lost when that is gone,
/// and that the service which it leaves is left alone.
#[test]
fn a_hook_without_its_shim_is_at_work() {
    let bench = Bench::new();
    let mut spec = bench.script(
        "sleep 1000 >/dev/null 2>&1 & echo $! > service; echo $$ > pid; while ! test -e go; do sleep 0.02; done",
    );
    spec.keep_children = true;
    let shim = bench.start(&spec);
    let (program, service) = (bench.process("pid"), bench.process("service"));
    kill(&shim, Signal::KILL);
    eventually("the shim's death", || dead(&shim).then_some(()));
    assert_eq!(observe(&bench.run_dir()), Observed::Running(program));
    fs::write(bench.path("tree/go"), "").unwrap();
    assert!(matches!(block_on(wait(&bench.run_dir())), Observed::Lost { .. }));
    assert_eq!(service.life(), Life::Alive);
    kill(&service, Signal::KILL);
}

/// Proves that the time limit of a hook holds also where its supervisor was killed: whoever waits for it ends it, gently and
/// then for good.
#[test]
fn a_hook_without_its_shim_has_its_limit() {
    // One that listens has all the time it needs, one that does not has none.
    let listens = "trap 'echo asked > asked; kill $!; exit' TERM; sleep 1000 & echo $$ > pid; wait $!";
    let deaf = "trap '' TERM; echo $$ > pid; exec sleep 1000";
    for (script, grace) in [(listens, 3_600_000), (deaf, 1)] {
        let bench = Bench::new();
        // Nobody reads what it says any more: a shell that tells what became of a child would die of it.
        let mut spec = bench.script(&format!("exec >/dev/null 2>&1; {script}"));
        spec.keep_children = true;
        spec.time_limit_ms = Some(3_600_000);
        spec.stop.grace_ms = grace;
        let shim = bench.start(&spec);
        let program = bench.process("pid");
        kill(&shim, Signal::KILL);
        // Its hour is over.
        let record = bench.run_dir().join("program.json");
        let mut said: serde_json::Value = serde_json::from_slice(&fs::read(&record).unwrap()).unwrap();
        assert!(said["over_at"].as_u64().unwrap() > 3_600_000, "{said}");
        said["over_at"] = 1.into();
        fs::write(&record, said.to_string()).unwrap();
        let seen = block_on(wait(&bench.run_dir()));
        assert!(matches!(seen, Observed::Lost { .. }), "{script}: {seen:?}");
        assert!(dead(&program));
        assert_eq!(bench.path("tree/asked").exists(), grace > 1);
    }
}

/// Proves that a stop which reached a dying supervisor reaches the hook all the same: whoever waits for it finds the mark that
/// stands there since, and asks the hook itself.
#[test]
fn a_stop_survives_the_shim() {
    let bench = Bench::new();
    let mut spec = bench.script(
        "exec >/dev/null 2>&1; trap 'echo asked > asked; kill $!; exit' TERM; sleep 20 & echo $$ > pid; wait $!",
    );
    spec.keep_children = true;
    let shim = bench.start(&spec);
    let program = bench.process("pid");
    fs::write(bench.run_dir().join("stop"), "").unwrap();
    kill(&shim, Signal::KILL);
    assert!(matches!(block_on(wait(&bench.run_dir())), Observed::Lost { .. }));
    assert!(dead(&program));
    assert!(bench.path("tree/asked").exists(), "it was asked, and did not come to its own end");
}
