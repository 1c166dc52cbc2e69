//! `orch sim run`: do histories from seeds keep every promise? They are counted, and one that fails becomes a short file.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use orch_core::message::figure;
use orch_core::time::Span;
use orch_engine::clock;
use orch_sim::history::{self, Ground, Mix, nothing_else};
use orch_sim::shrink::shrink;
use orch_sim::twin::Trouble;
use serde_json::json;

use super::ledger::{Ledger, Of};
use super::many::{self, Block, Broke, How};
use super::sum::Sum;
use super::under_way::UnderWay;
use super::{Here, Store, report};
use crate::error::{Error, Kind};
use crate::screen::{self, BOLD, DIM, PLAIN, cell};
use crate::words::{Told, counted, say, words};

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
    /// How many at once; whatever it is, the same seeds give the same bytes [default: one a processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1024))]
    jobs: Option<u64>,
    /// The folder for the history that fails [default: crates/sim/histories, else the one you are in]
    #[arg(long, value_name = "FOLDER")]
    keep: Option<PathBuf>,
    /// How long a failing history is made shorter, in thousands of simulated steps; 0 leaves it as it is
    #[arg(long, default_value_t = 400, value_name = "STEPS")]
    patience: usize,
    /// Write down in this file what was lived through, so that the same command goes on where it was interrupted; one that
    /// fails is counted and does not end it. What is under way stands beside it, in FILE.0.trace and so on
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    /// Write a page about all of it, from the ledger (needs --ledger)
    #[arg(long, value_name = "FILE", requires = "ledger")]
    report: Option<PathBuf>,
    /// What the page says about the machine [default: how many processors it has]
    #[arg(long, value_name = "TEXT", requires = "report")]
    machine: Option<String>,
}

/// Lives through them.
pub(super) fn run(here: &Here, args: &Args) -> Result<ExitCode, Error> {
    let mix = Mix::ALL.into_iter().find(|(name, _)| *name == args.faults).map_or(Mix::All, |(_, mix)| mix);
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let jobs = args.jobs.and_then(|jobs| usize::try_from(jobs).ok()).unwrap_or(processors);
    // Of a history that hangs or dies the text is wanted: it stands beside the ledger, or where there is a place for it.
    let aside = std::env::temp_dir().join(format!("orch-sim-{}", std::process::id()));
    let under_way = args.ledger.as_deref().unwrap_or(&aside);
    let how = How { mix, store: args.store, jobs, stops: args.ledger.is_none(), under_way };
    if args.ledger.is_none() {
        let place = UnderWay::place(&aside, 0);
        let place = place.display();
        let said = match jobs.min(usize::try_from(args.seeds).unwrap_or(jobs)) {
            1 => say!(
                "the text of the history under way stands in {place}",
                "текст идущей истории лежит в {place}"
            ),
            _ => say!(
                "the texts of the histories under way stand in {place} and so on",
                "тексты идущих историй лежат в {place} и далее"
            ),
        };
        anstream::eprintln!("{said}");
    }
    let blocks = many::blocks(args.from, args.seeds);
    if args.from.checked_add(args.seeds).is_none() {
        let last = u64::MAX;
        return Err(Error::new(Kind::Usage, say!("the last seed is {last}", "последний seed — {last}"))
            .remedy(say!("begin with a smaller one: --from 0", "начните с меньшего: --from 0")));
    }
    // An hour later is too late to say that there is no such folder.
    if let Some(folder) = args.keep.as_deref().filter(|folder| !folder.is_dir()) {
        return Err(no_folder(folder, "--keep"));
    }
    if let Some(page) = &args.report
        && let Some(folder) = page.parent().filter(|folder| *folder != Path::new("") && !folder.is_dir())
    {
        return Err(no_folder(folder, "--report"));
    }
    // It has time, and whoever else works on this machine has not.
    let _ = rustix::process::nice(10);
    let began = clock::now();
    // A panic is a finding, told with its history; on the way to it there may be thousands.
    let told = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let lived = match &args.ledger {
        Some(path) => with_ledger(args, path, &blocks, how).map(|sum| (sum, None)),
        None => without(here, args, &blocks, how),
    };
    std::panic::set_hook(told);
    let (sum, failed) = lived?;
    tell(here, args, jobs, &sum, clock::now().since(began));
    if let Some(path) = &args.report {
        let machine = args.machine.clone().unwrap_or_else(|| {
            // The page is English, as all pages under docs/ are.
            format!("{processors} {}", if processors == 1 { "processor" } else { "processors" })
        });
        let page = report::page(&Of::this(&args.faults, args.store.name())?, args.from, &machine, &sum);
        std::fs::write(path, page).map_err(|e| {
            Error::failed(say!("the page cannot be written: {e}", "страницу записать не удалось: {e}"))
                .at(path.display())
                .remedy(say!(
                    "name another file with --report; what was lived through is in the ledger",
                    "укажите другой файл через --report; пройденное записано в журнал прогона"
                ))
        })?;
    }
    match (failed, sum.failed.as_slice()) {
        (Some(error), _) => Err(error),
        (None, []) => Ok(ExitCode::SUCCESS),
        (None, [first, ..]) => {
            let (broken, seed, name, what) = (count(&sum), first.seed, &first.name, &first.what);
            let what = say!(
                "{broken}; seed {seed} broke {name}: {what}",
                "{broken}; seed {seed} нарушает {name}: {what}"
            );
            let (faults, store) = (&args.faults, args.store.name());
            let remedy = say!(
                "look: orch sim run --seeds 1 --from {seed} --faults {faults} --store {store}",
                "посмотрите: orch sim run --seeds 1 --from {seed} --faults {faults} --store {store}"
            );
            Err(Error::failed(what).remedy(remedy))
        }
    }
}

