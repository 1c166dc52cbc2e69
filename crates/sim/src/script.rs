//! How is a story told? As text: what is done and what is seen, in one file.
//!
//! A line that begins with `>` is done; the indented lines below it are what was seen since. Everything else is for the
//! reader. [`play`] tells the story again and returns the file as it should be.

use std::fmt::Write as _;

use orch_core::call::Text;
use orch_core::call::tracker::{Labels, Status};
use orch_core::event::{Event, RunEnd, RunHow, SettingsRefusal, Usage};
use orch_core::gesture::{Press, Priority};
use orch_core::hold::{Standing, standing};
use orch_core::id::{Commit, Entity, IssueKey, ProjectId, TaskId, WorkItem};
use orch_core::journal::Blob;
use orch_core::policy::{Policy, WatchRules};
use orch_core::reason::Reason;
use orch_core::stage::{Preset, Role, Stage};
use orch_core::task::Task;
use orch_core::time::{Calendar, Moment, Span};
use orch_engine::{Incoming, Target};

use crate::bench::{Bench, Faults, policy};
use crate::invariant::Broken;
use crate::twin::Twin;
use crate::world::RED;
use crate::world::repository::{ByHand, Oddly};
use crate::world::tracker::Said;
use crate::world::works::{Deed, Deployment, HookDeed};

mod tell;
mod exact;

pub(crate) use exact::{BUT, parts};

pub use tell::{play, told};

/// Why a line of a story is not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadLine {
    /// It cannot be done here, or not any more.
    #[error("{0}")]
    Undone(String),
    /// It is no line of a story: nobody knows how to do it anywhere.
    #[error("{0}")]
    Unknown(String),
    /// A promise was broken by it.
    #[error(transparent)]
    Broken(#[from] Broken),
}

/// A story under way.
pub struct Story {
    /// The bench it is played on.
    pub bench: Bench,
    policy: Policy,
    rows: usize,
    said: Vec<(String, usize)>,
    stood: Vec<(TaskId, String)>,
    /// Whether a line that cannot be done is left out.
    lenient: bool,
}

fn bad<T>(what: impl Into<String>) -> Result<T, BadLine> {
    Err(BadLine::Undone(what.into()))
}

fn unknown<T>(what: impl Into<String>) -> Result<T, BadLine> {
    Err(BadLine::Unknown(what.into()))
}

impl Story {
    /// A story about one project.
    pub fn begin(words: &[&str]) -> Result<Self, BadLine> {
        Self::begin_on(Twin::default(), words)
    }

    /// The same on this journal.
    pub fn begin_on(journal: Twin, words: &[&str]) -> Result<Self, BadLine> {
        let mut rules = unwatched();
        change_policy(&mut rules, words)?;
        let mut bench = Bench::on(journal, 1, &rules, Faults::default());
        bench.orderly = true;
        bench.patience = Span::minutes(6);
        Ok(Self { bench, policy: rules, rows: 0, said: Vec::new(), stood: Vec::new(), lenient: false })
    }

    fn project(&self, name: Option<&str>) -> Result<ProjectId, BadLine> {
        let name = name.unwrap_or("demo");
        match self.bench.projects.iter().find(|(id, _)| id.as_str() == name) {
            Some((id, _)) => Ok(id.clone()),
            None => bad(format!("there is no project {name}")),
        }
    }

    /// `1` is the first issue of `demo`, `other/1` of another project.
    fn issue(&self, name: &str) -> Result<IssueKey, BadLine> {
        let (project, number) = name.split_once('/').unwrap_or(("demo", name));
        let key = IssueKey::from(format!("{project}-{number}"));
        match self.bench.world.tracker.issues.contains_key(&key) {
            true => Ok(key),
            false => bad(format!("there is no issue {name}")),
        }
    }

    /// The work item of an issue.
    fn item(&self, name: &str) -> Result<WorkItem, BadLine> {
        let key = self.issue(name)?;
        let (project, number) = key.0.rsplit_once('-').unwrap_or(("demo", "1"));
        Ok(WorkItem::numbered(&project.to_ascii_uppercase(), number.parse().unwrap_or(1)))
    }

