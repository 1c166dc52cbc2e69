//! Proves that the sentences are whole in both languages.

mod bounds;
mod waiting;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use fluent_bundle::FluentArgs;

use super::*;
use crate::call::Text;
use crate::call::tracker::Status;
use crate::event::{Turn, Usage};
use crate::gesture::Press;
use crate::hold::{Hold, HoldKind, Standing};
use crate::id::{Commit, Digest, EffectId, ProviderId, RunId, Seq, TaskId, WorkItem};
use crate::note::Note;
use crate::policy::WatchRules;
use crate::record::{Came, DeployLog, WatchLog};
use crate::said::{Cause, Found, Said};
use crate::task::{Ask, CiOf, Job, Watch, WatchEnd, Withdrawn};
use crate::time::{Moment, Span};

thread_local! {
    static SEEN: RefCell<BTreeSet<&'static str>> = const { RefCell::new(BTreeSet::new()) };
}

/// Called for every sentence made: the arguments are those that both languages use.
pub(super) fn saw(key: &'static str, given: &FluentArgs<'_>) {
    SEEN.with_borrow_mut(|seen| seen.insert(key));
    let given: BTreeSet<String> = given.iter().map(|(name, _)| name.to_owned()).collect();
    for ((lang, _), used) in SOURCES.iter().zip(KEYS.iter()) {
        let used = used.get(key).unwrap_or_else(|| panic!("{lang:?} has no `{key}`"));
        assert_eq!(&given, used, "arguments of `{key}` in {lang:?}");
    }
}

