//! What a connection may cost.

use std::time::Duration;

use http::Request;
use spikard_problem::Problem;

/// Bounds on what a client may ask of the server.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// Longest request target, in bytes. Default is 8 KiB; a longer one is answered 414 (RFC 9112, 3).
    pub request_target_bytes: usize,
    /// Longest header section, in bytes. Default is 64 KiB; a longer one is answered 431 (RFC 6585, 5).
    pub header_bytes: usize,
    /// Longest time for a whole request head. Default is 10 seconds, after which the connection is closed.
    pub header_read_timeout: Duration,
    /// Longest time between two requests of a connection. Default is 75 seconds; with zero, every response closes
    /// its connection.
    pub keep_alive_timeout: Duration,
    /// Most connections at a time. Default is 10,000; further ones wait in the backlog of the listener.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            request_target_bytes: 8 * 1024,
            header_bytes: 64 * 1024,
            header_read_timeout: Duration::from_secs(10),
            keep_alive_timeout: Duration::from_secs(75),
            connections: 10_000,
        }
    }
}

/// Every field line costs its separator, the space after it and its line end besides name and value.
const FIELD_LINE_OVERHEAD: usize = ": \r\n".len();

impl Limits {
    /// How much of a head is buffered before the connection is refused: room for the longest head that is
    /// answered with a problem document, so that only what is far too long gets the bare status of the parser.
    pub(crate) fn buffer_bytes(&self) -> usize {
        (self.request_target_bytes + self.header_bytes) * 2 + 64 * 1024
    }

    /// Refuses a head that is too long.
    pub(crate) fn check<B>(&self, request: &Request<B>) -> Result<(), Box<Problem>> {
        let target = request
            .uri()
            .path_and_query()
            .map_or(0, |it| it.as_str().len());
        if target > self.request_target_bytes {
            return Err(Box::new(Problem::uri_too_long(self.request_target_bytes)));
        }
        let fields = request.headers().iter();
        let header_bytes: usize = fields
            .map(|(name, value)| name.as_str().len() + value.len() + FIELD_LINE_OVERHEAD)
            .sum();
        if header_bytes > self.header_bytes {
            return Err(Box::new(Problem::header_fields_too_large(
                self.header_bytes,
            )));
        }
        Ok(())
    }
}
