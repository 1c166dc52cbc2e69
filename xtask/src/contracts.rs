//! Which promises does each port keep, and who is put to the test?
//!
//! The suites in `crates/sim/src/contract` say so; this makes `docs/contracts.md` of them, and fails where a promise has no
//! sentence, a suite is run by nobody real, or something is out of reach that is no promise.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Result, bail};

use crate::invariants::{Shown, There};
use crate::workspace;

const SUITES: &str = "crates/sim/src/contract/";
/// Files beside the suites: what they share, and how the simulator's world stages them.
const NO_SUITES: [&str; 4] = ["mod", "repository", "sample", "world"];

/// The text of `docs/contracts.md`.
pub(crate) fn table(root: &Path) -> Result<String> {
    let (mut suites, mut runners) = (Vec::new(), Vec::new());
    for file in workspace::files(root)? {
        let suite = file.strip_prefix(SUITES).and_then(|name| name.strip_suffix(".rs"));
        if let Some(name) = suite.filter(|name| !NO_SUITES.contains(name)) {
            suites.push(Suite::read(name, &workspace::read(root, &file)?));
        } else if file.contains("/tests/it/contract") && file.ends_with(".rs") {
            runners.extend(runners_in(&file, &workspace::read(root, &file)?));
        }
    }
    let mut problems = problems(&suites, &runners);
    problems.extend(unproven(&suites, &runners, &There::look(root)?));
    if problems.is_empty() {
        return Ok(render(&suites, &runners));
    }
    bail!("the contracts are not so:\n  {}", problems.join("\n  "))
}

/// The promises of one port.
#[derive(Debug, PartialEq, Eq)]
struct Suite {
    /// Its module.
    name: String,
    /// The question that it answers.
    question: String,
    /// Names and sentences.
    promises: Vec<(String, String)>,
}

/// A test that runs a suite.
#[derive(Debug, PartialEq, Eq)]
struct Runner {
    suite: String,
    /// `path::name`.
    test: String,
    /// Whether it is about what ships.
    real: bool,
    /// Whether only `cargo xtask long` runs it.
    long: bool,
    /// What its stage cannot bring about, and why.
    beyond: Vec<(String, String)>,
}

impl Suite {
    fn read(name: &str, text: &str) -> Self {
        let question: Vec<&str> =
            text.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim).collect();
        let question = question.join(" ");
        let listed = text.split_once("promises![").and_then(|(_, rest)| rest.split_once(']'));
        let listed = listed.map(|(names, _)| names).unwrap_or_default();
        let names = listed.split(',').map(str::trim).filter(|name| !name.is_empty());
        let promises = names.map(|promise| (promise.to_owned(), sentence(text, promise))).collect();
        Self { name: name.to_owned(), question, promises }
    }
}

impl Runner {
    /// Why its stage cannot bring about a promise; `None` if it can.
    fn why_not(&self, promise: &str) -> Option<&str> {
        self.beyond.iter().find(|(beyond, _)| beyond == promise).map(|(_, why)| why.as_str())
    }
}

/// The doc comment right above a function.
fn sentence(text: &str, function: &str) -> String {
    let Some((above, _)) = text.split_once(&format!("\nfn {function}<")) else { return String::new() };
    let mut lines: Vec<&str> =
        above.lines().rev().map_while(|line| line.strip_prefix("///")).map(str::trim).collect();
    lines.reverse();
    lines.join(" ")
}

/// The tests of a file that run suites, and what their stages cannot bring about: the file's `OUT_OF_REACH` of a promise.
fn runners_in(file: &str, text: &str) -> Vec<Runner> {
    let mut found = Vec::new();
    for test in text.split("#[test]").skip(1) {
        let Some((_, rest)) = test.split_once("fn ") else { continue };
        let (name, body) = rest.split_once('(').unwrap_or((rest, ""));
        let Some((_, call)) = body.split_once("contract::") else { continue };
        let suite = call.split("::").next().unwrap_or_default().to_owned();
        let beyond = beyond(text, &suite);
        let real = !file.starts_with("crates/sim/");
        let long = test.split("fn ").next().is_some_and(|head| head.contains("#[ignore"));
        let known = found.iter().any(|known: &Runner| known.suite == suite && known.test.ends_with(name));
        if !known {
            found.push(Runner { suite, test: format!("{file}::{name}"), real, long, beyond });
        }
    }
    found
}

