//! Entering and leaving `asyncio.all_tasks()` on CPython 3.11, at the price it has on later versions.
//!
//! CPython 3.11 keeps every task in a `WeakSet` written in Python: its `add` and the callback that forgets a dead task
//! are 3,300 of the 24,000 instructions of a request to an `async def` handler. CPython 3.12 made eager tasks cheap in
//! C. Here the set gets an `add` of the same meaning: a weak reference into the set's own `data`, whose callback takes
//! it out again, later if the set is being iterated.
#![expect(
    unsafe_code,
    reason = "a weak reference with a callback has no safe constructor"
)]

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyCFunction, PyList, PySet};

/// The parts of `asyncio.tasks._all_tasks`, which live as long as the process.
struct TaskRegistry {
    weak_set: Py<PyAny>,
    /// The weak references.
    data: Py<PySet>,
    /// Not empty while somebody iterates the set.
    iterating: Py<PySet>,
    /// What is to be taken out when nobody iterates it any more.
    pending_removals: Py<PyList>,
    forget: Py<PyCFunction>,
}

static REGISTRY: PyOnceLock<TaskRegistry> = PyOnceLock::new();

/// Gives the set of all tasks the faster `add`, once per process.
pub(crate) fn install(py: Python<'_>) -> PyResult<()> {
    REGISTRY.get_or_try_init(py, || {
        let weak_set = py.import("asyncio.tasks")?.getattr("_all_tasks")?;
        let registry = TaskRegistry {
            data: weak_set.getattr("data")?.cast_into()?.unbind(),
            iterating: weak_set.getattr("_iterating")?.cast_into()?.unbind(),
            pending_removals: weak_set.getattr("_pending_removals")?.cast_into()?.unbind(),
            forget: wrap_pyfunction!(forget, py)?.unbind(),
            weak_set: weak_set.clone().unbind(),
        };
        weak_set.setattr("add", wrap_pyfunction!(remember, py)?)?;
        Ok::<_, PyErr>(registry)
    })?;
    Ok(())
}

/// `WeakSet.add`.
#[pyfunction]
fn remember(task: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = task.py();
    let Some(registry) = REGISTRY.get(py) else {
        return Ok(());
    };
    if !registry.pending_removals.bind(py).is_empty() {
        registry
            .weak_set
            .call_method0(py, pyo3::intern!(py, "_commit_removals"))?;
    }
    // SAFETY: both are live objects; the result is a new reference or null with an exception.
    let reference = unsafe {
        Bound::from_owned_ptr_or_err(
            py,
            ffi::PyWeakref_NewRef(task.as_ptr(), registry.forget.as_ptr()),
        )
    }?;
    registry.data.bind(py).add(reference)
}

/// What the weak reference of a dead task calls.
#[pyfunction]
fn forget(reference: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = reference.py();
    let Some(registry) = REGISTRY.get(py) else {
        return Ok(());
    };
    if registry.iterating.bind(py).is_empty() {
        registry.data.bind(py).discard(reference).map(drop)
    } else {
        registry.pending_removals.bind(py).append(reference)
    }
}
