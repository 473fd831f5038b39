//! A server on a port of its own, and the bytes that clients exchange with it.

mod client;
mod deadlines;
mod handlers;
mod http1;
mod limits;
mod serving;
mod several_threads;
mod shutdown;
