//! What does `orch doctor` look at, and how is it called?

use orch_adapters::run::Protection;

use crate::words::{Told, say};

/// What is looked at.
#[derive(Debug, Clone, Copy)]
pub(super) enum Of<'a> {
    Git,
    Settings,
    Environment,
    Folder,
    Secret,
    Trees,
    Disk,
    Brain,
    Listen,
    Store,
    User,
    Machine,
    Run(Protection),
    Sandbox,
    Stop,
    Agents,
    Agent(&'a str),
    Projects,
    Project(&'a str),
}

impl Of<'_> {
    /// Its name for programs.
    pub(super) fn name(self) -> String {
        match self {
            Of::Git => "git".to_owned(),
            Of::Settings => "settings".to_owned(),
            Of::Environment => "environment".to_owned(),
            Of::Folder => "folder".to_owned(),
            Of::Secret => "secret".to_owned(),
            Of::Trees => "trees".to_owned(),
            Of::Disk => "disk".to_owned(),
            Of::Brain => "brain".to_owned(),
            Of::Listen => "listen".to_owned(),
            Of::Store => "store".to_owned(),
            Of::User => "user".to_owned(),
            Of::Machine => "machine".to_owned(),
            Of::Run(protection) => format!("run: {}", protection.name()),
            Of::Sandbox => "sandbox".to_owned(),
            Of::Stop => "stop".to_owned(),
            Of::Agents => "agents".to_owned(),
            Of::Agent(name) => format!("agent {name}"),
            Of::Projects => "projects".to_owned(),
            Of::Project(id) => format!("project {id}"),
        }
    }

    /// Its name for people.
    pub(super) fn label(self) -> Told {
        match self {
            Of::Git => say!("git", "git"),
            Of::Settings => say!("settings", "настройки"),
            Of::Environment => say!("environment", "окружение"),
            Of::Folder => say!("folder", "папка данных"),
            Of::Secret => say!("secret", "секрет"),
            Of::Trees => say!("trees", "деревья"),
            Of::Disk => say!("disk", "диск"),
            Of::Brain => say!("brain", "Orch"),
            Of::Listen => say!("listen", "адрес"),
            Of::Store => say!("store", "хранилище"),
            Of::User => say!("user", "пользователь"),
            Of::Machine => say!("machine", "машина"),
            Of::Run(protection) => {
                let of = protected(protection);
                say!("run: {of}", "запуск: {of}")
            }
            Of::Sandbox => say!("sandbox", "песочница"),
            Of::Stop => say!("stop", "остановка"),
            Of::Agents => say!("agents", "агенты"),
            Of::Agent(name) => say!("agent {name}", "агент {name}"),
            Of::Projects => say!("projects", "проекты"),
            Of::Project(id) => say!("project {id}", "проект {id}"),
        }
    }
}

/// What of the machine is protected from a run.
fn protected(protection: Protection) -> Told {
    match protection {
        Protection::Files { .. } => say!("files", "файлы"),
        Protection::SizesAndDevices { .. } => say!("file sizes and devices", "размеры файлов и устройства"),
        Protection::Sockets { .. } => say!("sockets", "сокеты"),
        Protection::Network => say!("network", "сеть"),
        Protection::Environment => say!("environment", "окружение"),
        Protection::ModelKey => say!("model key", "ключ модели"),
        Protection::User { .. } => say!("user", "пользователь"),
    }
}

/// How far.
pub(super) fn protection(protection: Protection) -> Told {
    match protection {
        Protection::Files { held: true } => say!(
            "a run reads the system's programs, its tree, its home and the project's objects, and writes the tree and the \
             home; neither Orch's data nor another tree",
            "запуск читает программы системы, своё дерево, свою домашнюю папку и объекты проекта, а пишет только в дерево и в \
             домашнюю папку; данные Orch и чужие деревья ему недоступны"
        ),
        Protection::Files { held: false } => say!(
            "this kernel has no Landlock: a run reads and writes all that its user may",
            "в этом ядре нет Landlock: запуск читает и пишет всё, что может его пользователь"
        ),
        Protection::SizesAndDevices { held: true } => say!(
            "a run neither truncates files nor talks to devices outside its list",
            "запуск не обрезает файлы и не обращается к устройствам вне своего списка"
        ),
        Protection::SizesAndDevices { held: false } => say!(
            "a run can truncate files and talk to devices that its user may: Linux 6.10 can forbid it",
            "запуск может обрезать файлы и обращаться к устройствам, доступным его пользователю: запретить это умеет Linux 6.10"
        ),
        Protection::Sockets { held: true } => say!(
            "a run cannot knock at Unix sockets outside its list",
            "запуск не может обратиться к Unix-сокетам вне своего списка"
        ),
        Protection::Sockets { held: false } => say!(
            "a run can knock at every Unix socket that its user may, which only newer kernels can forbid; Orch's own asks for \
             a token",
            "запуск может обратиться к любому Unix-сокету, доступному его пользователю: запретить это умеют только более новые \
             ядра; сокет самого Orch требует токен"
        ),
        Protection::Network => say!(
            "not restricted: an agent must reach its model and a test its packages; so a run can read the dashboard too where \
             reading needs no login, as on this machine; every write needs a credential, and no run has one",
            "не ограничена: агенту нужна его модель, а тестам их пакеты; поэтому запуск может читать и панель там, где для \
             чтения не нужен вход, как на этой машине; для любой записи нужен токен, а его нет ни у одного запуска"
        ),
        Protection::Environment => say!(
            "an allow-list; no token of tracker, forge, chat or deploy is ever in it",
            "по списку разрешённого; токенов трекера, форжа, чата и выкатки в нём никогда нет"
        ),
        Protection::ModelKey => say!(
            "the provider's key or login lies where the agent can read it, its tools too; budgets are settled at the end of a \
             run",
            "ключ или вход поставщика модели лежит там, где его могут прочитать агент и его инструменты; бюджет сверяется в \
             конце запуска"
        ),
        Protection::User { other: Some(user) } => say!(
            "agents and gates run as user {} group {}",
            "агенты и проверки работают от пользователя {}, группа {}",
            user.uid,
            user.gid
        ),
        Protection::User { other: None } => say!(
            "agents and gates run as the user of Orch itself",
            "агенты и проверки работают от пользователя самого Orch"
        ),
    }
}
