//! What happens when orch.toml is edited while Orch serves? A good one holds at once: limits are told to the brain, new
//! projects begin, those that are gone take no new work. A refused one is an event, and shown until it is mended.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::sync::Arc;

use orch_core::event::{Event, SettingsRefusal};
use orch_core::id::{Entity, ProjectId};
use orch_core::time::Moment;
use orch_engine::{Incoming, Target, clock};

use super::{Outside, blocking, lock, project, sweep};
use crate::home::Home;
use crate::reload::Reloaded;
use crate::settings::{Settings, SettingsError};

/// A file that is written in place is let alone for so many milliseconds: half of it can be a good one too, without the
/// projects of the other half.
const SETTLED: i64 = 1000;

/// Which file orch.toml was at one moment, and when it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    file: u64,
    bytes: u64,
    written: (i64, i64),
}

impl Mark {
    fn of(home: &Home) -> Option<Self> {
        let file = std::fs::metadata(home.settings()).ok()?;
        Some(Self { file: file.ino(), bytes: file.len(), written: (file.mtime(), file.mtime_nsec()) })
    }

    /// Whether somebody may be writing it just now. A file that took the place of the `known` one is whole.
    fn grows(&self, known: Option<u64>, now: Moment) -> bool {
        let age = now.0 - (self.written.0 * 1000 + self.written.1 / 1_000_000);
        known == Some(self.file) && (0..SETTLED).contains(&age)
    }
}

/// What is known of the file.
#[derive(Debug)]
pub struct Edited {
    /// Which file it was when it was looked at last.
    file: Option<u64>,
    /// What was taken up; `None` before anything was.
    seen: Option<Option<Mark>>,
    /// Why the newest text was refused, until it is mended.
    refused: Option<String>,
    /// It could not be read, or a project of it could not begin yet.
    unfinished: bool,
    /// The day on which the brain last took all of it; `None` as long as it did not take what was seen last. Once a day it is
    /// told again, for limits hold a calendar of this year and the next.
    told: Option<i64>,
}

impl Edited {
    /// Nothing was taken up yet.
    pub fn new(home: &Home) -> Self {
        let file = Mark::of(home).map(|mark| mark.file);
        Self { file, seen: None, refused: None, unfinished: false, told: None }
    }

    /// Whether this file is to be taken up on this day, or all of it is done and told.
    fn is_due(&self, mark: Option<Mark>, day: i64) -> bool {
        self.seen != Some(mark) || self.unfinished || self.told != Some(day)
    }
}

/// Takes the file up if it was written since the last look, if something of it could not begin yet or was not taken by the
/// brain, and once a day. Otherwise nobody is woken. With every sweep, and for the front door, that need not wait for one.
pub async fn look(outside: &Arc<Outside>) {
    // Who asked at the front door can be gone before the end: what was begun is done all the same.
    let theirs = Arc::clone(outside);
    let looking = outside.tasks.spawn(async move { look_to_the_end(&theirs).await });
    if let Err(error) = looking.await {
        tracing::error!(%error, "a look at orch.toml stopped; the next one does it all");
    }
}

async fn look_to_the_end(outside: &Arc<Outside>) {
    let mut edited = outside.edited.lock().await;
    let (mark, now) = (Mark::of(&outside.home), clock::now());
    let day = now.0.div_euclid(24 * 60 * 60 * 1000);
    if !edited.is_due(mark, day) {
        return;
    }
    // What was taken up already was whole.
    if edited.seen != Some(mark) && mark.is_some_and(|mark| mark.grows(edited.file, now)) {
        return;
    }
    (edited.file, edited.seen, edited.told) = (mark.map(|mark| mark.file), Some(mark), None);
    edited.told = take_up(outside, &mut edited).await.then_some(day);
}

/// Takes up what the file says now. What it said before is no news to the brain. False: the brain did not take all of it.
async fn take_up(outside: &Arc<Outside>, edited: &mut Edited) -> bool {
    let (offered, was_read) = offer(outside);
    match offered {
        Reloaded::Same => {}
        Reloaded::Changed(_) => {
            // Policies stand below its ceilings: they are read again.
            for project in outside.in_settings() {
                lock(&project.refs).forget();
            }
            tracing::info!(
                "orch.toml changed and holds; where to listen and what projects are made of follow at the next start"
            );
        }
        Reloaded::Refused(cause) => {
            tracing::warn!(cause, "orch.toml is refused; the last good one stays");
            edited.refused = Some(cause);
        }
    }
    // Mended to what it said before is the same again.
    if lock(&outside.settings).is_good() {
        edited.refused = None;
    }
    if let Some(cause) = &edited.refused {
        edited.unfinished = !was_read;
        return tell_refused(outside, cause.clone()).await;
    }
    let settings = outside.settings();
    let retired = retire(outside, &settings).await;
    let begun = begin(outside, &settings).await;
    edited.unfinished = begun.is_err();
    let told = match begun {
        Ok(()) => {
            let limits = Box::new(settings.core_limits(clock::now()));
            tell(outside, Event::LimitsChanged(limits)).await
        }
        Err(cause) => {
            tracing::warn!(cause, "a project of orch.toml cannot begin");
            tell_refused(outside, cause).await
        }
    };
    retired && told
}

