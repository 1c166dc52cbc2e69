//! Does the environment do what it did, and say what it no longer does? (decision 26)

use std::path::Path;

use orch::policy_file::{PolicyFile, effective};
use orch::settings::Settings;
use orch::settings::environment::{EffectOf, Remark};
use orch_core::stage::Role;

fn with(env: &[(&str, &str)]) -> Result<(Settings, Vec<Remark>), String> {
    let text = "[agents.a]\nkind = \"claude\"\n[projects.demo]\nprefix = \"D\"\nrepository = \"/d\"\n";
    let env: Vec<_> = env.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    Settings::of_text(Path::new("orch.toml"), text, &env)
        .map_err(|e| format!("{}: {} ({})", e.place(), e.problem(), e.remedy()))
}

/// Proves that the predecessor's names work.
#[test]
fn old_names_work() {
    let (settings, remarks) = with(&[
        ("ORCH_MAX_CONCURRENCY", "7"),
        ("ORCH_AGENT_MODEL_DEVELOPER", "m"),
        ("ORCH_AGENT_EFFORT_DEVELOPER", "high"),
        ("ORCH_AGENT", "a"),
    ])
    .unwrap();
    assert_eq!(settings.limits.agents, 7);
    let chosen = settings.chosen("demo", Role::Developer).unwrap();
    assert_eq!((chosen.model.as_deref(), chosen.effort.as_deref()), (Some("m"), Some("high")));
    assert!(remarks.iter().all(|remark| remark.effect == EffectOf::Overrules));
}

/// Proves that switches of what is now the heart are accepted and reported as without effect.
#[test]
fn switches_of_the_heart_have_no_effect() {
    let (settings, remarks) =
        with(&[("ORCH_REAPER_ENABLED", "false"), ("ORCH_MERGE_GATE_ENABLED", "false")]).unwrap();
    assert_eq!(settings, with(&[]).unwrap().0);
    let effects: Vec<_> = remarks.iter().map(|remark| (remark.variable.as_str(), remark.effect)).collect();
    assert_eq!(
        effects,
        [("ORCH_MERGE_GATE_ENABLED", EffectOf::None), ("ORCH_REAPER_ENABLED", EffectOf::None)]
    );
}

/// Proves that an unknown name is reported with the one that was meant, and stops nothing.
#[test]
fn unknown_names_are_reported() {
    let (_, remarks) = with(&[("ORCH_LISTN", "x"), ("OTHER", "x"), ("ORCH_RUN", "r1.0")]).unwrap();
    assert_eq!(remarks.len(), 1);
    assert_eq!(remarks[0].says, "is not known to this version; did you mean ORCH_LISTEN?");
}

/// Proves that a bad value names its variable, also when only the settings as a whole show that it is bad.
#[test]
fn bad_values_name_the_variable() {
    let error = with(&[("ORCH_LISTEN", "8500")]).unwrap_err();
    assert!(error.starts_with("environment variable ORCH_LISTEN: `8500`: an address with a port"), "{error}");
    let error = with(&[("ORCH_AGENT", "b")]).unwrap_err();
    assert!(
        error.starts_with("environment variable ORCH_AGENT: `b`: `agent`: there is no agent `b`"),
        "{error}"
    );
    assert!(error.contains("orch reference env"), "{error}");
}

/// Proves the three meanings of a list of repositories: unset is all, empty is those that deploy Orch itself, else those
/// named, in any case.
#[test]
fn lists_of_repositories_keep_their_meaning() {
    let serial = |env: &[(&str, &str)]| {
        let settings = with(env).unwrap().0;
        effective("demo", &settings, &PolicyFile::default()).unwrap().serial
    };
    let on = ("ORCH_SERIAL_GATE_ENABLED", "true");
    assert!(!serial(&[]));
    assert!(serial(&[on]));
    assert!(!serial(&[on, ("ORCH_SERIAL_GATE_REPOS", "")]));
    assert!(serial(&[on, ("ORCH_SERIAL_GATE_REPOS", "other, DEMO")]));
    assert!(!serial(&[on, ("ORCH_SERIAL_GATE_REPOS", "other")]));
}

/// row 89: Armed on deploy→done for applicable repos only.
/// Proves the changed rule: watched is who can be asked, unless the variables or a length of 0 say no; a list that is set and
/// empty is for those whose deploy restarts Orch (decisions 26, 69).
#[test]
fn who_is_watched_after_a_deploy() {
    let health = "\n[projects.demo.health]\nurl = \"http://127.0.0.1:1/\"\n";
    let watched = |more: &str, env: &[(&str, &str)]| {
        let text = format!("[projects.demo]\nprefix = \"DEMO\"\nrepository = \"/a\"\n{more}");
        let env: Vec<_> = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let settings = Settings::of_text(Path::new("orch.toml"), &text, &env).unwrap().0;
        let rules = effective("demo", &settings, &PolicyFile::default()).unwrap().watch;
        rules.map(|rules| (rules.window.as_seconds(), rules.looks(), rules.failures))
    };
    assert_eq!(watched("", &[]), None, "nobody can be asked");
    assert_eq!(watched(health, &[]), Some((900, 30, 3)));
    assert_eq!(watched(&format!("{health}watch_seconds = 60\n"), &[]), Some((60, 2, 3)));
    assert_eq!(watched(&format!("{health}watch_seconds = 0\n"), &[]), None);
    assert_eq!(watched(health, &[("ORCH_POST_DEPLOY_WINDOW_S", "0")]), None);
    assert_eq!(watched(health, &[("ORCH_POST_DEPLOY_FAIL_THRESHOLD", "5")]), Some((900, 30, 5)));
    assert_eq!(watched(health, &[("ORCH_POST_DEPLOY_ENABLED", "false")]), None);
    assert_eq!(watched(health, &[("ORCH_POST_DEPLOY_REPOS", "")]), None);
    assert_eq!(watched(health, &[("ORCH_POST_DEPLOY_REPOS", "other")]), None);
    assert_eq!(watched(health, &[("ORCH_POST_DEPLOY_REPOS", "DEMO")]), Some((900, 30, 3)));
    let refused = |text: &str| Settings::of_text(Path::new("orch.toml"), text, &[]).is_err();
    assert!(refused("[watch]\nevery_seconds = 0\n") && refused("[watch]\nfailures = 0\n"));
    assert!(refused("[watch]\nseconds = 86401\n"));
}
