//! What do the hands say by themselves when they refuse something? Facts, as in [`crate::said`]; what the system, git or
//! another program says stands in them as it came.

use serde::{Deserialize, Serialize};

use crate::id::{Commit, ProjectId, RunId};
use crate::said::Cause;

/// What an adapter, or who calls it, refuses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The policy names no tests.
    NoTestCommand,
    /// A program of the policy is not on this machine.
    ProgramNotInPath {
        /// Which.
        program: String,
        /// In which command: `setup` or `test`.
        step: String,
    },
    /// The settings name no hook.
    NoHook,
    /// The settings name no probe.
    NoProbe,
    /// The hook's path is neither absolute nor in the checkout.
    HookNotAbsolute {
        /// Which.
        program: String,
    },
    /// Something else stands where a commit should.
    NoCommit {
        /// What.
        name: String,
    },
    /// The settings have no such agent.
    NoAgent {
        /// Which.
        agent: String,
    },
    /// The program of an agent is not on this machine.
    AgentProgramGone {
        /// Which.
        program: String,
        /// Whose.
        agent: String,
    },
    /// The login of an agent cannot be read.
    LoginUnreadable {
        /// Whose.
        agent: String,
        /// Where.
        path: String,
        /// The system's words.
        cause: String,
    },

    /// There is no such change request.
    NoChangeRequest {
        /// Where.
        project: ProjectId,
        /// Which.
        number: u64,
    },
    /// Somebody closed the change request.
    ChangeRequestClosed {
        /// Which.
        number: u64,
    },
    /// A candidate was not built on this main.
    WithoutMain {
        /// The candidate.
        candidate: Commit,
        /// Main.
        main: Commit,
    },
    /// Main was pushed to, and then something failed.
    AfterPush {
        /// What.
        cause: Box<Cause>,
    },
    /// Another git has the repository.
    SomebodyWorks {
        /// Which.
        origin: String,
        /// Git's words.
        words: String,
    },
    /// Main is never deleted.
    MainNotDeleted {
        /// Its name.
        branch: String,
    },
    /// Main is no task branch.
    MainNotPushed {
        /// Its name.
        branch: String,
    },
    /// Main is not a task's.
    MainNotTasks {
        /// Its name.
        branch: String,
    },
    /// Somebody pushed to a branch at the origin.
    OriginMoved {
        /// Which.
        branch: String,
    },
    /// Somebody deleted a branch, or Orch did at a stop.
    BranchGone {
        /// Which.
        branch: String,
    },
    /// A commit with which the next round begins is not in the hub any more.
    CommitLost {
        /// Which.
        commit: Commit,
    },
    /// The hub has no main.
    NoMain {
        /// Whose hub.
        origin: String,
        /// Its main.
        main: String,
    },
    /// Whether a commit contains another cannot be told.
    AncestorUntold {
        /// The older one, perhaps.
        old: Commit,
        /// The newer one.
        new: Commit,
        /// Git's words.
        cause: String,
    },
    /// Two commits have nothing in common.
    NoCommonHistory {
        /// The one.
        a: Commit,
        /// The other.
        b: Commit,
    },
    /// Something else stands on main where the files of work items would lie.
    NoFolder {
        /// Where.
        path: String,
    },
    /// The first commit of a branch has no parent.
    NoParent {
        /// The commit.
        head: Commit,
        /// The branch.
        branch: String,
    },
    /// The branch of records is the main branch.
    RecordsAreMain {
        /// Its name.
        branch: String,
        /// Of which repository.
        origin: String,
    },
    /// Others are always faster.
    OthersPush {
        /// To which branch.
        branch: String,
        /// Of which repository.
        origin: String,
    },
    /// A text is not there (any more).
    TextErased {
        /// The beginning of its digest.
        digest: String,
    },
    /// A pattern of the policy is none.
    NotAGlob {
        /// Which.
        pattern: String,
        /// What is wrong with it.
        cause: String,
    },
    /// A path would lead out of the tree.
    PathOutside {
        /// Which.
        path: String,
    },

    /// An overlay cannot be mounted any more.
    NoMounts {
        /// Of which run.
        run: RunId,
    },
    /// What trees share is gone.
    SharedFilesGone {
        /// Which.
        name: String,
    },
    /// The tree of a run is gone.
    TreeGone {
        /// Which run.
        run: RunId,
    },
    /// The machine was started again since a run worked.
    StartedAgain {
        /// Which run.
        run: RunId,
    },
    /// A run worked on another commit.
    OtherCommit {
        /// Which run.
        run: RunId,
        /// On what it worked.
        worked_on: Commit,
        /// On what it should have.
        wanted: Commit,
    },
    /// A run of the same name left its mark.
    MarkOfAnotherRun {
        /// Which run.
        run: RunId,
    },
    /// The mark of a run vanished.
    MarkVanished {
        /// Which run.
        run: RunId,
    },
    /// A run of the same name left its record.
    RecordOfAnotherRun {
        /// Where.
        path: String,
        /// Of which task.
        of: String,
    },
    /// A run was stopped before it began.
    StoppedBefore {
        /// Which run.
        run: RunId,
    },
    /// The folder of a run is gone.
    FolderGone,
    /// What a run left may be incomplete: the machine was started again.
    LeftIncomplete,

    /// A freeze or a pause came first.
    KeptBack,
    /// The installation is being closed.
    Closing,
    /// The project no longer stands in the settings.
    NoProject {
        /// Which.
        project: ProjectId,
    },
    /// An adapter ended in a defect.
    Defect {
        /// What is known of it.
        cause: String,
    },
}
