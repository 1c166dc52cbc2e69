//! What is looked at? The demo, where a person approves and confirms.

use std::process::Command;
use std::sync::OnceLock;

use crate::program::{self, Running};

/// A running demo.
pub(crate) struct Demo {
    running: Running,
    link: String,
}

impl Demo {
    /// Starts one, up to its link.
    pub(crate) async fn begin() -> Self {
        tokio::task::spawn_blocking(Self::start).await.unwrap()
    }

    fn start() -> Self {
        static ORCH: OnceLock<std::path::PathBuf> = OnceLock::new();
        let orch = ORCH.get_or_init(program::orch);
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(orch);
        command
            .args(["demo", "--ask", "--listen", "127.0.0.1:0", "--workspace"])
            .arg(folder.path().join("demo"))
            .env("LC_ALL", "C")
            .env_remove("ORCH_HOME")
            .current_dir(folder.path());
        let running = Running::start(folder, command);
        let link = running.says("dashboard ").trim().to_owned();
        assert!(link.contains("/login?ticket="), "{link}");
        Self { running, link }
    }

    /// The one-time link.
    pub(crate) fn link(&self) -> &str {
        &self.link
    }

    /// The address of a page.
    pub(crate) fn at(&self, path: &str) -> String {
        url::Url::parse(&self.link).and_then(|link| link.join(path)).unwrap().to_string()
    }

    /// It prints these words, soon.
    #[track_caller]
    pub(crate) fn says(&self, words: &str) {
        self.running.says(words);
    }

    /// Ends it as a person would.
    pub(crate) fn end(self) {
        self.running.end();
    }
}
