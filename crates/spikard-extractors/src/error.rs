//! Why an operation has no extraction plan, which belongs to start-up, and why a request has no content.

use std::io;

use spikard_core::{BoxError, Declaration, ParameterIn, ParameterType};
use spikard_problem::Problem;

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
    /// A name that nothing in this place can have.
    #[error(
        "{location} parameter `{name}` of {declaration} has a name that no request can contain"
    )]
    Name {
        /// The parameter's place.
        location: ParameterIn,
        /// The parameter's name.
        name: String,
        /// Where the operation was declared.
        declaration: Declaration,
    },
    /// A type that text of this place is not converted to.
    #[error(
        "{location} parameter `{name}` of {declaration} cannot be of type {ty:?}; arrays of single values are possible, \
         in the path with a separator, and objects in the query"
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

/// Why the content of a request cannot be taken; a [`Problem`] is what the client sees of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// The content is longer than the operation allows: 413.
    #[error("content exceeds the limit of {limit_bytes} bytes")]
    ContentTooLarge {
        /// The limit.
        limit_bytes: u64,
    },
    /// A form has more fields than are read: 413.
    #[error("form has more than {limit} fields")]
    TooManyFields {
        /// The limit.
        limit: usize,
    },
    /// A text field of a multipart form is too long: 413.
    #[error("form field exceeds the limit of {limit_bytes} bytes")]
    FieldTooLarge {
        /// The limit.
        limit_bytes: usize,
    },
    /// The names of a form nest deeper than is followed: 400.
    #[error("name of a form field has more than {limit} brackets")]
    NestedTooDeep {
        /// The limit.
        limit: usize,
    },
    /// A form has a field that is a text by one name, and an array or an object by another: 400.
    #[error("form field `{name}` contradicts an earlier one")]
    FieldConflict {
        /// The name of the later field.
        name: String,
    },
    /// The operation takes no content of this media type: 415.
    #[error("media type of the content is not supported")]
    UnsupportedMediaType,
    /// JSON that says it is not UTF-8: 415.
    #[error("charset `{charset}` of the content is not supported")]
    UnsupportedCharset {
        /// The charset as the client names it.
        charset: String,
    },
    /// A multipart form whose media type has no boundary to go by: 400.
    #[error("`boundary` parameter of the media type {reason}")]
    Boundary {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A multipart form that is not put together as RFC 2046 and RFC 7578 say: 400.
    #[error("multipart content is malformed: {reason}")]
    MultipartSyntax {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The content is not JSON: 400.
    #[error("content is not valid JSON")]
    JsonSyntax(#[source] serde_json::Error),
    /// The content stopped before its end: 400, if the client is still there.
    #[error("content ended early")]
    Incomplete(#[source] BoxError),
    /// An uploaded file could not be written to disk: 500.
    #[error("uploaded file could not be stored")]
    Storage(#[source] io::Error),
}

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        match rejection {
            Rejection::ContentTooLarge { limit_bytes } => {
                Self::payload_too_large(format!("The content is longer than {limit_bytes} bytes"))
            }
            Rejection::TooManyFields { limit } => {
                Self::payload_too_large(format!("The form has more than {limit} fields"))
            }
            Rejection::FieldTooLarge { limit_bytes } => Self::payload_too_large(format!(
                "A field of the form is longer than {limit_bytes} bytes"
            )),
            Rejection::NestedTooDeep { limit } => Self::bad_request(format!(
                "The name of a form field has more than {limit} brackets"
            )),
            Rejection::FieldConflict { name } => Self::bad_request(format!(
                "The form field '{name}' contradicts an earlier one"
            )),
            Rejection::UnsupportedMediaType => Self::unsupported_media_type(),
            Rejection::UnsupportedCharset { charset } => Self::unsupported_charset(&charset),
            Rejection::Boundary { reason } => Self::bad_request(format!(
                "The 'boundary' parameter of the multipart media type {reason}"
            )),
            Rejection::MultipartSyntax { reason } => {
                Self::bad_request(format!("Invalid multipart content: {reason}"))
            }
            Rejection::JsonSyntax(_) => Self::bad_request("Invalid request format"),
            Rejection::Incomplete(_) => Self::bad_request("The content ended early"),
            Rejection::Storage(_) => Self::internal_server_error(),
        }
    }
}

/// What a body failed with: a rejection of this crate's own, or the connection.
impl From<BoxError> for Rejection {
    fn from(error: BoxError) -> Self {
        match error.downcast::<Self>() {
            Ok(rejection) => *rejection,
            Err(error) => Self::Incomplete(error),
        }
    }
}
