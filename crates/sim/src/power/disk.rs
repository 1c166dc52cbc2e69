//! What was written to which file, which name was given to it, and what of that was forced to the disk, when?

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Component, Path, PathBuf};

use super::Unclear;
use super::record::{Argument, Call, Parts, While, calls};

/// A folder as it was, all of it on the disk, before the program ran.
#[derive(Debug, Clone, Default)]
pub struct Before(BTreeMap<PathBuf, Kind>);

/// What something in a folder is, with what it begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    File(Vec<u8>),
    Folder,
    Link(PathBuf),
}

impl Before {
    /// Reads a folder with all that is in it.
    ///
    /// # Errors
    /// What the file system says.
    pub fn of(root: &Path) -> io::Result<Self> {
        let (mut found, mut folders) = (BTreeMap::new(), vec![root.to_owned()]);
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder)? {
                let (path, kind) = entry.and_then(|entry| Ok((entry.path(), entry.file_type()?)))?;
                let is = if kind.is_dir() {
                    folders.push(path.clone());
                    Kind::Folder
                } else if kind.is_symlink() {
                    Kind::Link(std::fs::read_link(&path)?)
                } else {
                    Kind::File(std::fs::read(&path)?)
                };
                found.insert(path, is);
            }
        }
        Ok(Self(found))
    }
}

/// Names one thing on the disk, whatever it is called.
pub(super) type Number = usize;

/// A name in a folder.
pub(super) type Name = (Number, OsString);

/// The folder that is watched.
pub(super) const ROOT: Number = 0;

/// A file, folder or link, with all that was done to it.
#[derive(Debug, Clone)]
pub(super) struct Thing {
    pub(super) kind: Kind,
    pub(super) deeds: Vec<Deed>,
    /// When it was forced to the disk, as far as it is.
    pub(super) syncs: Vec<Sync>,
    /// When its bytes, and no more, were sent to the disk and waited for.
    pub(super) sent: Vec<While>,
    /// It was written through memory: nobody knows what it holds.
    pub(super) mapped: bool,
    /// Its length as the program sees it.
    long: u64,
    /// It, and what is needed to find its bytes again, since it was forced to the disk.
    touched: bool,
    stretched: bool,
}

/// Something was forced to the disk.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sync {
    pub(super) during: While,
    /// A file system that keeps names in order had to write its own journal for it: with nothing new to say about the file
    /// it does not, and names that others were given wait on.
    pub(super) tells: bool,
}

/// A change of a file's bytes.
#[derive(Debug, Clone)]
pub(super) struct Deed {
    pub(super) during: While,
    pub(super) what: Done,
}

/// What changes a file's bytes.
#[derive(Debug, Clone)]
pub(super) enum Done {
    Wrote {
        at: u64,
        bytes: Vec<u8>,
    },
    /// It has this length from then on.
    Cut {
        to: u64,
    },
}

/// A change of names that happens as a whole: what each stands for from then on.
#[derive(Debug, Clone)]
pub(super) struct Naming {
    pub(super) during: While,
    pub(super) names: Vec<(Name, Option<Number>)>,
}

/// A folder over time: what a program did there, call by call.
#[derive(Debug, Clone)]
pub struct Disk {
    pub(super) things: Vec<Thing>,
    pub(super) first: BTreeMap<Name, Number>,
    pub(super) namings: Vec<Naming>,
    said: Vec<(usize, Vec<u8>)>,
    moments: Vec<usize>,
}

