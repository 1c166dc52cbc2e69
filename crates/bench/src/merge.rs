//! How soon is main moved, once everything about a candidate is known? (goal 13)

use std::time::Instant;

use anyhow::{Result, bail};
use orch_adapters::Log;
use orch_adapters::forge::local::LocalForge;
use orch_adapters::git::{Git, Hub};
use orch_core::call::{ForgeCall, ForgeReply, GitCall, GitReply, Text};
use orch_core::id::{Commit, ProjectId, TaskId};

use crate::Plan;
use crate::figure::{Figures, machine, ms};
use crate::tree::{cut, make, means, said};

/// Merges of a round.
const MERGES: usize = 10;

/// Measures the three steps of a merge into a repository of so many files: the candidate (before its tests), main moved in
/// the person's repository (after them), and the proof.
pub(crate) fn run(plan: &Plan, files: usize) -> Result<()> {
    println!("{}", machine(&plan.scratch)?);
    let folder = tempfile::Builder::new().prefix("orch-bench-merge-").tempdir_in(&plan.scratch)?;
    let origin = folder.path().join("origin.git");
    make(&origin, files)?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let git = Git::at("git", path)?;
    let hub = Hub::create(git, &folder.path().join("hub"), &origin.to_string_lossy(), None)?;
    let forge = LocalForge::open(&folder.path().join("forge.db"), Log::Own)?;
    let project = ProjectId::from("bench");
    let ask = |call: &ForgeCall| forge.perform(&project, &hub, call, &|_| Ok(None)).map_err(said);
    // All are cut from the same main, so that each but the first is a merge with what others brought.
    let tasks: Vec<TaskId> =
        (1..=plan.rounds * MERGES).map(|n| TaskId::from(format!("BENCH-{n:03}"))).collect();
    let heads = tasks.iter().map(|task| cut(&hub, task)).collect::<Result<Vec<(String, Commit)>>>()?;
    let (mut candidates, mut moved, mut proofs) = <(Figures, Figures, Figures)>::default();
    for (task, (branch, head)) in tasks.iter().zip(heads) {
        let open = ForgeCall::OpenChange {
            branch: branch.clone(),
            head: head.clone(),
            title: Text::of("bench"),
            task: task.clone(),
        };
        let ForgeReply::ChangeOpened { change } = ask(&open)? else { bail!("{task}: no change request") };
        let build = GitCall::BuildCandidate {
            branch,
            head,
            task: task.clone(),
            item: task.item(),
            tests: Vec::new(),
        };
        let began = Instant::now();
        let GitReply::Candidate(candidate) = hub.perform(&build, &means()).map_err(said)?.reply else {
            bail!("{task}: no candidate")
        };
        candidates.0.push(ms(began.elapsed()));
        let merge = ForgeCall::Merge { change, candidate: candidate.commit.clone(), main: candidate.main };
        let began = Instant::now();
        let ForgeReply::Merged { commit, .. } = ask(&merge)? else { bail!("{task}: not merged") };
        moved.0.push(ms(began.elapsed()));
        let began = Instant::now();
        let GitReply::Proof(proof) =
            hub.perform(&GitCall::Prove { commit, deployed: None }, &means()).map_err(said)?.reply
        else {
            bail!("{task}: no proof")
        };
        proofs.0.push(ms(began.elapsed()));
        if !proof.ancestor || proof.tree != candidate.tree {
            bail!("{task}: main has something else than its candidate");
        }
    }
    println!("merge: {files} files, candidate with main built in {} ms", candidates.said(0));
    println!("merge: main moved in {} ms; {}", moved.said(0), moved.tail());
    println!("merge: proven in {} ms", proofs.said(0));
    Ok(())
}
