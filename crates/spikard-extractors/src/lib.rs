//! Turns a request into the typed inputs and the parsed content of an operation, or into all the reasons why not.
//!
//! A [`Plan`] takes the parameters, a [`ContentPlan`] the content; both are compiled once for each operation and only
//! read afterwards. Each source has a file of its own: the path, whose values arrive decoded from `spikard-routing`,
//! the query and urlencoded forms (WHATWG URL, section 5.1), header fields, cookies (RFC 6265), JSON (RFC 8259) and
//! multipart forms (RFC 7578). Text is converted as declared, never by its look. Constraints such as a minimum belong
//! to `spikard-validation`.
//!
//! # Example
//!
//! ```
//! use http::{HeaderMap, Method};
//! use smallvec::smallvec;
//! use spikard_core::{Operation, Parameter, ParameterIn, ParameterType, Value};
//! use spikard_extractors::Plan;
//!
//! let operation = Operation::new(Method::GET, "/items/{id}")
//!     .with_parameter(Parameter::required(ParameterIn::Path, "id", ParameterType::Integer))
//!     .with_parameter(Parameter::optional(ParameterIn::Query, "tag", ParameterType::String));
//! let plan = Plan::compile(&operation, &["id"])?;
//! let headers = HeaderMap::new();
//!
//! let inputs = plan.extract(smallvec!["42".into()], Some("tag=new&page=2"), &headers).expect("is valid");
//! assert_eq!(inputs.values(), [Value::Integer(42), Value::String("new".into())]);
//!
//! let refused = plan.extract(smallvec!["x".into()], None, &headers).unwrap_err();
//! assert_eq!(refused.errors[0].code(), "int_parsing");
//! assert_eq!(refused.errors[0].loc(), ["path", "id"]);
//! # Ok::<(), spikard_extractors::PlanError>(())
//! ```

// Parameters.
mod plan;

mod convert;
mod cookie;
mod declared;
mod deep_object;
mod header;
mod path;
mod query;

// Content.
mod content;

mod field_parameters;
mod file_rule;
mod form;
mod json;
mod limit;
mod media_type;
mod multipart;
mod part_header;
mod part_reader;
mod schema_types;
mod spool;
mod urlencoded;

mod error;

pub use content::{ContentPlan, ReadContent};
pub use error::{PlanError, Rejection};
pub use json::parse_json;
pub use limit::limit;
pub use media_type::MediaType;
pub use plan::{Plan, Refused};