/// The pairs in the `OUT_OF_REACH` of a suite's stage.
fn beyond(text: &str, suite: &str) -> Vec<(String, String)> {
    let Some((_, stage)) = text.split_once(&format!("impl {suite}::Stage for")) else { return Vec::new() };
    let stage = stage.split("\nimpl ").next().unwrap_or_default();
    let Some((_, list)) = stage.split_once("OUT_OF_REACH") else { return Vec::new() };
    let list = list.split("];").next().unwrap_or_default();
    let quoted: Vec<&str> = list.split('"').skip(1).step_by(2).collect();
    quoted.chunks_exact(2).map(|pair| (pair[0].to_owned(), joined(pair[1]))).collect()
}

/// A literal without the breaks of its lines, as the compiler reads it.
fn joined(literal: &str) -> String {
    let mut lines = literal.split("\\\n");
    let first = lines.next().unwrap_or_default();
    lines.fold(first.to_owned(), |said, line| said + line.trim_start())
}

fn problems(suites: &[Suite], runners: &[Runner]) -> Vec<String> {
    let mut problems = Vec::new();
    for Suite { name, question, promises } in suites {
        let mut problem = |what: String| problems.push(format!("{name}: {what}"));
        if promises.is_empty() || question.is_empty() {
            problem("it has no list of promises, or no question".to_owned());
        }
        for (promise, _) in promises.iter().filter(|(_, sentence)| sentence.is_empty()) {
            problem(format!("{promise} has no sentence"));
        }
        let mine: Vec<&Runner> = runners.iter().filter(|runner| runner.suite == *name).collect();
        if !mine.iter().any(|runner| runner.real && !runner.long) {
            problem("nothing that ships runs it".to_owned());
        }
        for (promise, _) in mine.iter().flat_map(|runner| &runner.beyond) {
            if !promises.iter().any(|(known, _)| known == promise) {
                problem(format!("{promise} is out of reach and no promise"));
            }
        }
    }
    let unknown = runners.iter().filter(|runner| !suites.iter().any(|suite| suite.name == runner.suite));
    problems.extend(unknown.map(|runner| format!("{} runs no suite", runner.test)));
    problems
}

/// Promises that no stage of what ships can bring about, and whose reason names neither a test that shows them nor what they wait
/// for.
fn unproven(suites: &[Suite], runners: &[Runner], there: &There) -> Vec<String> {
    let mut problems = Vec::new();
    for suite in suites {
        let real: Vec<&Runner> =
            runners.iter().filter(|runner| runner.real && runner.suite == suite.name).collect();
        for (promise, _) in &suite.promises {
            let whys: Option<Vec<&str>> = real.iter().map(|runner| runner.why_not(promise)).collect();
            let Some(whys) = whys.filter(|whys| !whys.is_empty()) else { continue };
            let named: Vec<String> = whys.iter().flat_map(|why| tests_in(why)).map(str::to_owned).collect();
            let later =
                whys.iter().any(|why| why.split_once("later: ").is_some_and(|(_, area)| !area.is_empty()));
            let says =
                |what: &str| format!("{}: {promise} is out of reach of all that ships: {what}", suite.name);
            if named.is_empty() && !later {
                problems.push(says("name a test that shows it (`test path::name`), or `later:`"));
            }
            let lacks = named.into_iter().filter_map(|test| there.lacks(&Shown::Test(test)));
            problems.extend(lacks.map(|lack| says(&lack)));
        }
    }
    problems
}

/// The `test path::name` in a reason.
fn tests_in(why: &str) -> impl Iterator<Item = &str> {
    why.match_indices("test ").filter_map(|(at, word)| {
        let name = why[at + word.len()..].split([' ', ',', ';']).next()?;
        name.contains("::").then_some(name)
    })
}

