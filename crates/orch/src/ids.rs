//! Which task does a person mean? Ids in any case and padding (decision 46).

use orch_core::id::WorkItem;

/// `orch-7`, `ORCH-007` and `Orch-7~2` as the ids that are kept; what has not that shape as it was typed, for it may be
/// the tracker's own key.
pub fn read(typed: &str) -> String {
    let typed = typed.trim();
    let (item, life) = match typed.split_once('~') {
        Some((item, life)) => (item, Some(life)),
        None => (typed, None),
    };
    match (WorkItem::read(item), life.map(str::parse::<u32>)) {
        (Some(item), None) => item.to_string(),
        (Some(item), Some(Ok(life))) if life <= 1 => item.to_string(),
        (Some(item), Some(Ok(life))) => format!("{item}~{life}"),
        (Some(_), Some(Err(_))) | (None, _) => typed.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that a person may type an id as it comes (decision 46).
    #[test]
    fn ids_in_any_case_and_padding() {
        let cases = [
            ("orch-7", "ORCH-007"),
            (" ORCH-0042 ", "ORCH-042"),
            ("Orch-7~2", "ORCH-007~2"),
            ("orch-7~1", "ORCH-007"),
            ("orch-1234", "ORCH-1234"),
            ("a1b2c3", "a1b2c3"),
        ];
        for (typed, kept) in cases {
            assert_eq!(read(typed), kept, "{typed}");
        }
    }
}
