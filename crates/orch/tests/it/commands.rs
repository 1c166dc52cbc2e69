//! What do commands say with a brain, without one, and to a script?

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixListener;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use orch_core::call::Text;
use orch_core::call::tracker::{IssueReading, Labels, Status};
use orch_core::event::{DiskReading, Event, IssueSeen, PolicyChange};
use orch_core::gesture::{Door, Gesture, Press};
use orch_core::id::{Entity, IssueKey, ProjectId};
use orch_core::journal::Blob;
use orch_core::policy::Policy;
use orch_core::time::Moment;
use orch_engine::step::policy_blob;
use orch_engine::{Engine, Incoming, Target};
use serde_json::{Value, json};

use crate::stage::Stage;

/// A request as it came.
struct Asked {
    line: String,
    headers: String,
    body: String,
}

/// Far above what a command takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A brain that answers.
struct Serves {
    thread: JoinHandle<()>,
    /// Closed when the thread has ended.
    over: mpsc::Receiver<()>,
}

impl Serves {
    /// Waits until everything that it had to answer was asked for; that it is not fails the test, which else would wait for ever.
    #[track_caller]
    fn join(self) -> std::thread::Result<()> {
        let over = self.over.recv_timeout(PATIENCE);
        assert_eq!(over, Err(mpsc::RecvTimeoutError::Disconnected), "not every answer was asked for");
        self.thread.join()
    }
}

/// A brain that answers what it is told to, in order, one answer a request. The knock before each is let pass.
fn brain(stage: &Stage, answers: Vec<(u16, Value)>) -> (mpsc::Receiver<Asked>, Serves) {
    std::fs::create_dir_all(stage.home()).unwrap();
    std::fs::write(stage.home().join("token"), "secret\n").unwrap();
    let listener = UnixListener::bind(stage.home().join("orch.sock")).unwrap();
    let (tell, told) = mpsc::channel();
    let (open, over) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        let _open: mpsc::Sender<()> = open;
        let mut answers = answers.into_iter();
        while answers.len() > 0 {
            let (stream, _) = listener.accept().unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            let mut reader = BufReader::new(stream);
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap() == 0 {
                continue;
            }
            let mut headers = String::new();
            while !headers.ends_with("\r\n\r\n") && reader.read_line(&mut headers).unwrap() > 2 {}
            let lower = headers.to_lowercase();
            let length =
                lower.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse().ok());
            let mut body = vec![0; length.unwrap_or(0)];
            reader.read_exact(&mut body).unwrap();
            let (status, answer) = answers.next().unwrap();
            let answer = match answer {
                Value::String(raw) => raw,
                other => other.to_string(),
            };
            let length = answer.len();
            write!(
                reader.get_mut(),
                "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{answer}"
            )
            .unwrap();
            let body = String::from_utf8(body).unwrap();
            tell.send(Asked { line: line.trim().to_owned(), headers: lower, body }).unwrap();
        }
    });
    (told, Serves { thread, over })
}

/// Proves that without a brain nothing is started, and that it is said how to start it (decision 44).
#[test]
fn without_a_brain() {
    let stage = Stage::new();
    stage.write("home/orch.toml", "[projects.demo]\nprefix = \"D\"\nrepository = \"/d\"\n");
    let commands: [&[&str]; 9] = [
        &["list"],
        &["show", "d-1"],
        &["why", "d-1"],
        &["new", "x"],
        &["approve", "d-1"],
        &["stop", "d-1"],
        &["pause"],
        &["freeze"],
        &["events", "-f"],
    ];
    for command in commands {
        let said = stage.orch(command).failed(5);
        assert!(said.contains("Orch is not running") && said.contains("orch up"), "{command:?}: {said}");
        let error: Value =
            serde_json::from_str(&stage.orch([command, &["--json"]].concat()).failed(5)).unwrap();
        assert_eq!(
            (&error["error"]["kind"], &error["error"]["exit_code"]),
            (&json!("not_running"), &json!(5))
        );
        assert_eq!(error["error"]["remedy"], "start it with `orch up`");
    }
}

