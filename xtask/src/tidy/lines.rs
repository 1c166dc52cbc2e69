//! What must not stand on a line of Rust, and where may it stand after all?

use std::collections::BTreeMap;

use super::Finding;
use crate::source::Source;

/// Something that few files may say.
struct Rule {
    /// Any of these on a line of code.
    says: &'static [&'static str],
    /// What to do instead.
    instead: &'static str,
    /// Where it is right, and why. A path ending in `/` is a folder.
    except: &'static [(&'static str, &'static str)],
    /// Whether tests may say it.
    in_tests: bool,
}

const RULES: &[Rule] = &[
    Rule {
        says: &["std::env", "env::var", "env::args"],
        instead: "only orch reads environment and arguments; take a value",
        except: &[
            ("crates/orch/", "settings and arguments come in here"),
            ("xtask/", "a tool for developers, not part of the program"),
            (
                "crates/adapters/src/process/enter.rs",
                "goes into the run's folder before it becomes the program",
            ),
            ("crates/bench/", "a tool for developers, not part of the program"),
        ],
        in_tests: true,
    },
    Rule {
        says: &[
            "SystemTime::now",
            "Instant::now",
            "Timestamp::now",
            "Zoned::now",
            "clock_gettime",
            ".elapsed()",
        ],
        instead: "time is a value that the engine's clock gives; take it as an argument",
        except: &[
            ("crates/engine/src/clock.rs", "the clock"),
            (
                "crates/adapters/src/process/",
                "supervisors are processes of their own: no engine there, and they outlive it",
            ),
            ("crates/adapters/src/git/hub.rs", "the age of a lock that a crash left behind"),
            ("crates/adapters/src/git/program.rs", "the deadline of a program that is waited for"),
            ("xtask/src/step.rs", "says how long a step took"),
            ("xtask/src/histories.rs", "says how long all histories took"),
            ("xtask/src/mutate/copy.rs", "says how long a mutant took"),
            ("crates/bench/", "measures how long things take"),
        ],
        in_tests: true,
    },
    Rule {
        says: &["#[allow(", "#![allow("],
        instead: "use #[expect(.., reason = \"..\")]: it goes when its cause goes",
        except: &[],
        in_tests: false,
    },
];

/// The marker of a `_` arm that is right.
const MARKER: &str = "// not a domain enum";

/// Words that say nothing about a type.
const EMPTY_NAMES: &[&str] = &["Manager", "Service", "Handler", "Context", "Data", "Info"];

pub(super) fn findings(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    let first = source.lines.iter().find(|line| !line.trim().is_empty());
    if !first.is_some_and(|line| line.starts_with("//! ")) {
        findings.push(Finding::of_file(
            &source.path,
            "begins without a `//!` line that says which question it answers",
        ));
    }
    for (number, line, test) in source.numbered() {
        let mut finding = |problem: String| findings.push(Finding::at(&source.path, number, problem));
        for rule in RULES.iter().filter(|rule| !rule.excepts(&source.path, test)) {
            if let Some(said) = rule.said(line) {
                finding(format!("`{said}`: {}", rule.instead));
            }
        }
        if let Some(name) = empty_name(line) {
            finding(format!("`{name}`: a name that would fit anything; say what it is"));
        }
        if source.path.starts_with("crates/core/src/")
            && !test
            && has_wildcard_arm(line)
            && !marked(source, number)
        {
            finding(format!("`_` arm: name the variants, or say `{MARKER}` on this line or the one above"));
        }
    }
    findings
}

/// Exceptions of a rule that nothing needs any more.
pub(super) fn stale(sources: &BTreeMap<String, Source>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rule in RULES {
        for (path, _) in rule.except {
            let mut under = sources.values().filter(|source| covers(path, &source.path)).peekable();
            let needed = under.peek().is_none()
                || under.any(|source| source.code.iter().any(|line| rule.said(line).is_some()));
            // An empty room still keeps its right; a folder may be all still to come.
            if !needed && !path.ends_with('/') {
                let problem = format!("does not need its exception for `{}` any more", rule.says[0]);
                findings.push(Finding::of_file(path, problem));
            }
        }
    }
    findings
}

impl Rule {
    fn excepts(&self, path: &str, test: bool) -> bool {
        (test && self.in_tests) || self.except.iter().any(|(right, _)| covers(right, path))
    }

    fn said(&self, line: &str) -> Option<&'static str> {
        self.says.iter().copied().find(|said| line.contains(said))
    }
}

fn covers(right: &str, path: &str) -> bool {
    if right.ends_with('/') { path.starts_with(right) } else { path == right }
}

/// Whether a match arm on this line begins with `_`.
fn has_wildcard_arm(line: &str) -> bool {
    ["_ =>", "_ if "].iter().any(|arm| {
        line.match_indices(arm).any(|(at, _)| {
            let before = line[..at].trim_end();
            let joined = line[..at].ends_with(|one: char| one.is_alphanumeric() || one == '_');
            !joined && (before.is_empty() || before.ends_with(['{', ',', '|', '}']))
        })
    })
}

