//! What happens now? Rows of the journal as server-sent events, resumed with `Last-Event-ID` from where a client was;
//! for pages, one tick a change instead.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Waker, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use hyper::body::Frame;
use orch_core::id::{Entity, Seq};
use orch_core::journal::Row;
use orch_core::message::Lang;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use utoipa::IntoParams;

use crate::api::wire;
use crate::ask::Query;
use crate::auth::Who;
use crate::error::{Both, Failure, Kind, Problem, both};
use crate::routes::Rooms;

/// Rows read at once.
const BATCH: usize = 200;
/// A silent stream says so, so that proxies keep it and a dead client is noticed.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Ticks come no faster than this.
const TICK: Duration = Duration::from_millis(100);

/// Event streams at once of readers without a login: they stay open, and must not take up every connection that a person
/// needs.
pub(crate) const STRANGERS: usize = 256;

/// What a client wants to hear of.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// Only rows after this one (like `Last-Event-ID`, which goes before it); without either: from now on.
    after: Option<u64>,
    /// Only rows about this entity, `task/ORCH-042` for example.
    entity: Option<String>,
    /// `true`: no rows, only `tick` with the newest seq when something changed, at most ten a second.
    #[serde(default)]
    ticks: bool,
}

/// Rows of the journal as they are written.
#[utoipa::path(get, path = "/api/v1/events", tag = "events", params(Wanted,
        ("Last-Event-ID" = Option<u64>, Header, description = "The last row seen: the stream goes on after it.")),
    responses((status = 200, description = "`row` events with the row's seq as id and an `Event` as data.", content_type = "text/event-stream", body = wire::Event),
        (status = 400, description = "A parameter is wrong.", body = Failure),
        (status = 503, description = "Too many readers without a login listen already.", body = Failure)))]
pub(crate) async fn events(
    State(rooms): State<Rooms>,
    Extension(who): Extension<Who>,
    headers: HeaderMap,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    let entity = wanted.entity.as_deref().map(str::parse::<Entity>).transpose();
    let entity = entity.map_err(|bad| {
        Problem::malformed(
            Both::quoted(bad.to_string()),
            both!("name it like the journal does", "назовите это как в журнале"),
        )
    })?;
    let resumed = match headers.get("last-event-id") {
        None => wanted.after,
        Some(value) => {
            Some(value.to_str().ok().and_then(|text| text.trim().parse().ok()).ok_or_else(|| {
                Problem::malformed(
                    both!("the header `Last-Event-ID` is no number", "в заголовке `Last-Event-ID` не число"),
                    both!(
                        "send the `id` of the last event as it came",
                        "пришлите `id` последнего события как есть"
                    ),
                )
            })?)
        }
    };
    let place = place(&rooms, &who)?;
    let mut head = rooms.source.head();
    let newest = *head.borrow_and_update();
    let from = match resumed.map(Seq) {
        // What it saw is not in this journal, which was put in the place of a longer one: nothing that it knows holds.
        Some(seen) if seen > newest => Begin { last: newest, stale: true },
        Some(seen) => Begin { last: seen, stale: false },
        None => Begin { last: newest, stale: false },
    };
    let (events, body) = channel();
    let lang = crate::ask::tongue(&headers, rooms.lang);
    tokio::spawn(async move {
        let _place = place;
        let stop = rooms.stop.clone();
        tokio::select! {
            () = stop.cancelled() => {}
            () = tell(rooms, head, from, entity, wanted.ticks, lang, events) => {}
        }
    });
    Ok(body)
}

/// Room for a stream, which is held while it lasts; somebody who is known needs none.
pub(crate) fn place(rooms: &Rooms, who: &Who) -> Result<Option<OwnedSemaphorePermit>, Problem> {
    match who {
        Who::Token { .. } | Who::Session(_) => Ok(None),
        Who::Nobody => Arc::clone(&rooms.strangers).try_acquire_owned().map(Some).map_err(|_| {
            Problem::new(
                Kind::Overloaded,
                both!(
                    "too many readers without a login listen already",
                    "без входа слушает уже слишком много читателей"
                ),
                both!(
                    "sign in with `orch login`, or send the token of the data folder",
                    "войдите с помощью `orch login` или пришлите токен из папки данных"
                ),
            )
        }),
    }
}

