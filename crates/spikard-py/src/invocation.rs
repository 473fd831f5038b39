//! One call of a Python handler, on the thread of the loop.

use std::sync::Arc;

use http::StatusCode;
use pyo3::exceptions::PyTypeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use spikard_core::Reply;
use spikard_problem::{FieldError, Problem};

use crate::arguments::{Arguments, CallError};
use crate::arrival::Arrival;
use crate::execution::Execution;
use crate::failure::FailureLog;
use crate::handler_runtime::HandlerRuntime;
use crate::reply::ReplyEncoder;
use crate::reply_slot::{Completion, ReplySlot};
use crate::request_context::RequestContext;
use crate::stream::Scene;
use crate::sync_pool::{PoolIsFull, SyncPool};

/// What a Python handler needs to answer: compiled once, read by every request.
pub(crate) struct Route {
    pub(crate) handler: Py<PyAny>,
    /// Module and qualified name, for tasks and the log.
    pub(crate) name: Py<PyString>,
    pub(crate) arguments: Arguments,
    /// Whether an argument is the request itself.
    pub(crate) wants_request: bool,
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
        runtime: &Arc<HandlerRuntime>,
        arrival: Arrival<'_>,
        slot: impl FnOnce() -> ReplySlot,
    ) -> Invoked {
        let invoked = if self.execution.is_on_thread() {
            self.invoke_on_thread(py, runtime, arrival, slot)
        } else {
            self.invoke_here(py, runtime, arrival, slot)
        };
        invoked.unwrap_or_else(|error| Invoked::Answered(self.answer_error(py, error)))
    }

    fn invoke_here(
        self: &Arc<Self>,
        py: Python<'_>,
        runtime: &Arc<HandlerRuntime>,
        mut arrival: Arrival<'_>,
        slot: impl FnOnce() -> ReplySlot,
    ) -> Result<Invoked, CallError> {
        let arguments = self.arguments.build(py, &mut arrival, runtime.resolver())?;
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
        let here = self.scene(runtime, Some(&context), true);
        if !is_coroutine(&result) {
            return Ok(Invoked::Answered(self.reply(py, Ok(result), &here)));
        }
        let task = runtime
            .tasks()
            .start(&result, &context, self.name.bind(py))?;
        if task.call_method0(pyo3::intern!(py, "done"))?.is_truthy()? {
            let result = task.call_method0(pyo3::intern!(py, "result"));
            return Ok(Invoked::Answered(self.reply(py, result, &here)));
        }
        let slot = slot();
        let completion = Completion::new(Arc::clone(self), Arc::clone(runtime), slot.clone());
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
        runtime: &Arc<HandlerRuntime>,
        arrival: Arrival<'_>,
        slot: impl FnOnce() -> ReplySlot,
    ) -> Result<Invoked, CallError> {
        let slot = slot();
        let context = RequestContext::copy_current(py)?;
        let job = {
            let (route, runtime, slot) = (Arc::clone(self), Arc::clone(runtime), slot.clone());
            let mut arrival = arrival.into_owned();
            Box::new(move |py: Python<'_>| {
                if !slot.is_abandoned() {
                    slot.fill(route.answer_on_thread(py, &mut arrival, &context, &runtime));
                }
            })
        };
        Ok(match SyncPool::push(runtime.pool(py), job)? {
            Ok(()) => Invoked::Suspended { slot, task: None },
            Err(PoolIsFull) => Invoked::Answered(Err(Box::new(Problem::service_unavailable(
                "Too many requests wait for a thread",
            )))),
        })
    }

    /// Calls the handler on a thread of the pool.
    fn answer_on_thread(
        &self,
        py: Python<'_>,
        arrival: &mut Arrival<'_>,
        context: &RequestContext,
        runtime: &HandlerRuntime,
    ) -> Reply {
        let called = self
            .arguments
            .build(py, arrival, runtime.resolver())
            .and_then(|arguments| {
                let called = context.run(py, || {
                    self.arguments.call(self.handler.bind(py), &arguments)
                });
                called.map_err(CallError::Raised)
            });
        match called {
            Ok(value) => {
                let scene = self.scene(runtime, Some(context), false);
                self.reply(py, Ok(value), &scene)
            }
            Err(error) => self.answer_error(py, error),
        }
    }

    fn answer_error(&self, py: Python<'_>, error: CallError) -> Reply {
        match error {
            CallError::Refused(mut errors) => {
                errors.sort_by(FieldError::cmp_loc);
                Err(Box::new(Problem::validation(&errors)))
            }
            CallError::Problem(problem) => Err(problem),
            CallError::Raised(error) => self.fail(py, error),
        }
    }

    /// Where a reply of this route is made; without a `context`, in the current one.
    pub(crate) fn scene<'a>(
        &'a self,
        runtime: &'a HandlerRuntime,
        context: Option<&'a RequestContext>,
        is_on_loop: bool,
    ) -> Scene<'a> {
        Scene {
            runtime,
            handler: &self.name,
            context,
            is_on_loop,
        }
    }

    /// The reply for what the handler returned or raised.
    pub(crate) fn reply(
        &self,
        py: Python<'_>,
        result: PyResult<Bound<'_, PyAny>>,
        scene: &Scene<'_>,
    ) -> Reply {
        let reply = result.and_then(|value| {
            self.encoder
                .encode(&value, self.status, scene)
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
        self.failures.answer(self.name.bind(py), error)
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
