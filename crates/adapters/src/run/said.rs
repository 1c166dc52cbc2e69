//! What did a run say in the end? Its output as text that may be shown: bounded, without control characters, without
//! secrets.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use crate::process::Stream;

/// The longest tail that is kept of a run, in bytes.
pub const TAIL: usize = 4 << 10;

/// Lines longer than this are not looked into.
const LONGEST_LINE: u64 = 4 << 20;

/// A value that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps a value from being printed.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself, for whoever must pass it on.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Knows the secrets of the installation and takes them out of texts, by their exact value. Clones know the same.
#[derive(Debug, Clone, Default)]
pub struct Masker(Arc<RwLock<Arc<[Secret]>>>);

impl Masker {
    /// Values of fewer characters than this are words, not secrets.
    const SHORTEST: usize = 6;
    /// Values of so many characters stand nowhere by chance: the keys of providers are longer.
    const TELLING: usize = 32;

    /// Takes these out.
    pub fn new(secrets: impl IntoIterator<Item = Secret>) -> Self {
        let masker = Self::default();
        masker.learn(secrets);
        masker
    }

    /// Takes these out too from now on: a login has other tokens after a while.
    pub fn learn(&self, secrets: impl IntoIterator<Item = Secret>) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let new = secrets.into_iter().filter(|secret| secret.0.len() >= Self::SHORTEST);
        let mut all: Vec<Secret> = known.iter().cloned().chain(new).collect();
        // The longest first: one may contain another.
        all.sort_by(|a, b| (b.0.len(), &b.0).cmp(&(a.0.len(), &a.0)));
        all.dedup();
        *known = all.into();
    }

    /// One that knows these besides, for itself alone.
    #[must_use]
    pub fn with(&self, secrets: impl IntoIterator<Item = Secret>) -> Self {
        Self::new(self.known().iter().cloned().chain(secrets))
    }

    fn known(&self) -> Arc<[Secret]> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The text without them.
    pub fn mask(&self, text: &str) -> String {
        self.known().iter().fold(text.to_owned(), |text, secret| text.replace(&secret.0, "***"))
    }

    /// Whether one of them stands in these bytes, of those that nobody writes by chance: a login has short words, addresses
    /// and names as well, and a file that holds one of these is no leak.
    pub fn finds(&self, bytes: &[u8]) -> bool {
        let telling = |secret: &&Secret| {
            secret.0.len() >= Self::TELLING && !["://", "@"].iter().any(|it| secret.0.contains(it))
        };
        let known = self.known();
        let mut telling = known.iter().filter(telling).peekable();
        telling.peek().is_some() && {
            // Searching a text is fast, and what is no text in it does not hide the rest.
            let text = String::from_utf8_lossy(bytes);
            telling.any(|secret| text.contains(&secret.0))
        }
    }

    /// As [`Masker::mask`] for a text that was cut off in front: what may be the end of a secret goes as well.
    pub fn mask_cut(&self, text: &str) -> String {
        let mut from = text.ceil_char_boundary(self.longest());
        // A whole secret across that place goes as a whole.
        let known = self.known();
        while let Some(end) = known.iter().find_map(|secret| {
            let mut at = text.match_indices(&secret.0).map(|(at, _)| (at, at + secret.0.len()));
            at.find(|(at, end)| *at < from && from < *end)
        }) {
            from = end.1;
        }
        self.mask(&text[from..])
    }

    /// Puts stars over them, as many as they are long, so that every other byte stays where it is.
    fn hide(&self, bytes: &mut [u8]) {
        for secret in self.known().iter().map(|secret| secret.0.as_bytes()) {
            let mut from = 0;
            while let Some(at) = bytes[from..].windows(secret.len()).position(|part| part == secret) {
                bytes[from + at..from + at + secret.len()].fill(b'*');
                from += at + secret.len();
            }
        }
    }

    /// How many bytes at the end may be the begin of a secret whose rest is not written yet.
    fn begun(&self, bytes: &[u8]) -> usize {
        let begun = |secret: &Secret| {
            let most = (secret.0.len() - 1).min(bytes.len());
            (1..=most).rev().find(|n| bytes.ends_with(&secret.0.as_bytes()[..*n]))
        };
        self.known().iter().filter_map(begun).max().unwrap_or(0)
    }

    /// How many bytes in front of a cut may belong to a secret that it went through. Bytes that are no text are shown by
    /// three.
    fn longest(&self) -> usize {
        self.known().first().map_or(0, |secret| 3 * secret.0.len())
    }
}

