//! What a fixture sends.

use std::collections::BTreeMap;

use form_urlencoded::Serializer;
use http::header::CONTENT_TYPE;
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Deserializer};

use crate::{Json, multipart};

/// Everything in a query but the unreserved characters (RFC 3986, 2.3).
const QUERY_VALUE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// What no request target may hold as it is; a raw path or query is sent otherwise untouched.
const NOT_IN_TARGET: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'`')
    .add(b'#');

/// One request.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Request {
    /// The method.
    pub method: String,
    /// The path; may carry a raw query, which is sent then.
    pub path: String,
    /// A raw query; wins over `query_params`.
    pub query_string: Option<String>,
    /// The query by name; arrays repeat the name.
    #[serde(default)]
    pub query_params: BTreeMap<String, Json>,
    /// The header fields, as given.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The members of one `Cookie` field.
    #[serde(default)]
    pub cookies: BTreeMap<String, String>,
    /// `multipart/form-data` asks for `data` and `files` as multipart.
    pub content_type: Option<String>,
    /// A string is sent as it is, anything else as JSON; `None` if the key is absent.
    #[serde(default, deserialize_with = "present")]
    pub body: Option<Json>,
    /// Fields of a urlencoded content, or of a multipart one if there are files.
    #[serde(default)]
    pub form_data: BTreeMap<String, Json>,
    /// Text fields of a multipart content.
    #[serde(default)]
    pub data: BTreeMap<String, Json>,
    /// Files of a multipart content.
    #[serde(default)]
    pub files: Vec<FilePart>,
}

/// One file of a multipart content.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct FilePart {
    /// The name of the field.
    pub field_name: String,
    /// Without one the part is a plain field.
    pub filename: Option<String>,
    /// The content as text.
    pub content: Option<String>,
    /// The content in hexadecimal.
    pub magic_bytes: Option<String>,
    /// The media type of the part; `None` sends none.
    pub content_type: Option<String>,
    /// Further fields of the part.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
}

/// A key that is there, even if it is null.
pub(crate) fn present<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Json>, D::Error> {
    Json::deserialize(deserializer).map(Some)
}

impl Request {
    /// The request target: path and query, with what a target may not hold percent-encoded.
    pub fn target(&self) -> String {
        let mut target = utf8_percent_encode(&self.path, NOT_IN_TARGET).to_string();
        if target.contains('?') {
            return target;
        }
        let query = match &self.query_string {
            Some(raw) => utf8_percent_encode(raw, NOT_IN_TARGET).to_string(),
            None => pairs(&self.query_params)
                .iter()
                .map(|(name, value)| {
                    format!(
                        "{}={}",
                        utf8_percent_encode(name, QUERY_VALUE),
                        utf8_percent_encode(value, QUERY_VALUE)
                    )
                })
                .collect::<Vec<_>>()
                .join("&"),
        };
        if !query.is_empty() {
            target.push('?');
            target.push_str(&query);
        }
        target
    }

    /// The request as a client sends it. A `Content-Type` is added only for content that is encoded here.
    ///
    /// # Errors
    ///
    /// If the fixture has a path or a header field that HTTP does not allow.
    pub fn to_http(&self) -> Result<http::Request<Vec<u8>>, http::Error> {
        let (media_type, content) = self.content();
        let mut request = http::Request::builder()
            .method(self.method.as_str())
            .uri(self.target());
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if !self.cookies.is_empty() {
            let cookies: Vec<_> = self
                .cookies
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            request = request.header(http::header::COOKIE, cookies.join("; "));
        }
        let given = self
            .headers
            .keys()
            .any(|name| name.eq_ignore_ascii_case("content-type"));
        if let Some(media_type) = media_type.filter(|_| !given) {
            request = request.header(CONTENT_TYPE, media_type);
        }
        request.body(content)
    }