    /// The newest life of an issue.
    pub fn task(&mut self, name: &str) -> Result<Task, BadLine> {
        let key = self.issue(name)?;
        let lives = self.bench.tasks().into_iter().filter(|task| task.issue == key);
        match lives.max_by_key(|task| task.id.life()) {
            Some(task) => Ok(task),
            None => bad(format!("nobody told Orch of issue {name}")),
        }
    }

    fn in_issue(
        &mut self,
        name: &str,
        change: impl FnOnce(&mut crate::world::tracker::Issue),
    ) -> Result<(), BadLine> {
        let key = self.issue(name)?;
        if let Some(issue) = self.bench.world.tracker.issues.get_mut(&key) {
            change(issue);
        }
        self.bench.send(&key);
        Ok(())
    }

    fn run(&mut self) -> Result<String, BadLine> {
        self.bench.run().map(|()| String::new()).map_err(BadLine::from)
    }

    /// Does one line; what it answers itself comes before what was seen.
    pub fn act(&mut self, words: &[&str]) -> Result<String, BadLine> {
        let mut answer = String::new();
        match words {
            ["project", "is", "taken", "out"] => {
                let target = Target::Entity(Entity::Project(self.bench.project.clone()));
                self.bench.tell(Incoming::of(target, Event::ProjectRetired));
            }
            ["project", rest @ ..] => {
                change_policy(&mut self.policy, rest)?;
                let rules = self.policy.clone();
                self.bench.set_policy(&rules);
            }
            ["another", "project", name, rest @ ..] => {
                let mut rules = unwatched();
                change_policy(&mut rules, rest)?;
                self.bench.add_project(name, &name.to_ascii_uppercase(), &rules);
            }
            ["limits", rest @ ..] => {
                for word in rest {
                    let (key, number) = number(word)?;
                    match key {
                        "agents" => self.bench.limits.agents = number as u32,
                        "gates" => self.bench.limits.gates = number as u32,
                        "agents-a-project" => self.bench.limits.agents_a_project = number as u32,
                        role if role_of(role).is_some() => {
                            let most = role_of(role).map(|role| (role, number as u32));
                            self.bench.limits.agents_a_role.extend(most);
                        }
                        "day" => self.bench.limits.day_budget = number * 1_000_000,
                        "hours-east" => {
                            let seconds = i32::try_from(number * 3600).unwrap_or(0);
                            self.bench.limits.calendar = Calendar::new(vec![(Moment(0), seconds)]);
                        }
                        _ => {
                            return unknown(format!(
                                "no limit is called {key}: agents, agents-a-project, a role, gates, day, hours-east"
                            ));
                        }
                    }
                }
                self.bench.start();
            }
            ["issue", name, title, "in", column, rest @ ..] => self.create(name, title, column, rest)?,
            ["tests", "of", name, ends @ ..] => {
                let item = self.item(name)?;
                let ends = ends.iter().map(|word| end_of_tests(word)).collect::<Result<Vec<_>, _>>()?;
                self.bench.world.works.script_tests(&item, ends);
            }
            [role, "of", name, deeds @ ..] if role_of(role).is_some() => {
                let (Some(role), item) = (role_of(role), self.item(name)?) else { return bad("no role") };
                let deeds = deeds.iter().map(|word| deed(word)).collect::<Result<Vec<_>, _>>()?;
                self.bench.world.works.script(&item, role, deeds);
            }
            ["press", name, column] => {
                let (key, status) = (self.issue(name)?, column_of(column)?);
                self.bench.press(&key, status);
            }
            ["gesture", name, what @ ..] => {
                let task = self.task(name)?.id;
                match press_of(what)? {
                    (press, Some(text)) => {
                        self.bench.gesture_with(Entity::Task(task), press, vec![Blob::of(text)])
                    }
                    (press, None) => self.bench.gesture(&task, press),
                };
            }
            ["say", name, text] => {
                let key = self.issue(name)?;
                self.bench.world.tracker.say(&key, "ann", text);
                self.bench.send(&key);
            }
            ["edit", name, text] => {
                let text = (*text).to_owned();
                self.in_issue(name, |issue| issue.text = text)?;
            }
            ["retitle", name, title] => {
                let title = (*title).to_owned();
                self.in_issue(name, |issue| issue.title = title)?;
            }
            ["label", name, labels @ ..] => {
                let labels = Labels {
                    auto_approve: labels.contains(&"autoApprove"),
                    auto_deploy: labels.contains(&"autoDeploy"),
                };
                self.in_issue(name, |issue| issue.labels = labels)?;
            }
            ["delete", name] => self.in_issue(name, |issue| issue.present = false)?,
            ["restore", name] => self.in_issue(name, |issue| issue.present = true)?,
            ["run"] => answer = self.run()?,
            ["until", name, text] => self.until(name, text)?,
            ["crash"] => self.bench.crash(),
            ["another", "brain", "takes", "over"] => self.bench.fall_asleep(),
            ["the", "first", "brain", "wakes"] if self.bench.is_overtaken() => self.bench.wake_one()?,
            ["sweep"] => answer = if self.bench.sweep() { String::new() } else { "in sync\n".to_owned() },
            ["deliver", name] => {
                let key = self.issue(name)?;
                if self.bench.deliver(&key) == Some(orch_engine::Ack::Unchanged) {
                    answer = "no news\n".to_owned();
                }
            }
            ["lose", "the", "next", "delivery"] => self.bench.lose_delivery = true,
            ["lose", "the", "answer", "of", kind] => {
                self.bench.lose_answer_of = Some((*kind).to_owned());
            }
            ["no", "answer", "to", kind] => drop(self.bench.away.insert((*kind).to_owned())),
            ["answers", "to", kind] => drop(self.bench.away.remove(*kind)),
            ["the", "next", kind, "is", "refused", "for", "good"] => {
                self.bench.refuse = Some((*kind).to_owned());
            }
            ["outage", "begins"] => self.bench.outage = true,
            ["outage", "ends"] => self.bench.outage = false,
            ["main", "moves", path] => self.main_moves(path, "by ann"),
            ["main", "moves", path, "to", content] => self.main_moves(path, content),
            ["main", "is", "rewritten"] => {
                let project = self.project(None)?;
                if let Some(repository) = self.bench.world.repositories.get_mut(&project) {
                    repository.rewrite_main();
                    let main = repository.main();
                    self.bench.world.works.by_people.insert(main);
                }
                self.bench.sweep();
            }
            ["main", "is", "taken", "back"] => {
                let project = self.project(None)?;
                if let Some(repository) = self.bench.world.repositories.get_mut(&project) {
                    repository.take_back();
                    let main = repository.main();
                    self.bench.world.works.by_people.insert(main);
                }
                self.bench.sweep();
            }
            ["somebody", "pushes", path, "to", "the", "branch", "of", name] => {
                let task = self.task(name)?;
                if let (Some(branch), Some(repository)) =
                    (task.branch, self.bench.world.repositories.get_mut(&task.project))
                {
                    repository.push_branch(&branch.name, path, "by ann");
                }
            }
            ["somebody", "merges", "the", "branch", "of", name, how @ ..] => {
                let how = match how {
                    [] => ByHand::Plainly,
                    ["squashed"] => ByHand::Squashed,
                    ["with", "more"] => ByHand::WithMore,
                    ["through", "another"] => ByHand::Through,
                    _ => return unknown(format!("nobody merges {}", how.join(" "))),
                };
                let task = self.task(name)?;
                self.bench.merged_by_hand(&task, how);
            }
            ["somebody", "puts", "the", "merge", "of", name, "into", "main"] => {
                let task = self.task(name)?;
                self.bench.put_into_main(&task);
            }
            ["somebody", "has", "a", "branch", name] => {
                let project = self.project(None)?;
                if let Some(repository) = self.bench.world.repositories.get_mut(&project) {
                    repository.occupy(name);
                }
            }
            ["the", "forge", "merges", how @ ..] => {
                let how = match how {
                    ["nothing", "and", "says", "it", "did"] => Oddly::Nothing,
                    ["with", "more"] => Oddly::WithMore,
                    ["on", "an", "old", "base"] => Oddly::OnOldBase,
                    _ => return unknown(format!("no forge merges {}", how.join(" "))),
                };
                let project = self.project(None)?;
                if let Some(repository) = self.bench.world.repositories.get_mut(&project) {
                    repository.merges_oddly = Some(how);
                }
            }
            ["somebody", "deletes", "the", "branch", "of", name] => {
                let task = self.task(name)?;
                if let (Some(branch), Some(repository)) =
                    (task.branch, self.bench.world.repositories.get_mut(&task.project))
                {
                    repository.delete_branch(&branch.name);
                }
                self.bench.sweep();
            }
            ["somebody", "closes", "the", "change", "request", "of", name] => {
                let task = self.task(name)?;
                if let (Some(change), Some(repository)) =
                    (task.change_request, self.bench.world.repositories.get_mut(&task.project))
                {
                    repository.close_change(change);
                }
                self.bench.sweep();
            }
            ["settings", "are", "refused", cause] => {
                let refusal = SettingsRefusal { cause: (*cause).to_owned() };
                let target = Target::Entity(Entity::Installation);
                self.bench.tell(Incoming::of(target, Event::SettingsRefused(refusal)));
            }
            ["settings", "are", "good"] => {
                let limits = Box::new(self.bench.limits.clone());
                let target = Target::Entity(Entity::Installation);
                self.bench.tell(Incoming::of(target, Event::LimitsChanged(limits)));
            }
            ["hook", "answers", answers @ ..] => {
                let deeds = answers.iter().map(|word| hook_deed(word)).collect::<Result<Vec<_>, _>>()?;
                self.bench.world.works.script_hooks(deeds);
            }
            ["service", "is", word] => {
                self.bench.world.works.service = match *word {
                    "truthful" => Deployment::Truthful,
                    "unwell" => Deployment::Unwell,
                    "silent" => Deployment::Silent,
                    _ => return unknown(format!("a service is truthful, unwell or silent, not {word}")),
                };
            }
            ["service", "is", word @ ("unwell" | "silent"), "for", n, "looks"] => {
                let Ok(n) = n.parse() else { return unknown(format!("{n} is no number")) };
                let says = if *word == "unwell" { Deployment::Unwell } else { Deployment::Silent };
                let project = self.project(None)?;
                self.bench.world.works.ail(&project, says, n, None);
            }
            ["service", "runs", "another", "commit"] => {
                let project = self.project(None)?;
                self.bench.world.deployed.insert(project, Commit::from("0".repeat(40)));
            }
            ["service", "runs", "what", "ran", "before"] => {
                let (project, hooks) = (self.project(None)?, &self.bench.world.hooks);
                let Some(before) = hooks.last().and_then(|(_, _, _, before)| before.clone()) else {
                    return bad("nothing ran before");
                };
                self.bench.world.deployed.insert(project, before);
            }
            ["service", "runs", "main"] => {
                let project = self.project(None)?;
                if let Some(repository) = self.bench.world.repositories.get(&project) {
                    self.bench.world.deployed.insert(project, repository.main());
                }
            }
            ["the", "origin", what @ ("refuses" | "takes"), "records"] => {
                let project = self.project(None)?;
                if let Some(repository) = self.bench.world.repositories.get_mut(&project) {
                    repository.refuses_records = *what == "refuses";
                }
            }
            ["record", name] => answer = self.record(name)?,
            ["board", "has", "no", column] => {
                self.bench.world.tracker.missing.insert(column_of(column)?);
            }
            ["board", "has", column] => {
                self.bench.world.tracker.missing.remove(&column_of(column)?);
            }
            ["a", "reaper", "says", "that", "the", "run", "of", name, "is", "lost"] => self.reap(name)?,
            ["time", by] => {
                let until = self.bench.now.after(span(by)?);
                self.bench.run_until(until)?;
            }
            ["clock", "steps", by] => self.bench.step_clock(step(by)?),
            ["clock", "steps", by, "and", "Orch", "is", "killed"] => {
                self.bench.set_clock(step(by)?);
                self.bench.crash();
            }
            ["machine", "is", "off", "for", off] => self.bench.reboot(span(off)?, 0),
            ["machine", "is", "off", "for", off, "and", "its", "clock", "steps", by] => {
                self.bench.reboot(span(off)?, step(by)?);
            }
            ["pause"] => drop(self.installation(Press::Pause { drain: false })),
            ["pause", "and", "drain"] => drop(self.installation(Press::Pause { drain: true })),
            ["resume"] => drop(self.installation(Press::Unpause)),
            [what @ ("freeze" | "unfreeze")] => {
                let press = if *what == "freeze" { Press::Freeze } else { Press::Unfreeze };
                let project = self.project(None)?;
                self.bench.gesture_to(Entity::Repository(project), press);
            }
            ["show", name] => answer = self.show(name)?,
            ["why", name] => answer = self.why(name)?,
            ["brief", name] => answer = self.brief(name)?,
            ["costs", name] => answer = self.costs(name)?,
            ["columns", name] => answer = self.columns(name)?,
            ["board"] => answer = self.board(),
            ["comments", name] => answer = self.comments(name)?,
            ["forge"] => answer = self.forge(),
            ["deploys"] => answer = self.deploys(),
            ["check"] => {
                let checked = self.bench.verify_journal();
                answer = checked.map_or_else(|broken| format!("{broken}\n"), |()| "sound\n".to_owned());
            }
            _ => answer = self.act_as_history(words)?,
        }
        Ok(answer)
    }

