//! The Python virtual environment `.venv`, which every Python step runs in.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, anyhow, bail};

use crate::step;
use crate::workspace::Workspace;

/// Where an interpreter is looked for when `SPIKARD_PYTHON` names none, in this order.
const INTERPRETERS: [&str; 5] = [
    "python3",
    "python3.13",
    "python3.12",
    "python3.11",
    "python",
];

/// The oldest CPython the package runs on.
const OLDEST: Version = (3, 11);

type Version = (u32, u32);

/// The virtual environment at the root of the repository.
#[derive(Debug)]
pub(crate) struct Environment {
    folder: PathBuf,
    version: Version,
}

/// What the environment is wanted for, which decides what is installed into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Build and run: maturin, and what the package depends on.
    Serve,
    /// All of that, and the tools of the dependency group `dev`.
    Develop,
}

impl Purpose {
    /// The file in `.venv` that tells for which manifest everything is installed.
    fn stamp(self) -> &'static str {
        match self {
            Self::Serve => "spikard-serve.stamp",
            Self::Develop => "spikard-develop.stamp",
        }
    }
}

/// How the extension is compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Optimized, with line numbers in backtraces.
    Release,
    /// As it is published: optimized across crates, which takes longer to build.
    Wheel,
}

impl Profile {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Wheel => "wheel",
        }
    }
}

impl Environment {
    /// Creates `.venv` unless a good one stands there, without installing anything.
    ///
    /// # Errors
    ///
    /// No CPython that is new enough, or one that cannot create virtual environments.
    pub(crate) fn create(workspace: &Workspace) -> anyhow::Result<Self> {
        let folder = workspace.root().join(".venv");
        let wanted = env::var_os("SPIKARD_PYTHON");
        if let Some(version) =
            version_of(program_in(&folder, "python").as_os_str()).filter(|found| *found >= OLDEST)
            && wanted
                .as_deref()
                .and_then(version_of)
                .is_none_or(|wanted| wanted == version)
        {
            return Ok(Self { folder, version });
        }
        let (interpreter, version) = find_interpreter(wanted)?;
        require_venv(&interpreter)?;
        // `--clear` also replaces an environment whose interpreter is gone.
        step::run_visibly(
            Command::new(&interpreter)
                .args(["-m", "venv", "--clear"])
                .arg(&folder),
        )?;
        Ok(Self { folder, version })
    }

    /// Creates `.venv` and installs what `purpose` needs, unless that is done for the manifest as it stands.
    ///
    /// # Errors
    ///
    /// As [`Environment::create`]; or pip fails.
    pub(crate) fn prepare(workspace: &Workspace, purpose: Purpose) -> anyhow::Result<Self> {
        let environment = Self::create(workspace)?;
        if environment.is_stamped(workspace, purpose)? {
            return Ok(environment);
        }
        // Dependency groups need pip 25.1, which the oldest CPython does not bring along.
        step::run_visibly(environment.pip(workspace).args(["--upgrade", "pip"]))?;
        step::run_visibly(
            environment
                .pip(workspace)
                .args(environment.build_requirements(workspace)?),
        )?;
        if purpose == Purpose::Develop {
            step::run_visibly(environment.pip(workspace).args(["--group", "dev"]))?;
        }
        Ok(environment)
    }

    /// Compiles the extension, or finds it up to date, and places it in the package in `python`.
    ///
    /// The first time for a manifest the package itself is installed too, as editable.
    ///
    /// # Errors
    ///
    /// The extension does not compile, or pip fails.
    pub(crate) fn build_extension(
        &self,
        workspace: &Workspace,
        purpose: Purpose,
        profile: Profile,
    ) -> anyhow::Result<()> {
        let mut maturin = self.command("maturin");
        // maturin reads its settings from the pyproject of the folder it runs in. Left to install the package itself, it
        // would install the tools of the group `dev` along with it, which serving does not need.
        maturin.current_dir(workspace.python()).args([
            "develop",
            "--skip-install",
            "--profile",
            profile.name(),
        ]);
        step::run_visibly(&mut maturin)?;
        if self.is_stamped(workspace, purpose)? {
            return Ok(());
        }
        // Everything is compiled by now: pip finds the same build and only writes down where the package lies.
        let mut pip = self.pip(workspace);
        pip.arg("--no-build-isolation")
            .arg(format!(
                "--config-settings=build-args=--profile {}",
                profile.name()
            ))
            .args(["--editable", "."]);
        step::run_visibly(&mut pip)?;
        let stamp = self.folder.join(purpose.stamp());
        fs::write(&stamp, self.manifest(workspace)?)
            .with_context(|| format!("cannot write {}", stamp.display()))
    }

