//! What the log is told of a handler that failed. The client is told nothing of it.

use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::PyString;
use spikard_core::Reply;
use spikard_problem::Problem;

/// Writes failures to the log of the Python package.
pub(crate) struct FailureLog {
    /// `spikard.logs.handler_failed(handler, error)`.
    handler_failed: Py<PyAny>,
    /// `spikard.logs.handler_blocks(handler, seconds)`.
    handler_blocks: Py<PyAny>,
}

impl FailureLog {
    pub(crate) fn new(py: Python<'_>) -> PyResult<Self> {
        let logs = py.import("spikard.logs")?;
        Ok(Self {
            handler_failed: logs.getattr("handler_failed")?.unbind(),
            handler_blocks: logs.getattr("handler_blocks")?.unbind(),
        })
    }

    /// Logs that a `def` handler has blocked the loop and runs on threads from now on.
    pub(crate) fn handler_blocks(&self, handler: &Bound<'_, PyString>, blocked: Duration) {
        let py = handler.py();
        if let Err(broken) = self
            .handler_blocks
            .bind(py)
            .call1((handler, blocked.as_secs_f64()))
        {
            broken.write_unraisable(py, Some(handler));
        }
    }

    /// Logs `error` with its traceback and answers 500.
    pub(crate) fn internal_error(&self, handler: &Bound<'_, PyString>, error: PyErr) -> Reply {
        let py = handler.py();
        if let Err(broken) = self.handler_failed.bind(py).call1((handler, error)) {
            // A logging configuration that raises must not take the response with it.
            broken.write_unraisable(py, Some(handler));
        }
        Err(Box::new(Problem::internal_server_error()))
    }
}
