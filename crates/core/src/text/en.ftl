### Every sentence that a person reads. Keys and arguments are the same in both languages; a test compares them.

## Stages, roles, gates

stage-created = To Analyse
stage-analysis = Analysis
stage-architecture = Architecture
stage-development = Development
stage-review = Code Review
stage-testing = Testing
stage-deploy-staging = Deploying (staging)
stage-deploy = Deploying
stage-done = Done
stage-cancelled = Cancelled

role-analyst = analyst
role-architect = architect
role-developer = developer
role-reviewer = reviewer
role-tester = tester

gate-check_analysis_approved = approval of the requirements
gate-check_analysis_complete = files of the analysis
gate-check_architecture_done = files of the architecture
gate-check_ci_green = tests of the project
gate-check_review_approved = review on the forge
gate-check_tests_passed = verdict of the tester
gate-check_reviewer_verdict = verdict of the reviewer
gate-check_tests_local = tests run by Orch
gate-check_deploy_status = deploy
gate-check_staging_status = staging suite
gate-check_branch_mergeable = merge with main
gate-check_staging_image_fresh = staging image
gate-check_security_gate = secrets and dependencies

judge-gate = { $label } ({ $gate })
judge-main = main
judge-host = Orch
person-board = somebody on the board
person-api = somebody through the API
person-demo = the demo

## Why something happened

reason-known = The issue is known from now on.
reason-request-edited = The title or the text of the request changed.
reason-gesture-taken = { $press ->
    [start] Started { $who }.
    [approve] Approved { $who }.
    [reject] Rejected { $who }.
    [confirm] Confirmed { $who }.
    [stop] A stop was asked for { $who }.
    [retry] Another try was asked for { $who }.
    [continue] Continued { $who }.
    [accept] Accepted { $who }.
    [allow] One more run was allowed { $who }.
    [priority] The priority was changed { $who }.
   *[other] Asked for { $who }: { $press }.
}
gesture-who-person = by { $by }
gesture-who-board = on the board
gesture-who-api = through the API
gesture-who-demo = by the demo
reason-gesture-without-effect = “{ $press }” has no effect. { $why }
reason-advanced = From { $from } to { $to }.
reason-sent-back = Back from { $from } to { $to }, attempt { $attempt }/{ $of }. Sent back by: { $judge }.
reason-sent-back-here = { $to } begins again, attempt { $attempt }/{ $of }. Sent back by: { $judge }.
reason-sent-back-free = Back to { $to }. Sent back by: { $judge }. This does not count as an attempt.
reason-sent-back-last = { $from }: turned down for the last time, attempt { $attempt }/{ $of }. Turned down by: { $judge }.
reason-repeated = The { $role } runs again: { $cause }.
reason-gate-passed = Passed: { $gate }.
reason-gate-failed = Failed: { $gate }.
reason-gate-unavailable = Could not judge: { $gate }.
reason-evidence-stands = Judged already on exactly this content: { $gate }.
reason-evidence-lapsed = No longer counts, because what it judged has changed: { $gate }.
reason-not-configured = Not part of this project: { $gate }.
reason-turn-taken = Its turn has come.
reason-gave-way = It gave the merge lane back: the repair that lifts the freeze waits for it.
reason-run-began = Run { $run } began.
reason-run-ended = Run { $run } ended.
reason-later = Next try at { $due }: { $cause }.
reason-escalated = Stopped until a person acts. { $why }
reason-main-moved = main moved to { $commit } before the merge. The change is merged with it and tested again.
reason-merged = Merged: main is { $commit }.
reason-proven = Proven: what is in main is what was tested.
reason-healthy = The deployed service names the commit and is well.
reason-deploy-unseen = The deploy hook says that the commit is deployed; this project names no address at which Orch could ask the service.
reason-watch-began = Production is watched until about { $until }.
reason-watch-saw = A look at production was not good: { $cause }.
reason-stayed-well = Production stayed well.
reason-later-deploy-runs = A later deploy of this repository, { $commit }, came out well and has it.
reason-went-bad = Production went bad after a deploy that was well: { $cause }.
reason-went-silent = Nobody can tell how production is at the end of the watch: { $cause }.
reason-deploy-failed = The deploy failed after the merge: { $cause }.
reason-stop-deferred = The stop waits until the merge or deploy under way has ended.
reason-stopped = Stopped.
reason-frozen = Nothing merges in this repository. { $cause }
reason-thawed = Merging is possible again.
reason-policy-changed = The policy of the project changed.
reason-policy-refused = A new policy was refused. The last good one stays in force.
reason-provider-closed = The model provider refuses work for now.
reason-provider-open = The model provider works again.
reason-store-damaged = A check found Orch’s store damaged. Nothing is written any more.
reason-store-sound = A check found Orch’s store sound again.
reason-paused = Orch is paused.
reason-unpaused = Orch is no longer paused.
reason-unperformed = Orch could not carry out step { $effect }: { $cause }. The task does not wait for it.
reason-board-refused = The tracker refuses the column that Orch wants: { $cause }. The board is left as it is until it is read again.
reason-record-stands = { $file } stands on the branch orch/records.
reason-record-later = { $file } could not be pushed to orch/records: { $cause }. It is tried again; the task does not wait for it.
reason-record-refused = { $file } could not be pushed to orch/records: { $cause }. The task does not wait for it; retry pushes it again.
reason-merged-by-hand = The branch came into main by hand, or by a late merge of Orch, exactly as it had passed: main is { $commit }.
reason-merged-outside = Somebody merged the branch past the gates: main has it since { $commit }.
reason-withdrawn = { $what }.
reason-outside-over = What somebody had done to the branch outside of Orch is undone.
reason-run-over-tokens = The run was stopped after { $tokens } tokens; it might use { $limit }.
reason-project-retired = The project no longer stands in orch.toml. Nothing new of it begins.
reason-settings-changed = The edited orch.toml is in force.
reason-settings-refused = The edited orch.toml was refused. The last good one stays in force.
reason-noted = Noted; nothing to do.

