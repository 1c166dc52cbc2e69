//! `orch replay`: does the journal, folded again, give the state that is kept?

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
    /// Compare with the states that are kept
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
    // A brain may write meanwhile: the end is where the journal ended when we began.
    let end = reader.head().map_err(unread)?.seq;
    while fold.last() < end {
        let rows = reader.rows(Seq(fold.last().0 + 1), BATCH).map_err(unread)?;
        if rows.is_empty() {
            let cause = format!("row {} is missing though the journal ends at {end}", fold.last().0 + 1);
            return Err(damaged(&place, cause));
        }
        for row in rows.iter().take_while(|row| row.seq <= end) {
            fold.take(row).map_err(|illegal| damaged(&place, illegal.to_string()))?;
        }
    }
    let (mut compared, mut newer) = (0_usize, 0_usize);
    if args.verify {
        for (entity, (seq, state)) in fold.states() {
            match reader.state(entity).map_err(unread)? {
                Some(kept) if kept.seq > end => newer += 1,
                Some(kept) if kept.seq == *seq && kept.state == *state => compared += 1,
                Some(kept) => {
                    let cause = format!(
                        "{entity}: the kept state (of row {}) is not the fold of the journal (row {seq})",
                        kept.seq
                    );
                    return Err(damaged(&place, cause));
                }
                None => return Err(damaged(&place, format!("{entity}: its state is gone"))),
            }
        }
    }
    if here.json {
        screen::json(
            &json!({ "rows": end, "entities": fold.states().len(), "compared": compared, "newer": newer }),
        );
        return Ok(ExitCode::SUCCESS);
    }
    let rows = usize::try_from(end.0).unwrap_or(usize::MAX);
    let mut said = format!("{} folded, chain and hashes hold", screen::count(rows, "row"));
    if args.verify {
        said.push_str(&format!("; {} equal what is kept", screen::count(compared, "state")));
    }
    if newer > 0 {
        said.push_str(&format!("; {newer} moved on meanwhile"));
    }
    screen::line(&said);
    Ok(ExitCode::SUCCESS)
}

fn damaged(place: &std::path::Path, cause: String) -> Error {
    Error::new(Kind::Damaged, cause)
        .at(place.display())
        .remedy("keep this file, restore a backup with `orch restore`, and report it as a defect")
}
