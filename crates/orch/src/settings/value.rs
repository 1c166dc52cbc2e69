//! How are money and commands written in a file? Read once into a type, with an answer for what is not one.

use std::fmt;

use orch_core::time::Span;
use serde::de::{self, Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::place::wrong;
use crate::words::{Told, say};

/// US dollars, kept in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dollars(pub u64);

impl Dollars {
    /// Whole dollars.
    pub const fn whole(dollars: u64) -> Self {
        Self(dollars * 1_000_000)
    }
}

impl fmt::Display for Dollars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 1_000_000, self.0 % 1_000_000);
        if rest == 0 {
            return write!(f, "{whole}");
        }
        let rest = format!("{rest:06}");
        let rest = rest.trim_end_matches('0');
        write!(f, "{whole}.{rest:0<2}")
    }
}

impl Serialize for Dollars {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        #[expect(clippy::cast_precision_loss, reason = "an amount of money a person wrote; far below 2^52")]
        s.serialize_f64(self.0 as f64 / 1e6)
    }
}

impl<'de> Deserialize<'de> for Dollars {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Amount;
        impl Visitor<'_> for Amount {
            type Value = Dollars;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&say!(
                    "an amount of US dollars such as 20 or 1.5",
                    "сумма в долларах США, например 20 или 1.5"
                ))
            }

            fn visit_i64<E: de::Error>(self, n: i64) -> Result<Dollars, E> {
                #[expect(clippy::cast_precision_loss, reason = "beyond a million it is refused anyway")]
                self.visit_f64(n as f64)
            }

            fn visit_f64<E: de::Error>(self, n: f64) -> Result<Dollars, E> {
                if !(0.0..=1_000_000.0).contains(&n) {
                    return Err(wrong(
                        &say!("{n} is no amount of money", "{n} — не сумма денег"),
                        &say!(
                            "give US dollars from 0 to 1000000, such as 20 or 1.5",
                            "укажите доллары США от 0 до 1000000, например 20 или 1.5"
                        ),
                    ));
                }
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "checked: between 0 and 10^12"
                )]
                Ok(Dollars((n * 1e6).round() as u64))
            }
        }
        d.deserialize_any(Amount)
    }
}

/// Minutes from 1 to a week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Minutes(pub u64);

impl Minutes {
    /// As a span.
    pub const fn span(self) -> Span {
        Span::minutes(self.0)
    }
}

impl fmt::Display for Minutes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for Minutes {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let n = i64::deserialize(d)?;
        match u64::try_from(n) {
            Ok(n @ 1..=10_080) => Ok(Self(n)),
            Ok(_) | Err(_) => Err(wrong(
                &say!("{n} minutes is no limit", "предел не может быть {n} мин"),
                &say!("give minutes from 1 to 10080 (a week)", "укажите минуты от 1 до 10080 (неделя)"),
            )),
        }
    }
}

/// A program and its arguments: a list, or one line that needs no shell.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(transparent)]
pub struct CommandLine(pub Vec<String>);

impl<'de> Deserialize<'de> for CommandLine {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Line;
        impl<'de> Visitor<'de> for Line {
            type Value = CommandLine;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&say!(
                    "a program with its arguments, as a list or as one line",
                    "программа с аргументами, списком или одной строкой"
                ))
            }

            fn visit_str<E: de::Error>(self, line: &str) -> Result<CommandLine, E> {
                words(line).map(CommandLine).map_err(|(problem, remedy)| wrong(&problem, &remedy))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<CommandLine, A::Error> {
                let mut words = Vec::new();
                while let Some(word) = seq.next_element::<String>()? {
                    words.push(word);
                }
                if words.first().is_some_and(|program| program.trim().is_empty()) {
                    return Err(wrong(
                        &say!("the program has no name", "у программы нет имени"),
                        &say!(
                            "name it first: [\"cargo\", \"test\"]",
                            "назовите её первой: [\"cargo\", \"test\"]"
                        ),
                    ));
                }
                Ok(CommandLine(words))
            }
        }
        d.deserialize_any(Line)
    }
}

/// Splits a line into words; quotes join, nothing is replaced. What only a shell understands is refused.
///
/// # Errors
/// What is wrong, and what to write instead.
pub fn words(line: &str) -> Result<Vec<String>, (Told, Told)> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None::<char>);
    for c in line.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            Some('"') if matches!(c, '$' | '`' | '\\') => return Err(needs_shell(line, c)),
            Some(_) => word.get_or_insert_default().push(c),
            None if c.is_whitespace() => words.extend(word.take()),
            None if matches!(c, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            None if "|&;<>()$`\\*?~".contains(c) => return Err(needs_shell(line, c)),
            None => word.get_or_insert_default().push(c),
        }
    }
    if quote.is_some() {
        return Err((
            say!("a quote in `{line}` is not closed", "в `{line}` не закрыта кавычка"),
            say!("close it, or write a list", "закройте её или напишите список"),
        ));
    }
    words.extend(word);
    Ok(words)
}

fn needs_shell(line: &str, sign: char) -> (Told, Told) {
    let problem = say!(
        "`{sign}` means something to a shell only, and no shell runs this",
        "`{sign}` понимает только shell, а команда выполняется без него"
    );
    let line = line.replace('\\', "\\\\").replace('"', "\\\"");
    let remedy = say!(
        "write [\"sh\", \"-c\", \"{line}\"], or a list of plain arguments",
        "напишите [\"sh\", \"-c\", \"{line}\"] или список простых аргументов"
    );
    (problem, remedy)
}

/// A list as it is written in TOML.
pub fn toml_list(words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|word| toml_string(word)).collect();
    format!("[{}]", words.join(", "))
}

/// A string as it is written in TOML.
pub fn toml_string(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that a line is split as a person means it, and that a shell's line is never run without its shell.
    #[test]
    fn lines_become_words() {
        let ok = |line: &str| words(line).unwrap();
        assert_eq!(ok("cargo test  --offline"), ["cargo", "test", "--offline"]);
        assert_eq!(ok("a 'b c' \"d e\"f ''"), ["a", "b c", "d ef", ""]);
        let (problem, remedy) = words("npm ci && npm test").unwrap_err();
        assert_eq!(&*problem, "`&` means something to a shell only, and no shell runs this");
        assert!(remedy.contains(r#"["sh", "-c", "npm ci && npm test"]"#), "{remedy}");
        assert!(words("a 'b").unwrap_err().0.contains("not closed"));
        assert!(words("echo \"$HOME\"").is_err());
    }

    /// Proves that money reads and prints without loss.
    #[test]
    fn dollars_read_back() {
        #[derive(Deserialize)]
        struct One {
            x: Dollars,
        }
        let read = |text: &str| toml::from_str::<One>(text).map(|one| one.x.to_string());
        assert_eq!(read("x = 20").unwrap(), "20");
        assert_eq!(read("x = 1.5").unwrap(), "1.50");
        assert_eq!(read("x = 0.000003").unwrap(), "0.000003");
        assert!(read("x = -1").is_err());
        assert!(read("x = nan").is_err());
    }

    /// Proves that what is written into a file reads back the same.
    #[test]
    fn strings_read_back() {
        let text = "a \"b\" \\ \n \u{7} é";
        let read: toml::Table = toml::from_str(&format!("x = {}", toml_string(text))).unwrap();
        assert_eq!(read["x"].as_str(), Some(text));
    }
}
