//! A client of a few lines: checks what a server answers, and sends requests one can count.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};

use super::rows::{CONTENT, Row};

/// How long an answer may take; under valgrind everything takes fifty times as long.
const PATIENCE: Duration = Duration::from_secs(30);

/// One connection that is kept alive.
#[derive(Debug)]
pub(super) struct Connection {
    stream: BufReader<TcpStream>,
}

impl Connection {
    pub(super) fn open(port: u16) -> std::io::Result<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self {
            stream: BufReader::new(stream),
        })
    }

    /// Sends the request of `row`, and does not wait.
    pub(super) fn send(&mut self, row: &Row) -> anyhow::Result<()> {
        let request = format!("GET {} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", row.target);
        self.stream
            .get_mut()
            .write_all(request.as_bytes())
            .context("the server does not take the request")
    }

    /// Waits for the answer to what was sent, and checks it.
    ///
    /// # Errors
    ///
    /// There is none, or it is not what every row answers.
    pub(super) fn expect_answer(&mut self) -> anyhow::Result<()> {
        let answer = self.receive().context("the server does not answer")?;
        ensure!(
            answer.status == 200,
            "the server answers with status {}",
            answer.status
        );
        ensure!(
            answer.media_type == "application/json",
            "the server answers with content of type `{}`",
            answer.media_type
        );
        ensure!(
            answer.content == CONTENT,
            "the server answers with `{}` instead of `{CONTENT}`",
            answer.content
        );
        Ok(())
    }

    fn receive(&mut self) -> anyhow::Result<Answer> {
        let status_line = self.line()?;
        let status = status_line
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        let mut answer = Answer {
            status: status.with_context(|| format!("`{status_line}` is not a status line"))?,
            media_type: String::new(),
            content: String::new(),
        };
        let mut length = 0;
        loop {
            let line = self.line()?;
            let Some((name, value)) = line.split_once(':') else {
                break;
            };
            match (name.to_ascii_lowercase().as_str(), value.trim()) {
                ("content-length", value) => {
                    length = value.parse().context("a length that is none")?;
                }
                ("content-type", value) => value.clone_into(&mut answer.media_type),
                ("transfer-encoding", _) => {
                    bail!("the content is chunked, although its length is known")
                }
                _ => {}
            }
        }
        let mut content = vec![0; length];
        self.stream.read_exact(&mut content)?;
        answer.content = String::from_utf8_lossy(&content).into_owned();
        Ok(answer)
    }

    fn line(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        ensure!(
            self.stream.read_line(&mut line)? > 0,
            "the connection is closed"
        );
        Ok(line.trim_end().to_owned())
    }
}

#[derive(Debug)]
struct Answer {
    status: u16,
    media_type: String,
    content: String,
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::super::rows::ROWS;
    use super::*;

    #[test]
    fn checks_the_answer() {
        let good = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{CONTENT}",
            CONTENT.len()
        );
        // Answer, part of the objection.
        for (answer, expected) in [
            (good.clone(), None),
            (good.replace("200 OK", "500 Oh"), Some("status 500")),
            (good.replace("Ada", "Eve"), Some("instead of")),
            (
                good.replace("application/json", "text/plain"),
                Some("of type `text/plain`"),
            ),
            (
                good.replace("Content-Length: 25", "Transfer-Encoding: chunked"),
                Some("chunked"),
            ),
            (String::new(), Some("closed")),
        ] {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            let port = listener.local_addr().unwrap().port();
            let sent = answer.clone();
            let server = thread::spawn(move || {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = [0; 64];
                let _ = stream.read(&mut request).unwrap();
                stream.write_all(sent.as_bytes()).unwrap();
            });
            let mut connection = Connection::open(port).unwrap();
            connection.send(&ROWS[0]).unwrap();
            let objection = connection
                .expect_answer()
                .err()
                .map(|error| format!("{error:#}"));
            server.join().unwrap();
            match expected {
                None => assert_eq!(objection, None, "{answer:?}"),
                Some(part) => assert!(
                    objection.as_deref().is_some_and(|it| it.contains(part)),
                    "{answer:?}: {objection:?}"
                ),
            }
        }
    }
}
