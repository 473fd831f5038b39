//! `cargo xtask test-all`: every check there is, step by step.

mod deny;
mod steps;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{anyhow, bail};

use crate::environment::Environment;
use crate::step;
use crate::workspace::Workspace;

/// Runs every check there is, step by step, and stops at the first that fails.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Only this step and what it builds on; may be given several times.
    #[arg(long, value_name = "STEP")]
    only: Vec<String>,
    /// Go on after a step that fails.
    #[arg(long)]
    keep_going: bool,
    /// Name the steps, and run none.
    #[arg(long)]
    list: bool,
}

/// One check.
struct Step {
    name: &'static str,
    /// What it looks at, for `--list`.
    about: &'static str,
    /// The steps that must have run before it.
    needs: &'static [&'static str],
    run: fn(&Workbench) -> anyhow::Result<Verdict>,
}

/// What a step that did not fail has to say.
#[derive(Debug)]
enum Verdict {
    Passed,
    /// Passed, except for a part that could not be looked at here.
    PassedWithout(String),
}

/// What the steps work with.
struct Workbench {
    workspace: Workspace,
    environment: Environment,
}

/// How a step ended.
struct Ending {
    name: &'static str,
    duration: Duration,
    result: anyhow::Result<Verdict>,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let steps = select(&arguments.only)?;
    if arguments.list {
        for step in steps {
            println!("{:<15}{}", step.name, step.about);
        }
        return Ok(ExitCode::SUCCESS);
    }

    // pyo3 asks an interpreter how to link, and a change of interpreter compiles it anew: so that all steps name the
    // same one, the environment is there before the first.
    let workspace = Workspace::find();
    let environment = Environment::create(&workspace)?;
    let workbench = Workbench {
        workspace,
        environment,
    };

    let started = Instant::now();
    let mut endings = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        println!("\n==> {} ({} of {})", step.name, index + 1, steps.len());
        let ending = finish(step, &workbench);
        let has_failed = ending.result.is_err();
        endings.push(ending);
        if has_failed && !arguments.keep_going {
            break;
        }
    }
    let failed = endings
        .iter()
        .filter(|ending| ending.result.is_err())
        .count();
    summarize(&steps, &endings, started.elapsed());
    Ok(if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The steps of that name and what they need, in the order of the table; all of them when none is named.
fn select(names: &[String]) -> anyhow::Result<Vec<&'static Step>> {
    if names.is_empty() {
        return Ok(steps::STEPS.iter().collect());
    }
    let mut wanted: Vec<&str> = Vec::new();
    let mut open: Vec<&str> = names.iter().map(String::as_str).collect();
    while let Some(name) = open.pop() {
        let step = steps::STEPS
            .iter()
            .find(|step| step.name == name)
            .ok_or_else(|| {
                anyhow!("there is no step `{name}`: `cargo xtask test-all --list` names them all")
            })?;
        wanted.push(step.name);
        open.extend(step.needs);
    }
    Ok(steps::STEPS
        .iter()
        .filter(|step| wanted.contains(&step.name))
        .collect())
}

fn finish(step: &Step, workbench: &Workbench) -> Ending {
    let started = Instant::now();
    let result = (step.run)(workbench);
    let duration = started.elapsed();
    let seconds = duration.as_secs_f32();
    match &result {
        Ok(Verdict::Passed) => println!("<== {} passed in {seconds:.1} s", step.name),
        Ok(Verdict::PassedWithout(part)) => {
            println!("<== {} passed in {seconds:.1} s, without {part}", step.name);
        }
        Err(error) => {
            println!("<== {} FAILED after {seconds:.1} s: {error:#}", step.name);
            println!(
                "    repeat it with: cargo xtask test-all --only {}",
                step.name
            );
        }
    }
    Ending {
        name: step.name,
        duration,
        result,
    }
}

fn summarize(steps: &[&Step], endings: &[Ending], duration: Duration) {
    println!("\n{:<15}{:>9}  result", "step", "seconds");
    for step in steps {
        let Some(ending) = endings.iter().find(|ending| ending.name == step.name) else {
            println!("{:<15}{:>9}  not run", step.name, "-");
            continue;
        };
        let result = match &ending.result {
            Ok(Verdict::Passed) => "passed".to_owned(),
            Ok(Verdict::PassedWithout(part)) => format!("passed, without {part}"),
            Err(_) => format!("FAILED; repeat: cargo xtask test-all --only {}", step.name),
        };
        println!(
            "{:<15}{:>9.1}  {result}",
            step.name,
            ending.duration.as_secs_f32()
        );
    }
    println!("{:<15}{:>9.1}", "all", duration.as_secs_f32());
}

/// For a step that found something and has printed it.
fn expect_none(count: usize, what: &str) -> anyhow::Result<Verdict> {
    if count > 0 {
        bail!("{count} {what}");
    }
    Ok(Verdict::Passed)
}

impl Workbench {
    /// Runs cargo with these arguments, and with the environment's interpreter for pyo3.
    fn cargo(&self, arguments: &[&str]) -> anyhow::Result<Verdict> {
        let mut cargo = self.workspace.cargo();
        step::run_visibly(
            cargo
                .args(arguments)
                .env("PYO3_PYTHON", self.environment.interpreter()),
        )?;
        Ok(Verdict::Passed)
    }

    /// Runs a program of the environment in the package's folder.
    fn in_python(&self, program: &str, arguments: &[&str]) -> anyhow::Result<Verdict> {
        let mut command = self.environment.command(program);
        step::run_visibly(command.args(arguments).current_dir(self.workspace.python()))?;
        Ok(Verdict::Passed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selected(names: &[&str]) -> Vec<&'static str> {
        let names: Vec<String> = names.iter().copied().map(str::to_owned).collect();
        select(&names)
            .expect("the steps exist")
            .iter()
            .map(|step| step.name)
            .collect()
    }

    #[test]
    fn a_step_brings_what_it_needs() {
        // Named, run.
        for (names, expected) in [
            (&["tidy"][..], &["tidy"][..]),
            (&["pytest"], &["environment", "wheel", "pytest"]),
            (
                &["pytest", "format"],
                &["format", "environment", "wheel", "pytest"],
            ),
        ] {
            assert_eq!(selected(names), expected, "{names:?}");
        }
        assert_eq!(selected(&[]).len(), steps::STEPS.len());
    }

    #[test]
    fn every_need_is_an_earlier_step() {
        for (index, step) in steps::STEPS.iter().enumerate() {
            for need in step.needs {
                assert!(
                    steps::STEPS[..index]
                        .iter()
                        .any(|earlier| earlier.name == *need),
                    "{} -> {need}",
                    step.name
                );
            }
        }
    }

    #[test]
    fn an_unknown_step_is_an_error() {
        let error = select(&["pitest".to_owned()]).map(drop).unwrap_err();
        assert!(
            error.to_string().starts_with("there is no step `pitest`"),
            "{error}"
        );
    }
}
