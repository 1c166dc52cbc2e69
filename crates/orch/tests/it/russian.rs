//! Does Orch speak Russian to who reads Russian? The real program is walked through, and each line that it says is looked at.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;

use orch_adapters::process::{self, Observed};
use orch_core::task::{Rest, Step};

use crate::scene::{Scene, kill};

const ITEM: &str = "DOM-001";

/// An agent that does well as the analyst.
const ANALYST: &str = r#"#!/bin/sh
cat > /dev/null
folder=docs/work-items/DOM-001
mkdir -p "$folder"
for name in 01-brd.md 02-trz.md 03-acceptance-criteria.md 04-test-plan.yaml; do echo '- id: TC-01' > "$folder/$name"; done
"#;

/// The Latin words that may stand in a Russian line besides those that [`latin`] leaves out: commands and kinds of events,
/// which are names for programs (decision 63), names of what is called so in Russian too, and those of this story.
const ALLOWED: &str = "
    demo init up login new edit list show why logs diff comments comment approve reject confirm stop retry start continue accept allow priority
    pause unpause resume freeze unfreeze events doctor settings hosts replay audit backup restore sim drill completions reference help
    installation started issue granted reply message gesture timer
    Orch orch git Git SQLite JSON HTTP API TCP CI SIGTERM SIGKILL Ctrl-C UTC UTF-8 Landlock Linux Unix Unix- CLI PATH HOME URL
    Markdown chmod cgroup overlay version bash zsh fish B G X
    To Analyse Approved Rejected Confirm Deploy STOP Code Review staging analyst stream preset library TASK TEXT
    main root head dom agent true ru";

/// What of a line is Latin and should not be. Gone before anybody looks: what stands in code marks, in «», `<>` and `[]`, a
/// command line for git, the system's own words (they end in `(os error N)`), and each word that holds what no word of prose
/// holds.
fn latin(line: &str) -> Vec<String> {
    let mut text = String::new();
    let mut within = None;
    for c in line.chars() {
        match (within, c) {
            (None, '`') => within = Some('`'),
            (None, '<') => within = Some('>'),
            (None, '[') => within = Some(']'),
            (None, '«') => within = Some('»'),
            (Some(end), c) if c == end => within = None,
            (None, c) => text.push(c),
            (Some(_), _) => {}
        }
    }
    if let Some(end) = text.find("(os error") {
        let begin = text[..end].rfind(": ").unwrap_or(0);
        text.replace_range(begin..end + "(os error".len(), "");
    }
    text.truncate(text.find("git add").unwrap_or(text.len()));
    let named = |word: &str| {
        word.contains(['/', '_', '=', '@', '.', ':', '|']) || word.contains("--") || word.starts_with('-')
    };
    let trimmed = |word: &str| {
        word.trim_matches(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '/').to_owned()
    };
    text.split_whitespace()
        .map(trimmed)
        .filter(|word| word.chars().any(|c| c.is_ascii_alphabetic()) && !named(word))
        .filter(|word| !ALLOWED.split_whitespace().any(|allowed| allowed == word))
        // Names of runs, of work items, commits.
        .filter(|word| !word.chars().any(|c| c.is_ascii_digit()))
        .collect()
}

/// All that was said so far, with the command that it answers.
#[derive(Default)]
struct Heard {
    lines: Vec<(String, String)>,
}

impl Heard {
    fn listen(&mut self, scene: &Scene, typed: &[&str]) -> String {
        let done = scene.orch(typed);
        let said = format!("{}{}", done.out, done.err);
        self.lines.extend(said.lines().map(|line| (typed.join(" "), line.to_owned())));
        assert!(!said.is_empty() || done.code == 0, "{typed:?}");
        said
    }

    #[track_caller]
    fn is_russian(&self) {
        let mut wrong = Vec::new();
        for (typed, line) in &self.lines {
            let words = latin(line);
            if !words.is_empty() {
                wrong.push(format!("orch {typed}\n    {line}\n    {words:?}"));
            }
        }
        wrong.dedup();
        assert!(wrong.is_empty(), "{} lines of {}:\n{}", wrong.len(), self.lines.len(), wrong.join("\n"));
    }
}

fn agent(scene: &Scene, text: &str) -> String {
    let file = scene.folder().join("agent");
    crate::stage::program(&file, text);
    file.to_str().unwrap().to_owned()
}

