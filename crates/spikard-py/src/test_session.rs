//! Requests in memory from other threads: what `spikard.testing.TestClient` calls.

use std::sync::mpsc;
use std::thread::{self, ThreadId};
use std::time::Duration;

use http::{HeaderName, HeaderValue, Method};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use spikard_service::Service;
use spikard_testclient::{TestClient, TestError, TestRequest, TestResponse};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::latin1;

/// How often a waiting test looks for signals, so that it can be interrupted.
const SIGNAL_INTERVAL: Duration = Duration::from_millis(100);

struct Job {
    request: TestRequest,
    answer: mpsc::Sender<Result<TestResponse, TestError>>,
}

/// Sends requests to an application on the thread of its worker. Usable from every other thread.
#[pyclass(frozen)]
pub(crate) struct TestSession {
    client: TestClient,
    jobs: UnboundedSender<Job>,
    worker: ThreadId,
}

/// A request as `spikard.testing` describes it, read by attribute.
#[derive(FromPyObject)]
struct RequestDescription {
    method: String,
    /// The path with an optional query.
    target: String,
    /// Appended to the query of the target, escaped.
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    cookies: Vec<(String, String)>,
    content: Vec<u8>,
}

/// Status code, fields, content.
type Received<'py> = (u16, Vec<(String, String)>, Bound<'py, PyBytes>);

impl TestSession {
    /// A session, and the future that answers its requests on the thread of the worker, which is this one.
    pub(crate) fn new(service: Service) -> (Self, impl Future<Output = ()>) {
        let (jobs, received) = unbounded_channel();
        let session = Self {
            client: TestClient::new(service),
            jobs,
            worker: thread::current().id(),
        };
        (session, answer_all(received))
    }
}

async fn answer_all(mut jobs: UnboundedReceiver<Job>) {
    while let Some(Job { request, answer }) = jobs.recv().await {
        tokio::task::spawn_local(async move {
            // A test that gave up does not listen any more.
            let _ = answer.send(request.send().await);
        });
    }
}

#[pymethods]
impl TestSession {
    /// Sends one request and waits for the whole response: status code, fields, content.
    fn send<'py>(&self, py: Python<'py>, request: RequestDescription) -> PyResult<Received<'py>> {
        if thread::current().id() == self.worker {
            return Err(PyRuntimeError::new_err(
                "a handler cannot wait for a test client of its own application: both run on the same thread",
            ));
        }
        let (answer, answered) = mpsc::channel();
        let job = Job {
            request: request.start(&self.client)?,
            answer,
        };
        self.jobs.send(job).map_err(|_| closed())?;
        let response =
            wait(py, answered)?.map_err(|error| PyValueError::new_err(describe(&error)))?;
        let fields = response.headers().iter();
        let fields = fields
            .map(|(name, value)| (name.as_str().to_owned(), latin1::decode(value.as_bytes())))
            .collect();
        let content = PyBytes::new(py, response.content());
        Ok((response.status().as_u16(), fields, content))
    }
}

impl RequestDescription {
    fn start(self, client: &TestClient) -> PyResult<TestRequest> {
        let method = Method::from_bytes(self.method.as_bytes())
            .map_err(|_| PyValueError::new_err(format!("{:?} is not a method", self.method)))?;
        let mut request = client
            .request(method, &self.target)
            .query(self.query)
            .cookies(self.cookies)
            .content(self.content);
        for (name, value) in self.headers {
            let field = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| PyValueError::new_err(format!("{name:?} is not a field name")))?;
            let value = latin1::encode(&value)
                .and_then(|bytes| HeaderValue::from_bytes(&bytes).ok())
                .ok_or_else(|| {
                    PyValueError::new_err(format!(
                        "the value of field {name:?} is not Latin-1, or holds a control character"
                    ))
                })?;
            request = request.header(field, value);
        }
        Ok(request)
    }
}

/// Waits without the GIL, which the handler needs.
fn wait<T: Send>(py: Python<'_>, mut answered: mpsc::Receiver<T>) -> PyResult<T> {
    loop {
        // Borrowed for itself alone: a receiver may move between threads but not be shared.
        let receiver = &mut answered;
        match py.detach(move || receiver.recv_timeout(SIGNAL_INTERVAL)) {
            Ok(answer) => return Ok(answer),
            Err(mpsc::RecvTimeoutError::Timeout) => py.check_signals()?,
            Err(mpsc::RecvTimeoutError::Disconnected) => return Err(closed()),
        }
    }
}

fn closed() -> PyErr {
    PyRuntimeError::new_err("the test client is closed")
}

fn describe(error: &TestError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
