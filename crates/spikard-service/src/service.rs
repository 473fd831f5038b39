//! The service itself: a frozen table of routes behind a shared pointer.

use std::convert::Infallible;
use std::sync::Arc;

use http::{Request, Response};
use spikard_core::{Body, BoxError, Handler};
use spikard_extractors::Plan;
use spikard_routing::Router;

use crate::build::ServiceBuilder;
use crate::content_route::ContentRoute;
use crate::parameter_check::ParameterChecks;
use crate::{Answer, pipeline};

/// Most bytes of content, after decoding, where nothing else is said.
pub(crate) const CONTENT_LIMIT_BYTES: u64 = 10 * 1024 * 1024;

/// What is known of a route when the service is built.
pub(crate) struct Route {
    pub(crate) plan: Plan,
    pub(crate) checks: ParameterChecks,
    /// None where the content is left alone.
    pub(crate) content: Option<ContentRoute>,
    pub(crate) handler: Box<dyn Handler>,
}

/// Answers every request of one application. A clone shares the routes.
#[derive(Clone)]
pub struct Service {
    shared: Arc<Shared>,
}

struct Shared {
    router: Router<Arc<Route>>,
    content_limit_bytes: u64,
}

impl Service {
    /// Starts an empty application.
    pub fn builder() -> ServiceBuilder {
        ServiceBuilder::default()
    }

    pub(crate) fn new(router: Router<Arc<Route>>, content_limit_bytes: u64) -> Self {
        Self {
            shared: Arc::new(Shared {
                router,
                content_limit_bytes,
            }),
        }
    }

    pub(crate) fn router(&self) -> &Router<Arc<Route>> {
        &self.shared.router
    }

    pub(crate) fn content_limit(&self) -> u64 {
        self.shared.content_limit_bytes
    }

    /// Answers one request; never fails, since every error becomes a response.
    pub fn answer(&self, request: Request<Body>) -> Answer {
        pipeline::answer(self, request)
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
