//! Which promise never breaks because of what: a step of the simulator, a test, a rule?
//!
//! `docs/invariants.src` says so; this makes `docs/invariants.md` of it, and fails where it names what does not exist or
//! forgets what the simulator looks at.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use crate::workspace;

const LIST: &str = "docs/invariants.src";
const STORIES: &str = "crates/sim/scenarios/";
const OCCASIONS: &str = "crates/sim/src/invariant/looks.rs";

/// The letters of the list, and how many promises each has.
const PARTS: [(char, u32, &str); 8] = [
    ('A', 10, "Delivery integrity"),
    ('B', 12, "Liveness and concurrency"),
    ('C', 11, "Gates"),
    ('D', 11, "Tracker"),
    ('E', 4, "Identity"),
    ('F', 7, "Communication and accounting"),
    ('G', 8, "Engineering"),
    ('P', 11, "What never happens, in the words of the product"),
];

/// The text of `docs/invariants.md`.
pub(crate) fn table(root: &Path) -> Result<String> {
    let list = parse(&workspace::read(root, LIST)?)?;
    let there = There::look(root)?;
    let problems = problems(&list, &there);
    if problems.is_empty() {
        return Ok(render(&list, &there));
    }
    bail!("{LIST} is not so:\n  {}", problems.join("\n  "))
}

#[derive(Debug, PartialEq, Eq)]
struct Promise {
    id: String,
    sentence: String,
    shown: Vec<Shown>,
}

/// What would notice that something is not so.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    Step(String),
    Test(String),
    Rule(String),
    Story(String),
    Later(String),
    /// What is missing, in words.
    Missing(String),
}

/// What there is to name.
#[derive(Debug, Default)]
pub(crate) struct There {
    /// Names under which the simulator breaks, with the file that says so.
    steps: BTreeMap<String, String>,
    /// What happens when the simulator looks at each of them.
    occasions: BTreeMap<String, String>,
    /// `path::name` of every test, and whether only `cargo xtask long` runs it.
    tests: BTreeMap<String, bool>,
    stories: BTreeSet<String>,
}

fn parse(text: &str) -> Result<Vec<Promise>> {
    let mut list = Vec::new();
    for (at, line) in text.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let fields: Vec<&str> = line.split(" | ").map(str::trim).collect();
        let [id, sentence, shown] = fields[..] else {
            bail!("{LIST}:{}: a line is `id | sentence | what shows it`", at + 1);
        };
        let shown = shown.split("; ").map(|one| {
            Shown::of(one).with_context(|| {
                format!("{LIST}:{}: `{one}` is none of step, test, rule, story, later:, not shown:", at + 1)
            })
        });
        let shown = shown.collect::<Result<Vec<_>>>()?;
        list.push(Promise { id: id.to_owned(), sentence: sentence.to_owned(), shown });
    }
    Ok(list)
}

impl Shown {
    /// A kind and a name, if it is one of these.
    pub(crate) fn of(text: &str) -> Option<Shown> {
        if let Some(missing) = text.strip_prefix("not shown:") {
            return Some(Shown::Missing(missing.trim().to_owned()));
        }
        let (kind, name) = text.split_once(' ')?;
        let name = name.to_owned();
        Some(match kind {
            "step" => Shown::Step(name),
            "test" => Shown::Test(name),
            "rule" => Shown::Rule(name),
            "story" => Shown::Story(name),
            "later:" => Shown::Later(name),
            _ => return None,
        })
    }
}

impl There {
    /// Reads the names from the sources.
    pub(crate) fn look(root: &Path) -> Result<There> {
        let occasions = occasions_of(&workspace::read(root, OCCASIONS)?);
        let mut there = There { occasions, ..There::default() };
        for file in workspace::files(root)? {
            if let Some(story) = file.strip_prefix(STORIES).and_then(|name| name.strip_suffix(".trace")) {
                there.stories.insert(story.to_owned());
            }
            if !file.ends_with(".rs") {
                continue;
            }
            let text = workspace::read(root, &file)?;
            there.tests.extend(tests_of(&text).map(|(test, long)| (format!("{file}::{test}"), long)));
            if file.starts_with("crates/sim/src/") {
                there.steps.extend(steps_of(&text).map(|step| (step.to_owned(), file.clone())));
            }
        }
        Ok(there)
    }

    /// What is wrong with a name, if something is.
    pub(crate) fn lacks(&self, shown: &Shown) -> Option<String> {
        let (is, what) = match shown {
            Shown::Step(name) => {
                (self.steps.contains_key(name), format!("the simulator has no promise `{name}`"))
            }
            Shown::Test(name) => (self.tests.contains_key(name), format!("there is no test {name}")),
            Shown::Rule(name) => (
                name.starts_with("xtask/src/tidy/") && self.tests.get(name) == Some(&false),
                format!("tidy has no rule {name}"),
            ),
            Shown::Story(name) => (self.stories.contains(name), format!("there is no story {name}")),
            Shown::Later(area) => (!area.is_empty(), "later without an area".to_owned()),
            Shown::Missing(missing) => (!missing.is_empty(), "not shown, and not said what".to_owned()),
        };
        (!is).then_some(what)
    }

