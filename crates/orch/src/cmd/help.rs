//! What does the help say to who reads Russian? The derived texts are the English ones; here is the other half, by command
//! and argument, and a test that none is missing.

use clap::builder::Resettable;
use clap::{Command, CommandFactory as _};
use orch_core::message::Lang;

use super::Cli;
use crate::words::words;

/// The command line, with its help in the language that is spoken.
pub fn command() -> Command {
    match words().lang {
        Lang::En => Cli::command(),
        Lang::Ru => in_russian(Cli::command(), ""),
    }
}

/// What `clap` itself writes around the texts.
const FRAME: [(&str, &str); 15] = [
    ("Print this message or the help of the given subcommand(s)", "Показать эту справку или справку команды"),
    ("Print help (see more with '--help')", "Показать справку (подробнее с `--help`)"),
    ("Print help (see a summary with '-h')", "Показать справку (короче с `-h`)"),
    ("Print help", "Показать справку"),
    ("Print version", "Показать версию"),
    ("Usage:", "Вызов:"),
    ("Commands:", "Команды:"),
    ("Arguments:", "Аргументы:"),
    ("Options:", "Ключи:"),
    ("[OPTIONS]", "[КЛЮЧИ]"),
    ("<COMMAND>", "<КОМАНДА>"),
    ("[COMMAND]", "[КОМАНДА]"),
    ("[default:", "[по умолчанию:"),
    ("[aliases:", "[иначе:"),
    ("[alias:", "[иначе:"),
];

/// A help as `clap` made it, with what it wrote around the texts in the language that is spoken too.
pub fn framed(help: String) -> String {
    match words().lang {
        Lang::En => help,
        Lang::Ru => FRAME.iter().fold(help, |help, (english, russian)| help.replace(english, russian)),
    }
}

/// A command with the texts of its path, and all below it.
fn in_russian(command: Command, path: &str) -> Command {
    let text = |key: &str| TEXTS.iter().find(|(known, _)| *known == key).map(|(_, text)| *text);
    let command = match text(path) {
        Some(about) => command.about(about).long_about(Resettable::Reset),
        None => command,
    };
    let command = match path {
        "" => command.after_help(EXIT_CODES),
        _ => command, // not a domain enum
    };
    let command = command.mut_args(|arg| match text(&key(path, arg.get_id().as_str())) {
        Some(help) => {
            let heading = arg.get_help_heading().map(|_| "Везде");
            let takes = arg.get_action().takes_values();
            let values = if takes { arg.get_possible_values() } else { Vec::new() };
            // Values with a meaning of their own are explained by the text.
            let names: Vec<&str> = values
                .iter()
                .filter(|value| value.get_help().is_none())
                .map(|value| value.get_name())
                .collect();
            let help = match names.is_empty() {
                true => help.to_owned(),
                false => format!("{help} [возможно: {}]", names.join(", ")),
            };
            arg.help(help).long_help(Resettable::Reset).help_heading(heading).hide_possible_values(takes)
        }
        None => arg,
    });
    command.mut_subcommands(|below| {
        let path = format!("{path} {}", below.get_name()).trim_start().to_owned();
        in_russian(below, &path)
    })
}

fn key(path: &str, argument: &str) -> String {
    format!("{path}/{argument}")
}

const EXIT_CODES: &str = "Коды завершения: 0 сделано, 1 не удалось, 2 командная строка, 3 не найдено, 4 отказано, 5 Orch не \
                          запущен, 6 хранилище повреждено, 7 ошибка в настройках или политике.";

const TASK: &str = "Задача, например ORCH-042 или orch-42";
const WHAT: &str = "Только если решения всё ещё ждёт именно это: отпечаток из `orch show` или его начало";
const PROJECT: &str = "Проект [по умолчанию: тот, где вы находитесь, или единственный]";
const STORE: &str = "Где журнал: memory — в памяти; sqlite — в настоящем хранилище на диске, при каждом падении его бросают и открывают заново";

