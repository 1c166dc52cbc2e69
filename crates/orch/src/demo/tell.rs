//! What does a newcomer read while it happens? A line a fact, then a summary; short, true, and where to look.

use anstyle::{AnsiColor, Style};
use orch_core::event::Event;
use orch_core::gesture::THE_DEMO;
use orch_core::id::{Entity, Seq, TaskId};
use orch_core::message::{self, Lang, figure};
use orch_core::reason::Reason;
use orch_core::state::State;
use orch_core::task::{Job, Task};
use orch_core::time::Moment;

use super::Plan;
use super::story::Spoil;
use super::unread;
use super::workspace::Workspace;
use crate::compose::{Outside, Running};
use crate::error::Error;
use crate::words::{counted, say, words};

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();

fn paint(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// Prints a line as it is styled.
fn print(line: &str) {
    anstream::println!("{line}");
}

/// The first lines.
pub fn opening(workspace: &Workspace, plan: &Plan) {
    let title = say!(
        "Orch demo: one issue, from To Analyse to a deployed change",
        "Демонстрация Orch: одна задача, от To Analyse до выкаченного изменения"
    );
    print(&paint(BOLD, &title));
    print(&say!(
        "The repository, its tests, git, the merge and the deploy are real. The agents are scripted: no model, no account.",
        "Репозиторий, тесты, git, слияние и выкатка настоящие. Агенты играют по сценарию: ни модели, ни учётной записи."
    ));
    print(&paint(DIM, &say!("workspace {}", "папка {}", workspace.folder().display())));
    if let Some(spoil) = plan.spoil {
        let spoiled = match spoil {
            Spoil::Ci => say!("spoiled on purpose: Ci", "нарочно испорчено: тесты"),
            Spoil::Review => say!("spoiled on purpose: Review", "нарочно испорчено: ревью"),
            Spoil::Merge => say!("spoiled on purpose: Merge", "нарочно испорчено: слияние"),
            Spoil::Health => say!("spoiled on purpose: Health", "нарочно испорчено: выкатка"),
        };
        print(&paint(BAD, &spoiled));
    }
}

/// Where the dashboard is.
///
/// # Errors
/// No link can be made.
pub fn where_to_look(running: &Running, plan: &Plan) -> Result<(), Error> {
    let link = paint(BOLD, &running.link()?);
    print(&say!("dashboard {link}", "панель {link}"));
    if plan.ask {
        let home = running.outside.home.folder().display();
        print(&say!(
            "You approve and confirm: there, or with `orch --home {home} approve DEMO-001`, later `confirm`.",
            "Одобряете и подтверждаете вы: на панели или командой `orch --home {home} approve DEMO-001`, потом `confirm`."
        ));
    } else {
        let how = say!(
            "The demo approves and confirms for you; `--ask` leaves that to you.",
            "Одобряет и подтверждает за вас демонстрация; с `--ask` это делаете вы."
        );
        print(&paint(DIM, &how));
    }
    print("");
    Ok(())
}

/// That it stays up, and how to end it.
///
/// # Errors
/// No link can be made.
pub fn stays_up(running: &Running, task: &TaskId, delivered: bool) -> Result<(), Error> {
    let link = paint(BOLD, &running.link()?);
    let address = running.address;
    print("");
    print(&say!("The dashboard stays up: {link}", "Панель продолжает работать: {link}"));
    let more = match delivered {
        true => say!(
            "{task} is at http://{address}/tasks/{task}. Ctrl-C or `orch demo --stop` ends all of it.",
            "{task}: http://{address}/tasks/{task}. Ctrl-C или `orch demo --stop` завершит всё."
        ),
        false => say!(
            "the task waits there; {task} is at http://{address}/tasks/{task}. Ctrl-C or `orch demo --stop` ends all of it.",
            "задача ждёт там; {task}: http://{address}/tasks/{task}. Ctrl-C или `orch demo --stop` завершит всё."
        ),
    };
    print(&paint(DIM, &more));
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
        let rows = outside.read(|reader| reader.rows(from, 500)).map_err(unread)?;
        let kept = outside.read(|reader| reader.state(&entity)).map_err(unread)?;
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
        let after = paint(DIM, &say!("{seconds:6.1} s ", "{seconds:6.1} с "));
        print(&format!("{after} {text}"));
    }

    /// The end of a good story.
    pub fn summary(&self, outside: &Outside, task: &Task, before: &str, after: &str) {
        let lang = words().lang;
        let title = paint(BOLD, &format!("{} {}", task.id, super::story::title()));
        print("");
        print(&format!("{} {title}", paint(GOOD, &say!("done", "готово"))));
        if let Some(merged) = &task.merged {
            let commit = merged.commit.short();
            print(&say!(
                "  merged    {commit} into main, exactly the tree that was tested",
                "  слито     {commit} в main, ровно то дерево, которое проверено"
            ));
        }
        if let Some(deployed) = &task.deployed {
            let commit = deployed.commit.short();
            print(&say!(
                "  deployed  {commit}, and the service names that commit",
                "  выкачено  {commit}, и сервис называет этот коммит"
            ));
        }
        let now = paint(GOOD, &format!("{after:?}"));
        print(&say!("  before    GET /?name=Ada  {before:?}", "  было      GET /?name=Ada  {before:?}"));
        print(&say!("  now       GET /?name=Ada  {now}", "  стало     GET /?name=Ada  {now}"));
        let runs = |of: fn(&Job) -> bool| task.runs.iter().filter(|row| of(&row.job)).count() as u64;
        let agents = runs(|job| matches!(job, Job::Agent(_)));
        let tests = runs(|job| matches!(job, Job::Ci(_)));
        let runs = ["запуск", "запуска", "запусков"];
        let agents = counted(agents, ["run of agents", "runs of agents"], runs);
        let tests = counted(tests, ["run of the tests", "runs of the tests"], runs);
        let wall = figure::span(task.stage_since.since(self.began), lang);
        let cost = figure::cost(task.usage(), lang);
        print(&say!(
            "  took      {wall}, {agents} (scripted, {cost} as if), {tests}",
            "  заняло    {wall}; агенты: {agents} (по сценарию, якобы {cost}); тесты: {tests}"
        ));
        let repository = outside.home.folder().with_file_name("repository");
        let look = format!("git -C {} log --oneline", repository.display());
        print(&say!("  look      {look}", "  смотрите  {look}"));
    }

    /// The end of a story that waits.
    pub fn held(&self, task: &Task, hold: &str) {
        let id = paint(BOLD, task.id.as_str());
        let (stage, held) = (task.stage, paint(BAD, &say!("held", "ждёт")));
        let label = message::stage_label(stage, words().lang);
        print("");
        print(&match words().lang {
            Lang::En => format!("{held} {id} at {stage}"),
            Lang::Ru => format!("{held} {id}, этап «{label}»"),
        });
        print(&format!("  {hold}"));
    }
}

