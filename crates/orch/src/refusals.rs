//! What do the refusals of the other rooms say to a person? Each of their errors has its English words; the same is said
//! here in Russian, variant by variant, so that a new one is not forgotten. What the system, git or SQLite says is quoted.

use orch_adapters::TablesError;
use orch_adapters::agent::model::BadModel;
use orch_adapters::git::{GitError, GitUnusable, HubError, NoOverlay, OLDEST};
use orch_adapters::http::ClientError;
use orch_core::message::Lang;
use orch_core::replay::{Differs, Illegal};
use orch_store::backup::BackupError;
use orch_store::{Damaged, Holder, OpenError, StoreError};

use crate::error::{Error, Kind};
use crate::words::{Told, counted, words};

/// An error that has words of its own in Russian: what is wrong with its cause, and after `; ` what to do, as in English.
pub trait InRussian: std::error::Error {
    /// The words.
    fn in_russian(&self) -> String;
}

/// All that it says, in the language that is spoken.
pub fn worded<E: InRussian>(error: &E) -> Told {
    Told::quoted(match words().lang {
        Lang::En => crate::compose::chain(error),
        Lang::Ru => error.in_russian(),
    })
}

/// The same taken apart: place and cause, and the remedy.
pub fn told<E: InRussian>(kind: Kind, error: &E) -> Error {
    let (text, source) = match words().lang {
        Lang::En => (error.to_string(), error.source().map(ToString::to_string)),
        Lang::Ru => (error.in_russian(), None),
    };
    let (cause, remedy) =
        text.rsplit_once("; ").map_or((text.as_str(), None), |(cause, remedy)| (cause, Some(remedy)));
    // Some sentences have their cause inside already.
    let source = source.filter(|source| !text.contains(source.as_str()));
    let source = source.map(|source| format!(": {source}")).unwrap_or_default();
    let told = Error::new(kind, Told::quoted(format!("{cause}{source}")));
    match remedy {
        Some(remedy) => told.remedy(Told::quoted(remedy)),
        None => told,
    }
}

/// Why a store cannot be opened: each sentence of the store names the place and the remedy.
pub fn unopened(error: OpenError) -> Error {
    let kind = match &error {
        OpenError::Taken { .. } | OpenError::Older { .. } => Kind::Refused,
        OpenError::Files { source, .. } if source.kind() == std::io::ErrorKind::NotFound => Kind::NotFound,
        OpenError::NotAStore { .. } | OpenError::Newer { .. } | OpenError::OtherMigration { .. } => {
            Kind::Damaged
        }
        _ => Kind::Failed, // not a domain enum
    };
    told(kind, &error)
}

/// Why a store cannot be read.
pub fn unread(error: StoreError) -> Error {
    told(Kind::Damaged, &error)
}

impl InRussian for OpenError {
    fn in_russian(&self) -> String {
        match self {
            OpenError::Taken { place, holder } => format!(
                "{}: с этим хранилищем уже работает другой Orch ({}); остановите его или укажите другую папку данных",
                place.display(),
                holder_in_russian(*holder)
            ),
            OpenError::NetworkFileSystem { place, kind } => format!(
                "{}: это {kind}, здесь SQLite не может гарантировать сохранность данных; перенесите папку данных на \
                 локальный диск",
                place.display()
            ),
            OpenError::OldSqlite { found } => format!(
                "подключена SQLite {found}, а нужна 3.51.3 или новее: прежние могут потерять контрольную точку; соберите \
                 со встроенной"
            ),
            OpenError::NotAStore { place, cause } => format!(
                "{}: это не хранилище Orch ({cause}); укажите другой файл или восстановите хранилище командой `orch restore`",
                place.display()
            ),
            OpenError::Newer { place, found, known } => format!(
                "{}: у хранилища схема {found}, а эта программа знает схемы до {known}; возьмите более новую, которой оно \
                 записано",
                place.display()
            ),
            OpenError::Older { place, found, known } => format!(
                "{}: у хранилища схема {found}, а для чтения нужна {known}; запустите Orch один раз, и он её обновит",
                place.display()
            ),
            OpenError::OtherMigration { place, number } => format!(
                "{}: миграция {number} в хранилище не та, что в этой программе; возьмите ту, которая её применила",
                place.display()
            ),
            OpenError::Migration { place, number, source } => format!(
                "{}: миграция {number} не удалась, и ничего из неё не осталось: {source}; запустите прежнюю программу и \
                 сообщите об этом",
                place.display()
            ),
            OpenError::HalfRestored { place, found } => format!(
                "{}: хранилища нет, а рядом лежит {found}: восстановление прервали; выполните `orch restore` ещё раз или \
                 уберите {found}, чтобы начать с пустого",
                place.display(),
                found = found.display()
            ),
            OpenError::Files { place, source, doing: _ } => format!(
                "{}: {source}; проверьте, что папка данных есть и принадлежит этому пользователю",
                place.display()
            ),
            OpenError::Store(error) => error.in_russian(),
        }
    }
}

