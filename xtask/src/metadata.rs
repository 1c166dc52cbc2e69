//! Which packages are in the build, where do they come from, and who uses whom?

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::workspace;

/// What `cargo metadata` knows, as far as the checks need it.
#[derive(Default)]
pub(crate) struct Metadata {
    /// All packages by their id.
    pub(crate) packages: BTreeMap<String, Package>,
    /// The ids of the packages in this repository.
    pub(crate) members: BTreeSet<String>,
    /// Who uses whom: id of the user, id of the used, and whether only its tests do.
    pub(crate) uses: Vec<Use>,
}

/// A package of the build.
pub(crate) struct Package {
    /// Its name in its manifest.
    pub(crate) name: String,
    /// Its version.
    pub(crate) version: String,
    /// Its licence, as an SPDX expression.
    pub(crate) license: Option<String>,
    /// Its registry; none for a package of this repository.
    pub(crate) source: Option<String>,
    /// The dependencies of its manifest that come from a registry: name and version requirement.
    pub(crate) wants: Vec<(String, String)>,
}

/// One package uses another.
pub(crate) struct Use {
    /// Id of the user.
    pub(crate) user: String,
    /// Id of the used.
    pub(crate) used: String,
    /// Whether it is needed for more than tests and build scripts.
    pub(crate) normal: bool,
}

impl Metadata {
    /// Asks cargo, for this machine's platform.
    pub(crate) fn ask(root: &Path) -> Result<Metadata> {
        let about = workspace::stdout_of(Command::new("rustc").current_dir(root).arg("-vV"))?;
        let host = about
            .lines()
            .find_map(|line| line.strip_prefix("host: "))
            .context("rustc does not name its host")?;
        let mut cargo = workspace::cargo(root);
        cargo.args(["metadata", "--format-version", "1", "--locked", "--filter-platform", host]);
        let json: Value =
            serde_json::from_str(&workspace::stdout_of(&mut cargo)?).context("cargo metadata")?;
        Metadata::read(&json).context("cargo metadata has another form than expected")
    }

    fn read(json: &Value) -> Option<Metadata> {
        let mut metadata = Metadata::default();
        for package in json["packages"].as_array()? {
            let mut wants = Vec::new();
            for want in package["dependencies"].as_array()?.iter().filter(|want| want["source"].is_string()) {
                wants.push((text(&want["name"])?, text(&want["req"])?));
            }
            let read = Package {
                name: text(&package["name"])?,
                version: text(&package["version"])?,
                license: text(&package["license"]),
                source: text(&package["source"]),
                wants,
            };
            metadata.packages.insert(text(&package["id"])?, read);
        }
        for id in json["workspace_members"].as_array()? {
            metadata.members.insert(text(id)?);
        }
        for node in json["resolve"]["nodes"].as_array()? {
            for used in node["deps"].as_array()? {
                let normal = used["dep_kinds"].as_array()?.iter().any(|kind| kind["kind"].is_null());
                metadata.uses.push(Use { user: text(&node["id"])?, used: text(&used["pkg"])?, normal });
            }
        }
        Some(metadata)
    }

    /// The name of the package with this id.
    pub(crate) fn name<'a>(&'a self, id: &'a str) -> &'a str {
        self.packages.get(id).map_or(id, |package| package.name.as_str())
    }

    /// The names of all packages that end up in `member`, tests and build scripts apart.
    pub(crate) fn reached_from(&self, member: &str) -> BTreeSet<&str> {
        let mut reached: BTreeSet<&str> = BTreeSet::new();
        let mut open: Vec<&str> =
            self.members.iter().filter(|id| self.name(id) == member).map(String::as_str).collect();
        while let Some(id) = open.pop() {
            if reached.insert(id) {
                open.extend(
                    self.uses.iter().filter(|one| one.normal && one.user == id).map(|one| one.used.as_str()),
                );
            }
        }
        reached.into_iter().map(|id| self.name(id)).collect()
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A workspace in which `members` exist and `user uses used` in normal code or only in tests.
    pub(crate) fn workspace_of(members: &[&str], uses: &[(&str, &str, bool)]) -> Metadata {
        let mut metadata = Metadata::default();
        metadata.members.extend(members.iter().map(|name| (*name).to_owned()));
        let names = members.iter().chain(uses.iter().flat_map(|(user, used, _)| [user, used]));
        for name in names {
            metadata.packages.insert((*name).to_owned(), package(name, Some("MIT"), None));
        }
        for (user, used, normal) in uses {
            let (user, used) = ((*user).to_owned(), (*used).to_owned());
            metadata.uses.push(Use { user, used, normal: *normal });
        }
        metadata
    }

    pub(crate) fn package(name: &str, license: Option<&str>, source: Option<&str>) -> Package {
        Package {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            license: license.map(str::to_owned),
            source: source.map(str::to_owned),
            wants: Vec::new(),
        }
    }

    /// The form that cargo prints is read: a test-only use is told from a normal one.
    #[test]
    fn cargo_metadata_is_read() {
        let json = serde_json::json!({
            "packages": [
                {"id": "a#1", "name": "a", "version": "1.0.0", "license": "MIT", "source": null,
                 "dependencies": [{"name": "b", "req": "^1", "source": "registry+x"}]},
                {"id": "b#1", "name": "b", "version": "1.2.0", "license": null, "source": "registry+x", "dependencies": []},
            ],
            "workspace_members": ["a#1"],
            "resolve": {"nodes": [
                {"id": "a#1", "deps": [{"pkg": "b#1", "dep_kinds": [{"kind": "dev"}]}]},
                {"id": "b#1", "deps": []},
            ]},
        });
        let metadata = Metadata::read(&json).expect("the form is right");
        assert_eq!(metadata.packages["a#1"].wants, [("b".to_owned(), "^1".to_owned())]);
        assert!(!metadata.uses[0].normal);
        assert_eq!(metadata.reached_from("a"), BTreeSet::from(["a"]));
    }

    /// What is reached over several steps is reached; what only tests use is not.
    #[test]
    fn the_normal_tree_is_followed() {
        let metadata = workspace_of(&["a"], &[("a", "b", true), ("b", "c", true), ("a", "d", false)]);
        assert_eq!(metadata.reached_from("a"), BTreeSet::from(["a", "b", "c"]));
    }
}
