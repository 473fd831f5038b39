//! `cargo xtask tidy`: compares the workspace with its map.

mod crates;
mod files;
mod layers;

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use cargo_metadata::{DependencyKind, MetadataCommand};

use crate::workspace::Workspace;

/// Compares the workspace with its map: the layers of the crates, their front doors, the names of files.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {}

/// One thing that is not as it should be, and how to put it right.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    /// The file, relative to the root.
    file: String,
    /// What is wrong, and the fix.
    message: String,
}

impl Finding {
    fn new(file: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            message: message.into(),
        }
    }
}

pub(crate) fn run(_: &Arguments) -> anyhow::Result<ExitCode> {
    let count = check()?;
    println!("tidy: {count} findings");
    Ok(if count == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Prints every finding and gives their number.
///
/// # Errors
///
/// The workspace cannot be read.
pub(crate) fn check() -> anyhow::Result<usize> {
    let workspace = Workspace::find();
    let packages = packages(workspace.root())?;
    let files = files::read(workspace.root())?;

    let mut findings = layers::check(&packages);
    findings.extend(crates::check(&packages, &files));
    findings.extend(files.iter().flat_map(files::check));
    for Finding { file, message } in &findings {
        println!("{file}: {message}");
    }
    Ok(findings.len())
}

/// What the checks need to know of a package.
#[derive(Debug)]
struct Package {
    name: String,
    /// The folder, relative to the root.
    folder: String,
    description: Option<String>,
    dependencies: Vec<Dependency>,
}

#[derive(Debug)]
struct Dependency {
    name: String,
    /// Whether only tests, examples and benchmarks use it.
    is_for_tests: bool,
}

fn packages(root: &Path) -> anyhow::Result<Vec<Package>> {
    let metadata = MetadataCommand::new()
        .current_dir(root)
        .no_deps()
        .exec()
        .context("cargo metadata does not describe the workspace")?;
    let packages = metadata.workspace_packages().into_iter().map(|package| {
        let folder = package
            .manifest_path
            .parent()
            .expect("a manifest lies in a folder");
        let folder = folder
            .strip_prefix(&metadata.workspace_root)
            .unwrap_or(folder);
        Package {
            name: package.name.to_string(),
            folder: folder.as_str().replace('\\', "/"),
            description: package.description.clone(),
            dependencies: package
                .dependencies
                .iter()
                .map(|dependency| Dependency {
                    name: dependency.name.clone(),
                    is_for_tests: dependency.kind == DependencyKind::Development,
                })
                .collect(),
        }
    });
    Ok(packages.collect())
}
