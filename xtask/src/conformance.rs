//! `cargo xtask conformance`: runs a folder of fixtures through the test client.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;

use crate::environment::{Environment, Profile, Purpose};
use crate::step;
use crate::workspace::Workspace;

/// Runs a folder of fixtures through the test client.
///
/// Prints a table per category and `N passed, N failed`; fails when a fixture fails that no known gap names.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The folder of fixtures.
    folder: PathBuf,
    /// A file that names the fixtures that are known to fail.
    #[arg(long, value_name = "FILE")]
    known_gaps: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    if !arguments.folder.is_dir() {
        bail!("{} is not a folder", arguments.folder.display());
    }
    let workspace = Workspace::find();
    let environment = Environment::prepare(&workspace, Purpose::Serve)?;
    environment.build_extension(&workspace, Purpose::Serve, Profile::Wheel)?;
    let mut command = environment.command("python");
    command
        .arg(workspace.python().join("tests/conformance"))
        .arg(&arguments.folder);
    if let Some(file) = &arguments.known_gaps {
        command.arg("--known-gaps").arg(file);
    }
    step::become_program(&mut command)
}
