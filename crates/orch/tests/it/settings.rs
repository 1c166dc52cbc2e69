//! Does every malformed setting get an answer that names file, line, key and remedy?

use std::path::Path;

use orch::settings::value::Dollars;
use orch::settings::{Settings, SettingsError};
use orch_core::stage::Role;

use crate::stage::Stage;

#[track_caller]
fn check(text: &str, place: &str, problem: &str, remedy: &str) {
    let error = Settings::of_text(Path::new("orch.toml"), text, &[]).expect_err(text);
    assert_eq!(error.place(), format!("orch.toml:{place}"), "{text}");
    assert_eq!(error.problem(), problem, "{text}");
    assert!(error.remedy().contains(remedy), "{text}: {}", error.remedy());
}

#[track_caller]
fn refused(text: &str) -> (String, String) {
    let error = Settings::of_text(Path::new("orch.toml"), text, &[]).expect_err(text);
    (error.place().into(), error.problem().into())
}

/// Proves that what is no TOML, or of a wrong type, is answered with its place.
#[test]
fn what_cannot_be_read() {
    check(
        "listen = ",
        "1:10",
        "this is not TOML: string values must be quoted, expected literal string",
        "orch reference settings",
    );
    check(
        "\nlisten = 8500",
        "2:10",
        "`listen`: invalid type: integer `8500`, expected socket address",
        "orch reference settings",
    );
    check("language = \"fr\"", "1:12", "`language` cannot be `fr`", "it may be `en`, `ru`");
    check(
        "[limits]\nagents = \"4\"",
        "2:10",
        "`limits.agents`: invalid type: string \"4\", expected u32",
        "orch reference",
    );
    check(
        "[limits]\nday_dollars = -3",
        "2:15",
        "`limits.day_dollars`: -3 is no amount of money",
        "such as 20 or 1.5",
    );
    check(
        "[ceilings]\nrun_minutes = 0",
        "2:15",
        "`ceilings.run_minutes`: 0 minutes is no limit",
        "from 1 to 10080",
    );
    check(
        "[projects.a]\nprefix = \"A\"",
        "1:1",
        "[projects.a] has no `repository`",
        "add `repository = ...`",
    );
    check(
        "[roles.developr]\nagent = \"x\"",
        "1:8",
        "`roles.developr` cannot be `developr`",
        "did you mean `developer`?",
    );
}

/// Proves that a key that is not known is answered with the one that was meant, or with the file it belongs to
/// (decision 44).
#[test]
fn keys_that_are_not_known() {
    check("lsiten = 1", "1:1", "there is no key `lsiten`", "did you mean `listen`?");
    check("[limits]\nagnets = 1", "2:1", "there is no key `agnets` in [limits]", "did you mean `agents`?");
    check("test = [\"x\"]", "1:1", "there is no key `test`", "move it to `.orch/policy.toml`");
    check(
        "[projects.a]\npreset = \"full\"",
        "2:1",
        "there is no key `preset` in [projects.a]",
        "move it to `.orch/policy.toml`",
    );
    check(
        "[limits]\nrun_minutes = 5",
        "2:1",
        "there is no key `run_minutes` in [limits]",
        "under [ceilings]",
    );
    check("day_dollars = 5", "1:1", "there is no key `day_dollars`", "a key of [limits]");
    check("[limits]\nlisten = 5", "2:1", "there is no key `listen` in [limits]", "at the top of the file");
    check("wibble = 5", "1:1", "there is no key `wibble`", "orch reference settings");
}

