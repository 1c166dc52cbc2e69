//! How does the demo deploy? As any installation does: a hook by contract (decision 22). It builds the commit, starts the
//! service detached under `<workspace>/run/<commit>`, waits until it names the commit, and only then ends the one before.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use orch_adapters::process::Identity;
use serde::{Deserialize, Serialize};

use super::workspace::{Workspace, end};
use crate::language;
use crate::words::{self, Told, say};

/// A service that was started.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Greeter {
    /// Which process.
    pub identity: Identity,
    /// Where it listens.
    pub port: u16,
    /// What it is.
    pub commit: String,
}

/// What `orch demo-hook` does: the contract's variables in, the contract's exit code out.
pub fn main(arguments: impl Iterator<Item = std::ffi::OsString>) -> ExitCode {
    let arguments: Vec<_> = arguments.collect();
    let run = arguments.first().map(PathBuf::from);
    let spoil = arguments.iter().any(|word| word == "--spoil");
    if let Some(lang) = arguments.iter().skip(1).find_map(|word| language::named(word.to_str()?)) {
        words::speak(lang);
    }
    let variable =
        |name: &str| std::env::var(name).map_err(|_| other(say!("{name} is not set", "{name} не задана")));
    let deploy = || {
        let checkout = PathBuf::from(variable("ORCH_CHECKOUT")?);
        let port = variable("ORCH_PORT")?.parse().map_err(io::Error::other)?;
        let commit = variable("ORCH_COMMIT")?;
        let run =
            run.ok_or_else(|| io::Error::other("no folder is named for what is deployed"))?.join(&commit);
        fs::create_dir_all(&run)?;
        let named = if spoil { "another-commit".to_owned() } else { commit.clone() };
        deploy(&checkout, &run, port, &commit, &named)
    };
    match deploy() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", say!("not deployed: {error}", "не выкачено: {error}"));
            ExitCode::from(1)
        }
    }
}

fn other(told: Told) -> io::Error {
    io::Error::other(told.to_string())
}

/// Builds, starts, waits for health, ends the others.
fn deploy(checkout: &Path, run: &Path, port: u16, commit: &str, named: &str) -> io::Result<()> {
    println!("{}", say!("building {commit}", "сборка {commit}"));
    let built = Command::new("cargo")
        .args(["build", "--offline", "--quiet"])
        .current_dir(checkout)
        .env("CARGO_TARGET_DIR", run.join("target"))
        .status()?;
    if !built.success() {
        return Err(other(say!(
            "the build failed; nothing was touched",
            "сборка не удалась; ничего не тронуто"
        )));
    }
    let program = run.join("greeter");
    fs::copy(run.join("target/debug/greeter"), &program)?;
    let log = File::create(run.join("service.log"))?;
    let child = Command::new(&program)
        .env_clear()
        .env("PORT", port.to_string())
        .env("COMMIT", named)
        .current_dir(run)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .process_group(0)
        .spawn()?;
    let identity = Identity::of(child.id().cast_signed())?;
    let service = Greeter { identity, port, commit: commit.to_owned() };
    let note = run.join("service.json");
    fs::write(&note, serde_json::to_vec(&service).map_err(io::Error::other)?)?;
    println!(
        "{}",
        say!(
            "started on port {port}, waiting until it names {commit}",
            "запущено на порту {port}, ждём, пока сервис назовёт {commit}"
        )
    );
    let expected = format!("\"commit\":\"{commit}\"");
    for _ in 0..100 {
        if get(port, "/health").is_ok_and(|answer| answer.contains(&expected)) {
            println!("{}", say!("it answers; ending the one before", "отвечает; завершаем прежний"));
            for other in services(run.parent().unwrap_or(run)) {
                if other.identity != service.identity {
                    end(&other.identity).map_err(|e| io::Error::other(e.cause))?;
                }
            }
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    end(&service.identity).map_err(|e| io::Error::other(e.cause))?;
    fs::remove_file(&note)?;
    Err(other(say!(
        "/health never named {commit}; the new service was ended, the old one runs",
        "/health так и не назвал {commit}; новый сервис завершён, работает прежний"
    )))
}

/// The services whose notes lie below a folder.
pub fn services(folder: &Path) -> Vec<Greeter> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let notes = entries.filter_map(|entry| fs::read(entry.path().join("service.json")).ok());
    notes.filter_map(|note| serde_json::from_slice(&note).ok()).collect()
}

/// The state of things before the story: main as it is, deployed. Answers what it says to `/?name=Ada`.
///
/// # Errors
/// It cannot be built or started.
pub fn deploy_first(workspace: &Workspace) -> io::Result<String> {
    let commit = workspace.main().map_err(|e| io::Error::other(e.cause))?;
    let run = workspace.run().join(&commit);
    fs::create_dir_all(&run)?;
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let checkout = workspace.repository();
    let built = Command::new("cargo")
        .args(["build", "--offline", "--quiet"])
        .current_dir(&checkout)
        .env("CARGO_TARGET_DIR", run.join("target"))
        .status()
        .map_err(|e| other(say!("`cargo` cannot be started: {e}", "`cargo` не запускается: {e}")))?;
    if !built.success() {
        return Err(other(say!(
            "`cargo build` does not build it ({built})",
            "`cargo build` его не собирает ({built})"
        )));
    }
    let program = run.join("greeter");
    fs::copy(run.join("target/debug/greeter"), &program)?;
    let log = File::create(run.join("service.log"))?;
    let child = Command::new(&program)
        .env_clear()
        .env("PORT", port.to_string())
        .env("COMMIT", &commit)
        .current_dir(&run)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .process_group(0)
        .spawn()?;
    let service = Greeter { identity: Identity::of(child.id().cast_signed())?, port, commit };
    fs::write(run.join("service.json"), serde_json::to_vec(&service).map_err(io::Error::other)?)?;
    for _ in 0..100 {
        if let Ok(answer) = get(port, "/?name=Ada") {
            return Ok(answer);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Err(other(say!("the demo's service does not answer", "сервис демонстрации не отвечает")))
}

/// What the service that lives says now.
///
/// # Errors
/// None lives, or it does not answer.
pub fn ask_service(workspace: &Workspace, path: &str) -> io::Result<String> {
    let living = services(&workspace.run()).into_iter();
    let mut living = living.filter(|service| service.identity.life() == orch_adapters::process::Life::Alive);
    match living.next() {
        Some(service) => get(service.port, path),
        None => Err(other(say!("no service lives", "ни один сервис не работает"))),
    }
}

/// The body of an answer on loopback.
fn get(port: u16, path: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&([127, 0, 0, 1], port).into(), Duration::from_secs(2))?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.take(64 << 10).read_to_string(&mut answer)?;
    match answer.split_once("\r\n\r\n") {
        Some((_, body)) => Ok(body.to_owned()),
        None => Err(other(say!("no HTTP answer", "это не ответ HTTP"))),
    }
}
