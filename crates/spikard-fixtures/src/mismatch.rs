//! One difference between a response and what a fixture expects.

use std::fmt;

/// One difference between a response and what a fixture expects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The place in `expected_response`: a JSON Pointer (RFC 6901).
    pub place: String,
    /// What the fixture expects there.
    pub expected: String,
    /// What the response has.
    pub actual: String,
}

impl Mismatch {
    pub(crate) fn new(
        place: impl Into<String>,
        expected: impl fmt::Display,
        actual: impl fmt::Display,
    ) -> Self {
        Self {
            place: place.into(),
            expected: expected.to_string(),
            actual: actual.to_string(),
        }
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: expected {}, got {}",
            self.place, self.expected, self.actual
        )
    }
}

/// `pointer`, one step further down to `token` (RFC 6901, 3).
pub(crate) fn step(pointer: &str, token: impl fmt::Display) -> String {
    let token = token.to_string().replace('~', "~0").replace('/', "~1");
    format!("{pointer}/{token}")
}