ignored-stale-token = A result came too late: the task no longer waits for it.
ignored-terminal = The task is over.
ignored-echo = The tracker repeated what Orch itself had written.
ignored-unknown = Orch does not know what this is about.
ignored-not-for-this = This changes nothing here.

no-effect-terminal = The task is over.
no-effect-busy = The work is under way already.
no-effect-wrong-stage = It means nothing at the stage { $stage }.
no-effect-stale = Orch had not asked for it yet. Press it again now if you mean it.
no-effect-overtaken = Another column was pressed after it. The later one counts.
no-effect-other-thing = It was given for something that has changed since. Look at the new version first.
no-effect-again = It was said already.
no-effect-escalated = The task is stopped. Use orch retry, or move the issue to To Analyse.
no-effect-not-escalated = The task neither is stopped nor waits for another try, so there is nothing to retry.
no-effect-no-budget-hold = No budget is in its way now.
no-effect-wrong-entity = This cannot be done here.
no-effect-stopped = The task was stopped for good. Ask for the change again with `orch new`, or move the issue to To Analyse.
no-effect-same-priority = It has this priority already.
no-effect-not-frozen = Nothing is frozen there.
no-effect-not-paused = Orch is not paused.

why-rounds-spent = { $rounds ->
    [one] The only attempt was turned down.
   *[other] All { $rounds } attempts were turned down.
}
why-fruitless = { $times ->
    [one] The { $role } ended once without a usable result: { $cause }.
   *[other] The { $role } ended { $times } times without a usable result, the last time: { $cause }.
}
why-conflicts = { $times ->
    [one] The change did not fit main once.
   *[other] The change did not fit main { $times } times in a row.
}
why-request-empty = The description is empty. { $needs ->
    [one] It needs at least { $needs } character.
   *[other] It needs at least { $needs } characters.
}
why-request-too-short = { $has ->
    [one] The description has { $has } character, { $needs } are needed.
   *[other] The description has { $has } characters, { $needs } are needed.
}
why-outside = It cannot go on without a person: { $cause }.
why-no-tests = The project has no test command, so nothing can be merged. Set “test” in .orch/policy.toml.
why-no-hook = The project is to be deployed, but no deploy hook is set. Name one in orch.toml and start Orch again: a hook takes effect at the next start.
why-unproven = What is in main is not what was tested: { $cause }.
why-rollback-failed = The deploy failed, and so did its rollback. Look at production now.
why-machine = { $times ->
    [one] The machine could not start a run, or lost it: { $cause }.
   *[other] The machine could not start a run, or lost it, { $times } times in a row, the last time: { $cause }.
}
why-no-agent = No agent is set for the { $role }. Name one in orch.toml.

look-at-the-findings = Who turned it down, and why: `orch show { $item }`.
look-at-the-run = What its last run wrote: `orch logs { $item } --err` for its errors, `orch logs { $item }` for the rest.

delay-outage = Something outside does not work: { $cause }. Orch tries again by itself.
delay-checkout-dirty = Your checkout of { $branch } has changes: { $path }. Commit them or put them aside.
delay-not-yet = The deployed service does not name the new commit yet: { $cause }.
delay-watching = Production is watched after the deploy.
delay-provider = The model provider refuses work for now: { $cause }.

freeze-deploy-failed = A deploy failed after its merge.
freeze-deploy-untold = Nobody knows what a deploy came to.
freeze-went-bad = Production went bad after a deploy that was well.
freeze-unproven-merge = It is not proven that main holds what was tested.
freeze-main-rewritten = Somebody rewrote the history of main.
freeze-person = A person asked for it.

## What a task does or waits for

standing-working = { $item }: { $what }, since { $since } ({ $span }).
standing-held = { $item } { $what }, since { $since } ({ $span }): { $lift }.
standing-also = Also, it { $holds }.
standing-over = { $item } is over since { $since } ({ $span }); nothing more happens by itself.
standing-unknown = { $item } waits, and Orch cannot say for what. That is a fault of Orch: run `orch doctor` and report what it says.

