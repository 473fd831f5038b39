//! From the plan that Python compiled for a route to what is read of its requests and how its arguments are made.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde_json::Value as Json;
use spikard_core::{
    ArrayStyle, BodyKind, FileRule, Operation, Parameter, ParameterIn, ParameterType, RequestBody,
};
use spikard_problem::Cause;
use spikard_routing::PathTemplate;

use crate::arguments::Argument;
use crate::body_argument::BodyArgument;
use crate::parameter_argument::{Default, Model, ParameterArgument};
use crate::plain_data;

/// One argument of a handler, or one field of a parameter model, as `spikard.plan.Argument` describes it.
#[derive(FromPyObject)]
pub(crate) struct ArgumentDescription<'py> {
    pub(crate) name: String,
    kind: String,
    source: String,
    wire_name: String,
    schema: Bound<'py, PyDict>,
    required: bool,
    default: Bound<'py, PyAny>,
    default_factory: Option<Bound<'py, PyAny>>,
    convert: Option<Bound<'py, PyAny>>,
    separator: Option<char>,
    pub(crate) keyword_only: bool,
    fields: Vec<Bound<'py, PyAny>>,
    build: Option<Bound<'py, PyAny>>,
}

/// How the content is read, as `spikard.plan.BodyPlan` describes it.
#[derive(FromPyObject)]
pub(crate) struct BodyDescription<'py> {
    kind: String,
    schema: Option<Bound<'py, PyAny>>,
    decode: Option<Bound<'py, PyAny>>,
    convert: Option<Bound<'py, PyAny>>,
    required: bool,
    default: Bound<'py, PyAny>,
    default_factory: Option<Bound<'py, PyAny>>,
    files: Vec<FileDescription>,
}

/// What an uploaded file must be, as `spikard.plan.FileRule` describes it.
#[derive(FromPyObject)]
struct FileDescription {
    field: String,
    required: bool,
    content_types: Vec<String>,
    validate_magic_numbers: bool,
}

/// Compiles the arguments of one route, and collects the operation's parameters on the way.
pub(crate) struct Compiler<'a> {
    operation: Operation,
    template: &'a PathTemplate,
    body: Option<&'a BodyDescription<'a>>,
    /// Members of the content that arguments of their own take.
    taken: Vec<String>,
}

impl<'a> Compiler<'a> {
    pub(crate) fn new(
        operation: Operation,
        template: &'a PathTemplate,
        body: Option<&'a BodyDescription<'a>>,
    ) -> Self {
        Self {
            operation,
            template,
            body,
            taken: Vec::new(),
        }
    }

    /// The argument that `description` asks for.
    pub(crate) fn argument(&mut self, description: &ArgumentDescription<'_>) -> PyResult<Argument> {
        Ok(match description.kind.as_str() {
            "parameter" => Argument::Parameter(self.parameter(description)?),
            "model" => Argument::Model(self.model(description)?),
            "body" => Argument::Body(self.whole_body(description)?),
            "field" => {
                self.taken.push(description.wire_name.clone());
                Argument::Body(BodyArgument::Field {
                    name: description.wire_name.clone(),
                    convert: description.convert.clone().map(Bound::unbind),
                    default: (!description.required).then(|| description.default()),
                })
            }
            "request" => Argument::Request,
            other => return Err(description.wrong(&format!("unknown kind {other:?}"))),
        })
    }

    /// A parameter that is converted and validated, and passed to nobody.
    pub(crate) fn check(&mut self, description: &ArgumentDescription<'_>) -> PyResult<()> {
        self.parameter(description).map(drop)
    }

    /// The operation with everything that its requests are read for.
    pub(crate) fn finish(self) -> PyResult<Operation> {
        let Some(body) = self.body else {
            return Ok(self.operation);
        };
        Ok(self.operation.with_body(body.request_body()?))
    }

    fn parameter(&mut self, description: &ArgumentDescription<'_>) -> PyResult<ParameterArgument> {
        let parameter = description.parameter(self.template)?;
        let input = self.operation.parameters().len();
        let operation =
            std::mem::replace(&mut self.operation, Operation::new(http::Method::GET, "/"));
        self.operation = operation.with_parameter(parameter.clone());
        Ok(ParameterArgument {
            input,
            convert: description.convert.clone().map(Bound::unbind),
            default: description.default(),
            cause: cause(parameter.ty()),
            parameter,
        })
    }

    fn model(&mut self, description: &ArgumentDescription<'_>) -> PyResult<Model> {
        let build = description
            .build
            .as_ref()
            .ok_or_else(|| description.wrong("a model needs `build`"))?;
        let mut fields = Vec::with_capacity(description.fields.len());
        for field in &description.fields {
            fields.push(self.parameter(&field.extract()?)?);
        }
        Ok(Model {
            fields,
            build: build.clone().unbind(),
        })
    }

    fn whole_body(&self, description: &ArgumentDescription<'_>) -> PyResult<BodyArgument> {
        let body = self
            .body
            .ok_or_else(|| description.wrong("there is no plan for the content"))?;
        let default = (!body.required).then(|| body.default());
        Ok(match body.kind()? {
            BodyKind::Json => BodyArgument::Json {
                decode: body
                    .decode
                    .clone()
                    .ok_or_else(|| description.wrong("JSON needs `decode`"))?
                    .unbind(),
                default,
            },
            BodyKind::Bytes => BodyArgument::Bytes { default },
            BodyKind::Stream => BodyArgument::Stream,
            _ => BodyArgument::Value {
                convert: body.convert.clone().map(Bound::unbind),
                default,
                taken: self.taken.clone(),
            },
        })
    }
}