/// Proves that a data folder which cannot be made or written is named with the cause and with what to do, by whatever needs
/// one.
#[test]
fn a_data_folder_that_cannot_be() {
    let stage = Stage::new();
    stage.commit(&[("go.mod", "")]);
    // Root too makes no folder below a file.
    let home = stage.write("file", "").join("home");
    let home = home.to_str().unwrap();
    for command in [&["up", "--allow-root"][..], &["init", "--yes"]] {
        let said = stage.orch([&["--home", home], command].concat()).failed(1);
        assert!(said.contains("cannot be") && said.contains("os error"), "{said}");
        assert!(said.contains("where  $STAGE/file/home\n"), "{said}");
        assert!(said.contains("remedy") && said.contains("--home"), "{said}");
    }
    let done = stage.orch(["--home", home, "doctor", "--json"]);
    let done: Value = serde_json::from_str(&done.out).unwrap();
    let folder = done["checks"].as_array().unwrap().iter().find(|check| check["name"] == "folder").unwrap();
    assert_eq!(folder["state"], "missing", "{folder}");
    assert!(folder["mend"].as_str().unwrap().contains("--home"), "{folder}");
    let inside = stage.path("file/demo");
    let said = stage.orch(["demo", "--once", "--workspace", inside.to_str().unwrap()]).failed(1);
    assert!(said.contains("the demo's folder cannot be used") && said.contains("--workspace"), "{said}");
}

/// Proves that who has no Rust that works is told by the demo that it needs one, with place, cause and remedy.
#[test]
fn a_demo_without_rust() {
    let stage = Stage::new();
    crate::stage::program(&stage.path("bin/cargo"), "#!/bin/sh\nexit 1\n");
    let done = stage.orch(["demo", "--once"]);
    assert_eq!(done.code, 1, "{}{}", done.out, done.err);
    for part in ["`cargo build` does not build it", "where  $STAGE/orch-demo/repository", "rustup.rs"] {
        assert!(done.err.contains(part), "{part}: {}", done.err);
    }
}

/// Proves the exit codes of a wrong command line, also as JSON.
#[test]
fn a_wrong_command_line() {
    let stage = Stage::new();
    assert!(stage.orch(["shwo"]).failed(2).contains("show"));
    let error: Value = serde_json::from_str(&stage.orch(["show", "--json"]).failed(2)).unwrap();
    assert_eq!(error["error"]["kind"], "usage");
    let error: Value = serde_json::from_str(&stage.orch(["new", "--json"]).failed(2)).unwrap();
    assert!(error["error"]["cause"].as_str().unwrap().ends_with("not provided: <TITLE>"), "{error}");
    assert!(stage.orch(["--version"]).well().starts_with("orch "));
    let help = stage.orch(["--help"]).well();
    assert!(help.contains("Exit codes: 0 done") && help.contains("reference"), "{help}");
    assert!(stage.orch(["new", "x"]).failed(3).contains("there is no project yet"));
}

/// Proves that a list shows id, stage, what it waits for and title, and that what others wrote cannot steer the terminal.
#[test]
fn a_list() {
    let stage = Stage::new();
    let task = json!({
        "id": "D-001", "stage": "analysis", "title": "Add \u{1b}[31mred", "standing":
        {"state": "person", "text": "waits for the approval", "since": "2020-01-01T00:00:00Z", "lifts": "", "also": []}
    });
    let page = json!({ "tasks": [task], "next": null });
    let (asked, serve) = brain(&stage, vec![(200, page.clone()), (200, page.clone())]);
    let said = stage.orch(["list"]).well();
    assert!(said.starts_with("D-001  analysis  waits for the approval  "), "{said}");
    assert!(said.ends_with("  Add \u{fffd}[31mred\n"), "{said:?}");
    let first = asked.recv_timeout(PATIENCE).unwrap();
    assert_eq!(first.line, "GET /api/v1/tasks?open=true&most=50 HTTP/1.1");
    assert!(first.headers.contains("authorization: bearer secret"), "{}", first.headers);
    assert_eq!(stage.orch(["ls", "--all", "--json"]).json(), page);
    assert_eq!(asked.recv_timeout(PATIENCE).unwrap().line, "GET /api/v1/tasks?most=50 HTTP/1.1");
    serve.join().unwrap();
}

