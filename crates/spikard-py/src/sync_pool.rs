//! Threads for `def` handlers that block.
//!
//! Order: the loop pushes a job and a thread takes it. One active thread drains what comes after it, so quick calls
//! cost no hop each. While somebody is active, one further thread keeps watch: once the oldest job has waited for
//! [`PATIENCE`], the watch takes it and the next thread keeps watch. Threads are Python's own, each with one thread
//! state for life; they end when the pool is closed and its queue is empty.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pyo3::prelude::*;
use pyo3::types::PyDict;

/// How long a job may wait for the active thread before a further one takes it.
const PATIENCE: Duration = Duration::from_micros(500);

/// Most threads of a pool. What they block on is rarely the processor, so there are more than cores.
const THREAD_LIMIT: usize = 40;

/// Most jobs that may wait; further ones are refused.
const QUEUE_LIMIT: usize = 1024;

/// What is to run on a thread.
pub(crate) type Job = Box<dyn FnOnce(Python<'_>) + Send>;

#[derive(Default)]
struct Queue {
    jobs: VecDeque<(Instant, Job)>,
    threads: usize,
    idle: usize,
    active: usize,
    is_watched: bool,
    is_closed: bool,
}

/// The threads of one event loop and the jobs that wait for them.
#[pyclass(frozen)]
#[derive(Default)]
pub(crate) struct SyncPool {
    queue: Mutex<Queue>,
    changed: Condvar,
}

/// More jobs wait than the pool takes.
pub(crate) struct PoolIsFull;

/// What a thread found to do.
struct Taken {
    job: Job,
    /// Whether nobody is left to keep watch over the jobs behind it.
    needs_thread: bool,
}

#[pymethods]
impl SyncPool {
    /// The life of one thread.
    fn work(pool: &Bound<'_, Self>) -> PyResult<()> {
        let py = pool.py();
        let this = pool.get();
        let mut was_active = false;
        while let Some(taken) = py.detach(|| this.take(was_active)) {
            was_active = true;
            if taken.needs_thread {
                start_thread(pool)?;
            }
            (taken.job)(py);
        }
        Ok(())
    }
}

impl SyncPool {
    /// Hands a job over; a pool without a free thread grows.
    pub(crate) fn push(pool: &Bound<'_, Self>, job: Job) -> PyResult<Result<(), PoolIsFull>> {
        let this = pool.get();
        let mut queue = this.lock();
        if queue.jobs.len() >= QUEUE_LIMIT {
            return Ok(Err(PoolIsFull));
        }
        queue.jobs.push_back((Instant::now(), job));
        let needs_thread = this.call_for_help(&mut queue);
        drop(queue);
        if needs_thread {
            start_thread(pool)?;
        }
        Ok(Ok(()))
    }

    /// Ends the threads as they get free; returns whether all have ended within `patience`.
    pub(crate) fn close(&self, py: Python<'_>, patience: Duration) -> bool {
        py.detach(|| {
            let mut queue = self.lock();
            queue.is_closed = true;
            queue.jobs.clear();
            self.changed.notify_all();
            let (queue, _) = self
                .changed
                .wait_timeout_while(queue, patience, |queue| queue.threads > 0)
                .unwrap_or_else(PoisonError::into_inner);
            queue.threads == 0
        })
    }

    /// Sees to it that somebody will look at the queue; true if that takes a new thread, which is counted already.
    fn call_for_help(&self, queue: &mut Queue) -> bool {
        if queue.is_watched || (queue.active == 0 && queue.idle < queue.threads) {
            // Somebody is on the way already.
            return false;
        }
        if queue.idle > 0 {
            self.changed.notify_one();
            return false;
        }
        if queue.threads >= THREAD_LIMIT {
            return false;
        }
        queue.threads += 1;
        true
    }

    /// Waits for a job; none when the pool is closed.
    fn take(&self, was_active: bool) -> Option<Taken> {
        let mut queue = self.lock();
        queue.active -= usize::from(was_active);
        loop {
            if queue.is_closed {
                queue.threads -= 1;
                self.changed.notify_all();
                return None;
            }
            let Some((queued, _)) = queue.jobs.front() else {
                queue.idle += 1;
                queue = self
                    .changed
                    .wait(queue)
                    .unwrap_or_else(PoisonError::into_inner);
                queue.idle -= 1;
                continue;
            };
            let waited = queued.elapsed();
            if was_active || queue.active == 0 || waited >= PATIENCE {
                let (_, job) = queue.jobs.pop_front()?;
                queue.active += 1;
                let needs_thread = !queue.jobs.is_empty() && self.call_for_help(&mut queue);
                return Some(Taken { job, needs_thread });
            }
            if queue.is_watched {
                queue.idle += 1;
                queue = self
                    .changed
                    .wait(queue)
                    .unwrap_or_else(PoisonError::into_inner);
                queue.idle -= 1;
            } else {
                queue.is_watched = true;
                let rest = PATIENCE.saturating_sub(waited);
                (queue, _) = self
                    .changed
                    .wait_timeout(queue, rest)
                    .unwrap_or_else(PoisonError::into_inner);
                queue.is_watched = false;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts a thread that has been counted. Not a daemon: it holds Python objects, so the interpreter waits for it.
fn start_thread(pool: &Bound<'_, SyncPool>) -> PyResult<()> {
    let py = pool.py();
    let keywords = PyDict::new(py);
    keywords.set_item("target", pool.getattr("work")?)?;
    keywords.set_item("name", "spikard-sync")?;
    let started = py
        .import("threading")?
        .getattr("Thread")?
        .call((), Some(&keywords))?
        .call_method0("start");
    if started.is_err() {
        pool.get().lock().threads -= 1;
    }
    started.map(drop)
}
