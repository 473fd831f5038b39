//! From what a handler returned to a response.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue, LOCATION, SET_COOKIE};
use http::{Response, StatusCode};
use pyo3::exceptions::PyValueError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyByteArray, PyBytes, PyMemoryView, PyString, PyType};
use spikard_core::Body;

use crate::fields;
use crate::set_cookie;
use crate::stream::Scene;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const OCTET_STREAM: HeaderValue = HeaderValue::from_static("application/octet-stream");

/// Content up to this many bytes is copied out of its Python object; longer content is lent.
///
/// Lending costs two allocations and a reference that is given back by the thread of the loop.
const COPY_LIMIT: usize = 4096;

/// Encodes replies; one per application.
pub(crate) struct ReplyEncoder {
    /// `msgspec.json.Encoder().encode`.
    encode: Py<PyAny>,
    /// The base of all reply objects.
    reply_type: Py<PyType>,
    redirect_type: Py<PyType>,
    streaming_type: Py<PyType>,
}

impl ReplyEncoder {
    pub(crate) fn new(py: Python<'_>) -> PyResult<Self> {
        let encoder = py.import("msgspec.json")?.getattr("Encoder")?.call0()?;
        let responses = py.import("spikard.responses")?;
        let class = |name| Ok::<_, PyErr>(responses.getattr(name)?.cast_into::<PyType>()?.unbind());
        Ok(Self {
            encode: encoder.getattr("encode")?.unbind(),
            reply_type: class("_Reply")?,
            redirect_type: class("Redirect")?,
            streaming_type: class("StreamingResponse")?,
        })
    }

    /// The response for `value`, with `status` unless the value has one of its own.
    ///
    /// # Errors
    ///
    /// When the value, or a part of a `Response`, cannot be sent; the message names what.
    pub(crate) fn encode(
        &self,
        value: &Bound<'_, PyAny>,
        status: StatusCode,
        scene: &Scene<'_>,
    ) -> PyResult<Response<Body>> {
        if is_of_type(value, self.reply_type.bind(value.py())) {
            return self.encode_reply(value, scene);
        }
        let (body, media_type) = match raw_bytes(value)? {
            Some(raw) => (body_of(&raw), OCTET_STREAM),
            None => (self.encode_json(value)?, JSON),
        };
        let mut response = Response::new(body);
        *response.status_mut() = status;
        response.headers_mut().insert(CONTENT_TYPE, media_type);
        Ok(response)
    }

    fn encode_json(&self, value: &Bound<'_, PyAny>) -> PyResult<Body> {
        let encoded = self.encode.bind(value.py()).call1((value,))?;
        Ok(body_of(encoded.cast::<PyBytes>()?))
    }

    /// A reply object: status, fields and cookies first, then what its class adds.
    fn encode_reply(
        &self,
        value: &Bound<'_, PyAny>,
        scene: &Scene<'_>,
    ) -> PyResult<Response<Body>> {
        let py = value.py();
        let mut response = Response::new(Body::empty());
        *response.status_mut() = status_code(&value.getattr(pyo3::intern!(py, "status_code"))?)?;
        let given = value.getattr(pyo3::intern!(py, "headers"))?;
        if !given.is_none() {
            for (name, value) in fields::read(&given)? {
                response.headers_mut().append(name, value);
            }
        }
        for cookie in value.getattr(pyo3::intern!(py, "cookies"))?.try_iter()? {
            response
                .headers_mut()
                .append(SET_COOKIE, set_cookie::field_value(&cookie?)?);
        }
        if is_of_type(value, self.redirect_type.bind(py)) {
            let url = fields::value_of("location", &value.getattr(pyo3::intern!(py, "url"))?)?;
            response.headers_mut().insert(LOCATION, url);
            return Ok(response);
        }
        let media_type = value.getattr(pyo3::intern!(py, "media_type"))?;
        if !media_type.is_none() && !response.headers().contains_key(CONTENT_TYPE) {
            let media_type = fields::value_of("media_type", &media_type)?;
            response.headers_mut().insert(CONTENT_TYPE, media_type);
        }
        let content = value.getattr(pyo3::intern!(py, "content"))?;
        if is_of_type(value, self.streaming_type.bind(py)) {
            *response.body_mut() = scene.stream(&content)?;
            response
                .headers_mut()
                .entry(CONTENT_TYPE)
                .or_insert(OCTET_STREAM);
        } else if !content.is_none() {
            let default = self.fill(&mut response, &content)?;
            response
                .headers_mut()
                .entry(CONTENT_TYPE)
                .or_insert(default);
        }
        Ok(response)
    }

    /// Sets the content and returns the media type that it has if nothing else is said.
    fn fill(
        &self,
        response: &mut Response<Body>,
        content: &Bound<'_, PyAny>,
    ) -> PyResult<HeaderValue> {
        if let Some(raw) = raw_bytes(content)? {
            *response.body_mut() = body_of(&raw);
            return Ok(OCTET_STREAM);
        }
        let is_raw_text = response
            .headers()
            .get(CONTENT_TYPE)
            .is_some_and(|it| !is_json(it));
        *response.body_mut() = match content.cast::<PyString>() {
            Ok(text) if is_raw_text => Body::from(text.to_str()?.to_owned()),
            _ => self.encode_json(content)?,
        };
        Ok(JSON)
    }
}

/// Whether a `Content-Type` says JSON: `application/json` or a `+json` suffix (RFC 6839, 3.1).
fn is_json(content_type: &HeaderValue) -> bool {
    let Ok(text) = content_type.to_str() else {
        return false;
    };
    let essence = text
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    essence == "application/json" || essence.ends_with("+json")
}

/// The bytes of an object that is nothing but bytes; those of mutable ones are copied.
fn raw_bytes<'py>(value: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyBytes>>> {
    if let Ok(bytes) = value.cast::<PyBytes>() {
        return Ok(Some(bytes.clone()));
    }
    if value.is_instance_of::<PyByteArray>() || value.is_instance_of::<PyMemoryView>() {
        let bytes = value.py().get_type::<PyBytes>().call1((value,))?;
        return Ok(Some(bytes.cast_into()?));
    }
    Ok(None)
}

fn body_of(bytes: &Bound<'_, PyBytes>) -> Body {
    let slice = bytes.as_bytes();
    if slice.len() <= COPY_LIMIT {
        Body::from(Bytes::copy_from_slice(slice))
    } else {
        Body::from(Bytes::from_owner(PyBackedBytes::from(bytes.clone())))
    }
}

/// Whether the class of `value` is `ty` or derives from it, without the look-up of `__instancecheck__`.
#[expect(unsafe_code, reason = "the plain check of CPython has no safe wrapper")]
fn is_of_type(value: &Bound<'_, PyAny>, ty: &Bound<'_, PyType>) -> bool {
    // SAFETY: both are live objects, and the second is a type.
    unsafe { ffi::PyObject_TypeCheck(value.as_ptr(), ty.as_type_ptr()) != 0 }
}

/// A status that a final response can have.
pub(crate) fn status_code(value: &Bound<'_, PyAny>) -> PyResult<StatusCode> {
    value
        .extract::<u16>()
        .ok()
        .filter(|code| (200..=599).contains(code))
        .and_then(|code| StatusCode::from_u16(code).ok())
        .ok_or_else(|| {
            PyValueError::new_err(format!(
                "status_code is {value}; it must be an integer from 200 to 599"
            ))
        })
}
