//! Does an acknowledged commit survive a power cut, whatever the disk had not been told to keep?
//!
//! The real store works in a child process under `strace`; from the record every state is made that a disk may be left in
//! (see [`orch_sim::power`]), and the real store is opened there.

use std::io::Write;
use std::path::Path;
use std::sync::mpsc::sync_channel;

use orch_core::id::{Digest, Seq};
use orch_core::journal::{Blob, Journal};
use orch_sim::contract::sample::Pen;
use orch_sim::power::{Before, Disk, Folders, Image, watched};
use orch_sim::schedule::Dice;
use orch_store::check::{Depth, full};
use orch_store::{Reader, SqliteJournal, backup};

use super::Home;
use super::kill::{ends_a_batch, next_batch};

/// Says in a child process where its store is.
const CHILD: &str = "ORCH_STORE_POWER_CHILD";

/// What a life is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    /// A log that begins afresh again and again, because everything of it was moved.
    Short,
    /// A log that becomes so long that the writer ends it, with the checkpointer beside it that Orch has.
    Long,
}

/// Commits, and says each row once it is durable; does nothing unless [`CHILD`] names a store and a life. In the middle it
/// makes a copy; it stops in order once, and goes on.
#[test]
fn child() {
    let Some(store) = std::env::var_os(CHILD) else { return };
    let store = Path::new(&store);
    let life = if store.parent().unwrap().ends_with("long") { Life::Long } else { Life::Short };
    let (commits, text) = match life {
        Life::Short => (40, 0),
        Life::Long => (250, 200_000),
    };
    let mut out = std::io::stdout();
    let mut say = |text: String| out.write_all(text.as_bytes()).and_then(|()| out.flush()).unwrap();
    for stops in [true, false] {
        let mut journal = SqliteJournal::open(store).unwrap();
        let mut checkpointer = journal.checkpointer().unwrap();
        let (tell, told) = sync_channel::<()>(1);
        let moving = std::thread::spawn(move || match life {
            // While commits go on, but not one after the other: the record would be full of them.
            Life::Short => while told.recv().is_ok() && checkpointer.step().is_ok() {},
            Life::Long => checkpointer.run(),
        });
        let mut pen = Pen::new(journal.head().unwrap());
        // Who reads for long keeps the log from beginning afresh before it is long.
        let mut reader = (life == Life::Long).then(|| rusqlite::Connection::open(store).unwrap());
        if let Some(reader) = &reader {
            reader.execute_batch("BEGIN; SELECT count(*) FROM state").unwrap();
        }
        for n in 0..commits {
            if n == commits * 2 / 3 && reader.take().is_some() {
                let log = std::fs::metadata(store.with_file_name("orch.db-wal")).unwrap().len();
                assert!(log > 4_000 * 4_096, "{log}: it stayed short");
            }
            let mut batch = next_batch(&mut pen);
            if n % 4 == 0 && text > 0 {
                batch.blobs.push(Blob::of(format!("{n}{stops}{}", "x".repeat(text))));
            }
            journal.commit(&batch).unwrap();
            say(format!("durable {}\n", journal.head().unwrap().seq));
            if n % 5 == 0 {
                // Full: it is still at the one before.
                let _ = tell.try_send(());
            }
            if stops && n == commits / 2 {
                let copied = backup::online(store, &store.with_file_name("copy.db")).unwrap();
                say(format!("copied {}\n", copied.head.seq));
            }
        }
        drop(tell);
        if life == Life::Short {
            moving.join().unwrap();
            if stops {
                journal.close().unwrap();
            }
        } else {
            // The checkpointer ends when the journal does.
            if stops {
                journal.close().unwrap()
            } else {
                drop(journal)
            }
            moving.join().unwrap();
        }
    }
}

/// What a child did to its disk. `name` is its folder's, and chooses the life.
fn recorded(name: &str) -> Disk {
    let home = Home::new();
    let root = home.0.path().canonicalize().unwrap().join(name);
    std::fs::create_dir(&root).unwrap();
    let before = Before::of(&root).unwrap();
    let record = home.file("record");
    let done = watched(&std::env::current_exe().unwrap(), &record)
        .args(["--exact", "power::child", "--nocapture"])
        .env(CHILD, root.join("orch.db"))
        .output()
        .expect("strace is there (`cargo xtask ci --install` gets it)");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    Disk::of(&root, &before, &std::fs::read_to_string(record).unwrap()).unwrap_or_else(|e| panic!("{e}"))
}

/// What the cuts came to.
#[derive(Debug, Default)]
struct Tally {
    cuts: u64,
    /// Of all images together.
    acknowledged: u64,
    lost: u64,
    twice: u64,
    /// What was not as it should be, in words.
    wrong: Vec<String>,
}

/// What must be there after a cut, and what may be.
struct Promise {
    /// The hash of each row, the first first.
    rows: Vec<Digest>,
    copy: Vec<u8>,
}

impl Promise {
    fn of(disk: &Disk) -> Self {
        let whole = disk.whole();
        let home = Home::new();
        whole.put(home.0.path()).unwrap();
        let mut journal = SqliteJournal::open(&home.store()).unwrap();
        let rows = journal.rows(Seq(1), usize::MAX).unwrap();
        assert!(full(&home.file("copy.db"), Depth::Thorough, None).unwrap().is_sound());
        Self {
            rows: rows.into_iter().map(|row| row.hash).collect(),
            copy: whole.file("copy.db").unwrap().to_vec(),
        }
    }

