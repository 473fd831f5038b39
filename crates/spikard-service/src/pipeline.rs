//! The way of a request through the rooms, step by step.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use http::{Method, Request, request};
use http_body::Body as _;
use smallvec::SmallVec;
use spikard_core::{Body, BoxError, Call, Content, Inputs, Outcome, Reply, Value};
use spikard_extractors::{ReadContent, Rejection, limit};
use spikard_problem::{FieldError, Problem};
use spikard_routing::{Match, Miss};

use crate::answer::Answer;
use crate::respond::{allow_response, respond};
use crate::service::{Route, Service};

/// Where an error leaves the line: as a problem, or as an answer that is no error.
type Sideways = Box<Outcome>;

/// The decoded values of a path template, from left to right.
type PathValues<'r> = SmallVec<[Cow<'r, str>; 4]>;

/// A request on the line: answered, or waiting for its content.
enum Step<R> {
    Answered(Outcome),
    Reading {
        route: Arc<Route>,
        path: Vec<String>,
        read: R,
    },
}

/// Walks one request to its answer. A panic on the way costs this response, not the connection.
pub(crate) fn answer(service: &Service, request: Request<Body>) -> Answer {
    let (head, body) = request.into_parts();
    let is_head = head.method == Method::HEAD;
    let step = catch_unwind(AssertUnwindSafe(|| {
        walk(service, &head, body).unwrap_or_else(|aside| Step::Answered(*aside))
    }));
    match step {
        Ok(Step::Answered(Outcome::Ready(reply))) => Answer::ready(respond(reply, is_head)),
        Ok(Step::Answered(Outcome::Pending(reply))) => Answer::pending(reply, is_head),
        Ok(Step::Reading { route, path, read }) => {
            Answer::pending(Box::pin(read_and_call(route, head, path, read)), is_head)
        }
        Err(_panic) => {
            let problem = Box::new(Problem::internal_server_error());
            Answer::ready(respond(Err(problem), is_head))
        }
    }
}

fn walk(
    service: &Service,
    head: &request::Parts,
    body: Body,
) -> Result<Step<impl Future<Output = Result<ReadContent, Rejection>> + use<>>, Sideways> {
    let Match {
        value: route,
        parameters,
    } = find_route(service, head)?;
    let Some(content) = &route.content else {
        let content = unread(body, service.content_limit())?;
        let inputs = take_inputs(route, parameters, head)?;
        return Ok(Step::Answered(call(route, head, inputs.values(), content)));
    };
    // What the header fields say of the content is checked before anything is read.
    let read = content
        .plan
        .read(&head.headers, body, service.content_limit())
        .map_err(refused)?;
    Ok(Step::Reading {
        route: Arc::clone(route),
        path: parameters.into_iter().map(Cow::into_owned).collect(),
        read,
    })
}

/// Content that the route leaves alone: limited, for a handler that reads it after all.
fn unread(body: Body, limit_bytes: u64) -> Result<Content, Sideways> {
    if body.is_end_stream() {
        return Ok(Content::Unread(body));
    }
    limit(body, limit_bytes)
        .map(Content::Unread)
        .map_err(refused)
}

/// The limit that content was longer than, if that is why a handler could not read it to its end.
pub fn passed_limit(error: &BoxError) -> Option<u64> {
    match error.downcast_ref()? {
        Rejection::ContentTooLarge { limit_bytes } => Some(*limit_bytes),
        _ => None,
    }
}

fn find_route<'t, 'r>(
    service: &'t Service,
    head: &'r request::Parts,
) -> Result<Match<'t, 'r, Arc<Route>>, Sideways> {
    let path = match head.uri.path() {
        // The authority form, which only CONNECT may use, has no path at all (RFC 9112, 3.2.3).
        "" if head.method == Method::CONNECT => "/",
        "" => {
            let detail = "The request target is neither a path nor a URI";
            return Err(Box::new(problem(Problem::bad_request(detail))));
        }
        path => path,
    };
    service.router().find(&head.method, path).map_err(|miss| {
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

/// The parameters of a request whose content nobody has read.
fn take_inputs<'r>(
    route: &Route,
    path: PathValues<'r>,
    head: &'r request::Parts,
) -> Result<Inputs<'r>, Sideways> {
    if route.checks.is_empty() {
        let extracted = route.plan.extract(path, head.uri.query(), &head.headers);
        return extracted
            .map_err(|refused| Box::new(problem(Problem::validation(&refused.errors))));
    }
    let (inputs, errors) = extract(route, path, head);
    if errors.is_empty() {
        Ok(inputs)
    } else {
        Err(Box::new(problem(Problem::validation(&errors))))
    }
}

/// Reads the content, then goes on as without: all errors of all places in one answer.
async fn read_and_call(
    route: Arc<Route>,
    head: request::Parts,
    path: Vec<String>,
    read: impl Future<Output = Result<ReadContent, Rejection>>,
) -> Reply {
    let outcome = {
        let mut read = read.await.map_err(|rejection| Box::new(rejection.into()))?;
        let path = path
            .iter()
            .map(|value| Cow::Borrowed(value.as_str()))
            .collect();
        let (inputs, mut errors) = extract(&route, path, &head);
        if let Some(content) = &route.content {
            errors.extend(content.errors(&mut read, !errors.is_empty())?);
        }
        if !errors.is_empty() {
            errors.sort_by(FieldError::cmp_loc);
            return Err(Box::new(Problem::validation(&errors)));
        }
        call(&route, &head, inputs.values(), read.content)
    };
    match outcome {
        Outcome::Ready(reply) => reply,
        Outcome::Pending(reply) => reply.await,
    }
}

/// Converts the parameters and checks what their schemas say; the inputs are whole where there are no errors.
fn extract<'r>(
    route: &Route,
    path: PathValues<'r>,
    head: &'r request::Parts,
) -> (Inputs<'r>, Vec<FieldError>) {
    // The values of the path move into the inputs; what an error shows of them is kept only where one is possible.
    let kept = if route.checks.is_empty() {
        PathValues::new()
    } else {
        path.clone()
    };
    let (inputs, mut errors) = match route.plan.extract(path, head.uri.query(), &head.headers) {
        Ok(inputs) => (inputs, Vec::new()),
        Err(refused) => (refused.inputs, refused.errors),
    };
    if !route.checks.is_empty() {
        let received = |input| {
            route
                .plan
                .received(input, &kept, head.uri.query(), &head.headers)
        };
        let found = route.checks.errors(&inputs, received);
        if !found.is_empty() {
            errors.extend(found);
            errors.sort_by(FieldError::cmp_loc);
        }
    }
    (inputs, errors)
}

fn call<'r>(
    route: &Route,
    head: &'r request::Parts,
    inputs: &'r [Value<'r>],
    content: Content,
) -> Outcome {
    route.handler.call(Call {
        head,
        inputs,
        content,
        content_check: route
            .content
            .as_ref()
            .and_then(|content| content.check.clone()),
    })
}

fn refused(rejection: Rejection) -> Sideways {
    Box::new(problem(rejection.into()))
}

fn problem(problem: Problem) -> Outcome {
    Outcome::Ready(Err(Box::new(problem)))
}
