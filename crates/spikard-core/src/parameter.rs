//! One declared input that travels as text.

use std::fmt;

use serde_json::Value as Json;

/// Where a parameter travels (OpenAPI 3.1, Parameter Object, `in`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ParameterIn {
    /// A segment, or the rest, of the path.
    Path,
    /// The query component of the request target.
    Query,
    /// A header field; its name is written in lower case.
    Header,
    /// A cookie of the `Cookie` field (RFC 6265, 5.4).
    Cookie,
}

impl ParameterIn {
    /// The word for this place in `loc` of an error.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Header => "headers",
            Self::Cookie => "cookie",
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
    /// The first of several types that the text has the form of.
    AnyOf(Vec<Self>),
    /// One value of the inner type for each time the name occurs.
    Array(Box<Self>),
    /// An object whose members are written `name[member]` (OpenAPI 3.1, `style: deepObject`); its schema says what
    /// their texts are converted to.
    Object,
}

/// How the items of an array stand in the request (OpenAPI 3.1, `style` and `explode`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ArrayStyle {
    /// The name is repeated, once for each item.
    #[default]
    Repeated,
    /// One value holds all items, separated by this character after decoding.
    Separated(char),
}

/// A declared input that travels as text: its place, its name on the wire, its type.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    location: ParameterIn,
    name: String,
    ty: ParameterType,
    array_style: ArrayStyle,
    schema: Option<Json>,
    required: bool,
}

impl Parameter {
    /// A parameter without which the request is refused.
    pub fn required(location: ParameterIn, name: impl Into<String>, ty: ParameterType) -> Self {
        Self {
            location,
            name: name.into(),
            ty,
            array_style: ArrayStyle::default(),
            schema: None,
            required: true,
        }
    }

    /// A parameter that may be absent.
    pub fn optional(location: ParameterIn, name: impl Into<String>, ty: ParameterType) -> Self {
        Self {
            location,
            name: name.into(),
            ty,
            array_style: ArrayStyle::default(),
            schema: None,
            required: false,
        }
    }

    /// Says how the items of an array stand in the request.
    #[must_use]
    pub fn with_array_style(mut self, style: ArrayStyle) -> Self {
        self.array_style = style;
        self
    }

    /// Adds a JSON Schema that the converted value satisfies; for what the type alone does not say.
    #[must_use]
    pub fn with_schema(mut self, schema: Json) -> Self {
        self.schema = Some(schema);
        self
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

    /// How the items of an array stand in the request.
    pub fn array_style(&self) -> ArrayStyle {
        self.array_style
    }

    /// The JSON Schema that the converted value satisfies.
    pub fn schema(&self) -> Option<&Json> {
        self.schema.as_ref()
    }

    /// Whether a request without it is refused.
    pub fn is_required(&self) -> bool {
        self.required
    }
}
