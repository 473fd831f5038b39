//! Why a value was refused, and the one table that puts it in the words of the wire.

use std::borrow::Cow;
use std::fmt::{self, Write};

use serde_json::{Number, Value, json};

/// What `format: email` accepts; clients are told it as a pattern.
const EMAIL_PATTERN: &str = r"^[a-zA-Z0-9_.+-]+@[a-zA-Z0-9-]+\.[a-zA-Z0-9-.]+$";

/// The code of every cause that has none of its own.
const GENERAL: &str = "validation_error";

/// The reason of one [`FieldError`](crate::FieldError): decides its `type`, `msg` and `ctx`.
///
/// Bounds are kept as the schema writes them. Variants are named after the keyword of JSON Schema that fails, or
/// after the type that was asked for.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Cause {
    /// A required value is absent.
    Missing,

    /// The value is not an integer, nor a text that is read as one.
    Integer,
    /// The value is not a number, nor a text that is read as one.
    Number,
    /// The value is not a boolean, nor one of the words for true and false.
    Boolean,
    /// The value is not a string.
    String,
    /// The value is not an array.
    Array,
    /// The value is not an object.
    Object,
    /// The value is not null.
    Null,
    /// The value has none of several types, named as JSON Schema names them.
    Types(Vec<&'static str>),

    /// The text is not a hyphenated UUID (RFC 9562).
    Uuid,
    /// The text is not an RFC 3339 `full-date`.
    Date,
    /// The text is not an RFC 3339 `date-time`.
    DateTime,
    /// The text is not an email address.
    Email,
    /// The text does not have another `format` of JSON Schema, named as the schema names it.
    Format(&'static str),
    /// The text is not in the `contentEncoding` or of the `contentMediaType` that this names.
    Content(String),

    /// The text does not match this regular expression.
    Pattern(String),
    /// The text has fewer characters.
    MinLength(u64),
    /// The text has more characters.
    MaxLength(u64),

    /// The number is smaller.
    Minimum(Number),
    /// The number is larger.
    Maximum(Number),
    /// The number is smaller or equal.
    ExclusiveMinimum(Number),
    /// The number is larger or equal.
    ExclusiveMaximum(Number),
    /// The number is not this one times an integer.
    MultipleOf(Number),

    /// The value is none of these.
    Enum(Vec<Value>),
    /// The value is not this one.
    Const(Value),

    /// The array has fewer items.
    MinItems(u64),
    /// The array has more items.
    MaxItems(u64),
    /// Two items of the array are equal.
    UniqueItems {
        /// The repeated item.
        value: Value,
        /// The index of its first repetition.
        index: usize,
    },
    /// Fewer items of the array match the `contains` schema.
    MinContains(u64),
    /// More items of the array match the `contains` schema.
    MaxContains(u64),
    /// The array has an item past those that the schema describes.
    AdditionalItem,

    /// The object has a property of this name, which the schema does not know.
    AdditionalProperty(String),
    /// The object has fewer properties.
    MinProperties {
        /// The bound.
        limit: u64,
        /// How many there are.
        actual: usize,
    },
    /// The object has more properties.
    MaxProperties {
        /// The bound.
        limit: u64,
        /// How many there are.
        actual: usize,
    },
    /// One property is there and another, which it needs, is not.
    Dependency {
        /// The property that is there.
        field: String,
        /// The property that is not.
        needed: String,
        /// All that `field` needs, as the schema lists them.
        required_fields: Vec<String>,
    },

    /// The value matches a schema that it must not match.
    Not,
    /// The value matches no schema of several.
    AnyOf,
    /// The value does not match exactly one schema of several.
    OneOf {
        /// How many it matches.
        matched: usize,
    },
    /// No value is allowed here: the schema is `false`.
    Forbidden,

    /// The media type that a file declares is not allowed.
    FileMediaType {
        /// The media type as declared.
        declared: String,
        /// The media types that are allowed.
        allowed: Vec<String>,
    },
    /// The first bytes of a file contradict the media type that it declares.
    FileSignature {
        /// The media type as declared.
        declared: String,
        /// The media type that the bytes are the signature of.
        detected: String,
        /// The first bytes of the file.
        first_bytes: Vec<u8>,
    },
    /// The file is empty.
    EmptyFile,

    /// A reason in the words of whoever found it: a decoder, the application.
    Other {
        /// The `type` member.
        code: Cow<'static, str>,
        /// The `msg` member.
        message: String,
    },
}

impl Cause {
    /// A reason of the general class, in words of one's own.
    pub fn other(message: impl Into<String>) -> Self {
        Self::Other {
            code: Cow::Borrowed(GENERAL),
            message: message.into(),
        }
    }

    /// The words for this cause; `value` is the refused value after conversion.
    pub(crate) fn words(self, value: &Value) -> Words {
        match self {
            Self::Missing => words("missing", "Field required"),

            Self::Integer => words(
                "int_parsing",
                "Input should be a valid integer, unable to parse string as an integer",
            ),
            Self::Number => words(
                "float_parsing",
                "Input should be a valid number, unable to parse string as a number",
            ),
            Self::Boolean => words(
                "bool_parsing",
                "Input should be a valid boolean, unable to interpret input",
            ),
            Self::String => words("string_type", "Input should be a valid string"),
            Self::Array => words("list_type", "Input should be a valid list"),
            Self::Object => words("dict_type", "Input should be a valid dictionary"),
            Self::Null => words("none_required", "Input should be null"),
            Self::Types(names) => {
                words(GENERAL, format!("Input should be a valid {}", either(&names)))
            }

            Self::Uuid => words("uuid_parsing", "Input should be a valid UUID"),
            Self::Date => words("date_parsing", "Input should be a valid date"),
            Self::DateTime => words("datetime_parsing", "Input should be a valid datetime"),
            Self::Email => Self::Pattern(EMAIL_PATTERN.to_owned()).words(value),
            Self::Format(format) => words(GENERAL, format!("Invalid {} format", label(format)))
                .with(json!({"format": format, "value": value})),
            Self::Content(kind) => words(GENERAL, format!("Content should be valid {kind}")),

            Self::Pattern(pattern) => words(
                "string_pattern_mismatch",
                format!("String should match pattern '{pattern}'"),
            )
            .with(json!({"pattern": pattern})),
            Self::MinLength(limit) => words(
                "string_too_short",
                format!("String should have at least {}", characters(limit)),
            )
            .with(json!({"min_length": limit})),
            Self::MaxLength(limit) => words(
                "string_too_long",
                format!("String should have at most {}", characters(limit)),
            )
            .with(json!({"max_length": limit})),

            Self::Minimum(limit) => words(
                "greater_than_equal",
                format!("Input should be greater than or equal to {limit}"),
            )
            .with(json!({"ge": limit})),
            Self::Maximum(limit) => words(
                "less_than_equal",
                format!("Input should be less than or equal to {limit}"),
            )
            .with(json!({"le": limit})),
            Self::ExclusiveMinimum(limit) => words(
                "greater_than",
                format!("Input should be greater than {limit}"),
            )
            .with(json!({"gt": limit})),
            Self::ExclusiveMaximum(limit) => {
                words("less_than", format!("Input should be less than {limit}"))
                    .with(json!({"lt": limit}))
            }
            Self::MultipleOf(divisor) => {
                words(GENERAL, format!("Value must be a multiple of {divisor}"))
                    .with(json!({"multiple_of": divisor, "value": value}))
            }

            Self::Enum(options) => {
                let expected = either(&options.iter().map(quoted).collect::<Vec<_>>());
                words("enum", format!("Input should be {expected}"))
                    .with(json!({"expected": expected}))
            }
            Self::Const(expected) => {
                let text = match &expected {
                    Value::String(text) => Cow::Borrowed(text.as_str()),
                    other => Cow::Owned(other.to_string()),
                };
                words(GENERAL, format!("Value must be exactly '{text}'"))
                    .with(json!({"const": expected, "value": value}))
            }

            Self::MinItems(limit) => words(
                "too_short",
                format!("List should have at least {} after validation", items(limit)),
            )
            .with(json!({"min_length": limit})),
            Self::MaxItems(limit) => words(
                "too_long",
                format!("List should have at most {} after validation", items(limit)),
            )
            .with(json!({"max_length": limit})),
            Self::UniqueItems { value, index } => words(GENERAL, "Array items must be unique").with(
                json!({"unique_items": true, "duplicate_value": value, "duplicate_index": index}),
            ),
            Self::MinContains(limit) => words(
                GENERAL,
                format!("Array must contain at least {}", matching_items(limit)),
            )
            .with(json!({"min_contains": limit})),
            Self::MaxContains(limit) => words(
                GENERAL,
                format!("Array must contain at most {}", matching_items(limit)),
            )
            .with(json!({"max_contains": limit})),
            Self::AdditionalItem => words(GENERAL, "Additional items are not allowed"),

            Self::AdditionalProperty(name) => words(GENERAL, "Additional properties are not allowed")
                .with(json!({"additional_properties": false, "unexpected_field": name})),
            Self::MinProperties { limit, actual } => words(
                GENERAL,
                format!("Object must have at least {}", properties(limit)),
            )
            .with(json!({"min_properties": limit, "actual_properties": actual})),
            Self::MaxProperties { limit, actual } => words(
                GENERAL,
                format!("Object must have at most {}", properties(limit)),
            )
            .with(json!({"max_properties": limit, "actual_properties": actual})),
            Self::Dependency {
                field,
                needed,
                required_fields,
            } => words(
                GENERAL,
                format!("When '{field}' is present, '{needed}' is required"),
            )
            .with(json!({"dependency": field, "required_fields": required_fields})),

            Self::Not => words(GENERAL, "Must not match the schema")
                .with(json!({"prohibited_value": value})),
            Self::AnyOf => words(
                GENERAL,
                "Must match at least one schema (anyOf), but matched 0",
            )
            .with(json!({"matched_schemas": 0})),
            Self::OneOf { matched } => words(
                GENERAL,
                format!("Must match exactly one schema (oneOf), but matched {matched}"),
            )
            .with(json!({"matched_schemas": matched})),
            Self::Forbidden => words(GENERAL, "No value is allowed here"),

            Self::FileMediaType { declared, allowed } => {
                let allowed = allowed.join(", ");
                words(
                    GENERAL,
                    format!("Invalid content type '{declared}'. Allowed types: {allowed}"),
                )
            }
            Self::FileSignature {
                declared,
                detected,
                first_bytes,
            } => words(
                GENERAL,
                format!(
                    "File type mismatch: MIME type is {declared} but magic numbers indicate {detected}"
                ),
            )
            .with(json!({
                "declared_mime": declared,
                "detected_type": detected,
                "magic_bytes": hexadecimal(&first_bytes),
            })),
            Self::EmptyFile => {
                words(GENERAL, "File buffer is empty").with(json!({"buffer_size": 0}))
            }

            Self::Other { code, message } => Words {
                code,
                message: Cow::Owned(message),
                context: None,
            },
        }
    }
}

/// A cause in the words of the wire.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Words {
    /// The `type` member: a code that programs compare.
    pub(crate) code: Cow<'static, str>,
    /// The `msg` member: a sentence that people read.
    pub(crate) message: Cow<'static, str>,
    /// The `ctx` member: what a program needs to write a sentence of its own.
    pub(crate) context: Option<Value>,
}

