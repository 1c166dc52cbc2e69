//! What may the environment say? `ORCH_...` over the file, with the predecessor's names (decision 26).
//!
//! One table: it reads, it is the example file (row 203), and it says of what became the heart of Orch that a switch for
//! it has no effect.

use std::collections::BTreeMap;

use orch_core::message::Lang;
use orch_core::stage::Role;
use serde::Serialize;

use super::place::{Source, nearest};
use super::value::{Dollars, Minutes};
use super::{Settings, SettingsError, check};
use crate::language;
use crate::words::{Told, say};

/// What the environment says of gates, for all projects or some.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Overrides {
    /// The serial gate, over each policy.
    pub serial: Option<bool>,
    /// Of which projects.
    pub serial_of: Scope,
    /// The labels autoApprove and autoDeploy, over each policy.
    pub labels: Option<bool>,
    /// Of which projects.
    pub labels_of: Scope,
    /// The watch after a deploy, over `[watch]`: only no is heard.
    pub watch: Option<bool>,
    /// Of which projects it speaks; set and empty: it is for those whose deploy restarts Orch.
    pub watch_of: Scope,
}

/// Of which projects a variable speaks (decision 26).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Unset: all.
    #[default]
    All,
    /// Set and empty: those whose deploy restarts Orch. There are none yet.
    SelfHosting,
    /// Those named, in small letters.
    Named(Vec<String>),
}

impl Scope {
    /// Whether it speaks of a project.
    pub fn covers(&self, project: &str) -> bool {
        match self {
            Scope::All => true,
            Scope::SelfHosting => false,
            Scope::Named(names) => names.contains(&project.to_lowercase()),
        }
    }

    fn of(list: &str) -> Self {
        let names = list.split(',').map(|name| name.trim().to_lowercase()).filter(|name| !name.is_empty());
        match names.collect::<Vec<_>>() {
            names if names.is_empty() => Scope::SelfHosting,
            names => Scope::Named(names),
        }
    }
}

/// Something to be said of a variable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Remark {
    /// The variable.
    pub variable: String,
    /// What it did.
    pub effect: EffectOf,
    /// In words.
    pub says: Told,
}

/// What a variable did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EffectOf {
    /// It overrules the file.
    Overrules,
    /// It is known and does nothing.
    None,
    /// It is not known.
    Unknown,
}

/// What becomes of a value, or what is wrong with it.
type Set = fn(&mut Settings, &str) -> Result<(), Told>;

