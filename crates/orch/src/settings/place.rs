//! Where in a file stands what is wrong, and what instead? Every malformed setting or policy is answered from here.

use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Visitor};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::words::{Told, say};

/// What is wrong in a file: place, cause, remedy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {problem}; {remedy}", self.place())]
pub struct FileError {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
    /// The key with the tables around it (`projects.demo.prefix`); empty if the file is not TOML at all.
    pub key: String,
    /// What is wrong.
    pub problem: Told,
    /// What to do about it.
    pub remedy: Told,
}

impl FileError {
    /// `file:line:column`, as editors understand it.
    pub fn place(&self) -> String {
        format!("{}:{}:{}", self.file.display(), self.line, self.column)
    }
}

/// A file's text and where it came from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Source {
    file: PathBuf,
    text: String,
}

/// Which of the two files a key belongs to (decision 44).
pub type Elsewhere = fn(&str) -> Option<Told>;

impl Source {
    /// A text and the file it was read from.
    pub fn new(file: impl Into<PathBuf>, text: impl Into<String>) -> Self {
        Self { file: file.into(), text: text.into() }
    }

    /// The file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Reads the text into a type. `reference` is the command that prints all keys.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place and a remedy.
    pub fn read<T: DeserializeOwned>(&self, reference: &str, elsewhere: Elsewhere) -> Result<T, FileError> {
        let error = match toml::from_str(&self.text) {
            Ok(read) => return Ok(read),
            Err(error) => error,
        };
        let span = error.span().unwrap_or(0..0);
        let path = DeTable::parse(&self.text).ok().and_then(|tree| path_at(tree.get_ref(), &span));
        let key = path.unwrap_or_default().join(".");
        let message = error.message().lines().next().unwrap_or_default().trim();
        let (problem, remedy) = explain(message, &key, reference, elsewhere);
        Err(self.error(&span, key, problem, remedy))
    }

    /// Something wrong with the value under these keys, found after the file was read; a key that is not there stands
    /// for the nearest table around it.
    pub fn at(&self, keys: &[&str], problem: Told, remedy: Told) -> FileError {
        let tree = DeTable::parse(&self.text).ok();
        let span = tree.and_then(|tree| span_of(tree.get_ref(), keys)).unwrap_or(0..0);
        self.error(&span, keys.join("."), problem, remedy)
    }

    fn error(&self, span: &Range<usize>, key: String, problem: Told, remedy: Told) -> FileError {
        let before = self.text.get(..span.start.min(self.text.len())).unwrap_or_default();
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        let line = before.matches('\n').count() + 1;
        FileError { file: self.file.clone(), line, column, key, problem, remedy }
    }
}

/// A value that is wrong in itself, as `serde` is to carry it: `explain` takes it apart again.
pub fn wrong<E: serde::de::Error>(problem: &Told, remedy: &Told) -> E {
    E::custom(format_args!("{problem}{APART}{remedy}"))
}

const APART: char = '\u{1f}';

fn explain(message: &str, key: &str, reference: &str, elsewhere: Elsewhere) -> (Told, Told) {
    let see = say!(
        "`{reference}` prints every key with its meaning",
        "все ключи с пояснениями покажет `{reference}`"
    );
    if let Some((problem, remedy)) = message.split_once(APART) {
        return (Told::quoted(format!("`{key}`: {problem}")), Told::quoted(remedy));
    }
    let mut quoted = message.split('`').skip(1).step_by(2);
    let name = quoted.next().unwrap_or_default();
    let known: Vec<&str> = quoted.collect();
    if message.starts_with("unknown field") {
        let problem = match key.rsplit_once('.') {
            Some((above, _)) => {
                say!("there is no key `{name}` in [{above}]", "в [{above}] нет ключа `{name}`")
            }
            None => say!("there is no key `{name}`", "нет ключа `{name}`"),
        };
        // A single slip is likelier than a wrong file; a key that is right elsewhere is likelier than a far guess.
        let near = nearest(name, known.iter().copied());
        let slip = near.filter(|near| distance(name, near) <= 1);
        let meant = |near: &str| say!("did you mean `{near}`?", "может быть, `{near}`?");
        let remedy = slip.map(meant).or_else(|| elsewhere(name)).or_else(|| near.map(meant)).unwrap_or(see);
        return (problem, remedy);
    }
    if message.starts_with("unknown variant") {
        let list = known.iter().map(|one| format!("`{one}`")).collect::<Vec<_>>().join(", ");
        let near = nearest(name, known.iter().copied());
        let remedy = match near {
            Some(near) => {
                say!("did you mean `{near}`? it may be {list}", "может быть, `{near}`? допустимо: {list}")
            }
            None => say!("it may be {list}", "допустимо: {list}"),
        };
        return (say!("`{key}` cannot be `{name}`", "`{key}` не может быть `{name}`"), remedy);
    }
    if message.starts_with("missing field") {
        let problem = match key.is_empty() {
            true => say!("the file has no `{name}`", "в файле нет `{name}`"),
            false => say!("[{key}] has no `{name}`", "в [{key}] нет `{name}`"),
        };
        return (problem, say!("add `{name} = ...`; {see}", "добавьте `{name} = ...`; {see}"));
    }
    if key.is_empty() {
        return (say!("this is not TOML: {message}", "это не TOML: {message}"), see);
    }
    (Told::quoted(format!("`{key}`: {message}")), see)
}

