//! Method and path to value and path parameters.

use std::borrow::Cow;
use std::fmt;

use http::{HeaderValue, Method};
use smallvec::SmallVec;
use spikard_core::Operation;

use crate::decoded_path::DecodedPath;
use crate::{Miss, PathTemplate, Route, RouteError};

/// The order of methods in `Allow`; others follow by name.
const ALLOW_ORDER: [Method; 8] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::OPTIONS,
    Method::TRACE,
];

/// One value for each method and path template, found by method and path.
pub struct Router<T> {
    trees: Vec<Tree<T>>,
}

/// The templates of one method.
struct Tree<T> {
    method: Method,
    paths: matchit::Router<T>,
}

/// What answers a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match<'t, 'p, T> {
    /// The value that was inserted with the operation.
    pub value: &'t T,
    /// The path parameters in the order of the template, percent-decoded; borrowed where the path has no escapes.
    pub parameters: SmallVec<[Cow<'p, str>; 4]>,
}

impl<T> Router<T> {
    /// A router to be filled.
    pub fn builder() -> RouterBuilder<T> {
        RouterBuilder {
            router: Self { trees: Vec::new() },
            routes: Vec::new(),
        }
    }

    /// The value and the path parameters for `method` and `path`, the path component of the request target.
    ///
    /// A path without escapes is not copied, and neither are its parameters.
    ///
    /// # Errors
    ///
    /// [`Miss`] says what the client is told instead.
    pub fn find<'p>(&self, method: &Method, path: &'p str) -> Result<Match<'_, 'p, T>, Miss> {
        if !path.as_bytes().contains(&b'%') {
            let found = self.at(method, path);
            let found = found.ok_or_else(|| self.miss(method, path))?;
            let parameters = found.params.iter();
            return Ok(Match {
                value: found.value,
                parameters: parameters.map(|(_, text)| text.into()).collect(),
            });
        }
        let decoded = DecodedPath::decode(path).map_err(Miss::MalformedPath)?;
        let found = self.at(method, decoded.shape());
        let found = found.ok_or_else(|| self.miss(method, decoded.shape()))?;
        let parameters = found.params.iter();
        Ok(Match {
            value: found.value,
            parameters: parameters
                .map(|(_, part)| Cow::Owned(decoded.text_of(part).to_owned()))
                .collect(),
        })
    }

    fn at<'p>(&self, method: &Method, path: &'p str) -> Option<matchit::Match<'_, 'p, &T>> {
        let at = |method: &Method| {
            let tree = self.trees.iter().find(|tree| tree.method == *method)?;
            tree.paths.at(path).ok()
        };
        match at(method) {
            None if method == Method::HEAD => at(&Method::GET),
            found => found,
        }
    }

    #[cold]
    fn miss(&self, method: &Method, path: &str) -> Miss {
        let is_options = method == Method::OPTIONS;
        let is_server_wide = is_options && path == "*";
        let methods: Vec<&Method> = self
            .trees
            .iter()
            .filter(|tree| is_server_wide || tree.paths.at(path).is_ok())
            .map(|tree| &tree.method)
            .collect();
        if methods.is_empty() && !is_server_wide {
            return Miss::NotFound;
        }
        let allow = allow(methods);
        if is_options {
            Miss::Options { allow }
        } else {
            Miss::MethodNotAllowed { allow }
        }
    }
}

impl<T> fmt::Debug for Router<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The tree itself stays out: it can hold parts of characters, and its own `Debug` panics at them.
        let methods = self.trees.iter().map(|tree| &tree.method);
        f.debug_struct("Router")
            .field("methods", &methods.collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// Fills a [`Router`].
pub struct RouterBuilder<T> {
    router: Router<T>,
    /// What was inserted, for the message of a conflict.
    routes: Vec<(PathTemplate, Route)>,
}

impl<T> RouterBuilder<T> {
    /// Adds `value` under the method and the path template of `operation`.
    ///
    /// # Errors
    ///
    /// The path template is not valid, or it conflicts with another one of the same method: two templates conflict
    /// when a path can match both and neither has a static segment where the other has a parameter. The message names
    /// the declarations. The builder stays as it was.
    pub fn insert(&mut self, operation: &Operation, value: T) -> Result<(), RouteError> {
        let template =
            PathTemplate::parse(operation.path()).map_err(|reason| RouteError::Template {
                route: Box::new(operation.into()),
                reason,
            })?;
        let method = operation.method();
        let trees = &mut self.router.trees;
        let position = trees.iter().position(|tree| tree.method == *method);
        let position = position.unwrap_or_else(|| {
            trees.push(Tree {
                method: method.clone(),
                paths: matchit::Router::new(),
            });
            trees.len() - 1
        });
        let paths = &mut trees[position].paths;
        if paths.insert(template.tree_path(), value).is_err() {
            return Err(self.conflict(&template, operation));
        }
        self.routes.push((template, operation.into()));
        Ok(())
    }

    /// The router, ready for requests.
    pub fn build(self) -> Router<T> {
        self.router
    }

    /// The tree names only a part of what it conflicts with, so the other route is found by trying each of them.
    fn conflict(&self, template: &PathTemplate, operation: &Operation) -> RouteError {
        let is_refused_beside = |other: &PathTemplate| {
            let mut pair = matchit::Router::new();
            [other, template]
                .iter()
                .any(|template| pair.insert(template.tree_path(), ()).is_err())
        };
        let (_, other) = self
            .routes
            .iter()
            .find(|(other, route)| route.method == operation.method() && is_refused_beside(other))
            .expect("a template is only refused because of one other template");
        RouteError::Conflict {
            route: Box::new(operation.into()),
            other: Box::new(other.clone()),
        }
    }
}

impl<T> fmt::Debug for RouterBuilder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let routes = self.routes.iter().map(|(_, route)| route.to_string());
        f.debug_struct("RouterBuilder")
            .field("routes", &routes.collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// The `Allow` field for a resource that has `methods` (RFC 9110, 10.2.1). HEAD comes with GET; OPTIONS is always
/// answered.
fn allow(mut methods: Vec<&Method>) -> HeaderValue {
    let is_missing = |method: &Method| !methods.contains(&method);
    let head =
        (methods.contains(&&Method::GET) && is_missing(&Method::HEAD)).then_some(&Method::HEAD);
    let options = is_missing(&Method::OPTIONS).then_some(&Method::OPTIONS);
    methods.extend(head.into_iter().chain(options));
    methods.sort_by_key(|&method| {
        let known = ALLOW_ORDER.iter().position(|other| other == method);
        (known.unwrap_or(ALLOW_ORDER.len()), method.as_str())
    });
    let names: Vec<&str> = methods.into_iter().map(Method::as_str).collect();
    HeaderValue::try_from(names.join(", ")).expect("methods are tokens")
}
