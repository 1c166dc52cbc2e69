//! What could happen next? A line, chosen by dice from what the world looks like.

use orch_core::id::IssueKey;
use orch_core::state::State;
use orch_core::task::{Rest, Step, Task, Want};

use crate::bench::{Fault, Faults, Turn};
use crate::schedule::Dice;
use crate::script::Story;

/// What there is in a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mix {
    /// Faults of the machine, and a patient person: everything is delivered in the end.
    Some,
    /// People who press, edit, delete, stop and pause at any moment as well.
    People,
    /// Agents, hooks and services that do badly as well, and time that passes while things are on their way.
    All,
}

impl Mix {
    /// All, by name.
    pub const ALL: [(&'static str, Mix); 3] =
        [("some", Mix::Some), ("people", Mix::People), ("all", Mix::All)];

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL.into_iter().find(|(_, mix)| *mix == self).map_or("", |(name, _)| name)
    }

    pub(super) fn faults(self) -> Faults {
        match self {
            Mix::Some => Faults::some(),
            // What people do is a line of its own.
            Mix::People => Faults::with_people().with(Fault::Meddling, 0),
            Mix::All => Faults::all().with(Fault::Meddling, 0),
        }
    }
}

/// Lines until people leave it alone.
const WILD: usize = 450;
/// Issues of a project at most.
const MOST_ISSUES: usize = 5;
/// Lines at most.
const MOST: usize = 4_000;

const PRESETS: [&str; 3] = ["full", "fast", "library"];

/// Columns that Orch alone writes: a board may lose them and get them back.
const COLUMNS: [&str; 5] = ["Analysis", "Architecture", "Development", "Testing", "Deploying"];

/// The one who invents.
pub(super) struct Mind {
    dice: Dice,
    mix: Mix,
    /// What is said before anything happens, last first.
    first: Vec<String>,
    /// What is said at the end, last first.
    last: Vec<String>,
    said: usize,
    swept: bool,
}

impl Mind {
    pub(super) fn new(mut dice: Dice, mix: Mix) -> Self {
        let mut first = vec![format!("history of a project preset={}", PRESETS[dice.below(3)])];
        if dice.chance(20) {
            first[0].push_str(" no-probe");
        }
        if dice.chance(60) {
            first[0].push_str(" watch=3");
        }
        let both = mix != Mix::Some && dice.chance(60);
        if both {
            first.push(format!("another project other preset={}", PRESETS[dice.below(3)]));
        }
        if mix != Mix::Some && dice.chance(40) {
            let which = ["agents", "agents-a-project", "gates", "developer", "reviewer"][dice.below(5)];
            first.push(format!("limits {which}={}", 1 + dice.below(3)));
        }
        // Money for a few runs: a dollar is set aside for each that begins, and one costs five cents.
        if mix != Mix::Some && dice.chance(20) {
            first[0].push_str(&format!(" task-budget-cents={}", 100 + dice.below(30)));
        }
        if mix != Mix::Some && dice.chance(15) {
            first.push(format!("limits day={}", 1 + dice.below(3)));
        }
        for n in 1..=1 + dice.below(3) {
            let title = ["Add a flag", "Mend the door", "Paint it"][n - 1];
            first.push(format!("issue {n} \"{title}\" in \"To Analyse\""));
            if both {
                first.push(format!("issue other/{n} \"{title}\" in \"To Analyse\""));
            }
        }
        first.reverse();
        let mut last = vec!["everything ends".to_owned()];
        match mix {
            Mix::Some => last.insert(0, "everything is delivered".to_owned()),
            Mix::People | Mix::All => last.push("people leave it alone".to_owned()),
        }
        Self { dice, mix, first, last, said: 0, swept: false }
    }

    /// The next line; `None`: it is over.
    pub(super) fn next(&mut self, story: Option<&mut Story>) -> Option<String> {
        let (None, Some(story)) = (self.first.last(), story) else { return self.first.pop() };
        self.said += 1;
        let most = if self.mix == Mix::Some { MOST } else { WILD };
        if self.said > most || open(story).is_empty() {
            self.said = MOST;
            return self.last.pop();
        }
        let line = self.something(story);
        self.swept = line == "sweep";
        Some(line)
    }

