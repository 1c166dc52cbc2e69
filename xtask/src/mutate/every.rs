//! Is every expression of core looked at by some test? (decision 60)
//!
//! The mutants are those of `cargo mutants`; all are built at once ([`switch`]), so that each costs as long as the tests take
//! until one goes red. Those that have no place in such a build are built alone. The tests of core come first, then those of
//! the simulator. Who lives stands with a reason in `crates/sim/survivors.txt`, and at least 95 of 100 are caught.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use serde_json::Value;

use super::copy::Copy;
use super::known::Known;
use super::side_by_side;
use super::switch::{self, Expression};
use super::trial::{self, DEADLINE};
use crate::workspace;

const REPORT: &str = "docs/mutants-of-core.md";
const SURVIVORS: &str = "crates/sim/survivors.txt";
const PACKAGE: &str = "orch-core";
const SIMULATOR: &str = "orch-sim";
const ROOT: &str = "crates/core/src/lib.rs";

/// How many of a hundred are caught at least (issue "the world on a bench").
const CAUGHT: f64 = 95.0;

/// What is run against each, the quick and telling first: a package, what of it is built, what of that is run.
const TRIALS: &[Kind] = &[
    (PACKAGE, &["--lib"], &[]),
    (SIMULATOR, &["--test", "it"], &["golden::"]),
    (SIMULATOR, &["--test", "it"], &["rows::", "rows_of_tasks::", "twice::", "records::"]),
    (SIMULATOR, &["--test", "it"], &["stories::", "--skip=histories::"]),
    (
        SIMULATOR,
        &["--test", "it"],
        &[
            "faults::",
            "tables::",
            "pipeline::",
            "outages::",
            "full_disk::",
            "histories::kept",
            "--skip=thousand",
        ],
    ),
];

/// Tests with a mutant that take so many times as long as without one have no end ...
const PATIENCE: u32 = 8;
/// ... but what is this quick may be slow for other reasons.
const QUICK: Duration = Duration::from_secs(2);

