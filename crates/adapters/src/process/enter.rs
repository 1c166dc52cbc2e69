//! How does a child become the program: limited, sandboxed, and bound to its shim?
//!
//! It is this binary once more (`orch shim --enter <run folder>`), single-threaded and past `exec`, so it may
//! do what a forked child may not, and needs no unsafe code. Standard input is the pipe to the shim on which
//! it says how far it came; the pipe closes by itself when the program takes over.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, NetPort, PathBeneath, PathFd, Ruleset,
    RulesetAttr, RulesetCreatedAttr, RulesetStatus, Scope, path_beneath_rules,
};
use orch_core::hindrance::{Hindrance, Preparing};
use orch_core::said::Cause;
use rustix::io::Errno;
use rustix::process::{
    Resource, Rlimit, Signal, getppid, getrlimit, set_parent_process_death_signal, setrlimit,
};
use rustix::thread::{
    CapabilitySet, Gid, Uid, remove_capability_from_bounding_set, set_no_new_privs, set_thread_groups,
    set_thread_res_gid, set_thread_res_uid,
};
use serde::{Deserialize, Serialize};

use super::orphan::ProgramRecord;
use super::record::{Enforcement, PROGRAM, SHIM, SPEC, ShimRecord, bounded_cause, read_spec};
use super::spec::{Landlock, Limits, RunAs, RunSpec, Sandbox, Tcp};
use super::sweep::MARK;

/// The newest Landlock rules asked for; an older kernel enforces a part of them, and the record says so.
const RULES: ABI = ABI::V6;

/// Devices that every program expects and that hold nothing.
const DEVICES: [&str; 5] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];

/// What a sandboxed root keeps: rights over files and users. The rest would look past the sandbox: a device
/// node made in the own tree reads the whole disk, `CAP_PERFMON` reads the environment of any process.
const KEPT: CapabilitySet = CapabilitySet::CHOWN
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::FSETID)
    .union(CapabilitySet::SETUID)
    .union(CapabilitySet::SETGID)
    .union(CapabilitySet::KILL);

/// What the child says to the shim: at most one `Ready`, then perhaps a `Failed`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "said", rename_all = "snake_case")]
pub(super) enum Said {
    /// All is set; the next thing is the program.
    Ready { sandbox: Option<Enforcement>, cgroup: bool },
    /// The program was not started.
    Failed { cause: Cause },
}

/// Becomes the program of `run_dir`. Returns only if that failed.
pub fn enter(run_dir: &Path) -> ExitCode {
    let mut shim = match rustix::io::fcntl_dupfd_cloexec(io::stdin(), 3) {
        Ok(fd) => File::from(fd),
        Err(e) => {
            eprintln!("orch shim --enter is started by the shim alone: no report line ({e})");
            return ExitCode::from(2);
        }
    };
    let cause = match become_program(run_dir, &mut shim) {
        Ok(never) => match never {},
        Err(hindrance) => bounded_cause(hindrance.into()),
    };
    // With the shim gone there is no one to tell.
    let _ = say(&mut shim, &Said::Failed { cause });
    ExitCode::from(127)
}

enum Never {}

fn become_program(run_dir: &Path, shim: &mut File) -> Result<Never, Hindrance> {
    let missing = |name| Hindrance::FileMissing { path: run_dir.join(name).display().to_string() };
    let spec = read_spec(run_dir)?.ok_or_else(|| missing(SPEC))?;
    let record = ShimRecord::read(run_dir)?.ok_or_else(|| missing(SHIM))?;
    spec.check(run_dir).map_err(|e| e.0)?;
    if spec.keep_children {
        // Before the look at the shim: who finds that dead then finds this, or nothing begins.
        let unwritten = |e: io::Error| Hindrance::FileUnwritten {
            path: run_dir.join(PROGRAM).display().to_string(),
            words: e.to_string(),
        };
        ProgramRecord::of_self(&spec).and_then(|program| program.write(run_dir)).map_err(unwritten)?;
    }
    die_with_shim(&spec, &record)?;
    rustix::process::setsid().map_err(unprepared(Preparing::Session))?;
    let cgroup =
        record.cgroup.as_deref().is_some_and(|path| fs::write(path.join("cgroup.procs"), "0").is_ok());
    let input = spec.stdin.as_deref().unwrap_or(Path::new("/dev/null"));
    let input = File::open(input)
        .map_err(|e| Hindrance::InputNotOpened { path: input.display().to_string(), words: e.to_string() })?;

    let sandbox = match &spec.sandbox {
        Sandbox::None => None,
        Sandbox::Landlock(rules) => {
            if rustix::process::geteuid().is_root() {
                disarm_root()?;
            }
            Some(restrict(rules)?)
        }
    };
    if spec.no_new_privs {
        set_no_new_privs(true).map_err(unprepared(Preparing::NoNewRights))?;
    }
    if let Some(user) = spec.run_as {
        become_user(user)?;
        // Changing the user clears the death signal.
        die_with_shim(&spec, &record)?;
    }
    std::env::set_current_dir(&spec.cwd).map_err(|e| Hindrance::FolderNotEntered {
        path: spec.cwd.display().to_string(),
        words: e.to_string(),
    })?;
    let mut command = Command::new(&spec.program);
    command.args(&spec.args).env_clear().envs(&spec.env).stdin(Stdio::from(input));
    command.env("ORCH_RUN", &spec.run).env(MARK, &record.mark);
    say(shim, &Said::Ready { sandbox, cgroup }).map_err(unprepared(Preparing::Report))?;
    limit(&spec.limits)?;
    let e = command.exec();
    Err(Hindrance::ProgramNotStarted { program: spec.program, words: e.to_string() })
}

