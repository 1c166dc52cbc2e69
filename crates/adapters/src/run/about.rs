//! What must be known of a run to read its end, when everything else has been forgotten?
//!
//! It lies in the run's record as `about.json`, so that an Orch that has just started can read any run's end.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use orch_core::call::Failure;
use orch_core::hindrance::Hindrance;
use orch_core::id::{Commit, ProjectId, RunId, TaskId};
use orch_core::refusal::Refusal;
use orch_core::stage::Role;
use serde::{Deserialize, Serialize};

use crate::agent::{AgentKind, Price};

/// The format written by this binary; older ones are read.
const VERSION: u32 = 1;
const FILE: &str = "about.json";

/// A run, as its record says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    version: u32,
    /// Which.
    pub run: RunId,
    /// Whose.
    pub task: TaskId,
    /// Of which project.
    pub project: ProjectId,
    /// Of what.
    pub kind: RunKind,
    /// On which commit; records of older binaries do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<Commit>,
}

/// What a run is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case")]
pub enum RunKind {
    /// An agent's work.
    Agent {
        /// In which role.
        role: Role,
        /// Its name in the settings.
        agent: String,
        /// How its output is to be read.
        program: AgentKind,
        /// What its tokens cost, where the program itself does not say.
        price: Option<Price>,
        /// How many tokens it may use; 0: as many as it likes.
        #[serde(default)]
        tokens: u64,
        /// Where its copy of a login is, below its home; records of older binaries do not say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        login: Option<PathBuf>,
    },
    /// The project's tests.
    Ci,
    /// The deploy hook.
    Hook {
        /// For which commit.
        commit: Commit,
    },
}

/// Which run is meant, whatever its name.
pub(crate) struct Wanted<'a> {
    pub(crate) run: RunId,
    pub(crate) task: &'a TaskId,
    pub(crate) of: Of,
    pub(crate) commit: &'a Commit,
}

/// Of what it is, without what settings may have changed since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    Agent(Role),
    Ci,
    Hook,
}

impl About {
    /// What there is to know of a run.
    pub fn new(run: RunId, task: TaskId, project: ProjectId, kind: RunKind, commit: Commit) -> Self {
        Self { version: VERSION, run, task, project, kind, commit: Some(commit) }
    }

    /// Whether it speaks of this run: a name alone is no proof, for an older journal that was brought back gives its names
    /// again.
    pub(super) fn is_of(&self, wanted: &Wanted<'_>) -> bool {
        let of = match &self.kind {
            RunKind::Agent { role, .. } => Of::Agent(*role),
            RunKind::Ci => Of::Ci,
            RunKind::Hook { .. } => Of::Hook,
        };
        let commit = match &self.kind {
            RunKind::Hook { commit } => Some(commit),
            RunKind::Agent { .. } | RunKind::Ci => self.commit.as_ref(),
        };
        (self.run, &self.task, of) == (wanted.run, wanted.task, wanted.of)
            && commit.is_none_or(|commit| commit == wanted.commit)
    }

    /// Whether what counts is what it left: a tree or a report. Of a deploy its exit code says all.
    pub(super) fn is_read_later(&self) -> bool {
        match self.kind {
            RunKind::Agent { .. } | RunKind::Ci => true,
            RunKind::Hook { .. } => false,
        }
    }

    /// Reads it from a run's record; `None` if there is none.
    ///
    /// # Errors
    /// It cannot be read, is damaged, or was written by a newer binary.
    pub fn read(record: &Path) -> Result<Option<Self>, Failure> {
        let path = record.join(FILE);
        let shown = || path.display().to_string();
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(super::io(&path)(e)),
        };
        let about: Self = serde_json::from_slice(&bytes).map_err(|e| {
            Failure::permanent(Hindrance::FileDamaged { path: shown(), words: e.to_string() })
        })?;
        if about.version > VERSION {
            let (path, found) = (shown(), about.version);
            return Err(Failure::permanent(Hindrance::FileNewer { path, found, known: VERSION }));
        }
        Ok(Some(about))
    }

    pub(super) fn write(&self, record: &Path) -> Result<(), Failure> {
        let bytes = serde_json::to_vec(self)
            .map_err(|e| Failure::permanent(Refusal::Defect { cause: e.to_string() }))?;
        crate::process::write_lasting(record, FILE, &bytes).map_err(super::io(&record.join(FILE)))
    }
}
