//! From a request to the arguments of a call.
#![expect(unsafe_code, reason = "a vectorcall takes a bare array of pointers")]

use std::sync::Arc;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use smallvec::SmallVec;
use spikard_problem::{FieldError, Problem};

use crate::arrival::Arrival;
use crate::body_argument::BodyArgument;
use crate::loop_future::Resolver;
use crate::parameter_argument::{Model, ParameterArgument};
use crate::request::Request;

/// How one argument of a handler is made; the order is that of the call.
pub(crate) enum Argument {
    /// One parameter of path, query, header fields or cookies.
    Parameter(ParameterArgument),
    /// A model of several parameters.
    Model(Model),
    /// The content, or one field of it.
    Body(BodyArgument),
    /// The request itself.
    Request,
}

/// The arguments of a handler, compiled once.
pub(crate) struct Arguments {
    pub(crate) arguments: Vec<Argument>,
    /// Names of the keyword-only arguments, which come last.
    pub(crate) keywords: Option<Py<PyTuple>>,
}

/// Why a call did not come about or did not succeed.
pub(crate) enum CallError {
    /// The request is refused with these errors, which join those of the other arguments.
    Refused(Vec<FieldError>),
    /// The request is refused with this problem and no other.
    Problem(Box<Problem>),
    /// An exception of the handler, or of a default or conversion that is not the client's fault.
    Raised(PyErr),
}

impl From<PyErr> for CallError {
    fn from(error: PyErr) -> Self {
        Self::Raised(error)
    }
}

/// The objects of one call.
pub(crate) type Objects<'py> = SmallVec<[Bound<'py, PyAny>; 6]>;

impl Arguments {
    pub(crate) fn wants_request(&self) -> bool {
        self.arguments
            .iter()
            .any(|argument| matches!(argument, Argument::Request))
    }

    /// Makes the arguments of one call; what cannot be made is the client's mistake, told all at once.
    pub(crate) fn build<'py>(
        &self,
        py: Python<'py>,
        arrival: &mut Arrival<'_>,
        resolver: &Arc<Resolver>,
    ) -> Result<Objects<'py>, CallError> {
        let mut objects = SmallVec::with_capacity(self.arguments.len());
        let mut errors = Vec::new();
        for argument in &self.arguments {
            let made = match argument {
                Argument::Parameter(parameter) => parameter.build(py, &arrival.inputs),
                Argument::Model(model) => model.build(py, &arrival.inputs),
                Argument::Body(body) => body.build(py, arrival, resolver),
                Argument::Request => request(py, arrival, resolver).map_err(CallError::from),
            };
            match made {
                Ok(object) => objects.push(object),
                Err(CallError::Refused(refused)) => errors.extend(refused),
                Err(error) => return Err(error),
            }
        }
        if errors.is_empty() {
            Ok(objects)
        } else {
            Err(CallError::Refused(errors))
        }
    }

    /// Calls `callable`; the arguments lie on the stack, no tuple is made.
    pub(crate) fn call<'py>(
        &self,
        callable: &Bound<'py, PyAny>,
        arguments: &[Bound<'py, PyAny>],
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = callable.py();
        // One free place in front lets a bound method insert `self` without copying the array.
        let mut pointers: SmallVec<[*mut ffi::PyObject; 8]> =
            SmallVec::with_capacity(arguments.len() + 1);
        pointers.push(std::ptr::null_mut());
        pointers.extend(arguments.iter().map(Bound::as_ptr));
        let (keywords, keyword_count) = match &self.keywords {
            Some(keywords) => (keywords.as_ptr(), keywords.bind(py).len()),
            None => (std::ptr::null_mut(), 0),
        };
        let positional = (arguments.len() - keyword_count) | ffi::PY_VECTORCALL_ARGUMENTS_OFFSET;
        // SAFETY: the array holds `arguments.len()` live objects after the free place; the thread is attached; the
        // result is a new reference or null with an exception.
        unsafe {
            let result = ffi::PyObject_Vectorcall(
                callable.as_ptr(),
                pointers.as_ptr().add(1),
                positional,
                keywords,
            );
            Bound::from_owned_ptr_or_err(py, result)
        }
    }
}

/// The request, one for all arguments that ask for it.
fn request<'py>(
    py: Python<'py>,
    arrival: &mut Arrival<'_>,
    resolver: &Arc<Resolver>,
) -> PyResult<Bound<'py, PyAny>> {
    if let Some(head) = arrival.head.take() {
        let request = Request::new(*head, &mut arrival.content, Arc::clone(resolver));
        arrival.request = Some(Py::new(py, request)?);
    }
    let request = arrival
        .request
        .as_ref()
        .expect("the head is kept for a plan with a request");
    Ok(request.bind(py).clone().into_any())
}
