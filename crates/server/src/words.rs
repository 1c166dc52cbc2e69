//! What do holds, reasons and stages read like? To be replaced by `orch_core::message`, whose names these functions have.

use orch_core::event::{FreezeCause, RunHow, Turn, Usage};
use orch_core::gate::GateId;
use orch_core::hold::HoldKind;
use orch_core::message::Lang;
use orch_core::reason::Reason;
use orch_core::stage::{Role, Stage};
use orch_core::task::{Ask, CiOf, Delay, Job, Why};
use orch_core::time::{Moment, Span};

fn pick(lang: Lang, en: &str, ru: &str) -> String {
    match lang {
        Lang::En => en.to_owned(),
        Lang::Ru => ru.to_owned(),
    }
}

/// The label of a stage.
pub(crate) fn stage_label(stage: Stage, lang: Lang) -> String {
    match stage {
        Stage::Created => pick(lang, "To analyse", "К анализу"),
        Stage::Analysis => pick(lang, "Analysis", "Анализ"),
        Stage::Architecture => pick(lang, "Architecture", "Архитектура"),
        Stage::Development => pick(lang, "Development", "Разработка"),
        Stage::Review => pick(lang, "Review", "Ревью"),
        Stage::Testing => pick(lang, "Testing", "Тестирование"),
        Stage::DeployStaging => pick(lang, "Staging", "Стейджинг"),
        Stage::Deploy => pick(lang, "Deploy", "Деплой"),
        Stage::Done => pick(lang, "Done", "Готово"),
        Stage::Cancelled => pick(lang, "Cancelled", "Отменено"),
    }
}

/// The name of a role.
pub(crate) fn role_name(role: Role, lang: Lang) -> String {
    match role {
        Role::Analyst => pick(lang, "Analyst", "Аналитик"),
        Role::Architect => pick(lang, "Architect", "Архитектор"),
        Role::Developer => pick(lang, "Developer", "Разработчик"),
        Role::Reviewer => pick(lang, "Reviewer", "Ревьюер"),
        Role::Tester => pick(lang, "Tester", "Тестировщик"),
    }
}

/// What a run is of.
pub(crate) fn job_name(job: Job, lang: Lang) -> String {
    match job {
        Job::Agent(role) => role_name(role, lang),
        Job::Ci(CiOf::Head) => pick(lang, "Tests on the commit", "Тесты на коммите"),
        Job::Ci(CiOf::Candidate) => pick(lang, "Tests on the candidate", "Тесты на кандидате"),
        Job::Hook => pick(lang, "Deploy hook", "Скрипт деплоя"),
    }
}

/// What a gate looks at.
pub(crate) fn gate_label(gate: GateId, lang: Lang) -> String {
    match gate {
        GateId::CheckAnalysisApproved => pick(lang, "Requirements approved", "Требования утверждены"),
        GateId::CheckAnalysisComplete => pick(lang, "Requirements complete", "Требования полны"),
        GateId::CheckArchitectureDone => pick(lang, "Architecture complete", "Архитектура готова"),
        GateId::CheckCiGreen => pick(lang, "Tests of the project", "Тесты проекта"),
        GateId::CheckReviewApproved => pick(lang, "Review at the forge", "Ревью на хостинге"),
        GateId::CheckTestsPassed => pick(lang, "Tester's verdict", "Вердикт тестировщика"),
        GateId::CheckReviewerVerdict => pick(lang, "Reviewer's verdict", "Вердикт ревьюера"),
        GateId::CheckTestsLocal => pick(lang, "Tests run by Orch", "Тесты, запущенные Orch"),
        GateId::CheckDeployStatus => pick(lang, "Deploy", "Деплой"),
        GateId::CheckStagingStatus => pick(lang, "Staging suite", "Проверки стейджинга"),
        GateId::CheckBranchMergeable => pick(lang, "Merges into main", "Вливается в main"),
        GateId::CheckStagingImageFresh => pick(lang, "Staged image is fresh", "Образ свежий"),
        GateId::CheckSecurityGate => pick(lang, "Security", "Безопасность"),
    }
}

