//! Handlers that fail, wait, or are not waited for.

use crate::serving::{Serving, on_one_thread};

#[test]
fn a_panic_costs_one_response() {
    on_one_thread(async {
        let serving = Serving::start();
        let mut client = serving.connect().await;
        for target in ["/panic", "/panic-later"] {
            let response = client.get(target).await;
            assert_eq!(response.status(), 500, "{target}");
            assert_eq!(
                response.field("content-type"),
                Some("application/problem+json"),
                "{target}"
            );
            assert!(!response.text().contains("at once"), "{target}");
            assert!(!response.text().contains("later"), "{target}");
            assert_eq!(client.get("/hello").await.text(), "Hello", "{target}");
        }
    });
}

#[test]
fn handlers_of_different_connections_wait_side_by_side() {
    on_one_thread(async {
        let serving = Serving::start();
        let mut clients = Vec::new();
        for _ in 0..50 {
            let mut client = serving.connect().await;
            client.ask("/wait").await;
            clients.push(client);
        }
        for _ in &clients {
            serving.waiting.has_begun().await;
        }
        assert_eq!(serving.connect().await.get("/hello").await.text(), "Hello");
        serving.waiting.release.add_permits(clients.len());
        for mut client in clients {
            assert_eq!(client.response().await.text(), "released");
        }
    });
}

#[test]
fn a_client_that_leaves_ends_its_handler() {
    on_one_thread(async {
        let serving = Serving::start();
        let mut client = serving.connect().await;
        client.ask("/never").await;
        serving.waiting.has_begun().await;
        assert_eq!(serving.waiting.over.available_permits(), 0);
        drop(client);
        serving.waiting.is_over().await;
        assert_eq!(serving.connect().await.get("/hello").await.text(), "Hello");
    });
}
