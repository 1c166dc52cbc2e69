//! `orch replay`: does the journal, folded again, give what is kept: states, open effects, armed timers?

use std::path::Path;
use std::process::ExitCode;

use orch_core::id::Seq;
use orch_core::journal::Row;
use orch_core::replay::Fold;
use orch_store::Reader;
use serde_json::json;

use super::Here;
use crate::error::{Error, Kind};
use crate::refusals::{unopened, unread, worded};
use crate::screen;
use crate::words::{Told, counted, say};

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
    to_the_end(&mut reader, &place, &mut fold, &mut |_| {})?;
    let mut compared = None;
    if args.verify {
        // A brain may write meanwhile: the last rows and the tables are read as they are at one moment.
        reader.hold_still().map_err(unread)?;
        to_the_end(&mut reader, &place, &mut fold, &mut |_| {})?;
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
    let rows = counted(fold.last().0, ["row", "rows"], ["строка", "строки", "строк"]);
    let mut told = say!(
        "{rows} folded, chain and hashes hold; {} decided again as before",
        "свёрнуто: {rows}, цепочка и хеши целы; решено заново так же: {}",
        counts.decided
    )
    .to_string();
    if counts.other_rules > 0 {
        told.push_str(&say!(
            ", {} not, because other rules decided them",
            ", не решалось заново из-за других правил: {}",
            counts.other_rules
        ));
    }
    if counts.without_policy > 0 {
        told.push_str(&say!(
            ", {} not, because their policy is not there",
            ", не решалось заново без своей политики: {}",
            counts.without_policy
        ));
    }
    if let Some(Compared { states, effects, timers }) = compared {
        let number = |n: usize| n as u64;
        let states = counted(number(states), ["state", "states"], ["состояние", "состояния", "состояний"]);
        let effects = counted(
            number(effects),
            ["open effect", "open effects"],
            ["открытый эффект", "открытых эффекта", "открытых эффектов"],
        );
        let timers = counted(number(timers), ["timer", "timers"], ["таймер", "таймера", "таймеров"]);
        told.push_str(&say!(
            "; {states}, {effects} and {timers} equal what is kept",
            "; с хранимым совпадает всё: {states}, {effects}, {timers}"
        ));
    }
    screen::line(&told);
    Ok(ExitCode::SUCCESS)
}

/// Folds all rows that there are now, and shows each.
pub(super) fn to_the_end(
    reader: &mut Reader,
    place: &Path,
    fold: &mut Fold,
    see: &mut impl FnMut(&Row),
) -> Result<(), Error> {
    let end = reader.head().map_err(unread)?.seq;
    while fold.last() < end {
        let rows = reader.rows(Seq(fold.last().0 + 1), BATCH).map_err(unread)?;
        if rows.is_empty() {
            let cause = say!(
                "row {} is missing though the journal ends at {end}",
                "строки {} нет, хотя журнал кончается на {end}",
                fold.last().0 + 1
            );
            return Err(damaged(place, cause));
        }
        for row in rows.iter().take_while(|row| row.seq <= end) {
            fold.take_read(row).map_err(|illegal| damaged(place, worded(&illegal)))?;
            see(row);
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
            Some(kept) => say!(
                "{entity}: the kept state (of row {}) is not the fold of the journal (row {seq})",
                "{entity}: хранимое состояние (строка {}) не то, что получается из журнала (строка {seq})",
                kept.seq
            ),
            None => say!("{entity}: its state is gone", "{entity}: состояния нет"),
        };
        return Err(damaged(place, cause));
    }
    let kept = reader.entities().map_err(unread)?;
    if let Some(entity) = kept.iter().find(|entity| !fold.states().contains_key(entity)) {
        return Err(damaged(
            place,
            say!(
                "{entity}: a state is kept, and no row of the journal made it",
                "{entity}: состояние хранится, но ни одна строка журнала его не создавала"
            ),
        ));
    }
    let effects = reader.open_effects().map_err(unread)?;
    let timers = reader.armed_timers().map_err(unread)?;
    fold.compare(&effects, &timers).map_err(|differs| damaged(place, worded(&differs)))?;
    Ok(Compared { states: kept.len(), effects: effects.len(), timers: timers.len() })
}

fn damaged(place: &Path, cause: Told) -> Error {
    Error::new(Kind::Damaged, cause).at(place.display()).remedy(say!(
        "keep this file, restore a backup with `orch restore`, and report it as a defect",
        "сохраните этот файл, восстановите резервную копию командой `orch restore` и сообщите об ошибке"
    ))
}
