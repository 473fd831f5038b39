"""The handlers of fixtures: what they take, and what they answer to what they receive."""

import asyncio
import inspect
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from conformance.fixtures import Fixture, expand
from conformance.handlers import (
    TRAP_STATUS,
    build_handler,
    must_not_be_reached,
    route_options,
)
from conformance.parameters import UnsupportedError, annotation
from spikard import Response

INTEGER = {"type": "integer"}
STRING = {"type": "string"}


def make(
    expected: dict[str, Any],
    *,
    route: str = "/a",
    method: str = "GET",
    path: str = "/a",
    sent: str = "GET",
    **parameters: Any,
) -> Fixture:
    handler = {"route": route, "method": method, "parameters": parameters}
    request = {"method": sent, "path": path}
    document = {"handler": handler, "request": request, "expected_response": expected}
    return Fixture("category", "name", document)


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({}, str),
        (STRING, str),
        (INTEGER, int),
        ({"type": "number", "annotation": "float"}, float),
        ({"type": "boolean", "default": True}, bool),
        ({"type": "string", "format": "uuid"}, UUID),
        ({"type": "string", "format": "date", "optional": True}, date),
        ({"type": "array", "items": INTEGER}, list[int]),
        ({"type": "array"}, list[str]),
        ({"type": "integer", "minimum": 1}, int),
        ({"type": "string", "enum": ["a"]}, str),
    ],
)
def test_a_schema_is_an_annotation(schema: dict[str, Any], expected: object) -> None:
    assert annotation(schema) == expected


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ({"type": "string", "uuidVersion": "4"}, "parameter keyword uuidVersion"),
        ({"type": "array", "items": {"type": "string", "enum": []}}, "parameter keyword enum"),
        ({"type": "string", "format": "email"}, "parameter format email"),
        ({"type": "object"}, "parameter type object"),
    ],
)
def test_what_no_annotation_says_is_unsupported(schema: dict[str, Any], reason: str) -> None:
    with pytest.raises(UnsupportedError, match=f"^{reason}$"):
        annotation(schema)


ROUTE_WITH_ALL = make(
    {"status_code": 200},
    route="/a/{id:int}/{class}",
    path="/a/1/b",
    query={"page-size": {"type": "integer", "default": 10}, "q": {**STRING, "optional": True}},
    headers={"X-Tag": {**STRING, "pattern": "^a"}},
    cookies={"q": STRING},
)


def test_the_schemas_are_those_of_the_fixture() -> None:
    parameters = inspect.signature(build_handler(ROUTE_WITH_ALL)).parameters
    assert list(parameters) == ["id", "page_size", "q", "x_tag", "class_", "q_cookies"]
    assert parameters["q_cookies"].default.alias == "q"
    assert {parameters[name].annotation for name in ("id", "page_size", "q", "x_tag")} == {
        inspect.Parameter.empty
    }
    assert route_options(ROUTE_WITH_ALL)["parameter_schema"]["properties"] == {
        "page-size": {"type": "integer", "default": 10, "source": "query"},
        "q": {"type": "string", "optional": True, "source": "query"},
        "X-Tag": {"type": "string", "pattern": "^a", "source": "headers"},
    }


def test_the_signature_is_real() -> None:
    handler = build_handler(ROUTE_WITH_ALL, is_annotated=True)
    parameters = inspect.signature(handler).parameters
    assert list(parameters) == ["id", "class_", "page_size", "q", "x_tag", "q_cookies"]
    assert parameters["id"].annotation is inspect.Parameter.empty
    assert [parameters[name].annotation for name in ("page_size", "q", "x_tag")] == [
        int,
        str | None,
        str,
    ]
    assert parameters["page_size"].default.alias == "page-size"
    assert parameters["q"].default.default is None
    assert parameters["x_tag"].default.constraints == {"pattern": "^a"}
    assert "parameter_schema" not in route_options(ROUTE_WITH_ALL, is_annotated=True)
    assert not inspect.iscoroutinefunction(handler)
    assert inspect.iscoroutinefunction(build_handler(ROUTE_WITH_ALL, is_async=True))


