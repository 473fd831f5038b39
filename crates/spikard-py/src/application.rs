//! Freezes the routes of a Python application into a service.

use std::sync::Arc;

use http::{Method, StatusCode};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};
use serde_json::Value as Json;
use spikard_core::{Declaration, Operation, Parameter, ParameterIn, ParameterType};
use spikard_problem::Cause;
use spikard_routing::PathTemplate;
use spikard_service::Service;

use crate::arguments::{Argument, Arguments, Default};
use crate::execution::Execution;
use crate::failure::FailureLog;
use crate::handler::PyHandler;
use crate::invocation::Route;
use crate::reply::ReplyEncoder;

/// A compiled route, as `spikard` describes it.
#[derive(FromPyObject)]
struct RouteDescription<'py> {
    method: String,
    path: String,
    handler: Bound<'py, PyAny>,
    name: String,
    location: String,
    arguments: Vec<ArgumentDescription<'py>>,
    status_code: Option<u16>,
    sync_to_thread: Option<bool>,
}

/// One argument of a handler, as `spikard` describes it.
#[derive(FromPyObject)]
struct ArgumentDescription<'py> {
    name: String,
    source: String,
    wire_name: String,
    schema: Bound<'py, PyDict>,
    required: bool,
    default: Bound<'py, PyAny>,
    default_factory: Option<Bound<'py, PyAny>>,
    convert: Option<Bound<'py, PyAny>>,
    keyword_only: bool,
}

/// A frozen application. Raises `ValueError` when its routes do not fit together.
#[pyclass(frozen)]
pub(crate) struct Application {
    service: Service,
}

#[pymethods]
impl Application {
    /// Freezes `routes`.
    #[new]
    fn new(py: Python<'_>, routes: Vec<RouteDescription<'_>>) -> PyResult<Self> {
        let encoder = Arc::new(ReplyEncoder::new(py)?);
        let failures = Arc::new(FailureLog::new(py)?);
        let mut builder = Service::builder();
        for route in routes {
            let operation = route.operation()?;
            let handler = route.compile(&operation, Arc::clone(&encoder), Arc::clone(&failures))?;
            builder = builder.route(operation, handler);
        }
        let service = builder
            .build()
            .map_err(|error| PyValueError::new_err(error.to_string()))?;
        Ok(Self { service })
    }
}

impl Application {
    pub(crate) fn service(&self) -> Service {
        self.service.clone()
    }
}

impl RouteDescription<'_> {
    /// The operation, its parameters in the order of the call: keyword-only arguments last.
    fn operation(&self) -> PyResult<Operation> {
        let method = Method::from_bytes(self.method.as_bytes())
            .map_err(|_| PyValueError::new_err(format!("{:?} is not a method", self.method)))?;
        let declaration = Declaration {
            handler: self.name.clone(),
            location: self.location.clone(),
        };
        let mut operation = Operation::new(method, &self.path).with_declaration(declaration);
        let template = PathTemplate::parse(&self.path)
            .map_err(|error| PyValueError::new_err(self.say(&error.to_string())))?;
        for argument in self.arguments_in_call_order() {
            operation = operation.with_parameter(
                argument
                    .parameter(&template)
                    .map_err(|error| self.explain(&error))?,
            );
        }
        Ok(operation)
    }

    fn compile(
        &self,
        operation: &Operation,
        encoder: Arc<ReplyEncoder>,
        failures: Arc<FailureLog>,
    ) -> PyResult<PyHandler> {
        let py = self.handler.py();
        let arguments = self
            .arguments_in_call_order()
            .zip(operation.parameters())
            .map(|(argument, parameter)| argument.compile(parameter.clone()))
            .collect();
        let keywords: Vec<&str> = self
            .arguments_in_call_order()
            .filter(|argument| argument.keyword_only)
            .map(|argument| argument.name.as_str())
            .collect();
        let keywords = if keywords.is_empty() {
            None
        } else {
            Some(PyTuple::new(py, keywords.iter().map(|name| PyString::intern(py, name)))?.unbind())
        };
        let status = self
            .status_code
            .map_or(Ok(StatusCode::OK), StatusCode::from_u16);
        Ok(PyHandler(Arc::new(Route {
            handler: self.handler.clone().unbind(),
            name: PyString::new(py, &self.name).unbind(),
            arguments: Arguments::new(arguments, keywords),
            execution: Execution::new(self.sync_to_thread),
            status: status.map_err(|error| PyValueError::new_err(self.say(&error.to_string())))?,
            encoder,
            failures,
        })))
    }

    fn arguments_in_call_order(&self) -> impl Iterator<Item = &ArgumentDescription<'_>> {
        let positional = self
            .arguments
            .iter()
            .filter(|argument| !argument.keyword_only);
        positional.chain(
            self.arguments
                .iter()
                .filter(|argument| argument.keyword_only),
        )
    }

    fn explain(&self, error: &PyErr) -> PyErr {
        PyValueError::new_err(self.say(&error.value(self.handler.py()).to_string()))
    }

    fn say(&self, what: &str) -> String {
        format!("`{}` ({}): {what}", self.name, self.location)
    }
}

