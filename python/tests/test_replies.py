"""What a client gets for what a handler returns."""

import dataclasses
import datetime
import decimal
import enum
import http.client
import json
import logging
import math
import uuid
from collections.abc import Iterator
from typing import Any, NamedTuple, TypedDict

import msgspec
import pytest

import serving
from spikard import Response, Spikard
from spikard.testing import TestClient, TestResponse

JSON = "application/json"


class Point(msgspec.Struct):
    x: int
    y: int = 0


@dataclasses.dataclass
class Size:
    width: float
    unit: str = "mm"


class Pair(NamedTuple):
    left: int
    right: int


class Named(TypedDict):
    name: str


class Colour(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


def reply(value: object, *, method: str = "GET", status_code: int | None = None) -> TestResponse:
    """The response for a handler that returns the value."""
    app = Spikard()

    @app.get("/", status_code=status_code)
    def handler() -> object:
        return value

    with TestClient(app) as client:
        return client.request(method, "/")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"message": "Hello, Ada!"}, '{"message":"Hello, Ada!"}'),
        ({}, "{}"),
        ({1: "a", "b": None}, '{"1":"a","b":null}'),
        ([1, "two", None], '[1,"two",null]'),
        ((1, 2), "[1,2]"),
        ({7}, "[7]"),
        (frozenset({7}), "[7]"),
        ("text", '"text"'),
        ("", '""'),
        ('é"\n\0𝄞', r'"é\"\n\u0000𝄞"'),
        (0, "0"),
        (2**63 - 1, "9223372036854775807"),
        (-(2**63), "-9223372036854775808"),
        (2**64, "18446744073709551616"),
        (1.5, "1.5"),
        (0.1, "0.1"),
        (math.inf, "null"),
        (True, "true"),
        (False, "false"),
        (None, "null"),
        (Point(1), '{"x":1,"y":0}'),
        (Size(1.5), '{"width":1.5,"unit":"mm"}'),
        (Pair(1, 2), "[1,2]"),
        (Named(name="Ada"), '{"name":"Ada"}'),
        (Colour.RED, '"red"'),
        (Level.HIGH, "3"),
        (datetime.date(2024, 2, 29), '"2024-02-29"'),
        (datetime.datetime(2024, 2, 29, 1, 2, 3), '"2024-02-29T01:02:03"'),
        (datetime.datetime(2024, 2, 29, tzinfo=datetime.UTC), '"2024-02-29T00:00:00Z"'),
        (datetime.time(12, 30), '"12:30:00"'),
        (uuid.UUID(int=7), '"00000000-0000-0000-0000-000000000007"'),
        (decimal.Decimal("10.50"), '"10.50"'),
        (
            {"points": [Point(1), Point(2, 3)], "size": Size(2), "when": [datetime.date.min]},
            '{"points":[{"x":1,"y":0},{"x":2,"y":3}],"size":{"width":2,"unit":"mm"},'
            '"when":["0001-01-01"]}',
        ),
        (Response({"a": Point(1)}), '{"a":{"x":1,"y":0}}'),
        (Response("text"), '"text"'),
        (Response(0), "0"),
        (Response(""), '""'),
        (Response([]), "[]"),
    ],
)
def test_data_becomes_json(value: object, text: str) -> None:
    response = reply(value)
    assert response.status_code == 200
    assert response.headers["content-type"] == JSON
    assert response.text == text
    assert json.loads(response.content) == response.json()


@pytest.mark.parametrize("value", [b"\x00\xff", b"", Response(b"\x00\xff")])
def test_bytes_are_sent_as_they_are(value: object) -> None:
    response = reply(value)
    assert response.content == (value.content if isinstance(value, Response) else value)
    assert response.headers["content-type"] == "application/octet-stream"


@pytest.mark.parametrize(
    ("value", "media_type", "content"),
    [
        (Response("<p>é", media_type="text/html; charset=utf-8"), None, "<p>é".encode()),
        (Response("plain", media_type="text/plain"), None, b"plain"),
        (Response("", media_type="text/plain"), None, b""),
        (Response("text", headers={"Content-Type": "text/x"}), "text/x", b"text"),
        (Response(b"\x89PNG", media_type="image/png"), None, b"\x89PNG"),
        (Response(b"{}", media_type=JSON), None, b"{}"),
        (Response("text", media_type=JSON), None, b'"text"'),
        (Response("text", media_type="application/hal+json"), None, b'"text"'),
        (Response({"a": 1}, media_type="application/vnd.a+json; v=1"), None, b'{"a":1}'),
        (
            Response("a", media_type="text/plain", headers={"content-type": "text/x"}),
            "text/x",
            b"a",
        ),
    ],
)
def test_the_media_type_decides_about_text(
    value: Response[Any], media_type: str | None, content: bytes
) -> None:
    response = reply(value)
    assert response.headers.get_list("content-type") == [media_type or value.media_type]
    assert response.content == content


