//! Cookies that a response sets against the expected ones.

use http::HeaderMap;
use http::header::SET_COOKIE;
use serde::Deserialize;

use crate::Mismatch;
use crate::mismatch::step;

/// A cookie that the response must set. Attributes that are `None` are not looked at, except the age: without
/// `max_age` the cookie must have none.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct ExpectedCookie {
    /// The value.
    pub value: String,
    /// `Max-Age`, in seconds.
    pub max_age: Option<i64>,
    /// `Path`.
    pub path: Option<String>,
    /// `Domain`; a leading dot does not count.
    pub domain: Option<String>,
    /// Whether `Secure` is there.
    pub secure: Option<bool>,
    /// Whether `HttpOnly` is there.
    pub httponly: Option<bool>,
    /// `SameSite`, case-insensitive.
    pub samesite: Option<String>,
}

/// One `Set-Cookie` field.
struct SetCookie {
    value: String,
    /// Names in lower case.
    attributes: Vec<(String, String)>,
}

impl SetCookie {
    /// Splits a field as a browser does (RFC 6265, 5.2).
    fn parse(field: &str) -> Option<(String, Self)> {
        let mut parts = field.split(';');
        let (name, value) = parts.next()?.split_once('=')?;
        let attributes = parts.map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (name.trim().to_ascii_lowercase(), value.trim().to_owned())
        });
        let cookie = Self {
            value: value.trim().to_owned(),
            attributes: attributes.collect(),
        };
        Some((name.trim().to_owned(), cookie))
    }

    /// The value of an attribute; of a repeated one the last.
    fn attribute(&self, name: &str) -> Option<&str> {
        let mut attributes = self.attributes.iter().rev();
        attributes
            .find(|(attribute, _)| attribute == name)
            .map(|(_, value)| value.as_str())
    }
}

pub(crate) fn check(
    name: &str,
    expected: &ExpectedCookie,
    headers: &HeaderMap,
    mismatches: &mut Vec<Mismatch>,
) {
    let place = step("/cookies", name);
    let cookie = headers
        .get_all(SET_COOKIE)
        .iter()
        .filter_map(|field| SetCookie::parse(&String::from_utf8_lossy(field.as_bytes())))
        .rfind(|(actual, _)| actual == name);
    let Some((_, cookie)) = cookie else {
        mismatches.push(Mismatch::new(place, "a cookie", "nothing"));
        return;
    };

    let mut require = |attribute: &str, as_expected: bool, expected: &str, actual: Option<&str>| {
        if !as_expected {
            let shown = actual.map_or_else(|| "nothing".to_owned(), |actual| format!("{actual:?}"));
            mismatches.push(Mismatch::new(step(&place, attribute), expected, shown));
        }
    };
    let value = &expected.value;
    require("value", cookie.value == *value, value, Some(&cookie.value));

    let age = cookie.attribute("max-age");
    if let Some(seconds) = expected.max_age {
        let as_expected = age.and_then(|age| age.parse().ok()) == Some(seconds);
        require("max_age", as_expected, &seconds.to_string(), age);
    } else {
        let age = age.or(cookie.attribute("expires"));
        require("max_age", age.is_none(), "nothing", age);
    }
    for (attribute, expected) in [
        ("path", &expected.path),
        ("domain", &expected.domain),
        ("samesite", &expected.samesite),
    ] {
        if let Some(expected) = expected {
            let actual = cookie.attribute(attribute);
            let as_expected = actual.is_some_and(|actual| match attribute {
                "domain" => domain(actual) == domain(expected),
                "samesite" => actual.eq_ignore_ascii_case(expected),
                _ => actual == expected,
            });
            require(attribute, as_expected, expected, actual);
        }
    }
    for (attribute, expected) in [("secure", expected.secure), ("httponly", expected.httponly)] {
        if let Some(expected) = expected {
            let actual = cookie.attribute(attribute);
            require(
                attribute,
                actual.is_some() == expected,
                &expected.to_string(),
                actual,
            );
        }
    }
}

/// Domains are case-insensitive, and a leading dot says nothing (RFC 6265, 5.2.3).
fn domain(value: &str) -> String {
    value.trim_start_matches('.').to_ascii_lowercase()
}
