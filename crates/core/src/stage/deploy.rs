//! Who says that it may go out, how is it merged, and what proves that it is out? Order: consent, lane, candidate,
//! merge, proof, hook, health (decisions 19, 20, 22, 41).

use std::sync::Arc;

use crate::artefact::FileVerdict;
use crate::backoff;
use crate::call::deploy::Health;
use crate::call::git::Proof;
use crate::call::tracker::Author;
use crate::change::Change;
use crate::decide::{CANDIDATE_CI, enter};
use crate::desk::{Desk, not_known};
use crate::event::{FreezeCause, Message, RunEnd, RunHow};
use crate::gate::{Evidence, GateId, Subject, Verdict};
use crate::id::{Commit, Entity, Tree};
use crate::note::Note;
use crate::outside;
use crate::reason::Reason;
use crate::record::{Came, DeployLog, Record};
use crate::rework::{Findings, Judge};
use crate::runs;
use crate::said::{Cause, Found, Said, Unknown};
use crate::stage::{Stage, intake, staging, terminal, unseen, watch};
use crate::task::{Ask, Consent, Delay, Deployed, Job, Merged, Rest, RunRow, Want, Why};

/// What comes next at `deploy`, from the facts.
pub(crate) fn proceed(d: &mut Desk<'_>) {
    match &d.task.merged {
        None => ask_consent(d),
        // A stop that waited to hear of the merge, when the lane was given back, waits for no lane. The freeze that kept what the
        // lane kept stays where something would be deployed now; where nothing is, the proof lifts it.
        Some(_) if d.task.cancel.is_some() && d.task.lane.is_none() && d.policy.preset.deploys() => {
            terminal::cancel_now(d)
        }
        Some(merged) if d.task.cancel.is_some() && d.task.lane.is_none() && !merged.proven => {
            d.ask(Ask::Prove, 0)
        }
        // Only one deploy of a repository at a time: after a person's retry the lane is asked for again (decision 21).
        Some(_) if d.task.lane.is_none() => d.queue(Want::Lane),
        Some(merged) if !merged.proven => d.ask(Ask::Prove, 0),
        Some(_) if d.task.watch.is_some() => watch::again(d),
        Some(_) if !d.policy.preset.deploys() => enter(d, Stage::Done),
        Some(_) if d.policy.probe && hooked(d) => d.ask(Ask::Probe, 0),
        Some(_) => hook(d),
    }
}

/// The lane came, and main has the task's merge. Where something is deployed, git says whether that has it already: others
/// may have deployed since, on top of it, and no deploy takes back what a later one brought (decision 75).
pub(crate) fn on_lane(d: &mut Desk<'_>) {
    let later = d.task.previous.is_some() && d.policy.preset.deploys();
    match &d.task.merged {
        Some(merged) if merged.proven && later => d.ask(Ask::Prove, 0),
        Some(_) | None => proceed(d),
    }
}

/// Whether the hook ran for this merge, as far as anybody knows: then the service may know more than we do.
fn hooked(d: &Desk<'_>) -> bool {
    let ran = |end: &Option<RunHow>| !matches!(end, Some(RunHow::CouldNotStart { .. }));
    d.task.runs.iter().any(|row| row.job == Job::Hook && row.round == d.task.round && ran(&row.end))
}

/// Production is touched with consent only, also where the policy began to ask for it after the merge.
fn hook(d: &mut Desk<'_>) {
    if !is_given(d) {
        d.release_lane();
        return ask_consent(d);
    }
    if !d.policy.hook {
        return d.escalate(Why::NoHook);
    }
    d.launch(Job::Hook);
}

