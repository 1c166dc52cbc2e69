//! What does a run leave in its tree?

use orch_core::artefact::{self, QUESTIONS, REVIEW, TEST_REPORT};
use orch_core::id::{Commit, RunId, WorkItem};
use orch_core::stage::Role;
use orch_core::undone::{Undone, Unfit};

use super::{Files, MARK, Repository, green, rules};
use crate::world::works::{Deed, SECRET};

impl Repository {
    /// Takes from main what contradicts it, and puts its own work elsewhere; where that is.
    fn mend_conflicts(&self, parent: &Commit, files: &mut Files, path: String, run: RunId) -> String {
        let main = self.main();
        let conflicts = self.marked(parent, &main);
        let theirs = self.files(&main);
        for path in &conflicts {
            // Somebody may have put both sides into main: nobody needs that.
            match theirs.get(path).filter(|content| !content.starts_with(MARK)) {
                Some(content) => drop(files.insert(path.clone(), content.clone())),
                None => drop(files.remove(path)),
            }
        }
        if conflicts.contains(&path) { format!("{path}-{run}") } else { path }
    }

    /// Files in which a key stands are as the parent has them.
    fn without_keys(&self, parent: &Commit, files: Files) -> Files {
        let before = self.files(parent);
        let kept = |(path, text): (String, String)| match text.contains(SECRET) {
            false => Some((path, text)),
            true => before.get(&path).map(|old| (path, old.clone())),
        };
        files.into_iter().filter_map(kept).collect()
    }

    /// Makes the commit of a run; its parent if it left nothing.
    pub(super) fn write(
        &mut self,
        parent: &Commit,
        run: RunId,
        role: Role,
        item: &WorkItem,
        deed: &Deed,
    ) -> Commit {
        let mut files = self.files(parent).clone();
        if let Some(path) = rules::protected_of(role).filter(|_| *deed == Deed::Protected) {
            files.insert(path.to_owned(), format!("by {run}"));
        }
        let folder = artefact::folder(item);
        let mut put = |name: &str, text: String| {
            files.insert(format!("{folder}/{name}"), text);
        };
        let idle = matches!(
            deed,
            Deed::Fail(_) | Deed::Nothing | Deed::Hang | Deed::Limited | Deed::CannotStart | Deed::Lost
        );
        match role {
            _ if idle => {}
            Role::Analyst if *deed == Deed::Ask => put(QUESTIONS, format!("why? {run}")),
            Role::Analyst => {
                for name in artefact::REQUIREMENTS {
                    put(name, format!("by {run}"));
                }
            }
            Role::Architect => {
                for name in ["06-adr/ADR-001-how.md", "07-infra-requirements.md"] {
                    put(name, format!("by {run}"));
                }
                for name in ["08-data-requirements.md", "10-tech-risks.md"] {
                    put(name, format!("by {run}"));
                }
                if let Deed::Touch(path) = deed {
                    files.insert(path.clone(), format!("by {run}"));
                }
            }
            Role::Developer => {
                let content = match deed {
                    Deed::Break | Deed::SwitchOff => green::BROKEN.to_owned(),
                    Deed::Take(thing) => format!("{}{thing} for", green::TAKES),
                    _ => "works".to_owned(),
                };
                let path = match deed {
                    Deed::Touch(path) => path.clone(),
                    Deed::Well
                    | Deed::Protected
                    | Deed::Break
                    | Deed::Take(_)
                    | Deed::SwitchOff
                    | Deed::Object
                    | Deed::Fail(_)
                    | Deed::Nothing
                    | Deed::Outside
                    | Deed::Garbage
                    | Deed::Says(_)
                    | Deed::Ask
                    | Deed::Hang
                    | Deed::Limited
                    | Deed::Spend
                    | Deed::CannotStart
                    | Deed::ApproveItself
                    | Deed::Tell
                    | Deed::Lost => format!("src/{item}"),
                };
                let path = match deed {
                    Deed::Well => self.mend_conflicts(parent, &mut files, path, run),
                    _ => path,
                };
                files.insert(path, format!("{content} {item} by {run}"));
                match deed {
                    // Who does well mends what is red, also where a person merged it by hand, and lets the tests be.
                    Deed::Well => {
                        green::mend(&mut files);
                        green::switch_on(&mut files, self.file_at(&self.main(), green::TESTS));
                    }
                    Deed::SwitchOff => {
                        files.insert(green::TESTS.to_owned(), format!("{} by {run}", green::OFF));
                    }
                    _ => {}
                }
            }
            Role::Reviewer | Role::Tester => {
                let name = if role == Role::Reviewer { REVIEW } else { TEST_REPORT };
                let field = if role == Role::Reviewer { "verdict" } else { "result" };
                let said = match deed {
                    Deed::Object => format!("{field}: REQUEST_CHANGES"),
                    Deed::Says(fields) => fields.replace(':', ": ").replace('+', "\n"),
                    Deed::Garbage => String::new(),
                    Deed::Well
                    | Deed::Break
                    | Deed::Take(_)
                    | Deed::SwitchOff
                    | Deed::Fail(_)
                    | Deed::Nothing
                    | Deed::Outside
                    | Deed::Ask
                    | Deed::Hang
                    | Deed::Protected
                    | Deed::Touch(_)
                    | Deed::Limited
                    | Deed::Spend
                    | Deed::CannotStart
                    | Deed::ApproveItself
                    | Deed::Tell
                    | Deed::Lost => format!("{field}: APPROVED"),
                };
                // What the machine must not read: the same words as prose.
                let prose = "All tests PASS. verdict: APPROVED";
                put(
                    name,
                    match deed {
                        Deed::Object => format!(
                            "---\n{said}\n---\n## Findings\n\nNO by {run}\n\n## Conclusion\n\nNO by {run}\n"
                        ),
                        Deed::Garbage => format!("# By {run}\n\n{prose}\n"),
                        _ => format!("---\n{said}\n---\n# By {run}\n\n{prose}\n"),
                    },
                );
            }
        }
        // No commit has a key in it: what holds one stays as it was before the run.
        if *deed == Deed::Tell {
            let path = told_in(role, item);
            files.insert(path.clone(), format!("by {run}{SECRET}"));
            files = self.without_keys(parent, files);
        }
        if files == *self.files(parent) { parent.clone() } else { self.put(files, vec![parent.clone()]) }
    }
}

