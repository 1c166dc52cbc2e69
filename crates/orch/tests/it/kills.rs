//! Does nothing happen twice and nothing get lost when the brain, a supervisor or both are killed?

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use orch::compose::Wishes;
use orch::demo::story;
use orch::demo::workspace::Workspace;
use orch_adapters::process::{self, Identity, Life, Observed};
use orch_core::event::RunHow;
use orch_core::id::RunId;
use orch_core::stage::{Role, Stage};
use orch_core::task::{Job, Rest, Step};
use serde_json::json;

use crate::scene::{self, Scene, Started};
use crate::{facts, own};

const TASK: &str = "DEMO-001";

/// In every run of the tests: a death on each side of what costs most to do twice.
const ALWAYS: [&str; 10] = [
    "before git/collect 3",
    "after git/collect 2",
    "after git/drop_tree 2",
    "after forge/merge 1",
    "before deploy/hook 1",
    "after deploy/hook 1",
    "after agent/launch 3",
    "after gate/ci 1",
    "after tracker/comment 4",
    "after git/write_record 1",
];

/// When the brain is killed.
#[derive(Debug, Clone)]
enum Fate {
    /// Never.
    Spared,
    /// By itself, at this boundary of an effect.
    Boundary(String),
    /// From outside, when the journal reaches each of these rows.
    Rows(Vec<u64>),
}

/// The demo's service and its way to production, with agents that do not dawdle and a reviewer who objects once.
fn stage_it() -> Scene {
    let scene = Scene::new("demo/home", "demo/repository");
    let exe = PathBuf::from(env!("CARGO_BIN_EXE_orch"));
    let workspace = Workspace::make(
        &scene.folder().join("demo"),
        None,
        orch::demo::story::ALONE,
        &Wishes { exe: exe.clone(), ..Wishes::default() },
    )
    .unwrap();
    workspace.write_settings(([127, 0, 0, 1], 0).into()).unwrap();
    let file = scene.home().settings();
    let hook = facts::hook_that_counts(&scene, &exe);
    let text = std::fs::read_to_string(&file).unwrap();
    let [plain, counting] = [&exe, &hook].map(|program| format!("program = \"{}\"", program.display()));
    assert_eq!(text.matches(&plain).count(), 1, "the hook: {text}");
    std::fs::write(&file, text.replace(&plain, &counting)).unwrap();
    scene.write("demo/scenario.toml", &scenario());
    scene
}

fn scenario() -> String {
    let mut text = "version = 1\n".to_owned();
    let mut part = |role: &str, attempt: Option<u32>, files: &[(&str, &str)]| {
        text.push_str(&format!("\n[[part]]\nrole = \"{role}\"\n"));
        if let Some(attempt) = attempt {
            text.push_str(&format!("attempt = {attempt}\n"));
        }
        for (path, words) in files {
            // JSON's rules for quoted text are a part of TOML's.
            let (of_the_item, path) = match path.strip_prefix("item/") {
                Some(name) => (true, json!(format!("docs/work-items/{{item}}/{name}"))),
                None => (false, json!(path)),
            };
            text.push_str("[[part.step]]\ndo = \"write\"\n");
            text.push_str(&format!("path = {path}\ntext = {}\nplain = {}\n", json!(words), !of_the_item));
        }
    };
    part(
        "analyst",
        None,
        &[
            ("item/01-brd.md", "BR-1: greet by name.\n"),
            ("item/02-trz.md", "Read `name` from the query.\n"),
            ("item/03-acceptance-criteria.md", "AC-1: Hello, Ada!\n"),
            (
                "item/04-test-plan.yaml",
                "- id: TC-01\n  type: unit\n  description: a name\n  module: tests/answers.rs\n  expected: Hello, Ada!\n",
            ),
        ],
    );
    part(
        "architect",
        None,
        &[
            ("item/06-adr/ADR-001-query.md", "# Read the query\n\nOne function.\n"),
            ("item/07-infra-requirements.md", "None.\n"),
            ("item/08-data-requirements.md", "None.\n"),
            ("item/10-tech-risks.md", "None.\n"),
        ],
    );
    let tests = include_str!("../../demo/story/answers-second.rs");
    part(
        "developer",
        Some(1),
        &[("src/lib.rs", include_str!("../../demo/story/lib-second.rs")), ("tests/answers.rs", tests)],
    );
    let tests = include_str!("../../demo/story/answers-third.rs");
    part(
        "developer",
        None,
        &[("src/lib.rs", include_str!("../../demo/story/lib-third.rs")), ("tests/answers.rs", tests)],
    );
    let review = |verdict: &str| {
        format!(
            "---\ntype: review\nwork_item_id: {{item}}\nverdict: {verdict}\nversion: 1\n---\n\n## Summary\n\nRead.\n\n## Findings\n\n### P1 Must fix\n\n- `src/lib.rs`: markup is echoed.\n"
        )
    };
    part("reviewer", Some(1), &[("item/12-review.md", &review("REQUEST_CHANGES"))]);
    part("reviewer", None, &[("item/12-review.md", &review("APPROVED"))]);
    part(
        "tester",
        None,
        &[(
            "item/13-test-report.md",
            "---\ntype: test-report\nwork_item_id: {item}\nresult: PASS\n---\n\n## Conclusion\n\nIt holds.\n",
        )],
    );
    text
}

