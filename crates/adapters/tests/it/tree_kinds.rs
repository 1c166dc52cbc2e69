//! What every kind of tree promises (decision 32), tried with each kind that this machine has (decision 54).

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;

use orch_adapters::git::{Cache, Hub, Mounts, TreeKind, TreeOrder};
use orch_adapters::process::RunAs;
use orch_core::call::GitCall;
use orch_core::call::git::Collected;
use orch_core::id::Commit;
use orch_core::stage::Role;

use crate::bench::{Bench, git, person, run, write};

const KINDS: [TreeKind; 2] = [TreeKind::Overlay, TreeKind::Recycled];

fn drop_tree(bench: &Bench, n: u32) {
    bench.reply(&GitCall::DropTree { run: run(n) });
}

/// The mounts that this thread sees below a folder.
fn mounts_in(folder: &Path) -> Vec<String> {
    let table = fs::read_to_string("/proc/thread-self/mountinfo").unwrap();
    let folder = folder.canonicalize().unwrap().display().to_string();
    table.lines().filter(|line| line.contains(&folder)).map(str::to_owned).collect()
}

/// The tree is exactly the commit: no file more, none less, none other, and git says so with and without its index.
#[track_caller]
fn is_exactly(bench: &Bench, tree: &Path, commit: &Commit) {
    assert_eq!(person(tree, &["rev-parse", "HEAD"]), commit.as_str());
    assert_eq!(person(tree, &["status", "--porcelain", "--ignored"]), "");
    let other = bench.folder.path().join("checkout");
    let _ = fs::remove_dir_all(&other);
    fs::create_dir(&other).unwrap();
    let archive = bench.folder.path().join("checkout.tar");
    bench.hub_git(&["archive", "-o", archive.to_str().unwrap(), commit.as_str()]);
    let unpacked = std::process::Command::new("tar").arg("-xf").arg(&archive).current_dir(&other).status();
    assert!(unpacked.unwrap().success());
    let said = std::process::Command::new("diff")
        .args(["--recursive", "--no-dereference", "--exclude=.git"])
        .args([&other, tree])
        .output()
        .unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stdout));
}

/// Main with folders that runs can move and replace.
fn furnished(kind: TreeKind) -> Option<(Bench, Commit)> {
    let bench = Bench::of(kind)?;
    for name in ["a", "b", "deep/er"] {
        for n in 0..3 {
            write(&bench.origin, &format!("{name}/file-{n}"), format!("{name} {n}\n"));
        }
    }
    symlink("a", bench.origin.join("link")).unwrap();
    bench.main_gets("script", "#!/bin/sh\n");
    let (head, _) = bench.cut();
    Some((bench, head))
}

/// Everything that a run can do to files.
fn ravage(tree: &Path) {
    write(tree, "src/main.rs", "changed\n");
    // As long as before, and dated as before.
    let file = tree.join("a/file-0");
    let date = fs::metadata(&file).unwrap().modified().unwrap();
    write(tree, "a/file-0", "A 0\n");
    fs::File::options().write(true).open(&file).unwrap().set_modified(date).unwrap();
    fs::remove_file(tree.join("a/file-1")).unwrap();
    fs::rename(tree.join("b"), tree.join("moved")).unwrap();
    write(tree, "moved/file-9", "new\n");
    write(tree, "b", "a file now\n");
    fs::remove_dir_all(tree.join("deep")).unwrap();
    symlink("a", tree.join("deep")).unwrap();
    fs::remove_file(tree.join("link")).unwrap();
    write(tree, "link/file", "a folder now\n");
    fs::set_permissions(tree.join("script"), fs::Permissions::from_mode(0o755)).unwrap();
    // Rewritten and the same.
    write(tree, "README.md", "# hello\n");
    fs::hard_link(tree.join("src/lib.rs"), tree.join("src/twin.rs")).unwrap();
    write(tree, "target/junk", "ignored");
    write(tree, "docs/work-items/ORCH-007/12-review.md", "not a developer's\n");
    symlink("/etc/passwd", tree.join("out")).unwrap();
    write(tree, "inner/.git/HEAD", "ref: refs/heads/x\n");
    write(tree, "inner/file", "in a repository of its own\n");
    write(tree, "A/file-2", "a twin of a/file-2\n");
}

