//! What runs Python on the current thread: a loop that shares its wait, or a bridge to a loop elsewhere.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use pyo3::prelude::*;

use crate::bridge::Queue;
use crate::loop_driver::LoopState;

#[derive(Clone)]
pub(crate) enum Current {
    /// The thread of a worker: handlers are called here and now.
    Loop(Rc<LoopState>),
    /// The thread of a bridge: handlers are called by the loop at the other end of the queue.
    Bridge(Arc<Queue>),
}

thread_local! {
    static CURRENT: RefCell<Option<Current>> = const { RefCell::new(None) };
}

pub(crate) fn set(current: Option<Current>) {
    CURRENT.replace(current);
}

/// Runs `body` with what the thread runs Python with.
pub(crate) fn with<R>(body: impl FnOnce(Option<&Current>) -> R) -> R {
    CURRENT.with_borrow(|current| body(current.as_ref()))
}

/// Whether this is the thread of a worker's loop.
pub(crate) fn is_loop() -> bool {
    with(|current| matches!(current, Some(Current::Loop(_))))
}

/// To be called after Python code ran outside the loop's own turn: it may have scheduled something.
pub(crate) fn after_python(py: Python<'_>) {
    with(|current| {
        if let Some(Current::Loop(state)) = current {
            state.wake_if_due(py);
        }
    });
}
