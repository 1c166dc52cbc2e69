//! What does the machine read of a file that an agent wrote? The frontmatter, by one primitive that all readers of verdicts
//! share (row 26).
//!
//! The files come from strangers: every limit is checked, nothing panics, and each error names line, cause and remedy.

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

/// The most bytes that frontmatter may have.
pub const MAX_BYTES: usize = 65_536;

/// The line that opens frontmatter, and the line that closes it.
const FENCE: &str = "---";

/// A file in its two parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document<'a> {
    /// The keys and their values.
    pub front: Frontmatter,
    /// What follows; bytes that are no UTF-8 are replaced, since no verdict depends on them.
    pub body: Cow<'a, str>,
}

/// The keys of a frontmatter in the order in which they stand, each once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontmatter {
    fields: Vec<Field>,
}

/// A key and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The key.
    pub key: String,
    /// The scalar as it is written (`no` stays `no`, `1.10` stays `1.10`), empty for null; `None` for a list or a map.
    pub value: Option<String>,
    /// The line of the file where the value stands, from 1.
    pub line: usize,
}

/// Why a frontmatter cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Unreadable {
    /// The file does not begin with it.
    #[error("line 1: no frontmatter; begin the file with a line that is exactly `---`")]
    Missing,
    /// It does not end.
    #[error(
        "line {line}: the frontmatter does not end within {} KiB; close it with a line that is exactly `---`",
        MAX_BYTES / 1024
    )]
    Unterminated {
        /// The last line that was looked at.
        line: usize,
    },
    /// It is no UTF-8.
    #[error("line {line}: the frontmatter is not UTF-8; save the file as UTF-8")]
    NotUtf8 {
        /// Where.
        line: usize,
    },
    /// It is no plain YAML.
    #[error(
        "line {line}: {cause}; write plain `key: value` lines, each key once, with quotes around odd values"
    )]
    NotPlain {
        /// Where.
        line: usize,
        /// What is wrong.
        cause: String,
    },
    /// It holds something that cannot be seen.
    #[error("line {line}: `{key}` contains a control character; remove it")]
    Control {
        /// Where.
        line: usize,
        /// In which key; the character itself is not shown.
        key: String,
    },
}

impl Frontmatter {
    /// The text of a key; `None` if it is not there or is a list or a map.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.field(key)?.value.as_deref()
    }

    /// A key with its line.
    pub fn field(&self, key: &str) -> Option<&Field> {
        self.fields.iter().find(|f| f.key == key)
    }

    /// All of them, in order.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }
}

/// Reads a file.
///
/// # Errors
/// When there is no frontmatter or it is not plain; the body cannot make it fail.
pub fn parse(file: &[u8]) -> Result<Document<'_>, Unreadable> {
    let (yaml, body) = split(file)?;
    let yaml = std::str::from_utf8(yaml)
        .map_err(|e| Unreadable::NotUtf8 { line: 2 + newlines(&yaml[..e.valid_up_to()]) })?;
    Ok(Document { front: read_yaml(yaml)?, body: String::from_utf8_lossy(body) })
}

/// The text without its frontmatter; all of it if it has none.
pub fn strip(file: &str) -> &str {
    let whole = file.strip_prefix('\u{feff}').unwrap_or(file);
    match split(file.as_bytes()) {
        Ok((_, body)) => whole.get(whole.len() - body.len()..).unwrap_or(whole),
        Err(_) => whole,
    }
}

/// Writes a file whose frontmatter reads back to the same values (row 28). Control characters other than tab and newline,
/// which no reader accepts, become `\u{fffd}`.
pub fn render(fields: &[(&str, &str)], body: &str) -> String {
    let mut out = String::with_capacity(body.len() + 64 * fields.len());
    out.push_str("---\n");
    for (key, value) in fields {
        write_scalar(&mut out, key);
        out.push_str(": ");
        write_scalar(&mut out, value);
        out.push('\n');
    }
    out.push_str("---\n");
    out.push_str(body);
    out
}

