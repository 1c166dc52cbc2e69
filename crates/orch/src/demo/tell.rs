//! What does a newcomer read while it happens? A line a fact, then a summary; short, true, and where to look.

use anstyle::{AnsiColor, Style};
use orch_core::event::Event;
use orch_core::id::{Entity, Seq, TaskId};
use orch_core::message::{self, Lang, figure};
use orch_core::reason::Reason;
use orch_core::state::State;
use orch_core::task::{Job, Task};
use orch_core::time::Moment;

use super::Plan;
use super::workspace::Workspace;
use crate::compose::{Outside, Running};
use crate::error::Error;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();

fn paint(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// The first lines.
pub fn opening(workspace: &Workspace, plan: &Plan) {
    anstream::println!("{}", paint(BOLD, "Orch demo: one issue, from To Analyse to a deployed change"));
    anstream::println!(
        "The repository, its tests, git, the merge and the deploy are real. The agents are scripted: no model, no account."
    );
    anstream::println!("{}", paint(DIM, &format!("workspace {}", workspace.folder().display())));
    if let Some(spoil) = plan.spoil {
        anstream::println!("{}", paint(BAD, &format!("spoiled on purpose: {spoil:?}")));
    }
}

/// Where the dashboard is.
///
/// # Errors
/// No link can be made.
pub fn where_to_look(running: &Running, plan: &Plan) -> Result<(), Error> {
    anstream::println!("dashboard {}", paint(BOLD, &running.link()?));
    if plan.ask {
        let home = running.outside.home.folder().display();
        anstream::println!(
            "You approve and confirm: there, or with `orch --home {home} approve DEMO-001`, later `confirm`."
        );
    } else {
        anstream::println!(
            "{}",
            paint(DIM, "The demo approves and confirms for you; `--ask` leaves that to you.")
        );
    }
    anstream::println!();
    Ok(())
}

/// That it stays up, and how to end it.
///
/// # Errors
/// No link can be made.
pub fn stays_up(running: &Running, task: &TaskId, delivered: bool) -> Result<(), Error> {
    let link = running.link()?;
    anstream::println!();
    anstream::println!("The dashboard stays up: {}", paint(BOLD, &link));
    let more = if delivered { "" } else { "the task waits there; " };
    anstream::println!(
        "{}",
        paint(
            DIM,
            &format!(
                "{more}{task} is at http://{}/tasks/{task}. Ctrl-C or `orch demo --stop` ends all of it.",
                running.address
            )
        )
    );
    Ok(())
}

/// Tells the task's rows as they come.
pub struct Teller {
    began: Moment,
    told: Seq,
}

impl Teller {
    /// A teller that counts from this moment.
    pub fn new(began: Moment) -> Self {
        Self { began, told: Seq(0) }
    }

    /// Tells what is new.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn tell_news(&mut self, outside: &Outside, id: &TaskId) -> Result<(), Error> {
        let entity = Entity::Task(id.clone());
        let from = Seq(self.told.0 + 1);
        let rows = outside.read(|reader| reader.rows(from, 500)).map_err(Error::failed)?;
        let kept = outside.read(|reader| reader.state(&entity)).map_err(Error::failed)?;
        let Some(State::Task(task)) = kept.map(|kept| kept.state) else { return Ok(()) };
        for row in rows {
            self.told = row.seq;
            if row.entity != entity {
                continue;
            }
            for reason in &row.reasons {
                if let Some(text) = sentence(reason, &row.event, &task) {
                    self.line(row.at, &text);
                }
            }
        }
        Ok(())
    }

    fn line(&self, at: Moment, text: &str) {
        #[expect(clippy::cast_precision_loss, reason = "a time for people, to a tenth of a second")]
        let seconds = at.since(self.began).0 as f64 / 1000.0;
        anstream::println!("{} {text}", paint(DIM, &format!("{seconds:6.1} s ")));
    }

    /// The end of a good story.
    pub fn summary(&self, outside: &Outside, task: &Task, before: &str, after: &str) {
        let short = |commit: &orch_core::id::Commit| commit.short().to_owned();
        anstream::println!();
        anstream::println!(
            "{} {}",
            paint(GOOD, "done"),
            paint(BOLD, &format!("{} {}", task.id, super::story::TITLE))
        );
        if let Some(merged) = &task.merged {
            anstream::println!(
                "  merged    {} into main, exactly the tree that was tested",
                short(&merged.commit)
            );
        }
        if let Some(deployed) = &task.deployed {
            anstream::println!("  deployed  {}, and the service names that commit", short(&deployed.commit));
        }
        anstream::println!("  before    GET /?name=Ada  {before:?}");
        anstream::println!("  now       GET /?name=Ada  {}", paint(GOOD, &format!("{after:?}")));
        let agents = task.runs.iter().filter(|row| matches!(row.job, Job::Agent(_))).count();
        let tests = task.runs.iter().filter(|row| matches!(row.job, Job::Ci(_))).count();
        let wall = task.stage_since.since(self.began);
        let (usage, lang) = (task.usage(), Lang::En);
        anstream::println!(
            "  took      {wall}, {agents} runs of agents (scripted, {} as if), {tests} runs of the tests",
            figure::cost(usage, lang),
        );
        anstream::println!(
            "  look      git -C {} log --oneline",
            outside.home.folder().with_file_name("repository").display()
        );
    }

    /// The end of a story that waits.
    pub fn held(&self, task: &Task, hold: &str) {
        anstream::println!();
        anstream::println!("{} {} at {}", paint(BAD, "held"), paint(BOLD, task.id.as_str()), task.stage);
        anstream::println!("  {hold}");
    }
}

