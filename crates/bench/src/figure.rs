//! How is a figure said? As a median with its spread, beside what the machine did meanwhile.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

/// Several measurements of one thing.
#[derive(Debug, Default, Clone)]
pub(crate) struct Figures(pub(crate) Vec<f64>);

impl Figures {
    /// What stands at this share of the sorted measurements; 0 if there are none.
    pub(crate) fn at(&self, share: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let place = ((sorted.len() as f64 * share) as usize).min(sorted.len().saturating_sub(1));
        sorted.get(place).copied().unwrap_or_default()
    }

    /// The median.
    pub(crate) fn median(&self) -> f64 {
        self.at(0.5)
    }

    /// `median (least-most, n)`.
    pub(crate) fn said(&self, digits: usize) -> String {
        let (least, most) = (self.at(0.0), self.at(1.0));
        format!("{:.digits$} ({least:.digits$}-{most:.digits$}, n={})", self.median(), self.0.len())
    }

    /// `p50, p99, max` of waits in milliseconds.
    pub(crate) fn tail(&self) -> String {
        let [half, most, last, worst] = [0.5, 0.99, 0.999, 1.0].map(|share| self.at(share));
        format!(
            "p50 {half:.2} ms, p99 {most:.2} ms, p99.9 {last:.2} ms, max {worst:.1} ms (n={})",
            self.0.len()
        )
    }
}

/// What else the machine does, and how long its disk takes for a write that lasts.
pub(crate) fn machine(folder: &Path) -> Result<String> {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').take(3).collect::<Vec<_>>().join(" ");
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let syncs = syncs(folder)?;
    Ok(format!("[{cores} cores, load {load}, fdatasync {}]", syncs.tail()))
}

/// Milliseconds of 100 durable writes of 4 KiB.
fn syncs(folder: &Path) -> Result<Figures> {
    let mut file = tempfile::tempfile_in(folder).with_context(|| format!("{}", folder.display()))?;
    let mut waits = Figures::default();
    for _ in 0..100 {
        let began = Instant::now();
        file.write_all(&[7; 4096]).and_then(|()| File::sync_data(&file)).context("a durable write")?;
        waits.0.push(ms(began.elapsed()));
    }
    Ok(waits)
}

/// Milliseconds.
pub(crate) fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
