//! Shared fixtures: what Rust and Python must agree on, read from files of JSON.
//!
//! A folder holds `<category>/<name>.json`, one [`Fixture`] each: either an [`Exchange`] (one app, one request, one
//! expected response) or a [`Channel`] (one message of a WebSocket or event stream). [`read_folder`] checks every file
//! against the grammar `testing_data/fixture.schema.json` and says file, place and fault of what does not fit.
//! [`Request::to_http`] makes the request; [`Expectation::check`] compares a response.
//!
//! Building an app from a [`Handler`] and calling it is the business of the tests that read the fixtures.
//!
//! # Example
//!
//! ```
//! use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
//! use spikard_fixtures::Fixture;
//!
//! let fixture = Fixture::parse(
//!     "query_params",
//!     "integer",
//!     r#"{
//!         "name": "Integer", "description": "A parameter of type integer arrives as a number.",
//!         "handler": {"route": "/items", "method": "GET", "parameters": {"query": {"limit": {"type": "integer"}}}},
//!         "request": {"method": "GET", "path": "/items?limit=10"},
//!         "expected_response": {"status_code": 200, "body": {"limit": 10}}
//!     }"#,
//! )?;
//! let exchange = fixture.exchange().expect("has a request");
//! assert_eq!(exchange.request.to_http()?.uri(), "/items?limit=10");
//!
//! let mut headers = HeaderMap::new();
//! headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
//! let mismatches = exchange.expected_response.check(http::StatusCode::OK, &headers, br#"{"limit":"10"}"#);
//! assert_eq!(mismatches[0].to_string(), r#"/body/limit: expected 10, got "10""#);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod body;
mod cookie;
mod error;
mod exchange;
mod expectation;
mod field;
mod fixture;
mod folder;
mod grammar;
mod json;
mod mismatch;
mod multipart;
mod repeat;
mod request;

pub use cookie::ExpectedCookie;
pub use error::{Fault, Faults, ReadError};
pub use exchange::{
    Background, Chunk, Exchange, FileParameter, Handler, Parameter, Parameters, Streaming,
};
pub use expectation::Expectation;
pub use fixture::{Channel, Content, Fixture, Operation};
pub use folder::{read_folder, testing_data};
pub use json::{Json, Number};
pub use mismatch::Mismatch;
pub use request::{FilePart, Request};
