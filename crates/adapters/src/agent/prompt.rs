//! What is an agent told? The template of its role, rules that always hold, and the words of people as marked data
//! (decisions 10, 13, 16).
//!
//! A project may replace the template of a role (`.orch/roles/<role>.md` on the default branch), never the rules or the way
//! in which data enters.

use std::fmt::Write as _;

use orch_core::artefact;
use orch_core::call::Text;
use orch_core::call::agent::Assignment;
use orch_core::id::{Commit, Digest, RunId, WorkItem};
use orch_core::message::{self, Lang};
use orch_core::policy::Policy;
use orch_core::rework::Judge;
use orch_core::stage::Role;

/// The most bytes of a replaced template.
pub const MAX_TEMPLATE: usize = 64 * 1024;

/// The most characters of a title, of a description, of findings, of one answer, and the most answers.
const MOST_TITLE: usize = 500;
const MOST_TEXT: usize = 40_000;
const MOST_FINDINGS: usize = 20_000;
const MOST_ANSWER: usize = 8_000;
const MOST_ANSWERS: usize = 50;

const RULES: &str = include_str!("prompt/rules.md");

/// Everything that a prompt is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromptFacts {
    /// The run: it makes the mark of the data unlike that of any other run.
    pub run: RunId,
    /// Who works.
    pub role: Role,
    /// The work item.
    pub item: WorkItem,
    /// The commit it works on.
    pub commit: Commit,
    /// The main that the change is compared with.
    pub base: Commit,
    /// The number of the attempt, from 1, and how many there are.
    pub attempt: (u32, u32),
    /// The issue's title.
    pub title: String,
    /// The issue's description.
    pub text: String,
    /// Why it is started again, if it is.
    pub rework: Option<Rework>,
    /// What people answered: author and text, oldest first (decision 29).
    pub answers: Vec<(String, String)>,
    /// The project's test command: program and arguments; empty if there is none.
    pub test: Vec<String>,
    /// The globs of the project's tests.
    pub tests: Vec<String>,
    /// The language of documents.
    pub language: Lang,
}

/// The facts of a run. `text` gives the text of a blob, `None` if it was erased: the agent is then told so (decision 39).
/// `answers` are author and text, oldest first; they enter only if the assignment asks for them (decision 29).
pub fn facts_of(
    assignment: &Assignment,
    text: &dyn Fn(&Digest) -> Option<String>,
    answers: &[(String, String)],
    policy: &Policy,
) -> PromptFacts {
    let read = |named: &Text| match named.is_empty() {
        true => String::new(),
        false => text(&named.blob).unwrap_or_else(|| "(this text was erased)".to_owned()),
    };
    let rework = assignment.findings.as_ref().map(|findings| Rework {
        judge: findings.from.clone(),
        findings: message::found(&findings.text, text, policy.language),
        link: findings.link.clone(),
    });
    PromptFacts {
        run: assignment.run,
        role: assignment.role,
        item: assignment.item.clone(),
        commit: assignment.commit.clone(),
        base: assignment.base.clone(),
        attempt: assignment.attempt,
        title: read(&assignment.title),
        text: read(&assignment.text),
        rework,
        answers: if assignment.answers { answers.to_vec() } else { Vec::new() },
        test: policy.test.clone(),
        tests: policy.tests.clone(),
        language: policy.language,
    }
}

/// What the last judgement found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rework {
    /// Who judged.
    pub judge: Judge,
    /// Verbatim; `None` where only the link is known (row 102).
    pub findings: Option<String>,
    /// Where the whole of it is: a path in the tree, or a log; empty if there is no more.
    pub link: String,
}

/// A prompt, and why the project's own template was not used, if it was not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// What the agent is told.
    pub text: String,
    /// Why the built-in template stands in for the project's own.
    pub refused: Option<BadTemplate>,
}

