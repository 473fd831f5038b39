//! The request as a handler sees it that asks for it.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, Uri, Version, request};
use http_body_util::BodyExt;
use pyo3::exceptions::{PyConnectionError, PyRuntimeError, PyStopAsyncIteration, PyStopIteration};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyBytes;
use spikard_core::{Body, BoxError, Content};

use crate::latin1;
use crate::loop_future::{Resolve, Resolver};

/// What is kept of the head for a handler that asks for the request.
#[derive(Clone)]
pub(crate) struct Head {
    method: Method,
    uri: Uri,
    version: Version,
    headers: HeaderMap,
}

impl From<&request::Parts> for Head {
    fn from(parts: &request::Parts) -> Self {
        Self {
            method: parts.method.clone(),
            uri: parts.uri.clone(),
            version: parts.version,
            headers: parts.headers.clone(),
        }
    }
}

/// Content that is read once, by whoever comes first.
enum Reading {
    Unread(Body),
    /// The `asyncio.Future` of the whole content, which everybody may await.
    Whole(Py<PyAny>),
    /// Handed out chunk by chunk.
    Streamed,
}

/// A request; `spikard.Request`.
#[pyclass(frozen, module = "spikard")]
pub(crate) struct Request {
    head: Head,
    headers: PyOnceLock<Py<PyAny>>,
    content: Mutex<Reading>,
    resolver: Arc<Resolver>,
}

impl Request {
    pub(crate) fn new(head: Head, content: &mut Content, resolver: Arc<Resolver>) -> Self {
        Self {
            head,
            headers: PyOnceLock::new(),
            content: Mutex::new(Reading::Unread(take_body(content))),
            resolver,
        }
    }
}

#[pymethods]
impl Request {
    /// Method as sent.
    #[getter]
    fn method(&self) -> &str {
        self.head.method.as_str()
    }

    /// Path of the request target as sent, percent-encoded.
    #[getter]
    fn path(&self) -> &str {
        self.head.uri.path()
    }

    /// Query component of the request target as sent; empty when there is none.
    #[getter]
    fn query_string(&self) -> &str {
        self.head.uri.query().unwrap_or_default()
    }

    /// Version of HTTP, such as `1.1`.
    #[getter]
    fn http_version(&self) -> &'static str {
        match self.head.version {
            Version::HTTP_10 => "1.0",
            Version::HTTP_2 => "2",
            Version::HTTP_3 => "3",
            _ => "1.1",
        }
    }

    /// The header fields.
    #[getter]
    fn headers(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let headers = self.headers.get_or_try_init(py, || {
            let fields: Vec<(&str, String)> = self
                .head
                .headers
                .iter()
                .map(|(name, value)| (name.as_str(), latin1::decode(value.as_bytes())))
                .collect();
            let headers = py
                .import("spikard.headers")?
                .getattr("Headers")?
                .call1((fields,))?;
            Ok::<_, PyErr>(headers.unbind())
        })?;
        Ok(headers.clone_ref(py))
    }

    /// The whole content, to be awaited; as often as one likes.
    fn body<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let mut content = self.content.lock().unwrap_or_else(PoisonError::into_inner);
        let body = match &mut *content {
            Reading::Whole(future) => return shielded(future.bind(py)),
            Reading::Streamed => {
                return Err(PyRuntimeError::new_err(
                    "the content is read by stream() already",
                ));
            }
            Reading::Unread(body) => std::mem::take(body),
        };
        let future = self.resolver.start(py, async move {
            let content = read(body).await;
            resolve(move |py| {
                Ok(
                    PyBytes::new(py, &content.map_err(|error| broken_off(py, &error))?)
                        .into_any()
                        .unbind(),
                )
            })
        })?;
        *content = Reading::Whole(future.clone().unbind());
        shielded(&future)
    }

    /// The content as it arrives: an asynchronous iterator of bytes, which reads no faster than it is asked.
    fn stream(&self) -> PyResult<ContentStream> {
        let mut content = self.content.lock().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *content, Reading::Streamed) {
            Reading::Unread(body) => Ok(ContentStream {
                reader: Arc::new(tokio::sync::Mutex::new(Reader::new(body))),
                resolver: Arc::clone(&self.resolver),
            }),
            read => {
                *content = read;
                Err(PyRuntimeError::new_err("the content has been read already"))
            }
        }
    }

    fn __repr__(&self) -> String {
        format!("<Request {} {}>", self.head.method, self.head.uri)
    }
}

/// The chunks of a request's content.
#[pyclass(frozen)]
pub(crate) struct ContentStream {
    reader: Arc<tokio::sync::Mutex<Reader>>,
    resolver: Arc<Resolver>,
}

impl ContentStream {
    pub(crate) fn new(content: &mut Content, resolver: Arc<Resolver>) -> Self {
        Self {
            reader: Arc::new(tokio::sync::Mutex::new(Reader::new(take_body(content)))),
            resolver,
        }
    }
}

