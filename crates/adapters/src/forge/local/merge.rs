//! How does main move, exactly once? By a push that holds only for the main that was tested.

use std::path::Path;

use orch_core::call::{Failure, ForgeReply};
use orch_core::id::{Commit, ProjectId};
use orch_core::refusal::Refusal;

use super::{ChangeState, LocalForge};
use crate::git::{Hub, RefMove};

/// What receive-pack says where a checkout is in the way of the merge.
const IN_THE_WAY: [&str; 3] =
    ["Working directory has", "Could not update working tree", "Up-to-date check failed"];

/// What it and the pushing side say where main is not where it was expected.
const MOVED: [&str; 5] =
    ["stale info", "fetch first", "non-fast-forward", "failed to update ref", "incorrect old value"];

impl LocalForge {
    pub(super) fn merge(
        &self,
        project: &ProjectId,
        hub: &Hub,
        number: u64,
        candidate: &Commit,
        expected: &Commit,
    ) -> Result<ForgeReply, Failure> {
        let change = self.change(project, number)?.ok_or_else(|| {
            Failure::permanent(Refusal::NoChangeRequest { project: project.clone(), number })
        })?;
        let _one = hub.pushing();
        let main = hub.fetch_main()?;
        if hub.is_ancestor(candidate, &main)? {
            return self.merged(project, hub, number, candidate);
        }
        if change.state == ChangeState::Closed {
            return Ok(ForgeReply::ChangeClosed);
        }
        if main != *expected {
            return Ok(ForgeReply::MainMoved { main });
        }
        if !hub.is_ancestor(expected, candidate)? {
            let (candidate, main) = (candidate.clone(), expected.clone());
            return Err(Failure::permanent(Refusal::WithoutMain { candidate, main }));
        }
        let pushed = match push_main(hub, candidate, expected) {
            Ok(pushed) => pushed,
            // A push that was killed, or lost its connection, may have moved main before: main says it.
            Err(failure) => {
                return match self.look_up(project, hub, number, candidate) {
                    Ok(merged @ ForgeReply::Merged { .. }) => Ok(merged),
                    Ok(_) | Err(_) => Err(failure),
                };
            }
        };
        match pushed {
            Pushed::Yes => {}
            Pushed::Moved => return self.look_up(project, hub, number, candidate),
            Pushed::InTheWay => {
                let path = hub.origin().to_owned();
                if !finish_half_merge(hub, Path::new(&path), candidate, expected)? {
                    let branch = Some(hub.main().to_owned());
                    return Ok(ForgeReply::CheckoutDirty { path, branch });
                }
            }
        }
        // It happened; what fails from here on leaves it to be looked up.
        self.look_up(project, hub, number, candidate)
            .map_err(|failure| Failure::unknown(Refusal::AfterPush { cause: Box::new(failure.cause) }))
    }

    /// Where main is now, and whether that is this merge.
    fn look_up(
        &self,
        project: &ProjectId,
        hub: &Hub,
        number: u64,
        candidate: &Commit,
    ) -> Result<ForgeReply, Failure> {
        let main = hub.fetch_main()?;
        if hub.is_ancestor(candidate, &main)? {
            self.merged(project, hub, number, candidate)
        } else {
            Ok(ForgeReply::MainMoved { main })
        }
    }

    fn merged(
        &self,
        project: &ProjectId,
        hub: &Hub,
        number: u64,
        candidate: &Commit,
    ) -> Result<ForgeReply, Failure> {
        hub.keep_at_origin(hub.main())?;
        self.set_merged(project, number, candidate)?;
        Ok(ForgeReply::Merged { commit: candidate.clone(), tree: hub.tree_of(candidate)? })
    }
}

enum Pushed {
    Yes,
    Moved,
    InTheWay,
}

fn push_main(hub: &Hub, candidate: &Commit, expected: &Commit) -> Result<Pushed, Failure> {
    let main = hub.main();
    let mut push = hub.push();
    if hub.origin_path().is_some() {
        // A checkout of main follows only where it is clean; anything else is refused by git itself (decision 43). No hook
        // and no filter of the person's own configuration takes part: files in LFS arrive as pointers.
        let settings = ["receive.denyCurrentBranch=updateInstead", "receive.denyNonFastForwards=true"];
        push = push.arg(format!("--receive-pack={}", hub.other_side("receive-pack", &settings)));
    }
    let said = push
        .arg(format!("--force-with-lease=refs/heads/{main}:{expected}"))
        .arg("origin")
        .arg(format!("{candidate}:refs/heads/{main}"))
        .answer()?;
    if said.status.success() {
        return Ok(Pushed::Yes);
    }
    let words = format!("{}\n{}", said.text(), said.complaint);
    let says = |any: &[&str]| any.iter().any(|part| words.contains(part));
    if says(&[".lock': File exists"]) {
        Err(Failure::transient(Refusal::SomebodyWorks { origin: hub.origin().to_owned(), words }))
    } else if says(&IN_THE_WAY) {
        Ok(Pushed::InTheWay)
    } else if says(&MOVED) {
        Ok(Pushed::Moved)
    } else {
        Err(said.refused_saying(&words).into())
    }
}

/// Finishes a merge that lost its power between the files of the checkout and the ref: the checkout is exactly the
/// candidate, and main did not move. False: it is a person's work that is in the way.
fn finish_half_merge(
    hub: &Hub,
    checkout: &Path,
    candidate: &Commit,
    expected: &Commit,
) -> Result<bool, Failure> {
    let same = hub
        .git()
        .ask(["diff-index", "--quiet", "--no-ext-diff", candidate.as_str()])
        .in_folder(checkout)
        .answer()?;
    if !same.status.success() {
        return Ok(false);
    }
    hub.git()
        .ask(["update-ref", &format!("refs/heads/{}", hub.main()), candidate.as_str(), expected.as_str()])
        .in_folder(checkout)
        .changes_elsewhere()
        .run()?;
    Ok(true)
}

/// Deletes a task branch that is where it was last seen, or where Orch itself put it since; its head stays in a hidden ref
/// (decision 45), which also tells a late hand that there is nothing to bring back (decision 74).
pub(super) fn delete_branch(hub: &Hub, branch: &str, head: &Commit) -> Result<ForgeReply, Failure> {
    if branch == hub.main() {
        return Err(Failure::permanent(Refusal::MainNotDeleted { branch: branch.to_owned() }));
    }
    hub.mark_deleted(branch, head)?;
    let current = hub.head_of(branch)?;
    let since = match &current {
        Some(current) if current != head && hub.is_ours_since(current, head)? => Some(current),
        Some(_) | None => None,
    };
    let is_ours = |there: &Commit| there == head || Some(there) == since;
    let published = if hub.publishes() { hub.origin_head_of(branch)? } else { None };
    if let Some(there) = published {
        if !is_ours(&there) {
            return Ok(ForgeReply::BranchMoved { head: there });
        }
        if !hub.publish_branch(branch, None, Some(&there))? {
            return Err(Failure::transient(Refusal::OriginMoved { branch: branch.to_owned() }));
        }
    }
    match &current {
        None => Ok(ForgeReply::BranchDeleted),
        Some(current) if !is_ours(current) => Ok(ForgeReply::BranchMoved { head: current.clone() }),
        Some(current) => {
            hub.mark_deleted(branch, current)?;
            let name = format!("refs/heads/{branch}");
            hub.move_refs(&[RefMove { name, old: Some(current.as_str()), new: None }])?;
            Ok(ForgeReply::BranchDeleted)
        }
    }
}
