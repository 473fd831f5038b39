//! A Rust future that Python awaits.
//!
//! Order: Python calls a method that reads from the connection; the read is spawned beside the connection; the method
//! returns an `asyncio.Future`; when the read is done, that future is resolved on the thread of its loop.

use std::future::Future;
use std::sync::Arc;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use crate::bridge::Queue;
use crate::current;

/// What a read gives, made into a Python object on the thread of the loop.
pub(crate) type Resolve = Box<dyn FnOnce(Python<'_>) -> PyResult<Py<PyAny>> + Send>;

/// Where reads run, and how their results reach the loop.
pub(crate) struct Resolver {
    event_loop: Py<PyAny>,
    place: Place,
}

pub(crate) enum Place {
    /// The runtime of this thread, which is that of the loop.
    Here,
    /// The runtime of the server's thread; results come back through the queue.
    Bridge {
        queue: Arc<Queue>,
        runtime: tokio::runtime::Handle,
    },
}

impl Resolver {
    pub(crate) fn new(event_loop: &Bound<'_, PyAny>, place: Place) -> Self {
        Self {
            event_loop: event_loop.clone().unbind(),
            place,
        }
    }

    /// An `asyncio.Future` that is resolved with what `read` gives.
    pub(crate) fn start<'py>(
        &self,
        py: Python<'py>,
        read: impl Future<Output = Resolve> + Send + 'static,
    ) -> PyResult<Bound<'py, PyAny>> {
        if matches!(self.place, Place::Here) && !current::is_loop() {
            return Err(PyRuntimeError::new_err(
                "the content of a request is read on the event loop: make the handler `async def`, or take the \
                 content as an argument",
            ));
        }
        let event_loop = self.event_loop.bind(py);
        let future = event_loop.call_method0(pyo3::intern!(py, "create_future"))?;
        let waiting = future.clone().unbind();
        match &self.place {
            Place::Here => {
                tokio::task::spawn_local(async move {
                    let resolve = read.await;
                    Python::attach(|py| {
                        settle(waiting.bind(py), resolve);
                        current::after_python(py);
                    });
                });
            }
            Place::Bridge { queue, runtime } => {
                let queue = Arc::clone(queue);
                runtime.spawn(async move { queue.settle(waiting, read.await) });
            }
        }
        Ok(future)
    }
}

/// Resolves a future, unless whoever awaited it has given up.
pub(crate) fn settle(future: &Bound<'_, PyAny>, resolve: Resolve) {
    let py = future.py();
    let settled: PyResult<()> = (|| {
        if future
            .call_method0(pyo3::intern!(py, "done"))?
            .is_truthy()?
        {
            return Ok(());
        }
        match resolve(py) {
            Ok(value) => future.call_method1(pyo3::intern!(py, "set_result"), (value,))?,
            Err(error) => future.call_method1(pyo3::intern!(py, "set_exception"), (error,))?,
        };
        Ok(())
    })();
    if let Err(error) = settled {
        PyErr::write_unraisable(error, py, Some(future));
    }
}