/// How a run ended.
pub(crate) fn run_end(how: &RunHow, lang: Lang) -> String {
    match how {
        RunHow::Exited { code: 0 } => pick(lang, "finished", "завершён"),
        RunHow::Exited { code } => format!("{} {code}", pick(lang, "ended with code", "завершён с кодом")),
        RunHow::Signalled { signal } => {
            format!("{} {signal}", pick(lang, "ended by signal", "прерван сигналом"))
        }
        RunHow::TimedOut => pick(lang, "killed at its time limit", "остановлен по времени"),
        RunHow::TooMuchOutput => pick(lang, "killed at its output limit", "остановлен: слишком много вывода"),
        RunHow::Stopped => pick(lang, "stopped by Orch", "остановлен Orch"),
        RunHow::CouldNotStart { cause } => {
            format!("{}: {cause}", pick(lang, "could not start", "не запустился"))
        }
        RunHow::Lost { cause } => format!("{}: {cause}", pick(lang, "lost", "потерян")),
        RunHow::ProviderLimited { cause, .. } => {
            format!("{}: {cause}", pick(lang, "refused by the provider for now", "провайдер пока отказал"))
        }
    }
}

/// What is asked of the outside at the moment.
pub(crate) fn asking(ask: &Ask, lang: Lang) -> String {
    match ask {
        Ask::CutBranch { .. } => pick(lang, "Cutting the branch", "Создаётся ветка"),
        Ask::Launch { job, .. } => {
            format!("{}: {}", job_name(*job, lang), pick(lang, "starting", "запускается"))
        }
        Ask::Collect { role, .. } => {
            format!(
                "{}: {}",
                role_name(*role, lang),
                pick(lang, "collecting the result", "собирается результат")
            )
        }
        Ask::OpenChange => pick(lang, "Opening the change request", "Открывается запрос на слияние"),
        Ask::Candidate => pick(lang, "Building the candidate", "Собирается кандидат"),
        Ask::Merge => pick(lang, "Merging", "Идёт слияние"),
        Ask::Prove => pick(lang, "Proving the merge", "Слияние проверяется"),
        Ask::Probe => pick(lang, "Asking the deployed service who it is", "Опрашивается развёрнутый сервис"),
        Ask::Reason { .. } => pick(lang, "Reading the reason of the rejection", "Читается причина отказа"),
    }
}

/// Why automation leaves a task alone.
pub(crate) fn why(why: &Why, lang: Lang) -> String {
    match why {
        Why::RoundsSpent => {
            pick(lang, "Three rounds of work were judged negative", "Три круга работы отклонены")
        }
        Why::Fruitless { role, cause } => {
            format!(
                "{}: {} ({cause})",
                role_name(*role, lang),
                pick(lang, "runs without a result", "запуски без результата")
            )
        }
        Why::Conflicts => pick(
            lang,
            "Main contradicts the change again and again",
            "main раз за разом противоречит изменению",
        ),
        Why::RequestTooShort { has, needs } => match lang {
            Lang::En => format!("The description has {has} characters and needs {needs}"),
            Lang::Ru => format!("В описании {has} символов, нужно {needs}"),
        },
        Why::Outside { cause } => {
            format!("{}: {cause}", pick(lang, "The outside needs a person", "Нужен человек"))
        }
        Why::NoTests => pick(lang, "No test command is configured", "Не задана команда тестов"),
        Why::NoHook => pick(lang, "No deploy hook is configured", "Не задан скрипт деплоя"),
        Why::Unproven { cause } => {
            format!(
                "{}: {cause}",
                pick(lang, "What was merged is not what was tested", "Влито не то, что проверено")
            )
        }
        Why::RollbackFailed => {
            pick(lang, "The deploy failed and so did its rollback", "Деплой и откат не удались")
        }
        Why::Machine { cause } => {
            format!("{}: {cause}", pick(lang, "The machine could not run it", "Машина не смогла запустить"))
        }
        Why::NoAgent { role } => {
            format!(
                "{}: {}",
                pick(lang, "No agent is configured", "Не настроен агент"),
                role_name(*role, lang)
            )
        }
    }
}

