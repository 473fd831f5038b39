//! The bytes of one uploaded file while they arrive: in memory, and from some length on in a temporary file.
//!
//! The thread that serves connections never waits for the disk. A blocking thread of the runtime writes, and until it
//! has, no more of the content is asked for. Without a runtime there is no such thread, and the caller writes.

use std::fs::File;
use std::io::{self, Seek, Write};

use bytes::{Bytes, BytesMut};
use spikard_core::FileData;
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

/// So many bytes go to the disk at once.
const WRITE_BYTES: usize = 256 * 1024;

/// Enough of a file to tell its type by.
pub(crate) const FIRST_BYTES: usize = 16;

/// One file that arrives.
#[derive(Debug, Default)]
pub(crate) struct Spool {
    /// What is not in `file`.
    pending: BytesMut,
    file: Option<File>,
    size_bytes: u64,
    first_bytes: Vec<u8>,
}

impl Spool {
    /// Adds bytes. More than `memory_limit_bytes` are not kept in memory.
    pub(crate) async fn write(
        &mut self,
        bytes: &[u8],
        memory_limit_bytes: usize,
    ) -> io::Result<()> {
        let missing = FIRST_BYTES - self.first_bytes.len();
        self.first_bytes.extend(bytes.iter().take(missing));
        self.size_bytes += bytes.len() as u64;
        self.pending.extend_from_slice(bytes);
        let limit_bytes = match self.file {
            Some(_) => WRITE_BYTES,
            None => memory_limit_bytes,
        };
        if self.pending.len() > limit_bytes {
            self.flush(false).await?;
        }
        Ok(())
    }

    /// How much of it is in memory.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.pending.len()
    }

    /// The first bytes, at most [`FIRST_BYTES`].
    pub(crate) fn first_bytes(&self) -> &[u8] {
        &self.first_bytes
    }

    /// The whole file, at its start.
    pub(crate) async fn finish(mut self) -> io::Result<FileData> {
        if self.file.is_some() {
            self.flush(true).await?;
        }
        Ok(match self.file {
            None => FileData::Memory(Bytes::from(self.pending)),
            Some(file) => FileData::Disk {
                file,
                size_bytes: self.size_bytes,
            },
        })
    }

    async fn flush(&mut self, is_end: bool) -> io::Result<()> {
        let file = self.file.take();
        let mut pending = std::mem::take(&mut self.pending);
        let write = move || -> io::Result<_> {
            let mut file = match file {
                Some(file) => file,
                None => tempfile::tempfile()?,
            };
            file.write_all(&pending)?;
            if is_end {
                file.rewind()?;
            }
            pending.clear();
            Ok((file, pending))
        };
        let written = if Handle::try_current().is_ok() {
            spawn_blocking(write).await.map_err(io::Error::other)?
        } else {
            write()
        };
        let (file, pending) = written?;
        self.file = Some(file);
        self.pending = pending;
        Ok(())
    }
}