impl Disk {
    /// What the record of [`super::watched`] tells of `root`, an absolute path without links in it.
    ///
    /// # Errors
    /// [`Unclear`] if a call that may have changed something there cannot be followed to the byte.
    pub fn of(root: &Path, before: &Before, record: &str) -> Result<Self, Unclear> {
        let mut threads = HashMap::new();
        calls(record, &mut |call| {
            if matches!(call.name, "clone" | "clone3" | "fork" | "vfork")
                && let Some(child) = call.parts()?.result
                && let Ok(child) = u32::try_from(child)
            {
                threads.insert(child, (call.thread, call.says("CLONE_THREAD")));
            }
            Ok(())
        })?;
        let mut reading = Reading {
            root: root.to_owned(),
            disk: Self {
                things: vec![Thing::new(Kind::Folder)],
                first: BTreeMap::new(),
                namings: Vec::new(),
                said: Vec::new(),
                moments: Vec::new(),
            },
            names: HashMap::new(),
            places: HashMap::new(),
            folders: HashMap::new(),
            threads,
            first: None,
        };
        for (path, kind) in &before.0 {
            let name = reading.name(path).filter(|_| path.starts_with(root));
            let Some(name) = name else { continue };
            let number = reading.make(kind.clone());
            reading.names.insert(name.clone(), number);
            reading.disk.first.insert(name, number);
        }
        calls(record, &mut |call| reading.follow(call))?;
        let mut disk = reading.disk;
        disk.moments.sort_unstable();
        disk.moments.dedup();
        Ok(disk)
    }

    /// The moments at which a cut makes a difference: before, within and after each call.
    pub fn moments(&self) -> &[usize] {
        &self.moments
    }

    /// What the program had said on its standard output, or begun to say, before a cut.
    pub fn said_before(&self, cut: usize) -> impl Iterator<Item = &[u8]> {
        self.said.iter().filter(move |(begun, _)| *begun < cut).map(|(_, said)| said.as_slice())
    }

    /// Takes all that was done before the program said this as kept: who prepared its folder promised nothing.
    pub fn begins_when_said(&mut self, words: &str) {
        let holds = |said: &[u8]| String::from_utf8_lossy(said).contains(words);
        let said = self.said.iter().find(|(_, said)| holds(said)).map(|(begun, _)| *begun);
        let Some(begun) = said else { return };
        let during = While { begun, ended: begun };
        self.things.iter_mut().for_each(|thing| thing.syncs.push(Sync { during, tells: true }));
        self.moments.retain(|moment| *moment > begun);
    }

    /// Makes a disk of it that says "synced" of files and folders with this name (none: the watched folder itself) and is
    /// not: for tests that must fail.
    pub fn lie_about(&mut self, is: impl Fn(&Path) -> bool) {
        if is(Path::new("")) {
            self.things[ROOT].syncs.clear();
        }
        let named = self.namings.iter().flat_map(|naming| &naming.names);
        let named = named.filter_map(|(name, number)| Some((name, (*number)?)));
        for (name, number) in self.first.iter().map(|(name, number)| (name, *number)).chain(named) {
            if is(Path::new(&name.1)) {
                self.things[number].syncs.clear();
                self.things[number].sent.clear();
            }
        }
    }
}

impl Thing {
    fn new(kind: Kind) -> Self {
        let long = match &kind {
            Kind::File(bytes) => bytes.len() as u64,
            Kind::Folder | Kind::Link(_) => 0,
        };
        Self {
            kind,
            deeds: Vec::new(),
            syncs: Vec::new(),
            sent: Vec::new(),
            mapped: false,
            long,
            touched: false,
            stretched: false,
        }
    }
}

/// Where the next write through a descriptor goes.
#[derive(Debug, Clone, Copy)]
enum Place {
    At(u64),
    End,
}

/// The record as it is read: the disk so far, and what the programs see.
struct Reading {
    root: PathBuf,
    disk: Disk,
    /// The names as the programs see them.
    names: HashMap<Name, Number>,
    /// By process and descriptor.
    places: HashMap<(u32, i64), Place>,
    /// The current folder of each process, as far as it is known.
    folders: HashMap<u32, PathBuf>,
    /// Who began a thread, and whether it is of the same process.
    threads: HashMap<u32, (u32, bool)>,
    /// The process that is watched; all others are its children.
    first: Option<u32>,
}

