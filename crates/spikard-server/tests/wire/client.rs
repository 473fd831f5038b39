//! A client that writes and reads raw bytes.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// One connection; what has come and not been looked at stays in `received`.
#[derive(Debug)]
pub(crate) struct Client {
    stream: TcpStream,
    received: Vec<u8>,
}

/// A response as it came.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) status_line: String,
    fields: Vec<(String, String)>,
    pub(crate) content: Vec<u8>,
}

impl Received {
    pub(crate) fn status(&self) -> u16 {
        let status = self.status_line.split(' ').nth(1).expect("has a status");
        status.parse().expect("is a number")
    }

    /// The value of the first field of that name, which is given in lower case.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let field = self.fields.iter().find(|(known, _)| known == name);
        field.map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.content).expect("is text")
    }
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self {
            stream: TcpStream::connect(address).await.expect("it is served"),
            received: Vec::new(),
        }
    }

    /// Sends bytes; a server that has closed by then is no failure.
    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _closed = self.stream.write_all(bytes.as_ref()).await;
    }

    /// Sends a GET request without content.
    pub(crate) async fn ask(&mut self, target: &str) {
        self.send(format!("GET {target} HTTP/1.1\r\nHost: test\r\n\r\n"))
            .await;
    }

    /// Asks, and reads the response.
    pub(crate) async fn get(&mut self, target: &str) -> Received {
        self.ask(target).await;
        self.response().await
    }

    /// Reads a response with its content.
    pub(crate) async fn response(&mut self) -> Received {
        let mut response = self.head().await;
        let length = response.field("content-length");
        let length = length.map_or(0, |it| it.parse().expect("is a number"));
        while self.received.len() < length {
            assert!(self.read().await, "the content is whole");
        }
        response.content = self.received.drain(..length).collect();
        response
    }

    /// Reads status line and fields; the content stays unread.
    pub(crate) async fn head(&mut self) -> Received {
        let end = loop {
            let end = self.received.windows(4).position(|it| it == b"\r\n\r\n");
            match end {
                Some(end) => break end,
                None => assert!(self.read().await, "the head is whole"),
            }
        };
        let head: Vec<u8> = self.received.drain(..end + 4).collect();
        let head = String::from_utf8(head).expect("is ASCII");
        let mut lines = head.trim_end().lines();
        Received {
            status_line: lines.next().unwrap_or_default().to_owned(),
            fields: lines
                .map(|line| line.split_once(": ").expect("is a field"))
                .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
                .collect(),
            content: Vec::new(),
        }
    }

    /// Everything that comes until the server closes.
    pub(crate) async fn rest(mut self) -> Vec<u8> {
        while self.read().await {}
        self.received
    }

    /// Whether something has come by now, or the server has closed.
    pub(crate) fn has_news(&mut self) -> bool {
        !self.received.is_empty() || self.stream.try_read_buf(&mut self.received).is_ok()
    }

    /// Waits for more bytes; false when the server has closed.
    async fn read(&mut self) -> bool {
        matches!(self.stream.read_buf(&mut self.received).await, Ok(1..))
    }
}
