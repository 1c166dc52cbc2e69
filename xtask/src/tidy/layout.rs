//! Is every Rust file in its place, and does the compiler see it?

use std::collections::BTreeMap;

use super::Finding;
use crate::source::Source;

/// Names under which anything could be put, and is.
const EMPTY_MODULES: &[&str] = &["util", "utils", "common", "helper", "helpers", "manager", "misc"];

pub(super) fn findings(sources: &BTreeMap<String, Source>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for path in sources.keys() {
        let parts: Vec<&str> = path.trim_end_matches(".rs").split('/').collect();
        if let Some(name) = parts.iter().find(|part| EMPTY_MODULES.contains(part)) {
            findings.push(Finding::of_file(
                path,
                format!("\"{name}\" is no name for a module: say what is in it"),
            ));
        }
        if let Some(problem) = integration_problem(&parts) {
            findings.push(Finding::of_file(path, problem));
        } else if let Some(problem) = forgotten(path, sources) {
            findings.push(Finding::of_file(path, problem));
        }
    }
    findings
}

/// Integration tests of a crate are one binary: each more is linked, and started, on its own.
fn integration_problem(parts: &[&str]) -> Option<String> {
    match parts {
        // A helper that the tests start as a process of its own is no test binary.
        ["crates", _, "tests", "it" | "bin", ..] => None,
        ["crates", name, "tests", ..] => Some(format!(
            "integration tests are one binary a crate: crates/{name}/tests/it/main.rs and its modules"
        )),
        _ => None,
    }
}

/// A file that no `mod` line names is compiled by nobody.
fn forgotten(path: &str, sources: &BTreeMap<String, Source>) -> Option<String> {
    let (folder, file) = path.rsplit_once('/')?;
    let top = ["/src", "/tests/it"].iter().find_map(|top| {
        let (before, _) = path.split_once(&format!("{top}/"))?;
        Some(format!("{before}{top}"))
    })?;
    let is_root = folder == top && matches!(file, "main.rs" | "lib.rs");
    if is_root || folder.starts_with(&format!("{top}/bin")) {
        return None;
    }
    let (module, home) = if file == "mod.rs" {
        let (above, name) = folder.rsplit_once('/')?;
        (name, above)
    } else {
        (file.trim_end_matches(".rs"), folder)
    };
    let parents: Vec<String> = if home == top {
        vec![format!("{home}/lib.rs"), format!("{home}/main.rs")]
    } else {
        vec![format!("{home}.rs"), format!("{home}/mod.rs")]
    };
    let line = format!("mod {module}");
    let named = parents.iter().filter_map(|parent| sources.get(parent)).any(|parent| declares(parent, &line));
    (!named).then(|| format!("`{line};` stands in none of {}: nobody compiles it", parents.join(", ")))
}

fn declares(parent: &Source, line: &str) -> bool {
    parent.code.iter().any(|code| {
        code.match_indices(line).any(|(at, _)| {
            let before = code[..at].chars().next_back();
            before.is_none_or(|one| one == ' ') && code[at + line.len()..].trim_start().starts_with(';')
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(files: &[(&str, &str)]) -> Vec<String> {
        let sources =
            files.iter().map(|(path, text)| ((*path).to_owned(), Source::new(path, text))).collect();
        findings(&sources).iter().map(Finding::to_string).collect()
    }

    /// Files, folders and test modules are found through their parents.
    #[test]
    fn a_named_file_is_fine() {
        let files = [
            ("crates/core/src/lib.rs", "pub mod stage;\n    mod gate ;\n"),
            ("crates/core/src/stage.rs", "pub(crate) mod intake;\n"),
            ("crates/core/src/stage/intake.rs", ""),
            ("crates/core/src/gate/mod.rs", "mod ci;\n"),
            ("crates/core/src/gate/ci.rs", ""),
            ("crates/core/tests/it/main.rs", "mod order;\n"),
            ("crates/core/tests/it/order.rs", ""),
        ];
        assert_eq!(check(&files), [""; 0]);
    }

    /// A test file that nobody names would pass for ever.
    #[test]
    fn a_forgotten_file_is_found() {
        let files = [
            ("crates/core/tests/it/main.rs", "// mod order;\nmod order_of_gates;\n"),
            ("crates/core/tests/it/order.rs", ""),
            ("crates/core/tests/it/order_of_gates.rs", ""),
        ];
        let found = check(&files);
        assert_eq!(found.len(), 1);
        assert!(
            found[0].starts_with("crates/core/tests/it/order.rs: `mod order;` stands in none of"),
            "{found:?}"
        );
    }

    /// One integration binary a crate.
    #[test]
    fn a_second_test_binary_is_found() {
        let found = check(&[("crates/core/tests/order.rs", "")]);
        assert!(found[0].contains("one binary a crate"), "{found:?}");
    }

    /// Some names invite everything.
    #[test]
    fn empty_module_names_are_found() {
        let files = [
            ("crates/core/src/lib.rs", "mod util;\n"),
            ("crates/core/src/util/a.rs", ""),
            ("crates/core/src/util.rs", "mod a;\n"),
        ];
        assert_eq!(check(&files).len(), 2);
    }
}