impl Reading {
    fn follow(&mut self, call: &Call<'_>) -> Result<(), Unclear> {
        let parts = call.parts()?;
        self.first.get_or_insert(call.thread);
        for argument in &parts.arguments {
            if let Argument::Open { number: None, path, .. } = argument {
                self.folders.insert(self.process(call.thread), path.clone());
            }
        }
        if call.name == "io_uring_setup" {
            return Err(call.unclear("what is written that way is not recorded"));
        }
        if parts.result.is_some_and(|result| result < 0) {
            return match call.name {
                "fsync" | "fdatasync" if self.open(&parts, 0).is_some() => Err(call.unclear("a sync failed")),
                _ => Ok(()), // not a domain enum
            };
        }
        match call.name {
            "open" | "openat" | "openat2" | "creat" => self.opened(call, &parts),
            "close" => {
                self.places.remove(&self.descriptor(call, &parts));
                Ok(())
            }
            "dup" | "dup2" | "dup3" => {
                self.places.remove(&(self.process(call.thread), parts.result.unwrap_or(-1)));
                Ok(())
            }
            "read" => {
                let key = self.descriptor(call, &parts);
                if let (Some(Place::At(at)), Some(read)) = (self.places.get_mut(&key), parts.result) {
                    *at += u64::try_from(read).unwrap_or(0);
                }
                Ok(())
            }
            "lseek" => {
                let key = self.descriptor(call, &parts);
                if let (Some(Place::At(at)), Some(now)) = (self.places.get_mut(&key), parts.result) {
                    *at = u64::try_from(now).unwrap_or(0);
                }
                Ok(())
            }
            "write" => self.wrote(call, &parts),
            "pwrite64" => {
                let at = plain(call, &parts, 3)?;
                self.wrote_at(call, &parts, at)
            }
            "ftruncate" | "fallocate" | "truncate" => self.cut(call, &parts),
            "fsync" | "fdatasync" => {
                if let Some(path) = self.open(&parts, 0) {
                    let number = self.known(call, &path)?;
                    self.note(call);
                    let thing = &mut self.disk.things[number];
                    let is_folder = thing.kind == Kind::Folder;
                    let tells = thing.stretched || thing.touched && (is_folder || call.name == "fsync");
                    thing.syncs.push(Sync { during: call.during, tells });
                    thing.stretched = false;
                    thing.touched &= call.name != "fsync";
                }
                Ok(())
            }
            "sync_file_range" => {
                if let Some(path) = self.open(&parts, 0)
                    && (plain(call, &parts, 1)?, plain(call, &parts, 2)?) == (0, 0)
                    && call.says("SYNC_FILE_RANGE_WAIT_AFTER")
                {
                    let number = self.known(call, &path)?;
                    self.disk.things[number].sent.push(call.during);
                }
                Ok(())
            }
            "sync" | "syncfs" => {
                self.note(call);
                self.disk
                    .things
                    .iter_mut()
                    .for_each(|thing| thing.syncs.push(Sync { during: call.during, tells: true }));
                Ok(())
            }
            "mmap" => {
                if let Some(path) = self.open(&parts, 4)
                    && call.says("MAP_SHARED")
                    && call.says("PROT_WRITE")
                {
                    let number = self.known(call, &path)?;
                    self.disk.things[number].mapped = true;
                }
                Ok(())
            }
            "chdir" | "fchdir" => {
                let path = match parts.arguments.first() {
                    Some(Argument::Open { path, .. }) => Some(path.clone()),
                    Some(Argument::Quoted(_)) => Some(self.path(call, &parts, None, 0)?),
                    Some(Argument::Plain(_)) | None => None,
                };
                let process = self.process(call.thread);
                self.folders.extend(path.map(|path| (process, path)));
                Ok(())
            }
            "copy_file_range" if self.open(&parts, 2).is_some() => self.copied(call, &parts),
            "writev" | "pwritev" | "pwritev2" | "copy_file_range" | "sendfile" | "splice" => {
                // The descriptor that is written to is the first, or the third.
                match [0, 2].into_iter().any(|n| self.open(&parts, n).is_some()) {
                    true => Err(call.unclear("what was written is not recorded")),
                    false => Ok(()),
                }
            }
            "rename" | "renameat" | "renameat2" | "unlink" | "unlinkat" | "rmdir" | "mkdir" | "mkdirat"
            | "link" | "linkat" | "symlink" | "symlinkat" => self.named(call, &parts),
            _ => Ok(()), // not a domain enum
        }
    }

    /// The process that a thread is of.
    fn process(&self, mut thread: u32) -> u32 {
        while let Some((parent, true)) = self.threads.get(&thread) {
            thread = *parent;
        }
        thread
    }

