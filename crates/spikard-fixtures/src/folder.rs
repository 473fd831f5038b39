//! A folder of fixtures: `<category>/<name>.json`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::{Faults, Fixture, ReadError};

/// The folder of the fixtures that belong to this workspace.
pub fn testing_data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testing_data")
}

/// Reads every `<category>/<name>.json` of a folder, sorted by category and name.
///
/// Files in the folder itself, and files of other kinds, are left alone.
///
/// # Errors
///
/// [`ReadError::Io`] for what cannot be opened; [`ReadError::Faults`] with every fault of every file.
pub fn read_folder(folder: impl AsRef<Path>) -> Result<Vec<Fixture>, ReadError> {
    let mut fixtures = Vec::new();
    let mut faults = Vec::new();
    for category in entries(folder.as_ref())? {
        if !category.is_dir() {
            continue;
        }
        for file in entries(&category)? {
            if file.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let text = fs::read_to_string(&file).map_err(|source| io_error(&file, source))?;
            match Fixture::parse(&stem(&category), &stem(&file), &text) {
                Ok(fixture) => fixtures.push(fixture),
                Err(Faults(found)) => faults.extend(found),
            }
        }
    }
    if faults.is_empty() {
        Ok(fixtures)
    } else {
        Err(Faults(faults).into())
    }
}

/// What is in a folder, sorted by name.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, ReadError> {
    let mut paths = fs::read_dir(folder)
        .and_then(|entries| {
            entries
                .map(|entry| entry.map(|entry| entry.path()))
                .collect::<Result<Vec<_>, _>>()
        })
        .map_err(|source| io_error(folder, source))?;
    paths.sort();
    Ok(paths)
}

fn stem(path: &Path) -> String {
    path.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn io_error(path: &Path, source: io::Error) -> ReadError {
    ReadError::Io {
        path: path.to_owned(),
        source,
    }
}