type Kind = (&'static str, &'static [&'static str], &'static [&'static str]);

/// What became of a mutant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// By the tests of this package; or they had no end.
    Caught(&'static str),
    Lives,
    /// The types do not allow it.
    DoesNotBuild,
}

impl Fate {
    pub(super) const ALL: [Fate; 4] =
        [Fate::Caught(PACKAGE), Fate::Caught(SIMULATOR), Fate::Lives, Fate::DoesNotBuild];

    /// It, in a word.
    pub(super) fn word(self) -> &'static str {
        match self {
            Fate::Caught(package) => package,
            Fate::Lives => "lives",
            Fate::DoesNotBuild => "does-not-build",
        }
    }
}

/// Runs them all, writes the report, and fails if too many live or one without a reason; a run that was ended is gone on with, if
/// nothing has changed. With `only`, those alone whose file or name contains one of its words (joined by commas), and no report.
pub(crate) fn run(root: &Path, only: Option<&str>) -> Result<()> {
    let mut mutants = listed(root)?;
    if let Some(only) = only {
        mutants.retain(|mutant| only.split(',').any(|word| mutant.called().contains(word)));
        ensure!(!mutants.is_empty(), "no mutant of {PACKAGE} has \"{only}\" in its file or name");
    }
    let copy = Copy::make(root, "every")?;
    let (switched, alone) = prepare(&copy, &mutants)?;
    println!("{} mutants: {} in one build, {} to be built alone", mutants.len(), switched.len(), alone.len());
    let mut trials = trials(&copy)?;
    for trial in &mut trials {
        let (green, took) = copy.timed(|| trial.run(None))?;
        ensure!(green, "{} is red without a mutant: {}", trial.package, trial.shown());
        trial.within = took.max(QUICK) * PATIENCE;
    }
    let known = if only.is_none() { Some(Known::of(root)?) } else { None };
    let mut fates = known.as_ref().map(Known::fates).unwrap_or_default();
    if !fates.is_empty() {
        println!("{} are known", fates.len());
    }
    all_of(&trials, &switched, known.as_ref(), &mut fates)?;
    copy.restore(ROOT)?;
    for file in files(&mutants) {
        copy.restore(&file)?;
    }
    for (at, mutant) in alone.iter().enumerate() {
        if fates.contains_key(&mutant.id) {
            continue;
        }
        let fate = built_alone(&copy, mutant, &trials)?;
        println!(
            "alone {}/{} {}:{} {}: {fate:?}",
            at + 1,
            alone.len(),
            mutant.file,
            mutant.line,
            mutant.name
        );
        if let Some(known) = &known {
            known.add(mutant.id, fate)?;
        }
        fates.insert(mutant.id, fate);
    }
    let mut judged = judged(root, &mutants, &fates)?;
    if only.is_none() {
        judged.problems.append(&mut judged.dead);
        std::fs::write(root.join(REPORT), &judged.report)
            .with_context(|| format!("could not write {REPORT}"))?;
    }
    println!("{}", judged.sentence);
    if !judged.problems.is_empty() {
        bail!("{}", judged.problems.join("\n"));
    }
    Ok(())
}

fn listed(root: &Path) -> Result<Vec<Expression>> {
    let mut list = workspace::cargo(root);
    list.args(["mutants", "--list", "--json", "--package", PACKAGE]);
    let list: Vec<Value> = serde_json::from_str(
        &workspace::stdout_of(&mut list)
            .context("cargo-mutants makes the list: `cargo install --locked cargo-mutants@27.1.0`")?,
    )
    .context("the list of mutants")?;
    list.iter().enumerate().map(|(id, listed)| Expression::read(id, listed)).collect()
}

fn files(mutants: &[Expression]) -> BTreeSet<String> {
    mutants.iter().map(|mutant| mutant.file.clone()).collect()
}

/// Rewrites the copy, so that it builds: the mutants that are in this build, and those that have to be built alone.
fn prepare<'a>(copy: &Copy, mutants: &'a [Expression]) -> Result<(Vec<&'a Expression>, Vec<&'a Expression>)> {
    let mut refused = Refused::default();
    copy.write(ROOT, &format!("{}{}", copy.read(ROOT)?, switch::CHOICE))?;
    let original = |file: String| Ok((copy.read(&file)?, file));
    let originals = files(mutants).into_iter().map(original).collect::<Result<Vec<_>>>()?;
    loop {
        for (text, file) in &originals {
            let of = |mutant: &&Expression| mutant.file == *file && !refused.mutants.contains(&mutant.id);
            let of: Vec<&Expression> = mutants.iter().filter(of).collect();
            let rewritten = switch::rewritten(text, &of, &refused.constant).with_context(|| file.clone())?;
            refused.mutants.extend(rewritten.1);
            copy.write(file, &rewritten.0)?;
        }
        // Core alone is quicker to look at.
        let more = match compiled(copy, &["--package", PACKAGE, "--lib"])? {
            more if more.is_empty() => {
                compiled(copy, &["--package", PACKAGE, "--package", "orch-sim", "--tests"])?
            }
            more => more,
        };
        if more.is_empty() {
            return Ok(mutants.iter().partition(|mutant| !refused.mutants.contains(&mutant.id)));
        }
        refused.mutants.extend(more.mutants);
        refused.constant.extend(more.constant);
    }
}

/// At what the compiler takes offence.
#[derive(Default)]
struct Refused {
    /// The text of these mutants, or something beside them, as with a function of another type.
    mutants: BTreeSet<usize>,
    /// That these functions are not `const`.
    constant: BTreeSet<String>,
}

impl Refused {
    fn is_empty(&self) -> bool {
        self.mutants.is_empty() && self.constant.is_empty()
    }
}

/// What the compiler says of the copy.
fn compiled(copy: &Copy, what: &[&str]) -> Result<Refused> {
    let mut check = cargo(copy);
    check.args(["check", "--locked", "--message-format=json"]).args(what);
    let checked = check.output().context("could not start cargo")?;
    let mut refused = Refused::default();
    for line in String::from_utf8_lossy(&checked.stdout).lines() {
        let Ok(said) = serde_json::from_str::<Value>(line) else { continue };
        let message = &said["message"];
        if said["reason"] != "compiler-message" || message["level"] != "error" {
            continue;
        }
        if message["code"]["code"] == "E0015" {
            // "cannot call non-const associated function `Span::seconds` in constants"
            let name = message["message"].as_str().and_then(|text| text.split('`').nth(1));
            refused.constant.extend(name.and_then(|path| path.rsplit("::").next()).map(str::to_owned));
        } else {
            blame(copy, message, &mut refused);
        }
    }
    if !checked.status.success() && refused.is_empty() {
        bail!("the copy does not build:\n{}", String::from_utf8_lossy(&checked.stderr));
    }
    Ok(refused)
}

/// The mutants of an error: those whose marks stand in its lines, or else the nearest above.
fn blame(copy: &Copy, message: &Value, refused: &mut Refused) {
    const ABOVE: usize = 16;
    let spans = message["spans"].as_array().map(Vec::as_slice).unwrap_or_default();
    for (primary, above) in [(true, 0), (false, 0), (true, ABOVE)] {
        let mut found = BTreeSet::new();
        for span in spans.iter().filter(|span| !primary || span["is_primary"] == true) {
            let number =
                |key: &str| span[key].as_u64().and_then(|line| usize::try_from(line).ok()).unwrap_or(1);
            // What a macro of somebody else expands to stands in no file of the copy.
            let Ok(text) = copy.read(span["file_name"].as_str().unwrap_or_default()) else { continue };
            let lines: Vec<&str> = text.lines().collect();
            let to = number("line_end").min(lines.len());
            found.extend(switch::marked(&lines[number("line_start").saturating_sub(1 + above).min(to)..to]));
        }
        if !found.is_empty() {
            refused.mutants.extend(found);
            break;
        }
    }
}

/// Cargo in the copy: a changed core is no reason for warnings.
fn cargo(copy: &Copy) -> Command {
    let mut cargo = copy.cargo();
    cargo.env("RUSTFLAGS", "--cap-lints=allow");
    cargo
}

/// The same for programs that are run thousands of times.
fn optimised(copy: &Copy) -> Command {
    let mut cargo = cargo(copy);
    cargo.env("CARGO_PROFILE_DEV_OPT_LEVEL", "1").env("CARGO_INCREMENTAL", "0");
    cargo
}

/// A program of tests, built, and which of them are run.
struct Trial {
    package: &'static str,
    program: PathBuf,
    folder: PathBuf,
    filter: &'static [&'static str],
    /// Whoever takes longer has no end.
    within: Duration,
}

