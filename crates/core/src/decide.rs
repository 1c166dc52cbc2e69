//! What follows from what happened? The table: one pure function for every entity (decisions 1, 42).
//!
//! An event that nothing waits for is a reason, never an error: the journal shows why it did nothing.

use crate::apply::apply_stamped;
use crate::call::deploy::Health;
use crate::call::tracker::Status;
use crate::call::{DeployReply, FailureKind, ForgeReply, GitReply, Reply, TrackerReply};
use crate::change::Change;
use crate::desk::Desk;
use crate::effect::{Effect, Timer};
use crate::event::{EffectReply, Event, Grant, Message, Outcome, RunEnd, RunHow, Stamped, Turn};
use crate::gate::GateId;
use crate::id::{EffectId, Entity, TaskId, TimerId};
use crate::journal::Blob;
use crate::policy::Policy;
use crate::reason::{Ignored, NoEffect, Reason};
use crate::record::{Recorded, Trouble};
use crate::rework::{Findings, Judge};
use crate::said::Said;
use crate::stage::{Stage, deploy, development, intake, staging, terminal, testing, watch};
use crate::state::State;
use crate::task::{Ask, CiOf, Delay, Job, Rest, Step, Task, Untold, Want, Why};
use crate::{backoff, others, outside, press, runs};

/// What was decided about one event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[must_use]
pub struct Decision {
    /// What is different now.
    pub changes: Vec<Change>,
    /// What is to be done outside, after the commit.
    pub effects: Vec<Effect>,
    /// The entity's one timer from now on: `None` leaves it, `Some(None)` disarms it.
    pub timer: Option<Option<Timer>>,
    /// Why, also when nothing is done.
    pub reasons: Vec<Reason>,
    /// What other entities are told, in the same transaction.
    pub messages: Vec<(Entity, Message)>,
    /// Texts that Orch made and that the above names.
    pub blobs: Vec<Blob>,
}

impl Decision {
    /// Nothing is done, for this reason.
    pub fn only(reason: Reason) -> Self {
        Decision { reasons: vec![reason], ..Decision::default() }
    }
}

/// Decides about one event of one entity. Reads nothing else: what it wants of another entity is a message.
pub fn decide(entity: &Entity, state: Option<&State>, stamped: &Stamped<'_>, policy: &Policy) -> Decision {
    match entity {
        Entity::Task(id) => match state {
            Some(State::Task(task)) => on_task(task.clone(), stamped, policy).finish(),
            None => before_birth(id, stamped, policy),
            Some(State::Repository(_) | State::Project(_) | State::Provider(_) | State::Installation(_)) => {
                Decision::only(Reason::Ignored(Ignored::NotForThis))
            }
        },
        Entity::Repository(_) | Entity::Project(_) | Entity::Provider(_) | Entity::Installation => {
            others::decide(entity, state, stamped)
        }
    }
}

/// Decides, and gives the state after it as well. Of a task that is the desk's own copy, to which the same
/// [`crate::apply`] did each change as it was made: no second copy, and nothing done twice.
pub fn decide_and_apply(
    entity: &Entity,
    state: Option<State>,
    stamped: &Stamped<'_>,
    policy: &Policy,
) -> (Decision, Option<State>) {
    match (entity, state) {
        (Entity::Task(_), Some(State::Task(task))) => {
            let (decision, task) = on_task(task, stamped, policy).finish_both();
            (decision, Some(State::Task(task)))
        }
        (
            Entity::Task(_)
            | Entity::Repository(_)
            | Entity::Project(_)
            | Entity::Provider(_)
            | Entity::Installation,
            state,
        ) => {
            let decision = decide(entity, state.as_ref(), stamped, policy);
            let after = apply_stamped(state, entity, stamped, &decision.changes);
            (decision, after)
        }
    }
}

