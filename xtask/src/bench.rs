//! `cargo xtask bench`: measures the quick start against the bare limit.

mod client;
mod counts;
mod load;
mod machine;
mod measure;
mod process;
mod report;
mod rows;
mod server;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;

use crate::environment::{Environment, Profile, Purpose};
use crate::step;
use crate::workspace::Workspace;

use machine::Cores;
use rows::{Program, ROWS, Row};

/// Measures the quick start against the bare limit: throughput, latency, CPU time, memory, start-up.
///
/// Every server runs on one core and the load generator, wrk, on another. Rounds go through all rows in turn, so that
/// what else happens on the machine touches all of them; the report holds medians.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// How often each row is measured.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// How long one measurement takes, in seconds.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..))]
    duration: u64,
    /// With how many connections at a time each row is measured.
    #[arg(long, num_args = 1.., default_values_t = [50, 1], value_parser = clap::value_parser!(u32).range(1..))]
    connections: Vec<u32>,
    /// The folder for `results.json` and `results.md`; by default `bench` in cargo's target folder.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Only these rows.
    #[arg(long, num_args = 1.., value_name = "NAME")]
    row: Vec<String>,
    /// Count user instructions per request instead, with valgrind.
    #[arg(long)]
    instructions: bool,
    /// Count system calls per request instead, with strace.
    #[arg(long)]
    syscalls: bool,
}

/// What measuring needs at hand.
struct Bench {
    workspace: Workspace,
    environment: Environment,
    cores: Cores,
    rows: Vec<&'static Row>,
    rounds: u32,
    duration: Duration,
    connections: Vec<u32>,
    out: PathBuf,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    if !cfg!(target_os = "linux") {
        bail!("the benchmark reads /proc and pins processes to cores: it runs on Linux only");
    }
    let rows = select(&arguments.row)?;
    let is_counting = arguments.instructions || arguments.syscalls;
    if !is_counting {
        load::require_wrk()?;
    }

    let workspace = Workspace::find();
    let environment = if rows.iter().all(|row| row.program == Program::Limit) {
        Environment::create(&workspace)?
    } else {
        let environment = Environment::prepare(&workspace, Purpose::Serve)?;
        environment.build_extension(&workspace, Purpose::Serve, Profile::Wheel)?;
        environment
    };
    let limit = [
        "build",
        "--profile",
        Profile::Wheel.name(),
        "--package",
        "spikard-bench",
        "--bin",
        "limit",
    ];
    step::run_visibly(workspace.cargo().args(limit))?;

    let out = arguments
        .out
        .clone()
        .unwrap_or_else(|| workspace.target().join("bench"));
    std::fs::create_dir_all(&out)?;
    let bench = Bench {
        workspace,
        environment,
        cores: Cores::find()?,
        rows,
        rounds: arguments.rounds,
        duration: Duration::from_secs(arguments.duration),
        connections: arguments.connections.clone(),
        out,
    };
    if arguments.instructions {
        counts::instructions(&bench)?;
    }
    if arguments.syscalls {
        counts::system_calls(&bench)?;
    }
    if !is_counting {
        report::write(&bench, &measure::all(&bench)?)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The rows of those names, in the order of the table; all of them when none is named.
fn select(names: &[String]) -> anyhow::Result<Vec<&'static Row>> {
    if let Some(unknown) = names
        .iter()
        .find(|name| ROWS.iter().all(|row| row.name != name.as_str()))
    {
        let known: Vec<&str> = ROWS.iter().map(|row| row.name).collect();
        bail!(
            "there is no row `{unknown}`; there are {}",
            known.join(", ")
        );
    }
    Ok(ROWS
        .iter()
        .filter(|row| names.is_empty() || names.iter().any(|name| name == row.name))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selects_rows_by_name() {
        let names = |selected: Vec<&Row>| selected.iter().map(|row| row.name).collect::<Vec<_>>();
        assert_eq!(
            names(select(&["async".to_owned(), "limit".to_owned()]).unwrap()),
            ["limit", "async"]
        );
        assert_eq!(select(&[]).unwrap().len(), ROWS.len());
        let error = select(&["sync".to_owned()]).map(drop).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("there is no row `sync`; there are limit,"),
            "{error}"
        );
    }
}
