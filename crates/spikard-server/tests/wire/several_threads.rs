//! The same server where connections run on several threads.

use std::time::Duration;

use crate::serving::{LONG_CONTENT, Serving, on_several_threads};

#[test]
fn many_clients_at_once_are_answered() {
    on_several_threads(async {
        let serving = Serving::spread();
        let clients = (0..50).map(|_| {
            let address = serving.address;
            tokio::spawn(async move {
                let mut client = crate::client::Client::connect(address).await;
                for _ in 0..20 {
                    assert_eq!(client.get("/hello").await.text(), "Hello");
                }
                assert_eq!(client.get("/long").await.content.len(), LONG_CONTENT);
                assert_eq!(client.get("/panic-later").await.status(), 500);
                assert_eq!(client.get("/nothing").await.status(), 404);
            })
        });
        let clients: Vec<_> = clients.collect();
        for client in clients {
            client.await.expect("every request is answered");
        }
    });
}

#[test]
fn it_stops_in_order() {
    on_several_threads(async {
        let serving = Serving::spread();
        let (mut waits, mut never_ends) = (serving.connect().await, serving.connect().await);
        waits.ask("/wait").await;
        never_ends.ask("/never").await;
        serving.waiting.has_begun().await;
        serving.waiting.has_begun().await;
        let shutdown = serving.shutdown.clone();
        let patient = tokio::spawn(async move { shutdown.start(Duration::from_secs(3600)).await });
        serving.waiting.release.add_permits(1);
        assert_eq!(waits.response().await.text(), "released");
        assert_eq!(waits.rest().await, b"");
        serving.waiting.is_over().await;
        assert_eq!(serving.shutdown.start(Duration::ZERO).await, 1);
        serving.waiting.is_over().await;
        assert_eq!(never_ends.rest().await, b"");
        patient.await.expect("the shutdown ends");
        serving.task.await.expect("the server ends");
    });
}

#[test]
fn a_client_that_leaves_ends_its_handler() {
    on_several_threads(async {
        let serving = Serving::spread();
        let mut client = serving.connect().await;
        client.ask("/never").await;
        serving.waiting.has_begun().await;
        drop(client);
        serving.waiting.is_over().await;
    });
}