fn before_birth(id: &TaskId, stamped: &Stamped<'_>, policy: &Policy) -> Decision {
    let (Event::Issue(seen) | Event::Message(Message::Reborn(seen))) = stamped.event else {
        return Decision::only(Reason::Ignored(Ignored::Unknown));
    };
    // What the life before covered begins another only if it asks for one.
    let reborn = matches!(stamped.event, Event::Message(_));
    if reborn && seen.reading.status != Some(Status::ToAnalyse) {
        return Decision::only(Reason::Ignored(Ignored::Unknown));
    }
    intake::birth(id, seen, stamped, policy)
}

fn on_task<'a>(task: Box<Task>, stamped: &Stamped<'_>, policy: &'a Policy) -> Desk<'a> {
    let mut desk = Desk::new(task, policy, stamped.seq, stamped.at);
    let d = &mut desk;
    match stamped.event {
        Event::Issue(seen) => press::on_reading(d, seen),
        Event::Gesture(gesture) => press::on_gesture(d, gesture),
        Event::Reply(reply) => on_reply(d, reply),
        Event::RunEnded(end) => runs::on_end(d, end),
        Event::Branch(reading) => outside::on_reading(d, reading),
        Event::Timer(timer) => on_timer(d, *timer),
        Event::ClockStepped { by } => on_clock_step(d, *by),
        Event::Granted(grant) => on_grant(d, grant),
        Event::Message(message) => match message {
            Message::Reborn(seen) => press::on_passed_on(d, seen),
            Message::Freeze { .. }
            | Message::Thaw { .. }
            | Message::Deployed { .. }
            | Message::ProviderLimited { .. }
            | Message::ProviderWorks
            | Message::ProviderWorked { .. }
            | Message::Spent { .. } => d.because(Reason::Ignored(Ignored::NotForThis)),
        },
        Event::Main(_)
        | Event::PolicyChanged(_)
        | Event::PolicyRefused(_)
        | Event::ProjectRetired
        | Event::LimitsChanged(_)
        | Event::SettingsRefused(_)
        | Event::Started(_)
        | Event::Disk(_)
        | Event::Store(_) => d.because(Reason::Ignored(Ignored::NotForThis)),
    }
    d.settle_board();
    d.settle_records();
    desk
}

/// A turn counts only for the wait it was given for (decision 3).
fn on_grant(d: &mut Desk<'_>, grant: &Grant) {
    let Step::Queued(want) = d.task.step.clone() else {
        return d.because(Reason::Ignored(Ignored::StaleToken));
    };
    if want.turn() != grant.turn || grant.wanted != d.task.step_seq {
        return d.because(Reason::Ignored(Ignored::StaleToken));
    }
    d.because(Reason::TurnTaken);
    match want {
        Want::Start => intake::begin(d),
        Want::Agent(role) => d.launch(Job::Agent(role)),
        // The tests of a policy that holds again said it already (decision 40).
        Want::Ci(CiOf::Candidate) if d.task.candidate.clone().is_some_and(|it| staging::is_green(d, &it)) => {
            d.because(Reason::EvidenceStands { gate: GateId::CheckCiGreen });
            staging::candidate_green(d);
        }
        Want::Ci(CiOf::Head) if development::is_green(d) => development::judge(d),
        Want::Ci(of) => d.launch(Job::Ci(of)),
        Want::Lane => {
            d.change(Change::Lane(true));
            if d.task.previous != grant.deployed {
                d.change(Change::Previous(grant.deployed.clone()));
            }
            match d.task.merged {
                None => d.ask(Ask::Candidate, 0),
                Some(_) => deploy::on_lane(d),
            }
        }
        Want::Merge { .. } if grant.gives_way => {
            d.because(Reason::GaveWay);
            d.release_lane();
            d.queue(Want::Lane);
        }
        Want::Merge { tries } => deploy::may_merge(d, tries),
    }
}

fn on_timer(d: &mut Desk<'_>, fired: TimerId) {
    let Step::Backoff { timer, ask, tries, .. } = d.task.step.clone() else {
        return d.because(Reason::Ignored(Ignored::StaleToken));
    };
    if timer != fired {
        return d.because(Reason::Ignored(Ignored::StaleToken));
    }
    try_again(d, ask, tries);
}

