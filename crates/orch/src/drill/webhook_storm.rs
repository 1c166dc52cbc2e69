//! Does the front door hold when thousands of deliveries come at once, some twice and some forged? (decisions 33, 34)

use std::collections::BTreeMap;

use orch_core::id::TaskId;
use orch_core::task::Task;
use orch_engine::clock;
use serde_json::json;

use super::sender::{Delivery, Signed};
use super::yard::{PROJECT, Yard};
use super::{Told, Unmet, both};

/// So many issues are spoken of.
const ISSUES: usize = 20;

/// So many deliveries; each is sent twice, and each tenth is forged besides.
const DELIVERIES: usize = 3000;

/// More at once than the queue holds where the disk is no faster than the sender: some are shed then.
const CONNECTIONS: usize = 400;

/// What nobody signed says.
const FORGED: &str = "nobody said this";

pub(super) fn fault() -> String {
    let forged = DELIVERIES / 10;
    both!(
        "{DELIVERIES} signed deliveries, each sent twice, and {forged} forged ones, over {CONNECTIONS} connections, while an agent runs",
        "подписанных доставок: {DELIVERIES}, каждая дважды, и поддельных: {forged}; соединений: {CONNECTIONS}; при этом работает агент"
    )
}

pub(super) fn expected() -> String {
    both!(
        "each acknowledged one is stored once, the rest is told when to come back, forged ones are refused; the board is as before, the task is delivered",
        "каждая подтверждённая сохранена один раз, остальным сказано, когда прийти снова, поддельные отклонены; доска прежняя, задача доставлена"
    )
}

/// What an issue shows on the board, apart from the row it is of.
type Shown = (String, String, String, String, String);

fn shown(task: &Task) -> Shown {
    (
        format!("{:?}", task.stage),
        format!("{:?}", task.step),
        format!("{:?}", task.board.shows),
        task.request.title.blob.to_string(),
        task.request.text.blob.to_string(),
    )
}

fn board(yard: &Yard, issues: &[(TaskId, String)]) -> Result<BTreeMap<TaskId, (Task, Shown)>, Unmet> {
    let mut all = BTreeMap::new();
    for (id, _) in issues {
        if let Some(task) = yard.task(id)? {
            let shows = shown(&task);
            all.insert(id.clone(), (task, shows));
        }
    }
    Ok(all)
}

/// What a tracker says of an issue.
pub(super) fn body(task: &Task, title: &str, text: &str, delivery: &str) -> String {
    let status = task.board.shows.map(|status| status.board_name());
    let issue = json!({
        "key": task.issue, "number": task.number, "title": title, "text": text, "status": status, "labels": [],
        "present": true,
    });
    json!({ "delivery": delivery, "project": PROJECT, "issue": issue }).to_string()
}