/// What came of a story.
struct Told {
    facts: Vec<String>,
    wanted: BTreeMap<&'static str, usize>,
    rows: u64,
    /// Where each kill fell: the effects that were wanted and not settled, the first of each line.
    fell: Vec<Vec<&'static str>>,
}

/// Plays the story from an issue to the deployed change, and starts the brain again each time it was killed.
fn tell(fate: &Fate) -> Told {
    let scene = stage_it();
    let at = match fate {
        Fate::Spared | Fate::Rows(_) => None,
        Fate::Boundary(boundary) => Some(boundary.as_str()),
    };
    let mut rows = match fate {
        Fate::Rows(rows) => rows.clone(),
        Fate::Spared | Fate::Boundary(_) => Vec::new(),
    };
    let mut brain = match at {
        Some(boundary) => scene.up(&["--die-at", boundary]),
        None => scene.up(&[]),
    };
    let mut fell = Vec::new();
    let mut asked = false;
    scene.until("the story ends", || {
        let mut reader = scene.reader();
        if let Some(row) = rows.first()
            && reader.head().unwrap().seq.0 >= *row
        {
            rows.remove(0);
            brain.kill();
        }
        if brain.ended().is_some() {
            assert!(brain.was_killed(), "{}", scene.said());
            fell.push(heads(&scene));
            brain = scene.up(&[]);
            return None;
        }
        let task = scene.task(TASK);
        if task.is_none() && !asked {
            // It may be killed over this; then the issue is in the tracker, and the sweep finds it.
            let _ = scene.orch(["new", &*story::title(), "-d", &*story::text()]);
            asked = true;
        }
        let task = task?;
        assert!(task.escalated.is_none(), "{:?}\n{}", task.escalated, scene.said());
        match task.step {
            Step::Rest(Rest::Approval) => press(&scene, &mut brain, "approve"),
            Step::Rest(Rest::Confirmation) => press(&scene, &mut brain, "confirm"),
            Step::Rest(_)
            | Step::Queued(_)
            | Step::Asked { .. }
            | Step::Running { .. }
            | Step::Backoff { .. } => {}
        }
        let settled = || scene.reader().open_effects().unwrap().is_empty();
        (task.stage == Stage::Done && settled()).then_some(())
    });
    brain.stop(&scene);
    let mut lines = facts::of_delivered(&scene, orch::demo::PROJECT, TASK);
    lines.push(facts::starts_of_the_hook(&scene, TASK));
    let rows = facts::folded(&scene);
    Told { facts: lines, wanted: facts::wanted(&rows), rows: rows.len() as u64, fell }
}

/// Types a gesture. It may fail only because the brain dies over it.
fn press(scene: &Scene, brain: &mut Started, gesture: &str) {
    let before = scene.task(TASK).unwrap().step_seq;
    let done = scene.orch([gesture, TASK]);
    if done.code == 0 {
        return;
    }
    scene.until("the brain is dead, or the gesture had its effect all the same", || {
        let moved = scene.task(TASK).is_some_and(|task| task.step_seq != before);
        (brain.ended().is_some() || moved).then_some(())
    });
}

