//! `orch audit`: is every commit of main there by a verdict for exactly its tree?

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use orch_adapters::git::{Git, Hub, Past};
use orch_core::call::{Call, ForgeCall};
use orch_core::change::Change;
use orch_core::gate::{GateId, Subject, Verdict};
use orch_core::id::{Commit, Entity, ProjectId, TaskId, Tree};
use orch_core::journal::Row;
use orch_core::message;
use orch_core::replay::Fold;
use orch_core::state::State;
use orch_store::Reader;
use serde_json::json;

use super::replay::to_the_end;
use super::{Here, note};
use crate::error::{Error, Kind};
use crate::refusals::{unopened, worded};
use crate::screen::{self, BAD, DIM, GOOD, cell};
use crate::words::{Told, counted, say, words};

/// Walk main and compare it with the journal.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only this project
    project: Option<String>,
}

/// A merge, as the journal tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Merge {
    task: TaskId,
    /// The tree that was merged.
    tree: Tree,
    /// Whether the tests had passed on exactly that tree when it was merged.
    tested: bool,
    /// Whether main was asked afterwards (decision 19).
    proven: bool,
    /// Where main stood, if Orch moved it.
    before: Option<Commit>,
}

/// Why a commit of main stands there without what Orch promises of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gap {
    /// Somebody else put it there.
    NotByOrch,
    /// No passing verdict of the tests for its tree is in the journal.
    Untested,
    /// Nobody proved that main has what was tested.
    Unproven,
    /// Main has another tree under this commit than was merged.
    OtherTree,
    /// It was merged, and main no longer has it.
    Gone,
}

impl Gap {
    fn name(self) -> &'static str {
        match self {
            Gap::NotByOrch => "not_by_orch",
            Gap::Untested => "untested",
            Gap::Unproven => "unproven",
            Gap::OtherTree => "other_tree",
            Gap::Gone => "gone",
        }
    }

    fn says(self) -> Told {
        match self {
            Gap::NotByOrch => {
                say!(
                    "not merged by Orch: no verdict for its tree",
                    "слит не Orch: вердикта по его дереву нет"
                )
            }
            Gap::Untested => say!(
                "merged without a passing verdict of the tests for its tree",
                "слит без успешного вердикта тестов по его дереву"
            ),
            Gap::Unproven => say!(
                "nobody has proven yet that main has what was tested",
                "ещё не доказано, что в main именно то, что проверено"
            ),
            Gap::OtherTree => {
                say!("its tree is not the one that was merged", "его дерево не то, что было слито")
            }
            Gap::Gone => say!("was merged, and main no longer has it", "был слит, но в main его больше нет"),
        }
    }
}

/// What the journal says of merges.
#[derive(Debug, Default)]
struct Known {
    /// Where main stood when a merge of this candidate was asked for.
    asked: BTreeMap<Commit, Commit>,
    /// Trees on which the tests passed.
    passed: BTreeSet<Tree>,
    merges: BTreeMap<Commit, Merge>,
    /// The newest merge of each task.
    newest: BTreeMap<TaskId, Commit>,
}

impl Known {
    fn take(&mut self, row: &Row) {
        let Entity::Task(task) = &row.entity else { return };
        for effect in &row.effects {
            if let Call::Forge(ForgeCall::Merge { candidate, main, .. }) = &effect.call {
                self.asked.insert(candidate.clone(), main.clone());
            }
        }
        for change in &row.changes {
            if let Change::Judged(evidence) = change
                && let Subject::Tree(tree) = &evidence.subject
                && (evidence.gate, &evidence.verdict) == (GateId::CheckCiGreen, &Verdict::Pass)
            {
                self.passed.insert(tree.clone());
            } else if let Change::Merged(merged) = change {
                let merge = Merge {
                    task: task.clone(),
                    tree: merged.tree.clone(),
                    tested: self.passed.contains(&merged.tree),
                    proven: merged.proven,
                    before: self.asked.get(&merged.commit).cloned(),
                };
                self.merges.insert(merged.commit.clone(), merge);
                self.newest.insert(task.clone(), merged.commit.clone());
            } else if let Change::Proven { tree } = change
                && let Some(merge) = self.newest.get(task).and_then(|commit| self.merges.get_mut(commit))
            {
                merge.proven = merge.tree == *tree;
            }
        }
    }
}

/// What became of one project's main.
#[derive(Debug, Default, PartialEq, Eq)]
struct Found {
    /// Commits that main was since Orch's first merge.
    commits: usize,
    gaps: Vec<(Commit, Option<TaskId>, Gap)>,
}

