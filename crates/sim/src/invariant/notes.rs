//! Is what people are told so, and are they told it once? (invariants D2, F3)

use std::collections::BTreeMap;

use orch_core::call::{Call, GitReply, Reply, TrackerCall};
use orch_core::change::Change;
use orch_core::event::{Event, Outcome, Usage};
use orch_core::gesture::Press;
use orch_core::id::{Commit, Digest, RunId, TaskId};
use orch_core::journal::Row;
use orch_core::note::Note;
use orch_core::reason::Reason;
use orch_core::stage::{Role, Stage};
use orch_core::task::{Job, Outside, Rest, Step};
use orch_core::time::Span;

use super::{Broken, Watch, broken};

/// What the rows told of a task so far, as far as people are told of it.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Each fact that was said, and what had happened by then that could make it another one.
    told: BTreeMap<String, Since>,
    since: Since,
    /// What this round put on main.
    merged: Option<Commit>,
    /// All that is in main of it, by whomever.
    in_main: Vec<Commit>,
    /// Whether it froze its repository, and whether its merge is proven.
    froze: bool,
    proven: bool,
    /// Whether a merge was asked for, and nobody knows whether it happened.
    untold: bool,
    /// What came out well in this round.
    out: Option<Commit>,
    /// What each run is that began.
    began: BTreeMap<RunId, Job>,
    /// Agents' runs that ended and that nobody was told of: what they used, and how long they ran.
    over: BTreeMap<RunId, (Role, Usage, Span)>,
    /// What the branch carries.
    carries: Option<Digest>,
    rest: Option<Rest>,
    auto_deploy: Option<bool>,
    machine: u32,
}

/// How often something happened after which the same sentence may be another fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Since {
    /// A run began.
    runs: u32,
    /// A person said something; a stop makes nothing new.
    people: u32,
    /// It began to wait for another thing than before.
    rests: u32,
    /// Main got it.
    merges: u32,
    /// What somebody had taken away was there again.
    back: u32,
    /// The machine, which had failed, worked.
    works: u32,
    /// A look at production with nothing to tell.
    looks: u32,
    /// The label autoDeploy came or went, as far as the task knows.
    labels: u32,
    /// It consented.
    standing: u32,
}

impl Watch {
    /// Looks at what a row says to people. What else it says holds by then.
    pub(super) fn notes(&mut self, id: &TaskId, row: &Row) -> Result<(), Broken> {
        let known = self.notes.entry(id.clone()).or_default();
        known.learn(row);
        for effect in &row.effects {
            let Call::Tracker(TrackerCall::Comment { note, .. }) = &effect.call else { continue };
            if !known.is_so(note, row) {
                broken("told-when-it-is-so", format!("row {}: {id} says {note:?}", row.seq))?;
            }
            known.tell(note);
            let fact = fact(note, row);
            let since = known.since.that_renews(note);
            if known.told.insert(fact.clone(), since) == Some(since) {
                broken("facts-are-told-once", format!("row {}: {id} says again: {fact}", row.seq))?;
            }
        }
        Ok(())
    }
}

/// What a sentence says: that a label consents is another fact for each thing that it consents to.
fn fact(note: &Note, row: &Row) -> String {
    let said = serde_json::to_string(note).unwrap_or_default();
    let to = row.changes.iter().find_map(|change| match (note, change) {
        (Note::ByLabel { deploy: true, .. }, Change::Consented(Some(consent)))
        | (Note::ByLabel { deploy: false, .. }, Change::Approved(Some(consent))) => {
            Some(consent.what.as_str())
        }
        _ => None, // not a domain enum: nothing else is consented to
    });
    said + to.unwrap_or_default()
}