/// The effects that stand first in their lines: what was on its way.
fn heads(scene: &Scene) -> Vec<&'static str> {
    let mut lines = BTreeSet::new();
    let open = scene.reader().open_effects().unwrap();
    open.into_iter()
        .filter(|effect| lines.insert(effect.line.clone()))
        .map(|effect| effect.call.name())
        .collect()
}

/// Says on the terminal, past the capture, what a kill met.
fn report(number: usize, all: usize, fate: &Fate, told: &Told) {
    let fell: Vec<String> = told
        .fell
        .iter()
        .map(|names| match names.as_slice() {
            [] => "between effects".to_owned(),
            names => names.join(" and "),
        })
        .collect();
    let _ = writeln!(std::io::stderr(), "kill {number}/{all}: {fate:?} fell at {}", fell.join(", then "));
}

/// Tells the stories, two at a time, and compares each with the one that nobody disturbed.
fn tell_all(fates: &[Fate], spared: &Told) {
    let next = AtomicUsize::new(0);
    let kills = AtomicUsize::new(0);
    let hit = Mutex::new(Vec::new());
    let other = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(fate) = fates.get(number) else { return };
                    let told = tell(fate);
                    report(number + 1, fates.len(), fate, &told);
                    kills.fetch_add(told.fell.len(), Ordering::Relaxed);
                    match fate {
                        Fate::Spared => {}
                        Fate::Boundary(boundary) => {
                            let kind = boundary.split(' ').nth(1).unwrap();
                            assert_eq!(told.fell.len(), 1, "{boundary}: it died there, once");
                            assert!(told.fell[0].contains(&kind), "{boundary}: fell at {:?}", told.fell);
                            hit.lock().unwrap().push(boundary.clone());
                        }
                        Fate::Rows(rows) => assert_eq!(told.fell.len(), rows.len()),
                    }
                    // The other stories are told all the same: they take an hour.
                    if told.facts != spared.facts {
                        let _ = writeln!(std::io::stderr(), "kill {}: {fate:?} ends otherwise", number + 1);
                        other.lock().unwrap().push((fate, told.facts));
                    }
                }
            });
        }
    });
    let other = other.into_inner().unwrap();
    if let Some((fate, facts)) = other.first() {
        let count = other.len();
        assert_eq!(facts.join("\n"), spared.facts.join("\n"), "{fate:?}, and {count} in all");
    }
    let wanted = fates.iter().filter(|fate| matches!(fate, Fate::Boundary(_))).count();
    assert_eq!(hit.into_inner().unwrap().len(), wanted, "every boundary was hit");
    let _ = writeln!(std::io::stderr(), "{} kills, nothing lost, nothing twice", kills.into_inner());
}

/// How many seeds: 6 unless `ORCH_SEEDS` says more.
fn seeds() -> u64 {
    std::env::var("ORCH_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).map_or(6, |seeds: u64| seeds.max(6))
}

/// Both sides of every effect that the story wants.
fn boundaries(spared: &Told) -> Vec<Fate> {
    let each = spared.wanted.iter().flat_map(|(kind, times)| (1..=*times).map(move |n| (*kind, n)));
    each.flat_map(|(kind, n)| ["before", "after"].map(|side| Fate::Boundary(format!("{side} {kind} {n}"))))
        .collect()
}

/// A few rows of the journal, the same for the same seed.
fn moments(seed: u64, rows: u64) -> Fate {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut chosen = BTreeSet::new();
    for _ in 0..=seed % 3 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        chosen.insert(12 + state % (rows - 16));
    }
    Fate::Rows(chosen.into_iter().collect())
}

