//! Plain data between JSON values and Python objects.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString};
use serde_json::Value as Json;

/// The Python object of a JSON value: dict, list, str, int, float, bool or None.
pub(crate) fn to_python<'py>(py: Python<'py>, value: &Json) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Json::Null => py.None().into_bound(py),
        Json::Bool(value) => PyBool::new(py, *value).to_owned().into_any(),
        Json::String(text) => PyString::new(py, text).into_any(),
        Json::Number(number) => {
            if let Some(value) = number.as_i64() {
                PyInt::new(py, value).into_any()
            } else if let Some(value) = number.as_u64() {
                PyInt::new(py, value).into_any()
            } else {
                PyFloat::new(py, number.as_f64().unwrap_or(f64::NAN)).into_any()
            }
        }
        Json::Array(items) => {
            let list = PyList::empty(py);
            for item in items {
                list.append(to_python(py, item)?)?;
            }
            list.into_any()
        }
        Json::Object(members) => {
            let dict = PyDict::new(py);
            for (name, member) in members {
                dict.set_item(name, to_python(py, member)?)?;
            }
            dict.into_any()
        }
    })
}

/// The JSON value of a Python object that msgspec can encode.
///
/// # Errors
///
/// When it cannot; the message names the type.
pub(crate) fn to_json(value: &Bound<'_, PyAny>) -> PyResult<Json> {
    let encode = value.py().import("msgspec.json")?.getattr("encode")?;
    let encoded = encode.call1((value,))?.cast_into::<PyBytes>()?;
    serde_json::from_slice(encoded.as_bytes())
        .map_err(|error| PyValueError::new_err(error.to_string()))
}
