//! From operations and handlers to a service: everything that can be decided before the first request.

use spikard_core::{Handler, Operation, Parameter, ParameterIn, ParameterType};
use spikard_extractors::{Plan, PlanError};
use spikard_routing::{PathParameter, PathTemplate, RouteError, Router, RouterBuilder};

use crate::Service;
use crate::service::Route;

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
}

/// Collects routes and freezes them into a [`Service`].
#[derive(Default)]
pub struct ServiceBuilder {
    routes: Vec<(Operation, Box<dyn Handler>)>,
}

impl ServiceBuilder {
    /// Adds a route: `handler` answers the requests of `operation`.
    #[must_use]
    pub fn route(mut self, operation: Operation, handler: impl Handler) -> Self {
        self.routes.push((operation, Box::new(handler)));
        self
    }

    /// Compiles the routes.
    ///
    /// # Errors
    ///
    /// When a template cannot be read, two routes collide, or a parameter does not fit its path.
    pub fn build(self) -> Result<Service, BuildError> {
        let mut router: RouterBuilder<Route> = Router::builder();
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
            router.insert(&operation, Route { plan, handler })?;
        }
        Ok(Service::new(router.build()))
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