impl Known {
    pub(super) fn learn(&mut self, row: &Row) {
        let stop = Press::Stop.name();
        let pressed =
            |reason: &&Reason| matches!(reason, Reason::GestureTaken { press, .. } if press != stop);
        self.since.people += u32::from(row.reasons.iter().any(|reason| pressed(&reason)));
        let there = match &row.event {
            Event::Branch(reading) => reading.there && reading.open,
            Event::Reply(_) => true,
            _ => false, // not a domain enum: only these tell where a branch is
        };
        self.since.back += u32::from(there && row.reasons.contains(&Reason::OutsideOver));
        for change in &row.changes {
            match change {
                Change::RunBegan(run) => {
                    self.since.runs += 1;
                    self.began.insert(run.run, run.job);
                }
                Change::RunOver { run, usage, wall, .. } => {
                    if let Some(Job::Agent(role)) = self.began.get(run) {
                        self.over.insert(*run, (*role, *usage, *wall));
                    }
                }
                Change::Branched(branch) => self.carries = branch.change.clone(),
                Change::Stepped(step) => {
                    if let Step::Rest(rest) = &**step
                        && self.rest.as_ref() != Some(rest)
                    {
                        self.since.rests += 1;
                        self.rest = Some(rest.clone());
                    }
                }
                Change::Attempted(attempts) => {
                    self.since.works += u32::from(self.machine > 0 && attempts.machine == 0);
                    self.machine = attempts.machine;
                }
                Change::Watched(watch) if !watch.told => self.since.looks += 1,
                Change::Born { reading, .. } => self.auto_deploy = Some(reading.labels.auto_deploy),
                Change::Labelled(labels) => {
                    let known = self.auto_deploy.replace(labels.auto_deploy);
                    self.since.labels += u32::from(known != Some(labels.auto_deploy));
                }
                Change::Consented(Some(consent)) if consent.standing => self.since.standing += 1,
                Change::Merged(merged) => {
                    self.since.merges += 1;
                    self.proven = merged.proven;
                    self.in_main.push(merged.commit.clone());
                    self.merged = Some(merged.commit.clone());
                }
                Change::Proven { .. } => self.proven = true,
                Change::MergeUntold(untold) => self.untold = *untold,
                Change::Froze(froze) => self.froze = *froze,
                Change::Outside(Some(outside)) => {
                    self.in_main.extend(outside.in_main.iter().map(|by| by.commit.clone()));
                }
                Change::Deployed(deployed) => {
                    self.out = deployed.is_out().then(|| deployed.commit.clone());
                }
                Change::RoundOpened => (self.merged, self.out) = (None, None),
                _ => {}
            }
        }
    }

    /// People were told this.
    pub(super) fn tell(&mut self, note: &Note) {
        if let Note::RunFinished { role, .. } = note {
            self.over.retain(|_, (of, ..)| of != role);
        }
    }

    /// Whether what people are told is what the same row makes true, of what was true before it.
    pub(super) fn is_so(&self, note: &Note, row: &Row) -> bool {
        let changes = |what: &dyn Fn(&Change) -> bool| row.changes.iter().any(what);
        let staged = |stage| row.changes.contains(&Change::Staged(stage));
        let rests = |is: &dyn Fn(&Rest) -> bool| {
            changes(
                &|change| matches!(change, Change::Stepped(step) if matches!(&**step, Step::Rest(rest) if is(rest))),
            )
        };
        let any = |what: &dyn Fn(&Reason) -> bool| row.reasons.iter().any(what);
        let outside = |is: &dyn Fn(&Outside) -> bool| {
            changes(&|change| matches!(change, Change::Outside(Some(it)) if it.told && is(it)))
        };
        let on_main = |commit: &Commit| self.merged.as_ref() == Some(commit);
        match note {
            Note::RequirementsReady { .. } => rests(&|rest| *rest == Rest::Approval),
            Note::Questions { .. } => rests(&|rest| *rest == Rest::Questions),
            Note::ByLabel { deploy: false, .. } => {
                changes(&|change| matches!(change, Change::Approved(Some(by)) if by.standing))
            }
            Note::ByLabel { deploy: true, .. } => {
                changes(&|change| matches!(change, Change::Consented(Some(by)) if by.standing))
            }
            Note::RunFinished { role, usage, wall, files } => {
                self.over.values().any(|over| *over == (*role, *usage, *wall)) && wrote(row, files)
            }
            Note::ProtectedTouched { .. } => rests(&|rest| *rest == Rest::Protected),
            Note::SentBack { from, to, judge, text: _, attempt, of } => any(&|reason| {
                let (from, to, judge) = (*from, *to, judge.clone());
                *reason == Reason::SentBack { from, to, judge, attempt: *attempt, of: *of }
            }),
            Note::Escalated { why, stage: _ } => {
                any(&|reason| *reason == Reason::Escalated(why.clone()))
                    && changes(&|change| matches!(change, Change::Escalated(Some(now)) if now.why == *why))
            }
            Note::AwaitingConfirmation { change, .. } => {
                self.carries.as_ref() == Some(change) && rests(&|rest| *rest == Rest::Confirmation)
            }
            Note::Merged { commit } => {
                on_main(commit) && changes(&|change| matches!(change, Change::Proven { .. }))
            }
            Note::MergedOutside { commit } => {
                outside(&|it| it.in_main.as_ref().is_some_and(|by| by.commit == *commit))
                    && rests(&|rest| *rest == Rest::MergedOutside)
            }
            Note::Withdrawn { what } => {
                outside(&|it| it.withdrawn == Some(*what)) && rests(&|rest| *rest == Rest::Withdrawn)
            }
            Note::RunOverTokens { tokens, limit, .. } => {
                let (tokens, limit) = (*tokens, *limit);
                any(&|reason| *reason == Reason::RunOverTokens { tokens, limit })
            }
            Note::DeployFailed { cause, commit } => {
                any(&|reason| matches!(reason, Reason::DeployFailed { cause: why } if why == cause))
                    && changes(
                        &|change| matches!(change, Change::Deployed(it) if it.commit == *commit && !it.is_out()),
                    )
            }
            Note::DeployUnseen { commit } => on_main(commit) && rests(&|rest| *rest == Rest::DeployUnseen),
            Note::DeployUntold { commit, .. } => on_main(commit) && staged(Stage::Cancelled),
            Note::WentBad { cause, commit } => {
                on_main(commit)
                    && any(&|reason| matches!(reason, Reason::WentBad { cause: why } if why == cause))
            }
            Note::WentSilent { cause, commit } => {
                on_main(commit)
                    && any(&|reason| matches!(reason, Reason::WatchSaw { cause: why } if why == cause))
            }
            Note::Done { commit, deployed, .. } => {
                on_main(commit) && staged(Stage::Done) && *deployed == (self.out.as_ref() == Some(commit))
            }
            Note::StopDeferred => any(&|reason| *reason == Reason::StopDeferred),
            Note::Stopped { stays, frozen } => {
                let unproven = if self.merged.is_some() { !self.proven } else { self.untold };
                let told_late = matches!(&row.event, Event::Reply(reply) if matches!(
                    &reply.outcome,
                    Outcome::Done(Reply::Git(GitReply::InMain(by))) if stays.as_ref() == Some(&by.commit)
                ));
                let in_main =
                    stays.as_ref().map_or(self.in_main.is_empty(), |commit| self.in_main.contains(commit));
                told_late || staged(Stage::Cancelled) && in_main && *frozen == (unproven && self.froze)
            }
            Note::Unavailable { gate, .. } => {
                any(&|reason| *reason == Reason::GateSaid { gate: *gate, passed: None })
            }
        }
    }
}

