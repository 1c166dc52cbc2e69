//! What do a hub's own small files say? A start reads them itself where they are as git writes them, and starts no
//! program for it (goal 5); anything else is asked of git.

/// The branch that HEAD names, if the file is as git writes it.
pub(super) fn head(text: &str) -> Option<&str> {
    let branch = text.strip_prefix("ref: refs/heads/")?.strip_suffix('\n')?;
    let plain = !branch.is_empty() && !branch.chars().any(|c| c.is_whitespace() || c.is_control());
    plain.then_some(branch)
}

/// The address of the remote `origin`, if it stands there once and needs no reading of quotes, escapes or other files.
pub(super) fn origin(config: &str) -> Option<&str> {
    let (mut here, mut found) = (false, None);
    for line in config.lines().map(str::trim) {
        let lower = line.to_ascii_lowercase();
        if lower.starts_with("[include") || line.ends_with('\\') {
            return None;
        }
        if line.starts_with('[') {
            here = line == "[remote \"origin\"]";
            if !here && lower.starts_with("[remote") && lower.contains("origin") {
                return None;
            }
        } else if here && lower.starts_with("url") {
            let value = line.strip_prefix("url = ")?;
            if found.is_some() || value.is_empty() || value.contains(['"', '\\', '#', ';']) {
                return None;
            }
            found = Some(value);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that what git writes is read, and that anything it could mean otherwise is left to git.
    #[test]
    fn only_plain_files_are_read() {
        assert_eq!(head("ref: refs/heads/main\n"), Some("main"));
        assert_eq!(head("ref: refs/heads/a/b\n"), Some("a/b"));
        for other in
            ["", "0123456789abcdef\n", "ref: refs/heads/\n", "ref: refs/heads/main", "ref: refs/tags/x\n"]
        {
            assert_eq!(head(other), None, "{other:?}");
        }
        let config = "[core]\n\tbare = true\n[remote \"origin\"]\n\turl = /srv/a b/c.git\n";
        assert_eq!(origin(config), Some("/srv/a b/c.git"));
        for more in [
            "\turl = /other\n",
            "[remote \"origin\"]\n\turl = /other\n",
            "[include]\n\tpath = x\n",
            "[Remote \"origin\"]\n\turl = /other\n",
            "[remote.origin]\n\turl = /other\n",
        ] {
            assert_eq!(origin(&format!("{config}{more}")), None, "{more:?}");
        }
        for value in ["\"/a\"", "/a\\tb", "/a # b", "/a;b", ""] {
            assert_eq!(origin(&format!("[remote \"origin\"]\n\turl = {value}\n")), None, "{value:?}");
        }
        assert_eq!(origin("[core]\n\turl = /a\n"), None);
    }
}