/// The keys that a numbered file should have (predecessor section 4.2).
pub fn required_keys(name: &str) -> &'static [&'static str] {
    match name {
        "12-review.md" => &["type", "work_item_id", "verdict", "version"],
        "13-test-report.md" => &["type", "work_item_id", "result"],
        "14-deploy-log.md" => &["deploy_status", "work_item", "hook_exit_code", "deployed_by"],
        "15-staging-log.md" => &["staging_status", "timestamp", "base_url"],
        "16-post-deploy-log.md" => {
            &["post_deploy_status", "action_taken", "work_item", "window_s", "checks_total", "checks_failed"]
        }
        "17-security-report.md" => {
            &["security_status", "secrets_found", "deps_blocking", "deps_warning", "deps_audit_degraded"]
        }
        _ => &[], // not a domain enum
    }
}

/// What a schema check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The required keys that are missing or empty: a warning each.
    pub missing: Vec<&'static str>,
    /// Whether the file may be used: always, unless the check is strict (row 27).
    pub usable: bool,
}

/// Checks a file against the table of required keys. It only warns, and never changes a verdict, unless `strict` (row 27).
pub fn check(name: &str, front: &Frontmatter, strict: bool) -> Checked {
    let empty = |key: &&&str| front.get(key).is_none_or(|v| v.trim().is_empty());
    let missing: Vec<_> = required_keys(name).iter().filter(empty).copied().collect();
    let usable = !strict || missing.is_empty();
    Checked { missing, usable }
}

/// The YAML between the fences, and the body.
fn split(file: &[u8]) -> Result<(&[u8], &[u8]), Unreadable> {
    let file = file.strip_prefix("\u{feff}".as_bytes()).unwrap_or(file);
    let (first, rest) = take_line(file);
    if first != FENCE.as_bytes() {
        return Err(Unreadable::Missing);
    }
    let mut line = 1;
    let mut at = 0;
    while at < rest.len() && at <= MAX_BYTES {
        let (text, after) = take_line(&rest[at..]);
        line += 1;
        if text == FENCE.as_bytes() {
            return Ok((&rest[..at], after));
        }
        at = rest.len() - after.len();
    }
    Err(Unreadable::Unterminated { line })
}

/// The first line without its end, and what follows.
fn take_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    let (line, rest) = match bytes.iter().position(|b| *b == b'\n') {
        Some(end) => (&bytes[..end], &bytes[end + 1..]),
        None => (bytes, &bytes[bytes.len()..]),
    };
    (line.strip_suffix(b"\r").unwrap_or(line), rest)
}

fn newlines(bytes: &[u8]) -> usize {
    bytes.iter().filter(|b| **b == b'\n').count()
}

/// The one place that knows the YAML library. The library's own limits are far too wide for text from strangers.
fn read_yaml(yaml: &str) -> Result<Frontmatter, Unreadable> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_reader_input_bytes: Some(MAX_BYTES), max_events: 4000, max_aliases: 0, max_anchors: 0,
            max_depth: 8, flow_nesting_limit: 16, max_documents: 1, max_nodes: 2000,
            max_total_scalar_bytes: MAX_BYTES, max_merge_keys: 0,
        },
        merge_keys: serde_saphyr::options::MergeKeyPolicy::Error,
        duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::Error,
        non_finite_float_policy: serde_saphyr::options::NonFiniteFloatPolicy::PassThrough,
        strict_booleans: true,
        reject_unsupported_tags: true,
        with_snippet: false,
    };
    // The file's first line is the fence.
    let file_line = |line: u64| usize::try_from(line).unwrap_or(usize::MAX).saturating_add(1);
    let raw: RawMap = serde_saphyr::from_str_with_options(yaml, options).map_err(|e| {
        let line = e.location().map_or(2, |at| file_line(at.line()));
        Unreadable::NotPlain { line, cause: cause_of(&e) }
    })?;
    let mut fields = Vec::with_capacity(raw.0.len());
    for (key, found) in raw.0 {
        let line = file_line(found.referenced.line());
        let value = match found.value {
            Raw::Null => Some(String::new()),
            Raw::Text(text) => Some(text),
            Raw::Typed => Some(written(yaml, &found).trim().to_owned()),
            Raw::Nested => None,
        };
        if [Some(&key), value.as_ref()].into_iter().flatten().any(|t| t.chars().any(is_hidden)) {
            let key = key.chars().filter(|c| !c.is_control()).take(40).collect();
            return Err(Unreadable::Control { line, key });
        }
        fields.push(Field { key, value, line });
    }
    Ok(Frontmatter { fields })
}

