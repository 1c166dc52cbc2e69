//! Proves that the sentences are whole in both languages.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use fluent_bundle::FluentArgs;

use super::comment::{self, SentBack, Sum, Summary};
use super::markdown::Link;
use super::*;
use crate::call::Text;
use crate::call::tracker::Labels;
use crate::event::Usage;
use crate::gesture::Priority;
use crate::id::{Commit, EffectId, IssueKey, ProjectId, RunId, Seq, TaskId, WorkItem};
use crate::rework::Attempts;
use crate::task::{Board, CiOf, Job, Request, Rest, ReviewClock, RunRow, Step, Task};
use crate::time::{Moment, Span};

thread_local! {
    static SEEN: RefCell<BTreeSet<&'static str>> = const { RefCell::new(BTreeSet::new()) };
}

/// Called for every sentence made: the arguments are those that both languages use.
pub(super) fn saw(key: &'static str, given: &FluentArgs<'_>) {
    SEEN.with_borrow_mut(|seen| seen.insert(key));
    let given: BTreeSet<String> = given.iter().map(|(name, _)| name.to_owned()).collect();
    for (lang, source) in SOURCES {
        let used = keys(source);
        let used = used.get(key).unwrap_or_else(|| panic!("{lang:?} has no `{key}`"));
        assert_eq!(&given, used, "arguments of `{key}` in {lang:?}");
    }
}

/// The keys of a file with the arguments that each uses.
fn keys(source: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut key = String::new();
    for line in source.lines().filter(|l| !l.starts_with('#') && !l.is_empty()) {
        if let Some((name, _)) = line.split_once(" = ").filter(|_| !line.starts_with([' ', '}'])) {
            key = name.to_owned();
            assert!(all.insert(key.clone(), BTreeSet::new()).is_none(), "`{key}` stands twice");
        }
        let uses = line.split("{ $").skip(1).filter_map(|rest| rest.split(' ').next());
        all.get_mut(&key).unwrap().extend(uses.map(str::to_owned));
    }
    all
}

fn reasons() -> Vec<Reason> {
    let (from, to) = (Stage::Review, Stage::Development);
    let gate = GateId::CheckCiGreen;
    let commit = Commit::from("0123456789abcdef");
    let run = RunId::new(Seq(12), 0);
    let cause = "connection refused.".to_owned();
    let mut all = vec![
        Reason::Known,
        Reason::RequestEdited,
        Reason::GestureTaken { press: "approve".to_owned(), by: "alice".to_owned() },
        Reason::Advanced { from, to },
        Reason::SentBack { from, to, judge: Judge::Gate(gate), attempt: 1, of: 3 },
        Reason::Repeated { role: Role::Tester, cause: cause.clone() },
        Reason::EvidenceStands { gate },
        Reason::EvidenceLapsed { gate },
        Reason::NotConfigured { gate },
        Reason::TurnTaken,
        Reason::RunBegan { run },
        Reason::RunEnded { run },
        Reason::Later { due: Moment(1_767_366_240_000), cause: cause.clone() },
        Reason::MainMoved { main: commit.clone() },
        Reason::Merged { commit },
        Reason::Proven,
        Reason::Healthy,
        Reason::DeployFailed { cause: cause.clone() },
        Reason::StopDeferred,
        Reason::Stopped,
        Reason::Thawed,
        Reason::PolicyChanged,
        Reason::PolicyRefused,
        Reason::ProviderClosed,
        Reason::ProviderOpen,
        Reason::Paused,
        Reason::Unpaused,
        Reason::Unperformed { effect: EffectId::new(Seq(7), 1), cause: cause.clone() },
        Reason::BoardRefused { cause: cause.clone() },
        Reason::Noted,
    ];
    all.extend([Some(true), Some(false), None].map(|passed| Reason::GateSaid { gate, passed }));
    let effects = [
        NoEffect::Terminal,
        NoEffect::Busy,
        NoEffect::WrongStage(Stage::Deploy),
        NoEffect::Stale,
        NoEffect::OtherThing,
        NoEffect::Again,
        NoEffect::Escalated,
        NoEffect::NotEscalated,
        NoEffect::WrongEntity,
    ];
    let press = || "confirm".to_owned();
    all.extend(effects.map(|why| Reason::GestureWithoutEffect { press: press(), why }));
    let ignored =
        [Ignored::StaleToken, Ignored::Terminal, Ignored::Echo, Ignored::Unknown, Ignored::NotForThis];
    all.extend(ignored.map(Reason::Ignored));
    all.extend(freezes().map(Reason::Frozen));
    all.extend(whys().into_iter().map(Reason::Escalated));
    all
}

