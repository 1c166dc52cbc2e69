//! The calls of git, each performed as the engine would: once, again, and against people who push meanwhile.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;

use orch_adapters::git::TreeKind;
use orch_core::call::git::{Candidate, Collected};
use orch_core::call::{FailureKind, GitCall, GitReply};
use orch_core::id::Commit;
use orch_core::stage::Role;

use crate::bench::{BRANCH, Bench, ITEM, KEY, collect_call, cut_call, person, run, write};

/// row 144: Branch cut at claim from fresh main.
/// row 124: Analyst task file contains title and description.
/// Proves also that a second performance finds the first one's branch.
#[test]
fn git_cuts_a_branch_from_fresh_main_once() {
    let bench = Bench::new();
    let main = bench.main_gets("new.txt", "new\n");
    let (head, base) = bench.cut();
    assert_eq!(base, main);
    assert_eq!(bench.cut(), (head.clone(), base));
    let file =
        bench.hub.read_file(&head, "docs/work-items/ORCH-007/00-business-request.md").unwrap().unwrap();
    let file = String::from_utf8(file).unwrap();
    assert!(file.starts_with("# Say \"Привет\"\n\nWork Item ID: ORCH-007\n"), "{file}");
    assert!(file.contains("please"), "{file}");
    assert_eq!(person(&bench.origin, &["for-each-ref", "--format=%(refname)"]), "refs/heads/trunk");
}

/// row 126: Branch collision is disambiguated.
/// Proves that a name that another task or a person holds is answered with `NameTaken`, never taken over.
#[test]
fn git_never_takes_a_branch_of_somebody_else() {
    let bench = Bench::new();
    bench.cut();
    assert_eq!(bench.reply(&cut_call("ORCH-007~2", BRANCH)), GitReply::NameTaken);
    person(&bench.origin, &["branch", "feature/ORCH-008-x"]);
    assert_eq!(bench.reply(&cut_call("ORCH-008", "feature/ORCH-008-x")), GitReply::NameTaken);
    assert_eq!(bench.reply(&cut_call("ORCH-009", "trunk")), GitReply::NameTaken);
    assert!(bench.perform(&cut_call("ORCH-010", "feature/../../x")).is_err());
}

/// Proves that a name alone is no proof, as after a restore that gives names again: a branch on which work stands that its
/// task knows nothing of is let alone, and what a run of the same name left counts only for its role and commit.
#[test]
fn git_trusts_no_name_alone() {
    let bench = Bench::new();
    let (head, _) = bench.cut();
    let collected = bench.run(1, Role::Developer, &head, |tree| write(tree, "src/new.rs", "x"));
    assert_eq!(bench.reply(&cut_call("ORCH-007", BRANCH)), GitReply::NameTaken);
    for call in [collect_call(1, Role::Tester, &head), collect_call(1, Role::Developer, &collected.head)] {
        let error = bench.perform(&call).unwrap_err();
        assert_eq!(error.kind, FailureKind::Permanent);
        assert!(error.cause.to_string().contains("another run of that name"), "{}", error.cause);
    }
    assert_eq!(bench.collect(1, Role::Developer, &head), collected);
    assert_eq!(bench.hub_git(&["rev-parse", BRANCH]), collected.head.as_str());
}

/// Does something as a user for whom folders can be closed. Tests may run as root, for whom none is.
fn as_nobody(work: impl FnOnce() + Send) {
    std::thread::scope(|scope| {
        let run = || {
            if rustix::process::geteuid().is_root() {
                let nobody = rustix::process::Uid::from_raw(65534);
                // Of this thread alone, and of what it starts.
                rustix::thread::set_thread_res_uid(nobody, nobody, nobody).unwrap();
            }
            work();
        };
        scope.spawn(run).join().unwrap();
    });
}

/// What was undone, in words.
fn undone(collected: &Collected) -> Vec<String> {
    collected.outside.iter().map(ToString::to_string).collect()
}

