//! How does it look on a terminal? Few colours, plain columns; nothing that another wrote may steer the terminal.
//!
//! Everything is printed through `anstream`: pipes and `NO_COLOR` get the same words without colour.

use std::io::{self, Write as _};

use anstyle::{AnsiColor, Style};
use orch_core::time::Moment;

/// What is wrong.
pub const BAD: Style = AnsiColor::Red.on_default().bold();
/// What asks for a person.
pub const ASKS: Style = AnsiColor::Yellow.on_default();
/// What is well.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// What works.
pub const BUSY: Style = AnsiColor::Cyan.on_default();
/// What stands out.
pub const BOLD: Style = Style::new().bold();
/// What stands back.
pub const DIM: Style = Style::new().dimmed();
/// What is as it is.
pub const PLAIN: Style = Style::new();

/// A text in a style.
pub fn paint(style: Style, text: &str) -> String {
    format!("{style}{}{style:#}", safe(text))
}

/// A text of one line without what would steer a terminal: titles and causes come from outside (decision 10).
pub fn safe(text: &str) -> String {
    let one_line = |c: char| match c {
        '\n' | '\t' | '\r' => ' ',
        c if steers(c) => '\u{fffd}',
        c => c,
    };
    text.chars().map(one_line).collect()
}

/// The same for texts of many lines, such as logs and diffs.
pub fn safe_lines(text: &str) -> String {
    text.chars()
        .filter(|c| *c != '\r')
        .map(|c| if c != '\n' && c != '\t' && steers(c) { '\u{fffd}' } else { c })
        .collect()
}

/// Controls, and marks that turn the direction of what follows.
fn steers(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
}

/// A cell of a table.
#[derive(Debug, Clone)]
pub struct Cell {
    text: String,
    style: Style,
}

/// A cell in a style.
pub fn cell(style: Style, text: impl AsRef<str>) -> Cell {
    Cell { text: safe(text.as_ref()), style }
}

/// How many characters a line of the terminal has; `None` where standard output is none.
pub fn width() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(rustix::stdio::stdout()).ok()?;
    (size.ws_col > 0).then_some(usize::from(size.ws_col))
}

/// Rows cut so that a line has at most `width` characters: `long` columns, the first first, give up what is over, down to
/// `LEAST` characters each. What is cut ends in `…`.
pub fn fitted(mut rows: Vec<Vec<Cell>>, width: usize, long: &[usize]) -> Vec<Vec<Cell>> {
    const LEAST: usize = 16;
    for &at in long {
        let widths = widths(&rows);
        let over = (widths.iter().sum::<usize>() + 2 * widths.len().saturating_sub(1)).saturating_sub(width);
        let room = widths.get(at).map_or(0, |has| has.saturating_sub(over).max(LEAST));
        for cell in rows.iter_mut().filter_map(|row| row.get_mut(at)) {
            if cell.text.chars().count() > room {
                let kept: String = cell.text.chars().take(room.saturating_sub(1)).collect();
                cell.text = format!("{}…", kept.trim_end());
            }
        }
    }
    rows
}

/// How wide each column is.
fn widths(rows: &[Vec<Cell>]) -> Vec<usize> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |at: usize| rows.iter().filter_map(|row| row.get(at)).map(|c| c.text.chars().count()).max();
    (0..columns).map(|at| width(at).unwrap_or(0)).collect()
}

/// Rows as columns, two blanks between them; the last column is as long as it likes.
pub fn table(rows: &[Vec<Cell>]) -> String {
    columns(rows, &widths(rows))
}

/// The same where lines may be of any length: nothing is cut, and what is longer than `MOST` moves its own line alone.
pub fn loose_table(rows: &[Vec<Cell>]) -> String {
    const MOST: usize = 40;
    columns(rows, &widths(rows).into_iter().map(|width| width.min(MOST)).collect::<Vec<_>>())
}

fn columns(rows: &[Vec<Cell>], widths: &[usize]) -> String {
    let mut out = String::new();
    for row in rows {
        let last = row.iter().rposition(|cell| !cell.text.is_empty());
        for (at, Cell { text, style }) in row.iter().enumerate().take_while(|(at, _)| Some(*at) <= last) {
            out.push_str(&format!("{style}{text}{style:#}"));
            if Some(at) < last {
                let pad = widths[at].saturating_sub(text.chars().count()) + 2;
                out.extend(std::iter::repeat_n(' ', pad));
            }
        }
        out.push('\n');
    }
    out
}