/// The sentence for a reason that a newcomer wants to read.
fn sentence(reason: &Reason, event: &Event, task: &Task) -> Option<String> {
    let lang = words().lang;
    match reason {
        Reason::RunBegan { run } => {
            let row = task.runs.iter().find(|row| row.run == *run)?;
            Some(match row.job {
                Job::Agent(role) => {
                    let role = message::role_name(role, lang);
                    say!(
                        "the {role} works, scripted (run {run})",
                        "работает {role}, по сценарию (запуск {run})"
                    )
                    .into()
                }
                Job::Ci(_) | Job::Hook => message::working(Some((*run, row.job)), None, lang),
            })
        }
        Reason::GateSaid { .. }
        | Reason::Merged { .. }
        | Reason::Proven
        | Reason::Healthy
        | Reason::WatchBegan { .. }
        | Reason::StayedWell
        | Reason::LaterDeployRuns { .. } => Some(message::reason(reason, lang)),
        Reason::GestureTaken { .. } => match event {
            Event::Gesture(gesture) if gesture.by == THE_DEMO => {
                let for_you = paint(DIM, &say!("(for you)", "(за вас)"));
                Some(format!("{} {for_you}", message::reason(reason, lang)))
            }
            _ => Some(message::reason(reason, lang)),
        },
        Reason::Advanced { to, .. } => Some(paint(BOLD, &message::stage_label(*to, lang))),
        Reason::SentBack { .. }
        | Reason::Escalated(_)
        | Reason::DeployUnseen
        | Reason::WatchSaw { .. }
        | Reason::WentBad { .. }
        | Reason::WentSilent { .. }
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
        | Reason::GaveWay
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
