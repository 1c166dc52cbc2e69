//! `orch settings`: which settings hold, after file and environment? Nothing secret is in them.

use std::process::ExitCode;

use orch_core::message;
use orch_core::stage::Role;
use serde_json::{Value, json};

use super::Here;
use crate::error::Error;
use crate::language;
use crate::screen::{self, BOLD, DIM, PLAIN, cell, paint};
use crate::settings::Settings;
use crate::words::{say, words};

/// Prints them.
///
/// # Errors
/// They cannot be used.
pub fn run(here: &Here) -> Result<ExitCode, Error> {
    let file = here.home.settings();
    let loaded = Settings::load(&file, &here.env)?;
    let settings = &loaded.settings;
    // Of who asks here the locale says nothing about `orch up`.
    let named = language::is_named(&loaded.text, &here.env);
    if here.json {
        let mut shown = serde_json::to_value(settings).unwrap_or_default();
        if !named {
            shown["language"] = Value::Null;
        }
        screen::json(&json!({
            "home": here.home.folder(),
            "file": file,
            "settings": shown,
            "overrides": settings.overrides,
            "environment": loaded.remarks,
        }));
        return Ok(ExitCode::SUCCESS);
    }
    let there = match file.exists() {
        true => String::new(),
        false => format!(" ({})", say!("not there: defaults", "файла нет: значения по умолчанию")),
    };
    let language = match (named, settings.language.code()) {
        (true, code) => code.to_owned(),
        (false, code) => say!(
            "not set: that of the locale of `orch up` (here it would be {code})",
            "не задан: тот, что в локали `orch up` (здесь был бы {code})"
        )
        .into(),
    };
    let limits = &settings.limits;
    let facts = [
        (say!("home", "папка данных"), here.home.folder().display().to_string()),
        (say!("file", "файл"), format!("{}{there}", file.display())),
        (say!("listen", "адрес"), settings.listen.to_string()),
        (say!("language", "язык"), language),
        (say!("timezone", "часовой пояс"), settings.timezone.clone()),
        (
            say!("at once", "одновременно"),
            say!(
                "{} agents, {} a project; {} tests",
                "агентов {}, на проект {}; запусков тестов {}",
                limits.agents,
                limits.agents_a_project,
                limits.gates
            )
            .into(),
        ),
        (
            say!("money", "деньги"),
            say!(
                "{} US dollars a day, {} a task",
                "долларов США в день {}, на задачу {}",
                limits.day_dollars,
                settings.ceilings.task_dollars
            )
            .into(),
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
        let mut rows = vec![vec![
            cell(DIM, say!("repository", "репозиторий")),
            cell(PLAIN, project.repository.display().to_string()),
        ]];
        for role in Role::ALL {
            let who = match settings.chosen(id, role) {
                Some(chosen) => [Some(chosen.agent), chosen.model, chosen.effort]
                    .into_iter()
                    .flatten()
                    .collect::<Vec<_>>()
                    .join(" "),
                None => {
                    say!("no agent: tasks wait here for one", "агента нет: задачи будут его ждать").into()
                }
            };
            rows.push(vec![cell(DIM, message::role_name(role, words().lang)), cell(PLAIN, who)]);
        }
        screen::out(&screen::table(&rows));
    }
    if !loaded.remarks.is_empty() {
        screen::line(&format!("\n{}", paint(DIM, &say!("environment", "окружение"))));
        let row = |remark: &crate::settings::environment::Remark| {
            vec![cell(PLAIN, &remark.variable), cell(DIM, &remark.says)]
        };
        screen::out(&screen::table(&loaded.remarks.iter().map(row).collect::<Vec<_>>()));
    }
    Ok(ExitCode::SUCCESS)
}