pub(super) fn play(yard: &mut Yard) -> Result<Told, Unmet> {
    yard.up()?;
    let mut issues = Vec::new();
    for n in 1..=ISSUES {
        let title = format!("Idea {n}");
        issues.push((yard.ask(&title, false)?, title));
    }
    let (id, works) = yard.begin("A line more")?;
    let before = board(yard, &issues)?;
    let target = yard.target()?;

    let mut deliveries = Vec::new();
    for n in 0..DELIVERIES {
        let (about, title) = &issues[n % ISSUES];
        let Some((task, _)) = before.get(about) else { continue };
        let words = "the board moves when a gate is green ".repeat(40);
        let well = Delivery {
            n,
            signed: Signed::Well,
            body: body(task, title, &format!("edit {n}: {words}"), &format!("storm-{n}")),
        };
        if n % 10 == 0 {
            let body = body(task, title, FORGED, &format!("forged-{n}"));
            deliveries.push(Delivery { n, signed: Signed::Forged, body });
        }
        deliveries.extend([well.clone(), well]);
    }
    let head = yard.head()?;
    let began = clock::now();
    let answers = target.send(&deliveries, CONNECTIONS).map_err(|e| Unmet::Broken(e.to_string()))?;
    let took = clock::now().since(began);
    let over = clock::now();
    yard.post(&format!("/api/v1/tasks/{id}/priority"), &json!({ "priority": "high" }))?;
    let recovery = clock::now().since(over);

    let (mut taken, mut known) = (vec![0_u32; DELIVERIES], vec![false; DELIVERIES]);
    let (mut shed, mut forged, mut again, mut odd) = (0, 0, 0, Vec::new());
    for answer in &answers {
        match (answer.signed, answer.status) {
            (Signed::Well, 202) => taken[answer.n] += 1,
            (Signed::Well, 200) => {
                known[answer.n] = true;
                again += 1;
            }
            (Signed::Well | Signed::Forged, 503) if answer.retry_after => shed += 1,
            (Signed::Forged, 401) => forged += 1,
            (Signed::Well | Signed::Forged, _) => odd.push(*answer),
        }
    }
    if let Some(first) = odd.first() {
        let count = odd.len();
        return Err(Unmet::Broken(both!(
            "{count} odd answers, such as {first:?}",
            "неожиданных ответов: {count}, например {first:?}"
        )));
    }
    let mut stored = vec![0_u32; DELIVERIES];
    let start = format!("hook/{PROJECT}/");
    for row in yard.rows(head)? {
        let Some(name) = row.key.strip_prefix(&start) else { continue };
        match name.strip_prefix("storm-").and_then(|n| n.parse::<usize>().ok()) {
            Some(n) => stored[n] += 1,
            None => {
                return Err(Unmet::Broken(both!(
                    "a forged delivery is stored: {name}",
                    "сохранена поддельная доставка: {name}"
                )));
            }
        }
    }
    // Each says something new, so that "known already" is the truth only of what is stored.
    let lost = known.iter().zip(&stored).filter(|(known, stored)| **known && **stored == 0).count();
    if taken != stored || lost > 0 || stored.iter().any(|times| *times > 1) {
        let [taken, stored] = [taken, stored].map(|all| all.iter().sum::<u32>());
        return Err(Unmet::Broken(both!(
            "{taken} acknowledged, {stored} stored, {lost} called known that are not",
            "подтверждено: {taken}, сохранено: {stored}, названы известными, но не сохранены: {lost}"
        )));
    }
    let stored = stored.iter().sum::<u32>();
    if stored == 0 || forged == 0 {
        return Err(Unmet::NotTried(both!(
            "{stored} stored and {forged} forged refused: all others were shed",
            "сохранено: {stored}, поддельных отклонено: {forged}; остальные отложены"
        )));
    }
    // The tracker's last word on each issue is the truth.
    for (n, (about, title)) in issues.iter().enumerate() {
        let Some((task, _)) = before.get(about) else { continue };
        let last = Delivery { n, signed: Signed::Well, body: body(task, title, "", &format!("truth-{n}")) };
        let said = target.send(&[last], 1).map_err(|e| Unmet::Broken(e.to_string()))?;
        if !said.iter().all(|answer| matches!(answer.status, 200 | 202)) {
            return Err(Unmet::Broken(format!("{said:?}")));
        }
    }
    let after = board(yard, &issues)?;
    let changed: Vec<String> = before
        .iter()
        .filter(|(id, (_, shows))| after.get(*id).is_none_or(|(_, now)| now != shows))
        .map(|(id, _)| id.to_string())
        .collect();
    if !changed.is_empty() {
        let changed = changed.join(", ");
        return Err(Unmet::Broken(both!("the board is another: {changed}", "доска изменилась: {changed}")));
    }
    yard.go(&works)?;
    yard.delivered(&id)?;
    yard.once(&id)?;
    let seconds = took.0 as f64 / 1000.0;
    let happened = both!(
        "in {seconds:.1} s: {stored} acknowledged and stored once, {again} known already, {shed} shed with Retry-After, {forged} forged refused; the board is as before; merged once",
        "за {seconds:.1} с: подтверждено и сохранено по одному разу: {stored}, уже известны: {again}, отложено с Retry-After: {shed}, поддельных отклонено: {forged}; доска прежняя; слито один раз"
    );
    Ok(Told { happened, recovery })
}
