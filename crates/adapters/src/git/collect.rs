//! What did a run leave behind? The host makes one commit of it, keeps what the role may write, undoes and names the
//! rest (decisions 8, 32).
//!
//! The tree is read with the host's own git directory and index. Nothing that an agent can write configures git here:
//! no filter, no hook, no file system monitor, no other repository inside the tree.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::io::ErrorKind;
use std::ops::Bound;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use orch_core::artefact;
use orch_core::call::git::{Collected, Scope};
use orch_core::call::{Failure, GitReply};
use orch_core::id::{Commit, RunId, Tree, WorkItem};
use orch_core::refusal::Refusal;
use orch_core::stage::Role;
use orch_core::undone::{Undone, Unfit};
use serde::{Deserialize, Serialize};

use super::branch::index_line;
use super::hub::{Hub, RefMove};
use super::paths::{self, Kind};
use super::program::{GitError, Signature};
use super::scope::{Rules, equal_names, globs};
use super::scratch::Scratch;
use super::tree::Admin;
use super::{Answer, Means};
use crate::failure;

/// A larger file is undone: it would stay in the history for ever.
const LARGEST_FILE: u64 = 10 << 20;
/// A larger artefact is undone: people and prompts have to read it.
const LARGEST_ARTEFACT: u64 = 1 << 20;
/// A run that touches more files than this left something by mistake.
const MOST_FILES: usize = 20_000;
/// Findings that are named one by one.
const MOST_FINDINGS: usize = 50;

/// Which run to collect.
pub(super) struct Order<'a> {
    pub(super) branch: &'a str,
    pub(super) parent: &'a Commit,
    pub(super) run: RunId,
    pub(super) role: Role,
    pub(super) item: &'a WorkItem,
    pub(super) scope: &'a Scope,
    pub(super) tests: &'a [String],
}

/// What stays known of a run besides its commit; kept in the hub next to it.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Left {
    /// What was undone, and why.
    outside: Vec<Undone>,
    /// Files that the host took away and the run wrote again: its own, even where the bytes are the same.
    rewritten: Vec<String>,
    /// Whose it is; older binaries did not say.
    #[serde(default)]
    of: Option<Of>,
}

/// Whose a run was: a name alone is no proof, for an older journal that was brought back gives its names again.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Of {
    item: WorkItem,
    role: Role,
    parent: Commit,
}

impl Order<'_> {
    fn of(&self) -> Of {
        Of { item: self.item.clone(), role: self.role, parent: self.parent.clone() }
    }
}

impl Hub {
    /// Collects a run, or finds what was collected.
    pub(super) fn collect(&self, order: &Order<'_>, means: &Means<'_>) -> Result<Answer, Failure> {
        let rules = Rules::of(order.scope)?;
        let tests = globs(order.tests)?;
        let (head, left) = match self.left_by(order)? {
            Some(found) => found,
            None => self.keep(order, &rules, means)?,
        };
        if let Some(moved) = self.advance(order.branch, order.parent, &head)? {
            return Ok(Answer { reply: GitReply::BranchMoved { head: moved }, blobs: Vec::new() });
        }
        let base = self.merge_base(&head, &self.main_head()?)?;
        let change = self.change(&base, &head, order.item, &tests)?;
        let (artefacts, blobs) = self.artefacts(order, &head, &left, means)?;
        let collected = Collected {
            tree: self.tree_of(&head)?,
            change: change.digest,
            empty: change.empty,
            artefacts: artefacts.into(),
            outside: left.outside,
            protected: self.protected(&base, &head, &rules)?,
            head,
        };
        Ok(Answer { reply: GitReply::Collected(Box::new(collected)), blobs })
    }

    fn left_by(&self, order: &Order<'_>) -> Result<Option<(Commit, Left)>, Failure> {
        let run = order.run;
        let Some(head) = self.value_of(&format!("refs/orch/runs/{run}"))? else { return Ok(None) };
        let said = self.ask(["cat-file", "blob"]).arg(format!("refs/orch/left/{run}")).run()?;
        let left: Left = serde_json::from_slice(&said.out).map_err(|_| Failure::from(said.odd()))?;
        let head = Commit::from(head);
        let on_top = head == *order.parent || self.parents_of(&head)?.contains(order.parent);
        if !on_top || left.of.as_ref().is_some_and(|of| *of != order.of()) {
            return Err(Failure::permanent(Refusal::MarkOfAnotherRun { run }));
        }
        Ok(Some((head, left)))
    }

