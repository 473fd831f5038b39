//! Inputs from the query, an `application/x-www-form-urlencoded` text (WHATWG URL, section 5.1).
//!
//! Malformed escapes stay as they are, and what is not UTF-8 becomes U+FFFD: a query never fails to decode. The last
//! value of a repeated name counts, unless the parameter is an array.

use std::borrow::Cow;

use spikard_core::{ParameterIn, Value};
use spikard_problem::{Cause, FieldError};

use crate::convert::{Conversion, Refusal};

/// One declared query parameter.
#[derive(Clone, Debug)]
pub(crate) struct QueryParameter {
    pub(crate) name: Box<str>,
    /// Of the value, or of each value of an array.
    pub(crate) conversion: Conversion,
    pub(crate) is_array: bool,
    pub(crate) is_required: bool,
    /// Which input of the operation it is.
    pub(crate) input: usize,
}

/// Takes the values of `parameters`, which are sorted by name, from `query`.
///
/// First every text finds its input, then the texts that count are converted: what a later value replaces is never
/// looked at, and errors come in the order of names.
pub(crate) fn extract<'r>(
    parameters: &[QueryParameter],
    query: Option<&'r str>,
    values: &mut [Value<'r>],
    errors: &mut Vec<FieldError>,
) {
    let pairs = query.unwrap_or_default().split('&');
    for pair in pairs.filter(|pair| !pair.is_empty()) {
        if let Some((parameter, text)) = declared(parameters, pair) {
            let value = &mut values[parameter.input];
            match value {
                Value::Array(items) => items.push(Value::String(text)),
                _ if parameter.is_array => *value = Value::Array(vec![Value::String(text)]),
                _ => *value = Value::String(text),
            }
        }
    }
    for parameter in parameters {
        convert(parameter, &mut values[parameter.input], errors);
    }
}

/// The parameter that `pair` has a value for, and the value, decoded. Pairs of other names are not decoded.
fn declared<'p, 'r>(
    parameters: &'p [QueryParameter],
    pair: &'r str,
) -> Option<(&'p QueryParameter, Cow<'r, str>)> {
    let find = |name: &str| {
        let index = parameters.binary_search_by(|parameter| (*parameter.name).cmp(name));
        index.ok().map(|index| &parameters[index])
    };
    let (name, text) = pair.split_once('=').unwrap_or((pair, ""));
    if is_encoded(name) {
        let (name, text) = form_urlencoded::parse(pair.as_bytes()).next()?;
        return Some((find(&name)?, text));
    }
    let parameter = find(name)?;
    if is_encoded(text) {
        let (_, text) = form_urlencoded::parse(pair.as_bytes()).next()?;
        return Some((parameter, text));
    }
    Some((parameter, Cow::Borrowed(text)))
}

fn is_encoded(text: &str) -> bool {
    text.bytes().any(|byte| matches!(byte, b'%' | b'+'))
}

/// Converts the texts in `value`.
fn convert(parameter: &QueryParameter, value: &mut Value<'_>, errors: &mut Vec<FieldError>) {
    let place = ParameterIn::Query.as_str();
    match value {
        Value::Absent if parameter.is_required => {
            errors.push(FieldError::new(
                [place, &*parameter.name],
                Cause::Missing,
                None,
            ));
        }
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                if let Err(Refusal { cause, text }) = convert_text(parameter.conversion, item) {
                    let loc = [place, &*parameter.name, &index.to_string()];
                    errors.push(FieldError::new(loc, cause, Some(&text)));
                }
            }
        }
        single => {
            if let Err(Refusal { cause, text }) = convert_text(parameter.conversion, single) {
                let loc = [place, &*parameter.name];
                errors.push(FieldError::new(loc, cause, Some(&text)));
            }
        }
    }
}

fn convert_text<'r>(conversion: Conversion, value: &mut Value<'r>) -> Result<(), Refusal<'r>> {
    if let Value::String(text) = value {
        *value = conversion.convert(std::mem::take(text))?;
    }
    Ok(())
}