/// What is left to be read; nothing where the plan of the route has read it.
fn take_body(content: &mut Content) -> Body {
    match content {
        Content::Unread(body) => std::mem::take(body),
        _ => Body::empty(),
    }
}

#[pymethods]
impl ContentStream {
    fn __aiter__(this: Bound<'_, Self>) -> Bound<'_, Self> {
        this
    }

    fn __anext__(&self) -> NextChunk {
        NextChunk {
            reader: Arc::clone(&self.reader),
            resolver: Arc::clone(&self.resolver),
            waiting: None,
        }
    }
}

/// What `anext()` of a [`ContentStream`] awaits.
///
/// A chunk is taken by the step that hands it over: whoever gives up waiting does not take a chunk with them.
#[pyclass]
pub(crate) struct NextChunk {
    reader: Arc<tokio::sync::Mutex<Reader>>,
    resolver: Arc<Resolver>,
    /// What a future yields to the loop, until the chunk is there.
    waiting: Option<Py<PyAny>>,
}

#[pymethods]
impl NextChunk {
    fn __await__(this: Bound<'_, Self>) -> Bound<'_, Self> {
        this
    }

    fn __iter__(this: Bound<'_, Self>) -> Bound<'_, Self> {
        this
    }

    fn __next__<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let waiting = if let Some(waiting) = self.waiting.take() {
            waiting.into_bound(py)
        } else {
            if let Some(read) = self.take() {
                return Err(handed_over(py, read));
            }
            let reader = Arc::clone(&self.reader);
            let filled = self.resolver.start(py, async move {
                reader.lock().await.fill().await;
                resolve(|py| Ok(py.None()))
            })?;
            filled.call_method0(pyo3::intern!(py, "__await__"))?
        };
        match waiting.call_method0(pyo3::intern!(py, "__next__")) {
            Ok(yielded) => {
                self.waiting = Some(waiting.unbind());
                Ok(yielded)
            }
            Err(end) if end.is_instance_of::<PyStopIteration>(py) => match self.take() {
                Some(read) => Err(handed_over(py, read)),
                None => Err(PyRuntimeError::new_err("the content is being read already")),
            },
            Err(error) => Err(error),
        }
    }
}

impl NextChunk {
    fn take(&self) -> Option<Read> {
        self.reader.try_lock().ok()?.read.take()
    }
}

/// What ends an iterator that is awaited.
fn handed_over(py: Python<'_>, read: Read) -> PyErr {
    match read {
        Ok(Some(chunk)) => PyStopIteration::new_err((PyBytes::new(py, &chunk).unbind(),)),
        Ok(None) => PyStopAsyncIteration::new_err(()),
        Err(error) => broken_off(py, &error),
    }
}

/// A chunk, or the end.
type Read = Result<Option<Bytes>, BoxError>;

/// Content that is read chunk by chunk.
struct Reader {
    body: Body,
    /// What was read and not yet taken: a chunk, the end, or why there is none.
    read: Option<Read>,
}

impl Reader {
    fn new(body: Body) -> Self {
        Self { body, read: None }
    }

    async fn fill(&mut self) {
        while self.read.is_none() {
            self.read = match self.body.frame().await {
                None => Some(Ok(None)),
                Some(Err(error)) => Some(Err(error)),
                // Trailers are no content.
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) if !data.is_empty() => Some(Ok(Some(data))),
                    _ => None,
                },
            };
        }
    }
}

/// A future that can be cancelled without the one that others await as well.
fn shielded<'py>(future: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    future
        .py()
        .import("asyncio")?
        .call_method1(pyo3::intern!(future.py(), "shield"), (future,))
}

async fn read(mut body: Body) -> Result<Bytes, BoxError> {
    let mut content = BytesMut::new();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame?.into_data() {
            content.extend_from_slice(&data);
        }
    }
    Ok(content.freeze())
}

fn resolve(resolve: impl FnOnce(Python<'_>) -> PyResult<Py<PyAny>> + Send + 'static) -> Resolve {
    Box::new(resolve)
}

/// What the handler is told of content that it cannot have: by the answer to it, if it is too long, and as by any
/// socket, if the client left it unfinished.
fn broken_off(py: Python<'_>, error: &BoxError) -> PyErr {
    let Some(limit_bytes) = spikard_service::passed_limit(error) else {
        return PyConnectionError::new_err(format!(
            "the content of the request broke off: {error}"
        ));
    };
    let raised = py
        .import("spikard.exceptions")
        .and_then(|exceptions| exceptions.getattr("RequestEntityTooLarge"))
        .and_then(|kind| kind.call1((format!("The content is longer than {limit_bytes} bytes"),)));
    raised.map_or_else(|error| error, PyErr::from_value)
}
