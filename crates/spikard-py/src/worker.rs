//! A worker: one thread on which asyncio and tokio share one wait.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::mem::ManuallyDrop;
use std::rc::Rc;

use pyo3::exceptions::{PyRuntimeError, PySystemError};
use pyo3::prelude::*;
use send_wrapper::SendWrapper;
use spikard_server::{LocalTasks, Server, Shutdown};
use tokio::runtime::{Builder, LocalOptions, LocalRuntime};

use crate::application::Application;
use crate::config::ServerSettings;
use crate::current::{self, Current};
use crate::listener::Listener;
use crate::loop_driver::{LoopDriver, LoopSources, LoopState};
use crate::park;
use crate::test_session::TestSession;

/// Serves applications on the thread that made it. Belongs to one event loop and its selector.
///
/// Whoever keeps a traceback keeps the worker, on whatever thread: so its parts are given up by `close`, on the
/// thread of the loop, and what is dropped later is empty. A worker that is never closed is leaked.
#[pyclass(frozen)]
pub(crate) struct Worker(SendWrapper<ManuallyDrop<RefCell<Option<Rc<Parts>>>>>);

struct Parts {
    state: Rc<LoopState>,
    sources: Rc<RefCell<LoopSources>>,
    is_waiting: Cell<bool>,
    shutdown: RefCell<Option<Shutdown>>,
    /// Last, so that what lives on the runtime goes first.
    runtime: LocalRuntime,
}

#[pymethods]
impl Worker {
    /// A worker for `event_loop`, a stock `asyncio.SelectorEventLoop`, whose selector has the descriptor `selector`.
    #[new]
    fn new(event_loop: &Bound<'_, PyAny>, selector: i32) -> PyResult<Self> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .on_thread_park(park::before_park)
            .on_thread_unpark(after_park)
            .build_local(LocalOptions::default())?;
        let sources = {
            let _inside = runtime.enter();
            LoopSources::new(selector)?
        };
        let state = Rc::new(LoopState::new(event_loop)?);
        current::set(Some(Current::Loop(Rc::clone(&state))));
        let parts = Parts {
            state,
            sources: Rc::new(RefCell::new(sources)),
            is_waiting: Cell::new(false),
            shutdown: RefCell::new(None),
            runtime,
        };
        Ok(Self(SendWrapper::new(ManuallyDrop::new(RefCell::new(
            Some(Rc::new(parts)),
        )))))
    }

    /// The wait: returns whether the loop is to ask its own selector, without blocking.
    ///
    /// The first call of a run serves until the loop is stopped; the calls from inside its turns return at once.
    fn wait(&self) -> PyResult<bool> {
        let parts = self.parts()?;
        if parts.is_waiting.replace(true) {
            return Ok(parts.state.take_events());
        }
        let driver = LoopDriver {
            state: Rc::clone(&parts.state),
            sources: Rc::clone(&parts.sources),
        };
        let driver = parts.runtime.spawn_local(driver);
        let stop = driver.abort_handle();
        let result = parts.runtime.block_on(async {
            tokio::select! {
                biased;
                result = poll_fn(|cx| parts.state.poll_exit(cx)) => result,
                // A driver that ends without having said why has panicked: nothing would run after it.
                _ended = driver => Err(PySystemError::new_err("the driver of the event loop has failed")),
            }
        });
        stop.abort();
        parts.is_waiting.set(false);
        result.map(|()| false)
    }

    /// Starts to serve `application` on `listener`.
    fn serve(
        &self,
        listener: &Listener,
        application: &Application,
        config: ServerSettings,
    ) -> PyResult<()> {
        let parts = self.parts()?;
        let server = Server::new(application.service(), config.into_limits()?, LocalTasks);
        let listener = {
            let _inside = parts.runtime.enter();
            listener.take()?.into_tokio()?
        };
        parts.shutdown.replace(Some(server.shutdown()));
        parts.runtime.spawn_local(server.serve(listener));
        Ok(())
    }

    /// Stops to accept, lets requests finish for `patience` seconds, then calls `done(unfinished connections, None)`.
    fn stop(&self, patience: f64, done: Py<PyAny>) -> PyResult<()> {
        let parts = self.parts()?;
        let shutdown = parts.shutdown.borrow().clone();
        let shutdown =
            shutdown.ok_or_else(|| PyRuntimeError::new_err("the worker does not serve"))?;
        let patience = crate::config::seconds(patience)?;
        parts.runtime.spawn_local(async move {
            let unfinished = shutdown.start(patience).await;
            Python::attach(|py| {
                if let Err(error) = done.call1(py, (unfinished, py.None())) {
                    error.write_unraisable(py, Some(done.bind(py)));
                }
                current::after_python(py);
            });
        });
        Ok(())
    }

    /// A session in which other threads send requests to `application` in memory.
    fn test_session(&self, application: &Application) -> PyResult<TestSession> {
        let (session, serve) = TestSession::new(application.service());
        self.parts()?.runtime.spawn_local(serve);
        Ok(session)
    }

    /// Gives up sockets and tasks, on the thread of the loop, once the loop has stopped for good.
    ///
    /// Returns whether the threads of handlers have ended within `patience` seconds.
    fn close(&self, py: Python<'_>, patience: f64) -> PyResult<bool> {
        self.check_thread()?;
        let patience = crate::config::seconds(patience)?;
        let Some(parts) = self.0.borrow_mut().take() else {
            return Ok(true);
        };
        let state = Rc::clone(&parts.state);
        drop(parts);
        current::set(None);
        Ok(state.runtime().close(py, patience))
    }
}

impl Worker {
    fn parts(&self) -> PyResult<Rc<Parts>> {
        self.check_thread()?;
        let parts = self.0.borrow().clone();
        parts.ok_or_else(|| PyRuntimeError::new_err("the worker is closed"))
    }

    fn check_thread(&self) -> PyResult<()> {
        if self.0.valid() {
            Ok(())
        } else {
            Err(PyRuntimeError::new_err(
                "a worker belongs to the thread that made it",
            ))
        }
    }
}

/// Attaches again after the sleep; what a signal handler raises ends the run of the loop.
fn after_park() {
    if let Err(error) = park::after_park() {
        current::with(|current| {
            if let Some(Current::Loop(state)) = current {
                state.exit(Err(error));
            }
        });
    }
}
