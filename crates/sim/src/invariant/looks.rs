//! How often was each promise looked at?
//!
//! A promise is looked at when something happens that could break it. What happened is counted; which promises belong to it
//! is a table, so counting costs nothing.

use std::collections::BTreeMap;

macro_rules! occasions {
    ($($(#[doc = $doc:literal])+ $occasion:ident: [$($promise:literal),+ $(,)?],)+) => {
        /// What happens that could break a promise.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Occasion {
            $($(#[doc = $doc])+ $occasion,)+
        }

        impl Occasion {
            /// All of them.
            pub const ALL: [Occasion; [$(Occasion::$occasion),+].len()] = [$(Occasion::$occasion),+];

            /// The promises that are looked at then.
            pub const fn promises(self) -> &'static [&'static str] {
                match self {
                    $(Occasion::$occasion => &[$($promise),+],)+
                }
            }
        }
    };
}

occasions! {
    /// The brain or the outside did one thing.
    Step: ["effects-leave-after-their-record", "limits-hold", "effects-happen-once"],
    /// The outside was asked for something.
    Call: ["who-is-away-is-asked-seldom"],
    /// A row about a task was written.
    Row: [
        "no-timer-is-early",
        "grants-only-to-who-waits",
        "facts-are-told-once",
        "infrastructure-is-nobodys-fault",
        "escalated-is-left-alone",
        "late-results-do-nothing",
        "ids-belong-to-one-issue",
        "begun-only-when-asked",
        "done-comes-from-a-verdict",
        "consent-is-a-persons",
        "told-when-it-is-so",
        "a-press-counts-once",
        "a-run-ends-once",
        "nothing-is-asked-twice",
        "findings-are-handed-on",
        "the-request-is-handed-on",
        "deployed-is-what-runs",
        "spend-within-its-cap",
        "a-rejection-is-answered",
        "a-watch-ends",
        "well-is-what-was-seen",
    ],
    /// A task is another than it was.
    Task: [
        "a-reason-for-every-wait",
        "no-effect-is-lost",
        "no-timer-is-lost",
        "no-passing-column",
        "costs-add-up",
        "terminal-stays-terminal",
        "done-means-delivered",
        "done-means-watched",
        "a-verdict-is-its-record",
        "running-means-alive",
        "one-branch-a-task",
        "one-lane-holder",
        "attempts-are-bounded",
        "approval-binds-the-requirements",
        "a-lane-is-worked-in",
        "a-stop-is-carried-out",
    ],
    /// Orch's own column took the place of one that a person had pressed.
    Cover: ["no-press-is-covered-unheard"],
    /// A verdict came.
    Verdict: ["verdicts-are-entitled", "evidence-binds", "a-pass-is-earned"],
    /// A merge was asked for.
    Merge: ["frozen-means-no-merge", "paused-means-no-merge", "a-merge-waits-for-the-watch"],
    /// Main moved by Orch's hand.
    Main: ["main-never-forced", "merged-is-tested", "main-stays-green", "main-only-through-the-gates"],
    /// A hook was started.
    Hook: [
        "deploy-what-was-merged",
        "previous-is-what-runs",
        "production-needs-consent",
        "deploys-are-serial",
    ],
    /// Nothing moves any more.
    Rest: [
        "the-board-tells-the-truth",
        "nobody-works-for-nobody",
        "a-stop-leaves-nothing",
        "a-record-is-one-commit",
        "records-stand",
        "trees-are-given-back",
    ],
    /// All was known already, and was read again.
    Sync: ["in-sync-is-silent"],
    /// A brain woke that had been deposed.
    Wake: ["one-brain-leads"],
    /// A journal was folded and decided again, from its first row.
    Journal: ["the-journal-replays", "events-count-once", "no-key-is-told"],
    /// A line of a history was done.
    Line: ["nothing-panics", "the-store-says-what-was-written"],
    /// A history came to its end.
    End: ["liveness"],
    /// A history came to its end in which nobody gave anything up.
    Delivered: ["everything-is-delivered"],
}

/// How often each occasion came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Looks([u64; Occasion::ALL.len()]);

impl Looks {
    /// It came once more.
    pub fn count(&mut self, occasion: Occasion) {
        self.count_of(occasion, 1);
    }

    /// It came so many times more.
    pub fn count_of(&mut self, occasion: Occasion, times: u64) {
        self.0[occasion as usize] += times;
    }

    /// Each promise, and how often it was looked at.
    pub fn each(&self) -> BTreeMap<&'static str, u64> {
        let of =
            |(occasion, times): (Occasion, u64)| occasion.promises().iter().map(move |name| (*name, times));
        Occasion::ALL.into_iter().zip(self.0).flat_map(of).collect()
    }

    /// All looks at all promises.
    pub fn all(&self) -> u64 {
        Occasion::ALL.into_iter().zip(self.0).map(|(occasion, n)| occasion.promises().len() as u64 * n).sum()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The names of promises in a source: after `broken(` or `name:`, also on the next line.
    fn named(source: &str) -> impl Iterator<Item = String> + '_ {
        let after = |mark: &'static str| source.split(mark).skip(1);
        after("broken(").chain(after("name: ")).filter_map(|rest| {
            let name = rest.trim_start().strip_prefix('"')?.split('"').next()?;
            name.contains('-')
                .then(|| name.to_owned())
                .or_else(|| (name == "liveness").then(|| name.to_owned()))
        })
    }

    /// Proves that every promise that the simulator can find broken is counted, once, and that none is counted which
    /// nothing looks at.
    #[test]
    fn every_promise_is_counted() {
        let sources = [
            include_str!("../invariant.rs"),
            include_str!("rows.rs"),
            include_str!("course.rs"),
            include_str!("board.rs"),
            include_str!("deeds.rs"),
            include_str!("tasks.rs"),
            include_str!("merge.rs"),
            include_str!("watch.rs"),
            include_str!("rest.rs"),
            include_str!("journal.rs"),
            include_str!("time.rs"),
            include_str!("calls.rs"),
            include_str!("money.rs"),
            include_str!("answers.rs"),
            include_str!("../bench.rs"),
            include_str!("../bench/attend.rs"),
            include_str!("../bench/trouble.rs"),
            include_str!("../history.rs"),
            include_str!("../script/exact.rs"),
        ];
        let found: BTreeSet<String> = sources.iter().flat_map(|source| named(source)).collect();
        let table: Vec<&str> =
            Occasion::ALL.iter().flat_map(|occasion| occasion.promises()).copied().collect();
        let counted: BTreeSet<String> = table.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(table.len(), counted.len(), "one stands twice in the table of occasions");
        assert_eq!(found, counted, "the table of occasions in looks.rs names each promise");
    }
}
