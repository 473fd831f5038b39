"""Content that becomes an argument, of every kind of type, and content that does not."""

import dataclasses
import json
import socket
from collections.abc import Iterator
from typing import Annotated, Any, Generic, Literal, NamedTuple, TypedDict, TypeVar

import attrs
import msgspec
import pydantic
import pytest

import serving
from spikard import Body, Request, Spikard
from spikard.testing import TestClient, TestResponse

T = TypeVar("T")

LIMIT_BYTES = 10 * 1024 * 1024


class User(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    user_name: str
    is_admin: bool = False


class Cat(msgspec.Struct, tag="cat"):
    lives: int


class Dog(msgspec.Struct, tag="dog"):
    name: str


class Page(msgspec.Struct, Generic[T]):
    items: list[T]
    total: int = 0


class Tree(msgspec.Struct):
    name: str
    children: list["Tree"] = []


class Short(msgspec.Struct, array_like=True):
    x: int
    y: int = 0


@dataclasses.dataclass
class Size:
    width: float
    unit: Literal["mm", "in"] = "mm"


class Movie(TypedDict, total=False):
    title: str
    year: int


class Pair(NamedTuple):
    left: int
    right: int = 0


@attrs.define
class Item:
    name: str
    count: int = 1


class Model(pydantic.BaseModel):
    name: str = pydantic.Field(min_length=2, alias="fullName")
    tags: list[int] = []


def send(annotation: Any, content: bytes | str | None, **options: Any) -> TestResponse:
    """The response for content sent to a handler that returns its type and itself."""
    app = Spikard()

    async def handler(value):  # type: ignore[no-untyped-def]
        return [type(value).__name__, value.decode() if isinstance(value, bytes) else value]

    handler.__annotations__["value"] = annotation
    app.post("/")(handler)
    with TestClient(app) as client:
        return client.post("/", content=content, **options)


@pytest.mark.parametrize(
    ("annotation", "sent", "expected"),
    [
        (User, {"userName": "a"}, ["User", {"userName": "a", "isAdmin": False}]),
        (Cat | Dog, {"type": "dog", "name": "a"}, ["Dog", {"type": "dog", "name": "a"}]),
        (Page[User], {"items": [{"userName": "a"}]}, None),
        (Page[int], {"items": [1], "total": 3}, ["Page", {"items": [1], "total": 3}]),
        (Tree, {"name": "a", "children": [{"name": "b"}]}, None),
        (Short, [1], ["Short", [1, 0]]),
        (Size, {"width": 1.5}, ["Size", {"width": 1.5}]),
        (Movie, {"year": 1}, ["dict", {"year": 1}]),
        (Annotated[Pair, Body()], [1, 2], ["Pair", [1, 2]]),
        (Item, {"name": "a"}, ["Item", {"name": "a", "count": 1}]),
        (dict, {"a": [None]}, ["dict", {"a": [None]}]),
        (dict[str, int], {}, ["dict", {}]),
        (Annotated[Any, Body()], [1, "a", None], ["list", [1, "a", None]]),
        (list[User], [{"userName": "a"}], None),
        (Annotated[str, Body()], "text", ["str", "text"]),
        (Annotated[bool, Body()], True, ["bool", True]),
        (User | None, None, ["NoneType", None]),
    ],
    ids=str,
)
def test_types(annotation: Any, sent: object, expected: object) -> None:
    response = send(annotation, json.dumps(sent))
    assert response.status_code == 200, response.text
    assert expected in (None, response.json())


def test_pydantic() -> None:
    app = Spikard()

    @app.post("/")
    async def handler(model: Model) -> dict[str, Any]:
        return model.model_dump()

    with TestClient(app) as client:
        assert client.post("/", json={"fullName": "Ada"}).json() == {"name": "Ada", "tags": []}
        response = client.post("/", json={"fullName": "A", "tags": [1, "x", 2, "y"]})
    assert response.status_code == 422
    places = sorted(".".join(entry["loc"]) for entry in response.json()["errors"])
    assert places == ["body.fullName", "body.tags.1", "body.tags.3"]


@pytest.mark.parametrize(
    ("annotation", "sent", "places"),
    [
        (User, {}, ["body.userName"]),
        (User, {"user_name": "a"}, ["body.userName", "body.user_name"]),
        (User, {"userName": 1, "isAdmin": "yes"}, ["body.isAdmin", "body.userName"]),
        (User, {"userName": "a", "x": 1}, ["body.x"]),
        (User, [], ["body"]),
        (Page[User], {"items": [{"userName": 1}, {}]}, None),
        (Tree, {"name": "a", "children": [{"children": 3}]}, None),
        (Size, {"width": "1"}, ["body.width"]),
        (Size, {"width": 1, "unit": "km"}, ["body.unit"]),
        (Movie, {"title": 1, "year": "a"}, ["body.title", "body.year"]),
        (Item, {"count": "1"}, ["body.count", "body.name"]),
        (dict[str, int], {"a": "b", "c": 1, "d": None}, ["body.a", "body.d"]),
        (list[User], [{"userName": "a"}, {}, 3], ["body.1.userName", "body.2"]),
    ],
    ids=str,
)
def test_wrong_content_is_named_place_by_place(
    annotation: Any, sent: object, places: list[str] | None
) -> None:
    response = send(annotation, json.dumps(sent))
    assert response.status_code == 422, response.text
    seen = sorted(".".join(entry["loc"]) for entry in response.json()["errors"])
    assert seen == places or (places is None and len(seen) == 2), response.text


def test_a_wrong_tag_is_an_error() -> None:
    for sent in ({"type": "cow"}, {"lives": 1}, {"type": "cat", "lives": "x"}, 3, None):
        response = send(Cat | Dog, json.dumps(sent))
        assert response.status_code == 422 and response.json()["errors"], response.text


@pytest.mark.parametrize(
    ("content", "media_type", "expected"),
    [
        (b"\x00raw", "image/png", ["bytes", "\x00raw"]),
        (b"{}", "application/json", ["bytes", "{}"]),
        (b"raw", None, ["bytes", "raw"]),
        (b"", None, ["bytes", ""]),
    ],
)
def test_bytes(content: bytes, media_type: str | None, expected: object) -> None:
    headers = {"content-type": media_type} if media_type else {}
    response = send(Annotated[bytes, Body()], content, headers=headers)
    assert (response.status_code, response.json()) == (200, expected)


def test_optional_content() -> None:
    app = Spikard()

    @app.post("/optional")
    async def optional(value: User | None = None) -> str:
        return "none" if value is None else value.user_name

    @app.post("/default")
    async def default(value: dict[str, int] = Body(default_factory=lambda: {"made": 1})) -> object:
        return value

    @app.post("/lenient")
    async def lenient(value: Movie) -> object:
        return value

    @app.get("/get")
    async def get(request: Request) -> int:
        return len(await request.body())

    with TestClient(app) as client:
        for headers in ({}, {"content-type": "application/json"}):
            assert client.post("/optional", headers=headers).json() == "none"
            assert client.post("/default", headers=headers).json() == {"made": 1}
            assert client.post("/lenient", headers=headers).json() == {}
        assert client.post("/optional", json={"userName": "a"}).json() == "a"
        assert client.post("/optional", json={}).status_code == 422
        assert client.request("GET", "/get", content=b"{").json() == 1


@pytest.mark.parametrize(
    ("media_type", "status_code"),
    [
        ("application/json", 200),
        ("Application/JSON", 200),
        ("application/json; charset=utf-8", 200),
        ('application/json; charset="UTF-8"', 200),
        ("application/json;odd", 200),
        ("application/problem+json", 200),
        ("application/vnd.api+json; v=1", 200),
        ("application/json; charset=utf-16", 415),
        ("application/json; charset=latin-1", 415),
        ("text/plain", 415),
        ("application/xml", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("application/jsonp", 415),
        ("json", 415),
        ("*/*", 415),
    ],
)
def test_media_types(media_type: str, status_code: int) -> None:
    for annotation in (User, dict[str, str]):
        response = send(annotation, b'{"userName": "a"}', headers={"content-type": media_type})
        assert response.status_code == status_code, response.text
        # It is looked at before the content.
        if status_code == 415:
            response = send(annotation, b"{", headers={"content-type": media_type})
            assert response.status_code == 415


ANYTHING = Annotated[Any, Body()]


@pytest.mark.parametrize(
    ("content", "status_codes"),
    [
        (b"{", {400}),
        (b"{} x", {400}),
        (b"NaN", {400}),
        (b"[Infinity]", {400}),
        (b"-Infinity", {400}),
        (b"1e999", {400}),
        (b'{"a": -1e999}', {400}),
        (b'"\\ud800"', {400}),
        (b'"\\udc00\\ud800"', {400}),
        (b'{"\\ud800": 1}', {400}),
        (b'"\xff"', {400}),
        (b'"\xed\xa0\x80"', {400}),
        (b"\xef\xbb\xbf{}", {400}),
        (b"'a'", {400}),
        (b"[1,]", {400}),
        (b"01", {400}),
        (b'"\n"', {400}),
        (b"// a\n1", {400}),
        (b" ", {400, 422}),
        (b"\x00", {400}),
        ("1".encode("utf-16"), {400}),
        (b"[" * 128 + b"]" * 128, {200}),
        (b"[" * 129 + b"]" * 129, {400}),
        (b'{"a":' * 129 + b"1" + b"}" * 129, {400}),
        (b"[" * 2_000_000, {400}),
        (b"[" * 1_000_000 + b"]" * 1_000_000, {400}),
        (b'{"a":' * 1_000_000, {400}),
        (b"1" * 4301, {400, 422}),
        (b"-" + b"1" * 100_000, {400, 422}),
        (b'{"a": 1, "a": 2}', {200}),
        (b'"\\u0000\\ud83d\\ude00"', {200}),
        (b"18446744073709551615", {200}),
        (b" \t\r\n1 ", {200}),
    ],
    ids=lambda value: repr(value)[:30] if isinstance(value, bytes) else None,
)
@pytest.mark.parametrize("annotation", [ANYTHING, User, dict[str, Any]], ids=str)
def test_hostile_json(annotation: Any, content: bytes, status_codes: set[int]) -> None:
    response = send(annotation, content)
    if 200 in status_codes and annotation is not ANYTHING:
        assert response.status_code in (200, 422)
        return
    assert response.status_code in status_codes, response.text[:300]
    if response.status_code == 400:
        assert response.json()["detail"] == "Invalid request format"
    assert len(response.content) < len(content) + 2000


def test_the_last_of_equal_keys_counts() -> None:
    assert send(ANYTHING, b'{"a": 1, "a": 2}').json() == ["dict", {"a": 2}]
    content = b'{"userName": "a", "userName": "b"}'
    assert send(User, content).json()[1]["userName"] == "b"


def test_numbers_are_exact() -> None:
    for text in ("9223372036854775807", "-9223372036854775808", "0.1", "1e-7", "123456789.125"):
        assert send(ANYTHING, text).text.endswith(f",{float(text) if '.' in text else text}]")


APP = """
    from spikard import Body, Request, ServerConfig, Spikard

    app = Spikard(config=ServerConfig(port=0))

    @app.post("/json")
    async def json(value: dict) -> int:
        return len(value)

    @app.post("/bytes")
    def whole(value: bytes = Body()) -> int:
        return len(value)

    @app.post("/request")
    async def request(request: Request) -> int:
        return len(await request.body())

    @app.post("/none")
    def none() -> str:
        return "left alone"

    app.run()
"""


@pytest.fixture(scope="module")
def server() -> Iterator[serving.ServerProcess]:
    with serving.process(APP) as running:
        yield running


def status_of(server: serving.ServerProcess, head: str, content: bytes) -> int:
    request = f"{head}\r\nHost: a\r\nConnection: close\r\n\r\n".encode() + content
    received = serving.raw(server.port, request, timeout=serving.PATIENCE)
    assert received.startswith(b"HTTP/1.1 "), received[:100]
    return int(received.split(b" ")[1])


def chunked(size: int) -> bytes:
    piece = b"10000\r\n" + b" " * 65_536 + b"\r\n"
    whole, rest = divmod(size, 65_536)
    return piece * whole + f"{rest:x}\r\n".encode() + b" " * rest + b"\r\n0\r\n\r\n"


@pytest.mark.parametrize("path", ["/json", "/bytes", "/request"])
def test_content_over_the_limit_is_413(server: serving.ServerProcess, path: str) -> None:
    post = f"POST {path} HTTP/1.1\r\n"
    over = LIMIT_BYTES + 1
    # Refused by its length alone: nothing of it is sent.
    with socket.create_connection((server.host, server.port), 10) as connection:
        head = f"{post}Host: a\r\nContent-Length: {over}\r\nExpect: 100-continue\r\n\r\n"
        connection.sendall(head.encode())
        assert connection.recv(12) == b"HTTP/1.1 413"
    assert status_of(server, f"{post}Transfer-Encoding: chunked", chunked(over)) == 413
    fits = b" " * (LIMIT_BYTES - 2) + b"{}"
    assert status_of(server, f"{post}Content-Length: {LIMIT_BYTES}", fits) == 200
    assert status_of(server, "POST /none HTTP/1.1\r\nContent-Length: 3", b"abc") == 200
    assert server.stderr_text() == ""
