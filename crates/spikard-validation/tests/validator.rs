//! What a validator does beyond its keywords: schemas that are refused, unions, known errors, bounds.

use std::sync::Arc;

use serde_json::{Value, json};
use spikard_problem::{Cause, FieldError};
use spikard_validation::{SchemaError, Validator};

fn compile(schema: &Value) -> Validator {
    Validator::compile(schema).expect("is a schema")
}

/// Places, codes and messages.
fn summary(errors: &[FieldError]) -> Vec<(String, String, String)> {
    let summary = errors.iter().map(|error| {
        let (loc, code, message) = (error.loc().join("."), error.code(), error.message());
        (loc, code.to_owned(), message.to_owned())
    });
    summary.collect()
}

#[test]
fn refuses_schemas_with_place_and_reason() {
    for (schema, expected) in [
        (json!(5), "schema is not valid at `#`: 5 is not of types"),
        (
            json!({"type": "strin"}),
            "schema is not valid at `#/type`: \"strin\" is not one of",
        ),
        (
            json!({"properties": {"a/b": {"minimum": "x"}}}),
            "schema is not valid at `#/properties/a~1b/minimum`: \"x\" is not of type \"number\"",
        ),
        (
            json!({"definitions": {"x": {"type": 5}}}),
            "schema is not valid at `#/definitions/x/type`: 5 is not",
        ),
        (
            json!({"properties": {"a": {"pattern": "["}}}),
            "schema is not valid at `#/properties/a/pattern`: \"[\" is",
        ),
        (
            json!({"multipleOf": 0}),
            "schema is not valid at `#/multipleOf`: 0 is less than or equal to",
        ),
        (
            json!({"items": [{}]}),
            "schema is not valid at `#/items`: [{}] is not of types \"boolean\", \"object\"",
        ),
        (
            json!({"$schema": "http://json-schema.org/draft-07/schema#", "required": "a"}),
            "schema is not valid at `#/required`: \"a\" is not of type \"array\"",
        ),
        (
            json!({"properties": {"a": {"$ref": "#/$defs/x"}}}),
            "schema has a reference that cannot be resolved: Pointer '/$defs/x' does not exist",
        ),
        (
            json!({"$ref": "#x"}),
            "schema has a reference that cannot be resolved: Anchor 'x' does not exist",
        ),
        (
            json!({"$ref": "https://example.com/s"}),
            "schema has a reference that cannot be resolved: Resource",
        ),
        (
            json!({"$ref": "file:///etc/hostname"}),
            "schema has a reference that cannot be resolved: Resource",
        ),
        (
            json!({"$ref": "other.json"}),
            "schema has a reference that cannot be resolved: Resource 'other.json'",
        ),
        (
            json!({"$schema": "https://example.com/s"}),
            "schema has a reference that cannot be resolved: Unknown",
        ),
    ] {
        let error = Validator::compile(&schema)
            .expect_err("is not a schema")
            .to_string();
        assert!(error.starts_with(expected), "{schema}: {error}");
    }
    assert_eq!(
        Validator::compile(&json!({"properties": {"a": {"minLength": "1"}}})).unwrap_err(),
        SchemaError::Keyword {
            location: "#/properties/a/minLength".to_owned(),
            reason: "\"1\" is not of type \"integer\"".to_owned(),
        }
    );
}

#[test]
fn a_schema_that_refers_to_itself_at_once_ends() {
    for schema in [
        json!({"$ref": "#"}),
        json!({"allOf": [{"$ref": "#"}]}),
        json!({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}}),
    ] {
        let validator = compile(&schema);
        assert!(validator.is_valid(&json!(1)), "{schema}");
        assert!(validator.errors(&json!(1), &[]).is_empty(), "{schema}");
    }
}

#[test]
fn is_shared_by_threads() {
    let validator = Arc::new(compile(&json!({"type": "integer"})));
    let threads = (0..2).map(|number| {
        let validator = Arc::clone(&validator);
        std::thread::spawn(move || validator.is_valid(&json!(number)))
    });
    assert!(
        threads
            .collect::<Vec<_>>()
            .into_iter()
            .all(|thread| thread.join().unwrap_or(false))
    );
}

#[test]
fn the_root_is_any_place() {
    let validator = compile(&json!({"items": {"type": "integer"}}));
    for (root, expected) in [
        (&["body"][..], json!(["body", "1"])),
        (&["query", "ids"], json!(["query", "ids", "1"])),
        (&[], json!(["1"])),
    ] {
        let errors = validator.errors(&json!([1, "2"]), root);
        assert_eq!(json!(errors[0].loc()), expected);
    }
}

