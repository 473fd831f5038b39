//! Calls a [`Service`](spikard_service::Service) in memory: the pipeline of production, without a socket.
//!
//! [`TestClient`] builds requests the way a client would and gives back whole responses. It adds nothing that the
//! test did not ask for except `Host`; it follows no redirects and keeps repeated fields apart.
//!
//! # Example
//!
//! ```
//! use http::{Method, Response, StatusCode};
//! use spikard_core::{Body, Call, Operation, Outcome};
//! use spikard_service::Service;
//! use spikard_testclient::TestClient;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let service = Service::builder()
//!     .route(Operation::new(Method::GET, "/ping"), |_: Call<'_>| {
//!         Outcome::Ready(Ok(Response::new(Body::from("pong"))))
//!     })
//!     .build()?;
//!
//! let response = TestClient::new(service).get("/ping").send().await?;
//! assert_eq!(response.status(), StatusCode::OK);
//! assert_eq!(response.text(), "pong");
//! # Ok(())
//! # }
//! ```

mod client;
mod error;
mod request;
mod response;

pub use client::TestClient;
pub use error::TestError;
pub use request::TestRequest;
pub use response::TestResponse;
