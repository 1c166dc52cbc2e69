//! Does the main job work on a repository that no one here wrote? A published crate with its own test suite as CI, from
//! To Analyse to merged, a red round included.

use std::path::{Path, PathBuf};
use std::process::Command;

use orch_core::gate::Verdict;
use orch_core::said::Found;
use orch_core::stage::Stage;
use serde_json::{Value, json};

use crate::yard::Yard;

/// A CSV reader and writer without a standard library: 38 tests, one dependency, one more of its tests.
const CRATE: &str = "csv-core";
const VERSION: &str = "0.1.12";

const POLICY: &str =
    "preset = \"library\"\ntest = [\"cargo\", \"test\", \"--offline\"]\ncache = [\"target\"]\n";

/// The cargo that builds these tests, as a person would call it in that folder.
fn cargo(folder: &Path, arguments: &[&str]) -> String {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let out = Command::new(program).args(arguments).current_dir(folder).output().unwrap();
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(
        out.status.success(),
        "`cargo {}`: {CRATE} {VERSION} cannot be had; this test needs the package registry, by cargo's own settings:\n{said}",
        arguments.join(" ")
    );
    String::from_utf8(out.stdout).unwrap()
}

/// Where the package's sources lie after an ordinary fetch.
fn sources(yard: &Yard) -> PathBuf {
    let folder = yard.folder().join("fetch");
    let manifest = format!(
        "[package]\nname = \"fetch\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\n{CRATE} = \"={VERSION}\"\n\n[workspace]\n"
    );
    yard.write("fetch/Cargo.toml", manifest);
    yard.write("fetch/src/lib.rs", "");
    cargo(&folder, &["fetch"]);
    let told: Value =
        serde_json::from_str(&cargo(&folder, &["metadata", "--format-version=1", "--offline"])).unwrap();
    let packages = told["packages"].as_array().unwrap();
    let package = packages.iter().find(|package| package["name"] == CRATE).unwrap();
    Path::new(package["manifest_path"].as_str().unwrap()).parent().unwrap().to_owned()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name();
        // What cargo itself puts beside the package's files.
        if name == ".cargo-ok" {
            continue;
        }
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to.join(name)),
            false => std::fs::write(to.join(name), std::fs::read(entry.path()).unwrap()).unwrap(),
        }
    }
}

/// Where cargo keeps what it fetched, for `[machine]`: the packages, not the tokens beside them.
fn machine() -> String {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.unwrap_or_else(|| PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cargo"));
    let inside = |name: &str| home.join(name).display().to_string();
    let read = json!([inside("registry"), inside("git"), inside("config.toml")]);
    format!("[machine]\nread = {read}\n[machine.env]\nCARGO_HOME = {}\n", json!(home.display().to_string()))
}

const METHOD: &str = "    /// Separates fields by tabs.\n    pub fn tabs(&mut self) -> &mut WriterBuilder {\n        \
                      self.delimiter(b'\\t')\n    }\n\n";
const BEFORE: &str = "impl WriterBuilder {\n";
const TESTS: &str = "use csv_core::WriterBuilder;\n\n#[test]\nfn fields_are_separated_by_tabs() {\n    \
                     let mut writer = WriterBuilder::new().tabs().build();\n    let mut out = [0; 8];\n    \
                     let (_, _, field) = writer.field(b\"a\", &mut out);\n    \
                     let (_, tab) = writer.delimiter(&mut out[field..]);\n    \
                     assert_eq!(&out[..field + tab], b\"a\\t\");\n}\n";

/// What the developer does: first the new default breaks what others rely on, then only the new method is added.
fn developer() -> [(&'static str, String); 2] {
    let replace = |from: &str, to: &str| {
        format!(
            "[[part.step]]\ndo = \"replace\"\npath = \"src/writer.rs\"\nfrom = {}\nto = {}\n",
            json!(from),
            json!(to)
        )
    };
    let first =
        replace("delimiter: b',',", "delimiter: b'\\t',") + &replace(BEFORE, &format!("{BEFORE}{METHOD}"));
    let second = replace("delimiter: b'\\t',", "delimiter: b',',")
        + &format!(
            "[[part.step]]\ndo = \"write\"\npath = \"tests/tabs.rs\"\ntext = {}\nplain = true\n",
            json!(TESTS)
        );
    [("developer", format!("attempt = 1\n{first}")), ("developer", format!("attempt = 2\n{second}"))]
}

/// Proves the main job on a published crate's sources: its own tests are red for a change that breaks them, the developer
/// gets the names of the failed ones, the next round is green, and what is merged is what was tested, in the person's
/// repository.
#[test]
fn a_published_crate_gets_a_change() {
    let mut yard = Yard::new();
    yard.git(["init", "--quiet", "--initial-branch=main"]);
    copy(&sources(&yard), &yard.repository());
    cargo(&yard.repository(), &["fetch"]);
    yard.write("repository/.gitignore", "/target\n");
    yard.write("repository/.orch/policy.toml", POLICY);
    yard.commit("as published");
    let developer = developer();
    yard.play(&developer.each_ref().map(|(role, steps)| (*role, steps.as_str())));
    yard.top = machine();
    yard.up();
    let id = yard.ask("Write tab separated files");
    let task = yard.travel(&id);
    assert_eq!(task.stage, Stage::Done, "{:?} {:?}", task.step, task.escalated);

    let red: Vec<String> = task
        .evidence
        .iter()
        .filter_map(|evidence| match &evidence.verdict {
            Verdict::Fail { findings: Found::Kept(text) } => Some(yard.text(&text.blob)),
            Verdict::Fail { findings: Found::Said { said } } => panic!("{said:?}"),
            Verdict::Pass | Verdict::Unavailable { .. } => None,
        })
        .collect();
    assert_eq!(red.len(), 1, "one red round");
    assert!(red[0].contains("writer_two_fields"), "its own tests are named: {}", red[0]);
    assert_eq!(task.attempts.negative, 1);

    let merged = task.merged.unwrap();
    assert_eq!(yard.git(["rev-parse", "main"]), merged.commit.as_str());
    assert_eq!(yard.git(["status", "--porcelain"]), "", "the clean checkout has the change");
    let writer = yard.git(["show", "main:src/writer.rs"]);
    assert!(writer.contains("pub fn tabs") && writer.contains("delimiter: b',',"));
    let green = cargo(&yard.repository(), &["test", "--offline", "--quiet"]);
    assert!(green.contains("test result: ok"), "{green}");
}
