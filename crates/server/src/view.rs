//! What does a task look like from outside? One view for pages and API, made from state and board, stored nowhere.

use orch_core::edited::shown;
use orch_core::event::Usage;
use orch_core::gate::{Evidence, Subject, Verdict};
use orch_core::gesture::Priority;
use orch_core::hold::{Hold, HoldKind, Standing, standing};
use orch_core::message::{self, Lang};
use orch_core::rework::MAX_DEVELOPER_RUNS;
use orch_core::stage::{Role, Stage};
use orch_core::task::{Job, RunRow, Task};
use orch_core::time::Moment;
use serde::Serialize;
use utoipa::ToSchema;

use crate::offer::offers;
use crate::show::rfc3339;
use crate::source::{Listed, Seen};
use crate::words;

/// What a task does or waits for, in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Stand {
    /// `working`, `person` (waits for one), `held` (waits for something else), `trouble` or `over`.
    pub(crate) state: &'static str,
    /// In one sentence.
    pub(crate) text: String,
    /// Since when.
    #[schema(format = DateTime)]
    pub(crate) since: String,
    /// What lifts it; empty while it works.
    pub(crate) lifts: String,
    /// What else it waits for, and what lifts that.
    pub(crate) also: Vec<String>,
    #[serde(skip)]
    pub(crate) since_at: Moment,
}

/// A task in one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Brief {
    /// Its id.
    #[schema(example = "ORCH-042")]
    pub(crate) id: String,
    /// Its work item.
    pub(crate) item: String,
    /// Its project.
    pub(crate) project: String,
    /// The issue at the tracker.
    pub(crate) issue: String,
    /// The title; empty if the text was erased.
    pub(crate) title: String,
    /// The stage's machine name.
    #[schema(example = "development")]
    pub(crate) stage: &'static str,
    /// The stage for people.
    pub(crate) stage_label: String,
    /// What it does or waits for.
    pub(crate) standing: Stand,
    /// `urgent`, `high`, `normal` or `low`.
    pub(crate) priority: &'static str,
    /// Which developer round it is in.
    pub(crate) attempt: u32,
    /// How many there can be.
    pub(crate) attempts: u32,
    /// Which round after a failed deploy.
    pub(crate) round: u32,
    /// What it used.
    pub(crate) usage: Spent,
    /// When it was first seen.
    #[schema(format = DateTime)]
    pub(crate) born: String,
    /// The row for which this is true.
    pub(crate) seq: u64,
}

/// Tokens and money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Spent {
    /// Fresh input; null if unknown.
    pub(crate) input: Option<u64>,
    /// Output; null if unknown.
    pub(crate) output: Option<u64>,
    /// Read from the provider's cache; null if unknown.
    pub(crate) cache_read: Option<u64>,
    /// Written to the provider's cache; null if unknown.
    pub(crate) cache_write: Option<u64>,
    /// Millionths of a US dollar; null if the price is unknown, never 0 for unknown.
    pub(crate) microdollars: Option<u64>,
    /// Whether some of the work has no known price: the true cost is higher.
    pub(crate) partial: bool,
    /// The money for people: `$0.42`, `≥ $0.42` where a part has no known price, or that the price is unknown.
    pub(crate) cost: String,
}