    /// A command that runs a program of the environment as if the environment were activated.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program_in(&self.folder, program));
        let scripts = scripts_in(&self.folder);
        let path = env::var_os("PATH").unwrap_or_default();
        if let Ok(path) = env::join_paths([scripts].into_iter().chain(env::split_paths(&path))) {
            command.env("PATH", path);
        }
        // maturin refuses to choose when a conda environment is active as well.
        command
            .env("VIRTUAL_ENV", &self.folder)
            .env_remove("CONDA_PREFIX")
            .env_remove("PYTHONHOME");
        command
    }

    /// The interpreter, for the build script that asks it how to link.
    pub(crate) fn interpreter(&self) -> PathBuf {
        program_in(&self.folder, "python")
    }

    fn pip(&self, workspace: &Workspace) -> Command {
        let mut pip = self.command("python");
        pip.current_dir(workspace.python())
            .env("PIP_DISABLE_PIP_VERSION_CHECK", "1")
            .args(["-m", "pip", "install"]);
        pip
    }

    /// What builds the package, as the manifest says.
    fn build_requirements(&self, workspace: &Workspace) -> anyhow::Result<Vec<String>> {
        const READ: &str = "import tomllib\n\
            with open('pyproject.toml', 'rb') as file:\n    \
            print(*tomllib.load(file)['build-system']['requires'], sep='\\n')";
        let requirements = step::read_output(
            self.command("python")
                .current_dir(workspace.python())
                .args(["-c", READ]),
        )
        .context("cannot read python/pyproject.toml")?;
        Ok(requirements.lines().map(str::to_owned).collect())
    }

    fn is_stamped(&self, workspace: &Workspace, purpose: Purpose) -> anyhow::Result<bool> {
        let manifest = self.manifest(workspace)?;
        // An environment to develop in is also one to serve from.
        let covering = [purpose, Purpose::Develop];
        Ok(covering.iter().any(|purpose| {
            fs::read_to_string(self.folder.join(purpose.stamp()))
                .is_ok_and(|stamp| stamp == manifest)
        }))
    }

    /// What the environment depends on: the version of Python and the text of the package's manifest.
    fn manifest(&self, workspace: &Workspace) -> anyhow::Result<String> {
        let path = workspace.python().join("pyproject.toml");
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(format!(
            "# CPython {}.{}\n{text}",
            self.version.0, self.version.1
        ))
    }
}

fn find_interpreter(wanted: Option<OsString>) -> anyhow::Result<(OsString, Version)> {
    let (major, minor) = OLDEST;
    if let Some(wanted) = wanted {
        let version = version_of(&wanted)
            .filter(|version| *version >= OLDEST)
            .ok_or_else(|| {
                anyhow!(
                    "SPIKARD_PYTHON names {}, which is not CPython {major}.{minor} or newer",
                    wanted.display()
                )
            })?;
        return Ok((wanted, version));
    }
    for interpreter in INTERPRETERS.map(OsString::from) {
        if let Some(version) = version_of(&interpreter).filter(|version| *version >= OLDEST) {
            return Ok((interpreter, version));
        }
    }
    bail!(
        "no CPython {major}.{minor} or newer on the PATH: install one \
         (on Debian: apt-get install python3 python3-venv), or name it in SPIKARD_PYTHON"
    )
}

/// The version of that interpreter, if it can be started and is CPython.
fn version_of(interpreter: impl AsRef<std::ffi::OsStr>) -> Option<Version> {
    const ASK: &str = "import sys; print(sys.implementation.name, *sys.version_info[:2])";
    parse_version(&step::read_output(Command::new(interpreter).args(["-c", ASK])).ok()?)
}

fn parse_version(answer: &str) -> Option<Version> {
    let mut words = answer.strip_prefix("cpython ")?.split(' ');
    Some((words.next()?.parse().ok()?, words.next()?.parse().ok()?))
}

/// Debian ships the interpreter without the two modules that make an environment.
fn require_venv(interpreter: &OsString) -> anyhow::Result<()> {
    step::read_output(Command::new(interpreter).args(["-c", "import venv, ensurepip"])).map(drop).map_err(|_| {
        anyhow!(
            "{} cannot create virtual environments, its modules venv or ensurepip are missing: install them \
             (on Debian: apt-get install python3-venv), or name another interpreter in SPIKARD_PYTHON",
            interpreter.display()
        )
    })
}

fn scripts_in(folder: &Path) -> PathBuf {
    folder.join(if cfg!(windows) { "Scripts" } else { "bin" })
}

fn program_in(folder: &Path, program: &str) -> PathBuf {
    scripts_in(folder).join(format!("{program}{}", env::consts::EXE_SUFFIX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_an_interpreters_answer() {
        for (answer, expected) in [
            ("cpython 3 11", Some((3, 11))),
            ("cpython 3 9", Some((3, 9))),
            ("pypy 3 11", None),
            ("cpython three", None),
            ("", None),
        ] {
            assert_eq!(parse_version(answer), expected, "{answer:?}");
        }
    }

    #[test]
    fn orders_versions_by_number() {
        assert!((3, 9) < OLDEST && (3, 11) >= OLDEST && (4, 0) >= OLDEST);
    }

    #[test]
    fn refuses_an_interpreter_that_is_none() {
        let error = find_interpreter(Some("no-such-interpreter".into())).unwrap_err();
        assert_eq!(
            error.to_string(),
            "SPIKARD_PYTHON names no-such-interpreter, which is not CPython 3.11 or newer"
        );
    }
}
