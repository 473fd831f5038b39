//! What a route does with the content of its requests.

use std::sync::Arc;

use spikard_core::{BodyKind, Content, ContentCheck, RequestBody};
use spikard_extractors::{ContentPlan, ReadContent, parse_json};
use spikard_problem::{Cause, FieldError, Problem};
use spikard_validation::{SchemaError, Validator};

/// Where the content stands in the `loc` of an error.
const ROOT: [&str; 1] = ["body"];

/// Reading and validating, compiled once.
pub(crate) struct ContentRoute {
    pub(crate) plan: ContentPlan,
    validator: Option<Arc<Validator>>,
    /// For handlers that decode JSON themselves.
    pub(crate) check: Option<Arc<dyn ContentCheck>>,
}

impl ContentRoute {
    pub(crate) fn compile(body: &RequestBody) -> Result<Self, SchemaError> {
        let is_json = body.kind() == BodyKind::Json;
        let validator = match body.schema() {
            None => None,
            // A schema made from a type has unions that are alternatives of that type.
            Some(schema) if is_json => Some(Validator::compile(schema)?.with_narrowed_unions()),
            Some(schema) => Some(Validator::compile(schema)?),
        };
        let validator = validator.map(Arc::new);
        let check = JsonCheck {
            validator: validator.clone(),
        };
        Ok(Self {
            plan: ContentPlan::compile(body),
            validator,
            check: is_json.then(|| Arc::new(check) as Arc<dyn ContentCheck>),
        })
    }

    /// The errors of content that was read; JSON that the handler decodes is looked at only if `is_refused` anyway.
    pub(crate) fn errors(
        &self,
        read: &mut ReadContent,
        is_refused: bool,
    ) -> Result<Vec<FieldError>, Box<Problem>> {
        let known = std::mem::take(&mut read.errors);
        if read.is_absent {
            return Ok(known);
        }
        match (&read.content, &self.validator) {
            (Content::Value(parsed), Some(validator)) => {
                if known.is_empty() && validator.is_valid(&parsed.value) {
                    return Ok(known);
                }
                Ok(validator.errors_besides(known, &parsed.value, &ROOT))
            }
            (Content::Bytes(content), Some(validator)) if is_refused && self.check.is_some() => {
                let value = parse_json(content).map_err(|rejection| Box::new(rejection.into()))?;
                Ok(validator.errors(&value, &ROOT))
            }
            _ => Ok(known),
        }
    }
}

/// Names every error of JSON that a handler's decoder did not take.
struct JsonCheck {
    validator: Option<Arc<Validator>>,
}

impl ContentCheck for JsonCheck {
    fn problem(&self, content: &[u8], decoder_message: &str) -> Box<Problem> {
        let value = match parse_json(content) {
            Ok(value) => value,
            Err(rejection) => return Box::new(rejection.into()),
        };
        let mut errors = match &self.validator {
            Some(validator) => validator.errors(&value, &ROOT),
            None => Vec::new(),
        };
        if errors.is_empty() {
            errors.push(FieldError::of_value(
                ROOT,
                Cause::other(decoder_message),
                value,
            ));
        }
        Box::new(Problem::validation(&errors))
    }
}