fn no_folder(folder: &Path, option: &str) -> Error {
    Error::new(Kind::NotFound, say!("there is no such folder", "такой папки нет"))
        .at(folder.display())
        .remedy(say!(
            "make it, or name another one with {option}",
            "создайте её или укажите другую через {option}"
        ))
}

fn count(sum: &Sum) -> String {
    let histories =
        counted(sum.failed.len() as u64, ["history", "histories"], ["история", "истории", "историй"]);
    say!("{histories} broke a promise", "обещание нарушено: {histories}").into()
}

/// To the first that fails; that one is made short and kept.
fn without(here: &Here, args: &Args, blocks: &[Block], how: How<'_>) -> Result<(Sum, Option<Error>), Error> {
    let (mut sum, mut broke, mut cpu) = (Sum::default(), None, processor());
    many::live(blocks, how, &mut |mut lived| {
        lived.sum.cpu = since(&mut cpu);
        sum.plus(&lived.sum);
        broke = lived.broke;
        Ok(())
    })?;
    let Some(broke) = broke else { return Ok((sum, None)) };
    let mut journals = args.store.journals()?;
    let mut ground = Ground { journal: &mut *journals, also: nothing_else };
    let kept = keep(here, args, broke, &mut ground);
    // Whoever reads what follows may leave early, and then the program ends at once: the stores are gone by then.
    drop(journals);
    Ok((sum, Some(kept?)))
}

/// All that the ledger does not have yet.
fn with_ledger(args: &Args, path: &Path, blocks: &[Block], how: How<'_>) -> Result<Sum, Error> {
    let mut ledger = Ledger::open(path, Of::this(&args.faults, args.store.name())?)?;
    let left: Vec<Block> = blocks.iter().copied().filter(|block| !ledger.has(*block)).collect();
    let mut cpu = processor();
    many::live(&left, how, &mut |mut lived| {
        lived.sum.cpu = since(&mut cpu);
        ledger.add(lived.block, lived.sum)
    })?;
    Ok(ledger.sum_of(blocks))
}

/// Processor time that this process has used, in milliseconds.
fn processor() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after = stat.rsplit_once(')').map_or("", |(_, after)| after);
    // The kernel counts in hundredths of a second, whatever its own tick.
    after.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum::<u64>() * 10
}

fn since(before: &mut u64) -> u64 {
    let now = processor();
    now.saturating_sub(std::mem::replace(before, now))
}

pub(super) fn no_journal(trouble: Trouble) -> Error {
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
fn keep(here: &Here, args: &Args, broke: Broke, ground: &mut Ground<'_>) -> Result<Error, Error> {
    let (seed, mut lines, mut outcome) = broke;
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

fn tell(here: &Here, args: &Args, jobs: usize, sum: &Sum, took: Span) {
    if here.json {
        screen::json(&json!({
            "from": args.from, "histories": sum.histories, "faults": args.faults, "store": args.store.name(),
            "jobs": jobs, "lines": sum.lines, "lifecycles": sum.lifecycles, "events": sum.events,
            "outside": sum.outside, "evaluated": sum.looks(), "promises": sum.promises,
            "injected": sum.faults, "crashes": sum.crashes, "by": sum.by, "failed": sum.failed,
            "milliseconds": took.0, "processor": sum.cpu, "digest": sum.digest,
        }));
        return;
    }
    let lang = words().lang;
    let (took, cpu) = (figure::span(took, lang), figure::span(Span(sum.cpu), lang));
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
                "{} of {} lines; {} say what came from outside",
                "{}, строк в них {}; из них о том, что пришло снаружи, {}",
                sum.histories,
                sum.lines,
                sum.outside
            ),
        ),
        row(
            say!("lifecycles", "задачи"),
            say!(
                "{} in {cpu}: {} a minute of processor; it took {took} with {jobs} at once",
                "{} за {cpu}: {} за минуту процессора; всего {took}, одновременно {jobs}",
                sum.lifecycles,
                sum.a_minute()
            ),
        ),
        row(
            say!("events", "события"),
            say!("{}, {:.0} a lifecycle", "{}, на задачу {:.0}", sum.events, sum.each(sum.events)),
        ),
        row(
            say!("faults", "сбои"),
            say!(
                "{}, {:.0} a lifecycle; the brain died {} times, {:.1} a lifecycle",
                "{}, на задачу {:.0}; сам Orch падал {} раз, на задачу {:.1}",
                sum.faults,
                sum.each(sum.faults),
                sum.crashes,
                sum.each(sum.crashes)
            ),
        ),
        row(
            say!("promises", "обещания"),
            say!(
                "looked at {} times, {:.0} a lifecycle",
                "проверок {}, на задачу {:.0}",
                sum.looks(),
                sum.each(sum.looks())
            ),
        ),
        row(say!("digest", "отпечаток"), Told::quoted(sum.digest.clone())),
    ];
    screen::out(&screen::table(&rows));
    let by: Vec<_> =
        sum.by.iter().map(|(name, n)| vec![cell(BOLD, format!("{n:>8}")), cell(PLAIN, name)]).collect();
    screen::out(&screen::table(&by));
}
