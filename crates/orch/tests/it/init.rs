//! Does a repository become a project, in every usual language, and is what cannot be worked with refused with a reason?

use orch::policy_file::PolicyFile;
use orch::settings::Settings;

use crate::stage::Stage;

type Files = &'static [(&'static str, &'static str)];

/// Proves that init writes two files that read back, commits nothing, and says what to commit (decisions 43, 44).
#[test]
fn a_repository_becomes_a_project() {
    let stage = Stage::new();
    stage.program("claude");
    stage.commit(&[("Cargo.toml", "[package]\nname = \"x\"\n"), ("Cargo.lock", "")]);
    let said = stage.orch(["init", "--name", "demo"]).well();
    assert!(said.contains("git add .orch"), "{said}");
    let policy = PolicyFile::read(&stage.path("p"), &stage.read("repo/.orch/policy.toml")).unwrap();
    assert_eq!(policy.test.unwrap().0, ["cargo", "test", "--workspace"]);
    let settings = Settings::load(&stage.home().join("orch.toml"), &[]).unwrap().settings;
    let project = &settings.projects["demo"];
    assert_eq!((project.prefix.as_str(), project.branch.as_deref()), ("DEMO", Some("main")));
    assert_eq!(project.repository, stage.repo());
    assert_eq!(project.agent.as_deref(), Some("claude"));
    stage.git(["diff", "--cached", "--quiet"]);

    let again = stage.orch(["init"]).failed(4);
    assert!(again.contains("this repository is project `demo` already"), "{again}");
}

/// Proves that repositories which become projects at the same time all become one: no entry is lost.
#[test]
fn six_at_once_are_six_projects() {
    let stage = Stage::new();
    let names = ["one", "two", "three", "four", "five", "six"];
    for name in names {
        let folder = stage.path(name);
        std::fs::create_dir(&folder).unwrap();
        stage.git(["init", "--quiet", "--initial-branch=main", folder.to_str().unwrap()]);
        let folder = folder.to_str().unwrap();
        stage.git(["-C", folder, "commit", "--quiet", "--allow-empty", "--message=first"]);
    }
    let start = std::sync::Barrier::new(names.len());
    std::thread::scope(|scope| {
        for name in names {
            let (stage, start) = (&stage, &start);
            scope.spawn(move || {
                start.wait();
                stage.orch_in(&stage.path(name), ["init", "--name", name]).well()
            });
        }
    });
    let settings = Settings::load(&stage.home().join("orch.toml"), &[]).unwrap().settings;
    let mut known: Vec<&str> = settings.projects.keys().map(|name| name.as_str()).collect();
    known.sort_unstable();
    assert_eq!(known, ["five", "four", "one", "six", "three", "two"]);
}

