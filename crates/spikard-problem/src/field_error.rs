//! One entry of the `errors` member: a place in the request and what is wrong there.

use serde_json::{Value, json};

use crate::Cause;

/// One place of a request that was refused.
///
/// Written as `{"type", "loc", "msg", "input"}`, with `ctx` where the cause has one.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldError {
    cause: Cause,
    loc: Vec<String>,
    input: Value,
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
        Self {
            cause,
            loc: loc.into_iter().map(Into::into).collect(),
            input: input.map_or(Value::Null, Value::from),
        }
    }

    /// Where: the source of the value, its name, and the way down to the offending part.
    pub fn loc(&self) -> &[String] {
        &self.loc
    }

    /// The code that programs compare, such as `missing`.
    pub fn code(&self) -> &'static str {
        self.cause.code()
    }

    /// The entry as it stands in the document.
    pub fn to_json(&self) -> Value {
        let mut entry = json!({
            "type": self.cause.code(),
            "loc": self.loc,
            "msg": self.cause.to_string(),
            "input": self.input,
        });
        if let Cause::Format(format) = self.cause {
            entry["ctx"] = json!({"format": format, "value": self.input});
        }
        entry
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
            assert_eq!(error.to_json(), expected);
        }
    }
}
