//! Which of the states that a disk may be left in is it this time?

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, symlink};
use std::path::{Path, PathBuf};

use crate::schedule::Dice;

use super::disk::{Deed, Disk, Done, Kind, Name, Number, ROOT, Sync, Thing};
use super::record::While;

/// The smallest piece that a disk writes as a whole, save the one that is torn.
const SECTOR: usize = 512;

/// The piece in which systems write files.
const PAGE: usize = 4096;

/// How names reach the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Folders {
    /// POSIX alone: a name is there for sure when its folder was synced, and no sooner than others for being older.
    Each,
    /// As ext4 and XFS keep them: in the order in which they were made, and all that were when anything is synced about
    /// which their own journal has news. With it come lengths of files whose bytes were sent to the disk before.
    InOrder,
}

/// How much of what was not synced has arrived.
#[derive(Debug, Clone, Copy)]
enum Arrived {
    Nothing,
    All,
    /// By chance, in pieces of so many bytes.
    Pieces(usize),
}

/// What is on the disk after a cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image(BTreeMap<PathBuf, Kind>);

impl Image {
    /// Writes it to a folder that is there and empty, for its owner alone.
    ///
    /// # Errors
    /// What the file system says.
    pub fn put(&self, root: &Path) -> io::Result<()> {
        for (path, kind) in &self.0 {
            let path = root.join(path);
            match kind {
                Kind::Folder => DirBuilder::new().mode(0o700).create(path)?,
                Kind::Link(to) => symlink(to, path)?,
                Kind::File(bytes) => {
                    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
                    file.write_all(bytes)?;
                }
            }
        }
        Ok(())
    }

    /// The bytes of a file, if it is there.
    pub fn file(&self, path: impl AsRef<Path>) -> Option<&[u8]> {
        match self.0.get(path.as_ref())? {
            Kind::File(bytes) => Some(bytes),
            Kind::Folder | Kind::Link(_) => None,
        }
    }
}

impl Disk {
    /// A state that the disk may be left in by a cut at this moment.
    pub fn image(&self, cut: usize, folders: Folders, dice: &mut Dice) -> Image {
        let arrived = match dice.below(10) {
            0 => Arrived::Nothing,
            1 => Arrived::All,
            2..=4 => Arrived::Pieces(PAGE),
            _ => Arrived::Pieces(SECTOR), // not a domain enum
        };
        self.left(cut, folders, arrived, dice)
    }

    /// What is on the disk when everything was written back.
    pub fn whole(&self) -> Image {
        let cut = self.moments().last().map_or(0, |last| last + 1);
        self.left(cut, Folders::Each, Arrived::All, &mut Dice::new(0))
    }

    fn left(&self, cut: usize, folders: Folders, arrived: Arrived, dice: &mut Dice) -> Image {
        let names = self.names(cut, folders, arrived, dice);
        let told = self.told(cut).filter(|_| folders == Folders::InOrder);
        let (mut found, mut rest) = (BTreeMap::new(), vec![(PathBuf::new(), ROOT)]);
        // A file may have several names. A folder that was moved may be left in both places; it is looked at in one.
        let mut seen: BTreeMap<Number, Kind> = BTreeMap::new();
        while let Some((place, folder)) = rest.pop() {
            let from = (folder, OsString::new());
            for ((_, name), number) in names.range(from..).take_while(|((of, _), _)| *of == folder) {
                let (path, thing) = (place.join(name), &self.things[*number]);
                let kind = match (seen.get(number), &thing.kind) {
                    (Some(Kind::Folder), _) => continue,
                    (Some(kind @ (Kind::File(_) | Kind::Link(_))), _) => kind.clone(),
                    (None, Kind::Folder) => {
                        rest.push((path.clone(), *number));
                        Kind::Folder
                    }
                    (None, Kind::Link(to)) => Kind::Link(to.clone()),
                    (None, Kind::File(begins)) => Kind::File(thing.left(begins, (cut, told), arrived, dice)),
                };
                seen.insert(*number, kind.clone());
                found.insert(path, kind);
            }
        }
        Image(found)
    }

    /// The last time, before a cut, that a file system which keeps names in order wrote its journal.
    fn told(&self, cut: usize) -> Option<While> {
        let syncs = self.things.iter().flat_map(|thing| &thing.syncs);
        let told = syncs.filter(|sync| sync.tells && sync.during.ended < cut).map(|sync| sync.during);
        told.max_by_key(|during| during.begun)
    }

