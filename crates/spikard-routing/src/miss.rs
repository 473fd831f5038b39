//! What a router answers when no operation does.

use http::HeaderValue;

/// Why no operation answers a request, and what the client is told instead.
///
/// Exhaustive on purpose: whoever answers requests has to answer each of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Miss {
    /// No method has this path: 404 Not Found.
    NotFound,
    /// Other methods have this path: 405 Method Not Allowed (RFC 9110, 15.5.6).
    MethodNotAllowed {
        /// The `Allow` field of the response.
        allow: HeaderValue,
    },
    /// The request asks what is allowed on this path, or, with the target `*`, on the server: 204 No Content
    /// (RFC 9110, 9.3.7).
    Options {
        /// The `Allow` field of the response.
        allow: HeaderValue,
    },
    /// The path is not percent-encoded UTF-8: 400 Bad Request.
    MalformedPath(MalformedPath),
}

/// What is wrong with the percent-encoding of a path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MalformedPath {
    /// A `%` without two hexadecimal digits (RFC 3986, 2.1).
    #[error("malformed escape `{escape}` at byte {offset} of the path")]
    Escape {
        /// The `%` and up to two characters after it.
        escape: String,
        /// Where the `%` is, counted from 0 in the path as sent.
        offset: usize,
    },
    /// Escapes whose bytes are not UTF-8.
    #[error("escape `{escape}` at byte {offset} of the path does not decode to UTF-8")]
    Encoding {
        /// The first escape that does not fit.
        escape: String,
        /// Where its `%` is, counted from 0 in the path as sent.
        offset: usize,
    },
}