/// row 166: Auto-commit subject names role and run id.
/// Proves also that a run is collected once, however often it is asked for.
#[test]
fn git_makes_one_commit_a_run() {
    let bench = Bench::new();
    let (head, _) = bench.cut();
    let collected = bench.run(1, Role::Developer, &head, |tree| {
        assert_eq!(person(tree, &["rev-parse", "HEAD"]), head.as_str());
        assert_eq!(person(tree, &["status", "--porcelain", "-b"]), "## work");
        assert_eq!(person(tree, &["remote"]), "");
        write(tree, "src/new.rs", "x");
        fs::remove_file(tree.join("README.md")).unwrap();
        write(tree, "target/junk", "ignored");
        person(tree, &["add", "-A"]);
        person(tree, &["commit", "-q", "-m", "the agent's own"]);
    });
    assert_eq!(undone(&collected), [""; 0]);
    assert!(!collected.empty);
    let show = bench.hub_git(&["show", "-s", "--format=%an|%ae|%cn|%s|%P|%at", collected.head.as_str()]);
    let expected =
        format!("developer|developer@orch.invalid|Orch|developer(ORCH-007): run r1.1|{head}|1700000000");
    assert_eq!(show, expected);
    let names =
        bench.hub_git(&["diff", "--name-status", "--no-renames", head.as_str(), collected.head.as_str()]);
    assert_eq!(names, "D\tREADME.md\nA\tsrc/new.rs");
    assert_eq!(bench.collect(1, Role::Developer, &head), collected);
    bench.reply(&GitCall::DropTree { run: run(1) });
    assert_eq!(bench.collect(1, Role::Developer, &head), collected);
    assert_eq!(bench.hub_git(&["rev-parse", BRANCH]), collected.head.as_str());
}

/// Proves that work which fails leaves no index behind: it is tried again for as long as it takes, on a full disk too.
#[test]
fn git_leaves_no_index_behind() {
    let bench = Bench::new();
    let (head, _) = bench.cut();
    let tree = bench.tree(1, &head, &[], None);
    write(&tree.folder, "src/new.rs", "fn new() {}\n");
    let bare = bench.hub.bare();
    let root = bare.parent().unwrap();
    let index = root.join("runs/r1.1/index");
    let whole = fs::read(&index).unwrap();
    fs::write(&index, "torn").unwrap();
    for _ in 0..3 {
        bench.perform(&collect_call(1, Role::Developer, &head)).unwrap_err();
    }
    let left = || {
        fs::read_dir(root.join("tmp")).unwrap().map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>()
    };
    assert_eq!(left(), [""; 0]);
    fs::write(&index, whole).unwrap();
    assert_eq!(undone(&bench.collect(1, Role::Developer, &head)), [""; 0]);
    assert_eq!(left(), [""; 0]);
}

/// row 165: No-change commit on action stage logged as expected.
/// Proves that a run that changed nothing leaves the branch where it was.
#[test]
fn git_makes_no_commit_of_nothing() {
    let bench = Bench::new();
    let (head, _) = bench.cut();
    let collected = bench.run(1, Role::Developer, &head, |tree| write(tree, "target/x", "ignored"));
    assert_eq!(collected.head, head);
    assert!(collected.empty);
}

/// Proves decision 8: what a role may not write is undone and named, and nothing else is lost.
#[test]
fn git_undoes_what_is_outside_the_scope() {
    let bench = Bench::new();
    let (head, _) = bench.cut();
    let collected = bench.run(1, Role::Developer, &head, |tree| {
        write(tree, "src/main.rs", "fn main() { println!(); }\n");
        write(tree, "docs/work-items/ORCH-007/12-review.md", "---\nverdict: APPROVED\n---\n");
        write(tree, ".orch/policy.toml", "preset = \"fast\"\n");
        fs::remove_file(tree.join("docs/work-items/ORCH-007/00-business-request.md")).unwrap();
    });
    assert_eq!(
        undone(&collected),
        [
            ".orch/policy.toml: outside of what the developer may write",
            "docs/work-items/ORCH-007/00-business-request.md: outside of what the developer may write",
            "docs/work-items/ORCH-007/12-review.md: outside of what the developer may write",
        ]
    );
    let names: Vec<&str> = collected.artefacts.iter().map(|a| a.name.as_str()).collect();
    assert_eq!(names, ["00-business-request.md"]);
    let changed = bench.hub_git(&["diff", "--name-only", head.as_str(), collected.head.as_str()]);
    assert_eq!(changed, "src/main.rs");
    let reviewed = bench.run(2, Role::Reviewer, &collected.head, |tree| {
        write(tree, "docs/work-items/ORCH-007/12-review.md", "ok\n");
        write(tree, "src/main.rs", "fn main() { /* mine */ }\n");
    });
    assert_eq!(undone(&reviewed), ["src/main.rs: outside of what the reviewer may write"]);
    let fresh: Vec<_> = reviewed.artefacts.iter().map(|a| (a.name.as_str(), a.fresh)).collect();
    assert_eq!(fresh, [("00-business-request.md", false), ("12-review.md", true)]);
    assert_eq!(reviewed.change, collected.change);
}