enum Means {
    /// It sets this key of the settings.
    Sets(&'static str, Set),
    /// It is read elsewhere, before the settings.
    ReadElsewhere,
    /// It switched something that is now always so.
    Heart(Both),
}

/// A reason in English and in Russian.
type Both = [&'static str; 2];

fn has_no_effect([en, ru]: Both) -> Told {
    say!("has no effect any more: {en}", "больше ни на что не влияет: {ru}")
}

/// A variable.
struct Variable {
    name: &'static str,
    placeholder: &'static str,
    says: &'static str,
    means: Means,
}

const fn sets(
    name: &'static str,
    key: &'static str,
    placeholder: &'static str,
    says: &'static str,
    set: Set,
) -> Variable {
    Variable { name, placeholder, says, means: Means::Sets(key, set) }
}

const fn heart(name: &'static str, why: Both) -> Variable {
    Variable { name, placeholder: "", says: "", means: Means::Heart(why) }
}

fn take<T>(value: Result<T, Told>, slot: &mut T) -> Result<(), Told> {
    *slot = value?;
    Ok(())
}

fn number<T: std::str::FromStr>(value: &str) -> Result<T, Told> {
    value.parse().map_err(|_| say!("a whole number is expected", "нужно целое число"))
}

fn dollars(value: &str) -> Result<Dollars, Told> {
    #[derive(serde::Deserialize)]
    struct One {
        x: Dollars,
    }
    let read = toml::from_str::<One>(&format!("x = {value}"));
    read.map(|one| one.x).map_err(|_| {
        say!(
            "an amount of US dollars such as 20 or 1.5 is expected",
            "нужна сумма в долларах США, например 20 или 1.5"
        )
    })
}

fn minutes(value: &str) -> Result<Minutes, Told> {
    match number(value)? {
        n @ 1..=10_080 => Ok(Minutes(n)),
        _ => Err(say!("minutes from 1 to 10080 are expected", "нужны минуты от 1 до 10080")), // not a domain enum
    }
}

fn switch(value: &str) -> Result<bool, Told> {
    match value.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err(say!("true or false is expected", "нужно true или false")), // not a domain enum
    }
}

fn language(value: &str) -> Result<Lang, Told> {
    language::named(value).ok_or_else(|| say!("en or ru is expected", "нужно en или ru"))
}

const BIRTH: Both = [
    "every effect is recorded before it happens and settled once, so there is nothing to reap",
    "каждый эффект записывается заранее и закрывается один раз, подчищать нечего",
];
const READING: Both = [
    "board and forge are read at all times, and in sync means no message",
    "доска и форж читаются постоянно, а если всё совпадает, сообщений нет",
];
const LANE: Both = [
    "a task holds the merge lane only while something runs in it, and gives it back by an event",
    "задача занимает очередь слияния, только пока в ней что-то идёт, и отдаёт её событием",
];
const TESTED: Both = ["what is merged is always what was tested", "сливается всегда ровно то, что проверено"];
const FOLDERS: Both =
    ["hubs, trees and store have their place in ORCH_HOME", "копии, деревья и хранилище лежат в ORCH_HOME"];

const VARIABLES: &[Variable] = &[
    Variable {
        name: "ORCH_HOME",
        placeholder: "/var/lib/orch",
        says: "The folder of the installation. Default: orch in the XDG state folder.",
        means: Means::ReadElsewhere,
    },
    Variable {
        name: "ORCH_LOG",
        placeholder: "info",
        says: "What the brain logs: error, warn, info, debug, trace.",
        means: Means::ReadElsewhere,
    },
    sets("ORCH_LISTEN", "listen", "127.0.0.1:8500", "Where dashboard and API listen.", |s, v| {
        take(
            v.parse().map_err(|_| {
                say!(
                    "an address with a port is expected, such as 127.0.0.1:8500",
                    "нужен адрес с портом, например 127.0.0.1:8500"
                )
            }),
            &mut s.listen,
        )
    }),
    sets(
        "ORCH_HOSTS",
        "hosts",
        "orch.example.org",
        "Names under which people reach it, with commas between.",
        |s, v| take(Ok(v.split(',').map(|host| host.trim().to_owned()).collect()), &mut s.hosts),
    ),
    sets("ORCH_HTTPS", "https", "false", "Whether people reach it by https, through a proxy.", |s, v| {
        take(switch(v), &mut s.https)
    }),
    sets("ORCH_LANGUAGE", "language", "en", "The language of texts: en or ru.", |s, v| {
        take(language(v), &mut s.language)
    }),
    sets(
        "ORCH_TIMEZONE",
        "timezone",
        "UTC",
        "The time zone of days, and of times that are shown.",
        |s, v| take(Ok(v.to_owned()), &mut s.timezone),
    ),
    sets(
        "ORCH_RUN_AS",
        "run_as",
        "orch-agent",
        "The user as whom agents and gates run when Orch is root.",
        |s, v| take(Ok(Some(v.to_owned())), &mut s.run_as),
    ),
    sets(
        "ORCH_AGENT",
        "agent",
        "claude",
        "The agent of every role for which nothing else is said.",
        |s, v| take(Ok(Some(v.to_owned())), &mut s.agent),
    ),
    sets("ORCH_MAX_CONCURRENCY", "limits.agents", "4", "Agents at once, in all.", |s, v| {
        take(number(v), &mut s.limits.agents)
    }),
    sets(
        "ORCH_LIMITS_AGENTS_A_PROJECT",
        "limits.agents_a_project",
        "4",
        "Agents at once, a project.",
        |s, v| take(number(v), &mut s.limits.agents_a_project),
    ),
    sets("ORCH_LIMITS_GATES", "limits.gates", "2", "Runs of gates at once, in all.", |s, v| {
        take(number(v), &mut s.limits.gates)
    }),
    sets("ORCH_LIMITS_DAY_DOLLARS", "limits.day_dollars", "100", "US dollars a day.", |s, v| {
        take(dollars(v), &mut s.limits.day_dollars)
    }),
    sets(
        "ORCH_LIMITS_RESERVE_DOLLARS",
        "limits.reserve_dollars",
        "1",
        "US dollars set aside for a run before it starts.",
        |s, v| take(dollars(v), &mut s.limits.reserve_dollars),
    ),
    sets("ORCH_CEILINGS_RUN_MINUTES", "ceilings.run_minutes", "60", "Minutes a run of an agent.", |s, v| {
        take(minutes(v), &mut s.ceilings.run_minutes)
    }),
    sets("ORCH_CEILINGS_RUN_TOKENS", "ceilings.run_tokens", "5000000", "Tokens a run.", |s, v| {
        take(number(v), &mut s.ceilings.run_tokens)
    }),
    sets(
        "ORCH_CEILINGS_TEST_MINUTES",
        "ceilings.test_minutes",
        "30",
        "Minutes a run of the tests.",
        |s, v| take(minutes(v), &mut s.ceilings.test_minutes),
    ),
    sets("ORCH_CEILINGS_DEPLOY_MINUTES", "ceilings.deploy_minutes", "20", "Minutes a deploy.", |s, v| {
        take(minutes(v), &mut s.ceilings.deploy_minutes)
    }),
    sets("ORCH_CEILINGS_TASK_DOLLARS", "ceilings.task_dollars", "20", "US dollars a task.", |s, v| {
        take(dollars(v), &mut s.ceilings.task_dollars)
    }),
    sets(
        "ORCH_SERIAL_GATE_ENABLED",
        "",
        "false",
        "One task of a project at a time, over its policy.",
        |s, v| take(switch(v).map(Some), &mut s.overrides.serial),
    ),
    sets("ORCH_SERIAL_GATE_REPOS", "", "demo", "Of which projects that speaks; unset: all.", |s, v| {
        take(Ok(Scope::of(v)), &mut s.overrides.serial_of)
    }),
    sets(
        "ORCH_AUTO_LABEL_ENABLED",
        "",
        "true",
        "Whether autoApprove and autoDeploy count, over each policy.",
        |s, v| take(switch(v).map(Some), &mut s.overrides.labels),
    ),
    sets("ORCH_AUTO_LABEL_REPOS", "", "demo", "Of which projects that speaks; unset: all.", |s, v| {
        take(Ok(Scope::of(v)), &mut s.overrides.labels_of)
    }),
    sets(
        "ORCH_POST_DEPLOY_WINDOW_S",
        "watch.seconds",
        "900",
        "Seconds for which production is watched after a deploy; 0: not at all.",
        |s, v| take(number(v), &mut s.watch.seconds),
    ),
    sets(
        "ORCH_POST_DEPLOY_INTERVAL_S",
        "watch.every_seconds",
        "30",
        "Seconds between two looks at production.",
        |s, v| take(number(v), &mut s.watch.every_seconds),
    ),
    sets(
        "ORCH_POST_DEPLOY_FAIL_THRESHOLD",
        "watch.failures",
        "3",
        "Bad looks in a row after which production went bad.",
        |s, v| take(number(v), &mut s.watch.failures),
    ),
    sets("ORCH_POST_DEPLOY_ENABLED", "", "true", "Whether production is watched after a deploy.", |s, v| {
        take(switch(v).map(Some), &mut s.overrides.watch)
    }),
    sets(
        "ORCH_POST_DEPLOY_REPOS",
        "",
        "demo",
        "After deploys of which projects; unset: all that deploy.",
        |s, v| take(Ok(Scope::of(v)), &mut s.overrides.watch_of),
    ),
    heart("ORCH_REAPER_ENABLED", BIRTH),
    heart("ORCH_REAPER_INTERVAL_S", BIRTH),
    heart("ORCH_REAPER_DEAD_TICKS", BIRTH),
    heart("ORCH_REAPER_MAX_RUNNING_S", BIRTH),
    heart("ORCH_REAPER_FINALIZE_GRACE_S", BIRTH),
    heart("ORCH_RECONCILE_ENABLED", READING),
    heart("ORCH_RECONCILE_PLANE_ENABLED", READING),
    heart("ORCH_RECONCILE_SKIP_BLOCKED_ENABLED", READING),
    heart("ORCH_RECONCILE_NOTIFY_UNBLOCK", READING),
    heart("ORCH_RECONCILE_GRACE_OVERRIDES_JSON", READING),
    heart("ORCH_LEASE_RECLAIM_ENABLED", LANE),
    heart("ORCH_MERGE_LEASE_TTL_S", LANE),
    heart("ORCH_MERGE_DEFER_DELAY_S", LANE),
    heart("ORCH_MERGE_DEFER_MAX_ATTEMPTS", LANE),
    heart("ORCH_MERGE_GATE_ENABLED", TESTED),
    heart("ORCH_MERGE_GATE_REPOS", TESTED),
    heart(
        "ORCH_MERGE_RETEST_TIMEOUT_S",
        [
            "the tests have one limit: ORCH_CEILINGS_TEST_MINUTES",
            "у тестов один предел: ORCH_CEILINGS_TEST_MINUTES",
        ],
    ),
    heart(
        "ORCH_DEPLOY_REQUIRE_MANUAL_APPROVE",
        [
            "production always asks; the label autoDeploy is a standing consent",
            "перед выкаткой всегда спрашивают; метка autoDeploy — постоянное согласие",
        ],
    ),
    heart("ORCH_STOP_STATUS_ENABLED", ["the status STOP always stops", "статус STOP останавливает всегда"]),
    heart(
        "ORCH_SERIAL_GATE_FREEZE_ENABLED",
        [
            "a failed deploy always freezes its repository",
            "неудачная выкатка всегда замораживает репозиторий",
        ],
    ),
    heart(
        "ORCH_POST_DEPLOY_5XX_THRESHOLD",
        [
            "a look asks the service how it is, and knows of no other answers",
            "проверка спрашивает сервис, здоров ли он, и других ответов не видит",
        ],
    ),
    heart("ORCH_DB_PATH", FOLDERS),
    heart("ORCH_REPOS_DIR", FOLDERS),
    heart("ORCH_WORKTREES_DIR", FOLDERS),
    heart("ORCH_HOST_REPOS_DIR", FOLDERS),
];

const OF_A_ROLE: [(&str, &str, &str); 3] = [
    ("ORCH_AGENT_MODEL_", "claude-opus-5-5", "The model of a role."),
    ("ORCH_AGENT_EFFORT_", "high", "The effort of a role."),
    ("ORCH_AGENT_", "claude", "The agent of a role."),
];

/// Puts the environment over settings that are already checked.
///
/// # Errors
/// A variable's value is wrong.
pub fn over(settings: &mut Settings, env: &[(String, String)]) -> Result<Vec<Remark>, SettingsError> {
    let mut remarks = Vec::new();
    let ours: BTreeMap<&str, &str> = env
        .iter()
        .filter(|(name, _)| name.starts_with("ORCH_"))
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    for (name, value) in ours {
        // A run's own variables; set when Orch is called from inside one.
        if matches!(name, "ORCH_RUN" | "ORCH_RUN_MARK") {
            continue;
        }
        let remark = |effect, says: Told| Remark { variable: name.to_owned(), effect, says };
        let done = match VARIABLES.iter().find(|variable| variable.name == name) {
            Some(Variable { means: Means::ReadElsewhere, .. }) => continue,
            Some(Variable { means: Means::Heart(why), .. }) => {
                remarks.push(remark(EffectOf::None, has_no_effect(*why)));
                continue;
            }
            // Set and empty means unset, save where empty says something.
            Some(_) if value.is_empty() && !name.ends_with("_REPOS") => continue,
            Some(Variable { means: Means::Sets(key, set), .. }) => {
                set(settings, value).map(|()| (*key).to_owned())
            }
            None => match role_of(name) {
                Some(_) if value.is_empty() => continue,
                Some((which, role)) => {
                    let choice = settings.roles.entry(role).or_default();
                    let (slot, key) = match which {
                        "ORCH_AGENT_MODEL_" => (&mut choice.model, "model"),
                        "ORCH_AGENT_EFFORT_" => (&mut choice.effort, "effort"),
                        _ => (&mut choice.agent, "agent"), // not a domain enum
                    };
                    *slot = Some(value.to_owned());
                    Ok(format!("roles.{role}.{key}"))
                }
                None => {
                    let near = nearest(name, VARIABLES.iter().map(|variable| variable.name));
                    let says = match near {
                        Some(near) => say!(
                            "is not known to this version; did you mean {near}?",
                            "этой версии неизвестна; может быть, {near}?"
                        ),
                        None => say!("is not known to this version", "этой версии неизвестна"),
                    };
                    remarks.push(remark(EffectOf::Unknown, says));
                    continue;
                }
            },
        };
        let checked = done.and_then(|key| {
            let fine = check::all(settings, &Source::default());
            fine.map(|()| key).map_err(|e| e.problem)
        });
        let error =
            |problem| SettingsError::Environment { name: name.to_owned(), value: value.to_owned(), problem };
        let key = checked.map_err(error)?;
        let says = match key.is_empty() {
            true => say!("overrules the policies", "важнее политик"),
            false => say!("overrules `{key}`", "важнее `{key}`"),
        };
        remarks.push(remark(EffectOf::Overrules, says));
    }
    Ok(remarks)
}

fn role_of(name: &str) -> Option<(&'static str, Role)> {
    OF_A_ROLE.iter().find_map(|(start, ..)| {
        let rest = name.strip_prefix(start)?;
        Role::ALL.into_iter().find(|role| role.name().eq_ignore_ascii_case(rest)).map(|role| (*start, role))
    })
}

/// The example file of the environment: each variable that has an effect, with a placeholder (row 203).
pub fn example() -> String {
    let mut out = String::from(
        "# What the environment may say to Orch. A variable overrules the same key of orch.toml. Values are placeholders;\n\
         # an empty value is as good as none. Secrets never stand here: agents take them from files (env_files).\n\
         # Agents and projects stand in orch.toml only.\n",
    );
    let mut line = |says: &str, key: &str, name: &str, placeholder: &str| {
        let key = if key.is_empty() { String::new() } else { format!(" ({key})") };
        out.push_str(&format!("\n# {says}{key}\n#{name}={placeholder}\n"));
    };
    for Variable { name, placeholder, says, means } in VARIABLES {
        match means {
            Means::Sets(key, _) => line(says, key, name, placeholder),
            Means::ReadElsewhere => line(says, "", name, placeholder),
            Means::Heart(_) => {}
        }
    }
    for (start, placeholder, says) in OF_A_ROLE {
        for role in Role::ALL {
            let key = start.trim_start_matches("ORCH_AGENT_").trim_end_matches('_').to_lowercase();
            let key = if key.is_empty() { "agent".to_owned() } else { key };
            let name = format!("{start}{}", role.name().to_uppercase());
            line(says, &format!("roles.{role}.{key}"), &name, placeholder);
        }
    }
    out.push_str("\n# What a deploy hook finds in its environment (`orch reference settings`, [projects.<name>.hook]):\n");
    for (name, says) in orch_adapters::deploy::hook::VARIABLES {
        out.push_str(&format!("#   {name}: {says}\n"));
    }
    out.push_str("\n# Names of earlier times that are accepted and have no effect:\n");
    for Variable { name, means, .. } in VARIABLES {
        if let Means::Heart([why, _]) = means {
            out.push_str(&format!("#   {name}: {why}\n"));
        }
    }
    out
}

/// The keys that a variable sets, for the test that none is forgotten.
pub fn keys() -> Vec<String> {
    let of_table = VARIABLES.iter().filter_map(|variable| match variable.means {
        Means::Sets(key, _) if !key.is_empty() => Some(key.to_owned()),
        Means::Sets(..) | Means::Heart(_) | Means::ReadElsewhere => None,
    });
    let of_roles = ["agent", "model", "effort"].map(|key| format!("roles.<role>.{key}"));
    of_table.chain(of_roles).collect()
}