/// Confirm Deploy, the label, or nothing where a project merges without asking (decision 6, row 135).
pub(crate) fn ask_consent(d: &mut Desk<'_>) {
    // A stop that waited for the merge is carried out here: there is nothing left to ask for.
    if d.task.cancel.is_some() {
        return terminal::cancel_now(d);
    }
    if outside::in_the_way(d) || lacks_means(d) {
        return;
    }
    let deploys = d.policy.preset.deploys();
    let Some(change) = d.task.change().cloned() else {
        return d.escalate(not_known(Unknown::Change));
    };
    if !asks(d) || is_given(d) || by_label(d) {
        return d.queue(Want::Lane);
    }
    let accepted = d.task.merged.as_ref().is_some_and(|merged| outside::is_accepted(d, &merged.commit));
    // Who consented to less is asked anew.
    if d.task.consent.is_some() && for_the_merge_alone(d) {
        d.change(Change::Consented(None));
    }
    if d.task.confirms != Some(deploys) {
        d.change(Change::Confirms(deploys));
    }
    d.say(Author::Deployer, Note::AwaitingConfirmation { change, deploys, accepted });
    d.change(Change::BoardFresh(false));
    d.rest(Rest::Confirmation);
}

/// Whether the project could not deliver what would be merged: its policy or its settings changed since the task began.
/// Then nothing is merged (decision 41). What is in main already needs no tests any more.
fn lacks_means(d: &mut Desk<'_>) -> bool {
    let Some(why) = intake::lacking(d.policy).filter(|_| d.task.merged.is_none()) else { return false };
    d.escalate(why);
    true
}

/// Whether somebody must consent before the merge (decision 6).
fn asks(d: &Desk<'_>) -> bool {
    d.policy.preset.deploys() || d.policy.confirm_merge
}

/// Whether somebody consented to exactly this change (decision 37); by the label, as long as it is there and counts, and until
/// Orch merged by it: what is in main by that consent, or deployed already, is brought to its end (decision 76).
fn is_given(d: &Desk<'_>) -> bool {
    let Some(consent) = &d.task.consent else { return false };
    let by_hand = d.task.outside.as_ref().is_some_and(|outside| outside.in_main.is_some());
    let begun = d.task.merged.is_some() && (!by_hand || hooked(d));
    let counts = if consent.standing { begun || label_counts(d) } else { !for_the_merge_alone(d) };
    d.task.change() == Some(&consent.what) && counts
}

/// Whether a person was asked for a merge alone, by the policy of then, and something would be deployed now (decision 37).
fn for_the_merge_alone(d: &Desk<'_>) -> bool {
    d.policy.preset.deploys() && d.task.confirms == Some(false)
}

/// Whether the label autoDeploy consents now; a failed deploy ends that until a person consents (decision 37).
fn label_counts(d: &Desk<'_>) -> bool {
    d.policy.labels && d.task.labels.auto_deploy && !d.task.standing_ended
}

/// The same; then it is told and noted.
fn by_label(d: &mut Desk<'_>) -> bool {
    let counts = label_counts(d);
    if counts {
        d.say(Author::Stream, Note::ByLabel { deploy: true, merges: !d.policy.preset.deploys() });
        consent(d, "autoDeploy", true);
    }
    counts
}

/// Consent to exactly this change (decision 37).
pub(crate) fn consent(d: &mut Desk<'_>, by: &str, standing: bool) {
    if let Some(what) = d.task.change().cloned() {
        d.change(Change::Consented(Some(Consent { what, by: by.to_owned(), at: d.at, standing })));
    }
    if !standing && d.task.standing_ended {
        d.change(Change::StandingEnded(false));
    }
}

/// The label came while a person was waited for.
pub(crate) fn labelled(d: &mut Desk<'_>) {
    if by_label(d) {
        d.queue(Want::Lane);
    }
}

/// The lane is held, the candidate is green: the point of no return (decision 41).
pub(crate) fn merge(d: &mut Desk<'_>) {
    d.because(Reason::GateSaid { gate: GateId::CheckBranchMergeable, passed: Some(true) });
    last_look(d, 0);
}

/// The turn to merge came: tests and consent are those of today's policy, which may have changed while it was waited for.
pub(crate) fn may_merge(d: &mut Desk<'_>, tries: u32) {
    let stands = d.task.candidate.as_ref().is_some_and(|candidate| staging::is_green(d, candidate));
    if !stands {
        d.because(Reason::EvidenceLapsed { gate: GateId::CheckCiGreen });
        return d.queue(CANDIDATE_CI);
    }
    if lacks_means(d) || lacks_consent(d) {
        return;
    }
    d.ask(Ask::Merge, tries);
}

