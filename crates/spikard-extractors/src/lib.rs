//! Turns the text of a request into the typed inputs of an operation, or into all the reasons why not.
//!
//! A [`Plan`] is compiled once for each operation and only read afterwards. Each source has a file of its own: the
//! path, whose values arrive decoded from `spikard-routing`, and the query, an
//! `application/x-www-form-urlencoded` text (WHATWG URL, section 5.1). Text is converted as its parameter declares,
//! never by its look. Constraints such as a minimum belong to `spikard-validation`.
//!
//! # Example
//!
//! ```
//! use http::Method;
//! use smallvec::smallvec;
//! use spikard_core::{Operation, Parameter, ParameterIn, ParameterType, Value};
//! use spikard_extractors::Plan;
//!
//! let operation = Operation::new(Method::GET, "/items/{id}")
//!     .with_parameter(Parameter::required(ParameterIn::Path, "id", ParameterType::Integer))
//!     .with_parameter(Parameter::optional(ParameterIn::Query, "tag", ParameterType::String));
//! let plan = Plan::compile(&operation, &["id"])?;
//!
//! let inputs = plan.extract(smallvec!["42".into()], Some("tag=new&page=2")).expect("is valid");
//! assert_eq!(inputs.values(), [Value::Integer(42), Value::String("new".into())]);
//!
//! let errors = plan.extract(smallvec!["x".into()], None).unwrap_err();
//! assert_eq!(errors[0].code(), "int_parsing");
//! assert_eq!(errors[0].loc(), ["path", "id"]);
//! # Ok::<(), spikard_extractors::PlanError>(())
//! ```

mod convert;
mod error;
mod format;
mod path;
mod plan;
mod query;

pub use error::PlanError;
pub use plan::Plan;
