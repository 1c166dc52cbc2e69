//! A task: what does it do or wait for, what lifts that, and what came of it? With its stages and runs, log, gates, change,
//! artefacts, costs, conversation and history.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use orch_core::artefact::REQUIREMENTS;
use orch_core::id::{Digest, Entity, RunId, Seq};
use orch_core::journal::Row;
use orch_core::message::{self, Lang};
use orch_core::stage::{Preset, Role, Stage};
use orch_core::task::{Job, Rest, RunRow, Step as Doing, Task};
use orch_core::time::{Moment, Span};
use serde::Deserialize;

use super::{Frame, in_link, page as rendered};
use crate::api::{full, listed};
use crate::ask::{Path, Query, Tongue, task_id};
use crate::auth::Who;
use crate::error::Problem;
use crate::log::TAIL;
use crate::offer::{Offer, offers};
use crate::routes::Rooms;
use crate::show::{self, DiffFile};
use crate::source::{LogPart, LogStream};
use crate::view::{self, Full, Gate, Run};
use crate::words;

/// Rows of history on the page.
const HISTORY: usize = 40;
/// A file is shown up to here.
const MOST_SHOWN: usize = 512 * 1024;

/// What part is looked at.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Wanted {
    run: Option<String>,
    stream: Option<String>,
    before: Option<u64>,
}

struct Step {
    label: String,
    class: &'static str,
    runs: Vec<Run>,
}

struct GateRow {
    g: Gate,
    class: &'static str,
    said: &'static str,
    ago: String,
    about: &'static str,
}

struct Button {
    path: &'static str,
    label: &'static str,
    what: String,
    class: &'static str,
}

struct CostRow {
    role: String,
    runs: usize,
    input: String,
    cached: String,
    output: String,
    cost: String,
    wall: String,
}

struct LogView {
    run: String,
    label: String,
    errors: bool,
    text: String,
    cut: bool,
    live: bool,
    follow: String,
}

struct SaidView {
    by: String,
    own: bool,
    ago: String,
    html: String,
}

struct Happened {
    at: String,
    told: Vec<String>,
    ago: String,
    clock: String,
}

#[derive(Template)]
#[template(path = "task.html")]
struct TaskPage {
    f: Frame,
    task: Full,
    project_link: String,
    ago: String,
    since: String,
    born: String,
    steps: Vec<Step>,
    buttons: Vec<Button>,
    reject: bool,
    stop: bool,
    priority: bool,
    look: Vec<(String, String)>,
    asks: bool,
    change_short: String,
    changed: bool,
    gates: Vec<GateRow>,
    costs: Vec<CostRow>,
    total: CostRow,
    people: Option<String>,
    log: Option<LogView>,
    request: Option<String>,
    /// What follows from an edit; `None` where there is nothing to edit.
    edit: Option<String>,
    /// What the label autoDeploy means here; `None` where it means nothing and is not on it.
    auto_deploy: Option<&'static str>,
    comments: Vec<SaidView>,
    history: Vec<Happened>,
    older: Option<u64>,
    merged_short: String,
    deployed_short: String,
}

