//! One connection: HTTP/1.1 over a socket, until either side ends it.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use spikard_core::{Body, BoxError};
use spikard_service::{Answer, Service, problem_response};
use tokio::net::TcpStream;

use crate::activity::{Order, Phase};
use crate::io::ConnectionIo;
use crate::registry::Membership;

/// The task of one connection: drives HTTP/1.1 and obeys the orders of the server.
///
/// Made by a [`Server`](crate::Server) and handed to its executor.
pub struct Connection {
    http: http1::Connection<ConnectionIo, Requests>,
    membership: Arc<Membership>,
    is_registered: bool,
    is_finishing: bool,
}

impl Connection {
    pub(crate) fn new(
        protocol: &http1::Builder,
        stream: TcpStream,
        service: Service,
        membership: Membership,
    ) -> Self {
        let membership = Arc::new(membership);
        let io = ConnectionIo::new(stream, Arc::clone(&membership));
        let requests = Requests {
            service,
            membership: Arc::clone(&membership),
        };
        Self {
            http: protocol.serve_connection(io, requests),
            membership,
            is_registered: false,
            is_finishing: false,
        }
    }
}

impl Future for Connection {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        if !this.is_registered {
            this.membership.activity().register(cx.waker());
            this.is_registered = true;
        }
        match this.membership.activity().order() {
            Order::Serve => {}
            Order::Finish if this.is_finishing => {}
            Order::Finish => {
                this.is_finishing = true;
                Pin::new(&mut this.http).graceful_shutdown();
            }
            Order::Close => return Poll::Ready(()),
        }
        // What went wrong concerns the client, who is gone or has been told by the parser's own response.
        Pin::new(&mut this.http).poll(cx).map(|_ended| ())
    }
}

/// Answers the requests of one connection: limits first, then the service.
struct Requests {
    service: Service,
    membership: Arc<Membership>,
}

impl hyper::service::Service<Request<Incoming>> for Requests {
    type Response = Response<TrackedBody>;
    type Error = Infallible;
    type Future = TrackedAnswer;

    fn call(&self, request: Request<Incoming>) -> TrackedAnswer {
        let registry = self.membership.registry();
        self.membership
            .activity()
            .enter(Phase::Busy, registry.now());
        let answer = match registry.limits().check(&request) {
            Ok(()) => self.service.answer(request.map(Body::new)),
            Err(problem) => Answer::ready(problem_response(&problem)),
        };
        TrackedAnswer {
            answer,
            membership: Some(Arc::clone(&self.membership)),
        }
    }
}

struct TrackedAnswer {
    answer: Answer,
    membership: Option<Arc<Membership>>,
}

impl Future for TrackedAnswer {
    type Output = Result<Response<TrackedBody>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Ok(response) = ready!(Pin::new(&mut self.answer).poll(cx));
        let membership = self.membership.take();
        Poll::Ready(Ok(response.map(|body| TrackedBody { body, membership })))
    }
}

/// The content of a response; when it is dropped the request is over and the connection idle.
struct TrackedBody {
    body: Body,
    membership: Option<Arc<Membership>>,
}

impl Drop for TrackedBody {
    fn drop(&mut self) {
        if let Some(membership) = &self.membership {
            membership
                .activity()
                .enter(Phase::Idle, membership.registry().now());
        }
    }
}

impl http_body::Body for TrackedBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").finish_non_exhaustive()
    }
}