/// Proves that Orch may be killed at any boundary of an effect: the story ends as the undisturbed one does, with one branch,
/// change request, merge, deploy and comment each; the hook counts how often it began. Ten boundaries and six random moments;
/// with `ORCH_SEEDS` above 6 every boundary of the story is hit three times, and as many random moments. `ORCH_KILL="after gate/ci 1, before forge/merge 1"` plays only these.
#[test]
fn killed_at_a_boundary_the_story_ends_the_same() {
    let spared = tell(&Fate::Spared);
    for kind in ["git/cut_branch", "forge/open_change", "forge/merge", "deploy/hook"] {
        assert_eq!(spared.wanted[kind], 1, "{kind}");
    }
    assert_eq!(
        spared.wanted["git/write_record"], 2,
        "of the deploy, and of how production was watched after it"
    );
    let named = std::env::var("ORCH_KILL").unwrap_or_default();
    let named = named.split(',').map(str::trim).filter(|boundary| !boundary.is_empty());
    let named: Vec<Fate> = named.map(|boundary| Fate::Boundary(boundary.to_owned())).collect();
    let fates = match seeds() {
        _ if !named.is_empty() => named,
        0..=6 => {
            let always = ALWAYS.map(|boundary| Fate::Boundary(boundary.to_owned()));
            (1..=6).map(|seed| moments(seed, spared.rows)).chain(always).collect()
        }
        many => {
            let thrice = (0..3).flat_map(|_| boundaries(&spared));
            (1..=many).map(|seed| moments(seed, spared.rows)).chain(thrice).collect()
        }
    };
    tell_all(&fates, &spared);
}

/// The supervisor of a run and the program that it supervises.
fn at_work(scene: &Scene, run: RunId) -> (Identity, Identity) {
    let record = scene.home().runs().join(run.to_string());
    scene.until("the agent works", || {
        let Observed::Running(shim) = process::observe(&record) else { return None };
        let mut programs = scene::children(shim.pid);
        (programs.len() == 1).then(|| (shim, programs.remove(0)))
    })
}

fn go(scene: &Scene, run: RunId) {
    std::fs::write(scene.home().trees().join(run.to_string()).join("go"), "").unwrap();
}

/// Proves decision 7: whether the brain is killed or stopped, supervisor and agent stay the same processes, nothing is started
/// again, and the end is taken. And that a second brain in the same folder refuses, naming the first.
#[test]
fn a_restart_leaves_agents_alone() {
    let scene = own::repository(own::WAITS);
    let mut brain = scene.up(&[]);
    own::ask(&scene, "SUMS-001");
    let run = own::developer(&scene, "SUMS-001", 0);
    let before = at_work(&scene, run);

    let (code, said) = scene.start(&["up", "--allow-root"]).wait(&scene);
    assert!(code.is_some_and(|code| code != 0), "{said}");
    assert!(
        said.contains("another Orch works with this store") && said.contains(&brain.pid().to_string()),
        "{said}"
    );

    brain.kill();
    assert_eq!(at_work(&scene, run), before, "alive without a brain");
    let brain = scene.up(&[]);
    assert_eq!(at_work(&scene, run), before);
    brain.stop(&scene);
    assert_eq!(at_work(&scene, run), before);
    let brain = scene.up(&[]);
    go(&scene, run);
    let task = own::delivered(&scene, "SUMS-001");
    let developers: Vec<_> = task.runs.iter().filter(|row| row.job == Job::Agent(Role::Developer)).collect();
    assert_eq!(developers.len(), 1, "{developers:?}");
    assert_eq!(developers[0].end, Some(RunHow::Exited { code: 0 }));
    brain.stop(&scene);
    facts::of_delivered(&scene, own::PROJECT, "SUMS-001");
}

/// Proves that a run whose supervisor is killed is lost: its program dies with it, nobody is charged, and it is done again.
#[test]
fn a_killed_supervisor_is_charged_to_nobody() {
    let scene = own::repository(own::WAITS);
    let brain = scene.up(&[]);
    own::ask(&scene, "SUMS-001");
    let lost = own::developer(&scene, "SUMS-001", 0);
    let (shim, agent) = at_work(&scene, lost);
    scene::kill(&shim);
    let again = own::developer(&scene, "SUMS-001", 1);
    assert!(agent.life() != Life::Alive, "the program went with its supervisor");
    go(&scene, again);
    let task = own::delivered(&scene, "SUMS-001");
    let first = task.runs.iter().find(|row| row.run == lost).unwrap();
    assert!(matches!(first.end, Some(RunHow::Lost { .. })), "{first:?}");
    assert_eq!((task.attempts.negative, task.attempts.fruitless, task.attempts.machine), (0, 0, 0));
    brain.stop(&scene);
    facts::of_delivered(&scene, own::PROJECT, "SUMS-001");
}
