//! Sockets: from bytes that arrive to a [`Service`](spikard_service::Service) that answers.
//!
//! [`Listener`] binds, [`Server`] accepts and speaks HTTP/1.1 (RFC 9112) within [`Limits`], one task per connection.
//! Where those tasks run is a parameter: [`LocalTasks`] keeps them on the thread of a `LocalRuntime`,
//! [`hyper_util::rt::TokioExecutor`] spreads them over a multi-thread runtime. [`Shutdown`] ends the server in
//! order: it stops accepting, finishes what runs, and gives up on what takes too long.
//!
//! # Example
//!
//! ```
//! use std::time::Duration;
//! use spikard_server::{Limits, Listener, LocalTasks, Server};
//! use spikard_service::Service;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let runtime = tokio::runtime::LocalRuntime::new()?;
//! runtime.block_on(async {
//!     let listener = Listener::bind("127.0.0.1", 0, 2048)?;
//!     let server = Server::new(Service::builder().build()?, Limits::default(), LocalTasks);
//!     let shutdown = server.shutdown();
//!     let serving = tokio::task::spawn_local(server.serve(listener.into_tokio()?));
//!     // .. until a signal arrives:
//!     shutdown.start(Duration::from_secs(30)).await;
//!     serving.await?;
//!     Ok(())
//! })
//! # }
//! ```

mod activity;
mod connection;
mod io;
mod limits;
mod listener;
mod registry;
mod server;
mod shutdown;

pub use connection::Connection;
pub use limits::Limits;
pub use listener::{BindError, Listener};
pub use server::{LocalTasks, Server};
pub use shutdown::Shutdown;
