//! Is a model's name, or an effort, one that its program could mean? The form is checked, not a list: models come and go
//! (predecessor section 18).

use super::{AgentKind, AgentProgram};

/// Names under which Claude Code knows its newest models.
const CLAUDE_ALIASES: [&str; 4] = ["opus", "sonnet", "haiku", "opusplan"];

/// A name that is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("agent `{agent}`: `{name}` is not {what}: expected something like `{example}`")]
pub struct BadModel {
    /// Which agent.
    pub agent: String,
    /// What was given.
    pub name: String,
    /// What it should have been.
    pub what: &'static str,
    /// One that would do.
    pub example: &'static str,
}

/// Whether a model's name has the form that the program expects.
pub fn is_valid_model(kind: &AgentKind, name: &str) -> bool {
    let plain = !name.is_empty()
        && name.len() <= 100
        && name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._:/@[]".contains(&b));
    match kind {
        AgentKind::Claude => {
            let bare = name.split('[').next().unwrap_or_default();
            plain && (CLAUDE_ALIASES.contains(&bare) || own_part(bare).starts_with("claude-"))
        }
        AgentKind::Command | AgentKind::Scripted { .. } => plain,
    }
}

/// Whether an effort is one plain word.
pub fn is_valid_effort(effort: &str) -> bool {
    (1..=20).contains(&effort.len()) && effort.bytes().all(|b| b.is_ascii_lowercase())
}

/// What follows the provider, as in `anthropic/claude-x` and `eu.anthropic.claude-x`.
fn own_part(name: &str) -> &str {
    let own = name.rsplit('/').next().unwrap_or(name);
    own.find("anthropic.").map_or(own, |at| &own[at + "anthropic.".len()..])
}

pub(super) fn check(agent: &AgentProgram) -> Result<(), BadModel> {
    let bad = |name: &str, what, example| BadModel {
        agent: agent.name.clone(),
        name: name.to_owned(),
        what,
        example,
    };
    if let Some(name) = agent.model.as_deref().filter(|name| !is_valid_model(&agent.kind, name)) {
        let example = match agent.kind {
            AgentKind::Claude => "claude-sonnet-5-5",
            AgentKind::Command | AgentKind::Scripted { .. } => "provider/model-1",
        };
        return Err(bad(name, "a model's name", example));
    }
    match agent.effort.as_deref().filter(|effort| !is_valid_effort(effort)) {
        Some(effort) => Err(bad(effort, "an effort", "high")),
        None => Ok(()),
    }
}

/// The model to be passed on: none if its name is wrong, which is logged.
pub(super) fn valid_model(agent: &AgentProgram) -> Option<&str> {
    let name = agent.model.as_deref()?;
    let valid = is_valid_model(&agent.kind, name);
    if !valid {
        tracing::warn!(agent = agent.name, model = ?name, "not a model's name: the program's own choice is used");
    }
    valid.then_some(name)
}

/// The effort to be passed on, likewise.
pub(super) fn valid_effort(agent: &AgentProgram) -> Option<&str> {
    let effort = agent.effort.as_deref()?;
    let valid = is_valid_effort(effort);
    if !valid {
        tracing::warn!(agent = agent.name, ?effort, "not an effort: the program's own choice is used");
    }
    valid.then_some(effort)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A name that the program could take for a flag, a path or a command is none; a model of tomorrow is one.
    #[test]
    fn the_form_is_checked() {
        let claude = |name| is_valid_model(&AgentKind::Claude, name);
        for good in ["claude-opus-4-8", "claude-next-99", "sonnet", "sonnet[1m]", "eu.anthropic.claude-x-1:0"]
        {
            assert!(claude(good), "{good}");
        }
        for bad in ["", "gpt-5", "--model", "claude x", "claude-\n", "-claude-", "claude-;rm", "sonnet2"] {
            assert!(!claude(bad), "{bad}");
        }
        assert!(is_valid_model(&AgentKind::Command, "openrouter/x-1.5:free"));
        assert!(!is_valid_model(&AgentKind::Command, "--help"));
        assert!(is_valid_effort("xhigh") && !is_valid_effort("--max") && !is_valid_effort(""));
    }
}
