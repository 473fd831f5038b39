//! A request under construction.

use bytes::Bytes;
use form_urlencoded::Serializer;
use http::header::{CONTENT_TYPE, COOKIE, HOST, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Request};
use http_body_util::BodyExt;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::Serialize;
use spikard_core::Body;
use spikard_service::Service;

use crate::{TestError, TestResponse};

/// What a browser escapes in a typed address: what HTTP cannot carry. Escapes that are there stay as they are.
const TARGET: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'#');

/// A request to a service in memory; [`send`](Self::send) sends it.
#[derive(Debug)]
#[must_use = "a request does nothing until it is sent"]
pub struct TestRequest {
    service: Service,
    method: Method,
    target: String,
    headers: Result<HeaderMap, http::Error>,
    content: Result<Bytes, serde_json::Error>,
}

impl TestRequest {
    pub(crate) fn new(service: Service, method: Method, target: &str) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static("testserver"));
        Self {
            service,
            method,
            target: utf8_percent_encode(target, TARGET).to_string(),
            headers: Ok(headers),
            content: Ok(Bytes::new()),
        }
    }

    /// Adds pairs to the query of the target, escaped as a form would (WHATWG URL, 5.2).
    pub fn query<N: AsRef<str>, V: AsRef<str>>(
        mut self,
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let mut query = Serializer::new(String::new());
        query.extend_pairs(pairs);
        let query = query.finish();
        if !query.is_empty() {
            self.target
                .push(if self.target.contains('?') { '&' } else { '?' });
            self.target.push_str(&query);
        }
        self
    }

    /// Adds a field. A `Host` given here replaces the client's own; other fields may repeat.
    pub fn header<N, V>(mut self, name: N, value: V) -> Self
    where
        N: TryInto<HeaderName>,
        N::Error: Into<http::Error>,
        V: TryInto<HeaderValue>,
        V::Error: Into<http::Error>,
    {
        self.headers = self.headers.and_then(|mut headers| {
            let name = name.try_into().map_err(Into::into)?;
            let value = value.try_into().map_err(Into::into)?;
            if name == HOST {
                headers.insert(name, value);
            } else {
                headers.append(name, value);
            }
            Ok(headers)
        });
        self
    }

    /// Sends `pairs` in one `Cookie` field (RFC 6265, 4.2), values as they are.
    pub fn cookies<N: AsRef<str>, V: AsRef<str>>(
        self,
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let pairs: Vec<String> = pairs
            .into_iter()
            .map(|(name, value)| format!("{}={}", name.as_ref(), value.as_ref()))
            .collect();
        if pairs.is_empty() {
            return self;
        }
        self.header(COOKIE, pairs.join("; "))
    }

    /// Sends bytes as they are, without a `Content-Type`.
    pub fn content(mut self, bytes: impl Into<Bytes>) -> Self {
        self.content = Ok(bytes.into());
        self
    }

    /// Sends `value` as JSON, as `application/json` unless a `Content-Type` is given.
    pub fn json(mut self, value: &impl Serialize) -> Self {
        self.content = serde_json::to_vec(value).map(Bytes::from);
        self.default_content_type("application/json")
    }

    /// Sends `pairs` as a form, as `application/x-www-form-urlencoded` unless a `Content-Type` is given.
    pub fn form<N: AsRef<str>, V: AsRef<str>>(
        mut self,
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let mut form = Serializer::new(String::new());
        form.extend_pairs(pairs);
        self.content = Ok(Bytes::from(form.finish()));
        self.default_content_type("application/x-www-form-urlencoded")
    }

    fn default_content_type(mut self, media_type: &'static str) -> Self {
        if let Ok(headers) = &mut self.headers {
            headers
                .entry(CONTENT_TYPE)
                .or_insert(HeaderValue::from_static(media_type));
        }
        self
    }

    /// Sends the request and waits for the whole response.
    ///
    /// # Errors
    ///
    /// When the request is not valid HTTP, or the content of the response breaks off.
    pub async fn send(self) -> Result<TestResponse, TestError> {
        let mut request = Request::builder().method(self.method).uri(self.target);
        if let Some(headers) = request.headers_mut() {
            *headers = self.headers?;
        }
        let request = request.body(Body::from(self.content?))?;
        let Ok(response) = self.service.answer(request).await;
        let (head, body) = response.into_parts();
        let content = body.collect().await.map_err(TestError::Content)?.to_bytes();
        Ok(TestResponse::new(head, content))
    }
}
