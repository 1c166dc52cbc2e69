//! What does the command line itself say, in the language of whoever reads it? Each sentence has its two languages side by
//! side, here or where it is said ([`say!`]), so none can be missing. Sentences about tasks are `core`'s.

use std::fmt;
use std::ops::Deref;
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

/// Words for a person. Errors and notes take nothing else: a sentence is made by [`say!`] in both languages, and what
/// somebody else said is [`Told::quoted`].
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
#[serde(transparent)]
pub struct Told(String);

impl Told {
    /// In words from outside: of the system, of a program, of a person.
    pub fn quoted(words: impl Into<String>) -> Self {
        Self(words.into())
    }

    /// What [`say!`] made.
    #[doc(hidden)]
    pub const fn worded(words: String) -> Self {
        Self(words)
    }
}

impl Deref for Told {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Told {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl PartialEq<&str> for Told {
    fn eq(&self, words: &&str) -> bool {
        self.0 == *words
    }
}

impl PartialEq<String> for Told {
    fn eq(&self, words: &String) -> bool {
        self.0 == *words
    }
}

impl From<Told> for String {
    fn from(told: Told) -> Self {
        told.0
    }
}

/// A sentence in the language that is spoken, as a [`Told`]: `say!("{n} is no port", "{n}: такого порта нет")`. Arguments are
/// those of `format!`, and each language must use all of them.
macro_rules! say {
    ($en:literal, $ru:literal $(, $($more:tt)*)?) => {
        $crate::words::Told::worded(match $crate::words::words().lang {
            ::orch_core::message::Lang::En => format!($en $(, $($more)*)?),
            ::orch_core::message::Lang::Ru => format!($ru $(, $($more)*)?),
        })
    };
}

pub(crate) use say;

/// A number with its noun: in English `1 row`, `2 rows`; in Russian for 1, 2 and 5: `1 строка`, `2 строки`, `5 строк`.
pub fn counted(n: u64, en: [&str; 2], ru: [&str; 3]) -> String {
    counted_in(words().lang, n, en, ru)
}

fn counted_in(lang: Lang, n: u64, en: [&str; 2], ru: [&str; 3]) -> String {
    let noun = match lang {
        Lang::En => en[usize::from(n != 1)],
        Lang::Ru => {
            ru[match (n % 10, n % 100) {
                (1, tens) if tens != 11 => 0,
                (2..=4, tens) if !(12..=14).contains(&tens) => 1,
                (0..=9, _) | (10.., _) => 2,
            }]
        }
    };
    format!("{n} {noun}")
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
    asked_for: "asked for", "запрошена";
    written_down: "written down", "записана";
    edit_same: "nothing is different", "ничего не изменилось";
    edit_changed: "changed", "изменено";
    title: "title", "название";
    text: "description", "описание";
    labels: "labels", "метки";
    no_tasks: "no tasks", "задач нет";
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
    comments: "comments", "комментарии";
    no_comments: "nothing was said yet", "пока ничего не написано";
    comment_stands: "the comment is written", "комментарий записан";
    round: "round", "круг";
    can_do: "what you can do now", "что можно сделать сейчас";
    its_priority_is: "its priority is now", "её приоритет теперь";
    on_its_way: "on its way to", "на пути в";
    not_on: "not on", "ещё нет в";
    stands_on: "on", "в";
    retry_pushes: "`orch retry` pushes it again", "`orch retry` отправит снова";
    tried_again: "tried again by itself", "Orch попробует снова";
    waits_else: "it waits for something else", "она ждёт другого";
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

    /// Proves that numbers bend their nouns.
    #[test]
    fn nouns_follow_their_numbers() {
        let ru = |n| counted_in(Lang::Ru, n, ["row", "rows"], ["строка", "строки", "строк"]);
        let said = [0, 1, 2, 5, 11, 12, 21, 104, 111].map(ru);
        assert_eq!(
            said.join(", "),
            "0 строк, 1 строка, 2 строки, 5 строк, 11 строк, 12 строк, 21 строка, 104 строки, 111 строк"
        );
        let en = |n| counted_in(Lang::En, n, ["row", "rows"], ["строка", "строки", "строк"]);
        assert_eq!([0, 1, 2].map(en).join(", "), "0 rows, 1 row, 2 rows");
    }
}