/// Proves the guess of test command and setup in the usual languages.
#[test]
fn languages_are_detected() {
    let cases: [(Files, &str, &str); 6] = [
        (&[("Cargo.toml", "")], "Rust (Cargo)", "cargo test --workspace"),
        (
            &[("package.json", r#"{"scripts":{"test":"x"}}"#), ("package-lock.json", "{}")],
            "JavaScript (package.json)",
            "npm test",
        ),
        (&[("go.mod", "module x")], "Go", "go test ./..."),
        (&[("pyproject.toml", "[tool.pytest.ini_options]")], "Python", "python3 -m pytest"),
        (&[("sums.py", ""), ("tests/test_sums.py", "def test_a(): pass\n")], "Python", "python3 -m pytest"),
        (&[("Makefile", "test:\n\ttrue\n")], "Make", "make test"),
    ];
    for (files, what, test) in cases {
        let stage = Stage::new();
        stage.commit(files);
        let done = stage.orch(["init", "--json", "--name", "demo"]).json();
        assert_eq!(done["language"], what);
        let words: Vec<&str> =
            done["test"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
        assert_eq!(words.join(" "), test);
        assert_eq!(done["preset"], "library");
        assert_eq!(done["commit"][0], ".orch/policy.toml");
        PolicyFile::read(&stage.path("p"), &stage.read("repo/.orch/policy.toml")).unwrap();
    }
}

/// Proves that what is not recognised works too, and is said.
#[test]
fn nothing_recognised_is_said() {
    let stage = Stage::new();
    stage.commit(&[("README", "x")]);
    let said = stage.orch(["init"]).well();
    assert!(said.contains("without tests nothing can be merged"), "{said}");
    assert!(said.contains("without an agent nobody works"), "{said}");
    assert!(stage.read("repo/.orch/policy.toml").contains("#test = "));
}

/// Proves decision 30 for projects: a folder whose name is in another script gives its name by sound, not none.
#[test]
fn names_in_other_scripts_are_transliterated() {
    let stage = Stage::new();
    for (folder, name, prefix) in [
        ("Погода в доме", "pogoda-v-dome", "PVD"),
        ("größe", "grosse", "GROSSE"),
        ("…", "project", "PROJECT"),
    ] {
        let folder = stage.path(folder);
        std::fs::create_dir(&folder).unwrap();
        let at = folder.to_str().unwrap();
        stage.git(["init", "--quiet", "--initial-branch=main", at]);
        stage.git(["-C", at, "commit", "--quiet", "--allow-empty", "--message=first"]);
        let done = stage.orch_in(&folder, ["init", "--json"]).json();
        assert_eq!((done["project"].as_str(), done["prefix"].as_str()), (Some(name), Some(prefix)));
    }
}

/// Proves that people's comments and lines in orch.toml stay as they are.
#[test]
fn comments_of_people_stay() {
    let stage = Stage::new();
    let mine = "# mine\nlisten = \"127.0.0.1:9000\" # also mine\n\n[limits] # here too\nagents = 2\n";
    stage.write("home/orch.toml", mine);
    stage.commit(&[("go.mod", "")]);
    stage.orch(["init", "--prefix", "abc", "--test", "go vet ./..."]).well();
    let text = stage.read("home/orch.toml");
    assert!(text.starts_with(mine), "{text}");
    let settings = Settings::load(&stage.home().join("orch.toml"), &[]).unwrap().settings;
    assert_eq!(settings.limits.agents, 2);
    assert_eq!(settings.projects["repo"].prefix, "ABC");
    assert!(stage.read("repo/.orch/policy.toml").contains("test = [\"go\", \"vet\", \"./...\"]"));
}

/// Proves that what cannot be worked with is refused with the reason, and that nothing is written then.
#[test]
fn what_cannot_be_worked_with() {
    let check = |prepare: &dyn Fn(&Stage), arguments: &[&str], code: i32, cause: &str| {
        let stage = Stage::new();
        prepare(&stage);
        let said = stage.orch([&["init"], arguments].concat()).failed(code);
        assert!(said.contains(cause), "{cause}: {said}");
        assert!(said.contains("remedy") || said.contains("For more information"), "{said}");
        assert!(!stage.home().join("orch.toml").exists() && !stage.repo().join(".orch").exists(), "{cause}");
    };
    let one = |stage: &Stage| stage.commit(&[("go.mod", "")]);
    check(&|_| {}, &[], 4, "not in a git repository");
    check(&|stage| stage.git(["init", "--quiet"]), &[], 4, "no commits yet");
    check(&|stage| stage.git(["init", "--quiet", "--bare"]), &[], 4, "is bare");
    check(
        &|stage| {
            one(stage);
            stage.git(["checkout", "--quiet", "--detach"]);
        },
        &[],
        4,
        "HEAD is detached",
    );
    check(&one, &["--preset", "full"], 4, "no deploy hook is named");
    check(&one, &["--preset", "fulll"], 2, "possible values");
    check(&one, &["--prefix", "a-b"], 2, "`A-B` is no prefix");
    check(&one, &["--test", "a | b"], 2, "no shell runs this");
    check(&one, &["--agent", "nobody"], 3, "there is no agent `nobody`");
    check(&one, &["--hook", "/nowhere/hook"], 3, "the hook is not there");
    check(&one, &["--hook", "go.mod"], 4, "lies in the repository");
    let stage = Stage::new().env("ORCH_HOME", "");
    one(&stage);
    let inside = stage.repo().join("state");
    let said = stage.orch(["--home", inside.to_str().unwrap(), "init"]).failed(4);
    assert!(said.contains("the installation's folder lies in this repository"), "{said}");
}

/// Proves that a repository with things Orch treats in its own way is taken, and that a person is told.
#[test]
fn peculiar_repositories_are_warned_of() {
    let stage = Stage::new();
    stage.commit(&[("go.mod", ""), ("a/.gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n")]);
    stage.git([
        "update-index",
        "--add",
        "--cacheinfo",
        "160000,1111111111111111111111111111111111111111,sub",
    ]);
    stage.git(["commit", "--quiet", "--message=gitlink"]);
    stage.git(["switch", "--quiet", "--create", "other"]);
    stage.write("repo/go.mod", "changed");
    let done = stage.orch(["init", "--json"]).json();
    let warnings = done["warnings"].to_string();
    for word in ["submodules", "LFS", "uncommitted changes", "you are on `other`"] {
        assert!(warnings.contains(word), "{word}: {warnings}");
    }
    assert_eq!(done["branch"], "main");
}

/// Proves that who names a hook and no health address is told what that means, and finds in orch.toml where it goes
/// (decision 64).
#[test]
fn a_hook_without_a_health_address_is_told_of() {
    let stage = Stage::new();
    let hook = stage.program("deploy");
    stage.commit(&[("go.mod", "")]);
    let hook = hook.to_str().unwrap();
    let done = stage.orch(["init", "--json", "--hook", hook, "--agent", "deploy"]).json();
    assert!(done["warnings"].to_string().contains("--health"), "{done}");
    let settings = std::fs::read_to_string(stage.home().join("orch.toml")).unwrap();
    assert!(settings.contains("#[projects.repo.health]"), "{settings}");
}

/// Proves that a hook makes it a project that deploys (decision 6), and that a second repository gets a prefix of its own.
#[test]
fn a_hook_deploys_and_prefixes_differ() {
    let stage = Stage::new();
    let hook = stage.program("deploy");
    stage.commit(&[("go.mod", "")]);
    let url = "http://127.0.0.1:1/health";
    let hook = hook.to_str().unwrap();
    let done = stage.orch(["init", "--json", "--hook", hook, "--health", url, "--agent", "deploy"]).json();
    assert_eq!((done["preset"].as_str(), done["prefix"].as_str()), (Some("full"), Some("REPO")));
    assert!(!done["warnings"].to_string().contains("--health"), "{done}");
    let second = stage.path("second/repo");
    std::fs::create_dir_all(&second).unwrap();
    for arguments in
        [&["init", "--quiet", "-b", "main"][..], &["commit", "--quiet", "--allow-empty", "-m", "x"]]
    {
        stage.git([&["-C", second.to_str().unwrap()], arguments].concat());
    }
    let done = stage.orch_in(&second, ["init", "--json"]).json();
    assert_eq!((done["project"].as_str(), done["prefix"].as_str()), (Some("repo-2"), Some("REPO2")));
    let hosts = stage.orch(["hosts", "--json"]).json();
    assert_eq!(hosts["hosts"][0]["host"], "127.0.0.1:1");
}

/// Proves that a policy which is there already and stays is not talked over: neither tests nor preset are told as if this call
/// had chosen them.
#[test]
fn of_a_policy_that_stays_nothing_is_guessed() {
    let stage = Stage::new();
    stage.program("claude");
    stage.commit(&[(".orch/policy.toml", "preset = \"fast\"\ntest = [\"tests/run.sh\"]\n")]);
    let said = stage.orch(["init", "--name", "demo"]).well();
    assert!(!said.contains("none found") && !said.contains("library"), "{said}");
    assert!(said.contains("demo DEMO-001"), "{said}");
}
