//! A bound, listening socket.

use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};

use socket2::{Domain, Protocol, Socket, Type};

/// Why a socket could not be bound.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// The host is no address of this machine and no name that leads to one.
    #[error("cannot resolve host `{host}`")]
    Host {
        /// The host as given.
        host: String,
        /// What the resolver said.
        source: io::Error,
    },
    /// The address is taken, privileged, or not of this machine.
    #[error("cannot listen on {address}")]
    Address {
        /// The address that was tried last.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}

/// A listening TCP socket. Dropping it closes the port.
#[derive(Debug)]
pub struct Listener {
    inner: TcpListener,
}

impl Listener {
    /// Listens on the first address of `host` that can be bound; port 0 takes a free one.
    ///
    /// `backlog` is the number of connections that may wait to be accepted.
    ///
    /// # Errors
    ///
    /// When the host cannot be resolved or none of its addresses can be bound.
    pub fn bind(host: &str, port: u16, backlog: u32) -> Result<Self, BindError> {
        let unresolved = |source| BindError::Host {
            host: host.to_owned(),
            source,
        };
        let mut last = unresolved(io::Error::new(io::ErrorKind::NotFound, "no address"));
        for address in (host, port).to_socket_addrs().map_err(unresolved)? {
            match listen(address, backlog) {
                Ok(inner) => return Ok(Self { inner }),
                Err(source) => last = BindError::Address { address, source },
            }
        }
        Err(last)
    }

    /// The address that clients connect to.
    ///
    /// # Errors
    ///
    /// When the system does not tell.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }

    /// Hands the socket to the tokio runtime of this thread.
    ///
    /// # Errors
    ///
    /// When the socket cannot be registered.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn into_tokio(self) -> io::Result<tokio::net::TcpListener> {
        tokio::net::TcpListener::from_std(self.inner)
    }
}

fn listen(address: SocketAddr, backlog: u32) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    // A restarted server takes over the port while old connections linger; on Windows the option would let two
    // servers share a port.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(i32::try_from(backlog).unwrap_or(i32::MAX))?;
    Ok(socket.into())
}
