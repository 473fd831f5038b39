//! One service that walks a request through the rooms: routing, extraction, handler, response.
//!
//! [`Service`] is a [`hyper::service::Service`]; sockets are the business of `spikard-server`, and
//! `spikard-testclient` calls the same service in memory. Reading `pipeline.rs` is reading the framework.
//!
//! # Example
//!
//! ```
//! use http::{Method, Request, Response, StatusCode};
//! use spikard_core::{Body, Call, Operation, Outcome, Parameter, ParameterIn, ParameterType, Value};
//! use spikard_service::Service;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let operation = Operation::new(Method::GET, "/hello")
//!     .with_parameter(Parameter::required(ParameterIn::Query, "name", ParameterType::String));
//! let service = Service::builder()
//!     .route(operation, |call: Call<'_>| {
//!         let [Value::String(name)] = call.inputs else { unreachable!("the plan converts to text") };
//!         Outcome::Ready(Ok(Response::new(Body::from(format!("Hello, {name}!")))))
//!     })
//!     .build()?;
//!
//! let response = service.answer(Request::get("/hello?name=Ada").body(Body::empty())?).await?;
//! assert_eq!(response.status(), StatusCode::OK);
//! let response = service.answer(Request::get("/hello").body(Body::empty())?).await?;
//! assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY);
//! # Ok(())
//! # }
//! ```

mod answer;
mod build;
mod content_route;
mod parameter_check;
mod pipeline;
mod respond;
mod service;

pub use answer::Answer;
pub use build::{BuildError, ServiceBuilder};
pub use pipeline::passed_limit;
pub use respond::problem_response;
pub use service::Service;
