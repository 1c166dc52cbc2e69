//! What does an agent get that wants more than it may have? The real composition, with a program that tries
//! (decisions 8, 9).

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use orch_adapters::git::{Mounts, TreeKind, TreeOrder};
use orch_core::id::{Commit, ProjectId, RunId, Seq};
use orch_core::stage::{Role, Stage};
use orch_core::task::{Job, Task};

use crate::yard::{GREEN, PROJECT, Yard};

/// Plays every role well, and tries things as the developer. `{...}` is filled in by the test.
const INTRUDER: &str = r#"#!/bin/sh
role=$1
prompt=$(cat)
item=$(ls docs/work-items)
at=docs/work-items/$item
case $role in
analyst)
  echo "BR-1" > $at/01-brd.md; echo "Write it." > $at/02-trz.md; echo "AC-1" > $at/03-acceptance-criteria.md
  printf -- '- id: TC-01\n  type: unit\n  description: there\n  module: src\n  expected: there\n' > $at/04-test-plan.yaml
  ;;
architect)
  mkdir -p $at/06-adr
  for name in 06-adr/ADR-001.md 07-infra-requirements.md 08-data-requirements.md 10-tech-risks.md; do echo None. > $at/$name; done
  ;;
developer)
  mkdir -p src; echo done > src/change.txt
  echo "== environment"; env | sort; echo "== end of environment"
  tries() { if "$@" > /dev/null 2>&1; then echo "GOT: $*"; else echo "refused $?: $*"; fi; }
  works() { if "$@" > /dev/null 2>&1; then echo "worked: $*"; else echo "LACKS $?: $*"; fi; }
  export port=$(cat {agent}/port)
  works curl --silent --fail --max-time 5 http://localhost:$port/health
  tries cat {home}/token
  tries cat {home}/orch.db
  tries cat {home}/hooks/{project}
  tries ls {home}
  tries ls {home}/runs
  tries ls {home}/trees
  tries ls {home}/homes
  tries cat {home}/trees/elsewhere/secret
  tries cat {home}/homes/elsewhere/secret
  tries cat {home}/hubs/{project}/hub.git/config
  tries ls {home}/hubs/{project}/bases
  tries ls {home}/hubs/{project}/runs
  tries cat {person}/.ssh/id_ed25519
  tries cat {person}/.cargo/credentials.toml
  tries cat {repository}/README.md
  tries touch {repository}/planted
  tries touch {home}/planted
  tries touch {home}/hubs/{project}/hub.git/objects/planted
  tries touch {home}/trees/planted
  tries touch {outside}/planted
  tries touch /etc/orch-planted
  tries sh -c 'curl --silent --fail --max-time 5 --unix-socket {home}/orch.sock -X POST http://localhost/api/v1/tasks/YARD-001/approve'
  tries sh -c 'curl --silent --fail --max-time 5 -X POST http://localhost:$port/api/v1/tasks/YARD-001/approve'
  tries sh -c 'curl --silent --fail --max-time 5 -X POST -H "Authorization: Bearer " http://localhost:$port/api/v1/installation/pause'
  printf '[core]\n\tfsmonitor = "touch %s/ran-fsmonitor"\n\tsshCommand = "touch %s/ran-ssh"\n\thooksPath = %s/.git/hooks\n[filter "plant"]\n\tclean = "touch %s/ran-filter"\n\tsmudge = "touch %s/ran-filter"\n' "$TMPDIR" "$TMPDIR" "$PWD" "{open}" "{open}" >> .git/config
  mkdir -p .git/hooks
  for hook in pre-commit post-commit post-checkout reference-transaction; do
    printf '#!/bin/sh\ntouch {open}/ran-hook\n' > .git/hooks/$hook; chmod +x .git/hooks/$hook
  done
  echo '*.txt filter=plant' > .gitattributes
  setsid sh -c 'echo $$ > child.pid; exec sleep 3600' < /dev/null > /dev/null 2>&1 &
  while [ ! -s child.pid ]; do :; done
  echo "child: $(cat child.pid)"; rm child.pid
  ;;
