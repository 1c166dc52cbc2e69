//! What becomes of bad input? Each gets an error that names place and remedy, and nothing is lost.

use std::collections::BTreeSet;
use std::os::unix::fs::FileExt as _;

use orch::error::Kind;
use orch_adapters::tracker::builtin::{SIGNATURE_HEADER, sign};
use orch_core::event::RunHow;
use orch_core::hold::HoldKind;
use orch_core::id::{Digest, TaskId};
use orch_core::journal::{Batch, Journal as _};
use orch_core::policy::Policy;
use orch_core::said::{Cause, Said};
use orch_core::stage::{Role, Stage};
use orch_core::task::{Job, Rest, Step, Task, Why};
use serde_json::{Value, json};

use crate::stage::Stage as Typed;
use crate::yard::{GREEN, PROJECT, Yard};

fn is_done(task: &Task) -> Option<()> {
    (task.stage == Stage::Done).then_some(())
}

fn why(task: &Task) -> &Why {
    &task.escalated.as_ref().unwrap_or_else(|| panic!("not escalated: {:?}", task.step)).why
}

/// Proves that no malformed setting lets Orch begin, that the answer names the line and a remedy, and that nothing was made.
#[test]
fn malformed_settings_begin_nothing() {
    let cases: [(&str, &str, &str); 12] = [
        ("listen = 8500\n", "orch.toml:1:", "listen"),
        ("listen = \"127.0.0.1\"\n", "orch.toml:1:", "listen"),
        ("lisen = \"127.0.0.1:1\"\n", "orch.toml:1:", "did you mean `listen`"),
        ("\n\n[limits]\nagents = 0\n", "orch.toml:4:", "at least 1"),
        ("[limits]\nagents = -1\n", "orch.toml:2:", "agents"),
        ("timezone = \"Mars/Base\"\n", "orch.toml:1:", "IANA"),
        ("preset = \"full\"\n", "orch.toml:1:", ".orch/policy.toml"),
        ("agent = \"nobody\"\n", "orch.toml:1:", "[agents.nobody]"),
        ("[machine]\nread = [\"cargo\"]\n", "orch.toml:2:", "absolute"),
        ("[machine.env]\nAPI_TOKEN = \"x\"\n", "orch.toml:2:", "looks like a secret"),
        ("[projects.a]\nprefix = \"A\"\n", "orch.toml:1:", "repository"),
        ("this is [not\n", "orch.toml:1:", "TOML"),
    ];
    for (text, place, remedy) in cases {
        let stage = Typed::new();
        stage.write("home/orch.toml", text);
        let said = stage.orch(["up"]).failed(7);
        assert!(said.contains(place) && said.contains(remedy), "{text:?}:\n{said}");
        let made: Vec<_> = std::fs::read_dir(stage.home()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(made, ["orch.toml"], "{text:?}");
    }
    let stage = Typed::new();
    std::fs::create_dir_all(stage.home()).unwrap();
    std::fs::write(stage.home().join("orch.toml"), b"agent = \"\xff\"\n").unwrap();
    let said = stage.orch(["up"]).failed(7);
    assert!(said.contains("orch.toml") && said.contains("UTF-8"), "{said}");
}

/// Proves that a bad policy on main keeps the last good one in force, is shown as a hold with place and remedy on every
/// task that waits, and that its repair lifts the hold.
#[test]
fn a_bad_policy_keeps_the_last_good_one() {
    let mut yard = Yard::with(&[], GREEN);
    yard.up();
    let id = yard.ask("A change");
    yard.until(&id, "the approval", |task| (task.step == Step::Rest(Rest::Approval)).then_some(()));
    let cases: [(&[u8], &str, &str); 8] = [
        (b"preset = \"fest\"\n", "policy.toml:1:", "`fast`"),
        (b"test = [\"true\"\n", "policy.toml:", "TOML"),
        (b"tset = [\"true\"]\n", "policy.toml:1:", "did you mean `test`"),
        (b"run_as = \"root\"\n", "policy.toml:1:", "belongs to the installation"),
        (b"[limits]\ntask_dollars = 1000\n", "policy.toml:2:", "ceilings.task_dollars"),
        (b"cache = [\"../../home\"]\n", "policy.toml:1:", "without `..`"),
        (b"preset = \"\xff\"\n", "policy.toml", "UTF-8"),
        (b"preset = 3\n", "policy.toml:1:", "preset"),
    ];
    for (text, place, remedy) in cases {
        yard.policy(text);
        yard.sweep();
        let said = yard.refused().unwrap_or_default();
        assert!(said.contains(place) && said.contains(remedy), "{}:\n{said}", String::from_utf8_lossy(text));
        let held = yard.holds(&id);
        let shown =
            held.iter().any(|hold| matches!(hold, HoldKind::PolicyRefused { cause } if *cause == said));
        assert!(shown, "{held:?}");
        let rows = yard.rows().len();
        yard.sweep();
        assert_eq!(yard.rows().len(), rows, "the same refusal is no news");
    }
    let theirs = yard.outside().asker.ask(|_, policies| policies.values().cloned().collect::<Vec<Policy>>());
    let in_force = yard.wait(theirs).unwrap();
    assert_eq!(in_force.len(), 1);
    assert_eq!(in_force[0].test, ["true"], "the last good one holds");
    yard.policy(GREEN);
    yard.sweep();
    assert_eq!(yard.refused(), None);
    assert!(is_done(&yard.travel(&id)).is_some());
}

/// A task whose role ends without its artefact, whatever it does instead: two more tries, then a person; no round is
/// charged (decision 15).
fn fruitless(parts: &[(&str, &str)], role: Role) -> (Yard, Task) {
    let mut yard = Yard::with(&[("src/lib.txt", "here\n")], GREEN);
    yard.play(parts);
    yard.up();
    let id = yard.ask("A change");
    let task = yard.travel(&id);
    match why(&task) {
        Why::Fruitless { role: whose, .. } => assert_eq!(*whose, role),
        other => panic!("{other:?}"),
    }
    assert_eq!(task.attempts.negative, 0, "an attempt is no round");
    let runs = task.runs.iter().filter(|row| row.job == Job::Agent(role)).count();
    assert_eq!(runs, 3);
    assert!(task.merged.is_none());
    (yard, task)
}

/// Proves that an agent that writes nothing, garbage, or bytes that are no text is tried twice more and then shown to a
/// person, with what was missing, and that no round is charged.
#[test]
fn nothing_and_garbage_are_attempts() {
    let (_yard, task) = fruitless(&[("developer", "")], Role::Developer);
    assert!(matches!(why(&task), Why::Fruitless { cause, .. } if *cause == Said::ChangeEmpty.into()));
    let garbage = "[[part.step]]\ndo = \"garbage\"\nbytes = 100000\n[[part.step]]\ndo = \"exit\"\ncode = 9\n";
    let (yard, task) = fruitless(&[("analyst", garbage)], Role::Analyst);
    let end = task.runs.last().and_then(|row| row.end.clone());
    assert_eq!(end, Some(RunHow::Exited { code: 9 }));
    let said = yard.post(&format!("/api/v1/tasks/{}/retry", task.id), &json!({})).unwrap();
    assert_eq!(said["effective"], true, "{said}");
}

/// Proves that a verdict file that is malformed, empty, contradictory or not UTF-8 never counts: the run is repeated, and
/// the cause says what is wrong with the file.
#[test]
fn malformed_verdicts_never_count() {
    let write = |text: &str| {
        format!(
            "[[part.step]]\ndo = \"write\"\npath = \"docs/work-items/{{item}}/12-review.md\"\ntext = {}\n",
            json!(text)
        )
    };
    let texts = ["", "all is well\n", "---\nverdict: APPROVED\n", "---\nverdict: [APPROVED\n---\n"];
    let no_text =
        "[[part.step]]\ndo = \"garbage\"\nbytes = 300\npath = \"docs/work-items/{item}/12-review.md\"\n";
    for steps in texts.into_iter().map(write).chain([no_text.to_owned()]) {
        let (_yard, task) = fruitless(&[("reviewer", &steps)], Role::Reviewer);
        match why(&task) {
            Why::Fruitless {
                cause: Cause::Said { said: Said::NoVerdict { file, cause: Some(_) } }, ..
            } => {
                assert_eq!(file, "12-review.md", "{steps}");
            }
            // An empty file is no file (decision 36).
            Why::Fruitless { cause: Cause::Said { said: Said::FilesMissing { files } }, .. } => {
                assert_eq!(*files, ["12-review.md"], "{steps}");
            }
            other => panic!("{other:?}"),
        }
    }
}

/// Proves that what a reviewer writes outside its scope is undone and named, that its verdict does not count, and that this
/// costs attempts and no round (decision 8).
#[test]
fn files_outside_the_scope_are_findings() {
    let outside = format!(
        "[[part.step]]\ndo = \"write\"\npath = \"src/lib.txt\"\ntext = \"mine\"\n\
         [[part.step]]\ndo = \"write\"\npath = \".orch/policy.toml\"\ntext = \"test = []\"\n{}",
        crate::yard::REVIEWER
    );
    let (yard, task) = fruitless(&[("reviewer", &outside)], Role::Reviewer);
    match why(&task) {
        Why::Fruitless { cause: Cause::Said { said: Said::OutsideScope { paths } }, .. } => {
            let named = |path: &str| paths.iter().any(|said| said.to_string().contains(path));
            assert!(named("src/lib.txt") && named(".orch/policy.toml"), "{paths:?}");
        }
        other => panic!("{other:?}"),
    }
    let branch = task.branch.clone().unwrap();
    let hub = yard.home().hubs().join(PROJECT).join("hub.git");
    let read = |path: &str| yard.git_in(&hub, ["show", &format!("{}:{path}", branch.head)]);
    assert_eq!(read("src/lib.txt"), "here");
    assert_eq!(read(".orch/policy.toml"), GREEN.trim());
}

/// Proves that 1 GB of output neither fills the disk nor the journal, that the change goes on, and that what is left out is
/// a finding of the run: in its row, in its words, and with its log.
#[test]
fn a_flood_of_output_is_bounded() {
    let mut yard = Yard::with(&[], GREEN);
    let flood = "[[part.step]]\ndo = \"flood\"\nbytes = 1000000000\n\
                 [[part.step]]\ndo = \"write\"\npath = \"src/a.txt\"\ntext = \"a\"\n";
    yard.play(&[("developer", flood)]);
    yard.up();
    let id = yard.ask("A change");
    let task = yard.travel(&id);
    assert_eq!(task.stage, Stage::Done, "{:?}", task.step);
    let run = task.runs.iter().find(|row| row.job == Job::Agent(Role::Developer)).unwrap();
    let log = yard.home().runs().join(run.run.to_string()).join("stdout.log");
    let kept = std::fs::metadata(&log).unwrap().len();
    assert!((1 << 20..=64 << 20).contains(&kept), "{kept}");
    let left_out = run.left_out;
    assert!((900_000_000..1_000_000_000).contains(&left_out), "{left_out}");
    let (shown, _) = yard.typed(&["show", &id.to_string(), "--json"]);
    let shown: Value = serde_json::from_str(&shown).unwrap();
    let rows = shown["runs"].as_array().unwrap();
    let row = rows.iter().find(|row| row["id"] == run.run.to_string()).unwrap();
    assert_eq!(row["left_out"], left_out, "{row}");
    let words = format!("finished; {left_out} bytes of its output left out");
    assert_eq!(row["end"], words.as_str(), "{row}");
    let (_, noted) = yard.typed(&["logs", &id.to_string(), "--run", &run.run.to_string()]);
    assert!(noted.contains(&format!("{left_out} bytes of the output were too many")), "{noted}");
    let store = std::fs::metadata(yard.home().store()).unwrap().len();
    assert!(store < 16 << 20, "{store}");
}

/// Proves that a delivery is refused with its place and remedy when it is malformed (400), not signed (401) or too large
/// (413), and that nothing is written of it.
#[test]
fn malformed_deliveries_are_refused() {
    let mut yard = Yard::with(&[], GREEN);
    yard.up();
    let secret = std::fs::read_to_string(yard.home().folder().join("hooks").join(PROJECT)).unwrap();
    let path = format!("POST /webhook/orch/{PROJECT}");
    yard.sweep();
    let rows = yard.rows().len();
    let deliver = |body: &[u8], signature: &str| yard.http(&path, &[(SIGNATURE_HEADER, signature)], body);
    let signed = |body: &[u8]| deliver(body, &sign(secret.trim().as_bytes(), body));
    let good = json!({ "delivery": "d-1", "project": PROJECT, "issue": { "key": "k-1", "number": 7, "title": "T",
        "text": "", "status": null, "labels": [] } });
    let but = |change: &dyn Fn(&mut Value)| {
        let mut body = good.clone();
        change(&mut body);
        body.to_string()
    };
    let malformed: [(String, &str); 7] = [
        (String::new(), "the body"),
        ("{".to_owned(), "the body"),
        ("[]".to_owned(), "the body"),
        (but(&|body| body["issue"]["number"] = json!("seven")), "issue.number"),
        (but(&|body| body["issue"]["labels"] = json!(3)), "issue.labels"),
        (but(&|body| body["delivery"] = json!("")), "delivery"),
        (but(&|body| body["issue"]["title"] = json!("x".repeat(100_000))), "issue.title"),
    ];
    for (body, place) in &malformed {
        let (status, said) = signed(body.as_bytes());
        assert_eq!(status, 400, "{body:.80}: {said}");
        assert!(said.contains(place) && said.contains("hint"), "{body:.80}: {said}");
    }
    let body = good.to_string();
    for signature in ["", "sha256=00", "sha1=abc", &sign(b"another", body.as_bytes())] {
        let (status, said) = deliver(body.as_bytes(), signature);
        assert_eq!(status, 401, "{signature}: {said}");
        assert!(said.contains("HMAC-SHA-256"), "{said}");
    }
    let large = vec![b' '; 1 << 20 | 1];
    assert_eq!(signed(&large).0, 413);
    let (status, _) = yard.http("POST /webhook/orch/nobody", &[(SIGNATURE_HEADER, "x")], b"{}");
    assert_eq!(status, 404);
    let other = but(&|body| body["project"] = json!("another"));
    let (status, said) = signed(other.as_bytes());
    assert_eq!(status, 400, "a delivery about another project: {said}");
    assert_eq!(yard.rows().len(), rows, "nothing of it is in the journal");
    assert_eq!(signed(body.as_bytes()).0, 202);
    assert_eq!(signed(body.as_bytes()).0, 200, "the same delivery again");
}

/// Proves that a malformed call of the API is refused with a status, a message and a hint, and changes nothing.
#[test]
fn malformed_calls_are_refused() {
    let mut yard = Yard::with(&[], GREEN);
    yard.up();
    let bearer = format!("Bearer {}", yard.token());
    yard.sweep();
    let rows = yard.rows().len();
    let json_type = ("content-type", "application/json");
    let calls: [(&str, &str, u16); 12] = [
        ("POST /api/v1/issues", "", 400),
        ("POST /api/v1/issues", "{", 400),
        ("POST /api/v1/issues", "{\"project\": \"yard\"}", 400),
        ("POST /api/v1/issues", "{\"project\": \"yard\", \"title\": \"\"}", 400),
        ("POST /api/v1/issues", "{\"project\": \"nobody\", \"title\": \"T\"}", 404),
        ("POST /api/v1/tasks/YARD-999/approve", "", 404),
        ("POST /api/v1/tasks/%2e%2e%2fetc/approve", "", 400),
        ("POST /api/v1/tasks/YARD-001/priority", "{\"priority\": \"very\"}", 400),
        ("GET /api/v1/tasks?most=many", "", 400),
        ("DELETE /api/v1/tasks", "", 405),
        ("GET /api/v1/nothing", "", 404),
        ("GET /api/v1/tasks/YARD-001/log?run=../../token", "", 400),
    ];
    for (call, body, wanted) in calls {
        let (status, said) = yard.http(call, &[("authorization", &bearer), json_type], body.as_bytes());
        assert_eq!(status, wanted, "{call} {body}: {said}");
        let problem: Value = serde_json::from_str(&said).unwrap_or_else(|e| panic!("{call}: {e}: {said}"));
        let told = |key: &str| problem["error"][key].as_str().is_some_and(|text| !text.is_empty());
        assert!(told("message") && told("hint"), "{call}: {said}");
    }
    let large = format!("{{\"project\": \"yard\", \"title\": \"T\", \"text\": \"{}\"}}", "x".repeat(2 << 20));
    let (status, _) =
        yard.http("POST /api/v1/issues", &[("authorization", &bearer), json_type], large.as_bytes());
    assert_eq!(status, 413);
    let body = b"{\"project\": \"yard\", \"title\": \"T\"}";
    for credential in ["", "Bearer ", "Bearer 0000", "Basic x"] {
        let (status, _) = yard.http("POST /api/v1/issues", &[("authorization", credential), json_type], body);
        assert_eq!(status, 401, "{credential:?}");
    }
    assert_eq!(yard.rows().len(), rows);
}

/// Flips one byte of a row's text in the store's file; the store is closed.
fn flip(yard: &Yard, needle: &[u8]) {
    let path = yard.home().store();
    let bytes = std::fs::read(&path).unwrap();
    let at = bytes.windows(needle.len()).position(|part| part == needle).expect("the text is in the file");
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.write_all_at(&[bytes[at] ^ 1], at as u64).unwrap();
}

/// Proves that a flipped byte in one of the last rows is found at the start, which names the row and the remedy, changes
/// nothing, and that a backup brings everything back.
#[test]
fn a_damaged_row_at_the_end_is_refused_at_the_start() {
    let mut yard = Yard::with(&[], GREEN);
    yard.up();
    let id = yard.ask("A change");
    yard.travel(&id);
    let last = yard.rows().pop().unwrap();
    yard.stop();
    let whole = std::fs::read(yard.home().store()).unwrap();
    flip(&yard, &last.canonical()[20..60]);
    let damaged = std::fs::read(yard.home().store()).unwrap();
    let refused = yard.start().unwrap_err();
    assert_eq!(refused.kind, Kind::Damaged);
    let said = refused.to_string();
    assert!(said.contains(&format!("row {}", last.seq)) && said.contains("orch restore"), "{said}");
    // Not `assert_eq!`: it would print the whole file.
    assert!(std::fs::read(yard.home().store()).unwrap() == damaged, "nothing was thrown away");
    std::fs::write(yard.home().store(), whole).unwrap();
    yard.up();
    assert_eq!(yard.task(&id).stage, Stage::Done);
}

/// Proves that a restored store begins afresh with the numbers of lost rows: runs of the same names find nothing of the
/// runs before, what those left is kept aside, and work goes on to its end.
#[test]
fn after_a_restore_old_runs_do_not_count() {
    let mut yard = Yard::with(&[], GREEN);
    yard.up();
    let id = yard.ask("A change");
    yard.travel(&id);
    yard.settle();
    yard.stop();
    let backup = yard.folder().join("backup.db");
    let named = backup.to_str().unwrap().to_owned();
    orch_store::backup::online(&yard.home().store(), &backup).unwrap();
    yard.up();
    let lost = yard.ask("A change that is lost");
    // Not to its end: main keeps what was merged, and the change would be empty the next time.
    yard.until(&lost, "the approval", |task| (task.step == Step::Rest(Rest::Approval)).then_some(()));
    yard.settle();
    yard.stop();
    let (said, wrong) = yard.typed(&["restore", &named]);
    assert!(said.contains("restored to"), "{said}{wrong}");
    let left = |folder: &std::path::Path| std::fs::read_dir(folder).map_or(0, Iterator::count);
    assert_eq!(left(&yard.home().runs()), 0);
    let aside = yard.home().folder().join("runs.replaced-1");
    assert!(left(&aside) > 0);
    let names = |folder: &std::path::Path| -> BTreeSet<_> {
        std::fs::read_dir(folder).unwrap().map(|run| run.unwrap().file_name()).collect()
    };
    let hubs: Vec<_> = std::fs::read_dir(yard.home().hubs())
        .unwrap()
        .map(|hub| hub.unwrap().path().join("hub.git"))
        .collect();
    for hub in &hubs {
        assert_eq!(yard.git_in(hub, ["for-each-ref", "refs/orch/runs", "refs/orch/left"]), "");
    }
    yard.up();
    let again = yard.ask("Another change");
    assert_eq!(again, lost, "the same names are given again");
    yard.travel(&again);
    assert_eq!(yard.task(&again).stage, Stage::Done);
    assert!(!names(&aside).is_disjoint(&names(&yard.home().runs())), "runs of lost names were run anew");
}

/// Proves that a damaged row which no start looks at is found by the full check after a stop that was not in order: nothing
/// is written any more, and command line and dashboard say why, with the remedy.
#[test]
fn an_older_damaged_row_freezes_the_store() {
    let mut yard = Yard::with(&[], GREEN);
    yard.up();
    for title in ["A change", "Another change"] {
        let id = yard.ask(title);
        yard.travel(&id);
    }
    let held = yard.ask("A third");
    yard.until(&held, "the approval", |task| (task.step == Step::Rest(Rest::Approval)).then_some(()));
    yard.settle();
    let row = yard.rows().into_iter().nth(10).unwrap();
    yard.stop();
    flip(&yard, &row.canonical()[20..60]);
    // Written to and not closed in order.
    let mut journal = orch_store::SqliteJournal::open(&yard.home().store()).unwrap();
    journal.commit(&Batch::default()).unwrap();
    drop(journal);
    yard.up();
    yard.until_damaged();
    match yard.holds(&held).as_slice() {
        [HoldKind::StoreDamaged { cause }, ..] => {
            assert!(cause.contains(&format!("row {}", row.seq)), "{cause}")
        }
        other => panic!("{other:?}"),
    }
    let said = yard.typed(&["why", "yard-3"]).0;
    assert!(said.contains("store damaged") && said.contains("orch restore"), "{said}");
    let (_, board) = yard.http("GET /", &[], b"");
    assert!(board.contains("store is damaged") && board.contains("orch restore"), "{board}");
    assert!(
        !board.contains("value=\"unpause\"") && !board.contains("value=\"pause\""),
        "no button would do anything"
    );
    let refused = loop {
        // It is committed a moment before nothing is taken any more.
        match yard.post(&format!("/api/v1/tasks/{held}/approve"), &json!({})) {
            Ok(said) => assert_ne!(said["seq"], Value::Null),
            Err(refused) => break refused,
        }
    };
    assert!(refused.to_string().contains("the store is damaged"), "{refused}");
    // What people write lies in the same store.
    for (path, body) in [
        (format!("/api/v1/tasks/{held}/comments"), json!({ "text": "Lost by a restore" })),
        ("/api/v1/issues".to_owned(), json!({ "project": PROJECT, "title": "Lost by a restore" })),
    ] {
        let refused = yard.post(&path, &body).unwrap_err();
        assert!(refused.to_string().contains("the store is damaged"), "{path}: {refused}");
    }
}

/// Proves that a text which is found damaged when it is read is not only tried again: the store is checked at once, though it
/// was closed in order, and nothing is written any more.
#[test]
fn a_damaged_text_freezes_the_store() {
    const TITLE: &str = "A title like no other";
    let mut yard = Yard::with(&[], GREEN);
    yard.up();
    let id = yard.ask(TITLE);
    yard.until(&id, "the approval", |task| (task.step == Step::Rest(Rest::Approval)).then_some(()));
    yard.settle();
    yard.stop();
    // In the tracker's table too, which has no digest.
    for _ in ["tracker", "texts"] {
        flip(&yard, TITLE.as_bytes());
    }
    yard.up();
    let failure = yard.outside().blob(&Digest::of(TITLE.as_bytes())).unwrap_err();
    assert!(failure.cause.to_string().contains("is damaged"), "{}", failure.cause);
    yard.until_damaged();
    let holds = yard.holds(&id);
    assert!(matches!(holds.as_slice(), [HoldKind::StoreDamaged { .. }, ..]), "{holds:?}");
}

/// Proves that a project whose main branch changes its name in the settings is refused, with what it began with.
#[test]
fn another_main_branch_is_refused() {
    let mut yard = Yard::with(&[], GREEN);
    yard.up().stop();
    yard.git(["branch", "trunk"]);
    yard.project = "branch = \"trunk\"\n".to_owned();
    let refused = yard.start().unwrap_err();
    assert_eq!(refused.kind, Kind::Refused);
    assert!(refused.cause.contains("it began with the main branch `main`"), "{refused}");
    yard.project = "branch = \"main\"\n".to_owned();
    yard.up();
}

/// Proves that an edit of `orch.toml` while Orch runs is taken up, and that what the environment overrides stays overridden.
#[test]
fn an_edit_leaves_the_environment_on_top() {
    let mut yard = Yard::with(&[], GREEN);
    yard.wishes.variables.insert("ORCH_MAX_CONCURRENCY".to_owned(), "7".to_owned());
    yard.up();
    let edited = "[limits]\nagents = 2\ngates = 5\n[projects.yard]\nprefix = \"YARD\"\nrepository = \"/r\"\n";
    yard.write("home/orch.toml", edited);
    yard.sweep();
    let limits = yard.outside().settings().limits;
    assert_eq!((limits.agents, limits.gates), (7, 5));
    yard.write("home/orch.toml", "[limits]\ngates = 0\n");
    yard.sweep();
    assert_eq!(yard.outside().settings().limits.gates, 5, "the last good one stays");
}

/// Proves that an edit of `orch.toml` between the read with which Orch starts and the end of its start is taken up.
#[test]
fn an_edit_while_it_starts_is_taken_up() {
    let mut yard = Yard::with(&[], GREEN);
    yard.write("home/orch.toml", yard.settings_text());
    let read = orch::settings::Settings::load(&yard.home().settings(), &[]).unwrap();
    yard.top = "[limits]\nagents = 9\n".to_owned();
    yard.write("home/orch.toml", yard.settings_text());
    // Nobody is writing it any more.
    let file = std::fs::File::options().write(true).open(yard.home().settings()).unwrap();
    file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    yard.start_with(read).unwrap();
    yard.sweep();
    assert_eq!(yard.outside().settings().limits.agents, 9);
}

fn refused_with(yard: &mut Yard, words: &str) {
    let refused = yard.start().unwrap_err();
    let said = refused.to_string();
    assert!(said.contains(words), "{said}");
    assert!(said.contains(&yard.repository().display().to_string()), "the place is named: {said}");
}

fn delivers(yard: &mut Yard) -> (TaskId, Task) {
    yard.up();
    let id = yard.ask("A change");
    let task = yard.travel(&id);
    assert_eq!(task.stage, Stage::Done, "{:?} {:?}", task.step, task.escalated);
    assert_eq!(yard.git(["rev-parse", "main"]), task.merged.clone().unwrap().commit.as_str());
    (id, task)
}

/// Proves that a repository without commits, with a detached head, of cut-off history, or that is none is refused with the
/// reason and what to do, and that it works once that is done.
#[test]
fn repositories_that_cannot_work_are_refused() {
    let mut yard = Yard::new();
    yard.repository();
    refused_with(&mut yard, "cannot be read");
    yard.git(["init", "--quiet", "--initial-branch=main"]);
    refused_with(&mut yard, "no commits yet");
    yard.write("repository/.orch/policy.toml", GREEN);
    yard.commit("first");
    yard.commit("second");
    yard.git(["checkout", "--quiet", "--detach"]);
    refused_with(&mut yard, "is detached");
    yard.project = "branch = \"trunk\"\n".to_owned();
    refused_with(&mut yard, "has no branch `trunk`");
    yard.project = String::new();
    yard.git(["checkout", "--quiet", "main"]);
    let source = format!("file://{}", yard.repository().display());
    let shallow = yard.folder().join("shallow");
    yard.git_in(yard.folder(), ["clone", "--quiet", "--depth=1", &source, shallow.to_str().unwrap()]);
    let kept = yard.folder().join("kept");
    std::fs::rename(yard.repository(), &kept).unwrap();
    std::fs::remove_dir(yard.repository()).ok();
    std::fs::rename(&shallow, yard.folder().join("repository")).unwrap();
    refused_with(&mut yard, "--unshallow");
    std::fs::remove_dir_all(yard.repository()).unwrap();
    std::fs::rename(&kept, yard.folder().join("repository")).unwrap();
    delivers(&mut yard);
}

/// Proves that a detached head is fine where the settings name the branch.
#[test]
fn a_detached_head_works_with_a_named_branch() {
    let mut yard = Yard::with(&[], GREEN);
    yard.git(["checkout", "--quiet", "--detach"]);
    yard.project = "branch = \"main\"\n".to_owned();
    delivers(&mut yard);
}

/// Proves that submodules and pointers of LFS stay what they are from the first tree to the merge.
#[test]
fn submodules_and_pointers_stay_what_they_are() {
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n";
    let files =
        [("data/model.bin", pointer), (".gitattributes", "data/*.bin filter=lfs diff=lfs merge=lfs -text\n")];
    let mut yard = Yard::with(&files, GREEN);
    let other = yard.folder().join("other");
    std::fs::create_dir(&other).unwrap();
    yard.git_in(&other, ["init", "--quiet", "--initial-branch=main"]);
    yard.git_in(&other, ["commit", "--quiet", "--allow-empty", "--message=one"]);
    yard.git(["submodule", "--quiet", "add", other.to_str().unwrap(), "vendor/other"]);
    yard.commit("a submodule");
    let links = yard.git(["ls-tree", "main", "vendor/other"]);
    assert!(links.starts_with("160000"), "{links}");
    delivers(&mut yard);
    assert_eq!(yard.git(["ls-tree", "main", "vendor/other"]), links);
    assert_eq!(yard.git(["show", "main:data/model.bin"]), pointer.trim());
}

/// Proves that a repository of 50,000 files works: its trees, the commit of a run, and the change that is read from it.
#[test]
fn fifty_thousand_files_work() {
    let mut yard = Yard::with(&[], GREEN);
    let mut stream = "commit refs/heads/many\ncommitter A Person <person@example.org> 1700000000 +0000\n\
                      data 4\nmany\nfrom refs/heads/main\n"
        .to_owned();
    for n in 0..50_000 {
        stream.push_str(&format!("M 644 inline part{}/file{n}.txt\ndata <<.\n{n}\n.\n", n / 500));
    }
    let input = yard.write("stream", stream);
    let import = std::process::Command::new("git")
        .args(["fast-import", "--quiet"])
        .current_dir(yard.repository())
        .stdin(std::fs::File::open(input).unwrap())
        .status();
    assert!(import.unwrap().success());
    yard.git(["merge", "--quiet", "--ff-only", "many"]);
    yard.up();
    let id = yard.ask("A change");
    let branch = yard.until(&id, "the approval", |task| match &task.step {
        Step::Rest(Rest::Approval) => task.branch.clone(),
        Step::Rest(_)
        | Step::Queued(_)
        | Step::Asked { .. }
        | Step::Running { .. }
        | Step::Backoff { .. } => None,
    });
    let hub = yard.home().hubs().join(PROJECT).join("hub.git");
    let count = |commit: &str| yard.git_in(&hub, ["ls-tree", "-r", "--name-only", commit]).lines().count();
    assert_eq!(count(&branch.head.0), count("main") + 5);
    assert!(count("main") > 50_000);
}

/// Proves that a branch of the task's name in the person's repository is left alone: the task takes another.
#[test]
fn a_taken_branch_is_left_alone() {
    for publish in [false, true] {
        let mut yard = Yard::with(&[], GREEN);
        yard.project = format!("publish_branches = {publish}\n");
        yard.git(["branch", "feature/YARD-001-a-change"]);
        let before = yard.git(["rev-parse", "feature/YARD-001-a-change"]);
        let (_, task) = delivers(&mut yard);
        assert_ne!(task.branch.unwrap().name, "feature/YARD-001-a-change");
        assert_eq!(yard.git(["rev-parse", "feature/YARD-001-a-change"]), before);
    }
}

/// row 176: One failing issue or project does not stop the tick.
/// Proves the half of the projects.
#[test]
fn a_project_that_is_gone_stops_no_other() {
    let mut yard = Yard::with(&[], GREEN);
    // Its name comes first: the sweep meets it before the one that works.
    let broken = yard.folder().join("broken");
    yard.git(["clone", "--quiet", ".", broken.to_str().unwrap()]);
    yard.project.push_str(&format!(
        "\n[projects.a-broken]\nprefix = \"BROKEN\"\nrepository = \"{}\"\n",
        broken.display()
    ));
    yard.up();
    std::fs::rename(&broken, yard.folder().join("gone")).unwrap();
    let project = orch_core::id::ProjectId::from(crate::yard::PROJECT);
    let tracker = &yard.outside().tracker;
    let labels = orch_core::call::tracker::Labels::default();
    let status = orch_core::call::tracker::Status::ToAnalyse;
    let issue = tracker.create_issue(&project, "A change", "", status, labels).unwrap();
    yard.sweep();
    let known = yard.outside().read(|reader| reader.task_of_issue(&project, &issue.key)).unwrap();
    assert!(known.is_some(), "the sweep went on to the project that works");
}

/// Proves that an agent's key which everybody on the machine may read is refused before anything begins, by its file and with the
/// remedy, and that one for its group is not: that is how a service is given one (decision 56).
#[test]
fn a_key_that_everybody_can_read_is_refused() {
    let mut yard = Yard::with(&[], GREEN);
    let key = yard.write("key", "k");
    let env_files = format!("[agents.worker.env_files]\nKEY = {}\n", json!(key));
    yard.agent = format!("kind = \"command\"\nprogram = \"/bin/true\"\n{env_files}");
    for (mode, refused) in [(0o644, true), (0o602, true), (0o640, false), (0o600, false)] {
        std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
        match (yard.start(), refused) {
            (Err(error), true) => {
                let shown = key.display().to_string();
                assert_eq!((error.kind, error.place.as_deref()), (Kind::Settings, Some(shown.as_str())));
                assert!(error.remedy.is_some_and(|remedy| remedy.contains(&format!("chmod 600 {shown}"))));
            }
            (Ok(()), false) => yard.stop(),
            (started, _) => panic!("{mode:o}: {started:?}"),
        }
    }
}
