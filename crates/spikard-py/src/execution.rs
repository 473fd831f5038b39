//! Where a handler runs: on the thread of the loop, or on a thread of the pool.

use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

/// A call that takes longer, in wall time, has blocked the loop.
const BLOCKING: Duration = Duration::from_millis(5);

const INLINE: u8 = 0;
const OBSERVED: u8 = 1;
const THREAD: u8 = 2;

/// Where the handler of one route runs. A handler that is observed moves to the pool once it has blocked.
pub(crate) struct Execution(AtomicU8);

impl Execution {
    /// As `sync_to_thread` says: on a thread, on the loop, or (`None`) observed.
    pub(crate) fn new(sync_to_thread: Option<bool>) -> Self {
        Self(AtomicU8::new(match sync_to_thread {
            Some(true) => THREAD,
            Some(false) => INLINE,
            None => OBSERVED,
        }))
    }

    pub(crate) fn is_on_thread(&self) -> bool {
        self.0.load(Ordering::Relaxed) == THREAD
    }

    /// Runs `call`; the second value is how long it blocked, the first time that it did.
    ///
    /// A handler stays on the loop, however long it takes, unless it `may_move` with what it has returned.
    pub(crate) fn observe<R>(
        &self,
        call: impl FnOnce() -> R,
        may_move: impl FnOnce(&R) -> bool,
    ) -> (R, Option<Duration>) {
        if self.0.load(Ordering::Relaxed) != OBSERVED {
            return (call(), None);
        }
        let started = Instant::now();
        let result = call();
        let taken = started.elapsed();
        if taken <= BLOCKING || !may_move(&result) {
            return (result, None);
        }
        let is_first = self.0.swap(THREAD, Ordering::Relaxed) == OBSERVED;
        (result, is_first.then_some(taken))
    }
}