/// Bytes as text for people: UTF-8 as far as it is, no terminal sequences, no control characters but line breaks and
/// tabs; of a line that was written over (`\r`) the last state.
pub fn clean(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut shown = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut line = 0;
    while let Some(one) = chars.next() {
        match one {
            '\u{1b}' => skip_sequence(&mut chars),
            '\n' => {
                shown.push('\n');
                line = shown.len();
            }
            '\r' if chars.peek() != Some(&'\n') => shown.truncate(line),
            '\t' => shown.push('\t'),
            one if one.is_control() || is_invisible(one) => {}
            one => shown.push(one),
        }
    }
    shown
}

/// Characters that change how the text around them is shown.
fn is_invisible(one: char) -> bool {
    matches!(one, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

fn skip_sequence(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match chars.next() {
        // Until its final byte.
        Some('[') => while chars.next().is_some_and(|one| !('@'..='~').contains(&one)) {},
        // Until the bell, or the next sequence, which ends it.
        Some(']') => {
            while let Some(one) = chars.peek() {
                match one {
                    '\u{7}' => {
                        chars.next();
                        return;
                    }
                    '\u{1b}' | '\n' => return,
                    _ => {
                        chars.next();
                    }
                }
            }
        }
        Some(_) | None => {}
    }
}

/// The end of a text, at most `most` bytes, whole lines where there are some.
pub fn last(text: &str, most: usize) -> &str {
    if text.len() <= most {
        return text;
    }
    let cut = text.ceil_char_boundary(text.len() - most);
    let rest = &text[cut..];
    match rest.find('\n') {
        Some(at) if at + 1 < rest.len() => &rest[at + 1..],
        Some(_) | None => rest,
    }
}

/// The last `most` bytes of one stream of a run as clean, masked text. Nothing if there is no log.
pub(crate) fn tail(record: &Path, stream: Stream, most: usize, mask: &Masker) -> io::Result<String> {
    // More than is kept, for cleaning and masking make it less.
    let window = most * 2 + mask.longest();
    let bytes = last_bytes(record, stream, window)?;
    let text = clean(&bytes);
    let text = if bytes.len() < window { mask.mask(&text) } else { mask.mask_cut(&text) };
    Ok(last(text.trim_end(), most).to_owned())
}

/// The last `most` bytes of one stream of a run.
pub(crate) fn last_bytes(record: &Path, stream: Stream, most: usize) -> io::Result<Vec<u8>> {
    let Some(mut log) = open(record, stream)? else { return Ok(Vec::new()) };
    let len = log.metadata()?.len();
    log.seek(SeekFrom::Start(len.saturating_sub(most as u64)))?;
    let mut bytes = Vec::new();
    log.take(most as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Up to `most` bytes of one stream of a run from byte `from`, with stars over its secrets: every byte is where the program
/// wrote it, so who reads on asks from where the bytes end. Bytes, not text: the end may lie inside a character. While the
/// run is `live`, what may become a secret with the next byte is held back.
///
/// # Errors
/// The log exists and cannot be read.
pub fn part(
    record: &Path,
    stream: Stream,
    (from, most): (u64, usize),
    live: bool,
    mask: &Masker,
) -> io::Result<Vec<u8>> {
    let Some(mut log) = open(record, stream)? else { return Ok(Vec::new()) };
    // A secret may begin before this part, and end behind it.
    let around = mask.known().first().map_or(0, |secret| secret.0.len() - 1);
    let before = from.min(around as u64);
    log.seek(SeekFrom::Start(from - before))?;
    let before = usize::try_from(before).unwrap_or(around);
    let mut bytes = Vec::new();
    log.take((before + most + around) as u64).read_to_end(&mut bytes)?;
    let whole = if live { bytes.len() - mask.begun(&bytes) } else { bytes.len() };
    mask.hide(&mut bytes);
    bytes.truncate(whole.min(before + most));
    bytes.drain(..before.min(bytes.len()));
    Ok(bytes)
}

/// Gives each line of one stream of a run to `each`; what is too long for a line is left out.
pub(crate) fn lines(record: &Path, stream: Stream, mut each: impl FnMut(&[u8])) -> io::Result<()> {
    let Some(log) = open(record, stream)? else { return Ok(()) };
    let mut log = BufReader::new(log);
    let mut line = Vec::new();
    let mut whole = true;
    loop {
        line.clear();
        if log.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        let ends = line.last() == Some(&b'\n');
        if whole && (ends || (line.len() as u64) < LONGEST_LINE) {
            each(&line);
        }
        whole = ends;
    }
}

fn open(record: &Path, stream: Stream) -> io::Result<Option<File>> {
    match File::open(record.join(stream.file())) {
        Ok(log) => Ok(Some(log)),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a program prints cannot paint the screen, hide text or break lines of the one who reads it.
    #[test]
    fn output_becomes_plain_text() {
        let seen = clean(b"\x1b[31mred\x1b[0m \x1b]0;title\x07ok\r\n10%\r100%\n\xff\x00\x08\ttab");
        assert_eq!(seen, "red ok\n100%\n\u{fffd}\ttab");
        assert_eq!(clean("a\u{202e}b\u{200b}".as_bytes()), "ab");
        assert_eq!(clean(b"\x1b"), "");
        assert_eq!(clean(b"\x1b[31"), "");
    }

    /// Proves that a key is found in any bytes, and that the addresses and names of a login are not taken for one.
    #[test]
    fn keys_are_found_and_words_are_not() {
        let key = "sk-0123456789abcdef0123456789abcdef";
        let mail = "somebody-with-a-long-name@example.org";
        let url = "https://example.org/a/long/address/of/tokens";
        let mask = Masker::new([key, mail, url, "max_plan_20x"].map(Secret::new));
        assert!(mask.finds(format!("let key = \"{key}\";").as_bytes()));
        assert!(mask.finds(&[b"\xff\x00", key.as_bytes(), b"\xff"].concat()));
        assert!(!mask.finds(format!("{mail} {url} max_plan_20x {}", &key[..34]).as_bytes()));
        assert!(!Masker::default().finds(key.as_bytes()));
    }

    /// A secret is taken out also where the cut would go through it, and short words are left alone.
    #[test]
    fn secrets_are_taken_out() {
        let mask = Masker::new([Secret::new("hunter"), Secret::new("hunter2-and-more"), Secret::new("a")]);
        assert_eq!(mask.mask("a hunter2-and-more, hunter"), "a ***, ***");
        assert_eq!(format!("{mask:?}").matches("***").count(), 2);
        let temp = tempfile::tempdir().unwrap();
        for before in 0..40 {
            let log = format!("{}{}", ".".repeat(before), "hunter2-and-more".repeat(9));
            std::fs::write(temp.path().join("stdout.log"), log).unwrap();
            for most in 1..40 {
                let seen = tail(temp.path(), Stream::Stdout, most, &mask).unwrap();
                assert!(seen.chars().all(|one| matches!(one, '*' | '.')), "{seen}");
            }
        }
    }

    /// A log that is read in parts, of any size and while it grows, shows no secret, and every other byte where it was
    /// written.
    #[test]
    fn parts_of_a_log_hide_secrets() {
        let (one, two) = ("hunter2-and-more", "hunter");
        let mask = Masker::new([Secret::new(one), Secret::new(two)]);
        let log = format!("..{one}.{two}{one}..hunt.{one}");
        let hidden = log.replace(one, &"*".repeat(one.len())).replace(two, &"*".repeat(two.len()));
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("stdout.log");
        for most in [1, 2, 7, 23, log.len()] {
            let mut seen = Vec::new();
            for written in 1..=log.len() {
                std::fs::write(&file, &log[..written]).unwrap();
                let at = (seen.len() as u64, most);
                seen.extend(part(temp.path(), Stream::Stdout, at, true, &mask).unwrap());
                assert!(hidden.as_bytes().starts_with(&seen), "{}", String::from_utf8_lossy(&seen));
            }
            while seen.len() < log.len() {
                let at = (seen.len() as u64, most);
                seen.extend(part(temp.path(), Stream::Stdout, at, false, &mask).unwrap());
            }
            assert_eq!(String::from_utf8(seen).unwrap(), hidden);
        }
    }

    /// The end is whole lines where there are some, and never half a character.
    #[test]
    fn the_end_is_whole() {
        assert_eq!(last("one\ntwo\nthree", 9), "three");
        assert_eq!(last("ёёёё", 3), "ё");
        assert_eq!(last("short", 9), "short");
    }
}
