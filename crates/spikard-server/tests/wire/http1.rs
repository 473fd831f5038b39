//! The protocol: what keeps a connection open, what closes it, what a response carries (RFC 9112).

use crate::serving::{LONG_CONTENT, Serving, on_one_thread};

#[test]
fn a_connection_serves_one_request_after_the_other() {
    on_one_thread(async {
        let serving = Serving::start();
        let mut client = serving.connect().await;
        for _ in 0..3 {
            let response = client.get("/hello").await;
            assert_eq!(response.status_line, "HTTP/1.1 200 OK");
            assert_eq!(response.text(), "Hello");
            assert_eq!(response.field("connection"), None);
            assert!(
                response
                    .field("date")
                    .is_some_and(|it| it.ends_with(" GMT"))
            );
        }
    });
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    on_one_thread(async {
        let serving = Serving::start();
        let mut client = serving.connect().await;
        let requests = ["/hello", "/wait", "/nothing", "/hello"];
        let requests = requests.map(|it| format!("GET {it} HTTP/1.1\r\nHost: test\r\n\r\n"));
        client.send(requests.concat()).await;
        serving.waiting.has_begun().await;
        assert_eq!(client.response().await.text(), "Hello");
        serving.waiting.release.add_permits(1);
        assert_eq!(client.response().await.text(), "released");
        assert_eq!(client.response().await.status(), 404);
        assert_eq!(client.response().await.text(), "Hello");
    });
}

#[test]
fn a_response_does_not_wait_for_what_follows_the_request() {
    on_one_thread(async {
        let serving = Serving::start();
        // An empty line is what some clients send after content (RFC 9112, 2.2).
        for following in ["", "\r\n", "GET /hel", "GARBAGE\r\n\r\n"] {
            let mut client = serving.connect().await;
            client
                .send(format!(
                    "GET /hello HTTP/1.1\r\nHost: test\r\n\r\n{following}"
                ))
                .await;
            assert_eq!(client.response().await.text(), "Hello", "{following:?}");
        }
    });
}

#[test]
fn a_request_in_pieces_is_one_request() {
    on_one_thread(async {
        let serving = Serving::start();
        let mut client = serving.connect().await;
        for byte in b"GET /hello HTTP/1.1\r\nHost: test\r\n\r\n" {
            client.send([*byte]).await;
            tokio::task::yield_now().await;
        }
        assert_eq!(client.response().await.text(), "Hello");
    });
}

#[test]
fn the_client_decides_whether_the_connection_stays() {
    on_one_thread(async {
        let serving = Serving::start();
        // Version and fields, whether it stays, `Connection` of the response (RFC 9112, 9.3).
        for (request, stays, expected) in [
            ("HTTP/1.1\r\nHost: test", true, None),
            (
                "HTTP/1.1\r\nHost: test\r\nConnection: close",
                false,
                Some("close"),
            ),
            (
                "HTTP/1.1\r\nHost: test\r\nconnection: CLOSE",
                false,
                Some("close"),
            ),
            ("HTTP/1.0", false, None),
            (
                "HTTP/1.0\r\nConnection: keep-alive",
                true,
                Some("keep-alive"),
            ),
        ] {
            let mut client = serving.connect().await;
            client.send(format!("GET /hello {request}\r\n\r\n")).await;
            let response = client.response().await;
            assert_eq!(response.status(), 200, "{request}");
            assert_eq!(response.text(), "Hello", "{request}");
            assert_eq!(response.field("connection"), expected, "{request}");
            if stays {
                assert_eq!(client.get("/hello").await.text(), "Hello", "{request}");
            } else {
                assert_eq!(client.rest().await, b"", "{request}");
            }
        }
    });
}

#[test]
fn head_is_answered_with_the_length_and_without_the_content() {
    on_one_thread(async {
        let serving = Serving::start();
        let mut client = serving.connect().await;
        for (target, status, length) in [("/hello", 200, "5"), ("/long", 200, "1048576")] {
            client
                .send(format!("HEAD {target} HTTP/1.1\r\nHost: test\r\n\r\n"))
                .await;
            let head = client.head().await;
            assert_eq!(head.status(), status, "{target}");
            assert_eq!(head.field("content-length"), Some(length), "{target}");
            // What follows is the next response, not content.
            assert_eq!(client.get("/hello").await.text(), "Hello", "{target}");
        }
    });
}

#[test]
fn long_content_arrives_whole() {
    on_one_thread(async {
        let serving = Serving::start();
        let mut client = serving.connect().await;
        let response = client.get("/long").await;
        assert_eq!(response.content.len(), LONG_CONTENT);
        assert!(response.content.iter().all(|byte| *byte == b'x'));
        assert_eq!(client.get("/hello").await.text(), "Hello");
    });
}

#[test]
fn content_that_the_handler_ignores_is_no_part_of_the_next_request() {
    on_one_thread(async {
        let serving = Serving::start();
        for content in [
            "Content-Length: 0\r\n\r\n",
            "Content-Length: 5\r\n\r\nabcde",
            "Content-Length: 39\r\n\r\nGET /never HTTP/1.1\r\nHost: smuggled\r\n\r\n",
            "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n",
            "Transfer-Encoding: chunked\r\n\r\n5;a=b\r\nabcde\r\n2\r\nfg\r\n0\r\nTrailer: x\r\n\r\n",
        ] {
            let mut client = serving.connect().await;
            client
                .send(format!(
                    "POST /ignore HTTP/1.1\r\nHost: test\r\n{content}GET /hello HTTP/1.1\r\nHost: test\r\n\
                     Connection: close\r\n\r\n"
                ))
                .await;
            assert_eq!(client.response().await.text(), "ignored", "{content:?}");
            // Content that was not worth reading costs the connection; it is never read as a request.
            let rest = String::from_utf8(client.rest().await).expect("is text");
            assert!(
                rest.is_empty() || rest.ends_with("\r\n\r\nHello"),
                "{content:?}: {rest}"
            );
            assert_eq!(serving.waiting.begun.available_permits(), 0, "{content:?}");
        }
    });
}

#[test]
fn what_is_no_http_is_answered_400_and_closed() {
    on_one_thread(async {
        let serving = Serving::start();
        for request in [
            "GARBAGE\r\n\r\n",
            "GET\r\n\r\n",
            "GET /hello\r\n\r\n",
            "GET /hello HTTP/1.1 surplus\r\nHost: test\r\n\r\n",
            "GET /hello HTTP/3.0\r\nHost: test\r\n\r\n",
            "G{}T /hello HTTP/1.1\r\nHost: test\r\n\r\n",
            "GET /hello HTTP/1.1\r\nHost : test\r\n\r\n",
            "GET /hello HTTP/1.1\r\nno colon\r\n\r\n",
            "GET /hello HTTP/1.1\r\nHost: test\r\nX: a\0b\r\n\r\n",
            "GET /hello HTTP/1.1\r\nHost: test\r\nContent-Length: -1\r\n\r\n",
            "GET /hello HTTP/1.1\r\nHost: test\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            "GET /hello HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: gzip\r\n\r\n",
            "\0\0\0\0\r\n\r\n",
            "\x16\x03\x01\x02\0\x01\0\x01\r\n\r\n",
        ] {
            let mut client = serving.connect().await;
            client.send(request).await;
            let response = client.response().await;
            assert_eq!(response.status(), 400, "{request:?}");
            assert_eq!(response.field("connection"), Some("close"), "{request:?}");
            assert_eq!(client.rest().await, b"", "{request:?}");
        }
        assert_eq!(serving.connect().await.get("/hello").await.text(), "Hello");
    });
}
