//! The machine a measurement ran on.

use std::fs;
use std::process::Command;
use std::thread;

use anyhow::{Context as _, ensure};
use cargo_metadata::MetadataCommand;
use serde::Serialize;

use crate::step;

use super::Bench;

/// The core for the server and the core for the load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cores {
    pub(super) server: u32,
    pub(super) load: u32,
}

impl Cores {
    /// Takes the first two cores that this process may run on.
    ///
    /// # Errors
    ///
    /// There is only one: server and load would take turns, and the figures would mean nothing.
    pub(super) fn find() -> anyhow::Result<Self> {
        let status =
            fs::read_to_string("/proc/self/status").context("cannot read /proc/self/status")?;
        let list = status
            .lines()
            .find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
        let cores = list
            .map(|list| parse_cores(list.trim()))
            .unwrap_or_default();
        ensure!(
            cores.len() >= 2,
            "the benchmark needs two cores, one for the server and one for the load"
        );
        Ok(Self {
            server: cores[0],
            load: cores[1],
        })
    }
}

/// Reads a list like `0-3,8` as the kernel writes it.
fn parse_cores(list: &str) -> Vec<u32> {
    list.split(',')
        .filter_map(|part| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            Some(first.parse().ok()?..=last.parse().ok()?)
        })
        .flatten()
        .collect()
}

/// What the report says about the machine; what cannot be found out is empty.
#[derive(Debug, Serialize)]
pub(super) struct Machine {
    pub(super) cpu: String,
    pub(super) cores: usize,
    pub(super) kernel: String,
    pub(super) rustc: String,
    pub(super) python: String,
    pub(super) wrk: String,
    /// The crates whose work is measured, with their versions.
    pub(super) crates: Vec<String>,
    pub(super) commit: String,
}

impl Machine {
    pub(super) fn describe(bench: &Bench) -> Self {
        let root = bench.workspace.root();
        let ask = |program: &str, arguments: &[&str]| {
            let output = step::read_output(Command::new(program).args(arguments).current_dir(root));
            output.unwrap_or_default()
        };
        let python =
            "import platform; print(platform.python_implementation(), platform.python_version())";
        Self {
            cpu: fs::read_to_string("/proc/cpuinfo")
                .ok()
                .and_then(|text| cpu_model(&text))
                .unwrap_or_default(),
            cores: thread::available_parallelism().map_or(0, usize::from),
            kernel: ask("uname", &["-sr"]),
            rustc: ask("rustc", &["--version"]),
            python: step::read_output(bench.environment.command("python").args(["-c", python]))
                .unwrap_or_default(),
            wrk: wrk_version(),
            crates: crates(bench),
            commit: ask("git", &["describe", "--always", "--dirty"]),
        }
    }
}

fn cpu_model(cpuinfo: &str) -> Option<String> {
    let line = cpuinfo
        .lines()
        .find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// wrk tells its version in its usage message, with an exit status that is not 0.
fn wrk_version() -> String {
    let output = Command::new("wrk").arg("--version").output();
    let text = output
        .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
        .unwrap_or_default();
    text.lines()
        .next()
        .and_then(|line| line.split(" [").next())
        .unwrap_or_default()
        .to_owned()
}

fn crates(bench: &Bench) -> Vec<String> {
    let Ok(metadata) = MetadataCommand::new()
        .current_dir(bench.workspace.root())
        .exec()
    else {
        return Vec::new();
    };
    ["hyper", "tokio", "pyo3", "spikard-server"]
        .iter()
        .filter_map(|name| {
            metadata
                .packages
                .iter()
                .find(|package| package.name == *name)
        })
        .map(|package| format!("{} {}", package.name, package.version))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_lists_of_cores() {
        for (list, expected) in [
            ("0-1", &[0, 1][..]),
            ("3", &[3]),
            ("0,2-4", &[0, 2, 3, 4]),
            ("", &[]),
        ] {
            assert_eq!(parse_cores(list), expected, "{list:?}");
        }
    }

    #[test]
    fn reads_the_model_of_the_cpu() {
        assert_eq!(
            cpu_model("processor\t: 0\nmodel name\t: Fast 1\n").as_deref(),
            Some("Fast 1")
        );
        assert_eq!(cpu_model("processor\t: 0\n"), None);
    }
}
