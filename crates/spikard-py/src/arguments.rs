//! From converted inputs to the arguments of a call.
#![expect(unsafe_code, reason = "a vectorcall takes a bare array of pointers")]

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyFloat, PyInt, PyList, PyString, PyTuple};
use smallvec::SmallVec;
use spikard_core::{Inputs, Parameter, Value};
use spikard_problem::{Cause, FieldError, Problem};

/// How one argument of a handler is made; the order is that of the operation's parameters.
pub(crate) struct Argument {
    /// Makes the annotated object of the plain one: `uuid.UUID`, `date.fromisoformat`, ..
    pub(crate) convert: Option<Py<PyAny>>,
    pub(crate) default: Default,
    /// For the error when `convert` refuses a value that has the right form.
    pub(crate) parameter: Parameter,
    pub(crate) cause: Cause,
}

/// What stands for an absent parameter.
pub(crate) enum Default {
    Value(Py<PyAny>),
    Factory(Py<PyAny>),
}

/// The arguments of a handler, compiled once.
pub(crate) struct Arguments {
    arguments: Vec<Argument>,
    /// Names of the keyword-only arguments, which come last; null as a pointer where there are none.
    keywords: Option<Py<PyTuple>>,
}

/// Why a call did not come about or did not succeed.
pub(crate) enum CallError {
    /// A value has the right form but no meaning, such as the date `0000-01-01`.
    Refused(Box<Problem>),
    /// An exception of the handler, or of a default or conversion that is not the client's fault.
    Raised(PyErr),
}

impl From<PyErr> for CallError {
    fn from(error: PyErr) -> Self {
        Self::Raised(error)
    }
}

impl Arguments {
    pub(crate) fn new(arguments: Vec<Argument>, keywords: Option<Py<PyTuple>>) -> Self {
        Self {
            arguments,
            keywords,
        }
    }

    /// Makes the arguments of one call; a value that cannot be made is the client's mistake.
    pub(crate) fn build<'py>(
        &self,
        py: Python<'py>,
        inputs: &Inputs<'_>,
    ) -> Result<SmallVec<[Bound<'py, PyAny>; 6]>, CallError> {
        let mut objects = SmallVec::with_capacity(self.arguments.len());
        let mut errors = Vec::new();
        // Parameters that only the path template declares come last and have no argument.
        for (argument, value) in self.arguments.iter().zip(inputs.values()) {
            match argument.build(py, value) {
                Ok(object) => objects.push(object),
                Err(CallError::Raised(error)) => return Err(error.into()),
                Err(CallError::Refused(_)) => errors.push(argument.refusal(value)),
            }
        }
        if errors.is_empty() {
            Ok(objects)
        } else {
            Err(CallError::Refused(Box::new(Problem::validation(&errors))))
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

impl Argument {
    fn build<'py>(
        &self,
        py: Python<'py>,
        value: &Value<'_>,
    ) -> Result<Bound<'py, PyAny>, CallError> {
        if *value == Value::Absent {
            return Ok(match &self.default {
                Default::Value(value) => value.bind(py).clone(),
                Default::Factory(factory) => factory.bind(py).call0()?,
            });
        }
        let made = to_python(py, value).and_then(|object| match &self.convert {
            Some(convert) => convert.bind(py).call1((object,)),
            None => Ok(object),
        });
        made.map_err(|error| {
            let is_refusal = error.is_instance_of::<PyValueError>(py)
                || error.is_instance_of::<pyo3::exceptions::PyArithmeticError>(py);
            if is_refusal {
                CallError::Refused(Box::new(Problem::validation(&[])))
            } else {
                error.into()
            }
        })
    }

    fn refusal(&self, value: &Value<'_>) -> FieldError {
        let place = [self.parameter.location().as_str(), self.parameter.name()];
        let input = match value {
            Value::String(text) | Value::BigInteger(text) => Some(text.as_ref()),
            _ => None,
        };
        FieldError::new(place, self.cause.clone(), input)
    }
}

/// The Python object of a value.
fn to_python<'py>(py: Python<'py>, value: &Value<'_>) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::Absent => py.None().into_bound(py),
        Value::Boolean(value) => PyBool::new(py, *value).to_owned().into_any(),
        Value::Integer(value) => PyInt::new(py, *value).into_any(),
        Value::BigInteger(digits) => py.get_type::<PyInt>().call1((digits.as_ref(),))?,
        Value::Number(value) => PyFloat::new(py, *value).into_any(),
        Value::String(text) => PyString::new(py, text).into_any(),
        Value::Array(items) => {
            let list = PyList::empty(py);
            for item in items {
                list.append(to_python(py, item)?)?;
            }
            list.into_any()
        }
        other => {
            return Err(PyTypeError::new_err(format!(
                "no Python object stands for {other:?}"
            )));
        }
    })
}
