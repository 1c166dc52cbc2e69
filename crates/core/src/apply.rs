//! How is state made? Only here: the fold of changes, total, from any journal of any age (decision 39).
//!
//! A change that does not fit the state it meets changes nothing: `decide` never makes one, and
//! [`crate::replay`] names it.

use std::sync::Arc;

use crate::change::Change;
use crate::event::Stamped;
use crate::gate::Subject;
use crate::id::{Entity, Seq};
use crate::record::{Record, Recorded};
use crate::state::{
    Freeze, Installation, Project, Provider, Repository, SettingsRefused, State, StoreDamaged,
};
use crate::task::{Board, Known, Request, Rest, ReviewClock, Step, Task};
use crate::time::Moment;

/// The state after some changes that were decided at `(seq, at)`.
pub fn apply(
    state: Option<State>,
    entity: &Entity,
    stamp: (Seq, Moment),
    changes: &[Change],
) -> Option<State> {
    changes.iter().fold(state, |state, change| one(state, entity, stamp, change))
}

/// The same for the stamp of an event.
pub fn apply_stamped(
    state: Option<State>,
    entity: &Entity,
    stamped: &Stamped<'_>,
    changes: &[Change],
) -> Option<State> {
    apply(state, entity, (stamped.seq, stamped.at), changes)
}

/// What an entity is before anything happened to it; a task is nothing before its birth.
pub fn blank(entity: &Entity) -> Option<State> {
    match entity {
        Entity::Task(_) => None,
        Entity::Repository(_) => Some(State::Repository(Repository::default())),
        Entity::Project(_) => Some(State::Project(Project::default())),
        Entity::Provider(_) => Some(State::Provider(Provider::default())),
        Entity::Installation => Some(State::Installation(Installation::default())),
    }
}

fn one(state: Option<State>, entity: &Entity, stamp: (Seq, Moment), change: &Change) -> Option<State> {
    match state.or_else(|| blank(entity)) {
        None => born(stamp, change),
        Some(State::Task(mut task)) => {
            to_task(&mut task, stamp, change);
            Some(State::Task(task))
        }
        Some(State::Repository(mut repository)) => {
            to_repository(&mut repository, stamp.1, change);
            Some(State::Repository(repository))
        }
        Some(State::Project(mut project)) => {
            to_project(&mut project, stamp.1, change);
            Some(State::Project(project))
        }
        Some(State::Provider(mut provider)) => {
            to_provider(&mut provider, stamp.1, change);
            Some(State::Provider(provider))
        }
        Some(State::Installation(mut installation)) => {
            to_installation(&mut installation, stamp.1, change);
            Some(State::Installation(installation))
        }
    }
}

fn born((seq, at): (Seq, Moment), change: &Change) -> Option<State> {
    let Change::Born { id, project, reading } = change else { return None };
    Some(State::Task(Box::new(Task {
        id: id.clone(),
        item: id.item(),
        project: project.clone(),
        issue: reading.issue.clone(),
        number: reading.number,
        born: at,
        request: Request {
            title: reading.title.clone(),
            slug: reading.slug.clone(),
            text: reading.text.clone(),
            present: reading.present,
        },
        board: Board { shows: reading.status, ..Board::default() },
        labels: reading.labels,
        priority: crate::gesture::Priority::Normal,
        stage: crate::stage::Stage::Created,
        stage_since: at,
        step: Step::Rest(Rest::Start),
        step_since: at,
        step_seq: seq,
        escalated: None,
        round: 1,
        attempts: crate::rework::Attempts::default(),
        branch: None,
        change_request: None,
        artefacts: Arc::default(),
        approval: None,
        consent: None,
        protected: None,
        protected_ok: None,
        evidence: Vec::new(),
        findings: None,
        candidate: None,
        lane: None,
        merged: None,
        earlier_merges: Vec::new(),
        deployed: None,
        previous: None,
        cancel: None,
        review: ReviewClock::default(),
        runs: Vec::new(),
        answers: false,
        edited: false,
        confirms: None,
        standing_ended: false,
        rejection: None,
        froze: false,
        records: Vec::new(),
        outside: None,
        was_in_main: None,
        accepted: None,
        passed: None,
        allowed: None,
        merge_untold: false,
        untold: Vec::new(),
        stopping: Vec::new(),
        revision: reading.revision,
        watch: None,
        named: None,
        unread: false,
        later: Vec::new(),
    })))
}

fn recorded(task: &mut Task, record: Record) -> Option<&mut Recorded> {
    task.records.iter_mut().find(|known| known.record == record)
}

/// How much evidence is kept with a task; older verdicts stay in the journal.
const EVIDENCE_KEPT: usize = 48;

/// How many readings are kept that came while one write to the board was on its way.
const PASSED_KEPT: usize = 16;

