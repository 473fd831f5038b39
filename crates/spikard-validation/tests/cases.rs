//! Every keyword, in tables: a schema, a value, and the errors as they stand in the document.

use std::path::Path;

use serde_json::Value;
use spikard_problem::FieldError;
use spikard_validation::Validator;

#[test]
fn cases() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut failures = Vec::new();
    for entry in folder.read_dir().expect("the folder of tables") {
        let path = entry.expect("an entry of the folder").path();
        let text = std::fs::read_to_string(&path).expect("a readable table");
        let Ok(Value::Array(cases)) = serde_json::from_str(&text) else {
            panic!("{} is not a list of cases", path.display());
        };
        failures.extend(cases.iter().filter_map(|case| {
            let (schema, instance) = (&case["schema"], &case["instance"]);
            let validator = Validator::compile(schema).expect("is a schema");
            let errors = validator.errors(instance, &["body"]);
            let errors: Value = errors.iter().map(FieldError::to_json).collect();
            let is_valid = validator.is_valid(instance);
            let is_as_expected =
                errors == case["errors"] && is_valid == (case["errors"] == Value::Array(vec![]));
            (!is_as_expected).then(|| {
                let file = path.file_stem().unwrap_or_default().to_string_lossy();
                format!("{file}: valid: {is_valid}, errors: {errors:#}\n{case:#}")
            })
        }));
    }
    assert!(
        failures.is_empty(),
        "{}\n{} cases differ",
        failures.join("\n\n"),
        failures.len()
    );
}