fn freezes() -> [FreezeCause; 5] {
    [
        FreezeCause::DeployFailed,
        FreezeCause::UnprovenMerge,
        FreezeCause::MainRewritten,
        FreezeCause::Person,
        FreezeCause::StoreDamaged,
    ]
}

fn whys() -> Vec<Why> {
    let cause = || "exit code 2".to_owned();
    let mut all = vec![
        Why::RoundsSpent,
        Why::Fruitless { role: Role::Reviewer, cause: cause() },
        Why::Conflicts,
        Why::Outside { cause: cause() },
        Why::NoTests,
        Why::NoHook,
        Why::Unproven { cause: cause() },
        Why::RollbackFailed,
        Why::Machine { cause: cause() },
        Why::NoAgent { role: Role::Architect },
    ];
    all.extend([0, 1, 2, 5, 21].map(|has| Why::RequestTooShort { has, needs: 40 }));
    all
}

fn usage() -> Usage {
    Usage {
        input: Some(2_200),
        output: Some(1_200),
        cache_read: Some(10_100),
        cache_write: None,
        microdollars: Some(420_000),
    }
}

fn comments(lang: Lang) -> Vec<String> {
    let item = WorkItem::from("ORCH-042");
    let commit = Commit::from("0123456789abcdef");
    let docs = [Link::new("01-brd.md", "https://forge/a/01-brd.md"), Link::new("02-trz.md", "/a/02-trz.md")];
    let unpriced = Usage { microdollars: None, ..usage() };
    let sum = Sum { runs: 2, usage: usage(), unpriced: 0, worked: Span::minutes(12) };
    let partly = Sum { runs: 4, unpriced: 2, ..sum };
    let summary = Summary {
        roles: vec![(Role::Analyst, sum), (Role::Developer, Sum { usage: unpriced, unpriced: 2, ..sum })],
        total: partly,
        wall: Span::minutes(90),
        people: Some(Span::minutes(25)),
    };
    let person = Judge::Person("al*ice".to_owned());
    let back = |judge, attempt| SentBack {
        to: Stage::Development,
        judge,
        attempt,
        findings: Some("P0: `x`\n```\ncode\n```"),
        whole: Some(&docs[0]),
    };
    let mut all = vec![
        comment::analyst_ready(&docs, lang),
        comment::questions_asked(Some("1. Which port?"), Some(&docs[0]), lang),
        comment::agent_finished(Role::Developer, usage(), &docs, lang),
        comment::agent_finished(Role::Tester, Usage::default(), &[], lang),
        comment::sent_back(back(&Judge::Gate(GateId::CheckReviewerVerdict), Some((2, 3))), lang),
        comment::sent_back(back(&person, Some((1, 3))), lang),
        comment::sent_back(back(&Judge::Main, None), lang),
        comment::sent_back(back(&Judge::Host, None), lang),
        comment::awaiting_confirm(&item, true, lang),
        comment::awaiting_confirm(&item, false, lang),
        comment::awaiting_protected(&[".ci/run".to_owned()], lang),
        comment::merged(&commit, None, lang),
        comment::merged(&commit, Some(7), lang),
        comment::deployed(&commit, true, lang),
        comment::deployed(&commit, false, lang),
        comment::done(&summary, lang),
        comment::stop_deferred(lang),
        comment::stopped(None, lang),
        comment::stopped(Some(&commit), lang),
        comment::frozen(&FreezeCause::Person, None, lang),
        comment::frozen(&FreezeCause::DeployFailed, Some(&item), lang),
        comment::without_effect("approve", &NoEffect::Stale, lang),
        rejected_without_reason(lang),
    ];
    all.extend(whys().iter().map(|why| comment::escalated(&item, Stage::Review, why, lang)));
    all
}