working-agent = the { $role } works (run { $run })
working-tests = the tests of the change run (run { $run })
working-candidate-tests = the tests of the candidate run (run { $run })
working-hook = the deploy hook runs (run { $run })
working-cut-branch = Orch cuts the branch
working-launch = Orch starts { $job } (run { $run })
working-collect = Orch commits and reads what the { $role } left (run { $run })
working-open-change = Orch opens the change request
working-restore = Orch brings the branch and the change request back
working-candidate = Orch builds the candidate
working-merge = Orch merges
working-prove = Orch proves that main holds what was tested
working-probe = Orch asks the deployed service who it is
working-watch = Orch looks whether production is well after the deploy
working-reason = Orch looks for the reason that { $by } gave
working-something = Orch works on it

ask-cut-branch = cut the branch
ask-launch = start { $job }
ask-collect = commit and read what the { $role } left
ask-open-change = open the change request
ask-restore = bring the branch and the change request back
ask-candidate = build the candidate
ask-merge = merge
ask-prove = prove that main holds what was tested
ask-probe = ask the deployed service who it is
ask-watch = look whether production is well after the deploy
ask-reason = look for the reason that { $by } gave

job-agent = the { $role }
job-tests = the tests of the change
job-candidate-tests = the tests of the candidate
job-hook = the deploy hook

turn-start = the start
turn-agent = a run of the { $role }
turn-tests = a run of the tests
turn-lane = the merge lane
turn-merge = the merge

hold-since = { $what }, since { $since }: { $lift }
hold-paused = waits because { $by } paused Orch
hold-drained = waits because { $by } paused Orch for everything that has not begun
lift-paused = press Resume or run `orch resume`
hold-store-damaged = waits because a check found Orch’s store damaged: { $cause }
lift-store-damaged = stop Orch and restore a backup with `orch restore`
hold-disk-full = waits because the disk is full
lift-disk-full = free some space; it goes on by itself when { $free } is free where the data folder lies
hold-escalated = is stopped until a person acts
lift-escalated = { $why } To begin afresh at this stage, move the issue to To Analyse, press Retry, or run `orch retry { $item }`; to give it up, run `orch stop { $item }`
hold-not-asked = waits to be started
lift-not-asked = move the issue to To Analyse, press Start, or run `orch start { $item }`
hold-questions = waits for answers to the analyst’s questions
lift-questions = answer in a comment, for example with `orch comment { $item } "TEXT"`; then move the issue to To Analyse, press Answered, or run `orch start { $item }`
hold-approval = waits for your approval of the requirements
lift-approval = move the issue to Approved, press Approve, or run `orch approve { $item }`
hold-protected = waits for your approval of what it changes in protected files ({ $paths })
lift-protected = look at exactly these changes (`orch diff { $item }`), then move the issue to Approved, press Approve, or run `orch approve { $item }`
hold-confirm-deploy = waits for your word to deploy
lift-confirm-deploy = move the issue to Confirm Deploy, press Confirm, or run `orch confirm { $item }`; Approved does not deploy
hold-confirm-merge = waits for your word to merge
lift-confirm-merge = move the issue to Confirm Deploy, press Confirm, or run `orch confirm { $item }`; Approved does not merge
hold-request-changed = waits because the request changed, and its approval may be for what it was
lift-request-changed = press Continue or run `orch continue { $item }` to go on with what was approved; to have it analysed again, move the issue to To Analyse or run `orch start { $item }`
hold-issue-gone = waits because its issue is gone from the tracker
lift-issue-gone = bring the issue back and it goes on, or run `orch stop { $item }` to end it
withdrawn-branch = Somebody deleted the branch of this task
withdrawn-change-request = Somebody closed the change request of this task
hold-merged-outside = waits because somebody merged its branch past the gates (main has it since { $commit })
lift-merged-outside = look at what is in main; if it is right, press Accept or run `orch accept { $item }`; to give the task up, run `orch stop { $item }`
hold-withdrawn = waits ({ $what })
lift-withdrawn = press Continue or run `orch continue { $item }` to bring it back and go on; to give the task up, run `orch stop { $item }`
hold-run-budget = waits because its last run was stopped after { $tokens } tokens, the limit is { $limit }
lift-run-budget = press Allow one more run or run `orch allow { $item }`; that run has no such limit
hold-cannot-tell = waits because nobody can tell how the deploy ended ({ $cause })
lift-cannot-tell = look at production, then press Retry or run `orch retry { $item }`; Orch then asks the service again, or runs the deploy hook again if the service cannot be asked. If you saw that it is deployed and well, press Accept or run `orch accept { $item }`; if not, `orch reject { $item }` sends it back to the developer
hold-deploy-unseen = waits for somebody to look at the deploy: the hook says that { $commit } is deployed, and this project names no address at which Orch could ask
lift-deploy-unseen = look at production; if it is deployed and well, press Accept or run `orch accept { $item }`; if not, press Reject or run `orch reject { $item }`
hold-went-bad = waits because production went bad after its deploy ({ $cause })
lift-went-bad = look at production. To watch it again, press Retry or run `orch retry { $item }`. If it is well by what you saw, press Accept or run `orch accept { $item }`. If this change is at fault, press Reject or run `orch reject { $item }`: a new round mends it. To let other changes merge before that, press Unfreeze or run `orch unfreeze { $prefix }`
hold-went-silent = waits because nobody can tell how production is since its deploy ({ $cause })
lift-went-silent = look at production. To watch it again, press Retry or run `orch retry { $item }`. If it is well by what you saw, press Accept or run `orch accept { $item }`. If not, press Reject or run `orch reject { $item }`: a new round mends it
hold-watched = is out, and production is watched until about { $until } ({ $looks } of { $of } looks so far, { $bad ->
    [0] all good
   *[other] { $bad } not good
})
lift-watched = it is done by itself when production stays well; to end the watch now, look at production and run `orch accept { $item }` or, if something is wrong, `orch reject { $item }`
hold-frozen = waits because nothing merges in this repository now
lift-frozen = { $cause } A person lifts this: press Unfreeze or run `orch unfreeze { $prefix }`
lift-frozen-of = { $cause } It is about { $item }. Look at main, then press Unfreeze or run `orch unfreeze { $prefix }`
lift-frozen-by = { $cause } The merge that repairs { $item } lifts this; so does a person who presses Unfreeze or runs `orch unfreeze { $prefix }`
hold-provider = waits because { $provider } refuses work until { $until } ({ $cause })
lift-provider = it goes on by itself then
hold-task-budget = waits because its budget has no room for another run ({ $spent } of { $budget } spent)
lift-task-budget = press Allow one more run or run `orch allow { $item }`; raise `task_dollars` in .orch/policy.toml for more, or run `orch stop { $item }` to end it
hold-day-budget = waits because the budget of the day has no room for another run ({ $budget })
lift-day-budget = it goes on by itself tomorrow, or when a run under way has cost less than is kept for it; for one run now press Allow one more run or run `orch allow { $item }`; raise `day_dollars` in orch.toml for more
hold-serial = waits for { $item }, which is before it in this project
lift-serial = it goes on by itself when that one is over
hold-lane = waits because { $item } holds the merge lane
lift-lane = it goes on by itself when that one has given it back
lift-lane-rests = that one waits for a person, and `orch why { $item }` says for what; it goes on by itself after that
hold-lane-watched = waits because { $item } is out and production is watched for it until about { $until }
lift-lane-watched = it goes on by itself when that one is done; whoever has looked at production can end the watch with `orch accept { $item }`
hold-slot = waits for a free slot for { $turn }
lift-slot = it goes on by itself when another run ends
hold-turn = waits for its turn for { $turn }
lift-turn = it comes by itself in a moment
hold-stopping = waits until its run before is stopped
lift-stopping = the next one begins by itself after that
hold-retry-at = waits until { $due } and then tries again to { $ask }
hold-checkout-dirty = waits to merge because your checkout of { $branch } has changes ({ $path })
lift-checkout-dirty = commit them or put them aside; Orch tries again by itself at { $due }, and at once if you press Retry or run `orch retry { $item }`
lift-retry-at = { $cause } For a try now press Retry or run `orch retry { $item }`
hold-retired = waits because its project no longer stands in orch.toml
lift-retired = put the project into orch.toml again, or run `orch stop { $item }`
hold-settings-refused = goes on under the last good orch.toml because the edited one was refused
lift-settings-refused = correct orch.toml ({ $cause })
hold-no-policy = waits because there is no policy for its project
lift-no-policy = run `orch init` in the repository
lift-no-policy-refused = correct .orch/policy.toml on the default branch ({ $cause })
hold-policy-refused = goes on under the last good policy because the newer one was refused
lift-policy-refused = correct .orch/policy.toml on the default branch ({ $cause })

