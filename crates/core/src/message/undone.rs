//! How does what was undone of a run's work read?

use super::{Arg, Lang, role_name, say};
use crate::undone::{Undone, Unfit};

/// One thing that was undone, with why, as a part of a sentence.
pub fn undone(fact: &Undone, lang: Lang) -> String {
    match fact {
        Undone::Worded(words) => words.clone(),
        Undone::Path { path, why } => format!("{path}: {}", unfit(why, lang)),
        Undone::More { more } => say(lang, "undone-more", [("more", Arg::Text(more.to_string()))]),
    }
}

fn unfit(why: &Unfit, lang: Lang) -> String {
    let text = |name: &'static str, text: &str| (name, Arg::Text(text.to_owned()));
    let plain = |key: &'static str| say(lang, key, []);
    match why {
        Unfit::OutsideScope { role } => {
            say(lang, "undone-outside-scope", [text("role", &role_name(*role, lang))])
        }
        Unfit::NotUtf8 => plain("undone-not-utf8"),
        Unfit::ControlCharacters => plain("undone-control-characters"),
        Unfit::DotGit => plain("undone-dot-git"),
        Unfit::EqualName { other } => say(lang, "undone-equal-name", [text("other", other)]),
        Unfit::TakesPlaceOf { other } => say(lang, "undone-takes-place", [text("other", other)]),
        Unfit::SecretInName => plain("undone-secret-in-name"),
        Unfit::Secret => plain("undone-secret"),
        Unfit::Repository => plain("undone-repository"),
        Unfit::InSubmodule => plain("undone-in-submodule"),
        Unfit::Special => plain("undone-special"),
        Unfit::LeavesTree => plain("undone-leaves-tree"),
        Unfit::TooLarge { bytes, most } => {
            let args = [text("bytes", &bytes.to_string()), text("most", &most.to_string())];
            say(lang, "undone-too-large", args)
        }
        Unfit::NameRefused => plain("undone-name-refused"),
        Unfit::Refused { words } => say(lang, "undone-refused", [text("words", words)]),
        Unfit::TooMany { most } => say(lang, "undone-too-many", [text("most", &most.to_string())]),
        Unfit::TreeUnread { words } => say(lang, "undone-tree-unread", [text("words", words)]),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::stage::Role;

    /// One of each.
    pub(in super::super) fn everything() -> Vec<Undone> {
        let other = || "src/Lib.rs".to_owned();
        let words = || "fatal: out of memory".to_owned();
        let whys = [
            Unfit::OutsideScope { role: Role::Reviewer },
            Unfit::NotUtf8,
            Unfit::ControlCharacters,
            Unfit::DotGit,
            Unfit::EqualName { other: other() },
            Unfit::TakesPlaceOf { other: other() },
            Unfit::SecretInName,
            Unfit::Secret,
            Unfit::Repository,
            Unfit::InSubmodule,
            Unfit::Special,
            Unfit::LeavesTree,
            Unfit::TooLarge { bytes: 20 << 20, most: 10 << 20 },
            Unfit::NameRefused,
            Unfit::Refused { words: words() },
            Unfit::TooMany { most: 20_000 },
            Unfit::TreeUnread { words: words() },
        ];
        let paths = whys.map(|why| Undone::Path { path: "src/lib.rs".to_owned(), why });
        paths.into_iter().chain([Undone::More { more: 7 }]).collect()
    }
}
