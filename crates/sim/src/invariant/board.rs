//! Does each press count once, and does an agent get what is known?

use std::collections::BTreeMap;

use orch_core::call::tracker::Status;
use orch_core::call::{AgentCall, Call, Text};
use orch_core::change::Change;
use orch_core::gesture::Press;
use orch_core::id::{IssueKey, RunId, TaskId};
use orch_core::journal::Row;
use orch_core::reason::Reason;
use orch_core::rework::Findings;

use super::{Broken, Watch, broken};
use crate::world::World;

/// What the rows told of presses, and of what the next agent is to be told.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// How often the board's column was taken for this press.
    presses: BTreeMap<(IssueKey, String), u32>,
    ended: std::collections::BTreeSet<RunId>,
    findings: BTreeMap<TaskId, Findings>,
    requests: BTreeMap<TaskId, (Text, Text)>,
}

impl Watch {
    /// A column counts as often as a person put the issue there, however often it is read; a run ends once; and whoever
    /// works next gets the newest request and the findings, word for word.
    pub(super) fn told(&mut self, id: &TaskId, row: &Row, world: &World) -> Result<(), Broken> {
        for reason in &row.reasons {
            if let Reason::GestureTaken { press, by } = reason
                && by == "board"
                && let Some((_, issue)) = self.items.get(&id.item()).cloned()
            {
                let means = |status: &Status| Press::of_status(*status).is_some_and(|of| of.name() == press);
                let pressed: u32 =
                    Status::ALL.iter().filter(|s| means(s)).map(|s| world.tracker.pressed(&issue, *s)).sum();
                let taken = self.told_of.presses.entry((issue, press.clone())).or_default();
                *taken += 1;
                if *taken > pressed {
                    let what =
                        format!("row {}: {id} takes {press} {taken} times, pressed {pressed}", row.seq);
                    broken("a-press-counts-once", what)?;
                }
            }
        }
        for change in &row.changes {
            let told = &mut self.told_of;
            match change {
                Change::RunOver { run, .. } if !told.ended.insert(*run) => {
                    broken("a-run-ends-once", format!("row {}: {run} ends again", row.seq))?;
                }
                Change::Born { reading, .. } => {
                    told.requests.insert(id.clone(), (reading.title.clone(), reading.text.clone()));
                }
                Change::Requested(request) => {
                    told.requests.insert(id.clone(), (request.title.clone(), request.text.clone()));
                }
                Change::Found(Some(findings)) => drop(told.findings.insert(id.clone(), findings.clone())),
                Change::Found(None) => drop(told.findings.remove(id)),
                _ => {}
            }
        }
        for effect in &row.effects {
            if let Call::Agent(AgentCall::Launch(work)) = &effect.call {
                if work.findings.as_ref() != self.told_of.findings.get(id) {
                    let what = format!("row {}: {} is told {:?}", row.seq, work.run, work.findings);
                    broken("findings-are-handed-on", what)?;
                }
                let request = (work.title.clone(), work.text.clone());
                if self.told_of.requests.get(id) != Some(&request) {
                    let what = format!("row {}: {} is asked for something else", row.seq, work.run);
                    broken("the-request-is-handed-on", what)?;
                }
            }
        }
        Ok(())
    }
}