/// Characters that no value may have.
fn is_hidden(c: char) -> bool {
    c.is_control() && c != '\n' && c != '\t'
}

/// What is wrong, in words for the file's author. The library's own words for the place would mislead: it counts lines
/// without the fence.
fn cause_of(error: &serde_saphyr::Error) -> String {
    use serde_saphyr::Error as E;
    use serde_saphyr::budget::BudgetBreach as B;
    let fixed = match error.without_snippet() {
        E::DuplicateMappingKey { key: Some(key), .. } => {
            let key: String = key.chars().filter(|c| !c.is_control()).take(40).collect();
            return format!("`{key}` stands here a second time");
        }
        E::MergeKeyNotAllowed { .. } | E::Budget { breach: B::MergeKeys { .. }, .. } => {
            "merge keys are not allowed"
        }
        E::Budget { breach: B::Anchors { .. } | B::Aliases { .. }, .. } => {
            "anchors and aliases are not allowed"
        }
        E::Budget { breach: B::Depth { .. }, .. } => "it is nested too deeply",
        E::Budget { breach: B::Documents { .. }, .. } => "a second YAML document begins",
        E::Budget { .. } => "it holds too much",
        E::Unexpected { .. } => "no `key: value` line",
        other => {
            let said = other.to_string();
            let said = said.split(" at line ").next().unwrap_or_default();
            return said.chars().filter(|c| !c.is_control()).take(200).collect();
        }
    };
    fixed.to_owned()
}

/// The scalar as it stands in the text: numbers and booleans are not read by their meaning.
fn written<'a>(yaml: &'a str, found: &Spanned<Raw>) -> &'a str {
    let span = found.referenced.span();
    let place = || {
        let from = usize::try_from(span.byte_offset()?).ok()?;
        let to = from.checked_add(usize::try_from(span.byte_len()?).ok()?)?;
        yaml.get(from..to)
    };
    place().unwrap_or_default()
}

/// The outer map in the order of its keys.
struct RawMap(Vec<(String, Spanned<Raw>)>);

/// A value as far as it matters.
enum Raw {
    Null,
    Text(String),
    Typed,
    Nested,
}

impl<'de> Deserialize<'de> for RawMap {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = RawMap;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`key: value` lines")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawMap, A::Error> {
                let mut all = Vec::new();
                while let Some(entry) = map.next_entry::<String, Spanned<Raw>>()? {
                    all.push(entry);
                }
                Ok(RawMap(all))
            }
        }
        d.deserialize_map(Reader)
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Raw;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }
            fn visit_unit<E>(self) -> Result<Raw, E> {
                Ok(Raw::Null)
            }
            fn visit_str<E>(self, text: &str) -> Result<Raw, E> {
                Ok(Raw::Text(text.to_owned()))
            }
            fn visit_bool<E>(self, _: bool) -> Result<Raw, E> {
                Ok(Raw::Typed)
            }
            fn visit_i64<E>(self, _: i64) -> Result<Raw, E> {
                Ok(Raw::Typed)
            }
            fn visit_u64<E>(self, _: u64) -> Result<Raw, E> {
                Ok(Raw::Typed)
            }
            fn visit_f64<E>(self, _: f64) -> Result<Raw, E> {
                Ok(Raw::Typed)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Raw, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Raw::Nested)
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Raw::Nested)
            }
        }
        d.deserialize_any(Reader)
    }
}

