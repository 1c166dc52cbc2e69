//! How does a [`Note`] read as a comment? Facts come in, Markdown goes out; what the facts only name is looked up by whoever
//! performs the comment.

use super::Lang;
use super::comment::{self, Delivery, SentBack};
use super::markdown::Link;
use crate::artefact;
use crate::gate::GateId;
use crate::id::{Digest, WorkItem};
use crate::note::Note;
use crate::rework::Judge;

/// What a note needs beside itself.
#[derive(Clone, Copy)]
pub struct NoteFacts<'a> {
    /// The work item.
    pub item: &'a WorkItem,
    /// The text of a blob; `None` if it was erased (decision 39): the comment then does without it.
    pub text: &'a dyn Fn(&Digest) -> Option<String>,
    /// Where a file of the repository can be opened, by its path; `None`: it is named without a link.
    pub link: &'a dyn Fn(&str) -> Option<String>,
}

/// The comment that says it.
pub fn note(note: &Note, facts: &NoteFacts<'_>, lang: Lang) -> String {
    match note {
        Note::RequirementsReady { files, branch } => {
            comment::analyst_ready(facts.item, &facts.documents(files), branch, lang)
        }
        Note::Questions { text } => {
            let text = text.as_ref().and_then(|text| (facts.text)(&text.blob));
            let whole = facts.own_file(artefact::QUESTIONS);
            comment::questions_asked(facts.item, text.as_deref(), Some(&whole), lang)
        }
        Note::ByLabel { deploy, merges } => comment::by_label(*deploy, *merges, lang),
        Note::RunFinished { role, usage, wall, files } => {
            comment::agent_finished(*role, *usage, *wall, &facts.documents(files), lang)
        }
        Note::ProtectedTouched { paths } => comment::awaiting_protected(facts.item, paths, lang),
        Note::SentBack { from: _, to, judge, text, attempt, of } => {
            let findings = text.as_ref().and_then(|found| super::found(found, facts.text, lang));
            let whole = report_of(judge).map(|name| facts.own_file(name));
            let what = SentBack {
                to: *to,
                judge,
                attempt: judge.counts().then_some((*attempt, *of)),
                findings: findings.as_deref(),
                whole: whole.as_ref(),
            };
            comment::sent_back(what, lang)
        }
        Note::Escalated { why, stage } => comment::escalated(facts.item, *stage, why, lang),
        Note::AwaitingConfirmation { change, deploys, accepted } => {
            comment::awaiting_confirm(facts.item, change, (*deploys, *accepted), lang)
        }
        Note::Merged { commit } => comment::merged(commit, lang),
        Note::MergedOutside { commit } => comment::merged_outside(facts.item, commit, lang),
        Note::Withdrawn { what } => comment::withdrawn(facts.item, *what, lang),
        Note::RunOverTokens { role, tokens, limit } => {
            comment::run_over_tokens(facts.item, *role, *tokens, *limit, lang)
        }
        Note::DeployFailed { cause, commit } => comment::deploy_failed(cause, commit, lang),
        Note::DeployUnseen { commit } => comment::deploy_unseen(facts.item, commit, lang),
        Note::WentBad { cause, commit } => comment::went_bad(facts.item, cause, commit, lang),
        Note::WentSilent { cause, commit } => comment::went_silent(facts.item, cause, commit, lang),
        Note::DeployUntold { cause, commit } => comment::deploy_untold(facts.item, cause, commit, lang),
        Note::Done { commit, deployed, roles, agents, people, wall } => {
            let (agents, people, wall) = (*agents, *people, *wall);
            comment::done(Delivery { commit, deployed: *deployed, roles, agents, people, wall }, lang)
        }
        Note::StopDeferred => comment::stop_deferred(lang),
        Note::Stopped { stays, frozen } => comment::stopped(facts.item, stays.as_ref(), *frozen, lang),
        Note::Unavailable { gate, cause } => comment::unavailable(*gate, cause, lang),
    }
}

impl NoteFacts<'_> {
    /// Files by their paths in the repository, called by their names in the work item's folder.
    fn documents(&self, paths: &[String]) -> Vec<Link> {
        let folder = format!("{}/", artefact::folder(self.item));
        let called = |path: &String| path.strip_prefix(&folder).unwrap_or(path).to_owned();
        paths.iter().map(|path| Link::new(called(path), (self.link)(path).unwrap_or_default())).collect()
    }

    /// A numbered file, called by its whole path so that it is found without a link too.
    fn own_file(&self, name: &str) -> Link {
        let path = format!("{}/{name}", artefact::folder(self.item));
        let url = (self.link)(&path).unwrap_or_default();
        Link::new(path, url)
    }
}

/// The file in which a judge wrote all of it.
fn report_of(judge: &Judge) -> Option<&'static str> {
    match judge {
        Judge::Gate(GateId::CheckReviewerVerdict) => Some(artefact::REVIEW),
        Judge::Gate(GateId::CheckTestsPassed) => Some(artefact::TEST_REPORT),
        Judge::Gate(
            GateId::CheckAnalysisApproved
            | GateId::CheckAnalysisComplete
            | GateId::CheckArchitectureDone
            | GateId::CheckCiGreen
            | GateId::CheckReviewApproved
            | GateId::CheckTestsLocal
            | GateId::CheckDeployStatus
            | GateId::CheckStagingStatus
            | GateId::CheckBranchMergeable
            | GateId::CheckStagingImageFresh
            | GateId::CheckSecurityGate,
        )
        | Judge::Person(_)
        | Judge::Main
        | Judge::Host => None,
    }
}
