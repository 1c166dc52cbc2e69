//! What does a person read while Orch is down? The words that it had while it ran (decision 44).

use orch_core::stage::Role;
use orch_core::task::{Job, Step};

use crate::yard::{GREEN, Yard};

/// Without how long ago something was: that alone moves on.
fn still(text: &str) -> String {
    text.split(" (").map(|part| part.split_once(')').map_or(part, |(_, rest)| rest)).collect()
}

/// Proves that every reading command says the same with a brain and without one, logs and diffs too, and that without one
/// it is said; also in the language of the settings.
#[test]
fn the_same_words_while_orch_is_down() {
    for language in ["en", "ru"] {
        let mut yard = Yard::with(&[], GREEN);
        let log = "[[part.step]]\ndo = \"say\"\ntext = \"as it was written\\n\"\n\
                   [[part.step]]\ndo = \"write\"\npath = \"src/a.txt\"\ntext = \"a line\\n\"\n";
        yard.play(&[("developer", log)]);
        yard.write("home/orch.toml", format!("language = \"{language}\"\n"));
        yard.up();
        let id = yard.ask("A change");
        let task = yard.travel(&id);
        let held = yard.ask("Another change");
        yard.until(&held, "the approval", |task| matches!(task.step, Step::Rest(_)).then_some(()));
        yard.settle();
        let developer = task.runs.iter().find(|row| row.job == Job::Agent(Role::Developer));
        let run = developer.map(|row| row.run.to_string()).unwrap();
        let commands: [&[&str]; 8] = [
            &["list", "--all", "--json"],
            &["show", "yard-1"],
            &["show", "yard-1", "--json"],
            &["why", "yard-2"],
            &["logs", "yard-1", "--run", &run],
            &["logs", "yard-1", "--follow"],
            &["diff", "yard-1"],
            &["events", "yard-1"],
        ];
        let while_it_runs: Vec<_> = commands.iter().map(|command| yard.typed(command)).collect();
        yard.stop();
        for (command, (said, noted)) in commands.iter().zip(while_it_runs) {
            let (left, told) = yard.typed(command);
            assert_eq!(still(&left), still(&said), "{command:?}");
            assert_eq!(noted, "", "{command:?}");
            assert!(
                told.contains(if language == "en" {
                    "Orch is not running"
                } else {
                    "Orch не запущен"
                }),
                "{command:?}: {told}"
            );
        }
        assert!(yard.typed(&["diff", "yard-1"]).0.contains("+a line"));
        let show = yard.typed(&["show", "yard-1"]).0;
        let labels = if language == "en" {
            ["project ", "priority ", "branch ", "\nruns\n", "\ngates\n", "pass", "\nfiles\n"]
        } else {
            ["проект ", "приоритет ", "ветка ", "\nзапуски\n", "\nпроверки\n", "пройдено", "\nфайлы\n"]
        };
        for label in labels {
            assert!(show.contains(label), "{label}: {show}");
        }
        let why = yard.typed(&["why", "yard-2"]).0;
        assert!(why.contains(if language == "en" { "approval" } else { "одобрения" }), "{why}");
        assert_eq!(why.matches("YARD-002").count(), 2, "its id, and the command that moves it: {why}");
        // Nobody knows then which keys must be taken out of a log; what else is read has none.
        yard.write("home/orch.toml", "lsiten = 1\n");
        let (well, log, refused) = yard.tried(&["logs", "yard-1", "--run", &run]);
        assert!(
            !well && !log.contains("as it was written") && refused.contains("orch.toml"),
            "{log} {refused}"
        );
        assert!(yard.typed(&["diff", "yard-1"]).0.contains("+a line"));
    }
}
