//! What do people see?

use axum::http::StatusCode;
use orch_core::event::RunHow;
use orch_core::id::TaskId;
use orch_core::message::Lang;
use orch_core::stage::{Preset, Role, Stage};
use orch_core::task::{Job, Rest, Step, Want};
use orch_core::time::Span;
use orch_server::auth::Access;

use crate::house::{House, TOKEN};
use crate::memory::Memory;
use crate::sample::{HOSTILE, ended, policy, rest, sample, step, usage};

/// Proves that nothing that people or agents write becomes markup on any page.
#[tokio::test]
async fn hostile_text_is_only_text() {
    let house = House::open(sample());
    let browser = house.browser().await;
    let paths = [
        "/",
        "/?find=%3Cscript%3E",
        "/?project=%22%3E%3Cscript%3E",
        "/tasks/SITE-006",
        "/tasks/SITE-007",
        "/tasks/SITE-004/diff",
        "/tasks/SITE-004/files/12-review.md",
        "/login?ticket=%22%3E%3Cscript%3E",
        "/journal",
        "/tasks/%3Cscript%3E",
    ];
    for path in paths {
        let page = house.ask("GET", path, &[("cookie", &browser.cookie), ("accept", "text/html")], "").await;
        let body = page.body.to_lowercase();
        assert!(
            !body.contains("<script>")
                && !body.contains("<img src=x")
                && !body.contains("onerror=alert(1)>\n"),
            "{path}"
        );
        assert!(
            !body.contains("<b>not bold") && !body.contains('\u{7}') && !body.contains('\u{1b}'),
            "{path}"
        );
        assert_eq!(body.matches("<script").count(), 1, "{path}: only the module of the page");
    }
    let page = house.page("/tasks/SITE-006").await.body;
    assert!(page.contains("&#60;script&#62;alert(&#39;x&#39;)"), "{page}");
    assert!(!page.contains(HOSTILE));
}

/// Proves the board: stages in order, holds in plain words, what waits for a person on top, and a project's own board.
#[tokio::test]
async fn the_board_shows_who_waits_for_what() {
    let house = House::open(sample());
    let page = house.page("/").await;
    assert_eq!(page.status, StatusCode::OK);
    let at = |text: &str| page.body.find(text).unwrap_or_else(|| panic!("{text} is not on the board"));
    assert!(
        at("id=\"s-created\"") < at("id=\"s-analysis\"") && at("id=\"s-analysis\"") < at("id=\"s-deploy\"")
    );
    assert!(at("id=\"n-SITE-004\"") < at("id=\"s-created\""), "what waits for a person comes first");
    for text in [
        "Waits for your word to deploy",
        "Waits for your approval of the requirements",
        "Waits to merge because your checkout of trunk has changes (/home/ada/site)",
    ] {
        at(text);
    }
    assert!(
        !page.body.contains("<form method=\"post\""),
        "nobody is signed in, so there is nothing to press"
    );
    let tools = house.page("/?project=tools").await.body;
    assert!(tools.contains("TOOLS-024") && !tools.contains("SITE-004"));
    let more = house.page("/?project=tools&stage=created").await.body;
    assert!(more.contains("TOOLS-001"), "the page of a stage shows all of it");
}

/// Proves that ten thousand open tasks make no larger page than few, and that the first page with all it loads stays
/// below 60 kB (goal 25).
#[tokio::test]
async fn the_board_stays_small() {
    let memory = Memory::new();
    memory.project("site", policy("SITE", Preset::Full));
    for n in 1..=10_000 {
        let task = memory.issue("site", n, &format!("A title of a usual length for a task, number {n}"), "");
        let stage = Stage::ALL[(n % 8) as usize];
        match n % 3 {
            0 => rest(&memory, &task, stage, Rest::Approval),
            _ => step(&memory, &task, stage, Step::Queued(Want::Agent(Role::Developer))),
        }
    }
    let house = House::open(memory);
    let page = house.page("/").await;
    let mut total = page.body.len();
    let loaded: Vec<&str> = page.body.split('"').filter(|part| part.starts_with("/assets/")).collect();
    let loaded: std::collections::BTreeSet<&str> = loaded.into_iter().collect();
    assert_eq!(loaded.len(), 3);
    for path in loaded {
        let asset = house.get(path).await;
        assert_eq!(asset.status, StatusCode::OK);
        assert!(asset.header("cache-control").contains("immutable"));
        total += asset.body.len();
    }
    assert!(total < 60_000, "{total} bytes");
    assert!(page.body.contains("Show more") && page.body.contains("3327 more wait"), "{}", page.body);
}

/// Proves the task's page: stages, runs, log, gates with evidence, change, artefacts, costs, history; and that the log
/// shows its end only.
#[tokio::test]
async fn a_task_shows_everything() {
    let house = House::open(sample());
    let page = house.page("/tasks/SITE-004").await.body;
    for text in [
        "aria-current=\"step\"",
        "Waits for your word to deploy",
        "ended with code 101",
        "check_ci_green",
        "search::order_is_kept",
        "could not judge",
        "the staging host did not answer",
        "06-adr/ADR-001-index.md",
        "price unknown",
        "≥ $3.54",
        "Please keep the order",
        "<strong>two seconds</strong>",
        "feature/SITE-004-slug",
        "data-load=\"/tasks/SITE-004/diff\"",
    ] {
        assert!(page.contains(text), "{text}");
    }
    let diff = house.page("/tasks/SITE-004/diff").await.body;
    assert!(diff.contains("tests/json.rs") && diff.contains("class=\"add\"") && diff.contains("+9"));
    house.memory.write_log(
        &"SITE-007".into(),
        "r702.0",
        &"a line of the log\n".repeat(60_000).into_bytes(),
        true,
    );
    let page = house.page("/tasks/SITE-007").await.body;
    assert!(page.len() < 120_000 && page.contains("Only the end is shown"), "{}", page.len());
    assert_eq!(house.page("/tasks/SITE-999").await.status, StatusCode::NOT_FOUND);
}