impl InRussian for StoreError {
    fn in_russian(&self) -> String {
        match self {
            StoreError::DiskFull { place, remedy: _ } => format!(
                "{}: диск заполнен, ничего не записано; освободите место, и работа продолжится сама, ничего не потеряно",
                place.display()
            ),
            StoreError::Damaged { place, what, cause } => {
                format!("{}: повреждение, {}: {cause}; {}", place.display(), damaged(what), remedy(what))
            }
            StoreError::KeyTaken { place, key } => format!(
                "{}: ключ `{key}` засчитывается один раз и уже записан; ничего не записано",
                place.display()
            ),
            StoreError::NotNext { place, row, head, cause } => format!(
                "{}: строка {row} не следует за строкой {head}: {cause}; ничего не записано, перезапустите Orch и сообщите \
                 об этом",
                place.display()
            ),
            StoreError::AheadOfJournal { place, entity, row, head } => format!(
                "{}: состояние {entity} ссылается на строку {row}, а журнал кончается на {head}; ничего не записано, \
                 сообщите об этом",
                place.display()
            ),
            StoreError::Unwritable { place, what, source } => format!(
                "{}: не удаётся записать как JSON ({what}): {source}; ничего не записано, сообщите об этом",
                place.display()
            ),
            StoreError::Busy { place, doing: _ } => {
                format!("{}: файл занят другой программой; завершите её и попробуйте снова", place.display())
            }
            StoreError::NotLasting { place, source } => format!(
                "{}: не удаётся надёжно записать файл на диск: {source}; проверьте диск, затем выполните `orch doctor`",
                place.display()
            ),
            StoreError::Sqlite { place, source, doing: _ } => format!(
                "{}: SQLite отказала: {source}; проверьте диск, затем выполните `orch doctor`",
                place.display()
            ),
        }
    }
}

/// Who has a store.
pub fn holder(holder: Holder) -> Told {
    Told::quoted(match words().lang {
        Lang::En => holder.to_string(),
        Lang::Ru => holder_in_russian(holder),
    })
}

fn holder_in_russian(holder: Holder) -> String {
    match holder.0 {
        Some(pid) => format!("процесс {pid}"),
        None => "какой это процесс, он не записал".to_owned(),
    }
}

/// What of a store is damaged.
pub fn what_is_damaged(what: &Damaged) -> Told {
    Told::quoted(match words().lang {
        Lang::En => what.to_string(),
        Lang::Ru => damaged(what),
    })
}

fn damaged(what: &Damaged) -> String {
    match what {
        Damaged::Row(seq) => format!("строка журнала {seq}"),
        Damaged::State(entity) => format!("состояние {entity}"),
        Damaged::Effect(id) => format!("открытый эффект {id}"),
        Damaged::Timer(entity) => format!("таймер {entity}"),
        Damaged::Blob(digest) => format!("текст {digest}"),
        Damaged::Tally(place) => format!("счётчик задач {place}"),
        Damaged::File => "сам файл".to_owned(),
    }
}

fn remedy(what: &Damaged) -> &'static str {
    match what {
        Damaged::Row(_) | Damaged::File => {
            "посмотрите командой `orch replay --verify`, докуда журнал цел, затем верните резервную копию командой `orch restore`"
        }
        Damaged::State(_) | Damaged::Effect(_) | Damaged::Timer(_) | Damaged::Tally(_) => {
            "выполните `orch replay --verify`: верить надо журналу; если и он цел, верните резервную копию командой `orch restore`"
        }
        Damaged::Blob(_) => {
            "верните резервную копию командой `orch restore`; сам журнал верен и без этого текста"
        }
    }
}

impl InRussian for BackupError {
    fn in_russian(&self) -> String {
        match self {
            BackupError::Exists { place } => format!(
                "{}: такой файл уже есть; укажите другое имя, резервные копии не перезаписываются",
                place.display()
            ),
            BackupError::Target(error) => format!("восстановить нельзя: {}", error.in_russian()),
            BackupError::Source(error) => format!("хранилище не читается: {}", error.in_russian()),
            BackupError::Unsound { place, first, more } => format!(
                "{}: эта копия повреждена ({}: {}, и ещё {}); возьмите более раннюю",
                place.display(),
                damaged(&first.what),
                first.cause,
                counted(*more, ["finding", "findings"], ["находка", "находки", "находок"])
            ),
            BackupError::Outside(source) => format!(
                "не удалось убрать то, что оставили более поздние строки: {source}; хранилище осталось как было, попробуйте ещё раз"
            ),
            BackupError::Write(error) => format!("копия не записана: {}", error.in_russian()),
            BackupError::Files { place, source, doing: _ } => format!(
                "{}: {source}; проверьте, что папка есть, чья она и хватает ли места",
                place.display()
            ),
        }
    }
}

