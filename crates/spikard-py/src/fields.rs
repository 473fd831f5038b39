//! Header fields between Python and HTTP.

use http::header::{HeaderName, HeaderValue};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::latin1;

/// Fields given as a mapping or as pairs, which may repeat a name.
///
/// # Errors
///
/// When a name or a value is no valid HTTP; the message names it.
pub(crate) fn read(fields: &Bound<'_, PyAny>) -> PyResult<Vec<(HeaderName, HeaderValue)>> {
    let pairs = match fields.cast::<PyDict>() {
        Ok(mapping) => mapping.items().into_any(),
        Err(_) if fields.hasattr("items")? => fields.call_method0("items")?,
        Err(_) => fields.clone(),
    };
    pairs
        .try_iter()?
        .map(|pair| {
            let (name, value) = pair?.extract::<(String, Bound<'_, PyAny>)>().map_err(|_| {
                PyTypeError::new_err("headers must be a mapping, or pairs, of names and values")
            })?;
            let header_name = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| PyValueError::new_err(format!("{name:?} is not a field name")))?;
            Ok((header_name, value_of(&name, &value)?))
        })
        .collect()
}

/// A field value: text in Latin-1, as HTTP fields have always been read, without line breaks and other control
/// characters (RFC 9110, 5.5).
pub(crate) fn value_of(name: &str, value: &Bound<'_, PyAny>) -> PyResult<HeaderValue> {
    let text = value.cast::<PyString>().map_err(|_| {
        PyTypeError::new_err(format!(
            "the value of field {name:?} must be a str, not {value:?}"
        ))
    })?;
    let bytes = latin1::encode(text.to_str()?).ok_or_else(|| {
        PyValueError::new_err(format!(
            "the value of field {name:?} is not Latin-1: {text:?}"
        ))
    })?;
    HeaderValue::from_bytes(&bytes).map_err(|_| {
        PyValueError::new_err(format!(
            "the value of field {name:?} holds a control character: {text:?}"
        ))
    })
}