    /// As it stands in a table of a page in `docs/`.
    pub(crate) fn told(&self, shown: &Shown) -> String {
        match shown {
            Shown::Step(name) => {
                let file = self.steps.get(name).map_or("", String::as_str);
                let when = self.occasions.get(name).map_or("", String::as_str);
                format!("step **{name}** (`{file}`): *{when}*")
            }
            Shown::Test(name) => match self.tests.get(name) {
                Some(true) => format!("test `{name}` (in `cargo xtask long`)"),
                Some(false) | None => format!("test `{name}`"),
            },
            Shown::Rule(name) => format!("rule `{name}`"),
            Shown::Story(name) => format!("story [{name}](../{STORIES}{name}.trace)"),
            Shown::Later(area) => format!("later: {area}"),
            Shown::Missing(missing) => format!("**not shown**: {missing}"),
        }
    }
}

/// The functions under a test's attribute, and whether only `cargo xtask long` runs them. What is ignored without saying that
/// is run by nobody, and is no test.
fn tests_of(text: &str) -> impl Iterator<Item = (&str, bool)> {
    let mut marked = false;
    let mut ignored = None;
    text.lines().filter_map(move |line| {
        let line = line.trim();
        marked |= line == "#[test]" || line.starts_with("#[tokio::test");
        if line.starts_with("#[ignore") {
            ignored = Some(line.contains("cargo xtask long"));
        }
        let (before, after) = line.split_once("fn ").filter(|_| marked)?;
        let only_words = before.split_whitespace().all(|word| matches!(word, "pub" | "async"));
        if !only_words {
            return None;
        }
        marked = false;
        let name = after.split(['(', '<']).next().unwrap_or(after);
        match ignored.take() {
            None => Some((name, false)),
            Some(long) => long.then_some((name, true)),
        }
    })
}

/// The names under which promises break: the first text of `broken(..)` and of `Broken::of(..)`.
fn steps_of(text: &str) -> impl Iterator<Item = &str> {
    let after = |mark| text.match_indices(mark).map(|(at, word): (usize, &str)| &text[at + word.len()..]);
    after("broken(").chain(after("Broken::of(")).filter_map(|rest| {
        let name = rest.trim_start().strip_prefix('"')?.split('"').next()?;
        let plain = name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
        (plain && !name.is_empty()).then_some(name)
    })
}

/// What happens when a promise is looked at, as the table of occasions says it: a sentence, a name, and the promises.
fn occasions_of(text: &str) -> BTreeMap<String, String> {
    let table =
        text.split("\noccasions! {").nth(1).and_then(|rest| rest.split("\n}").next()).unwrap_or_default();
    let (mut occasions, mut said) = (BTreeMap::new(), String::new());
    for line in table.lines().map(str::trim) {
        match line.strip_prefix("///") {
            Some(more) => said.push_str(more),
            None => {
                let sentence = said.trim().trim_end_matches('.');
                let promises = line.split('"').skip(1).step_by(2);
                occasions.extend(promises.map(|name| (name.to_owned(), sentence.to_owned())));
                if line.ends_with("],") {
                    said.clear();
                }
            }
        }
    }
    occasions
}

fn problems(list: &[Promise], there: &There) -> Vec<String> {
    let mut problems = Vec::new();
    let expected = PARTS.iter().flat_map(|(part, many, _)| (1..=*many).map(move |n| format!("{part}{n}")));
    let expected: Vec<String> = expected.collect();
    let found: Vec<&String> = list.iter().map(|promise| &promise.id).collect();
    if !expected.iter().eq(found.iter().copied()) {
        let missing: Vec<&str> =
            expected.iter().filter(|id| !found.contains(id)).map(String::as_str).collect();
        problems.push(format!("the ids are not A1 to P11 in order; missing: {}", missing.join(", ")));
    }
    let mut named = BTreeSet::new();
    for promise in list {
        for shown in &promise.shown {
            if let Shown::Step(name) = shown {
                named.insert(name.as_str());
            }
            problems.extend(there.lacks(shown).map(|what| format!("{}: {what}", promise.id)));
        }
    }
    let forgotten = there.steps.keys().filter(|step| !named.contains(step.as_str()));
    let never = there.steps.keys().filter(|step| !there.occasions.contains_key(*step));
    problems.extend(never.map(|step| format!("{OCCASIONS} does not say when `{step}` is looked at")));
    problems.extend(forgotten.map(|step| format!("`{step}` of the simulator stands behind nothing")));
    problems
}