fn everything(lang: Lang) -> Vec<String> {
    let mut all: Vec<String> = reasons().iter().map(|r| reason(r, lang)).collect();
    let cause = || "503 from the forge".to_owned();
    let delays = [
        Delay::Outage { cause: cause() },
        Delay::CheckoutDirty { path: "/home/a/b".to_owned() },
        Delay::NotYet { cause: cause() },
        Delay::Provider { cause: cause() },
    ];
    all.extend(delays.iter().map(|d| delay(d, lang)));
    all.extend(Stage::ALL.map(|s| stage_label(s, lang)));
    all.extend(Role::ALL.map(|r| role_name(r, lang)));
    all.extend(GateId::ALL.map(|g| judge(&Judge::Gate(g), lang)));
    all.extend(comments(lang));
    all
}

/// Proves that every key exists in both languages and is used, that every argument is used, and that no text is empty or
/// shows a placeholder. (Each sentence made here also passes [`saw`].)
#[test]
fn sentences_are_whole() {
    let both: Vec<_> = SOURCES.iter().map(|(_, source)| keys(source)).collect();
    assert_eq!(both[0], both[1]);
    for (lang, source) in SOURCES {
        assert!(FluentResource::try_new(source.to_owned()).is_ok(), "{lang:?}");
        for text in everything(lang) {
            assert!(!text.trim().is_empty());
            assert!(!text.contains("{ $") && !text.contains("..") && !text.contains('\u{2068}'), "{text}");
        }
    }
    let seen = SEEN.with_borrow(|seen| seen.iter().map(|k| (*k).to_owned()).collect::<BTreeSet<_>>());
    let unused: Vec<&String> = both[0].keys().filter(|k| !seen.contains(*k)).collect();
    assert!(unused.is_empty(), "no function says {unused:?}");
    let latin_only = |text: &String| !text.chars().any(|c| ('а'..='я').contains(&c.to_ascii_lowercase()));
    let untranslated: Vec<String> =
        reasons().iter().map(|r| reason(r, Lang::Ru)).chain(comments(Lang::Ru)).filter(latin_only).collect();
    assert_eq!(untranslated, ["alice: approve."]);
}

/// Proves that Russian nouns bend with their number: 1, 2, 5, 21.
#[test]
fn russian_counts() {
    let has = |has| why(&Why::RequestTooShort { has, needs: 40 }, Lang::Ru);
    assert_eq!(
        [1, 2, 5, 21].map(has),
        [
            "В описании 1 символ, нужно 40.",
            "В описании 2 символа, нужно 40.",
            "В описании 5 символов, нужно 40.",
            "В описании 21 символ, нужно 40."
        ]
    );
    let runs = |runs| {
        let total = Sum { runs, ..Sum::default() };
        let summary = Summary { roles: vec![], total, wall: Span(0), people: None };
        let text = comment::done(&summary, Lang::Ru);
        text.split("\n\n").nth(1).unwrap().split('.').next().unwrap().to_owned()
    };
    assert_eq!(
        [1, 2, 5, 11, 21].map(runs),
        ["1 запуск", "2 запуска", "5 запусков", "11 запусков", "21 запуск"]
    );
    assert_eq!(why(&Why::RoundsSpent, Lang::Ru), "Отклонены все 3 попытки.");
}

