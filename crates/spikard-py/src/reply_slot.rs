//! Where the reply of a suspended handler is handed from asyncio to the connection that waits for it.
//!
//! Order: the invocation starts a task and makes a slot; the connection's task polls [`PendingReply`]; when the task
//! is done, asyncio calls [`Completion`], which fills the slot and wakes the connection. A client that leaves drops
//! `PendingReply`, which cancels the task.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use pyo3::exceptions::asyncio::CancelledError;
use pyo3::prelude::*;
use spikard_core::Reply;

use crate::handler_runtime::HandlerRuntime;
use crate::invocation::Route;

#[derive(Default)]
struct Slot {
    reply: Option<Reply>,
    waker: Option<Waker>,
    is_abandoned: bool,
}

/// One end fills it, the other waits for it.
#[derive(Clone, Default)]
pub(crate) struct ReplySlot(Arc<Mutex<Slot>>);

impl ReplySlot {
    pub(crate) fn fill(&self, reply: Reply) {
        let mut slot = self.lock();
        slot.reply = Some(reply);
        let waker = slot.waker.take();
        drop(slot);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    pub(crate) fn poll(&self, cx: &mut Context<'_>) -> Poll<Reply> {
        let mut slot = self.lock();
        if let Some(reply) = slot.reply.take() {
            return Poll::Ready(reply);
        }
        match &mut slot.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            None => slot.waker = Some(cx.waker().clone()),
        }
        Poll::Pending
    }

    /// Notes that nobody waits for the reply any more.
    pub(crate) fn abandon(&self) {
        self.lock().is_abandoned = true;
    }

    pub(crate) fn is_abandoned(&self) -> bool {
        self.lock().is_abandoned
    }

    fn lock(&self) -> MutexGuard<'_, Slot> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The reply of a handler that runs beside the connection; dropping it cancels the handler's task.
pub(crate) struct PendingReply {
    slot: ReplySlot,
    /// None for a handler on a thread, which cannot be cancelled.
    task: Option<Py<PyAny>>,
    is_given: bool,
}

impl PendingReply {
    pub(crate) fn new(slot: ReplySlot, task: Option<Py<PyAny>>) -> Self {
        Self {
            slot,
            task,
            is_given: false,
        }
    }
}

impl Future for PendingReply {
    type Output = Reply;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Reply> {
        let polled = self.slot.poll(cx);
        self.is_given = polled.is_ready();
        polled
    }
}

impl Drop for PendingReply {
    fn drop(&mut self) {
        if self.is_given {
            return;
        }
        self.slot.abandon();
        if let Some(task) = self.task.take() {
            Python::attach(|py| crate::invocation::cancel(task.bind(py)));
        }
    }
}

/// What asyncio calls when the task of a handler is done.
#[pyclass(frozen)]
pub(crate) struct Completion {
    route: Arc<Route>,
    runtime: Arc<HandlerRuntime>,
    slot: ReplySlot,
}

impl Completion {
    pub(crate) fn new(route: Arc<Route>, runtime: Arc<HandlerRuntime>, slot: ReplySlot) -> Self {
        Self {
            route,
            runtime,
            slot,
        }
    }
}

#[pymethods]
impl Completion {
    fn __call__(&self, task: &Bound<'_, PyAny>) {
        let py = task.py();
        let result = task.call_method0(pyo3::intern!(py, "result"));
        // A task that ends because its client left has nothing to tell, unless it failed while it cleaned up.
        let is_cancelled = result
            .as_ref()
            .is_err_and(|error| error.is_instance_of::<CancelledError>(py));
        if !(is_cancelled && self.slot.is_abandoned()) {
            let scene = self.route.scene(&self.runtime, None, true);
            self.slot.fill(self.route.reply(py, result, &scene));
        }
    }
}