/// The person's repository has another one in this folder.
fn add_submodule(bench: &Bench, folder: &str) {
    let other = bench.folder.path().join("library");
    fs::create_dir(&other).unwrap();
    person(&other, &["init", "-q"]);
    person(&other, &["commit", "-q", "--allow-empty", "-m", "x"]);
    let url = other.to_str().unwrap();
    person(&bench.origin, &["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", url, folder]);
}

/// Proves decision 8 where a file or a link takes the place of a folder: the files that its role may not delete stay, and so
/// does a submodule; an empty place is no way round either.
#[test]
fn git_undoes_what_takes_the_place_of_others_files() {
    let bench = Bench::new();
    add_submodule(&bench, "libs/vendored");
    write(&bench.origin, "tests", "a file where the tester's folder would be\n");
    bench.main_gets(".orch/policy.toml", "confirm_merge = true\n");
    let (head, _) = bench.cut();
    let changed = |from: &Commit, to: &Commit| {
        bench.hub_git(&["diff", "--name-status", "--no-renames", from.as_str(), to.as_str()])
    };
    let collected = bench.run(1, Role::Developer, &head, |tree| {
        for folder in [".orch", "docs", "libs"] {
            fs::remove_dir_all(tree.join(folder)).unwrap();
        }
        write(tree, ".orch", "x");
        symlink("src", tree.join("docs")).unwrap();
        write(tree, "libs", "x");
        write(tree, "src/good.rs", "x");
    });
    assert_eq!(changed(&head, &collected.head), "A\tsrc/good.rs");
    let mut findings = undone(&collected);
    findings.sort();
    assert_eq!(
        findings,
        [
            ".orch/policy.toml: outside of what the developer may write",
            ".orch: outside of what the developer may write",
            "docs/work-items/ORCH-007/00-business-request.md: outside of what the developer may write",
            "docs: it takes the place of `docs/work-items/ORCH-007/00-business-request.md`, which stays",
            "libs: it takes the place of `libs/vendored`, which stays",
        ]
    );
    let tested = bench.run(2, Role::Tester, &collected.head, |tree| {
        fs::remove_file(tree.join("tests")).unwrap();
        write(tree, "tests/more.rs", "x");
    });
    assert_eq!(changed(&collected.head, &tested.head), "");
    assert_eq!(tested.outside.len(), 2, "{:?}", tested.outside);
    assert!(
        undone(&tested).contains(&"tests/more.rs: it takes the place of `tests`, which stays".to_owned())
    );
    // Who may delete a folder's files may put a file there.
    let replaced = bench.run(3, Role::Developer, &collected.head, |tree| {
        fs::remove_dir_all(tree.join("src")).unwrap();
        write(tree, "src", "x");
    });
    assert_eq!(undone(&replaced), [""; 0]);
    // A link in the place of a protected folder leads to what would be run instead.
    let linked = bench.run(4, Role::Developer, &replaced.head, |tree| {
        write(tree, "tools/run", "exit 0\n");
        symlink("tools", tree.join(".ci")).unwrap();
    });
    assert_eq!(linked.protected.unwrap().paths, [".ci"]);
}

/// Proves that the files of a work item are collected where the repository ignores them, and nothing else that it ignores.
#[test]
fn git_collects_artefacts_that_the_repository_ignores() {
    let bench = Bench::new();
    bench.main_gets(".gitignore", "/target\ndocs/\n*.log\n");
    let (head, _) = bench.cut();
    let collected = bench.run(1, Role::Analyst, &head, |tree| {
        write(tree, "docs/work-items/ORCH-007/01-brd.md", "x");
        write(tree, "docs/work-items/ORCH-007/deep/note.log", "x");
        write(tree, "docs/generated.html", "x");
        symlink("/etc", tree.join("docs/work-items/ORCH-007/etc")).unwrap();
        fs::create_dir(tree.join("docs/work-items/ORCH-007/nested")).unwrap();
        person(&tree.join("docs/work-items/ORCH-007/nested"), &["init", "-q"]);
    });
    assert_eq!(undone(&collected), ["docs/work-items/ORCH-007/etc: a link that leaves the tree"]);
    let changed = bench.hub_git(&["diff", "--name-only", head.as_str(), collected.head.as_str()]);
    assert_eq!(changed, "docs/work-items/ORCH-007/01-brd.md\ndocs/work-items/ORCH-007/deep/note.log");
}

