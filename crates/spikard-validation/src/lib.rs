//! JSON Schema to all errors of a value with their places, in the vocabulary of the wire.
//!
//! A [`Validator`] is compiled once from a schema and only read afterwards. [`Validator::is_valid`] is the fast
//! path; [`Validator::errors`] visits every place of a refused value and says of each what is wrong there, as
//! [`FieldError`](spikard_problem::FieldError)s. Evaluating keywords is the business of the `jsonschema` crate; this
//! one decides which formats are checked, where an error is reported, and what it is called.
//!
//! Schemas are of the dialect that `$schema` names, draft-07 or 2020-12 for instance, and of 2020-12 without one;
//! `definitions` and `dependencies` work there too. References lead to places of the same schema: nothing is ever
//! fetched. Reading the value out of a request, and converting text, is left to others.
//!
//! # Example
//!
//! ```
//! use serde_json::json;
//! use spikard_validation::Validator;
//!
//! let validator = Validator::compile(&json!({
//!     "type": "object",
//!     "required": ["name", "price"],
//!     "properties": {"name": {"type": "string"}, "price": {"type": "number", "minimum": 0.01}},
//! }))?;
//! assert!(validator.is_valid(&json!({"name": "Book", "price": 5})));
//!
//! let errors = validator.errors(&json!({"price": 0}), &["body"]);
//! assert_eq!(errors[0].loc(), ["body", "name"]);
//! assert_eq!(errors[0].message(), "Field required");
//! assert_eq!(errors[1].loc(), ["body", "price"]);
//! assert_eq!(errors[1].message(), "Input should be greater than or equal to 0.01");
//! # Ok::<(), spikard_validation::SchemaError>(())
//! ```

mod validator;

mod error;
mod format;
mod keyword;
mod repetition;
mod report;
mod union;

pub use error::SchemaError;
pub use validator::Validator;