/// The wait is over: what was asked for is asked again.
pub(crate) fn try_again(d: &mut Desk<'_>, ask: Ask, tries: u32) {
    match ask {
        // Other tests by now: a run that may live already would be asked for with another command (decision 40).
        Ask::Launch { run, job: Job::Ci(of) }
            if !d.task.has_ended(run) && development::definition_of(d, run) != d.policy.ci_definition() =>
        {
            d.stop_run(run);
            d.drop_tree(run);
            d.because(Reason::EvidenceLapsed { gate: GateId::CheckCiGreen });
            d.queue(Want::Ci(of));
        }
        // The same run is asked for again: it may live already. One that ended needs a turn of its own.
        Ask::Launch { run, job } if !d.task.has_ended(run) => d.ask(Ask::Launch { run, job }, tries),
        Ask::Launch { job: Job::Agent(role), .. } => d.queue(Want::Agent(role)),
        Ask::Launch { job: Job::Ci(of), .. } => d.queue(Want::Ci(of)),
        Ask::Launch { job: Job::Hook, .. } => deploy::proceed(d),
        // It may have happened: looked up, never repeated blindly (decision 19).
        Ask::Merge => d.ask(Ask::Prove, tries),
        ask @ (Ask::CutBranch { .. }
        | Ask::Collect { .. }
        | Ask::OpenChange
        | Ask::Restore
        | Ask::Candidate
        | Ask::Prove
        | Ask::Probe
        | Ask::Watch
        | Ask::Reason { .. }) => d.ask(ask, tries),
    }
}

/// A wait is as long as it was (decision 46).
fn on_clock_step(d: &mut Desk<'_>, by: i64) {
    match d.task.step.clone() {
        Step::Backoff { timer, due, .. } => {
            d.rearm(timer, due.stepped_by(by));
            d.because(Reason::Noted);
        }
        Step::Rest(_) | Step::Queued(_) | Step::Asked { .. } | Step::Running { .. } => {
            d.because(Reason::Ignored(Ignored::NotForThis));
        }
    }
}

