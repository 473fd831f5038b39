//! Constraints on converted parameters: what a JSON Schema says beyond the type.

use serde_json::Value as Json;
use spikard_core::{Inputs, Operation, Value};
use spikard_problem::FieldError;
use spikard_validation::{SchemaError, Validator};

/// The checks of one operation; none for parameters that only have a type.
#[derive(Debug, Default)]
pub(crate) struct ParameterChecks(Vec<ParameterCheck>);

#[derive(Debug)]
struct ParameterCheck {
    input: usize,
    place: &'static str,
    name: String,
    validator: Validator,
}

impl ParameterChecks {
    /// Compiles the schemas of an operation's parameters; an error comes with the name of the parameter.
    pub(crate) fn compile(operation: &Operation) -> Result<Self, (String, SchemaError)> {
        let mut checks = Vec::new();
        for (input, parameter) in operation.parameters().iter().enumerate() {
            let Some(schema) = parameter.schema() else {
                continue;
            };
            let validator =
                Validator::compile(schema).map_err(|error| (parameter.name().to_owned(), error))?;
            checks.push(ParameterCheck {
                input,
                place: parameter.location().as_str(),
                name: parameter.name().to_owned(),
                validator,
            });
        }
        Ok(Self(checks))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The errors of `inputs`; `received` gives the text of one input as it came, which is what a client is shown.
    pub(crate) fn errors(
        &self,
        inputs: &Inputs<'_>,
        received: impl Fn(usize) -> Json,
    ) -> Vec<FieldError> {
        let mut errors = Vec::new();
        for check in &self.0 {
            let value = &inputs.values()[check.input];
            if *value == Value::Absent {
                continue;
            }
            let value = value.to_json();
            if check.validator.is_valid(&value) {
                continue;
            }
            let text = received(check.input);
            let found = check.validator.errors(&value, &[check.place, &check.name]);
            errors.extend(found.into_iter().map(|error| {
                let text = part_of(&text, error.loc());
                error.with_input(text)
            }));
        }
        errors
    }
}

/// The text that an error is about: that of an item, where its place leads into an array.
fn part_of(text: &Json, loc: &[String]) -> Json {
    let index = loc.get(2).and_then(|segment| segment.parse::<usize>().ok());
    let item = index.and_then(|index| text.as_array()?.get(index));
    item.unwrap_or(text).clone()
}
