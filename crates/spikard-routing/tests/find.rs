//! What a method and a path lead to.

use std::borrow::Cow;

use http::Method;
use spikard_core::Operation;
use spikard_routing::{MalformedPath, Match, Miss, Router};

/// A router whose values are the templates themselves.
fn router(routes: &[(&str, &'static str)]) -> Router<&'static str> {
    let mut builder = Router::builder();
    for &(method, template) in routes {
        builder
            .insert(&Operation::new(self::method(method), template), template)
            .expect(template);
    }
    builder.build()
}

fn method(name: &str) -> Method {
    name.parse().expect("is a token")
}

#[test]
fn leads_to_the_most_specific_template() {
    let router = router(&[
        ("GET", "/"),
        ("GET", "/items"),
        ("GET", "/items/"),
        ("GET", "/items/{id:int}"),
        ("GET", "/items/latest"),
        ("GET", "/items/{id}/tags/{tag}"),
        ("GET", "/items/latest/tags"),
        ("GET", "/files/{rest:path}"),
        ("GET", "/files/readme"),
        ("GET", "/a//b"),
        ("GET", "/café/{größe}"),
        ("GET", "/cafè"),
        ("GET", "/100%"),
        ("GET", "/a b"),
        ("GET", "/{a}/{b}/{c}/{d}/{e}"),
    ]);
    // Path, its template, its parameters.
    let none: &[&str] = &[];
    for (path, template, parameters) in [
        ("/", Some("/"), none),
        ("/items", Some("/items"), none),
        ("/items/", Some("/items/"), none),
        ("/items/7", Some("/items/{id:int}"), &["7"]),
        (
            "/items/not-a-number",
            Some("/items/{id:int}"),
            &["not-a-number"],
        ),
        ("/items/latest", Some("/items/latest"), none),
        ("/items/%6Catest", Some("/items/latest"), none),
        ("/items/late", Some("/items/{id:int}"), &["late"]),
        ("/items/latest2", Some("/items/{id:int}"), &["latest2"]),
        (
            "/items/latest/tags/new",
            Some("/items/{id}/tags/{tag}"),
            &["latest", "new"],
        ),
        ("/items//tags/new", None, none),
        ("/items/7/", None, none),
        ("//items", None, none),
        ("/items/./7", None, none),
        ("/items/..", Some("/items/{id:int}"), &[".."]),
        ("/ITEMS", None, none),
        ("/files/readme", Some("/files/readme"), none),
        ("/files/a", Some("/files/{rest:path}"), &["a"]),
        ("/files/a/b//c/", Some("/files/{rest:path}"), &["a/b//c/"]),
        ("/files/a%2Fb/c", Some("/files/{rest:path}"), &["a/b/c"]),
        ("/files/readme/x", Some("/files/{rest:path}"), &["readme/x"]),
        ("/files/", None, none),
        ("/files", None, none),
        ("/a//b", Some("/a//b"), none),
        ("/a/b", None, none),
        ("/caf%C3%A9/%C3%BC", Some("/café/{größe}"), &["ü"]),
        ("/café/ü", Some("/café/{größe}"), &["ü"]),
        ("/caf%c3%a8", Some("/cafè"), none),
        ("/100%25", Some("/100%"), none),
        ("/a%20b", Some("/a b"), none),
        ("/a+b", None, none),
        (
            "/1/2/3/4/5",
            Some("/{a}/{b}/{c}/{d}/{e}"),
            &["1", "2", "3", "4", "5"],
        ),
        ("/items/a%2Fb", Some("/items/{id:int}"), &["a/b"]),
        (
            "/items/%2F/tags/%2f%2F",
            Some("/items/{id}/tags/{tag}"),
            &["/", "//"],
        ),
        ("/items%2F7", None, none),
        ("%2Fitems", None, none),
        ("/items/%252F", Some("/items/{id:int}"), &["%2F"]),
        ("/items/%00", Some("/items/{id:int}"), &["\0"]),
        ("/items/{id:int}", Some("/items/{id:int}"), &["{id:int}"]),
        ("/items/{", Some("/items/{id:int}"), &["{"]),
        ("/items/}}", Some("/items/{id:int}"), &["}}"]),
        ("/items/%7Bp%7D", Some("/items/{id:int}"), &["{p}"]),
        ("/{p}", None, none),
        ("/{", None, none),
        (
            "/items/{p}/tags/{*p}",
            Some("/items/{id}/tags/{tag}"),
            &["{p}", "{*p}"],
        ),
        ("", None, none),
        ("*", None, none),
    ] {
        let found = router.find(&Method::GET, path);
        match (found, template) {
            (Ok(found), Some(template)) => {
                assert_eq!(*found.value, template, "path: {path}");
                assert_eq!(found.parameters.as_slice(), parameters, "path: {path}");
            }
            (Err(miss), None) => assert_eq!(miss, Miss::NotFound, "path: {path}"),
            (found, _) => panic!("path {path} leads to {found:?} instead of {template:?}"),
        }
    }
}

#[test]
fn borrows_what_has_no_escapes() {
    let router = router(&[("GET", "/items/{id}")]);
    let Match { parameters, .. } = router.find(&Method::GET, "/items/7").expect("is a route");
    assert!(matches!(parameters[0], Cow::Borrowed("7")));
    assert!(!parameters.spilled());
}

#[test]
fn refuses_a_path_that_cannot_be_decoded() {
    let router = router(&[("GET", "/{rest:path}")]);
    for (path, expected) in [
        (
            "/a/%zz",
            MalformedPath::Escape {
                escape: "%zz".to_owned(),
                offset: 3,
            },
        ),
        (
            "/nowhere/%",
            MalformedPath::Escape {
                escape: "%".to_owned(),
                offset: 9,
            },
        ),
        (
            "/%FF",
            MalformedPath::Encoding {
                escape: "%FF".to_owned(),
                offset: 1,
            },
        ),
    ] {
        for method in [Method::GET, Method::POST, Method::OPTIONS] {
            let miss = router.find(&method, path).expect_err(path);
            assert_eq!(
                miss,
                Miss::MalformedPath(expected.clone()),
                "{method} {path}"
            );
        }
    }
}

#[test]
fn answers_by_method() {
    let router = router(&[
        ("PURGE", "/items/{id}"),
        ("DELETE", "/items/{id}"),
        ("ACL", "/items/{id}"),
        ("GET", "/items/{id}"),
        ("POST", "/items"),
        ("GET", "/own"),
        ("HEAD", "/own"),
        ("OPTIONS", "/own"),
        ("HEAD", "/head-only"),
        ("TRACE", "/trace"),
        ("PATCH", "/trace"),
        ("PUT", "/trace"),
        ("POST", "/trace"),
    ]);
    // Method, path, the template found or the word for the miss with its `Allow`.
    for (name, path, expected) in [
        ("GET", "/items/7", "/items/{id}"),
        ("HEAD", "/items/7", "/items/{id}"),
        ("DELETE", "/items/7", "/items/{id}"),
        ("PURGE", "/items/7", "/items/{id}"),
        (
            "POST",
            "/items/7",
            "405 GET, HEAD, DELETE, OPTIONS, ACL, PURGE",
        ),
        (
            "FOO",
            "/items/%37",
            "405 GET, HEAD, DELETE, OPTIONS, ACL, PURGE",
        ),
        (
            "get",
            "/items/7",
            "405 GET, HEAD, DELETE, OPTIONS, ACL, PURGE",
        ),
        (
            "OPTIONS",
            "/items/7",
            "204 GET, HEAD, DELETE, OPTIONS, ACL, PURGE",
        ),
        ("GET", "/items", "405 POST, OPTIONS"),
        ("HEAD", "/items", "405 POST, OPTIONS"),
        ("TRACE", "/items", "405 POST, OPTIONS"),
        ("OPTIONS", "/own", "/own"),
        ("POST", "/own", "405 GET, HEAD, OPTIONS"),
        ("GET", "/head-only", "405 HEAD, OPTIONS"),
        ("HEAD", "/head-only", "/head-only"),
        ("GET", "/trace", "405 POST, PUT, PATCH, OPTIONS, TRACE"),
        ("GET", "/nowhere", "404"),
        ("OPTIONS", "/nowhere", "404"),
        ("FOO", "/nowhere", "404"),
        (
            "OPTIONS",
            "*",
            "204 GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, TRACE, ACL, PURGE",
        ),
        ("GET", "*", "404"),
    ] {
        let found = match router.find(&method(name), path) {
            Ok(found) => (*found.value).to_owned(),
            Err(Miss::NotFound) => "404".to_owned(),
            Err(Miss::MethodNotAllowed { allow }) => {
                format!("405 {}", allow.to_str().expect("is ASCII"))
            }
            Err(Miss::Options { allow }) => format!("204 {}", allow.to_str().expect("is ASCII")),
            Err(miss) => panic!("{name} {path}: {miss:?}"),
        };
        assert_eq!(found, expected, "{name} {path}");
    }
}

#[test]
fn an_empty_router_knows_only_its_options() {
    let router = Router::<()>::builder().build();
    assert_eq!(
        router.find(&Method::GET, "/").expect_err("is empty"),
        Miss::NotFound
    );
    let miss = router.find(&Method::OPTIONS, "*").expect_err("is empty");
    assert!(matches!(miss, Miss::Options { allow } if allow == "OPTIONS"));
}

#[test]
fn long_paths_end() {
    let router = router(&[
        ("GET", "/{a}/{b}/{c}/{d}"),
        ("GET", "/a/{b}/c/{d}"),
        ("GET", "/a/a/{c}/d"),
        ("GET", "/a/a/a/a"),
        ("GET", "/files/{rest:path}"),
        ("GET", "/one/{x}"),
    ]);
    let slashes = "/".repeat(100 << 10);
    let segments = "/a".repeat(50 << 10);
    let escapes = "%2F".repeat(34 << 10);
    for (path, is_found) in [
        (slashes.clone(), false),
        (segments.clone(), false),
        (format!("/files/{slashes}"), true),
        (format!("/files{segments}"), true),
        (format!("/one/{escapes}"), true),
        (format!("/one{segments}"), false),
        (escapes.clone(), false),
    ] {
        let found = router.find(&Method::GET, &path);
        assert_eq!(found.is_ok(), is_found, "{}..", &path[..12]);
    }
}

#[test]
fn shows_itself_for_debugging() {
    // `é` and `è` share their first byte: the tree splits between the bytes of a character.
    let router = router(&[("GET", "/é"), ("GET", "/è"), ("POST", "/")]);
    assert_eq!(format!("{router:?}"), "Router { methods: [GET, POST], .. }");
}
