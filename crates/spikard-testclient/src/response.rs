//! A whole response.

use bytes::Bytes;
use http::{HeaderMap, StatusCode, response};

/// The response to one request, its content read to the end.
#[derive(Debug)]
pub struct TestResponse {
    head: response::Parts,
    content: Bytes,
}

impl TestResponse {
    pub(crate) fn new(head: response::Parts, content: Bytes) -> Self {
        Self { head, content }
    }

    /// The status code.
    pub fn status(&self) -> StatusCode {
        self.head.status
    }

    /// The fields; repeated ones stay apart.
    pub fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// The content as it came.
    pub fn content(&self) -> &Bytes {
        &self.content
    }

    /// The content as text; what is not UTF-8 becomes U+FFFD.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.content).into_owned()
    }

    /// The content as JSON.
    ///
    /// # Errors
    ///
    /// When the content is not JSON.
    pub fn json(&self) -> Result<serde_json::Value, serde_json::Error> {
        serde_json::from_slice(&self.content)
    }
}
