//! The grammar of a fixture: a JSON Schema, and where a file breaks it.

use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::Value;

use crate::Fault;

static GRAMMAR: LazyLock<Validator> = LazyLock::new(|| {
    let schema: Value =
        serde_json::from_str(include_str!("../../../testing_data/fixture.schema.json"))
            .expect("the grammar is JSON");
    jsonschema::validator_for(&schema).expect("the grammar is a JSON Schema")
});

/// Every place of `document` that breaks the grammar.
pub(crate) fn check(file: &str, document: &Value) -> Vec<Fault> {
    GRAMMAR
        .iter_errors(document)
        .map(|error| Fault {
            file: file.to_owned(),
            pointer: error.instance_path().to_string(),
            message: error.to_string(),
        })
        .collect()
}
