//! What contradicts main, and what becomes of it? (decisions 15, 65)

use std::fs;

use orch_core::call::GitReply;
use orch_core::id::Commit;
use orch_core::stage::Role;

use crate::bench::{BRANCH, Bench, ITEM, write};
use crate::git_calls::is_candidate;

/// Proves decision 15: a contradiction with main names the files and gives both sides to whoever goes on. Resolved, it is a
/// candidate with main in it; with marks left it stays a contradiction.
#[test]
fn git_lets_a_conflict_be_resolved() {
    let bench = Bench::new();
    let (head, _) = bench.cut();
    let collected = bench.run(1, Role::Developer, &head, |tree| write(tree, "README.md", "mine\n"));
    let main = bench.main_gets("README.md", "theirs\n");
    bench.main_gets("other.txt", "x");
    let conflict = |head: &Commit| match bench.candidate(head) {
        GitReply::Conflict { paths, head: Some(head) } => {
            assert_eq!(paths, ["README.md"]);
            head
        }
        other => panic!("{other:?}"),
    };
    let both = conflict(&collected.head);
    assert_eq!(conflict(&collected.head), both, "again, after a crash");
    assert_eq!(bench.hub_git(&["rev-parse", BRANCH]), both.as_str());
    let text = bench.hub_git(&["show", &format!("{both}:README.md")]);
    assert!(text.contains("mine") && text.contains("theirs"), "{text}");
    let half = bench.run(2, Role::Developer, &both, |tree| write(tree, "src/lib.rs", "marks left\n"));
    assert_eq!(conflict(&half.head), half.head);
    let whole =
        bench.run(3, Role::Developer, &half.head, |tree| write(tree, "README.md", "mine and theirs\n"));
    let candidate = is_candidate(bench.candidate(&whole.head));
    assert_eq!(candidate.commit, whole.head);
    bench.hub_git(&["merge-base", "--is-ancestor", main.as_str(), whole.head.as_str()]);
}

/// Proves that the marks of a conflict that somebody puts into main as they are hold nothing back, and that one of two is not
/// enough (decision 65).
#[test]
fn git_counts_marks_that_main_has_not() {
    let bench = Bench::new();
    let lines = |by: &str| format!("{by}\n{}{by}\n", "between\n".repeat(20));
    bench.main_gets("README.md", &lines("before"));
    let (head, _) = bench.cut();
    let work = bench.run(1, Role::Developer, &head, |tree| write(tree, "README.md", lines("mine")));
    bench.main_gets("README.md", &lines("theirs"));
    let GitReply::Conflict { head: Some(both), .. } = bench.candidate(&work.head) else {
        panic!("no conflict")
    };
    let text = format!("{}\n", bench.hub_git(&["show", &format!("{both}:README.md")]));
    assert_eq!(text.matches("<<<<<<< ").count(), 2, "{text}");
    let later = bench.run(2, Role::Developer, &both, |tree| write(tree, "src/lib.rs", "beside\n"));
    let first_mended = text.get(text.find("between").unwrap()..).unwrap();
    bench.main_gets("README.md", &format!("theirs\n{first_mended}"));
    assert!(matches!(bench.candidate(&later.head), GitReply::Conflict { .. }), "main has one of two");
    bench.main_gets("README.md", &text);
    is_candidate(bench.candidate(&later.head));
}

/// Proves decision 65 of the documents of a work item: however many of them contradict main, what contradicts beside them is
/// told; and what was moved among them from elsewhere swallows no change of main.
#[test]
fn git_merges_beside_the_documents_of_an_item() {
    let bench = Bench::new();
    let document = |n: usize| format!("docs/work-items/{ITEM}/06-adr/ADR-{n:03}.md");
    let source = fs::read_to_string(bench.origin.join("src/lib.rs")).unwrap();
    let (head, _) = bench.cut();
    let drawn = bench.run(1, Role::Architect, &head, |tree| {
        (0..60).for_each(|n| write(tree, &document(n), "by the architect\n"));
        write(tree, &document(99), &source);
    });
    let work = bench.run(2, Role::Developer, &drawn.head, |tree| {
        fs::remove_file(tree.join("src/lib.rs")).unwrap();
        write(tree, "src/main.rs", "mine\n");
    });
    (0..60).for_each(|n| write(&bench.origin, &document(n), "by hand\n"));
    write(&bench.origin, "src/lib.rs", source.replace("16\n", "sixteen\n"));
    bench.main_gets("src/main.rs", "theirs\n");
    let GitReply::Conflict { mut paths, head: Some(both) } = bench.candidate(&work.head) else {
        panic!("none")
    };
    paths.sort();
    assert_eq!(paths, ["src/lib.rs", "src/main.rs"]);
    let show = |path: &str| bench.hub_git(&["show", &format!("{both}:{path}")]);
    assert_eq!(
        (show(&document(0)), show(&document(99))),
        ("by the architect".to_owned(), source.trim_end().to_owned())
    );
}
