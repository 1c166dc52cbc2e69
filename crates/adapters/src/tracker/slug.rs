//! How does a title read in a branch's name? As ASCII words (decisions 10, 30).

/// A slug is cut at the last word that fits.
const MOST: usize = 40;

/// The title transliterated: lower-case ASCII words joined by `-`, at most 40 characters, never empty.
pub fn slug(title: &str) -> String {
    let plain = transliterated(title);
    let mut slug = String::new();
    for word in plain.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
        if slug.is_empty() {
            slug.push_str(&word[..word.len().min(MOST)]);
        } else if slug.len() + 1 + word.len() <= MOST {
            slug.push('-');
            slug.push_str(word);
        } else {
            break;
        }
    }
    if slug.is_empty() { "untitled".to_owned() } else { slug }
}

/// A text in small ASCII letters, digits and signs: other scripts by their sound, what has none as a blank (decision 30).
pub fn transliterated(text: &str) -> String {
    deunicode::deunicode_with_tofu(text, " ").to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves decision 30: titles in other scripts are transliterated, not stripped, and every title gives a slug.
    #[test]
    fn every_title_has_a_slug() {
        assert_eq!(slug("Add a --json flag"), "add-a-json-flag");
        assert_eq!(slug("Добавить тёмную тему"), "dobavit-tiomnuiu-temu");
        assert_eq!(slug("Größe für Ærø"), "grosse-fur-aero");
        assert_eq!(slug("日本語"), "ri-ben-yu");
        assert_eq!(slug("$(rm -rf /); `x` ../.. \u{0}"), "rm-rf-x");
        for nothing in ["", "   ", "---", "\u{e000}", "…"] {
            assert_eq!(slug(nothing), "untitled", "{nothing:?}");
        }
        let long = slug("one two three four five six seven eight nine ten eleven twelve");
        assert_eq!(long, "one-two-three-four-five-six-seven-eight");
        assert_eq!(slug(&"x".repeat(99)).len(), 40);
    }
}