/// The stages on a task's page in their order, each with how it is shown.
async fn stages_of(house: &House, task: &TaskId) -> Vec<(String, String)> {
    let page = house.page(&format!("/tasks/{task}")).await.body;
    let list = page.split("<ol class=\"steps\"").nth(1).and_then(|rest| rest.split("</ol>").next());
    let list = list.unwrap_or_else(|| panic!("no stages: {page}"));
    let stage = |item: &str| {
        let (class, rest) = item.split_once('"')?;
        let label = rest.split_once("<span>")?.1.split_once("</span>")?.0;
        Some((label.to_owned(), class.to_owned()))
    };
    list.split("<li class=\"").skip(1).map(|item| stage(item).expect("a class and a label")).collect()
}

/// Proves invariant F6: a stage is shown as done only if the task is at it or past it. Who was sent back has the later stages
/// ahead again, while they work and when they are stopped there.
///
/// incident I-39: a card ticked off stages that a task had been sent back from; here they follow from where the task is.
#[tokio::test]
async fn only_what_is_behind_a_task_is_ticked_off() {
    let memory = Memory::new();
    memory.project("site", policy("SITE", Preset::Full));
    let task = memory.issue("site", 1, "Serve the health page", "");
    let house = House::open(memory);
    let memory = &*house.memory;
    let work = |n: u64, role: Role| {
        let how = RunHow::Exited { code: 0 };
        ended(memory, &task, n, Job::Agent(role), how, Span::minutes(1), usage(1, 1, 0, None));
    };
    let reached = |n: u64, stage: Stage, role: Role| {
        step(memory, &task, stage, Step::Queued(Want::Agent(role)));
        work(n, role);
    };
    let shown = async || {
        let stages = stages_of(&house, &task).await;
        let labels: Vec<&str> = stages.iter().map(|(label, _)| label.as_str()).collect();
        let first = ["To Analyse", "Analysis", "Architecture", "Development", "Code Review", "Testing"];
        assert_eq!(labels[..6], first);
        let classes: Vec<String> = stages.into_iter().map(|(_, class)| class).collect();
        classes.join(" ")
    };
    reached(1, Stage::Analysis, Role::Analyst);
    assert_eq!(shown().await, "past here ahead ahead ahead ahead ahead ahead ahead");
    reached(2, Stage::Architecture, Role::Architect);
    reached(3, Stage::Development, Role::Developer);
    reached(4, Stage::Review, Role::Reviewer);
    reached(5, Stage::Testing, Role::Tester);
    assert_eq!(shown().await, "past past past past past here ahead ahead ahead");

    // The tester said no: review and testing are to be passed again.
    reached(6, Stage::Development, Role::Developer);
    assert_eq!(shown().await, "past past past here ahead ahead ahead ahead ahead");
    rest(memory, &task, Stage::Cancelled, Rest::Over);
    assert_eq!(shown().await, "ahead past past past ahead ahead ahead ahead ahead here");
}

/// Proves that an empty board says how to begin, and that pages speak Russian to those who prefer it.
#[tokio::test]
async fn empty_and_in_russian() {
    let memory = Memory::new();
    memory.project("site", policy("SITE", Preset::Full));
    let house = House::open(memory);
    assert!(house.page("/").await.body.contains("No tasks yet"));
    let headers = [("accept", "text/html"), ("accept-language", "de, ru-RU;q=0.8, en;q=0.5")];
    let page = house.ask("GET", "/", &headers, "").await.body;
    assert!(page.contains("<html lang=\"ru\">") && page.contains("Задач пока нет"), "{page}");
}

/// Proves that who prefers no language gets the installation's, and who prefers one gets that.
#[tokio::test]
async fn the_installation_has_a_language() {
    let house = House::speaking(sample(), Access::loopback(TOKEN), Lang::Ru);
    let page = async |tongue: &[(&str, &str)]| {
        let headers = [&[("accept", "text/html")], tongue].concat();
        house.ask("GET", "/", &headers, "").await.body
    };
    for tongue in [&[][..], &[("accept-language", "de, *;q=0.1")]] {
        assert!(page(tongue).await.contains("<html lang=\"ru\">"), "{tongue:?}");
    }
    assert!(page(&[("accept-language", "en-GB")]).await.contains("<html lang=\"en\">"));
}

/// Proves that a problem is a page for people and JSON for programs, both with the remedy.
#[tokio::test]
async fn problems_have_two_faces() {
    let house = House::open(sample());
    let page = house.page("/nothing").await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    assert!(page.header("content-type").starts_with("text/html") && page.body.contains("Back to the board"));
    let json = house.get("/api/v1/nothing").await;
    assert_eq!((json.status, &json.json()["error"]["kind"]), (StatusCode::NOT_FOUND, &"not_found".into()));
    let method = house.ask("GET", "/api/v1/tasks/SITE-004/stop", &[], "").await;
    assert_eq!(method.status, StatusCode::METHOD_NOT_ALLOWED);
}
