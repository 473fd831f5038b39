//! The end of a server, in order.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::activity::Order;
use crate::registry::Registry;

/// Stops a server: first no new connections, then no new requests, at last no patience.
#[derive(Clone, Debug)]
pub struct Shutdown {
    registry: Arc<Registry>,
    is_started: Arc<watch::Sender<bool>>,
}

impl Shutdown {
    pub(crate) fn new(registry: Arc<Registry>) -> Self {
        Self {
            registry,
            is_started: Arc::new(watch::Sender::new(false)),
        }
    }

    /// Stops accepting, lets the requests at hand finish, and closes what is left after `patience`.
    ///
    /// Returns how many connections had to be closed; 0 means that every request was answered.
    pub async fn start(&self, patience: Duration) -> usize {
        self.is_started.send_replace(true);
        self.registry.give_all(Order::Finish);
        let _ = tokio::time::timeout(patience, self.registry.below(1)).await;
        let unfinished = self.registry.len();
        self.registry.give_all(Order::Close);
        self.registry.below(1).await;
        unfinished
    }

    /// Returns once the shutdown has started.
    pub(crate) async fn started(&self) {
        let mut is_started = self.is_started.subscribe();
        // The sender lives as long as `self`.
        let _ = is_started.wait_for(|it| *it).await;
    }
}
