//! From a reply to the response that leaves: the one place where a problem becomes bytes.

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, TRANSFER_ENCODING};
use http::{HeaderMap, Response, StatusCode};
use http_body::Body as _;
use spikard_core::{Body, Reply};
use spikard_problem::{MEDIA_TYPE, Problem};

/// Turns a reply into a response, without content where the method or the status forbids it (RFC 9110, 6.4.1).
pub(crate) fn respond(reply: Reply, is_head: bool) -> Response<Body> {
    let mut response = reply.unwrap_or_else(|problem| problem_response(&problem));
    let has_no_content = has_no_content(response.status());
    let length = response.body().size_hint().exact();
    let headers = response.headers_mut();
    // Where content ends is the server's business: with a wrong field, the client takes content for the next response.
    headers.remove(TRANSFER_ENCODING);
    if has_no_content {
        headers.remove(CONTENT_LENGTH);
        headers.remove(CONTENT_TYPE);
    } else if !is_head {
        if length.is_some() {
            headers.remove(CONTENT_LENGTH);
        }
    } else if let Some(length) = length.filter(|length| *length > 0 || !has_length(headers)) {
        // That of the content a GET would have had (RFC 9110, 8.6), which a handler for HEAD says itself.
        headers.insert(CONTENT_LENGTH, length.into());
    }
    if is_head || has_no_content {
        *response.body_mut() = Body::empty();
    }
    response
}

/// Whether the fields give one length, in digits.
fn has_length(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(CONTENT_LENGTH).iter();
    let digits = values.next().map_or(&b""[..], HeaderValue::as_bytes);
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit) && values.next().is_none()
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
