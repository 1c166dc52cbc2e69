//! Can what once went wrong happen again? Each incident with its story or test, what prevents it, and the mutants that
//! make it red when that is taken away.
//!
//! The list is `docs/incidents.src`; the stories of `crates/sim/scenarios`, the doc comments of tests and the mutants say
//! which incident they are about, and this puts them side by side in `docs/incidents.md`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Result, bail};

use crate::mutate::list as mutants;
use crate::rows::quotes;
use crate::source::Source;
use crate::workspace;

const LIST: &str = "docs/incidents.src";
const STORIES: &str = "crates/sim/scenarios/";

/// How many there were.
const INCIDENTS: usize = 41;

/// One of them.
#[derive(Debug, PartialEq, Eq)]
struct Incident {
    name: String,
    prevented: String,
    later: Option<String>,
}

/// What is about an incident.
#[derive(Debug, Default, PartialEq, Eq)]
struct Shown {
    /// Stories with their first line.
    stories: Vec<(String, String)>,
    /// Tests with what they say of it.
    tests: Vec<(String, String)>,
    mutants: Vec<String>,
}

/// The text of `docs/incidents.md`; fails if an incident has nothing behind it.
pub(crate) fn table(root: &Path) -> Result<String> {
    let incidents = parse(&workspace::read(root, LIST)?)?;
    let mut shown: BTreeMap<String, Shown> = BTreeMap::new();
    for file in workspace::files(root)? {
        if let Some(name) = file.strip_prefix(STORIES)
            && let Some(incident) = incident_of(name)
        {
            let text = workspace::read(root, &file)?;
            let first = text.lines().next().unwrap_or_default().trim_start_matches("# ");
            let said = first.strip_prefix(&format!("{incident}, ")).map(str::to_owned);
            let Some(said) = said else {
                bail!("{file}: begin with `# {incident}, what happened; what Orch does`")
            };
            shown.entry(incident).or_default().stories.push((file, said));
        } else if file.ends_with(".rs") && (file.starts_with("crates/") || file.starts_with("xtask/src/tidy"))
        {
            for (incident, test, said) in told(&Source::new(&file, &workspace::read(root, &file)?)) {
                shown.entry(incident).or_default().tests.push((format!("{file}::{test}"), said));
            }
        }
    }
    for mutant in mutants::read(root)? {
        for incident in &mutant.incidents {
            shown.entry(incident.clone()).or_default().mutants.push(mutant.name.clone());
        }
    }
    let problems = problems(&incidents, &shown);
    if !problems.is_empty() {
        bail!("{}", problems.join("\n  "));
    }
    Ok(render(&incidents, &shown))
}

fn parse(text: &str) -> Result<Vec<Incident>> {
    let mut incidents = Vec::new();
    for (at, line) in text.lines().enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let place = format!("{LIST}:{}", at + 1);
        let name = format!("I-{:02}", incidents.len() + 1);
        let mut fields = line.split(" | ");
        if fields.next() != Some(name.as_str()) {
            bail!("{place}: {name} should stand here");
        }
        let Some(prevented) = fields.next().filter(|text| !text.is_empty()) else {
            bail!("{place}: say what prevents {name}");
        };
        let later = match fields.next() {
            None => None,
            Some(later) => match later.strip_prefix("later: ").filter(|later| later.contains(" — ")) {
                Some(later) => Some(later.to_owned()),
                None => bail!("{place}: write `later: area — what is missing until then`"),
            },
        };
        incidents.push(Incident { name, prevented: prevented.to_owned(), later });
    }
    if incidents.len() != INCIDENTS {
        bail!("{LIST} has {} of the {INCIDENTS} incidents", incidents.len());
    }
    Ok(incidents)
}

/// `I-01` of `I-01-phantom-merge.trace`.
fn incident_of(file: &str) -> Option<String> {
    let number = file.strip_prefix("I-")?.get(..2).filter(|n| n.chars().all(|one| one.is_ascii_digit()))?;
    Some(format!("I-{number}"))
}

/// The tests of a file that name an incident, with what they say of it up to an empty line.
fn told(source: &Source) -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    for (test, docs) in quotes::documented(source) {
        let mut open = false;
        for (_, doc) in docs {
            let named = doc.strip_prefix("incident ").and_then(|rest| {
                let (incident, said) = rest.split_once(": ")?;
                Some((incident_of(incident)?, said))
            });
            if let Some((incident, said)) = named {
                found.push((incident, test.to_owned(), said.to_owned()));
                open = true;
            } else if doc.is_empty() {
                open = false;
            } else if let Some((_, _, said)) = found.last_mut().filter(|_| open) {
                said.push(' ');
                said.push_str(doc);
            }
        }
    }
    found
}