    fn descriptor(&self, call: &Call<'_>, parts: &Parts<'_>) -> (u32, i64) {
        let number = match parts.arguments.first() {
            Some(Argument::Open { number: Some(number), .. }) => *number,
            Some(Argument::Open { .. } | Argument::Quoted(_) | Argument::Plain(_)) | None => -1,
        };
        (self.process(call.thread), number)
    }

    /// The n-th argument, if it is a descriptor of something in the folder that still has a name.
    fn open(&self, parts: &Parts<'_>, n: usize) -> Option<PathBuf> {
        match parts.arguments.get(n)? {
            Argument::Open { number: Some(_), path, unlinked: false } if path.starts_with(&self.root) => {
                Some(path.clone())
            }
            Argument::Open { .. } | Argument::Quoted(_) | Argument::Plain(_) => None,
        }
    }

    /// The path that the n-th argument names, seen from the descriptor that is argument `from`, else from where the process
    /// is. It may lie outside of the folder.
    fn path(
        &self,
        call: &Call<'_>,
        parts: &Parts<'_>,
        from: Option<usize>,
        n: usize,
    ) -> Result<PathBuf, Unclear> {
        let Some(Argument::Quoted(text)) = parts.arguments.get(n) else {
            return Err(call.unclear("it names no path"));
        };
        let path = PathBuf::from(OsString::from_vec(call.bytes(text)?));
        let base = match from.and_then(|from| parts.arguments.get(from)) {
            Some(Argument::Open { path, .. }) => Some(path),
            Some(Argument::Quoted(_) | Argument::Plain(_)) | None => self.folder_of(call.thread),
        };
        let whole = match base {
            _ if path.is_absolute() => path,
            Some(base) => base.join(path),
            None => return Err(call.unclear("nobody knows from which folder")),
        };
        let mut plain = PathBuf::new();
        for part in whole.components() {
            match part {
                Component::ParentDir => drop(plain.pop()),
                Component::CurDir => {}
                Component::Prefix(_) | Component::RootDir | Component::Normal(_) => plain.push(part),
            }
        }
        Ok(plain)
    }

    fn folder_of(&self, thread: u32) -> Option<&PathBuf> {
        let mut process = self.process(thread);
        loop {
            if let Some(folder) = self.folders.get(&process) {
                return Some(folder);
            }
            // A child is where its parent was.
            process = self.process(self.threads.get(&process)?.0);
        }
    }

    fn name(&self, path: &Path) -> Option<Name> {
        let folder = self.find(path.parent()?)?;
        Some((folder, path.file_name()?.to_owned()))
    }

    fn find(&self, path: &Path) -> Option<Number> {
        let mut number = ROOT;
        for part in path.strip_prefix(&self.root).ok()? {
            number = *self.names.get(&(number, part.to_owned()))?;
        }
        Some(number)
    }

    fn known(&self, call: &Call<'_>, path: &Path) -> Result<Number, Unclear> {
        self.find(path).ok_or_else(|| call.unclear("it is about a file that nobody made"))
    }

    fn make(&mut self, kind: Kind) -> Number {
        self.disk.things.push(Thing::new(kind));
        self.disk.things.len() - 1
    }

    /// Something was done in the folder: a cut may fall before it, into it or behind it.
    fn note(&mut self, call: &Call<'_>) {
        let While { begun, ended } = call.during;
        self.disk.moments.extend([begun, begun + 1]);
        if ended < usize::MAX {
            self.disk.moments.push(ended + 1);
        }
    }

    fn rename(&mut self, call: &Call<'_>, names: Vec<(Name, Option<Number>)>) {
        self.note(call);
        for (name, number) in &names {
            self.disk.things[name.0].touched = true;
            if let Some(number) = number {
                self.disk.things[*number].touched = true;
            }
            match number {
                Some(number) => drop(self.names.insert(name.clone(), *number)),
                None => drop(self.names.remove(name)),
            }
        }
        self.disk.namings.push(Naming { during: call.during, names });
    }

    fn change(&mut self, call: &Call<'_>, number: Number, what: Done) {
        self.note(call);
        let thing = &mut self.disk.things[number];
        let long = match &what {
            Done::Wrote { at, bytes } => thing.long.max(at + bytes.len() as u64),
            Done::Cut { to } => *to,
        };
        thing.touched = true;
        thing.stretched |= long != thing.long;
        thing.long = long;
        thing.deeds.push(Deed { during: call.during, what });
    }