static KEYS: LazyLock<[BTreeMap<String, BTreeSet<String>>; 2]> =
    LazyLock::new(|| SOURCES.map(|(_, source)| keys(source)));

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
    let words = "connection refused.".to_owned();
    let cause = Cause::Quoted(words.clone());
    let mut all = vec![
        Reason::Known,
        Reason::RequestEdited,
        Reason::GestureTaken { press: "approve".to_owned(), by: "alice".to_owned() },
        Reason::GestureTaken { press: "accept".to_owned(), by: crate::gesture::THE_DEMO.to_owned() },
        Reason::GestureTaken { press: "start".to_owned(), by: "board".to_owned() },
        Reason::GestureTaken { press: "stop".to_owned(), by: "api".to_owned() },
        Reason::Advanced { from, to },
        Reason::SentBack { from, to, judge: Judge::Gate(gate), attempt: 1, of: 3 },
        Reason::SentBack { from: to, to, judge: Judge::Gate(gate), attempt: 1, of: 3 },
        Reason::SentBack { from, to, judge: Judge::Gate(gate), attempt: 3, of: 3 },
        Reason::SentBack { from, to, judge: Judge::Main, attempt: 0, of: 3 },
        Reason::Repeated { role: Role::Tester, cause: cause.clone() },
        Reason::EvidenceStands { gate },
        Reason::EvidenceLapsed { gate },
        Reason::NotConfigured { gate },
        Reason::TurnTaken,
        Reason::GaveWay,
        Reason::RunBegan { run },
        Reason::RunEnded { run },
        Reason::Later { due: Moment(1_767_366_240_000), cause: cause.clone() },
        Reason::MainMoved { main: commit.clone() },
        Reason::Merged { commit },
        Reason::Proven,
        Reason::Healthy,
        Reason::DeployUnseen,
        Reason::WatchBegan { until: Moment(1_767_366_240_000) },
        Reason::WatchSaw { cause: cause.clone() },
        Reason::StayedWell,
        Reason::LaterDeployRuns { commit: Commit::from("0123456789abcdef") },
        Reason::WentBad { cause: cause.clone() },
        Reason::WentSilent { cause: cause.clone() },
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
        Reason::StoreDamaged,
        Reason::StoreSound,
        Reason::Unperformed { effect: EffectId::new(Seq(7), 1), cause: words.clone().into() },
        Reason::BoardRefused { cause: words.into() },
        Reason::RecordStands { record: crate::record::Record::DeployLog },
        Reason::RecordTroubled {
            record: crate::record::Record::DeployLog,
            cause: cause.clone(),
            lasting: false,
        },
        Reason::RecordTroubled {
            record: crate::record::Record::DeployLog,
            cause: cause.clone(),
            lasting: true,
        },
        Reason::MergedByHand { commit: Commit::from("0123456789abcdef") },
        Reason::MergedOutside { commit: Commit::from("0123456789abcdef") },
        Reason::Withdrawn(Withdrawn::Branch),
        Reason::Withdrawn(Withdrawn::ChangeRequest),
        Reason::OutsideOver,
        Reason::RunOverTokens { tokens: 5_200_000, limit: 5_000_000 },
        Reason::ProjectRetired,
        Reason::SettingsChanged,
        Reason::SettingsRefused,
        Reason::Noted,
    ];
    all.extend([Some(true), Some(false), None].map(|passed| Reason::GateSaid { gate, passed }));
    let effects = [
        NoEffect::Terminal,
        NoEffect::Busy,
        NoEffect::WrongStage(Stage::Deploy),
        NoEffect::Stale,
        NoEffect::Overtaken,
        NoEffect::OtherThing,
        NoEffect::Again,
        NoEffect::Escalated,
        NoEffect::NotEscalated,
        NoEffect::NoBudgetHold,
        NoEffect::WrongEntity,
        NoEffect::Stopped,
        NoEffect::SamePriority,
        NoEffect::NotFrozen,
        NoEffect::NotPaused,
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

fn freezes() -> [FreezeCause; 6] {
    [
        FreezeCause::DeployFailed,
        FreezeCause::DeployUntold,
        FreezeCause::WentBad,
        FreezeCause::UnprovenMerge,
        FreezeCause::MainRewritten,
        FreezeCause::Person,
    ]
}

fn whys() -> Vec<Why> {
    let cause = || Cause::from("exit code 2");
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

const FINDINGS: &str = "P0: `x`\n```\ncode\n```";

fn notes() -> Vec<Note> {
    let unpriced = Usage { microdollars: None, ..usage() };
    let commit = Commit::from("0123456789abcdef");
    let text = Text::of(FINDINGS);
    let file = |name: &str| format!("docs/work-items/ORCH-042/{name}");
    let back = |judge, attempt| Note::SentBack {
        from: Stage::Testing,
        to: Stage::Development,
        judge,
        text: Some(text.clone().into()),
        attempt,
        of: 3,
    };
    let minutes = Span::minutes;
    let done = |deployed, roles, people| Note::Done {
        commit: commit.clone(),
        deployed,
        roles,
        agents: minutes(35),
        people,
        wall: minutes(120),
    };
    let mut all = vec![
        Note::RequirementsReady {
            files: vec![file("01-brd.md"), file("02-trz.md")],
            branch: "orch-042".to_owned(),
        },
        Note::Questions { text: Some(text.clone()) },
        Note::ByLabel { deploy: false, merges: false },
        Note::ByLabel { deploy: true, merges: false },
        Note::ByLabel { deploy: true, merges: true },
        Note::RunFinished {
            role: Role::Reviewer,
            usage: usage(),
            wall: minutes(12),
            files: vec![file("12-review.md")],
        },
        Note::RunFinished { role: Role::Developer, usage: Usage::default(), wall: minutes(1), files: vec![] },
        Note::ProtectedTouched { paths: vec![".ci/run".to_owned()] },
        back(Judge::Gate(GateId::CheckReviewerVerdict), 2),
        back(Judge::Gate(GateId::CheckReviewerVerdict), 3),
        back(Judge::Gate(GateId::CheckTestsPassed), 2),
        back(Judge::Gate(GateId::CheckCiGreen), 2),
        back(Judge::Person("al*ice".to_owned()), 1),
        back(Judge::Main, 0),
        back(Judge::Host, 0),
        Note::AwaitingConfirmation { change: Digest::of(b"x"), deploys: true, accepted: false },
        Note::AwaitingConfirmation { change: Digest::of(b"x"), deploys: false, accepted: false },
        Note::AwaitingConfirmation { change: Digest::of(b"x"), deploys: true, accepted: true },
        Note::Merged { commit: commit.clone() },
        Note::MergedOutside { commit: commit.clone() },
        Note::Withdrawn { what: Withdrawn::Branch },
        Note::Withdrawn { what: Withdrawn::ChangeRequest },
        Note::RunOverTokens { role: Role::Developer, tokens: 5_200_000, limit: 5_000_000 },
        Note::DeployFailed { cause: "the hook said *no*.".into(), commit: commit.clone() },
        Note::DeployUntold { cause: "nothing *answers*.".into(), commit: commit.clone() },
        Note::DeployUnseen { commit: commit.clone() },
        Note::WentBad { cause: "it says *down*.".into(), commit: commit.clone() },
        Note::WentSilent { cause: "nothing *answers*.".into(), commit: commit.clone() },
        done(true, vec![(Role::Analyst, 2, usage()), (Role::Developer, 3, usage())], minutes(25)),
        done(false, vec![(Role::Analyst, 2, usage()), (Role::Developer, 2, unpriced)], Span(0)),
        done(false, vec![], Span(0)),
        Note::StopDeferred,
        Note::Stopped { stays: None, frozen: false },
        Note::Stopped { stays: None, frozen: true },
        Note::Stopped { stays: Some(commit.clone()), frozen: true },
        Note::Unavailable { gate: GateId::CheckCiGreen, cause: "no space left".into() },
    ];
    all.extend(whys().into_iter().map(|why| Note::Escalated { why, stage: Stage::Review }));
    all
}

/// The note as a comment, where every file can be opened and every text is [`FINDINGS`].
fn told(note: &Note, lang: Lang) -> String {
    let item = WorkItem::from("ORCH-042");
    let link = |path: &str| Some(format!("https://forge/{path}"));
    let text = |blob: &Digest| (*blob == Digest::of(FINDINGS.as_bytes())).then(|| FINDINGS.to_owned());
    super::note(note, &NoteFacts { item: &item, text: &text, link: &link }, lang)
}

fn comments(lang: Lang) -> Vec<String> {
    notes().iter().map(|note| told(note, lang)).collect()
}

fn holds() -> Vec<HoldKind> {
    let cause = || "exit code 2".to_owned();
    let other = || TaskId::from("ORCH-007~2");
    let mut all = vec![
        HoldKind::StoreDamaged { cause: cause() },
        HoldKind::DiskFull,
        HoldKind::NotAsked,
        HoldKind::Questions,
        HoldKind::Approval,
        HoldKind::Protected { paths: (1..=5).map(|n| format!(".ci/{n}")).collect() },
        HoldKind::Confirmation { deploys: true },
        HoldKind::Confirmation { deploys: false },
        HoldKind::RequestChanged,
        HoldKind::IssueGone,
        HoldKind::MergedOutside { commit: Commit::from("0123456789abcdef") },
        HoldKind::Withdrawn(Withdrawn::Branch),
        HoldKind::Withdrawn(Withdrawn::ChangeRequest),
        HoldKind::RunBudget { tokens: 5_200_000, limit: 5_000_000 },
        HoldKind::Retired,
        HoldKind::SettingsRefused { cause: cause() },
        HoldKind::CannotTell { cause: cause().into() },
        HoldKind::DeployUnseen { commit: Commit::from("0123456789abcdef") },
        HoldKind::WentBad { cause: cause().into() },
        HoldKind::WentSilent { cause: cause().into() },
        HoldKind::Watched { until: Moment(1_767_366_240_000), looks: 12, of: 30, bad: 0 },
        HoldKind::Watched { until: Moment(1_767_366_240_000), looks: 12, of: 30, bad: 1 },
        HoldKind::Watched { until: Moment(1_767_366_240_000), looks: 12, of: 30, bad: 5 },
        HoldKind::Frozen { cause: FreezeCause::DeployFailed, task: Some(other()), over: false },
        HoldKind::Frozen { cause: FreezeCause::UnprovenMerge, task: Some(other()), over: false },
        HoldKind::Provider {
            provider: ProviderId::from("acme"),
            until: Moment(1_767_366_240_000),
            cause: cause().into(),
        },
        HoldKind::TaskBudget { spent: 19_500_000, budget: 20_000_000 },
        HoldKind::DayBudget { budget: 100_000_000 },
        HoldKind::Serial { behind: other() },
        HoldKind::Lane { holder: other(), until: Some(Moment(1_767_366_240_000)), rests: false },
        HoldKind::NoPolicy { cause: None },
        HoldKind::NoPolicy { cause: Some(cause()) },
        HoldKind::PolicyRefused { cause: cause() },
        HoldKind::Stopping { run: RunId::new(Seq(1), 0) },
    ];
    all.extend([false, true].map(|rests| HoldKind::Lane { holder: other(), until: None, rests }));
    all.extend([false, true].map(|drain| HoldKind::Paused { by: "alice".to_owned(), drain }));
    all.extend(whys().into_iter().map(HoldKind::Escalated));
    all.extend(freezes().map(|cause| HoldKind::Frozen { cause, task: None, over: false }));
    for turn in [Turn::Start, Turn::Agent(Role::Tester), Turn::Gate, Turn::Lane, Turn::Merge] {
        all.extend([HoldKind::Slot { turn }, HoldKind::Turn { turn }]);
    }
    for ask in asks() {
        let due = Moment(1_767_366_240_000);
        all.extend(delays().map(|cause| HoldKind::RetryAt { due, ask: ask.clone(), cause }));
    }
    all
}

fn jobs() -> [Job; 4] {
    [Job::Agent(Role::Developer), Job::Ci(CiOf::Head), Job::Ci(CiOf::Candidate), Job::Hook]
}

fn asks() -> Vec<Ask> {
    let run = RunId::new(Seq(12), 0);
    let mut all = vec![
        Ask::CutBranch { plain: true },
        Ask::Collect { run, role: Role::Developer },
        Ask::OpenChange,
        Ask::Restore,
        Ask::Candidate,
        Ask::Merge,
        Ask::Prove,
        Ask::Probe,
        Ask::Watch,
        Ask::Reason { by: "alice".to_owned() },
    ];
    all.extend(jobs().map(|job| Ask::Launch { run, job }));
    all
}

fn delays() -> [Delay; 5] {
    let cause = || "503 from the forge".to_owned();
    [
        Delay::Outage { cause: cause().into() },
        Delay::CheckoutDirty { path: "/home/a/b".to_owned(), branch: Some("trunk".to_owned()) },
        Delay::NotYet { cause: cause().into() },
        Delay::Watching,
        Delay::Provider { cause: cause() },
    ]
}

const SINCE: Moment = Moment(1_767_366_240_000);

/// The answer of `orch why`, three hours later.
fn answer(standing: &Standing, lang: Lang) -> String {
    super::standing(standing, &WorkItem::from("DEMO-001"), SINCE.after(Span::minutes(180)), lang)
}

fn held(kinds: impl IntoIterator<Item = HoldKind>) -> Standing {
    Standing::Held(kinds.into_iter().map(|kind| Hold { kind, since: SINCE }).collect())
}

fn standings() -> Vec<Standing> {
    let since = SINCE;
    let run = RunId::new(Seq(12), 0);
    let mut all: Vec<Standing> = holds().into_iter().map(|kind| held([kind])).collect();
    all.extend([held([HoldKind::DiskFull, HoldKind::Turn { turn: Turn::Lane }]), held([])]);
    all.extend([Standing::Over { since }, Standing::Working { run: None, ask: None, since }]);
    all.extend(jobs().map(|job| Standing::Working { run: Some((run, job)), ask: None, since }));
    all.extend(asks().into_iter().map(|ask| Standing::Working { run: None, ask: Some(ask), since }));
    all
}

fn waits(lang: Lang) -> Vec<String> {
    standings().iter().map(|standing| answer(standing, lang)).collect()
}

fn records(lang: Lang) -> Vec<String> {
    let (item, commit) = (WorkItem::from("ORCH-042"), Commit::from("c0ffee"));
    let log = |came, hook| {
        let (item, commit, said) = (&item, &commit, &Said::HookFailed);
        let log = DeployLog { item, came, hook, commit, run: None, round: 1, said, at: SINCE, row: Seq(58) };
        deploy_log(&log, lang)
    };
    let rules = WatchRules { window: Span::minutes(15), every: Span::seconds(30), failures: 3 };
    let seen = Watch { looks: 30, failed: 2, untold: 1, flaps: 2, ..Watch::new(rules, None) };
    let watch = |end| {
        let (item, commit, said) = (&item, &commit, &Said::ServiceStayedWell);
        watch_log(&WatchLog { item, end, watch: &seen, commit, said, at: SINCE, row: Seq(90) }, lang)
    };
    vec![
        log(Came::Out, Some(0)),
        log(Came::Failed, None),
        log(Came::NotRolledBack, Some(2)),
        log(Came::Seen { by: "ann" }, Some(0)),
        log(Came::Along { with: &Commit::from("b") }, None),
        log(Came::TurnedDown { by: "ann" }, Some(0)),
        watch(WatchEnd::Well),
        watch(WatchEnd::Bad),
    ]
}

fn everything(lang: Lang) -> Vec<String> {
    let mut all: Vec<String> = reasons().iter().map(|r| reason(r, lang)).collect();
    all.extend(delays().iter().map(|d| delay(d, lang)));
    all.extend(Stage::ALL.map(|s| stage_label(s, lang)));
    all.extend(Role::ALL.map(|r| role_name(r, lang)));
    all.extend(GateId::ALL.map(|g| judge(&Judge::Gate(g), lang)));
    all.extend(comments(lang));
    all.extend(waits(lang));
    let item = WorkItem::from("DEMO-001");
    all.extend(holds().into_iter().map(|kind| hold(&Hold { kind, since: SINCE }, &item, lang)));
    all.extend(said::tests::everything().iter().map(|fact| super::said(fact, lang)));
    all.extend(records(lang));
    all.extend(["board", "api", crate::gesture::THE_DEMO].map(|door| person(door, lang)));
    all.extend(crate::edited::Follows::ALL.map(|what| edited(what, &item, lang)));
    all
}

/// Proves that every key exists in both languages and is used, that every argument is used, and that no text is empty or
/// shows a placeholder. (Each sentence made here also passes [`saw`].)
#[test]
fn sentences_are_whole() {
    let both = &*KEYS;
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
    let untranslated: Vec<String> = reasons()
        .iter()
        .map(|r| reason(r, Lang::Ru))
        .chain(comments(Lang::Ru))
        .chain(waits(Lang::Ru))
        .filter(latin_only)
        .collect();
    assert_eq!(untranslated, [""; 0]);
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
        let roles = vec![(Role::Tester, runs, Usage::default())];
        let (agents, people, wall) = (Span(0), Span(0), Span(0));
        let commit = Commit::from("c0ffee");
        let text = told(&Note::Done { commit, deployed: true, roles, agents, people, wall }, Lang::Ru);
        text.split("\n\n").nth(2).unwrap().split('.').next().unwrap().to_owned()
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
    assert_eq!(Lang::ALL.map(|lang| stage_label(Stage::Created, lang)), ["To Analyse", "К анализу"]);
    for lang in Lang::ALL {
        assert_eq!([None, Some(""), Some("\0\u{1b}")].map(|s| stage_label_of(s, lang)), ["—", "—", "—"]);
        assert_eq!(stage_label_of(Some("ünï\nx"), lang), "Ünï x");
    }
}

/// row 76: CTA in tracker and Telegram names Confirm Deploy and not Approved as the trigger.
#[test]
fn confirm_deploy_is_named() {
    let note = Note::AwaitingConfirmation { change: Digest::of(b"x"), deploys: true, accepted: false };
    assert_eq!(
        told(&note, Lang::En),
        "Everything has passed. To deploy, move the issue to **Confirm Deploy** or run `orch confirm ORCH-042`. \
         **Approved** does not deploy.\n\n\
         This is about the change `2d711642b726`; another change needs a new word."
    );
    let text = told(&note, Lang::Ru);
    assert!(text.contains("в **Confirm Deploy**") && text.contains("**Approved** выкатку не запускает"));
}

/// row 116: Finish comment has tokens, cost and links to existing artefacts.
#[test]
fn finish_comment_has_figures_and_links() {
    let finished = |role, usage, files| Note::RunFinished { role, usage, wall: Span::minutes(12), files };
    let files = vec!["docs/work-items/ORCH-042/12-review.md".to_owned()];
    assert_eq!(
        told(&finished(Role::Reviewer, usage(), files.clone()), Lang::En),
        "Finished: **reviewer**, after 12 min.\n\n\
         Tokens: 12.3k in (10.1k of it from the cache), 1.2k out. Cost: $0.42.\n\n\
         Documents: [12-review.md](<https://forge/docs/work-items/ORCH-042/12-review.md>)"
    );
    let nothing = told(&finished(Role::Developer, Usage::default(), vec![]), Lang::En);
    assert_eq!(nothing, "Finished: **developer**, after 12 min.\n\nTokens: unknown. Cost: price unknown.");
    let item = WorkItem::from("ORCH-042");
    let facts = NoteFacts { item: &item, text: &|_| None, link: &|_| None };
    let unlinked = super::note(&finished(Role::Reviewer, usage(), files), &facts, Lang::En);
    assert!(unlinked.ends_with("Documents: 12-review.md"), "{unlinked}");
}

/// row 117: Analyst comment links only existing documents and tells to use Approved/Rejected.
#[test]
fn analyst_comment_says_what_to_press() {
    let ready = |files: &[&str]| {
        let files = files.iter().map(|name| format!("docs/work-items/ORCH-042/{name}")).collect();
        told(&Note::RequirementsReady { files, branch: "feature/`orch-042`".to_owned() }, Lang::En)
    };
    let text = ready(&["01-brd.md"]);
    assert!(text.contains("**Approved**") && text.contains("**Rejected**"), "{text}");
    assert!(
        text.contains("Branch: `feature/orch-042`.") && text.contains("`orch approve ORCH-042`"),
        "{text}"
    );
    assert_eq!(text.matches("](<").count(), 1);
    assert!(!ready(&[]).contains("Documents"));
}

/// Proves that a judgement is told with its findings verbatim and its report, that one by main or the host counts no attempt,
/// that the last one does not speak of another beginning, and that an erased text leaves the rest standing (decisions 15,
/// 16, 39).
#[test]
fn going_back_is_told() {
    let back = |judge, text| Note::SentBack {
        from: Stage::Review,
        to: Stage::Development,
        judge,
        text: Some(Found::Kept(text)),
        attempt: 2,
        of: 3,
    };
    let judge = Judge::Gate(GateId::CheckReviewerVerdict);
    assert_eq!(
        told(&back(judge.clone(), Text::of(FINDINGS)), Lang::En),
        "Back to **Development**, attempt 2/3. Sent back by: verdict of the reviewer (check\\_reviewer\\_verdict).\n\n\
         What was found:\n\n````text\nP0: `x`\n```\ncode\n```\n````\n\n\
         All of it: [docs/work-items/ORCH-042/12-review.md](<https://forge/docs/work-items/ORCH-042/12-review.md>)"
    );
    let erased = told(&back(judge.clone(), Text::of("gone")), Lang::En);
    assert!(erased.contains("attempt 2/3") && !erased.contains("What was found"), "{erased}");
    let (from, to) = (Stage::Development, Stage::Development);
    let last = Note::SentBack { from, to, judge: judge.clone(), text: None, attempt: 3, of: 3 };
    let last = [
        told(&last, Lang::En),
        reason(&Reason::SentBack { from, to, judge: judge.clone(), attempt: 3, of: 3 }, Lang::En),
    ];
    for text in last {
        assert!(
            text.contains("attempt 3/3") && !text.contains("Back to") && !text.contains("again"),
            "{text}"
        );
    }
    for judge in [Judge::Main, Judge::Host] {
        let text = told(&back(judge.clone(), Text::of(FINDINGS)), Lang::En);
        let why = reason(&Reason::SentBack { from, to, judge, attempt: 0, of: 3 }, Lang::En);
        for text in [text, why] {
            assert!(text.contains("This does not count as an attempt.") && !text.contains("/3"), "{text}");
        }
    }
}

/// Proves that a rejection without a word has the fixed fallback that row 103 asks for.
#[test]
fn rejection_has_a_fallback() {
    assert!(super::said(&Said::RejectedWithoutReason, Lang::En).starts_with("Rejected without a reason."));
}

/// row 193: Task summary per agent on done.
#[test]
fn done_sums_by_role() {
    let unpriced = Usage { microdollars: None, ..usage() };
    let note = Note::Done {
        commit: Commit::from("0123456789abcdef"),
        deployed: true,
        roles: vec![(Role::Analyst, 2, usage()), (Role::Developer, 3, unpriced)],
        agents: Span::minutes(35),
        people: Span::minutes(25),
        wall: Span::minutes(120),
    };
    let head = format!("Done: merged and deployed, main is `{}`.", Commit::from("0123456789abcdef").short());
    assert_eq!(
        told(&note, Lang::En),
        head + "\n\n| Role | Runs | Tokens in | from the cache | Tokens out | Cost |\n|---|---|---|---|---|---|\n\
         | analyst | 2 | 12.3k | 10.1k | 1.2k | $0.42 |\n\
         | developer | 3 | 12.3k | 10.1k | 1.2k | price unknown |\n\
         | In all | 5 | 24.6k | 20.2k | 2.4k | at least $0.42 (price partly unknown) |\n\n\
         5 runs. Agents worked 35 min, from start to end it took 2 h.\n\n\
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
    let cause = Why::Outside { cause: "<img src=x>\n# [a](b)".into() };
    let text = comment::escalated(&WorkItem::from("A-1`x`"), Stage::Review, &cause, Lang::En);
    assert!(text.contains(r"\<img src=x\> \# \[a\](b)") && text.contains("`orch retry A-1x`"), "{text}");
}

/// row 211: Human-review time is shown separately from agent time and wall time on the finished card.
#[test]
fn people_and_agents_have_their_own_time() {
    let done = |people| Note::Done {
        commit: Commit::from("c0ffee"),
        deployed: false,
        roles: vec![(Role::Analyst, 1, usage()), (Role::Developer, 2, usage())],
        agents: Span::minutes(35),
        people,
        wall: Span::minutes(120),
    };
    let text = told(&done(Span::minutes(25)), Lang::En);
    assert!(text.contains("Agents worked 35 min, from start to end it took 2 h."), "{text}");
    assert!(text.contains("People took 25 min to review the requirements."), "{text}");
    assert!(!told(&done(Span(0)), Lang::En).contains("People took"));
}

/// incident I-34: a comment asked people for a word that nothing read any more; here every column that a comment tells them
/// to choose means something, and so does every command.
#[test]
fn what_people_are_told_to_do_does_something() {
    let choose = [(Lang::En, ["the issue to **"].as_slice()), (Lang::Ru, &["задачу в **", "её в **"])];
    for (lang, before) in choose {
        let mut columns = BTreeSet::new();
        for text in comments(lang) {
            for rest in before.iter().flat_map(|before| text.split(before).skip(1)) {
                let name = rest.split("**").next().unwrap_or_default();
                let status = Status::ALL.into_iter().find(|status| status.board_name() == name);
                let press = status.and_then(Press::of_status);
                assert!(press.is_some(), "{name} means nothing: {text}");
                columns.insert(name.to_owned());
            }
            for rest in text.split("`orch ").skip(1) {
                let command = rest.split(' ').next().unwrap_or_default();
                let presses =
                    ["approve", "reject", "confirm", "retry", "accept", "continue", "allow", "start"];
                // The others press nothing of a task: they show a run, say something, lift the freeze of a repository.
                let known = presses.contains(&command) || ["logs", "comment", "unfreeze"].contains(&command);
                assert!(known, "{command}: {text}");
            }
        }
        let told: Vec<&str> = columns.iter().map(String::as_str).collect();
        assert_eq!(told, ["Approved", "Confirm Deploy", "Rejected", "STOP", "To Analyse"], "{lang:?}");
    }
}
