//! Does the dashboard do what a person in a browser wants of it? The real program with its demo, and a real browser.
#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it should be")]

mod browser;
mod demo;
mod program;
mod remains;

use std::time::Duration;

use browser::{Browser, Look};
use demo::Demo;

/// Runs a test on a runtime of its own and says first which program is missing, if one is.
fn play(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
        .block_on(test);
}

/// What a person looks for in the page, as the page's own language says it.
mod seen {
    pub(crate) const ON_BOARD: &str = "location.pathname === '/' && document.querySelector('#c-DEMO-001')";
    pub(crate) const TASK: &str =
        "location.pathname === '/tasks/DEMO-001' && document.querySelector('#standing')";
    pub(crate) const LIVE: &str = "document.querySelector('#live:not(.off)')?.textContent";
    pub(crate) const APPROVE: &str = "document.querySelector('button[value=approve]:enabled')";
    pub(crate) const CONFIRM: &str = "document.querySelector('button[value=confirm]:enabled')";
    pub(crate) const DONE: &str = "document.querySelector('#standing.over')";
    /// The log of a developer's run grew more than once while this page was open.
    pub(crate) const LOG_GREW: &str = "Object.entries(watched.logs)
        .find(([whose, sizes]) => /Developer/.test(whose) && sizes.filter((size) => size > 0).length > 2)";
    /// A developer at work after red tests and an objection; or, on a slow machine, what comes after.
    pub(crate) const REWORK: &str = "document.querySelector('button[value=confirm]')
        || document.querySelector('#log .log[data-follow]') && document.querySelectorAll('#gates .fail').length > 1
        && document.querySelector('#log .log').textContent.includes('(scripted) cleaning')";
}

/// Notes how each log grows and which stages are current, and would be gone after a reload.
const WATCH: &str = "
    window.watched = { logs: {}, stages: [] };
    const note = () => {
        const log = document.querySelector('#log .log');
        if (log) {
            const sizes = (watched.logs[document.querySelector('#log h2').textContent] ??= []);
            if (sizes.at(-1) !== log.textContent.length) sizes.push(log.textContent.length);
        }
        const here = document.querySelector('.steps .here')?.textContent;
        if (here && watched.stages.at(-1) !== here) watched.stages.push(here);
    };
    note();
    new MutationObserver(note).observe(document.body,
        { subtree: true, childList: true, characterData: true, attributes: true });
";

/// Proves the main job in a browser: a person opens the link, watches, approves, confirms and sees the change done, on a
/// page that keeps itself fresh, asks no other host and has nothing to complain about.
#[test]
fn a_person_brings_a_change_to_done() {
    play(async {
        let (browser, demo) = tokio::join!(Browser::open(), Demo::begin());
        browser.go(demo.link()).await;
        browser.wait("the task on the board", seen::ON_BOARD).await;
        browser.wait("a live page", seen::LIVE).await;
        browser.shoot("board", Look::ALL).await;

        browser.click("#c-DEMO-001").await;
        browser.wait("the page of the task", seen::TASK).await;
        browser.run(WATCH).await;
        browser.wait("a task that waits for approval", seen::APPROVE).await;
        browser.shoot("task-approve", Look::ALL).await;
        browser.click("button[value=approve]").await;

        browser.wait("the log of an agent that grows", seen::LOG_GREW).await;
        browser.wait_within("rework on what was found", seen::REWORK, Duration::from_secs(300)).await;
        browser.shoot_window("task-rework").await;

        browser.wait_within("a task that waits for consent", seen::CONFIRM, Duration::from_secs(300)).await;
        browser.shoot("task-confirm", Look::ALL).await;
        browser.click("button[value=confirm]").await;

        browser.wait_within("a delivered change", seen::DONE, Duration::from_secs(300)).await;
        // The page was never loaded again: what was noted since the approval is still here.
        let stages = browser.ask("watched.stages").await;
        let stages: Vec<&str> =
            stages.as_array().unwrap().iter().filter_map(|stage| stage.as_str()).collect();
        for stage in ["Architecture", "Development", "Code Review", "Testing", "Deploying"] {
            assert!(stages.contains(&stage), "{stage} was not seen, only {stages:?}");
        }
        browser.shoot("task-done", Look::ALL).await;
        demo.says("Hello, Ada!");

        for (name, path) in
            [("board-done", "/"), ("journal", "/journal"), ("new", "/new"), ("sign-in", "/login")]
        {
            browser.go(&demo.at(path)).await;
            browser.shoot(name, Look::ALL).await;
        }
        browser.has_nothing_to_complain_about().await;
        browser.asked_only(&demo.at("/")).await;
        browser.close().await;
        demo.end();
    });
}

/// Proves that reading on this machine is free, that without the link nothing can be pressed or written, and that a link
/// signs in once.
#[test]
fn without_the_link_nothing_can_be_pressed() {
    play(async {
        let (stranger, owner, demo) = tokio::join!(Browser::open(), Browser::open(), Demo::begin());
        stranger.go(&demo.at("/")).await;
        stranger.wait("the task on the board", seen::ON_BOARD).await;
        stranger.click("#c-DEMO-001").await;
        stranger.wait("the page of the task", seen::TASK).await;
        let asks = "document.querySelector('#standing.person a[href=\"/login\"]')";
        stranger.wait("the way to sign in where buttons would be", asks).await;
        assert_eq!(stranger.ask("document.querySelectorAll('#main form').length").await, 0);
        stranger.shoot("task-stranger", &[Look::WIDE, Look::PHONE]).await;
        stranger.click("#standing a[href='/login']").await;
        stranger
            .wait("how to get a link", "/orch login/.test(document.querySelector('main').textContent)")
            .await;
        stranger.has_nothing_to_complain_about().await;

        let answer = stranger.post("/tasks/DEMO-001/act", "press=approve&seq=1&csrf=none").await;
        assert_eq!(answer, 401, "a write without a session");

        owner.go(demo.link()).await;
        owner.wait("the task on the board", seen::ON_BOARD).await;
        owner.has_nothing_to_complain_about().await;
        stranger.go(demo.link()).await;
        let used = "/used already/.test(document.querySelector('main').textContent)";
        stranger.wait("that the link was used", used).await;
        stranger.shoot("link-used", &[Look::WIDE]).await;
        stranger.go(&demo.at("/")).await;
        stranger.wait("that nobody is signed in", "document.querySelector('.top a[href=\"/login\"]')").await;
        for browser in [stranger, owner] {
            browser.asked_only(&demo.at("/")).await;
            browser.close().await;
        }
        demo.end();
    });
}

/// Proves that a missing browser is a failure that names the remedy, never a skipped test.
#[test]
fn a_missing_browser_is_named_with_its_remedy() {
    let empty = tempfile::tempdir().unwrap();
    let said = program::found("chromium", empty.path().as_os_str()).unwrap_err();
    assert!(said.contains("chromium") && said.contains("`cargo xtask ci --install`"), "{said}");
}