/// The page of a task.
pub(crate) async fn page(
    State(rooms): State<Rooms>,
    who: Who,
    Tongue(lang): Tongue,
    Path(id): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    let source = &rooms.source;
    let id = task_id(&id)?;
    let found = listed(&rooms, &id).await?;
    let seen = source.seen().await?;
    let now = source.now();
    let state = &found.task;
    let mut task = full(&rooms, &found, &seen, lang).await?;
    task.deploy_seen_by = task.deploy_seen_by.map(|by| message::person(&by, lang));
    let policy = seen.policies.get(&state.project);
    let preset = policy.map_or(Preset::Full, |policy| policy.preset);
    let rows = source.history(Entity::Task(id.clone()), wanted.before.map(Seq), HISTORY).await?;
    let older = rows.last().filter(|_| rows.len() == HISTORY).map(|row| row.seq.0);
    let comments = source.comments(id.clone()).await?;
    let offered = offers(state, &seen, now);
    let f = Frame::new(&rooms, &who, lang, "task", format!("{} {}", task.brief.id, task.brief.title))
        .fresh_by(format!("/api/v1/events?ticks=true&entity=task/{}", in_link(id.as_str())));
    let t = f.t;
    let verdict = |gate: Gate| GateRow {
        class: gate.verdict,
        said: match gate.verdict {
            "pass" => t.passed,
            "fail" => t.failed,
            _ => t.unavailable, // not a domain enum
        },
        about: match gate.subject {
            "requirements" => t.requirements,
            "change" => t.change,
            "tree" => t.tree,
            _ => t.main_commit, // not a domain enum
        },
        ago: words::ago(gate.at_, now, lang),
        g: gate,
    };
    let costs = costs(state, lang);
    let total = cost_row(t.total.to_owned(), state.runs.iter().map(AsRef::as_ref), lang);
    let review = &state.review;
    let people = review.started.map(|from| words::span(review.ended.unwrap_or(now).since(from), lang));
    rendered(&TaskPage {
        project_link: format!("/?project={}", in_link(&task.brief.project)),
        ago: words::ago(task.brief.standing.since_at, now, lang),
        since: show::clock(task.brief.standing.since_at),
        born: show::clock(state.born),
        steps: steps(state, &task.runs, preset, lang),
        buttons: offered.iter().filter_map(|offer| button(offer, t)).collect(),
        reject: offered.contains(&Offer::Reject),
        stop: offered.contains(&Offer::Stop),
        priority: offered.contains(&Offer::Priority),
        look: first_look(&offered, state),
        asks: state.step == Doing::Rest(Rest::Questions),
        change_short: state.change().map(|change| change.short().to_owned()).unwrap_or_default(),
        changed: state.change().is_some_and(|change| *change != Digest::of(b"")),
        gates: task.gates.iter().rev().cloned().map(verdict).collect(),
        costs,
        total,
        people,
        log: log(&rooms, &task, &wanted, state).await?,
        request: task.text.as_deref().map(show::markdown),
        edit: (!state.stage.is_terminal() && task.text.is_some()).then(|| words::edited(state, lang)),
        auto_deploy: match policy {
            Some(policy) if !policy.preset.deploys() && policy.confirm_merge => Some(t.auto_merge),
            Some(policy) if !policy.preset.deploys() => state.labels.auto_deploy.then_some(t.auto_neither),
            Some(_) | None => Some(t.auto_deploy),
        },
        comments: comments
            .into_iter()
            .map(|said| SaidView {
                ago: words::ago(said.at, now, lang),
                html: show::markdown(&said.text),
                by: said.by,
                own: said.own,
            })
            .collect(),
        history: history(&rows, state, now, lang),
        older,
        merged_short: state
            .merged
            .as_ref()
            .map(|merged| merged.commit.short().to_owned())
            .unwrap_or_default(),
        deployed_short: state.deployed.as_ref().map(|it| it.commit.short().to_owned()).unwrap_or_default(),
        f,
        task,
    })
}

fn button(offer: &Offer, t: &'static crate::texts::Texts) -> Option<Button> {
    let (label, class) = match offer {
        Offer::Start => (t.start, "main"),
        Offer::Answered => (t.answered, "main"),
        Offer::AnalyseAgain => (t.analyse_again, ""),
        Offer::Approve(_) => (t.approve, "main"),
        Offer::ApproveProtected(_) => (t.approve_protected, "main"),
        Offer::Confirm(_) => (t.confirm, "main"),
        Offer::Continue => (t.continue_on, "main"),
        Offer::Restore => (t.restore, "main"),
        Offer::Accept(_) => (t.accept, "main"),
        Offer::AcceptDeploy(_) => (t.accept_deploy, "main"),
        Offer::Allow => (t.allow, "main"),
        Offer::Retry => (t.retry, "main"),
        Offer::Reject | Offer::Priority | Offer::Stop => return None,
    };
    let what = offer.what().map(|what| what.to_string()).unwrap_or_default();
    Some(Button { path: offer.path(), label, what, class })
}

fn steps(task: &Task, runs: &[Run], preset: Preset, lang: Lang) -> Vec<Step> {
    let mut order = vec![Stage::Created];
    while let Some(next) = order.last().and_then(|stage| stage.next(preset)) {
        order.push(next);
    }
    if task.stage == Stage::Cancelled {
        order.push(Stage::Cancelled);
    }
    // A task can stand in a stage that its project's preset no longer has.
    if !order.contains(&task.stage) {
        order.push(task.stage);
        order.sort();
    }
    let cancelled = task.stage == Stage::Cancelled;
    // Who was stopped got as far as its last run, and may have been sent back before it.
    let last = task.runs.last().map(|row| view::stage_of(row.job));
    order
        .into_iter()
        .map(|stage| {
            let here: Vec<Run> = runs.iter().filter(|run| run.stage == stage.name()).cloned().collect();
            let is_behind = if cancelled {
                !here.is_empty() && last.is_some_and(|last| stage <= last)
            } else {
                stage < task.stage
            };
            let class = if stage == task.stage && stage == Stage::Done {
                "past"
            } else if stage == task.stage {
                "here"
            } else if is_behind {
                "past"
            } else {
                "ahead"
            };
            Step { label: words::stage_label(stage, lang), class, runs: here }
        })
        .collect()
}