/// Proves that what can be read and cannot be meant is answered too.
#[test]
fn what_cannot_be_meant() {
    check("timezone = \"Europe/Madird\"", "1:1", "`timezone`: there is no time zone `Europe/Madird`", "IANA");
    check("[limits]\ngates = 0", "2:1", "`limits.gates` is 0, so nothing could ever run", "at least 1");
    check(
        "[limits]\nday_dollars = 1\nreserve_dollars = 2",
        "3:1",
        "`limits.reserve_dollars` (2) is more than `limits.day_dollars` (1), so no run could ever start",
        "lower the one",
    );
    check("agent = \"claude\"", "1:1", "`agent`: there is no agent `claude`", "[agents.claude]");
    check(
        "agent = \"cluade\"\n[agents.claude]\nkind = \"claude\"",
        "1:1",
        "`agent`: there is no agent `cluade`",
        "did you mean `claude`?",
    );
    check(
        "[agents.a]\nkind = \"command\"",
        "2:1",
        "[agents.a] is a command and names no program",
        "program =",
    );
    check(
        "[agents.a]\nkind = \"scripted\"",
        "2:1",
        "[agents.a] is scripted and names no scenario",
        "script =",
    );
    let secret = "[agents.a]\nkind = \"claude\"\n[agents.a.env]\nANTHROPIC_API_KEY = \"x\"";
    let problem =
        "`agents.a.env.ANTHROPIC_API_KEY` looks like a secret, and secrets do not stand in settings";
    check(secret, "4:1", problem, "env_files.ANTHROPIC_API_KEY");
    for (secret, place) in [
        ("[agents.a]\nkind = \"claude\"\nlogin_file = \"/etc/orch/login.json\"", "3:1"),
        ("[agents.a]\nkind = \"claude\"\n[agents.a.env_files]\nK = \"/opt/keys/k\"", "4:1"),
        (
            "machine = { read = [\"/srv/me\"] }\n[agents.a]\nkind = \"claude\"\nlogin_file = \"/srv/me/k\"",
            "4:1",
        ),
    ] {
        let (got, problem) = refused(secret);
        assert!(got.ends_with(place) && problem.contains("which every run may read"), "{got} {problem}");
    }
    let hook = |program: &str| {
        format!(
            "[projects.d]\nprefix = \"D\"\nrepository = \"/d\"\n[projects.d.hook]\nprogram = \"{program}\""
        )
    };
    Settings::of_text("orch.toml".as_ref(), &hook("{checkout}/ops/deploy.sh"), &[]).unwrap();
    for program in ["{checkout}/../deploy.sh", "{checkout}", "{checkout}/", "{checkouts}/x", "deploy.sh"] {
        assert!(refused(&hook(program)).1.contains("projects.d.hook.program"), "{program}");
    }
    check(
        "[agents.a]\nkind = \"claude\"\n[agents.a.env_files]\nK = \"key\"",
        "4:1",
        "`agents.a.env_files.K`: `key` is not an absolute path",
        "begin it with `/`",
    );
    check(
        "[projects.\"A b\"]\nprefix = \"A\"\nrepository = \"/a\"",
        "1:11",
        "`A b` is no name for a project",
        "small letters",
    );
    check(
        "[projects.a]\nprefix = \"a-b\"\nrepository = \"/a\"",
        "2:1",
        "`projects.a.prefix`: `a-b` is no prefix",
        "\"DEMO\"",
    );
    check(
        "[projects.a]\nprefix = \"A\"\nrepository = \"a\"",
        "3:1",
        "`projects.a.repository`: `a` is not an absolute path",
        "begin it",
    );
    let two = "[projects.a]\nprefix = \"A\"\nrepository = \"/a\"\n[projects.b]\nrepository = \"/b\"\nprefix = \"A\"";
    check(two, "6:1", "`projects.b.prefix`: A is the prefix of project `a` too", "a prefix of its own");
    let same = "[projects.a]\nprefix = \"A\"\nrepository = \"/a\"\n[projects.b]\nprefix = \"B\"\nrepository = \"/a\"";
    check(same, "6:1", "`projects.b.repository` is the repository of project `a` too", "keep one");
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let link = other.path().join("link");
    std::os::unix::fs::symlink(dir.path(), &link).unwrap();
    std::fs::create_dir(dir.path().join(".git")).unwrap();
    let by_link = same.replacen("\"/a\"", &format!("{:?}", dir.path()), 1);
    let by_link = by_link.replace("\"/a\"", &format!("{:?}", link.join(".git")));
    check(&by_link, "6:1", "`projects.b.repository` is the repository of project `a` too", "keep one");
    let health =
        "[projects.a]\nprefix = \"A\"\nrepository = \"/a\"\n[projects.a.health]\nurl = \"localhost:80\"";
    check(
        health,
        "5:1",
        "`projects.a.health.url`: `localhost:80` is no address that can be asked",
        "http://",
    );
}