/// Where a stream begins.
#[derive(Debug, Clone, Copy)]
struct Begin {
    /// The row before it.
    last: Seq,
    /// Whether the client stands on rows that are no more.
    stale: bool,
}

async fn tell(
    rooms: Rooms,
    mut head: tokio::sync::watch::Receiver<Seq>,
    from: Begin,
    entity: Option<Entity>,
    ticks: bool,
    lang: Lang,
    events: Sender,
) {
    let Begin { mut last, stale } = from;
    if events.send(format!("retry: 1000\nid: {last}\n: hello\n\n")).await.is_err() {
        return;
    }
    if stale && ticks && events.send(tick(last)).await.is_err() {
        return;
    }
    loop {
        let newest = *head.borrow_and_update();
        let told = match (ticks, &entity) {
            (true, None) if newest > last => {
                last = newest;
                events.send(tick(last)).await
            }
            (true, None) => Ok(()),
            (_, _) => match tell_rows(&rooms, &mut last, newest, entity.as_ref(), ticks, lang, &events).await
            {
                Ok(told) => told,
                Err(problem) => {
                    // The client comes again with the last id that it saw; nothing is skipped.
                    let _ = events
                        .send(format!("event: trouble\ndata: {}\n\n", json!(problem.worded(lang).error)))
                        .await;
                    return;
                }
            },
        };
        if told.is_err() {
            return;
        }
        if ticks {
            tokio::time::sleep(TICK).await;
        }
        tokio::select! {
            changed = head.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(HEARTBEAT) => {
                if events.send(": still here\n\n".to_owned()).await.is_err() { return }
            }
            () = events.closed() => return,
        }
    }
}

async fn tell_rows(
    rooms: &Rooms,
    last: &mut Seq,
    newest: Seq,
    entity: Option<&Entity>,
    ticks: bool,
    lang: Lang,
    events: &Sender,
) -> Result<Result<(), Gone>, Problem> {
    let mut about = None;
    while *last < newest {
        let rows = rooms.source.rows_since(*last, BATCH).await?;
        let Some(end) = rows.last().map(|row| row.seq) else { break };
        for row in rows.iter().filter(|row| entity.is_none_or(|entity| *entity == row.entity)) {
            about = Some(row.seq);
            if !ticks && events.send(written(row, lang)).await.is_err() {
                return Ok(Err(Gone));
            }
        }
        *last = end;
    }
    match about {
        Some(seq) if ticks => Ok(events.send(tick(seq)).await),
        Some(_) | None => Ok(Ok(())),
    }
}

/// A row as the API shows it, for those who read the journal themselves.
pub fn event(row: &Row, lang: Lang) -> serde_json::Value {
    json!(wire::event(row, lang))
}

fn tick(seq: Seq) -> String {
    format!("id: {seq}\nevent: tick\ndata: {seq}\n\n")
}

fn written(row: &Row, lang: Lang) -> String {
    let event = serde_json::to_string(&wire::event(row, lang)).unwrap_or_default();
    format!("id: {}\nevent: row\ndata: {event}\n\n", row.seq)
}

/// The client is gone.
#[derive(Debug)]
pub(crate) struct Gone;

/// Where events go; waits while the client is slow, so nothing piles up.
pub(crate) struct Sender(mpsc::Sender<String>);

impl Sender {
    pub(crate) async fn send(&self, event: String) -> Result<(), Gone> {
        self.0.send(event).await.map_err(|_| Gone)
    }

    pub(crate) async fn closed(&self) {
        self.0.closed().await;
    }
}

struct Events(mpsc::Receiver<String>);

impl HttpBody for Events {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        waker: &mut Waker<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.0.poll_recv(waker).map(|event| event.map(|text| Ok(Frame::data(Bytes::from(text)))))
    }
}

/// A stream of events and its sending end.
pub(crate) fn channel() -> (Sender, Response) {
    let (sender, receiver) = mpsc::channel(32);
    let mut response = Response::new(Body::new(Events(receiver)));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    (Sender(sender), response)
}
