//! What may a role write, and which names may not stand side by side? (decisions 8, 32)

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use icu_normalizer::ComposingNormalizerBorrowed;
use orch_core::call::Failure;
use orch_core::call::git::Scope;
use orch_core::refusal::Refusal;

/// A scope, ready to be asked.
#[derive(Debug)]
pub(super) struct Rules {
    allowed: GlobSet,
    denied: GlobSet,
    protected: GlobSet,
}

impl Rules {
    pub(super) fn of(scope: &Scope) -> Result<Self, Failure> {
        Ok(Self {
            allowed: globs(&scope.allowed)?,
            denied: globs(&scope.denied)?,
            protected: globs(&scope.protected)?,
        })
    }

    pub(super) fn may_write(&self, path: &str) -> bool {
        self.allowed.is_match(path) && !covers(&self.denied, path)
    }

    pub(super) fn is_protected(&self, path: &str) -> bool {
        covers(&self.protected, path)
    }
}

/// Whether globs mean this path, or all that would lie below it: a file or a link that takes the place of a folder is the
/// folder, and a link leads to another one.
fn covers(globs: &GlobSet, path: &str) -> bool {
    globs.is_match(path) || globs.is_match(format!("{path}/any"))
}

/// Globs as policies write them: `*` stays in a folder, `**` does not.
pub(super) fn globs(patterns: &[String]) -> Result<GlobSet, Failure> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let glob = GlobBuilder::new(pattern).literal_separator(true).build().map_err(|e| {
            Failure::permanent(Refusal::NotAGlob { pattern: pattern.clone(), cause: e.kind().to_string() })
        })?;
        set.add(glob);
    }
    set.build().map_err(|e| Failure::permanent(Refusal::Defect { cause: e.to_string() }))
}

/// A name as a file system sees it that tells neither cases nor Unicode forms apart.
fn folded(name: &str) -> String {
    let lower = name.to_lowercase();
    if lower.is_ascii() {
        return lower;
    }
    match ComposingNormalizerBorrowed::new_nfc().normalize(&lower) {
        Cow::Borrowed(_) => lower,
        Cow::Owned(composed) => composed,
    }
}

/// A path and each folder above it.
fn prefixes(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(at, _)| &path[..at]).chain([path])
}

/// Which of the added paths would bring a second spelling of a name, and which one stands for it already: one that is
/// there, or the first of the added ones.
pub(super) fn equal_names<'a>(
    there: impl Iterator<Item = &'a str>,
    added: &[&'a str],
) -> HashMap<&'a str, &'a str> {
    let names: HashSet<&str> = added.iter().flat_map(|path| prefixes(path)).collect();
    let wanted: HashSet<String> = names.into_iter().map(folded).collect();
    if wanted.is_empty() {
        return HashMap::new();
    }
    let mut spelled: HashMap<String, HashSet<&str>> = HashMap::new();
    for name in there.flat_map(prefixes) {
        let folded = folded(name);
        if wanted.contains(&folded) {
            spelled.entry(folded).or_default().insert(name);
        }
    }
    let mut equal = HashMap::new();
    for path in added {
        let other = prefixes(path).find_map(|name| {
            let spellings = spelled.get(&folded(name))?;
            if spellings.contains(name) { None } else { spellings.iter().min().copied() }
        });
        match other {
            Some(other) => drop(equal.insert(*path, other)),
            None => prefixes(path).for_each(|name| {
                spelled.entry(folded(name)).or_default().insert(name);
            }),
        }
    }
    equal
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that names that one file system would take for the same are found, folders above them included, and that
    /// others are not.
    #[test]
    fn equal_names_are_found() {
        let there = ["src/main.rs", "docs/r\u{e9}sum\u{e9}.md", "resume.md"];
        let added =
            ["Src/other.rs", "docs/re\u{301}sume\u{301}.md", "docs/resume.md", "new", "New", "src/new.rs"];
        let found = equal_names(there.into_iter(), &added);
        let mut names: Vec<_> = found.into_iter().collect();
        names.sort_unstable();
        assert_eq!(
            names,
            [
                ("New", "new"),
                ("Src/other.rs", "src"),
                ("docs/re\u{301}sume\u{301}.md", "docs/r\u{e9}sum\u{e9}.md")
            ]
        );
    }

    /// Proves that denied beats allowed, that `*` stays in its folder, and that a bad glob is named.
    #[test]
    fn scopes_are_read_as_written() {
        let list = |globs: &[&str]| globs.iter().map(|g| (*g).to_owned()).collect::<Vec<_>>();
        let rules = Rules::of(&Scope {
            allowed: list(&["**"]),
            denied: list(&["docs/work-items/**"]),
            protected: list(&["**/CODEOWNERS", "scripts/deploy*"]),
        })
        .unwrap();
        assert!(rules.may_write("src/main.rs") && rules.may_write("README"));
        assert!(!rules.may_write("docs/work-items/A-001/12-review.md"));
        assert!(rules.is_protected("CODEOWNERS") && rules.is_protected("a/CODEOWNERS"));
        assert!(rules.is_protected("scripts/deploy.sh") && !rules.is_protected("scripts/deploy/x"));
        assert!(!rules.may_write("docs/work-items") && rules.may_write("docs"));
        let bad = globs(&list(&["a[", "b"])).unwrap_err();
        assert!(bad.cause.to_string().contains("`a[`"), "{}", bad.cause);
    }
}
