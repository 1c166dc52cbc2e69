//! Which repositories can be used, and what is read of them.

use std::fs;

use orch_adapters::git::{Hub, HubError};
use orch_core::call::{GitCall, GitReply};
use orch_core::event::MainReading;
use orch_core::stage::Role;

use crate::bench::{BRANCH, Bench, ITEM, collect_call, git, person, run, write};

fn refusal(bench: &Bench, origin: &str, main: Option<&str>) -> String {
    let root = bench.folder.path().join("refused");
    Hub::create(git(), &root, origin, main).unwrap_err().to_string()
}

/// Proves that a repository that cannot be used is refused with the reason and what to do.
#[test]
fn git_refuses_repositories_with_the_reason() {
    let bench = Bench::new();
    let empty = bench.folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    person(&empty, &["init", "-q"]);
    let at = |path: &std::path::Path| path.to_str().unwrap().to_owned();
    assert!(refusal(&bench, &at(&empty), None).contains("has no commits yet; make a first commit"));
    assert!(refusal(&bench, &at(bench.folder.path()), None).contains("cannot be read"));
    assert!(refusal(&bench, "ext::sh -c touch% /tmp/x", None).contains("cannot be read"));
    assert!(refusal(&bench, "--upload-pack=touch", None).contains("cannot be read"));
    let said = refusal(&bench, &at(&bench.origin), Some("main"));
    assert!(said.contains("has no branch `main`; name one of: trunk"), "{said}");
    person(&bench.origin, &["checkout", "-q", "--detach"]);
    assert!(refusal(&bench, &at(&bench.origin), None).contains("is detached; check out its main branch"));
    let root = bench.folder.path().join("named");
    assert_eq!(Hub::create(git(), &root, &at(&bench.origin), Some("trunk")).unwrap().main(), "trunk");
    bench.main_gets("second.txt", "x");
    let url = format!("file://{}", at(&bench.origin));
    person(bench.folder.path(), &["clone", "-q", "--depth=1", "-b", "trunk", &url, "shallow"]);
    let said = refusal(&bench, &at(&bench.folder.path().join("shallow")), None);
    assert!(said.contains("is a shallow clone; run `git fetch --unshallow`"), "{said}");
}

/// Proves that a hub is made once, found again, and never taken for another repository's.
#[test]
fn git_finds_its_hub_again() {
    let bench = Bench::new();
    let root = bench.folder.path().join("data");
    let origin = bench.origin.to_str().unwrap();
    let again = Hub::create(git(), &root, origin, None).unwrap();
    assert_eq!((again.main(), again.origin()), ("trunk", bench.hub.origin()));
    assert_eq!(Hub::open(git(), &root).unwrap().main(), "trunk");
    let error = Hub::create(git(), &root, bench.folder.path().to_str().unwrap(), None).unwrap_err();
    assert!(matches!(error, HubError::OtherOrigin { .. }), "{error}");
    // By a link, and while what it leads to is not mounted.
    let (link, away) = (bench.folder.path().join("link"), bench.folder.path().join("away"));
    std::os::unix::fs::symlink(&bench.origin, &link).unwrap();
    let by_link =
        || Hub::create(git(), &root, link.to_str().unwrap(), None).map(|hub| hub.origin().to_owned());
    assert_eq!(by_link().unwrap(), bench.hub.origin());
    fs::rename(&bench.origin, &away).unwrap();
    assert_eq!(by_link().unwrap(), bench.hub.origin());
    // One that is not there and never was is no name of it.
    let never = bench.folder.path().join("never");
    let error = Hub::create(git(), &root, never.to_str().unwrap(), None).unwrap_err();
    assert!(matches!(error, HubError::OtherOrigin { .. }), "{error}");
}

/// Proves that readings say where main is, and that a rewritten main does not descend.
#[test]
fn git_reads_main() {
    let bench = Bench::new();
    let first = bench.hub.read_main(None).unwrap();
    assert!(first.descends);
    let second = bench.main_gets("x", "x");
    let reading = bench.hub.read_main(Some(&first.head)).unwrap();
    assert_eq!(reading, MainReading { head: second.clone(), descends: true });
    person(&bench.origin, &["commit", "-q", "--amend", "-m", "rewritten"]);
    assert!(!bench.hub.read_main(Some(&second)).unwrap().descends);
}