    fn opened(&mut self, call: &Call<'_>, parts: &Parts<'_>) -> Result<(), Unclear> {
        let Some(path) = parts.opened.clone().filter(|path| path.starts_with(&self.root)) else {
            return Ok(());
        };
        let makes = call.name == "creat" || call.says("O_CREAT");
        let number = match self.find(&path) {
            Some(number) => {
                if call.says("O_TRUNC") || call.name == "creat" {
                    self.change(call, number, Done::Cut { to: 0 });
                }
                number
            }
            None if makes => {
                let name = self.name(&path).ok_or_else(|| call.unclear("its folder is not known"))?;
                let number = self.make(Kind::File(Vec::new()));
                self.disk.things[number].stretched = true;
                self.rename(call, vec![(name, Some(number))]);
                number
            }
            None => return Err(call.unclear("nobody made this file")),
        };
        if call.says("O_TMPFILE") {
            return Err(call.unclear("files without a name are not followed"));
        }
        let place = if call.says("O_APPEND") { Place::End } else { Place::At(0) };
        if matches!(self.disk.things[number].kind, Kind::File(_)) {
            let descriptor = (self.process(call.thread), parts.result.unwrap_or(-1));
            self.places.insert(descriptor, place);
        }
        Ok(())
    }

    fn wrote(&mut self, call: &Call<'_>, parts: &Parts<'_>) -> Result<(), Unclear> {
        let key = self.descriptor(call, parts);
        let Some(path) = self.open(parts, 0) else {
            if let (1, Some(Argument::Quoted(text))) = (key.1, parts.arguments.get(1))
                && self.first == Some(key.0)
            {
                self.note(call);
                self.disk.said.push((call.during.begun, call.bytes(text)?));
            }
            return Ok(());
        };
        let at = match self.places.get(&key) {
            Some(Place::At(at)) => *at,
            Some(Place::End) => self.disk.things[self.known(call, &path)?].long,
            None => return Err(call.unclear("where in the file is not known")),
        };
        self.wrote_at(call, parts, at)?;
        if let (Some(Place::At(at)), Some(wrote)) = (self.places.get_mut(&key), parts.result) {
            *at += u64::try_from(wrote).unwrap_or(0);
        }
        Ok(())
    }

    fn wrote_at(&mut self, call: &Call<'_>, parts: &Parts<'_>, at: u64) -> Result<(), Unclear> {
        let Some(path) = self.open(parts, 0) else { return Ok(()) };
        let Some(Argument::Quoted(text)) = parts.arguments.get(1) else {
            return Err(call.unclear("it writes no text"));
        };
        let mut bytes = call.bytes(text)?;
        if let Some(wrote) = parts.result {
            bytes.truncate(usize::try_from(wrote).unwrap_or(0));
        }
        let number = self.known(call, &path)?;
        self.change(call, number, Done::Wrote { at, bytes });
        Ok(())
    }

    /// From where one descriptor is to where another is; the bytes are those of the file as it is now.
    fn copied(&mut self, call: &Call<'_>, parts: &Parts<'_>) -> Result<(), Unclear> {
        let none = Some(&Argument::Plain("NULL"));
        let (Some(from), Some(to)) = (self.open(parts, 0), self.open(parts, 2)) else {
            return Err(call.unclear("what was written is not recorded"));
        };
        let process = self.process(call.thread);
        let key = |n: usize| match parts.arguments.get(n) {
            Some(Argument::Open { number: Some(number), .. }) => (process, *number),
            Some(_) | None => (process, -1), // not a domain enum
        };
        let places = (self.places.get(&key(0)).copied(), self.places.get(&key(2)).copied());
        let ((Some(Place::At(source)), Some(Place::At(target))), true) =
            (places, parts.arguments.get(1) == none && parts.arguments.get(3) == none)
        else {
            return Err(call.unclear("where in the file is not known"));
        };
        let (from, to) = (self.known(call, &from)?, self.known(call, &to)?);
        let long = u64::try_from(parts.result.unwrap_or(0)).unwrap_or(0);
        let now = self.disk.things[from].now();
        let bytes = usize::try_from(source).ok().zip(usize::try_from(source + long).ok());
        let bytes = bytes.and_then(|(begin, end)| now.get(begin..end));
        let bytes = bytes.ok_or_else(|| call.unclear("it copies what is not there"))?.to_vec();
        self.places.insert(key(0), Place::At(source + long));
        self.places.insert(key(2), Place::At(target + long));
        self.change(call, to, Done::Wrote { at: target, bytes });
        Ok(())
    }

