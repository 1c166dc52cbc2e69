//! Which commit is this program made of? `/health` names it, as every service that is deployed should.
//!
//! `ORCH_BUILD_COMMIT` says it, for whoever builds without a repository. Else a release build asks git, and only if this is
//! the repository's own top and nothing in it was edited: a tarball, also one that was unpacked inside another repository,
//! and an edited tree have no commit, and the answer stays null. A debug build asks nobody, so a commit rebuilds nothing.

use std::path::Path;
use std::process::Command;

const NAME: &str = "ORCH_BUILD_COMMIT";

fn main() {
    println!("cargo::rerun-if-env-changed={NAME}");
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var(NAME).is_ok_and(|said| !said.is_empty()) {
        return; // The compiler reads the variable itself.
    }
    // Asked when it runs: with a target folder that several clones share, this program may be built in another clone.
    if std::env::var("PROFILE").as_deref() == Ok("release")
        && let Some(own) = std::env::var_os("CARGO_MANIFEST_DIR")
        && let Some(commit) = commit(&Path::new(&own).join("../.."))
    {
        println!("cargo::rustc-env={NAME}={commit}");
    }
}

/// The commit of an unedited tree. Cargo looks again when the tree or its head moves.
fn commit(top: &Path) -> Option<String> {
    let own = Path::new(&git(top, &["rev-parse", "--show-toplevel"])?).canonicalize().ok()?;
    if own != top.canonicalize().ok()? {
        return None;
    }
    for part in ["HEAD", "logs/HEAD"] {
        let moves = top.join(git(top, &["rev-parse", "--git-path", part])?);
        if moves.exists() {
            println!("cargo::rerun-if-changed={}", moves.display());
        }
    }
    for part in ["crates", "Cargo.toml", "Cargo.lock"] {
        println!("cargo::rerun-if-changed={}", top.join(part).display());
    }
    let edited = git(top, &["status", "--porcelain", "--", "crates", "Cargo.toml", "Cargo.lock"])?;
    edited.is_empty().then(|| git(top, &["rev-parse", "--verify", "HEAD^{commit}"])).flatten()
}

fn git(top: &Path, arguments: &[&str]) -> Option<String> {
    let said = Command::new("git").arg("-C").arg(top).args(arguments).output().ok()?;
    said.status
        .success()
        .then(|| String::from_utf8(said.stdout).ok())
        .flatten()
        .map(|said| said.trim().to_owned())
}