/// A project that asks for consent since its policy changed waits for it, without the lane (decision 6).
fn lacks_consent(d: &mut Desk<'_>) -> bool {
    let lacks = asks(d) && !is_given(d);
    if lacks {
        d.release_lane();
        ask_consent(d);
    }
    lacks
}

/// The last look before the point of no return: a request that was edited or deleted meanwhile waits for a person
/// (decision 45). Then the turn to merge is waited for: it comes only while nothing is frozen or paused (decision 41).
fn last_look(d: &mut Desk<'_>, tries: u32) {
    if d.task.edited || !d.task.request.present {
        d.release_lane();
        return d.queue(Want::Lane);
    }
    if outside::in_the_way(d) {
        return;
    }
    if lacks_means(d) || lacks_consent(d) {
        return;
    }
    d.queue(Want::Merge { tries });
}

/// The answer of a merge was lost or late: did it happen? Only what did not is asked for again, and only if its gates
/// stand still (decision 19).
pub(crate) fn looked_up(d: &mut Desk<'_>, tries: u32, proof: &Proof) {
    let Some(candidate) = d.task.candidate.clone() else {
        return d.escalate(not_known(Unknown::Candidate));
    };
    if d.task.merge_untold {
        d.change(Change::MergeUntold(false));
    }
    if proof.ancestor {
        return merged(d, &candidate.commit, &proof.tree);
    }
    // It was frozen for this merge alone, unless an earlier round's deploy failed.
    if d.task.earlier_merges.is_empty() {
        d.thaw();
    }
    if d.task.cancel.is_some() {
        return terminal::cancel_now(d);
    }
    // A person began it afresh: the lane was given back meanwhile.
    if d.task.lane.is_none() {
        return crate::decide::proceed(d);
    }
    if !staging::is_green(d, &candidate) {
        return d.queue(CANDIDATE_CI);
    }
    last_look(d, tries);
}

/// Main is the candidate, says the forge; now prove it.
pub(crate) fn merged(d: &mut Desk<'_>, commit: &Commit, tree: &Tree) {
    d.because(Reason::Merged { commit: commit.clone() });
    d.change(Change::Merged(Merged {
        commit: commit.clone(),
        tree: tree.clone(),
        at: d.at,
        proven: false,
        change_request: d.task.change_request,
        branch: d.task.branch.as_ref().map(|branch| (branch.name.clone(), branch.head.clone())),
    }));
    proceed(d);
}

/// The proof of delivery: an ancestor of main with exactly the tested tree (decision 19, row 87).
pub(crate) fn proven(d: &mut Desk<'_>, proof: &Proof) {
    let reported = d.task.merged.as_ref().map(|merged| merged.tree.clone());
    let again = d.task.merged.as_ref().is_some_and(|merged| merged.proven);
    // What a person merged past the gates and accepted was not tested: then it is what they accepted (decision 45).
    let accepted = d.task.merged.as_ref().is_some_and(|merged| outside::is_accepted(d, &merged.commit));
    let tested = match accepted {
        true => reported.clone(),
        false => d.task.candidate.as_ref().map(|candidate| candidate.tree.clone()),
    };
    if !proof.ancestor || tested.as_ref() != Some(&proof.tree) || reported.as_ref() != Some(&proof.tree) {
        let differs = match proof.ancestor {
            true => Said::OtherTree { tree: proof.tree.clone() },
            false => Said::NotInMain { main: proof.main.clone() },
        };
        // Nobody merges on top of it: what the lane kept is frozen as it is given back.
        return d.escalate(Why::Unproven { cause: differs.into() });
    }
    d.because(if again { Reason::Noted } else { Reason::Proven });
    if !again {
        d.change(Change::Proven { tree: proof.tree.clone() });
        // The merge of a later round repairs what an earlier one broke (decision 41).
        d.thaw();
    }
    let deploys = d.policy.preset.deploys();
    if let Some(merged) = d.task.merged.clone().filter(|_| deploys && !again) {
        d.say(Author::Stream, Note::Merged { commit: merged.commit });
    }
    match d.task.previous.clone().filter(|_| deploys && proof.taken_along) {
        Some(with) => taken_along(d, &with),
        None if again => proceed(d),
        None if deploys => hook(d),
        None => enter(d, Stage::Done),
    }
}