fn on_reply(d: &mut Desk<'_>, reply: &EffectReply) {
    if let Some((writing, wanted)) = d.task.board.writing
        && writing == reply.effect
    {
        return on_board_written(d, &reply.outcome, wanted);
    }
    if d.task.stopping.iter().any(|stopping| stopping.effect == reply.effect) {
        let others = d.task.stopping.iter().filter(|stopping| stopping.effect != reply.effect);
        d.change(Change::Stopping(others.copied().collect()));
    }
    let writing =
        |known: &&Recorded| known.writing.as_ref().is_some_and(|(effect, _)| *effect == reply.effect);
    if let Some(known) = d.task.records.iter().find(writing).cloned() {
        return on_record_written(d, &known, &reply.outcome);
    }
    let Step::Asked { effect, ask, tries } = d.task.step.clone() else {
        return aside(d, reply);
    };
    if effect != reply.effect {
        return aside(d, reply);
    }
    if d.task.cancel.is_some() && !d.task.is_critical() {
        terminal::cancel_now(d);
        return terminal::told(d, reply);
    }
    remember(d, effect, &ask, &reply.outcome);
    if let Some(rejection) = d.task.rejection.clone()
        && !matches!(&reply.outcome, Outcome::Failed(f) if f.kind != FailureKind::Permanent)
    {
        if let Outcome::Done(answer) = &reply.outcome {
            take_in(d, &ask, answer);
        }
        // What was not taken in is not asked for again.
        if let Ask::Collect { run, .. } = &ask
            && !matches!(&reply.outcome, Outcome::Done(Reply::Git(GitReply::Collected(_))))
        {
            d.drop_tree(*run);
        }
        d.change(Change::Rejected(None));
        return press::reject_now(d, rejection.by, rejection.reason);
    }
    match &reply.outcome {
        Outcome::Done(answer) => on_answer(d, ask, tries, answer),
        // Whatever kept the question from being asked: nobody can tell (decision 36).
        Outcome::Failed(failure) if ask == Ask::Watch => {
            watch::saw(d, &Health::CannotTell { cause: failure.cause.clone() });
        }
        Outcome::Failed(failure) => match failure.kind {
            FailureKind::Transient | FailureKind::Unknown => match ask {
                // A rejection is not held up by a tracker that does not answer (row 103).
                Ask::Reason { by } if tries >= press::REASON_TRIES => press::reason_read(d, by, &[]),
                ask => d.outage(ask, tries, failure.cause.clone()),
            },
            FailureKind::Permanent => match &ask {
                Ask::Launch { run, job } => {
                    let cause = failure.cause.clone();
                    // An earlier request may have started it, and nobody will wait for it any more: an agent or the tests
                    // are stopped. A hook is not: what it did is asked, and no second one begins beside it (decision 22).
                    let how = match job {
                        Job::Hook if tries > 0 => RunHow::Lost { cause },
                        Job::Hook => RunHow::CouldNotStart { cause },
                        Job::Agent(_) | Job::Ci(_) => {
                            d.stop_run(*run);
                            RunHow::CouldNotStart { cause }
                        }
                    };
                    let end = RunEnd {
                        run: *run,
                        how,
                        wall: crate::time::Span(0),
                        usage: crate::event::Usage::default(),
                        tail: None,
                        left_out: 0,
                    };
                    runs::ended(d, *job, &end);
                }
                Ask::Reason { by } => press::reason_read(d, by.clone(), &[]),
                // A person can look, and say (decision 64).
                Ask::Probe => {
                    d.because(Reason::GateSaid { gate: GateId::CheckDeployStatus, passed: None });
                    deploy::cannot_tell(d, failure.cause.clone());
                }
                Ask::CutBranch { .. }
                | Ask::Collect { .. }
                | Ask::OpenChange
                | Ask::Restore
                | Ask::Candidate
                | Ask::Merge
                | Ask::Prove
                | Ask::Watch => {
                    if let Ask::Collect { run, .. } = &ask {
                        d.drop_tree(*run);
                    }
                    d.escalate(Why::Outside { cause: failure.cause.clone() });
                }
            },
        },
    }
}

/// What was refused for good may have happened when it was asked before: it is remembered until an answer says where
/// branch and change request are, so that a stop can undo it (row 146).
fn remember(d: &mut Desk<'_>, effect: EffectId, ask: &Ask, outcome: &Outcome) {
    let mut untold = d.task.untold.clone();
    match outcome {
        Outcome::Failed(failure) => {
            let known = untold.iter().any(|untold| untold.ask == *ask);
            if failure.kind == FailureKind::Permanent && ask.moves_branch() && !known {
                untold.push(Untold { effect, ask: ask.clone() });
            }
        }
        Outcome::Done(Reply::Forge(ForgeReply::ChangeOpened { .. })) => {
            untold.retain(|untold| untold.ask != Ask::OpenChange);
        }
        Outcome::Done(Reply::Git(
            GitReply::BranchCut { .. }
            | GitReply::Collected(_)
            | GitReply::Candidate(_)
            | GitReply::InMain(_)
            | GitReply::Conflict { head: Some(_), .. }
            | GitReply::BranchMoved { .. },
        )) => untold.retain(|untold| untold.ask == Ask::OpenChange),
        Outcome::Done(_) => {}
    }
    if d.task.untold != untold {
        d.change(Change::Untold(untold));
    }
}

