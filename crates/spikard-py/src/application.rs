//! Freezes the routes of a Python application into a service.

use std::sync::Arc;

use http::{Method, StatusCode};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};
use spikard_core::{Declaration, Operation};
use spikard_routing::PathTemplate;
use spikard_service::Service;

use crate::arguments::Arguments;
use crate::config::ContentSettings;
use crate::execution::Execution;
use crate::failure::FailureLog;
use crate::handler::PyHandler;
use crate::invocation::Route;
use crate::plan::{ArgumentDescription, BodyDescription, Compiler};
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
    checked: Vec<ArgumentDescription<'py>>,
    body: Option<BodyDescription<'py>>,
    status_code: Option<u16>,
    sync_to_thread: Option<bool>,
}

/// A frozen application. Raises `ValueError` when its routes do not fit together.
#[pyclass(frozen)]
pub(crate) struct Application {
    service: Service,
}

#[pymethods]
impl Application {
    /// Freezes `routes`, to be served as `config` says.
    #[new]
    fn new(
        py: Python<'_>,
        routes: Vec<RouteDescription<'_>>,
        config: ContentSettings,
    ) -> PyResult<Self> {
        let encoder = Arc::new(ReplyEncoder::new(py)?);
        let failures = Arc::new(FailureLog::new(py)?);
        let mut builder = Service::builder().with_content_limit(config.into_limit_bytes());
        for route in routes {
            let (operation, handler) = route
                .compile(&encoder, &failures)
                .map_err(|error| route.explain(&error))?;
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
    fn compile(
        &self,
        encoder: &Arc<ReplyEncoder>,
        failures: &Arc<FailureLog>,
    ) -> PyResult<(Operation, PyHandler)> {
        let py = self.handler.py();
        let method = Method::from_bytes(self.method.as_bytes())
            .map_err(|_| PyValueError::new_err(format!("{:?} is not a method", self.method)))?;
        let template = PathTemplate::parse(&self.path)
            .map_err(|error| PyValueError::new_err(error.to_string()))?;
        let declaration = Declaration {
            handler: self.name.clone(),
            location: self.location.clone(),
        };
        let operation = Operation::new(method, &self.path).with_declaration(declaration);

        let mut compiler = Compiler::new(operation, &template, self.body.as_ref());
        let mut arguments = Vec::with_capacity(self.arguments.len());
        for argument in self.arguments_in_call_order() {
            arguments.push(compiler.argument(argument)?);
        }
        for argument in &self.checked {
            compiler.check(argument)?;
        }
        let operation = compiler.finish()?;

        let arguments = Arguments {
            arguments,
            keywords: self.keywords(py)?,
        };
        let status = self
            .status_code
            .map_or(Ok(StatusCode::OK), StatusCode::from_u16)
            .map_err(|error| PyValueError::new_err(error.to_string()))?;
        let route = Route {
            handler: self.handler.clone().unbind(),
            name: PyString::new(py, &self.name).unbind(),
            wants_request: arguments.wants_request(),
            arguments,
            execution: Execution::new(self.sync_to_thread),
            status,
            encoder: Arc::clone(encoder),
            failures: Arc::clone(failures),
        };
        Ok((operation, PyHandler(Arc::new(route))))
    }

    /// Names of the keyword-only arguments, in the order of the call.
    fn keywords(&self, py: Python<'_>) -> PyResult<Option<Py<PyTuple>>> {
        let names: Vec<_> = self
            .arguments_in_call_order()
            .filter(|argument| argument.keyword_only)
            .map(|argument| PyString::intern(py, &argument.name))
            .collect();
        if names.is_empty() {
            return Ok(None);
        }
        Ok(Some(PyTuple::new(py, names)?.unbind()))
    }

    /// Keyword-only arguments come last.
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

    /// Says which handler it is about.
    fn explain(&self, error: &PyErr) -> PyErr {
        let what = error.value(self.handler.py());
        PyValueError::new_err(format!("`{}` ({}): {what}", self.name, self.location))
    }
}
