//! Content that Python produces while it is sent.
//!
//! Order: a task (for an asynchronous iterator) or a thread (for any other) pumps chunks into a bounded buffer; the
//! connection takes them out as the client reads. A full buffer makes the pump wait. A client that leaves drops
//! [`StreamBody`], which stops the pump: a task is cancelled, a thread finds the buffer abandoned.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http_body::Frame;
use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use spikard_core::{Body, BoxError};

use crate::current::{self, Current};
use crate::handler_runtime::HandlerRuntime;
use crate::loop_future::settle;
use crate::request_context::RequestContext;
use crate::sync_pool::SyncPool;

/// Most bytes that wait for the client; a chunk that is larger passes when nothing else waits.
const BUFFER_LIMIT_BYTES: usize = 64 * 1024;

#[derive(Default)]
struct Buffer {
    chunks: VecDeque<Bytes>,
    len_bytes: usize,
    /// The connection, waiting for a chunk.
    reader: Option<Waker>,
    /// The `asyncio.Future` of a pump that waits for room.
    room: Option<Py<PyAny>>,
    /// The task that pumps, to be cancelled; none for a thread.
    pump: Option<Py<PyAny>>,
    end: Option<Result<(), BoxError>>,
    is_abandoned: bool,
}

#[derive(Default)]
struct Channel {
    buffer: Mutex<Buffer>,
    /// Told when there is room, or when nobody reads any more; for pumps on threads.
    changed: Condvar,
}

impl Channel {
    fn lock(&self) -> MutexGuard<'_, Buffer> {
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Buffer {
    fn has_room(&self) -> bool {
        self.len_bytes < BUFFER_LIMIT_BYTES
    }

    fn push(&mut self, chunk: Bytes) {
        // An empty chunk says nothing, and would end some codings of the content.
        if !chunk.is_empty() {
            self.len_bytes += chunk.len();
            self.chunks.push_back(chunk);
        }
        self.wake_reader();
    }

    fn wake_reader(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }
}

/// Where a pump puts its chunks; `spikard.streams` calls it.
#[pyclass(frozen)]
pub(crate) struct ChunkSink(Arc<Channel>);

#[pymethods]
impl ChunkSink {
    /// Takes a chunk; false when the buffer is full now.
    fn send(&self, chunk: &Bound<'_, PyAny>) -> PyResult<bool> {
        let chunk = bytes_of(chunk)?;
        let mut buffer = self.0.lock();
        buffer.push(chunk);
        Ok(buffer.has_room())
    }

    /// Keeps `room`, an `asyncio.Future`, to be resolved when there is room; false when there is some already.
    fn wait_for(&self, room: Py<PyAny>) -> bool {
        let mut buffer = self.0.lock();
        let must_wait = !buffer.has_room();
        if must_wait {
            buffer.room = Some(room);
        }
        must_wait
    }

    /// Takes a chunk and waits for room; false when nobody reads any more.
    fn send_blocking(&self, py: Python<'_>, chunk: &Bound<'_, PyAny>) -> PyResult<bool> {
        let chunk = bytes_of(chunk)?;
        py.detach(|| {
            let mut buffer = self.0.lock();
            buffer.push(chunk);
            let buffer = self
                .0
                .changed
                .wait_while(buffer, |buffer| !buffer.has_room() && !buffer.is_abandoned)
                .unwrap_or_else(PoisonError::into_inner);
            Ok(!buffer.is_abandoned)
        })
    }

    /// Ends the content: properly, or, with a reason, by breaking the connection off.
    #[pyo3(signature = (broken = None))]
    fn finish(&self, broken: Option<String>) {
        let mut buffer = self.0.lock();
        buffer.end = Some(broken.map_or(Ok(()), |reason| Err(reason.into())));
        buffer.pump = None;
        buffer.wake_reader();
    }

    /// Notes the task that pumps, so that it is cancelled when the client leaves.
    fn pumped_by(&self, task: Py<PyAny>) {
        let mut buffer = self.0.lock();
        if buffer.end.is_none() {
            buffer.pump = Some(task);
        }
    }
}

fn bytes_of(chunk: &Bound<'_, PyAny>) -> PyResult<Bytes> {
    if let Ok(text) = chunk.cast::<PyString>() {
        return Ok(Bytes::copy_from_slice(text.to_str()?.as_bytes()));
    }
    if let Ok(bytes) = chunk.cast::<PyBytes>() {
        return Ok(Bytes::copy_from_slice(bytes.as_bytes()));
    }
    let name = chunk.get_type().name()?;
    Err(PyTypeError::new_err(format!(
        "a stream yields str or bytes, not {name}"
    )))
}

/// Where a reply is made: what a stream needs to be pumped.
pub(crate) struct Scene<'a> {
    pub(crate) runtime: &'a HandlerRuntime,
    /// Module and qualified name of the handler, for the log.
    pub(crate) handler: &'a Py<PyString>,
    /// The context of the handler, which the stream goes on with; none: the current one.
    pub(crate) context: Option<&'a RequestContext>,
    /// Whether this is the thread of the loop.
    pub(crate) is_on_loop: bool,
}

