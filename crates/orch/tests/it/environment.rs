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