/// All of a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Full {
    /// In one line.
    #[serde(flatten)]
    pub(crate) brief: Brief,
    /// The description; null if it was erased.
    pub(crate) text: Option<String>,
    /// The labels that mean something.
    pub(crate) labels: Vec<&'static str>,
    /// The digest of title, description and labels as they are here; an edit that names it as `was` changes nothing else.
    pub(crate) shown: String,
    /// The task branch of this round.
    pub(crate) branch: Option<String>,
    /// Its head.
    pub(crate) head: Option<String>,
    /// The digest of the change.
    pub(crate) change: Option<String>,
    /// The change request.
    pub(crate) change_request: Option<u64>,
    /// The commit on main, once merged.
    pub(crate) merged: Option<String>,
    /// Whether the merge is proven.
    pub(crate) proven: bool,
    /// The deployed commit.
    pub(crate) deployed: Option<String>,
    /// Whether the deployed service is well; null before, and where no service could be asked.
    pub(crate) healthy: Option<bool>,
    /// Who looked at the deploy where no service could be asked.
    pub(crate) deploy_seen_by: Option<String>,
    /// Whether a stop was asked for and waits for an irreversible step.
    pub(crate) stopping: bool,
    /// Gestures that mean something now.
    pub(crate) gestures: Vec<Gesture>,
    /// Its runs, oldest first.
    pub(crate) runs: Vec<Run>,
    /// What gates said, newest last.
    pub(crate) gates: Vec<Gate>,
    /// The numbered files.
    pub(crate) artefacts: Vec<File>,
}

/// A gesture that means something now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Gesture {
    /// The last part of its path.
    #[schema(example = "approve")]
    pub(crate) name: &'static str,
    /// The digest of what is approved or confirmed, to be sent back as `what`.
    pub(crate) what: Option<String>,
}

/// A run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Run {
    /// Its id.
    #[schema(example = "r12.0")]
    pub(crate) id: String,
    /// `analyst` ... `tester`, `ci` or `hook`.
    pub(crate) job: &'static str,
    /// What it is of, for people.
    pub(crate) label: String,
    /// The agent's name in the settings.
    pub(crate) agent: Option<String>,
    /// The round.
    pub(crate) round: u32,
    /// On which commit.
    pub(crate) commit: String,
    /// When it began.
    #[schema(format = DateTime)]
    pub(crate) began: String,
    /// How it ended; null while it lives.
    pub(crate) end: Option<String>,
    /// Whether it ended well and brought what its role must bring; null while it lives.
    pub(crate) well: Option<bool>,
    /// Bytes of its output that were too many to be kept: its log has begin and end.
    pub(crate) left_out: u64,
    /// How long it ran, in milliseconds; so far, while it lives.
    pub(crate) wall_ms: u64,
    /// How long, for people.
    pub(crate) wall: String,
    /// What it used.
    pub(crate) usage: Spent,
    /// The stage it belongs to.
    pub(crate) stage: &'static str,
    #[serde(skip)]
    pub(crate) tokens: String,
    #[serde(skip)]
    pub(crate) short_commit: String,
}

/// What a gate said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Gate {
    /// The machine name.
    #[schema(example = "check_ci_green")]
    pub(crate) id: &'static str,
    /// For people.
    pub(crate) label: String,
    /// `pass`, `fail` or `unavailable`.
    pub(crate) verdict: &'static str,
    /// What it found, or why it could not judge; null if the text was erased or there is none.
    pub(crate) findings: Option<String>,
    /// What it is about: `requirements`, `change`, `tree` or `main`.
    pub(crate) subject: &'static str,
    /// The digest, tree or commit it is about.
    pub(crate) about: String,
    /// The digest of the gate's definition.
    pub(crate) definition: String,
    /// In which of the attempts that the change has; null where it is about the requirements, and in older rows.
    pub(crate) attempt: Option<u32>,
    /// In which round, where a run gave it.
    pub(crate) round: Option<u32>,
    /// The run that gave it.
    pub(crate) run: Option<String>,
    /// The commit it ran on.
    pub(crate) commit: Option<String>,
    /// When.
    #[schema(format = DateTime)]
    pub(crate) at: String,
    #[serde(skip)]
    pub(crate) at_: Moment,
}

/// A numbered file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct File {
    /// Its name below the work item's folder.
    #[schema(example = "12-review.md")]
    pub(crate) name: String,
    /// The digest of its bytes.
    pub(crate) digest: String,
    /// `positive`, `negative`, `unreadable`, or null for files without a verdict.
    pub(crate) verdict: Option<&'static str>,
    /// How it stands on its branch, for what Orch itself wrote; null for files of the task branch.
    pub(crate) record: Option<Filed>,
}