/// What the file says, and whether it could be read: one that cannot be read now is no older for that when it can.
fn offer(outside: &Outside) -> (Reloaded<Settings, String>, bool) {
    let file = outside.home.settings();
    let text = match std::fs::read_to_string(&file) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return (Reloaded::Same, true),
        // A text that is none, so that it is refused once, and read again when it can be.
        Err(e) => {
            let unread = |_: &str| Err(format!("{}: {e}", file.display()));
            return (lock(&outside.settings).offer(&format!("\0{e}"), unread), false);
        }
    };
    let read = |text: &str| {
        Settings::of_text(&file, text, &outside.env).map(|(settings, _)| settings).map_err(|e| match e {
            SettingsError::File(error) => error.to_string(),
            SettingsError::Read { .. } | SettingsError::Environment { .. } => {
                format!("{}: {}", e.place(), e.problem())
            }
        })
    };
    (lock(&outside.settings).offer(&text, read), true)
}

/// Tells the brain of the installation's settings. False: it did not take it.
async fn tell(outside: &Arc<Outside>, event: Event) -> bool {
    sweep::tell(outside, Incoming::of(Target::Entity(Entity::Installation), event)).await.is_some()
}

async fn tell_refused(outside: &Arc<Outside>, cause: String) -> bool {
    tell(outside, Event::SettingsRefused(SettingsRefusal { cause })).await
}

/// Projects that the brain knows and the settings do not: nothing new of them begins. False: it did not take all of them.
async fn retire(outside: &Arc<Outside>, settings: &Settings) -> bool {
    let mut taken = true;
    for incoming in retired(outside, settings).await {
        taken &= sweep::tell(outside, incoming).await.is_some();
    }
    taken
}

/// What the brain is to be told of them.
pub(super) async fn retired(outside: &Outside, settings: &Settings) -> Vec<Incoming> {
    let known = outside.asker.ask(|board, _| {
        board
            .projects()
            .filter(|(_, state)| state.retired.is_none())
            .map(|(id, _)| id.clone())
            .collect::<Vec<ProjectId>>()
    });
    let mut gone = known.await.unwrap_or_default();
    gone.retain(|id| !settings.projects.contains_key(id.as_str()));
    let told = gone.into_iter().map(|id| {
        tracing::warn!(project = %id, "the project no longer stands in orch.toml: nothing new of it begins");
        Incoming::of(Target::Entity(Entity::Project(id)), Event::ProjectRetired)
    });
    told.collect()
}

/// Projects that the settings name and nobody made yet begin.
async fn begin(outside: &Arc<Outside>, settings: &Settings) -> Result<(), String> {
    let there = outside.projects();
    let new: Vec<String> = settings
        .projects
        .keys()
        .filter(|name| !there.contains_key(&ProjectId::from((*name).clone())))
        .cloned()
        .collect();
    let mut failed = None;
    for name in new {
        let (theirs, settings) = (Arc::clone(outside), settings.clone());
        let only = name.clone();
        let made = blocking(move || {
            let maker = project::Maker {
                home: &theirs.home,
                settings: &settings,
                wishes: &theirs.wishes,
                user: theirs.user,
                texts: &theirs.texts,
                tracker: &theirs.tracker,
            };
            maker.one(&only).map_err(|e| e.to_string())
        });
        match made.await {
            Some(Ok(made)) => {
                let made = Arc::new(made);
                let mut all: BTreeMap<_, _> = (*outside.projects()).clone();
                all.insert(made.id.clone(), Arc::clone(&made));
                *lock(&outside.all_projects) = Arc::new(all);
                tracing::info!(project = %made.id, "a project was added to orch.toml and begins");
                // If the brain does not take it the first sweep brings it, which has not seen this project's main yet.
                let _ = sweep::policy_of(outside, &made).await;
                super::adopt(outside, Some(&made.id)).await;
            }
            Some(Err(cause)) => {
                failed.get_or_insert(cause);
            }
            None => {
                failed.get_or_insert_with(|| format!("{name}: making it stopped; the log says more"));
            }
        }
    }
    failed.map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that a file is taken up again until all of it is done and taken by the brain, and then once a day or when it is
    /// another one: in between nobody is woken.
    #[test]
    fn what_was_not_taken_is_due() {
        let mark = Some(Mark { file: 7, bytes: 0, written: (1_000, 0) });
        let done =
            || Edited { file: Some(7), seen: Some(mark), refused: None, unfinished: false, told: Some(3) };
        assert!(!done().is_due(mark, 3));
        assert!(
            !Edited { refused: Some("listen".to_owned()), ..done() }.is_due(mark, 3),
            "a refusal that was told"
        );
        assert!(Edited { told: None, ..done() }.is_due(mark, 3), "the brain did not take it");
        assert!(Edited { unfinished: true, ..done() }.is_due(mark, 3));
        assert!(done().is_due(mark, 4) && done().is_due(None, 3));
        assert!(Edited { seen: None, ..done() }.is_due(mark, 3));
    }

    /// Proves that a file which is written in place is let alone until its writer is done with it, and that one which took
    /// its place whole, an old one, and one from the future are not.
    #[test]
    fn half_a_file_is_not_taken_up() {
        let mark = Mark { file: 7, bytes: 0, written: (1_000, 500_000_000) };
        let at = |ms| Moment(1_000_500 + ms);
        assert!(mark.grows(Some(7), at(0)) && mark.grows(Some(7), at(SETTLED - 1)));
        assert!(!mark.grows(Some(7), at(SETTLED)) && !mark.grows(Some(7), at(-1)));
        assert!(!mark.grows(Some(6), at(0)) && !mark.grows(None, at(0)));
    }
}
