"""What a client gets for the exceptions that are answers: `HTTPException` and its family."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from typing import Annotated, Any

import msgspec
import pytest

import serving
from spikard import (
    BadRequest,
    Body,
    Conflict,
    Gone,
    HTTPException,
    InternalServerError,
    MethodNotAllowed,
    NotAuthorized,
    NotFound,
    PermissionDenied,
    Query,
    RequestEntityTooLarge,
    ServerConfig,
    ServiceUnavailable,
    Spikard,
    TooManyRequests,
    UnsupportedMediaType,
    ValidationError,
    get,
    post,
)
from spikard.testing import TestClient, TestResponse

app = Spikard(config=ServerConfig(port=0))

ERRORS = "https://spikard.dev/errors/"


@pytest.fixture(scope="module", params=serving.RUNTIMES)
def runtime(request: pytest.FixtureRequest) -> Iterator[serving.Runtime]:
    with serving.runtime(request.param, request.module) as running:
        yield running


def raised(error: BaseException, *, is_async: bool = True) -> TestResponse:
    """The response for a handler that raises."""
    own = Spikard()

    @own.get("/async")
    async def asynchronous() -> None:
        raise error

    @own.get("/sync")
    def synchronous() -> None:
        raise error

    with TestClient(own) as client:
        return client.get("/async" if is_async else "/sync")


@pytest.mark.parametrize(
    ("kind", "status_code", "title"),
    [
        (BadRequest, 400, "Bad Request"),
        (NotAuthorized, 401, "Unauthorized"),
        (PermissionDenied, 403, "Forbidden"),
        (NotFound, 404, "Not Found"),
        (MethodNotAllowed, 405, "Method Not Allowed"),
        (Conflict, 409, "Conflict"),
        (Gone, 410, "Gone"),
        (RequestEntityTooLarge, 413, None),
        (UnsupportedMediaType, 415, "Unsupported Media Type"),
        (TooManyRequests, 429, "Too Many Requests"),
        (InternalServerError, 500, "Internal Server Error"),
        (ServiceUnavailable, 503, "Service Unavailable"),
    ],
)
@pytest.mark.parametrize("is_async", [True, False], ids=["async", "sync"])
def test_named_exceptions(
    kind: Callable[..., HTTPException], status_code: int, title: str | None, is_async: bool
) -> None:
    response = raised(kind(), is_async=is_async)
    document = response.json()
    assert response.status_code == document["status"] == status_code
    assert response.headers["content-type"] == "application/problem+json"
    assert sorted(document) == ["detail", "status", "title", "type"]
    assert document["type"].startswith(ERRORS)
    assert document["detail"]
    assert title in (None, document["title"])
    response = raised(kind("It is so.", headers={"X-A": "1"}), is_async=is_async)
    assert (response.status_code, response.json()["detail"]) == (status_code, "It is so.")
    assert response.headers["x-a"] == "1"


def test_every_member(caplog: pytest.LogCaptureFixture) -> None:
    response = raised(
        HTTPException(
            418,
            "short and stout",
            headers=[("X-A", "1"), ("x-a", "2"), ("Retry-After", "3")],
            type="https://example.com/teapot",
            title="Teapot",
            extra={"size": [1, {"unit": "l"}], "lid": None, "é": 1.5},
        )
    )
    assert response.status_code == 418
    assert response.headers.get_list("x-a") == ["1", "2"]
    assert response.headers["retry-after"] == "3"
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json() == {
        "type": "https://example.com/teapot",
        "title": "Teapot",
        "status": 418,
        "detail": "short and stout",
        "size": [1, {"unit": "l"}],
        "lid": None,
        "é": 1.5,
    }
    assert caplog.records == []


class OutOfStock(Conflict):
    type = "https://example.com/out-of-stock"
    title = "Out Of Stock"

    def __init__(self, item: str) -> None:
        super().__init__(f"{item} is sold out", extra={"item": item})


def test_a_kind_of_ones_own() -> None:
    response = raised(OutOfStock("tea"))
    assert response.json() == {
        "type": "https://example.com/out-of-stock",
        "title": "Out Of Stock",
        "status": 409,
        "detail": "tea is sold out",
        "item": "tea",
    }


@pytest.mark.parametrize(
    "error",
    [
        HTTPException(99),
        HTTPException(1000),
        HTTPException("404"),  # type: ignore[arg-type]
        HTTPException(404, headers={"a b": "c"}),
        HTTPException(404, headers={"a": "b\r\nc: d"}),
        HTTPException(404, extra={"a": object()}),
        HTTPException(404, detail=b"x"),  # type: ignore[arg-type]
        ValueError("secret"),
        SystemExit(1),
        asyncio.CancelledError(),
    ],
    ids=lambda error: f"{error!r} {vars(error)}",
)
def test_what_is_no_answer_is_500_and_logged(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    for is_async in (True, False):
        caplog.clear()
        response = raised(error, is_async=is_async)
        assert response.json() == {
            "type": f"{ERRORS}internal-server-error",
            "title": "Internal Server Error",
            "status": 500,
            "detail": "Internal server error",
        }
        assert [record.levelno for record in caplog.records] == [logging.ERROR]


def test_one_error_of_validation() -> None:
    error = ValidationError.from_field(
        ("body", "items", 2), "too dear", type="price", input={"a": 1}, ctx={"limit": 9.5}
    )
    response = raised(error)
    assert (response.status_code, response.json()) == (
        422,
        {
            "type": f"{ERRORS}validation-error",
            "title": "Request Validation Failed",
            "status": 422,
            "detail": "1 validation error in request",
            "errors": [
                {
                    "type": "price",
                    "loc": ["body", "items", "2"],
                    "msg": "too dear",
                    "input": {"a": 1},
                    "ctx": {"limit": 9.5},
                }
            ],
        },
    )


def test_errors_of_validation_add_up() -> None:
    first, second = (ValidationError.from_field("body", text, ctx={"n": 1}) for text in "ab")
    for error in (first + second, ValidationError.combined([first, second])):
        document = raised(error).json()
        assert document["detail"] == "2 validation errors in request"
        assert [entry["msg"] for entry in document["errors"]] == ["a", "b"]
        assert [entry["ctx"] for entry in document["errors"]] == [{"n": 1}] * 2
    headers = {"x-a": "1"}
    response = raised(ValidationError(first.errors, detail="No.", headers=headers))
    assert (response.json()["detail"], response.headers["x-a"]) == ("No.", "1")
    response = raised(ValidationError())
    assert (response.status_code, response.json()["status"]) == (422, 422)


class Below:
    """What a handler calls, that raises."""

    async def after_suspension(self) -> None:
        await asyncio.sleep(0)
        await asyncio.sleep(0.001)
        raise NotFound("after a while", extra={"deep": True})

    async def in_a_group(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.after_suspension())
        except* NotFound as errors:
            raise errors.exceptions[0] from None


@get("/suspended")
async def suspended() -> None:
    await Below().after_suspension()


@get("/group")
async def group() -> None:
    await Below().in_a_group()


@get("/thread", sync_to_thread=True)
def on_thread() -> None:
    raise NotFound("after a while", extra={"deep": True})


@get("/from")
async def chained() -> None:
    try:
        raise ValueError("secret")
    except ValueError as error:
        raise NotFound("after a while", extra={"deep": True}) from error


@pytest.mark.parametrize("path", ["/suspended", "/group", "/thread", "/from"])
def test_wherever_it_is_raised(runtime: serving.Runtime, path: str) -> None:
    response = runtime.get(path)
    assert (response.status_code, response.json()) == (
        404,
        {
            "type": f"{ERRORS}not-found",
            "title": "Not Found",
            "status": 404,
            "detail": "after a while",
            "deep": True,
        },
    )
    assert runtime.log() == ""


def make_default() -> int:
    raise ServiceUnavailable("no numbers left", headers={"Retry-After": "1"})


@get("/default")
async def default(number: int = Query(default_factory=make_default)) -> int:
    return number


class Order(msgspec.Struct):
    amount: int

    def __post_init__(self) -> None:
        if self.amount == 13:
            raise ValueError("unlucky")
        if self.amount == 14:
            raise Conflict("no more orders")
        if self.amount == 15:
            raise ValidationError.from_field(("body", "amount"), "odd", type="odd", input=15)
        if self.amount == 16:
            raise KeyError("secret")


@post("/order")
async def order(value: Order) -> int:
    return value.amount


def test_in_a_default_factory(runtime: serving.Runtime) -> None:
    assert runtime.value("/default", number=3) == 3
    response = runtime.get("/default")
    assert (response.status_code, response.json()["detail"]) == (503, "no numbers left")
    assert response.headers["retry-after"] == "1"


@pytest.mark.parametrize(
    ("amount", "status_code", "said"),
    [
        (1, 200, "1"),
        (13, 422, "unlucky"),
        (14, 409, "no more orders"),
        (15, 422, "odd"),
        (16, 500, "Internal server error"),
    ],
)
def test_while_content_is_made(
    runtime: serving.Runtime, amount: int, status_code: int, said: str
) -> None:
    response = runtime.client.post("/order", json={"amount": amount})
    assert (response.status_code, said in response.text) == (status_code, True), response.text
    assert "secret" not in response.text


def test_all_errors_are_told_together() -> None:
    own = Spikard()

    @own.post("/{path}")
    def handler(
        path: int,
        value: Annotated[Order, Body()],
        query: int,
        limited: Annotated[int, Query(ge=3)] = 3,
    ) -> None: ...

    with TestClient(own) as client:
        document = client.post("/a?limited=2", json={"amount": "b"}).json()
    seen: dict[str, Any] = {".".join(entry["loc"]): entry["type"] for entry in document["errors"]}
    assert seen == {
        "path.path": "int_parsing",
        "query.query": "missing",
        "query.limited": "greater_than_equal",
        "body.amount": "int_parsing",
    }
    assert document["detail"] == "4 validation errors in request"