    fn something(&mut self, story: &mut Story) -> String {
        if self.mix != Mix::Some
            && self.dice.chance(5)
            && let Some(line) = self.anything(story)
        {
            return line;
        }
        if self.mix == Mix::All
            && self.dice.chance(4)
            && let Some(line) = self.badly(story)
        {
            return line;
        }
        if self.mix != Mix::Some
            && self.dice.chance(6)
            && let Some(line) = self.patiently(story)
        {
            return line;
        }
        let turns = story.bench.turns();
        match story.bench.turn_at(self.dice.below(turns)) {
            Some(Turn::Perform(name)) => format!("perform {name}"),
            Some(Turn::End(name)) => format!("end {name}"),
            // What waits for nothing but people is swept once, and then they come.
            Some(Turn::Wait) | None if !self.swept && self.dice.chance(50) => "sweep".to_owned(),
            Some(Turn::Wait) | None => {
                let person = if self.swept { self.patiently(story) } else { None };
                person.unwrap_or_else(|| if story.bench.can_wait() { "wait" } else { "sweep" }.to_owned())
            }
        }
    }

    /// What a patient person does about a task that waits for one.
    fn patiently(&mut self, story: &mut Story) -> Option<String> {
        if let Some(name) = out_of_money(story) {
            return Some(format!("gesture {name} allow"));
        }
        let waiting: Vec<(String, Rest)> =
            open(story).into_iter().filter_map(|(name, rest)| Some((name, rest?))).collect();
        let (name, rest) = waiting.get(self.dice.below(waiting.len()))?;
        if *rest == Rest::Escalated
            && let Ok(task) = story.task(name)
            && story.bench.lacks_its_merge(&task)
        {
            return Some(format!("somebody puts the merge of {name} into main"));
        }
        Some(match rest {
            Rest::Start | Rest::Questions | Rest::Escalated => format!("press {name} \"To Analyse\""),
            Rest::Approval | Rest::Protected => format!("press {name} \"Approved\""),
            Rest::Confirmation => format!("press {name} \"Confirm Deploy\""),
            Rest::RequestChanged | Rest::Withdrawn => format!("gesture {name} continue"),
            Rest::MergedOutside | Rest::DeployUnseen => format!("gesture {name} accept"),
            Rest::RunBudget { .. } => format!("gesture {name} allow"),
            Rest::CannotTell { .. } => format!("gesture {name} retry"),
            Rest::WentBad { .. } | Rest::WentSilent { .. } => {
                let what = ["retry", "retry", "accept", "reject because \"it is down\""];
                format!("gesture {name} {}", what[self.dice.below(4)])
            }
            Rest::IssueGone => format!("restore {name}"),
            Rest::Over => return None,
        })
    }

    /// What a person does whom nobody asked.
    fn anything(&mut self, story: &mut Story) -> Option<String> {
        let dice = &mut self.dice;
        let tasks = open(story);
        let (task, _) = tasks.get(dice.below(tasks.len()))?;
        let issues: Vec<String> = story.bench.world.tracker.issues.keys().map(name_of).collect();
        let issue = issues.get(dice.below(issues.len()))?;
        let project = story.bench.projects[dice.below(story.bench.projects.len())].0.clone();
        Some(match dice.below(39) {
            0 => format!("gesture {task} stop"),
            1 => format!("press {issue} \"STOP\""),
            2 => format!("press {issue} \"Rejected\""),
            3 | 4 => format!("gesture {task} reject because \"not like this\""),
            5 => format!("press {issue} \"Approved\""),
            6 => format!("press {issue} \"Confirm Deploy\""),
            7 => format!("press {issue} \"To Analyse\""),
            8 => format!("gesture {task} continue"),
            9 => format!("gesture {task} urgent"),
            10 => format!("edit {issue} \"edited {}\"", dice.below(1000)),
            11 => format!("retitle {issue} \"Edited {}\"", dice.below(1000)),
            12 => format!("delete {issue}"),
            13 => format!("restore {issue}"),
            14 => format!("label {issue} autoApprove"),
            15 => format!("label {issue} autoApprove autoDeploy"),
            16 => format!("label {issue}"),
            17 => "pause".to_owned(),
            18 => "pause and drain".to_owned(),
            19..=21 => "resume".to_owned(),
            22 => format!("freeze {project}"),
            23 => format!("unfreeze {project}"),
            24 | 25 => {
                // Somebody may work on the very file that a task works on.
                let of_task = story.task(task).ok().filter(|_| dice.chance(30));
                let (project, file) = match of_task {
                    Some(task) => (task.project.clone(), task.id.item().to_string()),
                    None => (project, format!("other-{}", dice.below(3))),
                };
                format!("main of {project} moves src/{file} to \"by ann {}\"", dice.below(1000))
            }
            26 => {
                let mut rules = format!("policy of {project} preset={}", PRESETS[dice.below(3)]);
                rules.push_str(["", " other-tests"][dice.below(2)]);
                rules.push_str(if dice.chance(30) { " serial" } else { "" });
                rules
            }
            27 => format!("the origin of {project} refuses records"),
            28 => format!("the origin of {project} takes records"),
            29 => format!(
                "somebody merges the branch of {task}{}",
                ["", " with more", " through another", " squashed"][dice.below(4)]
            ),
            30 => format!("somebody deletes the branch of {task}"),
            31 => format!("somebody closes the change request of {task}"),
            32 => format!("gesture {task} {}", ["accept", "allow"][dice.below(2)]),
            33 => format!("board has no \"{}\"", COLUMNS[dice.below(COLUMNS.len())]),
            34 | 35 => format!("board has \"{}\"", COLUMNS[dice.below(COLUMNS.len())]),
            36 => format!("say {issue} \"and mind the cat {}\"", dice.below(1000)),
            37 => {
                let of_it = |key: &&IssueKey| key.0.starts_with(&format!("{project}-"));
                let number = 1 + story.bench.world.tracker.issues.keys().filter(of_it).count();
                if number > MOST_ISSUES {
                    return None;
                }
                let first = project == story.bench.projects[0].0;
                let name = if first { number.to_string() } else { format!("{project}/{number}") };
                format!("issue {name} \"Mend it once more\" in \"To Analyse\"")
            }
            _ => format!("gesture {task} retry"),
        })
    }