fn problems(incidents: &[Incident], shown: &BTreeMap<String, Shown>) -> Vec<String> {
    let mut problems = Vec::new();
    for name in shown.keys().filter(|name| !incidents.iter().any(|incident| incident.name == **name)) {
        problems.push(format!("there is no incident {name} in {LIST}"));
    }
    let nothing = Shown::default();
    for incident in incidents {
        let Shown { stories, tests, mutants } = shown.get(&incident.name).unwrap_or(&nothing);
        match (stories.is_empty() && tests.is_empty(), mutants.is_empty()) {
            (true, _) if incident.later.is_none() => {
                problems.push(format!("{} has neither a story nor a test", incident.name));
            }
            (false, true) => problems.push(format!("no mutant says that it makes {} red", incident.name)),
            (true, false) => {
                problems.push(format!("{} has mutants and nothing that they make red", incident.name))
            }
            (true | false, _) => {}
        }
    }
    problems
}

fn render(incidents: &[Incident], shown: &BTreeMap<String, Shown>) -> String {
    let mut text = String::from(
        "# The 41 incidents\n\n\
         Made by `cargo xtask regen` from `docs/incidents.src`, the stories, the tests and the mutants; not written by hand.\n\n\
         Each is something that went wrong with the orchestrator that came before this one. Its story or test is green, and\n\
         `cargo xtask mutate` shows that it turns red with each of its mutants: when what prevents it is taken away.\n\n",
    );
    let count = |has: &dyn Fn(&Shown) -> bool| shown.values().filter(|shown| has(shown)).count();
    let stories = count(&|shown| !shown.stories.is_empty());
    let tests = count(&|shown| shown.stories.is_empty() && !shown.tests.is_empty());
    let _ = writeln!(
        text,
        "{INCIDENTS} incidents: {stories} with a story, {tests} with a test of the real part, {} later.\n",
        INCIDENTS - stories - tests
    );
    text.push_str(
        "| incident | what happened, and what Orch does | shown by | what prevents it | red with |\n",
    );
    text.push_str("|---|---|---|---|---|\n");
    let nothing = Shown::default();
    for incident in incidents {
        let shown = shown.get(&incident.name).unwrap_or(&nothing);
        let said = shown.stories.iter().chain(&shown.tests).map(|(_, said)| said.as_str()).next();
        let by: Vec<String> =
            shown.stories.iter().chain(&shown.tests).map(|(by, _)| format!("`{by}`")).collect();
        let mut by = by.join("<br>");
        if let Some(later) = &incident.later {
            let _ = write!(by, "{}later: {later}", if by.is_empty() { "" } else { "<br>" });
        }
        let mutants: Vec<String> = shown.mutants.iter().map(|name| format!("`{name}`")).collect();
        let row =
            [incident.name.as_str(), said.unwrap_or("—"), &by, &incident.prevented, &mutants.join("<br>")];
        let _ = writeln!(text, "| {} |", row.map(|cell| cell.replace('|', "\\|")).join(" | "));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A story, a test and a mutant say which incident they are about.
    #[test]
    fn incidents_are_named() {
        assert_eq!(incident_of("I-01-phantom-merge.trace").as_deref(), Some("I-01"));
        assert_eq!(incident_of("In-sync.trace"), None);
        let text = "/// It holds.\n///\n/// incident I-12: a hook\n/// did.\n///\n/// More.\n#[test]\nfn it_holds() {}\n\
                    /// incident I-13: x\nfn no_test() {}\n";
        let found = told(&Source::new("crates/x/src/a.rs", text));
        assert_eq!(found, [("I-12".to_owned(), "it_holds".to_owned(), "a hook did.".to_owned())]);
    }

    /// What has nothing behind it, or nothing that turns it red, is named.
    #[test]
    fn gaps_are_named() {
        let incident = |name: &str, later: Option<&str>| Incident {
            name: name.to_owned(),
            prevented: "x".to_owned(),
            later: later.map(str::to_owned),
        };
        let list = [incident("I-01", None), incident("I-02", Some("Plane — ids")), incident("I-03", None)];
        let story = ("I-03.trace".to_owned(), "so".to_owned());
        let shown = [
            ("I-03".to_owned(), Shown { stories: vec![story], ..Shown::default() }),
            ("I-77".to_owned(), Shown::default()),
        ];
        assert_eq!(
            problems(&list, &shown.into()),
            [
                "there is no incident I-77 in docs/incidents.src",
                "I-01 has neither a story nor a test",
                "no mutant says that it makes I-03 red",
            ]
        );
    }

    /// The list is whole and in order.
    #[test]
    fn the_list_is_read() {
        let said = |text: &str| parse(text).expect_err(text).to_string();
        assert!(said("I-02 | x").contains("I-01 should stand here"));
        assert!(said("I-01 | ").contains("say what prevents I-01"));
        assert!(said("I-01 | x | later: Plane").contains("later: area"));
        assert!(said("I-01 | x").contains("1 of the 41"));
    }
}
