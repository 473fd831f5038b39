//! JSON whose numbers keep every digit.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error};
use serde_json::value::RawValue;

/// A JSON value whose numbers are compared by value, however large or precise they are.
///
/// [`serde_json::Value`] rounds integers past 64 bits, and a test of such integers would pass for wrong ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Boolean(bool),
    /// A number of any size.
    Number(Number),
    /// A string.
    String(String),
    /// An array.
    Array(Vec<Self>),
    /// An object; of a repeated name the last value.
    Object(BTreeMap<String, Self>),
}

impl Json {
    /// The elements of an array.
    pub fn as_array(&self) -> Option<&[Self]> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The member `name` of an object.
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members.get(name),
            _ => None,
        }
    }
}

impl FromStr for Json {
    type Err = serde_json::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        serde_json::from_str(text)
    }
}

/// Works with the deserializer of [`serde_json`] only, which hands out the text of a value.
impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let text = raw.get();
        match text.as_bytes().first() {
            Some(b'n') => Ok(Self::Null),
            Some(b't' | b'f') => Ok(Self::Boolean(text == "true")),
            Some(b'"') => serde_json::from_str(text).map(Self::String),
            Some(b'[') => serde_json::from_str(text).map(Self::Array),
            Some(b'{') => serde_json::from_str(text).map(Self::Object),
            _ => Ok(Self::Number(Number(text.to_owned()))),
        }
        .map_err(D::Error::custom)
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Boolean(value) => write!(f, "{value}"),
            Self::Number(number) => f.write_str(&number.0),
            Self::String(text) => write_string(f, text),
            Self::Array(items) => {
                f.write_str("[")?;
                for (index, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if index == 0 { "" } else { "," })?;
                }
                f.write_str("]")
            }
            Self::Object(members) => {
                f.write_str("{")?;
                for (index, (name, value)) in members.iter().enumerate() {
                    f.write_str(if index == 0 { "" } else { "," })?;
                    write_string(f, name)?;
                    write!(f, ":{value}")?;
                }
                f.write_str("}")
            }
        }
    }
}

fn write_string(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str(&serde_json::to_string(text).map_err(|_| fmt::Error)?)
}

/// A number as it is written; equal to every other spelling of the same value.
#[derive(Clone, Debug)]
pub struct Number(String);

impl Number {
    /// The number as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// An integer as its decimal digits, anything else as the nearest `f64`.
    fn normalize(&self) -> Result<String, f64> {
        let integer = if self.0.contains(['.', 'e', 'E']) {
            let value: f64 = self.0.parse().unwrap_or(f64::NAN);
            if value.fract() != 0.0 || !value.is_finite() {
                return Err(value);
            }
            format!("{value:.0}")
        } else {
            self.0.clone()
        };
        Ok(if integer == "-0" {
            "0".to_owned()
        } else {
            integer
        })
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        match (self.normalize(), other.normalize()) {
            (Ok(left), Ok(right)) => left == right,
            (Err(left), Err(right)) => left.to_bits() == right.to_bits(),
            _ => false,
        }
    }
}

impl Eq for Number {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compares_numbers_by_value() {
        for (left, right, equal) in [
            ("42", "42.0", true),
            ("1e2", "100", true),
            ("-0.0", "0", true),
            ("0.1", "0.10", true),
            ("0.1", "0.2", false),
            ("9007199254740993", "9007199254740993.0", false),
            (
                "123456789012345678901234567890",
                "123456789012345678901234567890",
                true,
            ),
            (
                "123456789012345678901234567890",
                "123456789012345678901234567891",
                false,
            ),
            ("1", "true", false),
            ("1", "\"1\"", false),
        ] {
            let [left_json, right_json] =
                [left, right].map(|text| text.parse::<Json>().expect("is JSON"));
            assert_eq!(left_json == right_json, equal, "{left} = {right}");
        }
    }

    #[test]
    fn writes_what_it_reads() {
        for text in [
            r#"{"a":[1,2.50,null],"b":"\"\n☕","c":{}}"#,
            "123456789012345678901234567890",
            "[]",
        ] {
            assert_eq!(text.parse::<Json>().expect("is JSON").to_string(), text);
        }
    }

    #[test]
    fn refuses_what_is_not_json() {
        for text in ["", "{", "01", "nul", "[1,]", "\"a", "1 2", "NaN"] {
            assert!(text.parse::<Json>().is_err(), "{text}");
        }
    }
}
