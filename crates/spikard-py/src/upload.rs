//! The bytes of an uploaded file, in memory or on disk.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use spikard_core::FileData;

enum Data {
    Memory { bytes: Bytes, position: usize },
    Disk { file: File, size_bytes: u64 },
}

/// What `spikard.UploadFile` reads from. Its methods block where the bytes are on disk.
#[pyclass(frozen)]
pub(crate) struct UploadData(Mutex<Data>);

impl UploadData {
    pub(crate) fn new(data: FileData) -> Self {
        Self(Mutex::new(match data {
            FileData::Disk { file, size_bytes } => Data::Disk { file, size_bytes },
            FileData::Memory(bytes) => Data::Memory { bytes, position: 0 },
            _ => Data::Memory {
                bytes: Bytes::new(),
                position: 0,
            },
        }))
    }
}

#[pymethods]
impl UploadData {
    /// Length in bytes.
    #[getter]
    fn size(&self) -> u64 {
        match &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Data::Memory { bytes, .. } => bytes.len() as u64,
            Data::Disk { size_bytes, .. } => *size_bytes,
        }
    }

    /// Whether reading may wait for a disk.
    #[getter]
    fn is_on_disk(&self) -> bool {
        matches!(
            &*self.0.lock().unwrap_or_else(PoisonError::into_inner),
            Data::Disk { .. }
        )
    }

    /// At most `limit` bytes from the current position, all that is left if negative.
    fn read<'py>(&self, py: Python<'py>, limit: i64) -> PyResult<Bound<'py, PyBytes>> {
        let content = py.detach(|| {
            let mut data = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            data.read(u64::try_from(limit).ok())
        })?;
        Ok(PyBytes::new(py, &content))
    }

    /// Moves to `offset`, in bytes from the start.
    fn seek(&self, offset: u64) -> io::Result<()> {
        match &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Data::Memory { bytes, position } => {
                *position = usize::try_from(offset)
                    .unwrap_or(usize::MAX)
                    .min(bytes.len());
                Ok(())
            }
            Data::Disk { file, .. } => file.seek(SeekFrom::Start(offset)).map(drop),
        }
    }

    /// Copies the whole file to `path`, without a detour through Python's memory.
    fn save(&self, py: Python<'_>, path: std::path::PathBuf) -> io::Result<()> {
        py.detach(|| {
            let mut data = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            match &mut *data {
                Data::Memory { bytes, .. } => std::fs::write(path, bytes),
                Data::Disk { file, .. } => {
                    let position = file.stream_position()?;
                    file.rewind()?;
                    io::copy(file, &mut File::create(path)?)?;
                    file.seek(SeekFrom::Start(position)).map(drop)
                }
            }
        })
    }
}

impl Data {
    fn read(&mut self, limit: Option<u64>) -> io::Result<Bytes> {
        match self {
            Self::Memory { bytes, position } => {
                let left = bytes.len() - *position;
                let count = limit.map_or(left, |limit| {
                    usize::try_from(limit).unwrap_or(left).min(left)
                });
                let chunk = bytes.slice(*position..*position + count);
                *position += count;
                Ok(chunk)
            }
            Self::Disk { file, .. } => {
                let mut chunk = Vec::new();
                match limit {
                    Some(limit) => file.take(limit).read_to_end(&mut chunk)?,
                    None => file.read_to_end(&mut chunk)?,
                };
                Ok(chunk.into())
            }
        }
    }
}
