//! Does this machine hold what Orch promises? The real program in scratch installations of its own, with one thing broken
//! at a time, and looked at from outside: its API, its journal, its processes, and git.

mod ground;
mod yard;
mod brain;
mod look;
pub mod report;
mod brain_killed;
mod brain_paused;
mod shim_killed;
mod catcher;
mod agent_killed;
mod fetch_killed;
mod collect_killed;
mod tests_killed;
mod merge_killed;
mod target;
mod deploy_killed;
mod deploy_unheard;
mod forge_down;
mod agent_hung;
mod disk_full;
mod clock_jump;
mod webhook_storm;
mod sender;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use orch_adapters::git::Mounts;
use orch_core::message::Lang;

use crate::error::Error;
use crate::words::{say, words};
use ground::Ground;
use orch_core::time::Span;
use orch_engine::clock;
use yard::Yard;

/// The sentence in the language that is spoken.
macro_rules! both {
    ($en:literal, $ru:literal) => {
        match $crate::words::words().lang {
            orch_core::message::Lang::En => format!($en),
            orch_core::message::Lang::Ru => format!($ru),
        }
    };
}
pub(crate) use both;

/// One thing that is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Drill {
    /// SIGKILL to the brain while an agent runs.
    BrainKilled,
    /// The brain stands still for seconds, and wakes late.
    BrainPaused,
    /// SIGKILL to the supervisor of a run.
    ShimKilled,
    /// SIGKILL to an agent.
    AgentKilled,
    /// SIGKILL to git while it fetches main.
    FetchKilled,
    /// SIGKILL to git while it writes an agent's work to the branch; it leaves a lock.
    CollectKilled,
    /// SIGKILL to the supervisor of the tests.
    TestsKilled,
    /// SIGKILL to git in the middle of a merge.
    MergeKilled,
    /// SIGKILL to the deploy hook before it deployed.
    DeployKilled,
    /// SIGKILL to the deploy hook and its supervisor after it deployed.
    DeployUnheard,
    /// The repository is away for seconds.
    ForgeDown,
    /// An agent does nothing and does not end.
    AgentHung,
    /// The disk is full.
    DiskFull,
    /// The wall clock was set.
    ClockJump,
    /// Thousands of deliveries at once.
    WebhookStorm,
}

impl Drill {
    /// All of them, in the order in which they are done.
    pub const ALL: [Drill; 15] = [
        Drill::BrainKilled,
        Drill::BrainPaused,
        Drill::ShimKilled,
        Drill::AgentKilled,
        Drill::FetchKilled,
        Drill::TestsKilled,
        Drill::MergeKilled,
        Drill::DeployKilled,
        Drill::DeployUnheard,
        Drill::ForgeDown,
        Drill::WebhookStorm,
        Drill::ClockJump,
        Drill::DiskFull,
        Drill::AgentHung,
        Drill::CollectKilled,
    ];

    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Drill::BrainKilled => "brain-killed",
            Drill::BrainPaused => "brain-paused",
            Drill::ShimKilled => "shim-killed",
            Drill::AgentKilled => "agent-killed",
            Drill::FetchKilled => "fetch-killed",
            Drill::CollectKilled => "collect-killed",
            Drill::TestsKilled => "tests-killed",
            Drill::MergeKilled => "merge-killed",
            Drill::DeployKilled => "deploy-killed",
            Drill::DeployUnheard => "deploy-unheard",
            Drill::ForgeDown => "forge-down",
            Drill::AgentHung => "agent-hung",
            Drill::DiskFull => "disk-full",
            Drill::ClockJump => "clock-jump",
            Drill::WebhookStorm => "webhook-storm",
        }
    }

    /// What is broken.
    pub fn fault(self) -> String {
        match self {
            Drill::BrainKilled => brain_killed::fault(),
            Drill::BrainPaused => brain_paused::fault(),
            Drill::ShimKilled => shim_killed::fault(),
            Drill::AgentKilled => agent_killed::fault(),
            Drill::FetchKilled => fetch_killed::fault(),
            Drill::CollectKilled => collect_killed::fault(),
            Drill::TestsKilled => tests_killed::fault(),
            Drill::MergeKilled => merge_killed::fault(),
            Drill::DeployKilled => deploy_killed::fault(),
            Drill::DeployUnheard => deploy_unheard::fault(),
            Drill::ForgeDown => forge_down::fault(),
            Drill::AgentHung => agent_hung::fault(),
            Drill::DiskFull => disk_full::fault(),
            Drill::ClockJump => clock_jump::fault(),
            Drill::WebhookStorm => webhook_storm::fault(),
        }
    }

    /// What must come of it.
    pub fn expected(self) -> String {
        match self {
            Drill::BrainKilled => brain_killed::expected(),
            Drill::BrainPaused => brain_paused::expected(),
            Drill::ShimKilled => shim_killed::expected(),
            Drill::AgentKilled => agent_killed::expected(),
            Drill::FetchKilled => fetch_killed::expected(),
            Drill::CollectKilled => collect_killed::expected(),
            Drill::TestsKilled => tests_killed::expected(),
            Drill::MergeKilled => merge_killed::expected(),
            Drill::DeployKilled => deploy_killed::expected(),
            Drill::DeployUnheard => deploy_unheard::expected(),
            Drill::ForgeDown => forge_down::expected(),
            Drill::AgentHung => agent_hung::expected(),
            Drill::DiskFull => disk_full::expected(),
            Drill::ClockJump => clock_jump::expected(),
            Drill::WebhookStorm => webhook_storm::expected(),
        }
    }

    fn play(self, yard: &mut Yard) -> Result<Told, Unmet> {
        match self {
            Drill::BrainKilled => brain_killed::play(yard),
            Drill::BrainPaused => brain_paused::play(yard),
            Drill::ShimKilled => shim_killed::play(yard),
            Drill::AgentKilled => agent_killed::play(yard),
            Drill::FetchKilled => fetch_killed::play(yard),
            Drill::CollectKilled => collect_killed::play(yard),
            Drill::TestsKilled => tests_killed::play(yard),
            Drill::MergeKilled => merge_killed::play(yard),
            Drill::DeployKilled => deploy_killed::play(yard),
            Drill::DeployUnheard => deploy_unheard::play(yard),
            Drill::ForgeDown => forge_down::play(yard),
            Drill::AgentHung => agent_hung::play(yard),
            Drill::DiskFull => disk_full::play(yard),
            Drill::ClockJump => clock_jump::play(yard),
            Drill::WebhookStorm => webhook_storm::play(yard),
        }
    }
}