/// Proves that a file that cannot be read is named, and that the real program says so with its exit code.
#[test]
fn the_program_names_the_place() {
    let stage = Stage::new();
    stage.write("home/orch.toml", "# mine\nlanguge = \"en\"\n");
    let said = stage.orch(["settings"]).failed(7);
    assert_eq!(
        said,
        "error: there is no key `languge`\n  where  $STAGE/home/orch.toml:2:1\n  remedy did you mean `language`?\n"
    );
    std::fs::write(stage.home().join("orch.toml"), b"\xff\xfe").unwrap();
    let said = stage.orch(["settings"]).failed(7);
    assert!(said.contains("$STAGE/home/orch.toml") && said.contains("UTF-8"), "{said}");
}

/// Proves how model and effort are chosen: from the place that names the agent or a nearer one, never from a place that
/// names another agent.
#[test]
fn a_model_belongs_to_its_agent() {
    let text = r#"
agent = "a"
[agents.a]
kind = "claude"
model = "a-model"
[agents.b]
kind = "command"
program = "b"
[roles.developer]
model = "dev-model"
[roles.tester]
agent = "b"
model = "test-model"
[projects.p]
prefix = "P"
repository = "/p"
[projects.p.roles.tester]
effort = "high"
[projects.q]
prefix = "Q"
repository = "/q"
agent = "b"
"#;
    let settings = Settings::of_text(Path::new("orch.toml"), text, &[]).unwrap().0;
    let chosen = |project, role| {
        let chosen = settings.chosen(project, role).unwrap();
        (chosen.agent, chosen.provider.to_string(), chosen.model, chosen.effort)
    };
    let own = |agent: &str, provider: &str, model: Option<&str>, effort: Option<&str>| {
        (agent.to_owned(), provider.to_owned(), model.map(str::to_owned), effort.map(str::to_owned))
    };
    assert_eq!(chosen("p", Role::Analyst), own("a", "anthropic", Some("a-model"), None));
    assert_eq!(chosen("p", Role::Developer), own("a", "anthropic", Some("dev-model"), None));
    assert_eq!(chosen("p", Role::Tester), own("b", "b", Some("test-model"), Some("high")));
    assert_eq!(chosen("q", Role::Developer), own("b", "b", None, None));
    assert_eq!(chosen("q", Role::Tester), own("b", "b", None, None));
    assert_eq!(Settings::default().chosen("p", Role::Tester), None);
}

/// Proves that the price of a day is the newest that had begun, and that a model without one has none (decision 12).
#[test]
fn prices_begin_on_a_day() {
    let price = |from: &str, input: u32| {
        format!(
            "[[agents.a.prices]]\nmodel = \"m\"\nfrom = \"{from}\"\ninput = {input}\noutput = 1\ncache_read = 1\ncache_write = 1\n"
        )
    };
    let text = format!(
        "[agents.a]\nkind = \"claude\"\nmodel = \"m\"\n{}{}",
        price("2026-02-01", 2),
        price("2026-01-01", 1)
    );
    let settings = Settings::of_text(Path::new("o"), &text, &[]).unwrap().0;
    let agent = &settings.agents["a"];
    let on =
        |model, day: &str| agent.price(model, day.parse().unwrap()).map(|price| price.input.0 / 1_000_000);
    assert_eq!(on(None, "2026-01-31"), Some(1));
    assert_eq!(on(Some("m"), "2026-02-01"), Some(2));
    assert_eq!(on(None, "2025-12-31"), None);
    assert_eq!(on(Some("other"), "2026-02-01"), None);
    check(
        &price("soon", 1).replace("[[", "[agents.a]\nkind = \"claude\"\n[["),
        "3:12",
        "`agents.a.prices`: `soon` is no day",
        "2026-01-31",
    );
}

/// Proves that money reads exactly.
#[test]
fn money_is_exact() {
    let settings = Settings::of_text(Path::new("o"), "[limits]\nday_dollars = 12.34", &[]).unwrap().0;
    assert_eq!(settings.limits.day_dollars, Dollars(12_340_000));
}

/// Proves that the error type tells its three parts apart.
#[test]
fn an_unreadable_file_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let error = Settings::load(dir.path(), &[]).unwrap_err();
    assert!(matches!(error, SettingsError::Read { .. }));
    assert_eq!(error.place(), dir.path().display().to_string());
}
