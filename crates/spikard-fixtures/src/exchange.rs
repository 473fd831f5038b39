//! One app, one request, one expected response.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{Expectation, Json, Request};

/// One app, one request, one expected response.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Exchange {
    /// What the case is called.
    pub name: String,
    /// The rule that the case shows.
    pub description: String,
    /// Whether the case is switched off.
    #[serde(default)]
    pub skip: bool,
    /// The route under test; without one the request names route and method.
    pub handler: Option<Handler>,
    /// What is sent.
    pub request: Request,
    /// What must come back.
    pub expected_response: Expectation,
    /// What a streaming handler yields.
    pub streaming: Option<Streaming>,
    /// What the handler starts after the response.
    pub background: Option<Background>,
}

impl Exchange {
    /// The path template of the route under test.
    pub fn route(&self) -> &str {
        match &self.handler {
            Some(handler) => &handler.route,
            None => self.request.path.split('?').next().unwrap_or_default(),
        }
    }

    /// The method that the route under test is registered for.
    pub fn method(&self) -> &str {
        match &self.handler {
            Some(handler) => &handler.method,
            None => self
                .request
                .headers
                .iter()
                .find(|(name, _)| {
                    self.request.method == "OPTIONS"
                        && name.eq_ignore_ascii_case("access-control-request-method")
                })
                .map_or(&self.request.method, |(_, method)| method),
        }
    }
}

/// The route under test and its configuration.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Handler {
    /// The path template: literal segments, `{name}` and `{name:type}`.
    pub route: String,
    /// The method that the route is registered for.
    pub method: String,
    /// The declared inputs.
    #[serde(default)]
    pub parameters: Parameters,
    /// The JSON Schema of the parsed content.
    pub body_schema: Option<Value>,
    /// The cross-origin configuration.
    pub cors: Option<Map<String, Value>>,
    /// The configuration of the server, by feature.
    #[serde(default)]
    pub middleware: Map<String, Value>,
}

/// The declared inputs by place and name on the wire.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Parameters {
    /// Of the path template.
    pub path: BTreeMap<String, Parameter>,
    /// Of the query.
    pub query: BTreeMap<String, Parameter>,
    /// Of the header section.
    pub headers: BTreeMap<String, Parameter>,
    /// Of the `Cookie` field.
    pub cookies: BTreeMap<String, Parameter>,
    /// Files of a multipart content.
    pub files: BTreeMap<String, FileParameter>,
}

/// One declared input: a JSON Schema, and the keys of the format beside it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct Parameter {
    keys: Map<String, Value>,
}

impl Parameter {
    /// The `type` of the schema, `string` if it says none.
    pub fn ty(&self) -> &str {
        self.text("type").unwrap_or("string")
    }

    /// The `format` of the schema.
    pub fn format(&self) -> Option<&str> {
        self.text("format")
    }

    /// What an array is made of.
    pub fn items(&self) -> Option<Self> {
        match self.keys.get("items") {
            Some(Value::Object(keys)) => Some(Self { keys: keys.clone() }),
            _ => None,
        }
    }

    /// The value when the request has none.
    pub fn default_value(&self) -> Option<&Value> {
        self.keys.get("default")
    }

    /// Whether a request without it is refused: unless optional, not required, or with a default.
    pub fn is_required(&self) -> bool {
        self.keys.get("optional") != Some(&Value::Bool(true))
            && self.keys.get("required") != Some(&Value::Bool(false))
            && self.default_value().is_none()
    }

    /// Every key as it is written.
    pub fn keys(&self) -> &Map<String, Value> {
        &self.keys
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.keys.get(key).and_then(Value::as_str)
    }
}

/// One declared file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct FileParameter {
    /// Whether a request without it is refused.
    pub required: bool,
    /// The allowed media types; empty allows all.
    pub content_type: Vec<String>,
    /// Whether the first bytes must agree with the media type.
    pub validate_magic_numbers: bool,
}

/// What a streaming handler yields.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Streaming {
    /// The media type of the response.
    pub content_type: Option<String>,
    /// The pieces, in order.
    pub chunks: Vec<Chunk>,
}

/// One piece of a stream.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Chunk {
    /// Text, sent as UTF-8.
    Text {
        /// The text.
        value: String,
    },
    /// Bytes.
    Bytes {
        /// The bytes in Base64 (RFC 4648, 4).
        base64: String,
    },
}

/// What the handler starts after the response: it appends one field of the content to a list.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Background {
    /// The path of the route that shows the list.
    pub state_path: String,
    /// The member of that route's answer which holds the list.
    pub state_key: String,
    /// The field of the content that is appended.
    pub value_field: String,
    /// The list after the request.
    pub expected_state: Vec<Json>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Fixture;

    #[test]
    fn a_parameter_is_required_unless_it_says_otherwise() {
        for (keys, required) in [
            ("{}", true),
            (r#"{"required": true}"#, true),
            (r#"{"required": false}"#, false),
            (r#"{"optional": true}"#, false),
            (r#"{"default": null}"#, false),
        ] {
            let parameter: Parameter = serde_json::from_str(keys).expect("is an object");
            assert_eq!(parameter.is_required(), required, "{keys}");
        }
    }

    #[test]
    fn the_request_names_the_route_where_no_handler_does() {
        for (request, route, method) in [
            (r#"{"method": "GET", "path": "/a?b=1"}"#, "/a", "GET"),
            (
                r#"{"method": "OPTIONS", "path": "/a", "headers": {"Access-Control-Request-Method": "PUT"}}"#,
                "/a",
                "PUT",
            ),
        ] {
            let text = format!(
                r#"{{"name": "n", "description": "d", "request": {request}, "expected_response": {{"status_code": 200}}}}"#
            );
            let fixture = Fixture::parse("c", "n", &text).expect("follows the grammar");
            let exchange = fixture.exchange().expect("has a request");
            assert_eq!(
                (exchange.route(), exchange.method()),
                (route, method),
                "{request}"
            );
        }
    }
}
