//! What do people do while Orch serves? They merge by hand, edit orch.toml, and lift a budget for one run.

use orch_core::call::tracker::Status;
use orch_core::event::Event;
use orch_core::hold::HoldKind;
use orch_core::id::{Entity, ProjectId};
use orch_core::stage::Stage;
use orch_core::task::{Rest, Step, Task};
use serde_json::{Value, json};

use crate::yard::{GREEN, PROJECT, Yard};

/// Proves decision 45 in a person's own repository: a merge by hand past the gates is seen with the next sweep, is not
/// done, counts only for the commit that a person accepts, and is then proven like any other.
#[test]
fn a_merge_by_hand_waits_until_it_is_accepted() {
    let mut yard = Yard::with(&[], &format!("{GREEN}confirm_merge = true\n"));
    yard.up();
    let id = yard.ask("A change");
    let task = yard.travel(&id);
    assert_eq!(task.step, Step::Rest(Rest::Confirmation), "{:?}", task.escalated);
    let branch = task.branch.unwrap();
    let hub = yard.home().hubs().join(PROJECT).join("hub.git");
    yard.git(["fetch", "--quiet", hub.to_str().unwrap(), &branch.name]);
    yard.git(["merge", "--quiet", "--no-ff", "--message", "by hand", "FETCH_HEAD"]);
    let main = yard.git(["rev-parse", "HEAD"]);
    yard.sweep();
    let holds = yard.holds(&id);
    assert!(
        matches!(holds.first(), Some(HoldKind::MergedOutside { commit }) if commit.as_str() == main),
        "{holds:?}"
    );
    yard.sweep();
    let told = yard.rows().iter().filter(|row| matches!(row.event, Event::Branch(_))).count();
    assert_eq!(told, 1, "told once");
    // Neither the word to merge nor the acceptance of another commit is this.
    let post = |what: &str, body: &Value| yard.post(&format!("/api/v1/tasks/{id}/{what}"), body).unwrap();
    assert_eq!(post("confirm", &json!({}))["effective"], false);
    let other = orch_core::outside::named(&branch.head);
    assert_eq!(post("accept", &json!({ "what": other.0 }))["effective"], false);
    let named = orch_core::outside::named(&main.as_str().into());
    assert_eq!(post("accept", &json!({ "what": named.0 }))["effective"], true);
    yard.until(&id, "done", |task| (task.stage == Stage::Done).then_some(()));
    let merged = yard.task(&id).merged.unwrap();
    assert_eq!((merged.commit.as_str(), merged.proven), (main.as_str(), true));
    assert_eq!(yard.git(["rev-parse", "HEAD"]), main, "Orch merged nothing besides");
}

/// Proves that a branch which somebody deleted and brought back is known to be back also where Orch was started again in between
/// and its task is at work: later nobody is told that it is gone.
#[test]
fn a_branch_that_came_back_over_a_restart_is_there() {
    let mut yard = Yard::with(&[], GREEN);
    yard.play(&[("analyst", "[[part.step]]\ndo = \"hang\"\n")]);
    yard.up();
    let id = yard.ask("A change");
    let running = |task: &Task| matches!(task.step, Step::Running { .. }).then(|| task.branch.clone());
    let branch = yard.until(&id, "the run", running).unwrap();
    let hub = yard.home().hubs().join(PROJECT).join("hub.git");
    let name = format!("refs/heads/{}", branch.name);
    yard.git_in(&hub, ["update-ref", "-d", &name]);
    // Branches that nobody else sees are read when main moves.
    yard.commit("meanwhile");
    yard.sweep();
    assert!(yard.task(&id).outside.is_some(), "it is gone");
    yard.stop();
    yard.up();
    yard.git_in(&hub, ["update-ref", &name, branch.head.as_str()]);
    yard.sweep();
    let task = yard.task(&id);
    assert!(running(&task).is_some(), "{:?}", task.step);
    assert_eq!(task.outside, None, "it is back");
    let rows = yard.rows().len();
    yard.sweep();
    assert_eq!(yard.rows().len(), rows, "what is as it should be is no news");
    yard.press(&id, "stop");
    yard.until(&id, "the end", |task| task.stage.is_terminal().then_some(()));
    yard.settle();
}

