//! Why an operation has no extraction plan. The error belongs to start-up; no request meets it.

use spikard_core::{Declaration, ParameterIn, ParameterType};

/// Why the parameters of an operation cannot be taken from its requests.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// A path parameter that the path template does not have.
    #[error(
        "path parameter `{name}` of {declaration} is not in the path template `{template}`; write `{{{name}}}` there"
    )]
    NotInTemplate {
        /// The parameter's name.
        name: String,
        /// The path template as written.
        template: String,
        /// Where the operation was declared.
        declaration: Declaration,
    },
    /// Two parameters of one place and name.
    #[error("{location} parameter `{name}` of {declaration} is declared twice")]
    Duplicate {
        /// The place of both.
        location: ParameterIn,
        /// The name of both.
        name: String,
        /// Where the operation was declared.
        declaration: Declaration,
    },
    /// A type that text of this place is not converted to.
    #[error(
        "{location} parameter `{name}` of {declaration} cannot be of type {ty:?}; arrays of single values are possible in the query"
    )]
    Type {
        /// The parameter's place.
        location: ParameterIn,
        /// The parameter's name.
        name: String,
        /// The type it declares.
        ty: ParameterType,
        /// Where the operation was declared.
        declaration: Declaration,
    },
}
