//! Why a schema is refused. The error belongs to start-up; no request meets it.

use jsonschema::error::ValidationErrorKind as Kind;

use crate::union::{Narrowed, narrow};

/// Why a schema cannot be compiled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// A keyword has a value that its dialect does not allow.
    #[error("schema is not valid at `{location}`: {reason}")]
    Keyword {
        /// Where in the schema, as a fragment with a JSON pointer (RFC 6901, 6): `#/properties/age/minimum`.
        location: String,
        /// What is wrong there.
        reason: String,
    },
    /// A reference, or `$schema`, leads nowhere inside the schema; nothing is fetched from elsewhere.
    #[error("schema has a reference that cannot be resolved: {reason}")]
    Reference {
        /// Which reference, and why.
        reason: String,
    },
}

impl From<jsonschema::ValidationError<'static>> for SchemaError {
    fn from(error: jsonschema::ValidationError<'static>) -> Self {
        let place = error.instance_path();
        let reason = match error.kind() {
            Kind::Referencing(_) => {
                return Self::Reference {
                    reason: error.to_string(),
                };
            }
            // What `type` can be is a union in the meta-schemas.
            Kind::AnyOf { context } => match narrow(context, place) {
                Some(Narrowed::Errors(errors)) => errors.first().map(ToString::to_string),
                _ => None,
            },
            _ => None,
        };
        Self::Keyword {
            location: format!("#{place}"),
            reason: reason.unwrap_or_else(|| error.to_string()),
        }
    }
}
