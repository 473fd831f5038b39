//! Requests and the inputs, or the errors, that a plan makes of them.

use std::borrow::Cow;

use http::Method;
use serde_json::json;
use smallvec::{SmallVec, smallvec};
use spikard_core::{Operation, Parameter, ParameterIn, ParameterType, Value};
use spikard_extractors::Plan;
use spikard_problem::FieldError;

fn plan(parameters: impl IntoIterator<Item = Parameter>) -> Plan {
    let operation = Operation::new(Method::GET, "/{id}/{day}");
    let operation = parameters
        .into_iter()
        .fold(operation, Operation::with_parameter);
    Plan::compile(&operation, &["id", "day"]).expect("is a valid operation")
}

fn query(name: &str, ty: ParameterType) -> Parameter {
    Parameter::optional(ParameterIn::Query, name, ty)
}

fn required_query(name: &str, ty: ParameterType) -> Parameter {
    Parameter::required(ParameterIn::Query, name, ty)
}

fn path(name: &str, ty: ParameterType) -> Parameter {
    Parameter::required(ParameterIn::Path, name, ty)
}

fn array_of(item: ParameterType) -> ParameterType {
    ParameterType::Array(Box::new(item))
}

fn text(text: &str) -> Value<'_> {
    Value::String(Cow::Borrowed(text))
}

fn any_path<'r>() -> SmallVec<[Cow<'r, str>; 4]> {
    smallvec!["1".into(), "2024-01-01".into()]
}

#[test]
fn decodes_a_single_value() {
    let plan = plan([query("q", ParameterType::String)]);
    // Query, the value of `q`.
    for (query, expected) in [
        (None, Value::Absent),
        (Some(""), Value::Absent),
        (Some("&&"), Value::Absent),
        (Some("p=1"), Value::Absent),
        (Some("Q=1"), Value::Absent),
        (Some("qq=1"), Value::Absent),
        (Some("=q"), Value::Absent),
        (Some("q=Ada"), text("Ada")),
        (Some("q="), text("")),
        (Some("q"), text("")),
        (Some("&q=1&"), text("1")),
        (Some("q=a=b"), text("a=b")),
        (Some("q=%41da+L%2B"), text("Ada L+")),
        (Some("q=+"), text(" ")),
        (Some("%71=x"), text("x")),
        (Some("%71=%3D%26="), text("=&=")),
        (Some("q=%26p%3D1"), text("&p=1")),
        (Some("q=%F0%9D%84%9E%00"), text("𝄞\0")),
        (Some("q=ü"), text("ü")),
        (Some("q=%zz%"), text("%zz%")),
        (Some("q=%4"), text("%4")),
        (Some("q=%FFx"), text("\u{FFFD}x")),
        (Some("q=%C3&q=%A9"), text("\u{FFFD}")),
        (Some("q=1&q=2&q=3"), text("3")),
        (Some("q=1&%71="), text("")),
        (Some("q=1;q=2"), text("1;q=2")),
    ] {
        let inputs = plan
            .extract(any_path(), query)
            .expect("text is never refused");
        assert_eq!(inputs.values(), [expected], "query: {query:?}");
    }
}

#[test]
fn collects_arrays_in_order() {
    let plan = plan([
        query("n", array_of(ParameterType::Integer)),
        query("s", array_of(ParameterType::String)),
    ]);
    for (query, numbers, texts) in [
        ("", Value::Absent, Value::Absent),
        ("n=1", Value::Array(vec![Value::Integer(1)]), Value::Absent),
        (
            "n=3&s=a&n=%31&s=&s=b+c&n=02",
            Value::Array([3, 1, 2].map(Value::Integer).to_vec()),
            Value::Array(["a", "", "b c"].map(text).to_vec()),
        ),
        ("s=1,2", Value::Absent, Value::Array(vec![text("1,2")])),
    ] {
        let inputs = plan.extract(any_path(), Some(query)).expect(query);
        assert_eq!(inputs.values(), [numbers, texts], "query: {query}");
    }
}

#[test]
fn values_come_in_the_order_of_declaration() {
    let plan = plan([
        query("z", ParameterType::Boolean),
        path("day", ParameterType::Date),
        query("a", ParameterType::Number),
        path("id", ParameterType::Integer),
        query("m", ParameterType::String),
    ]);
    let path = smallvec!["0123".into(), "2024-02-29".into()];
    let inputs = plan.extract(path, Some("a=1.5&z=on")).expect("is valid");
    assert_eq!(
        inputs.values(),
        [
            Value::Boolean(true),
            text("2024-02-29"),
            Value::Number(1.5),
            Value::Integer(123),
            Value::Absent,
        ]
    );
}

