//! What happens when a file is edited while Orch runs? A good one replaces the last; a bad one is said once and the
//! last good one stays.

use orch_core::id::Digest;

/// What a look at a file brought.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a change is to be put to work and a refusal to be shown"]
pub enum Reloaded<T, E> {
    /// Nothing new: the same text, or the same bad text again.
    Same,
    /// A new good one; it is kept.
    Changed(T),
    /// A new bad one; the last good one still holds.
    Refused(E),
}

/// The last good value of a file.
#[derive(Debug, Clone)]
pub struct Kept<T> {
    good: T,
    seen: Digest,
    is_good: bool,
}

impl<T: Clone + PartialEq> Kept<T> {
    /// A good value and the text from which it came.
    pub fn new(good: T, text: &str) -> Self {
        Self { good, seen: Digest::of(text.as_bytes()), is_good: true }
    }

    /// The last good one.
    pub fn get(&self) -> &T {
        &self.good
    }

    /// Whether the newest text is the one that holds, or means the same.
    pub fn is_good(&self) -> bool {
        self.is_good
    }

    /// Takes the file's text of now. An edit that means the same (a comment) is [`Reloaded::Same`].
    pub fn offer<E>(&mut self, text: &str, read: impl FnOnce(&str) -> Result<T, E>) -> Reloaded<T, E> {
        let digest = Digest::of(text.as_bytes());
        if digest == self.seen {
            return Reloaded::Same;
        }
        self.seen = digest;
        let read = read(text);
        self.is_good = read.is_ok();
        match read {
            Ok(new) if new == self.good => Reloaded::Same,
            Ok(new) => {
                self.good = new.clone();
                Reloaded::Changed(new)
            }
            Err(error) => Reloaded::Refused(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that a bad file keeps the last good value, is said once, and is forgotten when it is mended.
    #[test]
    fn a_bad_file_keeps_the_last_good_one() {
        let read = |text: &str| text.trim().parse::<u32>().map_err(|e| e.to_string());
        let mut kept = Kept::new(1, "1");
        assert_eq!(kept.offer("1", read), Reloaded::Same);
        assert_eq!(kept.offer("2", read), Reloaded::Changed(2));
        assert!(matches!(kept.offer("x", read), Reloaded::Refused(_)));
        assert_eq!(kept.offer("x", read), Reloaded::Same, "said once");
        assert_eq!((kept.get(), kept.is_good()), (&2, false));
        assert_eq!(kept.offer(" 2", read), Reloaded::Same, "mended, and means what it meant");
        assert!(kept.is_good());
        assert_eq!(kept.offer("3", read), Reloaded::Changed(3));
    }
}
