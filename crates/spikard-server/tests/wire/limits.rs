//! What a client may ask for, and what it is told when it asks for more.

use spikard_server::Limits;

use crate::client::Received;
use crate::serving::{Serving, on_one_thread};

fn narrow() -> Limits {
    let mut limits = Limits::default();
    limits.request_target_bytes = 100;
    limits.header_bytes = 1000;
    limits
}

async fn get(serving: &Serving, target: &str, fields: &str) -> Received {
    let mut client = serving.connect().await;
    client
        .send(format!("GET {target} HTTP/1.1\r\n{fields}\r\n"))
        .await;
    client.response().await
}

#[test]
fn the_request_target_has_a_longest_length() {
    on_one_thread(async {
        let serving = Serving::within(narrow());
        // Bytes of the target, status (RFC 9110, 15.5.15).
        for (length, status) in [(99, 404), (100, 404), (101, 414), (1000, 414)] {
            let target = format!("/{}", "x".repeat(length - 1));
            let response = get(&serving, &target, "Host: test\r\n").await;
            assert_eq!(response.status(), status, "{length}");
        }
        let query = format!("/hello?{}", "x".repeat(100));
        assert_eq!(get(&serving, &query, "").await.status(), 414);
    });
}

#[test]
fn the_header_section_has_a_longest_length() {
    on_one_thread(async {
        let serving = Serving::within(narrow());
        // Bytes of all field lines, status (RFC 6585, 5).
        for (length, status) in [(999, 200), (1000, 200), (1001, 431), (5000, 431)] {
            let value = "x".repeat(length - "Host: test\r\nX: \r\n".len());
            let fields = format!("Host: test\r\nX: {value}\r\n");
            assert_eq!(fields.len(), length);
            let response = get(&serving, "/hello", &fields).await;
            assert_eq!(response.status(), status, "{length}");
        }
    });
}

#[test]
fn what_is_a_little_too_long_gets_a_problem_document_and_keeps_its_connection() {
    on_one_thread(async {
        let serving = Serving::within(narrow());
        let mut client = serving.connect().await;
        let target = format!("/{}", "x".repeat(200));
        let fields = format!("X: {}", "x".repeat(2000));
        for (request, status, title) in [
            (format!("GET {target} HTTP/1.1"), 414, "URI Too Long"),
            (
                format!("GET /hello HTTP/1.1\r\n{fields}"),
                431,
                "Request Header Fields Too Large",
            ),
        ] {
            client
                .send(format!("{request}\r\nHost: test\r\n\r\n"))
                .await;
            let response = client.response().await;
            assert_eq!(response.status(), status);
            assert_eq!(
                response.field("content-type"),
                Some("application/problem+json")
            );
            assert!(response.text().contains(title), "{}", response.text());
        }
        assert_eq!(client.get("/hello").await.text(), "Hello");
    });
}

#[test]
fn what_is_far_too_long_is_refused_within_the_default_limits() {
    on_one_thread(async {
        let serving = Serving::start();
        let many = |count: usize| {
            let fields: Vec<String> = (0..count).map(|n| format!("X-{n}: x\r\n")).collect();
            fields.concat()
        };
        let long = "x".repeat(100 * 1024);
        for (target, fields, status) in [
            (format!("/{long}"), String::new(), 414),
            (format!("/hello?{long}"), String::new(), 414),
            // Longer than what is buffered of a head, so nothing tells the line from the fields.
            (format!("/{}", long.repeat(10)), String::new(), 431),
            ("/hello".to_owned(), format!("X: {long}\r\n"), 431),
            (
                "/hello".to_owned(),
                format!("X: {}\r\n", long.repeat(10)),
                431,
            ),
            ("/hello".to_owned(), many(100), 200),
            ("/hello".to_owned(), many(101), 431),
            ("/hello".to_owned(), many(10_000), 431),
        ] {
            let response = get(&serving, &target, &fields).await;
            let (target, fields) = (target.len(), fields.len());
            assert_eq!(
                response.status(),
                status,
                "target {target}, fields {fields}"
            );
        }
        assert_eq!(get(&serving, "/hello", "").await.text(), "Hello");
    });
}

#[test]
fn a_connection_too_many_waits_until_another_ends() {
    on_one_thread(async {
        let mut limits = Limits::default();
        limits.connections = 2;
        let serving = Serving::within(limits);
        let (mut first, mut second) = (serving.connect().await, serving.connect().await);
        assert_eq!(first.get("/hello").await.text(), "Hello");
        assert_eq!(second.get("/hello").await.text(), "Hello");
        let mut waiting = serving.connect().await;
        waiting.ask("/hello").await;
        for _ in 0..10 {
            assert_eq!(first.get("/hello").await.text(), "Hello");
            assert_eq!(second.get("/hello").await.text(), "Hello");
        }
        assert!(!waiting.has_news());
        drop(first);
        assert_eq!(waiting.response().await.text(), "Hello");
        assert_eq!(second.get("/hello").await.text(), "Hello");
    });
}
