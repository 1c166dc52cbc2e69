//! Which language is this, and how are its tests run? A guess from the files at the top, to be read and mended by a
//! person.

use std::path::{Path, PathBuf};

/// How a project is built and tested, as far as its files tell.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// The language or tool, for people; `None`: nothing is recognised.
    pub what: Option<&'static str>,
    /// What else is recognised and was not chosen.
    pub also: Vec<&'static str>,
    /// Run before the tests.
    pub setup: Vec<String>,
    /// The tests.
    pub test: Vec<String>,
    /// Kept between runs.
    pub cache: Vec<String>,
    /// Where tests live.
    pub tests: Vec<String>,
}

type Look = fn(&Path) -> Option<Found>;

/// In the order in which the first one wins: a Makefile is often only a short way to the others.
const LOOKS: &[Look] = &[rust, go, node, python, maven, gradle, ruby, elixir, make, bare_python];

/// Looks at the top of a repository.
pub fn look(top: &Path) -> Found {
    let mut all = LOOKS.iter().filter_map(|look| look(top));
    let mut found = all.next().unwrap_or_default();
    found.also = all.filter_map(|other| other.what).collect();
    found
}

fn found(what: &'static str, setup: &[&str], test: &[&str], cache: &[&str], tests: &[&str]) -> Option<Found> {
    let own = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let (setup, test, cache, tests) = (own(setup), own(test), own(cache), own(tests));
    Some(Found { what: Some(what), also: Vec::new(), setup, test, cache, tests })
}

fn has(top: &Path, name: &str) -> bool {
    top.join(name).is_file()
}

fn rust(top: &Path) -> Option<Found> {
    has(top, "Cargo.toml").then_some(())?;
    let locked: &[&str] =
        if has(top, "Cargo.lock") { &["cargo", "fetch", "--locked"] } else { &["cargo", "fetch"] };
    found(
        "Rust (Cargo)",
        locked,
        &["cargo", "test", "--workspace"],
        &["target"],
        &["tests/**", "crates/*/tests/**"],
    )
}

fn go(top: &Path) -> Option<Found> {
    has(top, "go.mod").then_some(())?;
    found(
        "Go",
        &["go", "mod", "download"],
        &["go", "test", "./..."],
        &[],
        &["**/*_test.go", "**/testdata/**"],
    )
}

fn node(top: &Path) -> Option<Found> {
    let text = std::fs::read_to_string(top.join("package.json")).ok()?;
    let package: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    let script = package.pointer("/scripts/test").and_then(|test| test.as_str()).unwrap_or_default();
    // What `npm init` writes when nobody answers is no test.
    let real = !script.is_empty() && !script.contains("no test specified");
    let (program, setup): (&str, &[&str]) = if has(top, "pnpm-lock.yaml") {
        ("pnpm", &["pnpm", "install", "--frozen-lockfile"])
    } else if has(top, "yarn.lock") {
        ("yarn", &["yarn", "install", "--frozen-lockfile"])
    } else if has(top, "package-lock.json") {
        ("npm", &["npm", "ci"])
    } else {
        ("npm", &["npm", "install"])
    };
    let test: &[&str] = if real { &[program, "test"] } else { &[] };
    let tests = ["test/**", "tests/**", "**/__tests__/**", "**/*.test.*", "**/*.spec.*"];
    found("JavaScript (package.json)", setup, test, &["node_modules"], &tests)
}

fn python(top: &Path) -> Option<Found> {
    let known = ["pyproject.toml", "setup.py", "setup.cfg", "requirements.txt", "pytest.ini", "tox.ini"];
    known.iter().any(|name| has(top, name)).then_some(())?;
    tested_python(top)
}

/// Python of which only the tests tell that it is a project.
fn bare_python(top: &Path) -> Option<Found> {
    (python(top).is_none() && !python_tests(top).is_empty()).then_some(())?;
    tested_python(top)
}

fn tested_python(top: &Path) -> Option<Found> {
    let tests = python_tests(top);
    let read = |file: &Path| std::fs::read_to_string(file).unwrap_or_default();
    // What stands in no class is a test for pytest alone.
    let for_pytest = |text: &str| text.contains("pytest") || text.lines().any(|l| l.starts_with("def test"));
    let pytest = has(top, "pytest.ini")
        || has(top, "conftest.py")
        || has(top, "tests/conftest.py")
        || ["pyproject.toml", "setup.cfg", "requirements.txt", "requirements-dev.txt", "tox.ini"]
            .iter()
            .any(|n| read(&top.join(n)).contains("pytest"))
        || tests.iter().any(|(_, file)| for_pytest(&read(file)));
    // Without an __init__.py unittest does not look into a folder that is not named to it.
    let folder = tests.first().map_or("", |(folder, _)| *folder);
    let named = !folder.is_empty() && !has(top, &format!("{folder}/__init__.py"));
    let test: &[&str] = match (pytest, named) {
        (true, _) => &["python3", "-m", "pytest"],
        (false, true) => &["python3", "-m", "unittest", "discover", folder],
        (false, false) => &["python3", "-m", "unittest"],
    };
    // No setup: whether a virtual environment, a system's packages or a tool is meant cannot be told from here.
    found("Python", &[], test, &[".venv"], &["tests/**", "test/**", "**/test_*.py"])
}

/// Files that Python's own runner takes for tests, and the folder in which each lies.
fn python_tests(top: &Path) -> Vec<(&'static str, PathBuf)> {
    let is_test = |file: &PathBuf| {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("test") && name.ends_with(".py") && file.is_file()
    };
    let in_folder = |folder: &'static str| {
        let entries = std::fs::read_dir(top.join(folder)).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).filter(is_test).map(move |file| (folder, file))
    };
    ["", "tests", "test"].into_iter().flat_map(in_folder).collect()
}