    /// The media type and the bytes of the content.
    fn content(&self) -> (Option<&'static str>, Vec<u8>) {
        let multipart = self.content_type.as_deref() == Some("multipart/form-data");
        if !self.files.is_empty()
            || !self.data.is_empty()
            || (multipart && !self.form_data.is_empty())
        {
            let fields = [pairs(&self.form_data), pairs(&self.data)].concat();
            return (
                Some(multipart::MEDIA_TYPE),
                multipart::encode(&fields, &self.files),
            );
        }
        if !self.form_data.is_empty() {
            let form = Serializer::new(String::new())
                .extend_pairs(pairs(&self.form_data))
                .finish();
            return (Some("application/x-www-form-urlencoded"), form.into_bytes());
        }
        match &self.body {
            None => (None, Vec::new()),
            Some(Json::String(text)) => (None, text.clone().into_bytes()),
            Some(json) => (Some("application/json"), json.to_string().into_bytes()),
        }
    }
}

/// Names and texts of a map: an array repeats its name, null is the empty text.
fn pairs(members: &BTreeMap<String, Json>) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for (name, value) in members {
        for item in value.as_array().unwrap_or(std::slice::from_ref(value)) {
            let text = match item {
                Json::Null => String::new(),
                Json::String(text) => text.clone(),
                other => other.to_string(),
            };
            pairs.push((name.clone(), text));
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(keys: &str) -> Request {
        serde_json::from_str(&format!(r#"{{"method": "POST", {keys}}}"#))
            .expect("follows the grammar")
    }

    #[test]
    fn makes_the_target() {
        for (keys, expected) in [
            (r#""path": "/a""#, "/a"),
            (
                r#""path": "/a?b=c%zz", "query_params": {"b": "x"}"#,
                "/a?b=c%zz",
            ),
            (
                r#""path": "/a", "query_string": "b=1&b=+", "query_params": {"b": "x"}"#,
                "/a?b=1&b=+",
            ),
            (
                r#""path": "/a", "query_params": {"b": [1, "x y"], "c": true, "d": null, "e": "é&"}"#,
                "/a?b=1&b=x%20y&c=true&d=&e=%C3%A9%26",
            ),
            (r#""path": "/caf é""#, "/caf%20%C3%A9"),
            (r#""path": "/a#b""#, "/a%23b"),
            (r#""path": "/a", "query_params": {}"#, "/a"),
        ] {
            assert_eq!(request(keys).target(), expected, "{keys}");
        }
    }

    #[test]
    fn makes_the_content() {
        for (keys, media_type, content) in [
            (r#""path": "/""#, None, ""),
            (
                r#""path": "/", "body": {"a": 1}"#,
                Some("application/json"),
                r#"{"a":1}"#,
            ),
            (
                r#""path": "/", "body": null"#,
                Some("application/json"),
                "null",
            ),
            (r#""path": "/", "body": "raw""#, None, "raw"),
            (
                r#""path": "/", "body": [1], "headers": {"content-type": "application/vnd.x+json"}"#,
                Some("application/vnd.x+json"),
                "[1]",
            ),
            (
                r#""path": "/", "form_data": {"a": ["1", "2"], "b": "x y"}"#,
                Some("application/x-www-form-urlencoded"),
                "a=1&a=2&b=x+y",
            ),
            (r#""path": "/", "form_data": {}"#, None, ""),
            (r#""path": "/", "files": []"#, None, ""),
        ] {
            let request = request(keys).to_http().expect("is a request");
            let field = request.headers().get(CONTENT_TYPE);
            assert_eq!(
                field.and_then(|field| field.to_str().ok()),
                media_type,
                "{keys}"
            );
            assert_eq!(String::from_utf8_lossy(request.body()), content, "{keys}");
        }
    }

    #[test]
    fn joins_cookies_in_one_field() {
        let request = request(r#""path": "/", "cookies": {"a": "1", "b": "2"}"#);
        let request = request.to_http().expect("is a request");
        assert_eq!(request.headers()["cookie"], "a=1; b=2");
    }
}
