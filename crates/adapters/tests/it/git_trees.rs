//! Run trees: fresh, recycled, with caches, and what a crash leaves.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::time::Instant;

use orch_adapters::git::{Cache, TreeKind};
use orch_core::call::GitCall;
use orch_core::stage::Role;

use crate::bench::{Bench, person, run, write};

fn drop_tree(bench: &Bench, n: u32) {
    bench.reply(&GitCall::DropTree { run: run(n) });
}

/// Proves decision 32: a recycled tree is exactly the commit, whatever the run before did to it.
#[test]
fn git_trees_are_fresh_when_recycled() {
    let bench = Bench::new();
    let (head, _) = bench.cut();
    let outside = bench.folder.path().join("outside");
    fs::write(&outside, "outside").unwrap();
    let first = bench.tree(1, &head, &[], None);
    assert!(first.kind == TreeKind::Plain);
    let tree = &first.folder;
    write(tree, "target/junk", "ignored");
    write(tree, "untracked/deep/file", "x");
    write(tree, "src/main.rs", "changed");
    fs::remove_file(tree.join("README.md")).unwrap();
    fs::create_dir(tree.join("README.md")).unwrap();
    write(tree, ".git/info/exclude", "*");
    fs::remove_dir_all(tree.join("docs")).unwrap();
    symlink(bench.folder.path(), tree.join("docs")).unwrap();
    // Another name of a tracked file, kept outside: a way into the next run's tree.
    fs::hard_link(tree.join("src/lib.rs"), bench.folder.path().join("backdoor")).unwrap();
    drop_tree(&bench, 1);
    assert!(!first.folder.exists());
    let second = bench.tree(2, &head, &[], None);
    assert!(second.kind == TreeKind::Recycled);
    assert_eq!(person(&second.folder, &["status", "--porcelain", "--ignored"]), "");
    assert_eq!(person(&second.folder, &["rev-parse", "HEAD"]), head.as_str());
    fs::write(bench.folder.path().join("backdoor"), "changed from outside").unwrap();
    assert!(fs::read_to_string(second.folder.join("src/lib.rs")).unwrap().starts_with("1\n2\n"));
    assert_eq!(fs::read_to_string(&outside).unwrap(), "outside");
    // The tree of a run that is prepared again is another one.
    write(&second.folder, "half", "x");
    let again = bench.tree(2, &head, &[], None);
    assert!(!again.folder.join("half").exists());
}

/// Proves that caches go from run to run of one task and role only, and never through a link.
#[test]
fn git_trees_keep_caches_for_their_role() {
    let bench = Bench::new();
    let (head, _) = bench.cut();
    let cache = |role: &str| {
        let paths = ["target", "src"].map(str::to_owned).to_vec();
        Some(Cache { key: format!("ORCH-007/{role}"), paths })
    };
    let tree = bench.tree(1, &head, &[], cache("developer"));
    write(&tree.folder, "target/built", "x");
    write(&tree.folder, ".gitignore", "");
    write(&tree.folder, "src/new.rs", "x");
    let collected = bench.collect(1, Role::Developer, &head);
    let changed = bench.hub_git(&["diff", "--name-only", head.as_str(), collected.head.as_str()]);
    assert_eq!(changed, ".gitignore\nsrc/new.rs");
    drop_tree(&bench, 1);
    let other = bench.tree(2, &head, &[], cache("tester"));
    assert!(!other.folder.join("target").exists());
    let same = bench.tree(3, &head, &[], cache("developer"));
    assert!(same.folder.join("target/built").exists());
    assert!(same.folder.join("src/main.rs").exists());
    fs::remove_dir_all(same.folder.join("target")).unwrap();
    symlink("/etc", same.folder.join("target")).unwrap();
    drop_tree(&bench, 3);
    let last = bench.tree(4, &head, &[], cache("developer"));
    assert!(fs::symlink_metadata(last.folder.join("target")).is_err());
    let order = orch_adapters::git::TreeOrder {
        run: run(5),
        commit: &head,
        folder: &bench.folder.path().join("trees/5"),
        cache: Some(Cache { key: "../../x".to_owned(), paths: Vec::new() }),
        remove: Vec::new(),
        owner: None,
    };
    assert!(bench.hub.prepare_tree(&order).is_err());
}