/// Why a project's template cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadTemplate {
    /// It names something that there is not.
    #[error("line {line}: there is no placeholder `{{{{{name}}}}}`; known are: {}", PLACEHOLDERS.join(", "))]
    Unknown {
        /// Where.
        line: usize,
        /// What it names.
        name: String,
    },
    /// A placeholder is not closed.
    #[error("line {line}: `{{{{` without `}}}}` on the same line; close it")]
    Open {
        /// Where.
        line: usize,
    },
    /// It names a model (row 196).
    #[error("line {line}: a `model:` line; models are set in orch.toml, remove it")]
    Model {
        /// Where.
        line: usize,
    },
    /// Nothing in it.
    #[error("the template is empty; write it, or remove the file to use the built-in one")]
    Empty,
    /// More than a prompt can be.
    #[error("the template is longer than {} KiB; shorten it", MAX_TEMPLATE / 1024)]
    TooLong,
}

/// What a template may name.
pub const PLACEHOLDERS: [&str; 10] =
    ["role", "item", "folder", "commit", "base", "attempt", "attempts", "test_command", "tests", "language"];

/// The built-in template of a role.
pub const fn built_in(role: Role) -> &'static str {
    match role {
        Role::Analyst => include_str!("prompt/roles/analyst.md"),
        Role::Architect => include_str!("prompt/roles/architect.md"),
        Role::Developer => include_str!("prompt/roles/developer.md"),
        Role::Reviewer => include_str!("prompt/roles/reviewer.md"),
        Role::Tester => include_str!("prompt/roles/tester.md"),
    }
}

/// Makes the prompt of a run. A template of the project that cannot be used is refused with the reason, and the built-in one
/// stands in.
pub fn prompt(facts: &PromptFacts, template_override: Option<&str>) -> Prompt {
    let refused = template_override.and_then(|own| check(own).err());
    let template = match (template_override, &refused) {
        (Some(own), None) => own,
        (Some(_) | None, _) => built_in(facts.role),
    };
    let mark = mark(facts);
    let mut text = fill(template, |name| value(facts, name));
    text.truncate(text.trim_end().len());
    text.push_str("\n\n");
    text.push_str(&RULES.replace("{{mark}}", &mark));
    push_request(&mut text, facts, &mark);
    push_answers(&mut text, facts, &mark);
    push_rework(&mut text, facts, &mark);
    Prompt { text, refused }
}

/// Whether a template of a project can be used.
///
/// # Errors
/// The first thing that is wrong with it, with its line and the remedy.
pub fn check(template: &str) -> Result<(), BadTemplate> {
    if template.trim().is_empty() {
        return Err(BadTemplate::Empty);
    }
    if template.len() > MAX_TEMPLATE {
        return Err(BadTemplate::TooLong);
    }
    for (text, line) in template.lines().zip(1..) {
        if text.trim_start().starts_with("model:") {
            return Err(BadTemplate::Model { line });
        }
        for part in text.split("{{").skip(1) {
            let (name, _) = part.split_once("}}").ok_or(BadTemplate::Open { line })?;
            if !PLACEHOLDERS.contains(&name.trim()) {
                let name = name.trim().chars().filter(|c| !c.is_control()).take(40).collect();
                return Err(BadTemplate::Unknown { line, name });
            }
        }
    }
    Ok(())
}

