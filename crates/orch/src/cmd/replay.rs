//! `orch replay`: does the journal, folded again, give what is kept: states, open effects, armed timers?

use std::path::Path;
use std::process::ExitCode;

use orch_core::id::Seq;
use orch_core::replay::Fold;
use orch_store::Reader;
use serde_json::json;

use super::Here;
use crate::error::{Error, Kind, unopened, unread};
use crate::screen;

/// Rows read at once.
const BATCH: usize = 1_000;

/// Fold the journal again.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Compare with the states, open effects and timers that are kept
    #[arg(long)]
    verify: bool,
}

/// Folds, and compares.
///
/// # Errors
/// The store cannot be read, or what is in it contradicts itself.
pub fn run(here: &Here, args: &Args) -> Result<ExitCode, Error> {
    let place = here.home.store();
    let mut reader = Reader::open(&place).map_err(unopened)?;
    let mut fold = Fold::default();
    to_the_end(&mut reader, &place, &mut fold)?;
    let mut compared = None;
    if args.verify {
        // A brain may write meanwhile: the last rows and the tables are read as they are at one moment.
        reader.hold_still().map_err(unread)?;
        to_the_end(&mut reader, &place, &mut fold)?;
        compared = Some(compare(&mut reader, &place, &fold)?);
    }
    let counts = fold.counts();
    if here.json {
        let mut said = json!({
            "rows": fold.last(),
            "entities": fold.states().len(),
            "decided_again": counts.decided,
            "of_other_rules": counts.other_rules,
            "without_policy": counts.without_policy,
        });
        if let Some(Compared { states, effects, timers }) = compared {
            said["compared"] = json!({ "states": states, "effects": effects, "timers": timers });
        }
        screen::json(&said);
        return Ok(ExitCode::SUCCESS);
    }
    let number = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    let rows = screen::count(number(fold.last().0), "row");
    let mut said =
        format!("{rows} folded, chain and hashes hold; {} decided again as before", counts.decided);
    if counts.other_rules > 0 {
        said.push_str(&format!(", {} not, because other rules decided them", counts.other_rules));
    }
    if counts.without_policy > 0 {
        said.push_str(&format!(", {} not, because their policy is not there", counts.without_policy));
    }
    if let Some(Compared { states, effects, timers }) = compared {
        let [states, effects, timers] = [(states, "state"), (effects, "open effect"), (timers, "timer")]
            .map(|(n, what)| screen::count(n, what));
        said.push_str(&format!("; {states}, {effects} and {timers} equal what is kept"));
    }
    screen::line(&said);
    Ok(ExitCode::SUCCESS)
}

/// Folds all rows that there are now.
fn to_the_end(reader: &mut Reader, place: &Path, fold: &mut Fold) -> Result<(), Error> {
    let end = reader.head().map_err(unread)?.seq;
    while fold.last() < end {
        let rows = reader.rows(Seq(fold.last().0 + 1), BATCH).map_err(unread)?;
        if rows.is_empty() {
            let cause = format!("row {} is missing though the journal ends at {end}", fold.last().0 + 1);
            return Err(damaged(place, cause));
        }
        for row in rows.iter().take_while(|row| row.seq <= end) {
            fold.take_read(row).map_err(|illegal| damaged(place, illegal.to_string()))?;
        }
    }
    Ok(())
}

/// How much was compared.
#[derive(Debug, Clone, Copy)]
struct Compared {
    states: usize,
    effects: usize,
    timers: usize,
}

fn compare(reader: &mut Reader, place: &Path, fold: &Fold) -> Result<Compared, Error> {
    for (entity, (seq, state)) in fold.states() {
        let cause = match reader.state(entity).map_err(unread)? {
            Some(kept) if kept.seq == *seq && kept.state == *state => continue,
            Some(kept) => format!(
                "{entity}: the kept state (of row {}) is not the fold of the journal (row {seq})",
                kept.seq
            ),
            None => format!("{entity}: its state is gone"),
        };
        return Err(damaged(place, cause));
    }
    let kept = reader.entities().map_err(unread)?;
    if let Some(entity) = kept.iter().find(|entity| !fold.states().contains_key(entity)) {
        return Err(damaged(place, format!("{entity}: a state is kept, and no row of the journal made it")));
    }
    let effects = reader.open_effects().map_err(unread)?;
    let timers = reader.armed_timers().map_err(unread)?;
    fold.compare(&effects, &timers).map_err(|differs| damaged(place, differs.to_string()))?;
    Ok(Compared { states: kept.len(), effects: effects.len(), timers: timers.len() })
}

fn damaged(place: &Path, cause: String) -> Error {
    Error::new(Kind::Damaged, cause)
        .at(place.display())
        .remedy("keep this file, restore a backup with `orch restore`, and report it as a defect")
}
