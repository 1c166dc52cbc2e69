//! How is a long run told, as a page that can be kept?

use std::collections::BTreeMap;
use std::fmt::Write as _;

use orch_sim::fault::Fault;

use super::ledger::Of;
use super::sum::Sum;
use crate::screen;

/// The page: which seeds, what was injected, what was looked at, what failed.
pub(super) fn page(of: &Of, from: u64, machine: &str, sum: &Sum) -> String {
    let mut page = String::new();
    let last = (from + sum.histories).saturating_sub(1);
    let _ = writeln!(page, "# {} simulated lifecycles\n", thousands(sum.lifecycles));
    let _ = writeln!(
        page,
        "Written by `orch sim run`. A lifecycle is a task from its issue to its end; a history is one world of several tasks,\n\
         made from a seed, in which what is named below went wrong at random moments: in half of them all of it, in three of ten a\n\
         part, each more or less often, in two of ten one thing alone, with what it needs to come, up to ten times as often. `orch sim\n\
         run --seeds 1 --from SEED --faults {}` of the program that is named here, and of no other, lives through any of them again, byte for byte.\n",
        of.faults
    );
    let _ = writeln!(page, "{}\n", of_faults(&of.faults));
    let commit = of.commit.as_deref().unwrap_or("of no known commit");
    let rows = [
        ("seeds", format!("{from} to {last}, faults `{}`, on {}", of.faults, journal(of))),
        ("program", format!("{} {commit}, rules {}", of.version, of.rules)),
        ("machine", machine.to_owned()),
        ("histories", thousands(sum.histories)),
        ("lifecycles", thousands(sum.lifecycles)),
        ("events", format!("{}, {:.1} a lifecycle", thousands(sum.events), sum.each(sum.events))),
        ("events that shared a commit", thousands(sum.of(Fault::Together))),
        ("changes that are red with another one alone", thousands(sum.of(Fault::AgentClashes))),
        ("things that came from outside: people, agents, services", thousands(sum.outside)),
        ("faults injected", format!("{}, {:.1} a lifecycle", thousands(sum.faults), sum.each(sum.faults))),
        (
            "deaths of the brain",
            format!("{}, {:.2} a lifecycle", thousands(sum.crashes), sum.each(sum.crashes)),
        ),
        (
            "promises looked at",
            format!("{}, {:.0} a lifecycle", thousands(sum.looks()), sum.each(sum.looks())),
        ),
        (
            "processor",
            format!(
                "{:.1} minutes: {} lifecycles a minute",
                sum.cpu as f64 / 60_000.0,
                thousands(sum.a_minute())
            ),
        ),
        ("failed", thousands(sum.failed.len() as u64)),
        ("digest", format!("`{}`", sum.digest)),
    ];
    let _ = writeln!(page, "| | |\n|---|---|");
    for (name, value) in rows {
        let _ = writeln!(page, "| {name} | {value} |");
    }
    let _ = writeln!(page, "\n## Failed\n");
    if sum.failed.is_empty() {
        let _ = writeln!(page, "None.");
    } else {
        let _ = writeln!(page, "| Seed | Promise | What was seen |\n|---:|---|---|");
        for failed in &sum.failed {
            let what = screen::safe(&failed.what).replace('|', "\\|");
            let _ = writeln!(page, "| {} | {} | {what} |", failed.seed, failed.name);
        }
    }
    let mut wrong = sum.by.clone();
    for fault in Fault::ALL.into_iter().filter(|fault| !fault.is_wrong()) {
        wrong.remove(fault.name());
    }
    counted(&mut page, "Faults", "Fault", "Injected", &wrong);
    counted(&mut page, "Promises", "Promise", "Looked at", &sum.promises);
    page
}

/// What was among the faults and what was not.
fn of_faults(faults: &str) -> &'static str {
    match faults {
        "some" => {
            "The faults `some` are those of machines, networks and clocks. People who meddle, agents that lie, hang or overspend, services\n\
             that go bad and refs that move are in `people` and `all`, which CI's histories have. Promises and faults of later programs\n\
             are not in these figures."
        }
        "people" => {
            "The faults `people` are those of machines, networks and clocks, and people who press, edit, stop and pause at any moment.\n\
             Agents that lie, hang or overspend, services that go bad and refs that move are in `all`, which CI's histories have. Promises\n\
             and faults of later programs are not in these figures."
        }
        _ => {
            "The faults `all` are all that this program has. Promises and faults of later programs are not in these figures."
        }
    }
}

fn journal(of: &Of) -> &'static str {
    if of.store == "memory" {
        "a journal in memory"
    } else {
        "SQLite, opened again after each death of the brain"
    }
}

fn counted(page: &mut String, title: &str, name: &str, times: &str, all: &BTreeMap<String, u64>) {
    let _ = writeln!(page, "\n## {title}\n\n| {name} | {times} |\n|---|---:|");
    for (name, n) in all {
        let _ = writeln!(page, "| {name} | {} |", thousands(*n));
    }
}

/// `1,234,567`.
fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::sum::Failed;
    use super::*;

    /// Proves that the page names range, faults, promises and failures, and that text which was seen cannot break its
    /// table.
    #[test]
    fn a_page_says_what_was_lived_through() {
        let one = |name: &str, n| BTreeMap::from([(name.to_owned(), n)]);
        let failed = Failed { seed: 9, name: "liveness".to_owned(), what: "a | b\u{1b}[2J".to_owned() };
        let sum = Sum {
            histories: 10,
            lifecycles: 1_234_567,
            cpu: 60_000,
            by: BTreeMap::from([("disk full".to_owned(), 1000), ("events in one commit".to_owned(), 7)]),
            promises: one("limits-hold", 2),
            failed: vec![failed],
            ..Sum::default()
        };
        let page = page(&Of::this("all", "memory").unwrap(), 5, "two cores", &sum);
        for line in [
            "# 1,234,567 simulated lifecycles",
            "| seeds | 5 to 14, faults `all`, on a journal in memory |",
            "| machine | two cores |",
            "| disk full | 1,000 |",
            "| events that shared a commit | 7 |",
            "| limits-hold | 2 |",
        ] {
            assert!(page.lines().any(|found| found == line), "{line}\n{page}");
        }
        assert!(page.contains("| 9 | liveness | a \\| b") && !page.contains('\u{1b}'), "{page}");
        assert!(!page.contains("events in one commit"), "what is no fault is not among the faults: {page}");
    }
}