/// Proves decision 34 with the real sweep (incident I-23): an issue, and a column, of which no delivery ever told, are found by
/// it, and the work begins and goes on.
#[test]
fn what_no_delivery_told_is_found_by_the_sweep() {
    let mut yard = Yard::with(&[], GREEN);
    yard.up();
    let tracker = &yard.outside().tracker;
    let made =
        tracker.create_once(&ProjectId::from(PROJECT), "r-1", "A change", "", Status::ToAnalyse).unwrap();
    yard.sweep();
    let rows = yard.rows();
    let begun = rows.iter().find_map(|row| match (&row.entity, &row.event) {
        (Entity::Task(id), Event::Issue(seen)) if seen.reading.issue == made.key => Some(id.clone()),
        _ => None, // not a domain enum
    });
    let id = begun.expect("the sweep found no issue");
    // Orch's own column is written by then, and covers nothing.
    let asked = |task: &Task| task.step == Step::Rest(Rest::Approval) && task.board.writing.is_none();
    yard.until(&id, "the approval", |task| asked(task).then_some(()));
    tracker.set_status(&made.key, Status::Approved).unwrap();
    yard.sweep();
    let task = yard.task(&id);
    assert_eq!(
        task.approval.map(|consent| consent.by),
        Some("board".to_owned()),
        "the sweep did not find the column"
    );
    assert_eq!(yard.travel(&id).stage, Stage::Done);
}

/// Proves decision 64 with a real hook: without a health address a deploy waits until a person accepts exactly that commit, or
/// turns it down; and decision 22: the hook is told what came out well before, never a commit that was turned down.
#[test]
fn a_deploy_that_nobody_saw_waits_for_a_person() {
    let mut yard = Yard::with(&[], "preset = \"fast\"\ntest = [\"true\"]\n");
    let told = yard.folder().join("told");
    let hook = format!("#!/bin/sh\necho \"$ORCH_COMMIT after $ORCH_PREVIOUS\" >> {}\n", told.display());
    let hook = yard.script("deploy.sh", &hook);
    yard.project = format!("[projects.{PROJECT}.hook]\nprogram = \"{}\"\n", hook.display());
    yard.up();
    let deployed = |id| {
        let task = yard.travel(id);
        assert_eq!(task.step, Step::Rest(Rest::Confirmation), "{:?}", task.escalated);
        yard.press(id, "confirm");
        let unseen = |task: &Task| (task.step == Step::Rest(Rest::DeployUnseen)).then(|| task.merged.clone());
        yard.until(id, "the hook's end", unseen).unwrap().commit
    };
    let done = |id| {
        yard.press(id, "accept");
        yard.until(id, "done", |task| (task.stage == Stage::Done).then(|| task.deployed.clone())).unwrap()
    };
    let (first, second) = (yard.ask("A change"), yard.ask("Another change"));
    let one = deployed(&first);
    let other = json!({ "what": orch_core::outside::named(&"0123456789".into()).0 });
    assert_eq!(yard.post(&format!("/api/v1/tasks/{first}/accept"), &other).unwrap()["effective"], false);
    let shown = || {
        let (_, shown) = yard.http(&format!("GET /api/v1/tasks/{first}"), &[], b"");
        let shown: Value = serde_json::from_str(&shown).unwrap();
        (shown["healthy"].clone(), shown["deployed"].clone())
    };
    assert_eq!(shown(), (Value::Null, Value::Null));
    let seen = done(&first);
    assert_eq!(shown(), (Value::Null, json!(one.as_str())));
    assert_eq!((seen.commit == one, seen.healthy, seen.seen_by.is_some()), (true, None, true));
    let two = deployed(&second);
    let mended = "[[part.step]]\ndo = \"write\"\npath = \"src/{item}.txt\"\ntext = \"mended\\n\"\n";
    yard.play(&[("developer", mended)]);
    let why = json!({ "reason": "the page is white" });
    yard.post(&format!("/api/v1/tasks/{second}/reject"), &why).unwrap();
    yard.until(&second, "another round", |task| (task.round == 2 && task.branch.is_some()).then_some(()));
    let three = deployed(&second);
    assert_eq!(done(&second).commit, three);
    let told = std::fs::read_to_string(told).unwrap();
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(
        lines,
        [format!("{one} after "), format!("{two} after {one}"), format!("{three} after {one}")]
    );
}

