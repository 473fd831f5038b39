//! Operations that are refused at start-up.

use http::Method;
use spikard_core::{Declaration, Operation};
use spikard_routing::{RouteError, Router};

fn operation(method: Method, template: &str, handler: &str, line: u32) -> Operation {
    Operation::new(method, template).with_declaration(Declaration {
        handler: handler.to_owned(),
        location: format!("shop.py:{line}"),
    })
}

#[test]
fn a_conflict_names_both_declarations() {
    let mut builder = Router::builder();
    let first = operation(Method::GET, "/a/{x}", "shop.first", 4);
    builder.insert(&first, 1).expect("is alone");
    let second = operation(Method::GET, "/a/{y:int}", "shop.second", 9);
    let error = builder.insert(&second, 2).expect_err("is the same route");
    assert_eq!(
        error.to_string(),
        "`GET /a/{y:int}` of `shop.second` (shop.py:9) conflicts with `GET /a/{x}` of `shop.first` (shop.py:4): \
         a path can match both; change one of the paths or remove one of the two"
    );

    let other_method = operation(Method::POST, "/a/{y}", "shop.third", 12);
    builder.insert(&other_method, 3).expect("is another method");
    let router = builder.build();
    let found = router.find(&Method::GET, "/a/b").expect("is a route");
    assert_eq!(*found.value, 1, "what was refused leaves no trace");
}

#[test]
fn an_invalid_template_names_its_declaration() {
    let operation = operation(Method::GET, "/items/{id:in}", "shop.show", 12);
    let error = Router::builder()
        .insert(&operation, ())
        .expect_err("has no such converter");
    assert_eq!(
        error.to_string(),
        "`GET /items/{id:in}` of `shop.show` (shop.py:12) has an invalid path template: parameter `id` has the unknown \
         converter `in`; use one of str, string, int, integer, float, number, bool, boolean, uuid, date, datetime, path"
    );
}

#[test]
fn templates_conflict_when_neither_is_more_specific() {
    for (first, second, is_conflict) in [
        ("/a", "/a", true),
        ("/a", "/a/", false),
        ("/a", "/A", false),
        ("/{x}", "/a", false),
        ("/{x}", "/{y:uuid}", true),
        ("/{x}", "/{y}/", false),
        ("/{x}/b", "/a/{y}", false),
        ("/{x}", "/{rest:path}", true),
        ("/{x}/b", "/{rest:path}", true),
        ("/a/{x}", "/{rest:path}", false),
        ("/a/{x}", "/a/{rest:path}", true),
        ("/{a:path}", "/{b:path}", true),
    ] {
        for (first, second) in [(first, second), (second, first)] {
            let mut builder = Router::builder();
            let operations = [(first, 1), (second, 2)]
                .map(|(template, line)| operation(Method::GET, template, "f", line));
            builder.insert(&operations[0], ()).expect("is alone");
            let result = builder.insert(&operations[1], ());
            assert_eq!(
                matches!(result, Err(RouteError::Conflict { .. })),
                is_conflict,
                "{second} after {first}"
            );
        }
    }
}