/// Walks main from its head to where Orch first found it. What a merge brought is behind its one verdict; of anything else
/// each commit that main was stands for itself.
fn walk(head: &Commit, past: &BTreeMap<Commit, Past>, merges: &BTreeMap<Commit, Merge>) -> Found {
    let mut found = Found::default();
    let mut left: BTreeSet<&Commit> = merges.keys().filter(|commit| past.contains_key(*commit)).collect();
    let mut at = Some(head.clone());
    while let Some(commit) = at.take().filter(|_| !left.is_empty()) {
        let Some(this) = past.get(&commit) else { break };
        found.commits += 1;
        let first = this.parents.first().cloned();
        let Some(merge) = merges.get(&commit) else {
            found.gaps.push((commit, None, Gap::NotByOrch));
            at = first;
            continue;
        };
        left.remove(&commit);
        let gap = match merge {
            Merge { tree, .. } if *tree != this.tree => Some(Gap::OtherTree),
            Merge { tested: false, .. } => Some(Gap::Untested),
            Merge { proven: false, .. } => Some(Gap::Unproven),
            Merge { tested: true, proven: true, .. } => None,
        };
        at = merge.before.clone().or(first);
        if let Some(gap) = gap {
            found.gaps.push((commit, Some(merge.task.clone()), gap));
        }
    }
    let gone = merges.iter().filter(|(commit, _)| !past.contains_key(*commit));
    found.gaps.extend(gone.map(|(commit, merge)| (commit.clone(), Some(merge.task.clone()), Gap::Gone)));
    found
}

/// Reads the journal, checks its chain on the way, and walks main of each project; exit code 1 if a commit has a gap.
///
/// # Errors
/// The store or a repository cannot be read, or there is no such project.
pub fn run(here: &Here, args: &Args) -> Result<ExitCode, Error> {
    let place = here.home.store();
    let mut reader = Reader::open(&place).map_err(unopened)?;
    let (mut fold, mut known) = (Fold::default(), Known::default());
    to_the_end(&mut reader, &place, &mut fold, &mut |row| known.take(row))?;
    let mut of_project: BTreeMap<ProjectId, BTreeMap<Commit, Merge>> = BTreeMap::new();
    for entity in fold.states().keys() {
        if let Entity::Project(project) = entity {
            of_project.entry(project.clone()).or_default();
        }
    }
    for (commit, merge) in known.merges {
        if let Some((_, State::Task(task))) = fold.states().get(&Entity::Task(merge.task.clone())) {
            of_project.entry(task.project.clone()).or_default().insert(commit, merge);
        }
    }
    if let Some(wanted) = &args.project {
        let wanted = ProjectId::from(wanted.as_str());
        if !of_project.contains_key(&wanted) {
            return Err(Error::new(
                Kind::NotFound,
                say!("there is no project {wanted}", "проекта {wanted} нет"),
            )
            .remedy(say!("`orch settings` names them", "все проекты покажет `orch settings`")));
        }
        of_project.retain(|project, _| *project == wanted);
    }
    let mut all = Vec::new();
    for (project, merges) in of_project {
        let (head, past) = history(here, &project)?;
        let found = walk(&head, &past, &merges);
        all.push((project, head, found));
    }
    let gaps: usize = all.iter().map(|(_, _, found)| found.gaps.len()).sum();
    if here.json {
        let list: Vec<_> = all.iter().map(|(project, head, found)| as_json(project, head, found)).collect();
        screen::json(&json!({ "ok": gaps == 0, "rows": fold.last(), "projects": list }));
    } else {
        all.iter().for_each(|(project, head, found)| tell(project, head, found));
    }
    Ok(ExitCode::from(if gaps == 0 { 0 } else { Kind::Failed.code() }))
}

/// Where main of a project is, and all that it contains.
fn history(here: &Here, project: &ProjectId) -> Result<(Commit, BTreeMap<Commit, Past>), Error> {
    let failed = |cause: String| Error::failed(Told::quoted(cause));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let git = Git::at("git", path).map_err(|e| failed(worded(&e).to_string()))?;
    let hub = Hub::open(git, &here.home.hubs().join(project.as_str()))
        .map_err(|e| failed(worded(&e).to_string()))?;
    let said = |failure: orch_core::call::Failure| failed(message::cause(&failure.cause, words().lang));
    if let Err(failure) = hub.fetch_main() {
        let cause = message::cause(&failure.cause, words().lang);
        note(&say!(
            "{project}: main as it was last seen, because it cannot be fetched: {cause}",
            "{project}: main, каким он был виден в последний раз, потому что получить его не вышло: {cause}"
        ));
    }
    Ok((hub.main_head().map_err(said)?, hub.past().map_err(said)?))
}

