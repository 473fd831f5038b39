//! Arguments that are made of parameters: text, converted and checked before it gets here.

use pyo3::exceptions::{PyArithmeticError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyFloat, PyInt, PyList, PyString, PyTuple};
use spikard_core::{Parameter, Value};
use spikard_problem::{Cause, FieldError};

use crate::arguments::CallError;
use crate::failure;
use crate::plain_data;

/// One parameter and how its object is made.
pub(crate) struct ParameterArgument {
    /// Its place among the inputs.
    pub(crate) input: usize,
    /// Makes the annotated object of the plain one: `uuid.UUID`, `date.fromisoformat`, ..
    pub(crate) convert: Option<Py<PyAny>>,
    pub(crate) default: Default,
    /// For the error when `convert` refuses a value that has the right form.
    pub(crate) parameter: Parameter,
    pub(crate) cause: Cause,
}

/// What stands for an absent value.
pub(crate) enum Default {
    Value(Py<PyAny>),
    Factory(Py<PyAny>),
}

/// An object that is built of several parameters.
pub(crate) struct Model {
    pub(crate) fields: Vec<ParameterArgument>,
    pub(crate) build: Py<PyAny>,
}

impl Default {
    pub(crate) fn make<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match self {
            Self::Value(value) => Ok(value.bind(py).clone()),
            Self::Factory(factory) => factory.bind(py).call0(),
        }
    }
}

impl ParameterArgument {
    pub(crate) fn build<'py>(
        &self,
        py: Python<'py>,
        inputs: &[Value<'_>],
    ) -> Result<Bound<'py, PyAny>, CallError> {
        let value = &inputs[self.input];
        if *value == Value::Absent {
            return Ok(self.default.make(py)?);
        }
        let made = to_python(py, value).and_then(|object| match &self.convert {
            Some(convert) => convert.bind(py).call1((object,)),
            None => Ok(object),
        });
        made.map_err(|error| {
            let errors = failure::validation_errors(py, &error);
            if !errors.is_empty() {
                return CallError::Refused(errors);
            }
            if error.is_instance_of::<PyValueError>(py)
                || error.is_instance_of::<PyArithmeticError>(py)
            {
                return CallError::Refused(vec![self.refusal(value)]);
            }
            error.into()
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

impl Model {
    pub(crate) fn build<'py>(
        &self,
        py: Python<'py>,
        inputs: &[Value<'_>],
    ) -> Result<Bound<'py, PyAny>, CallError> {
        let mut values = Vec::with_capacity(self.fields.len());
        let mut errors = Vec::new();
        for field in &self.fields {
            match field.build(py, inputs) {
                Ok(value) => values.push(value),
                Err(CallError::Refused(refused)) => errors.extend(refused),
                Err(error) => return Err(error),
            }
        }
        if !errors.is_empty() {
            return Err(CallError::Refused(errors));
        }
        self.build
            .bind(py)
            .call1(PyTuple::new(py, values)?)
            .map_err(|error| {
                let errors = failure::validation_errors(py, &error);
                if !errors.is_empty() {
                    return CallError::Refused(errors);
                }
                let is_refusal = error.is_instance_of::<PyValueError>(py)
                    || error.is_instance_of::<PyTypeError>(py);
                match self.fields.first() {
                    Some(field) if is_refusal => {
                        let place = [field.parameter.location().as_str()];
                        CallError::Refused(vec![FieldError::new(
                            place,
                            failure::said_by(py, &error),
                            None,
                        )])
                    }
                    _ => error.into(),
                }
            })
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
        Value::Object(members) => plain_data::to_python(py, members)?,
        other => {
            return Err(PyTypeError::new_err(format!(
                "no Python object stands for {other:?}"
            )));
        }
    })
}