    /// Looks at the store in an image, and goes on with it.
    fn look(&self, disk: &Disk, cut: usize, image: &Image, tally: &mut Tally) -> Result<(), String> {
        let said: Vec<u8> = disk.said_before(cut).flatten().copied().collect();
        let said = String::from_utf8_lossy(&said).into_owned();
        let last = |word: &str| {
            let found = said.lines().rev().find_map(|line| line.split_once(word)?.1.trim().parse().ok());
            found.unwrap_or(0_u64)
        };
        let (acknowledged, copied) = (last("durable "), last("copied "));
        tally.cuts += 1;
        tally.acknowledged += acknowledged;
        match image.file("copy.db") {
            Some(copy) if copy == self.copy => {}
            Some(_) => return Err("a copy has its name and is not whole".to_owned()),
            None if copied > 0 => return Err("a copy is gone".to_owned()),
            None => {}
        }
        let home = Home::new();
        image.put(home.0.path()).unwrap();
        // Whoever only looks may come first.
        if acknowledged > 0 && cut.is_multiple_of(2) {
            Reader::open(&home.store())
                .and_then(|mut r| Ok(r.head()?))
                .map_err(|e| format!("a reader: {e}"))?;
        }
        let mut journal = SqliteJournal::open(&home.store()).map_err(|e| {
            tally.lost += acknowledged;
            format!("it does not open: {e}")
        })?;
        let head = journal.head().map_err(|e| e.to_string())?;
        tally.lost += acknowledged.saturating_sub(head.seq.0);
        if head.seq.0 < acknowledged {
            return Err(format!("{} rows of {acknowledged}", head.seq));
        }
        if head.seq.0 > 0 && self.rows.get(head.seq.0 as usize - 1) != Some(&head.hash) {
            return Err(format!("row {} is not what was written", head.seq));
        }
        if !ends_a_batch(Seq(0), head.seq) {
            return Err(format!("{} is within a batch", head.seq));
        }
        let mut pen = Pen::new(head.clone());
        for _ in 0..2 {
            journal.commit(&next_batch(&mut pen)).map_err(|e| format!("it does not go on: {e}"))?;
        }
        let after = journal.head().map_err(|e| e.to_string())?;
        drop(journal);
        let mut journal =
            SqliteJournal::open(&home.store()).map_err(|e| format!("not a second time: {e}"))?;
        if journal.head().map_err(|e| e.to_string())? != after {
            return Err("what was written after it is gone".to_owned());
        }
        for seq in 1..=after.seq.0 {
            let taken = journal.taken(&format!("k{seq}")).map_err(|e| e.to_string())?;
            tally.twice += u64::from(taken.is_some_and(|at| at != Seq(seq)));
        }
        let report = full(&home.store(), Depth::Thorough, None).map_err(|e| e.to_string())?;
        tally.twice += report.rows.saturating_sub(after.seq.0);
        match (report.is_sound(), report.rows == after.seq.0) {
            (true, true) => Ok(()),
            (false, _) => Err(format!("{:?}", report.findings)),
            (true, false) => Err(format!("{} rows, not {}", report.rows, after.seq)),
        }
    }
}

/// Cuts the power so many times, spread over the whole record, and looks at what is left each time.
fn cut(disk: &Disk, promise: &Promise, cuts: u64, tally: &mut Tally) {
    let moments = disk.moments();
    assert!(moments.len() > 100, "it did nothing");
    for seed in 0..cuts {
        let mut dice = Dice::new(seed);
        let moment = moments[dice.below(moments.len())];
        let folders = if dice.chance(50) { Folders::Each } else { Folders::InOrder };
        let image = disk.image(moment, folders, &mut dice);
        if let Err(what) = promise.look(disk, moment, &image, tally) {
            tally.wrong.push(format!("seed {seed}, cut at {moment}, {folders:?}: {what}"));
        }
    }
}

/// Proves that wherever the power goes, every acknowledged row is there once, none is there that was not written, no batch
/// is there in part, the file is sound, work goes on, and a copy that has its name is whole. `ORCH_SEEDS` says how many cuts
/// (40 at least); from 200 on a quarter of them is in a life that is long enough for everything that a store does.
#[test]
fn every_acknowledged_row_survives_a_power_cut() {
    let cuts: u64 =
        std::env::var("ORCH_SEEDS").ok().and_then(|n| n.parse().ok()).map_or(40, |n: u64| n.max(40));
    let mut tally = Tally::default();
    let long = if cuts < 200 { 0 } else { cuts / 4 };
    for (life, cuts) in [("short", cuts - long), ("long", long)] {
        if cuts > 0 {
            let disk = recorded(life);
            cut(&disk, &Promise::of(&disk), cuts, &mut tally);
        }
    }
    let Tally { cuts, acknowledged, lost, twice, wrong } = &tally;
    println!("{cuts} power cuts, {acknowledged} acknowledged rows looked for: {lost} lost, {twice} twice");
    assert!(wrong.is_empty() && *lost == 0 && *twice == 0, "{wrong:#?}");
    assert!(*acknowledged > 0, "nothing was looked for");
}

/// Proves that the test above would notice: on a disk that says "synced" and is not, of the log, of the data file, of a copy
/// or of names, something is lost.
#[test]
fn a_disk_that_lies_is_noticed() {
    let honest = recorded("short");
    let promise = Promise::of(&honest);
    for about in ["orch.db-wal", "orch.db", "copy.db", ""] {
        let mut disk = honest.clone();
        disk.lie_about(|name| name == Path::new(about));
        let mut tally = Tally::default();
        cut(&disk, &promise, 10, &mut tally);
        println!("{about:?}: {} of {}: {:?}", tally.wrong.len(), tally.cuts, tally.wrong.first());
        assert!(!tally.wrong.is_empty(), "{about:?}");
    }
}
