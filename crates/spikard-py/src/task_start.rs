//! How the coroutine of an `async def` handler becomes a running `asyncio.Task`.
//!
//! The first step runs at once: a handler that never suspends costs no turn of the loop.

use std::cell::Cell;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

use crate::request_context::RequestContext;
use crate::task_registry;

/// Makes tasks on one loop.
pub(crate) struct TaskStart {
    event_loop: Py<PyAny>,
    task_type: Py<PyAny>,
    first_step: FirstStep,
    /// The keyword arguments of the constructor. `name` and `context` are set anew for every task: a dictionary that
    /// is there already saves 4 % of the instructions of a request.
    keywords: Py<PyDict>,
}

/// When a task takes its first step.
enum FirstStep {
    /// `eager_start=True`, CPython 3.12 and newer.
    Eager,
    /// CPython 3.11: the constructor hands the step to `loop.call_soon`, which is ours for that moment.
    Captured {
        /// The attributes of the loop; the key `call_soon` is always there, only its value changes.
        attributes: Py<PyDict>,
        call_soon: Py<PyAny>,
        capture: Py<PyAny>,
    },
    /// On the next turn of a loop that is not ours.
    Scheduled {
        /// Wraps a coroutine so that a `SystemExit` ends the handler, not the loop.
        contain_exit: Py<PyAny>,
    },
}

thread_local! {
    /// The step that `capture_step` was given last.
    static CAPTURED: Cell<Option<Py<PyAny>>> = const { Cell::new(None) };
}

/// Stands in for `loop.call_soon` while a task is constructed.
#[pyfunction]
#[pyo3(signature = (callback, *, context = None))]
fn capture_step(callback: Py<PyAny>, context: Option<&Bound<'_, PyAny>>) {
    let _ = context;
    CAPTURED.set(Some(callback));
}

impl TaskStart {
    /// Tasks of a loop of ours: the first step is taken at once.
    pub(crate) fn immediate(event_loop: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = event_loop.py();
        let first_step = if py.version_info() >= (3, 12) {
            FirstStep::Eager
        } else {
            task_registry::install(py)?;
            let attributes = event_loop.getattr("__dict__")?.cast_into::<PyDict>()?;
            let call_soon = event_loop.getattr("call_soon")?;
            attributes.set_item("call_soon", &call_soon)?;
            FirstStep::Captured {
                attributes: attributes.unbind(),
                call_soon: call_soon.unbind(),
                capture: wrap_pyfunction!(capture_step, py)?.into_any().unbind(),
            }
        };
        Self::new(event_loop, first_step)
    }

    /// Tasks of somebody else's loop: the first step waits for its next turn.
    pub(crate) fn scheduled(event_loop: &Bound<'_, PyAny>) -> PyResult<Self> {
        let contain_exit = event_loop
            .py()
            .import("spikard.event_loop")?
            .getattr("contain_exit")?;
        Self::new(
            event_loop,
            FirstStep::Scheduled {
                contain_exit: contain_exit.unbind(),
            },
        )
    }

    fn new(event_loop: &Bound<'_, PyAny>, first_step: FirstStep) -> PyResult<Self> {
        let py = event_loop.py();
        let keywords = PyDict::new(py);
        keywords.set_item("loop", event_loop)?;
        if matches!(first_step, FirstStep::Eager) {
            keywords.set_item("eager_start", true)?;
        }
        Ok(Self {
            event_loop: event_loop.clone().unbind(),
            task_type: py.import("asyncio")?.getattr("Task")?.unbind(),
            first_step,
            keywords: keywords.unbind(),
        })
    }

    pub(crate) fn event_loop<'py>(&self, py: Python<'py>) -> &Bound<'py, PyAny> {
        self.event_loop.bind(py)
    }

    /// A task named `name` that runs `coroutine` in `context`.
    ///
    /// # Errors
    ///
    /// What the first step raised past the task: `SystemExit` and `KeyboardInterrupt`.
    pub(crate) fn start<'py>(
        &self,
        coroutine: &Bound<'py, PyAny>,
        context: &RequestContext,
        name: &Bound<'py, PyString>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = coroutine.py();
        match &self.first_step {
            FirstStep::Eager => self.construct(coroutine, context, name),
            FirstStep::Scheduled { contain_exit } => {
                let contained = contain_exit.bind(py).call1((coroutine,))?;
                self.construct(&contained, context, name)
            }
            FirstStep::Captured {
                attributes,
                call_soon,
                capture,
            } => {
                let key = pyo3::intern!(py, "call_soon");
                let attributes = attributes.bind(py);
                attributes.set_item(key, capture)?;
                let task = self.construct(coroutine, context, name);
                attributes.set_item(key, call_soon)?;
                let task = task?;
                let step = CAPTURED.take().ok_or_else(|| {
                    PyRuntimeError::new_err("the task did not schedule its first step")
                })?;
                if let Err(error) = context.run(py, || step.bind(py).call0()) {
                    // Asking for the exception tells asyncio that somebody has seen it.
                    let _ = task.call_method0(pyo3::intern!(py, "exception"));
                    return Err(error);
                }
                Ok(task)
            }
        }
    }

    fn construct<'py>(
        &self,
        coroutine: &Bound<'py, PyAny>,
        context: &RequestContext,
        name: &Bound<'py, PyString>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = coroutine.py();
        let keywords = self.keywords.bind(py);
        let key = pyo3::intern!(py, "context");
        keywords.set_item(pyo3::intern!(py, "name"), name)?;
        keywords.set_item(key, context.as_any(py))?;
        let positional = PyTuple::new(py, [coroutine])?;
        let task = self.task_type.bind(py).call(positional, Some(keywords));
        // Otherwise what the request set would live until the next one.
        keywords.set_item(key, py.None())?;
        task
    }
}