/// What the system refuses at a step.
fn unprepared<E: std::fmt::Display>(at: Preparing) -> impl Fn(E) -> Hindrance {
    move |e| Hindrance::Unprepared { at, words: e.to_string() }
}

/// From here on the kernel kills this process when the shim dies, unless it may outlive it; a shim already dead is noticed.
fn die_with_shim(spec: &RunSpec, record: &ShimRecord) -> Result<(), Hindrance> {
    if !spec.keep_children {
        set_parent_process_death_signal(Some(Signal::KILL)).map_err(unprepared(Preparing::DeathSignal))?;
    }
    let parent = getppid().map_or(0, |pid| pid.as_raw_nonzero().get());
    if parent == record.identity.pid { Ok(()) } else { Err(Hindrance::SupervisorGone) }
}

fn restrict(rules: &Landlock) -> Result<Enforcement, Hindrance> {
    let enforced = apply(rules).map_err(|e| Hindrance::NoSandbox { words: e.to_string() })?;
    if enforced < rules.at_least {
        return Err(Hindrance::SandboxTooWeak { partly: enforced > Enforcement::NotEnforced });
    }
    Ok(enforced)
}

/// Can this kernel keep a sandboxed program from connecting to a Unix socket that lies outside its paths
/// (Landlock ABI 9)? An older one cannot: whoever listens on such a socket must ask for a token, or lie in a
/// folder closed to the program's user.
pub fn closes_sockets() -> bool {
    let probe = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
    probe.handle_access(AccessFs::ResolveUnix).and_then(|probe| probe.create()).is_ok()
}

/// Takes away for ever, with the next `exec`, what [`KEPT`] does not name.
fn disarm_root() -> Result<(), Hindrance> {
    for capability in CapabilitySet::all().difference(KEPT).iter() {
        match remove_capability_from_bounding_set(capability) {
            // One that this kernel does not know; or a root of a container that may not even give up rights,
            // and has none of the dangerous ones.
            Ok(()) | Err(Errno::INVAL | Errno::PERM) => {}
            Err(e) => return Err(unprepared(Preparing::Rights)(e)),
        }
    }
    Ok(())
}

fn apply(rules: &Landlock) -> Result<Enforcement, Box<dyn std::error::Error>> {
    let mut change = AccessFs::from_all(RULES) & !(AccessFs::MakeChar | AccessFs::MakeBlock);
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(RULES))?
        .scope(Scope::from_all(RULES))?;
    if closes_sockets() {
        ruleset = ruleset.handle_access(AccessFs::ResolveUnix)?;
        change |= AccessFs::ResolveUnix;
    }
    if rules.tcp != Tcp::All {
        ruleset = ruleset.handle_access(AccessNet::from_all(RULES))?;
    }
    let mut ruleset = ruleset
        .create()?
        .add_rules(path_beneath_rules(&rules.read_only, AccessFs::from_read(RULES)))?
        .add_rules(path_beneath_rules(DEVICES, AccessFs::ReadFile | AccessFs::WriteFile))?;
    for path in &rules.writable {
        // One that is missing is an error here: a program without its tree would fail in the dark.
        let open = PathFd::new(path)?;
        let access = if path.is_dir() { change } else { AccessFs::from_file(RULES) };
        ruleset = ruleset.add_rule(PathBeneath::new(open, access))?;
    }
    if let Tcp::Ports { connect, bind } = &rules.tcp {
        for port in connect {
            ruleset = ruleset.add_rule(NetPort::new(*port, AccessNet::ConnectTcp))?;
        }
        for port in bind {
            ruleset = ruleset.add_rule(NetPort::new(*port, AccessNet::BindTcp))?;
        }
    }
    Ok(match ruleset.restrict_self()?.ruleset {
        RulesetStatus::FullyEnforced => Enforcement::FullyEnforced,
        RulesetStatus::PartiallyEnforced => Enforcement::PartiallyEnforced,
        RulesetStatus::NotEnforced => Enforcement::NotEnforced,
    })
}

/// Single-threaded, so what the system calls change for a thread holds for the process.
fn become_user(user: RunAs) -> Result<(), Hindrance> {
    let (uid, gid) = (Uid::from_raw(user.uid), Gid::from_raw(user.gid));
    set_thread_groups(&[])
        .and_then(|()| set_thread_res_gid(gid, gid, gid))
        .and_then(|()| set_thread_res_uid(uid, uid, uid))
        .map_err(|e| Hindrance::UserNotTaken { uid: user.uid, gid: user.gid, words: e.to_string() })
}

fn limit(limits: &Limits) -> Result<(), Hindrance> {
    let wanted = [
        (Resource::Core, Some(0)),
        (Resource::Nofile, Some(limits.nofile)),
        (Resource::Nproc, limits.nproc),
        (Resource::Fsize, limits.fsize),
        (Resource::As, limits.address_space),
    ];
    for (resource, value) in wanted {
        let Some(value) = value else { continue };
        let value = getrlimit(resource).maximum.map_or(value, |hard| hard.min(value));
        setrlimit(resource, Rlimit { current: Some(value), maximum: Some(value) }).map_err(|e| {
            let limit = format!("{resource:?}");
            Hindrance::LimitNotSet { limit, value, words: e.to_string() }
        })?;
    }
    Ok(())
}

fn say(shim: &mut File, said: &Said) -> io::Result<()> {
    let mut line = serde_json::to_vec(said)?;
    line.push(b'\n');
    shim.write_all(&line)
}
