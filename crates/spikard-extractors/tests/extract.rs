//! Requests and the inputs, or the errors, that a plan makes of them.

use std::borrow::Cow;
use std::sync::LazyLock;

use http::Method;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::json;
use smallvec::{SmallVec, smallvec};
use spikard_core::{ArrayStyle, Operation, Parameter, ParameterIn, ParameterType, Value};
use spikard_extractors::Plan;
use spikard_problem::FieldError;

static NO_HEADERS: LazyLock<HeaderMap> = LazyLock::new(HeaderMap::new);

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

fn header(name: &str, ty: ParameterType) -> Parameter {
    Parameter::optional(ParameterIn::Header, name, ty)
}

fn cookie(name: &str, ty: ParameterType) -> Parameter {
    Parameter::optional(ParameterIn::Cookie, name, ty)
}

fn headers(fields: &[(&'static str, &str)]) -> HeaderMap {
    let fields = fields.iter().map(|(name, value)| {
        let value = HeaderValue::from_bytes(value.as_bytes()).expect("is a field value");
        (HeaderName::from_static(name), value)
    });
    let mut headers = HeaderMap::new();
    fields.for_each(|(name, value)| {
        headers.append(name, value);
    });
    headers
}

fn texts<'r>(items: impl IntoIterator<Item = &'r str>) -> Value<'r> {
    Value::Array(items.into_iter().map(text).collect())
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
            .extract(any_path(), query, &NO_HEADERS)
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
        let inputs = plan
            .extract(any_path(), Some(query), &NO_HEADERS)
            .expect(query);
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
    let inputs = plan
        .extract(path, Some("a=1.5&z=on"), &NO_HEADERS)
        .expect("is valid");
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
    let errors = plan
        .extract(path, Some(query), &NO_HEADERS)
        .expect_err("has errors")
        .errors;
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
        match (plan.extract(any_path(), Some(query), &NO_HEADERS), expected) {
            (Ok(inputs), Ok(value)) => assert_eq!(inputs.values(), [value], "query: {query}"),
            (Err(refused), Err(code)) => {
                let errors = refused.errors;
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
        .extract(any_path(), Some("name=Ada&day=2024-01-01"), &NO_HEADERS)
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
        .extract(smallvec!["1".into()], None, &NO_HEADERS)
        .expect_err("has no day")
        .errors;
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
    let inputs = plan
        .extract(any_path(), Some(&query), &NO_HEADERS)
        .expect("is valid");
    assert_eq!(inputs.values(), [Value::Integer(1)]);
}

#[test]
fn arrays_have_brackets_or_separators() {
    let separated = |name, separator| {
        query(name, array_of(ParameterType::String))
            .with_array_style(ArrayStyle::Separated(separator))
    };
    let plan = plan([
        query("tags", array_of(ParameterType::String)),
        query("odd[]", array_of(ParameterType::String)),
        query("one", ParameterType::String),
        separated("ids", ','),
        separated("words", ' '),
        separated("pipes", '|'),
    ]);
    // Query, input, its value.
    for (query, input, expected) in [
        ("tags[]=a&tags%5B%5D=b&tags=c", 0, texts(["a", "b", "c"])),
        ("tags[0]=a", 0, Value::Absent),
        ("odd[]=a&odd=b", 1, texts(["a"])),
        ("one[]=a", 2, Value::Absent),
        ("one=a,b", 2, text("a,b")),
        ("ids=a,b", 3, texts(["a", "b"])),
        ("ids=a%2Cb%2C", 3, texts(["a", "b", ""])),
        ("ids=a", 3, texts(["a"])),
        ("ids=", 3, texts([])),
        ("ids=,", 3, texts(["", ""])),
        ("ids=a,b&ids=c", 3, texts(["a", "b", "c"])),
        ("words=a+b%20c", 4, texts(["a", "b", "c"])),
        ("pipes=a%7Cb|c", 5, texts(["a", "b", "c"])),
    ] {
        let inputs = plan
            .extract(any_path(), Some(query), &NO_HEADERS)
            .expect(query);
        assert_eq!(inputs.values()[input], expected, "query: {query}");
    }
}

#[test]
fn a_path_segment_can_be_an_array() {
    let ids = path("id", array_of(ParameterType::Integer));
    let plan = plan([ids.with_array_style(ArrayStyle::Separated(','))]);
    let path = smallvec!["3,4".into(), "".into()];
    let inputs = plan.extract(path, None, &NO_HEADERS).expect("is valid");
    assert_eq!(
        inputs.values(),
        [Value::Array([3, 4].map(Value::Integer).to_vec())]
    );
}

#[test]
fn reads_header_fields() {
    let plan = plan([
        header("X-Token", ParameterType::String),
        header("x-count", ParameterType::Integer),
        header("x-list", array_of(ParameterType::String)),
        header("x-pipes", array_of(ParameterType::String))
            .with_array_style(ArrayStyle::Separated('|')),
        header("Cookie", ParameterType::String),
    ]);
    let list: &[(&str, &str)] = &[
        ("x-list", "a, b"),
        ("x-list", ""),
        ("x-list", ",, c ,\t\"d"),
    ];
    // Fields, input, its value.
    for (fields, input, expected) in [
        (&[][..], 0, Value::Absent),
        (&[("x-token", "abc")], 0, text("abc")),
        (&[("x-token", "")], 0, text("")),
        (&[("x-token", "ä")], 0, text("ä")),
        (
            &[("x-token", "foo"), ("x-other", "x"), ("x-token", "bar")],
            0,
            text("foo, bar"),
        ),
        (&[("x-count", "7")], 1, Value::Integer(7)),
        (list, 2, texts(["a", "b", "c", "\"d"])),
        (&[("x-list", "")], 2, texts([])),
        (
            &[("x-pipes", "a|b,c"), ("x-pipes", "d")],
            3,
            texts(["a", "b,c", "d"]),
        ),
        (&[("cookie", "a=1"), ("cookie", "b=2")], 4, text("a=1; b=2")),
    ] {
        let headers = headers(fields);
        let inputs = plan.extract(any_path(), None, &headers).expect("is valid");
        assert_eq!(inputs.values()[input], expected, "fields: {fields:?}");
    }
    let latin1 = HeaderMap::from_iter([(
        HeaderName::from_static("x-token"),
        HeaderValue::from_bytes(b"\xe4").expect("is a field value"),
    )]);
    let inputs = plan.extract(any_path(), None, &latin1).expect("is valid");
    assert_eq!(inputs.values()[0], text("\u{fffd}"));
}

#[test]
fn reads_cookies() {
    let plan = plan([
        cookie("a", ParameterType::String),
        cookie("n", ParameterType::Integer),
        cookie("list", array_of(ParameterType::String)),
    ]);
    // Cookie fields, input, its value.
    for (fields, input, expected) in [
        (&[][..], 0, Value::Absent),
        (&["a=1"], 0, text("1")),
        (&["A=1"], 0, Value::Absent),
        (&["b=2; a=1"], 0, text("1")),
        (&["b=2;a=1"], 0, text("1")),
        (&[";; a = 1 ;"], 0, text("1")),
        (&["a=1; a=2"], 0, text("1")),
        (&["b=2", "a=1", "a=2"], 0, text("1")),
        (&["a="], 0, text("")),
        (&["a"], 0, Value::Absent),
        (&["=a=1"], 0, Value::Absent),
        (&["a=b=c"], 0, text("b=c")),
        (&["a=%41+b"], 0, text("%41+b")),
        (&["a=\"1\""], 0, text("\"1\"")),
        (&["a=\"1; b=2\\"], 0, text("\"1")),
        (&["a=ü"], 0, text("ü")),
        (&["n=42"], 1, Value::Integer(42)),
        (&["list=1; a=2; list=3", "list="], 2, texts(["1", "3", ""])),
    ] {
        let fields: Vec<_> = fields.iter().map(|field| ("cookie", *field)).collect();
        let headers = headers(&fields);
        let inputs = plan.extract(any_path(), None, &headers).expect("is valid");
        assert_eq!(inputs.values()[input], expected, "fields: {fields:?}");
    }
}

#[test]
fn the_query_can_have_objects() {
    let schema = json!({
        "type": "object",
        "properties": {"min": {"type": "integer"}, "tags": {"type": "array"}, "in": {"$ref": "#/$defs/In"}},
        "$defs": {"In": {"properties": {"deep": {"type": "boolean"}}}},
    });
    let plan = plan([
        query("filter", ParameterType::Object).with_schema(schema),
        required_query("other", ParameterType::Object),
        query("a", ParameterType::Integer),
    ]);
    // Query, `filter`, `other`.
    for (query, filter, other) in [
        ("other[x]=1", json!(null), json!({"x": "1"})),
        (
            "filter[min]=05&other[x]=1&filter%5Btags%5D=a+b&filter=x&filter[]=y&filters[z]=1&a=1",
            json!({"min": 5, "tags": ["a b"]}),
            json!({"x": "1"}),
        ),
        (
            "filter[in][deep]=on&other[x][]=1&other[x][]=2&filter[any][0]=3",
            json!({"in": {"deep": true}, "any": ["3"]}),
            json!({"x": ["1", "2"]}),
        ),
        (
            "filter[min=1&filter[min]1=2&filter]min[=3&other[]]=4&other[x]=",
            json!(null),
            json!({"x": ""}),
        ),
    ] {
        let inputs = plan
            .extract(any_path(), Some(query), &NO_HEADERS)
            .expect(query);
        let objects: Vec<_> = inputs.values()[..2].iter().map(Value::to_json).collect();
        assert_eq!(objects, [filter, other], "query: {query}");
    }

    // Query, places and codes of the errors.
    let deep = format!("other[a]{}=1", "[b]".repeat(40));
    for (query, expected) in [
        ("", json!([["missing", "query.other"]])),
        ("other=1", json!([["missing", "query.other"]])),
        (
            "filter[min]=x&filter[in][deep]=y&a=z",
            json!([
                ["int_parsing", "query.a"],
                ["bool_parsing", "query.filter.in.deep"],
                ["int_parsing", "query.filter.min"],
                ["missing", "query.other"],
            ]),
        ),
        (
            "other[a]=1&other[a][b]=1",
            json!([["validation_error", "query.other"]]),
        ),
        (&deep, json!([["validation_error", "query.other"]])),
    ] {
        let refused = plan
            .extract(any_path(), Some(query), &NO_HEADERS)
            .expect_err(query);
        let errors = refused.errors.iter();
        let errors: serde_json::Value = errors
            .map(|error| json!([error.code(), error.loc().join(".")]))
            .collect();
        assert_eq!(errors, expected, "query: {query}");
    }
    let query = Some("filter[min]=05&filter[in][deep]=on");
    let received = plan.received(0, &any_path(), query, &NO_HEADERS);
    assert_eq!(received, json!({"min": "05", "in": {"deep": "on"}}));
    let received = plan.received(1, &any_path(), query, &NO_HEADERS);
    assert_eq!(received, json!(null));
}

#[test]
fn errors_of_all_places_come_with_what_could_be_taken() {
    let plan = plan([
        Parameter::required(ParameterIn::Header, "X-Key", ParameterType::String),
        header("x-count", ParameterType::Integer),
        header("x-list", array_of(ParameterType::Integer)),
        Parameter::required(ParameterIn::Cookie, "session", ParameterType::String),
        cookie("theme", ParameterType::Boolean),
        path("id", ParameterType::Integer),
        query("page", ParameterType::Integer),
        query("n", ParameterType::Integer),
    ]);
    let path = smallvec!["x".into(), "".into()];
    let headers = headers(&[
        ("x-count", "many"),
        ("x-list", "1, b"),
        ("cookie", "theme=?"),
    ]);
    let refused = plan
        .extract(path, Some("page=2&n=x"), &headers)
        .expect_err("has errors");
    let errors: Vec<_> = refused
        .errors
        .iter()
        .map(|error| (error.loc().join("."), error.code().to_owned()))
        .collect();
    let expected = [
        ("cookie.session", "missing"),
        ("cookie.theme", "bool_parsing"),
        ("headers.x-count", "int_parsing"),
        ("headers.x-key", "missing"),
        ("headers.x-list.1", "int_parsing"),
        ("path.id", "int_parsing"),
        ("query.n", "int_parsing"),
    ];
    assert_eq!(
        errors,
        expected.map(|(loc, code)| (loc.to_owned(), code.to_owned()))
    );
    let mut taken = vec![Value::Absent; 8];
    taken[6] = Value::Integer(2);
    assert_eq!(refused.inputs.values(), taken);
}

#[test]
fn tells_what_was_received() {
    let plan = plan([
        query("n", ParameterType::Integer),
        query("ids", array_of(ParameterType::Integer)),
        path("day", ParameterType::Date),
        header("X-Count", ParameterType::Number),
        cookie("c", ParameterType::Boolean),
        query("absent", ParameterType::Integer),
    ]);
    let headers = headers(&[("x-count", "1.50"), ("cookie", "c=ON")]);
    let query = Some("n=1&n=%2B0101&ids=07&ids=x");
    for (input, expected) in [
        json!("+0101"),
        json!(["07", "x"]),
        json!("2024-01-01"),
        json!("1.50"),
        json!("ON"),
        json!(null),
        json!(null),
    ]
    .into_iter()
    .enumerate()
    {
        let received = plan.received(input, &any_path(), query, &headers);
        assert_eq!(received, expected, "input: {input}");
    }
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
            "path parameter `id` of `GET /{id}` cannot be of type Array(String); arrays of single values are possible, \
             in the path with a separator, and objects in the query",
        ),
        (
            vec![query("q", String), query("q", ParameterType::Object)],
            "query parameter `q` of `GET /{id}` is declared twice",
        ),
        (
            vec![header("X-A", String), header("x-a", String)],
            "headers parameter `x-a` of `GET /{id}` is declared twice",
        ),
        (
            vec![
                cookie("a", String),
                cookie("A", String),
                cookie("a", String),
            ],
            "cookie parameter `a` of `GET /{id}` is declared twice",
        ),
        (
            vec![header("x a", String)],
            "headers parameter `x a` of `GET /{id}` has a name that no request can contain",
        ),
        (
            vec![cookie("a=b", String)],
            "cookie parameter `a=b` of `GET /{id}` has a name that no request can contain",
        ),
        (
            vec![query("q", array_of(array_of(String)))],
            "query parameter `q` of `GET /{id}` cannot be of type Array(Array(String)); arrays of single values are \
             possible, in the path with a separator, and objects in the query",
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
    let inputs = plan
        .extract(any_path(), Some("id=2"), &NO_HEADERS)
        .expect("is valid");
    assert_eq!(inputs.values(), [Value::Integer(1), Value::Integer(2)]);
}

#[test]
fn tries_the_types_of_a_union_in_turn() {
    let union = ParameterType::AnyOf(vec![
        ParameterType::Integer,
        ParameterType::Boolean,
        ParameterType::Uuid,
    ]);
    let operation = Operation::new(Method::GET, "/").with_parameter(Parameter::required(
        ParameterIn::Query,
        "x",
        union,
    ));
    let plan = Plan::compile(&operation, &[]).expect("is possible");
    // Text, what becomes of it.
    for (text, expected) in [
        ("1", Some(Value::Integer(1))),
        ("yes", Some(Value::Boolean(true))),
        (
            "550e8400-e29b-41d4-a716-446655440000",
            Some(Value::String("550e8400-e29b-41d4-a716-446655440000".into())),
        ),
        ("other", None),
    ] {
        let query = format!("x={text}");
        match (
            plan.extract(SmallVec::new(), Some(&query), &NO_HEADERS),
            expected,
        ) {
            (Ok(inputs), Some(expected)) => assert_eq!(inputs.values(), [expected], "{text}"),
            (Err(refused), None) => {
                let errors: Vec<_> = refused.errors.iter().map(FieldError::to_json).collect();
                assert_eq!(errors.len(), 1, "{text}");
                assert_eq!(errors[0]["loc"], json!(["query", "x"]), "{text}");
                assert_eq!(errors[0]["input"], text);
            }
            (extracted, _) => panic!("{text}: {extracted:?}"),
        }
    }
}
