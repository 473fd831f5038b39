//! A worker: one thread on which asyncio and tokio share one wait.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
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
#[pyclass(unsendable, frozen)]
pub(crate) struct Worker {
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
        Ok(Self {
            state,
            sources: Rc::new(RefCell::new(sources)),
            is_waiting: Cell::new(false),
            shutdown: RefCell::new(None),
            runtime,
        })
    }

    /// The wait: returns whether the loop is to ask its own selector, without blocking.
    ///
    /// The first call of a run serves until the loop is stopped; the calls from inside its turns return at once.
    fn wait(&self) -> PyResult<bool> {
        if self.is_waiting.replace(true) {
            return Ok(self.state.take_events());
        }
        let driver = LoopDriver {
            state: Rc::clone(&self.state),
            sources: Rc::clone(&self.sources),
        };
        let driver = self.runtime.spawn_local(driver);
        let result = self
            .runtime
            .block_on(poll_fn(|cx| self.state.poll_exit(cx)));
        driver.abort();
        self.is_waiting.set(false);
        result.map(|()| false)
    }

    /// Starts to serve `application` on `listener`.
    fn serve(
        &self,
        listener: &Listener,
        application: &Application,
        config: ServerSettings,
    ) -> PyResult<()> {
        let listener = listener.take()?;
        let server = Server::new(application.service(), config.into_limits()?, LocalTasks);
        self.shutdown.replace(Some(server.shutdown()));
        let listener = {
            let _inside = self.runtime.enter();
            listener.into_tokio()?
        };
        self.runtime.spawn_local(server.serve(listener));
        Ok(())
    }

    /// Stops to accept, lets requests finish for `patience` seconds, then calls `done(unfinished connections, None)`.
    fn stop(&self, patience: f64, done: Py<PyAny>) -> PyResult<()> {
        let shutdown = self.shutdown.borrow().clone();
        let shutdown =
            shutdown.ok_or_else(|| PyRuntimeError::new_err("the worker does not serve"))?;
        let patience = crate::config::seconds(patience)?;
        self.runtime.spawn_local(async move {
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
    fn test_session(&self, application: &Application) -> TestSession {
        let (session, serve) = TestSession::new(application.service());
        self.runtime.spawn_local(serve);
        session
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        current::set(None);
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