fn cost_row<'a>(role: String, runs: impl Iterator<Item = &'a RunRow> + Clone, lang: Lang) -> CostRow {
    let shown = |n: Option<u64>| n.map_or_else(|| "–".to_owned(), words::tokens);
    let spent = view::spent(runs.clone(), lang);
    let known = spent.input.is_some() || spent.cache_read.is_some() || spent.cache_write.is_some();
    let input = [spent.input, spent.cache_read, spent.cache_write].into_iter().flatten().sum();
    CostRow {
        role,
        input: shown(known.then_some(input)),
        cached: shown(spent.cache_read),
        output: shown(spent.output),
        wall: words::span(Span(runs.clone().map(|run| run.wall.0).sum()), lang),
        runs: runs.count(),
        // Nothing is known yet of a run that has not said what it used.
        cost: if known || spent.output.is_some() { spent.cost } else { "–".to_owned() },
    }
}

/// One line a role, over all its runs: the lines add up to the total (invariant F4).
fn costs(task: &Task, lang: Lang) -> Vec<CostRow> {
    let line = |role: Role| {
        let runs = task.runs.iter().map(AsRef::as_ref).filter(move |run| run.job == Job::Agent(role));
        (runs.clone().count() > 0).then(|| cost_row(words::role_name(role, lang), runs, lang))
    };
    Role::ALL.into_iter().filter_map(line).collect()
}

/// What should be read before the gesture that is waited for: the requirements, or the change.
fn first_look(offers: &[Offer], task: &Task) -> Vec<(String, String)> {
    let is_there = |name: &str| task.artefacts.iter().any(|file| file.name == name);
    match offers.first() {
        Some(Offer::Approve(_)) => REQUIREMENTS
            .iter()
            .filter(|name| is_there(name))
            .map(|name| ((*name).to_owned(), format!("/tasks/{}/files/{name}", in_link(task.id.as_str()))))
            .collect(),
        Some(Offer::Confirm(what) | Offer::ApproveProtected(what)) => {
            vec![(what.short().to_owned(), format!("/tasks/{}/diff", in_link(task.id.as_str())))]
        }
        Some(_) | None => Vec::new(),
    }
}

/// What happened, newest first. A moment that reads like the one above is not said again.
fn history(rows: &[Row], task: &Task, now: Moment, lang: Lang) -> Vec<Happened> {
    let job = |run: RunId| task.runs.iter().find(|row| row.run == run).map(|row| row.job);
    let mut happened: Vec<Happened> = Vec::new();
    let mut last = String::new();
    for row in rows {
        let told: Vec<String> =
            row.reasons.iter().filter_map(|reason| words::told(reason, job, lang)).collect();
        if told.is_empty() {
            continue;
        }
        let ago = words::ago(row.at, now, lang);
        let shown = if ago == last { String::new() } else { ago.clone() };
        last = ago;
        happened.push(Happened { at: show::rfc3339(row.at), told, ago: shown, clock: show::clock(row.at) });
    }
    happened
}

/// The log that is looked at: the run asked for, else the newest.
async fn log(rooms: &Rooms, task: &Full, wanted: &Wanted, state: &Task) -> Result<Option<LogView>, Problem> {
    let asked = wanted.run.as_deref().and_then(|id| task.runs.iter().find(|run| run.id == id));
    let Some(run) = asked.or(task.runs.last()) else { return Ok(None) };
    let Some(row) = state.runs.iter().find(|row| row.run.to_string() == run.id) else { return Ok(None) };
    let errors = wanted.stream.as_deref() == Some("err");
    let stream = if errors { LogStream::Err } else { LogStream::Out };
    let part = LogPart { task: state.id.clone(), run: row.run, stream, from: None, most: TAIL };
    let chunk = rooms.source.log(part).await?;
    let (text, next, cut, live) = match chunk {
        Some(chunk) => {
            let whole = if chunk.live { show::whole_chars(&chunk.bytes) } else { chunk.bytes.len() };
            (show::log_text(&chunk.bytes[..whole]), chunk.from + whole as u64, chunk.from > 0, chunk.live)
        }
        None => (String::new(), 0, false, run.end.is_none()),
    };
    let name = if errors { "err" } else { "out" };
    Ok(Some(LogView {
        follow: format!(
            "/api/v1/tasks/{}/log/follow?run={}&stream={name}&from={next}",
            in_link(&task.brief.id),
            run.id
        ),
        run: run.id.clone(),
        label: run.label.clone(),
        errors,
        text,
        cut,
        live,
    }))
}

