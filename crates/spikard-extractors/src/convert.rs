//! Text to one value of a declared type.

use std::borrow::Cow;

use spikard_core::{ParameterType, Value, format};
use spikard_problem::Cause;

/// Longer integers are refused: reading decimal digits takes quadratic time in many languages.
pub(crate) const INTEGER_LIMIT_DIGITS: usize = 4300;

/// How a text becomes a single value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Conversion {
    String,
    Integer,
    Number,
    Boolean,
    Uuid,
    Date,
    DateTime,
    Time,
    Duration,
    Decimal,
}

/// A text that is not of the declared type, and why.
#[derive(Debug, PartialEq)]
pub(crate) struct Refusal<'r> {
    pub(crate) cause: Cause,
    pub(crate) text: Cow<'r, str>,
}

impl Conversion {
    /// The conversion to `ty`; `None` if that is not a single value.
    pub(crate) fn new(ty: &ParameterType) -> Option<Self> {
        Some(match ty {
            ParameterType::String => Self::String,
            ParameterType::Integer => Self::Integer,
            ParameterType::Number => Self::Number,
            ParameterType::Boolean => Self::Boolean,
            ParameterType::Uuid => Self::Uuid,
            ParameterType::Date => Self::Date,
            ParameterType::DateTime => Self::DateTime,
            ParameterType::Time => Self::Time,
            ParameterType::Duration => Self::Duration,
            ParameterType::Decimal => Self::Decimal,
            _ => return None,
        })
    }

    /// The value that `text` stands for. Formats are checked, and kept as sent.
    pub(crate) fn convert(self, text: Cow<'_, str>) -> Result<Value<'_>, Refusal<'_>> {
        let refusal = |cause, text| Refusal { cause, text };
        let (has_format, cause): (fn(&str) -> bool, Cause) = match self {
            Self::String => return Ok(Value::String(text)),
            Self::Integer => return integer(&text).ok_or_else(|| refusal(Cause::Integer, text)),
            Self::Number => return number(&text).ok_or_else(|| refusal(Cause::Number, text)),
            Self::Boolean => return boolean(&text).ok_or_else(|| refusal(Cause::Boolean, text)),
            Self::Uuid => (format::is_uuid, Cause::Uuid),
            Self::Date => (format::is_date, Cause::Date),
            Self::DateTime => (format::is_date_time, Cause::DateTime),
            Self::Time => (format::is_time, Cause::Format("time")),
            Self::Duration => (format::is_duration, Cause::Format("duration")),
            Self::Decimal => (format::is_decimal, Cause::Format("decimal")),
        };
        if has_format(&text) {
            Ok(Value::String(text))
        } else {
            Err(refusal(cause, text))
        }
    }
}

/// Optional sign, digits. Past 64 bits the digits are kept, without plus sign and leading zeros.
fn integer<'r>(text: &Cow<'r, str>) -> Option<Value<'r>> {
    if let Ok(value) = text.parse() {
        return Some(Value::Integer(value));
    }
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let significant = digits.trim_start_matches('0');
    let is_digits = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    if significant.len() > INTEGER_LIMIT_DIGITS || !is_digits {
        return None;
    }
    let sign = if is_negative { "-" } else { "" };
    Some(Value::BigInteger(
        if text.len() == sign.len() + significant.len() {
            text.clone()
        } else {
            Cow::Owned(format!("{sign}{significant}"))
        },
    ))
}

/// Integer, decimal or exponent. What the float parser takes besides, infinities and NaN, is not finite.
fn number(text: &str) -> Option<Value<'static>> {
    let number: f64 = text.parse().ok()?;
    number.is_finite().then_some(Value::Number(number))
}