    fn names(
        &self,
        cut: usize,
        folders: Folders,
        arrived: Arrived,
        dice: &mut Dice,
    ) -> BTreeMap<Name, Number> {
        let begun: Vec<_> = self.namings.iter().filter(|naming| naming.during.begun < cut).collect();
        let over = |sync: &&Sync| sync.during.ended < cut;
        let last = self.told(cut);
        let is_lasting = |during: While, names: &[(Name, Option<Number>)]| match folders {
            Folders::InOrder => last.is_some_and(|told| during.before(told)),
            Folders::Each => names.iter().all(|((folder, _), _)| {
                self.things[*folder].syncs.iter().filter(over).any(|sync| during.before(sync.during))
            }),
        };
        // What lasts takes along what was done to the same names before it.
        let (mut lasting, mut named) = (vec![false; begun.len()], BTreeSet::new());
        for (n, naming) in begun.iter().enumerate().rev() {
            let follows = naming.names.iter().any(|(name, _)| named.contains(name));
            if follows || is_lasting(naming.during, &naming.names) {
                lasting[n] = true;
                named.extend(naming.names.iter().map(|(name, _)| name));
            }
        }
        let loose = lasting.iter().filter(|lasts| !**lasts).count();
        let most = dice.below(loose + 1);
        let (mut names, mut missing, mut passed) = (self.first.clone(), BTreeSet::new(), 0);
        for (naming, lasts) in begun.iter().zip(lasting) {
            let comes = lasts
                || match (arrived, folders) {
                    (Arrived::Nothing, _) => false,
                    (Arrived::All, _) => true,
                    (Arrived::Pieces(_), Folders::InOrder) => {
                        passed += 1;
                        passed <= most
                    }
                    (Arrived::Pieces(_), Folders::Each) => {
                        !naming.names.iter().any(|(name, _)| missing.contains(name)) && dice.chance(50)
                    }
                };
            if !comes {
                missing.extend(naming.names.iter().map(|(name, _)| name));
                continue;
            }
            for (name, number) in &naming.names {
                match number {
                    Some(number) => drop(names.insert(name.clone(), *number)),
                    None => drop(names.remove(name)),
                }
            }
        }
        names
    }
}

impl Thing {
    /// What the programs read in it.
    pub(super) fn now(&self) -> Vec<u8> {
        let begins = match &self.kind {
            Kind::File(begins) => begins.as_slice(),
            Kind::Folder | Kind::Link(_) => &[],
        };
        self.left(begins, (usize::MAX, None), Arrived::All, &mut Dice::new(0))
    }

    /// What a file that began with these bytes holds after a cut. What was sent to the disk lasts from when the file system
    /// told its journal, if that is so there.
    fn left(
        &self,
        begins: &[u8],
        (cut, told): (usize, Option<While>),
        arrived: Arrived,
        dice: &mut Dice,
    ) -> Vec<u8> {
        let synced = self.syncs.iter().map(|sync| sync.during).filter(|sync| sync.ended < cut);
        let sent = self.sent.iter().copied().filter(|sent| told.is_some_and(|told| sent.before(told)));
        let synced = synced.chain(sent).map(|lasts| lasts.begun).max().unwrap_or(0);
        let (lasting, mut loose): (Vec<&Deed>, Vec<&Deed>) = self
            .deeds
            .iter()
            .filter(|deed| deed.during.begun < cut)
            .partition(|deed| deed.during.ended < synced);
        loose.sort_by_key(|deed| deed.during.begun);
        let mut bytes = begins.to_vec();
        for deed in lasting {
            bytes.resize(bytes.len().max(deed.end()), 0);
            deed.to(&mut bytes, 0);
            if let Done::Cut { to } = deed.what {
                bytes.resize(size(to), 0);
            }
        }
        // All lengths that it had since.
        let mut lengths = vec![bytes.len()];
        for deed in &loose {
            let before = lengths.last().copied().unwrap_or(0);
            lengths.push(match &deed.what {
                Done::Wrote { .. } => before.max(deed.end()),
                Done::Cut { to } => size(*to),
            });
        }
        let room = lengths.iter().copied().max().unwrap_or(0);
        let long = match arrived {
            Arrived::Nothing => bytes.len(),
            Arrived::All => lengths.last().copied().unwrap_or(0),
            Arrived::Pieces(_) => lengths[dice.below(lengths.len())],
        };
        bytes.resize(room, 0);
        match arrived {
            Arrived::Nothing => {}
            Arrived::All => loose.iter().for_each(|deed| deed.to(&mut bytes, 0)),
            Arrived::Pieces(piece) => {
                let touched: BTreeSet<usize> =
                    loose.iter().flat_map(|deed| deed.pieces(piece, room)).collect();
                for n in touched {
                    let (from, to) = (n * piece, room.min((n + 1) * piece));
                    let about: Vec<_> = loose.iter().filter(|deed| deed.touches(from, to)).collect();
                    let whole = dice.below(about.len() + 1);
                    for deed in &about[..whole] {
                        deed.to(&mut bytes[from..to], from);
                    }
                    // The next one may have been under way, up to any byte.
                    if whole < about.len() && dice.chance(10) {
                        let torn = from + dice.below(to - from);
                        about[whole].to(&mut bytes[from..torn], from);
                    }
                }
            }
        }
        bytes.resize(long, 0);
        if self.mapped {
            bytes.iter_mut().for_each(|byte| *byte = dice.roll().to_le_bytes()[0]);
        }
        bytes
    }
}