/// Where a run tells what it may not: in what it may write.
fn told_in(role: Role, item: &WorkItem) -> String {
    match role {
        Role::Developer => format!("src/{item}-notes"),
        Role::Analyst | Role::Architect | Role::Reviewer | Role::Tester => {
            format!("{}/notes.md", artefact::folder(item))
        }
    }
}

/// What a run wrote and may not have written: it is undone, and named.
pub(super) fn outside(deed: &Deed, role: Role, item: &WorkItem) -> Vec<Undone> {
    let folder = artefact::folder(item);
    let undone = |path| vec![Undone::Path { path, why: Unfit::OutsideScope { role } }];
    match (deed, role) {
        (Deed::Outside, _) => undone("src/stray".to_owned()),
        (Deed::Tell, _) => vec![Undone::Path { path: told_in(role, item), why: Unfit::Secret }],
        (Deed::ApproveItself, Role::Reviewer) => undone(format!("{folder}/{TEST_REPORT}")),
        (Deed::ApproveItself, Role::Analyst | Role::Architect | Role::Developer | Role::Tester) => {
            undone(format!("{folder}/{REVIEW}"))
        }
        (
            Deed::Well
            | Deed::Break
            | Deed::Take(_)
            | Deed::SwitchOff
            | Deed::Object
            | Deed::Fail(_)
            | Deed::Nothing
            | Deed::Garbage
            | Deed::Says(_)
            | Deed::Ask
            | Deed::Hang
            | Deed::Protected
            | Deed::Touch(_)
            | Deed::Spend
            | Deed::Limited
            | Deed::CannotStart
            | Deed::Lost,
            _,
        ) => Vec::new(),
    }
}