fn render(list: &[Promise], there: &There) -> String {
    let mut text = String::from(
        "# What never happens\n\n\
         Made by `cargo xtask regen` from `docs/invariants.src`; not written by hand. Each name in it was looked up.\n\n\
         Behind each promise stands what would notice that it is broken: a *step* is looked at by the simulator in every\n\
         history and every story, under this name, whenever what stands beside it in italics happens, and\n\
         counted each time; a *test* and a *story* play one case; a *rule* is one of `cargo xtask tidy`, named by its test. What is\n\
         about a part that does not exist yet says which part it waits for.\n\
         \n\
         That each step can see its promise broken, in every place that looks at it, is shown by `every_promise_can_go_red`\n\
         (`crates/sim/src/invariant/breaks.rs`).\n",
    );
    let alone = list.iter().filter(|p| p.shown.iter().all(|shown| matches!(shown, Shown::Later(_)))).count();
    let part = list.iter().filter(|p| p.shown.iter().any(|shown| matches!(shown, Shown::Missing(_)))).count();
    let _ = writeln!(
        text,
        "\n{} promises, {} of them for later alone, and of {} something that nothing shows; the simulator checks {} named steps.",
        list.len(),
        alone,
        part,
        there.steps.len()
    );
    for (part, _, title) in PARTS {
        // The product says what never happens, the others what holds.
        let says = if part == 'P' { "never happens" } else { "always holds" };
        let _ = write!(text, "\n## {title}\n\n| | {says} | noticed by |\n|---|---|---|\n");
        for promise in list.iter().filter(|promise| promise.id.starts_with(part)) {
            let shown: Vec<String> = promise.shown.iter().map(|shown| there.told(shown)).collect();
            let _ = writeln!(text, "| {} | {} | {} |", promise.id, promise.sentence, shown.join("<br>"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is named must exist, and what the simulator looks at must be named.
    #[test]
    fn what_is_not_there_is_named() {
        let rust = "fn a() -> X {\n broken(\n \"one-lane\",\n format!(\"x\"))?;\n Err(Broken::of(\"liveness\", what))\n}\n";
        let steps: Vec<&str> = steps_of(rust).collect();
        assert_eq!(steps, ["one-lane", "liveness"]);
        let there = There {
            steps: steps.iter().map(|step| ((*step).to_owned(), "crates/sim/src/a.rs".to_owned())).collect(),
            occasions: BTreeMap::from([("liveness".to_owned(), "It ends".to_owned())]),
            tests: BTreeMap::from([
                ("crates/x/src/a.rs::it_holds".to_owned(), false),
                ("crates/x/src/a.rs::it_lasts".to_owned(), true),
            ]),
            stories: BTreeSet::new(),
        };
        let list = parse(
            "A1 | One. | step one-lane; test crates/x/src/a.rs::it_holds; step two; story none; \
                   test crates/x/src/a.rs::it_lasts\n\
                   A2 | Two. | not shown: the rest; not shown:\n",
        );
        let list = list.expect("it is right");
        assert!(render(&list, &there).contains("| A2 | Two. | **not shown**: the rest<br>"));
        assert!(
            render(&list, &there).contains("test `crates/x/src/a.rs::it_lasts` (in `cargo xtask long`) |")
        );
        let problems = problems(&list, &there);
        assert!(problems[0].starts_with("the ids are not"), "{problems:?}");
        assert_eq!(
            problems[1..],
            [
                "A1: the simulator has no promise `two`",
                "A1: there is no story none",
                "A2: not shown, and not said what",
                "crates/sim/src/invariant/looks.rs does not say when `one-lane` is looked at",
                "`liveness` of the simulator stands behind nothing",
            ]
        );
    }

    /// The table of occasions is read as it is written, over several lines too.
    #[test]
    fn occasions_are_found() {
        let text = "macro_rules! occasions { x }\n\noccasions! {\n    /// One\n    /// thing.\n    One: [\"a-b\", \"c\"],\n    /// Two.\n    Two: [\n        \"d\",\n        \"e\",\n    ],\n}\n\"f\"\n";
        let found: Vec<(String, String)> = occasions_of(text).into_iter().collect();
        let of = |name: &str, when: &str| (name.to_owned(), when.to_owned());
        assert_eq!(found, [of("a-b", "One thing"), of("c", "One thing"), of("d", "Two"), of("e", "Two")]);
    }

    /// A test is a function under its attribute, whatever stands between them; one that is ignored is one if it says who runs it.
    #[test]
    fn tests_are_found() {
        let text = "#[test]\nfn one() {}\nfn two() {}\n#[tokio::test(flavor = \"x\")]\n#[expect(x)]\nasync fn three() {}\n\
                    #[test]\n#[ignore]\nfn four() {}\n#[test]\n#[ignore = \"cargo xtask long\"]\nfn five() {}\n\
                    #[test]\nfn six() {}\n";
        assert_eq!(
            tests_of(text).collect::<Vec<_>>(),
            [("one", false), ("three", false), ("five", true), ("six", false)]
        );
    }

    /// A line that cannot be read is named.
    #[test]
    fn wrong_lines_are_named() {
        assert!(parse("A1 | One.").expect_err("no third field").to_string().contains("a line is"));
        assert!(
            parse("A1 | One. | some day").expect_err("no such kind").to_string().contains("none of step")
        );
    }
}