## Comments under the issue (Markdown)

comment-analyst-ready = The requirements are ready. Please read them.
comment-analyst-ask = Is this what you want? Move the issue to **Approved** or run `orch approve { $item }`. If not, run `orch reject { $item } "TEXT"`, or write a comment that says what is wrong and move the issue to **Rejected**.
comment-branch = Branch: `{ $branch }`.
comment-approved-by-label = The requirements are approved by the label **autoApprove**.
comment-confirmed-by-label = The deploy is confirmed by the label **autoDeploy**.
comment-merge-confirmed-by-label = The merge is confirmed by the label **autoDeploy**.
comment-change = This is about the change `{ $change }`; another change needs a new word.
comment-delivered-deploy = Done: merged and deployed, main is `{ $commit }`.
comment-delivered = Done: merged, main is `{ $commit }`.
comment-deploy-failed = The deploy failed after the merge: { $cause }.
comment-deploy-failed-stays = Commit `{ $commit }` stays in main, and nothing else merges in this repository until that is repaired.
comment-deploy-unseen = The deploy hook says that `{ $commit }` is deployed. Orch could not ask the service, so the task is not done yet, and nothing else merges in this repository.
comment-deploy-unseen-ask = Look at production. If it is deployed and well, run `orch accept { $item }` or press Accept on the dashboard. If not, move the issue to **Rejected**, best with a comment that says what is wrong: it goes back to the developer.
comment-deploy-unseen-mend = With a health address in orch.toml (`[projects.….health]`) Orch asks the service by itself.
comment-deploy-untold = Nobody knows what the deploy came to: { $cause }. Look at production now.
comment-deploy-untold-stays = Commit `{ $commit }` stays in main, and nothing else merges in this repository until a person presses Unfreeze or runs `orch unfreeze { $prefix }`.
comment-went-bad = Production went bad after a deploy that was well: { $cause }. Commit `{ $commit }` stays in main and was not rolled back; nothing else merges in this repository.
comment-went-bad-ask = Look at production now. `orch retry { $item }` watches it again; `orch accept { $item }` says that it is well by what you saw. If this change is at fault, move the issue to **Rejected**, best with a comment that says what is wrong: a new round mends it. To let other changes merge before that, run `orch unfreeze { $prefix }`.
comment-went-silent = Orch cannot tell how production is since the deploy of `{ $commit }`, which was well: { $cause }. It goes on looking until the watch is over; nothing else merges in this repository meanwhile.
comment-went-silent-ask = Look at production. If it is well, run `orch accept { $item }`. If not, move the issue to **Rejected**, best with a comment that says what is wrong: a new round mends it. Should it stay silent, the task waits for you.
comment-unavailable = Could not judge: { $gate }. Cause: { $cause }. Orch tries again by itself; nobody’s attempt is used up.
comment-documents = Documents: { $links }
comment-questions = The analyst has questions.
comment-questions-ask = Please answer in a comment, for example with `orch comment { $item } "TEXT"`; then move the issue to **To Analyse** or run `orch start { $item }`.
comment-finished = Finished: **{ $role }**, after { $wall }.
comment-usage = Tokens: { $input } in ({ $cached } of it from the cache), { $output } out. Cost: { $cost }.
comment-usage-unknown = Tokens: unknown. Cost: { $cost }.
comment-sent-back = Back to **{ $to }**, attempt { $attempt }/{ $of }. Sent back by: { $judge }.
comment-sent-back-last = Turned down for the last time, attempt { $attempt }/{ $of }. Turned down by: { $judge }.
comment-sent-back-free = Back to **{ $to }**. Sent back by: { $judge }. This does not count as an attempt.
comment-findings = What was found:
comment-whole = All of it: { $link }
comment-escalated = Orch has stopped at **{ $stage }** and needs a person.
comment-escalated-ask = To begin afresh at this stage, run `orch retry { $item }` or move the issue to **To Analyse**. To give it up, move the issue to **STOP**.
comment-confirm-deploy = Everything has passed. To deploy, move the issue to **Confirm Deploy** or run `orch confirm { $item }`. **Approved** does not deploy.
comment-confirm-deploy-accepted = This was merged past the gates and accepted as it is. To deploy, move the issue to **Confirm Deploy** or run `orch confirm { $item }`. **Approved** does not deploy.
comment-confirm-merge = Everything has passed. To merge, move the issue to **Confirm Deploy** or run `orch confirm { $item }`. **Approved** does not merge.
comment-protected = This change touches protected files. Look at exactly these changes; if they are right, move the issue to **Approved** or run `orch approve { $item }`.
comment-merged = Merged: main is `{ $commit }`.
comment-merged-outside = Somebody merged this branch past the gates: main has it since `{ $commit }`. It was not judged as it is there, so the task is not done.
comment-merged-outside-ask = If it is right as it is, run `orch accept { $item }` or press Accept on the dashboard. To give the task up, move the issue to **STOP**; what is in main stays there.
comment-withdrawn = { $what }. Nothing is lost: Orch keeps its last state. To bring it back and go on, run `orch continue { $item }` or press Continue on the dashboard. To give the task up, move the issue to **STOP**.
comment-run-over-tokens = The run of the **{ $role }** was stopped after { $tokens } tokens, the limit is { $limit }. What it wrote is kept. To allow one more run without this limit, run `orch allow { $item }`, press Allow one more run on the dashboard, or move the issue to **To Analyse**.
comment-done-head = | Role | Runs | Tokens in | from the cache | Tokens out | Cost |
comment-done-total = In all
comment-done-times = { $runs ->
    [one] { $runs } run. Agents worked { $agents }, from start to end it took { $wall }.
   *[other] { $runs } runs. Agents worked { $agents }, from start to end it took { $wall }.
}
comment-done-people = People took { $people } to review the requirements.
comment-stop-deferred = Stop noted. A merge or deploy is under way and must not be cut off; the task stops when it has ended.
comment-stopped = Stopped. Nothing of this task is in main.
comment-stopped-merged = Stopped. Commit `{ $commit }` of this task stays in main.
comment-stopped-untold = Stopped. Nobody knows whether the change of this task is in main.
comment-stopped-frozen = It is not proven that main holds what was tested. Nothing else merges in this repository until a person has looked at main and presses Unfreeze or runs `orch unfreeze { $prefix }`.

