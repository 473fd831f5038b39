//! What leaves the service: statuses, fields and content, and the problems of the framework.

use http::header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use spikard_core::{Body, Call, Operation, Outcome, Parameter, ParameterIn, ParameterType};
use spikard_problem::Problem;
use spikard_service::Service;

fn service() -> Service {
    let operation = |method, path| Operation::new(method, path);
    let id = Parameter::required(ParameterIn::Path, "id", ParameterType::Integer);
    let limit = Parameter::optional(ParameterIn::Query, "limit", ParameterType::Integer);
    Service::builder()
        .route(operation(Method::GET, "/text"), |_: Call<'_>| {
            ready(Response::new(Body::from("text")))
        })
        .route(operation(Method::GET, "/later"), |_: Call<'_>| {
            Outcome::Pending(Box::pin(async { Ok(Response::new(Body::from("later"))) }))
        })
        .route(operation(Method::POST, "/text"), |_: Call<'_>| {
            Outcome::Ready(Err(Box::new(Problem::bad_request("not today"))))
        })
        .route(
            operation(Method::GET, "/items/{id}")
                .with_parameter(id)
                .with_parameter(limit),
            |call: Call<'_>| ready(Response::new(Body::from(format!("{:?}", call.inputs)))),
        )
        .route(operation(Method::GET, "/typed/{id:int}"), |_: Call<'_>| {
            ready(Response::new(Body::from("typed")))
        })
        .route(operation(Method::GET, "/204"), |_: Call<'_>| {
            bare(StatusCode::NO_CONTENT)
        })
        .route(operation(Method::GET, "/304"), |_: Call<'_>| {
            bare(StatusCode::NOT_MODIFIED)
        })
        .route(operation(Method::HEAD, "/own-head"), |_: Call<'_>| {
            ready(
                Response::builder()
                    .header("x-own", "yes")
                    .body(Body::from("never sent"))
                    .expect("is valid"),
            )
        })
        .route(operation(Method::OPTIONS, "/own-options"), |_: Call<'_>| {
            ready(Response::new(Body::from("own")))
        })
        .build()
        .expect("the routes fit together")
}

fn ready(response: Response<Body>) -> Outcome {
    Outcome::Ready(Ok(response))
}

/// A response that carries content in vain.
fn bare(status: StatusCode) -> Outcome {
    let response = Response::builder()
        .status(status)
        .header(CONTENT_TYPE, "text/plain")
        .header(CONTENT_LENGTH, "7")
        .header("etag", "\"1\"");
    ready(response.body(Body::from("content")).expect("is valid"))
}

async fn answer(method: &str, target: &str) -> (http::response::Parts, String) {
    let request = Request::builder().method(method).uri(target);
    let request = request.body(Body::empty()).expect("is valid");
    let Ok(response) = service().answer(request).await;
    let (head, body) = response.into_parts();
    let content = body.collect().await.expect("is whole").to_bytes();
    (head, String::from_utf8(content.into()).expect("is text"))
}

#[tokio::test]
async fn statuses() {
    for (method, target, status) in [
        ("GET", "/text", 200),
        ("GET", "/later", 200),
        ("GET", "http://example.com/text", 200),
        ("GET", "/text?a=b&%%%", 200),
        ("GET", "/items/7", 200),
        ("GET", "/items/7?limit=5", 200),
        ("GET", "/items/x", 422),
        ("GET", "/items/7?limit=x", 422),
        ("GET", "/typed/7", 200),
        ("GET", "/typed/x", 422),
        ("GET", "/items/%zz", 400),
        ("GET", "/items/%ff", 400),
        ("GET", "/%", 400),
        ("POST", "/text", 400),
        ("GET", "no-path", 400),
        ("GET", "example.com:80", 400),
        ("OPTIONS", "*", 204),
        ("GET", "*", 404),
        ("GET", "/", 404),
        ("GET", "/text/", 404),
        ("GET", "/Text", 404),
        ("PUT", "/text", 405),
        ("TRACE", "/text", 405),
        ("BREW", "/text", 405),
        ("get", "/text", 405),
        ("HEAD", "/text", 200),
        ("HEAD", "/nothing", 404),
        ("OPTIONS", "/text", 204),
        ("OPTIONS", "/nothing", 404),
        ("CONNECT", "example.com:443", 404),
    ] {
        let (head, _) = answer(method, target).await;
        assert_eq!(head.status.as_u16(), status, "{method} {target}");
    }
}

#[tokio::test]
async fn problems_are_documents_of_their_media_type() {
    for (method, target) in [
        ("GET", "/nothing"),
        ("PUT", "/text"),
        ("GET", "/items/x"),
        ("GET", "/items/%zz"),
        ("POST", "/text"),
    ] {
        let (head, content) = answer(method, target).await;
        let place = format!("{method} {target}");
        assert_eq!(
            head.headers[CONTENT_TYPE], "application/problem+json",
            "{place}"
        );
        let status = format!("\"status\":{}", head.status.as_u16());
        assert!(content.contains(&status), "{place}: {content}");
        assert!(
            content.contains("https://spikard.dev/errors/"),
            "{place}: {content}"
        );
    }
}

