//! The future of a response: there already, or waiting for its handler.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Response;
use spikard_core::{Body, Reply};
use spikard_problem::Problem;

use crate::respond::respond;

/// The response to one request. Dropping it cancels the handler.
pub struct Answer {
    state: State,
}

enum State {
    Ready(Response<Body>),
    Pending {
        reply: Pin<Box<dyn Future<Output = Reply> + Send>>,
        is_head: bool,
    },
    Done,
}

impl Answer {
    /// An answer that needs no handler.
    pub fn ready(response: Response<Body>) -> Self {
        Self {
            state: State::Ready(response),
        }
    }

    pub(crate) fn pending(
        reply: Pin<Box<dyn Future<Output = Reply> + Send>>,
        is_head: bool,
    ) -> Self {
        Self {
            state: State::Pending { reply, is_head },
        }
    }
}

impl Future for Answer {
    type Output = Result<Response<Body>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let State::Pending { reply, is_head } = &mut self.state {
            let polled = catch_unwind(AssertUnwindSafe(|| reply.as_mut().poll(cx)))
                .unwrap_or_else(|_| Poll::Ready(Err(Box::new(Problem::internal_server_error()))));
            let response = respond(ready!(polled), *is_head);
            self.state = State::Done;
            return Poll::Ready(Ok(response));
        }
        match std::mem::replace(&mut self.state, State::Done) {
            State::Ready(response) => Poll::Ready(Ok(response)),
            State::Pending { .. } | State::Done => {
                panic!("an answer is polled once it has been given")
            }
        }
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.state {
            State::Ready(_) => "Answer(ready)",
            State::Pending { .. } => "Answer(pending)",
            State::Done => "Answer(given)",
        })
    }
}