/// What others deployed has it, and came out well: nothing is left to deploy, and nothing of theirs is taken back.
fn taken_along(d: &mut Desk<'_>, with: &Commit) {
    d.because(Reason::LaterDeployRuns { commit: with.clone() });
    if d.task.watch.is_some() {
        return watch::taken_along(d, with);
    }
    conclude(d, Came::Along { with }, Said::LaterDeployRuns { commit: with.clone() }, None);
}

/// The hook ended, or nobody knows how: then the service is asked (decision 22).
pub(crate) fn hook_ended(d: &mut Desk<'_>, end: &RunEnd) {
    match &end.how {
        RunHow::Exited { code: 0 } if d.policy.probe => d.ask(Ask::Probe, 0),
        RunHow::Exited { code: 0 } => unseen::wait(d),
        RunHow::Exited { code: 1 } => {
            conclude(d, Came::Failed, Said::HookFailed, end.tail.clone().map(Found::Kept));
        }
        RunHow::Exited { code: 2 } => {
            conclude(d, Came::NotRolledBack, Said::HookRollbackFailed, end.tail.clone().map(Found::Kept));
        }
        RunHow::CouldNotStart { cause } => runs::machine(d, Job::Hook, end.run, cause.clone()),
        RunHow::Exited { .. }
        | RunHow::Signalled { .. }
        | RunHow::TimedOut
        | RunHow::TooMuchOutput
        | RunHow::Stopped
        | RunHow::OverTokens { .. }
        | RunHow::Lost { .. }
        | RunHow::ProviderLimited { .. } => {
            if d.policy.probe {
                d.ask(Ask::Probe, 0);
            } else {
                cannot_tell(d, Said::HookSilent.into());
            }
        }
    }
}

/// A person is asked; the lane stays held, for nothing else may merge before it is known (decision 36). A stop that
/// waited for the deploy's end is carried out: nothing runs any more, and a freeze keeps what the lane kept.
pub(crate) fn cannot_tell(d: &mut Desk<'_>, cause: Cause) {
    if d.task.cancel.is_some() {
        untold(d, cause);
        return terminal::cancel_now(d);
    }
    d.rest(Rest::CannotTell { cause });
}

/// Nobody will ask any more what became of the deploy: a freeze keeps what the lane kept, and people are told.
pub(crate) fn untold(d: &mut Desk<'_>, cause: Cause) {
    if let Some(merged) = d.task.merged.clone() {
        d.freeze(FreezeCause::DeployUntold);
        d.say(Author::Deployer, Note::DeployUntold { cause, commit: merged.commit });
    }
}

/// The lane is given back by a task that stands still: what main holds of it, or may hold, and nobody proved or deployed
/// keeps everybody else from merging on top of it (decisions 19, 21, 41).
pub(crate) fn keep_main(d: &mut Desk<'_>, why: &Why) {
    // What froze it before says more.
    if d.task.froze {
        return;
    }
    match &d.task.merged {
        None if d.task.merge_untold => d.freeze(FreezeCause::UnprovenMerge),
        None => {}
        Some(merged) if !merged.proven => d.freeze(FreezeCause::UnprovenMerge),
        Some(_) if !d.policy.preset.deploys() || d.task.deployed.is_some() => {}
        Some(_) if !hooked(d) => d.freeze(FreezeCause::DeployFailed),
        Some(_) => match why {
            Why::Outside { cause } if d.task.cancel.is_some() => untold(d, cause.clone()),
            Why::Outside { .. }
            | Why::RoundsSpent
            | Why::Fruitless { .. }
            | Why::Conflicts
            | Why::RequestTooShort { .. }
            | Why::NoTests
            | Why::NoHook
            | Why::Unproven { .. }
            | Why::RollbackFailed
            | Why::Machine { .. }
            | Why::NoAgent { .. } => d.freeze(FreezeCause::DeployUntold),
        },
    }
}

