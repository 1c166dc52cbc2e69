//! `orch doctor`: what is missing here, and how is it mended? Each thing is looked at, none is changed.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use orch_adapters::process::{
    Enforcement, Landlock, Launcher, Limits, Observed, Output, RunAs, RunSpec, SPEC_VERSION, Sandbox,
    StopWay, wait,
};
use orch_core::stage::Role;
use serde::Serialize;
use serde_json::json;

use super::Here;
use crate::client::{Client, talk};
use crate::compose::access::reading_is_free;
use crate::compose::secrets::open_to_others;
use crate::compose::{project, user};
use crate::detect;
use crate::error::{Error, Kind, unopened, unread};
use crate::policy_file::{self, PolicyFile, effective};
use crate::screen::{self, ASKS, BAD, DIM, GOOD, PLAIN, cell};
use crate::settings::check::in_checkout;
use crate::settings::environment::EffectOf;
use crate::settings::{Agent, AgentKind, Project, Settings};

/// What was looked at.
#[derive(Debug, Serialize)]
struct Check {
    /// Its name.
    name: String,
    /// How it is.
    state: Health,
    /// What was seen.
    says: String,
    /// How to mend it.
    mend: Option<String>,
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
    fn add(&mut self, name: &str, state: Health, says: impl Into<String>, mend: Option<String>) {
        self.0.push(Check { name: name.to_owned(), state, says: says.into(), mend });
    }

    fn good(&mut self, name: &str, says: impl Into<String>) {
        self.add(name, Health::Good, says, None);
    }

    fn mind(&mut self, name: &str, says: impl Into<String>, mend: &str) {
        self.add(name, Health::Mind, says, Some(mend.to_owned()));
    }

    fn missing(&mut self, name: &str, says: impl Into<String>, mend: &str) {
        self.add(name, Health::Missing, says, Some(mend.to_owned()));
    }

    /// What `orch up` refuses as root. One that runs was told --allow-root.
    fn refused_as_root(&mut self, name: &str, up: bool, says: impl Into<String>, mend: &str) {
        let state = if up { Health::Mind } else { Health::Missing };
        self.add(name, state, says, Some(mend.to_owned()));
    }