    fn installation(&mut self, press: Press) -> Option<orch_engine::Ack> {
        self.bench.gesture_to(Entity::Installation, press)
    }

    /// Somebody else than its supervisor tells how the newest run of a task ended.
    fn reap(&mut self, name: &str) -> Result<(), BadLine> {
        let task = self.task(name)?;
        let Some(row) = task.runs.last() else { return bad(format!("{name} never ran")) };
        let how = RunHow::Lost { cause: "says the reaper".into() };
        let end =
            RunEnd { run: row.run, how, wall: Span(0), usage: Usage::default(), tail: None, left_out: 0 };
        let told = Incoming::of(Target::Entity(Entity::Task(task.id)), Event::RunEnded(Box::new(end)));
        let key = format!("reaper/{}", self.bench.tally.steps);
        self.bench.tell(told.keyed(key));
        Ok(())
    }

    fn main_moves(&mut self, path: &str, content: &str) {
        let project = self.bench.project.clone();
        self.bench.main_moves(&project, path, content);
    }

    fn create(&mut self, name: &str, title: &str, column: &str, rest: &[&str]) -> Result<(), BadLine> {
        let (project, number) = name.split_once('/').unwrap_or(("demo", name));
        let project = self.project(Some(project))?;
        let status = column_of(column)?;
        let Ok(number) = number.parse() else { return bad(format!("{number} is no number")) };
        let key = IssueKey::from(format!("{project}-{number}"));
        if self.bench.world.tracker.issues.contains_key(&key) {
            return bad(format!("there is an issue {name} already"));
        }
        let key = self.bench.world.tracker.create_as(&project, number, title, "please", status);
        if let Some(issue) = self.bench.world.tracker.issues.get_mut(&key) {
            issue.labels.auto_approve = rest.contains(&"autoApprove");
            issue.labels.auto_deploy = rest.contains(&"autoDeploy");
            if let Some(at) = rest.iter().position(|word| *word == "numbered") {
                issue.number = rest.get(at + 1).and_then(|n| n.parse().ok()).unwrap_or(issue.number);
            }
            if let Some(at) = rest.iter().position(|word| *word == "saying") {
                issue.text = rest.get(at + 1).copied().unwrap_or_default().to_owned();
            }
        }
        if !rest.contains(&"unseen") {
            self.bench.send(&key);
        }
        Ok(())
    }

