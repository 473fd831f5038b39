//! What the kernel knows of a running process, and how it is ended.

use std::fs;
use std::process::{Child, Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use crate::step;

/// How many kilobytes a process and its children have held at most, each for itself, in sum.
pub(super) fn peak_memory_kb(pid: u32) -> anyhow::Result<u64> {
    let mut sum = 0;
    for pid in family(pid)? {
        let path = format!("/proc/{pid}/status");
        let status = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
        sum += parse_peak(&status)
            .with_context(|| format!("{path} does not tell the peak of memory"))?;
    }
    Ok(sum)
}

/// The CPU time that a process and its children have used, in clock ticks.
pub(super) fn cpu_ticks(pid: u32) -> anyhow::Result<u64> {
    let mut sum = 0;
    for pid in family(pid)? {
        sum += read_stat(pid)?.ticks;
    }
    Ok(sum)
}

/// How many clock ticks a second has.
pub(super) fn ticks_per_second() -> anyhow::Result<f64> {
    let answer = step::read_output(Command::new("getconf").arg("CLK_TCK"))?;
    answer
        .parse()
        .with_context(|| format!("getconf says that a second has `{answer}` ticks"))
}

/// The process and everything it has started, itself first.
pub(super) fn family(pid: u32) -> anyhow::Result<Vec<u32>> {
    let mut stats = Vec::new();
    for entry in fs::read_dir("/proc").context("cannot read /proc")? {
        // A process that ends meanwhile is none of the family.
        if let Some(pid) = entry
            .ok()
            .and_then(|entry| entry.file_name().to_str()?.parse().ok())
            && let Ok(stat) = read_stat(pid)
        {
            stats.push((pid, stat.parent));
        }
    }
    let mut family = vec![pid];
    let mut next = 0;
    while next < family.len() {
        let parent = family[next];
        family.extend(
            stats
                .iter()
                .filter(|(_, it)| *it == parent)
                .map(|(pid, _)| *pid),
        );
        next += 1;
    }
    Ok(family)
}

/// Asks a process to end, with SIGTERM.
pub(super) fn ask_to_end(pid: u32) -> anyhow::Result<()> {
    send(pid, "TERM")
}

/// Kills a process and everything it has started, as far as they are still there.
pub(super) fn kill_family(pid: u32) {
    for pid in family(pid).unwrap_or_else(|_| vec![pid]) {
        let _ = send(pid, "KILL");
    }
}

fn send(pid: u32, signal: &str) -> anyhow::Result<()> {
    // The shell's own `kill` is there when the program of that name is not.
    let line = format!("kill -{signal} {pid}");
    step::read_output(Command::new("sh").args(["-c", &line])).map(drop)
}

/// Waits for a child to end; when it does not in time, kills it, and that is an error.
pub(super) fn wait(child: &mut Child, patience: Duration) -> anyhow::Result<ExitStatus> {
    let deadline = Instant::now() + patience;
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        thread::sleep(Duration::from_millis(5));
    }
    kill_family(child.id());
    child.wait()?;
    bail!(
        "process {} did not end within {} s and was killed",
        child.id(),
        patience.as_secs()
    )
}

#[derive(Debug, PartialEq, Eq)]
struct Stat {
    parent: u32,
    ticks: u64,
}

fn read_stat(pid: u32) -> anyhow::Result<Stat> {
    let path = format!("/proc/{pid}/stat");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    parse_stat(&text).with_context(|| format!("{path} is not as proc(5) describes it"))
}

/// Reads fields 4 (parent), 14 and 15 (time in user and in kernel mode) of proc(5)'s `stat`.
fn parse_stat(text: &str) -> Option<Stat> {
    // The second field is the program's name, which may hold spaces and parentheses.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_ascii_whitespace().collect();
    let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
    Some(Stat {
        parent: u32::try_from(number(4)?).ok()?,
        ticks: number(14)? + number(15)?,
    })
}

fn parse_peak(status: &str) -> Option<u64> {
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?
        .trim()
        .strip_suffix(" kB")?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_kernel_writes() {
        let stat = "42 (a) (b c) S 7 42 42 0 -1 4194560 100 0 0 0 31 11 0 0 20 0 1 0 555 1000 200";
        assert_eq!(
            parse_stat(stat),
            Some(Stat {
                parent: 7,
                ticks: 42
            })
        );
        assert_eq!(parse_stat("42 (a) S"), None);
        assert_eq!(
            parse_peak("Name:\ta\nVmHWM:\t    5120 kB\nVmRSS:\t 4 kB\n"),
            Some(5120)
        );
        assert_eq!(parse_peak("Name:\ta\n"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn finds_and_ends_a_family() {
        let mut shell = Command::new("sh")
            .args(["-c", "sleep 60 & exec sleep 60"])
            .spawn()
            .unwrap();
        let mut members = Vec::new();
        while members.len() < 2 {
            members = family(shell.id()).unwrap();
        }
        assert_eq!(members[0], shell.id());
        assert!(peak_memory_kb(shell.id()).unwrap() > 0);
        kill_family(shell.id());
        assert!(!wait(&mut shell, Duration::from_secs(5)).unwrap().success());
    }
}
