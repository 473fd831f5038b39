//! The step that asks cargo-deny about every dependency, and that fetches cargo-deny.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use std::{env, thread};

use anyhow::Context as _;

use crate::step;
use crate::workspace::Workspace;

use super::Verdict;

/// The release that is installed when the search path holds none.
const VERSION: &str = "0.20.2";

/// How long fetching the advisory database may take before the step goes on without it.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) fn run(workspace: &Workspace) -> anyhow::Result<Verdict> {
    let program = find_or_install(workspace)?;
    step::run_visibly(deny(&program, workspace).args(["check", "bans", "licenses", "sources"]))?;

    // The advisories are a repository of their own, which not every network reaches.
    if !can_fetch_advisories(&mut deny(&program, workspace))? {
        return Ok(Verdict::PassedWithout(
            "advisories: their database could not be fetched".to_owned(),
        ));
    }
    step::run_visibly(deny(&program, workspace).args(["check", "advisories"]))?;
    Ok(Verdict::Passed)
}

fn deny(program: &Path, workspace: &Workspace) -> Command {
    let mut deny = Command::new(program);
    deny.current_dir(workspace.root());
    deny
}

fn find_or_install(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    if step::is_installed("cargo-deny") {
        return Ok(PathBuf::from("cargo-deny"));
    }
    let tools = workspace.target().join("tools");
    let program = tools
        .join("bin")
        .join(format!("cargo-deny{}", env::consts::EXE_SUFFIX));
    if !program.is_file() {
        println!(
            "cargo-deny {VERSION} is installed into {} once",
            tools.display()
        );
        // Unoptimized it compiles in a third of the time and still answers in seconds.
        let mut cargo = workspace.cargo();
        cargo
            .args([
                "install",
                "cargo-deny",
                "--locked",
                "--debug",
                "--version",
                VERSION,
                "--root",
            ])
            .arg(&tools);
        step::run_visibly(&mut cargo)?;
    }
    Ok(program)
}

fn can_fetch_advisories(deny: &mut Command) -> anyhow::Result<bool> {
    deny.args(["fetch", "db"]);
    println!("$ cargo-deny fetch db");
    let mut child = deny.spawn().context("cannot start cargo-deny")?;
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait().context("cannot wait for cargo-deny")? {
            return Ok(status.success());
        }
        thread::sleep(Duration::from_millis(100));
    }
    child.kill().context("cannot end cargo-deny")?;
    child.wait().context("cannot wait for cargo-deny")?;
    Ok(false)
}