    /// Who does badly next, and what comes at a bad time.
    fn badly(&mut self, story: &mut Story) -> Option<String> {
        let dice = &mut self.dice;
        let issues: Vec<String> = story.bench.world.tracker.issues.keys().map(name_of).collect();
        let issue = issues.get(dice.below(issues.len()))?;
        let any = ["fails", "nothing", "outside", "hangs", "limited", "cannot-start", "lost", "spends"];
        let deeds = |dice: &mut Dice, own: &[&'static str]| {
            let all: Vec<&str> = own.iter().chain(&any).copied().collect();
            let n = 1 + dice.below(3);
            (0..n).map(|_| all[dice.below(all.len())]).collect::<Vec<_>>().join(", ")
        };
        Some(match dice.below(13) {
            12 => {
                let n = 1 + dice.below(3);
                let ends = ["lost", "hang", "red", "cannot-start"];
                let ends: Vec<&str> = (0..n).map(|_| ends[dice.below(4)]).collect();
                format!("tests of {issue}: {}", ends.join(", "))
            }
            0 | 1 => format!("analyst of {issue}: {}", deeds(dice, &["asks"])),
            2 => format!("architect of {issue}: {}", deeds(dice, &[])),
            3 | 4 => {
                format!("developer of {issue}: {}", deeds(dice, &["breaks", "takes=7", "protected"]))
            }
            5 | 6 => format!("reviewer of {issue}: {}", deeds(dice, &["objects", "objects", "garbage"])),
            7 => format!("tester of {issue}: {}", deeds(dice, &["objects", "garbage"])),
            8 => {
                let codes = ["1", "2", "3", "nothing", "nothing-but-deploys", "cannot-start"];
                format!("hook answers {}", codes[dice.below(6)])
            }
            9 => format!("service is {}", ["unwell", "silent", "truthful", "truthful"][dice.below(4)]),
            10 => format!("time passes {}m", 1 + dice.below(120)),
            _ => format!("deliver {issue}"),
        })
    }
}

/// Open tasks, by the names of their issues, and why they rest.
fn open(story: &mut Story) -> Vec<(String, Option<Rest>)> {
    let states = story.bench.engine().journal_ref().states().values();
    let open = states.filter_map(|kept| match &kept.state {
        State::Task(task) if !task.stage.is_terminal() => {
            let rest = match &task.step {
                Step::Rest(rest) => Some(rest.clone()),
                Step::Asked { .. } | Step::Queued(_) | Step::Running { .. } | Step::Backoff { .. } => None,
            };
            Some((name_of(&task.issue), rest))
        }
        State::Task(_)
        | State::Repository(_)
        | State::Project(_)
        | State::Provider(_)
        | State::Installation(_) => None,
    });
    open.collect()
}

/// A task that waits for money, by the name of its issue.
fn out_of_money(story: &mut Story) -> Option<String> {
    let bench = &mut story.bench;
    let queued = |task: &Task| matches!(task.step, Step::Queued(Want::Agent(_)));
    let waiting = bench.tasks().into_iter().filter(queued).find(|task| bench.is_out_of_money(task));
    waiting.map(|task| name_of(&task.issue))
}

/// An issue as stories call it: `1`, `other/1`.
fn name_of(issue: &IssueKey) -> String {
    match issue.0.rsplit_once('-') {
        Some(("demo", number)) => number.to_owned(),
        Some((project, number)) => format!("{project}/{number}"),
        None => issue.to_string(),
    }
}
