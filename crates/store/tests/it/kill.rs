//! Does an acknowledged commit survive `kill -9`, and is there never half a batch?

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use orch_core::id::Seq;
use orch_core::journal::{Batch, Journal};
use orch_core::stage::Stage;
use orch_sim::contract::sample::{self, Pen};
use orch_store::check::{Depth, full};
use orch_store::{Reader, SqliteJournal};

use super::Home;

/// Says in a child process where its store is.
const CHILD: &str = "ORCH_STORE_KILL_CHILD";

/// Commits until it is killed, and says each row once it is durable. Does nothing unless [`CHILD`] names a store.
#[test]
fn child() {
    let Some(store) = std::env::var_os(CHILD) else { return };
    let mut journal = SqliteJournal::open(store.as_ref()).unwrap();
    let mut checkpointer = journal.checkpointer().unwrap();
    // Checkpoints as fast as they go, so that kills fall into them too.
    std::thread::spawn(move || while checkpointer.step().is_ok() {});
    let mut pen = Pen::new(journal.head().unwrap());
    let mut out = std::io::stdout();
    loop {
        let batch = next_batch(&mut pen);
        journal.commit(&batch).unwrap();
        writeln!(out, "durable {}", journal.head().unwrap().seq).unwrap();
        out.flush().unwrap();
    }
}

/// One to seven rows about a few tasks, the same ones at the same place of every journal.
pub(crate) fn next_batch(pen: &mut Pen) -> Batch {
    let mut batch = Batch::default();
    for _ in 0..1 + pen.head().seq.0 % 7 {
        let seq = pen.next().0;
        let stage = if seq.is_multiple_of(3) { Stage::Done } else { Stage::Review };
        let task = sample::with_runs(sample::task("a", seq % 40 + 1, 1, stage), (seq % 9) as u32);
        let one = pen.batch_about(&task, &format!("k{seq}"));
        batch.states.retain(|(entity, _)| *entity != sample::entity(&task));
        batch.rows.extend(one.rows);
        batch.states.extend(one.states);
        batch.blobs.extend(one.blobs);
    }
    batch
}

/// Proves that whenever the process is killed, every acknowledged row is there once, no batch is there in part, the chain
/// is sound and each state agrees with its rows; a reader can look before the next brain starts. `ORCH_SEEDS` says how
/// often (6 at least).
#[test]
fn every_acknowledged_row_survives_kill_9() {
    let rounds: u64 =
        std::env::var("ORCH_SEEDS").ok().and_then(|n| n.parse().ok()).map_or(6, |n: u64| n.max(6));
    let home = Home::new();
    let mut before = Seq(0);
    for round in 0..rounds {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "kill::child", "--nocapture"])
            .env(CHILD, home.store())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let durable = |line: String| line.strip_prefix("durable ").and_then(|n| n.parse().ok()).map(Seq);
        // A different number of commits each round, spread without a pattern that a checkpoint could follow.
        let commits = 1 + (round.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) % 120;
        let mut acknowledged = before;
        let mut seen = 0;
        while seen < commits {
            let line = lines.next().expect("the child ended by itself").unwrap();
            if let Some(seq) = durable(line) {
                acknowledged = seq;
                seen += 1;
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // What it had said before the kill counts too.
        for seq in lines.map_while(Result::ok).filter_map(durable) {
            acknowledged = seq;
        }

        let head = Reader::open(&home.store()).unwrap().head().unwrap();
        assert!(head.seq >= acknowledged, "round {round}: {head:?} lost what {acknowledged} promised");
        let report = full(&home.store(), Depth::Thorough, None).unwrap();
        assert!(report.is_sound(), "round {round}: {:?}", report.findings);
        assert_eq!(report.rows, head.seq.0, "round {round}: each row once");
        let mut journal = SqliteJournal::open(&home.store()).unwrap();
        assert!(!journal.was_clean(), "round {round}");
        assert_eq!(journal.head().unwrap(), head);
        for seq in (before.0 + 1)..=head.seq.0 {
            assert_eq!(journal.taken(&format!("k{seq}")).unwrap(), Some(Seq(seq)), "round {round}");
        }
        // A batch has one row more than its first row's place before it, in sevens: the head ends one.
        assert!(ends_a_batch(before, head.seq), "round {round}: {} is within a batch", head.seq);
        before = head.seq;
    }
}

/// Whether a journal of such batches that had ended at `from` ends one at `head`.
pub(crate) fn ends_a_batch(from: Seq, head: Seq) -> bool {
    let mut end = from.0;
    while end < head.0 {
        end += 1 + end % 7;
    }
    end == head.0
}