    /// Makes the run's commit and marks it, so that it is made once.
    fn keep(&self, order: &Order<'_>, rules: &Rules, means: &Means<'_>) -> Result<(Commit, Left), Failure> {
        let run = order.run;
        let admin = self.admin(run)?.ok_or_else(|| Failure::permanent(Refusal::TreeGone { run }))?;
        if admin.outlived_its_boot()? {
            return Err(Failure::permanent(Refusal::StartedAgain { run }));
        }
        if admin.commit != *order.parent {
            let (worked_on, wanted) = (admin.commit.clone(), order.parent.clone());
            return Err(Failure::permanent(Refusal::OtherCommit { run, worked_on, wanted }));
        }
        let stage = Stage::open(self, order, &admin, means.secret)?;
        let (tree, mut left) = stage.take(rules)?;
        left.of = Some(order.of());
        let head = if tree == self.tree_of(order.parent)? {
            order.parent.clone()
        } else {
            let subject = format!("{}({}): run {run}", order.role, order.item);
            self.commit(&tree, &[order.parent], &subject, &Signature::of(order.role.name(), means.at))?
        };
        drop(stage);
        let json = serde_json::to_vec(&left)
            .map_err(|e| Failure::permanent(Refusal::Defect { cause: e.to_string() }))?;
        let blob = self.ask(["hash-object", "-w", "--stdin"]).input(json).run()?.text();
        let marked = self.move_refs(&[
            RefMove { name: format!("refs/orch/runs/{run}"), old: None, new: Some(head.as_str()) },
            RefMove { name: format!("refs/orch/left/{run}"), old: None, new: Some(&blob) },
        ]);
        match (marked, self.left_by(order)?) {
            (_, Some(found)) => Ok(found),
            (Err(error), None) => Err(error.into()),
            (Ok(()), None) => Err(Failure::transient(Refusal::MarkVanished { run })),
        }
    }

    /// Moves the task branch from the run's parent to its commit; where it stands instead, if somebody moved it.
    fn advance(&self, branch: &str, parent: &Commit, head: &Commit) -> Result<Option<Commit>, Failure> {
        let gone = || Failure::permanent(Refusal::BranchGone { branch: branch.to_owned() });
        let current = self.head_of(branch)?.ok_or_else(gone)?;
        if current != *head {
            if current != *parent {
                return Ok(Some(current));
            }
            let moved = self.move_refs(&[RefMove {
                name: format!("refs/heads/{branch}"),
                old: Some(parent.as_str()),
                new: Some(head.as_str()),
            }]);
            if let Err(error) = moved {
                let now = self.head_of(branch)?.ok_or_else(gone)?;
                if now == current {
                    return Err(error.into());
                }
                return Ok((now != *head).then_some(now));
            }
        }
        self.published_elsewhere(branch, head, &[parent])
    }

    fn artefacts(
        &self,
        order: &Order<'_>,
        head: &Commit,
        left: &Left,
        means: &Means<'_>,
    ) -> Result<(Vec<artefact::Artefact>, Vec<orch_core::journal::Blob>), Failure> {
        let folder = format!("{}/", artefact::folder(order.item));
        let mut entries = self.entries(head.as_str(), &folder)?;
        entries.retain(|entry| entry.mode.starts_with("100"));
        let fresh: HashSet<Vec<u8>> = self
            .changed_names(order.parent.as_str(), head.as_str())?
            .into_iter()
            .chain(left.rewritten.iter().map(|name| name.clone().into_bytes()))
            .collect();
        let ids: String = entries.iter().map(|entry| format!("{}\n", entry.id)).collect();
        let said = self.ask(["cat-file", "--batch"]).input(ids).run()?;
        let mut rest = said.out.as_slice();
        let (mut artefacts, mut blobs) = (Vec::new(), Vec::new());
        for entry in &entries {
            let bytes = next_object(&mut rest).ok_or_else(|| Failure::from(said.odd()))?;
            let name = entry.name.strip_prefix(&folder).unwrap_or(&entry.name);
            let (artefact, texts) = (means.artefact)(name, bytes, fresh.contains(entry.name.as_bytes()));
            artefacts.push(artefact);
            blobs.extend(texts);
        }
        Ok((artefacts, blobs))
    }
}

