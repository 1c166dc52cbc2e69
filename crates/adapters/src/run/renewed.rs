//! Which tokens did a run's program renew in its own copy of a login?
//!
//! They are masked in all that it said, and kept out of what it left. The copy goes with the run's home when the run has ended;
//! what it held is kept in the run's record, as long as that is.

use std::fs;
use std::io::ErrorKind;

use orch_core::call::Failure;
use orch_core::refusal::Refusal;

use super::{About, Masker, RunFolder, RunKind, Secret, io};
use crate::agent;

const FILE: &str = "renewed.json";

/// What is in its copy and was in it: of a run that goes on, and of one that has ended.
pub(super) fn of(folder: &RunFolder) -> Vec<Secret> {
    let kept = fs::read(folder.record.join(FILE)).unwrap_or_default();
    let kept: Vec<String> = serde_json::from_slice(&kept).unwrap_or_default();
    kept.into_iter().map(Secret::new).chain(in_its_home(folder)).collect()
}

/// Keeps in the record what the `mask` of all does not know; done again, it loses none.
pub(super) fn keep(folder: &RunFolder, mask: &Masker) -> Result<(), Failure> {
    if in_its_home(folder).iter().all(|token| mask.knows(token)) {
        return Ok(());
    }
    let new = of(folder).into_iter().filter(|token| !mask.knows(token));
    let all: Vec<String> = new.map(|token| token.expose().to_owned()).collect();
    let bytes =
        serde_json::to_vec(&all).map_err(|e| Failure::permanent(Refusal::Defect { cause: e.to_string() }))?;
    let path = folder.record.join(FILE);
    match crate::process::write_lasting(&folder.record, FILE, &bytes) {
        // A record that was moved aside has nothing to show.
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
        written => written.map_err(io(&path)),
    }
}

fn in_its_home(folder: &RunFolder) -> Vec<Secret> {
    match About::read(&folder.record) {
        Ok(Some(About { kind: RunKind::Agent { login: Some(copy), .. }, .. })) => {
            agent::renewed(&folder.home, &copy)
        }
        Ok(_) | Err(_) => Vec::new(),
    }
}
