//! What follows from an edit, in words? For who is about to edit an issue, and for who just did (decision 45).

use super::comment::item_arg;
use super::{Lang, say};
use crate::edited::Follows;
use crate::id::WorkItem;

/// What follows from another title or text: one or two whole sentences.
pub fn edited(follows: Follows, item: &WorkItem, lang: Lang) -> String {
    let of_item = |key| say(lang, key, [item_arg(item)]);
    match follows {
        Follows::Done => of_item("edited-done"),
        Follows::Stopped => of_item("edited-stopped"),
        Follows::Read => say(lang, "edited-read", []),
        Follows::AnalystReads => of_item("edited-analyst-reads"),
        Follows::Requirements => of_item("edited-requirements"),
        Follows::Asked => of_item("edited-asked"),
        Follows::AskedLater => of_item("edited-asked-later"),
        Follows::NextRound => of_item("edited-next-round"),
    }
}
