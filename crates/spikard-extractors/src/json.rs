//! JSON content (RFC 8259): UTF-8 without byte order mark, at most 128 levels, finite numbers.
//!
//! The last of two equal names counts. Integers that do not fit 64 bits lose digits in a [`Json`], so they are told
//! apart: [`long_integers`] finds them in content that has been parsed.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value as Json;

use crate::Rejection;
use crate::convert::INTEGER_LIMIT_DIGITS;

/// Most levels of arrays and objects in each other.
const DEPTH_LIMIT: usize = 128;

/// The fewest digits of an integer past 64 bits.
const LONG_DIGITS: usize = 19;

/// The fewest digits of an integer past the range of a double.
const DOUBLE_DIGITS: usize = 309;

/// Parses the content of a request. None at all is an empty object.
///
/// # Errors
///
/// The content is not JSON in UTF-8, nests deeper than 128 levels, or has a number past the range of a double or an
/// integer of more than 4,300 digits.
pub fn parse_json(content: &[u8]) -> Result<Json, Rejection> {
    if content.is_empty() {
        return Ok(Json::Object(serde_json::Map::new()));
    }
    let error = match serde_json::from_slice(content) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    // The parser stops one level early, and takes no integer past the range of a double.
    let is_deep = depth(content) == DEPTH_LIMIT;
    let shortened = shorten_integers(content);
    if !is_deep && matches!(shortened, Cow::Borrowed(_)) {
        return Err(Rejection::JsonSyntax(error));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(&shortened);
    if is_deep {
        deserializer.disable_recursion_limit();
    }
    let value = Json::deserialize(&mut deserializer).map_err(Rejection::JsonSyntax)?;
    deserializer.end().map_err(Rejection::JsonSyntax)?;
    Ok(value)
}

/// Puts about the largest double in place of integers past the range of one, if they are not too long for an integer.
fn shorten_integers(content: &[u8]) -> Cow<'_, [u8]> {
    let mut shortened = Cow::Borrowed(content);
    if has_digits(content, DOUBLE_DIGITS) {
        for integer in long_integers(content, usize::MAX) {
            let start = integer.start + usize::from(integer.text.starts_with('-'));
            let digits = start..integer.start + integer.text.len();
            if (DOUBLE_DIGITS..=INTEGER_LIMIT_DIGITS).contains(&digits.len()) {
                let digits = &mut shortened.to_mut()[digits];
                digits.fill(b' ');
                digits[..5].copy_from_slice(b"1e308");
            }
        }
    }
    shortened
}

/// An integer past 64 bits.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct LongInteger<'c> {
    /// Names and indices on the way to it.
    pub(crate) place: Vec<String>,
    /// As it stands in the content.
    pub(crate) text: &'c str,
    /// Where in the content.
    start: usize,
}

/// The first integers past 64 bits in `content`, at most `limit`; what they are worth where that is no valid JSON, nobody knows.
pub(crate) fn long_integers(content: &[u8], limit: usize) -> Vec<LongInteger<'_>> {
    if !has_digits(content, LONG_DIGITS) {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut levels: Vec<Level<'_>> = Vec::new();
    let mut index = 0;
    while index < content.len() && found.len() < limit {
        let start = index;
        index += 1;
        match content[start] {
            b'"' => {
                index = end_of_string(content, start);
                if let Some(Level::Object {
                    name,
                    has_name: has_name @ false,
                }) = levels.last_mut()
                {
                    (*name, *has_name) = (&content[start..index], true);
                }
            }
            b'{' => levels.push(Level::Object {
                name: b"\"\"",
                has_name: false,
            }),
            b'[' => levels.push(Level::Array { index: 0 }),
            b'}' | b']' => {
                levels.pop();
            }
            b',' => match levels.last_mut() {
                Some(Level::Object { has_name, .. }) => *has_name = false,
                Some(Level::Array { index }) => *index += 1,
                None => {}
            },
            b'-' | b'0'..=b'9' => {
                let is_number =
                    |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
                let length = content[start..]
                    .iter()
                    .take_while(|byte| is_number(byte))
                    .count();
                index = start + length;
                let text = str::from_utf8(&content[start..index]).unwrap_or_default();
                if is_long_integer(text) {
                    let place = levels.iter().map(Level::segment).collect();
                    found.push(LongInteger { place, text, start });
                }
            }
            _ => {}
        }
    }
    found
}

