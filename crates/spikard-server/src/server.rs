//! The accept loop.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper::rt::Executor;
use hyper::server::conn::http1;
use spikard_service::Service;
use tokio::net::{TcpListener, TcpStream};

use crate::connection::Connection;
use crate::registry::Registry;
use crate::{Limits, Shutdown};

/// How long to wait when the system has no descriptor left for a connection.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(50);

/// Runs connections on the thread of a [`tokio::runtime::LocalRuntime`] or `LocalSet`.
#[derive(Clone, Copy, Debug, Default)]
pub struct LocalTasks;

impl<F> Executor<F> for LocalTasks
where
    F: Future<Output = ()> + 'static,
{
    fn execute(&self, future: F) {
        tokio::task::spawn_local(future);
    }
}

/// Accepts connections and speaks HTTP/1.1 on each, in a task of its own.
#[derive(Debug)]
pub struct Server<E> {
    service: Service,
    registry: Arc<Registry>,
    shutdown: Shutdown,
    tasks: E,
}

impl<E> Server<E>
where
    E: Executor<Connection>,
{
    /// A server that answers with `service`, within `limits`, its connections running on `tasks`.
    pub fn new(service: Service, limits: Limits, tasks: E) -> Self {
        let registry = Arc::new(Registry::new(limits));
        Self {
            service,
            shutdown: Shutdown::new(Arc::clone(&registry)),
            registry,
            tasks,
        }
    }

    /// The handle that stops this server.
    pub fn shutdown(&self) -> Shutdown {
        self.shutdown.clone()
    }

    /// Accepts connections until the shutdown starts, then closes the listener.
    ///
    /// Connections that are open by then end with the shutdown, not with this future.
    pub async fn serve(self, listener: TcpListener) {
        let mut protocol = http1::Builder::new();
        protocol
            // Small responses leave in one flat write. They are not held back for pipelined requests: with its
            // `pipeline_flush`, hyper loses what it has not written when bytes follow a request and it closes.
            .writev(false)
            .max_buf_size(self.registry.limits().buffer_bytes())
            .keep_alive(!self.registry.limits().keep_alive_timeout.is_zero())
            // The registry's sweep keeps the deadlines.
            .header_read_timeout(None);
        tokio::select! {
            () = self.accept_all(&listener, &protocol) => {}
            () = self.registry.sweep() => {}
            () = self.shutdown.started() => {}
        }
        drop(listener);
        // The deadlines hold while the last requests are finished.
        tokio::select! {
            () = self.registry.sweep() => {}
            () = self.registry.below(1) => {}
        }
    }

    async fn accept_all(&self, listener: &TcpListener, protocol: &http1::Builder) {
        loop {
            self.registry
                .below(self.registry.limits().connections)
                .await;
            match listener.accept().await {
                Ok((stream, _peer)) => self.open(protocol, stream),
                Err(error) if is_of_the_connection(&error) => {}
                Err(_exhausted) => tokio::time::sleep(EXHAUSTED_PAUSE).await,
            }
        }
    }

    fn open(&self, protocol: &http1::Builder, stream: TcpStream) {
        // Without it a small response may wait for the acknowledgement of the one before (RFC 9293, 3.7.4). A
        // socket that refuses the option is about to fail anyway.
        let _ = stream.set_nodelay(true);
        let membership = self.registry.join();
        let connection = Connection::new(protocol, stream, self.service.clone(), membership);
        self.tasks.execute(connection);
    }
}

/// Errors of `accept` that concern the one connection, not the listener.
fn is_of_the_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
    )
}
