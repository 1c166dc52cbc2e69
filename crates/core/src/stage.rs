//! Which stages are there, in which order, and who works in each? The closed table of the pipeline (rows 1, 9).

pub mod intake;
pub mod analysis;
pub mod architecture;
pub mod development;
pub mod review;
pub mod testing;
pub mod staging;
pub mod deploy;
pub mod unseen;
pub mod watch;
pub mod terminal;

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where a task stands. Ten stages, `done` and `cancelled` without a way out (rows 1, 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Known from the tracker, not started.
    Created,
    /// The analyst writes the requirements; a person approves them.
    Analysis,
    /// The architect decides how.
    Architecture,
    /// The developer writes the change; CI judges it.
    Development,
    /// The reviewer judges the change.
    Review,
    /// The tester judges the change.
    Testing,
    /// The gates of the candidate, before production.
    DeployStaging,
    /// Consent, lane, merge, deploy, health.
    Deploy,
    /// Delivered, with proof.
    Done,
    /// Stopped by a person.
    Cancelled,
}

impl Stage {
    /// All of them, in the order of the pipeline.
    pub const ALL: [Stage; 10] = [
        Stage::Created,
        Stage::Analysis,
        Stage::Architecture,
        Stage::Development,
        Stage::Review,
        Stage::Testing,
        Stage::DeployStaging,
        Stage::Deploy,
        Stage::Done,
        Stage::Cancelled,
    ];

    /// The machine name (decision 27).
    pub const fn name(self) -> &'static str {
        match self {
            Stage::Created => "created",
            Stage::Analysis => "analysis",
            Stage::Architecture => "architecture",
            Stage::Development => "development",
            Stage::Review => "review",
            Stage::Testing => "testing",
            Stage::DeployStaging => "deploy-staging",
            Stage::Deploy => "deploy",
            Stage::Done => "done",
            Stage::Cancelled => "cancelled",
        }
    }

    /// Terminal means done or cancelled, the same everywhere (invariant B12).
    pub const fn is_terminal(self) -> bool {
        match self {
            Stage::Done | Stage::Cancelled => true,
            Stage::Created
            | Stage::Analysis
            | Stage::Architecture
            | Stage::Development
            | Stage::Review
            | Stage::Testing
            | Stage::DeployStaging
            | Stage::Deploy => false,
        }
    }

    /// The role that works in it. None works in deploy-staging and deploy (decision 6).
    pub const fn role(self) -> Option<Role> {
        match self {
            Stage::Analysis => Some(Role::Analyst),
            Stage::Architecture => Some(Role::Architect),
            Stage::Development => Some(Role::Developer),
            Stage::Review => Some(Role::Reviewer),
            Stage::Testing => Some(Role::Tester),
            Stage::Created | Stage::DeployStaging | Stage::Deploy | Stage::Done | Stage::Cancelled => None,
        }
    }

    /// The stage after it under a preset; `None` after a terminal one (row 2, decision 6).
    pub const fn next(self, preset: Preset) -> Option<Stage> {
        match (self, preset) {
            (Stage::Created, _) => Some(Stage::Analysis),
            (Stage::Analysis, Preset::Fast) => Some(Stage::Development),
            (Stage::Analysis, Preset::Full | Preset::Library) => Some(Stage::Architecture),
            (Stage::Architecture, _) => Some(Stage::Development),
            (Stage::Development, _) => Some(Stage::Review),
            (Stage::Review, _) => Some(Stage::Testing),
            (Stage::Testing, Preset::Library) => Some(Stage::Done),
            (Stage::Testing, Preset::Full | Preset::Fast) => Some(Stage::DeployStaging),
            (Stage::DeployStaging, _) => Some(Stage::Deploy),
            (Stage::Deploy, _) => Some(Stage::Done),
            (Stage::Done | Stage::Cancelled, _) => None,
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Which stages a project has (decision 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// All stages.
    Full,
    /// Without architecture.
    Fast,
    /// Nothing to deploy: the merge is at the end of testing.
    #[default]
    Library,
}

impl Preset {
    /// Whether the project has the stages deploy-staging and deploy.
    pub const fn deploys(self) -> bool {
        match self {
            Preset::Full | Preset::Fast => true,
            Preset::Library => false,
        }
    }
}

/// Who works: the agents' roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Writes 00-04.
    Analyst,
    /// Writes 06-10.
    Architect,
    /// Writes the change.
    Developer,
    /// Writes 12.
    Reviewer,
    /// Writes 13.
    Tester,
}

impl Role {
    /// All of them, in the order in which they work.
    pub const ALL: [Role; 5] =
        [Role::Analyst, Role::Architect, Role::Developer, Role::Reviewer, Role::Tester];

    /// The name in prompts, commits and settings.
    pub const fn name(self) -> &'static str {
        match self {
            Role::Analyst => "analyst",
            Role::Architect => "architect",
            Role::Developer => "developer",
            Role::Reviewer => "reviewer",
            Role::Tester => "tester",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::GateId;

    /// row 1: Stage order is created, analysis, architecture, development, review, testing, deploy-staging, deploy, done; cancelled is a sink; exactly 10 keys.
    /// row 9: Edge sub-gates never appear as stages; the stage table is unchanged by them [043/058/022].
    #[test]
    fn the_stages() {
        let names = Stage::ALL.map(Stage::name);
        assert_eq!(
            names,
            [
                "created",
                "analysis",
                "architecture",
                "development",
                "review",
                "testing",
                "deploy-staging",
                "deploy",
                "done",
                "cancelled"
            ]
        );
        let mut walk = vec![Stage::Created];
        while let Some(next) = walk.last().and_then(|stage| stage.next(Preset::Full)) {
            walk.push(next);
        }
        assert_eq!(walk, Stage::ALL[..9]);
        for preset in [Preset::Full, Preset::Fast, Preset::Library] {
            assert!(Stage::ALL.iter().all(|stage| stage.next(preset) != Some(Stage::Cancelled)));
            assert_eq!((Stage::Done.next(preset), Stage::Cancelled.next(preset)), (None, None));
        }
        assert!(GateId::ALL.iter().all(|gate| !names.contains(&gate.name())));
    }
}
