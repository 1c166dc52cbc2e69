//! What happens next? A choice from a seed: the same seed, the same choices, on every machine.
//!
//! Whatever is chosen while a line of a history is done is written down as a word, and a line that has its words is done
//! without a seed. What no word says does not happen: so any word, and any line, can be taken away.

use std::fmt;
use std::sync::Arc;

use crate::script::BUT;

/// How often something happens is said in millionths.
pub const CHANCES: u32 = 1_000_000;

/// Takes a history as it comes to be, piece by piece.
#[derive(Clone)]
pub struct Pen(Arc<dyn Fn(&str) + Send + Sync>);

impl Pen {
    /// Writes each piece with this, before what it says happens.
    pub fn new(write: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(write))
    }

    pub(crate) fn write(&self, text: &str) {
        (self.0)(text);
    }
}

impl fmt::Debug for Pen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pen")
    }
}

/// A small generator of choices (SplitMix64), or the words of a line instead of it.
#[derive(Debug, Clone)]
pub struct Dice {
    state: u64,
    source: Source,
    /// Gets the words as they are chosen.
    pen: Option<Pen>,
}

/// Where choices come from.
#[derive(Debug, Clone)]
enum Source {
    /// The seed.
    Seed,
    /// The seed, and what came of it is written down.
    Written(Asked, Vec<String>),
    /// The words of a line, those that were asked for among them.
    Told(Asked, Vec<(String, bool)>),
}

/// Where choices came from before it was quiet.
#[must_use = "give it to `resume`"]
pub(crate) struct Hushed(Source);

