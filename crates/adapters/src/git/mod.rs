//! What can be done with a project's repository? The calls of `orch_core::call::git`, performed on a bare hub by the
//! git program (decisions 32, 35).
//!
//! Read in this order: [`program`] (how git is asked), [`hub`] (the bare repository and its refs), `branch`, `collect`,
//! `candidate` and `records` (the calls), [`tree`] (where runs work), [`overlay`], `base`, `layer` and `cache` (of what trees are
//! made), `change` and `scope` (what counts as the change, what may be written), `scratch` (the index of one piece of work), `read` and `people` (what sweeps and pages ask).

pub mod hub;
pub mod program;
pub mod tree;
pub mod overlay;

mod base;
mod branch;
mod cache;
mod candidate;
mod change;
mod collect;
mod lasting;
mod layer;
mod past;
mod paths;
mod people;
mod plain;
mod read;
mod records;
mod scope;
mod scratch;

use orch_core::artefact::Artefact;
use orch_core::call::{Failure, GitCall, GitReply};
use orch_core::id::Digest;
use orch_core::journal::Blob;
use orch_core::time::Moment;

pub(crate) use hub::RefMove;
pub use hub::{Hub, HubError};
pub use overlay::{Mounts, NoOverlay};
pub use past::Past;
pub(crate) use paths::remove;
pub use people::BranchSeen;
pub use program::{Git, GitError, GitUnusable, OLDEST, Version};
pub use tree::{Cache, RunTree, TreeKind, TreeOrder};

/// What a call needs besides itself.
pub struct Means<'a> {
    /// Now, for the dates of commits.
    pub at: Moment,
    /// A text by its digest.
    pub text: &'a ReadText<'a>,
    /// Reads an artefact by the contract.
    pub artefact: &'a ReadArtefact,
    /// Whether a secret of the installation stands in these bytes: no commit may hold one.
    pub secret: &'a dyn Fn(&[u8]) -> bool,
}

/// Gives a kept text; `None`: it was erased (decision 39), and stays so.
pub type ReadText<'a> = dyn Fn(&Digest) -> Result<Option<Vec<u8>>, Failure> + 'a;

/// Reads an artefact: its name below the work item's folder, its bytes, and whether the run just collected wrote it;
/// gives also the texts that the artefact names.
pub type ReadArtefact = dyn Fn(&str, &[u8], bool) -> (Artefact, Vec<Blob>);

/// An answer and the texts that it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The reply.
    pub reply: GitReply,
    /// To be kept with it.
    pub blobs: Vec<Blob>,
}

impl Hub {
    /// Performs a call, once: performed again it finds what it did and answers the same (decision 1). Blocks.
    pub fn perform(&self, call: &GitCall, means: &Means<'_>) -> Result<Answer, Failure> {
        let plain = |reply| Ok(Answer { reply, blobs: Vec::new() });
        match call {
            GitCall::CutBranch { branch, task, item, title, text, carry } => {
                let cut = branch::Cut { branch, task, item, title, text, carry: carry.as_ref() };
                plain(self.cut_branch(&cut, means)?)
            }
            GitCall::Collect { branch, parent, run, role, task: _, item, scope, tests } => {
                let order = collect::Order { branch, parent, run: *run, role: *role, item, scope, tests };
                self.collect(&order, means)
            }
            GitCall::BuildCandidate { branch, head, task, item, tests } => {
                plain(self.build_candidate(branch, head, task, item, tests)?)
            }
            GitCall::Prove { commit, deployed } => {
                plain(GitReply::Proof(self.prove(commit, deployed.as_ref())?))
            }
            GitCall::WriteRecord { record, item, text, run } => {
                plain(self.write_record(&records::Entry { record: *record, item, text, run: *run }, means)?)
            }
            GitCall::DropTree { run } => {
                self.drop_tree(*run)?;
                plain(GitReply::TreeDropped)
            }
        }
    }
}
