//! From operations and handlers to a service: everything that can be decided before the first request.

use std::sync::Arc;

use spikard_core::{Handler, Operation, Parameter, ParameterIn, ParameterType};
use spikard_extractors::{Plan, PlanError};
use spikard_routing::{PathParameter, PathTemplate, RouteError, Router, RouterBuilder};
use spikard_validation::SchemaError;

use crate::Service;
use crate::content_route::ContentRoute;
use crate::parameter_check::ParameterChecks;
use crate::service::{CONTENT_LIMIT_BYTES, Route};

/// Why an application cannot be served. Every message names the handler and where it was declared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A path template cannot be read, or two operations answer the same method and path.
    #[error(transparent)]
    Route(#[from] RouteError),
    /// The parameters of an operation do not fit its path, or each other.
    #[error("{declaration}: {source}")]
    Plan {
        /// The handler, with file and line.
        declaration: String,
        /// What does not fit.
        source: Box<PlanError>,
    },
    /// A JSON Schema of an operation cannot be compiled.
    #[error("{declaration}: the schema of {what} is not valid: {source}")]
    Schema {
        /// The handler, with file and line.
        declaration: String,
        /// Which schema: that of a parameter, or of the content.
        what: String,
        /// What is wrong with it, and where.
        source: Box<SchemaError>,
    },
}

/// Collects routes and freezes them into a [`Service`].
pub struct ServiceBuilder {
    routes: Vec<(Operation, Box<dyn Handler>)>,
    content_limit_bytes: u64,
}

impl Default for ServiceBuilder {
    fn default() -> Self {
        Self {
            routes: Vec::new(),
            content_limit_bytes: CONTENT_LIMIT_BYTES,
        }
    }
}

impl ServiceBuilder {
    /// Adds a route: `handler` answers the requests of `operation`.
    #[must_use]
    pub fn route(mut self, operation: Operation, handler: impl Handler) -> Self {
        self.routes.push((operation, Box::new(handler)));
        self
    }

    /// Sets the longest content a request may have, in bytes as sent.
    ///
    /// Default is 10 MiB. A longer one is answered 413 (RFC 9110, 15.5.14), before it is read where its length is known.
    #[must_use]
    pub fn with_content_limit(mut self, limit_bytes: u64) -> Self {
        self.content_limit_bytes = limit_bytes;
        self
    }

    /// Compiles the routes.
    ///
    /// # Errors
    ///
    /// When a template cannot be read, two routes collide, or a parameter does not fit its path.
    pub fn build(self) -> Result<Service, BuildError> {
        let mut router: RouterBuilder<Arc<Route>> = Router::builder();
        for (operation, handler) in self.routes {
            let template =
                PathTemplate::parse(operation.path()).map_err(|reason| RouteError::Template {
                    route: Box::new((&operation).into()),
                    reason,
                })?;
            let operation = with_converters(operation, &template);
            let names: Vec<&str> = template
                .parameters()
                .iter()
                .map(PathParameter::name)
                .collect();
            let plan = Plan::compile(&operation, &names).map_err(|source| BuildError::Plan {
                declaration: operation.declaration().to_string(),
                source: Box::new(source),
            })?;
            let schema_error = |what: String, source| BuildError::Schema {
                declaration: operation.declaration().to_string(),
                what,
                source: Box::new(source),
            };
            let checks = ParameterChecks::compile(&operation)
                .map_err(|(name, source)| schema_error(format!("parameter `{name}`"), source))?;
            let content = operation.body().map(ContentRoute::compile).transpose();
            let route = Route {
                plan,
                checks,
                content: content
                    .map_err(|source| schema_error("the content".to_owned(), source))?,
                handler,
            };
            router.insert(&operation, Arc::new(route))?;
        }
        Ok(Service::new(router.build(), self.content_limit_bytes))
    }
}

impl std::fmt::Debug for ServiceBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let operations = self.routes.iter().map(|(operation, _)| operation);
        f.debug_list().entries(operations).finish()
    }
}

/// Declares what only the template declares: `{id:int}` refuses `/items/x` though no handler asks for `id`.
fn with_converters(mut operation: Operation, template: &PathTemplate) -> Operation {
    for parameter in template.parameters() {
        let declared = operation
            .parameters()
            .iter()
            .any(|it| it.location() == ParameterIn::Path && it.name() == parameter.name());
        if !declared {
            let ty = parameter.ty().cloned().unwrap_or(ParameterType::String);
            operation = operation.with_parameter(Parameter::required(
                ParameterIn::Path,
                parameter.name(),
                ty,
            ));
        }
    }
    operation
}
