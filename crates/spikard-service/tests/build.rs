//! Mistakes that are found before the first request, and what is said of them.

use http::{Method, Response};
use spikard_core::{
    Body, Call, Declaration, Operation, Outcome, Parameter, ParameterIn, ParameterType,
};
use spikard_service::{Service, ServiceBuilder};

fn operation(path: &str, handler: &str, line: u32) -> Operation {
    Operation::new(Method::GET, path).with_declaration(Declaration {
        handler: handler.to_owned(),
        location: format!("shop.py:{line}"),
    })
}

fn with(builder: ServiceBuilder, operation: Operation) -> ServiceBuilder {
    builder.route(operation, |_: Call<'_>| {
        Outcome::Ready(Ok(Response::new(Body::empty())))
    })
}

#[test]
fn every_mistake_names_the_handlers_and_their_lines() {
    let parameter = |location, name| Parameter::required(location, name, ParameterType::String);
    for (operations, expected) in [
        (
            vec![operation("/a", "first", 1), operation("/a", "second", 2)],
            vec!["`first` (shop.py:1)", "`second` (shop.py:2)"],
        ),
        (
            vec![
                operation("/{a}", "first", 1),
                operation("/{b}", "second", 2),
            ],
            vec!["`first` (shop.py:1)", "`second` (shop.py:2)"],
        ),
        (
            vec![operation("no-slash", "first", 1)],
            vec!["`first` (shop.py:1)", "no-slash"],
        ),
        (
            vec![operation("/{id:colour}", "first", 1)],
            vec!["`first` (shop.py:1)", "colour"],
        ),
        (
            vec![operation("/{a}", "first", 1).with_parameter(parameter(ParameterIn::Path, "b"))],
            vec!["`first` (shop.py:1)", "`b`"],
        ),
        (
            vec![
                operation("/", "first", 1)
                    .with_parameter(parameter(ParameterIn::Query, "q"))
                    .with_parameter(parameter(ParameterIn::Query, "q")),
            ],
            vec!["`first` (shop.py:1)", "`q`"],
        ),
    ] {
        let shown = format!("{operations:?}");
        let builder = operations.into_iter().fold(Service::builder(), with);
        let error = builder.build().expect_err(&shown).to_string();
        for part in expected {
            assert!(error.contains(part), "`{part}` in: {error}");
        }
    }
}

#[test]
fn the_same_path_takes_one_handler_for_each_method() {
    let methods = [Method::GET, Method::POST, Method::HEAD, Method::OPTIONS];
    let builder = methods
        .into_iter()
        .fold(Service::builder(), |builder, method| {
            with(builder, Operation::new(method, "/items/{id}"))
        });
    builder.build().expect("the routes fit together");
}