#[test]
fn known_errors_are_not_told_twice() {
    let schema = json!({
        "type": "object",
        "required": ["age", "name", "tags", "zip"],
        "properties": {
            "age": {"type": "integer", "enum": [1, 2]},
            "ages": {"type": "integer"},
            "tags": {"type": "array", "items": {"type": "integer"}, "maxItems": 1},
        },
    });
    let instance = json!({"age": "x", "ages": "y", "tags": ["a", "b"], "name": "Ada"});
    let known = vec![
        FieldError::new(["body", "tags", "1"], Cause::Integer, Some("b")),
        FieldError::new(["body", "age"], Cause::Integer, Some("x")),
    ];
    let errors = compile(&schema).errors_besides(known, &instance, &["body"]);
    let places: Vec<_> = errors
        .iter()
        .map(|error| (error.loc().join("."), error.code()))
        .collect();
    let expected = [
        ("body.age", "int_parsing"),
        ("body.ages", "int_parsing"),
        ("body.tags", "too_long"),
        ("body.tags.0", "int_parsing"),
        ("body.tags.1", "int_parsing"),
        ("body.zip", "missing"),
    ];
    assert_eq!(places, expected.map(|(loc, code)| (loc.to_owned(), code)));

    let whole = vec![FieldError::new(["body"], Cause::other("cut off"), None)];
    let errors = compile(&schema).errors_besides(whole.clone(), &instance, &["body"]);
    assert_eq!(errors, whole);
}

#[test]
fn unions_are_narrowed_to_the_branch_that_is_meant() {
    let model = |tag: &str, field: &str| {
        json!({
            "type": "object",
            "required": ["type", field],
            "properties": {"type": {"enum": [tag]}, field: {"type": "integer"}},
        })
    };
    let (cat, dog) = (model("Cat", "lives"), model("Dog", "bones"));
    let optional =
        json!({"anyOf": [{"$ref": "#/$defs/Cat"}, {"type": "null"}], "$defs": {"Cat": cat}});
    let pets = json!({"anyOf": [cat, dog]});
    let optional_pets = json!({"oneOf": [pets, {"type": "null"}]});
    let scalars = json!({"anyOf": [{"type": "string", "maxLength": 2}, {"type": "integer"}, {"type": "null"}]});
    let plain = json!({"anyOf": [
        {"type": "object", "required": ["id", "a"], "properties": {"a": {"type": "integer"}}},
        {"type": "object", "required": ["id", "b"], "properties": {"b": {"type": "integer"}}},
    ]});
    let constants = json!({"anyOf": [{"const": "a"}, {"enum": ["b", "c"]}, {"const": null}]});
    let literal = json!({"anyOf": [false, {"enum": ["auto", "none"]}, {"$ref": "#/$defs/Cat"}], "$defs": {"Cat": cat}});
    let integer = "Input should be a valid integer, unable to parse string as an integer";
    let whole = "Must match at least one schema (anyOf), but matched 0";
    // Schema, instance, place, code, message.
    for (schema, instance, expected) in [
        (&optional, json!(null), &[][..]),
        (
            &optional,
            json!({"type": "Cat", "lives": "9"}),
            &[("body.lives", "int_parsing", integer)],
        ),
        (
            &optional,
            json!({"type": "Cat"}),
            &[("body.lives", "missing", "Field required")],
        ),
        (
            &optional,
            json!({"type": "Dog", "lives": 9}),
            &[("body.type", "enum", "Input should be 'Cat'")],
        ),
        (
            &optional,
            json!(5),
            &[("body", "dict_type", "Input should be a valid dictionary")],
        ),
        (
            &pets,
            json!({"type": "Dog", "bones": "x"}),
            &[("body.bones", "int_parsing", integer)],
        ),
        (
            &pets,
            json!({"type": "Dog"}),
            &[("body.bones", "missing", "Field required")],
        ),
        (
            &pets,
            json!({"type": "Cow"}),
            &[("body.type", "enum", "Input should be 'Cat' or 'Dog'")],
        ),
        (
            &pets,
            json!({"lives": 9}),
            &[("body.type", "missing", "Field required")],
        ),
        (
            &pets,
            json!([]),
            &[("body", "dict_type", "Input should be a valid dictionary")],
        ),
        (
            &optional_pets,
            json!({"type": "Dog", "bones": "x"}),
            &[("body.bones", "int_parsing", integer)],
        ),
        (
            &optional_pets,
            json!({"type": "Cow"}),
            &[("body.type", "enum", "Input should be 'Cat' or 'Dog'")],
        ),
        (&scalars, json!(null), &[]),
        (
            &scalars,
            json!("abc"),
            &[(
                "body",
                "string_too_long",
                "String should have at most 2 characters",
            )],
        ),
        (
            &scalars,
            json!([]),
            &[(
                "body",
                "validation_error",
                "Input should be a valid integer or string",
            )],
        ),
        (&constants, json!("c"), &[]),
        (
            &constants,
            json!("d"),
            &[("body", "enum", "Input should be 'a', 'b', 'c' or null")],
        ),
        (&literal, json!("auto"), &[]),
        (
            &literal,
            json!("x"),
            &[("body", "enum", "Input should be 'auto' or 'none'")],
        ),
        (
            &literal,
            json!({"type": "Cat", "lives": "9"}),
            &[("body.lives", "int_parsing", integer)],
        ),
        (
            &plain,
            json!({"b": 1}),
            &[("body.id", "missing", "Field required")],
        ),
        (
            &plain,
            json!({"id": 1}),
            &[("body", "validation_error", whole)],
        ),
    ] {
        let validator = compile(schema).with_narrowed_unions();
        let expected = expected.iter().map(|(loc, code, message)| {
            ((*loc).to_owned(), (*code).to_owned(), (*message).to_owned())
        });
        let expected: Vec<_> = expected.collect();
        assert_eq!(
            summary(&validator.errors(&instance, &["body"])),
            expected,
            "{schema}: {instance}"
        );
        assert_eq!(
            validator.is_valid(&instance),
            expected.is_empty(),
            "{schema}: {instance}"
        );
    }
}

