//! What can anybody see in the end, whatever came when?

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use orch_core::gate::{Evidence, Verdict};
use orch_core::id::Digest;
use orch_core::task::Consent;
use serde_json::Value;

use super::Bench;
use crate::world::tracker::Said;

impl Bench {
    /// The end of all tasks in lines, without times, names of runs and commits, and the order among tasks: two histories
    /// that differ only in what came when end alike.
    pub fn outcome(&mut self) -> String {
        let mut text = String::new();
        for task in self.tasks() {
            let mut runs: BTreeMap<String, u32> = BTreeMap::new();
            for run in task.runs.iter().filter_map(|row| row.agent.as_ref().map(|_| row.job)) {
                *runs.entry(format!("{run:?}")).or_default() += 1;
            }
            let mut notes: BTreeMap<String, u32> = BTreeMap::new();
            let issue = self.world.tracker.issues.get(&task.issue);
            for said in issue.map(|issue| issue.said.as_slice()).unwrap_or_default() {
                if let Said::Orch(note) = said {
                    *notes.entry(kind(&serde_json::to_value(note).unwrap_or_default())).or_default() += 1;
                }
            }
            // How often the tests ran depends on what merged meanwhile; what they said does not.
            let said = |evidence: &Evidence| match evidence.verdict {
                Verdict::Pass => format!("{}: yes", evidence.gate),
                Verdict::Fail { .. } | Verdict::Unavailable { .. } => format!("{}: no", evidence.gate),
            };
            let gates: BTreeSet<String> = task.evidence.iter().map(|evidence| said(evidence)).collect();
            let by = |consent: &Option<Consent>| consent.as_ref().map(|consent| consent.by.clone());
            let records: Vec<String> = task
                .records
                .iter()
                .map(|known| format!("{:?} {:?} {}", known.record, known.verdict, known.standing().is_some()))
                .collect();
            let _ = writeln!(
                text,
                "{} {} round {} {:?} proven {} well {} column {:?} runs {runs:?} notes {notes:?} gates {gates:?} \
                 approved {:?} confirmed {:?} records {records:?}",
                task.id,
                task.stage,
                task.round,
                task.attempts,
                task.merged.as_ref().is_some_and(|merged| merged.proven),
                task.deployed.as_ref().is_some_and(|deployed| deployed.is_out()),
                issue.and_then(|issue| issue.status),
                by(&task.approval),
                by(&task.consent),
            );
        }
        for (project, repository) in &self.world.repositories {
            let main = repository.main();
            let files: Vec<(String, String)> = repository
                .paths_on_main()
                .map(|path| {
                    let content = repository.file_at(&main, &path).map(nameless).unwrap_or_default();
                    (path, content)
                })
                .collect();
            let branches: Vec<&str> = repository.branches().map(|(name, _)| name).collect();
            let open = repository.changes().filter(|(_, _, open)| *open).count();
            let _ = writeln!(
                text,
                "{project}: {} merges, {open} open changes, branches {branches:?}, on main {files:?}",
                repository.main_was.len()
            );
        }
        let mut hooks: Vec<String> =
            self.world.hooks.iter().map(|(_, _, task, _)| task.to_string()).collect();
        hooks.sort();
        let _ = writeln!(text, "deploys of {hooks:?}");
        text
    }

    /// The digest of [`Bench::outcome`].
    pub fn outcome_digest(&mut self) -> Digest {
        Digest::of(self.outcome().as_bytes())
    }
}

/// A text without the names of runs: they tell what came when.
fn nameless(text: &str) -> String {
    let is_run = |word: &&str| {
        let word = word.trim_end_matches(|c: char| !c.is_ascii_digit());
        word.strip_prefix('r').and_then(|name| name.split_once('.')).is_some_and(|(row, n)| {
            [row, n].iter().all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit()))
        })
    };
    text.split([' ', '\n'])
        .map(|word| if is_run(&word) { "a-run" } else { word })
        .collect::<Vec<_>>()
        .join(" ")
}

fn kind(note: &Value) -> String {
    match note {
        Value::Object(map) => map.keys().next().cloned().unwrap_or_default(),
        Value::String(name) => name.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => String::new(),
    }
}
