//! What is seen, and in which words?

use orch_core::call::{AgentCall, Call, TrackerCall};
use orch_core::note::Note;
use orch_core::said::Found;

use super::*;
use crate::words::words;

/// Tells a story again: the same lines, and below each of those that are done what is seen now.
pub fn play(text: &str) -> Result<String, BadLine> {
    told(text).map(|(text, _)| text)
}

/// The same, with the story where it ended.
pub fn told(text: &str) -> Result<(String, Option<Story>), BadLine> {
    let mut out = String::new();
    let mut story: Option<Story> = None;
    for (at, line) in text.lines().enumerate() {
        if let Some(done) = line.strip_prefix('>') {
            let _ = writeln!(out, "{line}");
            let place = |bad: BadLine| BadLine::Undone(format!("line {}: {bad}", at + 1));
            let answer = match &mut story {
                None => {
                    story = Some(Story::begun_by(Twin::default(), done).map_err(place)?);
                    String::new()
                }
                Some(story) => match story.line(done) {
                    Err(BadLine::Broken(broken)) if story.lenient => {
                        let _ = writeln!(out, "  broken: {broken}");
                        rest_of(&mut out, text, at);
                        break;
                    }
                    done => done.map_err(place)?,
                },
            };
            let seen = story.as_mut().map(Story::seen).unwrap_or_default();
            for line in answer.lines().chain(seen.lines()) {
                let _ = writeln!(out, "  {line}");
            }
        } else if !line.starts_with("  ") {
            let _ = writeln!(out, "{line}");
        }
    }
    if let Some(story) = &mut story
        && let Err(broken) = story.bench.verify().and_then(|()| story.bench.verify_journal_so_far())
    {
        return bad(format!("at the end: {broken}"));
    }
    Ok((out, story))
}

/// The lines after a broken promise, as they are.
fn rest_of(out: &mut String, text: &str, at: usize) {
    for line in text.lines().skip(at + 1).filter(|line| !line.starts_with("  ")) {
        let _ = writeln!(out, "{line}");
    }
}

impl Story {
    /// A task as stories call it: `1`, `other/1`, and `1 (life 2)` after a stop.
    pub(crate) fn name(task: &TaskId) -> String {
        let item = task.item();
        let (prefix, number) = item.as_str().rsplit_once('-').unwrap_or(("", item.as_str()));
        let number = number.trim_start_matches('0');
        let name = match prefix {
            "DEMO" => number.to_owned(),
            prefix => format!("{}/{number}", prefix.to_ascii_lowercase()),
        };
        if task.life() > 1 { format!("{name} (life {})", task.life()) } else { name }
    }

    /// What happened since the last look: decisions with a meaning, and where each task stands if that is new.
    pub(crate) fn seen(&mut self) -> String {
        let mut out = String::new();
        let rows = self.rows;
        let journal = self.bench.engine().journal();
        self.rows = journal.all().len();
        let mut path: Option<(String, String)> = None;
        let mut lines = Vec::new();
        for row in journal.all().get(rows..).unwrap_or_default() {
            let who = match &row.entity {
                Entity::Task(id) => Self::name(id),
                Entity::Repository(id) => format!("repository {id}"),
                Entity::Project(id) => format!("project {id}"),
                Entity::Provider(_) => "provider".to_owned(),
                Entity::Installation => "orch".to_owned(),
            };
            for reason in &row.reasons {
                if let Reason::Advanced { from, to } = reason {
                    match &mut path {
                        Some((of, steps)) if *of == who => {
                            let _ = write!(steps, " > {to}");
                        }
                        _ => {
                            lines.extend(path.take().map(|(who, steps)| format!("{who}: {steps}")));
                            path = Some((who.clone(), format!("{from} > {to}")));
                        }
                    }
                    continue;
                }
                if worth_saying(reason) {
                    lines.extend(path.take().map(|(who, steps)| format!("{who}: {steps}")));
                    lines.push(format!("{who}: {}", words(reason, journal)));
                }
            }
        }
        lines.extend(path.take().map(|(who, steps)| format!("{who}: {steps}")));
        for line in lines {
            let _ = writeln!(out, "{line}");
        }
        for task in self.bench.tasks() {
            let stands = self.standing(&task);
            let known = self.stood.iter_mut().find(|(id, _)| *id == task.id);
            match known {
                Some((_, was)) if *was == stands => continue,
                Some((_, was)) => was.clone_from(&stands),
                None => self.stood.push((task.id.clone(), stands.clone())),
            }
            let _ = writeln!(out, "{} {stands}", Self::name(&task.id));
        }
        out
    }

