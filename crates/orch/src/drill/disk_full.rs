//! Does work wait while the disk is full, is nothing acknowledged lost, and does it go on when there is room? (decision 33)

use std::path::Path;

use orch_core::event::Event;
use orch_core::id::{Seq, TaskId};
use orch_engine::clock;
use rustix::mount::{MountFlags, UnmountFlags, mount, mount_remount, unmount};
use serde_json::json;

use super::sender::{Answer, Delivery, Signed};
use super::webhook_storm::body;
use super::yard::Yard;
use super::{Told, Unmet, both};
use crate::error::Error;

/// Too little for work, and enough for the journal.
const NARROW: u64 = 64 << 20;

/// Enough to go on: so much may be used, none of it is taken before it is used.
const WIDE: u64 = 4 << 30;

/// What is left of a disk that is about to be full.
const CRUMB: u64 = 1 << 20;

/// So many are written at most until the disk refuses.
const MOST: usize = 20_000;

pub(super) fn fault() -> String {
    both!(
        "the installation's folder on a file system of its own: first too small to work, then without a free byte",
        "папка данных на отдельной файловой системе: сначала слишком мало места для работы, затем ни одного свободного байта"
    )
}

pub(super) fn expected() -> String {
    both!(
        "work waits with the reason; what cannot be written is refused with it, what was acknowledged stays; with room it goes on by itself",
        "работа ждёт с причиной; что нельзя записать, отклоняется с ней, что подтверждено, остаётся; когда место есть, продолжается сама"
    )
}

fn mounted(error: rustix::io::Errno) -> Unmet {
    Unmet::Broken(format!("tmpfs: {error}"))
}

/// Makes the file system so large: with `None` a crumb larger than what is in it.
fn resize(folder: &Path, size: Option<u64>) -> Result<(), Unmet> {
    let used = || {
        let disk = rustix::fs::statvfs(folder)?;
        Ok(disk.f_blocks.saturating_sub(disk.f_bfree).saturating_mul(disk.f_frsize))
    };
    let size = match size {
        Some(size) => size,
        None => used().map_err(mounted)? + CRUMB,
    };
    let size = std::ffi::CString::new(format!("size={size}")).map_err(|e| Unmet::Broken(e.to_string()))?;
    mount_remount(folder, MountFlags::empty(), &size).map_err(mounted)
}

/// The file system, as long as it is mounted.
struct Small<'a>(&'a Path);

impl Drop for Small<'_> {
    fn drop(&mut self) {
        let _ = unmount(self.0, UnmountFlags::DETACH);
    }
}

pub(super) fn play(yard: &mut Yard) -> Result<Told, Unmet> {
    if let Err(why) = yard.mounts() {
        return Err(Unmet::NotTried(both!(
            "no small file system can be mounted: {why}",
            "небольшую файловую систему не смонтировать: {why}"
        )));
    }
    let folder = yard.home().folder().to_owned();
    let size = std::ffi::CString::new(format!("size={NARROW},mode=700"))
        .map_err(|e| Unmet::Broken(e.to_string()))?;
    mount("tmpfs", &folder, "tmpfs", MountFlags::NODEV, size.as_c_str()).map_err(mounted)?;
    let small = Small(&folder);
    let played = full(yard, &folder);
    // Whatever lives in it must end before it is unmounted.
    let ended = yard.end();
    drop(small);
    played.and_then(|told| ended.map(|()| told))
}

/// A delivery about the task, and its answer.
fn hook(yard: &Yard, id: &TaskId) -> Result<Answer, Unmet> {
    let Some(task) = yard.task(id)? else { return Err(Unmet::Broken(format!("{id}: -"))) };
    let body = body(&task, "Another title", "", "to-a-full-disk");
    let answers = yard.target()?.send(&[Delivery { n: 0, signed: Signed::Well, body }], 1);
    match answers.map_err(|e| Unmet::Broken(e.to_string()))?.first() {
        Some(answer) => Ok(*answer),
        None => Err(Unmet::Broken(both!("no answer", "нет ответа"))),
    }
}

fn full(yard: &mut Yard, folder: &Path) -> Result<Told, Unmet> {
    yard.settings("")?;
    yard.up()?;
    let id = yard.ask("A line more", true)?;
    let what = both!("the task waits for room", "задача ждёт места");
    yard.until(&what, |yard| Ok(yard.disk_is_full()?.then_some(())))?;
    let why = yard.why(&id)?;

    resize(folder, None)?;
    let mut acknowledged: Vec<u64> = Vec::new();
    let refused = loop {
        if acknowledged.len() >= MOST {
            return Err(Unmet::Broken(both!("the store is never full", "хранилище не заполняется")));
        }
        let wanted = if acknowledged.len().is_multiple_of(2) { "high" } else { "low" };
        match yard.post(&format!("/api/v1/tasks/{id}/priority"), &json!({ "priority": wanted })) {
            Ok(said) => match said.get("seq").and_then(serde_json::Value::as_u64) {
                Some(seq) => acknowledged.push(seq),
                None => {
                    return Err(Unmet::Broken(both!(
                        "a write was acknowledged without its row: {said}",
                        "запись подтверждена без номера строки: {said}"
                    )));
                }
            },
            Err(error) => break error,
        }
    };
    let Error { cause: refused, .. } = refused;
    if acknowledged.is_empty() {
        return Err(Unmet::Broken(both!(
            "no write was acknowledged before the disk was full, so that none could be lost: {refused}",
            "до заполнения диска не подтверждено ни одной записи, терять было нечего: {refused}"
        )));
    }
    if !refused.to_string().contains(&both!("the disk is full", "диск заполнен")) {
        return Err(Unmet::Broken(both!(
            "what cannot be written is refused with another reason: {refused}",
            "незаписанное отклонено с другой причиной: {refused}"
        )));
    }
    // Who only looks is answered; a tracker is told to come back.
    yard.get(&format!("/api/v1/tasks/{id}"))?;
    let said = hook(yard, &id)?;
    if !said.is_shed() {
        return Err(Unmet::Broken(both!(
            "a delivery to a full disk is answered {said:?}",
            "доставка при полном диске получила ответ {said:?}"
        )));
    }

    resize(folder, Some(WIDE))?;
    let room = clock::now();
    yard.approve(&id)?;
    let recovery = clock::now().since(room);
    let works = yard.developer(&id, 1)?;
    yard.go(&works)?;
    yard.delivered(&id)?;
    let rows = yard.rows(Seq(0))?;
    let stands =
        |seq: &u64| rows.iter().any(|row| row.seq.0 == *seq && matches!(row.event, Event::Gesture(_)));
    let lost = acknowledged.iter().filter(|seq| !stands(seq)).count();
    if lost > 0 {
        return Err(Unmet::Broken(both!(
            "{lost} acknowledged writes are lost",
            "потеряно подтверждённых записей: {lost}"
        )));
    }
    yard.once(&id)?;
    let count = acknowledged.len();
    let happened = both!(
        "it said: \u{201c}{why}\u{201d}; {count} writes were acknowledged and are all there, then: \u{201c}{refused}\u{201d}; with room it went on by itself; merged once",
        "она сказала: «{why}»; подтверждено записей: {count}, все на месте, затем: «{refused}»; с местом продолжила сама; слито один раз"
    );
    Ok(Told { happened, recovery })
}
