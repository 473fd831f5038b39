//! What a handler receives: the converted parameters of one request.

use std::borrow::Cow;

use serde_json::{Number, Value as Json};
use smallvec::SmallVec;

/// One converted value; text is borrowed from the request where it needed no decoding.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value<'r> {
    /// An optional parameter that the request does not have.
    Absent,
    /// A boolean.
    Boolean(bool),
    /// An integer of at most 64 bits.
    Integer(i64),
    /// An integer past 64 bits: sign and decimal digits, at most 4,300 of them.
    BigInteger(Cow<'r, str>),
    /// A finite number.
    Number(f64),
    /// Text; also every format that is kept as sent.
    String(Cow<'r, str>),
    /// The values of a repeated name, in order.
    Array(Vec<Self>),
    /// An object, its members converted as its schema declares.
    Object(Box<Json>),
}

impl Value<'_> {
    /// The value as a JSON Schema sees it; null where absent.
    ///
    /// An integer past 64 bits becomes the nearest number that JSON here can hold, which is exact enough for bounds.
    pub fn to_json(&self) -> Json {
        match self {
            Self::Absent => Json::Null,
            Self::Boolean(value) => Json::Bool(*value),
            Self::Integer(value) => Json::from(*value),
            Self::BigInteger(digits) => big_integer(digits),
            Self::Number(value) => Json::from(*value),
            Self::String(text) => Json::from(text.as_ref()),
            Self::Array(items) => items.iter().map(Self::to_json).collect(),
            Self::Object(members) => (**members).clone(),
        }
    }

    /// The same value, independent of the request.
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Self::Absent => Value::Absent,
            Self::Boolean(value) => Value::Boolean(value),
            Self::Integer(value) => Value::Integer(value),
            Self::BigInteger(digits) => Value::BigInteger(Cow::Owned(digits.into_owned())),
            Self::Number(value) => Value::Number(value),
            Self::String(text) => Value::String(Cow::Owned(text.into_owned())),
            Self::Array(items) => Value::Array(items.into_iter().map(Value::into_owned).collect()),
            Self::Object(members) => Value::Object(members),
        }
    }
}

fn big_integer(digits: &str) -> Json {
    if let Ok(value) = digits.parse::<u64>() {
        return Json::from(value);
    }
    let nearest = digits.parse().unwrap_or(f64::MAX);
    Number::from_f64(nearest.clamp(f64::MIN, f64::MAX)).map_or(Json::Null, Json::Number)
}

/// The converted parameters of one request, in the order in which the operation declares them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inputs<'r> {
    values: SmallVec<[Value<'r>; 6]>,
}

impl<'r> Inputs<'r> {
    /// The values in the order of the operation's parameters.
    pub fn new(values: SmallVec<[Value<'r>; 6]>) -> Self {
        Self { values }
    }

    /// The values, in the order in which the operation declares its parameters.
    pub fn values(&self) -> &[Value<'r>] {
        &self.values
    }

    /// The same inputs, independent of the request.
    pub fn into_owned(self) -> Inputs<'static> {
        Inputs {
            values: self.values.into_iter().map(Value::into_owned).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn becomes_json() {
        let long = format!("-{}", "9".repeat(400));
        for (value, expected) in [
            (Value::Absent, json!(null)),
            (Value::Boolean(true), json!(true)),
            (Value::Integer(-3), json!(-3)),
            (
                Value::BigInteger("18446744073709551615".into()),
                json!(u64::MAX),
            ),
            (
                Value::BigInteger("100000000000000000000".into()),
                json!(1e20),
            ),
            (Value::BigInteger(long.into()), json!(f64::MIN)),
            (Value::Number(1.5), json!(1.5)),
            (Value::String("a".into()), json!("a")),
            (
                Value::Array(vec![Value::Integer(1), Value::String("b".into())]),
                json!([1, "b"]),
            ),
            (Value::Object(Box::new(json!({"a": 1}))), json!({"a": 1})),
        ] {
            assert_eq!(value.to_json(), expected, "{value:?}");
        }
    }
}
