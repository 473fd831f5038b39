//! Why a value was refused, in the words of the wire.

use std::fmt;

/// The reason of one [`FieldError`](crate::FieldError): decides its `type` and `msg` (and, for formats, its `ctx`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// A required value is absent.
    Missing,
    /// The text is not a decimal integer.
    Integer,
    /// The text is not a decimal number.
    Number,
    /// The text is none of the words for true and false.
    Boolean,
    /// The text is not a hyphenated UUID (RFC 9562).
    Uuid,
    /// The text is not an RFC 3339 `full-date`.
    Date,
    /// The text is not an RFC 3339 `date-time`.
    DateTime,
    /// The text does not have another `format` of JSON Schema, named as the schema names it.
    Format(&'static str),
}

impl Cause {
    /// The `type` member: a code that programs compare.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Integer => "int_parsing",
            Self::Number => "float_parsing",
            Self::Boolean => "bool_parsing",
            Self::Uuid => "uuid_parsing",
            Self::Date => "date_parsing",
            Self::DateTime => "datetime_parsing",
            Self::Format(_) => "validation_error",
        }
    }
}

/// Writes the `msg` member: a sentence that people read.
impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "Field required",
            Self::Integer => {
                "Input should be a valid integer, unable to parse string as an integer"
            }
            Self::Number => "Input should be a valid number, unable to parse string as a number",
            Self::Boolean => "Input should be a valid boolean, unable to interpret input",
            Self::Uuid => "Input should be a valid UUID",
            Self::Date => "Input should be a valid date",
            Self::DateTime => "Input should be a valid datetime",
            Self::Format(format) => return write!(f, "Invalid {format} format"),
        })
    }
}
