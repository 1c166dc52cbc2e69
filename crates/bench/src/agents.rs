//! What does the brain cost, and how soon does it answer, while its agents write more than anybody will read? (goals 2
//! and 4)

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use orch_core::call::tracker::Status;

use crate::Plan;
use crate::brain::Brain;
use crate::figure::machine;
use crate::home::{Home, Known};
use crate::ingest::{check, target};
use crate::letter::{Letters, Speech};
use crate::load::{self, Target};

/// How long the agents may take.
const PATIENCE: Duration = Duration::from_secs(600);

/// Measures it with so many agents, each of which writes so many bytes.
pub(crate) fn run(plan: &Plan, agents: usize, bytes: u64) -> Result<()> {
    println!("{}", machine(&plan.scratch)?);
    let home = plan.home()?;
    home.agents(
        agents,
        &format!("yes 'the agent says what it does, and then says it again' | head -c {bytes}"),
    )?;
    let brain = Brain::start(&plan.orch, &home)?;
    home.rests()?;
    let calm = brain.resident();
    brain.forget_peak();
    let waiting = home.known()?.into_iter().filter(|known| known.status() == Some(Status::Backlog));
    let chosen: Vec<Known> = waiting.take(agents).collect();
    if chosen.len() < agents {
        bail!("there are not {agents} tasks that wait to be started");
    }
    press(&home, &brain, &format!("begin-{}", brain.pid()), &chosen, Status::ToAnalyse)?;
    let began = Instant::now();
    let mut most = wait(&brain, |counts| counts.running >= agents as u64 || counts.ended >= agents as u64)?;
    let name = format!("agents-{}", brain.pid());
    let (aim, head) = (target(&home, &brain, &name)?, home.head()?);
    let answers = load::open(&aim, 64, plan.rate, plan.length)?;
    let still = counts(&brain)?;
    check(&answers, home.delivered(head, &name)?)?;
    most = most.max(wait(&brain, |counts| counts.ended >= agents as u64)?);
    let (took, peak) = (began.elapsed(), brain.peak());
    press(&home, &brain, &format!("end-{}", brain.pid()), &chosen, Status::Stop)?;
    wait(&brain, |counts| counts.running == 0)?;
    println!(
        "agents: {agents} wrote {} MiB each in {:.0} s, {most} at once: the brain alone has {calm:.1} MiB before, {peak:.1} \
         MiB at most",
        bytes >> 20,
        took.as_secs_f64(),
    );
    println!(
        "agents: {} a second meanwhile ({} runs lived at its end): {}; {} not acknowledged",
        plan.rate,
        still.running,
        answers.waits().tail(),
        answers.all.len() - answers.taken().len(),
    );
    brain.stop()
}

/// Puts these issues into a column, as their tracker says.
fn press(home: &Home, brain: &Brain, run: &str, chosen: &[Known], status: Status) -> Result<()> {
    let column = Some(status.board_name().to_owned());
    let known = chosen.iter().map(|known| Known { status: column.clone(), ..known.clone() }).collect();
    let letters = Letters::new(&home.secret()?, Speech::Orch(known), run)?;
    let aim = Target { address: brain.address, letters };
    let told = load::each(&aim, chosen.len())?.taken().len();
    if told < chosen.len() {
        bail!("only {told} of {} were put into the column {}", chosen.len(), status.board_name());
    }
    Ok(())
}

struct Counts {
    running: u64,
    ended: u64,
}

fn counts(brain: &Brain) -> Result<Counts> {
    let answer = brain.ask("/queue")?;
    let body = answer.split("\r\n\r\n").nth(1).context("an answer without a body")?;
    let read: serde_json::Value = serde_json::from_str(body).context("/queue")?;
    let number = |name: &str| read["counts"][name].as_u64().unwrap_or(0);
    Ok(Counts { running: number("running"), ended: number("done") + number("failed") })
}

/// Waits for it; the most runs that lived at once meanwhile.
fn wait(brain: &Brain, over: impl Fn(&Counts) -> bool) -> Result<u64> {
    let (began, mut most) = (Instant::now(), 0);
    while began.elapsed() < PATIENCE {
        let counts = counts(brain)?;
        most = most.max(counts.running);
        if over(&counts) {
            return Ok(most);
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    bail!("the agents did not come so far within {} s", PATIENCE.as_secs())
}
