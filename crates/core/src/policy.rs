//! Which rules hold for a project and for the installation? Plain data; where it is read from is not this crate's matter
//! (decisions 6, 44).

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::call::agent::is_zero;
use crate::call::git::Scope;
use crate::id::{Digest, ProviderId, WorkItem};
use crate::message::Lang;
use crate::stage::{Preset, Role};
use crate::time::{Calendar, Span};

/// What holds for one project: its `.orch/policy.toml` below the ceilings of the installation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// The prefix of its work items; unique in the installation.
    pub prefix: String,
    /// Which stages it has.
    pub preset: Preset,
    /// The least length of a description, in characters (QG-0); 0: a title is enough (decision 43).
    pub least_description: u64,
    /// Run before the tests in a clean checkout.
    pub setup: Vec<String>,
    /// The project's tests: program and arguments. Empty: there is no CI, and nothing can be merged.
    pub test: Vec<String>,
    /// Paths kept between runs, a task and role (decision 32).
    pub cache: Vec<String>,
    /// Globs of the tests: the tester may write them, and they are not part of the change's digest (decision 40).
    pub tests: Vec<String>,
    /// Globs that hold a change until a person approves exactly that diff (decision 8).
    pub protected: Vec<String>,
    /// Whether a `library` project asks before it merges (decision 6).
    pub confirm_merge: bool,
    /// One task of the project at a time, in the order of their numbers (decision 21).
    pub serial: bool,
    /// Whether the labels autoApprove and autoDeploy count (predecessor section 11).
    pub labels: bool,
    /// The language of comments and texts.
    pub language: Lang,
    /// Which agent works in which role: from the installation's settings (decision 13).
    pub agents: BTreeMap<Role, AgentChoice>,
    /// A run of an agent is killed after this (decision 12).
    pub run_limit: Span,
    /// A run of the tests is killed after this.
    pub ci_limit: Span,
    /// No result of the deploy hook after this: probe (decision 22).
    pub deploy_limit: Span,
    /// What a task may cost, in millionths of a US dollar (decision 12).
    pub task_budget: u64,
    /// Tokens a run of an agent may use; 0: no such limit (decision 12).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub run_tokens: u64,
    /// Whether the installation names a deploy hook for it.
    pub hook: bool,
    /// Whether the installation names a health probe for it.
    pub probe: bool,
    /// How the service is watched after a deploy; `None`: not at all (rows 89, 90).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watch: Option<WatchRules>,
}

/// How long and how often a deployed service is watched, and when it has gone bad (rows 90, 91).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchRules {
    /// How long.
    pub window: Span,
    /// The time between two looks.
    pub every: Span,
    /// So many bad answers in a row: production went bad.
    pub failures: u32,
}

impl WatchRules {
    /// How many looks fill the window. They are counted, not timed: a brain that was away, or a clock that stepped, makes a
    /// watch later, never shorter.
    pub fn looks(&self) -> u32 {
        let looks = self.window.0.div_ceil(self.every.0.max(1)).max(1);
        u32::try_from(looks).unwrap_or(u32::MAX)
    }
}

/// An agent for a role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentChoice {
    /// Its name in the settings.
    pub agent: String,
    /// Whose model it asks.
    pub provider: ProviderId,
}

/// What holds for the whole installation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Agents at once, in all.
    pub agents: u32,
    /// Agents at once, a project.
    pub agents_a_project: u32,
    /// Agents at once, a role; absent: only the other limits hold.
    pub agents_a_role: BTreeMap<Role, u32>,
    /// Gates' runs at once, in all.
    pub gates: u32,
    /// Money a day, in millionths of a US dollar (decision 12).
    pub day_budget: u64,
    /// Set aside for a run before it starts, settled after.
    pub run_reserve: u64,
    /// In which time zone a day begins (decision 46).
    #[serde(default, skip_serializing_if = "Calendar::is_utc")]
    pub calendar: Calendar,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            agents: 4,
            agents_a_project: 4,
            agents_a_role: BTreeMap::new(),
            gates: 2,
            day_budget: 100_000_000,
            run_reserve: 1_000_000,
            calendar: Calendar::default(),
        }
    }
}

impl Default for Policy {
    /// The built-in policy of a project that has none of its own.
    fn default() -> Self {
        Self {
            prefix: "TASK".to_owned(),
            preset: Preset::Library,
            least_description: 0,
            setup: Vec::new(),
            test: Vec::new(),
            cache: Vec::new(),
            tests: vec!["tests/**".to_owned()],
            protected: default_protected(),
            confirm_merge: false,
            serial: false,
            labels: true,
            language: Lang::En,
            agents: BTreeMap::new(),
            run_limit: Span::minutes(60),
            ci_limit: Span::minutes(30),
            deploy_limit: Span::minutes(20),
            task_budget: 20_000_000,
            run_tokens: 5_000_000,
            hook: false,
            probe: false,
            watch: None,
        }
    }
}

