//! Is it alive, what does it work on, and how full is it? `/health`, `/status` and `/queue` in the predecessor's shape
//! (predecessor section 21); parts that do not exist yet say `"enabled": false`.

use axum::Json;
use axum::extract::State;
use orch_core::message::Lang;
use serde_json::{Value, json};

use crate::error::{Failure, Problem};
use crate::routes::Rooms;
use crate::show::rfc3339;
use crate::source::Filter;
use crate::view;

/// Who serves.
#[utoipa::path(get, path = "/health", tag = "state",
    responses((status = 200, description = "It serves.", body = Value,
        example = json!({"status": "ok", "service": "orchestrator", "version": "0.1.0", "commit": "1f0c"}))))]
pub(crate) async fn health(State(rooms): State<Rooms>) -> Json<Value> {
    let health = rooms.source.health();
    Json(json!({
        "status": "ok",
        "service": "orchestrator",
        "version": health.version,
        "commit": health.commit,
        "started": rfc3339(health.started),
    }))
}

/// Active tasks and their stages; the newest 200.
#[utoipa::path(get, path = "/status", tag = "state",
    responses((status = 200, description = "Open tasks.", body = Value),
        (status = 503, description = "Not now.", body = Failure)))]
pub(crate) async fn status(State(rooms): State<Rooms>) -> Result<Json<Value>, Problem> {
    let source = &rooms.source;
    let seen = source.seen().await?;
    let page = source.tasks(Filter { open: true, ..Filter::default() }, 200).await?;
    let counts = source.counts(None).await?;
    let now = source.now();
    let tasks: Vec<Value> = page
        .tasks
        .iter()
        .map(|listed| {
            let brief = view::brief(listed, &seen, now, Lang::En);
            json!({
                "work_item": brief.item, "task": brief.id, "title": brief.title, "stage": brief.stage,
                "state": brief.standing.state, "standing": brief.standing.text, "since": brief.standing.since,
            })
        })
        .collect();
    let stages: serde_json::Map<String, Value> =
        counts.into_iter().map(|(stage, count)| (stage.name().to_owned(), json!(count))).collect();
    let mut refused: Vec<Value> = seen
        .board
        .installation()
        .refused
        .iter()
        .map(|it| json!({ "what": "orch.toml", "cause": it.cause, "since": rfc3339(it.at) }))
        .collect();
    let mut retired = Vec::new();
    for (project, state) in seen.board.projects() {
        refused.extend(state.refused.iter().map(|it| {
            json!({ "what": ".orch/policy.toml", "project": project, "cause": it.cause, "since": rfc3339(it.at) })
        }));
        retired.extend(state.retired.map(|at| json!({ "project": project, "since": rfc3339(at) })));
    }
    Ok(Json(json!({
        "active": seen.board.open(),
        "stages": stages,
        "tasks": tasks,
        "refused": refused,
        "retired": retired,
    })))
}

/// How full it is.
#[utoipa::path(get, path = "/queue", tag = "state",
    responses((status = 200, description = "Counts, and a block for each part.", body = Value),
        (status = 503, description = "Not now.", body = Failure)))]
pub(crate) async fn queue(State(rooms): State<Rooms>) -> Result<Json<Value>, Problem> {
    let source = &rooms.source;
    let seen = source.seen().await?;
    let health = source.health();
    let work = health.work;
    let installation = seen.board.installation();
    let mut frozen = serde_json::Map::new();
    for project in source.projects().await? {
        let freezes =
            seen.board.repository(&project).map(|repository| repository.freezes.clone()).unwrap_or_default();
        if !freezes.is_empty() {
            frozen.insert(project.to_string(), json!(freezes));
        }
    }
    let serial: Vec<&str> = seen
        .policies
        .iter()
        .filter(|(_, policy)| policy.serial)
        .map(|(project, _)| project.as_str())
        .collect();
    let labelled: Vec<&str> = seen
        .policies
        .iter()
        .filter(|(_, policy)| policy.labels)
        .map(|(project, _)| project.as_str())
        .collect();
    let watches: Vec<&str> = seen
        .policies
        .iter()
        .filter(|(_, policy)| policy.watch.is_some())
        .map(|(project, _)| project.as_str())
        .collect();
    let watching: Vec<Value> =
        seen.board.watched().map(|(task, until)| json!({ "task": task, "until": rfc3339(until) })).collect();
    let sweep = health.sweep.unwrap_or_default();
    Ok(Json(json!({
        "counts": { "queued": work.queued, "running": work.running, "done": work.done, "failed": work.failed },
        "effects": { "open": work.effects },
        "resilience": { "enabled": true, "open_effects": work.effects, "disk_full": installation.disk_full.is_some() },
        "reconcile": {
            "enabled": health.sweep.is_some(),
            "plane_enabled": false,
            "last_run_ts": sweep.last.map(|at| at.0 / 1000),
            "unblocked_total": sweep.news,
            "last_unblocked": Value::Null,
            "skipped_terminal_total": sweep.skipped_terminal,
            "deduped_total": sweep.equal,
        },
        "reaper": { "enabled": false },
        "post_deploy": { "enabled": !watches.is_empty(), "projects": watches, "watching": watching },
        "serial_gate": { "enabled": !serial.is_empty(), "projects": serial, "frozen": frozen },
        "auto_labels": { "enabled": !labelled.is_empty(), "projects": labelled },
        "stop": { "enabled": true, "paused": installation.pause.is_some() || installation.damaged.is_some() },
    })))
}