/// Proves that caches do not grow with the number of tasks: those of the eight that used one last are kept.
#[test]
fn git_trees_keep_caches_of_few_tasks() {
    let bench = Bench::new();
    let (head, _) = bench.cut();
    let cache = |task: u32, role: &str| {
        Some(Cache { key: format!("ORCH-{task}/{role}"), paths: vec!["src/target".to_owned()] })
    };
    let mut n = 0;
    let mut run = |task, role: &str| {
        n += 1;
        let tree = bench.tree(n, &head, &[], cache(task, role));
        let found = tree.folder.join("src/target/built").exists();
        write(&tree.folder, "src/target/built", "x");
        drop_tree(&bench, n);
        found
    };
    for task in 1..=8 {
        assert!(!run(task, "developer"));
        assert!(!run(task, "ci"));
    }
    assert!(run(1, "ci"), "it is kept, and used again");
    assert!(!run(9, "ci"));
    let kept = |room: &str| {
        let folder = bench.folder.path().join("data").join(room);
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    assert_eq!(kept("cache"), [1, 3, 4, 5, 6, 7, 8, 9].map(|task| format!("ORCH-{task}")));
    assert_eq!(kept("cache"), kept("cache.built"));
    assert!(run(1, "developer") && !run(2, "developer"));
}

/// Proves that the trees of runs that do not live are removed at the next start, and those of live ones are not.
#[test]
fn git_trees_of_dead_runs_are_tidied() {
    let bench = Bench::new();
    let (head, _) = bench.cut();
    let (dead, live) = (bench.tree(1, &head, &[], None), bench.tree(2, &head, &[], None));
    bench.hub.tidy_trees(&[run(2)]).unwrap();
    assert!(!dead.folder.exists() && live.folder.exists());
    write(&live.folder, "a", "a");
    assert!(!bench.collect(2, Role::Developer, &head).empty);
    drop_tree(&bench, 1);
}

/// Proves that what a run did to the modes of its tree is not found by the next run.
#[test]
fn git_trees_have_the_modes_of_a_checkout() {
    let bench = Bench::new();
    write(&bench.origin, "deep/er/file", "x");
    bench.main_gets("other", "x");
    let (head, _) = bench.cut();
    let tree = bench.tree(1, &head, &[], None).folder;
    let mode =
        |tree: &std::path::Path, name: &str| fs::metadata(tree.join(name)).unwrap().permissions().mode();
    let names = ["src/main.rs", "src/lib.rs", "deep/er", "docs"];
    let before = names.map(|name| mode(&tree, name));
    for (name, odd) in names.into_iter().zip([0o000, 0o4644, 0o000, 0o500]) {
        fs::set_permissions(tree.join(name), fs::Permissions::from_mode(odd)).unwrap();
    }
    drop_tree(&bench, 1);
    let next = bench.tree(2, &head, &[], None);
    assert_eq!(next.kind, TreeKind::Recycled);
    assert_eq!(names.map(|name| mode(&next.folder, name)), before);
    assert_eq!(person(&next.folder, &["status", "--porcelain", "--ignored"]), "");
    fs::set_permissions(&next.folder, fs::Permissions::from_mode(0o000)).unwrap();
    drop_tree(&bench, 2);
    assert_eq!(bench.tree(3, &head, &[], None).kind, TreeKind::Plain);
}

/// Makes a note of the host one of another boot.
fn reboot(bench: &Bench, note: &str) {
    let file = bench.folder.path().join("data").join(note);
    let now = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains(now.trim()), "{text}");
    fs::write(&file, text.replace(now.trim(), "another")).unwrap();
}

/// Proves that what a run left before the machine was started again is neither its work nor the ground of another run: a
/// power cut may have emptied any file of it.
#[test]
fn git_trees_of_another_boot_are_not_trusted() {
    let bench = Bench::new();
    let (head, _) = bench.cut();
    let cache = || Some(Cache { key: "ORCH-007/ci".to_owned(), paths: vec!["target".to_owned()] });
    let tree = bench.tree(1, &head, &[], cache());
    write(&tree.folder, "src/main.rs", "");
    reboot(&bench, "runs/r1.1/order.json");
    let error = bench.perform(&crate::bench::collect_call(1, Role::Developer, &head)).unwrap_err();
    assert!(error.cause.to_string().contains("has been started again"), "{}", error.cause);
    drop_tree(&bench, 1);
    let next = bench.tree(2, &head, &[], cache());
    assert_eq!(next.kind, TreeKind::Plain);
    write(&next.folder, "target/built", "half");
    drop_tree(&bench, 2);
    reboot(&bench, "cache.built/ORCH-007/ci");
    for entry in fs::read_dir(bench.folder.path().join("data/pool")).unwrap() {
        let path = entry.unwrap().path();
        fs::rename(&path, path.with_file_name("r1.2@0+another")).unwrap();
    }
    let last = bench.tree(3, &head, &[], cache());
    assert!(last.kind == TreeKind::Plain && !last.folder.join("target").exists());
    bench.hub.tidy_trees(&[run(3)]).unwrap();
    assert_eq!(fs::read_dir(bench.folder.path().join("data/pool")).unwrap().count(), 0);
}

