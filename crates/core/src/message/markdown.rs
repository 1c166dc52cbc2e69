//! How do words of people and programs enter a Markdown comment without becoming markup, a mention or a link?

/// Words for the running text of a comment: one line in which nothing is markup.
pub fn md_escape(text: &str) -> String {
    let line = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty());
    let mut out = String::with_capacity(text.len() + 16);
    for word in line {
        if !out.is_empty() {
            out.push(' ');
        }
        let at_start = out.is_empty();
        let digits = word.bytes().take_while(u8::is_ascii_digit).count();
        for (i, c) in word.char_indices() {
            let next = &word[i + c.len_utf8()..];
            let marks = match c {
                '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '&' | '$' => true,
                // An address would become a link.
                ':' => next.starts_with("//"),
                '.' => (at_start && i == digits && digits > 0) || ends_with_www(&word[..i]),
                ')' => at_start && i == digits && digits > 0,
                '-' | '+' | '=' => at_start && i == 0,
                _ => false, // not a domain enum
            };
            if marks {
                out.push('\\');
            }
            out.push(c);
            if c == '@' {
                // No escape stops a mention; an invisible space does.
                out.push('\u{200b}');
            }
        }
    }
    out
}

/// Words as they are, in a fence that they cannot close; `None` if there are none.
pub fn md_block(text: &str) -> Option<String> {
    let text: String = text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
    let text = text.trim_matches('\n').trim_end();
    if text.trim().is_empty() {
        return None;
    }
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(3.max(longest + 1));
    Some(format!("{fence}text\n{text}\n{fence}"))
}

/// A thing that people can open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// What it is called.
    pub label: String,
    /// Where it is: an http or https address, or a path of the same site. Anything else is shown without being a link.
    pub url: String,
}

impl Link {
    /// A link.
    pub fn new(label: impl Into<String>, url: impl Into<String>) -> Self {
        Self { label: label.into(), url: url.into() }
    }

    /// As Markdown.
    pub fn markdown(&self) -> String {
        let label = md_escape(&self.label);
        let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '\\' | '"');
        let known = self.url.starts_with("https://")
            || self.url.starts_with("http://")
            || (self.url.starts_with('/') && !self.url.starts_with("//"));
        if known && !self.url.contains(odd) { format!("[{label}](<{}>)", self.url) } else { label }
    }
}

/// Links in one line, without empty ones.
pub(super) fn links(links: &[Link]) -> Option<String> {
    let all: Vec<String> = links.iter().map(Link::markdown).filter(|l| !l.is_empty()).collect();
    (!all.is_empty()).then(|| all.join(", "))
}

fn ends_with_www(before: &str) -> bool {
    before.len() >= 3 && before.get(before.len() - 3..).is_some_and(|w| w.eq_ignore_ascii_case("www"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that no text becomes markup, a mention or a link, and that it stays on its line.
    #[test]
    fn words_stay_words() {
        let cases = [
            ("plain words, 100%: fine.", "plain words, 100%: fine."),
            ("**bold** _i_ `code`", r"\*\*bold\*\* \_i\_ \`code\`"),
            ("# head\n\n- item\r\n1. x", r"\# head - item 1. x"),
            ("1. first", r"1\. first"),
            ("12) x", r"12\) x"),
            (".env is read", ".env is read"),
            (") x", ") x"),
            ("- x", r"\- x"),
            ("[a](http://x.y)", r"\[a\](http\://x.y)"),
            ("<script>&amp;", r"\<script\>\&amp;"),
            ("| a | b |", r"\| a \| b \|"),
            ("www.a.b c.d", r"www\.a.b c.d"),
            ("@root", "@\u{200b}root"),
            ("a\0b\u{1b}[31m", r"a b \[31m"),
            ("\\*", r"\\\*"),
            ("", ""),
        ];
        for (text, want) in cases {
            assert_eq!(md_escape(text), want);
        }
    }

    /// Proves that a block cannot be closed by its content.
    #[test]
    fn blocks_hold() {
        assert_eq!(md_block("a\n```\n# b\n").unwrap(), "````text\na\n```\n# b\n````");
        assert_eq!(md_block("`````").unwrap().lines().last(), Some("``````"));
        assert_eq!(md_block(" \n\t\n"), None);
    }

    /// Proves that only addresses of the web and paths become links.
    #[test]
    fn links_are_safe() {
        let shown = |url: &str| Link::new("a_b", url).markdown();
        assert_eq!(shown("https://x.y/a b"), r"a\_b");
        assert_eq!(shown("https://x.y/(a)"), r"[a\_b](<https://x.y/(a)>)");
        assert_eq!(shown("/task/ORCH-1"), r"[a\_b](</task/ORCH-1>)");
        for url in ["javascript:alert(1)", "//evil", "", "https://x>y", "data:x"] {
            assert_eq!(shown(url), r"a\_b");
        }
    }

    /// Proves that a number is escaped only where a list would begin with it.
    #[test]
    fn only_a_list_begins_with_a_number() {
        let cases = [
            ("a 1) b", "a 1) b"),
            ("a) b", "a) b"),
            ("1a) b", "1a) b"),
            ("1) b", r"1\) b"),
            ("1.5) b", r"1\.5) b"),
        ];
        for (text, want) in cases {
            assert_eq!(md_escape(text), want);
        }
    }
}
