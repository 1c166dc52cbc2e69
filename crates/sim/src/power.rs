//! What may a disk hold after a power cut? A real program runs under `strace`; from the record of its calls every state is
//! made that a disk may be left in when the power goes between, or within, any two of them.
//!
//! What is modelled: all that was synced before the cut is there. Of what was written since, each sector of 512 bytes (or
//! each page) holds any of the contents that it had, one of them torn at any byte; a file has any of the lengths that it
//! had, with zeros where nothing arrived; a name that was made, moved or taken away is there or not, each for itself, until
//! its own folder is synced, and a rename never happens by half. A sync counts once it has returned, and only for what had
//! returned before it began. A file that is written through shared memory holds anything.
//!
//! What is not: a disk that says "synced" and is not ([`Disk::lie_about`] is for tests that must fail), one that spoils
//! what it had kept, modes and times of files, and the order that a real file system keeps beyond this: it may lose less.

mod disk;
mod image;
mod record;

use std::path::Path;
use std::process::Command;

pub use disk::{Before, Disk};
pub use image::{Folders, Image};

/// Why a record cannot be turned into a disk: nothing is guessed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the record: {why}: {call}")]
pub struct Unclear {
    /// The line, from 1.
    pub line: usize,
    /// What cannot be told.
    pub why: &'static str,
    /// The call, shortened.
    pub call: String,
}

/// What changes a file or a folder, what tells where in a file the next write goes, and what forces something to the disk.
/// A question mark: not every machine has it.
const CALLS: &str = "?open,?creat,openat,?openat2,close,read,write,writev,pwrite64,pwritev,?pwritev2,lseek,ftruncate,\
    truncate,fallocate,fsync,fdatasync,sync,syncfs,sync_file_range,?rename,renameat,renameat2,?unlink,unlinkat,?rmdir,\
    ?mkdir,mkdirat,?link,linkat,?symlink,symlinkat,copy_file_range,sendfile,splice,mmap,io_uring_setup,chdir,fchdir,dup,\
    ?dup2,dup3,clone,?clone3,?fork,?vfork";

/// `strace` that will run `program` and write what it and its children do to `record`: every call whole, in order. The
/// arguments of the program are to be added.
pub fn watched(program: &Path, record: &Path) -> Command {
    let mut command = Command::new("strace");
    command.args(["-f", "-y", "-xx", "-s", "67108864", "--seccomp-bpf", "-qq", "-e", "signal=none"]);
    command.args(["-e", &format!("trace={CALLS}"), "-o"]).arg(record).arg("--").arg(program);
    command
}
