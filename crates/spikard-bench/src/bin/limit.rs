//! The limit: hyper alone, without Python, answering what the quick start answers.
//!
//! One current-thread runtime and one task per connection, with the connection settings of `spikard-server`; routing
//! is a `match`, the query is decoded by `form_urlencoded`, the answer encoded by `serde_json`. The port comes from
//! the environment variable `PORT`.

use std::borrow::Cow;
use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::runtime;

/// What `/sleep` waits for; tokio's timer rounds it up to its next tick.
const PAUSE: Duration = Duration::from_millis(1);

#[derive(Serialize)]
struct Greeting {
    message: String,
}

fn main() -> anyhow::Result<()> {
    let port = std::env::var("PORT")
        .context("PORT is not set")?
        .parse()
        .context("PORT is not a port")?;
    runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(serve(port))
}

async fn serve(port: u16) -> anyhow::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .with_context(|| format!("cannot bind port {port}"))?;
    let mut http1 = http1::Builder::new();
    http1
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(30))
        .keep_alive(true)
        .writev(false);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let connection = http1.serve_connection(TokioIo::new(stream), service_fn(answer));
        // A connection that ends badly is its client's business; there is nobody here to tell.
        tokio::spawn(async move { drop(connection.await) });
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    match (request.method(), request.uri().path()) {
        (&Method::GET, "/hello") => {}
        (&Method::GET, "/sleep") => tokio::time::sleep(PAUSE).await,
        _ => return Ok(empty(StatusCode::NOT_FOUND)),
    }
    let query = request.uri().query().unwrap_or_default();
    let Some(name) = parameter(query, "name") else {
        return Ok(empty(StatusCode::UNPROCESSABLE_ENTITY));
    };
    let greeting = Greeting {
        message: format!("Hello, {name}!"),
    };
    let content = serde_json::to_vec(&greeting).expect("a struct of one string is always JSON");
    let mut response = Response::new(Full::new(Bytes::from(content)));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

fn parameter<'query>(query: &'query str, name: &str) -> Option<Cow<'query, str>> {
    form_urlencoded::parse(query.as_bytes())
        .find(|(key, _)| key == name)
        .map(|(_, value)| value)
}

fn empty(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}
