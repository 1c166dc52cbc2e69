//! `orch sim run`: histories from seeds, counted; one that fails becomes a short file.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use orch_core::id::Digest;
use orch_core::message::figure;
use orch_core::time::Span;
use orch_engine::clock;
use orch_sim::bench::Tally;
use orch_sim::history::{self, Ground, Mix, Outcome, nothing_else};
use orch_sim::shrink::shrink;
use orch_sim::twin::Trouble;
use serde_json::json;

use super::{Here, Store};
use crate::error::Error;
use crate::screen::{self, BOLD, DIM, PLAIN, cell};
use crate::words::{Told, say, words};

/// Which histories.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// How many
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// The first seed
    #[arg(long, default_value_t = 0, value_name = "SEED")]
    from: u64,
    /// What goes wrong: `some` of the machine, `people` at any moment, `all` there is
    #[arg(long, default_value = "all", value_parser = clap::builder::PossibleValuesParser::new(Mix::ALL.map(|(name, _)| name)))]
    faults: String,
    /// Where the journal is
    #[arg(long, value_enum, default_value_t = Store::Memory)]
    store: Store,
    /// The folder for the history that fails [default: crates/sim/histories, else the one you are in]
    #[arg(long, value_name = "FOLDER")]
    keep: Option<PathBuf>,
    /// How long a failing history is made shorter, in thousands of simulated steps; 0 leaves it as it is
    #[arg(long, default_value_t = 400, value_name = "STEPS")]
    patience: usize,
}

/// What all histories together came to.
#[derive(Default)]
struct Sum {
    histories: u64,
    lines: usize,
    lifecycles: usize,
    events: usize,
    people: u64,
    evaluated: u64,
    tally: Tally,
    /// Covers the text and the journal of each.
    digest: Option<Digest>,
}

impl Sum {
    fn add(&mut self, lines: &[String], outcome: &Outcome) {
        self.histories += 1;
        self.lines += lines.len();
        self.lifecycles += outcome.lifecycles;
        self.events += outcome.rows;
        self.people += outcome.people;
        self.evaluated += outcome.evaluated;
        self.tally = self.tally.plus(&outcome.tally);
        let before = self.digest.as_ref().map(ToString::to_string).unwrap_or_default();
        let all = format!("{before}\n{}\n{}", lines.join("\n"), outcome.hash);
        self.digest = Some(Digest::of(all.as_bytes()));
    }
}