reviewer)
  printf -- '---\ntype: review\nwork_item_id: %s\nverdict: APPROVED\nversion: 1\n---\n\n## Summary\n\nGood.\n\n## Findings\n\nNone.\n' $item > $at/12-review.md
  ;;
tester)
  printf -- '---\ntype: test-report\nwork_item_id: %s\nresult: PASS\n---\n\n## Conclusion\n\nThere.\n' $item > $at/13-test-report.md
  ;;
esac
"#;

/// An installation whose agent is the intruder, with secrets around it.
fn besieged(run_as: Option<&str>) -> Yard {
    fortified(run_as, Yard::with(&[], GREEN))
}

fn fortified(run_as: Option<&str>, mut yard: Yard) -> Yard {
    let person = yard.folder().join("person");
    yard.write("person/.ssh/id_ed25519", "a key of the person");
    yard.write("person/.cargo/credentials.toml", "token = \"of the registry\"");
    yard.wishes.person = person.clone();
    yard.write("home/trees/elsewhere/secret", "another tree");
    yard.write("home/homes/elsewhere/secret", "another home");
    yard.write("outside/file", "");
    let home = yard.home().folder().display().to_string();
    let mut text = INTRUDER.to_owned();
    for (name, value) in [
        ("{home}", home.as_str()),
        ("{project}", PROJECT),
        ("{person}", &person.display().to_string()),
        ("{repository}", &yard.repository().display().to_string()),
        ("{outside}", &yard.folder().join("outside").display().to_string()),
        ("{open}", &yard.folder().join("outside").display().to_string()),
        ("{agent}", &yard.folder().join("agent").display().to_string()),
    ] {
        text = text.replace(name, value);
    }
    let program = yard.script("agent/intruder", &text);
    yard.agent = format!("kind = \"command\"\nprogram = \"{}\"\nargs = [\"{{role}}\"]\n", program.display());
    // The agent's own program is readable as a part of the machine.
    yard.top = format!("[machine]\nread = [\"{}\"]\n", yard.folder().join("agent").display());
    if let Some(user) = run_as {
        yard.top = format!("run_as = \"{user}\"\n{}", yard.top);
    }
    yard
}

fn developer_log(yard: &Yard, task: &Task) -> String {
    let row = task.runs.iter().find(|row| row.job == Job::Agent(Role::Developer));
    let row = row.unwrap_or_else(|| panic!("{:?} {:?}", task.escalated, task.runs));
    let log = yard.home().runs().join(row.run.to_string());
    let read = |name: &str| std::fs::read_to_string(log.join(name)).unwrap_or_default();
    format!("{}{}", read("stdout.log"), read("stderr.log"))
}

/// Says that a test does nothing on this machine, and why. In a CI, where everything is to be there, that is a failure.
pub(crate) fn not_tried(why: &dyn std::fmt::Display) {
    let ci = std::env::var("CI").is_ok_and(|ci| ci == "true" || ci == "1");
    assert!(!ci, "not tried: {why}");
    // Past the test's own output, which nobody is shown when it passes.
    let test = std::thread::current();
    let _ = writeln!(std::io::stderr(), "{}: not tried: {why}", test.name().unwrap_or("a test"));
}

/// What the intruder knocks with must work where it may: a program that is missing proves nothing.
fn knocks(yard: &Yard) {
    let token = format!("Authorization: Bearer {}", yard.token());
    let socket = yard.home().socket().display().to_string();
    let url = format!("http://localhost:{}/health", yard.running().address.port());
    let ways: [&[&str]; 2] =
        [&["--unix-socket", &socket, "-H", &token, "http://localhost/api/v1/tasks"], &[&url]];
    for way in ways {
        let knocked = std::process::Command::new("curl")
            .args(["--silent", "--show-error", "--fail", "--max-time", "5"])
            .args(way)
            .output()
            .expect("curl is a part that this test needs: `cargo xtask ci --install` installs it");
        assert!(knocked.status.success(), "{way:?}: {}", String::from_utf8_lossy(&knocked.stderr));
    }
}