## What Orch itself says: to the next run, and as a cause

said-agent-exited = the agent ended with exit code { $code }
said-agent-signalled = the agent was ended by signal { $signal }
said-agent-timed-out = the agent was killed at its time limit
said-agent-too-loud = the agent was killed at its output limit
said-agent-stopped = the agent was stopped
said-agent-over-tokens = the agent was stopped after { $tokens } tokens, the limit is { $limit }
said-outside-scope = it wrote outside its scope, which was undone: { $paths }
said-files-missing = these files are missing: { $files }
said-change-empty = the change is empty
said-nothing-changed = what was rejected is still as it was
said-file-of-another-run = { $file } was not written by this run
said-no-verdict = { $file } has no verdict
said-no-verdict-because = { $file } has no verdict: { $cause }
said-file-not-found = not found
said-front-missing = line 1: no frontmatter; begin the file with a line that is exactly `---`
said-front-unterminated = line { $line }: the frontmatter does not end within { $most } KiB; close it with a line that is exactly `---`
said-front-not-utf8 = line { $line }: the frontmatter is not UTF-8; save the file as UTF-8
said-front-not-plain = line { $line }: { $cause }; write plain `key: value` lines, each key once, with quotes around odd values
said-front-control = line { $line }: `{ $key }` contains a control character; remove it
said-fields-empty = { $fields } is missing or empty in the frontmatter
said-word-unknown = `{ $field }` has no known word; write { $positive } or { $negative }
said-test-word-unknown = `result` has no known word; write PASS, or FAIL if anything fails
said-pass-or-fail = `{ $field }` must be exactly PASS or FAIL

