//! What can be wrong with a fixture, and where.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why a folder of fixtures could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// A folder or a file cannot be opened, or is not UTF-8.
    #[error("{} cannot be read", path.display())]
    Io {
        /// The folder or file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// Files that do not follow the grammar; every fault of every file.
    #[error(transparent)]
    Faults(#[from] Faults),
}

/// Every fault found, one line each.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.0.iter().map(Fault::to_string).collect::<Vec<_>>().join("\n"))]
pub struct Faults(pub Vec<Fault>);

/// One place of one file that does not follow the grammar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The file, as `category/name.json`.
    pub file: String,
    /// The place in the file: a JSON Pointer (RFC 6901), empty for the whole file.
    pub pointer: String,
    /// What is wrong there.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}: {}", self.file, self.pointer, self.message)
    }
}