/// Cuts the next object off the answer of `cat-file --batch`.
fn next_object<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let end = rest.iter().position(|byte| *byte == b'\n')?;
    let size: usize = std::str::from_utf8(&rest[..end]).ok()?.rsplit_once(' ')?.1.parse().ok()?;
    let bytes = rest.get(end + 1..end + 1 + size)?;
    *rest = rest.get(end + 2 + size..)?;
    Some(bytes)
}

/// A tree that is being looked through, with an index of its own.
struct Stage<'a> {
    hub: &'a Hub,
    order: &'a Order<'a>,
    admin: &'a Admin,
    secret: &'a dyn Fn(&[u8]) -> bool,
    index: Scratch,
}

/// What a tree holds, compared with the commit it began as.
struct Touched {
    /// The files of that commit.
    tracked: HashSet<String>,
    /// Its submodules: object and path.
    submodules: Vec<(String, String)>,
    /// What differs, as git names it; or why nobody can say.
    names: Result<Vec<Vec<u8>>, Unfit>,
}

impl<'a> Stage<'a> {
    /// A copy of the host's index: the original must still fit the tree if this is done again.
    fn open(
        hub: &'a Hub,
        order: &'a Order<'a>,
        admin: &'a Admin,
        secret: &'a dyn Fn(&[u8]) -> bool,
    ) -> Result<Self, Failure> {
        let index = hub.scratch_index(&order.run.to_string())?;
        let stage = Self { hub, order, admin, secret, index };
        hub.reach_tree(order.run, admin)?;
        if let Some(base) = &admin.base {
            hub.index_of_layer(admin, base, &stage.index)?;
            return Ok(stage);
        }
        let from = hub.run_room(order.run)?.join("index");
        // Git compares the files' dates with the index's own, so the copy keeps it.
        let copy = || {
            fs::copy(&from, &*stage.index)?;
            let date = fs::metadata(&from)?.modified()?;
            fs::File::options().write(true).open(&*stage.index)?.set_modified(date)
        };
        copy().map_err(failure::io(&from))?;
        Ok(stage)
    }

    /// The cached folders: never part of a commit, unless the repository tracks what is in them.
    fn caches(&self, tracked: &HashSet<String>) -> Vec<&str> {
        let paths = self.admin.cache.iter().flat_map(|cache| cache.paths.iter().map(String::as_str));
        paths.filter(|path| !tracked.iter().any(|name| Path::new(name).starts_with(path))).collect()
    }

    fn tree(&self) -> &Path {
        &self.admin.folder
    }

