//! Does the doctor see what is missing, say how to mend it, and change nothing?

use serde_json::Value;

use crate::containment::not_tried;
use crate::stage::{Done, Stage};

fn state<'a>(done: &'a Value, name: &str) -> &'a Value {
    done["checks"].as_array().unwrap().iter().find(|check| check["name"] == name).unwrap_or(&Value::Null)
}

fn seen(stage: &Stage) -> (i32, Value) {
    looked(stage.orch(["doctor", "--json"]))
}

fn looked(done: Done) -> (i32, Value) {
    (done.code, serde_json::from_str(&done.out).unwrap_or_else(|e| panic!("{e}: {}{}", done.out, done.err)))
}

/// Proves that what is missing is named with its remedy, and that what is well is not.
#[test]
fn what_is_missing_is_named() {
    let stage = Stage::new();
    stage.program("me");
    stage.commit(&[(".orch/policy.toml", "test = [\"true\"]\npreset = \"full\"\n")]);
    let settings = format!(
        "listen = \"127.0.0.1:0\"\n[agents.me]\nkind = \"command\"\nprogram = \"me\"\n[agents.gone]\nkind = \"claude\"\n\
         [projects.demo]\nprefix = \"D\"\nrepository = \"{}\"\nagent = \"me\"\n",
        stage.repo().display()
    );
    stage.write("home/orch.toml", &settings);
    std::fs::set_permissions(stage.home(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let (code, done) = seen(&stage);
    assert_eq!((code, &done["ok"]), (1, &Value::Bool(false)));
    assert_eq!(state(&done, "git")["state"], "good");
    assert_eq!(state(&done, "settings")["state"], "good");
    assert_eq!(state(&done, "agent me")["state"], "good");
    assert_eq!(state(&done, "agent gone")["state"], "missing");
    assert_eq!(state(&done, "folder")["mend"], "chmod 700 $STAGE/home");
    assert_eq!(state(&done, "brain")["state"], "mind");
    assert_eq!(state(&done, "project demo")["says"], "its preset deploys, and no hook is named");
    assert!(!stage.home().join("orch.db").exists(), "it changes nothing");

    stage.write("home/orch.toml", &settings.replace("[agents.gone]\nkind = \"claude\"\n", ""));
    std::fs::set_permissions(stage.home(), std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    stage.write("repo/.orch/policy.toml", "test = [\"true\"]\n");
    stage.git(["commit", "--quiet", "--all", "--message=library"]);
    let (_, done) = seen(&stage);
    assert_eq!(state(&done, "project demo")["state"], "good", "{done}");
    assert_eq!(state(&done, "folder")["state"], "good");
}

/// Proves that the sandbox is told by a real run, not by a guess: what the kernel enforces where one can be made, and that
/// nobody knows where none can. Of the trial nothing stays.
#[test]
fn the_sandbox_is_tried() {
    let stage = Stage::new();
    let (_, done) = seen(&stage);
    let says = state(&done, "sandbox")["says"].as_str().unwrap();
    assert!(says.contains("Landlock") || says.contains("the kernel enforces nothing"), "{says}");
    assert_eq!(state(&done, "run: environment")["state"], "good");
    assert_eq!(state(&done, "run: network")["state"], "mind", "what is not enforced is said");
    // The stage's own folder is its folder for temporary files.
    let left = std::fs::read_dir(stage.path("."))
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("orch-doctor"));
    assert_eq!(left.count(), 0, "nothing stays behind");

    let file = stage.write("no-folder", "");
    let stage = stage.env("TMPDIR", file.to_str().unwrap());
    let (code, done) = seen(&stage);
    assert_eq!((code, &state(&done, "sandbox")["state"]), (1, &Value::from("missing")), "{done}");
    let says = state(&done, "sandbox")["says"].as_str().unwrap();
    assert!(says.contains("a trial run could not be made"), "{says}");
    assert!(state(&done, "stop").is_null(), "nor is it known how runs are stopped: {done}");
}

/// Proves decision 9 as it is told: that a key or a login can be read is said where one is given to an agent, and nowhere else.
#[test]
fn a_key_that_nobody_has_is_not_lamented() {
    let stage = Stage::new();
    stage.program("me");
    let key = stage.write("key", "k");
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let agent = "[agents.me]\nkind = \"command\"\nprogram = \"me\"\n";
    let given = format!("{agent}env_files = {{ KEY = \"{}\" }}\n", key.display());
    for (settings, state_, says) in [
        ("", "good", "no agent is given a key"),
        (agent, "good", "no agent is given a key"),
        (&given, "mind", "lies where the agent can read it"),
    ] {
        stage.write("home/orch.toml", settings);
        let (_, done) = seen(&stage);
        let told = state(&done, "run: model key");
        assert_eq!(told["state"], state_, "{told}");
        assert!(told["says"].as_str().unwrap().contains(says), "{told}");
    }
}

/// Proves that bad settings and a bad policy are findings with their place, and that all else is still looked at.
#[test]
fn bad_files_are_findings() {
    let stage = Stage::new();
    stage.write("home/orch.toml", "lsiten = 1\n");
    let (code, done) = seen(&stage);
    assert_eq!(code, 1);
    assert_eq!(state(&done, "settings")["says"], "$STAGE/home/orch.toml:1:1: there is no key `lsiten`");
    assert_eq!(state(&done, "git")["state"], "good");

    stage.commit(&[(".orch/policy.toml", "tset = 1\n")]);
    let repository = stage.repo();
    stage.write(
        "home/orch.toml",
        &format!("[projects.d]\nprefix = \"D\"\nrepository = \"{}\"\n", repository.display()),
    );
    let (_, done) = seen(&stage);
    let says = state(&done, "project d")["says"].as_str().unwrap();
    assert_eq!(says, "$STAGE/repo/main:.orch/policy.toml:1:1: there is no key `tset`");
}

/// Proves that with `run_as` the folder may be walked through, that `[machine]` is told, and that what cannot be carried
/// out is said in the words with which `orch up` refuses it (decisions 9, 44).
#[test]
fn what_runs_get_is_told() {
    use std::os::unix::fs::PermissionsExt;
    let stage = Stage::new();
    let mode = |mode| std::fs::set_permissions(stage.home(), PermissionsExt::from_mode(mode)).unwrap();
    let settings = |user: &str, read: &std::path::Path| {
        let text = format!(
            "listen = \"127.0.0.1:0\"\nrun_as = \"{user}\"\n[machine]\nread = [\"{}\"]\nenv = {{ JAVA_HOME = \"/j\" }}\n",
            read.display()
        );
        stage.write("home/orch.toml", &text);
    };
    settings("nobody", &stage.path("gone"));
    mode(0o711);
    // This binary may lie where that user cannot come: then nothing else would be said.
    let program = stage.for_everybody();
    let (code, done) = looked(stage.typed(&program, &stage.repo(), ["doctor", "--json"]));
    assert_eq!(state(&done, "folder")["state"], "good", "{done}");
    let machine: Vec<&Value> =
        done["checks"].as_array().unwrap().iter().filter(|check| check["name"] == "machine").collect();
    if rustix::process::geteuid().is_root() {
        assert_eq!(state(&done, "user")["says"].as_str().map(|says| says.starts_with("root; ")), Some(true));
        assert_eq!((code, &machine[0]["state"]), (0, &Value::from("good")), "{done}");
        assert!(machine[0]["says"].as_str().unwrap().contains("JAVA_HOME"), "{done}");
        assert_eq!(machine[1]["state"], "mind", "{done}");
        assert!(machine[1]["says"].as_str().unwrap().contains("gone, which is not there"), "{done}");
    } else {
        not_tried(&"only root can become another user; what runs would get was not told");
        assert_eq!(code, 1);
        assert_eq!(state(&done, "user")["state"], "missing");
        assert!(
            state(&done, "user")["says"].as_str().unwrap().contains("Orch is not root and cannot become")
        );
    }

    settings("no-such-user", &stage.path("repo"));
    mode(0o755);
    let (code, done) = seen(&stage);
    assert_eq!(code, 1);
    assert!(state(&done, "user")["says"].as_str().unwrap().contains("there is no user `no-such-user`"));
    assert_eq!(state(&done, "folder")["mend"], "chmod 711 $STAGE/home", "what others may do is no refusal");
    assert_eq!(state(&done, "folder")["state"], "mind");

    settings("nobody", &stage.home());
    let says = state(&seen(&stage).1, "machine")["says"].as_str().unwrap().to_owned();
    assert!(says.contains("opens $STAGE/home, and with it Orch's own data"), "{says}");
}

/// Proves that an installation which works is no failure: what is only to be known leaves the exit code 0. As root
/// without `run_as`, where `orch up` refuses, that is missing, and nothing else; and so is a secret that others can read.
#[test]
fn what_is_only_to_be_known_fails_nothing() {
    use std::os::unix::fs::PermissionsExt;
    let stage = Stage::new();
    let (code, done) = seen(&stage);
    let root = rustix::process::geteuid().is_root();
    assert_eq!((code, &done["ok"]), (i32::from(root), &Value::Bool(!root)), "{done}");
    assert_eq!(done["missing"], u64::from(root), "{done}");
    assert_eq!(state(&done, "user")["state"], if root { "missing" } else { "good" });
    assert!(state(&done, "listen")["says"].as_str().unwrap().contains("runs too"), "{done}");
    stage.write("home/token", "secret");
    std::fs::set_permissions(stage.home().join("token"), PermissionsExt::from_mode(0o644)).unwrap();
    let (code, done) = seen(&stage);
    assert_eq!(code, 1);
    assert!(state(&done, "secret")["says"].as_str().unwrap().contains("(mode 644)"), "{done}");
}

/// Proves that an agent of Claude Code with neither login nor key is missing one, and that one with either is well.
#[test]
fn an_agent_without_a_login_is_missing_one() {
    let stage = Stage::new();
    stage.program("claude");
    let agent = "listen = \"127.0.0.1:0\"\n[agents.claude]\nkind = \"claude\"\n";
    stage.write("home/orch.toml", agent);
    let (code, done) = seen(&stage);
    assert_eq!((code, &state(&done, "agent claude")["state"]), (1, &Value::from("missing")), "{done}");
    assert!(state(&done, "agent claude")["mend"].as_str().unwrap().contains("env_files"), "{done}");
    stage.write("login.json", "{}");
    let login = format!("{agent}login_file = \"{}\"\n", stage.path("login.json").display());
    stage.write("home/orch.toml", &login);
    assert_eq!(state(&seen(&stage).1, "agent claude")["state"], "good");
}

/// Proves that a hook which is kept in the repository is looked for on main, where it is taken from (decision 22).
#[test]
fn a_hook_of_the_repository_is_looked_for_on_main() {
    use std::os::unix::fs::PermissionsExt;
    let stage = Stage::new();
    stage.program("me");
    let policy = "test = [\"true\"]\npreset = \"full\"\n";
    stage.commit(&[(".orch/policy.toml", policy), ("ops/deploy.sh", "#!/bin/sh\n")]);
    let settings = format!(
        "listen = \"127.0.0.1:0\"\n[agents.me]\nkind = \"command\"\nprogram = \"me\"\n[projects.demo]\nprefix = \"D\"\n\
         repository = \"{}\"\nagent = \"me\"\n[projects.demo.hook]\nprogram = \"{{checkout}}/ops/deploy.sh\"\n",
        stage.repo().display()
    );
    stage.write("home/orch.toml", &settings);
    let hook = |done: &Value| {
        let mut all = done["checks"].as_array().unwrap().iter();
        all.any(|check| check["name"] == "project demo" && check["state"] == "missing")
    };
    let (_, done) = seen(&stage);
    assert_eq!(state(&done, "settings")["state"], "good", "{done}");
    assert!(hook(&done), "it may not be executed: {done}");
    let program = stage.repo().join("ops/deploy.sh");
    std::fs::set_permissions(program, PermissionsExt::from_mode(0o755)).unwrap();
    stage.git(["commit", "--quiet", "--all", "--message=executable"]);
    let (_, done) = seen(&stage);
    assert!(!hook(&done), "{done}");
    // Nothing can be asked of what it deploys (decision 64).
    let unseen = |done: &Value| done.to_string().contains("add [projects.demo.health]");
    assert!(unseen(&done), "{done}");
    stage.write(
        "home/orch.toml",
        &format!("{settings}[projects.demo.health]\nurl = \"http://127.0.0.1:1/\"\n"),
    );
    assert!(!unseen(&seen(&stage).1));
}

/// Proves that an installation which is not there yet is not begun by looking, and that one where every run may read is
/// said to be impossible, in the words of `orch up`.
#[test]
fn a_data_folder_that_is_not_there_stays_so() {
    let stage = Stage::new();
    let home = stage.path("none/orch");
    let asked = |home: &std::path::Path| {
        let done = stage.orch(["doctor", "--json", "--home", &home.display().to_string()]);
        serde_json::from_str::<Value>(&done.out).unwrap_or_else(|e| panic!("{e}: {}{}", done.out, done.err))
    };
    let done = asked(&home);
    assert_eq!(state(&done, "trees")["state"], "good", "{done}");
    assert!(!stage.path("none").exists(), "it changes nothing");
    let done = asked("/opt/orch-that-is-not-there".as_ref());
    let says = state(&done, "machine")["says"].as_str().unwrap();
    assert!(says.contains("lies in /opt, which every run may read"), "{done}");
}

/// Proves that of settings which cannot be used nothing is said as if the defaults stood there: no project, no agent, no user
/// and no mode of the folder is judged, and that they were not looked at is told.
#[test]
fn unusable_settings_are_not_taken_for_none() {
    let stage = Stage::new();
    stage.write("home/orch.toml", "run_as = \"nobody\"\nnonsense = 1\n");
    std::fs::set_permissions(stage.home(), std::os::unix::fs::PermissionsExt::from_mode(0o711)).unwrap();
    let (code, done) = seen(&stage);
    assert_eq!((code, &state(&done, "settings")["state"]), (1, &Value::from("missing")));
    assert_eq!(state(&done, "folder")["state"], "good", "{done}");
    for name in ["user", "agents", "listen", "machine"] {
        assert!(state(&done, name).is_null(), "{done}");
    }
    let told = state(&done, "projects")["says"].as_str().unwrap();
    assert!(told.contains("the settings cannot be used"), "{told}");
}

/// Proves that a test command whose program no run finds is missed before a run fails for it, and that a program of the
/// repository itself is not looked for.
#[test]
fn a_test_program_that_no_run_finds_is_missing() {
    let stage = Stage::new();
    stage.program("me");
    stage.write(
        "home/orch.toml",
        &format!(
            "[agents.me]\nkind = \"command\"\nprogram = \"me\"\n[projects.demo]\nprefix = \"D\"\nrepository = \"{}\"\n\
             agent = \"me\"\n",
            stage.repo().display()
        ),
    );
    for (policy, state_, says) in [
        ("test = [\"no-such-runner\"]\n", "missing", "begin with `no-such-runner`"),
        ("setup = [\"gone\"]\ntest = [\"true\"]\n", "missing", "begin with `gone`"),
        ("test = [\"./run.sh\"]\n", "good", "./run.sh"),
        ("test = [\"true\"]\n", "good", "true"),
    ] {
        stage.commit(&[(".orch/policy.toml", policy)]);
        let (_, done) = seen(&stage);
        let told = state(&done, "project demo");
        assert_eq!(told["state"], state_, "{done}");
        assert!(told["says"].as_str().unwrap().contains(says), "{told}");
    }
}