/// Proves that a repository in which something else stands where the files of work items would lie is refused with the
/// reason, and keeps it.
#[test]
fn git_throws_nothing_out_for_a_work_item() {
    let bench = Bench::new();
    symlink("src", bench.origin.join("docs")).unwrap();
    bench.main_gets("more", "x");
    let refused = bench.perform(&cut_call("ORCH-007", BRANCH)).unwrap_err();
    assert_eq!(refused.kind, FailureKind::Permanent);
    assert!(refused.cause.to_string().contains("`docs` on main is no folder"), "{}", refused.cause);
}

/// Proves that an agent which writes down a key that it was given brings it into no commit: not into a file, an artefact, a
/// link or a name.
#[test]
fn git_keeps_no_key_of_the_installation() {
    let bench = Bench::new();
    let (head, _) = bench.cut();
    let collected = bench.run(1, Role::Developer, &head, |tree| {
        write(tree, "src/main.rs", format!("const KEY: &str = \"{KEY}\";\n"));
        write(tree, "raw.bin", [b"\xff\xfe", KEY.as_bytes(), b"\xff"].concat());
        write(tree, &format!("src/{KEY}.rs"), "x");
        write(tree, "src/good.rs", "x");
        symlink(KEY, tree.join("link")).unwrap();
    });
    let mut findings = undone(&collected);
    findings.sort();
    assert_eq!(
        findings,
        [
            "***: a key or login of this installation stands in its name",
            "link: a key or login of this installation stands in it",
            "raw.bin: a key or login of this installation stands in it",
            "src/main.rs: a key or login of this installation stands in it",
        ]
    );
    let changed = bench.hub_git(&["diff", "--name-only", head.as_str(), collected.head.as_str()]);
    assert_eq!(changed, "src/good.rs");
    let reviewed = bench.run(2, Role::Reviewer, &collected.head, |tree| {
        write(tree, "docs/work-items/ORCH-007/12-review.md", format!("---\nverdict: APPROVED\n---\n{KEY}\n"));
    });
    assert_eq!((reviewed.outside.len(), &reviewed.head), (1, &collected.head));
}

/// Proves that the old verdict is not there for the next run of its role, that writing the same bytes again counts as
/// written, and that not writing it deletes nothing.
#[test]
fn git_tells_a_verdict_written_again_from_an_old_one() {
    let bench = Bench::new();
    let (head, _) = bench.cut();
    let review = "docs/work-items/ORCH-007/12-review.md";
    let first = bench.run(1, Role::Reviewer, &head, |tree| write(tree, review, "same\n"));
    let fresh = |collected: &orch_core::call::git::Collected| {
        collected.artefacts.iter().find(|a| a.name == "12-review.md").map(|a| a.fresh)
    };
    assert_eq!(fresh(&first), Some(true));
    let tree = bench.tree(2, &first.head, &[review], None);
    assert!(!tree.folder.join(review).exists());
    let idle = bench.collect(2, Role::Reviewer, &first.head);
    assert_eq!((fresh(&idle), &idle.head, idle.outside.len()), (Some(false), &first.head, 0));
    let tree = bench.tree(3, &first.head, &[review], None);
    write(&tree.folder, review, "same\n");
    let again = bench.collect(3, Role::Reviewer, &first.head);
    assert_eq!((fresh(&again), &again.head), (Some(true), &first.head));
    // What was undone does not make the old verdict the run's own.
    let tree = bench.tree(4, &first.head, &[review], None);
    write(&tree.folder, review, vec![b'x'; (1 << 20) + 1]);
    let undone = bench.collect(4, Role::Reviewer, &first.head);
    assert_eq!((fresh(&undone), undone.outside.len()), (Some(false), 1));
}