/// Proves that policies and templates are read from main as last fetched, that a link is no file, and that the diff for
/// people is bounded.
#[test]
fn git_reads_files_of_main() {
    let bench = Bench::new();
    let before = bench.hub.main_head().unwrap();
    std::os::unix::fs::symlink("/etc/passwd", bench.origin.join("link")).unwrap();
    write(&bench.origin, ".orch/roles/analyst.md", "be kind");
    let after = bench.main_gets(".orch/policy.toml", "preset = \"full\"\n");
    assert_eq!(bench.hub.read_file_at_main(".orch/policy.toml").unwrap(), None);
    bench.hub.fetch_main().unwrap();
    let file = bench.hub.read_file_at_main(".orch/policy.toml").unwrap();
    assert_eq!(file.as_deref(), Some(b"preset = \"full\"\n".as_slice()));
    assert_eq!(bench.hub.read_file_at_main("link").unwrap(), None);
    let (whole, cut) = bench.hub.diff_text(&before, &after, 1 << 20).unwrap();
    assert!(whole.contains("+be kind") && !cut);
    let (part, cut) = bench.hub.diff_text(&before, &after, 200).unwrap();
    assert!(cut && part.len() <= 200 && whole.starts_with(&part) && part.ends_with('\n'));
}

/// Proves that work goes on where there are submodules and pointers of LFS, and leaves them as they are. That `orch init`
/// says so is a test of orch.
#[test]
fn git_leaves_submodules_and_lfs_alone() {
    let bench = Bench::new();
    write(&bench.origin, "assets/.gitattributes", "*.png filter=lfs diff=lfs merge=lfs -text\n");
    let head = bench.hub.main_head().unwrap();
    person(&bench.origin, &["update-index", "--add", "--cacheinfo", &format!("160000,{head},lib/dep")]);
    person(&bench.origin, &["add", "assets"]);
    person(&bench.origin, &["commit", "-q", "-m", "odd things"]);
    bench.hub.fetch_main().unwrap();
    let (head, _) = bench.cut();
    let collected = bench.run(1, Role::Developer, &head, |tree| write(tree, "a", "a"));
    assert!(collected.outside.is_empty(), "{:?}", collected.outside);
    let changed = bench.hub_git(&["diff", "--name-only", head.as_str(), collected.head.as_str()]);
    assert_eq!(changed, "a");
}

/// Proves that a project that publishes its branches gets each step pushed with lease, and that a push of somebody else
/// is adopted, not overwritten (decision 45).
#[test]
fn git_publishes_branches_where_it_is_told_to() {
    let mut bench = Bench::new();
    bench.hub = bench.hub.publishing(true);
    let (head, _) = bench.cut();
    let there = |bench: &Bench| person(&bench.origin, &["rev-parse", &format!("refs/heads/{BRANCH}")]);
    assert_eq!(there(&bench), head.as_str());
    let collected = bench.run(1, Role::Developer, &head, |tree| write(tree, "a", "a"));
    assert_eq!(there(&bench), collected.head.as_str());
    assert_eq!(bench.collect(1, Role::Developer, &head), collected);
    // Somebody pushes while the next run works.
    let tree = bench.tree(2, &collected.head, &[], None);
    write(&tree.folder, "b", "b");
    let theirs = person(&bench.origin, &["commit-tree", "-p", &there(&bench), "-m", "theirs", "HEAD^{tree}"]);
    person(&bench.origin, &["update-ref", &format!("refs/heads/{BRANCH}"), &theirs]);
    let moved = GitReply::BranchMoved { head: theirs.as_str().into() };
    assert_eq!(bench.reply(&collect_call(2, Role::Developer, &collected.head)), moved);
    assert_eq!(bench.reply(&collect_call(2, Role::Developer, &collected.head)), moved);
    assert_eq!(there(&bench), theirs);
    bench.reply(&GitCall::DropTree { run: run(2) });
}

/// Proves that a repository that names its objects by SHA-256 works too.
#[test]
fn git_works_with_sha256_repositories() {
    let bench = Bench::new();
    let origin = bench.folder.path().join("sha256");
    fs::create_dir(&origin).unwrap();
    person(&origin, &["init", "-q", "-b", "main", "--object-format=sha256"]);
    person(&origin, &["commit", "-q", "--allow-empty", "-m", "first"]);
    let root = bench.folder.path().join("data256");
    let hub = Hub::create(git(), &root, origin.to_str().unwrap(), None).unwrap();
    let bench = Bench { hub, origin: origin.clone(), ..bench };
    let (head, _) = bench.cut();
    assert_eq!(head.as_str().len(), 64);
    let collected = bench.run(1, Role::Developer, &head, |tree| {
        assert_eq!(person(tree, &["status", "--porcelain"]), "");
        write(tree, "a", "a");
        write(tree, &format!("docs/work-items/{ITEM}/09-dev.md"), "by the task");
    });
    assert!(!collected.empty);
    // Both sides have that document: one of them is taken, in an index.
    write(&origin, &format!("docs/work-items/{ITEM}/09-dev.md"), "by hand");
    person(&origin, &["add", "-A"]);
    person(&origin, &["commit", "-q", "-m", "by hand"]);
    let reply = bench.candidate(&collected.head);
    assert!(
        matches!(&reply, GitReply::Candidate(candidate) if candidate.commit.as_str().len() == 64),
        "{reply:?}"
    );
}