fn freeze_cause(cause: &FreezeCause, lang: Lang) -> String {
    match cause {
        FreezeCause::DeployFailed => {
            pick(lang, "a deploy failed after its merge", "деплой после слияния не удался")
        }
        FreezeCause::UnprovenMerge => {
            pick(lang, "what was merged is not what was tested", "влито не то, что проверено")
        }
        FreezeCause::MainRewritten => pick(lang, "somebody rewrote main", "кто-то переписал main"),
        FreezeCause::Person => pick(lang, "a person asked for it", "так решил человек"),
        FreezeCause::StoreDamaged => {
            pick(lang, "a check of the store found a contradiction", "проверка базы нашла противоречие")
        }
    }
}

fn turn_name(turn: Turn, lang: Lang) -> String {
    match turn {
        Turn::Start => pick(lang, "to begin", "начать"),
        Turn::Agent(role) => format!("{}: {}", pick(lang, "an agent", "агент"), role_name(role, lang)),
        Turn::Gate => pick(lang, "a run of the tests", "запуск тестов"),
        Turn::Lane => pick(lang, "the merge lane", "полоса слияния"),
    }
}

/// What a task waits for.
pub(crate) fn hold(kind: &HoldKind, lang: Lang) -> String {
    let en = matches!(lang, Lang::En);
    match kind {
        HoldKind::Paused { by, .. } if en => format!("Paused by {by}"),
        HoldKind::Paused { by, .. } => format!("Пауза: {by}"),
        HoldKind::DiskFull => pick(lang, "The disk is too full to go on", "Диск переполнен"),
        HoldKind::Escalated(cause) => why(cause, lang),
        HoldKind::NotAsked => pick(lang, "Not asked for yet", "Ещё не запрошено"),
        HoldKind::Questions => pick(lang, "The analyst has questions", "У аналитика вопросы"),
        HoldKind::Approval => pick(lang, "The requirements wait for approval", "Требования ждут утверждения"),
        HoldKind::Protected { paths } => format!(
            "{}: {}",
            pick(lang, "Protected paths are touched", "Затронуты защищённые пути"),
            paths.join(", ")
        ),
        HoldKind::Confirmation { deploys: true } => {
            pick(lang, "Waits for Confirm Deploy", "Ждёт подтверждения деплоя")
        }
        HoldKind::Confirmation { deploys: false } => {
            pick(lang, "Waits for the confirmation of the merge", "Ждёт подтверждения слияния")
        }
        HoldKind::RequestChanged => {
            pick(lang, "The request changed after its approval", "Запрос изменился после утверждения")
        }
        HoldKind::IssueGone => pick(lang, "The issue is gone from the tracker", "Задача исчезла из трекера"),
        HoldKind::CannotTell { cause } => {
            format!(
                "{}: {cause}",
                pick(lang, "Cannot tell whether the deploy worked", "Неясно, удался ли деплой")
            )
        }
        HoldKind::Frozen { cause, .. } => {
            format!(
                "{}: {}",
                pick(lang, "The repository is frozen", "Репозиторий заморожен"),
                freeze_cause(cause, lang)
            )
        }
        HoldKind::Provider { provider, cause, .. } => {
            format!(
                "{provider}: {} ({cause})",
                pick(lang, "the provider refuses for now", "провайдер пока отказывает")
            )
        }
        HoldKind::TaskBudget { spent, budget } => format!(
            "{} ({} / {})",
            pick(lang, "The task's budget is spent", "Бюджет задачи исчерпан"),
            money(*spent),
            money(*budget)
        ),
        HoldKind::DayBudget { budget } => {
            format!(
                "{} ({})",
                pick(lang, "The day's budget is spent", "Дневной бюджет исчерпан"),
                money(*budget)
            )
        }
        HoldKind::Serial { behind } => format!("{} {behind}", pick(lang, "Waits behind", "Ждёт после")),
        HoldKind::Lane { holder } => {
            format!("{} {holder}", pick(lang, "The merge lane is held by", "Полосу слияния держит"))
        }
        HoldKind::Slot { turn } => {
            format!("{}: {}", pick(lang, "All slots are taken", "Все места заняты"), turn_name(*turn, lang))
        }
        HoldKind::Turn { turn } => {
            format!("{}: {}", pick(lang, "Next in turn", "Следующая по очереди"), turn_name(*turn, lang))
        }
        HoldKind::RetryAt { ask, cause, .. } => format!("{}: {}", asking(ask, lang), delay(cause, lang)),
        HoldKind::NoPolicy { cause } => format!(
            "{}{}",
            pick(lang, "There is no policy for the project", "Нет политики проекта"),
            cause.as_ref().map(|cause| format!(": {cause}")).unwrap_or_default()
        ),
        HoldKind::PolicyRefused { cause } => {
            format!("{}: {cause}", pick(lang, "A newer policy was refused", "Новая политика отвергнута"))
        }
    }
}

