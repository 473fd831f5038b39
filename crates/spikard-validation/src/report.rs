//! The errors of one value while they are collected: where each is reported, and how much is said.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind as Kind;
use serde_json::{Map, Value};
use spikard_problem::{Cause, FieldError};

use crate::Validator;
use crate::keyword::{self, last_segment};
use crate::union::{Narrowed, narrow};

/// The longest list of errors. A body of a megabyte has room for a hundred thousand.
const LIMIT_ERRORS: usize = 1000;

/// What the inputs of all errors may weigh together, roughly in bytes of JSON. The input of a surplus property is the
/// whole object: without a limit the answer has the square of the size of the request.
const LIMIT_INPUTS_BYTES: usize = 1 << 20;

/// A text up to this length is an input at any rate.
const SHORT_TEXT_BYTES: usize = 256;

/// Collects the errors of one value.
pub(crate) struct Report<'v> {
    validator: &'v Validator,
    instance: &'v Value,
    root: &'v [&'v str],
    known: &'v [FieldError],
    errors: Vec<FieldError>,
    /// What is left for inputs.
    allowance_bytes: usize,
}

impl<'v> Report<'v> {
    /// A report on `instance`, which lies at `root`; it says nothing of the places of `known` errors.
    pub(crate) fn new(
        validator: &'v Validator,
        instance: &'v Value,
        root: &'v [&'v str],
        known: &'v [FieldError],
    ) -> Self {
        Self {
            validator,
            instance,
            root,
            known,
            errors: Vec::new(),
            allowance_bytes: LIMIT_INPUTS_BYTES,
        }
    }

    /// The errors in the order of their places, each of them once.
    pub(crate) fn into_errors(mut self) -> Vec<FieldError> {
        self.errors.sort_by(FieldError::cmp_loc);
        let mut distinct: Vec<FieldError> = Vec::with_capacity(self.errors.len());
        for error in self.errors {
            let same_place = distinct
                .iter()
                .rev()
                .take_while(|other| other.loc() == error.loc());
            if !same_place.into_iter().any(|other| *other == error) {
                distinct.push(error);
            }
        }
        distinct
    }

    /// Translates `error`, which can be several errors here, or one error of a place further down.
    pub(crate) fn add(&mut self, error: &ValidationError<'_>) {
        let pointer = error.instance_path().as_str();
        let value = self.value_at(pointer);
        let schema = &self.validator.schema;
        match error.kind() {
            Kind::Required { property } => {
                let needed = property.as_str().unwrap_or_default();
                let causes = dependencies(error, value, needed, schema);
                if causes.is_empty() {
                    self.push(pointer, Some(needed), Cause::Missing, value);
                }
                for cause in causes {
                    self.push(pointer, None, cause, value);
                }
            }
            Kind::AdditionalProperties { unexpected }
            | Kind::UnevaluatedProperties { unexpected } => {
                for name in unexpected {
                    self.push_surplus(pointer, name, value);
                }
            }
            // Without `properties`, `additionalProperties: false` reports the value of the first property.
            Kind::FalseSchema if error.instance().as_ref() != value => {
                for name in value.as_object().into_iter().flat_map(Map::keys) {
                    self.push_surplus(pointer, name, value);
                }
            }
            Kind::FalseSchema if self.is_item(pointer) => {
                self.push(pointer, None, Cause::AdditionalItem, value);
            }
            Kind::AdditionalItems { limit } => {
                let items = value.as_array().into_iter().flatten().enumerate();
                for (index, item) in items.skip(*limit) {
                    self.push(
                        pointer,
                        Some(&index.to_string()),
                        Cause::AdditionalItem,
                        item,
                    );
                }
            }
            Kind::PropertyNames { error } => {
                let name = error.instance().as_ref();
                let cause = keyword::cause(error, name, schema);
                self.push(pointer, name.as_str(), cause, name);
            }
            Kind::AnyOf { context } | Kind::OneOfNotValid { context }
                if self.validator.narrows_unions =>
            {
                match narrow(context, error.instance_path()) {
                    Some(Narrowed::Errors(errors)) => errors.into_iter().for_each(|e| self.add(e)),
                    Some(Narrowed::Cause(place, cause)) => {
                        let pointer = place.as_str();
                        self.push(pointer, None, cause, self.value_at(pointer));
                    }
                    None => self.push(pointer, None, keyword::cause(error, value, schema), value),
                }
            }
            _ => self.push(pointer, None, keyword::cause(error, value, schema), value),
        }
    }

    /// The value that `pointer` leads to from the value as a whole.
    fn value_at(&self, pointer: &str) -> &'v Value {
        self.instance.pointer(pointer).unwrap_or(&Value::Null)
    }

    fn is_item(&self, pointer: &str) -> bool {
        let parent = pointer.rsplit_once('/').map(|(parent, _)| parent);
        parent.is_some_and(|parent| self.value_at(parent).is_array())
    }

    fn push_surplus(&mut self, pointer: &str, name: &str, object: &Value) {
        let cause = Cause::AdditionalProperty(name.to_owned());
        self.push(pointer, Some(name), cause, object);
    }

    /// Reports `cause` at `pointer`, or at its property or item `below`.
    fn push(&mut self, pointer: &str, below: Option<&str>, cause: Cause, value: &Value) {
        if self.errors.len() == LIMIT_ERRORS {
            return;
        }
        let root = self.root.iter().map(|segment| (*segment).to_owned());
        let loc: Vec<_> = root
            .chain(pointer.split('/').skip(1).map(unescaped))
            .chain(below.map(str::to_owned))
            .collect();
        if self.known.iter().any(|known| loc.starts_with(known.loc())) {
            return;
        }
        let value = if is_small(value) || pay(value, &mut self.allowance_bytes) {
            value.clone()
        } else {
            Value::Null
        };
        self.errors.push(FieldError::of_value(loc, cause, value));
    }
}

