//! A bound socket on its way from the start-up checks to the server.

use std::error::Error as _;
use std::sync::{Mutex, PoisonError};

use pyo3::exceptions::{PyOSError, PyRuntimeError};
use pyo3::prelude::*;

/// A listening socket; raises `OSError` with one clear sentence when it cannot be had.
#[pyclass(frozen)]
pub(crate) struct Listener {
    inner: Mutex<Option<spikard_server::Listener>>,
    #[pyo3(get)]
    host: String,
    #[pyo3(get)]
    port: u16,
}

#[pymethods]
impl Listener {
    /// Listens on the first address of `host`; port 0 takes a free one.
    #[new]
    fn new(py: Python<'_>, host: &str, port: u16, backlog: u32) -> PyResult<Self> {
        let bound = py.detach(|| spikard_server::Listener::bind(host, port, backlog));
        let inner = bound.map_err(|error| {
            let reason = error.source().map(ToString::to_string).unwrap_or_default();
            PyOSError::new_err(format!("{error}: {reason}"))
        })?;
        let address = inner.local_addr()?;
        Ok(Self {
            inner: Mutex::new(Some(inner)),
            host: address.ip().to_string(),
            port: address.port(),
        })
    }

    /// Closes the socket if no server has taken it.
    fn close(&self) {
        self.inner
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
    }
}

impl Listener {
    /// Takes the socket out, once.
    pub(crate) fn take(&self) -> PyResult<spikard_server::Listener> {
        let taken = self
            .inner
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        taken.ok_or_else(|| PyRuntimeError::new_err("the listener is closed or served already"))
    }
}