#[test]
fn reports_all_errors_sorted_by_place() {
    let plan = plan([
        required_query("tags", array_of(ParameterType::Integer)),
        required_query("name", ParameterType::String),
        query("flag", ParameterType::Boolean),
        query("fine", ParameterType::Integer),
        query("at", ParameterType::Time),
        path("id", ParameterType::Uuid),
        path("day", ParameterType::Date),
        required_query("ids", array_of(ParameterType::Uuid)),
    ]);
    let path = smallvec![Cow::Borrowed("a/b"), Cow::Owned("today".to_owned())];
    let query = "tags=1&at=noon&tags=x+y&flag=maybe&tags=2&fine=a&tags=&fine=7";
    let errors = plan.extract(path, Some(query)).expect_err("has errors");
    let integer = "Input should be a valid integer, unable to parse string as an integer";
    let errors: serde_json::Value = errors.iter().map(FieldError::to_json).collect();
    assert_eq!(
        errors,
        json!([
            {"type": "date_parsing", "loc": ["path", "day"], "msg": "Input should be a valid date", "input": "today"},
            {"type": "uuid_parsing", "loc": ["path", "id"], "msg": "Input should be a valid UUID", "input": "a/b"},
            {
                "type": "validation_error", "loc": ["query", "at"], "msg": "Invalid time format", "input": "noon",
                "ctx": {"format": "time", "value": "noon"},
            },
            {
                "type": "bool_parsing", "loc": ["query", "flag"], "input": "maybe",
                "msg": "Input should be a valid boolean, unable to interpret input",
            },
            {"type": "missing", "loc": ["query", "ids"], "msg": "Field required", "input": null},
            {"type": "missing", "loc": ["query", "name"], "msg": "Field required", "input": null},
            {"type": "int_parsing", "loc": ["query", "tags", "1"], "msg": integer, "input": "x y"},
            {"type": "int_parsing", "loc": ["query", "tags", "3"], "msg": integer, "input": ""},
        ])
    );
}

#[test]
fn only_the_last_value_has_to_be_valid() {
    let plan = plan([query("n", ParameterType::Integer)]);
    for (query, expected) in [
        ("n=x&n=1", Ok(Value::Integer(1))),
        ("n=1&n=x", Err("int_parsing")),
        ("n=1&n=", Err("int_parsing")),
        ("n=%2B1", Ok(Value::Integer(1))),
        ("n=+1", Err("int_parsing")),
    ] {
        match (plan.extract(any_path(), Some(query)), expected) {
            (Ok(inputs), Ok(value)) => assert_eq!(inputs.values(), [value], "query: {query}"),
            (Err(errors), Err(code)) => {
                assert_eq!(errors.len(), 1, "query: {query}");
                assert_eq!(errors[0].code(), code, "query: {query}");
            }
            (result, _) => panic!("query {query} gives {result:?}"),
        }
    }
}

#[test]
fn borrows_what_needs_no_decoding() {
    let plan = plan([
        path("id", ParameterType::String),
        query("name", ParameterType::String),
        query("day", ParameterType::Date),
    ]);
    let inputs = plan
        .extract(any_path(), Some("name=Ada&day=2024-01-01"))
        .expect("is valid");
    for value in inputs.values() {
        assert!(
            matches!(value, Value::String(Cow::Borrowed(_))),
            "{value:?}"
        );
    }
}

#[test]
fn a_path_with_fewer_values_than_names_is_an_error() {
    let plan = plan([path("day", ParameterType::Date)]);
    let errors = plan
        .extract(smallvec!["1".into()], None)
        .expect_err("has no day");
    assert_eq!(
        (errors[0].code(), errors[0].loc()),
        ("missing", ["path", "day"].map(String::from).as_slice())
    );
}

#[test]
fn skips_ten_thousand_undeclared_pairs() {
    let plan = plan([query("q", ParameterType::Integer)]);
    let undeclared = "name=%zz&%6Eame=%FF&".repeat(5000);
    let query = format!("{undeclared}q=1&{undeclared}");
    let inputs = plan.extract(any_path(), Some(&query)).expect("is valid");
    assert_eq!(inputs.values(), [Value::Integer(1)]);
}

#[test]
fn says_why_there_is_no_plan() {
    use ParameterType::String;

    // Parameters, the message.
    for (parameters, message) in [
        (
            vec![path("id", String), path("name", String)],
            "path parameter `name` of `GET /{id}` is not in the path template `/{id}`; write `{name}` there",
        ),
        (
            vec![
                query("q", String),
                query("p", String),
                query("q", ParameterType::Integer),
            ],
            "query parameter `q` of `GET /{id}` is declared twice",
        ),
        (
            vec![path("id", String), path("id", String)],
            "path parameter `id` of `GET /{id}` is declared twice",
        ),
        (
            vec![path("id", array_of(String))],
            "path parameter `id` of `GET /{id}` cannot be of type Array(String); arrays of single values are possible \
             in the query",
        ),
        (
            vec![query("q", array_of(array_of(String)))],
            "query parameter `q` of `GET /{id}` cannot be of type Array(Array(String)); arrays of single values are \
             possible in the query",
        ),
    ] {
        let operation = Operation::new(Method::GET, "/{id}");
        let operation = parameters
            .into_iter()
            .fold(operation, Operation::with_parameter);
        let error = Plan::compile(&operation, &["id"]).expect_err(message);
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn the_same_name_can_be_in_both_places() {
    let plan = plan([
        path("id", ParameterType::Integer),
        query("id", ParameterType::Integer),
    ]);
    let inputs = plan.extract(any_path(), Some("id=2")).expect("is valid");
    assert_eq!(inputs.values(), [Value::Integer(1), Value::Integer(2)]);
}
