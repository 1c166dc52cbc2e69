//! What does the command line itself say, in the language of the installation? Labels, hints and the most frequent errors;
//! each line has its two languages side by side, so none can be missing. Sentences about tasks are `core`'s.

use std::sync::OnceLock;

use orch_core::message::Lang;

macro_rules! words {
    ($($key:ident: $en:literal, $ru:literal;)*) => {
        /// The words of the command line in one language.
        #[derive(Debug)]
        #[expect(missing_docs, reason = "each word stands for itself")]
        pub struct Words {
            /// The language.
            pub lang: Lang,
            $(pub $key: &'static str,)*
        }

        static EN: Words = Words { lang: Lang::En, $($key: $en,)* };
        static RU: Words = Words { lang: Lang::Ru, $($key: $ru,)* };

        #[cfg(test)]
        const ALL: &[(&str, &str, &str)] = &[$((stringify!($key), $en, $ru),)*];
    };
}

static SPOKEN: OnceLock<Lang> = OnceLock::new();

/// From now on this language is spoken; a process speaks one, so only the first call counts.
pub fn speak(lang: Lang) {
    let _ = SPOKEN.set(lang);
}

/// The words of the language that is spoken: English until something else was said.
pub fn words() -> &'static Words {
    of(SPOKEN.get().copied().unwrap_or_default())
}

/// The words of a language.
pub fn of(lang: Lang) -> &'static Words {
    match lang {
        Lang::En => &EN,
        Lang::Ru => &RU,
    }
}

impl Words {
    /// A verdict or an urgency that the API names; what it does not name stays as it is.
    pub fn named<'a>(&'a self, named: &'a str) -> &'a str {
        match named {
            "pass" => self.pass,
            "fail" => self.fail,
            "unavailable" => self.unavailable,
            "positive" => self.positive,
            "negative" => self.negative,
            "unreadable" => self.unreadable,
            "title" => self.title,
            "text" => self.text,
            "labels" => self.labels,
            "urgent" => self.urgent,
            "high" => self.high,
            "normal" => self.normal,
            "low" => self.low,
            other => other, // not a domain enum
        }
    }
}

words! {
    error: "error", "ошибка";
    place: "where", "где";
    remedy: "remedy", "что делать";
    note: "note:", "замечание:";
    left: "Orch is not running; this is how the store was left. `orch up` starts it.", "Orch не запущен; показано то, что осталось в хранилище. Запустить: `orch up`.";
    not_running: "Orch is not running here, so nothing was done", "Orch здесь не запущен, поэтому ничего не сделано";
    start_it: "start it with `orch up`", "запустите: `orch up`";
    no_project: "there is no project yet", "проектов пока нет";
    no_such_project: "there is no project", "нет проекта";
    there_are: "there are", "есть";
    add_one: "run `orch init` in a repository", "выполните `orch init` в репозитории";
    which_project: "which project?", "какой проект?";
    name_it: "go into its repository, or name it with --project", "перейдите в его репозиторий или назовите его через --project";
    title_empty: "the title is empty", "название пустое";
    say_title: "say in one sentence what should be different", "скажите одной фразой, что должно измениться";
    reason_empty: "the reason is empty", "причина пустая";
    say_reason: "say why, or leave --reason out", "скажите почему или уберите --reason";
    asked_for: "asked for", "запрошена";
    written_down: "written down", "записана";
    edit_nothing: "nothing is named that should change", "не названо, что изменить";
    edit_what: "name --title, --text or --label", "назовите --title, --text или --label";
    edit_same: "nothing is different", "ничего не изменилось";
    edit_changed: "changed", "изменено";
    title: "title", "название";
    text: "description", "описание";
    labels: "labels", "метки";
    no_tasks: "no tasks", "задач нет";
    more_tasks: "there are more; -n 200 shows up to 200", "есть ещё; -n 200 покажет до 200";
    also: "also", "а также";
    project: "project", "проект";
    priority: "priority", "приоритет";
    attempt: "attempt", "попытка";
    cost: "cost", "стоимость";
    branch: "branch", "ветка";
    head: "head", "последний коммит";
    change_request: "change request", "запрос на изменение";
    merged: "merged", "слито";
    deployed: "deployed", "выкачено";
    urgent: "urgent", "срочно";
    high: "high", "высокий";
    normal: "normal", "обычный";
    low: "low", "низкий";
    runs: "runs", "запуски";
    is_running: "runs", "идёт";
    gates: "gates", "проверки";
    pass: "pass", "пройдено";
    fail: "fail", "не пройдено";
    unavailable: "unavailable", "не удалось проверить";
    positive: "positive", "положительный";
    negative: "negative", "отрицательный";
    unreadable: "unreadable", "не читается";
    files: "files", "файлы";
    can_do: "what you can do now", "что можно сделать сейчас";
    its_priority_is: "its priority is now", "её приоритет теперь";
    on_its_way: "on its way to", "на пути в";
    not_on: "not on", "ещё нет в";
    stands_on: "on", "в";
    retry_pushes: "`orch retry` pushes it again", "`orch retry` отправит снова";
    tried_again: "tried again by itself", "Orch попробует снова";
    waits_else: "it waits for something else", "она ждёт другого";
    why_says: "says what would move it", "скажет, что её сдвинет";
    show_says: "ends with what you can do now", "в конце показывает, что можно сделать сейчас";
    no_effect: "had no effect", "ничего не изменила";
    done: "done", "сделано";
    said_before: "this was said before and counted once", "это уже было сказано и учтено один раз";
    serves: "Orch serves", "Orch работает";
    link_hint: "the link signs one browser in; Ctrl-C ends Orch, and runs go on", "по ссылке войдёт один браузер; Ctrl-C завершает Orch, а запуски продолжаются";
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that every word stands in both languages, and that none was copied over untranslated.
    #[test]
    fn every_word_has_two_languages() {
        for (key, en, ru) in ALL {
            assert!(!en.trim().is_empty() && !ru.trim().is_empty(), "{key} is empty");
            assert!(ru.chars().any(|c| ('а'..='я').contains(&c)), "{key} is not translated: {ru}");
        }
        assert_eq!((of(Lang::En).lang, of(Lang::Ru).lang), (Lang::En, Lang::Ru));
    }
}