fn as_json(project: &ProjectId, head: &Commit, found: &Found) -> serde_json::Value {
    let gap = |(commit, task, gap): &(Commit, Option<TaskId>, Gap)| json!({ "commit": commit, "task": task, "gap": gap.name() });
    let gaps: Vec<_> = found.gaps.iter().map(gap).collect();
    json!({ "project": project, "main": head, "commits": found.commits, "gaps": gaps })
}

fn tell(project: &ProjectId, head: &Commit, found: &Found) {
    let commits = counted(found.commits as u64, ["commit", "commits"], ["коммит", "коммита", "коммитов"]);
    let main = head.short();
    if found.gaps.is_empty() {
        screen::line(&say!(
            "{GOOD}{project}{GOOD:#}: main is {main}; {commits} since Orch's first merge, each with a passing verdict for exactly its tree",
            "{GOOD}{project}{GOOD:#}: main сейчас {main}; со времени первого слияния — {commits}, у каждого успешный вердикт именно по его дереву"
        ));
        return;
    }
    screen::line(&say!(
        "{BAD}{project}{BAD:#}: main is {main}; {commits} since Orch's first merge, {} with a gap",
        "{BAD}{project}{BAD:#}: main сейчас {main}; со времени первого слияния — {commits}, с пробелом: {}",
        found.gaps.len()
    ));
    let line = |(commit, task, gap): &(Commit, Option<TaskId>, Gap)| {
        let task = task.as_ref().map_or_else(String::new, ToString::to_string);
        vec![cell(DIM, commit.short()), cell(DIM, task), cell(BAD, gap.says())]
    };
    screen::out(&screen::table(&found.gaps.iter().map(line).collect::<Vec<_>>()));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(tree: &str, parents: &[&str]) -> Past {
        Past { tree: Tree::from(tree), parents: parents.iter().map(|name| Commit::from(*name)).collect() }
    }

    fn merge(tree: &str, before: Option<&str>) -> Merge {
        let (task, tree) = (TaskId::from("DEMO-001"), Tree::from(tree));
        Merge { task, tree, tested: true, proven: true, before: before.map(Commit::from) }
    }

    /// Main: `old`, which Orch found; `b1`, two commits of a branch brought by `m1`; `m2` on top.
    fn main() -> (BTreeMap<Commit, Past>, BTreeMap<Commit, Merge>) {
        let past = [
            ("old", at("t0", &[])),
            ("b1", at("t1", &["old"])),
            ("m1", at("t2", &["b1"])),
            ("b2", at("t3", &["old"])),
            ("m2", at("t4", &["b2", "m1"])),
        ];
        let merges = [("m1", merge("t2", Some("old"))), ("m2", merge("t4", Some("m1")))];
        let named = |(name, past): (&str, Past)| (Commit::from(name), past);
        let keyed = |(name, merge): (&str, Merge)| (Commit::from(name), merge);
        (past.into_iter().map(named).collect(), merges.into_iter().map(keyed).collect())
    }

    fn gaps(found: &Found) -> Vec<(&str, Gap)> {
        found.gaps.iter().map(|(commit, _, gap)| (commit.as_str(), *gap)).collect()
    }

    /// Proves that a main which only Orch moved has no gap, and that what stood there before Orch is not asked about.
    #[test]
    fn what_was_tested_has_no_gap() {
        let (past, merges) = main();
        assert_eq!(walk(&"m2".into(), &past, &merges), Found { commits: 2, gaps: vec![] });
        assert_eq!(walk(&"old".into(), &past, &BTreeMap::new()), Found::default());
    }

    /// Proves that each planted gap is found, and no other beside it.
    #[test]
    fn each_gap_is_found() {
        let (mut past, mut merges) = main();
        past.insert("hand".into(), at("t5", &["m2"]));
        assert_eq!(gaps(&walk(&"hand".into(), &past, &merges)), [("hand", Gap::NotByOrch)]);
        let planted = |merges: &BTreeMap<Commit, Merge>, spoil: fn(&mut Merge)| {
            let mut merges = merges.clone();
            spoil(merges.get_mut(&Commit::from("m1")).expect("m1"));
            merges
        };
        for (spoil, gap) in [
            ((|merge| merge.tested = false) as fn(&mut Merge), Gap::Untested),
            (|merge| merge.proven = false, Gap::Unproven),
            (|merge| merge.tree = Tree::from("t9"), Gap::OtherTree),
        ] {
            assert_eq!(gaps(&walk(&"m2".into(), &past, &planted(&merges, spoil))), [("m1", gap)]);
        }
        merges.insert("lost".into(), merge("t7", Some("m2")));
        assert_eq!(gaps(&walk(&"m2".into(), &past, &merges)), [("lost", Gap::Gone)]);
    }
}
