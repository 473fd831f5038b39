//! Runs a child process so that one sees what runs, and says what failed.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, bail};

/// Runs `command` with its output on this terminal, after a line that shows it.
///
/// # Errors
///
/// The program cannot be started, or does not end with status 0.
pub(crate) fn run_visibly(command: &mut Command) -> anyhow::Result<()> {
    println!("$ {}", shown(command));
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command
        .status()
        .with_context(|| format!("cannot start {program}"))?;
    if !status.success() {
        bail!("{} ended with {status}", name(&program));
    }
    Ok(())
}

/// Runs `command` and gives what it wrote to its standard output.
///
/// # Errors
///
/// The program cannot be started, or does not end with status 0: then what it wrote to standard error is the message.
pub(crate) fn read_output(command: &mut Command) -> anyhow::Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command
        .output()
        .with_context(|| format!("cannot start {program}"))?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        bail!(
            "{} ended with {}: {complaint}",
            name(&program),
            output.status
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Makes this process that program: signals reach it and its exit status is ours.
///
/// # Errors
///
/// The program cannot be started.
#[cfg(unix)]
pub(crate) fn become_program(command: &mut Command) -> anyhow::Result<ExitCode> {
    use std::os::unix::process::CommandExt as _;

    println!("$ {}", shown(command));
    let error = command.exec();
    Err(error).with_context(|| format!("cannot start {}", command.get_program().display()))
}

/// Runs that program and gives its exit status; an interrupt reaches it through the terminal they share.
///
/// # Errors
///
/// The program cannot be started.
#[cfg(not(unix))]
pub(crate) fn become_program(command: &mut Command) -> anyhow::Result<ExitCode> {
    println!("$ {}", shown(command));
    let status = command
        .status()
        .with_context(|| format!("cannot start {}", command.get_program().display()))?;
    Ok(status
        .code()
        .and_then(|code| u8::try_from(code).ok())
        .map_or(ExitCode::FAILURE, ExitCode::from))
}

/// Whether the search path holds `program`.
pub(crate) fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| {
        folder.join(program).is_file()
            || folder
                .join(format!("{program}{}", std::env::consts::EXE_SUFFIX))
                .is_file()
    })
}

/// The command as one would type it: program names without their folders, words quoted where a shell needs it.
fn shown(command: &Command) -> String {
    let mut line = name(&command.get_program().to_string_lossy()).to_owned();
    for argument in command.get_args() {
        line.push(' ');
        line.push_str(&quoted(argument));
    }
    if let Some(folder) = command
        .get_current_dir()
        .and_then(Path::file_name)
        .filter(|name| *name == "python")
    {
        let inner = std::mem::take(&mut line);
        write!(line, "(cd {} && {inner})", folder.display()).expect("a String takes every write");
    }
    line
}

fn name(program: &str) -> &str {
    Path::new(program)
        .file_name()
        .and_then(OsStr::to_str)
        .unwrap_or(program)
}

fn quoted(argument: &OsStr) -> String {
    let text = argument.to_string_lossy();
    let is_plain =
        |character: char| character.is_ascii_alphanumeric() || "-_=+:,./@%".contains(character);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.into_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_a_command_as_one_would_type_it() {
        // Program, arguments, folder, line.
        for (program, arguments, folder, expected) in [
            (
                "/usr/bin/cargo",
                &["test", "--workspace"][..],
                "/a",
                "cargo test --workspace",
            ),
            ("ruff", &["check"], "/a/python", "(cd python && ruff check)"),
            ("sh", &["-c", "it's"], "/a", r"sh -c 'it'\''s'"),
            ("sh", &[""], "/a", "sh ''"),
        ] {
            assert_eq!(
                shown(Command::new(program).args(arguments).current_dir(folder)),
                expected
            );
        }
    }

    #[cfg(unix)]
    #[test]
    fn tells_how_a_child_ended() {
        assert!(run_visibly(Command::new("sh").args(["-c", "exit 0"])).is_ok());
        let error = run_visibly(Command::new("sh").args(["-c", "exit 3"])).unwrap_err();
        assert_eq!(error.to_string(), "sh ended with exit status: 3");
        let error =
            read_output(Command::new("sh").args(["-c", "echo no >&2; exit 4"])).unwrap_err();
        assert_eq!(error.to_string(), "sh ended with exit status: 4: no");
    }
}
