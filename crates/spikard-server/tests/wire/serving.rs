//! The server under test: what it serves, where it listens, how its handlers are held.

use std::future::{Future, pending};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http::{Method, Response};
use hyper::rt::Executor;
use spikard_core::{Body, Call, Handler, Operation, Outcome, Reply};
use spikard_server::{Connection, Limits, Listener, LocalTasks, Server, Shutdown};
use spikard_service::Service;
use tokio::runtime::LocalRuntime;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::client::Client;

/// Longer than any test takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// Length of what `/long` answers.
pub(crate) const LONG_CONTENT: usize = 1 << 20;

/// Runs a test on one thread, on which the connections run as well.
pub(crate) fn on_one_thread(test: impl Future<Output = ()>) {
    let runtime = LocalRuntime::new().expect("a runtime can be had");
    runtime.block_on(in_time(test));
}

/// Runs a test on threads that share the connections.
pub(crate) fn on_several_threads(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime can be had");
    runtime.block_on(in_time(test));
}

async fn in_time(test: impl Future<Output = ()>) {
    tokio::time::timeout(PATIENCE, test)
        .await
        .expect("the test ends in time");
}

/// Waits until `condition` holds, which the tasks beside this one bring about.
pub(crate) async fn until(mut condition: impl FnMut() -> bool) {
    while !condition() {
        tokio::task::yield_now().await;
    }
}

/// What a test knows of the handlers that wait.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    /// One permit for every call of `/wait` or `/never` that has begun.
    pub(crate) begun: Arc<Semaphore>,
    /// A permit lets one call of `/wait` go on.
    pub(crate) release: Arc<Semaphore>,
    /// One permit for every call of `/wait` or `/never` that is over, answered or dropped.
    pub(crate) over: Arc<Semaphore>,
}

impl Waiting {
    fn new() -> Self {
        let none = || Arc::new(Semaphore::new(0));
        Self {
            begun: none(),
            release: none(),
            over: none(),
        }
    }

    /// Waits until one more call has begun.
    pub(crate) async fn has_begun(&self) {
        self.begun.acquire().await.expect("is open").forget();
    }

    /// Waits until one more call is over.
    pub(crate) async fn is_over(&self) {
        self.over.acquire().await.expect("is open").forget();
    }
}

/// A server, and the handle that stops it.
#[derive(Debug)]
pub(crate) struct Serving {
    pub(crate) address: SocketAddr,
    pub(crate) shutdown: Shutdown,
    pub(crate) waiting: Waiting,
    /// Ends with the server.
    pub(crate) task: JoinHandle<()>,
}

impl Serving {
    /// Serves on this thread, within the default limits.
    pub(crate) fn start() -> Self {
        Self::within(Limits::default())
    }

    /// Serves on this thread.
    pub(crate) fn within(limits: Limits) -> Self {
        let waiting = Waiting::new();
        let (address, server, listener) = bind(&waiting, limits, LocalTasks);
        Self {
            address,
            shutdown: server.shutdown(),
            waiting,
            task: tokio::task::spawn_local(server.serve(listener)),
        }
    }

    /// Serves on the threads of a runtime that has several.
    pub(crate) fn spread() -> Self {
        let waiting = Waiting::new();
        let tasks = hyper_util::rt::TokioExecutor::new();
        let (address, server, listener) = bind(&waiting, Limits::default(), tasks);
        Self {
            address,
            shutdown: server.shutdown(),
            waiting,
            task: tokio::spawn(server.serve(listener)),
        }
    }

    pub(crate) async fn connect(&self) -> Client {
        Client::connect(self.address).await
    }
}

fn bind<E: Executor<Connection>>(
    waiting: &Waiting,
    limits: Limits,
    tasks: E,
) -> (SocketAddr, Server<E>, tokio::net::TcpListener) {
    let listener = Listener::bind("127.0.0.1", 0, 128).expect("a free port can be had");
    let address = listener.local_addr().expect("it is bound");
    let listener = listener.into_tokio().expect("it can be registered");
    (
        address,
        Server::new(service(waiting), limits, tasks),
        listener,
    )
}

fn service(waiting: &Waiting) -> Service {
    let (waits, never_ends) = (waiting.clone(), waiting.clone());
    let get = |path| Operation::new(Method::GET, path);
    Service::builder()
        .route(get("/hello"), |_: Call<'_>| ready("Hello"))
        .route(get("/long"), |_: Call<'_>| ready("x".repeat(LONG_CONTENT)))
        .route(get("/panic"), panicking("at once"))
        .route(get("/panic-later"), |_: Call<'_>| {
            Outcome::Pending(Box::pin(async { panic!("later") }))
        })
        .route(Operation::new(Method::POST, "/ignore"), |_: Call<'_>| {
            ready("ignored")
        })
        .route(get("/wait"), move |_: Call<'_>| {
            let release = Arc::clone(&waits.release);
            suspended(&waits, async move {
                release.acquire().await.expect("is open").forget();
                Ok(Response::new(Body::from("released")))
            })
        })
        .route(get("/never"), move |_: Call<'_>| {
            suspended(&never_ends, pending())
        })
        .build()
        .expect("the routes fit together")
}

fn ready(content: impl Into<Body>) -> Outcome {
    Outcome::Ready(Ok(Response::new(content.into())))
}

fn panicking(message: &'static str) -> impl Handler {
    move |_: Call<'_>| -> Outcome { panic!("{message}") }
}

/// Notes that a call has begun, and that it is over when its future goes away.
fn suspended(waiting: &Waiting, reply: impl Future<Output = Reply> + Send + 'static) -> Outcome {
    struct Over(Arc<Semaphore>);

    impl Drop for Over {
        fn drop(&mut self) {
            self.0.add_permits(1);
        }
    }

    waiting.begun.add_permits(1);
    let over = Over(Arc::clone(&waiting.over));
    let reply: Pin<Box<dyn Future<Output = Reply> + Send>> = Box::pin(async move {
        let _over = over;
        reply.await
    });
    Outcome::Pending(reply)
}
