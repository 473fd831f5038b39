//! The connections of a server: how many there are, which are overdue, when the last one has ended.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::Limits;
use crate::activity::{Activity, Order, Phase, Tick};

#[derive(Debug)]
pub(crate) struct Registry {
    limits: Limits,
    started: Instant,
    now: AtomicU32,
    connections: Mutex<Connections>,
    count: AtomicUsize,
    /// Told of every connection that ends.
    ended: Notify,
}

#[derive(Debug, Default)]
struct Connections {
    next: u64,
    by_number: HashMap<u64, Arc<Activity>>,
    /// What new connections are told from the start.
    order: Option<Order>,
}

/// A connection's entry in the registry; dropping it is leaving.
#[derive(Debug)]
pub(crate) struct Membership {
    registry: Arc<Registry>,
    number: u64,
    activity: Arc<Activity>,
}

impl Registry {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            started: Instant::now(),
            now: AtomicU32::new(0),
            connections: Mutex::default(),
            count: AtomicUsize::new(0),
            ended: Notify::new(),
        }
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) fn now(&self) -> Tick {
        self.now.load(Ordering::Relaxed)
    }

    pub(crate) fn join(self: &Arc<Self>) -> Membership {
        let activity = Arc::new(Activity::new(self.now()));
        let mut connections = self.lock();
        let number = connections.next;
        connections.next += 1;
        connections.by_number.insert(number, Arc::clone(&activity));
        self.count
            .store(connections.by_number.len(), Ordering::Relaxed);
        if let Some(order) = connections.order {
            activity.give(order);
        }
        drop(connections);
        Membership {
            registry: Arc::clone(self),
            number,
            activity,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Gives an order to every connection, also to those that are still to come.
    pub(crate) fn give_all(&self, order: Order) {
        let mut connections = self.lock();
        connections.order = Some(order);
        for activity in connections.by_number.values() {
            activity.give(order);
        }
    }

    /// Waits until there are fewer connections than `bound`.
    pub(crate) async fn below(&self, bound: usize) {
        loop {
            let ended = self.ended.notified();
            if self.len() < bound {
                return;
            }
            ended.await;
        }
    }

    /// Closes overdue connections once a second, for ever.
    pub(crate) async fn sweep(&self) {
        let mut interval = tokio::time::interval(Duration::from_secs(1));
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        loop {
            interval.tick().await;
            let now = u32::try_from(self.started.elapsed().as_secs()).unwrap_or(Tick::MAX);
            self.now.store(now, Ordering::Relaxed);
            for activity in self.lock().by_number.values() {
                if self.is_overdue(activity, now) {
                    activity.give(Order::Close);
                }
            }
        }
    }

    fn is_overdue(&self, activity: &Activity, now: Tick) -> bool {
        let timeout = match activity.phase() {
            Phase::Idle => self.limits.keep_alive_timeout,
            Phase::Head => self.limits.header_read_timeout,
            Phase::Busy => return false,
        };
        // The phase began somewhere within its first second, so a whole second more is granted.
        u64::from(activity.age(now)) > timeout.as_secs()
    }

    fn lock(&self) -> MutexGuard<'_, Connections> {
        self.connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Membership {
    pub(crate) fn activity(&self) -> &Arc<Activity> {
        &self.activity
    }

    pub(crate) fn registry(&self) -> &Arc<Registry> {
        &self.registry
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        let mut connections = self.registry.lock();
        connections.by_number.remove(&self.number);
        self.registry
            .count
            .store(connections.by_number.len(), Ordering::Relaxed);
        drop(connections);
        self.registry.ended.notify_waiters();
    }
}