fn holds_out(yard: &mut Yard) -> String {
    yard.up();
    knocks(yard);
    // It lies beside the agent's program, where runs may read.
    yard.write("agent/port", yard.running().address.port().to_string());
    let id = yard.ask("A change");
    let task = yard.travel(&id);
    let log = developer_log(yard, &task);
    assert_eq!(task.stage, Stage::Done, "{:?} {:?}\n{log}", task.step, task.escalated);
    let begins =
        |what: &str| -> Vec<&str> { log.lines().filter_map(|line| line.strip_prefix(what)).collect() };
    assert_eq!(begins("GOT: "), [""; 0], "{log}");
    // What it tries with is there for it, and so is what it tries to get: else that it fails proves nothing. Bases are where
    // trees are overlays.
    let bases = format!("{}/bases", yard.home().hubs().join(PROJECT).display());
    let overlays = yard.wishes.mounts.is_some();
    assert_eq!((begins("LACKS "), begins("worked: ").len()), (vec![], 1), "{log}");
    let refused: Vec<(&str, &str)> =
        begins("refused ").into_iter().map(|line| line.split_once(": ").unwrap()).collect();
    assert_eq!(refused.len(), INTRUDER.lines().filter(|line| line.starts_with("  tries ")).count(), "{log}");
    for (code, tried) in &refused {
        match tried.split_once(' ').unwrap() {
            ("ls", path) if path == bases && !overlays => {}
            ("cat" | "ls", path) => assert!(Path::new(path).exists(), "{path} is not there"),
            ("touch", path) => assert!(Path::new(path).parent().unwrap().is_dir(), "{path} has no place"),
            // The door was reached, and it refused: 22 is curl's word for an answer of 400 or more.
            ("sh", call) if call.contains("localhost:") => assert_eq!(*code, "22", "{call}"),
            ("sh", call) => assert!(call.contains("--unix-socket"), "{call}"),
            other => panic!("{other:?}"),
        }
    }

    // Its environment is an allow-list, and no secret of this installation is in it.
    let environment =
        log.split("== environment\n").nth(1).and_then(|rest| rest.split("== end").next()).unwrap();
    let allowed = [
        "HOME",
        "LANG",
        "NVM_DIR",
        "OLDPWD",
        "ORCH_PORT",
        "ORCH_PORT_END",
        "ORCH_RUN",
        "ORCH_RUN_MARK",
        "PATH",
        "PWD",
        "PYENV_ROOT",
        "RUSTUP_HOME",
        "SHLVL",
        "TERM",
        "TMPDIR",
        "_",
    ];
    for line in environment.lines() {
        let name = line.split('=').next().unwrap();
        assert!(allowed.contains(&name), "{line}");
        assert!(!line.contains(&yard.token()), "{line}");
    }

    // What was planted never ran and never arrived; what was tried is in the log that people read.
    let outside = yard.folder().join("outside");
    let there: Vec<_> = std::fs::read_dir(&outside).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(there, ["file"]);
    assert!(!Path::new("/etc/orch-planted").exists());
    assert!(!yard.home().folder().join("planted").exists());
    let config = std::fs::read_to_string(yard.home().hubs().join(PROJECT).join("hub.git/config")).unwrap();
    assert!(!config.contains("plant"), "{config}");
    let hooks = yard.home().hubs().join(PROJECT).join("hub.git/hooks");
    assert!(std::fs::read_dir(hooks).map_or(0, Iterator::count) == 0);
    assert_eq!(yard.git(["status", "--porcelain"]), "");

    // Nothing that it started lives.
    let child = log.lines().find_map(|line| line.strip_prefix("child: ")).unwrap();
    let state = std::fs::read_to_string(format!("/proc/{child}/cmdline")).unwrap_or_default();
    assert!(!state.contains("sleep"), "{state}");

    // The approval came from the one who has the token.
    let by = task.approval.as_ref().map(|consent| format!("{consent:?}")).unwrap_or_default();
    assert!(by.contains("\"me\""), "{by}");
    environment.to_owned()
}