def test_a_response_without_content_has_no_media_type() -> None:
    response = reply(Response())
    assert (response.status_code, response.content) == (200, b"")
    assert "content-type" not in response.headers
    response = reply(Response(status_code=307, headers={"Location": "/else"}))
    assert (response.status_code, response.headers["location"]) == (307, "/else")


@pytest.mark.parametrize(
    "headers",
    [
        {"X-One": "1", "X-Two": "two words"},
        [("X-One", "1"), ("X-Two", "two words")],
        (("X-One", "1"), ("x-two", "two words")),
        http.client.HTTPMessage,
    ],
)
def test_headers_are_a_mapping_or_pairs(headers: Any) -> None:
    if isinstance(headers, type):
        message = headers()
        message["X-One"], message["X-Two"] = "1", "two words"
        headers = message
    response = reply(Response(headers=headers))
    assert response.headers["x-one"] == "1"
    assert response.headers["X-TWO"] == "two words"


def test_repeated_headers_are_sent_apart() -> None:
    cookies = ["a=1; Path=/; HttpOnly", "b=2, 3"]
    response = reply(Response(headers=[("Set-Cookie", cookie) for cookie in cookies]))
    assert response.headers.get_list("set-cookie") == cookies


@pytest.mark.parametrize("status_code", [200, 201, 202, 206, 301, 404, 418, 499, 503, 599])
def test_a_status_is_sent_as_given(status_code: int) -> None:
    for response in [
        reply(Response("a", status_code=status_code)),
        reply("a", status_code=status_code),
    ]:
        assert (response.status_code, response.text) == (status_code, '"a"')


def test_the_status_of_a_response_goes_before_that_of_the_decorator() -> None:
    assert reply(Response("a", status_code=202), status_code=201).status_code == 202


@pytest.mark.parametrize("status_code", [204, 304])
@pytest.mark.parametrize("value", [None, "text", {"a": 1}, b"bytes"])
def test_statuses_without_content_send_none(status_code: int, value: object) -> None:
    headers = {"ETag": '"1"', "Content-Length": "5"}
    for response in [
        reply(Response(value, status_code=status_code, headers=headers)),
        reply(value, status_code=status_code),
    ]:
        assert (response.status_code, response.content) == (status_code, b"")
        assert "content-length" not in response.headers
        assert "content-type" not in response.headers


@pytest.mark.parametrize(
    ("value", "length"), [({"a": 1}, "7"), (b"x" * 10_000, "10000"), (Response("é"), "4")]
)
def test_head_has_the_length_of_get(value: object, length: str) -> None:
    response = reply(value, method="HEAD")
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["content-length"] == length
    assert response.headers["content-type"] == reply(value).headers["content-type"]


class Opaque: ...


async def coroutine() -> None: ...


untyped: Any = Response
"""For what type checkers refuse."""


@pytest.mark.parametrize(
    ("value", "named"),
    [
        (Opaque(), "Opaque"),
        ({"a": [Opaque()]}, "Opaque"),
        (iter([1]), "list_iterator"),
        (Response(Opaque()), "Opaque"),
        (Response({"a": {1: Opaque()}}), "Opaque"),
        ({(1, 2): 3}, "dict"),
        ("\ud800", "str"),
        (Response("\ud800", media_type="text/plain"), "Response"),
        (Response("a", headers={"X-Split": "a\r\nSet-Cookie: b=1"}), "X-Split"),
        (Response("a", headers={"X-Split": "a\n"}), "X-Split"),
        (Response("a", headers={"X-Nul": "a\0"}), "X-Nul"),
        (Response("a", headers={"bad name": "a"}), "bad name"),
        (Response("a", headers={"a\r\nb": "a"}), r"a\r\nb"),
        (Response("a", headers={"": "a"}), '""'),
        (untyped("a", headers={"X-Number": 1}), "X-Number"),
        (untyped("a", headers=[("a",)]), "pairs"),
        (untyped("a", headers=7), "not iterable"),
        (Response("a", media_type="text/plain\r\nX: y"), "media_type"),
        (untyped("a", media_type=7), "media_type"),
        (Response("a", status_code=99), "99"),
        (Response("a", status_code=100), "100"),
        (Response("a", status_code=700), "700"),
        (Response("a", status_code=-1), "-1"),
        (Response("a", status_code=10**30), str(10**30)),
        (untyped("a", status_code="x"), "x"),
        (untyped("a", status_code=None), "None"),
        (untyped("a", status_code=200.5), "200.5"),
    ],
)
def test_what_cannot_be_sent_is_a_500_and_the_log_says_why(
    value: object, named: str, caplog: pytest.LogCaptureFixture
) -> None:
    response = reply(value)
    assert response.status_code == 500
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["detail"] == "Internal server error"
    assert named not in response.text
    [record] = caplog.records
    assert (record.name, record.levelno) == ("spikard.error", logging.ERROR)
    assert named in caplog.text
    assert "reply.<locals>.handler" in caplog.text


