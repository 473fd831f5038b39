//! One call of a Python handler, on the thread of the loop.

use std::sync::Arc;

use http::StatusCode;
use pyo3::exceptions::PyTypeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use spikard_core::{Inputs, Reply};

use crate::arguments::{Arguments, CallError};
use crate::failure::FailureLog;
use crate::reply::ReplyEncoder;
use crate::reply_slot::{Completion, ReplySlot};
use crate::request_context::RequestContext;
use crate::task_start::TaskStart;

/// What a Python handler needs to answer: compiled once, read by every request.
pub(crate) struct Route {
    pub(crate) handler: Py<PyAny>,
    /// Module and qualified name, for tasks and the log.
    pub(crate) name: Py<PyString>,
    pub(crate) arguments: Arguments,
    pub(crate) status: StatusCode,
    pub(crate) encoder: Arc<ReplyEncoder>,
    pub(crate) failures: Arc<FailureLog>,
}

/// How far a call came at once.
pub(crate) enum Invoked {
    Answered(Reply),
    /// The handler awaits something; its task fills the slot.
    Suspended {
        slot: ReplySlot,
        task: Py<PyAny>,
    },
}

impl Route {
    /// Calls the handler; takes the first step of a coroutine.
    ///
    /// `slot` is where the reply goes if the handler suspends.
    pub(crate) fn invoke(
        self: &Arc<Self>,
        py: Python<'_>,
        tasks: &TaskStart,
        inputs: &Inputs<'_>,
        slot: impl FnOnce() -> ReplySlot,
    ) -> Invoked {
        match self.try_invoke(py, tasks, inputs, slot) {
            Ok(invoked) => invoked,
            Err(CallError::Refused(problem)) => Invoked::Answered(Err(problem)),
            Err(CallError::Raised(error)) => Invoked::Answered(self.fail(py, error)),
        }
    }

    fn try_invoke(
        self: &Arc<Self>,
        py: Python<'_>,
        tasks: &TaskStart,
        inputs: &Inputs<'_>,
        slot: impl FnOnce() -> ReplySlot,
    ) -> Result<Invoked, CallError> {
        let arguments = self.arguments.build(py, inputs)?;
        let context = RequestContext::copy_current(py)?;
        let result = context.run(|| self.arguments.call(self.handler.bind(py), &arguments))?;
        if !is_coroutine(&result) {
            return Ok(Invoked::Answered(self.reply(py, Ok(result))));
        }
        let task = tasks.start(&result, &context, self.name.bind(py))?;
        if task.call_method0(pyo3::intern!(py, "done"))?.is_truthy()? {
            let result = task.call_method0(pyo3::intern!(py, "result"));
            return Ok(Invoked::Answered(self.reply(py, result)));
        }
        let slot = slot();
        let completion = Completion::new(Arc::clone(self), slot.clone());
        let keywords = PyDict::new(py);
        keywords.set_item(pyo3::intern!(py, "context"), context.as_any())?;
        task.call_method(
            pyo3::intern!(py, "add_done_callback"),
            (completion,),
            Some(&keywords),
        )?;
        Ok(Invoked::Suspended {
            slot,
            task: task.unbind(),
        })
    }

    /// The reply for what the handler returned or raised.
    pub(crate) fn reply(&self, py: Python<'_>, result: PyResult<Bound<'_, PyAny>>) -> Reply {
        let reply = result.and_then(|value| {
            self.encoder
                .encode(&value, self.status)
                .inspect_err(|_| {
                    if is_coroutine(&value) {
                        // Nobody will await it; closing it says so before the interpreter warns.
                        let _ = value.call_method0(pyo3::intern!(py, "close"));
                    }
                })
                .map_err(|error| describe(py, &value, error))
        });
        reply.or_else(|error| self.fail(py, error))
    }

    fn fail(&self, py: Python<'_>, error: PyErr) -> Reply {
        self.failures.internal_error(self.name.bind(py), error)
    }
}

/// Cancels a task whose reply nobody waits for any more.
pub(crate) fn cancel(task: &Bound<'_, PyAny>) {
    if let Err(error) = task.call_method0(pyo3::intern!(task.py(), "cancel")) {
        error.write_unraisable(task.py(), Some(task));
    }
    crate::current::after_python(task.py());
}

/// Names the type of what could not be sent, which the encoder's own message does not always do.
fn describe(py: Python<'_>, value: &Bound<'_, PyAny>, error: PyErr) -> PyErr {
    let type_name = value.get_type().fully_qualified_name();
    let type_name = type_name
        .as_ref()
        .map_or("?".into(), |name| name.to_string_lossy());
    let hint = if is_coroutine(value) {
        ": an `await` is missing"
    } else {
        ""
    };
    let described = PyTypeError::new_err(format!(
        "the handler returned {type_name}, which cannot be sent{hint}"
    ));
    described.set_cause(py, Some(error));
    described
}

#[expect(unsafe_code, reason = "the exact check of CPython has no safe wrapper")]
fn is_coroutine(value: &Bound<'_, PyAny>) -> bool {
    // SAFETY: the pointer is a live object and the thread is attached.
    unsafe { ffi::PyCoro_CheckExact(value.as_ptr()) != 0 }
}