/// Proves that a run reads neither Orch's data, nor other trees and homes, nor a person's keys; that it writes nothing
/// outside its tree; that what it plants in `.git` runs nowhere; that the socket and the port ask it for a token; and that
/// nothing which it starts outlives it.
///
/// incident I-36: a test wrote into a tree that others shared; here what a run writes outside its own tree is refused.
#[test]
fn an_agent_gets_nothing_that_it_may_not_have() {
    holds_out(&mut besieged(None));
}

/// Proves that Orch which is not root refuses to begin with a user that it cannot become, and without one begins as what it
/// is: as root this plays another user, so that it is tried everywhere (decision 9).
#[test]
fn who_is_not_root_becomes_nobody() {
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::process::CommandExt as _;
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("orch");
    // By another process: what this one has open cannot be started while another thread starts something.
    let copied =
        std::process::Command::new("cp").args([env!("CARGO_BIN_EXE_orch").as_ref(), &*program]).status();
    assert!(copied.unwrap().success());
    let home = dir.path().join("home");
    std::fs::create_dir(&home).unwrap();
    std::fs::write(home.join("orch.toml"), "listen = \"127.0.0.1:0\"\nrun_as = \"daemon\"\n").unwrap();
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let typed = |command: &str| {
        let mut orch = std::process::Command::new(&program);
        orch.arg(command).env_clear().env("PATH", "/usr/bin:/bin").env("ORCH_HOME", &home).current_dir("/");
        orch.env("TMPDIR", &home);
        if rustix::process::geteuid().is_root() {
            let nobody = 65534;
            std::os::unix::fs::chown(&home, Some(nobody), Some(nobody)).unwrap();
            orch.uid(nobody).gid(nobody);
        }
        let out = orch.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (out.status.code(), text(&out.stdout) + &text(&out.stderr))
    };
    let (code, said) = typed("up");
    assert_eq!(code, Some(7), "{said}");
    assert!(said.contains("Orch is not root and cannot become `daemon`"), "{said}");
    let (code, told) = typed("doctor");
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("cannot become `daemon`"), "{told}");
    std::fs::write(home.join("orch.toml"), "listen = \"127.0.0.1:0\"\n").unwrap();
    let (code, told) = typed("doctor");
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("not root; agents and tests run as the same user"), "{told}");
}

/// Proves that as root, agents run as the user of `run_as` and still do the whole job (decision 9). Runs as root alone, as CI
/// does.
#[test]
fn agents_run_as_another_user() {
    let mut yard = besieged(Some("nobody"));
    if !rustix::process::geteuid().is_root() {
        // Only root can become somebody else; what others are told is another test's.
        return not_tried(&"only root can become another user");
    }
    let script = yard.folder().join("agent/intruder");
    let mut file = std::fs::OpenOptions::new().append(true).open(script).unwrap();
    writeln!(file, "echo \"user: $(id -un)\"").unwrap();
    drop(file);
    holds_out(&mut yard);
    let task = yard.task(&orch_core::id::TaskId::from("YARD-001"));
    let log = developer_log(&yard, &task);
    assert!(log.contains("user: nobody"), "{log}");
}

/// The files of a repository that is large enough for overlays.
fn many() -> Vec<String> {
    (0..1_100).map(|n| format!("many/{}/{n}", n % 20)).collect()
}

