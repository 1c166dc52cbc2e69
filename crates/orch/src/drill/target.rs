//! To where do drills deploy? To a file, of which a service of the drill's own tells, and by a hook that can be caught.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};

use orch_core::id::TaskId;
use orch_core::task::{Rest, Step};
use serde_json::json;

use super::yard::{AtWork, Yard};
use super::{Unmet, both, catcher};
use crate::error::Error;
use crate::settings::value::toml_string;
use crate::words::Told;

/// The hook: it notes that it ran, and deploys. Caught before or after that it stops until it is killed.
const HOOK: &str = r#"#!/bin/sh
caught() {
    mv "{yard}/$1" "{yard}/$1.caught" 2> /dev/null && echo $$ > "{yard}/$1.pid"
}
echo "$ORCH_COMMIT" >> "{yard}/ran"
if caught before; then
    exec sleep 600
fi
echo "$ORCH_COMMIT" > "{yard}/deployed"
if caught after; then
    exec sleep 600
fi
"#;

/// Makes the project one that is deployed: by the hook, and with a service that says which commit it is if `asked` is.
pub(super) fn make(yard: &mut Yard, asked: bool) -> Result<(), Unmet> {
    let hook = yard.script("hook", &HOOK.replace("{yard}", &catcher::plain(yard.folder())?))?;
    let mut lines = format!(
        "[projects.{project}.hook]\nprogram = {hook}\n",
        project = super::yard::PROJECT,
        hook = toml_string(&hook.to_string_lossy()),
    );
    if asked {
        let port = serve(yard.folder().join("deployed"))?;
        // The drill is about the deploy: nobody waits for the quarter of an hour in which production would be watched.
        lines.push_str(&format!(
            "[projects.{}.health]\nurl = \"http://127.0.0.1:{port}/\"\nwatch_seconds = 0\n",
            super::yard::PROJECT
        ));
    }
    yard.settings(&lines)?;
    yard.on_main(".orch/policy.toml", "preset = \"fast\"\ntest = [\"sh\", \"test.sh\"]\n")
}

/// Lets a developer's work travel to the deploy, to which a person consents.
pub(super) fn travel(yard: &mut Yard, id: &TaskId, works: &AtWork) -> Result<(), Unmet> {
    yard.go(works)?;
    let what = both!("the deploy waits for a person's word", "развёртывание ждёт слова человека");
    yard.until_task(id, &what, |task| (task.step == Step::Rest(Rest::Confirmation)).then_some(()))?;
    yard.post(&format!("/api/v1/tasks/{id}/confirm"), &json!({}))?;
    Ok(())
}

/// How often the hook ran, and which commit is deployed.
pub(super) fn seen(yard: &Yard) -> (usize, String) {
    let text = |name: &str| fs::read_to_string(yard.folder().join(name)).unwrap_or_default();
    (text("ran").lines().count(), text("deployed").trim().to_owned())
}

/// Listens until this process ends, and tells what stands in the file.
fn serve(file: PathBuf) -> Result<u16, Unmet> {
    let failed = |e: std::io::Error| Error::failed(Told::quoted(e.to_string()));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed)?;
    let port = listener.local_addr().map_err(failed)?.port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // Who asks and goes away again asks once more.
            let _ = answer(stream, &file);
        }
    });
    Ok(port)
}

fn answer(mut stream: TcpStream, file: &Path) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    while lines.read_line(&mut line)? > 2 {
        line.clear();
    }
    let body = json!({ "commit": fs::read_to_string(file).unwrap_or_default().trim(), "status": "ok" });
    let body = body.to_string();
    write!(stream, "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}
