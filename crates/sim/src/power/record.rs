//! Which calls did a program make, when did each begin, and when was it over? The text of `strace`, read line by line.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;

use super::Unclear;

/// From when until when something went on. Moments only say what came before what: two for each line of the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct While {
    pub(super) begun: usize,
    pub(super) ended: usize,
}

impl While {
    /// Whether it was over for sure before `other` began.
    pub(super) const fn before(self, other: Self) -> bool {
        self.ended < other.begun
    }
}

/// A call of the system.
#[derive(Debug, Clone)]
pub(super) struct Call<'a> {
    /// The thread.
    pub(super) thread: u32,
    pub(super) during: While,
    pub(super) name: &'a str,
    /// What stands between the name and the end of the line.
    rest: Cow<'a, str>,
}

/// An argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Argument<'c> {
    /// Bytes in quotation marks, not decoded yet.
    Quoted(&'c str),
    /// A file descriptor (none: the current folder) and what it stands for.
    Open { number: Option<i64>, path: PathBuf, unlinked: bool },
    /// Anything else, as it stands there.
    Plain(&'c str),
}

/// The arguments of a call and what came of it.
#[derive(Debug, Clone)]
pub(super) struct Parts<'c> {
    pub(super) arguments: Vec<Argument<'c>>,
    /// Nothing if the thread ended within the call.
    pub(super) result: Option<i64>,
    /// What the descriptor that came back stands for.
    pub(super) opened: Option<PathBuf>,
}

/// All calls, in the order in which they were over. Those that never were come last, with no end.
pub(super) fn calls<'a>(
    text: &'a str,
    visit: &mut dyn FnMut(&Call<'a>) -> Result<(), Unclear>,
) -> Result<(), Unclear> {
    let mut open: HashMap<u32, Call<'a>> = HashMap::new();
    for (number, line) in text.lines().enumerate() {
        let now = 2 * number;
        let Some((thread, said)) = line.split_once(' ') else { continue };
        let Ok(thread) = thread.parse::<u32>() else { continue };
        let said = said.trim_start();
        if said.starts_with("+++") || said.starts_with("---") {
            continue;
        }
        if let Some(resumed) = said.strip_prefix("<... ") {
            let end = resumed.split_once(" resumed>").map(|(_, end)| end);
            let (Some(mut call), Some(end)) = (open.remove(&thread), end) else {
                return Err(unclear(number, "it ends what never began", said));
            };
            call.rest = Cow::Owned(call.rest.into_owned() + end);
            call.during.ended = now + 1;
            visit(&call)?;
            continue;
        }
        let Some((name, rest)) = said.split_once('(') else { continue };
        let mut call =
            Call { thread, during: While { begun: now, ended: now + 1 }, name, rest: Cow::Borrowed(rest) };
        if let Some(begun) = rest.strip_suffix(" <unfinished ...>") {
            call.rest = Cow::Borrowed(begun);
            call.during.ended = usize::MAX;
            open.insert(thread, call);
        } else {
            visit(&call)?;
        }
    }
    let mut left: Vec<_> = open.into_values().collect();
    left.sort_by_key(|call| call.during.begun);
    left.iter().try_for_each(visit)
}

fn unclear(line: usize, why: &'static str, call: &str) -> Unclear {
    Unclear { line: line + 1, why, call: call.chars().take(200).collect() }
}

