//! One call of a Python handler, on the thread of the loop.

use std::sync::Arc;

use http::StatusCode;
use pyo3::exceptions::PyTypeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use spikard_core::{Inputs, Reply};
use spikard_problem::Problem;

use crate::arguments::{Arguments, CallError};
use crate::execution::Execution;
use crate::failure::FailureLog;
use crate::handler_runtime::HandlerRuntime;
use crate::reply::ReplyEncoder;
use crate::reply_slot::{Completion, ReplySlot};
use crate::request_context::RequestContext;
use crate::sync_pool::{Job, PoolIsFull, SyncPool};

/// What a Python handler needs to answer: compiled once, read by every request.
pub(crate) struct Route {
    pub(crate) handler: Py<PyAny>,
    /// Module and qualified name, for tasks and the log.
    pub(crate) name: Py<PyString>,
    pub(crate) arguments: Arguments,
    pub(crate) execution: Execution,
    pub(crate) status: StatusCode,
    pub(crate) encoder: Arc<ReplyEncoder>,
    pub(crate) failures: Arc<FailureLog>,
}

/// How far a call came at once.
pub(crate) enum Invoked {
    Answered(Reply),
    /// The reply will be in the slot, put there by the handler's task or, without one, by a thread.
    Suspended {
        slot: ReplySlot,
        task: Option<Py<PyAny>>,
    },
}

impl Route {
    /// Calls the handler on the thread of the loop, or has a thread call it; takes the first step of a coroutine.
    ///
    /// `slot` is where the reply goes if it is not there at once.
    pub(crate) fn invoke(
        self: &Arc<Self>,
        py: Python<'_>,
        runtime: &HandlerRuntime,
        inputs: &Inputs<'_>,
        slot: impl FnOnce() -> ReplySlot,
    ) -> Invoked {
        let invoked = if self.execution.is_on_thread() {
            self.invoke_on_thread(py, runtime, inputs, slot)
        } else {
            self.invoke_here(py, runtime, inputs, slot)
        };
        invoked.unwrap_or_else(|error| Invoked::Answered(self.answer_error(py, error)))
    }

    fn invoke_here(
        self: &Arc<Self>,
        py: Python<'_>,
        runtime: &HandlerRuntime,
        inputs: &Inputs<'_>,
        slot: impl FnOnce() -> ReplySlot,
    ) -> Result<Invoked, CallError> {
        let arguments = self.arguments.build(py, inputs)?;
        let context = RequestContext::copy_current(py)?;
        let (result, blocked) = self.execution.observe(
            || {
                context.run(py, || {
                    self.arguments.call(self.handler.bind(py), &arguments)
                })
            },
            // On a thread, nobody could await a coroutine.
            |result| !result.as_ref().is_ok_and(is_coroutine),
        );
        if let Some(blocked) = blocked {
            self.failures.handler_blocks(self.name.bind(py), blocked);
        }
        let result = result?;
        if !is_coroutine(&result) {
            return Ok(Invoked::Answered(self.reply(py, Ok(result))));
        }
        let task = runtime
            .tasks()
            .start(&result, &context, self.name.bind(py))?;
        if task.call_method0(pyo3::intern!(py, "done"))?.is_truthy()? {
            let result = task.call_method0(pyo3::intern!(py, "result"));
            return Ok(Invoked::Answered(self.reply(py, result)));
        }
        let slot = slot();
        let completion = Completion::new(Arc::clone(self), slot.clone());
        let keywords = PyDict::new(py);
        keywords.set_item(pyo3::intern!(py, "context"), context.as_any(py))?;
        task.call_method(
            pyo3::intern!(py, "add_done_callback"),
            (completion,),
            Some(&keywords),
        )?;
        Ok(Invoked::Suspended {
            slot,
            task: Some(task.unbind()),
        })
    }

    fn invoke_on_thread(
        self: &Arc<Self>,
        py: Python<'_>,
        runtime: &HandlerRuntime,
        inputs: &Inputs<'_>,
        slot: impl FnOnce() -> ReplySlot,
    ) -> Result<Invoked, CallError> {
        let slot = slot();
        let job = Job {
            route: Arc::clone(self),
            inputs: inputs.clone().into_owned(),
            context: RequestContext::copy_current(py)?,
            slot: slot.clone(),
        };
        Ok(match SyncPool::push(runtime.pool(py), job)? {
            Ok(()) => Invoked::Suspended { slot, task: None },
            Err(PoolIsFull) => Invoked::Answered(Err(Box::new(Problem::service_unavailable(
                "Too many requests wait for a thread",
            )))),
        })
    }

    /// Calls the handler on a thread of the pool.
    pub(crate) fn answer_on_thread(
        &self,
        py: Python<'_>,
        inputs: &Inputs<'_>,
        context: &RequestContext,
    ) -> Reply {
        let called = self.arguments.build(py, inputs).and_then(|arguments| {
            let called = context.run(py, || {
                self.arguments.call(self.handler.bind(py), &arguments)
            });
            called.map_err(CallError::Raised)
        });
        match called {
            Ok(value) => self.reply(py, Ok(value)),
            Err(error) => self.answer_error(py, error),
        }
    }

    fn answer_error(&self, py: Python<'_>, error: CallError) -> Reply {
        match error {
            CallError::Refused(problem) => Err(problem),
            CallError::Raised(error) => self.fail(py, error),
        }
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