/// Builds it; what the compiler says, if that cannot be.
fn built(copy: &Copy, mut cargo: Command, (package, target, filter): Kind) -> Result<Result<Trial, String>> {
    cargo.args(["test", "--locked", "--no-run", "--package", package]).args(target);
    let built = cargo.output().context("could not start cargo")?;
    let said = String::from_utf8_lossy(&built.stderr).into_owned();
    let Some(program) = trial::executable(&said).filter(|_| built.status.success()) else {
        return Ok(Err(said));
    };
    let folder = copy.tree.join("crates").join(package.trim_start_matches("orch-"));
    Ok(Ok(Trial { package, program: copy.tree.join(program), folder, filter, within: DEADLINE }))
}

fn trials(copy: &Copy) -> Result<Vec<Trial>> {
    let whole = |kind: &Kind| {
        built(copy, optimised(copy), *kind)?
            .map_err(|said| anyhow!("the tests of {} do not build:\n{said}", kind.0))
    };
    TRIALS.iter().map(whole).collect()
}

impl Trial {
    /// Whether the tests are green with this mutant; those that do not end are red.
    fn run(&self, mutant: Option<usize>) -> Result<bool> {
        let mut tests = Command::new(&self.program);
        tests.current_dir(&self.folder).args(self.filter).arg("--test-threads=1").env("RUST_BACKTRACE", "0");
        tests.env("CARGO_MANIFEST_DIR", &self.folder).stdin(Stdio::null());
        if let Some(id) = mutant {
            tests.env(switch::VARIABLE, id.to_string());
        }
        let (ended, printed) = trial::finished(tests, self.within)?;
        if ended == Some(true) && printed.contains("running 0 tests") {
            bail!("there are no such tests: {}", self.shown());
        }
        Ok(ended == Some(true))
    }

