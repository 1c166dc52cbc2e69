//! Where does a run's output go, and how is it kept from filling the disk?

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use tokio::net::unix::pipe::Receiver;

use super::record::{Tally, bounded};
use super::spec::{Beyond, Output};

const CHUNK: usize = 64 << 10;
/// What the line that stands for what is left out has room for.
const MARK_ROOM: u64 = 64;

/// One output stream: a pipe from the program, a bounded file behind it.
///
/// The pipe is always read to its end, so the program never blocks on us. The begin is kept as it comes, for whoever
/// follows; of what does not fit any more the end is kept aside, and follows the begin when the program has ended. What is
/// between them, and what does not fit on the disk, is counted and dropped.
pub(super) struct Capture {
    pipe: Option<Receiver>,
    file: File,
    /// Bytes of the begin that are kept.
    room: u64,
    end: End,
    pub(super) tally: Tally,
    /// The first failure to write the log.
    pub(super) fault: Option<String>,
    buffer: Vec<u8>,
}

impl Capture {
    /// The capture and the program's end of the pipe.
    pub(super) fn open(log: &Path, output: Output) -> io::Result<(Self, OwnedFd)> {
        let file = File::options().append(true).create(true).mode(0o600).open(log)?;
        let (theirs, ours) = tokio::net::unix::pipe::pipe()?;
        let aside = match output.beyond {
            Beyond::Drop => (output.bytes / 4).saturating_sub(MARK_ROOM),
            Beyond::End => 0,
        };
        let room = if aside > 0 { output.bytes - aside - MARK_ROOM } else { output.bytes };
        let capture = Capture {
            pipe: Some(ours),
            file,
            room,
            end: End { place: log.with_extension("end"), file: None, room: aside, came: 0, put: 0 },
            tally: Tally::default(),
            fault: None,
            buffer: vec![0; CHUNK],
        };
        Ok((capture, theirs.into_blocking_fd()?))
    }

    /// Waits for output and takes one piece of it. Never returns once the stream has ended.
    pub(super) async fn turn(&mut self) {
        let Some(pipe) = &self.pipe else { return std::future::pending().await };
        match pipe.readable().await {
            Ok(()) => {
                self.take();
            }
            Err(e) => self.close(&e),
        }
    }

    /// Takes what is there now, without waiting: a few times what a pipe holds, for a service that was left
    /// running may write for ever.
    pub(super) fn drain(&mut self) {
        for _ in 0..64 {
            if !self.take() {
                return;
            }
        }
    }

    /// Did it pass its limit? A full disk is another matter.
    pub(super) fn over(&self) -> bool {
        self.tally.dropped > 0 && self.fault.is_none()
    }

    /// Our end of the pipe if someone still holds the other.
    pub(super) fn into_open_pipe(self) -> Option<OwnedFd> {
        self.pipe.and_then(|pipe| pipe.into_blocking_fd().ok())
    }

    /// True if something was taken.
    fn take(&mut self) -> bool {
        let Some(pipe) = &self.pipe else { return false };
        match pipe.try_read(&mut self.buffer) {
            Ok(0) => {
                self.pipe = None;
                false
            }
            Ok(n) => {
                self.keep(n);
                true
            }
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => false,
            Err(e) => {
                self.close(&e);
                false
            }
        }
    }

    fn keep(&mut self, n: usize) {
        let room = usize::try_from(self.room - self.tally.bytes.min(self.room)).unwrap_or(usize::MAX);
        let (begin, rest) = self.buffer[..n].split_at(n.min(room));
        let written = append(&mut self.file, begin, &mut self.fault);
        self.tally.bytes += written;
        self.tally.dropped += begin.len() as u64 - written;
        if rest.is_empty() {
            return;
        }
        let kept = self.fault.is_none() && self.end.room > 0;
        match self.end.keep(rest, kept) {
            Ok(true) => {}
            Ok(false) => self.tally.dropped += rest.len() as u64,
            Err(e) => {
                self.fault = Some(unwritten(&e));
                self.tally.dropped += self.end.forget() + rest.len() as u64;
            }
        }
    }

    /// The program has ended: puts the end that was kept aside behind the begin, and between them how much is left out.
    pub(super) fn finish(&mut self) {
        if let Err(e) = self.put_end() {
            self.fault.get_or_insert_with(|| unwritten(&e));
        }
        self.tally.dropped += self.end.forget();
    }

    fn put_end(&mut self) -> io::Result<()> {
        let kept = self.end.came.min(self.end.room);
        let Some(file) = &self.end.file else { return Ok(()) };
        let mut from = self.end.came - kept;
        if from > 0 {
            // Whole lines where there are some: half a line, or half a secret, says nothing.
            let mut first = vec![0; CHUNK.min(usize::try_from(kept).unwrap_or(CHUNK))];
            self.end.read(file, from, &mut first)?;
            from += first.iter().position(|byte| *byte == b'\n').map_or(0, |at| at as u64 + 1);
            let mark = format!("\n[{from} bytes of output left out here]\n");
            self.file.write_all(mark.as_bytes())?;
        }
        let mut part = vec![0; CHUNK];
        while from < self.end.came {
            let n = usize::try_from(self.end.came - from).unwrap_or(CHUNK).min(CHUNK);
            let part = &mut part[..n];
            self.end.read(file, from, part)?;
            let written = append(&mut self.file, part, &mut self.fault);
            self.tally.bytes += written;
            self.end.put += written;
            if written < n as u64 {
                return Ok(());
            }
            from += written;
        }
        Ok(())
    }

