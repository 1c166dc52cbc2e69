//! The board: what waits for you, and where does everything stand?

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use orch_core::id::ProjectId;
use orch_core::message::Lang;
use orch_core::stage::Stage;
use orch_core::time::Moment;
use serde::Deserialize;

use super::{Frame, in_link, page as rendered};
use crate::api::tasks::stage as stage_named;
use crate::ask::{Query, Tongue};
use crate::auth::Who;
use crate::error::Problem;
use crate::routes::Rooms;
use crate::source::{Cursor, Filter, Listed, Seen};
use crate::view::{self, Brief};
use crate::words;

/// Cards a column: the whole page stays small with ten thousand tasks (goal 25).
const A_COLUMN: usize = 8;
/// Cards on the page of one stage.
const A_PAGE: usize = 60;
/// Tasks in the strip on top.
const A_STRIP: usize = 6;

/// Which part of the board.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Wanted {
    project: Option<String>,
    stage: Option<String>,
    find: Option<String>,
    before: Option<i64>,
}

/// A card.
pub(crate) struct Card {
    pub(crate) b: Brief,
    pub(crate) ago: String,
    pub(crate) tokens: String,
    /// Whether the attempt says something: from the second on.
    pub(crate) again: bool,
}

pub(crate) struct Column {
    name: &'static str,
    label: String,
    /// How the strip of stages marks it: work is here, ended well, or nothing to see.
    mark: &'static str,
    count: u64,
    cards: Vec<Card>,
    more: Option<String>,
}

struct Choice {
    name: String,
    link: String,
    here: bool,
}

struct Frozen {
    project: String,
    seq: u64,
}

/// What somebody must mend in a file.
struct Notice {
    whose: String,
    text: &'static str,
    cause: String,
}

#[derive(Template)]
#[template(path = "board.html")]
struct BoardPage {
    f: Frame,
    project: String,
    choices: Vec<Choice>,
    find: String,
    /// By whom, or by what.
    paused: Option<String>,
    /// Nothing is written any more: no gesture of the installation means anything.
    damaged: bool,
    frozen: Vec<Frozen>,
    notices: Vec<Notice>,
    seq: u64,
    strip: Vec<Card>,
    strip_more: u64,
    columns: Vec<Column>,
    one: bool,
    empty: bool,
    idle: bool,
}

pub(crate) fn card(listed: &Listed, seen: &Seen, now: Moment, lang: Lang) -> Card {
    let b = view::brief(listed, seen, now, lang);
    Card {
        ago: words::ago(b.standing.since_at, now, lang),
        tokens: words::tokens(listed.task.usage().tokens()),
        again: listed.task.attempts.negative > 0,
        b,
    }
}