said-did-not-count = Your last run did not count: { $cause }.
said-tokens-used-up = Your last run was stopped because it had used all the tokens it may use. What it left is on the branch: go on from there.
said-branch-pushed-to = Somebody pushed to the task branch: go on from their commit and keep their work.
said-see-file = See { $path }.
said-requirements-changed = The requirements changed after this change was written: read 00 to 10 again and bring the change in line.
said-rejected-without-reason = Rejected without a reason. Look at the request and the requirements again.
said-conflict = The change conflicts with main in:
    { $paths }
    Both sides stand there between conflict marks. Keep what both were for, and leave no mark.
said-branch-name-taken = there is a branch { $branch } already: rename or delete it
said-checkout-dirty = your checkout of { $branch } has changes ({ $path }); commit them or put them aside
said-tests-exited = The tests ended with exit code { $code } and said nothing.
said-tests-signalled = The tests were ended by signal { $signal }.
said-tests-timed-out = The tests were killed at their time limit of { $limit }.
said-tests-too-loud = The tests were killed at their output limit.
said-tests-stopped = the run of the tests was stopped

said-hook-failed = the deploy hook says: failed, and rolled back or untouched
said-hook-rollback-failed = the deploy hook says: failed, and so did the rollback
said-hook-unasked = the deploy hook says that it is deployed, and there is no service to ask
said-seen-well = { $by ->
    [board] somebody looked: it is deployed and well
    [api] somebody looked: it is deployed and well
   *[other] { $by } looked: it is deployed and well
}
said-seen-bad = { $by ->
    [board] somebody looked: it is not right
    [api] somebody looked: it is not right
   *[other] { $by } looked: it is not right
}
said-hook-silent = the deploy hook left no result, and there is no health probe to ask
said-service-well = the service names the commit and is well
said-service-other = the service names another commit: { $commit }
said-service-unwell = the service names the commit and is not well: { $cause }
said-service-untold = the service does not say who it is: { $cause }
said-service-stayed-well = the service named the commit and was well to the end of the watch
said-later-deploy-runs = a later deploy of this repository came out well and has it: { $commit }
said-record-unreadable = { $file } cannot be read: { $cause }
said-other-tree = the tree { $tree } that main got is not the tree that was tested
said-not-in-main = the merged commit is not in main, which is at { $main }
said-not-known-branch = the task branch is not known
said-not-known-candidate = the candidate is not known
said-not-known-change = the change is not known
said-not-known-change-request = the change request is not known
said-not-known-commit = the commit to work on is not known
said-not-known-merge = the merge is not known
said-not-known-run = the run is not known
said-odd-answer = the answer does not fit the question ({ $ask })
said-odd-record-answer = the answer does not fit the question (write a record)

## What the hands refuse, as a cause

