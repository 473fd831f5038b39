//! The rounds: every row once per round, each time with a fresh server.

use std::time::Duration;

use serde::Serialize;

use super::load::{self, Load};
use super::rows::Row;
use super::server::Server;
use super::{Bench, process};

/// How long a fresh server is warmed up, on as many connections as the first measurement has.
const WARM_UP: Duration = Duration::from_secs(1);

/// What one row did in one round.
#[derive(Debug, Serialize)]
pub(super) struct Round {
    pub(super) row: &'static str,
    pub(super) start_up_ms: f64,
    /// At the end of the round, of the server and what it has started.
    pub(super) peak_mb: f64,
    pub(super) loads: Vec<MeasuredLoad>,
}

/// One run of the load generator.
#[derive(Debug, Serialize)]
pub(super) struct MeasuredLoad {
    pub(super) connections: u32,
    /// What the server used meanwhile, in user and in kernel mode.
    pub(super) cpu_seconds: f64,
    #[serde(flatten)]
    pub(super) load: Load,
}

/// Measures all rows in turn, as many rounds as are asked for.
///
/// # Errors
///
/// A server does not answer as it should, or a tool fails.
pub(super) fn all(bench: &Bench) -> anyhow::Result<Vec<Round>> {
    let ticks_per_second = process::ticks_per_second()?;
    let mut rounds = Vec::new();
    for number in 1..=bench.rounds {
        for row in &bench.rows {
            let round = one(bench, row, ticks_per_second)?;
            let rates: Vec<String> = round
                .loads
                .iter()
                .map(|it| {
                    format!(
                        "{:.0} req/s at {}",
                        it.requests_per_second(),
                        it.connections
                    )
                })
                .collect();
            println!(
                "round {number} of {}: {:<12}{}",
                bench.rounds,
                row.name,
                rates.join(", ")
            );
            rounds.push(round);
        }
    }
    Ok(rounds)
}

fn one(bench: &Bench, row: &'static Row, ticks_per_second: f64) -> anyhow::Result<Round> {
    let (server, connection) = Server::start(bench, row, &[])?;
    // The connection of the first answer would be one more than the row says.
    drop(connection);
    let warm_up = bench.connections.first().copied().unwrap_or(1);
    load::run(bench, row, server.port, warm_up, WARM_UP)?;

    let mut loads = Vec::new();
    for &connections in &bench.connections {
        let before = process::cpu_ticks(server.pid())?;
        let load = load::run(bench, row, server.port, connections, bench.duration)?;
        let ticks = process::cpu_ticks(server.pid())? - before;
        loads.push(MeasuredLoad {
            connections,
            cpu_seconds: as_float(ticks) / ticks_per_second,
            load,
        });
    }
    let round = Round {
        row: row.name,
        start_up_ms: server.start_up.as_secs_f64() * 1e3,
        peak_mb: as_float(process::peak_memory_kb(server.pid())?) / 1024.0,
        loads,
    };
    server.stop()?;
    Ok(round)
}

impl MeasuredLoad {
    pub(super) fn requests_per_second(&self) -> f64 {
        as_float(self.load.requests) / (as_float(self.load.duration_us) / 1e6)
    }

    /// How much of its core the server used. Clearly below 100 at many connections, the load was what limited it.
    pub(super) fn busy_percent(&self) -> f64 {
        self.cpu_seconds / (as_float(self.load.duration_us) / 1e6) * 1e2
    }

    pub(super) fn cpu_seconds_per_100k(&self) -> f64 {
        self.cpu_seconds / as_float(self.load.requests) * 1e5
    }
}

/// Counts here stay far below 2^53, where the nearest float would be another number.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of a few seconds are exact"
)]
pub(super) fn as_float(count: u64) -> f64 {
    count as f64
}
