//! What the client and the log are told of an exception.

use std::time::Duration;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyString, PyType};
use serde_json::Value as Json;
use spikard_core::Reply;
use spikard_problem::{Cause, FieldError, Problem};

use crate::fields;
use crate::plain_data;
use crate::reply;

/// Turns exceptions into replies, and tells the log of those that are no answers.
pub(crate) struct FailureLog {
    /// `spikard.logs.handler_failed(handler, error)`.
    handler_failed: Py<PyAny>,
    /// `spikard.logs.handler_blocks(handler, seconds)`.
    handler_blocks: Py<PyAny>,
}

static HTTP_EXCEPTION: PyOnceLock<Py<PyType>> = PyOnceLock::new();

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
        let told = self
            .handler_blocks
            .bind(py)
            .call1((handler, blocked.as_secs_f64()));
        if let Err(broken) = told {
            broken.write_unraisable(py, Some(handler));
        }
    }

    /// The reply that an `HTTPException` is; of anything else the log is told, with its traceback, and the client only
    /// that it is a 500.
    pub(crate) fn answer(&self, handler: &Bound<'_, PyString>, error: PyErr) -> Reply {
        let py = handler.py();
        let error = if is_http_exception(py, &error) {
            match problem_of(error.value(py).as_any()) {
                Ok(problem) => return Err(Box::new(problem)),
                Err(broken) => broken,
            }
        } else {
            error
        };
        if let Err(broken) = self.handler_failed.bind(py).call1((handler, error)) {
            // A logging configuration that raises must not take the response with it.
            broken.write_unraisable(py, Some(handler));
        }
        Err(Box::new(Problem::internal_server_error()))
    }
}

/// Whether an exception says itself what to answer.
pub(crate) fn is_http_exception(py: Python<'_>, error: &PyErr) -> bool {
    HTTP_EXCEPTION
        .import(py, "spikard.exceptions", "HTTPException")
        .is_ok_and(|ty| error.is_instance(py, ty))
}

/// The entries of a `ValidationError`; none for every other exception.
pub(crate) fn validation_errors(py: Python<'_>, error: &PyErr) -> Vec<FieldError> {
    if !is_http_exception(py, error) {
        return Vec::new();
    }
    entries_of(error.value(py).as_any()).unwrap_or_default()
}

/// The reason for an entry where a decoder or a model refuses a value in its own words.
pub(crate) fn said_by(py: Python<'_>, error: &PyErr) -> Cause {
    Cause::other(message_of(py, error))
}

/// What an exception says, without its type.
pub(crate) fn message_of(py: Python<'_>, error: &PyErr) -> String {
    error.value(py).to_string()
}

fn problem_of(exception: &Bound<'_, PyAny>) -> PyResult<Problem> {
    let py = exception.py();
    let status = reply::status_code(&exception.getattr(pyo3::intern!(py, "status_code"))?)?;
    let entries = entries_of(exception)?;
    let mut problem = if entries.is_empty() {
        Problem::of_status(status)
    } else {
        Problem::validation(&entries).with_status(status)
    };
    let detail: String = exception.getattr(pyo3::intern!(py, "detail"))?.extract()?;
    if !detail.is_empty() {
        problem = problem.with_detail(detail);
    }
    if let Some(type_uri) = exception
        .getattr(pyo3::intern!(py, "type"))?
        .extract::<Option<String>>()?
    {
        problem = problem.with_type_uri(type_uri);
    }
    if let Some(title) = exception
        .getattr(pyo3::intern!(py, "title"))?
        .extract::<Option<String>>()?
    {
        problem = problem.with_title(title);
    }
    let extra = exception.getattr(pyo3::intern!(py, "extra"))?;
    if !extra.is_none()
        && let Json::Object(members) = plain_data::to_json(&extra)?
    {
        for (name, member) in members {
            problem = problem.with_extension(&name, member);
        }
    }
    let given = exception.getattr(pyo3::intern!(py, "headers"))?;
    if !given.is_none() {
        for (name, value) in fields::read(&given)? {
            problem = problem.with_header(name, value);
        }
    }
    Ok(problem)
}

fn entries_of(exception: &Bound<'_, PyAny>) -> PyResult<Vec<FieldError>> {
    let entries = exception.getattr(pyo3::intern!(exception.py(), "errors"))?;
    let mut errors = Vec::new();
    for entry in entries.try_iter()? {
        let Json::Object(mut entry) = plain_data::to_json(&entry?)? else {
            continue;
        };
        let text = |value: Option<Json>| {
            value
                .as_ref()
                .and_then(Json::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let cause = Cause::Other {
            code: text(entry.remove("type")).into(),
            message: text(entry.remove("msg")),
        };
        let place: Vec<String> = match entry.remove("loc") {
            Some(Json::Array(segments)) => segments
                .into_iter()
                .map(|segment| text(Some(segment)))
                .collect(),
            _ => Vec::new(),
        };
        let mut error =
            FieldError::of_value(place, cause, entry.remove("input").unwrap_or(Json::Null));
        if let Some(context) = entry.remove("ctx") {
            error = error.with_context(context);
        }
        errors.push(error);
    }
    Ok(errors)
}
