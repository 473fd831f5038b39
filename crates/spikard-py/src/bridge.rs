//! Serving inside an event loop that belongs to somebody else.
//!
//! Order: tokio runs on a thread of its own and never touches Python. A request for a Python handler is pushed on a
//! queue; the first push of a batch writes to a socket that the loop watches. The loop drains the whole batch, calls
//! the handlers, and each reply wakes its connection.

use std::future::Future;
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::thread::JoinHandle;
use std::time::Duration;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use spikard_core::Reply;
use spikard_server::{Limits, LocalTasks, Server};
use spikard_service::Service;
use tokio::runtime::LocalRuntime;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::application::Application;
use crate::arrival::Arrival;
use crate::config::ServerSettings;
use crate::current::{self, Current};
use crate::handler_runtime::HandlerRuntime;
use crate::invocation::{Invoked, Route, cancel};
use crate::listener::Listener;
use crate::loop_future::{Place, Resolve, settle};
use crate::reply_slot::ReplySlot;
use crate::task_start::TaskStart;

/// What the loop is asked to do.
enum Job {
    Call {
        route: Arc<Route>,
        arrival: Box<Arrival<'static>>,
        call: Arc<BridgedCall>,
    },
    /// The client of this call has left.
    Cancel(Arc<BridgedCall>),
    /// A read that a handler awaits is done.
    Settle(Py<PyAny>, Resolve),
    /// Something is to be done with an object of the loop.
    Act(Py<PyAny>, fn(&Bound<'_, PyAny>)),
    /// The server has stopped, with this many connections unfinished; or it could not serve at all.
    Stopped(Result<usize, String>),
}

/// One call on its way to the loop and back.
#[derive(Default)]
struct BridgedCall {
    slot: ReplySlot,
    /// Set and taken by the loop's thread only.
    task: Mutex<Option<Py<PyAny>>>,
}

/// The way from the thread of the server to the thread of the loop.
pub(crate) struct Queue {
    jobs: Mutex<Vec<Job>>,
    wake: UnixStream,
}

impl Queue {
    fn send(&self, job: Job) {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.push(job);
        let is_first = jobs.len() == 1;
        drop(jobs);
        if is_first {
            // A full socket means that the loop has been woken already.
            let _ = (&self.wake).write(&[0]);
        }
    }

    pub(crate) fn settle(&self, future: Py<PyAny>, resolve: Resolve) {
        self.send(Job::Settle(future, resolve));
    }

    pub(crate) fn act(&self, object: Py<PyAny>, act: fn(&Bound<'_, PyAny>)) {
        self.send(Job::Act(object, act));
    }

    pub(crate) fn push(
        self: &Arc<Self>,
        route: &Arc<Route>,
        arrival: Arrival<'static>,
    ) -> BridgedReply {
        let call = Arc::new(BridgedCall::default());
        self.send(Job::Call {
            route: Arc::clone(route),
            arrival: Box::new(arrival),
            call: Arc::clone(&call),
        });
        BridgedReply {
            queue: Arc::clone(self),
            call: Some(call),
        }
    }
}

/// The reply of a handler on the other side; dropping it cancels the handler.
pub(crate) struct BridgedReply {
    queue: Arc<Queue>,
    call: Option<Arc<BridgedCall>>,
}

impl BridgedCall {
    fn take_task(&self) -> Option<Py<PyAny>> {
        self.task
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

impl Future for BridgedReply {
    type Output = Reply;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Reply> {
        let call = self
            .call
            .as_ref()
            .expect("polled after the reply was given");
        let polled = call.slot.poll(cx);
        if polled.is_ready() {
            self.call = None;
        }
        polled
    }
}

impl Drop for BridgedReply {
    fn drop(&mut self) {
        if let Some(call) = self.call.take() {
            call.slot.abandon();
            self.queue.send(Job::Cancel(call));
        }
    }
}

/// A server on a thread of its own whose handlers run in the event loop that made it.
#[pyclass(frozen)]
pub(crate) struct Bridge {
    queue: Arc<Queue>,
    wake: UnixStream,
    runtime: Arc<HandlerRuntime>,
    orders: UnboundedSender<Duration>,
    done: Py<PyAny>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[pymethods]
impl Bridge {
    /// Starts to serve `application` on `listener`; calls `done(unfinished connections, error or None)` in
    /// the loop at the end.
    #[new]
    fn new(
        event_loop: &Bound<'_, PyAny>,
        listener: &Listener,
        application: &Application,
        config: ServerSettings,
        done: Py<PyAny>,
    ) -> PyResult<Self> {
        let (read, write) = UnixStream::pair()?;
        read.set_nonblocking(true)?;
        write.set_nonblocking(true)?;
        let queue = Arc::new(Queue {
            jobs: Mutex::default(),
            wake: write,
        });
        let (orders, received_orders) = unbounded_channel();
        let listener = listener.take()?;
        let limits = config.into_limits()?;
        let service = application.service();
        let served = Arc::clone(&queue);
        let (started, has_started) = std::sync::mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("spikard-server".to_owned())
            .spawn(move || {
                current::set(Some(Current::Bridge(Arc::clone(&served))));
                let outcome = LocalRuntime::new().and_then(|runtime| {
                    // Whoever started the thread waits for this.
                    let _ = started.send(runtime.handle().clone());
                    runtime.block_on(serve(listener, service, limits, received_orders))
                });
                served.send(Job::Stopped(outcome.map_err(|error| error.to_string())));
            })?;
        let runtime = has_started
            .recv()
            .map_err(|_| PyRuntimeError::new_err("the runtime of the server cannot be made"))?;
        let place = Place::Bridge {
            queue: Arc::clone(&queue),
            runtime,
        };
        Ok(Self {
            queue,
            wake: read,
            runtime: Arc::new(HandlerRuntime::new(
                event_loop.py(),
                TaskStart::scheduled(event_loop)?,
                place,
            )?),
            orders,
            done,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// The descriptor that is readable when `drain` is to be called.
    fn fileno(&self) -> i32 {
        self.wake.as_raw_fd()
    }

    /// Does what has been asked for since the last time.
    fn drain(&self, py: Python<'_>) {
        let mut buffer = [0; 64];
        while matches!((&self.wake).read(&mut buffer), Ok(read) if read > 0) {}
        let jobs = std::mem::take(
            &mut *self
                .queue
                .jobs
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        );
        for job in jobs {
            match job {
                Job::Call {
                    route,
                    arrival,
                    call,
                } => self.call(py, &route, *arrival, &call),
                Job::Cancel(call) => {
                    if let Some(task) = call.take_task() {
                        cancel(task.bind(py));
                    }
                }
                Job::Settle(future, resolve) => settle(future.bind(py), resolve),
                Job::Act(object, act) => act(object.bind(py)),
                Job::Stopped(outcome) => {
                    let (unfinished, error) = match outcome {
                        Ok(unfinished) => (unfinished, None),
                        Err(error) => (0, Some(error)),
                    };
                    if let Err(error) = self.done.call1(py, (unfinished, error)) {
                        error.write_unraisable(py, Some(self.done.bind(py)));
                    }
                }
            }
        }
    }

    /// Stops to accept and lets requests finish for `patience` seconds; a second call ends the patience of the first.
    fn stop(&self, patience: f64) -> PyResult<()> {
        // A server that has ended already needs no order.
        let _ = self.orders.send(crate::config::seconds(patience)?);
        Ok(())
    }

    /// Waits for the thread of the server, which has ended or is about to, and ends the threads of handlers.
    fn join(&self, py: Python<'_>) -> PyResult<()> {
        self.runtime.close(py, Duration::ZERO);
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(thread) = thread else { return Ok(()) };
        py.detach(|| thread.join())
            .map_err(|_| PyRuntimeError::new_err("the thread of the server panicked"))
    }
}

impl Bridge {
    fn call(&self, py: Python<'_>, route: &Arc<Route>, arrival: Arrival<'_>, call: &BridgedCall) {
        if call.slot.is_abandoned() {
            return;
        }
        match route.invoke(py, &self.runtime, arrival, || call.slot.clone()) {
            Invoked::Answered(reply) => call.slot.fill(reply),
            Invoked::Suspended { task, .. } => {
                *call.task.lock().unwrap_or_else(PoisonError::into_inner) = task;
            }
        }
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        // Without an order the thread would serve for ever.
        let _ = self.orders.send(Duration::ZERO);
    }
}

/// Serves on the runtime of this thread until told to stop; returns how many connections were unfinished.
async fn serve(
    listener: spikard_server::Listener,
    service: Service,
    limits: Limits,
    mut orders: UnboundedReceiver<Duration>,
) -> std::io::Result<usize> {
    let server = Server::new(service, limits, LocalTasks);
    let shutdown = server.shutdown();
    let serving = tokio::task::spawn_local(server.serve(listener.into_tokio()?));
    let patience = orders.recv().await.unwrap_or_default();
    let unfinished = tokio::select! {
        unfinished = shutdown.start(patience) => unfinished,
        hurry = orders.recv() => shutdown.start(hurry.unwrap_or_default()).await,
    };
    serving.await?;
    Ok(unfinished)
}