/// What the deployed service says of itself; asked again for a while before it stands (decisions 22, 36).
pub(crate) fn probed(d: &mut Desk<'_>, tries: u32, health: &Health) {
    let said = match health {
        Health::Expected => return conclude(d, Came::Out, Said::ServiceWell, None),
        Health::Other { commit } => Said::ServiceOther { commit: commit.clone() },
        Health::Unwell { cause } => Said::ServiceUnwell { cause: Box::new(cause.clone()) },
        Health::CannotTell { cause } => Said::ServiceUntold { cause: Box::new(cause.clone()) },
    };
    if tries < backoff::PROBES {
        let cause = Delay::NotYet { cause: said.into() };
        return d.later(Ask::Probe, tries + 1, backoff::probe(tries), cause);
    }
    let hook_ended = hook_row(d).is_some_and(|row| row.end.is_some());
    match health {
        Health::Expected => {}
        Health::Other { .. } | Health::Unwell { .. } if hook_ended => conclude(d, Came::Failed, said, None),
        Health::Other { .. } | Health::Unwell { .. } | Health::CannotTell { .. } => {
            cannot_tell(d, said.into());
        }
    }
}

/// The repository is told what came out, and by which run of the hook; `seen` by a person, after others may have deployed.
pub(crate) fn tell_it_is_out(d: &mut Desk<'_>, commit: Commit, seen: bool) {
    let hook = hook_row(d).map(|row| row.run);
    d.tell(Entity::Repository(d.task.project.clone()), Message::Deployed { commit, hook, seen });
}

/// The last run of the hook in this round.
fn hook_row<'d>(d: &'d Desk<'_>) -> Option<&'d RunRow> {
    let mine = |row: &&Arc<RunRow>| row.job == Job::Hook && row.round == d.task.round;
    d.task.runs.iter().rev().find(mine).map(Arc::as_ref)
}

fn hook_code(d: &Desk<'_>) -> Option<i32> {
    hook_row(d).and_then(|row| match row.end {
        Some(RunHow::Exited { code }) => Some(code),
        Some(
            RunHow::Signalled { .. }
            | RunHow::TimedOut
            | RunHow::TooMuchOutput
            | RunHow::Stopped
            | RunHow::OverTokens { .. }
            | RunHow::CouldNotStart { .. }
            | RunHow::Lost { .. }
            | RunHow::ProviderLimited { .. },
        )
        | None => None,
    })
}

/// What the deploy came to is known: it is written down, and what is read back of that decides (decision 18, row 83).
/// `tail` is the end of what the hook printed.
pub(crate) fn conclude(d: &mut Desk<'_>, came: Came<'_>, said: Said, tail: Option<Found>) {
    let Some(merged) = d.task.merged.clone() else { return d.because(Reason::Noted) };
    let log = DeployLog {
        item: &d.task.item,
        came,
        hook: hook_code(d),
        commit: &merged.commit,
        run: hook_row(d).map(|row| row.run),
        round: d.task.round,
        said: &said,
        at: d.at,
        row: d.seq,
    };
    let (text, run) = (log.render(d.policy.language), log.run);
    let read = d.record(Record::DeployLog, &text, run);
    decided(d, read, came, said, tail);
}

/// A log that cannot be read is no verdict: never a pass, and nobody's fault (decision 36).
fn decided(d: &mut Desk<'_>, read: FileVerdict, came: Came<'_>, said: Said, tail: Option<Found>) {
    match read {
        FileVerdict::Positive => is_out(d, came),
        FileVerdict::Negative => match came {
            Came::Out | Came::Failed | Came::Seen { .. } | Came::Along { .. } => {
                failed(d, said, tail, Judge::Gate(GateId::CheckDeployStatus));
            }
            Came::TurnedDown { by } => failed(d, said, tail, Judge::Person(by.to_owned())),
            Came::NotRolledBack => not_rolled_back(d, said, tail),
        },
        FileVerdict::Unreadable(cause) => {
            d.because(Reason::GateSaid { gate: GateId::CheckDeployStatus, passed: None });
            let (record, cause) = (Record::DeployLog, Box::new(cause));
            cannot_tell(d, Said::RecordUnreadable { record, cause }.into());
        }
    }
}