#[test]
fn narrowed_unions_keep_their_places() {
    let schema = json!({
        "properties": {"pets": {"items": {"anyOf": [
            {"type": "object", "required": ["type"], "properties": {"type": {"const": "Cat"}}},
            {"type": "object", "required": ["type"], "properties": {"type": {"const": "Dog"}}},
        ]}}},
    });
    let instance = json!({"pets": [{"type": "Cat"}, {"type": "Cow"}, {}, 1]});
    let errors = compile(&schema)
        .with_narrowed_unions()
        .errors(&instance, &["body"]);
    let errors: Value = errors.iter().map(FieldError::to_json).collect();
    assert_eq!(
        errors,
        json!([
            {
                "type": "enum", "loc": ["body", "pets", "1", "type"], "msg": "Input should be 'Cat' or 'Dog'",
                "input": "Cow", "ctx": {"expected": "'Cat' or 'Dog'"},
            },
            {"type": "missing", "loc": ["body", "pets", "2", "type"], "msg": "Field required", "input": {}},
            {
                "type": "dict_type", "loc": ["body", "pets", "3"], "msg": "Input should be a valid dictionary",
                "input": 1,
            },
        ])
    );
}

#[test]
fn a_list_ends_after_a_thousand_errors() {
    let validator = compile(&json!({"items": {"type": "string"}}));
    for (count, expected) in [
        (999, 999),
        (1000, 1000),
        (1001, 1000),
        (150_000, 1000),
        (250_000, 1),
    ] {
        let instance = Value::Array(vec![json!(0); count]);
        assert_eq!(
            validator.errors(&instance, &["body"]).len(),
            expected,
            "{count} wrong items"
        );
    }
}

#[test]
fn inputs_together_are_not_much_larger_than_a_request() {
    // Every error has the whole object as its input.
    let validator = compile(&json!({"properties": {"a": {}}, "additionalProperties": false}));
    for count in [100, 1000, 50_000] {
        let instance: Value = (0..count)
            .map(|index| (format!("surplus_{index}"), json!(index)))
            .collect();
        let errors = validator.errors(&instance, &["body"]);
        let text: String = errors
            .iter()
            .map(|error| error.to_json().to_string())
            .collect();
        assert!(
            text.len() < 2 << 20,
            "{count} surplus properties: {} bytes",
            text.len()
        );
        let inputs = errors
            .iter()
            .filter(|error| !error.to_json()["input"].is_null())
            .count();
        assert!(
            inputs > 0 || count == 50_000,
            "{count} surplus properties: {inputs} inputs"
        );
    }
    // Short inputs are told at any rate, after the long ones too.
    let validator =
        compile(&json!({"prefixItems": [{"type": "string"}], "items": {"type": "boolean"}}));
    let instance = json!([vec!["x".repeat(1 << 10); 2 << 10], "short", 5]);
    let errors = validator.errors(&instance, &["body"]);
    let inputs: Vec<_> = errors
        .iter()
        .map(|error| error.to_json()["input"].clone())
        .collect();
    assert_eq!(inputs, [json!(null), json!("short"), json!(5)]);
}

#[test]
fn a_pattern_that_goes_astray_refuses() {
    let schema = json!({"properties": {"a": {"pattern": r"^(?:(a|a)*)\1?b$"}}});
    let validator = compile(&schema);
    let instance = json!({"a": "a".repeat(60)});
    assert!(!validator.is_valid(&instance));
    assert_eq!(
        summary(&validator.errors(&instance, &["body"])),
        [(
            "body.a".to_owned(),
            "string_pattern_mismatch".to_owned(),
            r"String should match pattern '^(?:(a|a)*)\1?b$'".to_owned(),
        )]
    );
}

#[test]
fn deep_values_are_followed_to_the_end() {
    let schema = json!({"properties": {"next": {"$ref": "#"}, "value": {"type": "integer"}}});
    let mut instance = json!({"value": "x"});
    for _ in 0..120 {
        instance = json!({"next": instance});
    }
    let errors = compile(&schema).errors(&instance, &["body"]);
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].loc().len(), 122);
}
