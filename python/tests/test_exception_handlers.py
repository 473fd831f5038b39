"""Functions that answer in the place of a handler that raises."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import msgspec
import pytest

import serving
from spikard import (
    HTTPException,
    NotFound,
    Query,
    Redirect,
    Request,
    Response,
    ServerConfig,
    Spikard,
    StreamingResponse,
    ValidationError,
)
from spikard.testing import TestClient, TestResponse

app = Spikard(config=ServerConfig(port=0))


@pytest.fixture(scope="module", params=serving.RUNTIMES)
def runtime(request: pytest.FixtureRequest) -> Iterator[serving.Runtime]:
    with serving.runtime(request.param, request.module) as running:
        yield running


class ShopError(Exception):
    """The root of the errors of this module."""


class SoldOutError(ShopError):
    """Has a function of its own."""


class RareError(SoldOutError):
    """Has none."""


class ClosedError(ShopError):
    """Is handled on the loop."""


class Point(msgspec.Struct):
    x: int


@app.exception_handler(ShopError)
def shop_error(request: Request, error: ShopError) -> Response[dict[str, str]]:
    content = {"by": "shop_error", "error": str(error), "path": request.path}
    return Response(content, status_code=418, headers={"x-agent": request.headers["x-agent"]})


@app.exception_handler(SoldOutError)
def sold_out(request: Request, error: SoldOutError) -> list[str]:
    return ["sold_out", str(error), request.method]


@app.exception_handler(ClosedError)
async def closed(request: Request, error: ClosedError) -> list[object]:
    await asyncio.sleep(0)
    content = await request.body()
    return ["closed", str(error), content.decode(), asyncio.current_task() is not None]


@app.exception_handler(NotFound)
async def not_found(request: Request, error: NotFound) -> Response[str]:
    return Response(f"{error.status_code} {error.detail}", status_code=error.status_code)


@app.exception_handler(LookupError)
def lookup(request: Request, error: LookupError) -> None:
    raise RuntimeError("in the exception handler") from error


@app.exception_handler(ArithmeticError)
async def arithmetic(request: Request, error: ArithmeticError) -> None:
    raise HTTPException(507, "no numbers")


KINDS: dict[str, type[Exception]] = {
    kind.__name__: kind
    for kind in (
        ShopError,
        SoldOutError,
        RareError,
        ClosedError,
        NotFound,
        HTTPException,
        KeyError,
        ZeroDivisionError,
        OSError,
    )
}


def make(kind: str) -> Exception:
    if kind == "HTTPException":
        return HTTPException(410, "text")
    return KINDS[kind]("text")


@app.post("/async")
async def asynchronous(kind: str) -> None:
    raise make(kind)


@app.post("/suspended")
async def suspended(kind: str) -> None:
    await asyncio.sleep(0.001)
    raise make(kind)


@app.post("/sync")
def synchronous(kind: str) -> None:
    raise make(kind)


@app.post("/thread", sync_to_thread=True)
def on_thread(kind: str) -> None:
    assert threading.current_thread() is not threading.main_thread()
    raise make(kind)


@app.get("/fine")
def fine(x: int = 1) -> int:
    return x


@app.get("/validated")
def validated(number: int, limited: int = Query(1, ge=1)) -> int:
    return number


PATHS = ["/async", "/suspended", "/sync", "/thread"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("kind", "status_code", "expected"),
    [
        ("SoldOutError", 200, ["sold_out", "text", "POST"]),
        ("RareError", 200, ["sold_out", "text", "POST"]),
        ("NotFound", 404, "404 text"),
    ],
)
def test_the_most_specific_type_answers(
    runtime: serving.Runtime, path: str, kind: str, status_code: int, expected: object
) -> None:
    response = runtime.client.post(f"{path}?kind={kind}")
    assert (response.status_code, response.json()) == (status_code, expected)
    assert runtime.log() == ""


@pytest.mark.parametrize("path", PATHS)
def test_the_request_is_passed(runtime: serving.Runtime, path: str) -> None:
    response = runtime.client.post(f"{path}?kind=ShopError", headers={"x-agent": "A"})
    assert (response.status_code, response.headers["x-agent"]) == (418, "A")
    assert response.json() == {"by": "shop_error", "error": "text", "path": path}


@pytest.mark.parametrize("path", ["/async", "/suspended"])
def test_the_content_is_there_to_be_read(runtime: serving.Runtime, path: str) -> None:
    response = runtime.client.post(f"{path}?kind=ClosedError", content=b"content")
    assert response.json() == ["closed", "text", "content", True]
    assert runtime.log() == ""


@pytest.mark.parametrize("path", PATHS)
def test_what_an_exception_handler_raises(runtime: serving.Runtime, path: str) -> None:
    before = len(runtime.log())
    response = runtime.client.post(f"{path}?kind=ZeroDivisionError")
    assert (response.status_code, response.json()["detail"]) == (507, "no numbers")
    assert runtime.log()[before:] == ""


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("kind", "status_code", "logged"),
    [
        ("KeyError", 500, "RuntimeError: in the exception handler"),
        ("OSError", 500, "OSError: text"),
        ("HTTPException", 410, None),
    ],
)
def test_what_nobody_answers(
    path: str, kind: str, status_code: int, logged: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    with TestClient(app) as client:
        response = client.post(f"{path}?kind={kind}")
    assert response.status_code == status_code
    assert response.headers["content-type"] == "application/problem+json"
    assert "text" not in response.text or status_code == 410
    assert len(caplog.records) == (logged is not None)
    assert logged is None or logged in caplog.text


def test_handlers_that_do_not_raise_are_left_alone(runtime: serving.Runtime) -> None:
    assert runtime.value("/fine") == 1
    assert runtime.value("/fine", x=3) == 3
    assert runtime.get("/fine", x="a").status_code == 422
    assert runtime.get("/nothing").status_code == 404
    assert runtime.get("/async").status_code == 405
    assert len(runtime.get("/validated", limited=0).json()["errors"]) == 2


def answer_with(reply: Any, *, is_async: bool = False) -> TestResponse:
    """The response for a handler that raises, where an exception handler returns `reply`."""
    own = Spikard()

    @own.get("/", status_code=201)
    async def handler() -> None:
        raise ShopError

    if is_async:

        @own.exception_handler(ShopError)
        async def asynchronous(request: Request, error: ShopError) -> object:
            return reply

    else:

        @own.exception_handler(ShopError)
        def synchronous(request: Request, error: ShopError) -> object:
            return reply

    with TestClient(own) as client:
        return client.get("/")


async def chunks() -> AsyncIterator[str]:
    yield "a"
    yield "b"


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_replies_of_every_kind(is_async: bool) -> None:
    for reply, status_code, content in [
        ("text", 201, b'"text"'),
        (None, 201, b"null"),
        ({"a": [1]}, 201, b'{"a":[1]}'),
        (Point(3), 201, b'{"x":3}'),
        (Response(b"raw", status_code=409, media_type="a/b"), 409, b"raw"),
        (Response(status_code=204), 204, b""),
        (Redirect("/x"), 307, b""),
        (StreamingResponse(["a", "b"], status_code=503), 503, b"ab"),
        (StreamingResponse(chunks()), 200, b"ab"),
    ]:
        response = answer_with(reply, is_async=is_async)
        assert (response.status_code, response.content) == (status_code, content), reply
    assert answer_with(Redirect("/x")).headers["location"] == "/x"
    assert answer_with(object()).status_code == 500


def test_every_exception_and_every_answer() -> None:
    own = Spikard()

    @own.exception_handler(Exception)
    def everything(request: Request, error: Exception) -> str:
        return type(error).__name__

    @own.exception_handler(ValidationError)
    def wrong(request: Request, error: ValidationError) -> list[str]:
        return [entry["msg"] for entry in error.errors]

    @own.get("/validation")
    async def validation() -> None:
        raise ValidationError.from_field("body", "no")

    @own.get("/http")
    async def http() -> None:
        raise NotFound

    @own.get("/exit")
    async def leave() -> None:
        raise SystemExit(1)

    @own.get("/unsendable")
    async def unsendable() -> object:
        return object()

    with TestClient(own) as client:
        assert client.get("/validation").json() == ["no"]
        assert client.get("/http").json() == "NotFound"
        # Neither is an exception of the handler.
        assert client.get("/exit").status_code == 500
        assert client.get("/unsendable").status_code == 500


def test_types_with_several_bases() -> None:
    class BothError(SoldOutError, LookupError):
        """The order of its bases decides."""

    own = Spikard()

    @own.exception_handler(LookupError)
    def second(request: Request, error: Exception) -> str:
        return "second"

    @own.exception_handler(ShopError)
    def first(request: Request, error: Exception) -> str:
        return "first"

    @own.get("/")
    def handler() -> None:
        raise BothError

    with TestClient(own) as client:
        assert client.get("/").json() == "first"


def test_apps_keep_their_own() -> None:
    first, second = Spikard(), Spikard()
    for own in (first, second):

        @own.get("/")
        async def handler() -> None:
            raise ShopError

    @first.exception_handler(ShopError)
    def answer(request: Request, error: ShopError) -> str:
        return "answered"

    with TestClient(first) as client:
        assert client.get("/").json() == "answered"
    with TestClient(second) as client:
        assert client.get("/").status_code == 500