refusal-no-test-command = the policy names no test command: set `test` in .orch/policy.toml
refusal-program-not-in-path = the program `{ $program }` of the policy's `{ $step }` command is not in PATH, or not for the user of runs: install it for all, or change the command
refusal-no-hook = the settings name no deploy hook for this project
refusal-no-probe = the settings name no health probe for this project
refusal-hook-not-absolute = the deploy hook `{ $program }` is no absolute path: name one, or `{ $inside }` for the one in main
refusal-no-commit = `{ $name }` is no commit
refusal-no-agent = no agent is called `{ $agent }` in the settings
refusal-agent-program-gone = the program `{ $program }` of agent `{ $agent }` is not there, or not for the user of runs: install it for all, or name its absolute path in the settings
refusal-login-unreadable = the login of agent `{ $agent }` cannot be read from { $path }: { $cause }: log in with the program itself
refusal-no-change-request = { $project } has no change request { $number }
refusal-change-request-closed = change request { $number } was closed; open it again
refusal-without-main = { $candidate } does not contain main ({ $main })
refusal-after-push = after the push to main: { $cause }
refusal-somebody-works = somebody works in { $origin } just now: { $words }
refusal-main-not-deleted = { $branch } is the main branch: never deleted
refusal-main-not-pushed = { $branch } is the main branch: not pushed as a task branch
refusal-main-not-tasks = { $branch } is the main branch: not a task's
refusal-origin-moved = { $branch } moved at the origin just now
refusal-branch-gone = the branch { $branch } is gone
refusal-commit-lost = the commit { $commit }, with which the next round begins, is not in Orch's copy of the repository: fetch it there and retry, or stop the task and start it again
refusal-no-main = the hub of { $origin } has no branch { $main }
refusal-ancestor-untold = is { $old } an ancestor of { $new }? { $cause }
refusal-no-common-history = { $a } and { $b } have no common history
refusal-no-parent = { $head }, the first commit of { $branch }, has no parent
refusal-no-folder = `{ $path }` on main is no folder, and the files of work items lie in `docs/work-items`: make room for them
refusal-records-are-main = { $branch } is the main branch of { $origin }: name another main
refusal-others-push = others push to { $branch } of { $origin } all the time
refusal-text-erased = the text { $digest } was erased or never kept
refusal-not-a-glob = `{ $pattern }` in the policy is not a glob: { $cause }
refusal-path-outside = `{ $path }` is not a path inside the tree
refusal-no-mounts = the tree of run { $run } is an overlay, and Orch may not mount any more: start it as root, as before
refusal-shared-files-gone = the shared files { $name } are gone
refusal-tree-gone = the tree of run { $run } is gone; the run cannot count
refusal-started-again = the machine has been started again since run { $run } worked: what it left may be incomplete, so it does not count
refusal-other-commit = run { $run } worked on { $worked }, not on { $wanted }
refusal-mark-of-another-run = refs/orch/runs/{ $run } is of another run of that name: it does not count
refusal-mark-vanished = the mark of run { $run } vanished
refusal-record-of-another-run = { $path } is the record of another run of that name, of { $of }: move it out of the way
refusal-stopped-before = { $run } was stopped before it began
refusal-folder-gone = its folder is gone
refusal-left-incomplete = the machine has been started again since: what it left may be incomplete
refusal-kept-back = a freeze or a pause came before it left: it is kept back
refusal-closing = the installation is being closed
refusal-no-project = there is no project `{ $project }` in orch.toml any more: add it again
refusal-defect = the adapter ended in a defect: { $cause }

## What stands in the way, as a cause

hindrance-file-unread = { $path } cannot be read: { $words }
hindrance-file-damaged = { $path } is damaged: { $words }
hindrance-file-newer = { $path } has format { $found }, this binary reads up to { $known }: use the newer binary
hindrance-file-unwritten = { $path } cannot be written: { $words }
hindrance-file-missing = { $path } is missing
hindrance-tables = the tables of tracker and forge do not work: { $words }
hindrance-no-issue = there is no issue `{ $key }`
hindrance-text-too-long = a text has { $bytes } bytes; at most { $most } are kept
hindrance-issue-edited = `{ $key }` was edited meanwhile

hindrance-restarted = the machine was started anew since
hindrance-no-process = there is no process { $pid }
hindrance-other-process = process { $pid } is another one, started later
hindrance-process-ended = process { $pid } has ended
hindrance-unlocked = { $doubt }, but it no longer holds its lock
hindrance-other-namespace = it was started in another pid namespace (container)
hindrance-not-a-pid = { $pid } is not a process id
hindrance-not-held = process { $pid } cannot be held: { $words }
hindrance-not-waited-for = its end cannot be waited for: { $words }
hindrance-not-signalled = the supervisor cannot be signalled: { $words }

hindrance-folder-unprepared = the run folder { $path } cannot be prepared: { $words }
hindrance-no-supervisor = the supervisor { $program } cannot be started: { $words }
hindrance-gave-up-silent = the supervisor of { $path } gave up before the start without a word
hindrance-gave-up = the supervisor of { $path } gave up before the start: { $cause }
hindrance-unnamed = the supervisor of { $path } has not named itself within { $seconds } s
hindrance-supervisor-gone = its supervisor is gone
hindrance-unprepared = { $at }: { $words }
hindrance-no-new-process = no process could be made: { $words }
hindrance-report-damaged = what it reported is damaged: { $words }
hindrance-ended-early-exited = it ended with exit code { $code } before it became the program
hindrance-ended-early-signalled = signal { $signal } ended it before it became the program
hindrance-ended-early = it ended before it became the program
hindrance-program-not-started = program `{ $program }` cannot be started: { $words }
hindrance-folder-not-entered = working folder { $path } cannot be entered: { $words }
hindrance-input-not-opened = standard input { $path }: { $words }
hindrance-no-sandbox = sandbox: { $words }
hindrance-sandbox-partly = sandbox: this kernel enforces only a part of what the run demands
hindrance-sandbox-nothing = sandbox: this kernel enforces nothing of what the run demands
hindrance-user-not-taken = cannot become user { $uid } group { $gid }: { $words }: run Orch as root or drop run_as
hindrance-limit-not-set = limit { $limit } of { $value }: { $words }

hindrance-bad-run-id = the run's id must have 1 to 200 bytes and no control characters
hindrance-no-program = the run's program is empty: name a program
hindrance-nul-byte = the run's program or arguments contain a NUL byte
hindrance-bad-variable = the run's environment has the entry `{ $name }`, which no program can be given
hindrance-folder-not-absolute = the run's working folder { $path } is not absolute
hindrance-sandbox-not-absolute = the run's sandbox names { $path }, which is not absolute
hindrance-sandbox-opens-record = the run's sandbox opens { $path }, and with it the run's own record: name less