impl Scene<'_> {
    /// Starts to pump what `content` yields.
    ///
    /// # Errors
    ///
    /// When it yields nothing, or no thread is free for it.
    pub(crate) fn stream(&self, content: &Bound<'_, PyAny>) -> PyResult<Body> {
        let py = content.py();
        let streams = py.import("spikard.streams")?;
        let channel = Arc::new(Channel::default());
        let sink = Bound::new(py, ChunkSink(Arc::clone(&channel)))?;
        if content.hasattr("__aiter__")? {
            let pump = streams.call_method1("pump", (content, &sink, self.handler))?;
            let task = if self.is_on_loop {
                let context = self.context.map_or_else(
                    || RequestContext::copy_current(py),
                    |context| context.copy(py),
                )?;
                self.runtime
                    .tasks()
                    .start(&pump, &context, self.handler.bind(py))?
            } else {
                let event_loop = self.runtime.tasks().event_loop(py);
                let asyncio = py.import("asyncio")?;
                let start = || asyncio.call_method1("run_coroutine_threadsafe", (pump, event_loop));
                // The loop copies the context in which it is called.
                match self.context {
                    Some(context) => context.run(py, start)?,
                    None => start()?,
                }
            };
            sink.get().pumped_by(task.unbind());
        } else {
            let iterator = content.try_iter()?.into_any().unbind();
            let pump = streams.getattr("pump_blocking")?.unbind();
            let sink = sink.unbind();
            let handler = self.handler.clone_ref(py);
            let context = self.context.map_or_else(
                || RequestContext::copy_current(py),
                |context| context.copy(py),
            )?;
            let job = Box::new(move |py: Python<'_>| {
                let pumped = context.run(py, || pump.call1(py, (iterator, sink, &handler)));
                if let Err(error) = pumped {
                    error.write_unraisable(py, Some(handler.bind(py)));
                }
            });
            if SyncPool::push(self.runtime.pool(py), job)?.is_err() {
                return Err(PyRuntimeError::new_err("no thread is free for the stream"));
            }
        }
        Ok(Body::new(StreamBody(channel)))
    }
}

/// The content of a streaming response.
struct StreamBody(Arc<Channel>);

impl http_body::Body for StreamBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let mut buffer = self.0.lock();
        let Some(chunk) = buffer.chunks.pop_front() else {
            if let Some(end) = buffer.end.take() {
                // Asked again, the content has ended.
                buffer.end = Some(Ok(()));
                return Poll::Ready(end.err().map(Err));
            }
            buffer.reader = Some(cx.waker().clone());
            return Poll::Pending;
        };
        buffer.len_bytes -= chunk.len();
        let room = if buffer.has_room() {
            buffer.room.take()
        } else {
            None
        };
        drop(buffer);
        self.0.changed.notify_all();
        if let Some(room) = room {
            on_loop(room, |room| settle(room, Box::new(|py| Ok(py.None()))));
        }
        Poll::Ready(Some(Ok(Frame::data(chunk))))
    }
}

impl Drop for StreamBody {
    fn drop(&mut self) {
        let mut buffer = self.0.lock();
        buffer.is_abandoned = true;
        let pump = buffer.pump.take();
        drop(buffer);
        self.0.changed.notify_all();
        if let Some(pump) = pump {
            on_loop(pump, crate::invocation::cancel);
        }
    }
}

/// Does something with an object of the loop on the loop's thread, which is this one or at the other end of a bridge.
fn on_loop(object: Py<PyAny>, act: fn(&Bound<'_, PyAny>)) {
    let bridge = current::with(|current| match current {
        Some(Current::Bridge(queue)) => Some(Arc::clone(queue)),
        _ => None,
    });
    match bridge {
        Some(queue) => queue.act(object, act),
        None => Python::attach(|py| {
            act(object.bind(py));
            current::after_python(py);
        }),
    }
}
