//! A server under measurement: started, awaited, looked at, ended.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use super::client::Connection;
use super::process;
use super::rows::{Program, Row};
use super::{Bench, Profile};

/// How long a server may take to answer for the first time.
const START_PATIENCE: Duration = Duration::from_secs(60);

/// How long a server may take to end.
const END_PATIENCE: Duration = Duration::from_secs(20);

/// A running server; it is killed when this is dropped before [`Server::stop`].
#[derive(Debug)]
pub(super) struct Server {
    child: Child,
    /// The process that serves: the child, or the one that the child watches.
    pid: u32,
    pub(super) port: u16,
    /// From the start of the process to its first correct answer.
    pub(super) start_up: Duration,
    log: PathBuf,
}

impl Server {
    /// Starts the server of `row` on its core and waits for its first answer.
    ///
    /// `tool` is what the server runs under, with its arguments; mostly nothing.
    ///
    /// # Errors
    ///
    /// The server does not start, does not answer in time, or answers something else than it should. What it wrote is
    /// then part of the message.
    pub(super) fn start(
        bench: &Bench,
        row: &Row,
        tool: &[String],
    ) -> anyhow::Result<(Self, Connection)> {
        let port = free_port()?;
        let log = bench.out.join(format!("{}.log", row.name));
        let file = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let mut command = command(bench, row, tool);
        command
            .env("PORT", port.to_string())
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file);

        let started = Instant::now();
        let child = command
            .spawn()
            .with_context(|| format!("cannot start {}", row.name))?;
        let pid = child.id();
        let mut server = Self {
            child,
            pid,
            port,
            start_up: Duration::ZERO,
            log,
        };
        let connection = server.first_answer(row, started).map_err(|error| {
            let output = fs::read_to_string(&server.log).unwrap_or_default();
            error.context(format!("row {}: {}", row.name, output.trim()))
        })?;
        server.start_up = started.elapsed();
        Ok((server, connection))
    }

    fn first_answer(&mut self, row: &Row, started: Instant) -> anyhow::Result<Connection> {
        while started.elapsed() < START_PATIENCE {
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended with {status}");
            }
            if let Ok(mut connection) = Connection::open(self.port) {
                connection.send(row)?;
                connection.expect_answer()?;
                return Ok(connection);
            }
            thread::sleep(Duration::from_millis(1));
        }
        bail!(
            "the server does not listen after {} s",
            START_PATIENCE.as_secs()
        )
    }

    /// The process that serves.
    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    /// Says that the child only watches the process that serves, as strace does.
    pub(super) fn is_watched(&mut self) -> anyhow::Result<()> {
        let family = process::family(self.child.id())?;
        self.pid = *family.get(1).context("the server is not there")?;
        Ok(())
    }

    /// Ends the server and waits until it is gone.
    ///
    /// # Errors
    ///
    /// It does not end in time; it is then killed.
    pub(super) fn stop(mut self) -> anyhow::Result<()> {
        process::ask_to_end(self.pid)?;
        process::wait(&mut self.child, END_PATIENCE).map(drop)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // After `stop` the child is gone, and its number may be somebody else's.
        if let Ok(None) = self.child.try_wait() {
            // A tool that is killed leaves the process alone that it watched.
            process::kill_family(self.child.id());
            let _ = self.child.wait();
        }
    }
}

fn command(bench: &Bench, row: &Row, tool: &[String]) -> Command {
    let root = bench.workspace.root();
    let mut words = vec![
        "taskset".into(),
        "--cpu-list".into(),
        bench.cores.server.to_string().into(),
    ];
    words.extend(tool.iter().map(PathBuf::from));
    match row.program {
        Program::Limit => words.push(
            bench
                .workspace
                .target()
                .join(Profile::Wheel.name())
                .join("limit"),
        ),
        Program::App(file) => {
            words.push(bench.environment.interpreter());
            words.push(root.join("crates/spikard-bench/apps").join(file));
        }
    }
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).current_dir(root);
    // With a hash seed of its own, each process would execute a different number of instructions.
    command.env("PYTHONHASHSEED", "0");
    command
}

/// A port that nobody listens on; the next moment somebody might, and then the server says so.
fn free_port() -> anyhow::Result<u16> {
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("cannot find a free port")?;
    Ok(listener.local_addr()?.port())
}
