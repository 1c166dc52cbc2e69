//! How is the same work done on all processors?

use std::num::NonZero;

use anyhow::{Result, bail};

/// Does it on each processor, on `most` at most; the first that fails is told. Each is given its number.
pub(super) fn run(most: usize, work: impl Fn(usize) -> Result<()> + Sync) -> Result<()> {
    let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
    std::thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> =
            (0..processors.min(most)).map(|place| scope.spawn(move || work(place))).collect();
        threads.into_iter().try_for_each(|thread| match thread.join() {
            Ok(ended) => ended,
            Err(_) => bail!("a thread has failed"),
        })
    })
}