/// A text in lines of at most `width` characters, broken between words; a longer word has a line of its own.
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines
            .last_mut()
            .filter(|line| line.is_empty() || line.chars().count() + 1 + word.chars().count() <= width);
        match line {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) => line.extend([" ", word]),
            None => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Writes to standard output. A reader that has gone (`orch list | head`) ends the program without a word.
pub fn out(text: &str) {
    let mut stdout = anstream::stdout().lock();
    if let Err(e) = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush())
        && e.kind() == io::ErrorKind::BrokenPipe
    {
        std::process::exit(0);
    }
}

/// Writes a line to standard output.
pub fn line(text: &str) {
    out(&format!("{text}\n"));
}

/// Writes a value as JSON to standard output.
pub fn json(value: &impl serde::Serialize) {
    line(&serde_json::to_string_pretty(value).unwrap_or_else(|e| format!("{{\"error\": \"{e}\"}}")));
}

/// A moment in a time zone: `2026-01-31 14:05:09`.
pub fn clock(at: Moment, timezone: &str) -> String {
    let zone = jiff::tz::TimeZone::get(timezone).unwrap_or(jiff::tz::TimeZone::UTC);
    match jiff::Timestamp::from_millisecond(at.0) {
        Ok(stamp) => stamp.to_zoned(zone).strftime("%Y-%m-%d %H:%M:%S").to_string(),
        Err(_) => format!("{} ms", at.0),
    }
}

/// A moment that the API wrote; `None` if it is none.
pub fn moment(rfc3339: &str) -> Option<Moment> {
    rfc3339.parse::<jiff::Timestamp>().ok().map(|stamp| Moment(stamp.as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that a title from outside can neither colour nor clear the terminal (decision 10).
    #[test]
    fn titles_do_not_steer_the_terminal() {
        assert_eq!(safe("a\u{1b}[2Jb\nc\u{202e}d"), "a\u{fffd}[2Jb c\u{fffd}d");
        assert_eq!(safe_lines("a\r\n\tb\u{7}"), "a\n\tb\u{fffd}");
    }

    /// Proves that columns stand under each other, and that no line ends in blanks.
    #[test]
    fn columns_are_even() {
        let rows = [
            vec![cell(PLAIN, "a"), cell(PLAIN, "long"), cell(PLAIN, "x")],
            vec![cell(PLAIN, "bbb"), cell(PLAIN, ""), cell(PLAIN, "")],
        ];
        assert_eq!(table(&rows), "a    long  x\nbbb\n");
        let styled = [vec![cell(BOLD, "a"), cell(DIM, "")]];
        assert_eq!(table(&styled), format!("{BOLD}a{BOLD:#}\n"));
    }

    /// Proves that into a pipe a long text moves its own line alone, and that nothing of it is lost.
    #[test]
    fn a_long_text_moves_its_own_line_alone() {
        let long = "waits for somebody to look at the deploy, which nobody could ask";
        let rows = [("D-1", "is over", "A title"), ("D-2", long, "Another")];
        let rows = rows.map(|(id, stands, title)| [id, stands, title].map(|text| cell(PLAIN, text)).to_vec());
        let lines = format!("D-1  {:<40}  A title\nD-2  {long}  Another\n", "is over");
        assert_eq!(loose_table(&rows), lines);
    }

    /// Proves that a row gives up what is over where it is longest, and never what tells rows apart.
    #[test]
    fn rows_fit_the_terminal() {
        let held = "waits for your approval of the requirements";
        let rows = || {
            let short = vec![cell(PLAIN, "D-1"), cell(PLAIN, "is over"), cell(PLAIN, "A title")];
            vec![
                short,
                vec![cell(PLAIN, "D-2"), cell(PLAIN, held), cell(PLAIN, "Another title that is long")],
            ]
        };
        let cut = |width| table(&fitted(rows(), width, &[1, 2]));
        assert_eq!(cut(200), table(&rows()));
        assert_eq!(
            cut(60),
            "D-1  is over                      A title\nD-2  waits for your approval of…  Another title that is long\n"
        );
        assert_eq!(cut(40), "D-1  is over          A title\nD-2  waits for your…  Another title tha…\n");
        assert!(cut(10).lines().all(|line| line.chars().count() <= 39), "what is too narrow breaks lines");
    }

    /// Proves that long texts break between words and lose none.
    #[test]
    fn long_texts_are_wrapped() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("/a/very/long/path x", 5), ["/a/very/long/path", "x"]);
        assert_eq!(wrapped("", 5), [""]);
    }
}