impl BodyDescription<'_> {
    fn kind(&self) -> PyResult<BodyKind> {
        Ok(match self.kind.as_str() {
            "json" => BodyKind::Json,
            "value" => BodyKind::Value,
            "form" => BodyKind::Form,
            "bytes" => BodyKind::Bytes,
            "stream" => BodyKind::Stream,
            other => {
                return Err(PyValueError::new_err(format!(
                    "unknown kind of content {other:?}"
                )));
            }
        })
    }

    fn default(&self) -> Default {
        default_of(&self.default, self.default_factory.as_ref())
    }

    fn request_body(&self) -> PyResult<RequestBody> {
        let mut body = RequestBody::new(self.kind()?);
        if let Some(schema) = &self.schema {
            body = body.with_schema(plain_data::to_json(schema)?);
        }
        if !self.required {
            body = body.optional();
        }
        for file in &self.files {
            body = body.with_file(FileRule {
                field: file.field.clone(),
                is_required: file.required,
                media_types: file.content_types.clone(),
                checks_signature: file.validate_magic_numbers,
            });
        }
        Ok(body)
    }
}

impl ArgumentDescription<'_> {
    fn parameter(&self, template: &PathTemplate) -> PyResult<Parameter> {
        let location = match self.source.as_str() {
            "path" => ParameterIn::Path,
            "query" => ParameterIn::Query,
            "header" => ParameterIn::Header,
            "cookie" => ParameterIn::Cookie,
            other => return Err(self.wrong(&format!("unknown place {other:?}"))),
        };
        let schema = plain_data::to_json(&self.schema)?;
        let converter = || {
            let mut parameters = template.parameters().iter();
            parameters
                .find(|it| location == ParameterIn::Path && it.name() == self.wire_name)?
                .ty()
                .cloned()
        };
        let declared = parameter_type(&schema);
        let ty = declared.or_else(converter).unwrap_or(ParameterType::String);
        let mut parameter = if self.required {
            Parameter::required(location, &self.wire_name, ty)
        } else {
            Parameter::optional(location, &self.wire_name, ty)
        };
        if let Some(separator) = self.separator {
            parameter = parameter.with_array_style(ArrayStyle::Separated(separator));
        }
        if has_constraints(&schema) {
            parameter = parameter.with_schema(schema);
        }
        Ok(parameter)
    }

    fn default(&self) -> Default {
        default_of(&self.default, self.default_factory.as_ref())
    }

    fn wrong(&self, what: &str) -> PyErr {
        PyValueError::new_err(format!("argument `{}`: {what}", self.name))
    }
}

fn default_of(value: &Bound<'_, PyAny>, factory: Option<&Bound<'_, PyAny>>) -> Default {
    match factory {
        Some(factory) => Default::Factory(factory.clone().unbind()),
        None => Default::Value(value.clone().unbind()),
    }
}

/// The type that the text of a parameter with this schema is converted to, if the schema says.
fn parameter_type(schema: &Json) -> Option<ParameterType> {
    if let Some(Json::Array(alternatives)) = schema.get("anyOf") {
        let types: Option<Vec<_>> = alternatives.iter().map(parameter_type).collect();
        return types.map(ParameterType::AnyOf);
    }
    let format = schema.get("format").and_then(Json::as_str);
    Some(match (schema.get("type")?.as_str()?, format) {
        ("string", Some("uuid")) => ParameterType::Uuid,
        ("string", Some("date")) => ParameterType::Date,
        ("string", Some("date-time")) => ParameterType::DateTime,
        ("string", Some("time")) => ParameterType::Time,
        ("string", Some("duration")) => ParameterType::Duration,
        ("string", Some("decimal")) => ParameterType::Decimal,
        ("string", _) => ParameterType::String,
        ("integer", _) => ParameterType::Integer,
        ("number", _) => ParameterType::Number,
        ("boolean", _) => ParameterType::Boolean,
        ("object", _) => ParameterType::Object,
        ("array", _) => {
            let items = schema.get("items").and_then(parameter_type);
            ParameterType::Array(Box::new(items.unwrap_or(ParameterType::String)))
        }
        _ => return None,
    })
}

/// Whether the schema says more than the type to convert to.
fn has_constraints(schema: &Json) -> bool {
    const TYPES: [&str; 6] = ["uuid", "date", "date-time", "time", "duration", "decimal"];
    const NOTES: [&str; 5] = ["type", "title", "description", "examples", "default"];
    let Json::Object(keywords) = schema else {
        return false;
    };
    keywords
        .iter()
        .any(|(keyword, value)| match keyword.as_str() {
            "format" => value.as_str().is_none_or(|format| !TYPES.contains(&format)),
            "items" => has_constraints(value),
            keyword => !NOTES.contains(&keyword),
        })
}

/// What is wrong with text that has the form of `ty` but no meaning.
fn cause(ty: &ParameterType) -> Cause {
    match ty {
        ParameterType::Integer => Cause::Integer,
        ParameterType::Number => Cause::Number,
        ParameterType::Boolean => Cause::Boolean,
        ParameterType::Uuid => Cause::Uuid,
        ParameterType::Date => Cause::Date,
        ParameterType::DateTime => Cause::DateTime,
        ParameterType::Time => Cause::Format("time"),
        ParameterType::Duration => Cause::Format("duration"),
        ParameterType::Decimal => Cause::Format("decimal"),
        ParameterType::Array(items) => cause(items),
        ParameterType::AnyOf(_) => Cause::AnyOf,
        _ => Cause::Format("string"),
    }
}
