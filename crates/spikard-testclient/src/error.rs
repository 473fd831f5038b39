//! Why a request could not be sent or its response not be read.

use spikard_core::BoxError;

/// A mistake of the test, or content that broke off.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TestError {
    /// Method, target or fields are no valid HTTP.
    #[error("the request is not valid HTTP")]
    Request(#[from] http::Error),
    /// A value cannot be written as JSON.
    #[error("the value cannot be written as JSON")]
    Json(#[from] serde_json::Error),
    /// The response broke off while its content was produced.
    #[error("the response broke off")]
    Content(#[source] BoxError),
}
