//! One declared input that travels as text.

use std::fmt;

/// Where a parameter travels (OpenAPI 3.1, Parameter Object, `in`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ParameterIn {
    /// A segment, or the rest, of the path.
    Path,
    /// The query component of the request target.
    Query,
}

impl ParameterIn {
    /// The word for this place in `loc` of an error.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
        }
    }
}

impl fmt::Display for ParameterIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The type that the text of a parameter is converted to.
///
/// The formats stay text; they are only checked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParameterType {
    /// Any text.
    String,
    /// A decimal integer of any size.
    Integer,
    /// A decimal number with optional fraction and exponent.
    Number,
    /// One of the words for true and false.
    Boolean,
    /// A hyphenated UUID (RFC 9562).
    Uuid,
    /// A calendar date, RFC 3339 `full-date`.
    Date,
    /// A point in time, RFC 3339 `date-time`.
    DateTime,
    /// A time of day, RFC 3339 `full-time` with optional offset.
    Time,
    /// A duration, ISO 8601 as in RFC 3339, appendix A.
    Duration,
    /// Decimal digits with optional fraction, kept exactly.
    Decimal,
    /// One value of the inner type for each time the name occurs.
    Array(Box<Self>),
}

/// A declared input that travels as text: its place, its name on the wire, its type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    location: ParameterIn,
    name: String,
    ty: ParameterType,
    required: bool,
}

impl Parameter {
    /// A parameter without which the request is refused.
    pub fn required(location: ParameterIn, name: impl Into<String>, ty: ParameterType) -> Self {
        Self {
            location,
            name: name.into(),
            ty,
            required: true,
        }
    }

    /// A parameter that may be absent.
    pub fn optional(location: ParameterIn, name: impl Into<String>, ty: ParameterType) -> Self {
        Self {
            location,
            name: name.into(),
            ty,
            required: false,
        }
    }

    /// Where it travels.
    pub fn location(&self) -> ParameterIn {
        self.location
    }

    /// Its name on the wire.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What its text is converted to.
    pub fn ty(&self) -> &ParameterType {
        &self.ty
    }

    /// Whether a request without it is refused.
    pub fn is_required(&self) -> bool {
        self.required
    }
}
