//! The router against a matcher that tries every template: the tree has to find the same.

use http::Method;
use spikard_core::Operation;
use spikard_routing::{RouteError, Router};

const TEMPLATES: [&str; 16] = [
    "/",
    "/a",
    "/ab",
    "/a/",
    "/a/b",
    "/a/ab/b",
    "/{x}",
    "/{x}/",
    "/{x}/b",
    "/{x}/{y}",
    "/{x}/{y}/b",
    "/a/{y}",
    "/a/{y}/{z}",
    "/{rest:path}",
    "/a/{rest:path}",
    "/{x}/b/{rest:path}",
];

const SEGMENTS: [&str; 6] = ["", "a", "b", "ab", "{x}", "c"];

/// How well a segment fits, best first; `None` if it does not.
fn fit(template: &str, segment: &str) -> Option<usize> {
    if template == segment && !template.starts_with('{') {
        return Some(0);
    }
    (template.starts_with('{') && !segment.is_empty()).then_some(1)
}

/// How well a path fits, segment by segment; `None` if it does not.
fn fit_path(template: &str, path: &str) -> Option<Vec<usize>> {
    let mut fits = Vec::new();
    let mut rest = path.strip_prefix('/');
    for part in template[1..].split('/') {
        let path = rest?;
        if part == "{rest:path}" {
            fits.push(2);
            return (!path.is_empty()).then_some(fits);
        }
        let (segment, after) = match path.split_once('/') {
            Some((segment, after)) => (segment, Some(after)),
            None => (path, None),
        };
        fits.push(fit(part, segment)?);
        rest = after;
    }
    rest.is_none().then_some(fits)
}

#[test]
fn finds_what_trying_every_template_finds() {
    let mut paths: Vec<String> = Vec::new();
    for first in SEGMENTS {
        paths.push(format!("/{first}"));
        for second in SEGMENTS {
            paths.push(format!("/{first}/{second}"));
            paths.extend(SEGMENTS.map(|third| format!("/{first}/{second}/{third}")));
        }
    }
    for first in TEMPLATES {
        for second in TEMPLATES {
            for third in TEMPLATES {
                let mut builder = Router::builder();
                let mut templates = Vec::new();
                for template in [first, second, third] {
                    match builder.insert(&Operation::new(Method::GET, template), template) {
                        Ok(()) => templates.push(template),
                        Err(RouteError::Conflict { other, .. }) => {
                            assert!(templates.contains(&other.template.as_str()));
                        }
                        Err(error) => panic!("{error}"),
                    }
                }
                let router = builder.build();
                for path in &paths {
                    let found = router.find(&Method::GET, path);
                    let best = templates
                        .iter()
                        .filter_map(|template| Some((fit_path(template, path)?, *template)))
                        .min();
                    assert_eq!(
                        found.ok().map(|found| *found.value),
                        best.map(|(_, template)| template),
                        "{path} among {templates:?}"
                    );
                }
            }
        }
    }
}
