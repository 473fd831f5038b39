//! What a fixture expects of a response.

use std::collections::BTreeMap;

use http::{HeaderMap, StatusCode};
use serde::Deserialize;

use crate::request::present;
use crate::{ExpectedCookie, Json, Mismatch, body, cookie, field};

/// What must come back.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Expectation {
    /// The status code.
    pub status_code: u16,
    /// The content; `None` if it is not looked at.
    #[serde(default, deserialize_with = "present")]
    pub body: Option<Json>,
    /// Header fields by name; values may be tokens such as `<<present>>` or regular expressions.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Cookies that the response sets, by name.
    #[serde(default)]
    pub cookies: BTreeMap<String, ExpectedCookie>,
    /// The entries of `errors` in the content, in any order.
    pub validation_errors: Option<Vec<Json>>,
}

impl Expectation {
    /// Every difference between a response and this expectation; empty if the response is as expected.
    ///
    /// Places are JSON Pointers into `expected_response`.
    pub fn check(&self, status: StatusCode, headers: &HeaderMap, content: &[u8]) -> Vec<Mismatch> {
        let mut mismatches = Vec::new();
        if status.as_u16() != self.status_code {
            mismatches.push(Mismatch::new(
                "/status_code",
                self.status_code,
                status.as_u16(),
            ));
        }
        body::check(self, status, headers, content, &mut mismatches);
        for (name, expected) in &self.headers {
            mismatches.extend(field::check(name, expected, headers));
        }
        for (name, expected) in &self.cookies {
            cookie::check(name, expected, headers, &mut mismatches);
        }
        mismatches
    }
}