    /// Goes on until what is said of a task contains a text.
    fn until(&mut self, name: &str, text: &str) -> Result<(), BadLine> {
        for _ in 0..5_000 {
            let task = self.task(name)?;
            if self.standing(&task).contains(text) {
                return Ok(());
            }
            match self.bench.once() {
                Ok(true) => {}
                Ok(false) => return bad(format!("nothing moves any more: {}", self.standing(&task))),
                Err(broken) => return Err(broken.into()),
            }
        }
        bad("this never came")
    }
}

/// Words of a line; what stands between quotes is one word.
pub(crate) fn split(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (n, part) in line.split('"').enumerate() {
        if n % 2 == 1 {
            words.push(part.to_owned());
        } else {
            let plain = part.split([' ', ',']).map(|word| word.trim_end_matches(':'));
            words.extend(plain.filter(|word| !word.is_empty()).map(str::to_owned));
        }
    }
    words
}

fn number(word: &str) -> Result<(&str, u64), BadLine> {
    let parsed = word.split_once('=').and_then(|(key, value)| Some((key, value.parse().ok()?)));
    parsed.map_or_else(|| unknown(format!("`{word}` is not like agents=2")), Ok)
}

/// What a project of a story begins with: who is to be watched after a deploy says so, by `watch=4`.
fn unwatched() -> Policy {
    Policy { watch: None, ..policy(Preset::Library) }
}

