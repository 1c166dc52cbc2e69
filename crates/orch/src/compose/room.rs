//! Is there room on the disk to go on? Asked with every sweep, before it is too late to write the answer down.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use orch_core::event::{DiskReading, Event};
use orch_core::id::Entity;
use orch_engine::{Incoming, Target};

use super::{Outside, blocking};

/// Less than this free, and no task gets a turn.
pub const FLOOR: u64 = DiskReading::FLOOR;

/// Work goes on when so much is free again.
pub const ENOUGH: u64 = DiskReading::ENOUGH;

/// What a meter reads with: the free bytes of the disk on which a folder lies.
type Read = dyn Fn(&Path) -> io::Result<u64> + Send + Sync;

/// Tells how many bytes are free where a folder lies.
#[derive(Clone)]
pub struct Meter(Arc<Read>);

impl Meter {
    /// One that reads with this function: for drills and tests.
    pub fn of(read: impl Fn(&Path) -> io::Result<u64> + Send + Sync + 'static) -> Self {
        Self(Arc::new(read))
    }

    /// The free bytes.
    ///
    /// # Errors
    /// The disk cannot be asked.
    pub fn read(&self, folder: &Path) -> io::Result<u64> {
        (self.0)(folder)
    }
}

impl Default for Meter {
    fn default() -> Self {
        Self::of(|folder| {
            let disk = rustix::fs::statvfs(folder)?;
            Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
        })
    }
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Meter")
    }
}

/// Reads the disk and tells the brain when it became too full, or has room again.
pub(super) async fn look(outside: &Arc<Outside>) {
    let theirs = Arc::clone(outside);
    if let Some(free) = blocking(move || theirs.meter.read(theirs.home.folder())).await {
        heed(outside, free).await;
    }
}

/// As [`look`], of what was read. The brain is asked what it knows only where that makes a difference: on the first look,
/// and when there is too little room, or was.
pub(super) async fn heed(outside: &Arc<Outside>, free: io::Result<u64>) {
    let free = match free {
        Ok(free) => free,
        Err(error) => {
            tracing::warn!(%error, "the free space of the disk cannot be told");
            return;
        }
    };
    if free >= FLOOR && outside.roomy.load(Ordering::Relaxed) {
        return;
    }
    let full = outside.asker.ask(|board, _| board.installation().disk_full.is_some()).await;
    let enough = match full {
        Some(true) => free >= ENOUGH,
        Some(false) => free >= FLOOR,
        None => return,
    };
    // What the brain is about to be told may not arrive: it is asked again next time.
    outside.roomy.store(enough && full == Some(false), Ordering::Relaxed);
    if full == Some(!enough) {
        return;
    }
    match enough {
        true => tracing::info!(free, "the disk has room again; work goes on"),
        false => tracing::error!(free, floor = FLOOR, "the disk is too full to go on; make room: work waits"),
    }
    let reading = Event::Disk(DiskReading { enough, free });
    let incoming = Incoming::of(Target::Entity(Entity::Installation), reading);
    if let Err(error) = outside.handle.submit(incoming).await {
        tracing::error!(%error, "and it could not be written down");
    }
}