    fn close(&mut self, e: &io::Error) {
        self.fault.get_or_insert_with(|| bounded(&format!("the output pipe broke: {e}")));
        self.pipe = None;
    }
}

/// Appends what it can; how much that was. A full disk is no reason to stop reading.
fn append(file: &mut File, mut piece: &[u8], fault: &mut Option<String>) -> u64 {
    let mut done = 0;
    while !piece.is_empty() && fault.is_none() {
        match file.write(piece) {
            Ok(written) => {
                done += written as u64;
                piece = &piece[written..];
            }
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => *fault = Some(unwritten(&e)),
        }
    }
    done
}

fn unwritten(e: &io::Error) -> String {
    bounded(&format!("the output log could not be written: {e}"))
}

/// The last bytes of what found no room, in a file that is written round and round and has no name: nothing of it is left
/// when its shim dies.
struct End {
    place: PathBuf,
    file: Option<File>,
    /// Bytes that are kept.
    room: u64,
    /// Bytes that came.
    came: u64,
    /// Bytes of them that stand in the log.
    put: u64,
}

impl End {
    /// True if it counts what came; false if there is nothing to keep it in.
    fn keep(&mut self, mut piece: &[u8], kept: bool) -> io::Result<bool> {
        if !kept {
            return Ok(false);
        }
        let file = match &self.file {
            Some(file) => file,
            None => {
                let mut wish = File::options();
                wish.read(true).write(true).create(true).truncate(true).mode(0o600);
                let file = wish.open(&self.place)?;
                std::fs::remove_file(&self.place)?;
                self.file.insert(file)
            }
        };
        let mut came = self.came;
        while !piece.is_empty() {
            let at = came % self.room;
            let n = usize::try_from(self.room - at).unwrap_or(usize::MAX).min(piece.len());
            file.write_all_at(&piece[..n], at)?;
            came += n as u64;
            piece = &piece[n..];
        }
        self.came = came;
        Ok(true)
    }

    /// Reads what came from `from` on.
    fn read(&self, file: &File, from: u64, mut part: &mut [u8]) -> io::Result<()> {
        let mut from = from;
        while !part.is_empty() {
            let at = from % self.room;
            let n = usize::try_from(self.room - at).unwrap_or(usize::MAX).min(part.len());
            let (now, later) = part.split_at_mut(n);
            file.read_exact_at(now, at)?;
            from += n as u64;
            part = later;
        }
        Ok(())
    }

    /// Ends it; how much of what came stands nowhere.
    fn forget(&mut self) -> u64 {
        let lost = self.came - self.put;
        (self.file, self.came, self.put) = (None, 0, 0);
        lost
    }
}

/// What is said on a short pipe, up to a bound.
pub(super) struct Note {
    pipe: Option<Receiver>,
    pub(super) text: Vec<u8>,
}

impl Note {
    pub(super) fn open() -> io::Result<(Self, OwnedFd)> {
        let (theirs, ours) = tokio::net::unix::pipe::pipe()?;
        Ok((Note { pipe: Some(ours), text: Vec::new() }, theirs.into_blocking_fd()?))
    }

    pub(super) async fn turn(&mut self) {
        let Some(pipe) = &self.pipe else { return std::future::pending().await };
        if pipe.readable().await.is_err() {
            self.pipe = None;
        } else {
            self.take();
        }
    }

    pub(super) fn drain(&mut self) {
        // Ends at the bound at the latest.
        while self.take() {}
    }

    fn take(&mut self) -> bool {
        let Some(pipe) = &self.pipe else { return false };
        let mut piece = [0; 4096];
        match pipe.try_read(&mut piece) {
            Ok(n) if n > 0 && self.text.len() < CHUNK => {
                self.text.extend_from_slice(&piece[..n]);
                true
            }
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => false,
            Ok(_) | Err(_) => {
                self.pipe = None;
                false
            }
        }
    }
}

/// Reads two pipes to their ends and throws the bytes away.
///
/// A service that a deploy hook left running may still write to the hook's output. Closing the pipe would
/// kill it at its next line; a file would grow for ever. So a small process of ours keeps reading.
pub(super) fn discard(one: File, two: File) {
    let read = |mut pipe: File| {
        let mut buffer = [0; 4096];
        while matches!(pipe.read(&mut buffer), Ok(n) if n > 0) {}
    };
    std::thread::scope(|s| {
        s.spawn(|| read(one));
        s.spawn(|| read(two));
    });
}