/// What a missing property means if it is `dependencies` or `dependentRequired` that `object` lacks `needed` for.
///
/// The error does not say which property needs it, and several can.
fn dependencies(
    error: &ValidationError<'_>,
    object: &Value,
    needed: &str,
    schema: &Value,
) -> Vec<Cause> {
    let keyword = error.schema_path();
    if !matches!(last_segment(keyword), "dependencies" | "dependentRequired") {
        return Vec::new();
    }
    let declared = schema.pointer(keyword.as_str()).and_then(Value::as_object);
    let causes = declared
        .into_iter()
        .flatten()
        .filter_map(|(field, fields)| {
            let fields = fields.as_array()?.iter().filter_map(Value::as_str);
            let required_fields: Vec<_> = fields.map(str::to_owned).collect();
            let is_cause =
                object.get(field).is_some() && required_fields.iter().any(|f| f == needed);
            is_cause.then(|| Cause::Dependency {
                field: field.clone(),
                needed: needed.to_owned(),
                required_fields,
            })
        });
    causes.collect()
}

/// A reference token of a JSON pointer (RFC 6901, 4), as the name it stands for.
fn unescaped(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}

/// Whether `value` is an input at any rate.
fn is_small(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
        Value::String(text) => text.len() <= SHORT_TEXT_BYTES,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
    }
}

/// Pays for `value`; false, and nothing is left, if the allowance is too small.
fn pay(value: &Value, allowance_bytes: &mut usize) -> bool {
    let own_bytes = 8 + match value {
        Value::String(text) => text.len(),
        Value::Object(members) => members.keys().map(String::len).sum(),
        _ => 0,
    };
    let is_enough = own_bytes <= *allowance_bytes;
    *allowance_bytes = allowance_bytes.saturating_sub(own_bytes);
    is_enough
        && match value {
            Value::Array(items) => items.iter().all(|item| pay(item, allowance_bytes)),
            Value::Object(members) => members.values().all(|value| pay(value, allowance_bytes)),
            _ => true,
        }
}