fn marked(source: &Source, number: usize) -> bool {
    let lines = [number.checked_sub(2), number.checked_sub(1)];
    lines.into_iter().flatten().any(|at| source.lines.get(at).is_some_and(|line| line.contains(MARKER)))
}

/// A declared type with a name that says nothing.
fn empty_name(line: &str) -> Option<&str> {
    // An associated type is named by the trait that somebody else wrote.
    if line.starts_with(' ') && line.trim_start().starts_with("type ") {
        return None;
    }
    let mut words =
        line.split(|one: char| !(one.is_alphanumeric() || one == '_')).filter(|word| !word.is_empty());
    let declared = words.by_ref().find(|word| matches!(*word, "struct" | "enum" | "trait" | "type"));
    let name = declared.and_then(|_| words.next())?;
    EMPTY_NAMES.iter().any(|empty| name.ends_with(empty)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, body: &str) -> Vec<String> {
        let text = format!("//! Which?\n{body}\n");
        findings(&Source::new(path, &text)).iter().map(Finding::to_string).collect()
    }

    /// A module says first what it is for.
    #[test]
    fn a_module_opens_with_its_question() {
        let source = Source::new("crates/core/src/a.rs", "use x;\n//! Late\n");
        let expected =
            "crates/core/src/a.rs: begins without a `//!` line that says which question it answers";
        assert_eq!(findings(&source).iter().map(Finding::to_string).collect::<Vec<_>>(), [expected]);
    }

    /// The environment belongs to orch, time to the clock; comments, strings and tests do not count.
    #[test]
    fn borders_are_kept() {
        let reads = "let a = std::env::var(\"A\");";
        assert_eq!(
            check("crates/store/src/a.rs", reads),
            ["crates/store/src/a.rs:2: `std::env`: only orch reads environment and arguments; take a value"]
        );
        assert_eq!(check("crates/orch/src/a.rs", reads), [""; 0]);
        assert_eq!(check("crates/store/tests/it/a.rs", reads), [""; 0]);
        assert_eq!(check("crates/store/src/a.rs", "// std::env\nlet a = \"Instant::now()\";"), [""; 0]);
        let asks = "let a = std::time::Instant::now();";
        assert_eq!(check("crates/engine/src/run.rs", asks).len(), 1);
        assert_eq!(check("crates/engine/src/clock.rs", asks), [""; 0]);
    }

    /// A lint is expected with a reason, in tests too.
    #[test]
    fn allow_is_refused() {
        assert_eq!(
            check("crates/core/src/a.rs", "#[cfg(test)]\nmod tests {\n#[allow(dead_code)]\nfn a() {}\n}")
                .len(),
            1
        );
        assert_eq!(check("crates/core/src/a.rs", "#[expect(dead_code, reason = \"soon\")]"), [""; 0]);
    }

    /// A catch-all arm in core hides the variant that is added next year.
    #[test]
    fn wildcard_arms_need_a_marker() {
        for arm in ["_ => {}", "_ if late => {}", "match x { _ => 1 }", "A => 1, _ => 2", "A | _ => 1"] {
            assert_eq!(check("crates/core/src/a.rs", arm).len(), 1, "{arm}");
            assert_eq!(check("crates/engine/src/a.rs", arm), [""; 0], "{arm}");
        }
        for fine in [
            "Some(_) => {}",
            "(_, _) => {}",
            "|_| 1",
            "A { .. } => 1",
            "_ => 1 // not a domain enum",
            "// not a domain enum\n_ => 1",
        ] {
            assert_eq!(check("crates/core/src/a.rs", fine), [""; 0], "{fine}");
        }
    }

    /// Only what is declared here is named here.
    #[test]
    fn empty_names_are_refused() {
        assert_eq!(empty_name("pub(crate) struct JobManager<T> {"), Some("JobManager"));
        assert_eq!(empty_name("type Info = u8;"), Some("Info"));
        assert_eq!(empty_name("impl tower::Service<Request> for Door {"), None);
        assert_eq!(empty_name("struct Database;"), None);
        assert_eq!(empty_name("    type Data = Bytes;"), None);
    }

    /// An exception that is not needed any more is a finding, one for a file to come is not.
    #[test]
    fn exceptions_do_not_outlive_their_cause() {
        let path = "crates/engine/src/clock.rs";
        let sources = |body: &str| BTreeMap::from([(path.to_owned(), Source::new(path, body))]);
        assert_eq!(stale(&sources("//! x\nInstant::now()\n")), []);
        assert_eq!(stale(&sources("//! x\n")).len(), 1);
        assert_eq!(stale(&BTreeMap::new()), []);
    }
}
