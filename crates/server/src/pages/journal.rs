//! What happened lately, everywhere? The newest rows of the journal with their reasons.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use orch_core::id::{Entity, Seq};
use orch_core::journal::Row;
use orch_core::reason::Reason;
use serde::Deserialize;

use super::{Frame, in_link, page as rendered};
use crate::api::wire;
use crate::ask::{Query, Tongue};
use crate::auth::Who;
use crate::error::Problem;
use crate::routes::Rooms;
use crate::show;
use crate::words;

/// Rows a page.
const ROWS: u64 = 120;

struct Line {
    e: wire::Event,
    link: Option<String>,
    ago: String,
    clock: String,
}

#[derive(Template)]
#[template(path = "journal.html")]
struct JournalPage {
    f: Frame,
    lines: Vec<Line>,
    older: Option<u64>,
    newest: bool,
}

/// Whether people read anything in a row: what only confirms something is for the machine, and for the API.
fn says_something(row: &Row) -> bool {
    row.reasons.iter().any(|reason| !matches!(reason, Reason::Noted))
}

/// Which page.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Wanted {
    before: Option<u64>,
}

/// The journal, newest first.
pub(crate) async fn page(
    State(rooms): State<Rooms>,
    who: Who,
    Tongue(lang): Tongue,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    let head = rooms.source.head().borrow().0;
    let end = wanted.before.map_or(head, |before| before.saturating_sub(1).min(head));
    let begin = end.saturating_sub(ROWS);
    let mut rows = rooms.source.rows_since(Seq(begin), ROWS as usize).await?;
    rows.retain(|row| row.seq.0 <= end && says_something(row));
    rows.reverse();
    let now = rooms.source.now();
    let lines = rows
        .iter()
        .map(|row| Line {
            e: wire::event(row, lang),
            link: match &row.entity {
                Entity::Task(id) => Some(format!("/tasks/{}", in_link(id.as_str()))),
                Entity::Repository(_) | Entity::Project(_) | Entity::Provider(_) | Entity::Installation => {
                    None
                }
            },
            ago: words::ago(row.at, now, lang),
            clock: show::clock(row.at),
        })
        .collect();
    let f = Frame::new(&rooms, &who, lang, "journal", crate::texts::texts(lang).journal);
    let f = if wanted.before.is_none() { f.fresh_by("/api/v1/events?ticks=true") } else { f };
    let older = (begin > 0).then_some(begin + 1);
    rendered(&JournalPage { f, lines, older, newest: wanted.before.is_none() })
}
