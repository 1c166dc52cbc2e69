//! What stories prove of the watch after a deploy (decision 69).

use orch_core::call::{Call, DeployCall};

use crate::rows::{effects, task, tells};

/// row 90: Ticks self-requeue until the window ends; restart-safe.
/// Proves also that each look is one question, however often the brain dies and the clock is set between two of them.
#[test]
fn a_watch_survives_whatever_comes() {
    let mut story = tells("watch-crash", &["1 is done", "sound"]);
    let done = task(&mut story, "1");
    let watch = done.watch.expect("it was watched");
    assert!(watch.looks >= watch.rules.looks(), "{watch:?}");
    let asks = effects(&mut story).into_iter();
    let asks = asks.filter(|effect| matches!(effect.call, Call::Deploy(DeployCall::Probe { .. }))).count();
    assert_eq!(asks, 1 + watch.looks as usize, "one for the deploy, and one for each look");
}

/// row 96: HEALTHY → issue Done; DEGRADED → issue Blocked.
/// row 97: DEGRADED freezes the repo and alerts [088].
#[test]
fn what_the_board_shows_of_a_watch() {
    tells(
        "I-25-green-deploy-red-prod",
        &[
            "repository demo: frozen: went bad",
            "1 \"Add a flag\" in Blocked",
            "16-post-deploy-log.md: negative, stands on its branch, 1 commits",
            "1 \"Add a flag\" in Done",
            "sound",
        ],
    );
    let shown =
        ["1 \"Add a flag\" in Monitoring after Deploy", "1 is done", "1 \"Add a flag\" in Done", "sound"];
    tells("watch-stays-well", &shown);
}
