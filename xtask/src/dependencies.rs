//! May we use every package that is in the build?

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Result, bail};

use crate::metadata::Metadata;

/// The only place that packages come from.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Licences that ask for nothing but their text.
const LICENCES: &[&str] = &[
    "MIT",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "Unlicense",
    "0BSD",
    "Unicode-3.0",
    "CC0-1.0",
    "BSL-1.0",
    "CDLA-Permissive-2.0",
];

/// Packages that only tests may use: a licence that is not on the list, and the reason.
const EXCEPTIONS: &[(&str, &str, &str)] = &[(
    "webdriver",
    "MPL-2.0",
    "the browser test speaks it; nothing that ships has it, and we change no file of it",
)];

/// Packages that must not come in, through whatever door.
const BANNED: &[(&str, &str)] = &[
    ("openssl-sys", "TLS is rustls with ring: one static binary"),
    ("native-tls", "TLS is rustls with ring: one static binary"),
    ("rsa", "its timing leaks the key; ring signs"),
    ("serde_yaml", "not maintained; YAML is read by serde-saphyr with a budget"),
    ("serde_yml", "unsound and not maintained; YAML is read by serde-saphyr with a budget"),
    ("chrono", "time is jiff"),
];

/// Checks sources, licences and bans of the whole build, from what cargo knows on this machine.
pub(crate) fn run(root: &Path) -> Result<()> {
    let metadata = Metadata::ask(root)?;
    let findings = findings(&metadata);
    for finding in &findings {
        println!("{finding}");
    }
    if !findings.is_empty() {
        bail!("{} findings about dependencies; the rules are in xtask/src/dependencies.rs", findings.len());
    }
    let twice = twice(&metadata);
    println!(
        "{} packages, {} in more than one version: {}",
        metadata.packages.len(),
        twice.len(),
        twice.join(", ")
    );
    Ok(())
}

fn findings(metadata: &Metadata) -> Vec<String> {
    let mut findings = Vec::new();
    let shipped = metadata.reached_from("orch");
    for (id, package) in &metadata.packages {
        let named = format!("{} {}", package.name, package.version);
        if let Some((_, why)) = BANNED.iter().find(|(name, _)| *name == package.name) {
            findings.push(format!("{named} is banned: {why}"));
        }
        match &package.source {
            Some(source) if source != REGISTRY => {
                findings.push(format!("{named} comes from {source}, not from crates.io"))
            }
            None if !metadata.members.contains(id) => {
                findings.push(format!("{named} comes from a folder outside the workspace"))
            }
            _ => {}
        }
        match &package.license {
            Some(licence) if accepted(licence) => {}
            Some(licence) if !shipped.contains(package.name.as_str()) && excepted(&package.name, licence) => {
            }
            Some(licence) => {
                findings.push(format!("{named} is under {licence}, which is not on the list of licences"))
            }
            None => findings.push(format!("{named} names no licence")),
        }
        if metadata.members.contains(id) {
            for (name, _) in package.wants.iter().filter(|(_, version)| version == "*") {
                findings.push(format!("{} wants any version of {name}; name one", package.name));
            }
        }
    }
    findings
}

/// Whether there is an exception for a package under this licence.
fn excepted(name: &str, licence: &str) -> bool {
    EXCEPTIONS.iter().any(|(package, under, _)| *package == name && *under == licence)
}

fn twice(metadata: &Metadata) -> Vec<String> {
    let mut versions: BTreeMap<&str, u32> = BTreeMap::new();
    for package in metadata.packages.values() {
        *versions.entry(&package.name).or_default() += 1;
    }
    versions.into_iter().filter(|(_, count)| *count > 1).map(|(name, _)| name.to_owned()).collect()
}

/// Whether an SPDX expression can be met with licences of the list. `/` is the old way to write `OR`.
fn accepted(expression: &str) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    any(&mut rest) == Some(true) && rest.is_empty()
}