# Expected body, query of the request, declared parameters, received values, answer.
@pytest.mark.parametrize(
    ("body", "query", "declared", "received", "answer"),
    [
        # A member with the name of a parameter is the received value, right or wrong.
        ({"n": 1, "k": "c"}, "n=1", {"n": INTEGER}, {"n": "1"}, {"n": "1", "k": "c"}),
        ({"a": {"n": 1}}, "n=1", {"n": INTEGER}, {"n": 2}, {"a": {"n": 2}}),
        ({"page-size": 1}, "", {"page-size": INTEGER}, {"page_size": 2}, {"page-size": 2}),
        ({"page_size": 1}, "", {"page-size": INTEGER}, {"page_size": 2}, {"page_size": 2}),
        ({"n": None}, "", {"n": {**INTEGER, "optional": True}}, {"n": 3}, {"n": 3}),
        # A value that the parameter cannot have is the handler's own.
        ({"n": 1}, "n=1", {"n": STRING}, {"n": "1"}, {"n": 1}),
        ({"n": True}, "n=1", {"n": INTEGER}, {"n": 1}, {"n": True}),
        ({"n": None}, "n=1", {"n": INTEGER}, {"n": 1}, {"n": None}),
        # One parameter may be the whole body.
        ([], "", {"n": {"type": "array", "default": []}}, {"n": ["a"]}, ["a"]),
        ("x", "n=x", {"n": STRING}, {"n": "y"}, "y"),
        # Texts quote what was sent.
        ("foo x", "n=x", {"n": STRING}, {"n": "y"}, "foo y"),
        ({"m": "Hello, Ada!"}, "n=Ada", {"n": STRING}, {"n": "Bob"}, {"m": "Hello, Bob!"}),
        ("foo None", "", {"n": {**STRING, "optional": True}}, {"n": "y"}, "foo y"),
        ("constant", "n=x", {"n": STRING}, {"n": "y"}, "constant"),
        ("xx x x", "n=x", {"n": STRING}, {"n": "y"}, "xx x x"),
    ],
)
def test_the_body_is_made_of_what_was_received(
    body: Any, query: str, declared: Any, received: Any, answer: Any
) -> None:
    fixture = make({"status_code": 200, "body": body}, path=f"/a?{query}", query=declared)
    assert build_handler(fixture)(**received) == answer


FORM = {"headers": {"Content-Type": "application/x-www-form-urlencoded"}}
FILE = {"filename": "a.txt", "size": 1, "content": "x", "content_type": "text/plain"}
SENT_FILE = {"files": [{"field_name": "f", "filename": "a.txt", "content": "x"}]}


# Expected body, what is sent, received content, answer.
@pytest.mark.parametrize(
    ("body", "sent", "received", "answer"),
    [
        # A member with the value that was sent is the received one, right or wrong.
        ({"a": 1, "k": "c"}, {"body": {"a": 1}}, {"a": "1"}, {"a": "1", "k": "c"}),
        ({"x": {"a": [1]}}, {"body": {"a": [1]}}, {"a": [2]}, {"x": {"a": [2]}}),
        # JSON is not converted, so another value is the handler's own.
        ({"a": "1", "b": 2}, {"body": {"a": 1, "b": 2}}, {"a": 3, "b": 4}, {"a": "1", "b": 4}),
        # The whole content shows what nobody sent.
        ({"a": 1}, {"body": {"a": 1}}, {"a": 1, "b": 2}, {"a": 1, "b": 2}),
        ([1, 2], {"body": [1, 2]}, [1], [1]),
        # Texts quote what was sent.
        ({"m": "Hello, Ada!"}, {"body": {"n": "Ada"}}, {"n": "Bob"}, {"m": "Hello, Bob!"}),
        # Fields of a form are converted, by the schema.
        ({"n": 1}, {**FORM, "body": "n=1"}, {"n": "1"}, {"n": "1"}),
        ({"l": ["a"]}, {**FORM, "body": "l[]=a"}, {"l": ["b"]}, {"l": ["b"]}),
        ({"n": 1}, {"data": {"n": "1"}}, {"n": 2}, {"n": 2}),
        # Files say what is in them, as far as it is asked for.
        ({"f": FILE}, SENT_FILE, {"f": {**FILE, "size": 2}}, {"f": {**FILE, "size": 2}}),
        (
            {"filename": "a.txt", "size": 1},
            SENT_FILE,
            {"f": FILE},
            {"filename": "a.txt", "size": 1},
        ),
        ({"filename": "a.txt"}, SENT_FILE, {"f": None}, {"filename": "a.txt"}),
    ],
)
def test_the_body_is_made_of_the_content(body: Any, sent: Any, received: Any, answer: Any) -> None:
    properties = {"n": INTEGER, "f": {"type": "string", "format": "binary"}}
    schema = {"type": "object", "properties": properties}
    document = {
        "handler": {"route": "/a", "method": "POST", "body_schema": schema},
        "request": {"method": "POST", "path": "/a", **sent},
        "expected_response": {"status_code": 200, "body": body},
    }
    outcome = build_handler(Fixture("category", "name", document))(body=received)
    assert (asyncio.run(outcome) if inspect.iscoroutine(outcome) else outcome) == answer


