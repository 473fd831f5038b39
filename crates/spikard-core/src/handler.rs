//! The border between the framework and what answers.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use http::{Response, request};
use spikard_problem::Problem;

use crate::{Body, Content, ContentCheck, Value};

/// What a handler answers: a response, or a problem that the service turns into one.
pub type Reply = Result<Response<Body>, Box<Problem>>;

/// One request as a handler sees it.
#[derive(Debug)]
pub struct Call<'r> {
    /// Method, target, fields and extensions of the request.
    pub head: &'r request::Parts,
    /// The converted parameters, in the order in which the operation declares them.
    pub inputs: &'r [Value<'r>],
    /// The content of the request, as the operation's `RequestBody` asks for it.
    pub content: Content,
    /// What tells the errors of content that the handler decodes itself; only for `BodyKind::Json`.
    pub content_check: Option<Arc<dyn ContentCheck>>,
}

/// A reply, now or later.
///
/// A handler that answers at once costs no allocation and no extra poll.
pub enum Outcome {
    /// The handler has answered.
    Ready(Reply),
    /// The handler waits. Dropping the future, as happens when the client leaves, cancels it.
    Pending(Pin<Box<dyn Future<Output = Reply> + Send>>),
}

impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ready(_) => "Ready(..)",
            Self::Pending(_) => "Pending(..)",
        })
    }
}

/// Answers the requests of one operation.
///
/// # Example
///
/// ```
/// use http::Response;
/// use spikard_core::{Body, Call, Handler, Outcome};
///
/// let handler = |call: Call<'_>| Outcome::Ready(Ok(Response::new(Body::from(call.head.uri.path().to_owned()))));
/// fn is_handler(_: impl Handler) {}
/// is_handler(handler);
/// ```
pub trait Handler: Send + Sync + 'static {
    /// Answers one request. What the outcome needs of `call` it takes along: nothing is borrowed.
    fn call(&self, call: Call<'_>) -> Outcome;
}

impl<F> Handler for F
where
    F: Fn(Call<'_>) -> Outcome + Send + Sync + 'static,
{
    fn call(&self, call: Call<'_>) -> Outcome {
        self(call)
    }
}