/// The log says SUCCESS.
fn is_out(d: &mut Desk<'_>, came: Came<'_>) {
    let Some(merged) = d.task.merged.clone() else { return d.because(Reason::Noted) };
    let seen_by = match came {
        Came::Seen { by } => Some(by.to_owned()),
        Came::Out | Came::Along { .. } | Came::Failed | Came::NotRolledBack | Came::TurnedDown { .. } => None,
    };
    let with = match came {
        Came::Along { with } => Some(with.clone()),
        Came::Out | Came::Seen { .. } | Came::Failed | Came::NotRolledBack | Came::TurnedDown { .. } => None,
    };
    let healthy = (seen_by.is_none() && with.is_none()).then_some(true);
    if healthy.is_some() {
        d.because(Reason::Healthy);
    }
    d.because(Reason::GateSaid { gate: GateId::CheckDeployStatus, passed: Some(true) });
    let (commit, hook, at) = (merged.commit, hook_code(d), d.at);
    let later = with.is_some();
    d.change(Change::Deployed(Deployed { commit: commit.clone(), hook, healthy, seen_by, with, at }));
    judged(d, &commit, Verdict::Pass);
    // Who saw it looks no more; a stop that waited for the deploy is carried out now.
    if let Some(rules) = d.policy.watch.filter(|_| healthy.is_some() && d.task.cancel.is_none()) {
        return watch::begin(d, rules);
    }
    if !later {
        tell_it_is_out(d, commit, false);
    }
    enter(d, Stage::Done);
}

fn judged(d: &mut Desk<'_>, commit: &Commit, verdict: Verdict) {
    let run = hook_row(d).map(|row| row.run);
    d.change(Change::Judged(Arc::new(Evidence {
        gate: GateId::CheckDeployStatus,
        subject: Subject::Main(commit.clone()),
        definition: super::analysis::by_files(),
        verdict,
        run,
        commit: Some(commit.clone()),
        attempt: Some(d.task.attempt()),
        at: d.at,
    })));
}

/// The log says FAILED: the verdict, with the end of what the hook printed, or else with what decided.
pub(crate) fn judged_badly(d: &mut Desk<'_>, commit: &Commit, said: Said, tail: Option<Found>) -> Found {
    d.because(Reason::GateSaid { gate: GateId::CheckDeployStatus, passed: Some(false) });
    let text = tail.unwrap_or_else(|| said.into());
    judged(d, commit, Verdict::Fail { findings: text.clone() });
    text
}

/// Production is in between, and a person is paged (decision 22).
fn not_rolled_back(d: &mut Desk<'_>, said: Said, tail: Option<Found>) {
    let Some(merged) = d.task.merged.clone() else { return d.because(Reason::Noted) };
    judged_badly(d, &merged.commit, said, tail);
    d.freeze(FreezeCause::DeployFailed);
    d.escalate(Why::RollbackFailed);
}

