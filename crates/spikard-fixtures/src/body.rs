//! The content of a response against the expected one.

use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};

use crate::mismatch::step;
use crate::{Expectation, Json, Mismatch};

/// Stands for any string inside an expected content.
const ANY_STRING: &str = ".*";

pub(crate) fn check(
    expectation: &Expectation,
    status: StatusCode,
    headers: &HeaderMap,
    content: &[u8],
    mismatches: &mut Vec<Mismatch>,
) {
    if let Some(expected) = &expectation.body {
        let is_error = expectation.status_code >= 400;
        check_body(expected, is_error, status, headers, content, mismatches);
    }
    if let Some(expected) = &expectation.validation_errors {
        let actual = parse(content).ok();
        let errors = actual.as_ref().and_then(|document| document.get("errors"));
        match errors {
            Some(errors) => check_errors(expected, errors, "/validation_errors", mismatches),
            None => mismatches.push(Mismatch::new(
                "/validation_errors",
                "a list of errors",
                shown(content),
            )),
        }
    }
}

fn check_body(
    expected: &Json,
    is_error: bool,
    status: StatusCode,
    headers: &HeaderMap,
    content: &[u8],
    mismatches: &mut Vec<Mismatch>,
) {
    if let Json::String(text) = expected
        && !is_json(headers)
    {
        let as_expected = if text == ANY_STRING {
            std::str::from_utf8(content).is_ok()
        } else {
            text.as_bytes() == content
        };
        if !as_expected {
            mismatches.push(Mismatch::new("/body", expected, shown(content)));
        }
        return;
    }
    // Responses of these statuses have no content (RFC 9110, 15); null is all that can be said of it.
    if *expected == Json::Null && matches!(status.as_u16(), 204 | 205 | 304) && content.is_empty() {
        return;
    }
    match parse(content) {
        Ok(actual) if is_error => check_members(expected, &actual, mismatches),
        Ok(actual) => compare(expected, &actual, "/body", mismatches),
        Err(error) => {
            mismatches.push(Mismatch::new(
                "/body",
                expected,
                format!("{} ({error})", shown(content)),
            ));
        }
    }
}

/// An error document: it may have more members than the expected ones.
fn check_members(expected: &Json, actual: &Json, mismatches: &mut Vec<Mismatch>) {
    let (Json::Object(members), Json::Object(actual_members)) = (expected, actual) else {
        return compare(expected, actual, "/body", mismatches);
    };
    for (name, expected) in members {
        let place = step("/body", name);
        match (actual_members.get(name), expected) {
            (None, _) => mismatches.push(Mismatch::new(place, expected, "nothing")),
            (Some(actual), Json::Array(errors))
                if name == "errors" && errors.iter().all(|error| error.get("loc").is_some()) =>
            {
                check_errors(errors, actual, &place, mismatches);
            }
            (Some(actual), _) => compare(expected, actual, &place, mismatches),
        }
    }
}

/// Exact comparison by value.
fn compare(expected: &Json, actual: &Json, place: &str, mismatches: &mut Vec<Mismatch>) {
    match (expected, actual) {
        (Json::String(text), Json::String(_)) if text == ANY_STRING => {}
        (Json::Object(expected), Json::Object(actual)) => {
            for (name, expected) in expected {
                match actual.get(name) {
                    Some(actual) => compare(expected, actual, &step(place, name), mismatches),
                    None => mismatches.push(Mismatch::new(step(place, name), expected, "nothing")),
                }
            }
            for (name, actual) in actual {
                if !expected.contains_key(name) {
                    mismatches.push(Mismatch::new(step(place, name), "nothing", actual));
                }
            }
        }
        (Json::Array(expected), Json::Array(actual)) if expected.len() == actual.len() => {
            for (index, (expected, actual)) in expected.iter().zip(actual).enumerate() {
                compare(expected, actual, &step(place, index), mismatches);
            }
        }
        _ if expected == actual => {}
        _ => mismatches.push(Mismatch::new(place, expected, actual)),
    }
}

/// Lists of errors are equal in any order: each expected entry needs one of its own.
fn check_errors(expected: &[Json], actual: &Json, place: &str, mismatches: &mut Vec<Mismatch>) {
    let Some(actual) = actual.as_array() else {
        mismatches.push(Mismatch::new(place, "a list of errors", actual));
        return;
    };
    if expected.len() != actual.len() {
        mismatches.push(Mismatch::new(
            place,
            format!("{} errors", expected.len()),
            format!("{} errors", actual.len()),
        ));
    }
    let mut taken = vec![None; actual.len()];
    for (index, error) in expected.iter().enumerate() {
        if !assign(
            index,
            expected,
            actual,
            &mut taken,
            &mut vec![false; actual.len()],
        ) {
            let nearest = actual
                .iter()
                .find(|entry| entry.get("loc") == error.get("loc"));
            let shown =
                nearest.map_or_else(|| "no error at this place".to_owned(), Json::to_string);
            mismatches.push(Mismatch::new(step(place, index), error, shown));
        }
    }
}

/// Finds an actual entry for `expected[index]`, moving earlier ones to other entries that fit them too.
fn assign(
    index: usize,
    expected: &[Json],
    actual: &[Json],
    taken: &mut [Option<usize>],
    visited: &mut [bool],
) -> bool {
    for (slot, entry) in actual.iter().enumerate() {
        if visited[slot] || !is_error(&expected[index], entry) {
            continue;
        }
        visited[slot] = true;
        if taken[slot].is_none_or(|holder| assign(holder, expected, actual, taken, visited)) {
            taken[slot] = Some(index);
            return true;
        }
    }
    false
}

/// Whether `actual` is the error that `expected` describes: the place, and what else is given.
fn is_error(expected: &Json, actual: &Json) -> bool {
    let equal = |expected: &Json, actual: Option<&Json>| {
        let mut mismatches = Vec::new();
        match actual {
            Some(actual) => compare(expected, actual, "", &mut mismatches),
            None => return false,
        }
        mismatches.is_empty()
    };
    ["loc", "type", "msg", "input"].iter().all(|key| {
        expected
            .get(key)
            .is_none_or(|value| equal(value, actual.get(key)))
    }) && match expected.get("ctx") {
        Some(Json::Object(members)) => members.iter().all(|(name, value)| {
            let actual = actual.get("ctx").and_then(|ctx| ctx.get(name));
            equal(value, actual)
        }),
        Some(value) => equal(value, actual.get("ctx")),
        None => true,
    }
}

/// Whether the response says that its content is JSON.
fn is_json(headers: &HeaderMap) -> bool {
    let field = headers
        .get(CONTENT_TYPE)
        .and_then(|field| field.to_str().ok());
    let media_type = field
        .and_then(|field| field.split(';').next())
        .unwrap_or_default();
    let media_type = media_type.trim().to_ascii_lowercase();
    media_type == "application/json" || media_type.ends_with("+json")
}

fn parse(content: &[u8]) -> Result<Json, String> {
    let text = std::str::from_utf8(content).map_err(|error| error.to_string())?;
    text.parse()
        .map_err(|error: serde_json::Error| error.to_string())
}

/// The content as a person can read it.
fn shown(content: &[u8]) -> String {
    if content.is_empty() {
        return "no content".to_owned();
    }
    format!("the content {:?}", String::from_utf8_lossy(content))
}
