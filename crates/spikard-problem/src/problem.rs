//! The problem document itself (RFC 9457).

use std::borrow::Cow;

use http::header::{ALLOW, HeaderMap, HeaderValue};
use http::{Method, StatusCode};
use serde_json::{Map, Value};

use crate::FieldError;

/// The media type of a problem document (RFC 9457, 3).
pub const MEDIA_TYPE: &str = "application/problem+json";

/// Every `type` of the framework's own problems is this, followed by a short name.
const TYPE_BASE: &str = "https://spikard.dev/errors/";

/// An error as the client sees it: `type`, `title`, `status`, `detail` and extension members (RFC 9457, 3.1).
///
/// The `type` of a problem of the framework itself is `https://spikard.dev/errors/` and a short name. Fields that
/// belong to the response as a whole, such as `Allow`, travel with the problem.
#[derive(Clone, Debug)]
pub struct Problem {
    type_uri: Cow<'static, str>,
    title: Cow<'static, str>,
    status: StatusCode,
    detail: Cow<'static, str>,
    extensions: Map<String, Value>,
    headers: HeaderMap,
}

impl Problem {
    /// A problem of the framework: `short_name` completes the `type` URI.
    pub fn new(
        status: StatusCode,
        short_name: &str,
        title: impl Into<Cow<'static, str>>,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            type_uri: Cow::Owned(format!("{TYPE_BASE}{short_name}")),
            title: title.into(),
            status,
            detail: detail.into(),
            extensions: Map::new(),
            headers: HeaderMap::new(),
        }
    }

    /// 400: the request cannot be understood; `detail` says where and why.
    pub fn bad_request(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "bad-request",
            "Bad Request",
            detail,
        )
    }

    /// 404: no route has this path.
    pub fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not-found",
            "Not Found",
            "No route matches the path of the request",
        )
    }

    /// 405: the path has routes, but none for this method; `allow` becomes the `Allow` field (RFC 9110, 15.5.6).
    pub fn method_not_allowed(method: &Method, allow: HeaderValue) -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method-not-allowed",
            "Method Not Allowed",
            format!("Method {method} is not allowed for this path"),
        )
        .with_header(ALLOW, allow)
    }

    /// 413: the content is longer, or has more parts, than is allowed (RFC 9110, 15.5.14); `detail` says which.
    pub fn payload_too_large(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "payload-too-large",
            "Payload Too Large",
            detail,
        )
    }

    /// 414: the request target is longer than `limit_bytes` (RFC 9110, 15.5.15).
    pub fn uri_too_long(limit_bytes: usize) -> Self {
        Self::new(
            StatusCode::URI_TOO_LONG,
            "uri-too-long",
            "URI Too Long",
            format!("The request target is longer than {limit_bytes} bytes"),
        )
    }

    /// 415: the operation does not take content of this media type (RFC 9110, 15.5.16).
    pub fn unsupported_media_type() -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported-media-type",
            "Unsupported Media Type",
            "Unsupported media type",
        )
    }

    /// 415: the content is JSON that says it is not UTF-8.
    pub fn unsupported_charset(charset: &str) -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported-charset",
            "Unsupported Charset",
            format!("Unsupported charset '{charset}' for JSON. Only UTF-8 is supported."),
        )
    }

    /// 422: `errors` are all the places of the request that were refused.
    pub fn validation(errors: &[FieldError]) -> Self {
        let detail = match errors.len() {
            1 => Cow::Borrowed("1 validation error in request"),
            count => Cow::Owned(format!("{count} validation errors in request")),
        };
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "validation-error",
            "Request Validation Failed",
            detail,
        )
        .with_extension("errors", errors.iter().map(FieldError::to_json).collect())
    }

    /// 431: the header fields together are longer than `limit_bytes` (RFC 6585, 5).
    pub fn header_fields_too_large(limit_bytes: usize) -> Self {
        Self::new(
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "header-fields-too-large",
            "Request Header Fields Too Large",
            format!("The header fields are longer than {limit_bytes} bytes"),
        )
    }

    /// 500: a bug on the server's side. Says nothing of its cause.
    pub fn internal_server_error() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal-server-error",
            "Internal Server Error",
            "Internal server error",
        )
    }

    /// 503: the server cannot take the request now; `detail` says why.
    pub fn service_unavailable(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "service-unavailable",
            "Service Unavailable",
            detail,
        )
    }

    /// The problem that belongs to a status when nothing else is known: its phrase says it all.
    pub fn of_status(status: StatusCode) -> Self {
        let phrase = status.canonical_reason().unwrap_or("Error");
        let short_name = match status {
            StatusCode::NOT_FOUND => "not-found".to_owned(),
            StatusCode::PAYLOAD_TOO_LARGE => "payload-too-large".to_owned(),
            StatusCode::UNPROCESSABLE_ENTITY => "validation-error".to_owned(),
            _ => phrase
                .to_ascii_lowercase()
                .replace(' ', "-")
                .replace('\'', ""),
        };
        Self::new(status, &short_name, phrase, phrase)
    }

    /// Replaces the status code.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// Replaces the `type`, a URI reference.
    #[must_use]
    pub fn with_type_uri(mut self, type_uri: impl Into<Cow<'static, str>>) -> Self {
        self.type_uri = type_uri.into();
        self
    }

    /// Replaces the `title`.
    #[must_use]
    pub fn with_title(mut self, title: impl Into<Cow<'static, str>>) -> Self {
        self.title = title.into();
        self
    }

    /// Replaces the `detail`.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.detail = detail.into();
        self
    }

    /// Adds an extension member (RFC 9457, 3.2).
    #[must_use]
    pub fn with_extension(mut self, name: &str, value: Value) -> Self {
        self.extensions.insert(name.to_owned(), value);
        self
    }

    /// Adds a field to the response that carries this problem.
    #[must_use]
    pub fn with_header(mut self, name: http::HeaderName, value: HeaderValue) -> Self {
        self.headers.append(name, value);
        self
    }

    /// The status code of the response.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The fields of the response besides `Content-Type`.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The document as bytes: the content of the response.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.to_json().to_string().into_bytes()
    }

    /// The document: the standard members first, then the extensions.
    pub fn to_json(&self) -> Value {
        let mut document = Map::new();
        document.insert("type".to_owned(), self.type_uri.as_ref().into());
        document.insert("title".to_owned(), self.title.as_ref().into());
        document.insert("status".to_owned(), self.status.as_u16().into());
        document.insert("detail".to_owned(), self.detail.as_ref().into());
        document.extend(self.extensions.clone());
        Value::Object(document)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Cause;

    #[test]
    fn counts_validation_errors_in_words() {
        let error = FieldError::new(["query", "n"], Cause::Missing, None);
        for (count, detail) in [
            (1, "1 validation error in request"),
            (3, "3 validation errors in request"),
        ] {
            let document = Problem::validation(&vec![error.clone(); count]).to_json();
            assert_eq!(document["detail"], detail);
            assert_eq!(document["errors"].as_array().map(Vec::len), Some(count));
        }
    }

    #[test]
    fn members_come_in_the_order_of_the_standard() {
        let text = Problem::not_found().to_json().to_string();
        assert!(
            text.starts_with(r#"{"type":"https://spikard.dev/errors/not-found","title":"Not Found","status":404,"detail""#),
            "{text}"
        );
    }
}
