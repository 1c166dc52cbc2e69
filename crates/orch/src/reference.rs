//! What can be set at all? The references as they are printed, and the example that is made from one.

use crate::{policy_file, settings};

/// All of `orch.toml` with comments.
pub fn settings() -> &'static str {
    settings::DEFAULT
}

/// All of `.orch/policy.toml` with comments.
pub fn policy() -> &'static str {
    policy_file::DEFAULT
}

/// All variables of the environment with placeholders.
pub fn environment() -> String {
    settings::environment::example()
}

/// `orch.example.toml`: the reference with its examples made real, so that it can be copied and cut down.
pub fn example() -> String {
    let body = uncommented(settings::DEFAULT);
    let body = body.split_once("\n\n").map_or(body.as_str(), |(_, body)| body);
    format!(
        "# An example of `orch.toml` with every key, also those without default. Copy what you need; `orch reference\n\
         # settings` says what holds when a line is missing.\n\n{body}"
    )
}

/// A reference with each `#key = ...` and `#[table]` made real.
pub fn uncommented(reference: &str) -> String {
    let real = |line: &str| {
        let bare = line.strip_prefix('#').filter(|rest| rest.starts_with(|c: char| c != ' ' && c != '#'));
        bare.unwrap_or(line).to_owned()
    };
    let mut text = reference.lines().map(real).collect::<Vec<_>>().join("\n");
    text.push('\n');
    text
}