/// How a record of Orch's own stands on its branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Filed {
    /// The branch.
    #[schema(example = "orch/records")]
    pub(crate) branch: &'static str,
    /// The commit that has it; null until it stands.
    pub(crate) commit: Option<String>,
    /// Why it does not stand yet, if that was tried in vain; nothing waits for it.
    pub(crate) trouble: Option<String>,
    /// Whether the gesture `retry` is needed; else it is tried again by itself.
    pub(crate) refused: bool,
}

/// What some runs used together. A sum that leaves out what has no price says so (decision 12).
pub(crate) fn spent<'a>(runs: impl Iterator<Item = &'a RunRow>, lang: Lang) -> Spent {
    let unpriced = |usage: Usage| usage.tokens() > 0 && usage.microdollars.is_none();
    let sum = |(sum, some): (Usage, bool), run: &RunRow| (sum.plus(run.usage), some || unpriced(run.usage));
    let (usage, some) = runs.fold((Usage::default(), false), sum);
    let partial = some && usage.microdollars.is_some();
    let cost = words::cost(usage, lang);
    Spent {
        input: usage.input,
        output: usage.output,
        cache_read: usage.cache_read,
        cache_write: usage.cache_write,
        microdollars: usage.microdollars,
        cost: if partial { format!("≥ {cost}") } else { cost },
        partial,
    }
}

/// Whether a hold is for a person, a trouble, or passes by itself.
fn state_of(kind: &HoldKind) -> &'static str {
    match kind {
        HoldKind::Questions
        | HoldKind::Approval
        | HoldKind::Protected { .. }
        | HoldKind::Confirmation { .. }
        | HoldKind::RequestChanged
        | HoldKind::MergedOutside { .. }
        | HoldKind::Withdrawn(_)
        | HoldKind::RunBudget { .. }
        | HoldKind::DeployUnseen { .. }
        | HoldKind::IssueGone => "person",
        HoldKind::Escalated(_)
        | HoldKind::CannotTell { .. }
        | HoldKind::WentBad { .. }
        | HoldKind::WentSilent { .. }
        | HoldKind::StoreDamaged { .. }
        | HoldKind::DiskFull
        | HoldKind::Frozen { .. } => "trouble",
        HoldKind::Paused { .. }
        | HoldKind::NotAsked
        | HoldKind::Provider { .. }
        | HoldKind::TaskBudget { .. }
        | HoldKind::DayBudget { .. }
        | HoldKind::Serial { .. }
        | HoldKind::Lane { .. }
        | HoldKind::Watched { .. }
        | HoldKind::Slot { .. }
        | HoldKind::Turn { .. }
        | HoldKind::Stopping { .. }
        | HoldKind::RetryAt { .. }
        | HoldKind::Retired
        | HoldKind::SettingsRefused { .. }
        | HoldKind::NoPolicy { .. }
        | HoldKind::PolicyRefused { .. } => "held",
    }
}

/// What a task does or waits for, in words.
pub(crate) fn stand(task: &Task, seen: &Seen, now: Moment, lang: Lang) -> Stand {
    let plain = |state, text: String, since: Moment| Stand {
        state,
        text,
        since: rfc3339(since),
        lifts: String::new(),
        also: Vec::new(),
        since_at: since,
    };
    match standing(task, &seen.board, &seen.policies, now) {
        Standing::Working { run, ask, since } => {
            plain("working", words::working(run, ask.as_ref(), lang), since)
        }
        Standing::Over { since } => plain("over", words::stage_label(task.stage, lang), since),
        Standing::Held(holds) => {
            let Some((Hold { kind, since }, rest)) = holds.split_first() else {
                return plain("held", String::new(), task.step_since);
            };
            Stand {
                state: state_of(kind),
                text: words::hold(kind, &task.item, lang),
                since: rfc3339(*since),
                lifts: words::lifts(kind, &task.item, lang),
                also: rest.iter().map(|hold| words::also(&hold.kind, &task.item, lang)).collect(),
                since_at: *since,
            }
        }
    }
}