    fn cut(&mut self, call: &Call<'_>, parts: &Parts<'_>) -> Result<(), Unclear> {
        let path = match call.name {
            "truncate" => Some(self.path(call, parts, None, 0)?).filter(|path| path.starts_with(&self.root)),
            _ => self.open(parts, 0), // not a domain enum
        };
        let Some(path) = path else { return Ok(()) };
        let number = self.known(call, &path)?;
        let to = match call.name {
            "fallocate" if plain(call, parts, 1)? == 0 => {
                let end = plain(call, parts, 2)? + plain(call, parts, 3)?;
                end.max(self.disk.things[number].long)
            }
            "fallocate" => return Err(call.unclear("this kind of it is not followed")),
            _ => plain(call, parts, 1)?, // not a domain enum
        };
        self.change(call, number, Done::Cut { to });
        Ok(())
    }

    fn named(&mut self, call: &Call<'_>, parts: &Parts<'_>) -> Result<(), Unclear> {
        if call.says("RENAME_EXCHANGE") || call.says("RENAME_WHITEOUT") || call.says("AT_EMPTY_PATH") {
            return Err(call.unclear("this kind of it is not followed"));
        }
        let (from, to) = match call.name {
            "rename" | "link" => (Some(self.path(call, parts, None, 0)?), self.path(call, parts, None, 1)?),
            "renameat" | "renameat2" | "linkat" => {
                (Some(self.path(call, parts, Some(0), 1)?), self.path(call, parts, Some(2), 3)?)
            }
            "unlinkat" | "mkdirat" => (None, self.path(call, parts, Some(0), 1)?),
            "symlink" => (None, self.path(call, parts, None, 1)?),
            "symlinkat" => (None, self.path(call, parts, Some(1), 2)?),
            _ => (None, self.path(call, parts, None, 0)?), // not a domain enum
        };
        let ours = |path: &Path| path.starts_with(&self.root);
        let (takes, gives) = (from.as_deref().is_some_and(ours), ours(&to));
        if !takes && !gives {
            return Ok(());
        }
        if let Some(from) = &from {
            if !takes {
                return Err(call.unclear("it comes from outside"));
            }
            let number = self.known(call, from)?;
            let unknown = || call.unclear("its folder is not known");
            let mut names = Vec::new();
            if call.name.starts_with("rename") {
                names.push((self.name(from).ok_or_else(unknown)?, None));
            }
            if gives {
                names.push((self.name(&to).ok_or_else(unknown)?, Some(number)));
            }
            self.rename(call, names);
            return Ok(());
        }
        let name = self.name(&to).ok_or_else(|| call.unclear("its folder is not known"))?;
        let number = match call.name {
            "mkdir" | "mkdirat" => Some(self.make(Kind::Folder)),
            "symlink" | "symlinkat" => {
                let Some(Argument::Quoted(text)) = parts.arguments.first() else {
                    return Err(call.unclear("it names no path"));
                };
                let to = PathBuf::from(OsString::from_vec(call.bytes(text)?));
                Some(self.make(Kind::Link(to)))
            }
            _ => None, // not a domain enum
        };
        self.rename(call, vec![(name, number)]);
        Ok(())
    }
}

/// The n-th argument as a number.
fn plain(call: &Call<'_>, parts: &Parts<'_>, n: usize) -> Result<u64, Unclear> {
    match parts.arguments.get(n) {
        Some(Argument::Plain(text)) => text.parse().map_err(|_| call.unclear("no number")),
        Some(Argument::Quoted(_) | Argument::Open { .. }) | None => Err(call.unclear("no number")),
    }
}