    /// Where a task stands, in one line.
    pub(crate) fn standing(&mut self, task: &Task) -> String {
        let now = self.bench.now;
        let engine = self.bench.engine();
        let stage = task.stage.name();
        let journal = engine.journal_ref();
        match standing(task, engine.board(), engine.policies(), now) {
            Standing::Over { .. } => format!("is {stage}"),
            Standing::Working { run: Some((_, job)), .. } => {
                format!("in {stage}, runs {}", words(&job, journal))
            }
            Standing::Working { ask, .. } => {
                let ask = ask.as_ref().map(orch_core::task::Ask::name).unwrap_or_default();
                format!("in {stage}, asks to {ask}")
            }
            Standing::Held(holds) => {
                let kinds: Vec<String> = holds.iter().map(|hold| words(&hold.kind, journal)).collect();
                format!("in {stage}, waits: {}", kinds.join("; also "))
            }
        }
    }

    pub(super) fn why(&mut self, name: &str) -> Result<String, BadLine> {
        let task = self.task(name)?;
        Ok(format!("{}\n", self.standing(&task)))
    }

    pub(super) fn show(&mut self, name: &str) -> Result<String, BadLine> {
        let task = self.task(name)?;
        let mut out = String::new();
        let runs = |job: &dyn Fn(&orch_core::task::Job) -> bool| {
            task.runs.iter().filter(|row| job(&row.job)).count()
        };
        let roles = Role::ALL.into_iter().filter_map(|role| {
            let n = runs(&|job| *job == orch_core::task::Job::Agent(role));
            (n > 0).then(|| format!("{role} {n}"))
        });
        let mut counted: Vec<String> = roles.collect();
        counted.push(format!("tests {}", runs(&|job| matches!(job, orch_core::task::Job::Ci(_)))));
        counted.push(format!("hook {}", runs(&|job| *job == orch_core::task::Job::Hook)));
        let _ = writeln!(out, "runs: {}", counted.join(", "));
        let used = task.attempts;
        let _ = writeln!(
            out,
            "round {}, judgements {}, fruitless {}, conflicts {}, machine {}, rejections {}",
            task.round, used.negative, used.fruitless, used.conflicts, used.machine, used.rejections
        );
        if let Some(branch) = &task.branch {
            let _ = writeln!(out, "branch {}", branch.name);
        }
        let journal = self.bench.engine().journal_ref();
        if let Some(findings) = &task.findings {
            let from = words(&findings.from, journal);
            let text = match &findings.text {
                Found::Kept(text) => words(text, journal),
                found @ Found::Said { .. } => format!("\"{}\"", words(found, journal)),
            };
            let _ = writeln!(out, "for the next run, by {from}: {text}");
        }
        Ok(out)
    }

    /// What the newest run of an agent was told.
    pub(super) fn brief(&mut self, name: &str) -> Result<String, BadLine> {
        let task = self.task(name)?;
        let journal = self.bench.engine().journal_ref();
        let told = journal.all().iter().rev().filter(|row| row.entity == Entity::Task(task.id.clone()));
        let told = told.flat_map(|row| row.effects.iter().rev()).find_map(|effect| match &effect.call {
            Call::Agent(AgentCall::Launch(told)) => Some(told),
            Call::Agent(AgentCall::Stop { .. })
            | Call::Tracker(_)
            | Call::Forge(_)
            | Call::Git(_)
            | Call::Gate(_)
            | Call::Deploy(_) => None,
        });
        let Some(told) = told else { return bad(format!("no agent worked for {name} yet")) };
        let mut out = String::new();
        let (title, text) = (words(&told.title, journal), words(&told.text, journal));
        let (attempt, of) = told.attempt;
        let _ = writeln!(out, "the {} is told: {title}, {text}, attempt {attempt} of {of}", told.role);
        if let Some(findings) = &told.findings {
            let from = words(&findings.from, journal);
            let _ = writeln!(out, "to mend, by {from}: {}", words(&findings.text, journal));
        }
        if told.answers {
            let _ = writeln!(out, "with what people answered");
        }
        Ok(out)
    }