fn ravaged(kind: TreeKind) -> Option<Collected> {
    let (bench, head) = furnished(kind)?;
    let tree = bench.tree(1, &head, &[], None);
    is_exactly(&bench, &tree.folder, &head);
    ravage(&tree.folder);
    let collected = bench.collect(1, Role::Developer, &head);
    let names =
        bench.hub_git(&["diff", "--name-status", "--no-renames", head.as_str(), collected.head.as_str()]);
    for line in
        ["M\ta/file-0", "D\ta/file-1", "A\tb", "A\tmoved/file-9", "D\tb/file-0", "A\tmoved/file-0", "A\tdeep"]
    {
        assert!(names.lines().any(|name| name == line), "{kind:?}: {line} is missing in\n{names}");
    }
    assert!(!names.contains("README.md") && !names.contains("target"), "{kind:?}: {names}");
    // The next run finds nothing of it.
    drop_tree(&bench, 1);
    let next = bench.tree(2, &head, &[], None);
    assert_eq!(next.kind, kind);
    is_exactly(&bench, &next.folder, &head);
    drop_tree(&bench, 2);
    let last = bench.tree(3, &collected.head, &[], None);
    is_exactly(&bench, &last.folder, &collected.head);
    Some(collected)
}

/// Proves decision 32 for each kind of tree: it is exactly its commit, whatever runs before did and however far the commit
/// is from what was there; and what a run did is collected to the same tree, with the same findings.
#[test]
fn trees_of_each_kind_are_their_commit_and_are_collected_alike() {
    let [overlay, recycled] = KINDS.map(ravaged);
    let recycled = recycled.unwrap();
    if let Some(overlay) = overlay {
        assert_eq!(overlay.tree, recycled.tree);
        assert_eq!(overlay.outside, recycled.outside);
        assert_eq!(overlay.change, recycled.change);
    }
}

/// Proves that a run with very many files is collected alike too: there an overlay is looked through whole.
#[test]
fn many_files_are_collected_alike() {
    let trees = KINDS.map(|kind| {
        let (bench, head) = furnished(kind)?;
        let tree = bench.tree(1, &head, &[], None);
        for n in 0..300 {
            write(&tree.folder, &format!("src/many-{n}"), format!("{n}"));
            write(&tree.folder, &format!("many/{n}/file"), format!("{n}"));
        }
        ravage(&tree.folder);
        let collected = bench.collect(1, Role::Developer, &head);
        drop_tree(&bench, 1);
        Some((collected.tree, collected.outside))
    });
    let [overlay, recycled] = trees;
    assert!(overlay.is_none_or(|overlay| Some(overlay) == recycled));
}

/// Proves that a role's old verdict is taken away in each kind, and that leaving it so is no change.
#[test]
fn an_old_verdict_is_not_there() {
    for kind in KINDS {
        let Some((bench, head)) = furnished(kind) else { continue };
        let review = "docs/work-items/ORCH-007/12-review.md";
        let judged = bench.run(1, Role::Reviewer, &head, |tree| write(tree, review, "old"));
        let tree = bench.tree(2, &judged.head, &[review], None);
        assert!(!tree.folder.join(review).exists(), "{kind:?}");
        assert_eq!(bench.collect(2, Role::Reviewer, &judged.head).head, judged.head, "{kind:?}");
    }
}

/// Proves that a cache never looks newer than a source that it was not built from: a build tool that compares dates would
/// test the wrong program.
#[test]
fn a_cache_is_older_than_what_it_was_not_built_from() {
    for kind in KINDS {
        let Some((bench, head)) = furnished(kind) else { continue };
        let cache = || Some(Cache { key: "ORCH-007/developer".to_owned(), paths: vec!["target".to_owned()] });
        // Two trees, so that the pool holds one that the first run did not touch.
        let first = bench.tree(1, &head, &[], cache());
        let _idle = bench.tree(9, &head, &[], None);
        write(&first.folder, "src/main.rs", "one\n");
        write(&first.folder, "src/undone.rs", "of the first run\n");
        write(&first.folder, "target/built", "from one");
        drop_tree(&bench, 9);
        drop_tree(&bench, 1);
        // Back at the first commit: main.rs is as it was before the cache was built.
        let date = |path: &Path| fs::metadata(path).unwrap().modified().unwrap();
        let again = bench.tree(2, &head, &[], cache());
        let built = date(&again.folder.join("target/built"));
        assert!(date(&again.folder.join("src/main.rs")) >= built, "{kind:?}");
        assert!(date(&again.folder.join("src/lib.rs")) < built, "{kind:?}: what did not change stays old");
        assert!(!again.folder.join("src/undone.rs").exists());
        // Nothing was built meanwhile: a third run must not trust the dates either.
        drop_tree(&bench, 2);
        let third = bench.tree(3, &head, &[], cache());
        assert!(date(&third.folder.join("src/main.rs")) >= built, "{kind:?}");
        assert_eq!(bench.collect(3, Role::Developer, &head).head, head, "a date is no change");
    }
}

