//! Which story does the demo tell? A change to a small web service: first red tests, then a reviewer who objects, then a
//! good one. Written as a scenario that the scripted agents play.

use orch_core::time::Span;
use serde_json::json;

use crate::words::{Told, say};

/// The title.
pub fn title() -> Told {
    say!("Greet people by name", "Здороваться по имени")
}

/// The description.
pub fn text() -> Told {
    say!(
        "GET /?name=Ada should answer \"Hello, Ada!\". Without a name it stays \"Hello!\".",
        "GET /?name=Ada должен отвечать \"Hello, Ada!\". Без имени ответ остаётся \"Hello!\"."
    )
}

/// What the deployed service answers in the end to `/?name=Ada`.
pub const NEW_ANSWER: &str = "Hello, Ada!";

/// How long an agent pauses after a line while nobody looks.
pub const ALONE: Span = Span(250);
/// The same while a person looks: a log that can be read as it grows.
pub const WATCHED: Span = Span(700);

/// A step that is made to go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Spoil {
    /// The tests stay red: the third judgement escalates.
    Ci,
    /// The reviewer objects every time: the third judgement escalates.
    Review,
    /// The checkout of main has changes of its own: the merge waits.
    Merge,
    /// The deployed service names another commit: the deploy fails after the merge, the repository is frozen.
    Health,
}

const FIRST: &str = include_str!("../../demo/story/lib-first.rs");
const SECOND: &str = include_str!("../../demo/story/lib-second.rs");
const THIRD: &str = include_str!("../../demo/story/lib-third.rs");
const TESTS_SECOND: &str = include_str!("../../demo/story/answers-second.rs");
const TESTS_THIRD: &str = include_str!("../../demo/story/answers-third.rs");
const README: &str = include_str!("../../demo/story/README-third.md");

/// A quoted TOML string: JSON's rules are a part of TOML's.
fn quoted(text: &str) -> String {
    json!(text).to_string()
}

struct Script {
    text: String,
    pace: Span,
}

impl Script {
    fn part(&mut self, role: &str, attempt: Option<u32>) -> &mut Self {
        self.text.push_str(&format!("\n[[part]]\nrole = \"{role}\"\n"));
        if let Some(attempt) = attempt {
            self.text.push_str(&format!("attempt = {attempt}\n"));
        }
        self
    }

    fn step(&mut self, what: &str) -> &mut Self {
        self.text.push_str(&format!("[[part.step]]\n{what}\n"));
        self
    }

    fn say(&mut self, text: &str) -> &mut Self {
        let pause = format!("do = \"pause\"\nms = {}", self.pace.0);
        self.step(&format!("do = \"say\"\ntext = {}", quoted(text))).step(&pause)
    }

    fn write(&mut self, path: &str, text: &str) -> &mut Self {
        let (path, text) = (quoted(path), quoted(text));
        self.step(&format!("do = \"write\"\npath = {path}\ntext = {text}\nplain = true"))
    }

    /// A file of the work item, with placeholders.
    fn artefact(&mut self, name: &str, text: &str) -> &mut Self {
        let (path, text) = (quoted(&format!("docs/work-items/{{item}}/{name}")), quoted(text));
        self.step(&format!("do = \"write\"\npath = {path}\ntext = {text}"))
    }

    fn used(&mut self, input: u32, output: u32, cost: &str) -> &mut Self {
        self.step(&format!("do = \"used\"\ninput = {input}\noutput = {output}\ncost = \"{cost}\""))
    }
}

