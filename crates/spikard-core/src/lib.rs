//! The words that the rooms of Spikard share, and nothing that acts.
//!
//! An [`Operation`] is a method, a path template and its [`Parameter`]s. A request becomes [`Inputs`]; a [`Handler`]
//! turns them into a [`Reply`]. Finding the operation, converting text and walking a request through the rooms is
//! the business of the crates above.
//!
//! # Example
//!
//! ```
//! use http::Method;
//! use spikard_core::{Operation, Parameter, ParameterIn, ParameterType};
//!
//! let operation = Operation::new(Method::GET, "/items/{id}")
//!     .with_parameter(Parameter::required(ParameterIn::Path, "id", ParameterType::Integer))
//!     .with_parameter(Parameter::optional(ParameterIn::Query, "tag", ParameterType::String));
//! assert_eq!(operation.parameters().len(), 2);
//! ```

mod body;
mod content;
pub mod format;
mod handler;
mod inputs;
mod operation;
mod parameter;
mod request_body;

pub use body::{Body, BoxError};
pub use content::{Content, ContentCheck, FileData, ParsedContent, UploadedFile};
pub use handler::{Call, Handler, Outcome, Reply};
pub use inputs::{Inputs, Value};
pub use operation::{Declaration, Operation};
pub use parameter::{ArrayStyle, Parameter, ParameterIn, ParameterType};
pub use request_body::{BodyKind, FileRule, RequestBody};
