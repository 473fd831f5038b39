//! What the log is told of a handler that failed. The client is told nothing of it.

use pyo3::prelude::*;
use pyo3::types::PyString;
use spikard_core::Reply;
use spikard_problem::Problem;

/// Writes failures to the log of the Python package.
pub(crate) struct FailureLog {
    /// `spikard.logs.handler_failed(handler, error)`.
    handler_failed: Py<PyAny>,
}

impl FailureLog {
    pub(crate) fn new(py: Python<'_>) -> PyResult<Self> {
        let handler_failed = py.import("spikard.logs")?.getattr("handler_failed")?;
        Ok(Self {
            handler_failed: handler_failed.unbind(),
        })
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
