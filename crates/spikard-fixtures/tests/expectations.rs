//! The comparison of responses, against the table that every implementation of it reads.

use http::header::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use spikard_fixtures::{Expectation, testing_data};

#[derive(Deserialize)]
struct Table {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    expected_response: Expectation,
    response: Response,
    mismatches: Vec<String>,
}

#[derive(Deserialize)]
struct Response {
    status_code: u16,
    headers: Vec<(String, String)>,
    content: String,
}

#[test]
fn finds_the_mismatches_of_the_table() {
    let text = std::fs::read_to_string(testing_data().join("expectations.json")).expect("exists");
    let table: Table = serde_json::from_str(&text).expect("is a table of cases");
    assert!(!table.cases.is_empty());

    for case in table.cases {
        let Response {
            status_code,
            headers: fields,
            content,
        } = case.response;
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(
                HeaderName::try_from(name).expect("is a name"),
                HeaderValue::try_from(value).expect("is a value"),
            );
        }
        let status = status_code.try_into().expect("is a status");

        let mismatches = case
            .expected_response
            .check(status, &headers, content.as_bytes());
        let mut places: Vec<_> = mismatches.iter().map(|mismatch| &mismatch.place).collect();
        places.sort();
        let mut expected: Vec<_> = case.mismatches.iter().collect();
        expected.sort();
        assert_eq!(places, expected, "{}: {mismatches:#?}", case.name);
    }
}