impl Words {
    fn with(mut self, context: Value) -> Self {
        self.context = Some(context);
        self
    }
}

fn words(code: &'static str, message: impl Into<Cow<'static, str>>) -> Words {
    Words {
        code: Cow::Borrowed(code),
        message: message.into(),
        context: None,
    }
}

/// What people call a format.
fn label(format: &'static str) -> &'static str {
    match format {
        "ipv4" => "IPv4 address",
        "ipv6" => "IPv6 address",
        "uri" => "URI",
        format => format,
    }
}

fn characters(number: u64) -> String {
    count(number, "character", "characters")
}

fn items(number: u64) -> String {
    count(number, "item", "items")
}

fn matching_items(number: u64) -> String {
    count(number, "matching item", "matching items")
}

fn properties(number: u64) -> String {
    count(number, "property", "properties")
}

fn count(number: u64, singular: &str, plural: &str) -> String {
    format!("{number} {}", if number == 1 { singular } else { plural })
}

/// A string in quotes, any other value as JSON.
fn quoted(value: &Value) -> String {
    match value {
        Value::String(text) => format!("'{text}'"),
        other => other.to_string(),
    }
}

/// `a, b or c`.
fn either<S: fmt::Display>(options: &[S]) -> String {
    let mut text = String::new();
    for (index, option) in options.iter().enumerate() {
        let separator = match options.len() - index {
            _ if index == 0 => "",
            1 => " or ",
            _ => ", ",
        };
        write!(text, "{separator}{option}").expect("a string takes any text");
    }
    text
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes any text");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The number as a schema writes it.
    fn number(text: &str) -> Number {
        text.parse().expect("is a number")
    }

    #[test]
    fn says_each_cause_in_the_words_of_the_wire() {
        let abc = || vec![json!("a"), json!("b"), json!("c")];
        // Cause, refused value, `type`, `msg`, `ctx`.
        for (cause, value, code, message, context) in [
            (
                Cause::Missing,
                json!({}),
                "missing",
                "Field required",
                json!(null),
            ),
            (
                Cause::Integer,
                json!("x"),
                "int_parsing",
                "Input should be a valid integer, unable to parse string as an integer",
                json!(null),
            ),
            (
                Cause::Number,
                json!("x"),
                "float_parsing",
                "Input should be a valid number, unable to parse string as a number",
                json!(null),
            ),
            (
                Cause::Boolean,
                json!("x"),
                "bool_parsing",
                "Input should be a valid boolean, unable to interpret input",
                json!(null),
            ),
            (
                Cause::String,
                json!(1),
                "string_type",
                "Input should be a valid string",
                json!(null),
            ),
            (
                Cause::Array,
                json!(1),
                "list_type",
                "Input should be a valid list",
                json!(null),
            ),
            (
                Cause::Object,
                json!(1),
                "dict_type",
                "Input should be a valid dictionary",
                json!(null),
            ),
            (
                Cause::Null,
                json!(1),
                "none_required",
                "Input should be null",
                json!(null),
            ),
            (
                Cause::Types(vec!["string", "integer", "null"]),
                json!([]),
                "validation_error",
                "Input should be a valid string, integer or null",
                json!(null),
            ),
            (
                Cause::Uuid,
                json!("x"),
                "uuid_parsing",
                "Input should be a valid UUID",
                json!(null),
            ),
            (
                Cause::Date,
                json!("x"),
                "date_parsing",
                "Input should be a valid date",
                json!(null),
            ),
            (
                Cause::DateTime,
                json!("x"),
                "datetime_parsing",
                "Input should be a valid datetime",
                json!(null),
            ),
            (
                Cause::Email,
                json!("x"),
                "string_pattern_mismatch",
                r"String should match pattern '^[a-zA-Z0-9_.+-]+@[a-zA-Z0-9-]+\.[a-zA-Z0-9-.]+$'",
                json!({"pattern": r"^[a-zA-Z0-9_.+-]+@[a-zA-Z0-9-]+\.[a-zA-Z0-9-.]+$"}),
            ),
            (
                Cause::Format("ipv4"),
                json!("999.999.999.999"),
                "validation_error",
                "Invalid IPv4 address format",
                json!({"format": "ipv4", "value": "999.999.999.999"}),
            ),
            (
                Cause::Format("uri"),
                json!("not a uri"),
                "validation_error",
                "Invalid URI format",
                json!({"format": "uri", "value": "not a uri"}),
            ),
            (
                Cause::Format("duration"),
                json!("x"),
                "validation_error",
                "Invalid duration format",
                json!({"format": "duration", "value": "x"}),
            ),
            (
                Cause::Content("base64".to_owned()),
                json!("#"),
                "validation_error",
                "Content should be valid base64",
                json!(null),
            ),
            (
                Cause::Pattern("^ACC-[0-9]{6}$".to_owned()),
                json!("x"),
                "string_pattern_mismatch",
                "String should match pattern '^ACC-[0-9]{6}$'",
                json!({"pattern": "^ACC-[0-9]{6}$"}),
            ),
            (
                Cause::MinLength(1),
                json!(""),
                "string_too_short",
                "String should have at least 1 character",
                json!({"min_length": 1}),
            ),
            (
                Cause::MinLength(3),
                json!(""),
                "string_too_short",
                "String should have at least 3 characters",
                json!({"min_length": 3}),
            ),
            (
                Cause::MaxLength(20),
                json!("x"),
                "string_too_long",
                "String should have at most 20 characters",
                json!({"max_length": 20}),
            ),
            (
                Cause::Minimum(number("1")),
                json!(0),
                "greater_than_equal",
                "Input should be greater than or equal to 1",
                json!({"ge": 1}),
            ),
            (
                Cause::Maximum(number("100")),
                json!(101),
                "less_than_equal",
                "Input should be less than or equal to 100",
                json!({"le": 100}),
            ),
            (
                Cause::ExclusiveMinimum(number("0.01")),
                json!(0),
                "greater_than",
                "Input should be greater than 0.01",
                json!({"gt": 0.01}),
            ),
            (
                Cause::ExclusiveMaximum(number("1.0")),
                json!(2),
                "less_than",
                "Input should be less than 1.0",
                json!({"lt": 1.0}),
            ),
            (
                Cause::MultipleOf(number("5")),
                json!(17),
                "validation_error",
                "Value must be a multiple of 5",
                json!({"multiple_of": 5, "value": 17}),
            ),
            (
                Cause::Enum(abc()),
                json!("x"),
                "enum",
                "Input should be 'a', 'b' or 'c'",
                json!({"expected": "'a', 'b' or 'c'"}),
            ),
            (
                Cause::Enum(vec![json!("a"), json!(1)]),
                json!("x"),
                "enum",
                "Input should be 'a' or 1",
                json!({"expected": "'a' or 1"}),
            ),
            (
                Cause::Enum(vec![json!(null)]),
                json!("x"),
                "enum",
                "Input should be null",
                json!({"expected": "null"}),
            ),
            (
                Cause::Const(json!("1.0")),
                json!("2.0"),
                "validation_error",
                "Value must be exactly '1.0'",
                json!({"const": "1.0", "value": "2.0"}),
            ),
            (
                Cause::Const(json!(true)),
                json!(0),
                "validation_error",
                "Value must be exactly 'true'",
                json!({"const": true, "value": 0}),
            ),
            (
                Cause::MinItems(1),
                json!([]),
                "too_short",
                "List should have at least 1 item after validation",
                json!({"min_length": 1}),
            ),
            (
                Cause::MaxItems(10),
                json!([]),
                "too_long",
                "List should have at most 10 items after validation",
                json!({"max_length": 10}),
            ),
            (
                Cause::UniqueItems {
                    value: json!(2),
                    index: 2,
                },
                json!([1, 2, 2]),
                "validation_error",
                "Array items must be unique",
                json!({"unique_items": true, "duplicate_value": 2, "duplicate_index": 2}),
            ),
            (
                Cause::MinContains(1),
                json!([]),
                "validation_error",
                "Array must contain at least 1 matching item",
                json!({"min_contains": 1}),
            ),
            (
                Cause::MaxContains(2),
                json!([1, 1, 1]),
                "validation_error",
                "Array must contain at most 2 matching items",
                json!({"max_contains": 2}),
            ),
            (
                Cause::AdditionalItem,
                json!([1]),
                "validation_error",
                "Additional items are not allowed",
                json!(null),
            ),
            (
                Cause::AdditionalProperty("x".to_owned()),
                json!({"x": 1}),
                "validation_error",
                "Additional properties are not allowed",
                json!({"additional_properties": false, "unexpected_field": "x"}),
            ),
            (
                Cause::MinProperties {
                    limit: 2,
                    actual: 1,
                },
                json!({"x": 1}),
                "validation_error",
                "Object must have at least 2 properties",
                json!({"min_properties": 2, "actual_properties": 1}),
            ),
            (
                Cause::MaxProperties {
                    limit: 1,
                    actual: 2,
                },
                json!({"x": 1, "y": 2}),
                "validation_error",
                "Object must have at most 1 property",
                json!({"max_properties": 1, "actual_properties": 2}),
            ),
            (
                Cause::Dependency {
                    field: "credit_card".to_owned(),
                    needed: "billing_address".to_owned(),
                    required_fields: vec!["billing_address".to_owned()],
                },
                json!({"credit_card": ""}),
                "validation_error",
                "When 'credit_card' is present, 'billing_address' is required",
                json!({"dependency": "credit_card", "required_fields": ["billing_address"]}),
            ),
            (
                Cause::Not,
                json!("admin"),
                "validation_error",
                "Must not match the schema",
                json!({"prohibited_value": "admin"}),
            ),
            (
                Cause::AnyOf,
                json!({}),
                "validation_error",
                "Must match at least one schema (anyOf), but matched 0",
                json!({"matched_schemas": 0}),
            ),
            (
                Cause::OneOf { matched: 2 },
                json!({}),
                "validation_error",
                "Must match exactly one schema (oneOf), but matched 2",
                json!({"matched_schemas": 2}),
            ),
            (
                Cause::Forbidden,
                json!(1),
                "validation_error",
                "No value is allowed here",
                json!(null),
            ),
            (
                Cause::FileMediaType {
                    declared: "application/x-sh".to_owned(),
                    allowed: vec!["image/jpeg".to_owned(), "image/png".to_owned()],
                },
                json!(null),
                "validation_error",
                "Invalid content type 'application/x-sh'. Allowed types: image/jpeg, image/png",
                json!(null),
            ),
            (
                Cause::FileSignature {
                    declared: "image/jpeg".to_owned(),
                    detected: "image/png".to_owned(),
                    first_bytes: vec![0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a],
                },
                json!(null),
                "validation_error",
                "File type mismatch: MIME type is image/jpeg but magic numbers indicate image/png",
                json!({
                    "declared_mime": "image/jpeg", "detected_type": "image/png",
                    "magic_bytes": "89504e470d0a1a0a",
                }),
            ),
            (
                Cause::EmptyFile,
                json!(null),
                "validation_error",
                "File buffer is empty",
                json!({"buffer_size": 0}),
            ),
            (
                Cause::other("Object contains a field that nobody knows"),
                json!(null),
                "validation_error",
                "Object contains a field that nobody knows",
                json!(null),
            ),
            (
                Cause::Other {
                    code: "taken".into(),
                    message: "Name is taken".to_owned(),
                },
                json!("Ada"),
                "taken",
                "Name is taken",
                json!(null),
            ),
        ] {
            let case = format!("{cause:?} of {value}");
            let words = cause.words(&value);
            assert_eq!(words.code, code, "{case}");
            assert_eq!(words.message, message, "{case}");
            assert_eq!(words.context.unwrap_or_default(), context, "{case}");
        }
    }
}
