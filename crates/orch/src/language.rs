//! Which language does Orch speak here? The one that the installation names, else that of the person's locale.

use orch_core::message::Lang;

/// What `ORCH_LANGUAGE` or the text of an orch.toml names, even one that has other faults; else the locale's.
pub fn spoken(text: &str, env: &[(String, String)]) -> Lang {
    let said = value("ORCH_LANGUAGE", env).and_then(named);
    said.or_else(|| named_in(text)).unwrap_or_else(|| of_locale(env))
}

/// Whether the installation names its language, and leaves it to nobody's locale.
pub fn is_named(text: &str, env: &[(String, String)]) -> bool {
    value("ORCH_LANGUAGE", env).and_then(named).or_else(|| named_in(text)).is_some()
}

/// What an orch.toml names.
pub fn named_in(text: &str) -> Option<Lang> {
    let file: toml::Table = toml::from_str(text).ok()?;
    named(file.get("language")?.as_str()?)
}

/// A language by its tag, in any case.
pub fn named(tag: &str) -> Option<Lang> {
    Lang::ALL.into_iter().find(|lang| lang.code().eq_ignore_ascii_case(tag))
}

/// That of the locale: the first variable that says something counts, as everywhere; English if there is no other.
pub fn of_locale(env: &[(String, String)]) -> Lang {
    let said = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(|name| value(name, env));
    let tag = said.and_then(|locale| locale.split(['_', '.', '@', '-']).next());
    tag.and_then(named).unwrap_or_default()
}

fn value<'a>(name: &str, env: &'a [(String, String)]) -> Option<&'a str> {
    let set = env.iter().find(|(known, value)| known == name && !value.is_empty());
    set.map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, env: &[(&str, &str)], lang: Lang) {
        let env: Vec<_> = env.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        assert_eq!(spoken(text, &env), lang, "{text:?} {env:?}");
    }

    /// Proves the order in which the language is looked for, and that what nobody translated is English.
    #[test]
    fn the_language_is_found_in_order() {
        check("", &[], Lang::En);
        check("", &[("LANG", "ru_RU.UTF-8")], Lang::Ru);
        check("", &[("LANG", "ru_RU.UTF-8"), ("LC_ALL", "C")], Lang::En);
        check("", &[("LANG", "ru_RU.UTF-8"), ("LC_ALL", "")], Lang::Ru);
        check("", &[("LANG", "en_US.UTF-8"), ("LC_MESSAGES", "ru")], Lang::Ru);
        check("", &[("LANG", "rue_UA")], Lang::En);
        check("language = \"en\"", &[("LANG", "ru_RU.UTF-8")], Lang::En);
        check("language = \"ru\"\nlisten = 3", &[], Lang::Ru);
        check("language = \"ru\"", &[("ORCH_LANGUAGE", "EN")], Lang::En);
        check("language = \"fr\"", &[("ORCH_LANGUAGE", "fr"), ("LANG", "ru")], Lang::Ru);
    }
}
