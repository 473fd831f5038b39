//! What handlers run with on one event loop: its tasks, and threads beside it.

use std::sync::Arc;
use std::time::Duration;

use pyo3::prelude::*;

use crate::loop_future::{Place, Resolver};
use crate::sync_pool::SyncPool;
use crate::task_start::TaskStart;

pub(crate) struct HandlerRuntime {
    tasks: TaskStart,
    pool: Py<SyncPool>,
    resolver: Arc<Resolver>,
}

impl HandlerRuntime {
    pub(crate) fn new(py: Python<'_>, tasks: TaskStart, place: Place) -> PyResult<Self> {
        let resolver = Arc::new(Resolver::new(tasks.event_loop(py), place));
        Ok(Self {
            tasks,
            pool: Py::new(py, SyncPool::default())?,
            resolver,
        })
    }

    pub(crate) fn tasks(&self) -> &TaskStart {
        &self.tasks
    }

    pub(crate) fn pool<'py>(&self, py: Python<'py>) -> &Bound<'py, SyncPool> {
        self.pool.bind(py)
    }

    pub(crate) fn resolver(&self) -> &Arc<Resolver> {
        &self.resolver
    }

    /// Ends the threads; returns whether all have ended within `patience`.
    pub(crate) fn close(&self, py: Python<'_>, patience: Duration) -> bool {
        self.pool.get().close(py, patience)
    }
}
