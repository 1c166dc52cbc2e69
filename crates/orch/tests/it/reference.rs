//! Are the references true? Every key stands in them, every line of them is read, and what they call the default is it.

use std::collections::BTreeSet;
use std::path::Path;

use orch::policy_file::{self, PolicyFile, PolicyLimits, effective};
use orch::reference;
use orch::settings::environment;
use orch::settings::place::keys_of;
use orch::settings::{
    self, Agent, Ceilings, Health, Hook, Limits, Machine, Price, Project, RoleChoice, Settings, Watch,
};
use orch_core::policy::Policy;

fn read(text: &str) -> Settings {
    Settings::of_text(Path::new("orch.toml"), text, &[]).unwrap_or_else(|e| panic!("{e}")).0
}

/// Proves that `default.toml` says what holds without any file, and that the core agrees.
#[test]
fn the_settings_reference_is_the_default() {
    assert_eq!(read(settings::DEFAULT), Settings::default());
    assert_eq!(
        Settings::default().core_limits(orch_core::time::Moment(0)),
        orch_core::policy::Limits::default()
    );
}

/// Proves that `default-policy.toml` says what holds without any policy, and that the core agrees.
#[test]
fn the_policy_reference_is_the_default() {
    let reference = PolicyFile::read(Path::new("policy.toml"), policy_file::DEFAULT).unwrap();
    let settings = Settings::default();
    assert_eq!(effective("x", &settings, &reference).unwrap(), Policy::default());
    assert_eq!(effective("x", &settings, &PolicyFile::default()).unwrap(), Policy::default());
}

/// The keys of a table of a document, wherever it stands.
fn keys(document: &toml::Table, path: &[&str]) -> BTreeSet<String> {
    let mut at = document;
    for part in path {
        at = match &at[*part] {
            toml::Value::Array(items) => items[0].as_table().unwrap(),
            other => other.as_table().unwrap_or_else(|| panic!("{path:?}")),
        };
    }
    at.keys().cloned().collect()
}

/// Proves that no setting is undocumented, and that each line of the references, examples too, is really read.
#[test]
fn every_key_stands_in_its_reference() {
    let text = reference::uncommented(settings::DEFAULT);
    read(&text);
    read(&reference::example());
    let document: toml::Table = toml::from_str(&text).unwrap();
    let tables: [(&[&str], &[&str]); 12] = [
        (&[], keys_of::<Settings>()),
        (&["machine"], keys_of::<Machine>()),
        (&["limits"], keys_of::<Limits>()),
        (&["watch"], keys_of::<Watch>()),
        (&["ceilings"], keys_of::<Ceilings>()),
        (&["agents", "claude"], keys_of::<Agent>()),
        (&["agents", "claude", "prices"], keys_of::<Price>()),
        (&["roles", "developer"], keys_of::<RoleChoice>()),
        (&["projects", "demo"], keys_of::<Project>()),
        (&["projects", "demo", "roles", "reviewer"], keys_of::<RoleChoice>()),
        (&["projects", "demo", "hook"], keys_of::<Hook>()),
        (&["projects", "demo", "health"], keys_of::<Health>()),
    ];
    for (path, known) in tables {
        let known: BTreeSet<String> = known.iter().map(|key| (*key).to_owned()).collect();
        assert!(!known.is_empty(), "{path:?}");
        let mut found = keys(&document, path);
        if path == ["agents", "claude"] {
            found.extend(keys(&document, &["agents", "rehearsal"]));
        }
        assert_eq!(found, known, "{path:?}");
    }

    let text = reference::uncommented(policy_file::DEFAULT);
    PolicyFile::read(Path::new("policy.toml"), &text).unwrap();
    let document: toml::Table = toml::from_str(&text).unwrap();
    for (path, known) in [(&[][..], keys_of::<PolicyFile>()), (&["limits"][..], keys_of::<PolicyLimits>())] {
        let known: BTreeSet<String> = known.iter().map(|key| (*key).to_owned()).collect();
        assert_eq!(keys(&document, path), known, "{path:?}");
    }
}

/// Proves decision 22, "documented": what a deploy hook is told, and how a service is asked, stands where people look, in the
/// words of the code.
#[test]
fn the_contract_of_a_deploy_is_documented() {
    let (text, env) = (reference::settings(), reference::environment());
    for (name, says) in orch_adapters::deploy::hook::VARIABLES {
        assert!(text.contains(&format!("#   {name:<13}  {says}\n")), "{name} in the settings");
        assert!(env.contains(&format!("#   {name}: {says}\n")), "{name} in the environment");
    }
    let told = text.lines().filter(|line| line.starts_with("#   ORCH_")).count();
    assert_eq!(told, orch_adapters::deploy::hook::VARIABLES.len(), "nothing that no hook gets");
    for word in ["{checkout}", "{port}", "{commit}", "Exit code 0", "`status`", "deploy_minutes"] {
        assert!(text.contains(word), "{word}");
    }
}

/// Every line with a key has prose before it: a key without a meaning helps nobody.
#[test]
fn every_key_has_a_meaning() {
    for text in [settings::DEFAULT, policy_file::DEFAULT] {
        let mut said = false;
        let mut inside = false;
        for line in text.lines() {
            let line = line.trim();
            if line.is_empty() {
                said = false;
            } else if line.starts_with("# ") || line == "#" {
                said = true;
            } else if inside {
                inside = line != "]";
            } else {
                assert!(said, "no sentence above: {line}");
                inside = line.ends_with('[');
            }
        }
    }
}

/// row 203: Every setting has a placeholder in the example env file.
///
/// Lists and tables that have names of their own (agents, projects) stand in files only.
#[test]
fn every_setting_has_a_placeholder() {
    let example = reference::environment();
    let covered: BTreeSet<String> = environment::keys().into_iter().collect();
    let tables = ["machine", "limits", "watch", "ceilings", "agents", "roles", "projects"];
    let top = keys_of::<Settings>().iter().filter(|key| !tables.contains(key)).map(|key| (*key).to_owned());
    let limits =
        keys_of::<Limits>().iter().filter(|key| **key != "agents_a_role").map(|key| format!("limits.{key}"));
    let watch = keys_of::<Watch>().iter().map(|key| format!("watch.{key}"));
    let ceilings = keys_of::<Ceilings>().iter().map(|key| format!("ceilings.{key}"));
    let roles = keys_of::<RoleChoice>().iter().map(|key| format!("roles.<role>.{key}"));
    let all: BTreeSet<String> = top.chain(limits).chain(watch).chain(ceilings).chain(roles).collect();
    assert_eq!(covered, all);
    for key in all {
        let key = key.replace("<role>", "developer");
        assert!(example.contains(&format!("({key})")), "{key} is not in the example");
    }
}

/// Proves that the example file can be taken as it is: each placeholder is a value that is understood.
#[test]
fn placeholders_are_understood() {
    let env: Vec<(String, String)> = reference::environment()
        .lines()
        .filter_map(|line| line.strip_prefix("#ORCH_")?.split_once('='))
        .map(|(name, value)| (format!("ORCH_{name}"), value.to_owned()))
        .collect();
    assert!(env.len() > 30);
    let text = "[agents.claude]\nkind = \"claude\"\n";
    let (settings, remarks) = Settings::of_text(Path::new("orch.toml"), text, &env).unwrap();
    assert_eq!(settings.limits, Limits::default());
    assert!(remarks.iter().all(|remark| remark.effect == environment::EffectOf::Overrules), "{remarks:?}");
}
