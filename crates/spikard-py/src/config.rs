//! The part of `spikard.ServerConfig` that the server reads.

use std::time::Duration;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use spikard_server::Limits;

/// Read once, by attribute, from the frozen configuration object.
#[derive(FromPyObject)]
pub(crate) struct ServerSettings {
    keep_alive_timeout: f64,
    header_read_timeout: f64,
    max_header_bytes: usize,
    max_request_line_bytes: usize,
    max_connections: usize,
}

impl ServerSettings {
    pub(crate) fn into_limits(self) -> PyResult<Limits> {
        let mut limits = Limits::default();
        limits.keep_alive_timeout = seconds(self.keep_alive_timeout)?;
        limits.header_read_timeout = seconds(self.header_read_timeout)?;
        limits.header_bytes = self.max_header_bytes;
        limits.request_target_bytes = self.max_request_line_bytes;
        limits.connections = self.max_connections;
        Ok(limits)
    }
}

/// What the configuration says of the content of requests; read by attribute.
#[derive(FromPyObject)]
pub(crate) struct ContentSettings {
    max_body_size: Option<u64>,
}

impl ContentSettings {
    /// The longest content, in bytes.
    pub(crate) fn into_limit_bytes(self) -> u64 {
        self.max_body_size.unwrap_or(u64::MAX)
    }
}

/// A span that the configuration gives in seconds.
pub(crate) fn seconds(seconds: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| PyValueError::new_err(format!("{seconds} is not a span of time in seconds")))
}
