//! `cargo xtask serve`: builds the extension and serves an application.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;

use crate::environment::{Environment, Profile, Purpose};
use crate::step;
use crate::workspace::Workspace;

/// Builds the extension as it is published and serves an application.
///
/// The first run creates the virtual environment `.venv` and takes some minutes; a later run starts at once.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The application; by default `python/examples/quickstart.py`.
    app: Option<PathBuf>,
    /// What the application finds in `sys.argv`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let workspace = Workspace::find();
    let app = arguments
        .app
        .clone()
        .unwrap_or_else(|| workspace.python().join("examples/quickstart.py"));
    if !app.is_file() {
        bail!("{} is not a file", app.display());
    }
    let environment = Environment::prepare(&workspace, Purpose::Serve)?;
    environment.build_extension(&workspace, Purpose::Serve, Profile::Wheel)?;
    step::become_program(
        environment
            .command("python")
            .arg(app)
            .args(&arguments.arguments),
    )
}