/// One change of a task that is born: what [`apply`] does to it, in place.
pub(crate) fn to_task(task: &mut Task, (seq, at): (Seq, Moment), change: &Change) {
    match change {
        Change::Requested(request) => task.request = request.clone(),
        Change::Named(slug) => task.named = Some(slug.clone()),
        Change::Labelled(labels) => task.labels = *labels,
        Change::Prioritised(priority) => task.priority = *priority,
        Change::BoardShows(status) => task.board.shows = *status,
        Change::BoardWriting { effect, status } => task.board.writing = Some((*effect, *status)),
        Change::BoardPassed => {
            let known = Known::of(task);
            let surplus = (task.board.passed.len() + 1).saturating_sub(PASSED_KEPT);
            task.board.passed.drain(..surplus);
            task.board.passed.push(known);
        }
        Change::BoardSettled => {
            task.board.writing = None;
            task.board.passed.clear();
        }
        Change::Followed => task.board.followed = true,
        Change::BoardFresh(fresh) => {
            task.board.fresh = *fresh;
            task.board.passed.iter_mut().for_each(|known| known.fresh &= *fresh);
        }
        Change::Staged(stage) => {
            task.stage = *stage;
            task.stage_since = at;
        }
        Change::Stepped(step) => {
            task.step = (**step).clone();
            task.step_since = at;
            task.step_seq = seq;
        }
        Change::Escalated(escalation) => task.escalated = escalation.clone(),
        Change::RoundOpened => {
            task.round += 1;
            task.branch = None;
            task.change_request = None;
            task.candidate = None;
            task.consent = None;
            task.protected = None;
            task.protected_ok = None;
            task.deployed = None;
            task.outside = None;
            task.accepted = None;
            task.passed = None;
            task.watch = None;
            task.later.clear();
            task.earlier_merges.extend(task.merged.take());
        }
        Change::Attempted(attempts) => task.attempts = *attempts,
        Change::Branched(branch) => task.branch = Some(branch.clone()),
        Change::ChangeOpened(number) => task.change_request = Some(*number),
        Change::Artefacts(artefacts) => task.artefacts = Arc::clone(artefacts),
        Change::Approved(consent) => task.approval = consent.clone(),
        Change::Consented(consent) => task.consent = consent.clone(),
        Change::ProtectedSeen(protected) => task.protected = protected.clone(),
        Change::ProtectedApproved(diff) => task.protected_ok = Some(diff.clone()),
        Change::ProtectedForgotten => task.protected_ok = None,
        Change::JudgementsForgotten => {
            task.evidence.retain(|evidence| !matches!(evidence.subject, Subject::Change(_)));
        }
        Change::Judged(evidence) => {
            task.evidence.retain(|e| {
                (e.gate, &e.subject, &e.definition)
                    != (evidence.gate, &evidence.subject, &evidence.definition)
            });
            task.evidence.push(Arc::clone(evidence));
            let surplus = task.evidence.len().saturating_sub(EVIDENCE_KEPT);
            task.evidence.drain(..surplus);
        }
        Change::Found(findings) => task.findings = findings.clone(),
        Change::CandidateBuilt(candidate) => task.candidate = candidate.clone(),
        Change::Lane(held) => task.lane = held.then_some(seq),
        Change::Merged(merged) => task.merged = Some(merged.clone()),
        Change::Proven { tree } => {
            if let Some(merged) = &mut task.merged {
                merged.proven = merged.tree == *tree;
            }
        }
        Change::Deployed(deployed) => task.deployed = Some(deployed.clone()),
        Change::Previous(commit) => task.previous = commit.clone(),
        Change::CancelAsked(cancel) => task.cancel = Some((**cancel).clone()),
        Change::ReviewClock(clock) => task.review = *clock,
        Change::RunBegan(row) => task.runs.push(Arc::clone(row)),
        Change::RunOver { run, how, wall, usage, left_out } => {
            if let Some(row) = task.runs.iter_mut().find(|row| row.run == *run) {
                let row = Arc::make_mut(row);
                row.end = Some(how.clone());
                row.wall = *wall;
                row.usage = *usage;
                row.left_out = *left_out;
            }
        }
        Change::RunLacked { run, cause } => {
            if let Some(row) = task.runs.iter_mut().find(|row| row.run == *run) {
                Arc::make_mut(row).lacked = Some(cause.clone());
            }
        }
        Change::Answers(answers) => task.answers = *answers,
        Change::FoundLater { stage, findings } => {
            task.later.retain(|(known, _)| known != stage);
            task.later.extend(findings.clone().map(|findings| (*stage, findings)));
        }
        Change::Unread(unread) => task.unread = *unread,
        Change::Edited(edited) => task.edited = *edited,
        Change::Confirms(deploys) => task.confirms = Some(*deploys),
        Change::WasInMain(commit) => task.was_in_main = Some(commit.clone()),
        Change::StandingEnded(ended) => task.standing_ended = *ended,
        Change::Rejected(rejection) => task.rejection = rejection.clone(),
        Change::Froze(froze) => task.froze = *froze,
        Change::BoardRefused(status) => task.board.refused = *status,
        Change::Recorded { record, text, verdict, run } => {
            let before = task.records.iter().position(|known| known.record == *record);
            let before = before.map(|at| task.records.remove(at));
            task.records.push(Recorded {
                record: *record,
                text: text.clone(),
                verdict: verdict.clone(),
                run: *run,
                at,
                writing: before.as_ref().and_then(|known| known.writing.clone()),
                stands: before.and_then(|known| known.stands),
                trouble: None,
            });
        }
        Change::RecordWriting { record, effect } => {
            if let Some(known) = recorded(task, *record) {
                known.writing = Some((*effect, known.text.blob.clone()));
            }
        }
        Change::RecordStands { record, commit } => {
            if let Some(known) = recorded(task, *record)
                && let Some((_, text)) = known.writing.take()
            {
                known.stands = Some((text, commit.clone()));
                known.trouble = None;
            }
        }
        Change::RecordTroubled { record, trouble } => {
            if let Some(known) = recorded(task, *record) {
                known.writing = None;
                known.trouble = trouble.clone();
            }
        }
        Change::Outside(outside) => task.outside = outside.clone(),
        Change::Accepted(consent) => task.accepted = Some(consent.clone()),
        Change::CandidatePassed(candidate) => task.passed = Some(candidate.clone()),
        Change::PassedForgotten => task.passed = None,
        Change::Allowed(by) => task.allowed = by.clone(),
        Change::MergeUntold(untold) => task.merge_untold = *untold,
        Change::Untold(asks) => task.untold.clone_from(asks),
        Change::Stopping(runs) => task.stopping.clone_from(runs),
        Change::Watched(watch) => task.watch = Some(watch.clone()),
        Change::ReadAt(revision) => task.revision = Some(*revision),
        Change::Due(at) => {
            if let Step::Backoff { due, .. } = &mut task.step {
                *due = *at;
            }
        }
        Change::Born { .. }
        | Change::MainAt(_)
        | Change::DeployedAt(_)
        | Change::DeployedBy { .. }
        | Change::Frozen { .. }
        | Change::Thawed { .. }
        | Change::PolicyHolds { .. }
        | Change::PolicyRefused(_)
        | Change::Retired
        | Change::ProviderClosed { .. }
        | Change::Paused(_)
        | Change::Unpaused
        | Change::LimitsHold(_)
        | Change::SettingsRefused(_)
        | Change::Spent { .. }
        | Change::DiskFull(_)
        | Change::ProviderDue(_)
        | Change::StoreDamaged(_)
        | Change::Booted(_) => {}
    }
}

