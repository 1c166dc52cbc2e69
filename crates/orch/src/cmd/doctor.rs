//! `orch doctor`: what is missing here, and how is it mended? Each thing is looked at, none is changed.

mod of;
mod work;

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

use orch_adapters::git::overlay;
use orch_adapters::process::{
    Enforcement, Landlock, Launcher, Limits, Observed, Output, RunAs, RunSpec, SPEC_VERSION, Sandbox,
    StopWay, wait,
};
use orch_adapters::run::{Machine, Protection};
use serde::Serialize;
use serde_json::json;

use self::of::{Of, protection};
use self::work::{agents, is_given_a_login, project};
use super::Here;
use crate::client::{Client, talk};
use crate::compose::access::reading_is_free;
use crate::compose::secrets::open_to_others;
use crate::compose::{project, user};
use crate::error::{Error, Kind};
use crate::refusals::{unopened, unread, worded};
use crate::screen::{self, ASKS, BAD, DIM, GOOD, PLAIN, cell};
use crate::settings::Settings;
use crate::settings::environment::EffectOf;
use crate::words::{Told, counted, say};

/// What was looked at.
#[derive(Debug, Serialize)]
struct Check {
    /// Its name for programs.
    name: String,
    /// Its name for people.
    #[serde(skip)]
    label: Told,
    /// How it is.
    state: Health,
    /// What was seen.
    says: Told,
    /// How to mend it.
    mend: Option<Told>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Health {
    Good,
    Mind,
    Missing,
}

#[derive(Default)]
struct Checks(Vec<Check>);

impl Checks {
    fn add(&mut self, of: Of<'_>, state: Health, says: Told, mend: Option<Told>) {
        self.0.push(Check { name: of.name(), label: of.label(), state, says, mend });
    }

    fn good(&mut self, of: Of<'_>, says: Told) {
        self.add(of, Health::Good, says, None);
    }

    fn mind(&mut self, of: Of<'_>, says: Told, mend: Told) {
        self.add(of, Health::Mind, says, Some(mend));
    }

    fn missing(&mut self, of: Of<'_>, says: Told, mend: Told) {
        self.add(of, Health::Missing, says, Some(mend));
    }

    /// What `orch up` refuses as root. One that runs was told --allow-root.
    fn refused_as_root(&mut self, of: Of<'_>, up: bool, says: Told, mend: Told) {
        let state = if up { Health::Mind } else { Health::Missing };
        self.add(of, state, says, Some(mend));
    }

