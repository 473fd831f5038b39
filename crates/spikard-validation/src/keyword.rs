//! The keyword that failed, as the cause of an error.

use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use jsonschema::paths::Location;
use jsonschema::{JsonType, JsonTypeSet, ValidationError};
use serde_json::{Number, Value};
use spikard_problem::Cause;

use crate::format;
use crate::repetition::first_repetition;

/// What `error` refuses `value` for; `schema` is the whole schema.
///
/// This is the table of the keywords that have one error each, at the place of the value. Those that speak of places
/// below it are told apart before, in `report.rs`.
pub(crate) fn cause(error: &ValidationError<'_>, value: &Value, schema: &Value) -> Cause {
    let keyword = error.schema_path();
    match error.kind() {
        Kind::Type { kind } => types(match kind {
            TypeKind::Single(name) => JsonTypeSet::empty().insert(*name),
            TypeKind::Multiple(names) => *names,
        }),
        Kind::Format { format } => format::cause(format),
        Kind::Pattern { pattern } => Cause::Pattern(pattern.clone()),
        Kind::BacktrackLimitExceeded { .. } | Kind::RegexEngineFailure { .. } => {
            let pattern = schema.pointer(keyword.as_str()).and_then(Value::as_str);
            Cause::Pattern(pattern.unwrap_or_default().to_owned())
        }
        Kind::MinLength { limit } => Cause::MinLength(*limit),
        Kind::MaxLength { limit } => Cause::MaxLength(*limit),
        Kind::ContentEncoding { content_encoding } => Cause::Content(content_encoding.clone()),
        Kind::ContentMediaType { content_media_type } => Cause::Content(content_media_type.clone()),
        Kind::FromUtf8 { .. } => Cause::Content("UTF-8".to_owned()),

        Kind::Minimum { limit } => Cause::Minimum(number(limit)),
        Kind::Maximum { limit } => Cause::Maximum(number(limit)),
        Kind::ExclusiveMinimum { limit } => Cause::ExclusiveMinimum(number(limit)),
        Kind::ExclusiveMaximum { limit } => Cause::ExclusiveMaximum(number(limit)),
        Kind::MultipleOf { multiple_of } => {
            let written = schema.pointer(keyword.as_str());
            let written = written.filter(|divisor| divisor.as_f64() == Some(*multiple_of));
            // Inside a resource with an `$id` of its own the location is another; an integer then reads as one.
            let divisor = written
                .cloned()
                .or_else(|| multiple_of.to_string().parse().ok());
            Cause::MultipleOf(number(&divisor.unwrap_or_default()))
        }

        Kind::Enum { options } => Cause::Enum(options.as_array().cloned().unwrap_or_default()),
        Kind::Constant { expected_value } => Cause::Const(Value::clone(expected_value)),

        Kind::MinItems { limit } => Cause::MinItems(*limit),
        Kind::MaxItems { limit } => Cause::MaxItems(*limit),
        Kind::UniqueItems => {
            let items = value.as_array().map_or(&[][..], Vec::as_slice);
            let index = first_repetition(items).unwrap_or_default();
            let value = items.get(index).cloned().unwrap_or_default();
            Cause::UniqueItems { value, index }
        }
        Kind::Contains => {
            let limit = || {
                schema
                    .pointer(keyword.as_str())
                    .and_then(Value::as_u64)
                    .unwrap_or(1)
            };
            match last_segment(keyword) {
                "minContains" => Cause::MinContains(limit()),
                "maxContains" => Cause::MaxContains(limit()),
                _ => Cause::MinContains(1),
            }
        }
        Kind::AdditionalItems { .. } | Kind::UnevaluatedItems { .. } => Cause::AdditionalItem,

        Kind::MinProperties { limit } => Cause::MinProperties {
            limit: *limit,
            actual: value.as_object().map_or(0, serde_json::Map::len),
        },
        Kind::MaxProperties { limit } => Cause::MaxProperties {
            limit: *limit,
            actual: value.as_object().map_or(0, serde_json::Map::len),
        },

        Kind::Not { .. } => Cause::Not,
        Kind::AnyOf { .. } => Cause::AnyOf,
        Kind::OneOfNotValid { .. } => Cause::OneOf { matched: 0 },
        Kind::OneOfMultipleValid { context } => Cause::OneOf {
            matched: context.iter().filter(|branch| branch.is_empty()).count(),
        },
        Kind::FalseSchema => Cause::Forbidden,

        // The first four are told apart before, the others have no keyword.
        Kind::Required { .. }
        | Kind::AdditionalProperties { .. }
        | Kind::UnevaluatedProperties { .. }
        | Kind::PropertyNames { .. }
        | Kind::Custom { .. }
        | Kind::Referencing(_) => Cause::other(error.to_string()),
    }
}

/// The cause of a value that has none of these types. That null would be allowed too is not said.
pub(crate) fn types(allowed: JsonTypeSet) -> Cause {
    let is_number = allowed.contains(JsonType::Number);
    let mut names = allowed.iter().filter(|name| match name {
        JsonType::Null => false,
        JsonType::Integer => !is_number,
        _ => true,
    });
    match (names.next(), names.next()) {
        (None, _) | (Some(JsonType::Null), None) => Cause::Null,
        (Some(JsonType::Array), None) => Cause::Array,
        (Some(JsonType::Boolean), None) => Cause::Boolean,
        (Some(JsonType::Integer), None) => Cause::Integer,
        (Some(JsonType::Number), None) => Cause::Number,
        (Some(JsonType::Object), None) => Cause::Object,
        (Some(JsonType::String), None) => Cause::String,
        (Some(first), Some(second)) => {
            let names = [first, second].into_iter().chain(names);
            Cause::Types(names.map(JsonType::as_str).collect())
        }
    }
}

/// The keyword that a place in a schema ends with.
pub(crate) fn last_segment(location: &Location) -> &str {
    let location = location.as_str();
    location.rsplit_once('/').map_or(location, |(_, last)| last)
}

fn number(limit: &Value) -> Number {
    match limit {
        Value::Number(number) => number.clone(),
        _ => 0.into(),
    }
}
