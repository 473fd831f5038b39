//! The report: medians per row and number of connections, as JSON and as a Markdown table.

use std::fmt::Write as _;
use std::fs;

use anyhow::Context as _;
use serde::Serialize;

use super::Bench;
use super::machine::Machine;
use super::measure::{MeasuredLoad, Round, as_float};
use super::rows::{ROWS, Row};

/// One line of the table: medians over the rounds.
#[derive(Debug, Serialize)]
struct Line {
    row: &'static str,
    connections: u32,
    requests_per_second: Spread,
    mean_us: f64,
    p50_us: f64,
    p95_us: f64,
    p99_us: f64,
    busy_percent: f64,
    cpu_seconds_per_100k: f64,
    peak_mb: f64,
    start_up_ms: f64,
    /// The throughput as a fraction of that of the row's limit, if that was measured.
    ratio: Option<f64>,
}

/// A median and what lies around it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
struct Spread {
    median: f64,
    least: f64,
    most: f64,
}

/// Everything `results.json` holds.
#[derive(Debug, Serialize)]
struct Report<'a> {
    machine: &'a Machine,
    rounds: u32,
    seconds: u64,
    results: &'a [Line],
    measurements: &'a [Round],
}

/// Writes `results.json` and `results.md`, and prints the table.
///
/// # Errors
///
/// A file cannot be written.
pub(super) fn write(bench: &Bench, measurements: &[Round]) -> anyhow::Result<()> {
    let machine = Machine::describe(bench);
    let results = lines(&bench.rows, &bench.connections, measurements);
    let seconds = bench.duration.as_secs();
    let report = Report {
        machine: &machine,
        rounds: bench.rounds,
        seconds,
        results: &results,
        measurements,
    };

    let json = serde_json::to_string_pretty(&report).context("the report is not JSON")?;
    let table = table(&results);
    let markdown = format!("# Benchmark\n\n{table}\n{}", explanation(bench, &machine));
    for (name, text) in [("results.json", json + "\n"), ("results.md", markdown)] {
        let path = bench.out.join(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    println!("\n{table}\nwritten to {}", bench.out.display());
    Ok(())
}

fn lines(rows: &[&'static Row], connections: &[u32], measurements: &[Round]) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for &connections in connections {
        for row in rows {
            let rounds = || measurements.iter().filter(|round| round.row == row.name);
            let loads: Vec<&MeasuredLoad> = rounds()
                .flat_map(|round| &round.loads)
                .filter(|it| it.connections == connections)
                .collect();
            let median_of = |figure: fn(&MeasuredLoad) -> f64| {
                Spread::of(loads.iter().map(|it| figure(it))).median
            };
            lines.push(Line {
                row: row.name,
                connections,
                requests_per_second: Spread::of(loads.iter().map(|it| it.requests_per_second())),
                mean_us: median_of(|it| it.load.mean_us),
                p50_us: median_of(|it| as_float(it.load.p50_us)),
                p95_us: median_of(|it| as_float(it.load.p95_us)),
                p99_us: median_of(|it| as_float(it.load.p99_us)),
                busy_percent: median_of(MeasuredLoad::busy_percent),
                cpu_seconds_per_100k: median_of(MeasuredLoad::cpu_seconds_per_100k),
                peak_mb: Spread::of(rounds().map(|round| round.peak_mb)).median,
                start_up_ms: Spread::of(rounds().map(|round| round.start_up_ms)).median,
                ratio: None,
            });
        }
    }
    for index in 0..lines.len() {
        let line = &lines[index];
        let limit = ROWS
            .iter()
            .find(|row| row.name == line.row)
            .map(|row| row.limit);
        let limit = lines
            .iter()
            .find(|other| Some(other.row) == limit && other.connections == line.connections);
        lines[index].ratio =
            limit.map(|it| line.requests_per_second.median / it.requests_per_second.median);
    }
    lines
}

impl Spread {
    /// The median, the least and the most of the figures; of an even number the median is the mean of the middle two.
    fn of(figures: impl Iterator<Item = f64>) -> Self {
        let mut figures: Vec<f64> = figures.collect();
        figures.sort_by(f64::total_cmp);
        let middle = figures.len() / 2;
        let median = match figures.as_slice() {
            [] => f64::NAN,
            sorted if sorted.len() % 2 == 1 => sorted[middle],
            sorted => f64::midpoint(sorted[middle - 1], sorted[middle]),
        };
        let least = figures.first().copied().unwrap_or(f64::NAN);
        let most = figures.last().copied().unwrap_or(f64::NAN);
        Self {
            median,
            least,
            most,
        }
    }
}

fn table(lines: &[Line]) -> String {
    let mut table = String::from(
        "| row | connections | req/s | least - most | mean µs | p50 µs | p95 µs | p99 µs | busy % | CPU s/100k | peak MB | \
         start-up ms | ratio |\n\
         | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
    );
    for line in lines {
        let Spread {
            median,
            least,
            most,
        } = line.requests_per_second;
        let ratio = line
            .ratio
            .map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}"));
        writeln!(
            table,
            "| {} | {} | {median:.0} | {least:.0} - {most:.0} | {:.0} | {:.0} | {:.0} | {:.0} | {:.0} | {:.2} | {:.1} | {:.0} | {ratio} |",
            line.row,
            line.connections,
            line.mean_us,
            line.p50_us,
            line.p95_us,
            line.p99_us,
            line.busy_percent,
            line.cpu_seconds_per_100k,
            line.peak_mb,
            line.start_up_ms,
        )
        .expect("a String takes every write");
    }
    table
}

fn explanation(bench: &Bench, machine: &Machine) -> String {
    let mut text = format!(
        "Medians of {} rounds of {} s; every round starts each server anew, on one core, with wrk on another. \
         `least - most` is the spread of the rounds; `busy` is the part of its core that the server used: clearly below 100 at \
         many connections, the load generator was the bottleneck, and the CPU seconds tell more than the ratio, which \
         compares the throughput with that of the row's limit.\n\n",
        bench.rounds,
        bench.duration.as_secs()
    );
    for row in &bench.rows {
        writeln!(
            text,
            "- `{}`: {}; compared with `{}`.",
            row.name, row.about, row.limit
        )
        .expect("a String takes every write");
    }
    write!(
        text,
        "\nMachine: {}, {} cores, {}; {}; {}; {}; {}; commit {}.\n",
        machine.cpu,
        machine.cores,
        machine.kernel,
        machine.python,
        machine.rustc,
        machine.wrk,
        machine.crates.join(", "),
        machine.commit
    )
    .expect("a String takes every write");
    text
}

#[cfg(test)]
mod tests {
    use super::super::load::Load;
    use super::*;

    #[test]
    fn takes_medians() {
        for (figures, median) in [
            (&[3.0, 1.0, 2.0][..], 2.0),
            (&[4.0, 1.0, 2.0, 3.0], 2.5),
            (&[7.0], 7.0),
        ] {
            let spread = Spread::of(figures.iter().copied());
            assert!(
                (spread.median - median).abs() < 1e-9,
                "{figures:?}: {spread:?}"
            );
            assert!(
                spread.least <= spread.median && spread.median <= spread.most,
                "{figures:?}: {spread:?}"
            );
        }
    }

    fn round(row: &'static str, requests: u64) -> Round {
        let load: Load = serde_json::from_value(serde_json::json!({
            "requests": requests, "duration_us": 1_000_000, "bytes": 1, "mean_us": 12.4, "p50_us": 10, "p95_us": 20,
            "p99_us": 30, "max_us": 40, "connect_errors": 0, "read_errors": 0, "write_errors": 0, "timeouts": 0,
            "non_2xx": 0,
        }))
        .unwrap();
        let loads = vec![MeasuredLoad {
            connections: 50,
            cpu_seconds: 0.5,
            load,
        }];
        Round {
            row,
            start_up_ms: 9.6,
            peak_mb: 3.25,
            loads,
        }
    }

    #[test]
    fn compares_each_row_with_its_limit() {
        let measurements = [
            round("limit", 1000),
            round("def", 700),
            round("limit", 3000),
            round("def", 900),
        ];
        let lines = lines(&[&ROWS[0], &ROWS[1]], &[50], &measurements);
        assert_eq!(
            table(&lines).lines().skip(2).collect::<Vec<_>>(),
            [
                "| limit | 50 | 2000 | 1000 - 3000 | 12 | 10 | 20 | 30 | 50 | 33.33 | 3.2 | 10 | 1.00 |",
                "| def | 50 | 800 | 700 - 900 | 12 | 10 | 20 | 30 | 50 | 63.49 | 3.2 | 10 | 0.40 |",
            ]
        );
    }

    #[test]
    fn has_no_ratio_without_the_limit() {
        assert_eq!(
            lines(&[&ROWS[1]], &[50], &[round("def", 700)])[0].ratio,
            None
        );
    }
}