/// The facts of an answer, without what would follow from it: something else follows.
fn take_in(d: &mut Desk<'_>, ask: &Ask, answer: &Reply) {
    match answer {
        Reply::Git(GitReply::BranchCut { branch, head, base }) => intake::cut(d, branch, head, base),
        Reply::Git(GitReply::Collected(collected)) => {
            if let Ask::Collect { run, role } = ask {
                runs::take_in(d, *run, *role, collected);
            }
        }
        Reply::Git(GitReply::Candidate(candidate)) => staging::take_in(d, candidate),
        Reply::Git(GitReply::InMain(by)) => outside::in_main(d, by),
        Reply::Git(GitReply::BranchMoved { head } | GitReply::Conflict { head: Some(head), .. }) => {
            runs::take_over(d, head);
        }
        Reply::Forge(ForgeReply::ChangeOpened { change }) => d.change(Change::ChangeOpened(*change)),
        Reply::Forge(ForgeReply::Restored) => outside::take_in(d),
        Reply::Git(
            GitReply::NameTaken
            | GitReply::Conflict { head: None, .. }
            | GitReply::Proof(_)
            | GitReply::RecordWritten { .. }
            | GitReply::TreeDropped,
        )
        | Reply::Forge(_)
        | Reply::Tracker(_)
        | Reply::Agent(_)
        | Reply::Gate(_)
        | Reply::Deploy(_) => {}
    }
}

/// The reply of an effect that the task does not wait for.
fn aside(d: &mut Desk<'_>, reply: &EffectReply) {
    match &reply.outcome {
        Outcome::Done(_) => d.because(Reason::Noted),
        Outcome::Failed(failure) => {
            let cause = failure.cause.clone();
            d.because(Reason::Unperformed { effect: reply.effect, cause });
        }
    }
    terminal::told(d, reply);
}

fn on_board_written(d: &mut Desk<'_>, outcome: &Outcome, wanted: Status) {
    match outcome {
        Outcome::Done(Reply::Tracker(TrackerReply::StatusSet { status, revision, covered, words })) => {
            press::on_written(d, wanted, (*status, *revision, words.as_deref()), *covered);
        }
        Outcome::Done(_) => {
            d.change(Change::BoardShows(Some(wanted)));
            d.change(Change::BoardSettled);
            d.because(Reason::Noted);
        }
        // A board that refuses a column for good is left alone until another one is wanted: no loop without an end. One
        // that did not answer is asked again.
        Outcome::Failed(failure) => {
            let cause = failure.cause.clone();
            d.change(Change::BoardSettled);
            if failure.kind == FailureKind::Permanent {
                d.change(Change::BoardRefused(Some(wanted)));
            }
            d.because(Reason::BoardRefused { cause });
        }
    }
}

/// A record stands on its branch, or does not: the task goes on either way. Of an older text the trouble says nothing
/// about the newest, which is asked for next.
fn on_record_written(d: &mut Desk<'_>, known: &Recorded, outcome: &Outcome) {
    let record = known.record;
    let (cause, kind) = match outcome {
        Outcome::Done(Reply::Git(GitReply::RecordWritten { commit })) => {
            d.change(Change::RecordStands { record, commit: commit.clone() });
            return d.because(Reason::RecordStands { record });
        }
        Outcome::Done(_) => (Said::OddRecordAnswer.into(), FailureKind::Permanent),
        Outcome::Failed(failure) => (failure.cause.clone(), failure.kind),
    };
    let newest = known.writing.as_ref().is_some_and(|(_, text)| *text == known.text.blob);
    let lasting = newest && kind == FailureKind::Permanent;
    d.change(Change::RecordTroubled {
        record,
        trouble: newest.then(|| Trouble { cause: cause.clone(), lasting }),
    });
    d.because(Reason::RecordTroubled { record, cause, lasting });
}

