//! `orch hosts`: to whom may Orch speak? To nobody that was not configured (decision 38).

use std::process::ExitCode;

use serde_json::json;

use super::Here;
use crate::error::Error;
use crate::screen::{self, BOLD, DIM, cell};
use crate::words::say;

/// Prints the list.
///
/// # Errors
/// The settings cannot be used.
pub fn run(here: &Here) -> Result<ExitCode, Error> {
    let hosts = here.settings()?.hosts();
    if here.json {
        let list: Vec<_> = hosts.iter().map(|(host, what)| json!({ "host": host, "for": what })).collect();
        screen::json(&json!({ "hosts": list }));
        return Ok(ExitCode::SUCCESS);
    }
    if hosts.is_empty() {
        screen::line(&say!(
            "Orch itself speaks to no host. Agents, tests and hooks speak to whom they will.",
            "Сам Orch не обращается ни к одному хосту. Куда обращаются агенты, тесты и команды выкатки, решают они сами."
        ));
        return Ok(ExitCode::SUCCESS);
    }
    let rows: Vec<_> = hosts.iter().map(|(host, what)| vec![cell(BOLD, host), cell(DIM, what)]).collect();
    screen::out(&screen::table(&rows));
    screen::line(&say!(
        "Agents, tests and hooks speak to whom they will.",
        "Куда обращаются агенты, тесты и команды выкатки, решают они сами."
    ));
    Ok(ExitCode::SUCCESS)
}