/// `a OR b OR ...`; nothing if it is not an expression.
fn any(words: &mut &[&str]) -> Option<bool> {
    let mut met = all(words)?;
    while eat(words, "OR") {
        met |= all(words)?;
    }
    Some(met)
}

/// `a AND b AND ...`, which binds tighter than OR.
fn all(words: &mut &[&str]) -> Option<bool> {
    let mut met = one(words)?;
    while eat(words, "AND") {
        met &= one(words)?;
    }
    Some(met)
}

/// A licence, with its exception if it has one, or an expression in parentheses.
fn one(words: &mut &[&str]) -> Option<bool> {
    if eat(words, "(") {
        let met = any(words)?;
        return eat(words, ")").then_some(met);
    }
    let (licence, rest) = words.split_first()?;
    *words = rest;
    if !eat(words, "WITH") {
        return Some(LICENCES.contains(licence));
    }
    let (exception, rest) = words.split_first()?;
    *words = rest;
    Some(LICENCES.contains(&format!("{licence} WITH {exception}").as_str()))
}

fn eat(words: &mut &[&str], word: &str) -> bool {
    match words.split_first() {
        Some((first, rest)) if *first == word => {
            *words = rest;
            true
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::Use;
    use crate::metadata::tests::{package, workspace_of};

    /// One acceptable choice is enough for OR, each part must be acceptable for AND.
    #[test]
    fn licence_expressions_are_judged() {
        for good in [
            "MIT",
            "MIT/Apache-2.0",
            "Apache-2.0 OR GPL-2.0-only",
            "Apache-2.0 WITH LLVM-exception OR GPL-3.0",
            "(MIT OR Apache-2.0) AND Unicode-3.0",
        ] {
            assert!(accepted(good), "{good}");
        }
        for bad in ["GPL-3.0", "MIT AND GPL-3.0", "MPL-2.0 WITH LLVM-exception", "", "MIT OR", "(MIT"] {
            assert!(!accepted(bad), "{bad}");
        }
    }

    /// Each rule finds what it is for.
    #[test]
    fn unwelcome_packages_are_found() {
        let mut metadata = workspace_of(&["orch"], &[]);
        metadata.packages.insert("1".into(), package("openssl-sys", Some("MIT"), Some(REGISTRY)));
        metadata
            .packages
            .insert("2".into(), package("fork", Some("MIT"), Some("git+https://example.org/fork")));
        metadata.packages.insert("3".into(), package("strict", Some("GPL-3.0"), Some(REGISTRY)));
        metadata.packages.insert("4".into(), package("silent", None, Some(REGISTRY)));
        metadata.packages.insert("5".into(), package("beside", Some("MIT"), None));
        metadata.packages.insert("6".into(), package("fine", Some("ISC"), Some(REGISTRY)));
        metadata.packages.insert("7".into(), package("webdriver", Some("MPL-2.0"), Some(REGISTRY)));
        if let Some(member) = metadata.packages.get_mut("orch") {
            member.wants.push(("serde".into(), "*".into()));
        }
        let found = findings(&metadata);
        let expected = [
            "openssl-sys 1.0.0 is banned: TLS is rustls with ring: one static binary",
            "fork 1.0.0 comes from git+https://example.org/fork, not from crates.io",
            "strict 1.0.0 is under GPL-3.0, which is not on the list of licences",
            "silent 1.0.0 names no licence",
            "beside 1.0.0 comes from a folder outside the workspace",
            "orch wants any version of serde; name one",
        ];
        assert_eq!(found, expected);
        // What only tests may use must not ship.
        metadata.uses.push(Use { user: "orch".into(), used: "7".into(), normal: true });
        let found = findings(&metadata);
        assert!(
            found.iter().any(|finding| finding.starts_with("webdriver 1.0.0 is under MPL-2.0")),
            "{found:?}"
        );
    }
}