/// row 186: Label exists for every stage key; unmapped → neutral.
#[test]
fn stages_have_labels() {
    for lang in Lang::ALL {
        let labels: BTreeSet<String> = Stage::ALL.iter().map(|s| stage_label(*s, lang)).collect();
        assert_eq!(labels.len(), Stage::ALL.len());
        for stage in Stage::ALL {
            assert_eq!(stage_label_of(Some(stage.name()), lang), stage_label(stage, lang));
        }
        assert_eq!(stage_label_of(Some("polishing"), lang), "Polishing");
    }
    assert_eq!(stage_label(Stage::DeployStaging, Lang::En), "Deploying (staging)");
}

/// row 210: `created` stage is shown as "To Analyse"; None or broken stage input does not crash the card.
#[test]
fn created_is_to_analyse() {
    for lang in Lang::ALL {
        assert_eq!(stage_label(Stage::Created, lang), "To Analyse");
        assert_eq!([None, Some(""), Some("\0\u{1b}")].map(|s| stage_label_of(s, lang)), ["—", "—", "—"]);
        assert_eq!(stage_label_of(Some("ünï\nx"), lang), "Ünï x");
    }
}

/// row 76: CTA in tracker and Telegram names Confirm Deploy and not Approved as the trigger.
#[test]
fn confirm_deploy_is_named() {
    let text = comment::awaiting_confirm(&WorkItem::from("ORCH-042"), true, Lang::En);
    assert_eq!(
        text,
        "Everything has passed. To deploy, move the issue to **Confirm Deploy** or run `orch confirm ORCH-042`. \
         **Approved** does not deploy."
    );
    let text = comment::awaiting_confirm(&WorkItem::from("ORCH-042"), true, Lang::Ru);
    assert!(text.contains("в **Confirm Deploy**") && text.contains("**Approved** выкатку не запускает"));
}

/// row 116: Finish comment has tokens, cost and links to existing artefacts.
#[test]
fn finish_comment_has_figures_and_links() {
    let docs = [Link::new("12-review.md", "https://forge/12-review.md")];
    assert_eq!(
        comment::agent_finished(Role::Reviewer, usage(), &docs, Lang::En),
        "Finished: **reviewer**.\n\nTokens: 12.3k in (10.1k of it from the cache), 1.2k out. Cost: $0.42.\n\n\
         Documents: [12-review.md](<https://forge/12-review.md>)"
    );
    let nothing = comment::agent_finished(Role::Developer, Usage::default(), &[], Lang::En);
    assert_eq!(nothing, "Finished: **developer**.\n\nTokens: unknown. Cost: price unknown.");
}

/// row 117: Analyst comment links only existing documents and tells to use Approved/Rejected.
#[test]
fn analyst_comment_says_what_to_press() {
    let docs = [Link::new("01-brd.md", "https://forge/01-brd.md")];
    let text = comment::analyst_ready(&docs, Lang::En);
    assert!(text.contains("**Approved**") && text.contains("**Rejected**"), "{text}");
    assert_eq!(text.matches("](<").count(), 1);
    assert!(!comment::analyst_ready(&[], Lang::En).contains("Documents"));
}

/// Proves that a rejection without a word has the fixed fallback that row 103 asks for.
#[test]
fn rejection_has_a_fallback() {
    assert!(rejected_without_reason(Lang::En).starts_with("Rejected without a reason."));
}

/// row 193: Task summary per agent on done.
#[test]
fn done_sums_by_role() {
    let text = comments(Lang::En).into_iter().find(|c| c.starts_with("Done.")).unwrap();
    assert_eq!(
        text,
        "Done.\n\n| Role | Runs | Tokens in | from the cache | Tokens out | Cost | Time |\n|---|---|---|---|---|---|---|\n\
         | analyst | 2 | 12.3k | 10.1k | 1.2k | $0.42 | 12 min |\n\
         | developer | 2 | 12.3k | 10.1k | 1.2k | price unknown | 12 min |\n\
         | In all | 4 | 12.3k | 10.1k | 1.2k | at least $0.42 (price partly unknown) | 12 min |\n\n\
         4 runs. Agents worked 12 min, from start to end it took 1 h 30 min.\n\n\
         People took 25 min to review the requirements."
    );
}