/// Proves that the walls hold in a tree that is an overlay too, as `orch up` makes it for a large repository, and that the
/// job is done in one from the analysis to the merge (decision 54).
#[test]
fn an_agent_gets_nothing_in_an_overlay() {
    // Before the yard's threads: they shall see the mounts.
    let mounts = match Mounts::own() {
        Ok(mounts) => mounts,
        Err(error) => return not_tried(&error),
    };
    let names = many();
    let files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "one of many")).collect();
    let mut yard = fortified(Some("nobody"), Yard::with(&files, GREEN));
    if let Err(error) = mounts.try_in(yard.folder()) {
        return not_tried(&error);
    }
    yard.wishes.mounts = Some(mounts);
    holds_out(&mut yard);
    let bases = yard.home().hubs().join(PROJECT).join("bases");
    assert_eq!(std::fs::read_dir(bases).unwrap().count(), 1);
    yard.stop();
    let mounted = std::fs::read_to_string("/proc/thread-self/mountinfo").unwrap();
    let folder = yard.folder().canonicalize().unwrap().display().to_string();
    assert!(!mounted.contains(&folder), "{mounted}");
}

/// Proves that a project whose data folder no overlay can be laid in gets its trees all the same, of another kind; beside one
/// that gets overlays, so that its repository is large enough for them (decision 54).
#[test]
fn an_odd_folder_gets_other_trees() {
    let mounts = match Mounts::own() {
        Ok(mounts) => mounts,
        Err(error) => return not_tried(&error),
    };
    let names = many();
    let files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "one of many")).collect();
    for (name, may_be_overlay) in [("plain", true), ("a,b:c", false)] {
        let mut yard = Yard::below(name).holding(&files, GREEN);
        if let Err(error) = mounts.try_in(yard.folder())
            && may_be_overlay
        {
            return not_tried(&error);
        }
        yard.wishes.mounts = Some(mounts.clone());
        yard.up();
        let commit = Commit::from(yard.git(["rev-parse", "main"]));
        let hub = Arc::clone(&yard.outside().projects()[&ProjectId::from(PROJECT)].hub);
        // A brain tidies away the trees of runs that it does not know.
        yard.stop();
        let run = RunId::new(Seq(1), 0);
        let order = TreeOrder {
            run,
            commit: &commit,
            folder: &yard.home().trees().join(run.to_string()),
            cache: None,
            remove: Vec::new(),
            owner: None,
        };
        let tree = hub.prepare_tree(&order).unwrap();
        assert_eq!(tree.kind == TreeKind::Overlay, may_be_overlay, "{name}: {:?}", tree.kind);
        assert_eq!(std::fs::read_to_string(tree.folder.join(&names[1_099])).unwrap(), "one of many");
        hub.drop_tree(run).unwrap();
    }
}

/// Proves that a data folder which the user of `run_as` cannot walk to is refused with the folder that is closed.
#[test]
fn a_closed_way_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let mut yard = besieged(Some("nobody"));
    let refused_before = yard.folder().to_owned();
    std::fs::set_permissions(&refused_before, std::fs::Permissions::from_mode(0o700)).unwrap();
    let refused = yard.start().unwrap_err();
    let said = refused.to_string();
    // Who is not root is refused before any way is walked.
    if rustix::process::geteuid().is_root() {
        assert!(said.contains("chmod a+x") && said.contains(&refused_before.display().to_string()), "{said}");
    } else {
        not_tried(&"only root can become another user; the way was not walked");
    }
    yard.top = yard.top.replace("\"nobody\"", "\"no-such-user\"");
    let said = yard.start().unwrap_err().to_string();
    assert!(said.contains("no user `no-such-user`") && said.contains("useradd"), "{said}");
}

/// Proves that `[machine]` cannot open Orch's own data to runs.
#[test]
fn the_data_folder_cannot_be_opened() {
    for path in ["home", "home/runs", "."] {
        let mut yard = Yard::with(&[], GREEN);
        std::fs::create_dir_all(yard.home().runs()).unwrap();
        yard.top = format!("[machine]\nread = [\"{}\"]\n", yard.folder().join(path).display());
        let refused = yard.start().unwrap_err();
        assert!(refused.cause.contains("Orch's own data"), "{path}: {refused}");
    }
}