fn on_answer(d: &mut Desk<'_>, ask: Ask, tries: u32, answer: &Reply) {
    match (ask, answer) {
        (Ask::CutBranch { .. }, Reply::Git(GitReply::BranchCut { branch, head, base })) => {
            intake::branch_cut(d, branch, head, base);
        }
        (Ask::CutBranch { plain: true }, Reply::Git(GitReply::NameTaken)) => {
            d.ask(Ask::CutBranch { plain: false }, 0);
        }
        // Both names: a restored journal knows nothing of the work that stands there.
        (Ask::CutBranch { plain: false }, Reply::Git(GitReply::NameTaken)) => {
            let name = d.branch_name(false);
            d.escalate(Why::Outside { cause: Said::BranchNameTaken { branch: name.to_string() }.into() });
        }
        (
            Ask::Launch { run, job },
            Reply::Agent(_) | Reply::Gate(_) | Reply::Deploy(DeployReply::Launched { .. }),
        ) => {
            d.step(Step::Running { run, job });
            d.because(Reason::Noted);
        }
        (Ask::Collect { run, role }, Reply::Git(GitReply::Collected(collected))) => {
            runs::collected(d, run, role, collected);
        }
        (Ask::Collect { run, .. }, Reply::Git(GitReply::BranchMoved { head })) => {
            d.drop_tree(run);
            runs::adopt(d, head);
        }
        (Ask::Candidate, Reply::Git(GitReply::BranchMoved { head })) => runs::adopt(d, head),
        (Ask::OpenChange, Reply::Forge(ForgeReply::ChangeOpened { change })) => {
            d.change(Change::ChangeOpened(*change));
            development::judge(d);
        }
        (Ask::Restore, Reply::Forge(ForgeReply::Restored)) => outside::restored(d),
        (Ask::Candidate, Reply::Git(GitReply::Candidate(candidate))) => {
            staging::candidate_built(d, candidate)
        }
        // What a sweep would have said: it counts as the merge, or a person is asked.
        (Ask::Candidate, Reply::Git(GitReply::InMain(by))) => {
            outside::in_main(d, by);
            proceed(d);
        }
        (Ask::Candidate, Reply::Git(GitReply::Conflict { paths, head })) => {
            // Whoever goes on begins with both sides.
            if let Some(head) = head {
                runs::take_over(d, head);
            }
            staging::conflict(d, paths)
        }
        (Ask::Merge, Reply::Forge(ForgeReply::Merged { commit, tree })) => deploy::merged(d, commit, tree),
        (Ask::Merge, Reply::Forge(ForgeReply::MainMoved { main })) => {
            d.because(Reason::MainMoved { main: main.clone() });
            if d.task.cancel.is_some() {
                return terminal::cancel_now(d);
            }
            d.ask(Ask::Candidate, 0);
        }
        (Ask::Merge, Reply::Forge(ForgeReply::ChangeClosed)) => {
            if d.task.cancel.is_some() {
                return terminal::cancel_now(d);
            }
            outside::closed(d);
        }
        (Ask::Merge, Reply::Forge(ForgeReply::CheckoutDirty { path, branch })) => {
            if d.task.cancel.is_some() {
                return terminal::cancel_now(d);
            }
            let wait = backoff::outage(tries + 1);
            let cause = Delay::CheckoutDirty { path: path.clone(), branch: branch.clone() };
            d.later(Ask::Merge, tries + 1, wait, cause);
        }
        (Ask::Prove, Reply::Git(GitReply::Proof(proof))) => match d.task.merged {
            Some(_) => deploy::proven(d, proof),
            None => deploy::looked_up(d, tries, proof),
        },
        (Ask::Probe, Reply::Deploy(DeployReply::Probed(health))) => deploy::probed(d, tries, health),
        (Ask::Watch, Reply::Deploy(DeployReply::Probed(health))) => watch::saw(d, health),
        (Ask::Reason { by }, Reply::Tracker(TrackerReply::Comments(comments))) => {
            press::reason_read(d, by, comments);
        }
        // An adapter that answers another question: looked at by a person, never guessed at.
        (ask, _) => {
            d.escalate(Why::Outside { cause: Said::OddAnswer { ask: Box::new(ask) }.into() });
        }
    }
}