fn change_policy(rules: &mut Policy, words: &[&str]) -> Result<(), BadLine> {
    for word in words {
        match *word {
            "preset=full" => (rules.preset, rules.hook, rules.probe) = (Preset::Full, true, true),
            "preset=fast" => (rules.preset, rules.hook, rules.probe) = (Preset::Fast, true, true),
            "preset=library" => (rules.preset, rules.hook, rules.probe) = (Preset::Library, false, false),
            "serial" => rules.serial = true,
            "no-serial" => rules.serial = false,
            "confirm-merge" => rules.confirm_merge = true,
            "no-labels" => rules.labels = false,
            "probe" => rules.probe = true,
            "no-probe" => rules.probe = false,
            "no-watch" => rules.watch = None,
            "hook" => rules.hook = true,
            "no-hook" => rules.hook = false,
            "no-tests" => rules.test.clear(),
            "other-tests" => rules.test = vec!["run-other-tests".to_owned()],
            "no-agents" => rules.agents.clear(),
            word if word.starts_with("preset=") => {
                return unknown(format!("no project has `{word}`: preset is full, fast or library"));
            }
            word => match number(word)? {
                ("task-budget-cents", n) => rules.task_budget = n * 10_000,
                ("run-tokens", n) => rules.run_tokens = n,
                // So many looks, one every half minute; three bad ones in a row are bad.
                ("watch", n) => {
                    let (window, every) = (Span::seconds(30 * n), Span::seconds(30));
                    rules.watch = Some(WatchRules { window, every, failures: 3 });
                }
                ("least-description", n) => rules.least_description = n,
                (key, _) => return unknown(format!("a policy has no {key}")),
            },
        }
    }
    Ok(())
}

