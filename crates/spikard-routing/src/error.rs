//! Why an operation cannot be routed. Both errors belong to start-up; no request meets them.

use std::fmt;

use http::Method;
use spikard_core::{Declaration, Operation};

use crate::path_template::{CONVERTERS, PARAMETER_LIMIT};

/// Why an operation was not added to the router.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RouteError {
    /// The path template cannot be read.
    #[error("{route} has an invalid path template: {reason}")]
    Template {
        /// The operation that was refused.
        route: Box<Route>,
        /// What is wrong with its template, and what would be right.
        reason: TemplateError,
    },
    /// Another operation of the same method has the same paths, or some of them with equal right.
    #[error(
        "{route} conflicts with {other}: a path can match both; change one of the paths or remove one of the two"
    )]
    Conflict {
        /// The operation that was refused.
        route: Box<Route>,
        /// The operation that was there before.
        other: Box<Route>,
    },
}

/// An operation as the routing errors name it; displays as `` GET /items of `shop.list_items` (shop.py:12) ``.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The method of the operation.
    pub method: Method,
    /// Its path template as written.
    pub template: String,
    /// Where it was declared.
    pub declaration: Declaration,
}

impl From<&Operation> for Route {
    fn from(operation: &Operation) -> Self {
        Self {
            method: operation.method().clone(),
            template: operation.path().to_owned(),
            declaration: operation.declaration().clone(),
        }
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            method,
            template,
            declaration,
        } = self;
        write!(f, "`{method} {template}` of {declaration}")
    }
}

/// What is wrong with a path template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// The first character is not a slash.
    #[error("it does not start with `/`; write `/{template}`")]
    NoLeadingSlash {
        /// The template as written.
        template: String,
    },
    /// A character that no decoded path can have, or that starts another component of a URI.
    #[error(
        "it has the character {character:?}; a template is the decoded path alone, without query, fragment and \
         control characters"
    )]
    ForbiddenCharacter {
        /// The first such character.
        character: char,
    },
    /// A brace without its counterpart.
    #[error(
        "segment `{segment}` has an unbalanced brace; write a parameter as `{{name}}` or `{{name:int}}`"
    )]
    UnbalancedBrace {
        /// The segment that has the brace.
        segment: String,
    },
    /// A parameter without a name.
    #[error("parameter `{parameter}` has no name; write `{{name}}` or `{{name:int}}`")]
    EmptyName {
        /// The parameter as written, with its braces.
        parameter: String,
    },
    /// A name that cannot be a parameter's name.
    #[error(
        "parameter name `{name}` has the character {character:?}; use letters, digits, `_`, `-` and `.`"
    )]
    InvalidName {
        /// The name as written.
        name: String,
        /// Its first character that a name cannot have.
        character: char,
    },
    /// Two parameters of one name.
    #[error("two parameters are named `{name}`; give each a name of its own")]
    DuplicateName {
        /// The name that occurs twice.
        name: String,
    },
    /// A word after the colon that is no converter.
    #[error("parameter `{name}` has the unknown converter `{converter}`; use one of {known}", known = CONVERTERS.join(", "))]
    UnknownConverter {
        /// The parameter's name.
        name: String,
        /// The word after the colon.
        converter: String,
    },
    /// More than one parameter in a segment.
    #[error("segment `{segment}` has two parameters; put a `/` between them")]
    TwoParameters {
        /// The segment as written.
        segment: String,
    },
    /// Text in the segment of a parameter.
    #[error(
        "segment `{segment}` has text beside its parameter; a parameter is a whole segment, such as `/{{name}}`"
    )]
    TextBesideParameter {
        /// The segment as written.
        segment: String,
    },
    /// A segment after a parameter that takes all that is left.
    #[error(
        "parameter `{{{name}:path}}` takes the rest of the path; move it to the end of the template"
    )]
    PathNotLast {
        /// The parameter's name.
        name: String,
    },
    /// More parameters than the tree can hold.
    #[error("it has {count} parameters; at most {PARAMETER_LIMIT} are possible")]
    TooManyParameters {
        /// How many there are.
        count: usize,
    },
}
