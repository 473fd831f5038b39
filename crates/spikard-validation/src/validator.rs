//! A compiled schema and the questions that a value is asked.

use jsonschema::PatternOptions;
use serde_json::Value;
use spikard_problem::FieldError;

use crate::SchemaError;
use crate::format::with_formats;
use crate::report::Report;

/// How many steps a pattern with look-around or back references may take; other patterns take linear time. It is
/// enough for texts of tens of kilobytes, and takes about 2 ms where a pattern goes astray.
const LIMIT_PATTERN_STEPS: usize = 100_000;

/// In a larger value only the first error is looked for: all errors of two megabytes of `[0,0,0,..]` take half a second
/// and 400 MB.
const LIMIT_VALUES: usize = 200_000;

/// A schema, compiled once and shared by all requests.
#[derive(Clone, Debug)]
pub struct Validator {
    compiled: jsonschema::Validator,
    /// For what the errors of `jsonschema` do not carry.
    pub(crate) schema: Value,
    pub(crate) narrows_unions: bool,
}

impl Validator {
    /// Compiles `schema`, of the dialect that its `$schema` names, by default 2020-12.
    ///
    /// # Errors
    ///
    /// `schema` is not valid in its dialect, or a reference leads nowhere inside it.
    pub fn compile(schema: &Value) -> Result<Self, SchemaError> {
        let patterns = PatternOptions::fancy_regex().backtrack_limit(LIMIT_PATTERN_STEPS);
        let options = jsonschema::options()
            .offline()
            .with_pattern_options(patterns);
        Ok(Self {
            compiled: with_formats(options).build(schema)?,
            schema: schema.clone(),
            narrows_unions: false,
        })
    }

    /// Reports what is wrong with a value of a union (`anyOf`, `oneOf`) in the terms of the one branch that it is
    /// meant for, if there is one, and not as one error of the union as a whole.
    ///
    /// A branch is ruled out when the value is of another type, `null` above all, or carries the tag of another
    /// branch. This is for schemas made from types, whose unions are alternatives: an optional model, tagged models.
    #[must_use]
    pub fn with_narrowed_unions(mut self) -> Self {
        self.narrows_unions = true;
        self
    }

    /// Whether `instance` has no errors. Takes a fraction of the time of finding them.
    pub fn is_valid(&self, instance: &Value) -> bool {
        self.compiled.is_valid(instance)
    }

    /// All errors of `instance`, sorted by place; `root` is the place of `instance` itself, such as `["body"]`.
    ///
    /// One place has as many errors as keywords fail there, each told once.
    ///
    /// Three bounds keep the answer to a hostile request small. A list ends after 1,000 errors. The inputs of all of
    /// them together hold about 1 MiB; those past that are null. Of an instance that consists of more than 200,000
    /// values one error is told.
    pub fn errors(&self, instance: &Value, root: &[&str]) -> Vec<FieldError> {
        self.errors_besides(Vec::new(), instance, root)
    }

    /// The errors that are `known` and those of all other places, sorted by place.
    ///
    /// Nothing more is said of a place that has a known error, nor of what lies below it. For values whose conversion
    /// failed in parts: a text that is no integer is refused once, not for its type again.
    pub fn errors_besides(
        &self,
        known: Vec<FieldError>,
        instance: &Value,
        root: &[&str],
    ) -> Vec<FieldError> {
        let found: Vec<_> = if count(instance, LIMIT_VALUES) > LIMIT_VALUES {
            self.compiled.validate(instance).err().into_iter().collect()
        } else {
            self.compiled.iter_errors(instance).collect()
        };
        let mut report = Report::new(self, instance, root, &known);
        for error in &found {
            report.add(error);
        }
        let mut errors = report.into_errors();
        errors.extend(known);
        errors.sort_by(FieldError::cmp_loc);
        errors
    }
}

/// How many values `value` consists of; counting ends soon after `limit`.
fn count(value: &Value, limit: usize) -> usize {
    let children: &mut dyn Iterator<Item = &Value> = match value {
        Value::Array(items) => &mut items.iter(),
        Value::Object(members) => &mut members.values(),
        _ => return 1,
    };
    let mut sum = 1;
    for child in children {
        if sum > limit {
            break;
        }
        sum += count(child, limit - sum);
    }
    sum
}
