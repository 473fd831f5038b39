//! The border between Python and the crates of Spikard: becomes the extension module `spikard._spikard`.
//!
//! `Application` freezes routes into a `Service`. A `Worker` is a thread on which asyncio and tokio share one wait;
//! a `Bridge` serves inside an event loop that belongs to somebody else. Nothing below this crate knows Python.
//!
//! # Example
//!
//! ```python
//! from spikard import Spikard
//!
//! app = Spikard()
//! application = app.freeze()  # a `spikard._spikard.Application`
//! ```

mod application;
mod arguments;
mod arrival;
mod body_argument;
mod bridge;
mod config;
mod current;
mod execution;
mod failure;
mod fields;
mod handler;
mod handler_runtime;
mod invocation;
mod latin1;
mod listener;
mod loop_driver;
mod loop_future;
mod parameter_argument;
mod park;
mod plain_data;
mod plan;
mod reply;
mod reply_slot;
mod request;
mod request_context;
mod set_cookie;
mod stream;
mod sync_pool;
mod task_registry;
mod task_start;
mod test_session;
mod timer;
mod upload;
mod worker;

/// The compiled part of `spikard`; its public face is the Python package.
#[pyo3::pymodule(gil_used = false)]
mod _spikard {
    #[pymodule_export]
    use crate::application::Application;
    #[pymodule_export]
    use crate::bridge::Bridge;
    #[pymodule_export]
    use crate::listener::Listener;
    #[pymodule_export]
    use crate::request::ContentStream;
    #[pymodule_export]
    use crate::request::Request;
    #[pymodule_export]
    use crate::stream::ChunkSink;
    #[pymodule_export]
    use crate::test_session::TestSession;
    #[pymodule_export]
    use crate::upload::UploadData;
    #[pymodule_export]
    use crate::worker::Worker;
}
