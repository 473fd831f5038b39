//! The `contextvars.Context` of one request.
#![expect(
    unsafe_code,
    reason = "the context functions of CPython have no safe wrapper"
)]

use pyo3::ffi;
use pyo3::prelude::*;

/// A copy of the loop's context: what a handler sets in it, no other request sees.
pub(crate) struct RequestContext(Py<PyAny>);

impl RequestContext {
    pub(crate) fn copy_current(py: Python<'_>) -> PyResult<Self> {
        // SAFETY: the thread is attached; the call returns a new reference or null with an exception.
        let context = unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyContext_CopyCurrent()) }?;
        Ok(Self(context.unbind()))
    }

    /// A copy of this context, for what goes on after the handler.
    pub(crate) fn copy(&self, py: Python<'_>) -> PyResult<Self> {
        // SAFETY: the pointer is a context, the thread is attached; a new reference or null with an exception.
        let context =
            unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyContext_Copy(self.0.as_ptr())) }?;
        Ok(Self(context.unbind()))
    }

    /// Runs `body` with this context as the current one, as `Context.run` does.
    pub(crate) fn run<R>(&self, py: Python<'_>, body: impl FnOnce() -> PyResult<R>) -> PyResult<R> {
        // SAFETY: the pointer is a context, and the thread is attached.
        if unsafe { ffi::PyContext_Enter(self.0.as_ptr()) } < 0 {
            return Err(PyErr::fetch(py));
        }
        let result = body();
        // SAFETY: the context was entered above, and `body` leaves no other one entered.
        if unsafe { ffi::PyContext_Exit(self.0.as_ptr()) } < 0 {
            return Err(PyErr::fetch(py));
        }
        result
    }

    pub(crate) fn as_any<'py>(&self, py: Python<'py>) -> &Bound<'py, PyAny> {
        self.0.bind(py)
    }
}