/// Proves decision 32: what an agent plants in its tree is not run by the host and not kept.
#[test]
fn git_runs_nothing_that_an_agent_planted() {
    let bench = Bench::new();
    add_submodule(&bench, "vendored");
    person(&bench.origin, &["commit", "-q", "-m", "a submodule"]);
    let (head, _) = bench.cut();
    let proof = bench.folder.path().join("it-ran");
    let evil = bench.folder.path().join("evil.sh");
    crate::bench::program(&evil, &format!("#!/bin/sh\ntouch '{}'\ncat\n", proof.display()));
    let command = evil.to_str().unwrap();
    let collected = bench.run(1, Role::Developer, &head, |tree| {
        for (name, value) in [
            ("core.fsmonitor", command),
            ("filter.evil.clean", command),
            ("filter.evil.smudge", command),
            ("diff.evil.textconv", command),
            ("core.hooksPath", bench.folder.path().to_str().unwrap()),
        ] {
            person(tree, &["config", name, value]);
        }
        write(tree, ".git/hooks/pre-commit", fs::read(&evil).unwrap());
        fs::set_permissions(tree.join(".git/hooks/pre-commit"), fs::Permissions::from_mode(0o755)).unwrap();
        write(tree, ".gitattributes", "*.rs filter=evil diff=evil\n");
        write(tree, "src/main.rs", "fn main() { 1; }\n");
        // A repository in the submodule's place, and another one, each with a command in its configuration.
        for folder in ["vendored", "nested"] {
            let folder = tree.join(folder);
            fs::create_dir_all(&folder).unwrap();
            person(&folder, &["init", "-q"]);
            person(&folder, &["commit", "-q", "--allow-empty", "-m", "mine"]);
            person(&folder, &["config", "core.fsmonitor", command]);
        }
        write(tree, "vendored/x", "x");
    });
    assert!(!proof.exists());
    let findings = undone(&collected).join("\n");
    assert!(findings.contains("nested: a repository inside the tree"), "{findings}");
    let changed = bench.hub_git(&["diff", "--name-only", head.as_str(), collected.head.as_str()]);
    assert_eq!(changed, ".gitattributes\nsrc/main.rs");
    bench.reply(&GitCall::DropTree { run: run(1) });
    let next = bench.tree(2, &head, &[], None);
    assert!(next.kind == TreeKind::Recycled && !proof.exists() && !next.folder.join("nested").exists());
    bench.reply(&GitCall::DropTree { run: run(2) });
    // Its attributes say how files are written: none of the files of before is taken over.
    let next = bench.tree(3, &collected.head, &[], None);
    assert!(next.kind == TreeKind::Plain && !proof.exists() && !next.folder.join("nested").exists());
    assert_eq!(fs::read_dir(next.folder.join("vendored")).unwrap().count(), 0);
    assert!(!next.folder.join(".git/hooks").exists());
}

/// Proves that links out of the tree, names of one spelling, huge files, pipes and strange names are findings, each
/// named, and that the rest of the run's work stays.
#[test]
fn git_names_what_cannot_be_kept() {
    use std::os::unix::ffi::OsStrExt as _;
    let bench = Bench::new();
    let (head, _) = bench.cut();
    let collected = bench.run(1, Role::Developer, &head, |tree| {
        write(tree, "good.txt", "good");
        symlink("/etc/passwd", tree.join("passwd")).unwrap();
        symlink("good.txt", tree.join("fine")).unwrap();
        write(tree, "SRC/main.rs", "x");
        write(tree, "Readme.md", "x");
        write(tree, "huge.bin", vec![0; (10 << 20) + 1]);
        fs::write(tree.join(std::ffi::OsStr::from_bytes(b"caf\xe9")), "x").unwrap();
        write(tree, "line\nbreak", "x");
        write(tree, "deep/.GIT/config", "x");
        // A folder of the repository becomes a link: its files are gone, what it leads to is not looked at.
        fs::remove_dir_all(tree.join("src")).unwrap();
        symlink("/etc", tree.join("src")).unwrap();
    });
    let mut findings = undone(&collected);
    findings.sort();
    assert_eq!(
        findings,
        [
            "Readme.md: its name differs from `README.md` only in case or Unicode form",
            "caf\u{fffd}: its name is not UTF-8",
            "deep/.GIT/config: the name .git",
            "huge.bin: 10485761 bytes, more than 10485760",
            "line?break: control characters in its name",
            "passwd: a link that leaves the tree",
            "src: a link that leaves the tree",
        ]
    );
    let changed =
        bench.hub_git(&["diff", "--name-status", "--no-renames", head.as_str(), collected.head.as_str()]);
    assert_eq!(changed, "A\tSRC/main.rs\nA\tfine\nA\tgood.txt\nD\tsrc/lib.rs\nD\tsrc/main.rs");
}

