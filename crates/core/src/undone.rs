//! What of a run's work does not count, and why not? It is undone and named (decisions 8, 32); facts, as in [`crate::said`].

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::message::{self, Lang};
use crate::stage::Role;

/// One thing that was undone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Undone {
    /// Which and why in English, in rows that are older than this.
    Worded(String),
    /// A path of the run's tree.
    Path {
        /// Which, as it can be shown; `*` is all of them.
        path: String,
        /// Why.
        why: Unfit,
    },
    /// Others, too many to be named.
    More {
        /// How many.
        more: u64,
    },
}

/// Why a path does not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unfit {
    /// The role may not write there.
    OutsideScope {
        /// Which role.
        role: Role,
    },
    /// Its name is not UTF-8.
    NotUtf8,
    /// Control characters in its name.
    ControlCharacters,
    /// A part of it is called `.git`.
    DotGit,
    /// Its name differs from another's only in case or Unicode form.
    EqualName {
        /// The other.
        other: String,
    },
    /// It takes the place of another, which stays.
    TakesPlaceOf {
        /// The other.
        other: String,
    },
    /// A key or login of the installation stands in its name.
    SecretInName,
    /// A key or login of the installation stands in it.
    Secret,
    /// A repository inside the tree.
    Repository,
    /// It lies in a submodule.
    InSubmodule,
    /// Neither a file nor a link.
    Special,
    /// A link that leaves the tree.
    LeavesTree,
    /// Too large.
    TooLarge {
        /// Its bytes.
        bytes: u64,
        /// How many may be.
        most: u64,
    },
    /// Git takes no file of this name.
    NameRefused,
    /// Git does not take it.
    Refused {
        /// Git's words.
        words: String,
    },
    /// More files were written than a run may.
    TooMany {
        /// How many it may.
        most: u64,
    },
    /// The tree cannot be read.
    TreeUnread {
        /// Git's words.
        words: String,
    },
}

/// In English: for logs, which have no reader's language.
impl fmt::Display for Undone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&message::undone(self, Lang::En))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that a log says the same English words as every page.
    #[test]
    fn logs_have_words() {
        let fact = Undone::More { more: 3 };
        assert_eq!(fact.to_string(), message::undone(&fact, Lang::En));
        assert!(fact.to_string().contains('3'), "{fact}");
    }

    /// Proves that what older rows say in English loads and stays the bytes that it was (decision 39), and that facts load
    /// as facts.
    #[test]
    fn older_words_load() {
        let before = r#"["src/main.rs: outside of what the reviewer may write","and 3 more"]"#;
        let loaded: Vec<Undone> = serde_json::from_str(before).unwrap();
        assert!(loaded.iter().all(|one| matches!(one, Undone::Worded(_))), "{loaded:?}");
        assert_eq!(serde_json::to_string(&loaded).unwrap(), before);
        let path = Undone::Path { path: "a".to_owned(), why: Unfit::TooLarge { bytes: 11, most: 10 } };
        for fact in [path, Undone::More { more: 3 }] {
            let json = serde_json::to_string(&fact).unwrap();
            assert_eq!(serde_json::from_str::<Undone>(&json).unwrap(), fact, "{json}");
        }
    }
}
