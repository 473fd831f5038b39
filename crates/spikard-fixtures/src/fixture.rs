//! One file of the folder.

use serde::Deserialize;
use serde_json::Value;

use crate::{Exchange, Fault, Faults, Json, grammar, repeat};

/// One test case: the content of one file.
#[derive(Clone, Debug)]
pub struct Fixture {
    /// The folder of the file.
    pub category: String,
    /// The name of the file without `.json`.
    pub name: String,
    /// What the file says.
    pub content: Content,
}

/// The two kinds of fixture.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Content {
    /// One app, one request, one expected response.
    Exchange(Box<Exchange>),
    /// One message of a WebSocket or event stream channel.
    Channel(Box<Channel>),
}

/// One message of a WebSocket or event stream channel.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Channel {
    /// The name of the message.
    pub name: String,
    /// The path of the endpoint; `None` for a message that is only a reply to others.
    pub channel: Option<String>,
    /// `websocket` or `sse`.
    pub protocol: Option<String>,
    /// The JSON Schema of the message.
    pub schema: Value,
    /// Messages that are valid under the schema.
    pub examples: Vec<Json>,
    /// Who sends the message, and what is answered.
    #[serde(default)]
    pub operations: Vec<Operation>,
}

/// Who sends a message, and what is answered.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Operation {
    /// The name of the operation.
    pub name: String,
    /// `send`: the server sends the message. `receive`: the server accepts it.
    pub action: String,
    /// The names of the messages that answer it.
    pub replies: Vec<String>,
}

impl Fixture {
    /// Reads the text of one file, writes out its repetitions and checks it against the grammar.
    ///
    /// # Errors
    ///
    /// [`Faults`] names every place that does not follow the grammar.
    pub fn parse(category: &str, name: &str, text: &str) -> Result<Self, Faults> {
        let file = format!("{category}/{name}.json");
        let syntax_error = |error: serde_json::Error| {
            Faults(vec![Fault {
                file: file.clone(),
                pointer: String::new(),
                message: error.to_string(),
            }])
        };

        let text = repeat::expand(text);
        let document: Value = serde_json::from_str(&text).map_err(syntax_error)?;
        let mut faults = grammar::check(&file, &document);
        if let Some(Value::String(repeated)) = document.get("category")
            && repeated != category
        {
            faults.push(Fault {
                file: file.clone(),
                pointer: "/category".to_owned(),
                message: format!("{repeated:?} is not the folder {category:?}"),
            });
        }
        if !faults.is_empty() {
            return Err(Faults(faults));
        }

        let content = if document.get("request").is_some() {
            Content::Exchange(serde_json::from_str(&text).map_err(syntax_error)?)
        } else {
            Content::Channel(serde_json::from_str(&text).map_err(syntax_error)?)
        };
        Ok(Self {
            category: category.to_owned(),
            name: name.to_owned(),
            content,
        })
    }

    /// The exchange, if it is one.
    pub fn exchange(&self) -> Option<&Exchange> {
        match &self.content {
            Content::Exchange(exchange) => Some(exchange),
            Content::Channel(_) => None,
        }
    }

    /// The channel message, if it is one.
    pub fn channel(&self) -> Option<&Channel> {
        match &self.content {
            Content::Channel(channel) => Some(channel),
            Content::Exchange(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_located() {
        const HEAD: &str = r#""name": "n", "description": "d""#;
        const RESPONSE: &str = r#""expected_response": {"status_code": 200}"#;
        for (text, pointer, message) in [
            ("{".to_owned(), "", "EOF while parsing"),
            (
                format!(r#"{{{HEAD}, "request": {{"method": "GET", "path": "/"}}}}"#),
                "",
                r#""expected_response" is a required property"#,
            ),
            (
                format!(r#"{{{HEAD}, "request": {{"method": "GTE", "path": "/"}}, {RESPONSE}}}"#),
                "/request/method",
                r#""GTE" is not one of"#,
            ),
            (
                format!(
                    r#"{{{HEAD}, "request": {{"method": "GET", "path": "/"}}, {RESPONSE},
                    "handler": {{"route": "/", "method": "GET", "parameters": {{"query": {{"a": {{"minimun": 1}}}}}}}}}}"#
                ),
                "/handler/parameters/query/a",
                "'minimun' was unexpected",
            ),
            (
                format!(
                    r#"{{{HEAD}, "request": {{"method": "GET", "path": "/"}}, {RESPONSE},
                    "streaming": {{"chunks": [{{"type": "text", "base64": "AA=="}}]}}}}"#
                ),
                "/streaming/chunks/0",
                r#""value" is a required property"#,
            ),
            (
                format!(
                    r#"{{{HEAD}, "category": "other", "request": {{"method": "GET", "path": "/"}}, {RESPONSE}}}"#
                ),
                "/category",
                "is not the folder",
            ),
            (
                r#"{"name": "n", "schema": {}, "examples": []}"#.to_owned(),
                "/examples",
                "less than 1 item",
            ),
        ] {
            let faults = Fixture::parse("category", "name", &text).expect_err(&text);
            assert!(
                faults
                    .0
                    .iter()
                    .any(|fault| fault.file == "category/name.json"
                        && fault.pointer == pointer
                        && fault.message.contains(message)),
                "{text}\n{faults}"
            );
        }
    }

    #[test]
    fn reads_a_channel_message() {
        let text = r#"{"name": "ping", "channel": "/chat", "protocol": "websocket", "schema": {"type": "object"},
            "examples": [{"n": 1}], "operations": [{"name": "p", "action": "receive", "replies": ["pong"]}]}"#;
        let fixture = Fixture::parse("websockets", "ping", text).expect("follows the grammar");
        assert!(fixture.exchange().is_none());
        let channel = fixture.channel().expect("has a schema");
        assert_eq!(channel.operations[0].replies, ["pong"]);
    }
}
