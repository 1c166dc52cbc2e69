//! On what is it measured? A data folder with open tasks, and with rows of finished ones if asked for, all of them made
//! by the real engine.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use orch_core::call::tracker::Status;
use orch_core::id::Seq;
use orch_store::{Reader, TaskFilter};
use tempfile::TempDir;

use crate::flow::Flow;

/// The project whose tasks are open.
pub(crate) const PROJECT: &str = "bench";

/// A data folder.
pub(crate) struct Home {
    folder: PathBuf,
    made: Option<TempDir>,
    /// Where its brain will listen.
    pub(crate) port: u16,
}

/// An open task, as a delivery must speak of it.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) issue: String,
    pub(crate) number: u64,
    pub(crate) status: Option<String>,
}

impl Known {
    /// The column that it stands in.
    pub(crate) fn status(&self) -> Option<Status> {
        Status::ALL.into_iter().find(|status| Some(status.board_name()) == self.status.as_deref())
    }
}

impl Home {
    /// A folder that `fill` made.
    pub(crate) fn at(folder: &Path) -> Result<Self> {
        let home = Self { folder: folder.to_owned(), made: None, port: free_port()? };
        home.settle()?;
        Ok(home)
    }

    /// A new one. It is built in memory if there is room, where nothing waits for a disk, then put where it is measured.
    pub(crate) fn make(scratch: &Path, tasks: u64, rows: u64) -> Result<Self> {
        Self::filled(scratch, tasks, |mut flow| {
            flow.finished(rows)?;
            flow.waiting(tasks)?;
            flow.close()
        })
    }

    /// One that a kill left: the timer of every other task is due, and the rest have an effect that nothing settled.
    pub(crate) fn stranded(scratch: &Path, tasks: u64) -> Result<Self> {
        Self::filled(scratch, tasks, |mut flow| {
            flow.stranded(tasks)?;
            flow.killed()
        })
    }

    fn filled(scratch: &Path, tasks: u64, fill: impl FnOnce(Flow) -> Result<Seq>) -> Result<Self> {
        let made =
            tempfile::Builder::new().prefix("orch-bench-").tempdir_in(scratch).context("a scratch folder")?;
        let home = Self { folder: made.path().to_owned(), made: Some(made), port: free_port()? };
        home.repository()?;
        let began = Instant::now();
        let memory = Path::new("/dev/shm");
        let workshop = match memory.is_dir() {
            true => tempfile::tempdir_in(memory)?,
            false => tempfile::tempdir_in(home.folder())?,
        };
        let store = workshop.path().join("orch.db");
        let last = fill(Flow::open(&store, PROJECT)?)?;
        std::fs::copy(&store, home.store()).context("the store could not be put where it is measured")?;
        std::fs::File::open(home.store())?.sync_all()?;
        println!("({last} rows, {tasks} open tasks, made in {:.1} s)", began.elapsed().as_secs_f64());
        home.settle()?;
        Ok(home)
    }

    /// The folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The store.
    pub(crate) fn store(&self) -> PathBuf {
        self.folder.join("orch.db")
    }

    /// Keeps the folder after this program.
    pub(crate) fn kept(self) -> PathBuf {
        match self.made {
            Some(made) => made.keep(),
            None => self.folder,
        }
    }

    /// What signs deliveries: there once the brain has started.
    pub(crate) fn secret(&self) -> Result<Vec<u8>> {
        let path = self.folder.join("hooks").join(PROJECT);
        let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        Ok(text.trim().as_bytes().to_vec())
    }

    /// Where the journal ends.
    pub(crate) fn head(&self) -> Result<Seq> {
        Ok(Reader::open(&self.store())?.head()?.seq)
    }

    /// Waits until the journal has not moved for a second: what a start left is done.
    pub(crate) fn rests(&self) -> Result<()> {
        let (mut reader, mut last) = (Reader::open(&self.store())?, None);
        loop {
            let head = reader.head()?.seq;
            if last == Some(head) {
                return Ok(());
            }
            last = Some(head);
            std::thread::sleep(Duration::from_secs(1));
        }
    }

    /// How many of the deliveries of this run are in the journal.
    pub(crate) fn delivered(&self, after: Seq, run: &str) -> Result<Vec<u64>> {
        let mut reader = Reader::open(&self.store())?;
        let (mut found, mut from) = (Vec::new(), Seq(after.0 + 1));
        let start = format!("hook/{PROJECT}/{run}-");
        loop {
            let rows = reader.rows(from, 1000)?;
            let Some(last) = rows.last() else { return Ok(found) };
            from = Seq(last.seq.0 + 1);
            found.extend(rows.iter().filter_map(|row| row.key.strip_prefix(&start)?.parse::<u64>().ok()));
        }
    }

    /// The open tasks.
    pub(crate) fn known(&self) -> Result<Vec<Known>> {
        let mut reader = Reader::open(&self.store())?;
        let (mut known, mut filter) = (Vec::new(), TaskFilter { open: true, ..TaskFilter::default() });
        loop {
            let page = reader.tasks(&filter, 500)?;
            for found in page.tasks {
                if let orch_core::state::State::Task(task) = found.kept.state {
                    let status = task.board.shows.map(|status| status.board_name().to_owned());
                    known.push(Known { issue: task.issue.to_string(), number: task.number, status });
                }
            }
            match page.next {
                Some(next) => filter.before = Some(next),
                None => return Ok(known),
            }
        }
    }

    fn settle(&self) -> Result<()> {
        self.agents(4, "true")
    }

    /// So many agents may run at once, each of them a shell with this script.
    pub(crate) fn agents(&self, most: usize, script: &str) -> Result<()> {
        let repository = self.folder.join("repository");
        let settings = format!(
            "listen = \"127.0.0.1:{}\"\nagent = \"shell\"\n\n[limits]\nagents = {most}\nagents_a_project = {most}\nday_dollars = 1000000\n\n\
             [agents.shell]\nkind = \"command\"\nprogram = \"/bin/sh\"\nargs = [\"-c\", {script:?}]\n\n\
             [projects.{PROJECT}]\nprefix = \"BENCH\"\nrepository = {repository:?}\n",
            self.port
        );
        std::fs::write(self.folder.join("orch.toml"), settings).context("orch.toml")
    }

    fn repository(&self) -> Result<()> {
        let repository = self.folder.join("repository");
        std::fs::create_dir_all(&repository)?;
        git(&repository, &["init", "--quiet", "--initial-branch=main"])?;
        std::fs::write(repository.join("README.md"), "# bench\n")?;
        // Without one no task begins.
        std::fs::create_dir_all(repository.join(".orch"))?;
        std::fs::write(repository.join(".orch/policy.toml"), "test = [\"true\"]\n")?;
        git(&repository, &["add", "--all"])?;
        git(&repository, &["commit", "--quiet", "--message=first"])
    }
}

/// Runs git as a person would.
pub(crate) fn git(folder: &Path, arguments: &[&str]) -> Result<()> {
    let done = Command::new("git")
        .args(["-c", "user.name=Bench", "-c", "user.email=bench@orch.invalid", "-c", "commit.gpgsign=false"])
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .context("git cannot be started")?;
    if !done.status.success() {
        bail!("git {}: {}", arguments.join(" "), String::from_utf8_lossy(&done.stderr).trim());
    }
    Ok(())
}

/// A port that nobody listens on now.
pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0").context("a free port")?.local_addr()?.port())
}
