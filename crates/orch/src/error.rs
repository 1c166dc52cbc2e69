//! What does a person see when something goes wrong, and what does a script? The only place of kinds, hints and exit
//! codes (ARCHITECTURE.md: errors have three rooms).
//!
//! | exit code | kind | when |
//! |---|---|---|
//! | 0 | | done |
//! | 1 | `failed` | it was tried and did not work |
//! | 2 | `usage` | the command line is not understood |
//! | 3 | `not_found` | there is no such task, project or file |
//! | 4 | `refused` | understood, and not now or not like this |
//! | 5 | `not_running` | the brain is not running |
//! | 6 | `damaged` | the store is damaged or too new |
//! | 7 | `settings` | a setting or a policy is wrong |

use std::fmt;
use std::process::ExitCode;

use serde_json::json;

use crate::policy_file::PolicyError;
use crate::screen;
use crate::settings::SettingsError;
use crate::words::{Told, words};

/// What sort of failure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It was tried and did not work.
    Failed,
    /// The command line is not understood.
    Usage,
    /// There is no such thing.
    NotFound,
    /// Understood, and not now or not like this.
    Refused,
    /// The brain is not running.
    NotRunning,
    /// The store is damaged or too new.
    Damaged,
    /// A setting or a policy is wrong.
    Settings,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 7] = [
        Kind::Failed,
        Kind::Usage,
        Kind::NotFound,
        Kind::Refused,
        Kind::NotRunning,
        Kind::Damaged,
        Kind::Settings,
    ];

    /// The name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Failed => "failed",
            Kind::Usage => "usage",
            Kind::NotFound => "not_found",
            Kind::Refused => "refused",
            Kind::NotRunning => "not_running",
            Kind::Damaged => "damaged",
            Kind::Settings => "settings",
        }
    }

    /// The exit code.
    pub const fn code(self) -> u8 {
        match self {
            Kind::Failed => 1,
            Kind::Usage => 2,
            Kind::NotFound => 3,
            Kind::Refused => 4,
            Kind::NotRunning => 5,
            Kind::Damaged => 6,
            Kind::Settings => 7,
        }
    }
}

/// A failure as a person sees it: place, cause, remedy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// What sort.
    pub kind: Kind,
    /// Where: a file and line, a path, an address.
    pub place: Option<String>,
    /// What is wrong.
    pub cause: String,
    /// What to do about it.
    pub remedy: Option<String>,
}

impl Error {
    /// A failure of a kind.
    pub fn new(kind: Kind, cause: Told) -> Self {
        Self { kind, place: None, cause: cause.into(), remedy: None }
    }

    /// It was tried and did not work.
    pub fn failed(cause: Told) -> Self {
        Self::new(Kind::Failed, cause)
    }

    /// Understood, and not now or not like this.
    pub fn refused(cause: Told) -> Self {
        Self::new(Kind::Refused, cause)
    }

    /// The same at a place.
    #[must_use]
    pub fn at(mut self, place: impl fmt::Display) -> Self {
        self.place = Some(place.to_string());
        self
    }

    /// The same with a remedy.
    #[must_use]
    pub fn remedy(mut self, remedy: Told) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// Writes it to standard error, so that standard output holds a whole result or nothing.
    pub fn report(&self, as_json: bool) -> ExitCode {
        if as_json {
            let error = json!({
                "kind": self.kind.name(),
                "place": self.place,
                "cause": self.cause,
                "remedy": self.remedy,
                "exit_code": self.kind.code(),
            });
            anstream::eprintln!("{}", json!({ "error": error }));
        } else {
            anstream::eprintln!("{self}");
        }
        ExitCode::from(self.kind.code())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (bad, dim, end) = (screen::BAD, screen::DIM, screen::BAD.render_reset());
        let words = words();
        let width = words.place.chars().count().max(words.remedy.chars().count());
        write!(f, "{bad}{}{end}: {}", words.error, screen::safe(&self.cause))?;
        if let Some(place) = &self.place {
            write!(f, "\n  {dim}{:<width$}{end} {}", words.place, screen::safe(place))?;
        }
        if let Some(remedy) = &self.remedy {
            write!(f, "\n  {dim}{:<width$}{end} {}", words.remedy, screen::safe(remedy))?;
        }
        Ok(())
    }
}

impl From<SettingsError> for Error {
    fn from(error: SettingsError) -> Self {
        Error::new(Kind::Settings, error.problem()).at(error.place()).remedy(error.remedy())
    }
}

impl From<PolicyError> for Error {
    fn from(error: PolicyError) -> Self {
        Error::new(Kind::Settings, error.problem.clone()).at(error.place()).remedy(error.remedy.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that a script can tell the kinds apart: no code and no name is used twice.
    #[test]
    fn kinds_have_codes_of_their_own() {
        let codes: std::collections::BTreeSet<u8> = Kind::ALL.iter().map(|kind| kind.code()).collect();
        let names: std::collections::BTreeSet<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        assert_eq!((codes.len(), names.len(), codes.first()), (7, 7, Some(&1)));
    }
}