/// What comes next, from the facts alone: after a retry, a person's consent, or a gate (level-triggered, decision 2).
pub(crate) fn proceed(d: &mut Desk<'_>) {
    let stage = d.task.stage;
    if d.task.branch.is_none() && !matches!(stage, Stage::Created | Stage::Done | Stage::Cancelled) {
        return d.ask(Ask::CutBranch { plain: true }, 0);
    }
    // It may be in main already: that is proved before anything is asked, built or merged again (decision 19).
    if d.task.merge_untold && d.task.merged.is_none() {
        return d.ask(Ask::Prove, 0);
    }
    // After the merge there is only one way on, in every preset (decision 41).
    if d.task.merged.is_some() {
        return deploy::proceed(d);
    }
    if outside::in_the_way(d) {
        return;
    }
    match stage {
        Stage::Created => intake::ask_to_begin(d),
        Stage::Analysis | Stage::Architecture | Stage::Review => queue_role(d),
        Stage::Testing => {
            // Nobody tests again what was tested, also where the policy deploys only since then.
            if staging::tests_stand(d) {
                testing::passed(d);
            } else {
                queue_role(d);
            }
        }
        Stage::Development => {
            // A change that no judgement sent back yet goes on to its judges; otherwise the developer works.
            if d.task.findings.is_none()
                && runs::developed(d)
                && d.task.branch.as_ref().is_some_and(|b| b.change.is_some() && !b.empty)
            {
                development::judge(d);
            } else {
                queue_role(d);
            }
        }
        Stage::DeployStaging => staging::enter_gates(d),
        Stage::Deploy => deploy::proceed(d),
        Stage::Done | Stage::Cancelled => d.rest(Rest::Over),
    }
}

fn queue_role(d: &mut Desk<'_>) {
    if let Some(role) = d.task.stage.role() {
        d.queue(Want::Agent(role));
    }
}

/// Moves the task to a stage and begins there.
pub(crate) fn enter(d: &mut Desk<'_>, to: Stage) {
    let from = d.task.stage;
    d.because(Reason::Advanced { from, to });
    d.change(Change::Staged(to));
    let mut attempts = d.task.attempts;
    attempts.fruitless = 0;
    attempts.machine = 0;
    attempts.rejections = 0;
    if d.task.attempts != attempts {
        d.change(Change::Attempted(attempts));
    }
    if d.task.findings.is_some() && to != Stage::Development {
        d.change(Change::Found(None));
    }
    // A change that was written for other requirements is not passed on as it is (decision 45).
    let there = d.task.branch.as_ref().is_some_and(|branch| branch.change.is_some() && !branch.empty);
    let written = there && runs::developed(d);
    let later = d.task.later.iter().find(|(stage, _)| *stage == to).cloned();
    if let Some((stage, findings)) = later {
        d.change(Change::FoundLater { stage, findings: None });
        d.change(Change::Found(Some(findings)));
    } else if to == Stage::Development && written {
        let text = Said::RequirementsChanged.into();
        d.change(Change::Found(Some(Findings { from: Judge::Host, text, link: String::new(), about: None })));
    } else if to == Stage::Development
        && let Some(findings) = runs::why_round_began(d)
    {
        d.change(Change::Found(Some(findings)));
    }
    if from == Stage::Analysis && d.task.review.ended.is_none() {
        let mut clock = d.task.review;
        clock.ended = Some(d.at);
        d.change(Change::ReviewClock(clock));
    }
    if to == Stage::Done {
        terminal::done(d);
    } else {
        proceed(d);
    }
}

/// The stage after this one.
pub(crate) fn advance(d: &mut Desk<'_>) {
    match d.task.stage.next(d.policy.preset) {
        Some(next) => enter(d, next),
        None => d.because(Reason::Ignored(Ignored::Terminal)),
    }
}

/// A gesture that does nothing here.
pub(crate) fn no_effect(d: &mut Desk<'_>, press: &str, why: NoEffect) {
    d.because(Reason::GestureWithoutEffect { press: press.to_owned(), why });
}

/// The turn that a candidate's tests need.
pub(crate) const CANDIDATE_CI: Want = Want::Ci(CiOf::Candidate);

/// For the board: a task that waits, and for what. A run does not begin beside one of the same task that is being stopped.
pub fn wanted_turn(task: &Task) -> Option<Turn> {
    match &task.step {
        Step::Queued(Want::Agent(_) | Want::Ci(_)) if task.stopping_run().is_some() => None,
        Step::Queued(want) => Some(want.turn()),
        Step::Rest(_) | Step::Asked { .. } | Step::Running { .. } | Step::Backoff { .. } => None,
    }
}

#[cfg(test)]
mod tests;
