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
use rustix::io::Errno;
use rustix::process::{
    Resource, Rlimit, Signal, getppid, getrlimit, set_parent_process_death_signal, setrlimit,
};
use rustix::thread::{
    CapabilitySet, Gid, Uid, remove_capability_from_bounding_set, set_no_new_privs, set_thread_groups,
    set_thread_res_gid, set_thread_res_uid,
};
use serde::{Deserialize, Serialize};

use super::record::{Enforcement, ShimRecord, bounded, read_spec};
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
    Failed { cause: String },
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
        Err(cause) => bounded(&cause),
    };
    // With the shim gone there is no one to tell.
    let _ = say(&mut shim, &Said::Failed { cause });
    ExitCode::from(127)
}

enum Never {}

fn become_program(run_dir: &Path, shim: &mut File) -> Result<Never, String> {
    let spec = read_spec(run_dir).map_err(|e| e.to_string())?.ok_or("spec.json is missing")?;
    let record = ShimRecord::read(run_dir).map_err(|e| e.to_string())?.ok_or("shim.json is missing")?;
    spec.check(run_dir).map_err(|e| e.to_string())?;
    die_with_shim(&spec, &record)?;
    rustix::process::setsid().map_err(|e| format!("no session of its own: {e}"))?;
    let cgroup =
        record.cgroup.as_deref().is_some_and(|path| fs::write(path.join("cgroup.procs"), "0").is_ok());
    let input = spec.stdin.as_deref().unwrap_or(Path::new("/dev/null"));
    let input = File::open(input).map_err(|e| format!("standard input {}: {e}", input.display()))?;

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
        set_no_new_privs(true).map_err(|e| format!("no_new_privs: {e}"))?;
    }
    if let Some(user) = spec.run_as {
        become_user(user)?;
        // Changing the user clears the death signal.
        die_with_shim(&spec, &record)?;
    }
    std::env::set_current_dir(&spec.cwd)
        .map_err(|e| format!("working folder {} cannot be entered: {e}", spec.cwd.display()))?;
    let mut command = Command::new(&spec.program);
    command.args(&spec.args).env_clear().envs(&spec.env).stdin(Stdio::from(input));
    command.env("ORCH_RUN", &spec.run).env(MARK, &record.mark);
    say(shim, &Said::Ready { sandbox, cgroup }).map_err(|e| format!("the shim does not listen: {e}"))?;
    limit(&spec.limits)?;
    let e = command.exec();
    Err(format!("program {:?} cannot be started: {e}", spec.program))
}

/// From here on the kernel kills this process when the shim dies; a shim already dead is noticed.
fn die_with_shim(spec: &RunSpec, record: &ShimRecord) -> Result<(), String> {
    if spec.keep_children {
        return Ok(());
    }
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(|e| format!("no death signal: {e}"))?;
    let parent = getppid().map_or(0, |pid| pid.as_raw_nonzero().get());
    if parent == record.identity.pid { Ok(()) } else { Err("its shim is gone".to_string()) }
}

fn restrict(rules: &Landlock) -> Result<Enforcement, String> {
    let enforced = apply(rules).map_err(|e| format!("sandbox: {e}"))?;
    if enforced < rules.at_least {
        let (got, asked) = (enforced, rules.at_least);
        return Err(format!("sandbox: this kernel gives {got:?}, the run demands {asked:?}"));
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
fn disarm_root() -> Result<(), String> {
    for capability in CapabilitySet::all().difference(KEPT).iter() {
        match remove_capability_from_bounding_set(capability) {
            // One that this kernel does not know; or a root of a container that may not even give up rights,
            // and has none of the dangerous ones.
            Ok(()) | Err(Errno::INVAL | Errno::PERM) => {}
            Err(e) => return Err(format!("root's rights cannot be reduced: {e}")),
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
fn become_user(user: RunAs) -> Result<(), String> {
    let (uid, gid) = (Uid::from_raw(user.uid), Gid::from_raw(user.gid));
    set_thread_groups(&[])
        .and_then(|()| set_thread_res_gid(gid, gid, gid))
        .and_then(|()| set_thread_res_uid(uid, uid, uid))
        .map_err(|e| {
            format!(
                "cannot become user {} group {}: {e}: run Orch as root or drop run_as",
                user.uid, user.gid
            )
        })
}

fn limit(limits: &Limits) -> Result<(), String> {
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
        setrlimit(resource, Rlimit { current: Some(value), maximum: Some(value) })
            .map_err(|e| format!("limit {resource:?} of {value}: {e}"))?;
    }
    Ok(())
}

fn say(shim: &mut File, said: &Said) -> io::Result<()> {
    let mut line = serde_json::to_vec(said)?;
    line.push(b'\n');
    shim.write_all(&line)
}