impl InRussian for HubError {
    fn in_russian(&self) -> String {
        match self {
            HubError::Unreachable { origin, source } => format!(
                "репозиторий `{origin}` не читается: {}; проверьте путь или адрес и свои права",
                source.in_russian()
            ),
            HubError::NoCommits { origin } => {
                format!("в репозитории `{origin}` ещё нет коммитов; сделайте первый и попробуйте снова")
            }
            HubError::DetachedHead { origin } => format!(
                "в `{origin}` не выбрана ветка (detached HEAD); переключитесь там на основную или назовите её"
            ),
            HubError::NoSuchBranch { origin, main, branches } => {
                format!("в репозитории `{origin}` нет ветки `{main}`; назовите одну из этих: {branches}")
            }
            HubError::Shallow { origin } => {
                format!("репозиторий `{origin}` — неполный клон; выполните в нём `git fetch --unshallow`")
            }
            HubError::OtherOrigin { folder, has, wanted } => {
                format!("`{folder}` — копия репозитория `{has}`, а не `{wanted}`; дайте проекту другое имя")
            }
            HubError::Broken { folder, source } => {
                format!("рабочий репозиторий Orch в `{folder}`: {}", source.in_russian())
            }
            HubError::Folder { folder, source } => format!("папка `{folder}`: {source}"),
        }
    }
}

impl InRussian for GitUnusable {
    fn in_russian(&self) -> String {
        match self {
            GitUnusable::NoAnswer { program, source } => format!(
                "`{program}` не отвечает на `git version`: {}; установите git {OLDEST} или новее",
                source.in_russian()
            ),
            GitUnusable::NotGit { program, said } => {
                format!("`{program} version` отвечает `{said}`, версии здесь нет; это точно git?")
            }
            GitUnusable::TooOld { program, version } => {
                format!("`{program}` — это git {version}, а Orch нужен {OLDEST} или новее")
            }
        }
    }
}

impl InRussian for GitError {
    fn in_russian(&self) -> String {
        match self {
            GitError::Io { command, source } => format!("git {command}: {source}"),
            GitError::Refused { command, complaint, code: _ } if complaint.is_empty() => {
                format!("git {command}: завершился без объяснений")
            }
            GitError::Refused { command, complaint, code: _ } => format!("git {command}: {complaint}"),
            GitError::TimedOut { command, after, may_have_happened: _ } => {
                format!("git {command}: нет ответа за {} с, прерван", after.as_secs())
            }
            GitError::TooMuch { command, most } => format!("git {command}: больше {most} байт вывода"),
            GitError::Odd { command, said } => format!("git {command}: неожиданный ответ `{said}`"),
        }
    }
}

impl InRussian for TablesError {
    fn in_russian(&self) -> String {
        let cause = std::error::Error::source(self).map(ToString::to_string).unwrap_or_default();
        format!(
            "таблицы в `{}` не открываются: {cause}; проверьте файл, права на его папку и свободное место",
            self.file()
        )
    }
}

impl InRussian for ClientError {
    fn in_russian(&self) -> String {
        format!("HTTP-клиент не запустился: {}", self.cause())
    }
}

impl InRussian for BadModel {
    fn in_russian(&self) -> String {
        let Self { agent, name, what: _, example } = self;
        format!("агент `{agent}`: имя `{name}` не подходит, пример подходящего: `{example}`")
    }
}

impl InRussian for Illegal {
    fn in_russian(&self) -> String {
        match self {
            Illegal::Gap { after, found } => format!(
                "за строкой {after} идёт строка {found}: часть строк пропала или удвоилась; восстановите резервную копию (`orch restore`)"
            ),
            Illegal::Chain(seq) => format!(
                "строка {seq} не продолжает предыдущую: журнал изменили; восстановите резервную копию (`orch restore`)"
            ),
            Illegal::Hash(seq) => format!(
                "строка {seq} не сходится со своим хешем: её изменили; восстановите резервную копию (`orch restore`)"
            ),
            Illegal::Decision { seq, what } => {
                format!("строка {seq}: те же правила решают иначе ({what}); сообщите об этой ошибке")
            }
        }
    }
}

impl InRussian for Differs {
    fn in_russian(&self) -> String {
        match self {
            Differs::EffectGone(id) => format!(
                "эффекта {id} нет среди открытых, хотя строка {} его запросила и ни одна не закрыла",
                id.seq
            ),
            Differs::EffectLeft(id) => {
                format!("эффект {id} стоит среди открытых, хотя по журналу он закрыт или не был запрошен")
            }
            Differs::EffectOther(id) => {
                format!("открытый эффект {id} не тот, что запросила строка {}", id.seq)
            }
            Differs::TimerGone(entity) => format!("{entity}: таймера нет, хотя журнал его завёл"),
            Differs::TimerLeft(entity) => format!("{entity}: таймер есть, хотя по журналу он не заведён"),
            Differs::TimerOther(entity) => format!("{entity}: таймер не тот, что завёл журнал"),
        }
    }
}

impl InRussian for NoOverlay {
    fn in_russian(&self) -> String {
        match self {
            NoOverlay::Namespace(source) => {
                format!(
                    "своего пространства имён монтирования нет ({source}), для него нужен root с CAP_SYS_ADMIN"
                )
            }
            NoOverlay::Trial { folder, source } => {
                format!("overlay в {} не работает: {source}", folder.display())
            }
        }
    }
}