fn maven(top: &Path) -> Option<Found> {
    has(top, "pom.xml").then_some(())?;
    let program = if has(top, "mvnw") { "./mvnw" } else { "mvn" };
    found("Java (Maven)", &[], &[program, "--batch-mode", "test"], &["target"], &["src/test/**"])
}

fn gradle(top: &Path) -> Option<Found> {
    (has(top, "build.gradle") || has(top, "build.gradle.kts")).then_some(())?;
    let program = if has(top, "gradlew") { "./gradlew" } else { "gradle" };
    found("Java (Gradle)", &[], &[program, "test"], &["build", ".gradle"], &["**/src/test/**"])
}

fn ruby(top: &Path) -> Option<Found> {
    has(top, "Gemfile").then_some(())?;
    let test: &[&str] = if top.join("spec").is_dir() {
        &["bundle", "exec", "rspec"]
    } else {
        &["bundle", "exec", "rake", "test"]
    };
    found("Ruby", &["bundle", "install"], test, &["vendor/bundle"], &["spec/**", "test/**"])
}

fn elixir(top: &Path) -> Option<Found> {
    has(top, "mix.exs").then_some(())?;
    found("Elixir", &["mix", "deps.get"], &["mix", "test"], &["deps", "_build"], &["test/**"])
}

fn make(top: &Path) -> Option<Found> {
    let text = ["GNUmakefile", "makefile", "Makefile"]
        .iter()
        .find_map(|n| std::fs::read_to_string(top.join(n)).ok())?;
    let target = |name: &str| {
        text.lines().any(|line| {
            line.split_once(':').is_some_and(|(names, rest)| {
                !line.starts_with(['\t', ' ', '#', '.'])
                    && !rest.starts_with('=')
                    && names.split_whitespace().any(|n| n == name)
            })
        })
    };
    let test = ["test", "check"].into_iter().find(|name| target(name))?;
    found("Make", &[], &["make", test], &[], &["tests/**", "test/**"])
}

/// An agent's program that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentFound {
    /// Its name.
    pub name: &'static str,
    /// Where.
    pub program: PathBuf,
    /// Whether Orch speaks its language; others can be named with `kind = "command"`.
    pub spoken: bool,
}

/// The agents' programs on a search path.
pub fn agents(path: Option<&std::ffi::OsStr>) -> Vec<AgentFound> {
    let known =
        [("claude", true), ("codex", false), ("opencode", false), ("gemini", false), ("aider", false)];
    let look = |(name, spoken)| on_path(name, path).map(|program| AgentFound { name, program, spoken });
    known.into_iter().filter_map(look).collect()
}

/// Where a program is, if it is on the search path and may be executed.
pub fn on_path(program: &str, path: Option<&std::ffi::OsStr>) -> Option<PathBuf> {
    let runs = |file: &Path| {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::metadata(file).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
    };
    if program.contains('/') {
        return Some(PathBuf::from(program)).filter(|file| runs(file));
    }
    std::env::split_paths(path?)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(program))
        .find(|f| runs(f))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(files: &[(&str, &str)]) -> Found {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let file = dir.path().join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        }
        look(dir.path())
    }

    /// Proves the guess for the usual languages, and that nothing is guessed where nothing is known.
    #[test]
    fn languages_are_recognised() {
        let test = |files: &[(&str, &str)]| check(files).test.join(" ");
        assert_eq!(test(&[("Cargo.toml", "")]), "cargo test --workspace");
        assert_eq!(test(&[("go.mod", "")]), "go test ./...");
        assert_eq!(test(&[("package.json", r#"{"scripts":{"test":"jest"}}"#)]), "npm test");
        assert_eq!(
            test(&[("package.json", r#"{"scripts":{"test":"jest"}}"#), ("pnpm-lock.yaml", "")]),
            "pnpm test"
        );
        assert_eq!(
            test(&[("package.json", r#"{"scripts":{"test":"echo \"Error: no test specified\""}}"#)]),
            ""
        );
        assert_eq!(test(&[("package.json", "not json")]), "");
        assert_eq!(test(&[("pyproject.toml", "[tool.pytest.ini_options]")]), "python3 -m pytest");
        assert_eq!(test(&[("setup.py", "")]), "python3 -m unittest");
        let class = "import unittest\nclass T(unittest.TestCase):\n    def test_a(self): pass\n";
        assert_eq!(test(&[("test_sums.py", "def test_a():\n    assert True\n")]), "python3 -m pytest");
        assert_eq!(test(&[("test_sums.py", class)]), "python3 -m unittest");
        assert_eq!(test(&[("tests/test_sums.py", class)]), "python3 -m unittest discover tests");
        assert_eq!(test(&[("tests/test_sums.py", class), ("tests/__init__.py", "")]), "python3 -m unittest");
        assert_eq!(test(&[("test_sums.py", class), ("Makefile", "test:\n\tls\n")]), "make test");
        assert_eq!(test(&[("sums.py", ""), ("tests/data.txt", "")]), "", "a program is not its tests");
        assert_eq!(test(&[("Makefile", "VAR := 1\nall: x\n\ntest check: all\n\tls\n")]), "make test");
        assert_eq!(test(&[("Makefile", "test = 1\nall:\n\techo test: x\n")]), "");
        assert_eq!(check(&[("README", "")]), Found::default());
    }

    /// Proves that what was not chosen is named.
    #[test]
    fn other_languages_are_named() {
        let found = check(&[("Cargo.toml", ""), ("Makefile", "test:\n")]);
        assert_eq!((found.what, found.also), (Some("Rust (Cargo)"), vec!["Make"]));
    }
}
