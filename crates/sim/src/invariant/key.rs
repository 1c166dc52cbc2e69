//! Did a key of the installation get anywhere? It is in what every program of the world says and in the outside's errors.
//!
//! To take it out is the work of the ports: here it is shown that nothing goes around them. That the real ones do it is shown
//! by their own tests, which `docs/invariants.src` names.

use orch_core::event::Event;

use super::{Broken, broken};
use crate::memory::MemoryJournal;
use crate::world::World;
use crate::world::tracker::Said;
use crate::world::works::SECRET;

/// No row, no kept text, no comment and no file has a key in it.
pub fn no_key_is_told(journal: &MemoryJournal, world: &World) -> Result<(), Broken> {
    let tells = |text: &str| text.contains(SECRET.trim());
    for row in journal.all() {
        // Whatever comes from outside comes in one of these; all else follows from them.
        let from_outside = matches!(&row.event, Event::Reply(_) | Event::RunEnded(_) | Event::Issue(_));
        if from_outside && tells(&serde_json::to_string(&**row).unwrap_or_default()) {
            broken("no-key-is-told", format!("row {} has a key in it", row.seq))?;
        }
    }
    for (digest, bytes) in journal.texts() {
        if tells(&String::from_utf8_lossy(bytes)) {
            broken("no-key-is-told", format!("the text {digest} has a key in it"))?;
        }
    }
    for (key, issue) in &world.tracker.issues {
        let told = issue.said.iter().any(|said| match said {
            Said::Person(_, what) => tells(what),
            Said::Orch(note) => tells(&serde_json::to_string(note).unwrap_or_default()),
        });
        if told {
            broken("no-key-is-told", format!("a comment under {key} has a key in it"))?;
        }
    }
    for (project, repository) in &world.repositories {
        if let Some(path) = repository.paths_with(&tells) {
            broken("no-key-is-told", format!("{path} of {project} has a key in it"))?;
        }
    }
    Ok(())
}
