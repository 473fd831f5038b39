//! The asyncio loop as a task of tokio: one thread, one wait.
//!
//! Order: Python calls `loop.run_forever()`; its first `select()` enters tokio and stays there. From then on the loop
//! is one task among the connections: it sleeps until it has something to do (a ready callback, a timer that is due,
//! a descriptor of its own selector), runs exactly one `loop._run_once()`, and lets the others run. The `select()`
//! inside that turn returns at once with what the loop's own selector holds. When the loop is stopped, the outer
//! `select()` returns to `run_forever()`.
//!
//! Everything of asyncio works because it *is* asyncio; only who waits has changed.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::pin::{Pin, pin};
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyList;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::handler_runtime::HandlerRuntime;
use crate::loop_future::Place;
use crate::task_start::TaskStart;
use crate::timer::{Monotonic, Timer, now};

/// The loop of one thread, as seen by the tasks beside it.
pub(crate) struct LoopState {
    runtime: Arc<HandlerRuntime>,
    /// `loop._ready`, a deque that lives as long as the loop.
    ready: Py<PyAny>,
    /// `loop._scheduled`, a heap of timers; the loop replaces the list now and then.
    scheduled: RefCell<Py<PyList>>,
    /// The timer at the head of the heap when the driver looked last; only compared, never followed.
    head: Cell<*const ffi::PyObject>,
    driver: RefCell<Option<Waker>>,
    /// Whether the loop's own selector has events for the turn that runs.
    has_events: Cell<bool>,
    exit: RefCell<Option<PyResult<()>>>,
    root: RefCell<Option<Waker>>,
}

impl LoopState {
    pub(crate) fn new(event_loop: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(Self {
            runtime: Arc::new(HandlerRuntime::new(
                event_loop.py(),
                TaskStart::immediate(event_loop)?,
                Place::Here,
            )?),
            ready: event_loop.getattr("_ready")?.unbind(),
            scheduled: RefCell::new(
                event_loop
                    .getattr("_scheduled")?
                    .cast_into::<PyList>()?
                    .unbind(),
            ),
            head: Cell::new(ptr::null()),
            driver: RefCell::new(None),
            has_events: Cell::new(false),
            exit: RefCell::new(None),
            root: RefCell::new(None),
        })
    }

    pub(crate) fn runtime(&self) -> &Arc<HandlerRuntime> {
        &self.runtime
    }

    /// Whether the selector is to be asked in this turn.
    pub(crate) fn take_events(&self) -> bool {
        self.has_events.take()
    }

    /// Wakes the driver if Python code that ran beside the loop left work for it.
    pub(crate) fn wake_if_due(&self, py: Python<'_>) {
        if self.has_ready(py) || self.current_head(py) != self.head.get() {
            self.wake_driver();
        }
    }

    fn wake_driver(&self) {
        if let Some(waker) = &*self.driver.borrow() {
            waker.wake_by_ref();
        }
    }

    /// Ends the outer `select()` with `result`.
    pub(crate) fn exit(&self, result: PyResult<()>) {
        self.exit.replace(Some(result));
        if let Some(waker) = &*self.root.borrow() {
            waker.wake_by_ref();
        }
    }

    /// Waits for [`exit`](Self::exit).
    pub(crate) fn poll_exit(&self, cx: &mut Context<'_>) -> Poll<PyResult<()>> {
        if let Some(result) = self.exit.take() {
            return Poll::Ready(result);
        }
        self.root.replace(Some(cx.waker().clone()));
        Poll::Pending
    }

    fn has_ready(&self, py: Python<'_>) -> bool {
        self.ready.bind(py).len().is_ok_and(|count| count > 0)
    }

    fn current_head(&self, py: Python<'_>) -> *const ffi::PyObject {
        head_of(self.scheduled.borrow().bind(py))
            .map_or(ptr::null(), |head| head.as_ptr().cast_const())
    }

    /// Looks at the heap again and returns when its first timer is due.
    fn next_deadline(&self, py: Python<'_>) -> PyResult<Option<Monotonic>> {
        let event_loop = self.runtime.tasks().event_loop(py);
        let scheduled = event_loop
            .getattr(pyo3::intern!(py, "_scheduled"))?
            .cast_into::<PyList>()?;
        let head = head_of(&scheduled);
        self.head.set(
            head.as_ref()
                .map_or(ptr::null(), |head| head.as_ptr().cast_const()),
        );
        self.scheduled.replace(scheduled.unbind());
        head.map(|head| {
            let when: Monotonic = head.getattr(pyo3::intern!(py, "_when"))?.extract()?;
            // What is not a number is due, as asyncio has it; otherwise nothing would ever call it.
            Ok(if when.is_nan() { 0.0 } else { when })
        })
        .transpose()
    }
}