/// Whether these are the files that the answer says the run wrote.
fn wrote(row: &Row, files: &[String]) -> bool {
    let Event::Reply(reply) = &row.event else { return false };
    let Outcome::Done(Reply::Git(GitReply::Collected(collected))) = &reply.outcome else { return false };
    let fresh: Vec<_> = collected.artefacts.iter().filter(|file| file.fresh).collect();
    fresh.len() == files.len() && fresh.iter().zip(files).all(|(file, path)| path.ends_with(&*file.name))
}

impl Since {
    /// What of it makes this sentence another fact. A reading makes nothing new by itself (incident I-05), and a stop is
    /// asked for once (incident I-28).
    fn that_renews(self, note: &Note) -> Self {
        let Since { runs, people, rests, merges, back, works, looks, labels, standing } = self;
        let never = Since::default();
        match note {
            Note::Merged { .. }
            | Note::Done { .. }
            | Note::StopDeferred
            | Note::Stopped { .. }
            | Note::DeployUntold { .. } => never,
            Note::RunFinished { .. }
            | Note::Questions { .. }
            | Note::RunOverTokens { .. }
            | Note::DeployFailed { .. }
            | Note::DeployUnseen { .. } => Since { runs, ..never },
            Note::SentBack { .. } | Note::Escalated { .. } => Since { runs, people, ..never },
            Note::RequirementsReady { .. } | Note::ProtectedTouched { .. } | Note::MergedOutside { .. } => {
                Since { runs, people, rests, ..never }
            }
            // A label that is taken off and comes again consents again, and meanwhile a person is asked (decision 76).
            Note::ByLabel { .. } => Since { runs, people, rests, labels, ..never },
            Note::AwaitingConfirmation { .. } => {
                Since { runs, people, rests, merges, labels, standing, ..never }
            }
            Note::Withdrawn { .. } => Since { runs, people, rests, back, ..never },
            Note::WentBad { .. } => Since { people, ..never },
            Note::WentSilent { .. } => Since { people, looks, ..never },
            Note::Unavailable { .. } => Since { people, works, ..never },
        }
    }
}
