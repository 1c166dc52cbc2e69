//! Does whoever waits learn what for, and what would move it?

use super::*;

/// Proves that `orch why` answers with what is waited for, since when, and what would move it (decision 4).
#[test]
fn why_is_answered() {
    assert_eq!(
        answer(&held([HoldKind::Approval]), Lang::En),
        "DEMO-001 waits for your approval of the requirements, since 2026-01-02 15:04 UTC (3 h): \
         move the issue to Approved, press Approve, or run `orch approve DEMO-001`."
    );
    assert_eq!(
        answer(&held([HoldKind::Approval]), Lang::Ru),
        "DEMO-001 ждёт вашего одобрения требований, с 2026-01-02 15:04 UTC (3 ч): \
         переведите её в Approved, нажмите «Одобрить» или выполните `orch approve DEMO-001`."
    );
    let also = [
        HoldKind::Lane { holder: TaskId::from("DEMO-002~2"), until: None, rests: false },
        HoldKind::DiskFull,
    ];
    assert_eq!(
        answer(&held(also), Lang::En),
        "DEMO-001 waits because DEMO-002 holds the merge lane, since 2026-01-02 15:04 UTC (3 h): it goes on by itself \
         when that one has given it back. \
         Also, it waits because the disk is full: free some space; it goes on by itself when 1.25 GiB is free where the \
         data folder lies."
    );
    let run = Some((RunId::new(Seq(12), 0), Job::Agent(Role::Developer)));
    assert_eq!(
        answer(&Standing::Working { run, ask: None, since: SINCE }, Lang::En),
        "DEMO-001: the developer works (run r12.0), since 2026-01-02 15:04 UTC (3 h)."
    );
    assert_eq!(working(None, Some(&Ask::Candidate), Lang::En), "Orch builds the candidate");
    let kind = HoldKind::RetryAt {
        due: SINCE,
        ask: Ask::Merge,
        cause: Delay::Outage { cause: "503 from the forge".into() },
    };
    assert_eq!(
        hold_kind(&kind, &WorkItem::from("DEMO-001"), Lang::En),
        "waits until 2026-01-02 15:04:00 UTC and then tries again to merge: \
         Something outside does not work: 503 from the forge. Orch tries again by itself. For a try now press Retry or run \
         `orch retry DEMO-001`"
    );
    let many = HoldKind::Protected { paths: (1..=5).map(|n| format!("ci/{n}")).collect() };
    assert!(answer(&held([many]), Lang::En).contains("(ci/1, ci/2, ci/3, … +2)"));
}

/// Proves that a checkout with changes is named with the branch that is checked out there, that what to do about it does not
/// repeat it, and that rows which do not know the branch still have their words (decision 43).
#[test]
fn a_checkout_with_changes_is_named_once() {
    let hold = |json: &str, lang| {
        let cause: Delay = serde_json::from_str(json).unwrap();
        let kind = HoldKind::RetryAt { due: SINCE, ask: Ask::Merge, cause };
        hold_kind(&kind, &WorkItem::from("DEMO-001"), lang)
    };
    let trunk = r#"{"checkout_dirty":{"path":"/home/a/b","branch":"trunk"}}"#;
    assert_eq!(
        hold(trunk, Lang::En),
        "waits to merge because your checkout of trunk has changes (/home/a/b): \
         commit them or put them aside; Orch tries again by itself at 2026-01-02 15:04:00 UTC, and at once \
         if you press Retry or run `orch retry DEMO-001`"
    );
    assert_eq!(
        hold(trunk, Lang::Ru),
        "ждёт слияния, потому что в вашей рабочей копии trunk есть изменения (/home/a/b): \
         закоммитьте их или отложите; Orch снова попробует сам в 2026-01-02 15:04:00 UTC, а сразу — \
         если нажать «Повторить» или выполнить `orch retry DEMO-001`"
    );
    let old = hold(r#"{"checkout_dirty":{"path":"/home/a/b"}}"#, Lang::En);
    assert!(old.starts_with("waits to merge because your checkout of main has changes"), "{old}");
}

/// Proves that every hold that a person lifts names a command for it: who has the command line alone can do all of it.
#[test]
fn what_a_person_lifts_has_a_command() {
    let item = WorkItem::from("DEMO-001");
    for lang in Lang::ALL {
        for (kind, commands) in [
            (HoldKind::NotAsked, &["start"][..]),
            (HoldKind::Questions, &["comment", "start"]),
            (HoldKind::RequestChanged, &["continue", "start"]),
            (HoldKind::IssueGone, &["stop"]),
            (HoldKind::Retired, &["stop"]),
        ] {
            let (_, lift) = hold_halves(&kind, &item, lang);
            for command in commands {
                assert!(lift.contains(&format!("`orch {command} DEMO-001")), "{command}: {lift}");
            }
        }
        assert!(no_effect(&NoEffect::Stopped, lang).contains("`orch new`"));
        let asked = comment::questions_asked(&item, Some("1. Which?"), None, lang);
        assert!(
            asked.contains("`orch comment DEMO-001 \"") && asked.contains("`orch start DEMO-001`"),
            "{asked}"
        );
        let merges = comment::by_label(true, true, lang);
        assert!(merges != comment::by_label(true, false, lang) && merges.contains("**autoDeploy**"));
    }
}

/// Proves that who reads of a run without a usable result, on the command line or under the issue, is told which command
/// shows what the run wrote; and that who reads of a freeze is told which one lifts it.
#[test]
fn commands_are_named_where_they_help() {
    let item = WorkItem::from("DEMO-001");
    let fruitless = || Why::Fruitless { role: Role::Analyst, cause: "exit code 3".into() };
    for lang in Lang::ALL {
        let (_, lift) = hold_halves(&HoldKind::Escalated(fruitless()), &item, lang);
        let under = comment::escalated(&item, Stage::Analysis, &fruitless(), lang);
        for text in [lift, under] {
            assert!(
                text.contains("`orch logs DEMO-001 --err`") && text.contains("`orch logs DEMO-001`"),
                "{text}"
            );
        }
        let (_, lift) = hold_halves(&HoldKind::Escalated(Why::RoundsSpent), &item, lang);
        assert!(!lift.contains("orch logs"), "the findings say it: {lift}");
        assert!(lift.contains("`orch show DEMO-001`"), "and where they are is said: {lift}");
        let under = comment::escalated(&item, Stage::Development, &Why::RoundsSpent, lang);
        assert!(!under.contains("orch show"), "they stand there already: {under}");
        for task in [None, Some(TaskId::from("DEMO-002"))] {
            let frozen = HoldKind::Frozen { cause: FreezeCause::DeployFailed, task, over: false };
            assert!(hold_kind(&frozen, &item, lang).contains("`orch unfreeze DEMO`"), "{lang:?}");
        }
        let lift = |over| {
            let task = Some(TaskId::from("DEMO-002"));
            hold_halves(&HoldKind::Frozen { cause: FreezeCause::DeployFailed, task, over }, &item, lang).1
        };
        assert_ne!(lift(true), lift(false), "a task that is over repairs nothing any more");
        let of_another = HoldKind::Frozen {
            cause: FreezeCause::UnprovenMerge,
            task: Some(TaskId::from("DEMO-002")),
            over: false,
        };
        let end = |lift: &str| lift.split_once("DEMO-002").map(|(_, end)| end.to_owned());
        assert_eq!(end(&lift(true)), end(&hold_halves(&of_another, &item, lang).1), "it is looked at");
        let stopped = comment::stopped(&item, None, true, lang);
        assert!(stopped.contains("`orch unfreeze DEMO`"), "{stopped}");
    }
}