    fn error(&mut self, name: &str, error: &Error) {
        let says = match &error.place {
            Some(place) => format!("{place}: {}", error.cause),
            None => error.cause.clone(),
        };
        self.add(name, Health::Missing, says, error.remedy.clone());
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
    folder(here, settings.run_as.is_some(), &mut checks);
    secrets(here, &mut checks);
    disk(here, &mut checks);
    let up = brain(here, &mut checks);
    listen(&settings, up, &mut checks);
    store(here, &mut checks);
    let runs_as = user(&settings, up, &mut checks);
    sandbox(&mut checks);
    trees(here, &mut checks);
    machine(here, &settings, runs_as, &mut checks);
    agents(here, &settings, &mut checks);
    for (id, own) in &settings.projects {
        project(id, own, &settings, up, &mut checks);
    }
    if settings.projects.is_empty() {
        checks.mind("projects", "none yet", "run `orch init` in a repository");
    }
    let missing = checks.0.iter().filter(|check| check.state == Health::Missing).count();
    if here.json {
        screen::json(&json!({ "ok": missing == 0, "missing": missing, "checks": checks.0 }));
    } else {
        print(&checks.0, missing);
    }
    Ok(ExitCode::from(if missing == 0 { 0 } else { Kind::Failed.code() }))
}

/// What a person reads at a glance.
const WIDTH: usize = 84;

fn print(checks: &[Check], missing: usize) {
    let mut rows = Vec::new();
    for check in checks {
        let (sign, style) = match check.state {
            Health::Good => ("ok", GOOD),
            Health::Mind => ("mind", ASKS),
            Health::Missing => ("missing", BAD),
        };
        let mut says = screen::wrapped(&check.says, WIDTH).into_iter();
        let first = says.next().unwrap_or_default();
        rows.push(vec![cell(style, sign), cell(PLAIN, &check.name), cell(PLAIN, first)]);
        let below = |style, text: String| vec![cell(PLAIN, ""), cell(PLAIN, ""), cell(style, text)];
        rows.extend(says.map(|line| below(PLAIN, line)));
        let mend = check.mend.iter().flat_map(|mend| screen::wrapped(&format!("-> {mend}"), WIDTH));
        rows.extend(mend.map(|line| below(DIM, line)));
    }
    screen::out(&screen::table(&rows));
    screen::line("");
    screen::line(&match missing {
        0 => screen::paint(GOOD, "nothing that is needed is missing"),
        n => screen::paint(BAD, &format!("{} missing", screen::count(n, "thing"))),
    });
}

fn git(checks: &mut Checks) {
    let out = Command::new("git").arg("--version").stdin(Stdio::null()).output();
    let Ok(out) = out else {
        return checks.missing("git", "not on PATH", "install git 2.38 or newer");
    };
    let said = String::from_utf8_lossy(&out.stdout).trim().to_owned();
    match version(&said) {
        Some(found) if found >= (2, 38) => checks.good("git", said),
        Some(_) => checks.missing(
            "git",
            said,
            "install git 2.38 or newer: candidates are built by `git merge-tree --write-tree`",
        ),
        None => checks.missing("git", format!("no version in `{said}`"), "install git 2.38 or newer"),
    }
}

fn version(said: &str) -> Option<(u32, u32)> {
    let number = said.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    let mut parts = number.split('.').map_while(|part| part.parse().ok());
    Some((parts.next()?, parts.next()?))
}

fn settings(here: &Here, checks: &mut Checks) -> Settings {
    let file = here.home.settings();
    match Settings::load(&file, &here.env) {
        Ok(loaded) => {
            let there = if file.exists() { "read" } else { "not there: defaults" };
            checks.good("settings", format!("{} ({there})", file.display()));
            for remark in &loaded.remarks {
                let says = format!("{} {}", remark.variable, remark.says);
                match remark.effect {
                    EffectOf::Overrules => checks.good("environment", says),
                    EffectOf::None | EffectOf::Unknown => checks.mind("environment", says, "unset it"),
                }
            }
            loaded.settings
        }
        Err(e) => {
            checks.error("settings", &Error::from(e));
            Settings::default()
        }
    }
}

/// The data folder. A start gives it the mode that it needs; doctor says what others can do until then.
fn folder(here: &Here, run_as: bool, checks: &mut Checks) {
    let folder = here.home.folder();
    let Ok(meta) = fs::metadata(folder) else {
        return checks.mind(
            "folder",
            format!("{} is not there yet", folder.display()),
            "`orch up` and `orch init` make it",
        );
    };
    let mode = meta.permissions().mode() & 0o777;
    let own = meta.uid() == rustix::process::geteuid().as_raw();
    let shown = folder.display();
    // The user of `run_as` walks through it to a tree, and sees nothing else on the way.
    let open = if run_as { 0o066 } else { 0o077 };
    if !meta.is_dir() {
        checks.missing(
            "folder",
            format!("{shown} is no folder"),
            "move it away, or set ORCH_HOME to another place",
        );
    } else if !own {
        checks.missing(
            "folder",
            format!("{shown} belongs to another user"),
            "run Orch as its owner, or change the owner",
        );
    } else if mode & open != 0 {
        checks.mind(
            "folder",
            format!("{shown} is open to other users (mode {mode:o}); `orch up` closes it"),
            &format!("chmod {} {shown}", if run_as { 711 } else { 700 }),
        );
    } else if mode & 0o011 != 0 {
        checks.good(
            "folder",
            format!("{shown} (mode {mode:o}: the user of `run_as` can walk through, not look)"),
        );
    } else {
        checks.good("folder", format!("{shown} (mode {mode:o})"));
    }
}

/// Files that are only good while nobody else can read them: `orch up` refuses others.
fn secrets(here: &Here, checks: &mut Checks) {
    let hooks = fs::read_dir(here.home.folder().join("hooks")).into_iter().flatten().flatten();
    for path in std::iter::once(here.home.token()).chain(hooks.map(|entry| entry.path())) {
        let Ok(meta) = fs::metadata(&path) else { continue };
        if let Some(why) = open_to_others(&meta) {
            let says = format!("{}: {why}, so it is no secret and `orch up` refuses it", path.display());
            checks.missing("secret", says, "delete it: a new one is made at the next start");
        }
    }
}

/// Which trees runs get. An overlay is tried where the data folder is, or would be: nothing is made for good.
fn trees(here: &Here, checks: &mut Checks) {
    let there = here.home.folder().ancestors().find(|folder| folder.is_dir());
    let kind = there.map(orch_adapters::git::overlay::kind_in).unwrap_or_default();
    let private = match kind.starts_with("overlays") {
        true => {
            "; Orch's mounts are its own then: what a deploy hook mounts, the machine sees with `nsenter -t 1 -m` only"
        }
        false => "",
    };
    checks.good("trees", format!("{kind}{private}"));
}

fn disk(here: &Here, checks: &mut Checks) {
    const LOW: u64 = 1 << 30;
    const SMALL: u64 = 5 << 30;
    let there = here.home.folder().ancestors().find(|folder| folder.exists());
    let Some(Ok(disk)) = there.map(rustix::fs::statvfs) else {
        return checks.mind("disk", "its free space cannot be told", "look with `df`");
    };
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let says = format!("{:.1} GiB free", f64::from(u32::try_from(free >> 20).unwrap_or(u32::MAX)) / 1024.0);
    match free {
        0..LOW => checks.missing("disk", says, "make room: trees, caches and logs need some"),
        LOW..SMALL => checks.mind("disk", says, "trees, caches and logs may need more"),
        SMALL.. => checks.good("disk", says),
    }
}

fn brain(here: &Here, checks: &mut Checks) -> bool {
    let health = talk(async {
        let client = Client::open(&here.home, None).await?;
        client.get("/health").await
    });
    match health {
        Ok(_) => checks.good("brain", "runs"),
        Err(e) if e.kind == Kind::NotRunning => {
            checks.mind("brain", "is not running", "start it with `orch up`")
        }
        Err(e) => checks.error("brain", &e),
    }
    checks.0.last().is_some_and(|check| check.state == Health::Good)
}

fn listen(settings: &Settings, up: bool, checks: &mut Checks) {
    let address = settings.listen;
    if !up && let Err(e) = TcpListener::bind(address) {
        let says = format!("{address} cannot be used: {e}");
        return checks.missing("listen", says, "stop what has it, or set `listen` in orch.toml");
    }
    if !address.ip().is_loopback() {
        let says = format!("{address} can be reached from other machines; reading needs a login too");
        checks.mind("listen", says, "put a proxy with TLS in front, or listen on 127.0.0.1");
    } else if reading_is_free(settings) {
        let says = format!(
            "{address}, this machine only: whoever is on it reads without a login, runs too; writing needs one"
        );
        checks.good("listen", says);
    } else {
        let says = format!(
            "{address}, for a proxy, as `hosts` or `https` says: reading needs a login too, on this machine as well"
        );
        checks.good("listen", says);
    }
}

fn store(here: &Here, checks: &mut Checks) {
    let file = here.home.store();
    if !file.exists() {
        return checks.good("store", "not there yet: made at the first start");
    }
    let head = orch_store::Reader::open(&file).map_err(unopened);
    match head.and_then(|mut reader| reader.head().map_err(unread)) {
        Ok(head) => checks.good("store", format!("the journal ends at row {}", head.seq)),
        Err(e) => checks.error("store", &e),
    }
}

/// As whom agents and tests run, in the words with which `orch up` would refuse.
fn user(settings: &Settings, up: bool, checks: &mut Checks) -> Option<RunAs> {
    let own = rustix::process::geteuid();
    let Some(name) = &settings.run_as else {
        if own.is_root() {
            checks.refused_as_root(
                "user",
                up,
                "Orch is root, and agents and tests would be too: `orch up` refuses without --allow-root",
                "set `run_as` in orch.toml to a user without rights, or run Orch as one",
            );
        } else {
            checks.good("user", "not root; agents and tests run as the same user");
        }
        return None;
    };
    match user::resolve(name, own.as_raw()) {
        Ok(Some(other)) => {
            checks.good("user", format!("root; agents and tests run as {name} (uid {})", other.uid));
            Some(other)
        }
        Ok(None) => {
            checks.good("user", format!("{name}, as `run_as` says"));
            None
        }
        Err(e) => {
            checks.error("user", &e);
            None
        }
    }
}

/// What of this machine a run sees, and what protects the rest from it, one line each (decision 9). What does not hold is
/// to be known, not to be mended.
fn machine(here: &Here, settings: &Settings, runs_as: Option<RunAs>, checks: &mut Checks) {
    let made =
        super::up::wishes(here).and_then(|wishes| project::machine(&here.home, settings, &wishes, runs_as));
    let machine = match made {
        Ok(machine) => machine,
        Err(e) => return checks.error("machine", &e),
    };
    let given = &settings.machine;
    if given.read.is_empty() && given.env.is_empty() {
        checks.good(
            "machine",
            "runs get the system's programs and toolchains; [machine] in orch.toml opens more",
        );
    } else {
        let shown = |path: &PathBuf| path.display().to_string();
        let read = given.read.iter().map(shown).collect::<Vec<_>>().join(", ");
        let env = given.env.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        let none = |text: String| if text.is_empty() { "nothing".to_owned() } else { text };
        checks.good(
            "machine",
            format!("runs may also read {}; they get the variables {}", none(read), none(env)),
        );
    }
    for path in given.read.iter().filter(|path| !path.exists()) {
        let says = format!("`machine.read` names {}, which is not there", path.display());
        checks.mind("machine", says, "mend [machine] in orch.toml");
    }
    // Who a run is has a line of its own already.
    for fact in machine.enforced().into_iter().filter(|fact| fact.what != "user") {
        let state = if fact.holds { Health::Good } else { Health::Mind };
        checks.add(&format!("run: {}", fact.what), state, fact.so, None);
    }
}

/// Runs a real program under the real supervisor, and reads in its record what the kernel enforced.
fn sandbox(checks: &mut Checks) {
    match probe() {
        Ok((enforced, cgroup)) => {
            match enforced {
                Some(Enforcement::FullyEnforced) => {
                    checks.good("sandbox", "Landlock keeps runs in their trees")
                }
                Some(Enforcement::PartiallyEnforced) => checks.mind(
                    "sandbox",
                    "Landlock enforces a part: this kernel is older than the rules",
                    "a newer kernel (6.12) enforces all of it",
                ),
                Some(Enforcement::NotEnforced) | None => checks.mind(
                    "sandbox",
                    "the kernel enforces nothing: agents can read what their user can",
                    "use a kernel with Landlock (5.13 or newer, lsm=landlock), or `run_as` a user of its own",
                ),
            }
            if cgroup {
                checks.good("stop", "runs are stopped by cgroup");
            } else {
                checks.mind(
                    "stop",
                    "no cgroup can be made here: runs are stopped process by process",
                    "nothing needs mending; systemd with Delegate=yes gives one",
                );
            }
        }
        Err(e) => checks.error("sandbox", &e),
    }
}

fn probe() -> Result<(Option<Enforcement>, bool), Error> {
    let failed = |e: &dyn std::fmt::Display| {
        Error::failed(format!("a trial run could not be made: {e}"))
            .remedy("report this with `orch --version` and `uname -a`")
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

fn agents(here: &Here, settings: &Settings, checks: &mut Checks) {
    let path = here.var("PATH").map(std::ffi::OsString::from);
    for (name, agent) in &settings.agents {
        let label = format!("agent {name}");
        if let AgentKind::Scripted = agent.kind {
            match agent.script.as_deref().filter(|script| script.is_file()) {
                Some(script) => checks.good(&label, format!("plays {}", script.display())),
                None => checks.missing(&label, "its scenario is not there", "mend `script` in orch.toml"),
            }
        } else if let Some(program) = agent.program() {
            match detect::on_path(&program.to_string_lossy(), path.as_deref()) {
                Some(found) if agent.kind == AgentKind::Claude && !is_given_a_login(agent) => checks.missing(
                    &label,
                    format!("{}; {}, and it finds none by itself in a run", found.display(), login_of(agent)),
                    "sign in with `claude` and name `login_file`, or name the file of your key under `env_files`",
                ),
                Some(found) => checks.good(&label, format!("{}; {}", found.display(), login_of(agent))),
                None => checks.missing(
                    &label,
                    format!("`{}` is not there, or may not be executed", program.display()),
                    "install it, or mend `program` in orch.toml",
                ),
            }
        }
        if let Some(file) = agent.login_file.as_ref().filter(|file| !file.is_file()) {
            checks.missing(
                &label,
                format!("its login {} is not there", file.display()),
                "sign in with the program, or mend `login_file`",
            );
        }
        for (variable, file) in &agent.env_files {
            match fs::metadata(file) {
                Ok(meta) if meta.permissions().mode() & 0o077 == 0 => {}
                Ok(_) => checks.missing(
                    &label,
                    format!("others can read the file of {variable}"),
                    &format!("chmod 600 {}", file.display()),
                ),
                Err(e) => checks.missing(
                    &label,
                    format!("the file of {variable} cannot be read: {e}"),
                    "mend `env_files` in orch.toml",
                ),
            }
        }
    }
    if settings.agents.is_empty() {
        let found = detect::agents(path.as_deref());
        let names: Vec<&str> = found.iter().map(|agent| agent.name).collect();
        let says = if names.is_empty() {
            "none configured, none found on PATH".to_owned()
        } else {
            format!("none configured; on PATH: {}", names.join(", "))
        };
        checks.mind(
            "agents",
            says,
            "`orch init` writes one that it finds; others are described with kind = \"command\"",
        );
    }
}

/// Whether anything lets it reach its model.
fn is_given_a_login(agent: &Agent) -> bool {
    agent.login_file.is_some() || !agent.env_files.is_empty()
}

/// How an agent reaches its model, and what that does not enforce (decision 9).
fn login_of(agent: &Agent) -> &'static str {
    match (&agent.login_file, agent.env_files.is_empty()) {
        (Some(_), _) => "login: its runs can read the login, and budgets are settled when a run ends",
        (None, false) => "key: its runs can read the key, and budgets are settled when a run ends",
        (None, true) => "no login and no key are given to it",
    }
}

fn project(id: &str, own: &Project, settings: &Settings, up: bool, checks: &mut Checks) {
    let label = format!("project {id}");
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        git.arg("-C").arg(&own.repository).args(arguments).stdin(Stdio::null());
        git.output()
            .ok()
            .filter(|out| out.status.success())
            .map(|out| String::from_utf8_lossy(&out.stdout).into_owned())
    };
    let branch = own.branch.clone().or_else(|| git(&["symbolic-ref", "--quiet", "--short", "HEAD"]));
    let Some(branch) = branch.map(|branch| branch.trim().to_owned()) else {
        let says = format!("{} is no repository, or no branch is checked out", own.repository.display());
        return checks.missing(&label, says, "mend `repository` and `branch` in orch.toml");
    };
    let Some(head) = git(&["rev-parse", "--quiet", "--verify", &format!("refs/heads/{branch}^{{commit}}")])
    else {
        let says = format!("{} has no branch `{branch}` with a commit", own.repository.display());
        return checks.missing(&label, says, "make a first commit, or mend `branch` in orch.toml");
    };
    let place = PathBuf::from(format!("{branch}:{}", policy_file::PATH));
    let text = git(&["show", &format!("{}:{}", head.trim(), policy_file::PATH)]);
    let policy = match &text {
        Some(text) => PolicyFile::read(&own.repository.join(&place), text),
        None => PolicyFile::read(Path::new(policy_file::PATH), ""),
    };
    match policy.and_then(|policy| effective(id, settings, &policy)) {
        Err(e) => checks.error(&label, &Error::from(e)),
        Ok(policy) if policy.test.is_empty() => {
            let says = if text.is_some() {
                "its policy names no tests, so nothing can be merged"
            } else {
                "no policy on its main branch, so no tests, so nothing can be merged"
            };
            checks.missing(
                &label,
                says,
                &format!("commit `test = ...` in {} on {branch}", policy_file::PATH),
            );
        }
        Ok(policy) if policy.preset.deploys() && !policy.hook => {
            checks.missing(
                &label,
                "its preset deploys, and no hook is named",
                &format!("add [projects.{id}.hook] to orch.toml, or take preset = \"library\""),
            );
        }
        Ok(policy) => {
            let says = format!("{} on {branch}, tests: {}", own.repository.display(), policy.test.join(" "));
            checks.good(&label, says);
            if policy.preset.deploys() && !policy.probe {
                checks.mind(
                    &label,
                    "it names no health address, so a person must look at each deploy and accept it",
                    &format!("add [projects.{id}.health] to orch.toml: then Orch asks the service itself"),
                );
            }
        }
    }
    let idle: Vec<&str> =
        Role::ALL.into_iter().filter(|role| settings.chosen(id, *role).is_none()).map(Role::name).collect();
    if !idle.is_empty() {
        checks.missing(&label, format!("no agent for {}", idle.join(", ")), "set `agent` in orch.toml");
    }
    if let Some(uid) = user::foreign(&own.repository) {
        let says = format!(
            "its repository belongs to uid {uid}, and git would work in it as root: `orch up` refuses without --allow-root"
        );
        checks.refused_as_root(&label, up, says, "start Orch as that user, or give the repository to root");
    }
    if let Some(hook) = &own.hook
        && let Some(path) = in_checkout(&hook.program)
    {
        let entry = git(&["ls-tree", head.trim(), "--", &path.to_string_lossy()]);
        if !entry.is_some_and(|entry| entry.starts_with("100755 ")) {
            let says = format!("its hook {} is not on {branch}, or may not be executed", path.display());
            checks.missing(&label, says, "commit it, executable: git add --chmod=+x");
        }
    } else if let Some(hook) = &own.hook
        && detect::on_path(&hook.program.to_string_lossy(), None).is_none()
    {
        let says = format!("its hook {} is not there, or may not be executed", hook.program.display());
        checks.missing(&label, says, "write it and make it executable");
    }
}