pub(crate) const fn priority(priority: Priority) -> &'static str {
    match priority {
        Priority::Urgent => "urgent",
        Priority::High => "high",
        Priority::Normal => "normal",
        Priority::Low => "low",
    }
}

pub(crate) fn brief(listed: &Listed, seen: &Seen, now: Moment, lang: Lang) -> Brief {
    let task = &listed.task;
    Brief {
        id: task.id.to_string(),
        item: task.item.to_string(),
        project: task.project.to_string(),
        issue: task.issue.to_string(),
        title: listed.title.clone().unwrap_or_default(),
        stage: task.stage.name(),
        stage_label: words::stage_label(task.stage, lang),
        standing: stand(task, seen, now, lang),
        priority: priority(task.priority),
        attempt: task.attempt(),
        attempts: MAX_DEVELOPER_RUNS,
        round: task.round,
        usage: spent(task.runs.iter().map(AsRef::as_ref), lang),
        born: rfc3339(task.born),
        seq: listed.seq.0,
    }
}

pub(crate) fn run(row: &RunRow, now: Moment, lang: Lang) -> Run {
    let wall = if row.end.is_some() { row.wall } else { now.since(row.at) };
    Run {
        id: row.run.to_string(),
        job: match row.job {
            Job::Agent(role) => role.name(),
            Job::Ci(_) => "ci",
            Job::Hook => "hook",
        },
        label: words::job_name(row.job, lang),
        agent: row.agent.clone(),
        round: row.round,
        commit: row.commit.to_string(),
        began: rfc3339(row.at),
        end: row.end.as_ref().map(|how| {
            let end = match &row.lacked {
                Some(cause) => words::of_no_use(cause, lang),
                None => words::run_end(how, lang),
            };
            match row.left_out {
                0 => end,
                bytes => format!("{end}; {}", words::left_out(bytes, lang)),
            }
        }),
        left_out: row.left_out,
        well: row
            .end
            .as_ref()
            .map(|how| row.lacked.is_none() && matches!(how, orch_core::event::RunHow::Exited { code: 0 })),
        wall_ms: wall.0,
        wall: words::span(wall, lang),
        usage: spent(std::iter::once(row), lang),
        stage: stage_of(row.job).name(),
        tokens: words::tokens(row.usage.tokens()),
        short_commit: row.commit.short().to_owned(),
    }
}

/// The stage a run belongs to on the page. Tests on the developer's commit belong to its stage; those on the candidate
/// stand before the merge.
pub(crate) const fn stage_of(job: Job) -> Stage {
    match job {
        Job::Agent(Role::Analyst) => Stage::Analysis,
        Job::Agent(Role::Architect) => Stage::Architecture,
        Job::Agent(Role::Developer) | Job::Ci(orch_core::task::CiOf::Head) => Stage::Development,
        Job::Agent(Role::Reviewer) => Stage::Review,
        Job::Agent(Role::Tester) => Stage::Testing,
        Job::Ci(orch_core::task::CiOf::Candidate) => Stage::DeployStaging,
        Job::Hook => Stage::Deploy,
    }
}

pub(crate) fn gate(task: &Task, evidence: &Evidence, findings: Option<String>, lang: Lang) -> Gate {
    let round = evidence.run.and_then(|run| task.runs.iter().find(|row| row.run == run)).map(|row| row.round);
    let attempt = match &evidence.subject {
        Subject::Change(_) | Subject::Tree(_) => evidence.attempt,
        Subject::Requirements(_) | Subject::Main(_) => None,
    };
    let (subject, about) = match &evidence.subject {
        Subject::Requirements(digest) => ("requirements", digest.to_string()),
        Subject::Change(digest) => ("change", digest.to_string()),
        Subject::Tree(tree) => ("tree", tree.to_string()),
        Subject::Main(commit) => ("main", commit.to_string()),
    };
    let (verdict, findings) = match &evidence.verdict {
        Verdict::Pass => ("pass", None),
        Verdict::Fail { .. } => ("fail", findings),
        Verdict::Unavailable { cause } => ("unavailable", Some(cause.clone())),
    };
    Gate {
        id: evidence.gate.name(),
        label: words::gate_label(evidence.gate, lang),
        verdict,
        findings,
        subject,
        about,
        definition: evidence.definition.to_string(),
        attempt,
        round,
        run: evidence.run.map(|run| run.to_string()),
        commit: evidence.commit.as_ref().map(|commit| commit.to_string()),
        at: rfc3339(evidence.at),
        at_: evidence.at,
    }
}