fn render(suites: &[Suite], runners: &[Runner]) -> String {
    let promises: usize = suites.iter().map(|suite| suite.promises.len()).sum();
    let mut text = format!(
        "# What each port promises\n\n\
         Made by `cargo xtask regen` from `{SUITES}`; not written by hand.\n\n\
         The simulator's world and what ships are put to the same tests, so that a history of the simulator means something.\n\
         A suite runs every promise on a stage of its own: one implementation with people around it. What a stage cannot\n\
         bring about stands beside the promise, with the reason. Where two hands do the same at once, what ships has two that are\n\
         as near to each other as threads can be; the simulator's world does one thing after the other, and so what the second\n\
         hand asks there comes right after the first.\n\n\
         {} suites, {promises} promises.\n",
        suites.len()
    );
    for suite in suites {
        let _ = write!(text, "\n## {}\n\n{}\n\n", suite.name, suite.question);
        let mine: Vec<&Runner> = runners.iter().filter(|runner| runner.suite == suite.name).collect();
        for (what, real) in [("The simulator", false), ("What ships", true)] {
            let tests = mine.iter().filter(|runner| runner.real == real);
            let tests: Vec<String> = tests
                .map(|Runner { test, long, .. }| match long {
                    true => format!("`{test}` (in `cargo xtask long`)"),
                    false => format!("`{test}`"),
                })
                .collect();
            if !tests.is_empty() {
                let _ = writeln!(text, "- {what}: {}", tests.join(", "));
            }
        }
        let _ = write!(text, "\n| promise | what is kept |\n|---|---|\n");
        for (promise, sentence) in &suite.promises {
            let _ = write!(text, "| `{promise}` | {sentence}");
            let mut said = Vec::new();
            for runner in &mine {
                let whys =
                    runner.beyond.iter().filter(|(beyond, why)| beyond == promise && !said.contains(why));
                let whys: Vec<String> = whys.map(|(_, why)| why.clone()).collect();
                for why in whys {
                    let test = runner.test.rsplit("::").next().unwrap_or_default();
                    let _ = write!(text, "<br>Not in `{test}`: {why}.");
                    said.push(why);
                }
            }
            text.push_str(" |\n");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUITE: &str = "//! What does a door\n//! promise?\n\npub fn door() { promises![\n    it_opens,\n    it_shuts,\n]; }\n\n\
        /// It opens\n/// (decision 1).\nfn it_opens<S: Stage>() {}\n\nfn it_shuts<S: Stage>() {}\n";

    /// Promises have the sentences above their functions; one without is named.
    #[test]
    fn promises_have_sentences() {
        let suite = Suite::read("door", SUITE);
        assert_eq!(suite.question, "What does a door promise?");
        let promises = [("it_opens", "It opens (decision 1)."), ("it_shuts", "")];
        assert_eq!(suite.promises, promises.map(|(name, said)| (name.to_owned(), said.to_owned())));
        assert_eq!(
            problems(&[suite], &[]),
            ["door: it_shuts has no sentence", "door: nothing that ships runs it"]
        );
    }

    /// What nothing that ships can bring about names a test that there is, or what it waits for.
    #[test]
    fn out_of_reach_is_no_excuse() {
        let suite = Suite::read("door", SUITE);
        let oak = |why: &str| Runner {
            suite: "door".to_owned(),
            test: "crates/oak/tests/it/contract.rs::oak_keeps_it".to_owned(),
            real: true,
            long: false,
            beyond: vec![("it_shuts".to_owned(), why.to_owned())],
        };
        let says = |runners: &[Runner]| unproven(std::slice::from_ref(&suite), runners, &There::default());
        assert_eq!(
            says(&[oak("it has no lock; a test shows it")]),
            [
                "door: it_shuts is out of reach of all that ships: name a test that shows it (`test path::name`), or `later:`"
            ]
        );
        assert_eq!(
            says(&[oak("a lock is slow: test a.rs::one, test b.rs::two")]),
            ["a.rs::one", "b.rs::two"].map(|test| format!(
                "door: it_shuts is out of reach of all that ships: there is no test {test}"
            ))
        );
        assert_eq!(says(&[oak("it has no lock; later: Locks")]), [""; 0]);
        let elm = Runner { beyond: Vec::new(), ..oak("") };
        assert_eq!(says(&[oak("it has no lock"), elm]), [""; 0], "another one shows it");
    }

    /// Tests are found with what their stages cannot do.
    #[test]
    fn runners_are_found() {
        let text = "impl door::Stage for Oak {\n const OUT_OF_REACH: &[X] = &[\n (\"it_shuts\", \"it has \\\n   no lock\"),\n ];\n}\n\
            #[test]\nfn oak_keeps_it() {\n contract::door::door(Oak::new);\n}\n#[test]\nfn other() {}\n";
        let found = runners_in("crates/oak/tests/it/contract.rs", text);
        let beyond = vec![("it_shuts".to_owned(), "it has no lock".to_owned())];
        let test = "crates/oak/tests/it/contract.rs::oak_keeps_it".to_owned();
        let oak = Runner { suite: "door".to_owned(), test, real: true, long: false, beyond };
        assert_eq!(found, [oak]);
        let slow = text.replace("fn oak", "#[ignore = \"an oak is slow\"]\nfn oak");
        let found = runners_in("crates/oak/tests/it/contract.rs", &slow);
        assert!(found.iter().all(|runner| runner.long) && found.len() == 1);
        let suites = [Suite::read("door", SUITE)];
        assert!(problems(&suites, &found).contains(&"door: nothing that ships runs it".to_owned()));
    }
}
