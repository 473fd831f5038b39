//! The client: a service and the requests that start at it.

use http::Method;
use spikard_service::Service;

use crate::TestRequest;

/// Sends requests to a service in memory.
#[derive(Clone, Debug)]
pub struct TestClient {
    service: Service,
}

impl TestClient {
    /// A client of `service`.
    pub fn new(service: Service) -> Self {
        Self { service }
    }

    /// Starts a request; `target` is a path with an optional query, escaped where HTTP asks for it.
    pub fn request(&self, method: Method, target: &str) -> TestRequest {
        TestRequest::new(self.service.clone(), method, target)
    }

    /// Starts a GET request.
    pub fn get(&self, target: &str) -> TestRequest {
        self.request(Method::GET, target)
    }

    /// Starts a POST request.
    pub fn post(&self, target: &str) -> TestRequest {
        self.request(Method::POST, target)
    }

    /// Starts a PUT request.
    pub fn put(&self, target: &str) -> TestRequest {
        self.request(Method::PUT, target)
    }

    /// Starts a PATCH request.
    pub fn patch(&self, target: &str) -> TestRequest {
        self.request(Method::PATCH, target)
    }

    /// Starts a DELETE request.
    pub fn delete(&self, target: &str) -> TestRequest {
        self.request(Method::DELETE, target)
    }

    /// Starts a HEAD request.
    pub fn head(&self, target: &str) -> TestRequest {
        self.request(Method::HEAD, target)
    }

    /// Starts an OPTIONS request.
    pub fn options(&self, target: &str) -> TestRequest {
        self.request(Method::OPTIONS, target)
    }
}