#[tokio::test]
async fn other_methods_are_told_what_is_allowed() {
    for (method, target, allow) in [
        ("PUT", "/text", "GET, HEAD, OPTIONS, POST"),
        ("OPTIONS", "/text", "GET, HEAD, OPTIONS, POST"),
        ("DELETE", "/items/7", "GET, HEAD, OPTIONS"),
        ("GET", "/own-head", "HEAD, OPTIONS"),
    ] {
        let (head, _) = answer(method, target).await;
        let mut methods: Vec<&str> = head.headers[ALLOW]
            .to_str()
            .expect("is text")
            .split(", ")
            .collect();
        methods.sort_unstable();
        assert_eq!(methods.join(", "), allow, "{method} {target}");
    }
}

#[tokio::test]
async fn all_errors_of_path_and_query_come_together() {
    let (_, content) = answer("GET", "/items/x?limit=y").await;
    assert!(
        content.contains("2 validation errors in request"),
        "{content}"
    );
    assert!(content.contains(r#"["path","id"]"#), "{content}");
    assert!(content.contains(r#"["query","limit"]"#), "{content}");
}

#[tokio::test]
async fn head_is_get_without_content() {
    for (target, status, length) in [("/text", 200, "4"), ("/later", 200, "5")] {
        let (head, content) = answer("HEAD", target).await;
        assert_eq!(head.status.as_u16(), status, "{target}");
        assert_eq!(head.headers[CONTENT_LENGTH], length, "{target}");
        assert_eq!(content, "", "{target}");
    }
    let (get, problem) = answer("GET", "/nothing").await;
    let (head, content) = answer("HEAD", "/nothing").await;
    assert_eq!(head.status, get.status);
    assert_eq!(head.headers[CONTENT_LENGTH], problem.len().to_string());
    assert_eq!(content, "");
}

#[tokio::test]
async fn a_handler_does_not_decide_where_its_content_ends() {
    // Fields of the handler, its content, `Content-Length` of GET and of HEAD; the server adds what is missing.
    for (fields, content, get, head) in [
        (vec![("content-length", "2")], "abcde", None, Some("5")),
        (vec![("content-length", "999")], "abcde", None, Some("5")),
        (vec![("content-length", "x")], "abcde", None, Some("5")),
        (
            vec![("transfer-encoding", "gzip")],
            "abcde",
            None,
            Some("5"),
        ),
        (vec![("content-length", "5")], "", None, Some("5")),
        (vec![("content-length", "x")], "", None, Some("0")),
        (vec![("content-length", "")], "", None, Some("0")),
        (
            vec![("content-length", "5"), ("content-length", "6")],
            "",
            None,
            Some("0"),
        ),
    ] {
        let shown = format!("{fields:?} {content:?}");
        let service =
            Service::builder().route(Operation::new(Method::GET, "/"), move |_: Call<'_>| {
                let mut response = Response::builder();
                for (name, value) in &fields {
                    response = response.header(*name, *value);
                }
                ready(response.body(Body::from(content)).expect("is valid"))
            });
        let service = service.build().expect("the routes fit together");
        for (method, expected) in [(Method::GET, get), (Method::HEAD, head)] {
            let request = Request::builder().method(method.clone()).uri("/");
            let request = request.body(Body::empty()).expect("is valid");
            let Ok(response) = service.answer(request).await;
            let lengths: Vec<_> = response.headers().get_all(CONTENT_LENGTH).iter().collect();
            let expected: Vec<_> = expected.into_iter().collect();
            assert_eq!(lengths, expected, "{method} {shown}");
            assert!(
                !response.headers().contains_key(TRANSFER_ENCODING),
                "{method} {shown}"
            );
        }
    }
}

#[tokio::test]
async fn routes_for_head_and_options_go_before_the_automatic_ones() {
    let (head, content) = answer("HEAD", "/own-head").await;
    assert_eq!(
        (head.headers["x-own"].as_bytes(), &*content),
        (&b"yes"[..], "")
    );
    let (head, content) = answer("OPTIONS", "/own-options").await;
    assert_eq!((head.status, &*content), (StatusCode::OK, "own"));
}

#[tokio::test]
async fn statuses_without_content_send_none() {
    for (method, target) in [
        ("GET", "/204"),
        ("GET", "/304"),
        ("HEAD", "/204"),
        ("HEAD", "/304"),
    ] {
        let (head, content) = answer(method, target).await;
        assert_eq!(content, "", "{target}");
        assert!(!head.headers.contains_key(CONTENT_LENGTH), "{target}");
        assert!(!head.headers.contains_key(CONTENT_TYPE), "{target}");
        assert_eq!(head.headers["etag"], "\"1\"", "{target}");
    }
}
