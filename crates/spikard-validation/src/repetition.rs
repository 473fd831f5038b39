//! The first repeated item of an array.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use jsonschema::json::cmp::equal;
use serde_json::Value;

/// The index of the first item that is equal to an earlier one.
///
/// Items are compared as JSON Schema does: numbers by value, objects without regard to order. Takes linear time,
/// whatever the items are.
pub(crate) fn first_repetition(items: &[Value]) -> Option<usize> {
    let hasher = RandomState::new();
    let mut seen = HashMap::<u64, Vec<&Value>>::with_capacity(items.len());
    items.iter().position(|item| {
        let alike = seen.entry(digest(item, &hasher)).or_default();
        let is_repeated = alike.iter().any(|other| equal(other, item));
        alike.push(item);
        is_repeated
    })
}

/// Equal for equal values.
fn digest(value: &Value, hasher: &RandomState) -> u64 {
    match value {
        Value::Null => hasher.hash_one(()),
        Value::Bool(boolean) => hasher.hash_one(boolean),
        Value::Number(number) => {
            // Adding zero makes one of the two zeros.
            let number = number.as_f64().map(|number| (number + 0.0).to_bits());
            hasher.hash_one(number)
        }
        Value::String(text) => hasher.hash_one(text),
        Value::Array(items) => items
            .iter()
            .fold(hasher.hash_one(items.len()), |sum, item| {
                hasher.hash_one((sum, digest(item, hasher)))
            }),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| hasher.hash_one((name, digest(value, hasher))))
            .fold(hasher.hash_one(members.len()), u64::wrapping_add),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn finds_the_first_repetition() {
        for (items, expected) in [
            (json!([]), None),
            (json!([1]), None),
            (json!([1, 2, 3]), None),
            (json!([1, 2, 2]), Some(2)),
            (json!([3, 1, 2, 1, 2]), Some(3)),
            (json!([1, 1.0]), Some(1)),
            (json!([0, -0.0]), Some(1)),
            (json!([1, true, "1", null]), None),
            (json!([null, null]), Some(1)),
            (json!(["a", "A", "a"]), Some(2)),
            (json!([[1, 2], [2, 1], [1.0, 2]]), Some(2)),
            (
                json!([{"a": 1, "b": 2}, {"a": 2, "b": 1}, {"b": 2, "a": 1}]),
                Some(2),
            ),
            (json!([{"a": {"b": []}}, {"a": {"b": [[]]}}]), None),
            (
                json!([
                    18_446_744_073_709_551_615_u64,
                    18_446_744_073_709_551_614_u64
                ]),
                None,
            ),
        ] {
            let array = items.as_array().expect("is an array");
            assert_eq!(first_repetition(array), expected, "{items}");
        }
    }
}