/// A step of the clock, such as `-1h`.
fn step(by: &str) -> Result<i64, BadLine> {
    let (back, by) = (by.starts_with('-'), span(by.trim_start_matches('-'))?);
    let by = i64::try_from(by.0).unwrap_or(0);
    Ok(if back { -by } else { by })
}

fn role_of(word: &str) -> Option<Role> {
    Role::ALL.into_iter().find(|role| role.name() == word)
}

fn deed(word: &str) -> Result<Deed, BadLine> {
    Ok(match word {
        "well" => Deed::Well,
        "breaks" => Deed::Break,
        "switches-tests-off" => Deed::SwitchOff,
        "objects" => Deed::Object,
        "fails" => Deed::Fail(1),
        "nothing" => Deed::Nothing,
        "outside" => Deed::Outside,
        "garbage" => Deed::Garbage,
        "tells" => Deed::Tell,
        word if word.starts_with("says=") => Deed::Says(word.trim_start_matches("says=").to_owned()),
        "asks" => Deed::Ask,
        "hangs" => Deed::Hang,
        "protected" => Deed::Protected,
        "limited" => Deed::Limited,
        "cannot-start" => Deed::CannotStart,
        "lost" => Deed::Lost,
        "spends" => Deed::Spend,
        word => match word.split_once('=') {
            Some(("touches", path)) => Deed::Touch(path.to_owned()),
            Some(("takes", thing)) => Deed::Take(thing.to_owned()),
            Some(_) | None => return unknown(format!("no agent does {word}")),
        },
    })
}