fn delay(delay: &Delay, lang: Lang) -> String {
    match delay {
        Delay::Outage { cause } => format!("{} ({cause})", pick(lang, "it did not answer", "нет ответа")),
        Delay::CheckoutDirty { path } => {
            format!(
                "{} ({path})",
                pick(lang, "your checkout of main has changes", "в вашей копии main есть изменения")
            )
        }
        Delay::NotYet { cause } => format!("{} ({cause})", pick(lang, "not yet", "ещё нет")),
        Delay::Provider { cause } => {
            format!("{} ({cause})", pick(lang, "the provider refused", "провайдер отказал"))
        }
    }
}

/// What lifts a hold.
pub(crate) fn lifts(kind: &HoldKind, lang: Lang) -> String {
    match kind {
        HoldKind::Paused { .. } => pick(lang, "Resume lifts it.", "Снимает «продолжить работу»."),
        HoldKind::DiskFull => {
            pick(lang, "It goes on when there is room.", "Продолжится, когда появится место.")
        }
        HoldKind::Escalated(_) => pick(
            lang,
            "Retry begins afresh at this stage; Stop ends it.",
            "«Повторить» начнёт этап заново; «Стоп» завершит.",
        ),
        HoldKind::NotAsked => pick(lang, "Start begins.", "«Начать» запускает."),
        HoldKind::Questions => pick(
            lang,
            "Answer in a comment, then press Answered.",
            "Ответьте в комментарии и нажмите «Ответил».",
        ),
        HoldKind::Approval => pick(
            lang,
            "Approve lets it go on; Reject with a reason sends it back.",
            "«Утвердить» пропускает дальше; «Отклонить» с причиной возвращает.",
        ),
        HoldKind::Protected { .. } => pick(
            lang,
            "Approve exactly this diff, or reject it.",
            "Утвердите именно этот diff или отклоните.",
        ),
        HoldKind::Confirmation { .. } => pick(
            lang,
            "Confirm takes exactly this change to main.",
            "«Подтвердить» отправляет именно это изменение.",
        ),
        HoldKind::RequestChanged => {
            pick(lang, "Continue, or analyse again.", "Продолжить или проанализировать заново.")
        }
        HoldKind::IssueGone => {
            pick(lang, "Restore the issue, or Stop.", "Верните задачу или нажмите «Стоп».")
        }
        HoldKind::CannotTell { .. } => pick(
            lang,
            "Look at the service, then Retry or Stop.",
            "Посмотрите на сервис, затем «Повторить» или «Стоп».",
        ),
        HoldKind::Frozen { .. } => pick(
            lang,
            "A repairing merge or Unfreeze lifts it.",
            "Снимает исправляющее слияние или «Разморозить».",
        ),
        HoldKind::Provider { until, .. } => {
            format!("{} {}.", pick(lang, "Opens again at", "Откроется в"), crate::show::clock(*until))
        }
        HoldKind::TaskBudget { .. } => {
            pick(lang, "A higher budget in the policy lifts it.", "Снимает больший бюджет в политике.")
        }
        HoldKind::DayBudget { .. } => pick(
            lang,
            "It goes on tomorrow, or with a higher limit.",
            "Продолжится завтра или с большим лимитом.",
        ),
        HoldKind::Serial { behind } => format!("{} {behind}.", pick(lang, "Begins after", "Начнётся после")),
        HoldKind::Lane { holder } => {
            format!("{} {holder}.", pick(lang, "Goes on after the merge of", "Продолжится после слияния"))
        }
        HoldKind::Slot { .. } => {
            pick(lang, "Goes on when a slot is free.", "Продолжится, когда освободится место.")
        }
        HoldKind::Turn { .. } => pick(lang, "Goes on by itself.", "Продолжится сама."),
        HoldKind::RetryAt { due, .. } => {
            format!("{} {}.", pick(lang, "Asked again at", "Повтор в"), crate::show::clock(*due))
        }
        HoldKind::NoPolicy { .. } => {
            pick(lang, "A policy in `.orch/` on main lifts it.", "Снимает политика в `.orch/` на main.")
        }
        HoldKind::PolicyRefused { .. } => pick(
            lang,
            "The last good one holds; correct it on main.",
            "Действует прежняя; исправьте её на main.",
        ),
    }
}