/// All of a task; `text` and `findings` (one an evidence) are its kept texts.
pub(crate) fn full(
    listed: &Listed,
    texts: (Option<String>, Vec<Option<String>>),
    seen: &Seen,
    now: Moment,
    lang: Lang,
) -> Full {
    let task = &listed.task;
    let (text, findings) = texts;
    Full {
        brief: brief(listed, seen, now, lang),
        text,
        labels: [("autoApprove", task.labels.auto_approve), ("autoDeploy", task.labels.auto_deploy)]
            .into_iter()
            .filter_map(|(label, on)| on.then_some(label))
            .collect(),
        shown: shown(&task.request.title.blob, &task.request.text.blob, task.labels).to_string(),
        branch: task.branch.as_ref().map(|branch| branch.name.clone()),
        head: task.branch.as_ref().map(|branch| branch.head.to_string()),
        change: task.change().map(|change| change.to_string()),
        change_request: task.change_request,
        merged: task.merged.as_ref().map(|merged| merged.commit.to_string()),
        proven: task.merged.as_ref().is_some_and(|merged| merged.proven),
        deployed: task.deployed.as_ref().map(|deployed| deployed.commit.to_string()),
        healthy: task.deployed.as_ref().and_then(|deployed| deployed.healthy),
        deploy_seen_by: task.deployed.as_ref().and_then(|deployed| deployed.seen_by.clone()),
        stopping: task.cancel.is_some() && !task.stage.is_terminal(),
        gestures: offers(task, seen, now)
            .iter()
            .map(|offer| Gesture { name: offer.path(), what: offer.what().map(|what| what.to_string()) })
            .collect(),
        runs: task.runs.iter().map(|row| run(row, now, lang)).collect(),
        gates: task
            .evidence
            .iter()
            .zip(findings.into_iter().chain(std::iter::repeat(None)))
            .map(|(evidence, findings)| gate(task, evidence, findings, lang))
            .collect(),
        artefacts: files(task, lang),
    }
}

/// What lies on the task branch, and what Orch itself wrote: that comes before a file of the same name.
fn files(task: &Task, lang: Lang) -> Vec<File> {
    use orch_core::artefact::FileVerdict;
    let word = |verdict: &FileVerdict| match verdict {
        FileVerdict::Positive => "positive",
        FileVerdict::Negative => "negative",
        FileVerdict::Unreadable(_) => "unreadable",
    };
    let own = |name: &str| task.records.iter().any(|known| known.record.file() == name);
    let agents = task.artefacts.iter().filter(|file| !own(&file.name)).map(|file| File {
        name: file.name.clone(),
        digest: file.digest.to_string(),
        verdict: file.verdict.as_ref().map(word),
        record: None,
    });
    let records = task.records.iter().map(|known| File {
        name: known.record.file().to_owned(),
        digest: known.text.blob.to_string(),
        verdict: Some(word(&known.verdict)),
        record: Some(Filed {
            branch: orch_core::record::BRANCH,
            commit: known.standing().map(|commit| commit.to_string()),
            trouble: known.trouble.as_ref().map(|trouble| message::cause(&trouble.cause, lang)),
            refused: known.is_refused(),
        }),
    });
    let mut files: Vec<File> = agents.chain(records).collect();
    files.sort_by(|a, b| a.name.cmp(&b.name));
    files
}
