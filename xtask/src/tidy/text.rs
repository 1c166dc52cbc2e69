//! What holds for every text file, whatever its language?

use super::Finding;

/// The longest source file.
const LONGEST: usize = 700;

/// Languages in which a long file is a room with too much in it. Documents and data may be long.
const SOURCES: &[&str] = &[".rs", ".js", ".css", ".html", ".sh", ".sql"];

pub(super) fn findings(file: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !text.is_empty() && !text.ends_with('\n') {
        findings.push(Finding::of_file(file, "does not end with a line break"));
    }
    let count = text.lines().count();
    if count > LONGEST && SOURCES.iter().any(|end| file.ends_with(end)) {
        findings.push(Finding::of_file(file, format!("{count} lines; more than {LONGEST} are two files")));
    }
    for (at, line) in text.lines().enumerate() {
        if let Some(path) = machine_path(line) {
            findings.push(Finding::at(file, at + 1, format!("\"{path}\" is a path of one machine")));
        }
        if let Some(setting) = registry_settings().into_iter().find(|setting| line.contains(setting.as_str()))
        {
            let problem = format!("\"{setting}\": where packages come from is the machine's own matter");
            findings.push(Finding::at(file, at + 1, problem));
        }
    }
    findings
}

/// Written in pieces, so that this file keeps its own rule.
fn machine_paths() -> [String; 2] {
    ["work", "root"].map(|folder| format!("/{folder}"))
}

fn registry_settings() -> [String; 3] {
    [["sparse", "+http"], ["replace", "-with"], ["[source", "."]].map(|pieces| pieces.concat())
}

/// An absolute path into a folder that only some machine has.
fn machine_path(line: &str) -> Option<String> {
    let word = |one: char| one.is_alphanumeric() || "_-.".contains(one);
    machine_paths().into_iter().find(|path| {
        line.match_indices(path.as_str()).any(|(at, _)| {
            let before = line[..at].chars().next_back();
            let after = line[at + path.len()..].chars().next();
            // `a/work`, `{x}/work` and `<x>/work` are relative to something, `/workshop` is another word.
            let relative = before.is_some_and(|one| word(one) || "/})>*".contains(one));
            !relative && after == Some('/')
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(file: &str, text: &str) -> Vec<String> {
        findings(file, text).iter().map(Finding::to_string).collect()
    }

    /// The last line is a line.
    #[test]
    fn a_last_line_ends() {
        assert_eq!(check("a.md", "one\ntwo"), ["a.md: does not end with a line break"]);
        assert_eq!(check("a.md", "one\n"), [""; 0]);
    }

    /// Source files are short, tables may be long.
    #[test]
    fn long_sources_are_refused() {
        let text = "\n".repeat(LONGEST + 1);
        assert_eq!(check("a.rs", &text), ["a.rs: 701 lines; more than 700 are two files"]);
        assert_eq!(check("a.md", &text), [""; 0]);
        assert_eq!(check("a.rs", &"\n".repeat(LONGEST)), [""; 0]);
    }

    /// row 214: Tests never touch real shared worktree paths or the network.
    /// Proves the half of the paths, for no source can name one: they are found, path endings and other words are not.
    /// That tests speak to loopback alone is a rule of STYLE.md, which no test proves.
    ///
    /// incident I-36: a test wrote to a path of the machine it ran on; no source of ours can name one.
    #[test]
    fn machine_paths_are_refused() {
        let [work, root] = machine_paths();
        assert_eq!(
            check("a", &format!("see {work}/x\n")),
            [format!("a:1: \"{work}\" is a path of one machine")]
        );
        assert_eq!(
            check("a", &format!("\"{root}/x\"\n")),
            [format!("a:1: \"{root}\" is a path of one machine")]
        );
        for fine in
            [format!("docs{work}/x"), format!("{work}-items/x"), format!("<x>{work}/y"), format!("{root}s")]
        {
            assert_eq!(check("a", &format!("{fine}\n")), [""; 0], "{fine}");
        }
    }

    /// No file tells cargo to look elsewhere.
    #[test]
    fn registry_settings_are_refused() {
        for setting in registry_settings() {
            assert_eq!(check("a", &format!("x {setting} y\n")).len(), 1, "{setting}");
        }
    }
}
