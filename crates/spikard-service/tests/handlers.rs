//! Handlers at their worst: they panic, wait for ever, or are not waited for.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::{future::Future, pin::pin};

use http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use hyper::service::Service as _;
use spikard_core::{Body, Call, Content, Operation, Outcome};
use spikard_service::Service;

fn get(path: &str) -> Operation {
    Operation::new(Method::GET, path)
}

fn request(target: &str) -> Request<Body> {
    Request::get(target).body(Body::empty()).expect("is valid")
}

#[tokio::test]
async fn a_panic_is_a_500_that_says_nothing_of_it() {
    let service = Service::builder()
        .route(get("/now"), |_: Call<'_>| -> Outcome { panic!("secret") })
        .route(get("/later"), |_: Call<'_>| {
            Outcome::Pending(Box::pin(async { panic!("secret") }))
        })
        .build()
        .expect("the routes fit together");
    for target in ["/now", "/later"] {
        let Ok(response) = service.answer(request(target)).await;
        assert_eq!(
            response.status(),
            StatusCode::INTERNAL_SERVER_ERROR,
            "{target}"
        );
        let content = response
            .into_body()
            .collect()
            .await
            .expect("is whole")
            .to_bytes();
        let content = String::from_utf8(content.into()).expect("is text");
        assert!(
            content.contains("Internal server error"),
            "{target}: {content}"
        );
        assert!(!content.contains("secret"), "{target}: {content}");
    }
}

#[test]
fn a_dropped_answer_drops_the_future_of_its_handler() {
    struct Counted(Arc<AtomicUsize>);

    impl Drop for Counted {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    let dropped = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&dropped);
    let service = Service::builder()
        .route(get("/"), move |_: Call<'_>| {
            let counted = Counted(Arc::clone(&counter));
            Outcome::Pending(Box::pin(async move {
                let _counted = counted;
                pending().await
            }))
        })
        .build()
        .expect("the routes fit together");
    let mut answer = service.answer(request("/"));
    let mut cx = Context::from_waker(Waker::noop());
    assert!(matches!(pin!(&mut answer).poll(&mut cx), Poll::Pending));
    assert_eq!(dropped.load(Ordering::Relaxed), 0);
    drop(answer);
    assert_eq!(dropped.load(Ordering::Relaxed), 1);
    // An answer that nobody polled ends its handler as well.
    drop(service.answer(request("/")));
    assert_eq!(dropped.load(Ordering::Relaxed), 2);
}

#[test]
fn a_handler_that_is_ready_answers_at_the_first_poll() {
    let service = Service::builder()
        .route(get("/"), |_: Call<'_>| {
            Outcome::Ready(Ok(http::Response::new(Body::from("now"))))
        })
        .build()
        .expect("the routes fit together");
    let mut cx = Context::from_waker(Waker::noop());
    let polled = pin!(service.answer(request("/"))).poll(&mut cx);
    assert!(polled.is_ready());
}

#[tokio::test]
async fn the_handler_reads_the_content() {
    let service = Service::builder()
        .route(Operation::new(Method::POST, "/echo"), |call: Call<'_>| {
            let Content::Unread(body) = call.content else {
                unreachable!("no plan reads it")
            };
            Outcome::Pending(Box::pin(async move { Ok(http::Response::new(body)) }))
        })
        .build()
        .expect("the routes fit together");
    let content = http_body_util::Full::new(bytes::Bytes::from_static(b"content"));
    let request = Request::post("/echo").body(content).expect("is valid");
    let Ok(response) = service.call(request).await;
    let content = response
        .into_body()
        .collect()
        .await
        .expect("is whole")
        .to_bytes();
    assert_eq!(content, "content");
}

#[tokio::test]
async fn an_application_without_routes_knows_no_path() {
    let service = Service::builder().build().expect("nothing can collide");
    for target in ["/", "/anything", "*"] {
        let Ok(response) = service.answer(request(target)).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{target}");
    }
}