    /// Every column that Orch wrote for an issue, in order.
    pub(super) fn columns(&mut self, name: &str) -> Result<String, BadLine> {
        let key = self.issue(name)?;
        let rows = self.bench.engine().journal_ref().all();
        let written = rows.iter().flat_map(|row| &row.effects).filter_map(|effect| match &effect.call {
            Call::Tracker(TrackerCall::SetStatus { issue, status }) if *issue == key => {
                Some(status.board_name())
            }
            _ => None,
        });
        Ok(format!("{}\n", written.collect::<Vec<_>>().join(" > ")))
    }

    /// What a task has used in all, and what was said of it under the issue when it was done.
    pub(super) fn costs(&mut self, name: &str) -> Result<String, BadLine> {
        let task = self.task(name)?;
        let all = task.usage();
        let cents = |microdollars: Option<u64>| microdollars.unwrap_or(0) / 10_000;
        let mut out = format!("in all {} tokens, {} cents\n", all.tokens(), cents(all.microdollars));
        let rows = self.bench.engine().journal_ref().all().iter().rev();
        let effects = rows.flat_map(|row| row.effects.iter());
        let roles = effects.filter_map(|effect| match &effect.call {
            Call::Tracker(TrackerCall::Comment { issue, note, .. }) if *issue == task.issue => {
                match &**note {
                    Note::Done { roles, .. } => Some(roles),
                    _ => None,
                }
            }
            _ => None,
        });
        for (role, runs, used) in roles.into_iter().next().into_iter().flatten() {
            let (tokens, cents) = (used.tokens(), cents(used.microdollars));
            let _ = writeln!(out, "said of the {role}: {runs} runs, {tokens} tokens, {cents} cents");
        }
        Ok(out)
    }

    /// What Orch wrote down about a task, and what stands of it on the branch.
    pub(super) fn record(&mut self, name: &str) -> Result<String, BadLine> {
        let task = self.task(name)?;
        let mut out = String::new();
        for known in &task.records {
            let file = known.record.file();
            let path = known.record.path(&task.item);
            let verdict = words(&known.verdict, self.bench.engine().journal_ref());
            let repository = self.bench.world.repositories.get(&task.project);
            let commits = repository.map_or(0, |r| r.records.iter().filter(|(at, _)| *at == path).count());
            let on_branch = match repository.and_then(|r| r.record_file(&path)) {
                Some(text) if Text::of(text) == known.text => "stands on its branch",
                Some(_) => "stands there with an older text",
                None => "does not stand on its branch",
            };
            let _ = writeln!(out, "{file}: {verdict}, {on_branch}, {commits} commits");
        }
        if out.is_empty() {
            out.push_str("nothing was written down\n");
        }
        Ok(out)
    }

    pub(crate) fn board(&mut self) -> String {
        let issues = self.bench.world.tracker.issues.values();
        let lines = issues.map(|issue| {
            let project = match issue.project.as_str() {
                "demo" => String::new(),
                other => format!("{other}/"),
            };
            let column = issue.status.map_or("nothing", Status::board_name);
            format!("{project}{} \"{}\" in {column}\n", issue.number, issue.title)
        });
        lines.collect()
    }

    pub(super) fn comments(&mut self, name: &str) -> Result<String, BadLine> {
        let key = self.issue(name)?;
        let issue = self.bench.world.tracker.issues.get(&key);
        let said: Vec<Said> = issue.map(|issue| issue.said.clone()).unwrap_or_default();
        let from = self.said.iter().find(|(of, _)| of == name).map_or(0, |(_, n)| *n);
        self.said.retain(|(of, _)| of != name);
        self.said.push((name.to_owned(), said.len()));
        let journal = self.bench.engine().journal_ref();
        let lines = said.iter().skip(from).map(|said| match said {
            Said::Person(who, what) => format!("{who}: {what}\n"),
            Said::Orch(note) => format!("orch: {}\n", words(note, journal)),
        });
        Ok(lines.collect())
    }

