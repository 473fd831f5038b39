//! The fixtures of this workspace.

use std::collections::HashSet;

use spikard_fixtures::{Content, read_folder, testing_data};

#[test]
fn follows_the_grammar() {
    let fixtures = read_folder(testing_data()).unwrap_or_else(|error| panic!("{error}"));
    assert!(!fixtures.is_empty());
}

#[test]
fn requests_are_requests() {
    for fixture in read_folder(testing_data()).unwrap_or_else(|error| panic!("{error}")) {
        if let Content::Exchange(exchange) = &fixture.content
            && let Err(error) = exchange.request.to_http()
        {
            panic!("{}/{}: {error}", fixture.category, fixture.name);
        }
    }
}

#[test]
fn names_are_unique_in_a_category() {
    let mut names = HashSet::new();
    for fixture in read_folder(testing_data()).unwrap_or_else(|error| panic!("{error}")) {
        if let Content::Exchange(exchange) = fixture.content {
            let name = format!("{}: {}", fixture.category, exchange.name);
            assert!(names.insert(name.clone()), "{name} occurs twice");
        }
    }
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let error = read_folder(testing_data().join("no such folder")).expect_err("does not exist");
    assert!(
        error.to_string().ends_with("no such folder cannot be read"),
        "{error}"
    );
}