/// Commands by their path, arguments after a slash.
const TEXTS: &[(&str, &str)] = &[
    ("", "Сам доставляет изменения: из задачи получается выкаченное изменение."),
    ("/home", "Папка данных [по умолчанию: $ORCH_HOME, иначе orch в папке состояния XDG]"),
    ("/json", "Выводить JSON; ошибки тоже, в стандартный поток ошибок"),
    ("demo", "Показать путь одной задачи до выкаченного изменения, агенты играют по сценарию"),
    ("demo/once", "В конце всё завершить; код 0, только если изменение выкачено и сервис отвечает по-новому"),
    ("demo/ask", "Одобряет и подтверждает человек"),
    (
        "demo/spoil",
        "Испортить один шаг и посмотреть, как задача остановится: `ci`, `review`, `merge`, `health`",
    ),
    ("demo/stop", "Завершить демонстрацию, которая продолжает работать"),
    ("demo/workspace", "В какой папке [по умолчанию: orch-demo рядом с папкой данных]"),
    ("demo/listen", "На каком адресе панель; порт 0: любой"),
    ("init", "Сделать проект из репозитория, в котором вы находитесь"),
    ("init/name", "Имя проекта [по умолчанию: имя папки]"),
    ("init/prefix", "Префикс задач, например `DEMO` для `DEMO-001` [по умолчанию: из имени]"),
    ("init/preset", "Набор этапов [по умолчанию: library; с --hook: full]"),
    ("init/test", "Команда тестов [по умолчанию: как подсказывают файлы]"),
    ("init/agent", "Агент: имя из orch.toml или программа [по умолчанию: какой найдётся]"),
    ("init/hook", "Программа, которая выкатывает, вне репозитория"),
    ("init/health", "Адрес, по которому выкаченный сервис называет свой коммит"),
    ("init/yes", "Ничего не спрашивать, взять то, что нашлось"),
    ("up", "Запустить Orch: панель, API и работа"),
    (
        "up/allow_root",
        "От root: если `run_as` не задан, запускать агентов и тесты от root и работать в чужих репозиториях",
    ),
    ("login", "Напечатать ссылку, по которой войдёт браузер"),
    ("new", "Попросить об изменении"),
    ("new/title", "Что должно измениться, одной фразой"),
    ("new/text", "Подробности; `-` читает стандартный ввод"),
    ("new/project", "В каком проекте [по умолчанию: тот, где вы находитесь, или единственный]"),
    ("new/backlog", "Только записать; начнёт `orch start`"),
    ("edit", "Изменить то, о чём просили: название, описание, метки"),
    ("edit/task", "Задача, например ORCH-042 или orch-42"),
    ("edit/title", "Другое название: что должно измениться, одной фразой"),
    ("edit/text", "Другое описание; `-` читает стандартный ввод, пустое его убирает"),
    ("edit/label", "Поставить метку (+) или снять её (-); можно дважды"),
    (
        "sim run/jobs",
        "Сколько сразу; от этого ничего не меняется: те же seed дают те же байты [по умолчанию: по числу процессоров]",
    ),
    (
        "sim run/ledger",
        "Записывать пройденное в этот файл: та же команда продолжит с места остановки; нарушение считается и не прерывает прогон. Текущие истории лежат рядом, в FILE.0.trace и далее",
    ),
    ("sim run/report", "Написать обо всём страницу, из журнала прогона (нужен --ledger)"),
    ("sim run/machine", "Что сказать на странице о машине [по умолчанию: сколько в ней процессоров]"),
    ("drill", "Ломать по одной вещи в пробной установке и смотреть, держится ли Orch"),
    ("drill/names", "Какие учения [по умолчанию: все]"),
    ("drill/list", "Только сказать, что можно испытать"),
    ("drill/strict", "Считать неудачей и то, что испытать не удалось"),
    ("drill/report", "Записать таблицу и в этот файл, в Markdown"),
    (
        "drill/workspace",
        "Где это происходит: папка создаётся и потом удаляется [по умолчанию: orch-drill рядом с папкой данных]",
    ),
    ("list", "Задачи"),
    ("list/all", "И завершённые тоже"),
    ("list/project", "Только этого проекта"),
    ("list/stage", "Только на этом этапе"),
    ("list/most", "Не больше стольких"),
    ("show", "Всё о задаче"),
    ("show/task", TASK),
    ("why", "Чего ждёт задача, с каких пор и что её сдвинет"),
    ("why/task", TASK),
    ("logs", "Что пишет запуск"),
    ("logs/task", TASK),
    ("logs/follow", "Остаться и печатать новое"),
    ("logs/run", "Какой запуск, например r12.0 [по умолчанию: последний]"),
    ("logs/err", "Поток ошибок вместо стандартного вывода"),
    ("logs/whole", "С начала, а не конец"),
    ("diff", "Что меняет задача"),
    ("diff/task", TASK),
    ("comments", "Что написано под задачей, в том числе вопросы аналитика"),
    ("comments/task", TASK),
    ("comment", "Написать под задачей: например, ответить на вопросы"),
    ("comment/task", TASK),
    ("comment/text", "Что написать, в Markdown; `-` читает стандартный ввод"),
    ("approve", "Одобрить требования или изменение защищённых файлов"),
    ("approve/task", TASK),
    ("approve/what", WHAT),
    ("reject", "Отклонить и сказать почему"),
    ("reject/task", TASK),
    (
        "reject/why",
        "Почему: следующий запуск прочтёт это дословно [по умолчанию: последний комментарий человека]",
    ),
    ("reject/reason", "То же самое по имени"),
    ("confirm", "Подтвердить выкатку или слияние"),
    ("confirm/task", TASK),
    ("confirm/what", WHAT),
    ("stop", "Остановить задачу насовсем"),
    ("stop/task", TASK),
    (
        "retry",
        "Начать заново там, где задача остановилась, или сейчас попробовать то, что ждёт новой попытки",
    ),
    ("retry/task", TASK),
    ("start", "Начать задачу или продолжить, когда на вопросы ответили"),
    ("start/task", TASK),
    ("continue", "Продолжить, хотя запрос изменили после одобрения или ветку убрали"),
    ("continue/task", TASK),
    ("accept", "Принять то, что слили в обход проверок, или выкатку, которую вы посмотрели"),
    ("accept/task", TASK),
    ("accept/what", WHAT),
    ("allow", "Разрешить ещё один запуск, что бы ни говорили бюджеты"),
    ("allow/task", TASK),
    ("priority", "Насколько задача срочная"),
    ("priority/task", TASK),
    ("priority/level", "`urgent` — срочно, `high` — высокий, `normal` — обычный, `low` — низкий"),
    ("pause", "Не начинать нового; что идёт, дойдёт до конца запуска"),
    ("pause/drain", "Начатые задачи идут до конца; новое не начинается"),
    ("unpause", "Снова давать ход"),
    ("resume", "Без задачи: `unpause`; с задачей: `start`"),
    ("resume/task", "Задача; без неё вся установка"),
    ("freeze", "Ничего не сливать в репозиторий проекта"),
    ("freeze/project", PROJECT),
    ("unfreeze", "Разморозить репозиторий проекта"),
    ("unfreeze/project", PROJECT),
    ("events", "Что происходит и почему"),
    ("events/task", "Что происходило с этой задачей"),
    ("events/follow", "Остаться и печатать новое"),
    ("events/after", "Только то, что в журнале после этого места"),
    ("events/most", "Не больше стольких"),
    ("doctor", "Чего здесь не хватает и как это исправить"),
    ("settings", "Действующие настройки"),
    ("hosts", "Хосты, к которым Orch может обращаться"),
    ("replay", "Свернуть журнал заново и сравнить"),
    ("replay/verify", "Сравнить с хранимыми состояниями, открытыми эффектами и таймерами"),
    ("audit", "Пройти по main: у каждого ли коммита есть вердикт именно по его дереву"),
    ("audit/project", "Только этот проект"),
    ("backup", "Скопировать хранилище, можно и на ходу"),
    ("backup/to", "Новый файл"),
    ("restore", "Поставить копию на место хранилища"),
    ("restore/from", "Копия"),
    ("sim", "Случайные истории в симуляции, и любая из них по шагам"),
    (
        "sim run",
        "Прожить случайные истории; первая, что нарушит обещание, укорачивается и сохраняется в файл",
    ),
    ("sim run/seeds", "Сколько"),
    ("sim run/from", "Первый seed"),
    (
        "sim run/faults",
        "Что ломается: `some` — машина, `people` — люди в любой момент, `all` — всё, что есть",
    ),
    ("sim run/store", STORE),
    (
        "sim run/keep",
        "Папка для истории, которая не удалась [по умолчанию: crates/sim/histories, иначе текущая]",
    ),
    (
        "sim run/patience",
        "Как долго укорачивать неудачную историю, в тысячах шагов симуляции; 0 оставит как есть",
    ),
    ("sim step", "Пройти историю или сценарий строка за строкой"),
    ("sim step/file", "История или сценарий"),
    ("sim step/at", "Начать после стольких строк"),
    ("sim step/store", STORE),
    ("sim step/all", "Печатать каждый шаг, на терминале тоже"),
    ("completions", "Дополнения для оболочки: orch completions bash > ..."),
    ("completions/shell", "Оболочка"),
    ("reference", "Напечатать справочник"),
    (
        "reference/what",
        "Какой: `settings` — orch.toml; `policy` — .orch/policy.toml; `env` — окружение; `example` — orch.toml с примером всего",
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Each text of a command and of those below it: its key and its English.
    fn english(command: &Command, path: &str, all: &mut Vec<(String, String)>) {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        all.push((path.to_owned(), about));
        for arg in command.get_arguments().filter(|arg| !arg.is_hide_set()) {
            let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
            all.push((key(path, arg.get_id().as_str()), help));
        }
        for below in command.get_subcommands() {
            english(below, format!("{path} {}", below.get_name()).trim_start(), all);
        }
    }

    /// Proves that every command and every argument has its help in both languages, and that none is left of one that is
    /// gone.
    #[test]
    fn every_help_is_translated() {
        let mut all = Vec::new();
        english(&Cli::command(), "", &mut all);
        let missing: Vec<_> =
            all.iter().filter(|(key, _)| !TEXTS.iter().any(|(known, _)| known == key)).collect();
        assert!(missing.is_empty(), "write these in Russian: {missing:#?}");
        let left: Vec<_> =
            TEXTS.iter().filter(|(known, _)| !all.iter().any(|(key, _)| key == known)).collect();
        assert!(left.is_empty(), "nobody says this any more: {left:#?}");
        let keys: BTreeSet<_> = TEXTS.iter().map(|(key, _)| key).collect();
        assert_eq!(keys.len(), TEXTS.len());
        for (key, text) in TEXTS {
            assert!(text.chars().any(|c| ('а'..='я').contains(&c)), "{key}: {text}");
        }
    }

    /// Proves that nothing of a whole help stays English: neither a text nor what stands around it.
    #[test]
    fn a_russian_help_is_russian() {
        fn check(command: &mut Command) {
            let help = command.render_long_help().to_string() + &command.render_help().to_string();
            let help = FRAME.iter().fold(help, |help, (english, russian)| help.replace(english, russian));
            for word in ["the", "Print", "values", "default:", "task,", "Only", "Usage"] {
                let found = help.split_whitespace().find(|found| *found == word);
                assert_eq!(found, None, "{}: {help}", command.get_name());
            }
            command.get_subcommands_mut().for_each(check);
        }
        let mut command = in_russian(Cli::command(), "");
        command.build();
        check(&mut command);
    }
}