/// The deploy failed after the merge: freeze, evidence, a new round (decision 41, row 84).
fn failed(d: &mut Desk<'_>, said: Said, tail: Option<Found>, from: Judge) {
    let Some(merged) = d.task.merged.clone() else { return d.because(Reason::Noted) };
    let cause = Cause::from(said.clone());
    d.because(Reason::DeployFailed { cause: cause.clone() });
    let text = judged_badly(d, &merged.commit, said, tail);
    let (hook, run) = (hook_code(d), hook_row(d).map(|row| row.run));
    let seen_by = match &from {
        Judge::Person(by) => Some(by.clone()),
        Judge::Gate(_) | Judge::Main | Judge::Host => None,
    };
    let (commit, at) = (merged.commit.clone(), d.at);
    d.change(Change::Deployed(Deployed { commit, hook, healthy: Some(false), seen_by, with: None, at }));
    d.freeze(FreezeCause::DeployFailed);
    d.say(Author::Deployer, Note::DeployFailed { cause, commit: merged.commit });
    d.release_lane();
    if d.task.cancel.is_some() {
        return terminal::cancel_now(d);
    }
    d.change(Change::StandingEnded(true));
    d.change(Change::RoundOpened);
    let link = run.map(|run| format!("run {run}")).unwrap_or_default();
    runs::begin_round(d, Findings { from, text, link, about: None });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::apply;
    use crate::call::Text;
    use crate::call::tracker::{IssueReading, Labels};
    use crate::id::{Seq, TaskId};
    use crate::policy::Policy;
    use crate::stage::Preset;
    use crate::state::State;
    use crate::task::Step;
    use crate::time::Moment;

    /// What follows from a log that reads like this, at the end of a deploy that came to that. `approved`: somebody approved
    /// the requirements, and the merge was not one of a person's own.
    fn after(read: FileVerdict, came: Came<'_>, preset: Preset, approved: bool) -> crate::task::Task {
        let id = TaskId::from("DEMO-001");
        let text = Text::of("");
        let reading = IssueReading {
            issue: "demo-1".into(),
            number: 1,
            status: None,
            title: text.clone(),
            slug: "x".to_owned(),
            text,
            labels: Labels::default(),
            present: true,
            revision: None,
        };
        let (commit, tree) = (Commit::from("a".repeat(40)), Tree::from("b".repeat(40)));
        let (at, change_request, branch) = (Moment(1), None, None);
        let merged = Merged { commit, tree, at, proven: true, change_request, branch };
        let born = Change::Born { id: id.clone(), project: "demo".into(), reading: Box::new(reading) };
        let (what, by) = (crate::artefact::requirements_digest(&[]), "ann".to_owned());
        let approval = approved.then_some(Consent { what, by, at: Moment(1), standing: false });
        let changes = [
            born,
            Change::Approved(approval),
            Change::Staged(Stage::Deploy),
            Change::Lane(true),
            Change::Merged(merged),
        ];
        let Some(State::Task(task)) = apply(None, &Entity::Task(id), (Seq(1), Moment(1)), &changes) else {
            panic!("a task is born");
        };
        let policy = Policy { preset, ..Policy::default() };
        let mut desk = Desk::new(task, &policy, Seq(2), Moment(2));
        decided(&mut desk, read, came, Said::ServiceWell, None);
        *desk.task
    }

    /// Proves decision 36 for the deploy log: what cannot be read back is no pass, whatever hook and service said; it waits
    /// for a person and costs nobody a round. And that what is read decides, not what was meant.
    #[test]
    fn what_is_read_back_decides() {
        for came in [Came::Out, Came::Failed, Came::NotRolledBack] {
            let task = after(FileVerdict::Unreadable(Said::FileNotFound.into()), came, Preset::Fast, true);
            let cause = Box::new(Said::FileNotFound.into());
            let expected = Said::RecordUnreadable { record: Record::DeployLog, cause }.into();
            assert_eq!(task.step, Step::Rest(Rest::CannotTell { cause: expected }), "{came:?}");
            assert_eq!((task.stage, task.deployed.is_none()), (Stage::Deploy, true), "{came:?}");
            assert_eq!((task.attempts.negative, task.evidence.len()), (0, 0), "{came:?}");
            assert!(task.lane.is_some(), "nothing else merges before it is known");
        }
        assert_eq!(after(FileVerdict::Negative, Came::Out, Preset::Fast, true).stage, Stage::Development);
        assert_eq!(after(FileVerdict::Positive, Came::Out, Preset::Fast, true).stage, Stage::Done);
    }

    /// Proves that a round which a failed deploy opens begins at the first gate that nobody passed: a person who merges by
    /// hand and accepts it has approved no requirements by that, and has decided no architecture (decisions 41, 45).
    #[test]
    fn a_round_begins_at_the_first_gate_that_nobody_passed() {
        let begins = |preset, approved| after(FileVerdict::Negative, Came::Failed, preset, approved).stage;
        for preset in [Preset::Full, Preset::Fast] {
            assert_eq!(begins(preset, false), Stage::Analysis, "{preset:?}");
        }
        assert_eq!(begins(Preset::Full, true), Stage::Architecture);
        assert_eq!(begins(Preset::Fast, true), Stage::Development);
    }
}
