//! What of a request reaches a Python handler, on whichever thread.

use std::ops::Deref;
use std::sync::Arc;

use http::request;
use pyo3::prelude::*;
use spikard_core::{Call, Content, ContentCheck, Value};

use crate::request::{Head, Request};

/// The request as the plan of a route asks for it.
pub(crate) struct Arrival<'r> {
    pub(crate) inputs: ArrivedInputs<'r>,
    pub(crate) content: Content,
    pub(crate) content_check: Option<Arc<dyn ContentCheck>>,
    /// Only for handlers that ask for the request itself.
    pub(crate) head: Option<Box<Head>>,
    /// The request, once an argument has asked for it.
    pub(crate) request: Option<Py<Request>>,
    /// The parsed content as Python data, once an argument has asked for it.
    pub(crate) members: Option<Py<PyAny>>,
}

/// The parameters: of the connection's task, or of a call that waits for its thread.
pub(crate) enum ArrivedInputs<'r> {
    Borrowed(&'r [Value<'r>]),
    Owned(Vec<Value<'static>>),
}

impl<'r> Deref for ArrivedInputs<'r> {
    type Target = [Value<'r>];

    fn deref(&self) -> &[Value<'r>] {
        match self {
            Self::Borrowed(inputs) => inputs,
            Self::Owned(inputs) => inputs,
        }
    }
}

impl<'r> Arrival<'r> {
    pub(crate) fn new(call: Call<'r>, wants_head: bool) -> Self {
        let head: &request::Parts = call.head;
        Self {
            head: wants_head.then(|| Box::new(Head::from(head))),
            inputs: ArrivedInputs::Borrowed(call.inputs),
            content: call.content,
            content_check: call.content_check,
            request: None,
            members: None,
        }
    }

    /// The same, independent of the connection's task.
    pub(crate) fn into_owned(self) -> Arrival<'static> {
        Arrival {
            inputs: ArrivedInputs::Owned(
                self.inputs.iter().cloned().map(Value::into_owned).collect(),
            ),
            content: self.content,
            content_check: self.content_check,
            head: self.head,
            request: self.request,
            members: self.members,
        }
    }
}