/// Proves decision 8's third rule: a change to a protected path is kept and named with the digest of its diff.
#[test]
fn git_names_protected_changes() {
    let bench = Bench::new();
    let (head, _) = bench.cut();
    let collected = bench.run(1, Role::Developer, &head, |tree| write(tree, ".ci/run", "exit 0\n"));
    let first = collected.protected.unwrap();
    assert_eq!(first.paths, [".ci/run"]);
    let again = bench.run(2, Role::Developer, &collected.head, |tree| write(tree, "src/a.rs", "a"));
    assert_eq!(again.protected.as_ref(), Some(&first));
    let other = bench.run(3, Role::Developer, &again.head, |tree| write(tree, ".ci/run", "exit 1\n"));
    assert_ne!(other.protected.unwrap().diff, first.diff);
}

/// Proves decision 45: whoever pushed to the task branch meanwhile loses nothing, and the run's commit is kept aside.
#[test]
fn git_overwrites_no_push_of_somebody_else() {
    let bench = Bench::new();
    let (head, base) = bench.cut();
    let tree = bench.tree(1, &head, &[], None);
    write(&tree.folder, "src/x.rs", "x");
    bench.hub_git(&["update-ref", &format!("refs/heads/{BRANCH}"), base.as_str()]);
    let moved = GitReply::BranchMoved { head: base.clone() };
    assert_eq!(bench.reply(&collect_call(1, Role::Developer, &head)), moved);
    assert_eq!(bench.reply(&collect_call(1, Role::Developer, &head)), moved);
    assert_eq!(bench.hub_git(&["rev-parse", BRANCH]), base.as_str());
    assert_ne!(bench.hub_git(&["rev-parse", "refs/orch/runs/r1.1"]), head.as_str());
    assert_eq!(bench.candidate(&head), moved);
}

pub(crate) fn is_candidate(reply: GitReply) -> Candidate {
    match reply {
        GitReply::Candidate(candidate) => candidate,
        other => panic!("{other:?}"),
    }
}

/// Proves decisions 35 and 40: the candidate contains main, building it again gives the same commit, and a clean update
/// keeps the change although main moved lines in the same file.
#[test]
fn git_builds_the_same_candidate_again() {
    let bench = Bench::new();
    let (head, base) = bench.cut();
    let text = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\nfifteen\n16\n";
    let collected = bench.run(1, Role::Developer, &head, |tree| {
        write(tree, "src/lib.rs", text);
        write(tree, "tests/a.rs", "not the change");
    });
    let alone = is_candidate(bench.candidate(&collected.head));
    assert_eq!((&alone.commit, &alone.main), (&collected.head, &base));
    let main = bench.main_gets("src/lib.rs", "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n15\n16\n");
    let first = is_candidate(bench.candidate(&collected.head));
    assert_eq!(first.main, main);
    assert_eq!(first.change, collected.change);
    assert_eq!(is_candidate(bench.candidate(&collected.head)), first);
    let parents = bench.hub_git(&["show", "-s", "--format=%P", first.commit.as_str()]);
    assert_eq!(parents, format!("{main} {}", collected.head), "main first: main's own line goes on");
    // Main moves between two performances: the newer one counts.
    bench.main_gets("other.txt", "x");
    let second = is_candidate(bench.candidate(&collected.head));
    assert_ne!(second.commit, first.commit);
    assert_eq!(second.change, collected.change);
    assert_eq!(bench.hub_git(&["rev-parse", BRANCH]), second.commit.as_str());
    // The next update starts from there.
    bench.main_gets("third.txt", "x");
    let third = is_candidate(bench.candidate(&second.commit));
    assert_eq!(third.change, collected.change);
}

/// The loose objects of the hub.
fn objects(bench: &Bench) -> BTreeSet<PathBuf> {
    let folders = fs::read_dir(bench.hub.bare().join("objects")).unwrap().map(|entry| entry.unwrap().path());
    let folders = folders.filter(|folder| folder.file_name().is_some_and(|name| name.len() == 2));
    folders.flat_map(|folder| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path())).collect()
}