    /// A call with this index, which is written a few times and never sent anywhere: its checksum would only cost.
    fn ask<const N: usize>(&self, args: [&str; N]) -> super::program::Ask<'_> {
        self.hub.ask(args).config("index.skipHash=true").on_tree(self.tree(), &self.index)
    }

    /// The tree of what may be kept, and what else there was.
    fn take(&self, rules: &Rules) -> Result<(Tree, Left), Failure> {
        match &self.admin.base {
            Some(_) => self.hub.remove_special_of_layer(self.order.run, self.admin)?,
            None => paths::remove_special(self.tree()).map_err(failure::io(self.tree()))?,
        }
        let touched = self.touched()?;
        let mut findings = Findings::default();
        let (mut gone, mut kept) = (Vec::new(), Vec::new());
        let names = match &touched.names {
            Ok(names) => names,
            Err(why) => {
                findings.add("*", why.clone());
                return Ok((self.hub.tree_of(self.order.parent)?, findings.left(Vec::new())));
            }
        };
        for name in names {
            match self.judge(name, &touched, rules)? {
                Judged::Nothing => {}
                Judged::Gone(path) => gone.push(path),
                Judged::Kept(path) => kept.push(path),
                Judged::Undone(path, why) => findings.add(&path, why),
            }
        }
        let gone_set: HashSet<&str> = gone.iter().copied().collect();
        let there = touched.tracked.iter().map(String::as_str).filter(|path| !gone_set.contains(path));
        let added: Vec<&str> = kept.iter().copied().filter(|path| !touched.tracked.contains(*path)).collect();
        let equal = equal_names(there, &added);
        kept.retain(|path| match equal.get(path) {
            Some(other) => {
                findings.add(path, Unfit::EqualName { other: (*other).to_owned() });
                false
            }
            None => true,
        });
        if !added.is_empty() {
            let staying = touched.staying(&gone_set);
            kept.retain(|path| match staying.displaced_by(path) {
                Some(other) => {
                    findings.add(path, Unfit::TakesPlaceOf { other: other.to_owned() });
                    false
                }
                None => true,
            });
        }
        self.stage(&["--force-remove"], &gone, &mut findings)?;
        self.stage(&["--add", "--replace"], &kept, &mut findings)?;
        let submodules: Vec<u8> = touched
            .submodules
            .iter()
            .flat_map(|(id, path)| index_line("160000", id, path.as_bytes()))
            .collect();
        if !submodules.is_empty() {
            self.ask(["update-index", "--add", "-z", "--index-info"]).input(submodules).run()?;
        }
        let tree = Tree::from(self.ask(["write-tree"]).run()?.text());
        let changed: HashSet<Vec<u8>> =
            self.hub.changed_names(self.order.parent.as_str(), tree.as_str())?.into_iter().collect();
        for path in kept.iter().filter(|path| !changed.contains(path.as_bytes()) && added.contains(path)) {
            findings.add(path, Unfit::NameRefused);
        }
        let rewritten = self.rewritten(rules, &findings)?;
        Ok((tree, findings.left(rewritten)))
    }

    /// What differs between the tree and the commit it began as. Submodules are taken out of the index before git looks:
    /// it would ask a repository inside the tree, with a configuration that the agent wrote.
    fn touched(&self) -> Result<Touched, Failure> {
        let (mut tracked, mut submodules) = (HashSet::new(), Vec::new());
        let places = self.hub.places(self.order.run, self.admin)?;
        let mut there = Vec::new();
        let said = self.ask(["ls-files", "-z", "--stage"]).run()?;
        for line in said.names() {
            if places.as_ref().is_some_and(|places| lies_in(line, places)) && !line.starts_with(b"160000 ") {
                there.extend_from_slice(line);
                there.push(0);
            }
            let line = String::from_utf8_lossy(line);
            let (left, path) = line.split_once('\t').ok_or_else(|| Failure::from(said.odd()))?;
            match left.strip_prefix("160000 ").and_then(|rest| rest.split(' ').next()) {
                Some(id) => submodules.push((id.to_owned(), path.to_owned())),
                None => drop(tracked.insert(path.to_owned())),
            }
        }
        if !submodules.is_empty() {
            let removal: Vec<u8> = submodules
                .iter()
                .flat_map(|(id, path)| index_line("0", &"0".repeat(id.len()), path.as_bytes()))
                .collect();
            self.ask(["update-index", "-z", "--index-info"]).input(removal).run()?;
        }
        let caches = self.caches(&tracked).into_iter().map(|path| format!("--exclude=/{path}"));
        let list = ["ls-files", "-z", "--modified", "--deleted", "--others", "--exclude-standard"];
        let listed = match &places {
            None => self.ask(list).args(caches).run().map(|said| said.names().map(<[u8]>::to_vec).collect()),
            Some(places) if places.is_empty() => Ok(Vec::new()),
            Some(places) => self.list_places(places, there, list, caches),
        };
        let names = match listed {
            Ok(mut names) => {
                names.extend(self.ignored(&tracked)?);
                names.sort_unstable();
                names.dedup();
                if names.len() > MOST_FILES { Err(too_many()) } else { Ok(names) }
            }
            Err(GitError::TooMuch { .. }) => Err(too_many()),
            // Whatever is in the tree, the agent put it there: an infrastructure failure it is only if the machine says so.
            Err(error @ (GitError::Refused { .. } | GitError::TimedOut { .. })) if !is_full(&error) => {
                Err(Unfit::TreeUnread { words: last_line(&error) })
            }
            Err(error) => return Err(error.into()),
        };
        Ok(Touched { tracked, submodules, names })
    }

    /// The files of the work item's own folder that the commit does not have. They are asked for, also where the repository
    /// ignores what lies there, as many do with `docs`.
    fn ignored(&self, tracked: &HashSet<String>) -> Result<Vec<Vec<u8>>, Failure> {
        let own = artefact::folder(self.order.item);
        if self.hub.kind(self.tree(), &own)? != Kind::Folder {
            return Ok(Vec::new());
        }
        let root = self.tree().join(&own);
        let files = paths::files_below(&root, MOST_FILES).map_err(failure::io(&root))?;
        let named =
            files.into_iter().map(|file| [own.as_bytes(), b"/", file.as_os_str().as_bytes()].concat());
        Ok(named.filter(|name| !std::str::from_utf8(name).is_ok_and(|name| tracked.contains(name))).collect())
    }

    /// The same question for an overlay tree, which differs from its commit in a few places only: with an index of what
    /// the commit has there, git need not look at the rest.
    fn list_places(
        &self,
        places: &[PathBuf],
        there: Vec<u8>,
        list: [&str; 6],
        caches: impl Iterator<Item = String>,
    ) -> Result<Vec<Vec<u8>>, GitError> {
        let few = self.index.few();
        let on_few = |ask: super::program::Ask<'a>| ask.on_tree(self.tree(), &few);
        on_few(self.hub.ask(["read-tree", "--empty"])).run()?;
        on_few(self.hub.ask(["update-index", "--add", "-z", "--index-info"])).input(there).run()?;
        let said = on_few(self.hub.ask(list))
            .env("GIT_LITERAL_PATHSPECS", "1")
            .args(caches)
            .arg("--")
            .args(places.iter().map(|place| place.as_os_str()))
            .run()?;
        Ok(said.names().map(<[u8]>::to_vec).collect())
    }

    /// What becomes of one path.
    fn judge<'n>(&self, name: &'n [u8], touched: &Touched, rules: &Rules) -> Result<Judged<'n>, Failure> {
        let undone = |path: &str, why: Unfit| Ok(Judged::Undone(path.to_owned(), why));
        let Ok(path) = std::str::from_utf8(name) else {
            return undone(&String::from_utf8_lossy(name), Unfit::NotUtf8);
        };
        if let Some(why) = paths::bad_name(path) {
            return undone(path, why);
        }
        if (self.secret)(name) {
            return undone("***", Unfit::SecretInName);
        }
        if let Some(folder) = path.strip_suffix('/') {
            return undone(folder, Unfit::Repository);
        }
        let within = |folder: &str| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
        if touched.submodules.iter().any(|(_, folder)| path == folder || within(folder)) {
            return undone(path, Unfit::InSubmodule);
        }
        let kind = self.hub.kind(self.tree(), path)?;
        let tracked = touched.tracked.contains(path);
        if kind == Kind::Nothing && self.admin.removed.iter().any(|removed| removed == path) {
            return Ok(Judged::Nothing);
        }
        if !rules.may_write(path) {
            return undone(path, Unfit::OutsideScope { role: self.order.role });
        }
        match kind {
            Kind::Nothing | Kind::Folder if tracked => Ok(Judged::Gone(path)),
            Kind::Nothing | Kind::Folder => Ok(Judged::Nothing),
            Kind::Special => undone(path, Unfit::Special),
            Kind::Link => match paths::stays_inside(self.tree(), path) {
                Ok(true) if self.gives_away(path, kind)? => undone(path, Unfit::Secret),
                Ok(true) => Ok(Judged::Kept(path)),
                Ok(false) => undone(path, Unfit::LeavesTree),
                Err(e) => Err(failure::io(&self.tree().join(path))(e)),
            },
            Kind::File { bytes } => {
                let own = path.starts_with(&format!("{}/", artefact::folder(self.order.item)));
                let most = if own { LARGEST_ARTEFACT } else { LARGEST_FILE };
                if bytes > most {
                    return undone(path, Unfit::TooLarge { bytes, most });
                }
                if self.gives_away(path, kind)? {
                    return undone(path, Unfit::Secret);
                }
                Ok(Judged::Kept(path))
            }
        }
    }

    /// Whether a key or login of the installation stands in what lies there: an agent has those of its model.
    fn gives_away(&self, path: &str, kind: Kind) -> Result<bool, Failure> {
        let file = self.tree().join(path);
        let read = match kind {
            Kind::File { .. } => fs::read(&file),
            Kind::Link => fs::read_link(&file).map(|to| to.into_os_string().into_encoded_bytes()),
            Kind::Folder | Kind::Nothing | Kind::Special => return Ok(false),
        };
        match read {
            Ok(bytes) => Ok((self.secret)(&bytes)),
            // Nor can git: it says so.
            Err(e) if e.kind() == ErrorKind::PermissionDenied => Ok(false),
            Err(e) => Err(failure::io(&file)(e)),
        }
    }

    /// Takes paths into the index. One that git refuses is a finding and does not cost the others.
    fn stage(&self, how: &[&str], paths: &[&str], findings: &mut Findings) -> Result<(), Failure> {
        if paths.is_empty() {
            return Ok(());
        }
        let input: Vec<u8> = paths.iter().flat_map(|path| path.bytes().chain([0])).collect();
        match self.ask(["update-index"]).args(how.iter().copied()).args(["-z", "--stdin"]).input(input).run()
        {
            Ok(_) => Ok(()),
            Err(error @ GitError::Refused { .. }) if !is_full(&error) => {
                if let [path] = paths {
                    findings.add(path, Unfit::Refused { words: last_line(&error) });
                    return Ok(());
                }
                let (left, right) = paths.split_at(paths.len() / 2);
                self.stage(how, left, findings)?;
                self.stage(how, right, findings)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Which of the files that the host took away are there again and were not undone: what was undone leaves the old
    /// file on the branch, and that is not this run's word.
    fn rewritten(&self, rules: &Rules, findings: &Findings) -> Result<Vec<String>, Failure> {
        let mut again = Vec::new();
        for path in &self.admin.removed {
            let written = matches!(self.hub.kind(self.tree(), path)?, Kind::File { .. });
            if written && rules.may_write(path) && !findings.paths.contains(path) {
                again.push(path.clone());
            }
        }
        Ok(again)
    }
}

impl Touched {
    /// What stays in the commit although it may be missing from the tree: files whose deletion does not count, submodules.
    fn staying(&self, gone: &HashSet<&str>) -> Staying<'_> {
        let files = self.tracked.iter().map(String::as_str).filter(|path| !gone.contains(path));
        Staying(files.chain(self.submodules.iter().map(|(_, path)| path.as_str())).collect())
    }
}

/// Paths that stay.
struct Staying<'a>(BTreeSet<&'a str>);

