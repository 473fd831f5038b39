//! Finds what answers a request: a method and a path lead to one value and the path parameters.
//!
//! A [`Router`] is filled once from [`Operation`](spikard_core::Operation)s and only read afterwards. It holds one
//! radix tree per method, so a path costs the same whatever else is registered. What it does not find is a [`Miss`]
//! that already knows its answer: 404, 405 with `Allow`, the `Allow` of an `OPTIONS` request (RFC 9110, 9.3.7), or
//! 400 for a path that cannot be decoded. Converting parameters is the business of `spikard-extractors`.
//!
//! - A parameter `{name}` or `{name:int}` takes a whole segment that is not empty; `{name:path}` takes all that is
//!   left, one segment or more.
//! - Static segments win over parameters. Paths match exactly: `/items` and `/items/` differ, and `//`, `.` and `..`
//!   have no special meaning.
//! - Segments are compared and handed over percent-decoded (RFC 3986, 2.1); an escaped `/` does not end a segment.
//! - `HEAD` falls back to `GET`.
//!
//! # Example
//!
//! ```
//! use http::Method;
//! use spikard_core::Operation;
//! use spikard_routing::{Miss, Router};
//!
//! let mut builder = Router::builder();
//! builder.insert(&Operation::new(Method::GET, "/items/{id:int}"), "show an item")?;
//! builder.insert(&Operation::new(Method::GET, "/items/latest"), "show the latest item")?;
//! let router = builder.build();
//!
//! let found = router.find(&Method::GET, "/items/%34%32").unwrap();
//! assert_eq!((*found.value, found.parameters[0].as_ref()), ("show an item", "42"));
//! assert_eq!(*router.find(&Method::HEAD, "/items/latest").unwrap().value, "show the latest item");
//!
//! let Err(Miss::MethodNotAllowed { allow }) = router.find(&Method::POST, "/items/42") else {
//!     panic!("only GET is registered");
//! };
//! assert_eq!(allow, "GET, HEAD, OPTIONS");
//!
//! let error = Router::builder().insert(&Operation::new(Method::GET, "/items/{id:in}"), "").unwrap_err();
//! assert!(error.to_string().contains("unknown converter `in`"));
//! # Ok::<(), spikard_routing::RouteError>(())
//! ```

mod decoded_path;
mod error;
mod miss;
mod path_template;
mod router;

pub use error::{Route, RouteError, TemplateError};
pub use miss::{MalformedPath, Miss};
pub use path_template::{PathParameter, PathTemplate};
pub use router::{Match, Router, RouterBuilder};
