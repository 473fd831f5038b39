//! The end of a server: nothing new, what runs finishes, and patience is finite.

use std::time::Duration;

use tokio::net::TcpStream;

use crate::serving::{Serving, on_one_thread, until};

const LONG: Duration = Duration::from_secs(3600);

#[test]
fn a_server_without_connections_ends_at_once() {
    on_one_thread(async {
        let serving = Serving::start();
        assert_eq!(serving.shutdown.start(LONG).await, 0);
        serving.task.await.expect("the server ends");
        assert!(TcpStream::connect(serving.address).await.is_err());
    });
}

#[test]
fn a_shutdown_may_come_before_the_first_poll() {
    on_one_thread(async {
        let serving = Serving::start();
        let ending = serving.shutdown.start(LONG);
        let (unfinished, ended) = tokio::join!(ending, serving.task);
        assert_eq!(unfinished, 0);
        ended.expect("the server ends");
    });
}

#[test]
fn connections_that_ask_for_nothing_close_at_once() {
    on_one_thread(async {
        let serving = Serving::start();
        let mut used = serving.connect().await;
        assert_eq!(used.get("/hello").await.text(), "Hello");
        let fresh = serving.connect().await;
        // Accepted after the fresh one, so that one is accepted by then.
        assert_eq!(serving.connect().await.get("/hello").await.text(), "Hello");
        assert_eq!(serving.shutdown.start(LONG).await, 0);
        assert_eq!(used.rest().await, b"");
        assert_eq!(fresh.rest().await, b"");
        serving.task.await.expect("the server ends");
    });
}

#[test]
fn what_is_in_flight_finishes_while_nothing_new_comes_in() {
    on_one_thread(async {
        let serving = Serving::start();
        let mut client = serving.connect().await;
        client.ask("/wait").await;
        serving.waiting.has_begun().await;
        let shutdown = serving.shutdown.clone();
        let ending = tokio::task::spawn_local(async move { shutdown.start(LONG).await });
        while TcpStream::connect(serving.address).await.is_ok() {
            tokio::task::yield_now().await;
        }
        assert!(!ending.is_finished());
        serving.waiting.release.add_permits(1);
        let response = client.response().await;
        assert_eq!(response.text(), "released");
        assert_eq!(response.field("connection"), Some("close"));
        assert_eq!(client.rest().await, b"");
        assert_eq!(ending.await.expect("the shutdown ends"), 0);
        serving.task.await.expect("the server ends");
    });
}

#[test]
fn long_content_leaves_whole_during_a_shutdown() {
    on_one_thread(async {
        let serving = Serving::start();
        let mut client = serving.connect().await;
        client.ask("/long").await;
        let head = client.head().await;
        let shutdown = serving.shutdown.clone();
        let ending = tokio::task::spawn_local(async move { shutdown.start(LONG).await });
        assert_eq!(head.field("content-length"), Some("1048576"));
        assert_eq!(client.rest().await.len(), 1 << 20);
        assert_eq!(ending.await.expect("the shutdown ends"), 0);
    });
}

#[test]
fn what_takes_longer_than_the_patience_is_closed_and_dropped() {
    on_one_thread(async {
        for patience in [Duration::ZERO, Duration::from_millis(50)] {
            let serving = Serving::start();
            let mut client = serving.connect().await;
            client.ask("/never").await;
            serving.waiting.has_begun().await;
            assert_eq!(serving.shutdown.start(patience).await, 1, "{patience:?}");
            assert_eq!(serving.waiting.over.available_permits(), 1, "{patience:?}");
            assert_eq!(client.rest().await, b"", "{patience:?}");
            serving.task.await.expect("the server ends");
        }
    });
}

#[test]
fn a_second_shutdown_hurries_the_first() {
    on_one_thread(async {
        let serving = Serving::start();
        let mut client = serving.connect().await;
        client.ask("/never").await;
        serving.waiting.has_begun().await;
        let shutdown = serving.shutdown.clone();
        let patient = tokio::task::spawn_local(async move { shutdown.start(LONG).await });
        assert_eq!(serving.shutdown.start(Duration::ZERO).await, 1);
        assert_eq!(patient.await.expect("the shutdown ends"), 0);
        assert_eq!(client.rest().await, b"");
    });
}

#[test]
fn a_half_sent_head_is_not_waited_for_longer_than_its_deadline() {
    on_one_thread(async {
        let mut limits = spikard_server::Limits::default();
        limits.header_read_timeout = Duration::from_secs(1);
        let serving = Serving::within(limits);
        let mut client = serving.connect().await;
        assert_eq!(client.get("/hello").await.text(), "Hello");
        client.send("GET /hello HTTP/1.1\r\n").await;
        assert_eq!(serving.connect().await.get("/hello").await.text(), "Hello");
        serving.shutdown.start(LONG).await;
        assert_eq!(client.rest().await, b"");
    });
}

#[test]
fn a_dropped_server_closes_its_port() {
    on_one_thread(async {
        let serving = Serving::start();
        serving.task.abort();
        until(|| serving.task.is_finished()).await;
        assert!(TcpStream::connect(serving.address).await.is_err());
    });
}