def test_a_forgotten_await_is_named(caplog: pytest.LogCaptureFixture) -> None:
    app = Spikard()

    @app.get("/")
    async def handler() -> object:
        return coroutine()

    with TestClient(app) as client:
        assert client.get("/").status_code == 500
    assert "an `await` is missing" in caplog.text


def test_a_value_that_fails_while_it_is_encoded_is_a_500(
    caplog: pytest.LogCaptureFixture,
) -> None:
    recursive: list[object] = []
    recursive.append(recursive)
    assert reply(recursive).status_code == 500
    assert "RecursionError" in caplog.text


APP = """
    from spikard import Response, ServerConfig, Spikard

    app = Spikard(config=ServerConfig(port=0))

    @app.get("/bytes")
    def large_bytes(size: int) -> bytes:
        return bytes(range(256)) * (size // 256)

    @app.get("/json")
    def large_json(size: int) -> list[int]:
        return list(range(size))

    @app.get("/text")
    async def large_text(size: int) -> Response[str]:
        return Response("é" * size, media_type="text/plain")

    @app.get("/split")
    def split() -> Response[str]:
        return Response("a", headers={"X": "a\\r\\n\\r\\nsmuggled"})

    @app.get("/framing")
    def framing(name: str, value: str) -> Response[str]:
        return Response("content", headers={name: value}, media_type="text/plain")

    @app.get("/pairs")
    def pairs() -> Response[None]:
        return Response(status_code=204, headers=[("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])

    app.run()
"""


@pytest.fixture(scope="module")
def server() -> Iterator[serving.ServerProcess]:
    with serving.process(APP) as server:
        yield server


@pytest.fixture
def connection(server: serving.ServerProcess) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=serving.PATIENCE)
    yield connection
    connection.close()


def fetch(
    connection: http.client.HTTPConnection, target: str, method: str = "GET"
) -> tuple[http.client.HTTPResponse, bytes]:
    connection.request(method, target)
    response = connection.getresponse()
    return response, response.read()


@pytest.mark.parametrize("size", [0, 256, 4096, 4352, 65_536, 1 << 20, 8 << 20])
def test_content_of_any_size_arrives_whole(
    connection: http.client.HTTPConnection, size: int
) -> None:
    for target, expected in [
        ("/bytes", bytes(range(256)) * (size // 256)),
        ("/json", json.dumps(list(range(min(size, 65_536))), separators=(",", ":")).encode()),
        ("/text", ("é" * size).encode()),
    ]:
        asked = min(size, 65_536) if target == "/json" else size
        response, content = fetch(connection, f"{target}?size={asked}")
        assert response.status == 200
        assert response.getheader("content-length") == str(len(expected))
        assert content == expected


def test_head_over_a_socket_sends_the_length_alone(
    connection: http.client.HTTPConnection,
) -> None:
    for _ in range(2):
        response, content = fetch(connection, "/bytes?size=1048576", "HEAD")
        assert (response.getheader("content-length"), content) == ("1048576", b"")
        response, content = fetch(connection, "/bytes?size=256")
        assert len(content) == 256


def test_204_over_a_socket_ends_with_its_fields(connection: http.client.HTTPConnection) -> None:
    for _ in range(2):
        response, content = fetch(connection, "/pairs")
        assert (response.status, content) == (204, b"")
        assert response.headers.get_all("set-cookie") == ["a=1", "b=2"]
        assert response.getheader("content-length") is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Content-Length", "2"),
        ("Content-Length", "999"),
        ("Content-Length", "x"),
        ("Transfer-Encoding", "chunked"),
        ("Transfer-Encoding", "gzip"),
    ],
)
def test_a_handler_does_not_decide_where_its_content_ends(
    connection: http.client.HTTPConnection, name: str, value: str
) -> None:
    for method, expected in [("GET", b"content"), ("HEAD", b""), ("GET", b"content")]:
        response, content = fetch(connection, f"/framing?name={name}&value={value}", method)
        assert response.headers.get_all("content-length") == ["7"]
        assert response.getheader("transfer-encoding") is None
        assert content == expected


def test_a_field_cannot_split_a_response(server: serving.ServerProcess) -> None:
    received = serving.raw(
        server.port, b"GET /split HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"
    )
    assert received.startswith(b"HTTP/1.1 500 ")
    assert b"smuggled" not in received
    assert received.count(b"HTTP/1.1") == 1
    server.wait_for_stderr("control character")