/// Proves that notes which a power cut left empty or half cost a tree, and not every tree after it.
#[test]
fn git_trees_are_made_past_unreadable_notes() {
    let bench = Bench::new();
    let (head, _) = bench.cut();
    for (n, left) in [(1, ""), (2, "{\"folder\":")] {
        bench.tree(n, &head, &[], None);
        fs::write(bench.folder.path().join(format!("data/runs/r1.{n}/order.json")), left).unwrap();
    }
    assert!(bench.perform(&crate::bench::collect_call(1, Role::Developer, &head)).is_err());
    assert!(bench.tree(1, &head, &[], None).folder.join("src/main.rs").exists());
    bench.hub.tidy_trees(&[run(1)]).unwrap();
    assert_eq!(fs::read_dir(bench.folder.path().join("data/runs")).unwrap().count(), 1);
}

/// Proves that a tree taken back by an Orch that was killed meanwhile is found again.
#[test]
fn git_trees_half_taken_back_are_taken_back() {
    let bench = Bench::new();
    let (head, _) = bench.cut();
    let tree = bench.tree(1, &head, &[], None);
    fs::rename(&tree.folder, bench.folder.path().join("data/runs/r1.1/tree")).unwrap();
    drop_tree(&bench, 1);
    assert_eq!(bench.tree(2, &head, &[], None).kind, TreeKind::Recycled);
}

/// Proves that a warm pool serves the first run.
#[test]
fn git_trees_can_be_made_ahead() {
    let bench = Bench::new();
    bench.hub.warm_pool().unwrap();
    bench.hub.warm_pool().unwrap();
    let (head, _) = bench.cut();
    let tree = bench.tree(1, &head, &[], None);
    assert!(
        tree.kind == TreeKind::Recycled
            && tree.folder.join("docs/work-items/ORCH-007/00-business-request.md").exists()
    );
    assert_eq!(person(&tree.folder, &["status", "--porcelain", "--ignored"]), "");
    assert_eq!(bench.tree(2, &head, &[], None).kind, TreeKind::Plain);
}

/// Measures how long a tree of many files takes; `ORCH_TEST_FILES` says how many. Asserts nothing about time.
#[test]
fn git_trees_of_many_files_are_ready() {
    let files: usize = std::env::var("ORCH_TEST_FILES").ok().and_then(|n| n.parse().ok()).unwrap_or(300);
    let bench = Bench::new();
    for n in 0..files {
        write(
            &bench.origin,
            &format!("pkg{}/mod{}/file{n}.txt", n % 50, n % 7),
            format!("{n}\n").repeat(400),
        );
    }
    person(&bench.origin, &["add", "-A"]);
    person(&bench.origin, &["commit", "-q", "-m", "many"]);
    let (head, _) = bench.cut();
    let timed = |what: &str, work: &mut dyn FnMut()| {
        let start = Instant::now();
        work();
        println!("{files} files, {what}: {} ms", start.elapsed().as_millis());
    };
    timed("plain", &mut || assert_eq!(bench.tree(1, &head, &[], None).kind, TreeKind::Plain));
    let mut parent = head.clone();
    for n in 2..4 {
        timed("collect", &mut || {
            write(&bench.folder.path().join(format!("trees/{}", n - 1)), "src/x", n.to_string());
            parent = bench.collect(n - 1, Role::Developer, &parent).head;
        });
        timed("drop", &mut || drop_tree(&bench, n - 1));
        timed("recycled", &mut || assert_eq!(bench.tree(n, &parent, &[], None).kind, TreeKind::Recycled));
    }
}
