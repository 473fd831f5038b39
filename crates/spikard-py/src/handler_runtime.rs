//! What handlers run with on one event loop: its tasks, and threads beside it.

use std::time::Duration;

use pyo3::prelude::*;

use crate::sync_pool::SyncPool;
use crate::task_start::TaskStart;

pub(crate) struct HandlerRuntime {
    tasks: TaskStart,
    pool: Py<SyncPool>,
}

impl HandlerRuntime {
    pub(crate) fn new(py: Python<'_>, tasks: TaskStart) -> PyResult<Self> {
        Ok(Self {
            tasks,
            pool: Py::new(py, SyncPool::default())?,
        })
    }

    pub(crate) fn tasks(&self) -> &TaskStart {
        &self.tasks
    }

    pub(crate) fn pool<'py>(&self, py: Python<'py>) -> &Bound<'py, SyncPool> {
        self.pool.bind(py)
    }

    /// Ends the threads; returns whether all have ended within `patience`.
    pub(crate) fn close(&self, py: Python<'_>, patience: Duration) -> bool {
        self.pool.get().close(py, patience)
    }
}