/// The known name that a person most likely meant: at most a third of it is wrong.
pub fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let wrong = |one: &str| distance(&name.to_lowercase(), &one.to_lowercase());
    let (far, near) = known.map(|one| (wrong(one), one)).min()?;
    (far <= (name.chars().count().max(3)) / 3).then_some(near)
}

/// How many letters to change, add, drop or swap with their neighbour to make one of the other.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let same = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (rows[i - 1][j] + 1).min(row[j - 1] + 1).min(rows[i - 1][j - 1] + same);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

/// The keys down to the one whose name or value covers the place.
fn path_at(table: &DeTable<'_>, span: &Range<usize>) -> Option<Vec<String>> {
    for (key, value) in table {
        let below = match value.get_ref() {
            DeValue::Table(inner) => path_at(inner, span),
            DeValue::Array(items) => items.iter().find_map(|item| match item.get_ref() {
                DeValue::Table(inner) => path_at(inner, span),
                _ => None, // not a domain enum
            }),
            _ => None, // not a domain enum
        };
        if let Some(mut path) = below {
            path.insert(0, key.get_ref().to_string());
            return Some(path);
        }
        if covers(&key.span(), span) || covers(&value.span(), span) {
            return Some(vec![key.get_ref().to_string()]);
        }
    }
    None
}

fn covers(outer: &Range<usize>, inner: &Range<usize>) -> bool {
    outer.start <= inner.start && inner.start < outer.end
}

fn span_of(table: &DeTable<'_>, keys: &[&str]) -> Option<Range<usize>> {
    let (first, rest) = keys.split_first()?;
    let (key, value) = table.iter().find(|(key, _)| key.get_ref() == first)?;
    let here = || Spanned::span(key);
    Some(match (value.get_ref(), rest) {
        (DeValue::Table(inner), [_, ..]) => span_of(inner, rest).unwrap_or_else(here),
        _ => here(), // not a domain enum
    })
}

/// The keys that a type reads, as `serde` knows them.
pub fn keys_of<T: for<'de> Deserialize<'de>>() -> &'static [&'static str] {
    let mut keys: &'static [&'static str] = &[];
    // It always fails: it only listens to what is asked for.
    let _ = T::deserialize(Listener(&mut keys));
    keys
}

struct Listener<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Listener<'_> {
    type Error = serde::de::value::Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        _visitor: V,
    ) -> Result<V::Value, Self::Error> {
        *self.0 = fields;
        Err(serde::de::Error::custom("only listening"))
    }

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Self::Error> {
        Err(serde::de::Error::custom("only listening"))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that a slip of the finger is answered with the right name, and that something else is not.
    #[test]
    fn slips_are_recognised() {
        let known = ["listen", "language", "timezone"];
        let near = |name| nearest(name, known.iter().copied());
        assert_eq!(near("lsiten"), Some("listen"));
        assert_eq!(near("Languge"), Some("language"));
        assert_eq!(near("time_zone"), Some("timezone"));
        assert_eq!(near("colour"), None);
    }
}