/// CI definitions, secret allow-lists, deploy hooks, CODEOWNERS (decision 8).
pub fn default_protected() -> Vec<String> {
    [
        ".github/**",
        ".gitea/**",
        ".forgejo/**",
        ".gitlab-ci.yml",
        ".circleci/**",
        ".buildkite/**",
        ".woodpecker.yml",
        ".woodpecker/**",
        ".drone.yml",
        ".travis.yml",
        "azure-pipelines.yml",
        "Jenkinsfile",
        ".ci/**",
        ".gitleaks.toml",
        ".gitleaksignore",
        "**/CODEOWNERS",
        "deploy/**",
        "scripts/deploy*",
    ]
    .map(str::to_owned)
    .to_vec()
}

impl Policy {
    /// What holds where no policy is known, made once.
    pub fn builtin() -> &'static Self {
        static BUILTIN: LazyLock<Policy> = LazyLock::new(Policy::default);
        &BUILTIN
    }

    /// The digest under which it is journaled.
    pub fn digest(&self) -> Digest {
        Digest::of(&serde_json::to_vec(self).unwrap_or_default())
    }

    /// The digest of the CI gate's definition: setup, tests and kept paths (decision 40).
    pub fn ci_definition(&self) -> Digest {
        Self::ci_definition_of(&self.setup, &self.test, &self.cache)
    }

    /// The same of a setup, tests and kept paths by themselves.
    pub fn ci_definition_of(setup: &[String], test: &[String], cache: &[String]) -> Digest {
        Digest::of(&serde_json::to_vec(&(setup, test, cache)).unwrap_or_default())
    }

    /// What a role may write (decision 8).
    pub fn scope(&self, role: Role, item: &WorkItem) -> Scope {
        let folder = crate::artefact::folder(item);
        let own = format!("{folder}/**");
        // The approved requirements are the analyst's alone (decision 8).
        let requirements: Vec<String> =
            crate::artefact::REQUIREMENTS.iter().map(|name| format!("{folder}/{name}")).collect();
        let (mut allowed, mut denied) = match role {
            Role::Analyst => (vec![own], vec![]),
            Role::Reviewer | Role::Tester => (vec![own], requirements),
            Role::Architect => (vec![own, "docs/architecture/**".to_owned()], requirements),
            Role::Developer => {
                (vec!["**".to_owned()], vec!["docs/work-items/**".to_owned(), ".orch/**".to_owned()])
            }
        };
        // A verdict file belongs to the role that is entitled to the verdict.
        let verdicts =
            [(Role::Reviewer, crate::artefact::REVIEW), (Role::Tester, crate::artefact::TEST_REPORT)];
        for (judge, name) in verdicts {
            if judge != role {
                denied.push(format!("{folder}/{name}"));
            }
        }
        // What Orch itself writes down is nobody's to write (decision 18).
        denied.extend(crate::record::Record::ALL.map(|record| record.path(item)));
        if role == Role::Tester {
            allowed.extend(self.tests.iter().cloned());
        }
        Scope { allowed, denied, protected: self.protected.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Moment;

    /// Proves that limits are kept with their time zone, without which a day's budget would begin at another hour after a
    /// start; and that UTC is not written, as in journals from before there were time zones (decision 46).
    #[test]
    fn limits_keep_their_time_zone() {
        let tokyo = Limits { calendar: Calendar::new(vec![(Moment(0), 9 * 3600)]), ..Limits::default() };
        let text = serde_json::to_string(&tokyo).unwrap();
        assert_eq!(serde_json::from_str::<Limits>(&text).unwrap(), tokyo);
        assert!(!serde_json::to_string(&Limits::default()).unwrap().contains("calendar"));
    }

    /// Proves that a language is read by the tag that is written for it: in settings, policies and what is asked of a server.
    #[test]
    fn languages_are_read_by_their_tags() {
        for lang in Lang::ALL {
            assert_eq!(serde_json::from_value::<Lang>(lang.code().into()).unwrap(), lang);
        }
    }

    /// Proves that who says nothing has the definitions of CI, the allow-lists of secrets, deploy scripts and owners protected,
    /// each by itself (decision 8).
    #[test]
    fn the_usual_places_are_protected() {
        let protected = Policy::default().protected;
        for place in
            [".github/**", ".gitea/**", "Jenkinsfile", ".gitleaks.toml", "**/CODEOWNERS", "deploy/**"]
        {
            assert!(protected.iter().any(|pattern| pattern == place), "{place}: {protected:?}");
        }
        assert!(protected.iter().all(|pattern| !pattern.is_empty()));
    }
}