/// Proves that a spent budget is a hold that a person lifts for exactly one run (decisions 12, 37).
#[test]
fn a_budget_is_lifted_for_one_run() {
    let mut yard = Yard::with(&[], GREEN);
    yard.top = "[ceilings]\ntask_dollars = 0.5".to_owned();
    yard.up();
    let id = yard.ask("A change");
    let held = |yard: &Yard| matches!(yard.holds(&id).first(), Some(HoldKind::TaskBudget { .. }));
    yard.until(&id, "the hold", |task| matches!(task.step, Step::Queued(_)).then_some(()));
    yard.until(&id, "the analyst's turn", |task| (task.stage == Stage::Analysis).then_some(()));
    yard.until(&id, "the branch", |task| (task.branch.is_some() && held(&yard)).then_some(()));
    yard.press(&id, "allow");
    yard.until(&id, "the approval", |task| (task.step == Step::Rest(Rest::Approval)).then_some(()));
    yard.press(&id, "approve");
    yard.until(&id, "the next stage", |task| (task.stage == Stage::Architecture).then_some(()));
    assert!(held(&yard), "{:?}", yard.holds(&id));
    assert_eq!(yard.task(&id).runs.len(), 1);
}

/// Proves that an edited orch.toml holds at once: a refused one is an event and a hold that people see and the last good
/// one stays, changed limits reach the brain, a project that is added begins, and one that is taken out takes no new work
/// until it is there again (decisions 39, 44).
#[test]
fn an_edited_orch_toml_holds_at_once() {
    let mut yard = Yard::with(&[], GREEN);
    yard.write("home/orch.toml", yard.settings_text());
    yard.up();
    let id = yard.ask("A change");
    yard.until(&id, "the approval", |task| (task.step == Step::Rest(Rest::Approval)).then_some(()));
    let good = yard.settings_text();

    yard.write("home/orch.toml", format!("lisen = 1\n{good}"));
    yard.sweep();
    let refused = |yard: &Yard| {
        yard.holds(&id).into_iter().find_map(|kind| match kind {
            HoldKind::SettingsRefused { cause } => Some(cause),
            _ => None,
        })
    };
    let cause = refused(&yard).expect("a hold");
    assert!(cause.contains("orch.toml:1:") && cause.contains("did you mean `listen`"), "{cause}");
    let (_, status) = yard.http("GET /status", &[], b"");
    assert!(status.contains("did you mean `listen`"), "{status}");
    let (_, board) = yard.http("GET /", &[], b"");
    assert!(board.contains("orch.toml was refused"), "{board}");
    yard.ask("Work goes on under the last good one");
    yard.sweep();
    let told = yard.rows().iter().filter(|row| matches!(row.event, Event::SettingsRefused(_))).count();
    assert_eq!(told, 1, "said once");
    yard.write("home/orch.toml", &good);
    yard.sweep();
    assert_eq!(refused(&yard), None, "mended to what it was");

    // A second repository, and other limits. Asked for its projects, Orch looks at once: nobody sweeps here.
    let other = yard.another_repository();
    let entry = format!("[projects.other]\nprefix = \"OTHER\"\nrepository = \"{}\"\n", other.display());
    yard.write("home/orch.toml", format!("{good}\n[limits]\ngates = 7\n{entry}"));
    let body = json!({ "project": "other", "title": "Elsewhere", "text": "", "start": true });
    let made = yard.post("/api/v1/issues", &body).unwrap_or_else(|e| panic!("{e}"));
    let there = made["task"].as_str().unwrap().into();
    yard.until(&there, "the approval", |task| (task.step == Step::Rest(Rest::Approval)).then_some(()));
    let gates = yard.wait(yard.outside().asker.ask(|board, _| board.installation().limits.gates));
    assert_eq!(gates, Some(7));

    yard.write("home/orch.toml", format!("{good}\n[limits]\ngates = 7\n"));
    yard.sweep();
    assert!(yard.post("/api/v1/issues", &body).is_err(), "no new work");
    yard.press(&there, "approve");
    yard.until(&there, "the next stage", |task| (task.stage == Stage::Architecture).then_some(()));
    assert!(yard.holds(&there).contains(&HoldKind::Retired), "{:?}", yard.holds(&there));
    // Also over a restart; and it goes on when the project is there again.
    yard.stop();
    yard.up();
    assert!(yard.holds(&there).contains(&HoldKind::Retired));
    yard.write("home/orch.toml", format!("{good}\n{entry}"));
    yard.sweep();
    assert_eq!(yard.travel(&there).stage, Stage::Done);
    let known = yard.wait(yard.outside().asker.ask(|board, _| {
        board.project(&ProjectId::from("other")).is_some_and(|project| project.retired.is_none())
    }));
    assert_eq!(known, Some(true));
}

