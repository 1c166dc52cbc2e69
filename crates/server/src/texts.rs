//! What stands on the pages themselves? Labels, buttons, empty states. Each line has its two languages side by side, so
//! none can be missing.

use orch_core::message::Lang;

macro_rules! texts {
    ($($key:ident: $en:literal, $ru:literal;)*) => {
        /// The words of the pages in one language.
        #[derive(Debug)]
        pub(crate) struct Texts {
            /// The language's code.
            pub(crate) lang: &'static str,
            $(pub(crate) $key: &'static str,)*
        }

        static EN: Texts = Texts { lang: "en", $($key: $en,)* };
        static RU: Texts = Texts { lang: "ru", $($key: $ru,)* };

        #[cfg(test)]
        const ALL: &[(&str, &str, &str)] = &[$((stringify!($key), $en, $ru),)*];
    };
}

/// The words of a language.
pub(crate) fn texts(lang: Lang) -> &'static Texts {
    match lang {
        Lang::En => &EN,
        Lang::Ru => &RU,
    }
}

texts! {
    skip: "Skip to the content", "К содержанию";
    board: "Board", "Доска";
    new_task: "New task", "Новая задача";
    journal: "Journal", "Журнал";
    all_projects: "All projects", "Все проекты";
    project: "Project", "Проект";
    live: "Live", "На связи";
    offline: "No connection: trying again", "Нет связи: пробуем снова";
    sign_in: "Sign in", "Войти";
    sign_out: "Sign out", "Выйти";
    signed_in_as: "Signed in as", "Вы вошли как";
    sign_in_how: "Ask the installation for a one-time link and open it in this browser:", "Получите одноразовую ссылку и откройте её в этом браузере:";
    sign_in_with_link: "You are about to sign in with a one-time link. It works once.", "Вход по одноразовой ссылке. Она действует один раз.";
    read_only: "You can look. To act, sign in.", "Вы можете смотреть. Чтобы действовать, войдите.";
    needs_you: "Needs you", "Ждут вас";
    more_wait: "more wait", "ещё ждут";
    empty_board: "No tasks yet", "Задач пока нет";
    empty_board_how: "A task begins with a sentence. Write what you would like to have; the analyst asks the rest.", "Задача начинается с одной фразы. Напишите, что нужно; остальное спросит аналитик.";
    show_more: "Show more", "Показать ещё";
    attempt: "attempt", "попытка";
    round: "round", "круг";
    look_first: "Look first", "Сначала посмотрите";
    also: "Also", "А также";
    frozen: "The repository is frozen: nothing merges.", "Репозиторий заморожен: слияний нет.";
    paused: "Paused: no new turns are given.", "Пауза: ничего нового не начинается.";
    unfreeze: "Unfreeze", "Разморозить";
    store_damaged: "Orch’s store is damaged and nothing is written any more; stop Orch and restore a backup with `orch restore`:", "Хранилище Orch повреждено, больше ничего не записывается; остановите Orch и восстановите резервную копию командой `orch restore`:";
    settings_refused: "The edited orch.toml was refused; the last good one holds:", "Изменённый orch.toml отклонён; действует последний верный:";
    policy_refused: "The newer .orch/policy.toml was refused; the last good one holds:", "Новая .orch/policy.toml отклонена; действует последняя верная:";
    retired: "The project no longer stands in orch.toml: nothing new of it begins.", "Проекта больше нет в orch.toml: ничего нового в нём не начинается.";
    resume: "Resume", "Продолжить работу";
    pause: "Pause", "Пауза";
    stages: "Stages", "Этапы";
    runs: "Runs", "Запуски";
    no_runs: "No run yet.", "Запусков ещё не было.";
    log: "Log", "Лог";
    log_of: "Log of", "Лог запуска";
    log_empty: "Nothing written yet.", "Пока ничего не записано.";
    log_tail: "Only the end is shown.", "Показан только конец.";
    follow: "Follow", "Следить";
    output: "Output", "Вывод";
    errors: "Errors", "Ошибки";
    gates: "Gates", "Проверки";
    no_gates: "No gate has judged yet.", "Проверок ещё не было.";
    passed: "passed", "пройдено";
    failed: "failed", "не пройдено";
    unavailable: "could not judge", "не удалось проверить";
    tree: "tree", "дерево";
    commit: "commit", "коммит";
    definition: "definition", "определение";
    change: "change", "изменение";
    requirements: "requirements", "требования";
    main_commit: "commit of main", "коммит main";
    change_title: "Change", "Изменение";
    no_diff: "No change yet.", "Изменений пока нет.";
    empty_diff: "The branch changes nothing.", "Ветка ничего не меняет.";
    diff_cut: "The diff is long; its end is left out here.", "Diff длинный; конец здесь опущен.";
    files: "files", "файлов";
    artefacts: "Artefacts", "Артефакты";
    record_stands: "Pushed to", "Отправлено в";
    record_waits: "On its way to", "На пути в";
    record_retried: "Not pushed yet; tried again by itself:", "Ещё не отправлено, Orch попробует снова:";
    record_refused: "Not pushed; Retry pushes it again:", "Не отправлено; «Повторить» отправит снова:";
    no_artefacts: "No artefact yet.", "Артефактов пока нет.";
    erased: "This text was erased.", "Этот текст удалён.";
    costs: "Cost", "Стоимость";
    role: "Role", "Роль";
    tokens_in: "In", "Вход";
    tokens_out: "Out", "Выход";
    cached: "cached", "из кэша";
    price: "Price", "Цена";
    total: "Total", "Всего";
    facts: "Facts", "Сведения";
    branch: "Branch", "Ветка";
    change_request: "Change request", "Запрос на изменение";
    merged: "Merged", "Слито";
    deployed: "Deployed", "Выкачено";
    healthy: "healthy", "исправно";
    unhealthy: "not healthy", "неисправно";
    seen_by: "healthy, says", "исправно, по словам";
    proven: "proven", "доказано";
    born: "Known since", "Известно с";
    people_time: "People's time", "Время людей";
    agents_time: "Agents' time", "Время агентов";
    issue: "Issue", "Задача";
    priority: "Priority", "Приоритет";
    urgent: "Urgent", "Срочно";
    high: "High", "Высокий";
    normal: "Normal", "Обычный";
    low: "Low", "Низкий";
    request: "Request", "Запрос";
    no_text: "No description.", "Описания нет.";
    conversation: "Conversation", "Обсуждение";
    no_comments: "Nobody said anything yet.", "Пока никто не писал.";
    comment: "Comment", "Комментарий";
    send: "Send", "Отправить";
    history: "History", "История";
    older: "Older", "Раньше";
    newer: "Newer", "Позже";
    start: "Start", "Начать";
    answered: "Answered: go on", "Ответ есть, продолжайте";
    analyse_again: "Analyse again", "Проанализировать заново";
    approve: "Approve the requirements", "Одобрить требования";
    approve_protected: "Approve this diff", "Одобрить этот diff";
    confirm: "Confirm", "Подтвердить";
    reject: "Reject", "Отклонить";
    reject_why: "What does not fit? The next run reads it word for word.", "Что не так? Следующий запуск прочтёт это дословно.";
    continue_on: "Continue as approved", "Продолжить как одобрено";
    retry: "Retry", "Повторить";
    restore: "Continue: bring it back", "Продолжить: вернуть";
    accept: "Accept what is in main", "Принять то, что в main";
    accept_deploy: "Accept: deployed and well", "Принять: выкачено и работает";
    allow: "Allow one more run", "Разрешить ещё один запуск";
    stop: "Stop", "Стоп";
    stop_sure: "Stop this task for good?", "Остановить задачу насовсем?";
    set: "Set", "Задать";
    stopping: "A stop was asked for; it is carried out when the irreversible step has ended.", "Остановка принята: задача остановится, когда закончится шаг, который нельзя прервать.";
    title: "Title", "Название";
    title_hint: "One sentence: what should be different afterwards?", "Одна фраза: что должно измениться?";
    description: "Description", "Описание";
    description_hint: "Optional. Markdown. What you know, examples, what must not change.", "Необязательно. Markdown. Что вы знаете, примеры, что менять нельзя.";
    start_now: "Start at once", "Начать сразу";
    create: "Create", "Создать";
    edit: "Edit", "Изменить";
    save: "Save", "Сохранить";
    unchanged: "Nothing is different.", "Ничего не изменилось.";
    labels: "Labels", "Метки";
    auto_approve: "the requirements need no approval", "требования не нужно одобрять";
    auto_deploy: "the deploy needs no confirmation", "выкатку не нужно подтверждать";
    auto_neither: "no confirmation is asked for in this project", "в этом проекте подтверждения не спрашивают";
    auto_merge: "the merge needs no confirmation", "слияние не нужно подтверждать";
    no_projects: "There is no project yet. Run `orch init` in a repository.", "Проектов пока нет. Выполните `orch init` в репозитории.";
    all_quiet: "Nothing is under way. What should be different next?", "Сейчас ничего не делается. Что изменить дальше?";
    nothing_happened: "Nothing happened yet.", "Пока ничего не произошло.";
    problem: "That did not work", "Не получилось";
    back: "Back to the board", "К доске";
    sent: "Taken", "Принято";
    no_search: "Find a task", "Найти задачу";
    working: "Working", "В работе";
    view_file: "View", "Показать";
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that every text stands in both languages, and that none was copied over untranslated.
    #[test]
    fn every_text_has_two_languages() {
        for (key, en, ru) in ALL {
            assert!(!en.trim().is_empty() && !ru.trim().is_empty(), "{key} is empty");
            assert_ne!(en, ru, "{key} is not translated");
            assert!(ru.chars().any(|c| ('а'..='я').contains(&c) || ('А'..='Я').contains(&c)), "{key}: {ru}");
        }
        assert_eq!((texts(Lang::En).lang, texts(Lang::Ru).lang), ("en", "ru"));
    }
}
