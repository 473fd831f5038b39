//! What one connection is doing, as its deadlines and the shutdown see it.
//!
//! The connection's task writes it, the registry's sweep reads it once a second. That replaces a timer per request:
//! the request path only stores two small numbers.

use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::Waker;

/// Seconds since the server started; coarse on purpose.
pub(crate) type Tick = u32;

/// Where a connection stands between two requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Phase {
    /// No byte of the next request has arrived.
    Idle = 0,
    /// A part of a request head has arrived.
    Head = 1,
    /// A request is being answered.
    Busy = 2,
}

/// What the server asks of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
#[repr(u8)]
pub(crate) enum Order {
    /// Go on.
    Serve = 0,
    /// Finish the request at hand, then close.
    Finish = 1,
    /// Close at once.
    Close = 2,
}

#[derive(Debug)]
pub(crate) struct Activity {
    phase: AtomicU8,
    since: AtomicU32,
    order: AtomicU8,
    waker: Mutex<Option<Waker>>,
}

impl Activity {
    pub(crate) fn new(now: Tick) -> Self {
        Self {
            // A fresh connection owes its first head at once, as a half-sent one does.
            phase: AtomicU8::new(Phase::Head as u8),
            since: AtomicU32::new(now),
            order: AtomicU8::new(Order::Serve as u8),
            waker: Mutex::new(None),
        }
    }

    pub(crate) fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Relaxed) {
            0 => Phase::Idle,
            1 => Phase::Head,
            _ => Phase::Busy,
        }
    }

    pub(crate) fn enter(&self, phase: Phase, now: Tick) {
        self.since.store(now, Ordering::Relaxed);
        self.phase.store(phase as u8, Ordering::Relaxed);
    }

    /// The seconds since the phase began.
    pub(crate) fn age(&self, now: Tick) -> Tick {
        now.saturating_sub(self.since.load(Ordering::Relaxed))
    }

    pub(crate) fn order(&self) -> Order {
        match self.order.load(Ordering::Acquire) {
            0 => Order::Serve,
            1 => Order::Finish,
            _ => Order::Close,
        }
    }

    /// Gives an order and wakes the connection's task. A stronger order stands.
    pub(crate) fn give(&self, order: Order) {
        self.order.fetch_max(order as u8, Ordering::AcqRel);
        let waker = self
            .waker
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Remembers whom to wake; the waker of a task stays the same for its life.
    pub(crate) fn register(&self, waker: &Waker) {
        *self.waker.lock().unwrap_or_else(PoisonError::into_inner) = Some(waker.clone());
    }
}