/// Proves decision 45 on the real composition: an edit by the command line and by the API is read at once, the approval
/// before it is asked about, and what is then delivered is what was asked for in the end.
#[test]
fn an_edited_issue_is_asked_about() {
    let mut yard = Yard::with(&[], GREEN);
    yard.up();
    let id = yard.ask("A change");
    yard.until(&id, "the approval", |task| (task.step == Step::Rest(Rest::Approval)).then_some(()));
    let (said, _) = yard.typed(&["edit", id.as_str(), "--title", "Another change", "--label", "+autoDeploy"]);
    assert!(said.contains("title, labels") && said.contains("were written for the text as it was"), "{said}");
    let task = yard.task(&id);
    assert_eq!(yard.text(&task.request.title.blob), "Another change");
    assert!(task.labels.auto_deploy && !task.edited, "nobody approved anything yet");
    yard.post("/api/v1/installation/pause", &json!({})).unwrap();
    yard.press(&id, "approve");
    let (said, _) = yard.typed(&["edit", id.as_str(), "-d", "in blue"]);
    assert!(said.contains("goes no further until somebody presses Continue"), "{said}");
    assert_eq!(yard.task(&id).step, Step::Rest(Rest::RequestChanged));
    let (said, _) = yard.typed(&["edit", id.as_str(), "-d", "in blue"]);
    assert!(said.contains("nothing is different"), "{said}");
    yard.post("/api/v1/installation/unpause", &json!({})).unwrap();
    yard.press(&id, "continue");
    let done = yard.travel(&id);
    assert_eq!((done.stage, done.edited), (Stage::Done, false));
}

/// row 142: Frozen repo blocks new starts; unfreeze endpoint clears it.
/// Through both paths that there are, at the front door of the real composition.
#[test]
fn the_unfreeze_endpoint_lets_tasks_begin() {
    let mut yard = Yard::with(&[], GREEN);
    yard.up();
    let named = json!({ "repo": PROJECT });
    let paths = [
        (format!("/api/v1/projects/{PROJECT}/unfreeze"), json!({})),
        ("/serial-gate/unfreeze".into(), named),
    ];
    for (path, body) in paths {
        yard.post(&format!("/api/v1/projects/{PROJECT}/freeze"), &json!({})).unwrap();
        let id = yard.ask("A change");
        yard.sweep();
        assert_eq!(yard.task(&id).stage, Stage::Created, "{path}");
        assert!(matches!(yard.holds(&id).first(), Some(HoldKind::Frozen { .. })), "{:?}", yard.holds(&id));
        assert_eq!(yard.post(&path, &body).unwrap()["effective"], true, "{path}");
        yard.until(&id, "it begins", |task| (task.stage != Stage::Created).then_some(()));
    }
}

/// An analyst who asks before it writes anything.
const ASKS: &str = "
[[part.step]]
do = \"write\"
path = \"docs/work-items/{item}/05-questions.md\"
text = \"1. Which colour?\\n\"
";

