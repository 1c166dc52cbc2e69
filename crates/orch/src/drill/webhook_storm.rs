//! Does the front door hold when thousands of deliveries come at once, some twice and some forged? (decisions 33, 34)

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use orch_core::id::TaskId;
use orch_core::task::Task;
use orch_core::time::Span;
use orch_engine::clock;
use serde_json::json;

use super::sender::{Answer, Delivery, Signed, Target};
use super::yard::{PROJECT, Yard};
use super::{Told, Unmet, both, catcher};

/// So many issues are spoken of.
const ISSUES: usize = 20;

/// So many deliveries; each is sent twice, and each tenth is forged besides.
const DELIVERIES: usize = 3000;

/// More at once than the queue holds, and fewer than the front door has connections: while nobody takes from the queue the
/// rest is shed, however fast the machine is.
const CONNECTIONS: usize = 400;

/// So many are shed before anybody takes from the queue.
const SHED: usize = 500;

/// Far above what that takes, and below the patience of who waits in the queue.
const FULL_WITHIN: Span = Span::seconds(10);

/// What a brain asks git for before it serves: until then its door is open, and nothing is taken from its queue.
const FIRST: &str = ".orch/policy.toml";

/// It is told late.
const HELD: &str = r#"while [ ! -e "{yard}/told" ]; do sleep 0.05; done"#;

/// What nobody signed says.
const FORGED: &str = "nobody said this";

pub(super) fn fault() -> String {
    let forged = DELIVERIES / 10;
    both!(
        "{DELIVERIES} signed deliveries, each sent twice, and {forged} forged ones, over {CONNECTIONS} connections, while an agent runs; they come to a brain that was just started and that git keeps waiting until its queue is full",
        "подписанных доставок: {DELIVERIES}, каждая дважды, и поддельных: {forged}; соединений: {CONNECTIONS}; при этом работает агент; они приходят мозгу, который только что запущен и которого git заставляет ждать, пока очередь не заполнится"
    )
}

pub(super) fn expected() -> String {
    both!(
        "each acknowledged one is stored once; what a full queue refuses is told when to come back, and taken when it does; forged ones are refused; the board is as before, the agent goes on, its work is delivered",
        "каждая подтверждённая сохранена один раз; чему отказала полная очередь, тому сказано, когда прийти снова, и тогда оно принято; поддельные отклонены; доска прежняя, агент продолжает, его работа доставлена"
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

/// Sends them all, and lets the brain serve when so many were shed that its queue was full beyond doubt.
fn storm(yard: &mut Yard, target: &Target, deliveries: &[Delivery]) -> Result<Vec<Answer>, Unmet> {
    let shed = AtomicUsize::new(0);
    let (full, answers) = std::thread::scope(|scope| {
        let storm = scope.spawn(|| target.send_counting(deliveries, CONNECTIONS, &shed));
        let what = both!(
            "a full queue sheds, and says when to come back",
            "полная очередь отказывает и говорит, когда прийти снова"
        );
        let full = yard
            .until_within(FULL_WITHIN, &what, |_| Ok((shed.load(Ordering::Relaxed) >= SHED).then_some(())));
        // Whatever came of it: who waits in the queue is answered when the brain serves, and the senders end then.
        let told = yard.write(&yard.folder().join("told"), "");
        (full.and(told), storm.join())
    });
    full?;
    match answers {
        Ok(answers) => answers.map_err(|e| Unmet::Broken(e.to_string())),
        Err(_) => Err(Unmet::Broken(both!("the sender ended in a defect", "отправитель завершился сбоем"))),
    }
}

/// Lets what was shed come again until it is answered otherwise. The last answers to all, and how many were shed at least once.
fn sent_again(
    yard: &mut Yard,
    target: &Target,
    deliveries: &[Delivery],
    answers: Vec<Answer>,
) -> Result<(Vec<Answer>, usize), Unmet> {
    let (shed, mut settled): (Vec<_>, Vec<_>) = answers.into_iter().partition(Answer::is_shed);
    let count = shed.len();
    let mut waits: Vec<Delivery> = shed.iter().map(|answer| deliveries[answer.at].clone()).collect();
    let what = both!("what was shed is taken when it comes again", "отложенное принято, когда пришло снова");
    yard.until(&what, |_| {
        let answers = target.send(&waits, CONNECTIONS).map_err(|e| Unmet::Broken(e.to_string()))?;
        let (shed, more): (Vec<_>, Vec<_>) = answers.into_iter().partition(Answer::is_shed);
        settled.extend(more);
        waits = shed.iter().map(|answer| waits[answer.at].clone()).collect();
        Ok(waits.is_empty().then_some(()))
    })?;
    Ok((settled, count))
}

pub(super) fn play(yard: &mut Yard) -> Result<Told, Unmet> {
    catcher::stands_for_git(yard, FIRST, HELD)?;
    yard.up()?;
    let mut issues = Vec::new();
    for n in 1..=ISSUES {
        let title = format!("Idea {n}");
        issues.push((yard.ask(&title, false)?, title));
    }
    let (id, works) = yard.begin("A line more")?;
    let before = board(yard, &issues)?;

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
    yard.stop_brain()?;
    yard.keep_address()?;
    catcher::set(yard, "held")?;
    yard.up()?;
    catcher::caught(yard, "held")?;
    let target = yard.target()?;
    let head = yard.head()?;
    let began = clock::now();
    let answers = storm(yard, &target, &deliveries)?;
    let took = clock::now().since(began);
    let over = clock::now();
    yard.post(&format!("/api/v1/tasks/{id}/priority"), &json!({ "priority": "high" }))?;
    let recovery = clock::now().since(over);
    let (answers, shed) = sent_again(yard, &target, &deliveries, answers)?;

    let (mut taken, mut known) = (vec![0_u32; DELIVERIES], 0);
    let (mut forged, mut odd) = (0, Vec::new());
    for answer in &answers {
        match (answer.signed, answer.status) {
            (Signed::Well, 202) => taken[answer.n] += 1,
            (Signed::Well, 200) => known += 1,
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
    // Each says something new, so that each is stored, and "known already" is the truth of its second copy.
    let once = |times: &u32| *times == 1;
    if !taken.iter().all(once) || !stored.iter().all(once) || known != DELIVERIES {
        let [taken, stored] = [taken, stored].map(|all| all.iter().filter(|times| once(times)).count());
        return Err(Unmet::Broken(both!(
            "of {DELIVERIES}, {taken} were acknowledged once, {stored} stored once, {known} known already when they came again",
            "из {DELIVERIES} подтверждено один раз: {taken}, сохранено один раз: {stored}, во второй раз известны: {known}"
        )));
    }
    let refused = DELIVERIES.div_ceil(10);
    if forged != refused {
        return Err(Unmet::Broken(both!(
            "{forged} forged ones were refused, and should be {refused}",
            "поддельных отклонено: {forged}, а должно быть {refused}"
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
    yard.delivered_in_one_run(&id)?;
    let seconds = took.0 as f64 / 1000.0;
    let happened = both!(
        "in {seconds:.1} s: {shed} shed with Retry-After, and taken when they came again; {DELIVERIES} acknowledged and stored once, {known} known already, {forged} forged refused; the board is as before; the agent's one run was taken; merged once",
        "за {seconds:.1} с: отложено с Retry-After и принято во второй раз: {shed}; подтверждено и сохранено по одному разу: {DELIVERIES}, уже известны: {known}, поддельных отклонено: {forged}; доска прежняя; единственный запуск агента принят; слито один раз"
    );
    Ok(Told { happened, recovery })
}