/// Proves that a cached folder with something moved into it from the shared files is not kept: without them it would be
/// half.
#[test]
fn a_cache_with_a_part_of_the_tree_is_not_kept() {
    let Some((bench, head)) = furnished(TreeKind::Overlay) else { return };
    let cache = || Some(Cache { key: "ORCH-007/ci".to_owned(), paths: vec!["target".to_owned()] });
    let tree = bench.tree(1, &head, &[], cache());
    fs::create_dir(tree.folder.join("target")).unwrap();
    fs::rename(tree.folder.join("deep"), tree.folder.join("target/deep")).unwrap();
    drop_tree(&bench, 1);
    assert!(!bench.tree(2, &head, &[], cache()).folder.join("target").exists());
}

/// Proves that a tree belongs to the user of the run whole, that git takes it for clean, and that being given away costs
/// no second checkout: a recycled tree keeps the files that did not change.
#[test]
fn trees_belong_to_their_user() {
    if !rustix::process::geteuid().is_root() {
        return crate::not_tried("only root can give files away");
    }
    let user = RunAs { uid: 65534, gid: 65534 };
    for kind in KINDS {
        let Some((mut bench, head)) = furnished(kind) else { continue };
        if kind == TreeKind::Overlay {
            bench.hub = bench.hub.trees_of(Some(user), Some(Mounts::own().unwrap()));
        }
        let mut inodes = Vec::new();
        for n in 1..3 {
            let folder = bench.folder.path().join(format!("trees/{n}"));
            let order = TreeOrder {
                run: run(n),
                commit: &head,
                folder: &folder,
                cache: None,
                remove: Vec::new(),
                owner: Some(user),
            };
            bench.hub.prepare_tree(&order).unwrap();
            let mut open = vec![folder.clone()];
            while let Some(path) = open.pop() {
                let found = fs::symlink_metadata(&path).unwrap();
                assert_eq!((found.uid(), found.gid()), (user.uid, user.gid), "{kind:?}: {}", path.display());
                if found.is_dir() {
                    open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
                }
            }
            assert_eq!(person(&folder, &["-c", "safe.directory=*", "status", "--porcelain"]), "");
            inodes.push(fs::metadata(folder.join("src/lib.rs")).unwrap().ino());
            drop_tree(&bench, n);
        }
        assert_eq!(inodes[0], inodes[1], "{kind:?}: the file was written again");
        // A tree for Orch itself is another one.
        let own = bench.tree(5, &head, &[], None);
        assert_eq!(own.kind, TreeKind::Plain);
        is_exactly(&bench, &own.folder, &head);
    }
}

/// Proves that nothing is lost and nothing left when Orch is killed between the mount and its use: the mounts go with its
/// namespace, the work of the run stays, and the next Orch collects it or takes it away.
#[test]
fn a_killed_orch_leaves_no_mount_and_loses_no_work() {
    let Some((bench, head)) = furnished(TreeKind::Overlay) else { return };
    let tree = bench.folder.path().join("trees/1");
    let hub = || Hub::open(git(), &bench.folder.path().join("data")).unwrap().large_from(1);
    std::thread::scope(|scope| {
        // Its namespace ends with the thread, as that of a killed process does.
        let killed = scope.spawn(|| {
            let hub = hub().trees_of(None, Some(Mounts::own().unwrap()));
            for n in 1..3 {
                let folder = bench.folder.path().join(format!("trees/{n}"));
                let (cache, remove) = (None, Vec::new());
                let order =
                    TreeOrder { run: run(n), commit: &head, folder: &folder, cache, remove, owner: None };
                assert_eq!(hub.prepare_tree(&order).unwrap().kind, TreeKind::Overlay);
            }
            write(&tree, "src/new.rs", "paid for");
            fs::remove_file(tree.join("a/file-1")).unwrap();
        });
        killed.join().unwrap();
    });
    assert!(mounts_in(bench.folder.path()).is_empty());
    assert_eq!(fs::read_dir(&tree).unwrap().count(), 0, "an empty folder until it is mounted again");
    bench.hub.tidy_trees(&[run(1)]).unwrap();
    let collected = bench.collect(1, Role::Developer, &head);
    let names = bench.hub_git(&["diff", "--name-status", head.as_str(), collected.head.as_str()]);
    assert_eq!(names, "D\ta/file-1\nA\tsrc/new.rs");
    assert_eq!(mounts_in(bench.folder.path()).len(), 1);
    bench.hub.tidy_trees(&[]).unwrap();
    assert!(mounts_in(bench.folder.path()).is_empty());
    assert_eq!(fs::read_dir(bench.folder.path().join("trees")).unwrap().count(), 0);
    assert_eq!(fs::read_dir(bench.folder.path().join("data/runs")).unwrap().count(), 0);
}

