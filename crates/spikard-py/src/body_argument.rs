//! Arguments that are made of the content of a request.

use std::sync::Arc;

use bytes::Bytes;
use pyo3::exceptions::{PyArithmeticError, PyRecursionError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};
use spikard_core::{Content, ParsedContent, UploadedFile};
use spikard_problem::{Cause, FieldError};

use crate::arguments::CallError;
use crate::arrival::Arrival;
use crate::failure;
use crate::loop_future::Resolver;
use crate::parameter_argument::Default;
use crate::plain_data;
use crate::request::ContentStream;

/// An empty object: what no content at all stands for where some is required.
const NO_MEMBERS: &[u8] = b"{}";

/// How the content becomes an argument.
pub(crate) enum BodyArgument {
    /// JSON, decoded in one pass by the library that owns the type.
    Json {
        decode: Py<PyAny>,
        default: Option<Default>,
    },
    /// Plain data, valid by now, and what makes the object of it.
    Value {
        convert: Option<Py<PyAny>>,
        default: Option<Default>,
        /// Members that other arguments take.
        taken: Vec<String>,
    },
    /// One member of the plain data.
    Field {
        name: String,
        convert: Option<Py<PyAny>>,
        default: Option<Default>,
    },
    /// The bytes as they came.
    Bytes { default: Option<Default> },
    /// The bytes as they come.
    Stream,
}

impl BodyArgument {
    pub(crate) fn build<'py>(
        &self,
        py: Python<'py>,
        arrival: &mut Arrival<'_>,
        resolver: &Arc<Resolver>,
    ) -> Result<Bound<'py, PyAny>, CallError> {
        match self {
            Self::Json { decode, default } => decode_json(py, decode, default.as_ref(), arrival),
            Self::Value {
                convert,
                default,
                taken,
            } => {
                let Some(members) = members_of(py, arrival)? else {
                    return make_default(py, default.as_ref(), "body");
                };
                if let Ok(dict) = members.cast::<PyDict>() {
                    for name in taken {
                        if dict.contains(name)? {
                            dict.del_item(name)?;
                        }
                    }
                }
                convert_plain(py, convert.as_ref(), members, &["body"])
            }
            Self::Field {
                name,
                convert,
                default,
            } => {
                let members = members_of(py, arrival)?;
                let member = members.and_then(|members| members.get_item(name).ok());
                match member {
                    Some(member) => convert_plain(py, convert.as_ref(), member, &["body", name]),
                    None => make_default(py, default.as_ref(), name),
                }
            }
            Self::Bytes { default } => {
                let content = take_bytes(arrival);
                match default {
                    Some(default) if content.is_empty() => Ok(default.make(py)?),
                    _ => Ok(PyBytes::new(py, &content).into_any()),
                }
            }
            Self::Stream => {
                let stream = ContentStream::new(&mut arrival.content, Arc::clone(resolver));
                Ok(Bound::new(py, stream)?.into_any())
            }
        }
    }
}

fn decode_json<'py>(
    py: Python<'py>,
    decode: &Py<PyAny>,
    default: Option<&Default>,
    arrival: &mut Arrival<'_>,
) -> Result<Bound<'py, PyAny>, CallError> {
    let content = take_bytes(arrival);
    let content = match default {
        Some(default) if content.is_empty() => return Ok(default.make(py)?),
        None if content.is_empty() => Bytes::from_static(NO_MEMBERS),
        _ => content,
    };
    decode
        .bind(py)
        .call1((PyBytes::new(py, &content),))
        .map_err(|error| match &arrival.content_check {
            Some(check) if is_refusal(py, &error) => {
                CallError::Problem(check.problem(&content, &failure::message_of(py, &error)))
            }
            _ => CallError::Raised(error),
        })
}

fn take_bytes(arrival: &mut Arrival<'_>) -> Bytes {
    match &mut arrival.content {
        Content::Bytes(bytes) => std::mem::take(bytes),
        _ => Bytes::new(),
    }
}

/// The parsed content as Python data, made once for all arguments that share it; none where there is none.
fn members_of<'py>(
    py: Python<'py>,
    arrival: &mut Arrival<'_>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    if arrival.members.is_none() {
        let Content::Value(parsed) = &mut arrival.content else {
            return Ok(None);
        };
        let parsed = std::mem::take(&mut **parsed);
        arrival.members = Some(assemble(py, parsed)?.unbind());
    }
    let members = arrival
        .members
        .as_ref()
        .map(|members| members.bind(py).clone());
    Ok(members.filter(|members| !members.is_none()))
}

/// Plain data with the uploaded files in their places.
fn assemble(py: Python<'_>, parsed: ParsedContent) -> PyResult<Bound<'_, PyAny>> {
    let members = plain_data::to_python(py, &parsed.value)?;
    if parsed.files.is_empty() {
        return Ok(members);
    }
    let upload_file = py.import("spikard.uploads")?.getattr("UploadFile")?;
    for file in parsed.files {
        let (field, index) = (file.field.clone(), file.index);
        let file = upload(&upload_file, file)?;
        match index {
            Some(index) => members
                .get_item(&field)?
                .cast_into::<PyList>()?
                .set_item(index, file)?,
            None => members.set_item(&field, file)?,
        }
    }
    Ok(members)
}

fn upload<'py>(upload_file: &Bound<'py, PyAny>, file: UploadedFile) -> PyResult<Bound<'py, PyAny>> {
    let py = upload_file.py();
    let fields: Vec<(&str, String)> = file
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), crate::latin1::decode(value.as_bytes())))
        .collect();
    let headers = py
        .import("spikard.headers")?
        .getattr("Headers")?
        .call1((fields,))?;
    let data = Bound::new(py, crate::upload::UploadData::new(file.data))?;
    upload_file.call1((file.filename, file.media_type, headers, data))
}

fn convert_plain<'py>(
    py: Python<'py>,
    convert: Option<&Py<PyAny>>,
    value: Bound<'py, PyAny>,
    place: &[&str],
) -> Result<Bound<'py, PyAny>, CallError> {
    let Some(convert) = convert else {
        return Ok(value);
    };
    convert.bind(py).call1((value,)).map_err(|error| {
        let errors = failure::validation_errors(py, &error);
        if !errors.is_empty() {
            return CallError::Refused(errors);
        }
        if is_refusal(py, &error) {
            let place = place.iter().copied();
            CallError::Refused(vec![FieldError::new(
                place,
                failure::said_by(py, &error),
                None,
            )])
        } else {
            error.into()
        }
    })
}

/// Whether an exception of a decoder says that it does not take the value; any other is a mistake of its author.
fn is_refusal(py: Python<'_>, error: &PyErr) -> bool {
    error.is_instance_of::<PyValueError>(py)
        || error.is_instance_of::<PyTypeError>(py)
        || error.is_instance_of::<PyArithmeticError>(py)
        || error.is_instance_of::<PyRecursionError>(py)
}

fn make_default<'py>(
    py: Python<'py>,
    default: Option<&Default>,
    name: &str,
) -> Result<Bound<'py, PyAny>, CallError> {
    match default {
        Some(default) => Ok(default.make(py)?),
        None if name == "body" => Err(CallError::Refused(vec![FieldError::new(
            ["body"],
            Cause::Missing,
            None,
        )])),
        None => Err(CallError::Refused(vec![FieldError::new(
            ["body", name],
            Cause::Missing,
            None,
        )])),
    }
}
