//! The service itself: a frozen table of routes behind a shared pointer.

use std::convert::Infallible;
use std::sync::Arc;

use http::{Request, Response};
use spikard_core::{Body, BoxError, Handler};
use spikard_extractors::Plan;
use spikard_routing::Router;

use crate::build::ServiceBuilder;
use crate::{Answer, pipeline};

/// What is known of a route when the service is built.
pub(crate) struct Route {
    pub(crate) plan: Plan,
    pub(crate) handler: Box<dyn Handler>,
}

/// Answers every request of one application. A clone shares the routes.
#[derive(Clone)]
pub struct Service {
    router: Arc<Router<Route>>,
}

impl Service {
    /// Starts an empty application.
    pub fn builder() -> ServiceBuilder {
        ServiceBuilder::default()
    }

    pub(crate) fn new(router: Router<Route>) -> Self {
        Self {
            router: Arc::new(router),
        }
    }

    /// Answers one request; never fails, since every error becomes a response.
    pub fn answer(&self, request: Request<Body>) -> Answer {
        pipeline::answer(&self.router, request)
    }
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service").finish_non_exhaustive()
    }
}

impl<B> hyper::service::Service<Request<B>> for Service
where
    B: http_body::Body<Data = bytes::Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answer;

    fn call(&self, request: Request<B>) -> Answer {
        self.answer(request.map(Body::new))
    }
}