/// Proves that a tree can be taken away while somebody still looks into it.
#[test]
fn a_busy_tree_is_taken_away() {
    let Some((bench, head)) = furnished(TreeKind::Overlay) else { return };
    let tree = bench.tree(1, &head, &[], None);
    let _open = fs::File::open(tree.folder.join("src/lib.rs")).unwrap();
    drop_tree(&bench, 1);
    assert!(mounts_in(bench.folder.path()).is_empty() && !tree.folder.exists());
}

/// Proves that the shared files follow main when it has moved far, and that old ones stay as long as a tree lies on them.
#[test]
fn shared_files_follow_main() {
    let Some((bench, head)) = furnished(TreeKind::Overlay) else { return };
    let bases = || fs::read_dir(bench.folder.path().join("data/bases")).unwrap().count();
    bench.hub.ready_trees().unwrap();
    let old = bench.tree(1, &head, &[], None);
    bench.main_gets("one", "one");
    bench.hub.fetch_main().unwrap();
    bench.hub.ready_trees().unwrap();
    assert_eq!(bases(), 1, "one file is no reason");
    for n in 0..600 {
        write(&bench.origin, &format!("pkg/{n}"), format!("{n}"));
    }
    let main = bench.main_gets("two", "two");
    bench.hub.fetch_main().unwrap();
    bench.hub.ready_trees().unwrap();
    assert_eq!(bases(), 2, "a tree lies on the old ones");
    is_exactly(&bench, &old.folder, &head);
    drop_tree(&bench, 1);
    assert_eq!(bases(), 1);
    let new = bench.tree(2, &main, &[], None);
    is_exactly(&bench, &new.folder, &main);
}

/// Proves that a commit which only says otherwise how files are written finds them written so.
#[test]
fn files_are_written_as_their_commit_says() {
    for kind in KINDS {
        let Some((bench, head)) = furnished(kind) else { continue };
        let first = bench.tree(1, &head, &[], None);
        assert_eq!(fs::read(first.folder.join("a/file-0")).unwrap(), b"a 0\n");
        drop_tree(&bench, 1);
        let main = bench.main_gets("a/.gitattributes", "* text eol=crlf\n");
        bench.hub.fetch_main().unwrap();
        let next = bench.tree(2, &main, &[], None);
        assert_eq!(fs::read(next.folder.join("a/file-0")).unwrap(), b"a 0\r\n", "{kind:?}");
        bench.hub.ready_trees().unwrap();
        let last = bench.tree(3, &main, &[], None);
        assert_eq!(fs::read(last.folder.join("a/file-0")).unwrap(), b"a 0\r\n", "{kind:?}");
        assert_eq!(last.kind == TreeKind::Overlay, kind == TreeKind::Overlay);
    }
}

/// Proves that shared files whose note a power cut left empty are replaced, and do not stop every tree after them.
#[test]
fn shared_files_without_a_note_are_replaced() {
    let Some((mut bench, head)) = furnished(TreeKind::Overlay) else { return };
    bench.hub.ready_trees().unwrap();
    let bases = bench.folder.path().join("data/bases");
    let old = fs::read_dir(&bases).unwrap().next().unwrap().unwrap().path();
    fs::write(old.join("base.json"), "").unwrap();
    // As after a start.
    let data = bench.folder.path().join("data");
    bench.hub = Hub::open(git(), &data).unwrap().large_from(1).trees_of(None, Some(Mounts::own().unwrap()));
    let tree = bench.tree(1, &head, &[], None);
    assert_eq!(tree.kind, TreeKind::Overlay);
    is_exactly(&bench, &tree.folder, &head);
    drop_tree(&bench, 1);
    assert!(!old.exists() && fs::read_dir(&bases).unwrap().count() == 1);
}

/// Proves that a folder whose name holds what a mount's options cannot say is found out when an overlay is tried in it, with the
/// reason, and that the trial leaves nothing. What gets no overlay there still gets trees; the composition's tests show it.
#[test]
fn an_odd_path_is_no_overlay() {
    let odd = tempfile::Builder::new().prefix("a,b:c").tempdir().unwrap();
    match Mounts::own() {
        Ok(mounts) => {
            let refused = mounts.try_in(odd.path()).unwrap_err();
            assert!(refused.to_string().contains("a comma, a colon"), "{refused}");
        }
        Err(error) => crate::not_tried(error),
    }
    assert_eq!(fs::read_dir(odd.path()).unwrap().count(), 0, "the trial leaves nothing");
}