hindrance-ports-unread = the registry of ports { $path }: { $words }
hindrance-no-ports = no block of { $block } free ports is left between { $from } and { $to }: wait for runs to end, or widen the range

hindrance-bad-address = `{ $url }` is no address: expected something like `http://127.0.0.1:8080/health`
hindrance-unreachable = { $host } cannot be reached: { $words }
hindrance-no-answer = { $host } did not answer within { $seconds } s
hindrance-broke-off = { $host } broke off: { $words }
hindrance-no-port-given = { $url }: no deploy of { $commit } was given a port
hindrance-redirects = it redirects with status { $status }: name the final address
hindrance-answer-too-long = its answer is longer than { $kib } KiB: name a health address
hindrance-names-no-commit = it answers with status { $status } and names no commit in the JSON field `{ $field }`
hindrance-answers-with = it answers with status { $status }
hindrance-field-says = `{ $field }` is { $words }
hindrance-field-no-text = it names the commit, but its `{ $field }` is no text
hindrance-provider-silent = it refused without a word

hindrance-git-silent = git { $command }: ended without a word
hindrance-git-timed-out = git { $command }: no answer within { $seconds } s, ended
hindrance-git-too-much = git { $command }: more than { $most } bytes of output
hindrance-git-odd = git { $command }: unexpected answer `{ $words }`
hindrance-tree-taken = { $path } has a mode of a run's own
hindrance-at-lock = the lock of the run
hindrance-at-room = room on the disk for the exit record
hindrance-at-orphans = taking in what the run leaves behind
hindrance-at-name = the supervisor's own name
hindrance-at-events = the event loop
hindrance-at-signals = signal handlers
hindrance-at-output = the files of the output
hindrance-at-exit-record = the exit record
hindrance-at-session = a session of its own
hindrance-at-death-signal = the death signal
hindrance-at-rights = giving up root’s rights
hindrance-at-no-new-rights = keeping it from gaining rights
hindrance-at-report = the report to the supervisor

## What does not count of a run's work, after its path

undone-more = and { $more } more
undone-outside-scope = outside of what the { $role } may write
undone-not-utf8 = its name is not UTF-8
undone-control-characters = control characters in its name
undone-dot-git = the name .git
undone-equal-name = its name differs from `{ $other }` only in case or Unicode form
undone-takes-place = it takes the place of `{ $other }`, which stays
undone-secret-in-name = a key or login of this installation stands in its name
undone-secret = a key or login of this installation stands in it
undone-repository = a repository inside the tree
undone-in-submodule = it lies in a submodule
undone-special = neither a file nor a link
undone-leaves-tree = a link that leaves the tree
undone-too-large = { $bytes } bytes, more than { $most }
undone-name-refused = git takes no file of this name
undone-refused = git does not take it: { $words }
undone-too-many = more than { $most } files were written: nothing was kept
undone-tree-unread = the tree cannot be read ({ $words }): nothing was kept

## Records (Markdown)

# A record's text is part of what is decided: other words here are other rules (`journal::RULES`).

record-verdict = Verdict
record-facts = Facts
record-none = none
record-unknown = unknown
record-deploy-title = Deploy log of { $item }
record-deploy-out = The commit is deployed and well.
record-deploy-seen = The commit is deployed and well by the word of a person: no service could be asked.
record-deploy-along = The commit is deployed with a later one that contains it and came out well.
record-deploy-turned-down = The deploy failed by the word of a person: no service could be asked.
record-deploy-failed = The deploy failed.
record-deploy-not-rolled-back = The deploy failed, and so did its rollback.
record-deploy-commit = commit of main
record-deploy-run = run of the hook
record-deploy-code = exit code of the hook
record-deploy-round = round
record-deploy-at = decided
record-row = row of the journal
record-watch-title = Post-deploy log of { $item }
record-watch-well = Production is well after the deploy.
record-watch-bad = Production went bad after the deploy.
record-watch-looks = looks, of a whole watch
record-watch-failed = bad looks
record-watch-untold = looks that could not tell
record-watch-flaps = times it came back

## Figures

cost-unknown = price unknown
cost-partly = at least { $cost } (price partly unknown)

## What follows from an edit

edited-done = { $item } is delivered. Nothing follows from an edit.
edited-stopped = { $item } is stopped. Nobody reads an edit unless the task is begun anew.
edited-read = Nobody works by the text yet: the next run reads it as edited.
edited-analyst-reads = The analyst works by the text as it was. Look at the requirements with that in mind; `orch reject { $item }` has them written again.
edited-requirements = The requirements that wait for approval were written for the text as it was. Reject (`orch reject { $item }`) has them written again; approving them approves what they say.
edited-asked = The approval was for the text as it was: { $item } goes no further until somebody presses Continue (`orch continue { $item }`) or has it analysed again (`orch start { $item }`).
edited-asked-later = The approval was for the text as it was: before { $item } goes on from here, it waits until somebody presses Continue (`orch continue { $item }`) or has it analysed again (`orch start { $item }`).
edited-next-round = The change is in main already and is delivered as it was merged. If { $item } needs another round, it waits until somebody presses Continue or has the edited request analysed.
