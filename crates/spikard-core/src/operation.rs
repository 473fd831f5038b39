//! One method on one path template.

use std::fmt;

use http::Method;

use crate::{Parameter, RequestBody};

/// Where in its source an operation was declared, so that an error can point there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Declaration {
    /// The handler's name, qualified as its language does.
    pub handler: String,
    /// File and line, such as `shop/orders.py:12`; empty where unknown.
    pub location: String,
}

impl fmt::Display for Declaration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.location.is_empty() {
            write!(f, "`{}`", self.handler)
        } else {
            write!(f, "`{}` ({})", self.handler, self.location)
        }
    }
}

/// One method on one path template, with the inputs it declares (OpenAPI 3.1, Operation Object).
#[derive(Clone, Debug)]
pub struct Operation {
    method: Method,
    path: String,
    parameters: Vec<Parameter>,
    body: Option<RequestBody>,
    declaration: Declaration,
}

impl Operation {
    /// An operation without parameters.
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        let path = path.into();
        let declaration = Declaration {
            handler: format!("{method} {path}"),
            location: String::new(),
        };
        Self {
            method,
            path,
            parameters: Vec::new(),
            body: None,
            declaration,
        }
    }

    /// Adds a parameter; the handler receives parameters in the order in which they are added.
    #[must_use]
    pub fn with_parameter(mut self, parameter: Parameter) -> Self {
        self.parameters.push(parameter);
        self
    }

    /// Says what it takes from the content of a request; without, the content is left alone.
    #[must_use]
    pub fn with_body(mut self, body: RequestBody) -> Self {
        self.body = Some(body);
        self
    }

    /// Says where the operation was declared.
    #[must_use]
    pub fn with_declaration(mut self, declaration: Declaration) -> Self {
        self.declaration = declaration;
        self
    }

    /// The method it answers.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// Its path template, such as `/items/{id:int}`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What it takes, in the order in which the handler receives it.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// What it takes from the content of a request.
    pub fn body(&self) -> Option<&RequestBody> {
        self.body.as_ref()
    }

    /// Where it was declared.
    pub fn declaration(&self) -> &Declaration {
        &self.declaration
    }
}