/// Proves that words from outside stay words in a comment: markup of a person's name or a cause is escaped, findings stand in
/// a block that they cannot close.
#[test]
fn comments_hold_words_of_others() {
    let all = comments(Lang::En);
    let back = all.iter().find(|c| c.contains("al\\*ice")).unwrap();
    assert!(back.contains(r"al\*ice") && back.contains("````text\nP0: `x`\n```\ncode\n```\n````"), "{back}");
    let cause = Why::Outside { cause: "<img src=x>\n# [a](b)".to_owned() };
    let text = comment::escalated(&WorkItem::from("A-1`x`"), Stage::Review, &cause, Lang::En);
    assert!(text.contains(r"\<img src=x\> \# \[a\](b)") && text.contains("`orch retry A-1x`"), "{text}");
}

/// row 211: Human-review time is shown separately from agent time and wall time on the finished card.
#[test]
fn people_and_agents_have_their_own_time() {
    let mut task = task();
    let run = |n, role, minutes| RunRow {
        run: RunId::new(Seq(n), 0),
        job: Job::Agent(role),
        round: 1,
        commit: Commit::from("c0ffee"),
        agent: None,
        at: Moment(0),
        end: None,
        wall: Span::minutes(minutes),
        usage: usage(),
    };
    task.runs = vec![
        run(1, Role::Developer, 10),
        run(2, Role::Analyst, 5),
        RunRow { job: Job::Ci(CiOf::Head), usage: Usage::default(), ..run(3, Role::Developer, 60) },
        RunRow { usage: Usage::default(), ..run(4, Role::Developer, 20) },
    ];
    let end = Moment(0).after(Span::minutes(120));
    assert_eq!(Summary::of(&task, end).people, None);
    let at = |minutes| Some(Moment(0).after(Span::minutes(minutes)));
    task.review = ReviewClock { started: at(10), ended: at(35) };
    let summary = Summary::of(&task, end);
    let lines: Vec<_> = summary.roles.iter().map(|(role, sum)| (*role, sum.runs, sum.worked)).collect();
    assert_eq!(lines, [(Role::Analyst, 1, Span::minutes(5)), (Role::Developer, 2, Span::minutes(30))]);
    assert_eq!(summary.total.usage, task.usage());
    assert_eq!((summary.total.runs, summary.total.unpriced), (3, 1));
    let text = comment::done(&summary, Lang::En);
    assert!(text.contains("Agents worked 35 min, from start to end it took 2 h."), "{text}");
    assert!(text.contains("People took 25 min to review the requirements."), "{text}");
}

fn task() -> Task {
    let text = || Text::of("x");
    Task {
        id: TaskId::from("ORCH-042"),
        item: WorkItem::from("ORCH-042"),
        project: ProjectId::from("orch"),
        issue: IssueKey::from("42"),
        number: 42,
        born: Moment(0),
        request: Request { title: text(), slug: "x".to_owned(), text: text(), present: true },
        board: Board::default(),
        labels: Labels::default(),
        priority: Priority::Normal,
        stage: Stage::Done,
        stage_since: Moment(0),
        step: Step::Rest(Rest::Over),
        step_since: Moment(0),
        step_seq: Seq(1),
        escalated: None,
        round: 1,
        attempts: Attempts::default(),
        branch: None,
        change_request: None,
        artefacts: vec![],
        approval: None,
        consent: None,
        protected: None,
        protected_ok: None,
        evidence: vec![],
        findings: None,
        candidate: None,
        lane: None,
        merged: None,
        earlier_merges: vec![],
        deployed: None,
        cancel: None,
        review: ReviewClock::default(),
        runs: vec![],
        answers: false,
        edited: false,
        standing_ended: false,
    }
}
