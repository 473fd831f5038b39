//! One declared parameter, of whatever place: gathers its texts, then converts them.

use std::borrow::Cow;

use spikard_core::{ParameterIn, Value};
use spikard_problem::{Cause, FieldError};

use crate::convert::{Conversion, Refusal};

/// A parameter as its plan knows it.
#[derive(Clone, Debug)]
pub(crate) struct Declared {
    pub(crate) place: ParameterIn,
    /// As it stands in the request; of a header field, in lower case.
    pub(crate) name: Box<str>,
    /// Of the value, or of each item of an array.
    pub(crate) conversion: Conversion,
    /// What is tried in turn on a text that this conversion refuses.
    pub(crate) alternatives: Box<[Conversion]>,
    pub(crate) shape: Shape,
    pub(crate) is_required: bool,
    /// Which input of the operation it is.
    pub(crate) input: usize,
}

/// How many values a parameter has, and how they stand in the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Single,
    /// An array with an item for each text.
    Repeated,
    /// An array whose items are separated by this character. A text without any character has no items.
    Separated(char),
}

impl Declared {
    pub(crate) fn is_array(&self) -> bool {
        self.shape != Shape::Single
    }

    /// Adds a text: to the items of an array, else in place of an earlier one.
    pub(crate) fn gather<'r>(&self, text: Cow<'r, str>, value: &mut Value<'r>) {
        match self.shape {
            Shape::Single => *value = Value::String(text),
            Shape::Repeated => items_of(value).push(Value::String(text)),
            Shape::Separated(separator) => {
                let items = items_of(value);
                match text {
                    _ if text.is_empty() => {}
                    Cow::Borrowed(text) => {
                        items.extend(text.split(separator).map(|item| Value::String(item.into())));
                    }
                    Cow::Owned(text) => {
                        let texts = text.split(separator).map(str::to_owned);
                        items.extend(texts.map(|item| Value::String(item.into())));
                    }
                }
            }
        }
    }

    /// Converts the texts in `value`, which is absent afterwards if one of them cannot be.
    pub(crate) fn convert(&self, value: &mut Value<'_>, errors: &mut Vec<FieldError>) {
        let place = self.place.as_str();
        let first_error = errors.len();
        match &mut *value {
            Value::Absent if self.is_required => {
                errors.push(FieldError::new([place, &*self.name], Cause::Missing, None));
            }
            Value::Array(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    if let Err(Refusal { cause, text }) = self.convert_text(item) {
                        let loc = [place, &*self.name, &index.to_string()];
                        errors.push(FieldError::new(loc, cause, Some(&text)));
                    }
                }
            }
            single => {
                if let Err(Refusal { cause, text }) = self.convert_text(single) {
                    errors.push(FieldError::new([place, &*self.name], cause, Some(&text)));
                }
            }
        }
        if errors.len() > first_error {
            *value = Value::Absent;
        }
    }

    fn convert_text<'r>(&self, value: &mut Value<'r>) -> Result<(), Refusal<'r>> {
        let Value::String(text) = value else {
            return Ok(());
        };
        let mut refusal = match self.conversion.convert(std::mem::take(text)) {
            Ok(converted) => {
                *value = converted;
                return Ok(());
            }
            Err(refusal) => refusal,
        };
        for alternative in &self.alternatives {
            match alternative.convert(refusal.text) {
                Ok(converted) => {
                    *value = converted;
                    return Ok(());
                }
                Err(refused) => {
                    refusal = Refusal {
                        cause: Cause::AnyOf,
                        text: refused.text,
                    }
                }
            }
        }
        Err(refusal)
    }
}

fn items_of<'v, 'r>(value: &'v mut Value<'r>) -> &'v mut Vec<Value<'r>> {
    if !matches!(value, Value::Array(_)) {
        *value = Value::Array(Vec::new());
    }
    match value {
        Value::Array(items) => items,
        _ => unreachable!("an array was put there"),
    }
}
