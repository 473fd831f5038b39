//! The load generator, wrk: found or installed, run, and its report read.

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use serde::{Deserialize, Serialize};

use crate::step;

use super::Bench;
use super::rows::Row;

/// What `crates/spikard-bench/wrk/report.lua` prints; times are in microseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Load {
    pub(super) requests: u64,
    pub(super) duration_us: u64,
    pub(super) bytes: u64,
    pub(super) mean_us: f64,
    pub(super) p50_us: u64,
    pub(super) p95_us: u64,
    pub(super) p99_us: u64,
    pub(super) max_us: u64,
    connect_errors: u64,
    read_errors: u64,
    write_errors: u64,
    timeouts: u64,
    non_2xx: u64,
}

/// Makes sure that wrk is there; as root on Debian it is installed.
///
/// # Errors
///
/// It is not there and cannot be installed.
pub(super) fn require_wrk() -> anyhow::Result<()> {
    ensure!(
        step::is_installed("taskset"),
        "the benchmark pins processes with taskset: install util-linux"
    );
    if step::is_installed("wrk") {
        return Ok(());
    }
    let is_root = step::read_output(Command::new("id").arg("-u")).is_ok_and(|uid| uid == "0");
    if !is_root || !step::is_installed("apt-get") {
        bail!(
            "the benchmark needs the load generator wrk: install it (on Debian: apt-get install wrk)"
        );
    }
    // A fresh image may hold no package lists, and then wrk is unknown until they are fetched.
    let install = || step::run_visibly(Command::new("apt-get").args(["install", "--yes", "wrk"]));
    install().or_else(|_| {
        step::run_visibly(Command::new("apt-get").arg("update"))?;
        install()
    })
}

/// Sends the request of `row` over that many connections, each again as soon as it is answered.
///
/// # Errors
///
/// wrk fails, or a single request was not answered 2xx.
pub(super) fn run(
    bench: &Bench,
    row: &Row,
    port: u16,
    connections: u32,
    duration: Duration,
) -> anyhow::Result<Load> {
    let script = bench
        .workspace
        .root()
        .join("crates/spikard-bench/wrk/report.lua");
    debug_assert!(
        fs::exists(&script).unwrap_or_default(),
        "the script lies beside the applications"
    );
    let mut wrk = Command::new("taskset");
    wrk.args([
        "--cpu-list",
        &bench.cores.load.to_string(),
        "wrk",
        "--latency",
        "--threads",
        "1",
    ])
    .args(["--connections", &connections.to_string()])
    .args(["--duration", &format!("{}s", duration.as_secs())])
    .arg("--script")
    .arg(script)
    .arg(format!("http://127.0.0.1:{port}{}", row.target));
    parse(&step::read_output(&mut wrk)?).with_context(|| format!("row {}", row.name))
}

fn parse(output: &str) -> anyhow::Result<Load> {
    let line = output
        .lines()
        .rfind(|line| line.starts_with('{'))
        .context("wrk does not report")?;
    let load: Load = serde_json::from_str(line).with_context(|| format!("wrk reports `{line}`"))?;
    ensure!(
        load.requests > 0 && load.duration_us > 0,
        "wrk sent no request"
    );
    let errors = load.connect_errors + load.read_errors + load.write_errors + load.timeouts;
    ensure!(errors == 0, "{errors} requests failed: {line}");
    ensure!(
        load.non_2xx == 0,
        "{} requests were not answered 2xx",
        load.non_2xx
    );
    Ok(load)
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = r#"{"requests":10,"duration_us":2000,"bytes":5,"mean_us":1.500,"p50_us":1,"p95_us":2,"p99_us":3,"max_us":4,"connect_errors":0,"read_errors":0,"write_errors":0,"timeouts":0,"non_2xx":0}"#;

    #[test]
    fn reads_the_report_among_other_lines() {
        let load = parse(&format!("Running 3s test\n  Latency 1us\n{REPORT}")).unwrap();
        assert_eq!(
            (load.requests, load.duration_us, load.p99_us),
            (10, 2000, 3)
        );
    }

    #[test]
    fn a_single_failure_spoils_a_run() {
        // What the report says instead, part of the objection.
        for (said, instead, expected) in [
            (
                r#""non_2xx":0"#,
                r#""non_2xx":1"#,
                "1 requests were not answered 2xx",
            ),
            (r#""timeouts":0"#, r#""timeouts":2"#, "2 requests failed"),
            (r#""requests":10"#, r#""requests":0"#, "no request"),
            (r#""p50_us":1,"#, "", "wrk reports"),
            (REPORT, "Running", "does not report"),
        ] {
            let error = parse(&REPORT.replace(said, instead)).unwrap_err();
            assert!(error.to_string().contains(expected), "{instead}: {error}");
        }
    }
}