fn to_repository(repository: &mut Repository, at: Moment, change: &Change) {
    if let Change::MainAt(commit) = change {
        repository.main = Some(commit.clone());
    } else if let Change::DeployedBy { commit, run } = change {
        (repository.deployed, repository.deployed_by) = (Some(commit.clone()), Some(*run));
    } else if let Change::DeployedAt(commit) = change {
        repository.deployed = Some(commit.clone());
    } else if let Change::Frozen { cause, task } = change {
        repository.freezes.push(Freeze { cause: cause.clone(), task: task.clone(), at });
    } else if let Change::Thawed { task } = change {
        match task {
            Some(task) => repository.freezes.retain(|freeze| freeze.task.as_ref() != Some(task)),
            None => repository.freezes.clear(),
        }
    }
}

fn to_project(project: &mut Project, at: Moment, change: &Change) {
    if let Change::PolicyHolds { digest, .. } = change {
        *project = Project { policy: Some(digest.clone()), ..Project::default() };
    } else if let Change::PolicyRefused(refused) = change {
        project.refused = Some(refused.clone());
        project.retired = None;
    } else if let Change::Retired = change {
        project.retired = Some(at);
    }
}

fn to_provider(provider: &mut Provider, at: Moment, change: &Change) {
    if let Change::ProviderClosed { until, cause, row } = change {
        provider.refusals = if until.is_some() { provider.refusals + 1 } else { 0 };
        provider.closed_until = *until;
        provider.closed_at = until.map(|_| at);
        provider.closed_in = *row;
        provider.stepped = 0;
        provider.cause = cause.clone();
    } else if let Change::ProviderDue(until) = change {
        let before = provider.closed_until.unwrap_or(*until);
        provider.stepped = provider.stepped.saturating_add(until.0.saturating_sub(before.0));
        provider.closed_until = Some(*until);
    }
}

fn to_installation(installation: &mut Installation, at: Moment, change: &Change) {
    if let Change::Paused(pause) = change {
        installation.pause = Some((**pause).clone());
    } else if let Change::Unpaused = change {
        installation.pause = None;
    } else if let Change::LimitsHold(limits) = change {
        installation.limits = limits.clone();
    } else if let Change::SettingsRefused(cause) = change {
        installation.refused = cause.clone().map(|cause| SettingsRefused { cause, at });
    } else if let Change::Spent { day, microdollars } = change {
        installation.day = *day;
        installation.spent = *microdollars;
    } else if let Change::DiskFull(full) = change {
        installation.disk_full = full.then_some(at);
    } else if let Change::StoreDamaged(cause) = change {
        installation.damaged = cause.clone().map(|cause| Box::new(StoreDamaged { cause, at }));
    } else if let Change::Booted(boot) = change {
        installation.boot = boot.clone();
    }
}