/// The first timer of the heap. An empty list is asked for its length only, since a failed look-up makes an exception.
fn head_of<'py>(scheduled: &Bound<'py, PyList>) -> Option<Bound<'py, PyAny>> {
    if scheduled.is_empty() {
        return None;
    }
    scheduled.get_item(0).ok()
}

/// What the driver waits on; it outlives a single run of the loop.
pub(crate) struct LoopSources {
    /// A duplicate of the descriptor of the loop's own selector, readable when one of its sockets is.
    selector: AsyncFd<OwnedFd>,
    timer: Timer,
}

impl LoopSources {
    /// Sources on the runtime of this thread; `selector` stays the loop's own.
    #[expect(unsafe_code, reason = "Python hands descriptors over as numbers")]
    pub(crate) fn new(selector: RawFd) -> io::Result<Self> {
        // SAFETY: the loop's selector is open while its worker is made; the duplicate is ours.
        let selector = unsafe { BorrowedFd::borrow_raw(selector) }.try_clone_to_owned()?;
        Ok(Self {
            // SAFETY: the descriptor is owned by what is registered and stays the same for its life.
            selector: unsafe { AsyncFd::register_with_interest(selector, Interest::READABLE) }?,
            timer: Timer::new()?,
        })
    }

    /// Whether the loop's own selector has events; otherwise the task of `cx` wakes when it has.
    fn poll_selector(&self, cx: &mut Context<'_>) -> bool {
        while let Poll::Ready(ready) = self.selector.poll_read_ready(cx) {
            let is_readable = is_readable(self.selector.get_ref().as_raw_fd());
            match ready {
                // The readiness stays noted while there are events: the next turn looks again.
                Ok(_) if is_readable => return true,
                Ok(mut guard) => guard.clear_ready(),
                // The runtime is going away.
                Err(_) => return false,
            }
        }
        false
    }
}

/// Asks the kernel, since a selector that still holds events does not announce them a second time.
#[expect(unsafe_code, reason = "poll(2) is reached through libc")]
fn is_readable(descriptor: RawFd) -> bool {
    let mut request = libc::pollfd {
        fd: descriptor,
        events: libc::POLLIN,
        revents: 0,
    };
    // SAFETY: one valid entry; a zero timeout does not block.
    unsafe { libc::poll(&raw mut request, 1, 0) > 0 }
}

/// The task that runs the loop's turns until it is stopped.
pub(crate) struct LoopDriver {
    pub(crate) state: Rc<LoopState>,
    pub(crate) sources: Rc<RefCell<LoopSources>>,
}

impl Future for LoopDriver {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let polled = Python::attach(|py| self.turn(py, cx));
        match polled {
            Ok(Turn::Wait) => Poll::Pending,
            Ok(Turn::Again) => {
                // Deferred: connections and the kernel get their turn before the loop's next one.
                let _ = pin!(tokio::task::yield_now()).poll(cx);
                Poll::Pending
            }
            Ok(Turn::Stop) => {
                self.state.exit(Ok(()));
                Poll::Ready(())
            }
            Err(error) => {
                self.state.exit(Err(error));
                Poll::Ready(())
            }
        }
    }
}

enum Turn {
    Wait,
    Again,
    Stop,
}

impl LoopDriver {
    fn turn(&self, py: Python<'_>, cx: &mut Context<'_>) -> PyResult<Turn> {
        self.state.driver.replace(Some(cx.waker().clone()));
        let mut has_run = false;
        loop {
            let mut sources = self.sources.borrow_mut();
            let has_events = sources.poll_selector(cx);
            let deadline = self.state.next_deadline(py)?;
            let is_due = deadline.is_some_and(|deadline| deadline <= now());
            if !has_events && !is_due && !self.state.has_ready(py) {
                if let Some(deadline) = deadline {
                    sources.timer.wake_at(deadline, cx)?;
                }
                return Ok(Turn::Wait);
            }
            if has_run {
                return Ok(Turn::Again);
            }
            drop(sources);
            has_run = true;
            self.state.has_events.set(has_events);
            let event_loop = self.state.runtime.tasks().event_loop(py);
            event_loop.call_method0(pyo3::intern!(py, "_run_once"))?;
            if event_loop
                .getattr(pyo3::intern!(py, "_stopping"))?
                .is_truthy()?
            {
                return Ok(Turn::Stop);
            }
        }
    }
}
