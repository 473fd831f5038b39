//! One entry of the `errors` member: a place in the request and what is wrong there.

use serde::Serialize;
use serde_json::{Value, json};

use crate::Cause;

/// One place of a request that was refused.
///
/// Serializes to `{"type", "loc", "msg", "input"}`, with `ctx` where the cause has one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FieldError {
    #[serde(rename = "type")]
    code: &'static str,
    loc: Vec<String>,
    msg: String,
    input: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    ctx: Option<Value>,
}

impl FieldError {
    /// An error at `loc` (source, then name, then the way down), caused by `cause`.
    ///
    /// `input` is the text as received; `None` when there was none, which is sent as null.
    pub fn new<L>(loc: L, cause: Cause, input: Option<&str>) -> Self
    where
        L: IntoIterator,
        L::Item: Into<String>,
    {
        let ctx = match cause {
            Cause::Format(format) => Some(json!({ "format": format, "value": input })),
            _ => None,
        };
        Self {
            code: cause.code(),
            loc: loc.into_iter().map(Into::into).collect(),
            msg: cause.to_string(),
            input: input.map_or(Value::Null, Value::from),
            ctx,
        }
    }

    /// Where: the source of the value, its name, and the way down to the offending part.
    pub fn loc(&self) -> &[String] {
        &self.loc
    }

    /// The code that programs compare, such as `missing`.
    pub fn code(&self) -> &'static str {
        self.code
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serializes_to_the_words_of_the_wire() {
        for (cause, input, expected) in [
            (
                Cause::Missing,
                None,
                json!({"type": "missing", "loc": ["query", "n"], "msg": "Field required", "input": null}),
            ),
            (
                Cause::Integer,
                Some("x"),
                json!({
                    "type": "int_parsing", "loc": ["query", "n"], "input": "x",
                    "msg": "Input should be a valid integer, unable to parse string as an integer",
                }),
            ),
            (
                Cause::Format("duration"),
                Some("x"),
                json!({
                    "type": "validation_error", "loc": ["query", "n"], "input": "x",
                    "msg": "Invalid duration format", "ctx": {"format": "duration", "value": "x"},
                }),
            ),
        ] {
            let error = FieldError::new(["query", "n"], cause, input);
            assert_eq!(serde_json::to_value(&error).expect("is data"), expected);
        }
    }
}