    fn error(&mut self, of: Of<'_>, error: &Error) {
        let says = match &error.place {
            Some(place) => format!("{place}: {}", error.cause),
            None => error.cause.clone(),
        };
        self.add(of, Health::Missing, Told::quoted(says), error.remedy.clone().map(Told::quoted));
    }
}

/// Looks at everything; exit code 1 if something that is needed is missing.
///
/// # Errors
/// None so far: what goes wrong is a finding.
pub fn run(here: &Here) -> Result<ExitCode, Error> {
    let mut checks = Checks::default();
    git(&mut checks);
    let settings = settings(here, &mut checks);
    // Of settings that cannot be read nothing is known: the defaults are not what the person wrote.
    folder(here, settings.as_ref().is_none_or(|settings| settings.run_as.is_some()), &mut checks);
    secrets(here, &mut checks);
    disk(here, &mut checks);
    let up = brain(here, &mut checks);
    store(here, &mut checks);
    sandbox(&mut checks);
    trees(here, &mut checks);
    match &settings {
        Some(settings) => set(here, settings, up, &mut checks),
        None => checks.mind(
            Of::Projects,
            say!(
                "neither they nor agents, user and address were looked at: the settings cannot be used",
                "ни они, ни агенты, пользователь и адрес не проверены: настройки не годятся"
            ),
            say!("mend the settings, then ask again", "исправьте настройки и повторите"),
        ),
    }
    let missing = checks.0.iter().filter(|check| check.state == Health::Missing).count();
    if here.json {
        screen::json(&json!({ "ok": missing == 0, "missing": missing, "checks": checks.0 }));
    } else {
        print(&checks.0, missing);
    }
    Ok(ExitCode::from(if missing == 0 { 0 } else { Kind::Failed.code() }))
}

/// What the settings say.
fn set(here: &Here, settings: &Settings, up: bool, checks: &mut Checks) {
    listen(settings, up, checks);
    let runs_as = user(settings, up, checks);
    let machine = machine(here, settings, runs_as, checks);
    agents(here, settings, checks);
    for (id, own) in &settings.projects {
        project(id, own, settings, (up, machine.as_ref()), checks);
    }
    if settings.projects.is_empty() {
        checks.mind(
            Of::Projects,
            say!("none yet", "пока нет"),
            say!("run `orch init` in a repository", "выполните `orch init` в репозитории"),
        );
    }
}

/// What a person reads at a glance.
const WIDTH: usize = 84;

fn print(checks: &[Check], missing: usize) {
    let mut rows = Vec::new();
    for check in checks {
        let (sign, style) = match check.state {
            Health::Good => (say!("ok", "есть"), GOOD),
            Health::Mind => (say!("mind", "учтите"), ASKS),
            Health::Missing => (say!("missing", "не хватает"), BAD),
        };
        let mut says = screen::wrapped(&check.says, WIDTH).into_iter();
        let first = says.next().unwrap_or_default();
        rows.push(vec![cell(style, sign), cell(PLAIN, &check.label), cell(PLAIN, first)]);
        let below = |style, text: String| vec![cell(PLAIN, ""), cell(PLAIN, ""), cell(style, text)];
        rows.extend(says.map(|line| below(PLAIN, line)));
        let mend = check.mend.iter().flat_map(|mend| screen::wrapped(&format!("-> {mend}"), WIDTH));
        rows.extend(mend.map(|line| below(DIM, line)));
    }
    screen::out(&screen::table(&rows));
    screen::line("");
    screen::line(&match missing {
        0 => screen::paint(GOOD, &say!("nothing that is needed is missing", "всё нужное есть")),
        n => {
            let n = counted(n as u64, ["thing", "things"], ["пункт", "пункта", "пунктов"]);
            screen::paint(BAD, &say!("{n} missing", "нужно исправить {n}"))
        }
    });
}

fn git(checks: &mut Checks) {
    let out = Command::new("git").arg("--version").stdin(Stdio::null()).output();
    let Ok(out) = out else {
        return checks.missing(Of::Git, say!("not on PATH", "нет в PATH"), install_git());
    };
    let said = String::from_utf8_lossy(&out.stdout).trim().to_owned();
    match version(&said) {
        Some(found) if found >= (2, 38) => checks.good(Of::Git, Told::quoted(said)),
        Some(_) => checks.missing(
            Of::Git,
            Told::quoted(said),
            say!(
                "install git 2.38 or newer: candidates are built by `git merge-tree --write-tree`",
                "установите git 2.38 или новее: кандидатов собирает `git merge-tree --write-tree`"
            ),
        ),
        None => checks.missing(
            Of::Git,
            say!("no version in `{said}`", "в ответе `{said}` нет версии"),
            install_git(),
        ),
    }
}

fn install_git() -> Told {
    say!("install git 2.38 or newer", "установите git 2.38 или новее")
}

fn version(said: &str) -> Option<(u32, u32)> {
    let number = said.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    let mut parts = number.split('.').map_while(|part| part.parse().ok());
    Some((parts.next()?, parts.next()?))
}

fn settings(here: &Here, checks: &mut Checks) -> Option<Settings> {
    let file = here.home.settings();
    match Settings::load(&file, &here.env) {
        Ok(loaded) => {
            let there = match file.exists() {
                true => say!("read", "прочитан"),
                false => say!("not there: defaults", "файла нет: значения по умолчанию"),
            };
            checks.good(Of::Settings, Told::quoted(format!("{} ({there})", file.display())));
            for remark in &loaded.remarks {
                let says = Told::quoted(format!("{} {}", remark.variable, remark.says));
                match remark.effect {
                    EffectOf::Overrules => checks.good(Of::Environment, says),
                    EffectOf::None | EffectOf::Unknown => {
                        checks.mind(Of::Environment, says, say!("unset it", "уберите эту переменную"));
                    }
                }
            }
            Some(loaded.settings)
        }
        Err(e) => {
            checks.error(Of::Settings, &Error::from(e));
            None
        }
    }
}

/// The data folder. A start gives it the mode that it needs; doctor says what others can do until then.
fn folder(here: &Here, run_as: bool, checks: &mut Checks) {
    let folder = here.home.folder();
    let there = folder.ancestors().find(|folder| folder.exists()).unwrap_or(folder);
    let taken = rustix::fs::access(there, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK);
    let unwritable = taken.err().map(|e| {
        let says = say!("nothing can be written to {}: {e}", "в {} ничего не записать: {e}", there.display());
        let mend = say!(
            "check owner, rights and file system, or name another folder with --home or in ORCH_HOME",
            "проверьте владельца, права и файловую систему или укажите другую папку через --home или в ORCH_HOME"
        );
        (says, mend)
    });
    let Ok(meta) = fs::metadata(folder) else {
        if let Some((says, mend)) = unwritable {
            return checks.missing(Of::Folder, says, mend);
        }
        return checks.mind(
            Of::Folder,
            say!("{} is not there yet", "{} ещё нет", folder.display()),
            say!("`orch up` and `orch init` make it", "её создадут `orch up` или `orch init`"),
        );
    };
    let mode = meta.permissions().mode() & 0o777;
    let own = meta.uid() == rustix::process::geteuid().as_raw();
    let shown = folder.display();
    // The user of `run_as` walks through it to a tree, and sees nothing else on the way.
    let open = if run_as { 0o066 } else { 0o077 };
    if !meta.is_dir() {
        checks.missing(
            Of::Folder,
            say!("{shown} is no folder", "{shown} — не папка"),
            say!(
                "move it away, or set ORCH_HOME to another place",
                "уберите этот файл или укажите другое место в ORCH_HOME"
            ),
        );
    } else if !own {
        checks.missing(
            Of::Folder,
            say!("{shown} belongs to another user", "{shown} принадлежит другому пользователю"),
            say!(
                "run Orch as its owner, or change the owner",
                "запускайте Orch от имени владельца или смените владельца"
            ),
        );
    } else if let Some((says, mend)) = unwritable {
        checks.missing(Of::Folder, says, mend);
    } else if mode & open != 0 {
        checks.mind(
            Of::Folder,
            say!(
                "{shown} is open to other users (mode {mode:o}); `orch up` closes it",
                "{shown} открыта другим пользователям (права {mode:o}); `orch up` её закроет"
            ),
            Told::quoted(format!("chmod {} {shown}", if run_as { 711 } else { 700 })),
        );
    } else if mode & 0o011 != 0 {
        checks.good(
            Of::Folder,
            say!(
                "{shown} (mode {mode:o}: the user of `run_as` can walk through, not look)",
                "{shown} (права {mode:o}: пользователь из `run_as` может пройти сквозь неё, но не видит содержимого)"
            ),
        );
    } else {
        checks.good(Of::Folder, say!("{shown} (mode {mode:o})", "{shown} (права {mode:o})"));
    }
}

/// Files that are only good while nobody else can read them: `orch up` refuses others.
fn secrets(here: &Here, checks: &mut Checks) {
    let hooks = fs::read_dir(here.home.folder().join("hooks")).into_iter().flatten().flatten();
    for path in std::iter::once(here.home.token()).chain(hooks.map(|entry| entry.path())) {
        let Ok(meta) = fs::metadata(&path) else { continue };
        if let Some(why) = open_to_others(&meta) {
            let says = say!(
                "{}: {why}, so it is no secret and `orch up` refuses it",
                "{}: {why}, поэтому это уже не секрет и `orch up` его не примет",
                path.display()
            );
            let mend = say!(
                "delete it: a new one is made at the next start",
                "удалите его: новый появится при следующем запуске"
            );
            checks.missing(Of::Secret, says, mend);
        }
    }
}

/// Which trees runs get. An overlay is tried where the data folder is, or would be: nothing is made for good.
fn trees(here: &Here, checks: &mut Checks) {
    let there = here.home.folder().ancestors().find(|folder| folder.is_dir());
    let says = match there.map(overlay::kind_in) {
        Some(overlay::Kind::Overlays) => say!(
            "overlays on shared files; a repository of few files has recycled ones; Orch's mounts are its own then: what a \
             deploy hook mounts, the machine sees with `nsenter -t 1 -m` only",
            "overlay поверх общих файлов, а для небольшого репозитория — переиспользуемые; монтирования Orch видны только ему: \
             то, что смонтирует команда выкатки, на машине видно лишь через `nsenter -t 1 -m`"
        ),
        Some(overlay::Kind::Recycled(Some(cause))) => {
            let cause = worded(&cause);
            say!("recycled ones, as {cause}", "переиспользуемые: {cause}")
        }
        Some(overlay::Kind::Recycled(None)) | None => say!("recycled ones", "переиспользуемые"),
    };
    checks.good(Of::Trees, says);
}

fn disk(here: &Here, checks: &mut Checks) {
    const LOW: u64 = 1 << 30;
    const SMALL: u64 = 5 << 30;
    let there = here.home.folder().ancestors().find(|folder| folder.exists());
    let Some(Ok(disk)) = there.map(rustix::fs::statvfs) else {
        return checks.mind(
            Of::Disk,
            say!("its free space cannot be told", "сколько на нём свободно, неизвестно"),
            say!("look with `df`", "посмотрите командой `df`"),
        );
    };
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let gib = f64::from(u32::try_from(free >> 20).unwrap_or(u32::MAX)) / 1024.0;
    let says = say!("{gib:.1} GiB free", "свободно {gib:.1} ГиБ");
    match free {
        0..LOW => checks.missing(
            Of::Disk,
            says,
            say!(
                "make room: trees, caches and logs need some",
                "освободите место: оно нужно деревьям, кэшам и логам"
            ),
        ),
        LOW..SMALL => checks.mind(
            Of::Disk,
            says,
            say!("trees, caches and logs may need more", "деревьям, кэшам и логам может понадобиться больше"),
        ),
        SMALL.. => checks.good(Of::Disk, says),
    }
}

fn brain(here: &Here, checks: &mut Checks) -> bool {
    let health = talk(async {
        let client = Client::open(&here.home, None).await?;
        client.get("/health").await
    });
    match health {
        Ok(_) => checks.good(Of::Brain, say!("runs", "работает")),
        Err(e) if e.kind == Kind::NotRunning => checks.mind(
            Of::Brain,
            say!("is not running", "не запущен"),
            say!("start it with `orch up`", "запустите: `orch up`"),
        ),
        Err(e) => checks.error(Of::Brain, &e),
    }
    checks.0.last().is_some_and(|check| check.state == Health::Good)
}

fn listen(settings: &Settings, up: bool, checks: &mut Checks) {
    let address = settings.listen;
    if !up && let Err(e) = TcpListener::bind(address) {
        let says = say!("{address} cannot be used: {e}", "{address} занять нельзя: {e}");
        let mend = say!(
            "stop what has it, or set `listen` in orch.toml",
            "остановите то, что его занимает, или задайте другой `listen` в orch.toml"
        );
        return checks.missing(Of::Listen, says, mend);
    }
    if !address.ip().is_loopback() {
        let says = say!(
            "{address} can be reached from other machines; reading needs a login too",
            "{address} доступен с других машин; вход нужен и для чтения"
        );
        let mend = say!(
            "put a proxy with TLS in front, or listen on 127.0.0.1",
            "поставьте перед ним прокси с TLS или слушайте 127.0.0.1"
        );
        checks.mind(Of::Listen, says, mend);
    } else if reading_is_free(settings) {
        let says = say!(
            "{address}, this machine only: whoever is on it reads without a login, runs too; writing needs one",
            "{address}, только эта машина: все на ней, и запуски тоже, читают без входа; для записи нужен вход"
        );
        checks.good(Of::Listen, says);
    } else {
        let says = say!(
            "{address}, for a proxy, as `hosts` or `https` says: reading needs a login too, on this machine as well",
            "{address}, за прокси, как сказано в `hosts` или `https`: вход нужен и для чтения, и на этой машине тоже"
        );
        checks.good(Of::Listen, says);
    }
}

fn store(here: &Here, checks: &mut Checks) {
    let file = here.home.store();
    if !file.exists() {
        return checks.good(
            Of::Store,
            say!("not there yet: made at the first start", "ещё нет: появится при первом запуске"),
        );
    }
    let head = orch_store::Reader::open(&file).map_err(unopened);
    match head.and_then(|mut reader| reader.head().map_err(unread)) {
        Ok(head) => checks
            .good(Of::Store, say!("the journal ends at row {}", "журнал кончается на строке {}", head.seq)),
        Err(e) => checks.error(Of::Store, &e),
    }
}

/// As whom agents and tests run, in the words with which `orch up` would refuse.
fn user(settings: &Settings, up: bool, checks: &mut Checks) -> Option<RunAs> {
    let own = rustix::process::geteuid();
    let Some(name) = &settings.run_as else {
        if own.is_root() {
            checks.refused_as_root(
                Of::User,
                up,
                say!(
                    "Orch is root, and agents and tests would be too: `orch up` refuses without --allow-root",
                    "Orch запущен от root, и агенты с тестами были бы тоже: `orch up` откажется без --allow-root"
                ),
                say!(
                    "set `run_as` in orch.toml to a user without rights, or run Orch as one",
                    "задайте в orch.toml `run_as`, пользователя без прав, или запускайте Orch от такого"
                ),
            );
        } else {
            checks.good(
                Of::User,
                say!(
                    "not root; agents and tests run as the same user",
                    "не root; агенты и тесты работают от того же пользователя"
                ),
            );
        }
        return None;
    };
    match user::resolve(name, own.as_raw()) {
        Ok(Some(other)) => {
            checks.good(
                Of::User,
                say!(
                    "root; agents and tests run as {name} (uid {})",
                    "root; агенты и тесты работают от {name} (uid {})",
                    other.uid
                ),
            );
            Some(other)
        }
        Ok(None) => {
            checks.good(Of::User, say!("{name}, as `run_as` says", "{name}, как сказано в `run_as`"));
            None
        }
        Err(e) => {
            checks.error(Of::User, &e);
            None
        }
    }
}

/// What of this machine a run sees, and what protects the rest from it, one line each (decision 9). What does not hold is
/// to be known, not to be mended.
fn machine(here: &Here, settings: &Settings, runs_as: Option<RunAs>, checks: &mut Checks) -> Option<Machine> {
    let made =
        super::up::wishes(here).and_then(|wishes| project::machine(&here.home, settings, &wishes, runs_as));
    let machine = match made {
        Ok(machine) => machine,
        Err(e) => {
            checks.error(Of::Machine, &e);
            return None;
        }
    };
    let given = &settings.machine;
    if given.read.is_empty() && given.env.is_empty() {
        checks.good(
            Of::Machine,
            say!(
                "runs get the system's programs and toolchains; [machine] in orch.toml opens more",
                "запускам доступны программы системы и инструменты сборки; больше открывает [machine] в orch.toml"
            ),
        );
    } else {
        let shown = |path: &PathBuf| path.display().to_string();
        let read = given.read.iter().map(shown).collect::<Vec<_>>().join(", ");
        let env = given.env.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        let none = |text: String| if text.is_empty() { say!("nothing", "—") } else { Told::quoted(text) };
        checks.good(
            Of::Machine,
            say!(
                "runs may also read {}; they get the variables {}",
                "запускам можно читать и это: {}; им передаются переменные: {}",
                none(read),
                none(env)
            ),
        );
    }
    for path in given.read.iter().filter(|path| !path.exists()) {
        let says = say!(
            "`machine.read` names {}, which is not there",
            "в `machine.read` указано {}, но этого нет",
            path.display()
        );
        checks.mind(
            Of::Machine,
            says,
            say!("mend [machine] in orch.toml", "исправьте [machine] в orch.toml"),
        );
    }
    // Who a run is has a line of its own already.
    let of_runs = machine.enforced().into_iter();
    for fact in of_runs.filter(|fact| !matches!(fact, Protection::User { .. })) {
        if fact == Protection::ModelKey && !settings.agents.values().any(is_given_a_login) {
            let says = say!(
                "no agent is given a key or a login, so no run can read one",
                "ключа или входа не дано ни одному агенту, так что запускам читать нечего"
            );
            checks.good(Of::Run(fact), says);
            continue;
        }
        let state = if fact.holds() { Health::Good } else { Health::Mind };
        checks.add(Of::Run(fact), state, protection(fact), None);
    }
    Some(machine)
}

/// Runs a real program under the real supervisor, and reads in its record what the kernel enforced.
fn sandbox(checks: &mut Checks) {
    match probe() {
        Ok((enforced, cgroup)) => {
            match enforced {
                Some(Enforcement::FullyEnforced) => {
                    checks.good(
                        Of::Sandbox,
                        say!("Landlock keeps runs in their trees", "Landlock удерживает запуски в их деревьях"),
                    );
                }
                Some(Enforcement::PartiallyEnforced) => checks.mind(
                    Of::Sandbox,
                    say!(
                        "Landlock enforces a part: this kernel is older than the rules",
                        "Landlock действует частично: это ядро старше правил"
                    ),
                    say!("a newer kernel (6.12) enforces all of it", "полностью правила действуют в ядре 6.12 и новее"),
                ),
                Some(Enforcement::NotEnforced) | None => checks.mind(
                    Of::Sandbox,
                    say!(
                        "the kernel enforces nothing: agents can read what their user can",
                        "ядро ничего не ограничивает: агенты могут читать всё, что может их пользователь"
                    ),
                    say!(
                        "use a kernel with Landlock (5.13 or newer, lsm=landlock), or `run_as` a user of its own",
                        "возьмите ядро с Landlock (5.13 или новее, lsm=landlock) или задайте в `run_as` отдельного \
                         пользователя"
                    ),
                ),
            }
            if cgroup {
                checks.good(
                    Of::Stop,
                    say!("runs are stopped by cgroup", "запуски останавливаются через cgroup"),
                );
            } else {
                checks.mind(
                    Of::Stop,
                    say!(
                        "no cgroup can be made here: runs are stopped process by process",
                        "cgroup здесь создать нельзя: запуски останавливаются по одному процессу"
                    ),
                    say!(
                        "nothing needs mending; systemd with Delegate=yes gives one",
                        "исправлять ничего не нужно; cgroup даёт systemd с Delegate=yes"
                    ),
                );
            }
        }
        Err(e) => checks.error(Of::Sandbox, &e),
    }
}

fn probe() -> Result<(Option<Enforcement>, bool), Error> {
    let failed = |e: &dyn std::fmt::Display| {
        Error::failed(say!("a trial run could not be made: {e}", "пробный запуск не удался: {e}")).remedy(
            say!(
                "report this with `orch --version` and `uname -a`",
                "сообщите об этом, приложив вывод `orch --version` и `uname -a`"
            ),
        )
    };
    let exe = std::env::current_exe().map_err(|e| failed(&e))?;
    let mut name = [0; 8];
    getrandom::fill(&mut name).map_err(|e| failed(&e))?;
    let name: String = name.iter().map(|byte| format!("{byte:02x}")).collect();
    let folder = Scratch(std::env::temp_dir().join(format!("orch-doctor-{name}")));
    let tree = folder.0.join("tree");
    fs::create_dir_all(&tree).map_err(|e| failed(&e))?;
    let spec = RunSpec {
        version: SPEC_VERSION,
        run: "doctor".to_owned(),
        program: "true".to_owned(),
        args: Vec::new(),
        env: [("PATH".to_owned(), "/usr/bin:/bin".to_owned())].into(),
        cwd: tree.clone(),
        stdin: None,
        output: Output::default(),
        time_limit_ms: Some(10_000),
        stop: StopWay::default(),
        limits: Limits::default(),
        sandbox: Sandbox::Landlock(Landlock::for_tree(&tree)),
        no_new_privs: true,
        run_as: None,
        keep_children: false,
    };
    let run = folder.0.join("run");
    Launcher { exe }.start(&run, &spec).map_err(|e| failed(&e))?;
    match talk(async { Ok(wait(&run).await) })? {
        Observed::Ended(record) => Ok((record.sandbox, record.cgroup)),
        other => Err(failed(&format!("{other:?}"))),
    }
}

/// A folder that goes when it is done with.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays is an empty trial in the folder for temporary files.
        let _ = fs::remove_dir_all(&self.0);
    }
}