    fn shown(&self) -> String {
        format!("{} {}", self.program.display(), self.filter.join(" "))
    }
}

/// The fate of all that are in one build and not known, as many at a time as there are processors.
fn all_of(
    trials: &[Trial],
    mutants: &[&Expression],
    known: Option<&Known>,
    fates: &mut BTreeMap<usize, Fate>,
) -> Result<()> {
    let mutants: Vec<&&Expression> =
        mutants.iter().filter(|mutant| !fates.contains_key(&mutant.id)).collect();
    let all = fates.len() + mutants.len();
    let (next, fates) = (AtomicUsize::new(0), Mutex::new(fates));
    let work = |_| -> Result<()> {
        while let Some(mutant) = mutants.get(next.fetch_add(1, Ordering::Relaxed)) {
            let mut fate = Fate::Lives;
            for trial in trials {
                if !trial.run(Some(mutant.id))? {
                    fate = Fate::Caught(trial.package);
                    break;
                }
            }
            let Ok(mut fates) = fates.lock() else { bail!("another thread has failed") };
            if let Some(known) = known {
                known.add(mutant.id, fate)?;
            }
            if fate == Fate::Lives {
                println!(
                    "{}/{} lives: {}:{} {}",
                    fates.len() + 1,
                    all,
                    mutant.file,
                    mutant.line,
                    mutant.name
                );
            } else if fates.len() % 100 == 99 {
                println!("{}/{all}", fates.len() + 1);
            }
            fates.insert(mutant.id, fate);
        }
        Ok(())
    };
    side_by_side::run(mutants.len(), work)
}

/// The fate of one that is built alone, as the others are: each program of tests when those before it are green, with the
/// patience of those `trials`.
fn built_alone(copy: &Copy, mutant: &Expression, trials: &[Trial]) -> Result<Fate> {
    let text = copy.read(&mutant.file)?;
    copy.write(&mutant.file, &mutant.alone(&text))?;
    let mut check = cargo(copy);
    let checked = check.args(["check", "--locked", "--package", PACKAGE, "--lib"]).output();
    let mut fate = match checked.context("could not start cargo")?.status.success() {
        true => Fate::Lives,
        false => Fate::DoesNotBuild,
    };
    for (kind, like) in TRIALS.iter().zip(trials) {
        if fate != Fate::Lives {
            break;
        }
        fate = match built(copy, optimised(copy), *kind)? {
            Err(_) => Fate::DoesNotBuild,
            Ok(mut trial) => {
                trial.within = like.within;
                if trial.run(None)? { Fate::Lives } else { Fate::Caught(trial.package) }
            }
        };
    }
    copy.write(&mutant.file, &text)?;
    Ok(fate)
}

/// A mutant that may live: where, what, the line that it changes, and why nobody would notice.
struct Survivor<'a> {
    mutant: &'a str,
    line: &'a str,
    because: &'a str,
}

/// `file: name`, then `  in: the line`, then `  because: the reason`; each in a line.
fn survivors(text: &str) -> Result<Vec<Survivor<'_>>> {
    let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    lines
        .chunks(3)
        .map(|lines| match lines {
            [mutant, line, because] => {
                let after =
                    |line: &'static str, of: &str| format!("{SURVIVORS}: expected `{line}`, found \"{of}\"");
                let line = line.strip_prefix("  in: ").with_context(|| after("  in: ", line))?;
                let because =
                    because.strip_prefix("  because: ").with_context(|| after("  because: ", because))?;
                Ok(Survivor { mutant, line, because })
            }
            other => bail!("{SURVIVORS}: {} has no `in:` and `because:`", other.concat()),
        })
        .collect()
}