fn end_of_tests(word: &str) -> Result<RunHow, BadLine> {
    let cause = "scripted".to_owned();
    Ok(match word {
        "hang" => RunHow::TimedOut,
        "red" => RunHow::Exited { code: RED },
        "lost" => RunHow::Lost { cause: cause.into() },
        "cannot-start" => RunHow::CouldNotStart { cause: cause.into() },
        _ => return unknown(format!("tests are lost, cannot-start, hang or red, not {word}")),
    })
}

fn hook_deed(word: &str) -> Result<HookDeed, BadLine> {
    Ok(match word {
        "nothing" => HookDeed::Silent { deploys: false },
        "0-and-deploys-nothing" => HookDeed::Claims,
        "nothing-but-deploys" => HookDeed::Silent { deploys: true },
        "cannot-start" => HookDeed::CannotStart,
        code => match code.parse() {
            Ok(code) => HookDeed::Exit(code),
            Err(_) => return unknown(format!("no hook answers {code}")),
        },
    })
}

fn column_of(name: &str) -> Result<Status, BadLine> {
    let found = Status::ALL.into_iter().find(|status| status.board_name() == name);
    found.map_or_else(|| unknown(format!("no board has a column \"{name}\"")), Ok)
}

fn press_of(words: &[&str]) -> Result<(Press, Option<String>), BadLine> {
    Ok(match words {
        ["start"] => (Press::Start, None),
        ["approve"] => (Press::Approve { what: None }, None),
        ["reject"] => (Press::Reject { reason: None }, None),
        ["reject", "because", why] => {
            (Press::Reject { reason: Some(Text::of(why)) }, Some((*why).to_owned()))
        }
        ["confirm"] => (Press::Confirm { what: None }, None),
        ["confirm", "another", "change"] => {
            (Press::Confirm { what: Some(orch_core::id::Digest::of(b"another")) }, None)
        }
        ["stop"] => (Press::Stop, None),
        ["retry"] => (Press::Retry, None),
        ["continue"] => (Press::Continue, None),
        ["accept"] => (Press::Accept { what: None }, None),
        ["accept", "another", "commit"] => {
            (Press::Accept { what: Some(orch_core::id::Digest::of(b"another")) }, None)
        }
        ["allow"] => (Press::Allow, None),
        ["urgent"] => (Press::Priority(Priority::Urgent), None),
        _ => return unknown(format!("no gesture is called {}", words.join(" "))),
    })
}

fn span(word: &str) -> Result<Span, BadLine> {
    let word = word.trim_start_matches('+');
    let unit = word.chars().last().unwrap_or(' ');
    let n: Option<u64> = word.trim_end_matches(unit).parse().ok();
    match (n, unit) {
        (Some(n), 's') => Ok(Span::seconds(n)),
        (Some(n), 'm') => Ok(Span::minutes(n)),
        (Some(n), 'h') => Ok(Span::minutes(n * 60)),
        (Some(n), 'd') => Ok(Span::minutes(n * 60 * 24)),
        (Some(_) | None, _) => unknown(format!("{word} is no time: write 90s, 5m, 1h or 2d")),
    }
}
