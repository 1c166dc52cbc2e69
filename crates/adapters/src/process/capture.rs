//! Where does a run's output go, and how is it kept from filling the disk?

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use tokio::net::unix::pipe::Receiver;

use super::record::{Tally, bounded};

const CHUNK: usize = 64 << 10;

/// One output stream: a pipe from the program, a bounded file behind it.
///
/// The pipe is always read to its end, so the program never blocks on us; what exceeds the limit or does
/// not fit on the disk is counted and dropped.
pub(super) struct Capture {
    pipe: Option<Receiver>,
    file: File,
    limit: u64,
    pub(super) tally: Tally,
    /// The first failure to write the log.
    pub(super) fault: Option<String>,
    buffer: Vec<u8>,
}

impl Capture {
    /// The capture and the program's end of the pipe.
    pub(super) fn open(log: &Path, limit: u64) -> io::Result<(Self, OwnedFd)> {
        let file = File::options().append(true).create(true).mode(0o600).open(log)?;
        let (theirs, ours) = tokio::net::unix::pipe::pipe()?;
        let capture = Capture {
            pipe: Some(ours),
            file,
            limit,
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
        let room = usize::try_from(self.limit - self.tally.bytes).unwrap_or(usize::MAX);
        let mut piece = &self.buffer[..n.min(room)];
        while !piece.is_empty() && self.fault.is_none() {
            match self.file.write(piece) {
                Ok(written) => {
                    self.tally.bytes += written as u64;
                    piece = &piece[written..];
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => self.fault = Some(bounded(&format!("the output log could not be written: {e}"))),
            }
        }
        let over = n - n.min(room);
        self.tally.dropped += (over + piece.len()) as u64;
    }

    fn close(&mut self, e: &io::Error) {
        self.fault.get_or_insert_with(|| bounded(&format!("the output pipe broke: {e}")));
        self.pipe = None;
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