/// An array or an object that is open, and the place in it.
enum Level<'c> {
    Object { name: &'c [u8], has_name: bool },
    Array { index: usize },
}

impl Level<'_> {
    fn segment(&self) -> String {
        match self {
            Self::Object { name, .. } => serde_json::from_slice(name).unwrap_or_default(),
            Self::Array { index } => index.to_string(),
        }
    }
}

fn is_long_integer(text: &str) -> bool {
    text.len() >= LONG_DIGITS
        && text.parse::<i64>().is_err()
        && text.parse::<u64>().is_err()
        && !text.contains(['.', 'e', 'E'])
}

/// Whether there are so many digits in a row anywhere.
fn has_digits(content: &[u8], count: usize) -> bool {
    // Such a row has a digit at one of every `count` positions; only around those is more to be looked at.
    let mut position = count - 1;
    while let Some(byte) = content.get(position) {
        if byte.is_ascii_digit() {
            let before = &content[position + 1 - count..position];
            let before = before
                .iter()
                .rev()
                .take_while(|byte| byte.is_ascii_digit())
                .count();
            let after = content[position..].iter().take(count);
            let after = after.take_while(|byte| byte.is_ascii_digit()).count();
            if before + after >= count {
                return true;
            }
        }
        position += count;
    }
    false
}

/// Refuses content that nests deeper than is parsed, for whoever parses it elsewhere.
///
/// # Errors
///
/// It does, or is no JSON before it comes that deep.
pub(crate) fn check_depth(content: &[u8]) -> Result<(), Rejection> {
    // Counting is fast, and little content has that many brackets at all.
    let has_levels = || {
        let openings = content.iter().filter(|byte| matches!(byte, b'[' | b'{'));
        openings.count() > DEPTH_LIMIT
    };
    if content.len() > DEPTH_LIMIT && has_levels() && depth(content) > DEPTH_LIMIT {
        parse_json(content).map(drop)
    } else {
        Ok(())
    }
}