/// What came of a drill that held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// What happened.
    pub happened: String,
    /// From the end of the fault (or from the fault, where it has no end) until work went on.
    pub recovery: Span,
}

/// Why a drill did not hold, or was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unmet {
    /// What was promised did not come.
    Broken(String),
    /// It cannot be tried here, for this reason.
    NotTried(String),
    /// Somebody asked the drills to end.
    Ended,
}

impl From<Error> for Unmet {
    fn from(error: Error) -> Self {
        let place = error.place.map(|place| format!(" ({place})")).unwrap_or_default();
        Unmet::Broken(format!("{}{place}", error.cause))
    }
}

/// How a drill came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// What was promised came.
    Held,
    /// It did not.
    Broken,
    /// It could not be tried here.
    NotTried,
}

impl Outcome {
    /// Its name for programs.
    pub const fn name(self) -> &'static str {
        match self {
            Outcome::Held => "held",
            Outcome::Broken => "broken",
            Outcome::NotTried => "not_tried",
        }
    }

    /// Its name for people.
    pub fn said(self) -> &'static str {
        match (self, words().lang) {
            (Outcome::Held, Lang::En) => "held",
            (Outcome::Held, Lang::Ru) => "выдержано",
            (Outcome::Broken, Lang::En) => "BROKEN",
            (Outcome::Broken, Lang::Ru) => "НЕ ВЫДЕРЖАНО",
            (Outcome::NotTried, Lang::En) => "not tried",
            (Outcome::NotTried, Lang::Ru) => "не проверено",
        }
    }
}

/// A row of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Which drill.
    pub drill: Drill,
    /// How it came out.
    pub outcome: Outcome,
    /// What happened, or why it was not tried.
    pub happened: String,
    /// How long it took to recover, if it did.
    pub recovery: Option<Span>,
    /// How long the whole drill took.
    pub took: Span,
}

/// How the drills are to go.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Which.
    pub drills: Vec<Drill>,
    /// Where: a folder that is made for them and goes with them.
    pub workspace: PathBuf,
    /// The program that is tried: this one.
    pub exe: PathBuf,
    /// The environment of who called it.
    pub env: Vec<(String, String)>,
}

/// Does the drills one after the other and tells each row when it is known. Returns what was done before somebody asked
/// for the end.
///
/// # Errors
/// There is no place for them.
pub fn run(plan: &Plan, mut told: impl FnMut(&Row)) -> Result<Vec<Row>, Error> {
    // Before there is a second thread: what is mounted here for the full disk is seen by what is started here alone.
    let mounts = plan.drills.contains(&Drill::DiskFull).then(|| Mounts::own().map_err(|e| e.to_string()));
    let asked = asked()?;
    let ground = Ground::make(plan, mounts, Arc::clone(&asked))?;
    let mut rows = Vec::new();
    for drill in &plan.drills {
        let began = clock::now();
        let (outcome, happened, recovery) = match one(*drill, &ground) {
            Ok(Told { happened, recovery }) => (Outcome::Held, happened, Some(recovery)),
            Err(Unmet::Broken(why)) => (Outcome::Broken, why, None),
            Err(Unmet::NotTried(why)) => (Outcome::NotTried, why, None),
            Err(Unmet::Ended) => break,
        };
        let row = Row { drill: *drill, outcome, happened, recovery, took: clock::now().since(began) };
        told(&row);
        rows.push(row);
    }
    Ok(rows)
}

/// One drill, from an empty folder to nothing left. Of one that is broken the folder stays: somebody will want to look.
fn one(drill: Drill, ground: &Ground) -> Result<Told, Unmet> {
    let mut yard = Yard::make(ground, drill.name())?;
    let played = drill.play(&mut yard);
    let left = yard.end();
    match (played, left) {
        (Err(Unmet::Broken(why)), _) => {
            let kept = yard.keep();
            let kept = kept.display();
            Err(Unmet::Broken(both!(
                "{why}; kept to look at: {kept}",
                "{why}; оставлено для разбора: {kept}"
            )))
        }
        (Ok(_), Err(why)) => {
            yard.keep();
            Err(why)
        }
        (played, _) => played,
    }
}

/// Becomes true when somebody asks this process to end: it goes on to take away what it made.
fn asked() -> Result<Arc<AtomicBool>, Error> {
    let asked = Arc::new(AtomicBool::new(false));
    let theirs = Arc::clone(&asked);
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let listened = crate::client::talk(async {
            let mut signals = crate::cmd::up::Asked::listen()?;
            let _ = tell.send(Ok(()));
            signals.to_end().await;
            theirs.store(true, Ordering::Relaxed);
            Ok(())
        });
        if let Err(error) = listened {
            let _ = tell.send(Err(error));
        }
    });
    told.recv().unwrap_or_else(|_| {
        Err(Error::failed(say!("signals cannot be heard", "сигналы не удаётся принимать")))
    })?;
    Ok(asked)
}
