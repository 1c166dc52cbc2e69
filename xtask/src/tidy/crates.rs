//! Which crate may know which?

use super::Finding;
use crate::metadata::Metadata;

/// A crate, the crates its code may know, and those that only its tests may know besides.
struct Room {
    name: &'static str,
    knows: &'static [&'static str],
    tests_know: &'static [&'static str],
}

const ROOMS: &[Room] = &[
    Room { name: "orch-core", knows: &[], tests_know: &[] },
    Room { name: "orch-engine", knows: &["orch-core"], tests_know: &["orch-sim"] },
    Room { name: "orch-store", knows: &["orch-core"], tests_know: &["orch-sim"] },
    Room { name: "orch-adapters", knows: &["orch-core"], tests_know: &["orch-sim"] },
    Room { name: "orch-server", knows: &["orch-core"], tests_know: &["orch-sim"] },
    Room { name: "orch-sim", knows: &["orch-core", "orch-engine"], tests_know: &[] },
    Room {
        name: "orch",
        knows: &["orch-core", "orch-engine", "orch-store", "orch-adapters", "orch-server", "orch-sim"],
        tests_know: &[],
    },
    Room {
        name: "orch-bench",
        knows: &["orch-core", "orch-engine", "orch-store", "orch-adapters", "orch-sim"],
        tests_know: &[],
    },
    // Its tests know the program as a person does: from outside.
    Room { name: "orch-browser", knows: &[], tests_know: &[] },
    Room { name: "xtask", knows: &[], tests_know: &[] },
];

/// What would let `core` wait, look at the clock, roll dice or touch the world.
const RUNTIME: &[&str] = &[
    "tokio",
    "rusqlite",
    "hyper",
    "reqwest",
    "axum",
    "getrandom",
    "rand",
    "rustix",
    "libc",
    "jiff",
    "tracing",
];

pub(super) fn findings(metadata: &Metadata) -> Vec<Finding> {
    let mut findings = Vec::new();
    for member in &metadata.members {
        let name = metadata.name(member);
        let Some(room) = ROOMS.iter().find(|room| room.name == name) else {
            findings.push(Finding::of_file(
                name,
                "a new crate: say in xtask/src/tidy/crates.rs whom it may know",
            ));
            continue;
        };
        for one in
            metadata.uses.iter().filter(|one| one.user == *member && metadata.members.contains(&one.used))
        {
            let used = metadata.name(&one.used);
            if room.knows.contains(&used) || (!one.normal && room.tests_know.contains(&used)) {
                continue;
            }
            let problem = if room.tests_know.contains(&used) {
                format!("may know {used} in its tests only")
            } else {
                format!("must not know {used}; ARCHITECTURE.md has the map")
            };
            findings.push(Finding::of_file(name, problem));
        }
    }
    let reached = metadata.reached_from("orch-core");
    for name in RUNTIME.iter().filter(|name| reached.contains(**name)) {
        findings.push(Finding::of_file("orch-core", format!("reaches {name}; what it decides must be pure")));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::tests::workspace_of;

    fn check(members: &[&str], uses: &[(&str, &str, bool)]) -> Vec<String> {
        findings(&workspace_of(members, uses)).iter().map(Finding::to_string).collect()
    }

    /// The map as it is drawn has no findings.
    #[test]
    fn the_map_is_accepted() {
        let uses = [
            ("orch-engine", "orch-core", true),
            ("orch-store", "orch-core", true),
            ("orch-store", "orch-sim", false),
            ("orch-sim", "orch-engine", true),
            ("orch", "orch-store", true),
            ("orch-core", "serde", true),
        ];
        let members = ["orch-core", "orch-engine", "orch-store", "orch-sim", "orch"];
        assert_eq!(check(&members, &uses), [""; 0]);
    }

    /// The middle crates do not know each other, and of what ships only `orch` knows the simulator.
    #[test]
    fn wrong_directions_are_found() {
        let members = ["orch-core", "orch-engine", "orch-store", "orch-sim", "orch-new"];
        let uses = [
            ("orch-store", "orch-engine", true),
            ("orch-store", "orch-sim", true),
            ("orch-core", "orch-sim", false),
        ];
        assert_eq!(
            check(&members, &uses),
            [
                "orch-core: must not know orch-sim; ARCHITECTURE.md has the map",
                "orch-new: a new crate: say in xtask/src/tidy/crates.rs whom it may know",
                "orch-store: must not know orch-engine; ARCHITECTURE.md has the map",
                "orch-store: may know orch-sim in its tests only",
            ]
        );
    }

    /// A runtime crate is found through others too, but the tests of core may use what they like.
    #[test]
    fn core_reaches_no_runtime() {
        let uses =
            [("orch-core", "harmless", true), ("harmless", "tokio", true), ("orch-core", "rustix", false)];
        assert_eq!(check(&["orch-core"], &uses), ["orch-core: reaches tokio; what it decides must be pure"]);
    }
}
