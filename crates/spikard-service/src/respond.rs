//! From a reply to the response that leaves: the one place where a problem becomes bytes.

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use http_body::Body as _;
use spikard_core::{Body, Reply};
use spikard_problem::{MEDIA_TYPE, Problem};

/// Turns a reply into a response, without content where the method or the status forbids it (RFC 9110, 6.4.1).
pub(crate) fn respond(reply: Reply, is_head: bool) -> Response<Body> {
    let mut response = reply.unwrap_or_else(|problem| problem_response(&problem));
    if is_head {
        // The length is that of the content a GET would have had (RFC 9110, 8.6).
        if let Some(length) = response.body().size_hint().exact() {
            response
                .headers_mut()
                .entry(CONTENT_LENGTH)
                .or_insert_with(|| length.into());
        }
        *response.body_mut() = Body::empty();
    } else if has_no_content(response.status()) {
        response.headers_mut().remove(CONTENT_LENGTH);
        response.headers_mut().remove(CONTENT_TYPE);
        *response.body_mut() = Body::empty();
    }
    response
}

/// The response that carries a problem document.
pub fn problem_response(problem: &Problem) -> Response<Body> {
    let mut response = Response::new(Body::from(Bytes::from(problem.to_bytes())));
    *response.status_mut() = problem.status();
    response.headers_mut().extend(problem.headers().clone());
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    response
}

/// The answer to OPTIONS on a path that has routes but none for OPTIONS (RFC 9110, 9.3.7).
pub(crate) fn allow_response(allow: HeaderValue) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response.headers_mut().insert(ALLOW, allow);
    response
}

/// Statuses whose responses end with the header section (RFC 9110, 15.3.5 and 15.4.5).
fn has_no_content(status: StatusCode) -> bool {
    status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED
}