/// A file of the change, and whether it is folded.
struct Shown {
    file: DiffFile,
    folded: bool,
}

#[derive(Template)]
#[template(path = "diff.html")]
struct DiffPage {
    f: Frame,
    id: String,
    base: String,
    head: String,
    cut: bool,
    files: Vec<Shown>,
    added: usize,
    removed: usize,
}

/// The change of a task, loaded by its page or looked at by itself.
pub(crate) async fn diff(
    State(rooms): State<Rooms>,
    who: Who,
    Tongue(lang): Tongue,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id = task_id(&id)?;
    listed(&rooms, &id).await?;
    let diff = rooms.source.diff(id.clone()).await?;
    let f = Frame::new(&rooms, &who, lang, "task", format!("{id} diff"));
    let (base, head, cut, files) = match &diff {
        Some(diff) => (diff.base.as_str(), diff.head.as_str(), diff.cut, by_interest(show::diff(&diff.text))),
        None => ("", "", false, Vec::new()),
    };
    rendered(&DiffPage {
        f,
        id: id.to_string(),
        base: base.chars().take(10).collect(),
        head: head.chars().take(10).collect(),
        cut,
        added: files.iter().map(|shown| shown.file.added).sum(),
        removed: files.iter().map(|shown| shown.file.removed).sum(),
        files,
    })
}

/// Documents of the work item come last and folded, unless there is nothing else: they have a place of their own.
fn by_interest(files: Vec<DiffFile>) -> Vec<Shown> {
    let about = |file: &DiffFile| file.path.starts_with("docs/work-items/");
    let only = files.iter().all(about);
    let mut shown: Vec<Shown> =
        files.into_iter().map(|file| Shown { folded: about(&file) && !only, file }).collect();
    shown.sort_by_key(|shown| shown.folded);
    shown
}

#[derive(Template)]
#[template(path = "file.html")]
struct FilePage {
    f: Frame,
    id: String,
    name: String,
    html: Option<String>,
    text: String,
}

/// An artefact, loaded by the task's page or looked at by itself.
pub(crate) async fn file(
    State(rooms): State<Rooms>,
    who: Who,
    Tongue(lang): Tongue,
    Path((id, name)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let mut bytes = crate::api::tasks::artefact_bytes(&rooms, &id, &name).await?;
    bytes.truncate(MOST_SHOWN);
    let text = show::log_text(&bytes);
    let id = task_id(&id)?.to_string();
    let f = Frame::new(&rooms, &who, lang, "task", format!("{id} {name}"));
    let html = name.ends_with(".md").then(|| show::markdown(&text));
    rendered(&FilePage { f, id, name, html, text })
}

/// As the form sends them.
const PRIORITIES: [&str; 4] = ["urgent", "high", "normal", "low"];

impl TaskPage {
    fn priorities(&self) -> [(&'static str, &'static str, bool); 4] {
        let t = self.f.t;
        let labels = [t.urgent, t.high, t.normal, t.low];
        std::array::from_fn(|n| (PRIORITIES[n], labels[n], self.task.brief.priority == PRIORITIES[n]))
    }

    /// A sentence cut at its commands: every second part is one.
    fn in_code<'a>(&self, sentence: &'a str) -> Vec<(bool, &'a str)> {
        sentence.split('`').enumerate().map(|(n, part)| (n % 2 == 1, part)).collect()
    }

    fn link(&self, name: &str) -> String {
        format!("/tasks/{}/files/{}", in_link(&self.task.brief.id), in_link(name))
    }

    /// Whether something about it must be seen without a click.
    fn is_stuck(&self, file: &crate::view::File) -> bool {
        file.record.as_ref().is_some_and(|record| record.commit.is_none() && record.trouble.is_some())
    }

    fn short<'a>(&self, digest: &'a str) -> &'a str {
        view_short(digest)
    }
}

fn view_short(digest: &str) -> &str {
    digest.get(..10).unwrap_or(digest)
}