/// How deep `content` nests, up to where it stops being JSON.
fn depth(content: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let mut index = 0;
    while index < content.len() {
        match content[index] {
            b'"' => {
                index = end_of_string(content, index);
                continue;
            }
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
        index += 1;
    }
    deepest
}

/// The position after the string that starts at `start`.
fn end_of_string(content: &[u8], start: usize) -> usize {
    let mut index = start + 1;
    while let Some(found) = content
        .get(index..)
        .and_then(|rest| memchr::memchr2(b'"', b'\\', rest))
    {
        index += found;
        if content[index] == b'"' {
            return index + 1;
        }
        index += 2;
    }
    content.len()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn nested(depth: usize) -> String {
        "[".repeat(depth) + &"]".repeat(depth)
    }

    #[test]
    fn parses_json() {
        for (content, expected) in [
            ("", json!({})),
            ("null", json!(null)),
            (
                " {\"a\": [1, -2.5e3, \"\\u00e9\\ud834\\udd1e\\u0000\"]}\n",
                json!({"a": [1, -2500.0, "é𝄞\0"]}),
            ),
            ("{\"a\":1,\"b\":2,\"a\":3}", json!({"a": 3, "b": 2})),
            ("18446744073709551615", json!(u64::MAX)),
            ("-9223372036854775808", json!(i64::MIN)),
            ("0.1", json!(0.1)),
            ("3.141592653589793", json!(std::f64::consts::PI)),
            ("1.7976931348623157e308", json!(f64::MAX)),
            (
                "2.2250738585072011e-308",
                json!(f64::from_bits(0x000f_ffff_ffff_ffff)),
            ),
            ("1e-999", json!(0.0)),
        ] {
            let value = parse_json(content.as_bytes()).expect(content);
            assert_eq!(value, expected, "content: {content}");
        }
    }

    #[test]
    fn refuses_what_is_not_json() {
        let deep = nested(2_000_000);
        let unclosed = "[".repeat(2_000_000);
        let objects = "{\"a\":".repeat(129) + "1" + &"}".repeat(129);
        let long = "9".repeat(4301);
        for content in [
            " ",
            "{",
            "{a:1}",
            "[1,]",
            "[1] 2",
            "'a'",
            "01",
            "+1",
            "1.",
            "True",
            "NaN",
            "Infinity",
            "-Infinity",
            "1e999",
            "-1e999",
            "\"\\ud800\"",
            "\"\\udc00\"",
            "\"\\ud800\\u0041\"",
            "\"a\nb\"",
            "\u{feff}{}",
            "\"",
            "\"\\",
            &nested(129),
            &deep,
            &unclosed,
            &objects,
            &long,
            &format!("[\"{}\", -{long}]", nested(128)),
        ] {
            let shown = &content[..content.len().min(40)];
            assert!(parse_json(content.as_bytes()).is_err(), "content: {shown}");
        }
        for content in [&b"\"\xff\""[..], b"\xff\xfe{\0}\0", b"\"\xed\xa0\x80\""] {
            assert!(parse_json(content).is_err(), "content: {content:?}");
        }
    }

    #[test]
    fn nests_up_to_128_levels() {
        for depth in [1, 126, 127, 128] {
            assert!(
                parse_json(nested(depth).as_bytes()).is_ok(),
                "depth: {depth}"
            );
            let content = format!("{} ]", nested(depth));
            assert!(parse_json(content.as_bytes()).is_err(), "depth: {depth}");
        }
    }

    #[test]
    fn integers_past_a_double_are_shortened() {
        let (long, longest) = ("7".repeat(309), "7".repeat(4300));
        for (content, expected) in [
            (long.clone(), json!(1e308)),
            (
                format!("[\"{long}\", -{longest}, 1]"),
                json!([long, -1e308, 1]),
            ),
        ] {
            let value = parse_json(content.as_bytes()).expect("is JSON");
            assert_eq!(value, expected);
        }
        let both = format!("{}{longest}{}", "[".repeat(128), "]".repeat(128));
        assert!(parse_json(both.as_bytes()).is_ok());
    }

    #[test]
    fn finds_long_integers() {
        let found = |place: &[&str], text| {
            let place: Vec<String> = place.iter().map(ToString::to_string).collect();
            (place, text)
        };
        let longest = "7".repeat(4300);
        let table = [
            ("18446744073709551615", vec![]),
            (
                "18446744073709551616",
                vec![found(&[], "18446744073709551616")],
            ),
            ("-9223372036854775808", vec![]),
            (
                "-9223372036854775809",
                vec![found(&[], "-9223372036854775809")],
            ),
            (
                "[1e30, 100000000000000000000.0, \"100000000000000000000\"]",
                vec![],
            ),
            (
                "{\"a\": {\"b\\u0020c\": [1, {\"\": 100000000000000000000}]}, \"100000000000000000000\": 1}",
                vec![found(&["a", "b c", "1", ""], "100000000000000000000")],
            ),
            (
                "[[], {}, [[1], 100000000000000000001], {\"x\": \"y\", \"z\": 100000000000000000002}]",
                vec![
                    found(&["2", "1"], "100000000000000000001"),
                    found(&["3", "z"], "100000000000000000002"),
                ],
            ),
            (
                "{\"a\\\"\": [\"\\\\\", 100000000000000000000]}",
                vec![found(&["a\"", "1"], "100000000000000000000")],
            ),
            (&*longest, vec![found(&[], &*longest)]),
            ("[\"\"]", vec![]),
        ];
        for (content, expected) in table {
            parse_json(content.as_bytes()).expect(content);
            let integers: Vec<_> = long_integers(content.as_bytes(), 100)
                .into_iter()
                .map(|integer| (integer.place, integer.text))
                .collect();
            assert_eq!(integers, expected, "content: {content}");
        }
    }

    #[test]
    fn finds_digits_in_a_row_anywhere() {
        for length in [18, 19, 20, 40] {
            for before in 0..40 {
                for after in [0, 1, 30] {
                    let digits = "8".repeat(length);
                    let content = format!("{}{digits}{}", "x1".repeat(before), "y".repeat(after));
                    // The digit before joins the row.
                    let length = length + usize::from(before > 0);
                    assert_eq!(
                        has_digits(content.as_bytes(), 19),
                        length >= 19,
                        "{content}"
                    );
                }
            }
        }
    }
}