impl<'a> Staying<'a> {
    /// What git would throw out for the sake of this path: a file above it, or one below it.
    fn displaced_by(&self, path: &str) -> Option<&'a str> {
        let above = path.match_indices('/').find_map(|(at, _)| self.0.get(&path[..at]).copied());
        above.or_else(|| {
            let folder = format!("{path}/");
            self.0
                .range::<str, _>((Bound::Included(folder.as_str()), Bound::Unbounded))
                .next()
                .copied()
                .filter(|other| other.starts_with(&folder))
        })
    }
}

/// What becomes of a path.
enum Judged<'n> {
    /// It counts for nothing.
    Nothing,
    /// It was deleted.
    Gone(&'n str),
    /// It is taken over.
    Kept(&'n str),
    /// It is not, for this reason.
    Undone(String, Unfit),
}

/// Whether a line of `ls-files --stage` names something in one of these places.
fn lies_in(line: &[u8], places: &[PathBuf]) -> bool {
    let name = line.iter().position(|byte| *byte == b'\t').map(|tab| &line[tab + 1..]).unwrap_or_default();
    places.iter().any(|place| {
        let rest = name.strip_prefix(place.as_os_str().as_bytes());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
    })
}

fn too_many() -> Unfit {
    Unfit::TooMany { most: MOST_FILES as u64 }
}

/// Whether the machine and not the path is at fault.
fn is_full(error: &GitError) -> bool {
    let text = error.to_string();
    ["No space left", "quota exceeded", "Input/output error", "Out of memory", "Too many open files"]
        .iter()
        .any(|words| text.contains(words))
}

fn last_line(error: &GitError) -> String {
    error.to_string().lines().last().unwrap_or_default().to_owned()
}

/// What was undone; a bounded list for people.
#[derive(Debug, Default)]
struct Findings {
    /// The paths, each once.
    paths: HashSet<String>,
    named: Vec<Undone>,
    more: u64,
}

impl Findings {
    fn add(&mut self, path: &str, why: Unfit) {
        if !self.paths.insert(path.to_owned()) {
            return;
        }
        if self.named.len() >= MOST_FINDINGS {
            self.more += 1;
            return;
        }
        let shown: String = path.chars().map(|c| if c.is_control() { '?' } else { c }).take(300).collect();
        self.named.push(Undone::Path { path: shown, why });
    }

    fn left(self, rewritten: Vec<String>) -> Left {
        let mut outside = self.named;
        if self.more > 0 {
            outside.push(Undone::More { more: self.more });
        }
        Left { outside, rewritten, of: None }
    }
}