/// The board, or one stage of it.
pub(crate) async fn page(
    State(rooms): State<Rooms>,
    who: Who,
    Tongue(lang): Tongue,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    let source = &rooms.source;
    let project = wanted.project.filter(|name| !name.is_empty()).map(ProjectId::from);
    let find = wanted.find.unwrap_or_default();
    let one = wanted.stage.as_deref().map(stage_named).transpose()?;
    let seen = source.seen().await?;
    let now = source.now();
    let counts = source.counts(project.clone()).await?;
    let mut columns = Vec::new();
    if find.trim().is_empty() {
        for stage in Stage::ALL.into_iter().filter(|stage| one.is_none_or(|one| one == *stage)) {
            let count = counts.get(&stage).copied().unwrap_or(0);
            if stage == Stage::Cancelled && one.is_none() && count == 0 {
                continue;
            }
            // Of what is over, the newest few are enough here.
            let most = match (one, stage.is_terminal()) {
                (Some(_), _) => A_PAGE,
                (None, false) => A_COLUMN,
                (None, true) => A_COLUMN / 2,
            };
            let before = wanted.before.filter(|_| one.is_some()).map(Cursor);
            let filter = Filter { project: project.clone(), stage: Some(stage), before, ..Filter::default() };
            let found = if count == 0 { Default::default() } else { source.tasks(filter, most).await? };
            let more = found.next.map(|next| {
                let before = if one.is_some() { format!("&before={}", next.0) } else { String::new() };
                link(project.as_ref(), &format!("stage={}{before}", stage.name()))
            });
            columns.push(Column {
                name: stage.name(),
                label: words::stage_label(stage, lang),
                mark: match (count, stage) {
                    (0, _) | (_, Stage::Cancelled) => "none",
                    (_, Stage::Done) => "past",
                    (_, _) => "here",
                },
                count,
                cards: found.tasks.iter().map(|task| card(task, &seen, now, lang)).collect(),
                more,
            });
        }
    } else {
        columns.push(found(&rooms, project.clone(), &find, &seen, lang).await?);
    }
    let (waiting, waiting_count) = match one {
        None if find.is_empty() => source.waiting(project.clone(), A_STRIP).await?,
        Some(_) | None => (Vec::new(), 0),
    };
    let projects = source.projects().await?;
    let mut choices: Vec<Choice> = projects
        .iter()
        .map(|id| Choice {
            name: id.to_string(),
            link: link(Some(id), ""),
            here: project.as_ref() == Some(id),
        })
        .collect();
    if choices.len() > 1 {
        choices.insert(
            0,
            Choice {
                name: crate::texts::texts(lang).all_projects.to_owned(),
                link: "/".to_owned(),
                here: project.is_none(),
            },
        );
    }
    let head = source.head().borrow().0;
    let frozen = projects
        .iter()
        .filter(|id| project.as_ref().is_none_or(|wanted| wanted == *id))
        .filter(|id| seen.board.repository(id).is_some_and(|repository| !repository.freezes.is_empty()))
        .map(|id| Frozen { project: id.to_string(), seq: head })
        .collect();
    let f = Frame::new(&rooms, &who, lang, "board", crate::texts::texts(lang).board)
        .fresh_by("/api/v1/events?ticks=true");
    rendered(&BoardPage {
        f,
        notices: notices(&seen, project.as_ref(), lang),
        project: project.map(|id| id.to_string()).unwrap_or_default(),
        choices,
        find,
        damaged: seen.board.installation().damaged.is_some(),
        paused: seen.board.installation().pause.as_ref().map(|pause| pause.gesture.by.clone()),
        frozen,
        seq: head,
        strip_more: waiting_count.saturating_sub(waiting.len() as u64),
        strip: waiting.iter().map(|task| card(task, &seen, now, lang)).collect(),
        empty: counts.values().all(|count| *count == 0),
        idle: one.is_none() && counts.iter().all(|(stage, count)| stage.is_terminal() || *count == 0),
        one: one.is_some() || columns.len() == 1,
        columns,
    })
}

/// Files that were refused, and projects that nobody works for any more.
fn notices(seen: &Seen, project: Option<&ProjectId>, lang: Lang) -> Vec<Notice> {
    let t = crate::texts::texts(lang);
    let settings = seen.board.installation().refused.iter().map(|it| Notice {
        whose: String::new(),
        text: t.settings_refused,
        cause: it.cause.clone(),
    });
    let damaged = seen.board.installation().damaged.iter().map(|it| Notice {
        whose: String::new(),
        text: t.store_damaged,
        cause: it.cause.clone(),
    });
    let mut found: Vec<Notice> = damaged.chain(settings).collect();
    for (id, state) in seen.board.projects().filter(|(id, _)| project.is_none_or(|wanted| wanted == *id)) {
        let notice = |text, cause| Notice { whose: id.to_string(), text, cause };
        found.extend(state.refused.iter().map(|it| notice(t.policy_refused, it.cause.clone())));
        found.extend(state.retired.map(|_| notice(t.retired, String::new())));
    }
    found
}

/// What a search finds, as one column.
async fn found(
    rooms: &Rooms,
    project: Option<ProjectId>,
    find: &str,
    seen: &Seen,
    lang: Lang,
) -> Result<Column, Problem> {
    let filter = Filter { project, prefix: Some(find.trim().to_owned()), ..Filter::default() };
    let now = rooms.source.now();
    let page = rooms.source.tasks(filter, A_PAGE).await?;
    Ok(Column {
        name: "found",
        label: format!("“{}”", find.trim()),
        mark: "none",
        count: page.tasks.len() as u64,
        cards: page.tasks.iter().map(|task| card(task, seen, now, lang)).collect(),
        more: None,
    })
}

fn link(project: Option<&ProjectId>, rest: &str) -> String {
    let project = project.map(|id| format!("project={}", in_link(id.as_str()))).unwrap_or_default();
    let parts: Vec<&str> = [project.as_str(), rest].into_iter().filter(|part| !part.is_empty()).collect();
    format!("/?{}", parts.join("&"))
}