/// Proves that whichever object a disk loses, the candidate is the one that it would have been, or there is none and git's
/// words say why: never a conflict, never other content; and that it is built when the object is there again.
#[test]
fn git_builds_nothing_where_an_object_is_missing() {
    let bench = Bench::new();
    let (head, _) = bench.cut();
    let head = bench.run(1, Role::Developer, &head, |tree| write(tree, "src/lib.rs", "mine\n")).head;
    bench.main_gets("README.md", "theirs\n");
    bench.hub.fetch_main().unwrap();
    let before = objects(&bench);
    let build = GitCall::BuildCandidate {
        branch: BRANCH.to_owned(),
        head: head.clone(),
        task: ITEM.into(),
        item: ITEM.into(),
        tests: Vec::new(),
    };
    // Nothing of the build before is there to help.
    let afresh = || {
        bench.hub_git(&["update-ref", &format!("refs/heads/{BRANCH}"), head.as_str()]);
        bench.hub_git(&["update-ref", "-d", &format!("refs/orch/candidates/{ITEM}")]);
        objects(&bench).difference(&before).for_each(|made| fs::remove_file(made).unwrap());
    };
    let sound = is_candidate(bench.reply(&build));
    let mut refused = 0;
    for lost in &before {
        afresh();
        let aside = lost.with_extension("lost");
        fs::rename(lost, &aside).unwrap();
        match bench.perform(&build) {
            Ok(answer) => assert_eq!(is_candidate(answer.reply), sound, "without {}", lost.display()),
            Err(failure) => {
                refused += 1;
                assert!(!failure.cause.to_string().is_empty(), "without {}", lost.display());
            }
        }
        fs::rename(&aside, lost).unwrap();
    }
    assert!(refused > before.len() / 2, "{refused} of {}", before.len());
    afresh();
    assert_eq!(is_candidate(bench.reply(&build)), sound);
}

/// Proves decision 19's proof, and that a commit nobody knows is "unknown", never "no".
#[test]
fn git_proves_a_merge_from_fresh_main() {
    let bench = Bench::new();
    let (head, _) = bench.cut();
    let prove =
        |commit: &Commit| match bench.perform(&GitCall::Prove { commit: commit.clone(), deployed: None }) {
            Ok(answer) => match answer.reply {
                GitReply::Proof(proof) => Ok(proof),
                other => panic!("{other:?}"),
            },
            Err(failure) => Err(failure.kind),
        };
    assert!(!prove(&head).unwrap().ancestor);
    let main = bench.main_gets("x", "x");
    let proof = prove(&main).unwrap();
    assert_eq!((proof.ancestor, &proof.main), (true, &main));
    assert_eq!(proof.tree.as_str(), person(&bench.origin, &["rev-parse", "HEAD^{tree}"]));
    let nobody = Commit::from("0123456789012345678901234567890123456789");
    assert_eq!(prove(&nobody).unwrap_err(), orch_core::call::FailureKind::Unknown);
}

/// Proves decision 41: a new round's branch carries the requirements of the earlier one, and not its verdicts.
#[test]
fn git_carries_requirements_into_the_next_round() {
    let bench = Bench::new();
    let (head, _) = bench.cut();
    let item = "docs/work-items/ORCH-007";
    let analysed = bench.run(1, Role::Analyst, &head, |tree| {
        write(tree, &format!("{item}/01-brd.md"), "why");
        write(tree, &format!("{item}/06-adr/ADR-001-x.md"), "how");
        write(tree, &format!("{item}/12-review.md"), "not mine to write");
    });
    let GitCall::CutBranch { task, item: work_item, title, text, .. } = cut_call("ORCH-007", "x") else {
        unreachable!()
    };
    let branch = format!("{BRANCH}-r2");
    let carry = Some(analysed.head.clone());
    let call = GitCall::CutBranch { branch, task, item: work_item, title, text, carry };
    let GitReply::BranchCut { head: next, base, .. } = bench.reply(&call) else { panic!() };
    let names = bench.hub_git(&["diff", "--name-only", base.as_str(), next.as_str()]);
    let names: Vec<&str> = names.lines().map(|name| &name[item.len() + 1..]).collect();
    assert_eq!(names, ["00-business-request.md", "01-brd.md", "06-adr/ADR-001-x.md"]);
}

