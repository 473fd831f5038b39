//! The way of a request through the rooms, step by step.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use http::{Method, Request, request};
use smallvec::SmallVec;
use spikard_core::{Body, Call, Inputs, Outcome};
use spikard_problem::Problem;
use spikard_routing::{Match, Miss, Router};

use crate::answer::Answer;
use crate::respond::{allow_response, respond};
use crate::service::Route;

/// Where an error leaves the line: as a problem, or as an answer that is no error.
type Sideways = Box<Outcome>;

/// Walks one request to its answer. A panic on the way costs this response, not the connection.
pub(crate) fn answer(router: &Router<Route>, request: Request<Body>) -> Answer {
    let (head, body) = request.into_parts();
    let is_head = head.method == Method::HEAD;
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        walk(router, &head, body).unwrap_or_else(|aside| *aside)
    }))
    .unwrap_or_else(|_| problem(Problem::internal_server_error()));
    match outcome {
        Outcome::Ready(reply) => Answer::ready(respond(reply, is_head)),
        Outcome::Pending(reply) => Answer::pending(reply, is_head),
    }
}

fn walk(router: &Router<Route>, head: &request::Parts, body: Body) -> Result<Outcome, Sideways> {
    let found = find_route(router, head)?;
    let inputs = extract(found.value, found.parameters, head)?;
    Ok(found.value.handler.call(Call { head, inputs, body }))
}

fn find_route<'t, 'r>(
    router: &'t Router<Route>,
    head: &'r request::Parts,
) -> Result<Match<'t, 'r, Route>, Sideways> {
    let path = match head.uri.path() {
        // The authority form, which only CONNECT may use, has no path at all (RFC 9112, 3.2.3).
        "" if head.method == Method::CONNECT => "/",
        "" => {
            let detail = "The request target is neither a path nor a URI";
            return Err(Box::new(problem(Problem::bad_request(detail))));
        }
        path => path,
    };
    router.find(&head.method, path).map_err(|miss| {
        Box::new(match miss {
            Miss::NotFound => problem(Problem::not_found()),
            Miss::MethodNotAllowed { allow } => {
                problem(Problem::method_not_allowed(&head.method, allow))
            }
            Miss::Options { allow } => Outcome::Ready(Ok(allow_response(allow))),
            Miss::MalformedPath(error) => problem(Problem::bad_request(error.to_string())),
        })
    })
}

fn extract<'r>(
    route: &Route,
    path: SmallVec<[Cow<'r, str>; 4]>,
    head: &'r request::Parts,
) -> Result<Inputs<'r>, Sideways> {
    route
        .plan
        .extract(path, head.uri.query())
        .map_err(|errors| Box::new(problem(Problem::validation(&errors))))
}

fn problem(problem: Problem) -> Outcome {
    Outcome::Ready(Err(Box::new(problem)))
}