/// Why something was done or not.
pub(crate) fn reason(reason: &Reason, lang: Lang) -> String {
    match reason {
        Reason::GestureTaken { press, by } => format!("{}: {press} ({by})", pick(lang, "Taken", "Принято")),
        Reason::Advanced { from, to } => format!("{} → {}", stage_label(*from, lang), stage_label(*to, lang)),
        Reason::SentBack { from, to, attempt, of, .. } => {
            format!("{} ← {} ({attempt}/{of})", stage_label(*to, lang), stage_label(*from, lang))
        }
        Reason::Escalated(cause) => why(cause, lang),
        Reason::GateSaid { gate, passed } => {
            let said = match passed {
                Some(true) => pick(lang, "passed", "пройдено"),
                Some(false) => pick(lang, "failed", "не пройдено"),
                None => pick(lang, "could not judge", "не смог проверить"),
            };
            format!("{}: {said}", gate_label(*gate, lang))
        }
        other => plain(other),
    }
}

/// The machine name with its fields, until the sentence exists.
fn plain(reason: &Reason) -> String {
    let value = serde_json::to_value(reason).unwrap_or_default();
    let (name, fields) = match &value {
        serde_json::Value::String(name) => (name.clone(), String::new()),
        serde_json::Value::Object(map) => {
            map.iter().next().map_or_else(Default::default, |(name, fields)| {
                (name.clone(), fields.to_string().replace(['{', '}', '"'], " ").trim().to_owned())
            })
        }
        other => (other.to_string(), String::new()),
    };
    let name = name.replace('_', " ");
    if fields.is_empty() { name } else { format!("{name}: {fields}") }
}

/// Tokens in three digits or so.
pub(crate) fn tokens(n: u64) -> String {
    match n {
        0..1_000 => n.to_string(),
        1_000..1_000_000 => format!("{}.{}k", n / 1_000, n % 1_000 / 100),
        1_000_000.. => format!("{}.{}M", n / 1_000_000, n % 1_000_000 / 100_000),
    }
}

/// Millionths of a US dollar.
pub(crate) fn money(microdollars: u64) -> String {
    let cents = microdollars.saturating_add(5_000) / 10_000;
    if microdollars > 0 && cents == 0 {
        return "<$0.01".to_owned();
    }
    format!("${}.{:02}", cents / 100, cents % 100)
}

/// The price of some work, or that it is unknown: never 0 for unknown (decision 12).
pub(crate) fn cost(usage: Usage, lang: Lang) -> String {
    usage.microdollars.map_or_else(|| pick(lang, "price unknown", "цена неизвестна"), money)
}

/// A span with its units in the language.
pub(crate) fn span(span: Span, lang: Lang) -> String {
    let text = span.to_string();
    match lang {
        Lang::En => text,
        Lang::Ru => text
            .split(' ')
            .map(|word| match word {
                "ms" => "мс",
                "s" => "с",
                "min" => "мин",
                "h" => "ч",
                "d" => "д",
                word => word,
            })
            .collect::<Vec<_>>()
            .join(" "),
    }
}

/// How long ago, in one unit: people read it at a glance.
pub(crate) fn ago(since: Moment, now: Moment, lang: Lang) -> String {
    let span_ = now.since(since);
    let coarse = match span_.as_seconds() {
        0..60 => return pick(lang, "just now", "сейчас"),
        60..3600 => Span::minutes(span_.as_seconds() / 60),
        3600..86_400 => Span::minutes(span_.as_seconds() / 3600 * 60),
        86_400.. => Span::minutes(span_.as_seconds() / 86_400 * 1440),
    };
    span(coarse, lang)
}
