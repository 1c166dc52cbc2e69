//! What is wrong with a command line that is not understood? In English `clap` says it; in Russian it is said here.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use orch_core::message::Lang;

use super::help;
use crate::error::{Error, Kind};
use crate::screen;
use crate::words::{Told, say, words};

/// Says what is wrong, or prints the help that was asked for.
pub fn answer(error: &clap::Error, arguments: &[OsString]) -> ExitCode {
    let as_json = arguments.iter().any(|argument| argument == "--json");
    if !error.use_stderr() {
        screen::out(&help::framed(error.render().ansi().to_string()));
        return ExitCode::SUCCESS;
    }
    match (words().lang, error.kind()) {
        (_, ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand) if !as_json => {
            anstream::eprint!("{}", help::framed(error.render().ansi().to_string()));
            ExitCode::from(Kind::Usage.code())
        }
        (Lang::En, _) if !as_json => {
            // Nobody to tell means nothing to do.
            let _ = error.print();
            ExitCode::from(Kind::Usage.code())
        }
        (Lang::En, _) => {
            let cause = Error::new(Kind::Usage, Told::quoted(first_paragraph(error)));
            cause
                .remedy(say!("`orch help` lists what there is", "что есть, покажет `orch help`"))
                .report(true)
        }
        (Lang::Ru, _) => {
            Error::new(Kind::Usage, in_russian(error)).remedy(remedy(error, arguments)).report(as_json)
        }
    }
}

/// The first paragraph: which arguments are missing stands below the first line.
fn first_paragraph(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let lines: Vec<&str> = text.lines().take_while(|line| !line.trim().is_empty()).map(str::trim).collect();
    lines.join(" ").trim_start_matches("error: ").to_owned()
}

/// What is wrong, in Russian.
fn in_russian(error: &clap::Error) -> Told {
    let said = |kind| context(error, kind);
    let argument = said(ContextKind::InvalidArg);
    let value = said(ContextKind::InvalidValue);
    let source = std::error::Error::source(error).map(|source| format!(" ({source})")).unwrap_or_default();
    Told::quoted(match error.kind() {
        ErrorKind::InvalidValue if value.is_empty() => format!("после {argument} нужно значение"),
        ErrorKind::InvalidValue => {
            format!("{argument} не может быть `{value}`, возможно: {}", said(ContextKind::ValidValue))
        }
        ErrorKind::ValueValidation => format!("{argument} не может быть `{value}`{source}"),
        ErrorKind::UnknownArgument => format!("аргумент `{argument}` здесь неизвестен"),
        ErrorKind::InvalidSubcommand => {
            format!("команды `{}` нет", said(ContextKind::InvalidSubcommand))
        }
        ErrorKind::NoEquals => format!("после {argument} нужен знак `=`"),
        ErrorKind::TooManyValues => format!("у {argument} лишнее значение `{value}`"),
        ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => {
            format!("у {argument} не столько значений, сколько нужно")
        }
        ErrorKind::ArgumentConflict => match said(ContextKind::PriorArg) {
            prior if prior == argument || prior.is_empty() => {
                format!("{argument} можно указать только один раз")
            }
            prior => format!("{argument} нельзя указывать вместе с {prior}"),
        },
        ErrorKind::MissingRequiredArgument => format!("не хватает аргументов: {argument}"),
        ErrorKind::MissingSubcommand => "не хватает команды".to_owned(),
        ErrorKind::InvalidUtf8 => "в аргументах не UTF-8".to_owned(),
        _ => format!("командная строка непонятна: {}", first_paragraph(error)), // not a domain enum
    })
}

fn remedy(error: &clap::Error, arguments: &[OsString]) -> Told {
    let meant = [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand, ContextKind::SuggestedValue];
    let meant = meant.into_iter().map(|kind| context(error, kind)).find(|meant| !meant.is_empty());
    let known = help::command();
    let (mut called, mut path) = (&known, String::new());
    for argument in arguments.iter().skip(1) {
        let Some(next) = argument.to_str().and_then(|name| called.find_subcommand(name)) else { break };
        path.push_str(&format!(" {}", next.get_name()));
        called = next;
    }
    let command = if path.is_empty() { "orch help".to_owned() } else { format!("orch{path} --help") };
    match meant {
        Some(meant) => say!("`{command}`; {meant}", "может быть, `{meant}`? справка: `{command}`"),
        None => say!("`{command}`", "справка: `{command}`"),
    }
}

/// What `clap` knows of the error, as a text.
fn context(error: &clap::Error, kind: ContextKind) -> String {
    match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(all)) => all.join(", "),
        Some(ContextValue::Number(n)) => n.to_string(),
        Some(_) | None => String::new(), // not a domain enum
    }
}