/// Proves that a file that git itself refuses is a finding and does not cost the run its other files.
#[test]
fn git_names_a_file_that_git_refuses() {
    let bench = Bench::new();
    let (head, _) = bench.cut();
    let collected = bench.run(1, Role::Developer, &head, |tree| {
        write(tree, ".gitattributes", "bad.txt working-tree-encoding=UTF-16\n");
        write(tree, "bad.txt", "no byte order mark");
        for n in 0..9 {
            write(tree, &format!("good{n}.txt"), "good");
        }
    });
    assert_eq!(collected.outside.len(), 1, "{:?}", collected.outside);
    assert!(undone(&collected)[0].starts_with("bad.txt: git does not take it: "), "{:?}", collected.outside);
    let changed = bench.hub_git(&["diff", "--name-only", head.as_str(), collected.head.as_str()]);
    assert_eq!(changed.lines().count(), 10, "{changed}");
}

/// Proves that a lock that a crash left stops nothing once it is old, and that a young one is respected.
#[test]
fn git_gets_past_a_lock_that_a_crash_left() {
    let bench = Bench::new();
    let (head, _) = bench.cut();
    let tree = bench.tree(1, &head, &[], None);
    write(&tree.folder, "a", "a");
    let lock = bench.hub.bare().join(format!("refs/heads/{BRANCH}.lock"));
    fs::write(&lock, "").unwrap();
    let call = collect_call(1, Role::Developer, &head);
    let kind = || bench.perform(&call).unwrap_err().kind;
    assert_eq!(kind(), FailureKind::Transient);
    assert!(lock.exists());
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
    fs::File::options().write(true).open(&lock).unwrap().set_modified(old).unwrap();
    assert_eq!(undone(&bench.collect(1, Role::Developer, &head)), [""; 0]);
}

/// Proves "Bad input": a tree that is full of rubbish, or set up to stop whoever reads it, becomes a finding.
#[test]
fn git_survives_a_hostile_tree() {
    let bench = Bench::new();
    let (head, _) = bench.cut();
    let collected = bench.run(1, Role::Developer, &head, |tree| {
        for name in ["sub/.gitignore", "sub/.gitattributes", "nested/.git/HEAD"] {
            let pipe = tree.join(name);
            fs::create_dir_all(pipe.parent().unwrap()).unwrap();
            assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        }
        write(tree, "sub/good.txt", "good");
    });
    assert_eq!(undone(&collected), [""; 0]);
    let changed = bench.hub_git(&["diff", "--name-only", head.as_str(), collected.head.as_str()]);
    assert_eq!(changed, "sub/good.txt");
    let flooded = bench.run(2, Role::Developer, &collected.head, |tree| {
        fs::create_dir(tree.join("flood")).unwrap();
        for n in 0..=20_000 {
            fs::write(tree.join(format!("flood/{n}")), "").unwrap();
        }
    });
    assert_eq!(undone(&flooded), ["*: more than 20000 files were written: nothing was kept"]);
    assert_eq!(flooded.head, collected.head);
}

/// Proves that a folder which a run closed costs nobody its work: what lies in it counts like all else, and a pipe in it keeps
/// nobody waiting. Not as root, whom nothing is closed to.
#[test]
fn git_collects_past_a_closed_folder() {
    as_nobody(|| {
        let bench = Bench::new();
        let (head, _) = bench.cut();
        let collected = bench.run(1, Role::Developer, &head, |tree| {
            write(tree, "src/new.rs", "x");
            for folder in ["target/locked", "src/shut"] {
                write(tree, &format!("{folder}/left.txt"), "left");
                let pipe = tree.join(folder).join(".gitignore");
                assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
            }
            let close = |path, mode| {
                fs::set_permissions(tree.join(path), fs::Permissions::from_mode(mode)).unwrap();
            };
            close("target/locked", 0o000);
            close("src/shut", 0o500);
            // What is in main lies in a closed folder too.
            close("src", 0o000);
        });
        assert_eq!(undone(&collected), [""; 0]);
        let changed = bench.hub_git(&["diff", "--name-status", head.as_str(), collected.head.as_str()]);
        assert_eq!(changed, "A\tsrc/new.rs\nA\tsrc/shut/left.txt");
    });
}

/// Proves that a change whose diff is longer than anybody reads at once is a change like others: a large file that goes.
#[test]
fn git_collects_the_end_of_a_large_file() {
    let bench = Bench::new();
    bench.main_gets("model.bin", &"0".repeat(65 << 20));
    let (head, _) = bench.cut();
    let collected =
        bench.run(1, Role::Developer, &head, |tree| fs::remove_file(tree.join("model.bin")).unwrap());
    assert!(!collected.empty);
    let other = bench.run(2, Role::Developer, &collected.head, |tree| write(tree, "a", "a"));
    assert_ne!(other.change, collected.change);
}
