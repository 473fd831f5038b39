//! Where things lie in this repository.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The repository and the folder cargo builds into.
#[derive(Debug)]
pub(crate) struct Workspace {
    root: PathBuf,
    target: PathBuf,
}

impl Workspace {
    /// Finds the repository this program was built from.
    ///
    /// The build folder is `CARGO_TARGET_DIR` when that is set, else `target` at the root.
    pub(crate) fn find() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .expect("xtask lies in the repository's root");
        let target = env::var_os("CARGO_TARGET_DIR")
            .map_or_else(|| root.join("target"), |target| root.join(target));
        Self {
            root: root.to_owned(),
            target,
        }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// The folder of the Python package; maturin and the Python tools run inside it.
    pub(crate) fn python(&self) -> PathBuf {
        self.root.join("python")
    }

    /// A cargo command that runs at the root.
    ///
    /// It is the cargo that started this program, so that both are of the same toolchain.
    pub(crate) fn cargo(&self) -> Command {
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(&self.root);
        cargo
    }
}