/// The words for true and false, in any case. No text is false.
fn boolean(text: &str) -> Option<Value<'static>> {
    let is_one_of = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is_one_of(&["true", "1", "yes", "on"]) {
        Some(Value::Boolean(true))
    } else if is_one_of(&["false", "0", "no", "off", ""]) {
        Some(Value::Boolean(false))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn convert(conversion: Conversion, text: &str) -> Result<Value<'_>, Cause> {
        let result = conversion.convert(Cow::Borrowed(text));
        result.map_err(|refusal| {
            assert_eq!(refusal.text, text);
            refusal.cause
        })
    }

    #[test]
    fn integers() {
        let big = |digits| Some(Value::BigInteger(Cow::Borrowed(digits)));
        let digits = |digit: &str, count| digit.repeat(count);
        let (longest, too_long) = (digits("9", 4300), digits("9", 4301));
        let many_zeros = format!("{}7", digits("0", 5000));
        for (text, expected) in [
            ("0", Some(Value::Integer(0))),
            ("42", Some(Value::Integer(42))),
            ("-42", Some(Value::Integer(-42))),
            ("+42", Some(Value::Integer(42))),
            ("-0", Some(Value::Integer(0))),
            ("0123", Some(Value::Integer(123))),
            ("9223372036854775807", Some(Value::Integer(i64::MAX))),
            ("-9223372036854775808", Some(Value::Integer(i64::MIN))),
            ("9223372036854775808", big("9223372036854775808")),
            ("-9223372036854775809", big("-9223372036854775809")),
            ("+0009223372036854775808", big("9223372036854775808")),
            ("-0009223372036854775809", big("-9223372036854775809")),
            (&longest, big(&longest)),
            (&too_long, None),
            (&many_zeros, Some(Value::Integer(7))),
            ("", None),
            ("-", None),
            ("+", None),
            ("--1", None),
            ("+-1", None),
            ("42.5", None),
            ("42.0", None),
            ("1e3", None),
            (" 1", None),
            ("1 ", None),
            ("1_0", None),
            ("0x10", None),
            ("٣", None),
            ("99999999999999999999x", None),
            ("99999999999999999999 ", None),
            ("true", None),
        ] {
            let expected = expected.ok_or(Cause::Integer);
            assert_eq!(convert(Conversion::Integer, text), expected, "text: {text}");
        }
    }

    #[test]
    fn a_big_integer_as_sent_is_borrowed() {
        let value = convert(Conversion::Integer, "9223372036854775808");
        assert!(matches!(value, Ok(Value::BigInteger(Cow::Borrowed(_)))));
    }

    #[test]
    fn numbers() {
        for (text, expected) in [
            ("0", Some(0.0)),
            ("42", Some(42.0)),
            ("-0.5", Some(-0.5)),
            ("+1.25", Some(1.25)),
            ("1.5e-3", Some(0.0015)),
            ("1E3", Some(1000.0)),
            (".5", Some(0.5)),
            ("5.", Some(5.0)),
            ("0007", Some(7.0)),
            ("1e-999", Some(0.0)),
            (
                "123456789012345678901234567890",
                Some(1.234_567_890_123_456_8e29),
            ),
            ("", None),
            (".", None),
            ("e5", None),
            ("1e", None),
            ("1e999", None),
            ("-1e999", None),
            ("inf", None),
            ("-Infinity", None),
            ("nan", None),
            ("NaN", None),
            (" 1", None),
            ("1 ", None),
            ("1_0", None),
            ("1,5", None),
            ("0x1p3", None),
        ] {
            let expected = expected.map(Value::Number).ok_or(Cause::Number);
            assert_eq!(convert(Conversion::Number, text), expected, "text: {text}");
        }
    }

    #[test]
    fn booleans() {
        for (text, expected) in [
            ("true", Some(true)),
            ("True", Some(true)),
            ("1", Some(true)),
            ("YES", Some(true)),
            ("on", Some(true)),
            ("false", Some(false)),
            ("FALSE", Some(false)),
            ("0", Some(false)),
            ("no", Some(false)),
            ("Off", Some(false)),
            ("", Some(false)),
            ("2", None),
            ("t", None),
            ("y", None),
            (" true", None),
            ("null", None),
        ] {
            let expected = expected.map(Value::Boolean).ok_or(Cause::Boolean);
            assert_eq!(convert(Conversion::Boolean, text), expected, "text: {text}");
        }
    }

    #[test]
    fn formats_stay_as_sent() {
        for (conversion, valid, invalid, cause) in [
            (
                Conversion::Uuid,
                "C892496F-b1fd-4b91-bdb8-b46f92df1716",
                "not-a-uuid",
                Cause::Uuid,
            ),
            (Conversion::Date, "2024-02-29", "2023-02-29", Cause::Date),
            (
                Conversion::DateTime,
                "2024-02-29T23:59:59.5+02:00",
                "2024-02-29",
                Cause::DateTime,
            ),
            (
                Conversion::Time,
                "23:59:59",
                "24:00:00",
                Cause::Format("time"),
            ),
            (
                Conversion::Duration,
                "P1DT2H30M",
                "1 day",
                Cause::Format("duration"),
            ),
            (
                Conversion::Decimal,
                "0010.500",
                "1e5",
                Cause::Format("decimal"),
            ),
        ] {
            let kept = Value::String(Cow::Borrowed(valid));
            assert_eq!(convert(conversion, valid), Ok(kept), "{conversion:?}");
            for text in [invalid, ""] {
                assert_eq!(
                    convert(conversion, text),
                    Err(cause.clone()),
                    "text: {text}"
                );
            }
        }
    }

    #[test]
    fn strings_are_never_refused() {
        for text in ["", " ", "25", "true", "\0", "𝄞"] {
            let kept = Value::String(Cow::Borrowed(text));
            assert_eq!(convert(Conversion::String, text), Ok(kept));
        }
    }
}
