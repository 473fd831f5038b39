//! Header fields of a response against the expected ones.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use http::HeaderMap;
use regex::Regex;

use crate::Mismatch;
use crate::mismatch::step;

static UUID: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("(?i)^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$").expect("is a valid pattern")
});

pub(crate) fn check(name: &str, expected: &str, headers: &HeaderMap) -> Option<Mismatch> {
    let values: Vec<_> = headers
        .get_all(name)
        .iter()
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
        .collect();
    let as_expected = match expected {
        "<<absent>>" => values.is_empty(),
        _ => !values.is_empty() && is_value(name, expected, &values),
    };
    let shown = if values.is_empty() {
        "nothing".to_owned()
    } else {
        format!("{:?}", values.join(", "))
    };
    (!as_expected).then(|| Mismatch::new(step("/headers", name), format!("{expected:?}"), shown))
}

/// Whether `values`, which a response has at least one of, are the `expected` value of field `name`.
fn is_value(name: &str, expected: &str, values: &[impl AsRef<str>]) -> bool {
    let joined = values
        .iter()
        .map(AsRef::as_ref)
        .collect::<Vec<_>>()
        .join(", ");
    match expected {
        "<<present>>" => return true,
        "<<uuid>>" => return UUID.is_match(&joined),
        _ => {}
    }
    if expected.contains(".*") {
        return Regex::new(&format!("^(?:{expected})$"))
            .is_ok_and(|pattern| pattern.is_match(&joined));
    }
    match name.to_ascii_lowercase().as_str() {
        "content-type" => is_media_type(expected, &joined),
        "vary" => members(expected).is_subset(&members(&joined)),
        "access-control-allow-methods"
        | "access-control-allow-headers"
        | "access-control-expose-headers" => members(expected) == members(&joined),
        // The only field whose values cannot be joined (RFC 9110, 5.3).
        "set-cookie" => values.iter().any(|value| value.as_ref() == expected),
        _ => joined == expected,
    }
}

/// The media type must be the same; of the parameters only those that are expected.
fn is_media_type(expected: &str, actual: &str) -> bool {
    let (expected_type, expected_parameters) = media_type(expected);
    let (actual_type, actual_parameters) = media_type(actual);
    expected_type == actual_type && expected_parameters.is_subset(&actual_parameters)
}

/// The media type and its parameters; names and the value of `charset` are case-insensitive (RFC 9110, 8.3).
fn media_type(field: &str) -> (String, BTreeSet<(String, String)>) {
    let mut parts = field.split(';');
    let essence = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
    let parameters = parts.filter_map(|part| {
        let (name, value) = part.split_once('=')?;
        let name = name.trim().to_ascii_lowercase();
        let value = value.trim().trim_matches('"');
        let value = if name == "charset" {
            value.to_ascii_lowercase()
        } else {
            value.to_owned()
        };
        Some((name, value))
    });
    (essence, parameters.collect())
}

/// The members of a list field, case-insensitive.
fn members(field: &str) -> BTreeSet<String> {
    field
        .split(',')
        .map(|member| member.trim().to_ascii_lowercase())
        .filter(|member| !member.is_empty())
        .collect()
}