/// Proves that who has the command line alone sees the analyst's questions, is told how to answer, answers, and lets the analyst go
/// on; that what was said can be read again; and that nothing of it steers the terminal (decisions 10, 29).
#[test]
fn questions_are_answered_by_the_command_line() {
    let mut yard = Yard::with(&[], GREEN);
    yard.play(&[("analyst", ASKS)]);
    yard.up();
    let id = yard.ask("A change");
    yard.until(&id, "the questions", |task| (task.step == Step::Rest(Rest::Questions)).then_some(()));
    yard.settle();
    let (why, _) = yard.typed(&["why", id.as_str()]);
    let commands = [format!("orch comment {id} \"TEXT\""), format!("orch start {id}")];
    for command in &commands {
        assert!(why.contains(&format!("`{command}`")), "{why}");
    }
    let (show, _) = yard.typed(&["show", id.as_str()]);
    assert!(show.contains("\ncomments\nanalyst  "), "{show}");
    assert!(show.contains("  1. Which colour?\n"), "{show}");
    let [answer, start] = &commands;
    assert!(show.contains(&format!("\nwhat you can do now\n{answer}\n{start}\n")), "{show}");
    let (said, _) = yard.typed(&["comment", id.as_str(), "Blue.\u{1b}[2J\n\nNot green."]);
    assert_eq!(said, format!("{id}  the comment is written   orch start {id}\n"));
    let (said, _) = yard.typed(&["comments", id.as_str()]);
    let [asked, answered] = ["analyst  ", "me  "].map(|by| said.find(by).unwrap());
    assert!(asked < answered && said.ends_with("  Blue.\u{fffd}[2J\n\n  Not green.\n"), "{said}");
    let (json, _) = yard.typed(&["comments", id.as_str(), "--json"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json.as_array().unwrap().last().unwrap()["by"], "me");
    yard.play(&[]);
    yard.typed(&["start", id.as_str()]);
    yard.until(&id, "the approval", |task| (task.step == Step::Rest(Rest::Approval)).then_some(()));
    // Nothing waits for words any more: none is asked for.
    let (said, _) = yard.typed(&["comment", id.as_str(), "Thank you"]);
    assert_eq!(said, format!("{id}  the comment is written\n"));
    let (well, _, refused) = yard.tried(&["comment", id.as_str(), "  "]);
    assert!(!well && refused.contains("the comment is empty"), "{refused}");
    let (well, _, refused) = yard.tried(&["comment", "yard-99", "x"]);
    assert!(!well && refused.contains("there is no task YARD-099"), "{refused}");
}

/// Proves that a press which finds everything so already says that, and names the way where there is one (decision 70).
#[test]
fn a_press_that_changes_nothing_says_so() {
    let mut yard = Yard::with(&[], GREEN);
    yard.up();
    let id = yard.ask("A change");
    yard.until(&id, "the approval", |task| (task.step == Step::Rest(Rest::Approval)).then_some(()));
    yard.write("home/orch.toml", yard.settings_text());
    let refused = |typed: &[&str]| {
        let (well, _, refused) = yard.tried(typed);
        assert!(!well, "{typed:?}");
        refused
    };
    yard.typed(&["priority", id.as_str(), "high"]);
    for (typed, said) in [
        (&["priority", id.as_str(), "high"][..], "It has this priority already."),
        (&["unfreeze", PROJECT], "Nothing is frozen there."),
        (&["unpause"], "Orch is not paused."),
        (&["retry", id.as_str()], "neither is stopped nor waits for another try"),
    ] {
        let refused = refused(typed);
        assert!(refused.contains(said), "{typed:?}: {refused}");
    }
    yard.typed(&["stop", id.as_str()]);
    yard.until(&id, "the end", |task| task.stage.is_terminal().then_some(()));
    let refused = refused(&["retry", id.as_str()]);
    assert!(refused.contains("stopped for good") && refused.contains("`orch new`"), "{refused}");
}

/// Proves that a run which ended well and brought nothing is not called finished, on the command line and to programs.
#[test]
fn a_run_of_no_use_is_not_called_finished() {
    let mut yard = Yard::with(&[], GREEN);
    yard.play(&[("developer", "[[part.step]]\ndo = \"say\"\ntext = \"done\\n\"\n")]);
    yard.up();
    let id = yard.ask("A change");
    yard.travel(&id);
    let (show, _) = yard.typed(&["show", id.as_str()]);
    let of = |job: &str| show.lines().filter(|line| line.contains(job)).collect::<Vec<_>>();
    let developed = of("Developer");
    assert!(!developed.is_empty(), "{show}");
    for line in developed {
        assert!(line.ends_with("without a usable result: the change is empty"), "{line}");
    }
    assert!(of("Analyst")[0].ends_with("finished"), "{show}");
    let (json, _) = yard.typed(&["show", id.as_str(), "--json"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    let wells: Vec<(&str, bool)> = json["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| (run["job"].as_str().unwrap(), run["well"].as_bool().unwrap()))
        .collect();
    assert!(wells.contains(&("analyst", true)) && wells.contains(&("developer", false)), "{wells:?}");
}