@pytest.mark.parametrize(
    ("fixture", "expected"),
    [
        (make({"status_code": 200}), False),
        (make({"status_code": 200}, sent="HEAD"), False),
        (make({"status_code": 404, "body": {"detail": "no item"}}), False),
        (make({"status_code": 500}), False),
        (make({"status_code": 204}, sent="OPTIONS"), True),
        (make({"status_code": 405}, sent="POST"), True),
        (make({"status_code": 404}, path="/b"), True),
        (make({"status_code": 404}, path="/a/"), True),
        (make({"status_code": 404}, route="/a/{b:path}"), True),
        (make({"status_code": 200}, route="/a/{b:path}", path="/a/b/c"), False),
        (make({"status_code": 200}, route="/ä/{b}", path="/%C3%A4/%2F"), False),
        (make({"status_code": 422, "body": {"errors": []}}), True),
        (make({"status_code": 422, "validation_errors": []}), True),
        (
            make({"status_code": 400, "body": {"type": "https://spikard.dev/errors/bad-request"}}),
            True,
        ),
    ],
)
def test_the_handler_is_a_trap_where_the_server_answers(fixture: Fixture, expected: bool) -> None:
    assert must_not_be_reached(fixture) == expected
    if expected:
        answer = build_handler(fixture)(*["x"] * fixture.route.count("{"))
        assert isinstance(answer, Response)
        assert answer.status_code == TRAP_STATUS


def test_a_handler_sets_the_fields_that_are_its_own() -> None:
    headers = {"Location": "/b", "Vary": "Origin", "X-A": "<<present>>", "Content-Type": "text/x"}
    answer = build_handler(make({"status_code": 201, "headers": headers, "body": "b"}))()
    assert isinstance(answer, Response)
    assert (answer.content, answer.status_code) == ("b", 201)
    assert (answer.headers, answer.media_type) == ({"location": "/b"}, "text/x")


def test_a_handler_sets_cookies() -> None:
    cookies = {"a": {"value": "x", "max_age": 5}, "b": {"value": "c"}}
    fixture = make({"status_code": 200, "cookies": cookies}, path="/a?n=x", query={"n": STRING})
    answer = build_handler(fixture)(n="y")
    assert isinstance(answer, Response)
    assert [(it.name, it.value, it.max_age, it.samesite) for it in answer.cookies] == [
        ("a", "y", 5, None),
        ("b", "c", None, None),
    ]


def test_a_handler_raises_for_500() -> None:
    with pytest.raises(RuntimeError):
        build_handler(make({"status_code": 500}))()


def test_repetitions_are_written_out() -> None:
    assert expand("\"{{ repeat 'ab' 3 times }}-{{repeat 'c' 1 times}}\"") == '"ababab-c"'
