//! Counts instead of times: user instructions and system calls per request.
//!
//! A server runs twice under the counting tool, once for many requests and once for few; the difference of the two
//! counts, divided by the difference of requests, is what one request costs, without start and end of the process.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, ensure};

use crate::step;

use super::Bench;
use super::client::Connection;
use super::measure::as_float;
use super::rows::Row;
use super::server::Server;

/// How many requests the two runs answer.
const FEW: u32 = 500;
const MANY: u32 = 2500;

/// Prints how many user instructions a request takes, on one connection and on fifty.
///
/// # Errors
///
/// A server does not answer as it should under valgrind.
pub(super) fn instructions(bench: &Bench) -> anyhow::Result<()> {
    if !step::is_installed("valgrind") {
        println!(
            "instructions are not counted: install valgrind (on Debian: apt-get install valgrind)"
        );
        return Ok(());
    }
    let file = bench.out.join("callgrind.out");
    let tool = [
        "valgrind".to_owned(),
        "--quiet".to_owned(),
        "--tool=callgrind".to_owned(),
        format!("--callgrind-out-file={}", file.display()),
    ];
    println!(
        "\n| row | instructions per request, 1 connection | 50 connections |\n| --- | ---: | ---: |"
    );
    for row in &bench.rows {
        let mut figures = Vec::new();
        for connections in [1, 50] {
            let mut counts = Vec::new();
            for requests in [FEW, MANY] {
                let (server, first) = Server::start(bench, row, &tool)?;
                send(row, first, server.port, requests, connections)?;
                server.stop()?;
                counts.push(parse_callgrind(&read(&file)?)?);
            }
            figures.push(format!("{:.0}", per_request(counts[0], counts[1])));
        }
        println!("| {} | {} |", row.name, figures.join(" | "));
    }
    Ok(())
}

/// Prints how many system calls of each kind a request takes, on one connection and on fifty.
///
/// # Errors
///
/// A server does not answer as it should under strace.
pub(super) fn system_calls(bench: &Bench) -> anyhow::Result<()> {
    if !step::is_installed("strace") {
        println!(
            "system calls are not counted: install strace (on Debian: apt-get install strace)"
        );
        return Ok(());
    }
    let file = bench.out.join("strace.out");
    let tool = ["strace", "-f", "-c", "-o"]
        .map(str::to_owned)
        .into_iter()
        .chain([file.display().to_string()]);
    let tool: Vec<String> = tool.collect();
    println!("\n| row | connections | system calls per request |\n| --- | ---: | --- |");
    for row in &bench.rows {
        for connections in [1, 50] {
            let mut counts = Vec::new();
            for requests in [FEW, MANY] {
                let (mut server, first) = Server::start(bench, row, &tool)?;
                server.is_watched()?;
                send(row, first, server.port, requests, connections)?;
                server.stop()?;
                counts.push(parse_strace(&read(&file)?)?);
            }
            println!(
                "| {} | {connections} | {} |",
                row.name,
                describe(&counts[0], &counts[1])
            );
        }
    }
    Ok(())
}

/// Sends that many requests over that many connections: on each one, then the answers of all.
///
/// `first` is the connection that has had the first answer; it is one of them.
fn send(
    row: &Row,
    first: Connection,
    port: u16,
    requests: u32,
    connections: u32,
) -> anyhow::Result<()> {
    let mut open = vec![first];
    for _ in 1..connections {
        open.push(Connection::open(port)?);
    }
    for _ in 0..requests / connections {
        for connection in &mut open {
            connection.send(row)?;
        }
        for connection in &mut open {
            connection.expect_answer()?;
        }
    }
    Ok(())
}

fn per_request(few: u64, many: u64) -> f64 {
    (as_float(many) - as_float(few)) / f64::from(MANY - FEW)
}

/// The kinds of calls of which there is one in a hundred requests or more, the most frequent first.
fn describe(few: &BTreeMap<String, u64>, many: &BTreeMap<String, u64>) -> String {
    let mut kinds: Vec<(&str, f64)> = many
        .iter()
        .map(|(name, count)| {
            (
                name.as_str(),
                per_request(few.get(name).copied().unwrap_or(0), *count),
            )
        })
        .filter(|(_, calls)| *calls >= 0.01)
        .collect();
    kinds.sort_by(|(_, left), (_, right)| right.total_cmp(left));
    let kinds: Vec<String> = kinds
        .iter()
        .map(|(name, calls)| format!("{name} {calls:.2}"))
        .collect();
    kinds.join(", ")
}

fn read(file: &Path) -> anyhow::Result<String> {
    fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

/// Reads the sum of all instructions out of callgrind's file.
fn parse_callgrind(text: &str) -> anyhow::Result<u64> {
    let line = text.lines().find_map(|line| {
        line.strip_prefix("summary:")
            .or_else(|| line.strip_prefix("totals:"))
    });
    let count = line.context("callgrind wrote no sum")?.trim();
    count
        .parse()
        .with_context(|| format!("callgrind's sum is `{count}`"))
}

/// Reads how often each system call was made out of the table that `strace -c` writes.
fn parse_strace(text: &str) -> anyhow::Result<BTreeMap<String, u64>> {
    let mut counts = BTreeMap::new();
    for line in text.lines() {
        // % time, seconds, usecs/call, calls, errors (may be empty), name.
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        if let (Some(Ok(calls)), Some(name)) =
            (fields.get(3).map(|calls| calls.parse()), fields.last())
            && fields.len() >= 5
            && *name != "total"
        {
            counts.insert((*name).to_owned(), calls);
        }
    }
    ensure!(!counts.is_empty(), "strace wrote no table");
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 60.00    0.001000           1      2501           sendto
 30.00    0.000500           1      2502         1 recvfrom
 10.00    0.000100           1         3           mmap
------ ----------- ----------- --------- --------- ----------------
100.00    0.001600           1      5006         1 total
";

    #[test]
    fn reads_the_table_of_strace() {
        let counts = parse_strace(TABLE).unwrap();
        let expected = [("mmap", 3), ("recvfrom", 2502), ("sendto", 2501)];
        assert_eq!(
            counts,
            expected
                .map(|(name, count)| (name.to_owned(), count))
                .into()
        );
        assert!(parse_strace("").is_err());
    }

    #[test]
    fn tells_what_one_request_takes() {
        let few = parse_strace(&TABLE.replace("2501", "501").replace("2502", "502")).unwrap();
        assert_eq!(
            describe(&few, &parse_strace(TABLE).unwrap()),
            "recvfrom 1.00, sendto 1.00"
        );
    }

    #[test]
    fn reads_the_sum_of_callgrind() {
        assert_eq!(
            parse_callgrind("version: 1\nsummary: 123456\n\nfn=(1)\n").unwrap(),
            123_456
        );
        assert!(parse_callgrind("version: 1\n").is_err());
    }
}