/// The sentence for a reason that a newcomer wants to read.
fn sentence(reason: &Reason, event: &Event, task: &Task) -> Option<String> {
    let lang = Lang::En;
    match reason {
        Reason::RunBegan { run } => {
            let row = task.runs.iter().find(|row| row.run == *run)?;
            let scripted = if matches!(row.job, Job::Agent(_)) { " (scripted)" } else { "" };
            Some(format!("{}{scripted}", message::working(Some((*run, row.job)), None, lang)))
        }
        Reason::GateSaid { .. } | Reason::Merged { .. } | Reason::Proven | Reason::Healthy => {
            Some(message::reason(reason, lang))
        }
        Reason::GestureTaken { .. } => match event {
            Event::Gesture(gesture) if gesture.by == "the demo" => {
                Some(format!("{} {}", message::reason(reason, lang), paint(DIM, "(for you)")))
            }
            _ => Some(message::reason(reason, lang)),
        },
        Reason::Advanced { to, .. } => Some(paint(BOLD, &message::stage_label(*to, lang))),
        Reason::SentBack { .. }
        | Reason::Escalated(_)
        | Reason::DeployUnseen
        | Reason::DeployFailed { .. }
        | Reason::Later { .. }
        | Reason::Repeated { .. }
        | Reason::MainMoved { .. }
        | Reason::Frozen(_)
        | Reason::Stopped => Some(paint(BAD, &message::reason(reason, lang))),
        Reason::Known
        | Reason::RequestEdited
        | Reason::GestureWithoutEffect { .. }
        | Reason::Ignored(_)
        | Reason::EvidenceStands { .. }
        | Reason::EvidenceLapsed { .. }
        | Reason::NotConfigured { .. }
        | Reason::TurnTaken
        | Reason::RunEnded { .. }
        | Reason::StopDeferred
        | Reason::Thawed
        | Reason::PolicyChanged
        | Reason::PolicyRefused
        | Reason::ProviderClosed
        | Reason::ProviderOpen
        | Reason::Paused
        | Reason::Unpaused
        | Reason::StoreDamaged
        | Reason::StoreSound
        | Reason::Unperformed { .. }
        | Reason::BoardRefused { .. }
        | Reason::RecordStands { .. }
        | Reason::RecordTroubled { .. }
        | Reason::MergedByHand { .. }
        | Reason::MergedOutside { .. }
        | Reason::Withdrawn(_)
        | Reason::OutsideOver
        | Reason::RunOverTokens { .. }
        | Reason::ProjectRetired
        | Reason::SettingsChanged
        | Reason::SettingsRefused
        | Reason::Noted => None,
    }
}
