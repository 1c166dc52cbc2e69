//! Does every malformed policy get an answer, and does a good one hold below the ceilings?

use std::path::Path;

use orch::policy_file::{PolicyFile, effective};
use orch::settings::Settings;
use orch_core::message::Lang;
use orch_core::stage::{Preset, Role};
use orch_core::time::Span;

fn settings(text: &str) -> Settings {
    Settings::of_text(Path::new("orch.toml"), text, &[]).unwrap_or_else(|e| panic!("{e}")).0
}

#[track_caller]
fn check(text: &str, place: &str, problem: &str, remedy: &str) {
    let file = Path::new(".orch/policy.toml");
    let read = PolicyFile::read(file, text).and_then(|policy| effective("x", &Settings::default(), &policy));
    let error = read.expect_err(text);
    assert_eq!(error.place(), format!(".orch/policy.toml:{place}"), "{text}");
    assert_eq!(error.problem, problem, "{text}");
    assert!(error.remedy.contains(remedy), "{text}: {}", error.remedy);
}

/// Proves that a bad policy is answered with place, cause and remedy.
#[test]
fn a_bad_policy_is_answered() {
    check("preset = \"libary\"", "1:10", "`preset` cannot be `libary`", "did you mean `library`?");
    check("tset = []", "1:1", "there is no key `tset`", "did you mean `test`?");
    check(
        "test = \"a && b\"",
        "1:8",
        "`test`: `&` means something to a shell only, and no shell runs this",
        "[\"sh\", \"-c\", \"a && b\"]",
    );
    check(
        "test = 3",
        "1:8",
        "`test`: invalid type: integer `3`, expected a program with its arguments, as a list or as one line",
        "orch reference policy",
    );
    check("test = [\"\"]", "1:8", "`test`: the program has no name", "name it first");
    check("cache = [\"../x\"]", "1:1", "`cache`: \"../x\" is no path inside the repository", "without `..`");
    check(
        "cache = [\"a/*\"]",
        "1:1",
        "`cache`: `a/*` is a pattern, and a cache is one file or folder",
        "name each",
    );
    check(
        "\nprotected = [\"/etc\"]",
        "2:1",
        "`protected`: \"/etc\" is no path inside the repository",
        "relative",
    );
    check(
        "serial = 1",
        "1:10",
        "`serial`: invalid type: integer `1`, expected a boolean",
        "orch reference policy",
    );
    check(
        "[limits]\nrun_minuts = 1",
        "2:1",
        "there is no key `run_minuts` in [limits]",
        "did you mean `run_minutes`?",
    );
    check("serial", "1:7", "this is not TOML: key with no value, expected `=`", "orch reference policy");
}

/// Proves that a key of the installation in a policy is sent to its file (decision 44).
#[test]
fn keys_of_the_installation_are_sent_there() {
    check("listen = 1", "1:1", "there is no key `listen`", "move it to `orch.toml` in the data folder");
    check("[limits]\nday_dollars = 1", "2:1", "there is no key `day_dollars` in [limits]", "under [limits]");
    check("[hook]\nprogram = \"x\"", "1:2", "there is no key `hook`", "[projects.<name>]");
    check("run_as = \"x\"", "1:1", "there is no key `run_as`", "orch.toml");
}

/// Proves that a policy cannot lift itself above the installation, and that the answer names both values and places
/// (decision 44).
#[test]
fn above_a_ceiling_is_refused() {
    check(
        "[limits]\nrun_minutes = 90",
        "2:1",
        "`limits.run_minutes` is 90 minutes, above the installation's ceiling `ceilings.run_minutes` of 60 minutes",
        "lower it to 60, or raise `ceilings.run_minutes`",
    );
    check(
        "[limits]\ntask_dollars = 20.01",
        "2:1",
        "`limits.task_dollars` is 20.01 dollars, above the installation's ceiling `ceilings.task_dollars` of 20 dollars",
        "raise `ceilings.task_dollars`",
    );
}

/// Proves that file, settings and defaults come together as one policy.
#[test]
fn a_policy_holds() {
    let settings = settings(
        r#"
language = "ru"
agent = "me"
[agents.me]
kind = "command"
program = "me"
[ceilings]
run_minutes = 40
[projects.demo]
prefix = "DEMO"
repository = "/demo"
[projects.demo.hook]
program = "/deploy"
"#,
    );
    let text =
        "preset = \"full\"\ntest = \"cargo test --offline\"\nserial = true\n[limits]\ntest_minutes = 5\n";
    let file = PolicyFile::read(Path::new("p"), text).unwrap();
    let policy = effective("demo", &settings, &file).unwrap();
    assert_eq!(policy.prefix, "DEMO");
    assert_eq!(policy.preset, Preset::Full);
    assert_eq!(policy.test, ["cargo", "test", "--offline"]);
    assert_eq!(policy.language, Lang::Ru);
    assert_eq!((policy.run_limit, policy.ci_limit), (Span::minutes(40), Span::minutes(5)));
    assert!(policy.serial && policy.hook && !policy.probe);
    assert_eq!(policy.agents.len(), Role::ALL.len());
    assert_eq!(policy.agents[&Role::Tester].provider.as_str(), "me");
}
