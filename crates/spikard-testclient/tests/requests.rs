//! What a test sends, seen from the handler.

use bytes::Bytes;
use http::{Method, Response};
use http_body_util::{BodyExt, Full, Limited};
use serde_json::{Value, json};
use spikard_core::{Body, Call, Content, Operation, Outcome};
use spikard_service::Service;
use spikard_testclient::{TestClient, TestError, TestRequest};

const METHODS: [&str; 10] = [
    "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT", "BREW",
];

/// A client of an application that answers with what it was sent.
fn client() -> TestClient {
    let mut builder = Service::builder();
    for method in METHODS {
        let method = Method::from_bytes(method.as_bytes()).expect("is a token");
        builder = builder.route(Operation::new(method, "/{path:path}"), echo);
    }
    TestClient::new(builder.build().expect("the routes fit together"))
}

fn echo(call: Call<'_>) -> Outcome {
    let fields: Vec<(String, String)> = call
        .head
        .headers
        .iter()
        .map(|(name, value)| {
            (
                name.to_string(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        })
        .collect();
    let (method, target) = (call.head.method.to_string(), call.head.uri.to_string());
    let Content::Unread(body) = call.content else {
        unreachable!("no plan reads it")
    };
    Outcome::Pending(Box::pin(async move {
        let content = body.collect().await.expect("is whole").to_bytes();
        let content = String::from_utf8_lossy(&content).into_owned();
        let seen =
            json!({"method": method, "target": target, "fields": fields, "content": content});
        let response = Response::builder()
            .header("x-method", method)
            .header("x-twice", "a")
            .header("x-twice", "b");
        Ok(response
            .body(Body::from(seen.to_string()))
            .expect("is valid"))
    }))
}

async fn seen(request: TestRequest) -> Value {
    let response = request.send().await.expect("is valid");
    response.json().expect("is JSON")
}

#[tokio::test]
async fn every_method_arrives() {
    for method in METHODS {
        let method = Method::from_bytes(method.as_bytes()).expect("is a token");
        let response = client()
            .request(method.clone(), "/a")
            .send()
            .await
            .expect("is valid");
        assert_eq!(response.status(), 200, "{method}");
        assert_eq!(response.headers()["x-method"], method.as_str(), "{method}");
        assert_eq!(
            response.content().is_empty(),
            method == Method::HEAD,
            "{method}"
        );
    }
    let client = client();
    for (request, method) in [
        (client.get("/a"), "GET"),
        (client.post("/a"), "POST"),
        (client.put("/a"), "PUT"),
        (client.patch("/a"), "PATCH"),
        (client.delete("/a"), "DELETE"),
        (client.head("/a"), "HEAD"),
        (client.options("/a"), "OPTIONS"),
    ] {
        let response = request.send().await.expect("is valid");
        assert_eq!(response.headers()["x-method"], method);
    }
}

#[tokio::test]
async fn nothing_is_added_but_the_host() {
    for request in [client().get("/a"), client().post("/a").content("text")] {
        assert_eq!(
            seen(request).await["fields"],
            json!([["host", "testserver"]])
        );
    }
    let request = client().get("/a").header("Host", "example.com");
    assert_eq!(
        seen(request).await["fields"],
        json!([["host", "example.com"]])
    );
}

#[tokio::test]
async fn targets_are_escaped_where_http_asks_for_it() {
    let none: &[(&str, &str)] = &[];
    for (target, query, expected) in [
        ("/a", none, "/a"),
        ("/a b", none, "/a%20b"),
        ("/é", none, "/%C3%A9"),
        ("/a%20b", none, "/a%20b"),
        ("/a?%zz", none, "/a?%zz"),
        ("/a?x=1", none, "/a?x=1"),
        ("/a?x= \"<>", none, "/a?x=%20%22%3C%3E"),
        ("/a", &[("q", "a b&c=d")], "/a?q=a+b%26c%3Dd"),
        ("/a?x=1", &[("q", "é"), ("q", "")], "/a?x=1&q=%C3%A9&q="),
    ] {
        let request = client().get(target).query(query.iter().copied());
        assert_eq!(
            seen(request).await["target"],
            expected,
            "{target} {query:?}"
        );
    }
}

#[tokio::test]
async fn content_travels_with_its_media_type() {
    let form = "application/x-www-form-urlencoded";
    for (request, media_type, content) in [
        (
            client().post("/a").json(&json!({"a": [1, "é"]})),
            Some("application/json"),
            "{\"a\":[1,\"é\"]}",
        ),
        (
            client().post("/a").form([("a", "1 2"), ("b", "é&")]),
            Some(form),
            "a=1+2&b=%C3%A9%26",
        ),
        (
            client()
                .post("/a")
                .header("content-type", "text/x")
                .json(&1),
            Some("text/x"),
            "1",
        ),
        (client().post("/a").content("raw"), None, "raw"),
        (client().get("/a").content("in a GET"), None, "in a GET"),
    ] {
        let seen = seen(request).await;
        let fields = seen["fields"].as_array().expect("is a list");
        let found = fields
            .iter()
            .find(|field| field[0] == "content-type")
            .map(|field| &field[1]);
        assert_eq!(found.and_then(Value::as_str), media_type, "{content}");
        assert_eq!(seen["content"], content);
    }
}

#[tokio::test]
async fn fields_may_repeat_and_cookies_share_one() {
    let request = client()
        .get("/a")
        .header("x-a", "1")
        .header("X-A", "2")
        .cookies([("a", "1"), ("b", "two words")])
        .cookies::<&str, &str>([]);
    let fields = seen(request).await["fields"].clone();
    let expected = json!([
        ["host", "testserver"],
        ["x-a", "1"],
        ["x-a", "2"],
        ["cookie", "a=1; b=two words"]
    ]);
    assert_eq!(fields, expected);
}

#[tokio::test]
async fn repeated_fields_of_a_response_stay_apart() {
    let response = client().get("/a").send().await.expect("is valid");
    let values: Vec<_> = response.headers().get_all("x-twice").iter().collect();
    assert_eq!(values, ["a", "b"]);
}

#[tokio::test]
async fn what_is_no_http_is_an_error_of_the_test() {
    for request in [
        client().get("no slash, no scheme"),
        client().get("/a").header("bad name", "x"),
        client().get("/a").header("x", "line\r\nbreak"),
        client().get(""),
    ] {
        let shown = format!("{request:?}");
        let error = request.send().await.expect_err(&shown);
        assert!(matches!(error, TestError::Request(_)), "{shown}: {error}");
    }
    let unprintable = std::collections::BTreeMap::from([((1, 2), 3)]);
    let error = client()
        .post("/a")
        .json(&unprintable)
        .send()
        .await
        .expect_err("keys are text");
    assert!(matches!(error, TestError::Json(_)), "{error}");
}

#[tokio::test]
async fn content_that_breaks_off_is_an_error() {
    let service = Service::builder().route(Operation::new(Method::GET, "/"), |_: Call<'_>| {
        Outcome::Ready(Ok(Response::new(Body::new(Limited::new(
            Full::<Bytes>::from("too long"),
            3,
        )))))
    });
    let client = TestClient::new(service.build().expect("the routes fit together"));
    let error = client
        .get("/")
        .send()
        .await
        .expect_err("the content breaks off");
    let source = std::error::Error::source(&error).map(ToString::to_string);
    assert_eq!(source.as_deref(), Some("length limit exceeded"));
}
