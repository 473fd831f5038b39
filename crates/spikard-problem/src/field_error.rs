//! One entry of the `errors` member: a place in the request and what is wrong there.

use std::cmp::Ordering;

use serde_json::{Value, json};

use crate::Cause;
use crate::cause::Words;

/// One place of a request that was refused.
///
/// Written as `{"type", "loc", "msg", "input"}`, with `ctx` where the cause has one.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldError {
    loc: Vec<String>,
    words: Words,
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
        Self::of_value(loc, cause, input.map_or(Value::Null, Value::from))
    }

    /// An error at `loc`, caused by `cause`, of a value that is no text: part of a body, or what a text was
    /// converted to.
    ///
    /// For a missing property `value` is the object that lacks it.
    pub fn of_value<L>(loc: L, cause: Cause, value: Value) -> Self
    where
        L: IntoIterator,
        L::Item: Into<String>,
    {
        Self {
            loc: loc.into_iter().map(Into::into).collect(),
            words: cause.words(&value),
            input: value,
        }
    }

    /// Says what was received, where that is not the value that was checked.
    ///
    /// A parameter is checked after conversion, which `ctx` shows, but its input is the text.
    #[must_use]
    pub fn with_input(mut self, input: impl Into<Value>) -> Self {
        self.input = input.into();
        self
    }

    /// Says what a program needs to write a sentence of its own.
    #[must_use]
    pub fn with_context(mut self, context: Value) -> Self {
        self.words.context = Some(context);
        self
    }

    /// Where: the source of the value, its name, and the way down to the offending part.
    pub fn loc(&self) -> &[String] {
        &self.loc
    }

    /// The code that programs compare, such as `missing`.
    pub fn code(&self) -> &str {
        &self.words.code
    }

    /// The sentence that people read.
    pub fn message(&self) -> &str {
        &self.words.message
    }

    /// Which of two errors stands first in a document: by place, indices of arrays by number.
    pub fn cmp_loc(&self, other: &Self) -> Ordering {
        let left = self.loc.iter().map(|segment| rank(segment));
        left.cmp(other.loc.iter().map(|segment| rank(segment)))
    }

    /// The entry as it stands in the document.
    pub fn to_json(&self) -> Value {
        let mut entry = json!({
            "type": self.words.code,
            "loc": self.loc,
            "msg": self.words.message,
            "input": self.input,
        });
        if let Some(context) = &self.words.context {
            entry["ctx"] = context.clone();
        }
        entry
    }
}

/// Numbers come first, by value.
fn rank(segment: &str) -> (bool, u64, &str) {
    match segment.parse() {
        Ok(number) => (false, number, segment),
        Err(_) => (true, 0, segment),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serializes_to_the_words_of_the_wire() {
        for (error, expected) in [
            (
                FieldError::new(["query", "n"], Cause::Missing, None),
                json!({"type": "missing", "loc": ["query", "n"], "msg": "Field required", "input": null}),
            ),
            (
                FieldError::new(["query", "n"], Cause::Integer, Some("x")),
                json!({
                    "type": "int_parsing", "loc": ["query", "n"], "input": "x",
                    "msg": "Input should be a valid integer, unable to parse string as an integer",
                }),
            ),
            (
                FieldError::of_value(["body", "tags"], Cause::MinItems(1), json!([])),
                json!({
                    "type": "too_short", "loc": ["body", "tags"], "input": [],
                    "msg": "List should have at least 1 item after validation", "ctx": {"min_length": 1},
                }),
            ),
            (
                FieldError::of_value(["query", "n"], Cause::MultipleOf(5.into()), json!(17))
                    .with_input("17"),
                json!({
                    "type": "validation_error", "loc": ["query", "n"], "input": "17",
                    "msg": "Value must be a multiple of 5", "ctx": {"multiple_of": 5, "value": 17},
                }),
            ),
        ] {
            assert_eq!(error.to_json(), expected);
            assert_eq!(error.code(), expected["type"]);
            assert_eq!(error.message(), expected["msg"]);
        }
    }

    #[test]
    fn sorts_by_place() {
        let sorted: [&[&str]; 9] = [
            &["body"],
            &["body", "02", "a"],
            &["body", "2"],
            &["body", "10"],
            &["body", "10", "a"],
            &["body", "1a"],
            &["body", "a"],
            &["body", "a", "b"],
            &["query", "a"],
        ];
        let errors = sorted.map(|loc| FieldError::new(loc.iter().copied(), Cause::Missing, None));
        for (left, first) in errors.iter().enumerate() {
            for (right, second) in errors.iter().enumerate() {
                let case = format!("{:?} and {:?}", first.loc(), second.loc());
                assert_eq!(first.cmp_loc(second), left.cmp(&right), "{case}");
            }
        }
    }
}
