//! `orch settings`: which settings hold, after file and environment? Nothing secret is in them.

use std::process::ExitCode;

use orch_core::stage::Role;
use serde_json::json;

use super::Here;
use crate::error::Error;
use crate::screen::{self, BOLD, DIM, PLAIN, cell, paint};
use crate::settings::Settings;

/// Prints them.
///
/// # Errors
/// They cannot be used.
pub fn run(here: &Here) -> Result<ExitCode, Error> {
    let file = here.home.settings();
    let loaded = Settings::load(&file, &here.env)?;
    let settings = &loaded.settings;
    if here.json {
        screen::json(&json!({
            "home": here.home.folder(),
            "file": file,
            "settings": settings,
            "overrides": settings.overrides,
            "environment": loaded.remarks,
        }));
        return Ok(ExitCode::SUCCESS);
    }
    let there = if file.exists() { "" } else { " (not there: defaults)" };
    let language = serde_json::to_value(settings.language).unwrap_or_default();
    let limits = &settings.limits;
    let facts = [
        ("home", here.home.folder().display().to_string()),
        ("file", format!("{}{there}", file.display())),
        ("listen", settings.listen.to_string()),
        ("language", language.as_str().unwrap_or_default().to_owned()),
        ("timezone", settings.timezone.clone()),
        (
            "at once",
            format!(
                "{} agents, {} a project; {} tests",
                limits.agents, limits.agents_a_project, limits.gates
            ),
        ),
        (
            "money",
            format!("{} US dollars a day, {} a task", limits.day_dollars, settings.ceilings.task_dollars),
        ),
    ];
    let rows: Vec<_> = facts.iter().map(|(name, value)| vec![cell(DIM, name), cell(PLAIN, value)]).collect();
    screen::out(&screen::table(&rows));
    for (id, project) in &settings.projects {
        screen::line(&format!(
            "\n{} {}",
            paint(BOLD, id),
            paint(DIM, &format!("{}-001 ...", project.prefix))
        ));
        let mut rows =
            vec![vec![cell(DIM, "repository"), cell(PLAIN, project.repository.display().to_string())]];
        for role in Role::ALL {
            let who = match settings.chosen(id, role) {
                Some(chosen) => [Some(chosen.agent), chosen.model, chosen.effort]
                    .into_iter()
                    .flatten()
                    .collect::<Vec<_>>()
                    .join(" "),
                None => "no agent: tasks wait here for one".to_owned(),
            };
            rows.push(vec![cell(DIM, role.name()), cell(PLAIN, who)]);
        }
        screen::out(&screen::table(&rows));
    }
    if !loaded.remarks.is_empty() {
        screen::line(&format!("\n{}", paint(DIM, "environment")));
        let row = |remark: &crate::settings::environment::Remark| {
            vec![cell(PLAIN, &remark.variable), cell(DIM, &remark.says)]
        };
        screen::out(&screen::table(&loaded.remarks.iter().map(row).collect::<Vec<_>>()));
    }
    Ok(ExitCode::SUCCESS)
}