/// Lives through them.
pub(super) fn run(here: &Here, args: &Args) -> Result<ExitCode, Error> {
    let mix = Mix::ALL.into_iter().find(|(name, _)| *name == args.faults).map_or(Mix::All, |(_, mix)| mix);
    let mut journals = args.store.journals()?;
    let mut ground = Ground { journal: &mut *journals, also: nothing_else };
    let mut sum = Sum::default();
    let began = clock::now();
    // A panic is a finding, told with its history; on the way to it there may be thousands.
    let told = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let mut failed = None;
    for seed in args.from..args.from.saturating_add(args.seeds) {
        let (lines, outcome) = history::by_seed(seed, mix, &mut ground).map_err(no_journal)?;
        sum.add(&lines, &outcome);
        if outcome.broken.is_some() {
            failed = Some((seed, lines, outcome));
            break;
        }
    }
    let failed = failed.map(|(seed, lines, outcome)| keep(here, args, seed, lines, outcome, &mut ground));
    std::panic::set_hook(told);
    let took = clock::now().since(began);
    // Whoever reads what follows may leave early, and then the program ends at once: the stores are gone by then.
    drop(journals);
    match failed.transpose()? {
        Some(error) => {
            tell(here, args, &sum, took);
            Err(error)
        }
        None => {
            tell(here, args, &sum, took);
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn no_journal(trouble: Trouble) -> Error {
    Error::failed(say!(
        "a simulated store cannot be made: {trouble}",
        "хранилище для симуляции создать не удалось: {trouble}"
    ))
    .remedy(say!(
        "make room for temporary files, or set TMPDIR to another folder",
        "освободите место для временных файлов или укажите другую папку в TMPDIR"
    ))
}

/// Makes a history short and writes it to a file; the error says where.
fn keep(
    here: &Here,
    args: &Args,
    seed: u64,
    mut lines: Vec<String>,
    mut outcome: Outcome,
    ground: &mut Ground<'_>,
) -> Result<Error, Error> {
    let long = lines.len();
    let shrunk = shrink(&lines, args.patience * 1000, ground).map_err(no_journal)?;
    let again = shrunk.is_some();
    if let Some(shrunk) = shrunk {
        (lines, outcome) = (shrunk.lines, shrunk.outcome);
    }
    let (name, what) = outcome.broken.map(|(_, broken)| (broken.name, broken.what)).unwrap_or_default();
    let mut about = vec![
        format!("Broke {name}: {}", screen::safe(&what)),
        format!(
            "Found with seed {seed}, faults {}, on {}; {long} lines then.",
            args.faults,
            args.store.name()
        ),
    ];
    if !again {
        about.push("It does not fail again from its text: something is not deterministic.".to_owned());
    }
    let known = here.folder.join("crates/sim/histories");
    let folder = args.keep.clone().unwrap_or(if known.is_dir() { known } else { here.folder.clone() });
    let path = folder.join(format!("{name}-{}-{seed}.trace", args.faults));
    let text = history::text(&about, &lines);
    std::fs::write(&path, text).map_err(|e| {
        Error::failed(say!(
            "seed {seed} broke {name}, and its history cannot be written: {e}",
            "seed {seed} нарушает {name}, но историю записать не удалось: {e}"
        ))
        .at(path.display())
        .remedy(say!("name another folder with --keep", "укажите другую папку через --keep"))
    })?;
    let cause = say!("seed {seed} broke {name}: {what}", "seed {seed} нарушает {name}: {what}");
    let look = path.display();
    Ok(Error::failed(cause)
        .at(path.display())
        .remedy(say!("look: orch sim step {look}", "посмотрите: orch sim step {look}")))
}

fn tell(here: &Here, args: &Args, sum: &Sum, took: Span) {
    let milliseconds = took.0;
    let minutes = milliseconds.max(1) as f64 / 60_000.0;
    let took = figure::span(took, words().lang);
    let a_minute = (sum.lifecycles as f64 / minutes).round() as u64;
    let digest = sum.digest.as_ref().map(ToString::to_string).unwrap_or_default();
    let by: BTreeMap<&str, u64> = sum.tally.each().map(|(fault, n)| (fault.name(), n)).collect();
    if here.json {
        screen::json(&json!({
            "from": args.from, "histories": sum.histories, "faults": args.faults, "store": args.store.name(),
            "lines": sum.lines, "lifecycles": sum.lifecycles, "events": sum.events, "people": sum.people,
            "evaluated": sum.evaluated,
            "injected": sum.tally.faults, "crashes": sum.tally.crashes, "by": by,
            "milliseconds": milliseconds, "digest": digest,
        }));
        return;
    }
    let each = |n: u64| n as f64 / sum.lifecycles.max(1) as f64;
    let row = |name: Told, value: Told| vec![cell(DIM, name), cell(PLAIN, value)];
    let last = args.from + sum.histories.saturating_sub(1);
    let rows = [
        row(
            say!("seeds", "seed"),
            say!(
                "{} to {last}, faults {}, on {}",
                "от {} до {last}, сбои {}, хранилище {}",
                args.from,
                args.faults,
                args.store.name()
            ),
        ),
        row(
            say!("histories", "истории"),
            say!(
                "{} of {} lines; people did {} things",
                "{}, строк в них {}; действий людей {}",
                sum.histories,
                sum.lines,
                sum.people
            ),
        ),
        row(
            say!("lifecycles", "задачи"),
            say!("{} in {took}: {a_minute} a minute", "{} за {took}: {a_minute} в минуту", sum.lifecycles),
        ),
        row(
            say!("events", "события"),
            say!("{}, {:.0} a lifecycle", "{}, на задачу {:.0}", sum.events, each(sum.events as u64)),
        ),
        row(
            say!("faults", "сбои"),
            say!(
                "{}, {:.0} a lifecycle; the brain died {} times",
                "{}, на задачу {:.0}; сам Orch падал {} раз",
                sum.tally.faults,
                each(sum.tally.faults),
                sum.tally.crashes
            ),
        ),
        row(say!("promises", "обещания"), say!("looked at {} times", "проверок {}", sum.evaluated)),
        row(say!("digest", "отпечаток"), Told::quoted(digest)),
    ];
    screen::out(&screen::table(&rows));
    let by: Vec<_> =
        by.iter().map(|(name, n)| vec![cell(BOLD, format!("{n:>8}")), cell(PLAIN, name)]).collect();
    screen::out(&screen::table(&by));
}