/// A scalar: bare where every YAML reader takes it for the same text, else in double quotes.
fn write_scalar(out: &mut String, text: &str) {
    if is_bare(text) {
        out.push_str(text);
        return;
    }
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            '\u{feff}' => out.push_str("\\uFEFF"),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out.push('"');
}

fn is_bare(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'/' | b'+');
    let bytes = text.as_bytes();
    !text.eq_ignore_ascii_case("null")
        && bytes.first().is_some_and(|b| b.is_ascii_alphanumeric())
        && bytes.iter().all(|b| inner(*b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(file: &str) -> Vec<(String, Option<String>)> {
        let front = parse(file.as_bytes()).unwrap().front;
        front.fields.into_iter().map(|f| (f.key, f.value)).collect()
    }

    fn said(file: impl AsRef<[u8]>) -> String {
        parse(file.as_ref()).unwrap_err().to_string()
    }

    /// Proves that scalars keep the text that stands in the file, whatever YAML would make of it.
    #[test]
    fn scalars_stay_text() {
        let file = "---\na: no\nb: on\nc: 1.10\nd: 0x1F\ne: true\nf:\ng: ~\nh: \"q: #\"\ni: 1e999\nj: 007\nk: -5 \n\
                    l: 2026-01-02T03:04:05Z\nm: [1, 2]\nn: {x: y}\no: text # note\np: .inf\n---\nbody";
        let got = values(file);
        let text = |k: &str| got.iter().find(|(key, _)| key == k).unwrap().1.clone();
        let scalar = |k: &str| text(k).unwrap();
        let some = ["no", "on", "1.10", "0x1F", "true", "", "", "q: #"];
        assert_eq!(["a", "b", "c", "d", "e", "f", "g", "h"].map(scalar), some);
        assert_eq!(
            ["i", "j", "k", "l", "o"].map(scalar),
            ["1e999", "007", "-5", "2026-01-02T03:04:05Z", "text"]
        );
        assert_eq!((text("m"), text("n")), (None, None));
        assert_eq!(got.len(), 16);
    }

    /// Proves that 64 KiB may be read, and no more.
    #[test]
    fn there_may_be_so_much() {
        let of = |bytes: usize| parse(format!("---\na: {}\n---\n", "x".repeat(bytes)).as_bytes()).map(|_| ());
        assert_eq!(of(60 * 1024), Ok(()));
        assert!(of(64 * 1024).unwrap_err().to_string().contains("64"));
    }

    /// Proves that the ends of lines and a byte order mark do not matter, and that the body is what follows.
    #[test]
    fn lines_may_end_either_way() {
        let file = "\u{feff}---\r\nverdict: APPROVED\r\nversion: 1\r\n---\r\n# Body\r\n---\r\nmore";
        let doc = parse(file.as_bytes()).unwrap();
        assert_eq!((doc.front.get("verdict"), doc.front.get("version")), (Some("APPROVED"), Some("1")));
        assert_eq!(doc.front.field("version").unwrap().line, 3);
        assert_eq!(doc.body, "# Body\r\n---\r\nmore");
        assert_eq!(strip(file), "# Body\r\n---\r\nmore");
        assert_eq!(strip("no frontmatter\n---\n"), "no frontmatter\n---\n");
        assert_eq!(strip("---\nopen"), "---\nopen");
        assert_eq!(parse(b"---\n---").unwrap().front, Frontmatter::default());
        assert_eq!(parse(b"---\na: 1\n---\n\xff\xfe").unwrap().body, "\u{fffd}\u{fffd}");
    }

    /// row 28: Frontmatter writer output re-parses to the same values.
    #[test]
    fn what_is_written_reads_back() {
        let odd = [
            "",
            " ",
            "plain",
            "APPROVED",
            "no",
            "null",
            "~",
            "NULL",
            "true",
            "12",
            "-1",
            "1.10",
            "a: b",
            "a #b",
            "# c",
            "- x",
            "[x]",
            "{x}",
            "&a",
            "*a",
            "!t",
            "|",
            ">",
            "%",
            "@",
            "`",
            "'",
            "\"",
            "\\",
            "\\n",
            "two\nlines",
            "tab\t.",
            " lead",
            "trail ",
            "---",
            "...",
            "=",
            "<<",
            "ünïcödé",
            "Привет: мир",
            "\u{2028}",
            "\u{feff}",
            "🙂",
            "?",
            ":",
            "2026-01-02",
            "https://a.b/c?d=e#f",
            "a\u{a0}b",
            "''",
            "\n",
            "\n\n x",
            "e1.0",
            "0o7",
            ".inf",
            "key:",
        ];
        let keys: Vec<String> = (0..odd.len()).map(|i| format!("k{i}")).collect();
        let fields: Vec<(&str, &str)> = keys.iter().map(String::as_str).zip(odd).collect();
        let file = render(&fields, "# Body\n");
        let got = values(&file);
        for ((key, value), (k, v)) in fields.iter().zip(&got) {
            assert_eq!((*key, Some(*value)), (k.as_str(), v.as_deref()), "in {file}");
        }
        assert_eq!(got.len(), fields.len());
        assert_eq!(parse(file.as_bytes()).unwrap().body, "# Body\n");
        for key in odd.iter().filter(|k| **k != "<<") {
            assert_eq!(values(&render(&[(key, "v")], ""))[0].0, *key);
        }
        assert_eq!(
            values(&render(&[("a", "x\0\r\u{7f}y")], ""))[0].1.as_deref(),
            Some("x\u{fffd}\u{fffd}\u{fffd}y")
        );
    }

    /// row 27: Schema validation only warns unless the strict flag is on.
    #[test]
    fn schema_only_warns() {
        let front = parse(b"---\nverdict: APPROVED\nversion: ''\n---\n").unwrap().front;
        let lax = check("12-review.md", &front, false);
        assert_eq!((lax.missing.as_slice(), lax.usable), (&["type", "work_item_id", "version"][..], true));
        assert!(!check("12-review.md", &front, true).usable);
        assert_eq!(check("01-brd.md", &front, true), Checked { missing: vec![], usable: true });
        for n in 12..=17 {
            let known =
                ["review", "test-report", "deploy-log", "staging-log", "post-deploy-log", "security-report"];
            assert!(!required_keys(&format!("{n}-{}.md", known[n - 12])).is_empty());
        }
    }

    /// Proves that hostile files end in an error that names the line, quickly and without a panic.
    #[test]
    fn hostile_files_are_refused() {
        let laughs =
            "---\na: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b]\n---\n";
        let deep = format!("---\na: {}{}\n---\n", "[".repeat(5000), "]".repeat(5000));
        let deep_block: String = std::iter::once("---\n".to_owned())
            .chain((0..200).map(|i| format!("{}k:\n", " ".repeat(i))))
            .collect();
        let wide = format!("---\na: [{}]\n---\n", "x,".repeat(20_000));
        let cases: Vec<(&str, Vec<u8>)> = vec![
            ("laughs", laughs.into()),
            ("alias", "---\na: &x 1\nb: *x\n---\n".into()),
            ("anchor alone", "---\na: &x 1\n---\n".into()),
            ("merge", "---\na: 1\n<<: {b: 2}\n---\n".into()),
            ("deep", deep.into()),
            ("deep block", (deep_block + "---\n").into()),
            ("wide", wide.into()),
            ("tag", "---\na: !ruby/object:X {}\n---\n".into()),
            ("own tag", "---\na: !mine x\n---\n".into()),
            ("binary control", "---\na: !!binary AAAA\n---\n".into()),
            ("twice", "---\nverdict: APPROVED\nverdict: REQUEST_CHANGES\n---\n".into()),
            ("list", "---\n- a\n- b\n---\n".into()),
            ("scalar", "---\njust words\n---\n".into()),
            ("open quote", "---\na: \"x\n---\n".into()),
            ("tab", "---\na:\n\t- x\n---\n".into()),
            ("colon", "---\nverdict: APPROVED: yes\n---\n".into()),
            ("nul", b"---\na: x\0y\n---\n".to_vec()),
            ("escaped nul", "---\na: \"x\\0y\"\n---\n".into()),
            ("escape code", "---\na: \"\\x1b[2J\"\n---\n".into()),
            ("not utf-8", b"---\na: \xff\xfe\n---\n".to_vec()),
            ("utf-16", b"\xff\xfe-\0-\0-\0\n\0".to_vec()),
            ("megabyte", [b"---\na: ".to_vec(), vec![b'x'; 1 << 20], b"\n---\n".to_vec()].concat()),
            ("megabyte of lines", [b"---\n".to_vec(), b"a: b\n".repeat(200_000)].concat()),
            ("unterminated", "---\na: b\n".into()),
            ("only a fence", "---".into()),
            ("empty", vec![]),
            ("no fence", "# Review\n\nverdict: APPROVED\n".into()),
            ("fence with space", "--- \na: b\n---\n".into()),
            ("blank first", "\n---\na: b\n---\n".into()),
            ("two documents", "---\na: b\n--- \nc: d\n---\n".into()),
        ];
        for (name, file) in &cases {
            let text = said(file);
            assert!(text.starts_with("line ") && text.contains("; "), "{name}: {text}");
            assert!(!text.chars().any(char::is_control) && text.len() < 400, "{name}: {text}");
        }
        assert!(said(&cases[10].1).starts_with("line 3: "), "{}", said(&cases[10].1));
        assert!(said(b"---\na: b\nc: \xff\n---\n").starts_with("line 3: "));
    }

    /// Proves that whoever wrote the file reads in which of its lines something is wrong, and what: nothing that cannot be
    /// seen, and nothing of the library's own counting.
    #[test]
    fn the_line_and_the_cause_are_named() {
        assert_eq!(parse(b"---\na: 1\nb: 2\n"), Err(Unreadable::Unterminated { line: 3 }));
        assert_eq!(parse(b"---\n\n\na: \xff\n---\n"), Err(Unreadable::NotUtf8 { line: 4 }));
        assert_eq!(parse(b"---\n\xff\n---\n"), Err(Unreadable::NotUtf8 { line: 2 }));
        let hidden = parse(b"---\n\"a\\x07b\": 1\n---\n");
        assert_eq!(hidden, Err(Unreadable::Control { line: 2, key: "ab".to_owned() }));
        let cause = |file: &str| match parse(file.as_bytes()) {
            Err(Unreadable::NotPlain { line, cause }) => (line, cause),
            other => panic!("{other:?}"),
        };
        assert_eq!(cause("---\na: 1\na: 2\n---\n"), (3, "`a` stands here a second time".to_owned()));
        let twice = cause("---\n\"a\\x07\": 1\n\"a\\x07\": 2\n---\n");
        assert_eq!(twice.1, "`a` stands here a second time");
        assert_eq!(cause("---\njust words\n---\n").1, "no `key: value` line");
        let (_, words) = cause("---\na: \"open\n---\n");
        assert!(words.len() > 10 && !words.contains(" line ") && !words.contains('\n'), "{words}");
        let front = parse(b"---\na: 1\nb: 2\n---\n").unwrap().front;
        let keys: Vec<&str> = front.fields().iter().map(|field| field.key.as_str()).collect();
        assert_eq!(keys, ["a", "b"]);
    }
}