struct Judged {
    report: String,
    sentence: String,
    problems: Vec<String>,
    /// Those with a reason that do not live: all that were not run are among them.
    dead: Vec<String>,
}

fn judged(root: &Path, mutants: &[Expression], fates: &BTreeMap<usize, Fate>) -> Result<Judged> {
    let text = workspace::read(root, SURVIVORS)?;
    let survivors = survivors(&text)?;
    let mut files: BTreeMap<&str, [usize; 4]> = BTreeMap::new();
    let mut problems = Vec::new();
    let mut lines = String::new();
    let mut living = BTreeSet::new();
    for mutant in mutants {
        let fate = fates.get(&mutant.id).with_context(|| format!("{} was not run", mutant.name))?;
        let place = match fate {
            Fate::DoesNotBuild => 0,
            Fate::Caught(PACKAGE) => 1,
            Fate::Caught(_) => 2,
            Fate::Lives => 3,
        };
        files.entry(&mutant.file).or_default()[place] += 1;
        if *fate == Fate::Lives {
            let source = workspace::read(root, &mutant.file)?;
            let line = source.lines().nth(mutant.line - 1).unwrap_or_default().trim();
            let name = mutant.called();
            match survivors.iter().position(|known| known.mutant == name && known.line == line) {
                Some(known) => {
                    let because = survivors[known].because;
                    writeln!(lines, "| `{}:{}` | {} | {because} |", mutant.file, mutant.line, mutant.name)?;
                    living.insert(known);
                }
                None => {
                    writeln!(
                        lines,
                        "| `{}:{}` | {} | **no reason yet** |",
                        mutant.file, mutant.line, mutant.name
                    )?;
                    problems.push(format!("lives without a reason:\n{name}\n  in: {line}\n  because: "));
                }
            }
        }
    }
    let dead = survivors.iter().enumerate().filter(|(at, _)| !living.contains(at));
    let dead = dead.map(|(_, known)| format!("{SURVIVORS}: {} does not live", known.mutant)).collect();
    let sum = |place: usize| files.values().map(|counts| counts[place]).sum::<usize>();
    let (core, sim, live) = (sum(1), sum(2), sum(3));
    let compile = core + sim + live;
    #[expect(clippy::cast_precision_loss, reason = "some thousands")]
    let share = 100.0 * (core + sim) as f64 / compile.max(1) as f64;
    if share < CAUGHT {
        problems.push(format!("{share:.1} of 100 are caught, and {CAUGHT} are wanted"));
    }
    let sentence = format!(
        "{} mutants: {} do not compile; of the {compile} others the tests of core catch {core}, the simulator {sim} more, \
         and {live} live: {share:.1} of 100 are caught.",
        mutants.len(),
        sum(0)
    );
    let table: String = files
        .iter()
        .map(|(file, [not, core, sim, live])| format!("| `{file}` | {not} | {core} | {sim} | {live} |\n"))
        .collect();
    let tree = super::report::tree(root)?;
    let report = format!(
        "# Mutants of core\n\n\
         Written by `cargo xtask mutate --every`, which makes every mutant that `cargo mutants` knows of `core`, and runs the \
         tests of core and of the simulator against each, on the tree {tree} (a `+`: with changes besides).\n\n{sentence}\n\n\
         ## Who lives, and why nobody would notice\n\n| where | what | why |\n|---|---|---|\n{lines}\n\
         ## By file\n\n| file | do not compile | caught by core | by the simulator | live |\n|---|---|---|---|---|\n{table}"
    );
    Ok(Judged { report, sentence, problems, dead })
}
