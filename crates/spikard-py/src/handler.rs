//! A Python handler as the service sees it.
#![expect(
    unsafe_code,
    reason = "the thread is attached while tokio polls, which only the park knows"
)]

use std::sync::Arc;

use pyo3::prelude::*;
use spikard_core::{Call, Handler, Outcome};
use spikard_problem::Problem;

use crate::arrival::Arrival;
use crate::current::{self, Current};
use crate::invocation::{Invoked, Route};
use crate::reply_slot::{PendingReply, ReplySlot};

/// Calls a Python callable, wherever the current thread runs Python.
pub(crate) struct PyHandler(pub(crate) Arc<Route>);

impl Handler for PyHandler {
    fn call(&self, call: Call<'_>) -> Outcome {
        let arrival = Arrival::new(call, self.0.wants_request);
        current::with(|current| match current {
            Some(Current::Loop(state)) => {
                // SAFETY: a worker's tasks are only polled inside `select`, which Python called, and the park
                // callbacks attach the thread again before anything is polled.
                let py = unsafe { Python::assume_attached() };
                let invoked = self
                    .0
                    .invoke(py, state.runtime(), arrival, ReplySlot::default);
                state.wake_if_due(py);
                match invoked {
                    Invoked::Answered(reply) => Outcome::Ready(reply),
                    Invoked::Suspended { slot, task } => {
                        Outcome::Pending(Box::pin(PendingReply::new(slot, task)))
                    }
                }
            }
            Some(Current::Bridge(queue)) => {
                Outcome::Pending(Box::pin(queue.push(&self.0, arrival.into_owned())))
            }
            None => {
                let problem = Problem::service_unavailable("No event loop serves this application");
                Outcome::Ready(Err(Box::new(problem)))
            }
        })
    }
}
