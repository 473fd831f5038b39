//! Objects in the query, whose members are written `name[member]` (OpenAPI 3.1, `style: deepObject`).
//!
//! OpenAPI leaves open what deeper brackets mean. Here they mean what they do in a form, and text is converted as
//! there: by the schema of the parameter.

use serde_json::Value as Json;
use spikard_core::{ParameterIn, Value};
use spikard_problem::{Cause, FieldError};

use crate::form::{Form, FormValue};
use crate::schema_types::SchemaTypes;

/// One declared object.
#[derive(Clone, Debug)]
pub(crate) struct ObjectParameter {
    pub(crate) name: Box<str>,
    pub(crate) types: SchemaTypes,
    pub(crate) is_required: bool,
    /// Which input of the operation it is.
    pub(crate) input: usize,
}

impl ObjectParameter {
    /// Puts the object that `query` has into `value`.
    pub(crate) fn extract(&self, query: &str, value: &mut Value<'_>, errors: &mut Vec<FieldError>) {
        let loc = [ParameterIn::Query.as_str(), &*self.name];
        let form = self.members(query);
        if form.is_empty() {
            if self.is_required {
                errors.push(FieldError::new(loc, Cause::Missing, None));
            }
            return;
        }
        match form.into_value(&self.types, &loc) {
            Ok(FormValue {
                value: object,
                errors: found,
                ..
            }) if found.is_empty() => *value = Value::Object(Box::new(object)),
            Ok(form) => errors.extend(form.errors),
            Err(rejection) => {
                let cause = Cause::other(rejection.to_string());
                errors.push(FieldError::new(loc, cause, None));
            }
        }
    }

    /// The object that `query` has, its texts not converted; null without.
    pub(crate) fn received(&self, query: &str) -> Json {
        let form = self.members(query);
        if form.is_empty() {
            return Json::Null;
        }
        let form = form.into_value(&SchemaTypes::compile(None), &[]);
        form.map_or(Json::Null, |form| form.value)
    }

    /// The pairs of the object, by the names they would have in a form of its own: `filter[a][b]` is `a[b]`.
    fn members<'r>(&self, query: &'r str) -> Form<'r> {
        let mut form = Form::default();
        for (name, text) in form_urlencoded::parse(query.as_bytes()) {
            let path = name.strip_prefix(&*self.name);
            let path = path.and_then(|path| path.strip_prefix('['));
            if let Some((member, rest)) = path.and_then(|path| path.split_once(']'))
                && !member.is_empty()
                && (rest.is_empty() || rest.starts_with('['))
            {
                form.push_text([member, rest].concat().into(), text);
            }
        }
        form
    }
}