/// How often each question was asked in this line: there are few.
type Asked = Vec<(&'static str, u32)>;

/// The n-th question of this kind in a line.
fn nth(asked: &mut Asked, what: &'static str) -> u32 {
    match asked.iter_mut().find(|(known, _)| *known == what) {
        Some((_, n)) => {
            *n += 1;
            *n
        }
        None => {
            asked.push((what, 1));
            1
        }
    }
}

/// Its name: `disk full`, `disk full #2`.
fn name(what: &str, n: u32) -> String {
    if n == 1 { what.to_owned() } else { format!("{what} #{n}") }
}

/// Whether a word is that name.
fn is_name(word: &str, what: &str, n: u32) -> bool {
    word.strip_prefix(what).is_some_and(|rest| match n {
        1 => rest.is_empty(),
        n => rest.strip_prefix(" #").is_some_and(|rest| rest == n.to_string()),
    })
}

impl Dice {
    /// Dice for a seed.
    pub fn new(seed: u64) -> Self {
        Self { state: seed ^ 0x9E37_79B9_7F4A_7C15, source: Source::Seed, pen: None }
    }

    /// The same, and what is chosen is also told to this pen before it happens.
    #[must_use]
    pub(crate) fn with_pen(self, pen: Option<Pen>) -> Self {
        Self { pen, ..self }
    }

    /// Puts a word beside those that are written down.
    fn put(&mut self, word: String) {
        let Source::Written(_, words) = &mut self.source else { return };
        if let Some(pen) = &self.pen {
            pen.write(&format!("{}{word}", if words.is_empty() { BUT } else { ", " }));
        }
        words.push(word);
    }

    /// The next number.
    pub fn roll(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// From here on choices are written down.
    pub(crate) fn write(&mut self) {
        self.source = Source::Written(Asked::new(), Vec::new());
    }

    /// From here on choices are these words; nothing else happens.
    pub(crate) fn tell(&mut self, words: &[&str]) {
        let words = words.iter().map(|word| ((*word).to_owned(), false)).collect();
        self.source = Source::Told(Asked::new(), words);
    }

    /// Choices come from the seed again. The words that were written down, or those that nothing asked for.
    pub(crate) fn end_of_line(&mut self) -> Vec<String> {
        match std::mem::replace(&mut self.source, Source::Seed) {
            Source::Seed => Vec::new(),
            Source::Written(_, words) => words,
            Source::Told(_, words) => {
                words.into_iter().filter(|(_, asked)| !asked).map(|(word, _)| word).collect()
            }
        }
    }

    /// From here on nothing goes wrong and everything comes in order, whatever the seed, until [`Dice::resume`].
    pub(crate) fn hush(&mut self) -> Hushed {
        Hushed(std::mem::replace(&mut self.source, Source::Told(Asked::new(), Vec::new())))
    }

    /// Choices come again from where they came before.
    pub(crate) fn resume(&mut self, before: Hushed) {
        self.source = before.0;
    }

    /// Which of so many, by a name; 0 if there is nothing to choose from.
    pub fn which(&mut self, what: &'static str, most: usize) -> usize {
        if let Source::Told(asked, words) = &mut self.source {
            let n = nth(asked, what);
            let told = words.iter_mut().find_map(|(word, asked)| {
                let (key, value) = word.split_once('=')?;
                let value = value.parse::<usize>().ok().filter(|_| is_name(key, what, n))?;
                *asked = true;
                Some(value)
            });
            return told.unwrap_or_default().min(most.saturating_sub(1));
        }
        let which = if most == 0 { 0 } else { (self.roll() % most as u64) as usize };
        if let Source::Written(asked, _) = &mut self.source {
            let n = nth(asked, what);
            if which > 0 {
                self.put(format!("{}={which}", name(what, n)));
            }
        }
        which
    }

    /// Whether this goes wrong, in so many of [`CHANCES`]. What never happens takes no roll.
    pub fn strikes(&mut self, what: &'static str, rate: u32) -> bool {
        self.says(what, |dice| rate > 0 && dice.roll() % u64::from(CHANCES) < u64::from(rate))
    }

    /// Whether this happens, in `percent` of the cases.
    pub fn happens(&mut self, what: &'static str, percent: u64) -> bool {
        self.says(what, |dice| dice.roll() % 100 < percent)
    }

    fn says(&mut self, what: &'static str, roll: impl FnOnce(&mut Self) -> bool) -> bool {
        if let Source::Told(asked, words) = &mut self.source {
            let n = nth(asked, what);
            let told = words.iter_mut().find(|(word, _)| is_name(word, what, n));
            return told.is_some_and(|(_, asked)| {
                *asked = true;
                true
            });
        }
        let happens = roll(self);
        if let Source::Written(asked, _) = &mut self.source {
            let n = nth(asked, what);
            if happens {
                self.put(name(what, n));
            }
        }
        happens
    }

    /// A number below `most`; 0 if `most` is 0.
    pub fn below(&mut self, most: usize) -> usize {
        self.which("pick", most)
    }

    /// True in `percent` of the cases: a choice that needs no name.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.happens("chance", percent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(dice: &mut Dice) -> (Vec<bool>, Vec<usize>) {
        let strikes = (0..8).map(|_| dice.strikes("falls", 400_000)).collect();
        (strikes, (0..8).map(|_| dice.which("where", 5)).collect())
    }

    /// Proves that the words which a seed's choices leave make the same choices without the seed, that a word taken away
    /// takes away its choice alone, and that one which nothing asks for is named.
    #[test]
    fn choices_are_words() {
        let mut dice = Dice::new(3);
        dice.write();
        let first = line(&mut dice);
        let words = dice.end_of_line();
        let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut other = Dice::new(4);
        other.tell(&words);
        assert_eq!(line(&mut other), first);
        assert_eq!(other.end_of_line(), [""; 0]);
        let gone = words.iter().position(|word| word.starts_with("falls")).unwrap();
        words.remove(gone);
        words.push("falls #99");
        other.tell(&words);
        let (strikes, places) = line(&mut other);
        assert_eq!(strikes.iter().filter(|s| **s).count() + 1, first.0.iter().filter(|s| **s).count());
        assert_eq!(places, first.1);
        assert_eq!(other.end_of_line(), ["falls #99"]);
    }
}