impl ArgumentDescription<'_> {
    fn parameter(&self, template: &PathTemplate) -> PyResult<Parameter> {
        let location = match self.source.as_str() {
            "path" => ParameterIn::Path,
            "query" => ParameterIn::Query,
            other => {
                return Err(PyValueError::new_err(format!(
                    "argument `{}`: unknown place {other:?}",
                    self.name
                )));
            }
        };
        let converter = || {
            let mut parameters = template.parameters().iter();
            parameters
                .find(|it| location == ParameterIn::Path && it.name() == self.wire_name)?
                .ty()
        };
        let ty = if self.schema.is_empty() {
            converter().cloned().unwrap_or(ParameterType::String)
        } else {
            parameter_type(&self.schema_json()?).ok_or_else(|| {
                PyValueError::new_err(format!(
                    "argument `{}`: unknown schema {}",
                    self.name, self.schema
                ))
            })?
        };
        Ok(if self.required {
            Parameter::required(location, &self.wire_name, ty)
        } else {
            Parameter::optional(location, &self.wire_name, ty)
        })
    }

    fn schema_json(&self) -> PyResult<Json> {
        let py = self.schema.py();
        let encoded = py
            .import("msgspec.json")?
            .call_method1("encode", (&self.schema,))?;
        serde_json::from_slice(encoded.extract::<&[u8]>()?)
            .map_err(|error| PyValueError::new_err(error.to_string()))
    }

    fn compile(&self, parameter: Parameter) -> Argument {
        Argument {
            convert: self.convert.clone().map(Bound::unbind),
            default: match &self.default_factory {
                Some(factory) => Default::Factory(factory.clone().unbind()),
                None => Default::Value(self.default.clone().unbind()),
            },
            cause: cause(parameter.ty()),
            parameter,
        }
    }
}

/// The type that a JSON Schema of the supported vocabulary describes.
fn parameter_type(schema: &Json) -> Option<ParameterType> {
    let format = schema.get("format").and_then(Json::as_str);
    Some(match (schema.get("type")?.as_str()?, format) {
        ("string", None) => ParameterType::String,
        ("string", Some("uuid")) => ParameterType::Uuid,
        ("string", Some("date")) => ParameterType::Date,
        ("string", Some("date-time")) => ParameterType::DateTime,
        ("string", Some("time")) => ParameterType::Time,
        ("string", Some("duration")) => ParameterType::Duration,
        ("string", Some("decimal")) => ParameterType::Decimal,
        ("integer", None) => ParameterType::Integer,
        ("number", None) => ParameterType::Number,
        ("boolean", None) => ParameterType::Boolean,
        ("array", None) => ParameterType::Array(Box::new(parameter_type(schema.get("items")?)?)),
        _ => return None,
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
        _ => Cause::Format("string"),
    }
}