/// A length in memory; none that is longer comes from a record that was read into memory.
fn size(long: u64) -> usize {
    usize::try_from(long).unwrap_or(usize::MAX)
}

impl Deed {
    /// Where what it wrote ends.
    fn end(&self) -> usize {
        match &self.what {
            Done::Wrote { at, bytes } => size(*at) + bytes.len(),
            Done::Cut { .. } => 0,
        }
    }

    /// From where to where it changes bytes.
    fn reach(&self) -> (usize, usize) {
        match &self.what {
            Done::Wrote { at, .. } => (size(*at), self.end()),
            Done::Cut { to } => (size(*to), usize::MAX),
        }
    }

    fn touches(&self, from: usize, to: usize) -> bool {
        let (begin, end) = self.reach();
        begin < to && from < end
    }

    /// The pieces of a file of `room` bytes that it changes.
    fn pieces(&self, piece: usize, room: usize) -> std::ops::Range<usize> {
        let (begin, end) = self.reach();
        let (begin, end) = (begin.min(room), end.min(room));
        begin / piece..end.div_ceil(piece)
    }

    /// Does it to a part of the file that begins at `from`.
    fn to(&self, part: &mut [u8], from: usize) {
        let (begin, end) = self.reach();
        let (begin, end) = (begin.max(from), end.min(from + part.len()));
        if begin >= end {
            return;
        }
        match &self.what {
            Done::Wrote { at, bytes } => {
                let at = size(*at);
                part[begin - from..end - from].copy_from_slice(&bytes[begin - at..end - at]);
            }
            Done::Cut { .. } => part[begin - from..end - from].fill(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::power::Before;

    /// A record in the words of `strace`, from readable ones: texts and paths are turned into hexadecimal.
    fn record(lines: &[&str]) -> String {
        let hex = |text: &str| text.bytes().map(|byte| format!("\\x{byte:02x}")).collect::<String>();
        let mut record = String::new();
        for line in lines {
            let mut inside = false;
            for part in line.split_inclusive(['"', '<', '>']) {
                let (text, mark) = part.split_at(part.len() - usize::from(part.ends_with(['"', '<', '>'])));
                let word = inside && !text.starts_with("unfinished") && !text.starts_with("...");
                record += &if word { hex(text) } else { text.to_owned() };
                record += mark;
                inside = match mark {
                    "<" => true,
                    ">" => false,
                    "\"" => !inside,
                    _ => inside,
                };
            }
            record.push('\n');
        }
        record
    }

    fn disk(lines: &[&str]) -> Disk {
        Disk::of(Path::new("/d"), &Before::default(), &record(lines)).unwrap()
    }

    /// All that may be left after a cut behind the last line, as text; what is not there is "-".
    fn may_be(disk: &Disk, folders: Folders, name: &str) -> BTreeSet<String> {
        let cut = disk.moments().last().unwrap() + 1;
        let images = (0..400).map(|seed| disk.image(cut, folders, &mut Dice::new(seed)));
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace('\0', "0");
        images.map(|image| image.file(name).map_or("-".to_owned(), text)).collect()
    }

    fn set(all: &[&str]) -> BTreeSet<String> {
        all.iter().map(|one| (*one).to_owned()).collect()
    }

    const MADE: &str = "1 openat(AT_FDCWD</d>, \"a\", O_RDWR|O_CREAT, 0600) = 3</d/a>";
    const LOOK: &str = "1 openat(AT_FDCWD</d>, \".\", O_RDONLY) = 4</d>";

    /// Proves that what was synced stays whatever comes, that what was not may be missing, torn or zero, and that a sync
    /// counts only for what was over when it began.
    #[test]
    fn what_was_synced_stays() {
        let first = [MADE, LOOK, "1 fsync(4</d>) = 0", "1 write(3</d/a>, \"ab\", 2) = 2"];
        assert_eq!(may_be(&disk(&first), Folders::Each, "a"), set(&["", "00", "ab", "a0"]));
        let synced = [&first[..], &["1 fdatasync(3</d/a>) = 0"]].concat();
        assert_eq!(may_be(&disk(&synced), Folders::Each, "a"), set(&["ab"]));
        let more = [&synced[..], &["1 pwrite64(3</d/a>, \"c\", 1, 0) = 1"]].concat();
        assert_eq!(may_be(&disk(&more), Folders::Each, "a"), set(&["ab", "cb"]));
        let overlaps = [
            &synced[..],
            &[
                "1 pwrite64(3</d/a>, \"c\", 1, 0 <unfinished ...>",
                "2 fsync(3</d/a>) = 0",
                "1 <... pwrite64 resumed>) = 1",
            ],
        ];
        assert_eq!(may_be(&disk(&overlaps.concat()), Folders::Each, "a"), set(&["ab", "cb"]));
        let cut = [&synced[..], &["1 ftruncate(3</d/a>, 1) = 0"]].concat();
        assert_eq!(may_be(&disk(&cut), Folders::Each, "a"), set(&["a", "ab", "a0"]));
    }

    /// Proves that a name is sure when its folder was synced, that with folders in order any sync will do, and that a rename
    /// comes whole or not at all.
    #[test]
    fn names_last_when_their_folder_was_synced() {
        let made = [MADE, "1 write(3</d/a>, \"x\", 1) = 1", "1 fsync(3</d/a>) = 0"];
        assert_eq!(may_be(&disk(&made), Folders::Each, "a"), set(&["-", "x"]));
        assert_eq!(may_be(&disk(&made), Folders::InOrder, "a"), set(&["x"]));
        let moved = [&made[..], &[LOOK, "1 fsync(4</d>) = 0", "1 rename(\"/d/a\", \"/d/b\") = 0"]].concat();
        let disk = disk(&moved);
        for folders in [Folders::Each, Folders::InOrder] {
            let cut = disk.moments().last().unwrap() + 1;
            for seed in 0..100 {
                let image = disk.image(cut, folders, &mut Dice::new(seed));
                assert_ne!(image.file("a").is_some(), image.file("b").is_some());
            }
            assert_eq!(may_be(&disk, folders, "b"), set(&["-", "x"]));
        }
    }

    /// Proves that pieces are left each for itself, and that a cut knows what was said before it.
    #[test]
    fn pieces_are_left_each_for_itself() {
        let zeros = "z".repeat(1024);
        let write = format!("1 write(3</d/a>, \"{zeros}\", 1024) = 1024");
        let disk = disk(&[MADE, LOOK, "1 fsync(4</d>) = 0", &write, "1 write(1<pipe>, \"done\", 4) = 4"]);
        let cut = disk.moments().last().unwrap() + 1;
        let halves: BTreeSet<_> = (0..400)
            .map(|seed| disk.image(cut, Folders::Each, &mut Dice::new(seed)))
            .filter_map(|image| Some((*image.file("a")?.first()?, *image.file("a")?.get(1023)?)))
            .collect();
        assert_eq!(halves, BTreeSet::from([(0, 0), (0, b'z'), (b'z', 0), (b'z', b'z')]));
        assert_eq!(disk.said_before(cut).collect::<Vec<_>>(), [b"done"]);
        assert_eq!(disk.said_before(cut - 3).count(), 0);
    }

    /// Proves that what cannot be followed is no disk.
    #[test]
    fn what_is_not_recorded_is_unclear() {
        let dark = ["1 io_uring_setup(8, 0) = 5", "1 fallocate(3</d/a>, FALLOC_FL_PUNCH_HOLE, 0, 9) = 0"];
        let unknown = ["1 write(9</d/a>, \"x\", 1) = 1", "1 pwrite64(3</d/b>, \"x\", 1, 0) = 1"];
        for line in dark.into_iter().chain(unknown) {
            let text = record(&[MADE, line]);
            assert_eq!(Disk::of(Path::new("/d"), &Before::default(), &text).unwrap_err().line, 2, "{line}");
        }
    }
}
