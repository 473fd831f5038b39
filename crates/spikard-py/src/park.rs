//! The GIL around the wait: held while tokio polls tasks, released while the thread sleeps.
//!
//! Order: tokio finds nothing to do and calls [`before_park`]; the thread sleeps in the kernel, detached, and touches
//! no Python object; tokio wakes and calls [`after_park`] before it polls anything. The two always pair.
#![expect(
    unsafe_code,
    reason = "attach and detach by hand, since the two halves are separate callbacks"
)]

use std::cell::Cell;
use std::ptr;

use pyo3::ffi;
use pyo3::prelude::*;

thread_local! {
    static DETACHED: Cell<*mut ffi::PyThreadState> = const { Cell::new(ptr::null_mut()) };
}

/// Detaches the thread from the interpreter.
pub(crate) fn before_park() {
    // SAFETY: the callback runs inside `block_on`, which is only entered while attached.
    DETACHED.set(unsafe { ffi::PyEval_SaveThread() });
}

/// Attaches the thread again and runs the signal handlers that are due.
///
/// # Errors
///
/// What a signal handler raised, such as `KeyboardInterrupt`.
pub(crate) fn after_park() -> PyResult<()> {
    let state = DETACHED.replace(ptr::null_mut());
    // SAFETY: `state` is what `before_park` saved on this thread, restored once.
    let py = unsafe {
        ffi::PyEval_RestoreThread(state);
        Python::assume_attached()
    };
    py.check_signals()
}