    pub(super) fn forge(&mut self) -> String {
        let mut out = String::new();
        for (project, repository) in &self.bench.world.repositories {
            let ours = repository.main_was.iter().skip(1);
            let ours = ours.filter(|commit| !self.bench.world.works.by_people.contains(*commit)).count();
            let people = repository.main_was.len() - 1 - ours;
            let _ = writeln!(out, "{project}: moves of main: {ours} by Orch, {people} by people");
            for (branch, _) in repository.branches() {
                let _ = writeln!(out, "branch {branch}");
            }
            for (number, branch, open) in repository.changes() {
                let state = if open { "open" } else { "closed" };
                let _ = writeln!(out, "change request {number} of {branch}, {state}");
            }
        }
        let hooks = self.bench.world.hooks.len();
        let _ = writeln!(out, "runs of the deploy hook: {hooks}");
        out
    }

    /// Each start of a hook: whose, and what it was told of the deploy before.
    pub(super) fn deploys(&mut self) -> String {
        let tasks = self.bench.tasks();
        let whose = |commit: &orch_core::id::Commit| {
            let rounds =
                |task: &Task| task.earlier_merges.iter().chain(&task.merged).cloned().collect::<Vec<_>>();
            let found = tasks.iter().find_map(|task| {
                let round = rounds(task).iter().position(|merged| merged.commit == *commit)?;
                Some(format!("{}, round {}", Self::name(&task.id), round + 1))
            });
            found.unwrap_or_else(|| commit.to_string())
        };
        let lines = self.bench.world.hooks.iter().map(|(_, commit, _, previous)| {
            let before = previous.as_ref().map_or_else(|| "nothing".to_owned(), whose);
            format!("{} after {before}\n", whose(commit))
        });
        lines.collect()
    }
}

/// What says something to the reader of a story; the rest is how it was done.
fn worth_saying(reason: &Reason) -> bool {
    match reason {
        Reason::GestureTaken { .. }
        | Reason::GestureWithoutEffect { .. }
        | Reason::SentBack { .. }
        | Reason::Repeated { .. }
        | Reason::EvidenceLapsed { .. }
        | Reason::Escalated(_)
        | Reason::MainMoved { .. }
        | Reason::Merged { .. }
        | Reason::Proven
        | Reason::Healthy
        | Reason::DeployUnseen
        | Reason::WatchSaw { .. }
        | Reason::StayedWell
        | Reason::LaterDeployRuns { .. }
        | Reason::WentBad { .. }
        | Reason::WentSilent { .. }
        | Reason::DeployFailed { .. }
        | Reason::StopDeferred
        | Reason::Stopped
        | Reason::Frozen(_)
        | Reason::Thawed
        | Reason::PolicyRefused
        | Reason::ProviderClosed
        | Reason::ProviderOpen
        | Reason::Paused
        | Reason::Unpaused
        | Reason::StoreDamaged
        | Reason::StoreSound
        | Reason::Unperformed { .. }
        | Reason::BoardRefused { .. }
        | Reason::RecordTroubled { .. }
        | Reason::MergedByHand { .. }
        | Reason::MergedOutside { .. }
        | Reason::Withdrawn(_)
        | Reason::OutsideOver
        | Reason::RunOverTokens { .. }
        | Reason::ProjectRetired
        | Reason::SettingsChanged
        | Reason::SettingsRefused
        | Reason::GaveWay
        | Reason::RequestEdited => true,
        Reason::GateSaid { passed, .. } => *passed != Some(true),
        Reason::Known
        | Reason::WatchBegan { .. }
        | Reason::Ignored(_)
        | Reason::Advanced { .. }
        | Reason::EvidenceStands { .. }
        | Reason::NotConfigured { .. }
        | Reason::TurnTaken
        | Reason::RunBegan { .. }
        | Reason::RunEnded { .. }
        | Reason::Later { .. }
        | Reason::PolicyChanged
        | Reason::RecordStands { .. }
        | Reason::Noted => false,
    }
}
