"""What handlers raise to answer, and who answers for what they raise."""

import copy
import inspect
import json
import pickle
from typing import Any

import pytest

import spikard
from spikard import (
    BadRequest,
    Conflict,
    HTTPException,
    NotFound,
    Request,
    Response,
    RouteError,
    Spikard,
    SpikardError,
    ValidationError,
)
from spikard.testing import TestClient

NAMED = {
    "BadRequest": 400,
    "NotAuthorized": 401,
    "PermissionDenied": 403,
    "NotFound": 404,
    "MethodNotAllowed": 405,
    "Conflict": 409,
    "Gone": 410,
    "RequestEntityTooLarge": 413,
    "UnsupportedMediaType": 415,
    "ValidationError": 422,
    "TooManyRequests": 429,
    "InternalServerError": 500,
    "ServiceUnavailable": 503,
}


def attributes(error: HTTPException) -> tuple[object, ...]:
    return (error.status_code, error.detail, error.headers, error.type, error.title, error.extra)


def test_every_name_has_its_status() -> None:
    exported = {
        name: getattr(spikard, name).status_code
        for name in spikard.__all__
        if inspect.isclass(getattr(spikard, name))
        and issubclass(getattr(spikard, name), HTTPException)
    }
    del exported["HTTPException"]
    assert exported == NAMED
    for name in NAMED:
        error = getattr(spikard, name)()
        assert attributes(error) == (NAMED[name], "", None, None, None, None)
        assert isinstance(error, SpikardError)


def test_attributes() -> None:
    class OutOfStock(HTTPException):
        type = "https://shop.example/out-of-stock"
        title = "Out of Stock"

    named: dict[str, Any] = {
        "headers": {"retry-after": "3"},
        "type": "https://shop.example/a",
        "title": "A",
        "extra": {"left": 0},
    }
    for error, expected in [
        (HTTPException(418), (418, "", None, None, None, None)),
        (HTTPException(418, "short"), (418, "short", None, None, None, None)),
        (HTTPException(418, "short", **named), (418, "short", *named.values())),
        (NotFound("no user", **named), (404, "no user", *named.values())),
        (BadRequest(), (400, "", None, None, None, None)),
        (OutOfStock(409, "gone"), (409, "gone", None, OutOfStock.type, OutOfStock.title, None)),
        (OutOfStock(409, title="B"), (409, "", None, OutOfStock.type, "B", None)),
        (
            ValidationError(detail="no", headers=[("a", "1")]),
            (422, "no", [("a", "1")], None, None, None),
        ),
    ]:
        assert attributes(error) == expected, error
        assert error.errors == ()


def test_texts() -> None:
    one = ValidationError.from_field(("body", "age"), "too old")
    for error, text in [
        (HTTPException(418), "418"),
        (NotFound("no user"), "404: no user"),
        (one, "422: body.age: too old"),
        (one + one, "422: body.age: too old; body.age: too old"),
        (ValidationError(detail="no"), "422: no"),
    ]:
        assert str(error) == text


def test_entries() -> None:
    for error, expected in [
        (
            ValidationError.from_field("query", "no"),
            {"type": "value_error", "loc": ["query"], "msg": "no", "input": None},
        ),
        (
            ValidationError.from_field(
                ("body", "items", 2), "no", type="taken", input=[1], ctx={"by": "Ada"}
            ),
            {
                "type": "taken",
                "loc": ["body", "items", "2"],
                "msg": "no",
                "input": [1],
                "ctx": {"by": "Ada"},
            },
        ),
    ]:
        assert error.errors == (expected,)
        json.dumps(error.errors)


def test_several_are_one() -> None:
    first, second, third = (ValidationError.from_field("body", text) for text in "abc")
    for error in (first + second + third, ValidationError.combined([first, second, third])):
        assert [entry["msg"] for entry in error.errors] == ["a", "b", "c"]
    assert ValidationError.combined([]).errors == ()
    with pytest.raises(TypeError):
        first + ValueError()  # type: ignore[operator]


def test_copies_are_equal() -> None:
    for error in (
        HTTPException(418, "short", headers={"a": "1"}, extra={"b": 1}),
        NotFound("no user", title="T"),
        ValidationError.from_field(("body", "a"), "no", input=1),
    ):
        for again in (copy.copy(error), pickle.loads(pickle.dumps(error))):
            assert type(again) is type(error)
            assert (attributes(again), again.errors) == (attributes(error), error.errors)


def test_the_handler_of_the_most_specific_type_answers() -> None:
    app = Spikard()

    @app.exception_handler(HTTPException)
    def http(request: Request, error: HTTPException) -> object:
        return {"http": error.status_code}

    @app.exception_handler(NotFound)
    async def not_found(request: Request, error: NotFound) -> object:
        return Response({"missing": error.detail}, status_code=410)

    @app.exception_handler(ArithmeticError)
    async def arithmetic(request: Request, error: ArithmeticError) -> object:
        raise ValueError("again")

    raised: dict[str, Exception] = {
        "http": HTTPException(418),
        "conflict": Conflict(),
        "missing": NotFound("a"),
        "division": ZeroDivisionError(),
        "other": KeyError("a"),
    }

    @app.get("/sync/{name}")
    def sync_handler(name: str) -> None:
        raise raised[name]

    @app.get("/async/{name}")
    async def async_handler(name: str) -> None:
        raise raised[name]

    with TestClient(app) as client:
        for prefix in ("sync", "async"):
            # what is raised, status, content
            for name, status, content in [
                ("http", 200, {"http": 418}),
                ("conflict", 200, {"http": 409}),
                ("missing", 410, {"missing": "a"}),
            ]:
                response = client.get(f"/{prefix}/{name}")
                assert (response.status_code, response.json()) == (status, content), name
            for name in ("division", "other"):
                response = client.get(f"/{prefix}/{name}")
                assert response.status_code == 500, name
                assert response.headers["content-type"] == "application/problem+json"

    # Exception handlers stay the functions that they are.
    assert http(None, HTTPException(418)) == {"http": 418}  # type: ignore[arg-type]
    with pytest.raises(RouteError, match="the app is frozen"):
        app.exception_handler(KeyError)(http)


def test_mistakes_with_exception_handlers() -> None:
    app = Spikard()

    def first(request: object, error: Exception) -> None: ...
    def second(request: object, error: Exception) -> None: ...

    app.exception_handler(KeyError)(first)
    # A notebook cell that runs again replaces what it declared.
    app.exception_handler(KeyError)(first)
    with pytest.raises(RouteError, match=r"`KeyError` is handled by `.*first`"):
        app.exception_handler(KeyError)(second)
    for wrong in (404, BaseException, KeyboardInterrupt, "KeyError"):
        with pytest.raises(RouteError, match="is no type of exceptions"):
            app.exception_handler(wrong)  # type: ignore[arg-type]
    with pytest.raises(RouteError, match="is no function"):
        app.exception_handler(KeyError)(1)  # type: ignore[type-var]