/// Proves that an approval names what was shown (decision 37), carries a key of its own, and takes an id in any case and
/// padding (decision 46).
#[test]
fn an_approval_names_what_was_shown() {
    let stage = Stage::new();
    let task = json!({ "id": "D-007", "gestures": [{ "name": "approve", "what": "abc" }], "standing": { "text": "x" } });
    let taken = json!({ "seq": 9, "duplicate": false, "effective": true, "reasons": ["approved"] });
    let (asked, serve) = brain(&stage, vec![(200, task), (200, taken)]);
    assert_eq!(stage.orch(["approve", "d-7"]).well(), "D-007  approved\n");
    assert_eq!(asked.recv_timeout(PATIENCE).unwrap().line, "GET /api/v1/tasks/D-007 HTTP/1.1");
    let pressed = asked.recv_timeout(PATIENCE).unwrap();
    assert_eq!(pressed.line, "POST /api/v1/tasks/D-007/approve HTTP/1.1");
    assert!(pressed.headers.contains("idempotency-key: "), "{}", pressed.headers);
    assert_eq!(pressed.body, r#"{"what":"abc"}"#);
    serve.join().unwrap();

    let stage = Stage::new();
    let task = json!({ "id": "D-007", "gestures": [{ "name": "approve", "what": "abc" }], "standing": { "text": "x" } });
    let (_asked, serve) = brain(&stage, vec![(200, task)]);
    let said = stage.orch(["approve", "d-7", "--what", "def"]).failed(4);
    assert!(said.contains("what waits in D-007 is abc by now, not def"), "{said}");
    serve.join().unwrap();
}

/// Proves that a gesture that means nothing now is refused, with what would mean something.
#[test]
fn a_gesture_without_effect_is_refused() {
    let stage = Stage::new();
    let task = json!({ "id": "D-7", "gestures": [{ "name": "retry" }], "standing": { "text": "escalated" } });
    let taken =
        json!({ "seq": 9, "duplicate": false, "effective": false, "reasons": ["it is not escalated"] });
    let (_asked, serve) = brain(&stage, vec![(200, task), (200, taken)]);
    let said = stage.orch(["confirm", "D-7"]).failed(4);
    assert!(said.contains("there is nothing to confirm in D-007: escalated"), "{said}");
    assert!(said.contains("what you can do now: retry"), "{said}");
    assert!(stage.orch(["retry", "D-7"]).failed(4).contains("it is not escalated"));
    serve.join().unwrap();
}

/// Proves that the brain's refusals keep their words and become exit codes.
#[test]
fn refusals_become_exit_codes() {
    let cases = [(404, 3), (400, 2), (409, 4), (401, 4), (503, 1), (500, 1)];
    for (status, code) in cases {
        let stage = Stage::new();
        let problem = json!({ "error": { "kind": "x", "message": "the words", "hint": "the hint" } });
        let (_asked, serve) = brain(&stage, vec![(status, problem)]);
        let said = stage.orch(["why", "D-1"]).failed(code);
        assert_eq!(said, "error: the words\n  remedy the hint\n", "{status}");
        serve.join().unwrap();
    }
}

/// Proves that a log is printed as it comes until its run ends, and that what a program wrote cannot steer the terminal.
#[test]
fn a_log_is_followed_to_its_end() {
    let stage = Stage::new();
    let event = |text: &str| format!("event: text\ndata: {}\n\n", json!({ "text": text }));
    let stream =
        format!("{}: still here\n\n{}event: end\ndata: 9\n\n", event("one\n"), event("two\u{1b}[2J\n"));
    let (asked, serve) = brain(&stage, vec![(200, stream.into()), (200, "the end\n".into())]);
    assert_eq!(stage.orch(["logs", "-f", "d-1", "--run", "r12.0"]).well(), "one\ntwo\u{fffd}[2J\n");
    assert_eq!(
        asked.recv_timeout(PATIENCE).unwrap().line,
        "GET /api/v1/tasks/D-001/log/follow?run=r12.0 HTTP/1.1"
    );
    assert_eq!(stage.orch(["logs", "d-1", "--err"]).well(), "the end\n");
    assert_eq!(asked.recv_timeout(PATIENCE).unwrap().line, "GET /api/v1/tasks/D-001/log?stream=err HTTP/1.1");
    serve.join().unwrap();
}

/// Proves that pause, resume, freeze and priority reach their paths with what was said.
#[test]
fn gestures_reach_their_paths() {
    let cases: [(&[&str], &str, Value); 8] = [
        (&["pause", "--drain"], "/api/v1/installation/pause", json!({ "drain": true })),
        (&["resume"], "/api/v1/installation/unpause", json!({})),
        (&["resume", "d-1"], "/api/v1/tasks/D-001/start", json!({})),
        (&["freeze"], "/api/v1/projects/demo/freeze", json!({})),
        (&["unfreeze", "D"], "/api/v1/projects/demo/unfreeze", json!({})),
        (&["priority", "d-1", "high"], "/api/v1/tasks/D-001/priority", json!({ "priority": "high" })),
        (&["reject", "d-1", "--reason", "no"], "/api/v1/tasks/D-001/reject", json!({ "reason": "no" })),
        (&["reject", "d-1", "not so"], "/api/v1/tasks/D-001/reject", json!({ "reason": "not so" })),
    ];
    for (command, path, body) in cases {
        let stage = Stage::new();
        stage.write("home/orch.toml", "[projects.demo]\nprefix = \"D\"\nrepository = \"/d\"\n");
        let taken = json!({ "seq": 1, "duplicate": false, "effective": true, "reasons": ["so it is"] });
        let (asked, serve) = brain(&stage, vec![(200, taken)]);
        let more = if command[0] == "priority" { "its priority is now high\n" } else { "" };
        assert!(stage.orch(command).well().ends_with(&format!("  so it is\n{more}")), "{command:?}");
        let asked = asked.recv_timeout(PATIENCE).unwrap();
        assert_eq!(asked.line, format!("POST {path} HTTP/1.1"));
        assert_eq!(serde_json::from_str::<Value>(&asked.body).unwrap(), body);
        serve.join().unwrap();
    }
}

/// Proves that an issue goes to the only project there is, and that its description may come by a pipe.
#[test]
fn a_new_issue() {
    let stage = Stage::new();
    stage.write("home/orch.toml", "[projects.demo]\nprefix = \"D\"\nrepository = \"/d\"\n");
    let (asked, serve) = brain(&stage, vec![(201, json!({ "issue": "1", "task": "D-001" }))]);
    let said = stage.orch(["new", "A title", "-d", "more", "--backlog"]).well();
    assert_eq!(said, "D-001 written down   orch start D-001\n");
    let body: Value = serde_json::from_str(&asked.recv_timeout(PATIENCE).unwrap().body).unwrap();
    assert_eq!(body, json!({ "project": "demo", "title": "A title", "text": "more", "start": false }));
    serve.join().unwrap();
}

/// Proves that `orch edit` sends what is named, in any case, says what is different and what follows, and refuses an edit
/// of nothing or to nothing before anybody is asked.
#[test]
fn an_edit() {
    let stage = Stage::new();
    for (typed, said) in [
        (&["edit", "d-1"][..], "nothing is named"),
        (&["edit", "d-1", "--title", "  "], "the title is empty"),
        (&["edit", "d-1", "--label", "urgent"], "+autoApprove"),
    ] {
        let error = stage.orch(typed).failed(2);
        assert!(error.contains(said), "{error}");
    }
    assert!(stage.orch(["edit", "d-1", "--title", "x"]).failed(5).contains("not running"));
    let answer = json!({
        "task": "D-001", "seq": 7, "duplicate": false, "changed": ["title", "labels"],
        "reasons": ["The title or the text of the request changed."],
        "follows": "The approval was for the text as it was.",
    });
    let (asked, serve) = brain(&stage, vec![(200, answer.clone()), (200, answer.clone())]);
    let typed = ["edit", "d-1", "--title", "T", "-d", "", "--label", "-AUTOAPPROVE", "--label=+autoDeploy"];
    let said = stage.orch(typed).well();
    assert_eq!(said, "D-001  changed: title, labels\nThe approval was for the text as it was.\n");
    let sent = asked.recv_timeout(PATIENCE).unwrap();
    assert_eq!(sent.line, "PATCH /api/v1/tasks/D-001/issue HTTP/1.1");
    assert!(sent.headers.contains("idempotency-key: "), "{}", sent.headers);
    let body: Value = serde_json::from_str(&sent.body).unwrap();
    let labels =
        json!({ "title": "T", "text": "", "add_labels": ["autoDeploy"], "remove_labels": ["autoApprove"] });
    assert_eq!(body, labels);
    assert_eq!(stage.orch(["edit", "d-1", "-d", "x", "--json"]).json(), answer);
    serve.join().unwrap();
}

/// Proves that every reading command has JSON, and completions know the subcommands.
#[test]
fn what_scripts_read() {
    let stage = Stage::new();
    let settings = stage.orch(["settings", "--json"]).json();
    assert_eq!(settings["settings"]["listen"], "127.0.0.1:8500");
    assert_eq!(settings["home"], "$STAGE/home");
    assert_eq!(stage.orch(["hosts", "--json"]).json(), json!({ "hosts": [] }));
    for shell in ["bash", "zsh", "fish"] {
        assert!(stage.orch(["completions", shell]).well().contains("doctor"), "{shell}");
    }
    assert!(stage.orch(["replay", "--verify"]).failed(3).contains("find the store"));
}

/// Puts a task that nobody asked for yet, and one that waits for its turn, into a store; the installation is paused.
fn two_tasks(stage: &Stage) {
    std::fs::create_dir_all(stage.home()).unwrap();
    let journal = orch_store::SqliteJournal::open(&stage.home().join("orch.db")).unwrap();
    let (mut engine, _) = Engine::take_over(journal).unwrap();
    let project = ProjectId::from("demo");
    let policy = Policy { prefix: "D".to_owned(), ..Policy::default() };
    let blob = policy_blob(&policy);
    let change = PolicyChange { digest: blob.digest.clone(), commit: None, policy };
    let changed = Incoming::of(
        Target::Entity(Entity::Project(project.clone())),
        Event::PolicyChanged(Box::new(change)),
    );
    let issue = |number: u64, title: &str, status| {
        let reading = IssueReading {
            issue: IssueKey::from(number.to_string()),
            number,
            status: Some(status),
            title: Text::of(title),
            slug: "x".to_owned(),
            text: Text::of("more"),
            labels: Labels::default(),
            present: true,
            revision: None,
        };
        let seen = Event::Issue(Box::new(IssueSeen { project: project.clone(), reading }));
        let target = Target::Issue { prefix: "D".to_owned() };
        Incoming::of(target, seen).with(vec![Blob::of(title), Blob::of("more")])
    };
    let pause = Gesture {
        request: "1".to_owned(),
        by: "ann".to_owned(),
        via: Door::CommandLine,
        what: Press::Pause { drain: false },
    };
    let pause = Incoming::of(Target::Entity(Entity::Installation), Event::Gesture(pause));
    let disk = |enough| {
        let reading = DiskReading { enough, free: 1 << 40 };
        Incoming::of(Target::Entity(Entity::Installation), Event::Disk(reading))
    };
    let steps = [
        vec![changed.with(vec![blob])],
        vec![pause],
        vec![issue(1, "Wait", Status::Backlog), issue(2, "Begin", Status::Backlog)],
        vec![issue(2, "Begin", Status::ToAnalyse)],
        // Nothing that anybody reads of.
        vec![disk(false)],
        vec![disk(true)],
    ];
    for (at, incoming) in steps.into_iter().enumerate() {
        let stepped =
            engine.step(Moment(1_700_000_000_000 + i64::try_from(at).unwrap() * 1_000), incoming).unwrap();
        assert!(
            stepped.acks.iter().all(|ack| matches!(ack, orch_engine::Ack::Accepted { .. })),
            "{:?}",
            stepped.acks
        );
    }
    engine.into_journal().close().unwrap();
}

/// Proves that reading commands answer from the store while the brain is down, with the holds that the brain would name
/// (decisions 4, 44), and that they say that it is down.
#[test]
fn the_store_answers_while_the_brain_is_down() {
    let stage = Stage::new();
    two_tasks(&stage);
    let done = stage.orch(["list", "--json"]);
    assert!(done.err.contains("Orch is not running; this is how the store was left"), "{}", done.err);
    let list = done.json();
    let ids: Vec<&str> =
        list["tasks"].as_array().unwrap().iter().map(|task| task["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["D-002", "D-001"]);
    assert_eq!(list["tasks"][0]["title"], "Begin");
    let why = stage.orch(["why", "d-2"]).well();
    assert!(why.contains("ann"), "the pause is the hold: {why}");
    let show = stage.orch(["show", "d-1"]).well();
    assert!(show.starts_with("D-001  Wait\ncreated: ") && show.ends_with("\nmore\n"), "{show}");
    let events = stage.orch(["events", "d-2", "--json"]).json();
    assert_eq!(events["events"].as_array().unwrap().len(), 2);
    let all = stage.orch(["events", "-n", "2"]).well();
    assert_eq!(all.lines().count(), 2, "{all}");
    let told = stage.orch(["events"]).well();
    let every = stage.orch(["events", "--json", "-n", "500"]).json();
    let every = every["events"].as_array().unwrap();
    let noted = every.iter().filter(|event| event["raw_reasons"] == json!(["noted"])).count();
    assert_eq!((noted, told.lines().count()), (2, every.len() - 2), "{told}");
    for command in [&["events", "--after", "0"][..], &["events", "-n", "1"], &["events"]] {
        let told = stage.orch(command).well();
        assert!(!told.is_empty() && !told.contains("Noted"), "{told}");
    }
    for (command, what) in [("diff", "branch"), ("logs", "run")] {
        let said = stage.orch([command, "d-2"]);
        let said = said.failed(3);
        assert!(
            said.contains(&format!("D-002 has no {what} yet")) && said.contains("orch why D-002"),
            "{said}"
        );
        assert!(stage.orch([command, "d-9"]).failed(3).contains("there is no task D-009"));
    }
    assert!(stage.orch(["replay", "--verify"]).well().contains("rows folded, chain and hashes hold"));
    assert!(stage.orch(["stop", "d-2"]).failed(5).contains("nothing was done"));
}

/// Proves that a store is folded, copied and brought back by the program.
#[test]
fn a_store_goes_and_comes_back() {
    let stage = Stage::new();
    std::fs::create_dir_all(stage.home()).unwrap();
    orch_store::SqliteJournal::open(&stage.home().join("orch.db")).unwrap().close().unwrap();
    assert_eq!(
        stage.orch(["replay", "--verify"]).well(),
        "0 rows folded, chain and hashes hold; 0 decided again as before; \
         0 states, 0 open effects and 0 timers equal what is kept\n"
    );
    let said = stage.orch(["list"]).well();
    assert!(said.starts_with("no tasks"), "{said}");
    assert!(stage.orch(["show", "d-1"]).failed(3).contains("there is no task D-001"));
    assert!(stage.orch(["stop", "d-1"]).failed(5).contains("nothing was done"));
    assert_eq!(stage.orch(["events", "--json"]).json(), json!({ "events": [] }));
    let copy = stage.path("copy.db");
    stage.orch(["backup", copy.to_str().unwrap()]).well();
    assert!(
        stage.orch(["backup", copy.to_str().unwrap()]).failed(4).contains("there is a file of that name")
    );
    let done = stage.orch(["restore", copy.to_str().unwrap(), "--json"]).json();
    assert_eq!(done["seq"], 0);
    assert!(stage.orch(["restore", "nowhere.db"]).failed(3).contains("nowhere.db"));
}

/// Proves that `orch login` prints the link that the brain makes, as a line of its own, and as JSON for scripts.
#[test]
fn a_login_link() {
    for json in [false, true] {
        let stage = Stage::new().env("USER", "ada");
        let url = "http://127.0.0.1:8500/login?ticket=7f";
        let made = json!({ "url": url, "until": "2026-01-02T15:04:05Z", "by": "ada" });
        let (asked, serve) = brain(&stage, vec![(200, made.clone())]);
        if json {
            assert_eq!(stage.orch(["login", "--json"]).json(), made);
        } else {
            let said = stage.orch(["login"]).well();
            assert_eq!(said.lines().next(), Some(url));
            assert!(said.contains("as ada, once"), "{said}");
        }
        assert_eq!(asked.recv_timeout(PATIENCE).unwrap().line, "POST /api/v1/login-links HTTP/1.1");
        serve.join().unwrap();
    }
}
