//! Problem documents: the one error shape a client sees.
//!
//! A [`Problem`] is the `application/problem+json` document of RFC 9457. Every error that the framework itself
//! answers leaves as one; [`FieldError`] is the vocabulary of the `errors` extension member that a refused request
//! carries. Deciding *what* is an error is left to the crates above.
//!
//! # Example
//!
//! ```
//! use spikard_problem::{Cause, FieldError, Problem};
//!
//! let problem = Problem::validation(&[FieldError::new(["query", "name"], Cause::Missing, None)]);
//! assert_eq!(problem.status(), http::StatusCode::UNPROCESSABLE_ENTITY);
//! assert_eq!(problem.to_json()["detail"], "1 validation error in request");
//! assert_eq!(problem.to_json()["errors"][0]["msg"], "Field required");
//! ```

mod cause;
mod field_error;
mod problem;

pub use cause::Cause;
pub use field_error::FieldError;
pub use problem::{MEDIA_TYPE, Problem};
