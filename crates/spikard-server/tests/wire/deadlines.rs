//! How long a client may take.

use std::time::Duration;

use spikard_server::Limits;

use crate::serving::{Serving, on_one_thread};

const SECOND: Duration = Duration::from_secs(1);

fn hasty() -> Limits {
    let mut limits = Limits::default();
    limits.header_read_timeout = SECOND;
    limits.keep_alive_timeout = SECOND;
    limits
}

#[test]
fn a_client_that_sends_nothing_is_closed() {
    on_one_thread(async {
        let mut limits = hasty();
        limits.keep_alive_timeout = Duration::from_secs(3600);
        let serving = Serving::within(limits);
        let client = serving.connect().await;
        assert_eq!(client.rest().await, b"");
    });
}

#[test]
fn a_head_that_dribbles_is_cut_off() {
    on_one_thread(async {
        let mut limits = hasty();
        limits.keep_alive_timeout = Duration::from_secs(3600);
        let serving = Serving::within(limits);
        let mut client = serving.connect().await;
        // A whole request first: the deadline holds for every head of a connection.
        assert_eq!(client.get("/hello").await.text(), "Hello");
        client.send("GET /hello HTTP/1.1\r\nHost: test\r\n").await;
        let mut dribble = tokio::time::interval(SECOND / 20);
        while !client.has_news() {
            dribble.tick().await;
            client.send("X: x\r\n").await;
        }
        assert_eq!(client.rest().await, b"");
    });
}

#[test]
fn a_connection_without_requests_is_closed() {
    on_one_thread(async {
        let mut limits = hasty();
        limits.header_read_timeout = Duration::from_secs(3600);
        let serving = Serving::within(limits);
        let mut client = serving.connect().await;
        assert_eq!(client.get("/hello").await.text(), "Hello");
        assert_eq!(client.rest().await, b"");
    });
}

#[test]
fn without_time_between_requests_every_response_closes_its_connection() {
    on_one_thread(async {
        let mut limits = Limits::default();
        limits.keep_alive_timeout = Duration::ZERO;
        let serving = Serving::within(limits);
        for request in [
            "HTTP/1.1\r\nHost: test",
            "HTTP/1.0\r\nConnection: keep-alive",
        ] {
            let mut client = serving.connect().await;
            client.send(format!("GET /hello {request}\r\n\r\n")).await;
            let response = client.response().await;
            assert_eq!(response.text(), "Hello");
            assert_eq!(client.rest().await, b"");
        }
        let mut client = serving.connect().await;
        let response = client.get("/hello").await;
        assert_eq!(response.field("connection"), Some("close"));
    });
}

#[test]
fn a_handler_may_take_longer_than_any_deadline() {
    on_one_thread(async {
        let serving = Serving::within(hasty());
        let mut client = serving.connect().await;
        client.ask("/wait").await;
        serving.waiting.has_begun().await;
        // A client without requests, begun later, measures the time.
        assert_eq!(serving.connect().await.rest().await, b"");
        assert_eq!(serving.connect().await.rest().await, b"");
        serving.waiting.release.add_permits(1);
        assert_eq!(client.response().await.text(), "released");
    });
}