impl Call<'_> {
    pub(super) fn unclear(&self, why: &'static str) -> Unclear {
        unclear(self.during.begun / 2, why, &format!("{}({}", self.name, self.rest))
    }

    /// Whether a text stands anywhere in it: a quick look before it is taken apart.
    pub(super) fn says(&self, text: &str) -> bool {
        self.rest.contains(text)
    }

    pub(super) fn parts(&self) -> Result<Parts<'_>, Unclear> {
        let (mut arguments, mut from) = (Vec::new(), 0);
        let (mut depth, mut quoted, mut end) = (0_u32, false, None);
        for (at, byte) in self.rest.bytes().enumerate() {
            match byte {
                b'"' => quoted = !quoted,
                _ if quoted => {}
                b'(' | b'[' | b'{' => depth += 1,
                b')' if depth == 0 => {
                    end = Some(at);
                    break;
                }
                b')' | b']' | b'}' => depth = depth.saturating_sub(1),
                b',' if depth == 0 => {
                    arguments.push(self.argument(&self.rest[from..at])?);
                    from = at + 1;
                }
                _ => {} // not a domain enum
            }
        }
        let until = end.unwrap_or(self.rest.len());
        if !self.rest[from..until].trim().is_empty() {
            arguments.push(self.argument(&self.rest[from..until])?);
        }
        let came = end.and_then(|end| self.rest[end + 1..].split_once("= ")).map(|(_, came)| came.trim());
        let word = came.and_then(|came| came.split([' ', '<']).next());
        let result = word.and_then(|word| word.parse().ok());
        let opened = match came {
            Some(came) if came.contains('<') => match self.argument(came)? {
                Argument::Open { path, unlinked: false, .. } => Some(path),
                Argument::Open { .. } | Argument::Quoted(_) | Argument::Plain(_) => None,
            },
            Some(_) | None => None,
        };
        Ok(Parts { arguments, result, opened })
    }

    fn argument<'c>(&self, text: &'c str) -> Result<Argument<'c>, Unclear> {
        let text = text.trim();
        if let Some(rest) = text.strip_prefix('"') {
            let whole = rest.strip_suffix('"').ok_or_else(|| self.unclear("a text was cut"))?;
            return Ok(Argument::Quoted(whole));
        }
        let (text, unlinked) = match text.strip_suffix("(deleted)") {
            Some(text) => (text, true),
            None => (text, false),
        };
        let open = text.strip_suffix('>').and_then(|text| text.split_once('<'));
        let Some((number, path)) = open else { return Ok(Argument::Plain(text)) };
        let number = match number {
            "AT_FDCWD" => None,
            number => Some(number.parse().map_err(|_| self.unclear("no descriptor"))?),
        };
        let path = PathBuf::from(OsString::from_vec(self.bytes(path)?));
        Ok(Argument::Open { number, path, unlinked })
    }

    /// The bytes that `\x41\x42` stands for.
    pub(super) fn bytes(&self, text: &str) -> Result<Vec<u8>, Unclear> {
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let mut bytes = Vec::with_capacity(text.len() / 4);
        for four in text.as_bytes().chunks(4) {
            let &[b'\\', b'x', high, low] = four else {
                return Err(self.unclear("a text is not in hexadecimal"));
            };
            let (Some(high), Some(low)) = (digit(high), digit(low)) else {
                return Err(self.unclear("a text is not in hexadecimal"));
            };
            bytes.push(high << 4 | low);
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that a call which others interrupt is one call, from its first line to its last.
    #[test]
    fn calls_that_overlap_are_read() {
        let text = "7  pwrite64(3<\\x2f\\x61>, \"\\x41\\x42\", 2, 4096 <unfinished ...>\n\
                    8  fsync(4<\\x2f\\x62>(deleted)) = 0\n\
                    7  <... pwrite64 resumed>)  = 2\n\
                    7  openat(AT_FDCWD<\\x2f>, \"\\x63\", O_RDONLY) = -1 ENOENT (No such file or directory)\n\
                    9  openat(AT_FDCWD<\\x2f>, \"\\x63\", O_RDWR|O_CREAT, 0600) = 5<\\x2f\\x63>\n\
                    9  +++ exited with 0 +++\n\
                    8  fsync(4<\\x2f\\x62> <unfinished ...>\n";
        let mut seen = Vec::new();
        calls(text, &mut |call| {
            let parts = call.parts()?;
            seen.push((call.name, call.during.begun, call.during.ended, parts.arguments.len(), parts.result));
            if call.name == "openat" && parts.result == Some(5) {
                assert_eq!(parts.opened, Some(PathBuf::from("/c")));
            }
            if let (Argument::Quoted(text), "pwrite64") =
                (&parts.arguments[1.min(parts.arguments.len() - 1)], call.name)
            {
                assert_eq!(call.bytes(text)?, b"AB");
            }
            Ok(())
        })
        .unwrap();
        assert_eq!(
            seen,
            [
                ("fsync", 2, 3, 1, Some(0)),
                ("pwrite64", 0, 5, 4, Some(2)),
                ("openat", 6, 7, 3, Some(-1)),
                ("openat", 8, 9, 4, Some(5)),
                ("fsync", 12, usize::MAX, 1, None),
            ]
        );
    }

    /// Proves that a text which `strace` shortened is no text.
    #[test]
    fn a_cut_text_is_unclear() {
        let read = calls("7 write(3<\\x2f>, \"\\x41\"..., 9) = 9\n", &mut |call| call.parts().map(drop));
        assert_eq!(read.unwrap_err().why, "a text was cut");
    }
}