/// The scenario, as the scripted agents read it.
pub fn scenario(spoil: Option<Spoil>, pace: Span) -> String {
    let mut script = Script { text: "version = 1\n".to_owned(), pace };
    let s = &mut script;
    s.part("analyst", None)
        .say(&say!("(scripted) reading the issue", "(по сценарию) читаю задачу"))
        .artefact(
            "01-brd.md",
            &say!(
                "# Greet people by name\n\nBR-1: a visitor who gives a name is greeted by it.\nBR-2: without a name nothing changes.\n",
                "# Здороваться по имени\n\nBR-1: с посетителем, который назвал имя, здороваются по имени.\nBR-2: без имени ничего не меняется.\n"
            ),
        )
        .artefact(
            "02-trz.md",
            &say!(
                "# What to build\n\nRead `name` from the query of `GET /`.\n",
                "# Что сделать\n\nЧитать `name` из параметров `GET /`.\n"
            ),
        )
        .artefact(
            "03-acceptance-criteria.md",
            &say!(
                "# Acceptance\n\nAC-1: `GET /?name=Ada` answers `Hello, Ada!`.\nAC-2: `GET /` answers `Hello!`.\n",
                "# Приёмка\n\nAC-1: `GET /?name=Ada` отвечает `Hello, Ada!`.\nAC-2: `GET /` отвечает `Hello!`.\n"
            ),
        )
        .artefact(
            "04-test-plan.yaml",
            &say!(
                "- id: TC-01\n  type: unit\n  description: a name is greeted\n  module: tests/answers.rs\n  expected: Hello, Ada!\n- id: TC-02\n  type: unit\n  description: no name, no change\n  module: tests/answers.rs\n  expected: Hello!\n",
                "- id: TC-01\n  type: unit\n  description: с именем здороваются\n  module: tests/answers.rs\n  expected: Hello, Ada!\n- id: TC-02\n  type: unit\n  description: без имени всё по-прежнему\n  module: tests/answers.rs\n  expected: Hello!\n"
            ),
        )
        .say(&say!("(scripted) the requirements are written", "(по сценарию) требования написаны"))
        .used(5200, 900, "0.041");
    s.part("architect", None)
        .say(&say!("(scripted) deciding how", "(по сценарию) решаю, как это сделать"))
        .artefact(
            "06-adr/ADR-001-query.md",
            &say!(
                "# Read the name from the query\n\nNo router, no new dependency: one function in `src/lib.rs`.\n",
                "# Имя берётся из параметров запроса\n\nБез роутера и новых зависимостей: одна функция в `src/lib.rs`.\n"
            ),
        )
        .artefact(
            "07-infra-requirements.md",
            &say!("No new infrastructure.\n", "Новой инфраструктуры не нужно.\n"),
        )
        .artefact("08-data-requirements.md", &say!("No schema change.\n", "Схема не меняется.\n"))
        .artefact(
            "10-tech-risks.md",
            &say!(
                "| risk | answer |\n|---|---|\n| markup in the name | keep letters, digits and - only |\n",
                "| риск | ответ |\n|---|---|\n| разметка в имени | оставлять только буквы, цифры и - |\n"
            ),
        )
        .used(6100, 700, "0.046");
    let lasting = spoil == Some(Spoil::Ci);
    s.part("developer", Some(1))
        .say(&say!(
            "(scripted) reading the requirements: BR-1, BR-2, two acceptance criteria",
            "(по сценарию) читаю требования: BR-1, BR-2, два критерия приёмки"
        ))
        .say(&say!(
            "(scripted) the answer to `/` is made in src/lib.rs; writing the change",
            "(по сценарию) ответ на `/` собирается в src/lib.rs; пишу изменение"
        ))
        .write("src/lib.rs", FIRST)
        .say(&say!("(scripted) done", "(по сценарию) готово"))
        .used(9800, 1400, "0.083");
    s.part("developer", Some(2))
        .say(&say!("(scripted) reading the red tests", "(по сценарию) читаю, почему упали тесты"))
        .say(&say!(
            "(scripted) a bare `/?name=` is not what `/` answers; mending it, and testing it",
            "(по сценарию) пустой `/?name=` отвечает не так, как `/`; исправляю и добавляю тест"
        ));
    if lasting {
        s.write("src/lib.rs", &FIRST.replace("Hello, {}!", "Hello {}!"));
    } else {
        s.write("src/lib.rs", SECOND).write("tests/answers.rs", TESTS_SECOND);
    }
    s.used(10400, 1200, "0.081");
    s.part("developer", Some(3))
        .say(&say!("(scripted) reading what the reviewer found", "(по сценарию) читаю замечания ревьюера"))
        .say(&say!(
            "(scripted) cleaning the name, bounding it, and saying so in README.md",
            "(по сценарию) очищаю имя, ограничиваю длину и описываю это в README.md"
        ));
    if lasting {
        s.write("src/lib.rs", &FIRST.replace("Hello, {}!", "Hallo, {}!"));
    } else {
        s.write("src/lib.rs", THIRD).write("tests/answers.rs", TESTS_THIRD).write("README.md", README);
    }
    s.used(11900, 1900, "0.102");
    let objection = say!(
        "---\ntype: review\nwork_item_id: {{item}}\nverdict: REQUEST_CHANGES\nversion: 1\n---\n\n## Summary\n\nThe name goes into the answer as it came.\n\n## Findings\n\n### P1 Must fix\n\n- `src/lib.rs`: an empty name answers `Hello, !`, and markup in the name is echoed.\n- `README.md` does not say anything about `name`.\n",
        "---\ntype: review\nwork_item_id: {{item}}\nverdict: REQUEST_CHANGES\nversion: 1\n---\n\n## Итог\n\nИмя попадает в ответ как есть.\n\n## Замечания\n\n### P1 Исправить обязательно\n\n- `src/lib.rs`: на пустое имя ответ `Hello, !`, а разметка из имени возвращается как есть.\n- в `README.md` нет ни слова о `name`.\n"
    );
    let approval = say!(
        "---\ntype: review\nwork_item_id: {{item}}\nverdict: APPROVED\nversion: 2\n---\n\n## Summary\n\nThe name is cleaned, bounded and documented.\n\n## Findings\n\nNone.\n",
        "---\ntype: review\nwork_item_id: {{item}}\nverdict: APPROVED\nversion: 2\n---\n\n## Итог\n\nИмя очищено, ограничено по длине и описано.\n\n## Замечания\n\nНет.\n"
    );
    s.part("reviewer", None)
        .say(&say!("(scripted) reading the diff", "(по сценарию) читаю diff"))
        .artefact("12-review.md", &objection)
        .used(7300, 600, "0.048");
    let last = if spoil == Some(Spoil::Review) { &objection } else { &approval };
    s.part("reviewer", Some(3))
        .say(&say!("(scripted) reading the diff again", "(по сценарию) читаю diff ещё раз"))
        .artefact("12-review.md", last)
        .used(7900, 500, "0.049");
    s.part("tester", None)
        .say(&say!(
            "(scripted) trying every acceptance criterion",
            "(по сценарию) проверяю каждый критерий приёмки"
        ))
        .artefact(
            "13-test-report.md",
            &say!(
                "---\ntype: test-report\nwork_item_id: {{item}}\nresult: PASS\n---\n\n| case | result |\n|---|---|\n| TC-01 | PASS |\n| TC-02 | PASS |\n\n## Conclusion\n\nBoth criteria hold.\n",
                "---\ntype: test-report\nwork_item_id: {{item}}\nresult: PASS\n---\n\n| случай | результат |\n|---|---|\n| TC-01 | PASS |\n| TC-02 | PASS |\n\n## Вывод\n\nОба критерия выполняются.\n"
            ),
        )
        .used(6800, 800, "0.050");
    script.text
}