/// The template with its values; what is put in is not looked at again.
fn fill(template: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(template.len() + 512);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        match after.split_once("}}").and_then(|(name, rest)| Some((value(name.trim())?, rest))) {
            Some((value, after)) => {
                out.push_str(&value);
                rest = after;
            }
            None => {
                out.push_str("{{");
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

fn value(facts: &PromptFacts, name: &str) -> Option<String> {
    let value = match name {
        "role" => facts.role.name().to_owned(),
        "item" => facts.item.to_string(),
        "folder" => artefact::folder(&facts.item),
        "commit" => facts.commit.to_string(),
        "base" => facts.base.to_string(),
        "attempt" => facts.attempt.0.to_string(),
        "attempts" => facts.attempt.1.to_string(),
        "test_command" => command(&facts.test),
        "tests" => globs(&facts.tests),
        "language" => match facts.language {
            Lang::En => "English",
            Lang::Ru => "Russian",
        }
        .to_owned(),
        _ => return None,
    };
    Some(value)
}

fn command(words: &[String]) -> String {
    if words.is_empty() {
        return "the project names no test command; find out how it is tested".to_owned();
    }
    let plain =
        |w: &&String| !w.is_empty() && w.chars().all(|c| c.is_alphanumeric() || "-_./=:,+@%".contains(c));
    let quoted = words.iter().map(|w| match Some(w).filter(plain) {
        Some(plain) => plain.clone(),
        None => format!("'{}'", w.replace('\'', r"'\''")),
    });
    format!("`{}`", quoted.collect::<Vec<_>>().join(" "))
}

fn globs(globs: &[String]) -> String {
    if globs.is_empty() {
        return "(nowhere: the project names no paths for tests)".to_owned();
    }
    globs.iter().map(|g| format!("`{g}`")).collect::<Vec<_>>().join(", ")
}

/// The mark around data. It depends on the run and on the data itself, so that no text can contain it in advance.
fn mark(facts: &PromptFacts) -> String {
    let mut all = format!("{}\n{}\n{}\n", facts.run, facts.title, facts.text);
    for (author, text) in &facts.answers {
        let _ = write!(all, "{author}\n{text}\n");
    }
    if let Some(rework) = &facts.rework {
        let _ = write!(all, "{:?}\n{:?}\n{}\n", rework.judge, rework.findings, rework.link);
    }
    format!("DATA-{}", Digest::of(all.as_bytes()).as_str().get(..20).unwrap_or_default())
}

fn push_request(out: &mut String, facts: &PromptFacts, mark: &str) {
    out.push_str("\n## The request\n");
    push_block(out, "title", &facts.title, MOST_TITLE, mark);
    push_block(out, "description", &facts.text, MOST_TEXT, mark);
}

fn push_answers(out: &mut String, facts: &PromptFacts, mark: &str) {
    if facts.answers.is_empty() {
        return;
    }
    out.push_str("\n## What people answered, newest last\n");
    let first = facts.answers.len().saturating_sub(MOST_ANSWERS);
    for (author, text) in &facts.answers[first..] {
        push_block(out, "answer", &format!("{author}: {text}"), MOST_ANSWER, mark);
    }
}

/// Row 49: the findings verbatim, the number of the attempt, and where the whole of it is.
fn push_rework(out: &mut String, facts: &PromptFacts, mark: &str) {
    let Some(rework) = &facts.rework else { return };
    let (n, of) = facts.attempt;
    let _ = write!(out, "\n## Why you are started again: attempt {n}/{of}\n");
    push_block(out, "judged by", &message::judge(&rework.judge, Lang::En), MOST_TITLE, mark);
    if let Some(findings) = rework.findings.as_deref().filter(|f| !f.trim().is_empty()) {
        push_block(out, "findings", findings, MOST_FINDINGS, mark);
    }
    if !rework.link.is_empty() {
        push_block(out, "all of it is in", &rework.link, MOST_TITLE, mark);
    }
}

/// Words of others between two marks that they cannot write themselves.
fn push_block(out: &mut String, what: &str, words: &str, most: usize, mark: &str) {
    let words: String = words.replace("\r\n", "\n").chars().filter(|c| !is_hidden(*c)).collect();
    // An echo of the mark in other letters might still fool a reader.
    let safe = without(&words, mark);
    let (shown, cut) = match safe.char_indices().nth(most) {
        Some((end, _)) => (&safe[..end], "\n(cut here: it is longer)"),
        None => (safe.as_str(), ""),
    };
    let _ = write!(out, "\n<<<{mark} {what}>>>\n{}{cut}\n<<<{mark} end of {what}>>>\n", shown.trim_end());
}

/// The text with each occurrence of the mark made harmless, in whatever case.
fn without(text: &str, mark: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let needle = mark.to_ascii_lowercase();
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    while let Some(at) = lower[from..].find(&needle) {
        out.push_str(&text[from..from + at]);
        out.push_str("(mark removed)");
        from += at + needle.len();
    }
    out.push_str(&text[from..]);
    out
}

/// Characters that people do not see and models do: controls, changes of direction, tags.
fn is_hidden(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests;
