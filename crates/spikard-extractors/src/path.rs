//! Inputs from the path.

use std::borrow::Cow;

use spikard_core::{ParameterIn, Value};
use spikard_problem::{Cause, FieldError};

use crate::convert::{Conversion, Refusal};

/// One declared path parameter.
#[derive(Clone, Debug)]
pub(crate) struct PathParameter {
    pub(crate) name: Box<str>,
    pub(crate) conversion: Conversion,
    /// Which parameter of the path template it is.
    pub(crate) segment: usize,
    /// Which input of the operation it is.
    pub(crate) input: usize,
}

/// Moves the texts of `path` into `values`, converted.
pub(crate) fn extract<'r>(
    parameters: &[PathParameter],
    path: &mut [Cow<'r, str>],
    values: &mut [Value<'r>],
    errors: &mut Vec<FieldError>,
) {
    for parameter in parameters {
        let loc = || [ParameterIn::Path.as_str(), &*parameter.name];
        let Some(text) = path.get_mut(parameter.segment) else {
            errors.push(FieldError::new(loc(), Cause::Missing, None));
            continue;
        };
        match parameter.conversion.convert(std::mem::take(text)) {
            Ok(value) => values[parameter.input] = value,
            Err(Refusal { cause, text }) => {
                errors.push(FieldError::new(loc(), cause, Some(&text)));
            }
        }
    }
}