/// What stands on a page of the dashboard, for who prefers Russian.
fn page(scene: &Scene, path: &str) -> Vec<String> {
    let mut stream = UnixStream::connect(scene.home().socket()).unwrap();
    let token = std::fs::read_to_string(scene.home().token()).unwrap();
    let who = format!("authorization: Bearer {}", token.trim());
    let head =
        format!("host: localhost\r\nconnection: close\r\naccept: text/html\r\naccept-language: ru\r\n{who}");
    stream.write_all(format!("GET {path} HTTP/1.1\r\n{head}\r\n\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{path}: {head}");
    // Code, what programs said and scripts are quoted; what is left between the tags is said.
    let mut text = body.to_owned();
    for tag in ["script", "style", "pre", "code", "svg"] {
        while let Some(from) = text.find(&format!("<{tag}")) {
            let end = format!("</{tag}>");
            let to = text[from..].find(&end).map_or(text.len(), |at| from + at + end.len());
            text.replace_range(from..to, " ");
        }
    }
    text.split('<')
        .filter_map(|part| Some(part.split_once('>')?.1.trim().to_owned()))
        .filter(|t| !t.is_empty())
        .collect()
}

/// Proves decision 63 on the command line and the dashboard: to who reads Russian no line of Orch's own has an English word,
/// whether things go well, a person errs, a program cannot be started or a run is lost.
#[test]
fn everything_is_said_in_russian() {
    let scene = Scene::new("home", "dom").speaking("ru_RU.UTF-8");
    let mut heard = Heard::default();
    scene.write("dom/README.md", "# Дом\n");
    scene.git(["init", "--quiet", "--initial-branch=main"]);
    heard.listen(&scene, &["list"]);
    heard.listen(&scene, &["init"]);
    scene.git(["add", "."]);
    scene.git(["commit", "--quiet", "--message=first"]);
    let program = agent(&scene, ANALYST);
    scene.write("home/orch.toml", "listen = \"127.0.0.1:0\"\nlanguage = \"ru\"\n");
    heard.listen(&scene, &["init", "--agent", &program]);
    scene.write("dom/.orch/policy.toml", "preset = \"library\"\ntest = [\"true\"]\n");
    scene.git(["add", "."]);
    scene.git(["commit", "--quiet", "--message=policy"]);
    heard.listen(&scene, &["doctor"]);
    heard.listen(&scene, &["list"]);

    let brain = scene.up(&[]);
    heard.listen(&scene, &["new", "Покрасить забор", "--text", "Зелёным, в два слоя, до конца недели."]);
    let rests = |wanted: Rest| {
        scene.until_task(ITEM, "it rests", |task| (task.step == Step::Rest(wanted.clone())).then_some(()));
    };
    rests(Rest::Approval);
    let look = |heard: &mut Heard| {
        for typed in [&["list"][..], &["show", ITEM], &["why", ITEM], &["events"], &["logs", ITEM]] {
            heard.listen(&scene, typed);
        }
        for path in ["/".to_owned(), format!("/tasks/{ITEM}"), "/journal".to_owned()] {
            heard.lines.extend(page(&scene, &path).into_iter().map(|line| (path.clone(), line)));
        }
    };
    look(&mut heard);
    for typed in [
        &["confirm", ITEM][..],
        &["retry", ITEM],
        &["priority", ITEM, "high"],
        &["pause"],
        &["why", ITEM],
        &["resume"],
        &["freeze", "dom"],
        &["unfreeze", "dom"],
        &["unfreeze", "dom"],
        &["unpause"],
        &["priority", ITEM, "high"],
        &["comment", ITEM, "Зелёный нам нравится."],
        &["comment", ITEM, " "],
        &["comments", ITEM],
        &["comments", "DOM-009"],
        &["settings"],
        &["doctor"],
        &["show", "DOM-009"],
        &["show"],
        &["aprove", ITEM],
        &["approve", ITEM, "--what", "1"],
        &["new"],
        &["freeze", "nothing"],
        &["restore", "/nowhere"],
        &["replay", "--verify"],
    ] {
        heard.listen(&scene, typed);
    }

    // A program that cannot be started: its interpreter is not there.
    agent(&scene, "#!/no/such/interpreter\n");
    heard.listen(&scene, &["reject", ITEM, "--reason", "Синим"]);
    scene.until_task(ITEM, "another try", |task| matches!(task.step, Step::Backoff { .. }).then_some(()));
    let why = heard.listen(&scene, &["why", ITEM]);
    assert!(why.contains("не запускается"), "{why}");
    look(&mut heard);

    // A run whose supervisor dies.
    agent(&scene, "#!/bin/sh\nwhile :; do sleep 1; done\n");
    let live = scene.until("a run", || {
        scene.records().into_iter().find_map(|(_, record)| match process::observe(&record) {
            Observed::Running(identity) => Some(identity),
            Observed::NotStarted | Observed::Ended(_) | Observed::Lost { .. } | Observed::Unknown { .. } => {
                None
            }
        })
    });
    kill(&live);
    let lost = |why: &str| {
        why.contains(&format!("процесс {} завершился", live.pid))
            || why.contains(&format!("процесса {} нет", live.pid))
    };
    scene.until("the loss is said", || lost(&scene.orch(["why", ITEM]).out).then_some(()));
    look(&mut heard);

    heard.listen(&scene, &["stop", ITEM]);
    scene.until_task(ITEM, "the end", |task| task.stage.is_terminal().then_some(()));
    look(&mut heard);
    let said = brain.stop(&scene);
    // Lines of the log begin with a date: they are for who works on Orch.
    let said = said.lines().filter(|line| !line.starts_with("20"));
    heard.lines.extend(said.map(|line| ("up".to_owned(), line.to_owned())));
    heard.is_russian();
}

/// Proves that the help of every command is Russian, but for names.
#[test]
fn the_help_is_russian() {
    let scene = Scene::new("home", "dom").speaking("ru_RU.UTF-8");
    let mut heard = Heard::default();
    let help = heard.listen(&scene, &["help"]);
    let names: Vec<&str> = help
        .lines()
        .filter_map(|line| line.strip_prefix("  "))
        .filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(names.len() > 25, "{help}");
    for name in &names {
        heard.listen(&scene, &[name, "--help"]);
    }
    // A text goes on below itself; names of commands stand in the first column and after `orch`.
    let mut lines: Vec<(String, String)> = Vec::new();
    for (typed, line) in heard.lines.drain(..) {
        match lines.last_mut() {
            Some((before, text)) if *before == typed && line.starts_with("        ") => {
                text.push_str(&format!(" {}", line.trim()))
            }
            Some(_) | None => lines.push((typed, line)),
        }
    }
    heard.lines = lines;
    for (_, line) in &mut heard.lines {
        if let Some((_, about)) = line.trim_start().split_once("  ") {
            *line = about.to_owned();
        }
    }
    heard.is_russian();
}
