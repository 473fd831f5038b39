"""What a handler receives for what a client sends, and what the client is told instead."""

import datetime
import decimal
import math
import uuid
from collections.abc import Callable
from datetime import timedelta, timezone
from typing import Annotated, Any

import pytest

from spikard import Path, Query, Spikard
from spikard.testing import TestClient, TestResponse

UTC = datetime.UTC


def ask(annotation: object, texts: str | list[str]) -> tuple[list[Any], TestResponse]:
    """What a handler with one argument of that type has received, and the response."""
    received: list[Any] = []

    def handler(value: Any) -> object:
        received.append(value)
        return value

    handler.__annotations__ = {"value": annotation}
    app = Spikard()
    app.get("/")(handler)
    with TestClient(app) as client:
        return received, client.get("/", params={"value": texts})


def errors(response: TestResponse) -> list[tuple[list[str], str]]:
    """Place and code of every error of a response."""
    assert response.status_code == 422, response.text
    assert response.headers["content-type"] == "application/problem+json"
    return [(error["loc"], error["type"]) for error in response.json()["errors"]]


def offset(minutes: int) -> timezone:
    return timezone(timedelta(minutes=minutes))


@pytest.mark.parametrize(
    ("annotation", "text", "expected"),
    [
        (str, "", ""),
        (str, "25", "25"),
        (str, " a b ", " a b "),
        (str, "é𝄞 ٣", "é𝄞 ٣"),
        (str, "a\0b\r\nc", "a\0b\r\nc"),
        (str, "%zz+&=?#/", "%zz+&=?#/"),
        (int, "42", 42),
        (int, "-42", -42),
        (int, "+7", 7),
        (int, "0123", 123),
        (int, "9223372036854775807", 2**63 - 1),
        (int, "9223372036854775808", 2**63),
        (int, "-9223372036854775809", -(2**63) - 1),
        (int, "1" + "0" * 30, 10**30),
        (int, "9" * 4300, 10**4300 - 1),
        (int, "-" + "9" * 4300, 1 - 10**4300),
        (float, "42", 42.0),
        (float, "1.5e-3", 0.0015),
        (float, "0.1", 0.1),
        (float, "1e-999", 0.0),
        (float, "9007199254740993", 9007199254740992.0),
        (bool, "true", True),
        (bool, "1", True),
        (bool, "YES", True),
        (bool, "on", True),
        (bool, "False", False),
        (bool, "0", False),
        (bool, "no", False),
        (bool, "off", False),
        (bool, "", False),
        (
            uuid.UUID,
            "C892496F-b1fd-4b91-bdb8-b46f92df1716",
            uuid.UUID("c892496f-b1fd-4b91-bdb8-b46f92df1716"),
        ),
        (uuid.UUID, "0" * 8 + "-0000-0000-0000-" + "0" * 12, uuid.UUID(int=0)),
        (datetime.date, "2024-02-29", datetime.date(2024, 2, 29)),
        (datetime.date, "0001-01-01", datetime.date.min),
        (datetime.date, "9999-12-31", datetime.date.max),
        (
            datetime.datetime,
            "2024-02-29T23:59:59Z",
            datetime.datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC),
        ),
        (datetime.datetime, "2024-01-01t00:00:00z", datetime.datetime(2024, 1, 1, tzinfo=UTC)),
        (
            datetime.datetime,
            "2024-01-01T00:00:00.123456789012+05:30",
            datetime.datetime(2024, 1, 1, microsecond=123456, tzinfo=offset(330)),
        ),
        (
            datetime.datetime,
            "2024-01-01T00:00:00.5-00:00",
            datetime.datetime(2024, 1, 1, microsecond=500_000, tzinfo=UTC),
        ),
        (
            datetime.datetime,
            "0001-01-01T00:00:00+14:00",
            datetime.datetime(1, 1, 1, tzinfo=offset(14 * 60)),
        ),
        (
            datetime.datetime,
            "9999-12-31T23:59:59-23:59",
            datetime.datetime(9999, 12, 31, 23, 59, 59, tzinfo=offset(-1439)),
        ),
        (datetime.time, "12:30:00", datetime.time(12, 30)),
        (datetime.time, "12:30:00z", datetime.time(12, 30, tzinfo=UTC)),
        (datetime.time, "12:30:00+05:30", datetime.time(12, 30, tzinfo=offset(330))),
        (
            datetime.time,
            "23:59:59.9999999",
            datetime.time(23, 59, 59, 999_999),
        ),
        (timedelta, "PT0S", timedelta(0)),
        (timedelta, "P1DT2H30M", timedelta(days=1, hours=2, minutes=30)),
        (timedelta, "PT1.5S", timedelta(seconds=1.5)),
        (timedelta, "PT1.0000001S", timedelta(seconds=1)),
        (timedelta, "P1.5D", timedelta(days=1.5)),
        (timedelta, "P2W", timedelta(weeks=2)),
        (decimal.Decimal, "10.500", decimal.Decimal("10.500")),
        (decimal.Decimal, "-.5", decimal.Decimal("-0.5")),
        (decimal.Decimal, "5.", decimal.Decimal(5)),
        (decimal.Decimal, "1" * 5000, decimal.Decimal("1" * 5000)),
        (int | None, "7", 7),
        (datetime.date | None, "2024-01-01", datetime.date(2024, 1, 1)),
    ],
)
def test_text_becomes_the_annotated_object(annotation: object, text: str, expected: object) -> None:
    received, response = ask(annotation, text)
    assert response.status_code == 200, response.text
    assert received == [expected]
    assert type(received[0]) is type(expected)


def test_decimals_keep_their_digits_and_floats_their_sign() -> None:
    [exact], _ = ask(decimal.Decimal, "10.500")
    assert str(exact) == "10.500"
    [zero], _ = ask(float, "-0")
    assert math.copysign(1, zero) == -1


@pytest.mark.parametrize(
    ("annotation", "text", "code"),
    [
        (int, "", "int_parsing"),
        (int, "42.5", "int_parsing"),
        (int, "1e3", "int_parsing"),
        (int, "1_000", "int_parsing"),
        (int, " 1", "int_parsing"),
        (int, "٣", "int_parsing"),
        (int, "0x10", "int_parsing"),
        (int, "true", "int_parsing"),
        (int, "9" * 4301, "int_parsing"),
        (float, "", "float_parsing"),
        (float, "nan", "float_parsing"),
        (float, "inf", "float_parsing"),
        (float, "1e999", "float_parsing"),
        (float, "1,5", "float_parsing"),
        (bool, "2", "bool_parsing"),
        (bool, "t", "bool_parsing"),
        (bool, " true", "bool_parsing"),
        (uuid.UUID, "not-a-uuid", "uuid_parsing"),
        (uuid.UUID, "c892496fb1fd4b91bdb8b46f92df1716", "uuid_parsing"),
        (uuid.UUID, "{c892496f-b1fd-4b91-bdb8-b46f92df1716}", "uuid_parsing"),
        (datetime.date, "2023-02-29", "date_parsing"),
        (datetime.date, "0000-01-01", "date_parsing"),
        (datetime.date, "20240101", "date_parsing"),
        (datetime.date, "10000-01-01", "date_parsing"),
        (datetime.datetime, "2024-01-01", "datetime_parsing"),
        (datetime.datetime, "2024-01-01T00:00:00", "datetime_parsing"),
        (datetime.datetime, "1704067200", "datetime_parsing"),
        (datetime.datetime, "2024-01-01T24:00:00Z", "datetime_parsing"),
        (datetime.time, "24:00:00", "validation_error"),
        (datetime.time, "12:30", "validation_error"),
        (timedelta, "1 day", "validation_error"),
        (timedelta, "-P1D", "validation_error"),
        (decimal.Decimal, "1e5", "validation_error"),
        (decimal.Decimal, "NaN", "validation_error"),
        (decimal.Decimal, "", "validation_error"),
        # The right form, and no object of Python.
        (datetime.datetime, "1990-12-31T23:59:60Z", "datetime_parsing"),
        (datetime.datetime, "1990-12-31T15:59:60-08:00", "datetime_parsing"),
        (datetime.time, "23:59:60", "validation_error"),
        (datetime.time, "00:29:60+00:30", "validation_error"),
        (timedelta, "P1Y", "validation_error"),
        (timedelta, "P1M", "validation_error"),
        (timedelta, "P1Y2M3DT4H5M6S", "validation_error"),
        (timedelta, "P999999999999D", "validation_error"),
        (timedelta, "P99999999999W", "validation_error"),
        (timedelta, "PT" + "9" * 400 + "S", "validation_error"),
        (timedelta, "P" + "9" * 5000 + "W", "validation_error"),
        (int | None, "x", "int_parsing"),
    ],
)
def test_other_text_is_refused_where_it_stands(annotation: object, text: str, code: str) -> None:
    received, response = ask(annotation, text)
    assert errors(response) == [(["query", "value"], code)]
    assert response.json()["errors"][0]["input"] == text
    assert received == []


@pytest.mark.parametrize(
    ("annotation", "texts", "expected"),
    [
        (list[str], ["a", "", "a"], ["a", "", "a"]),
        (list[int], ["3", "1", "3"], [3, 1, 3]),
        (list[int], ["7"], [7]),
        (set[int], ["3", "1", "3"], {1, 3}),
        (frozenset[str], ["a", "b", "a"], frozenset({"a", "b"})),
        (tuple[int, ...], ["3", "1"], (3, 1)),
        (list[bool], ["yes", "", "0"], [True, False, False]),
        (list, ["1", "x"], ["1", "x"]),
        (
            list[datetime.date],
            ["2024-01-01", "0001-01-01"],
            [datetime.date(2024, 1, 1), datetime.date.min],
        ),
        (set[uuid.UUID], [str(uuid.UUID(int=1))] * 2, {uuid.UUID(int=1)}),
        (tuple[decimal.Decimal, ...], ["1.0"], (decimal.Decimal("1.0"),)),
        (list[int] | None, ["1", "2"], [1, 2]),
    ],
)
def test_a_repeated_name_becomes_a_container(
    annotation: object, texts: list[str], expected: object
) -> None:
    received, response = ask(annotation, texts)
    assert response.status_code == 200, response.text
    assert received == [expected]
    assert type(received[0]) is type(expected)


def test_every_wrong_item_of_a_container_is_named() -> None:
    received, response = ask(list[int], ["1", "x", "3", "y"])
    assert errors(response) == [
        (["query", "value", "1"], "int_parsing"),
        (["query", "value", "3"], "int_parsing"),
    ]
    assert received == []


@pytest.mark.parametrize(
    ("annotation", "texts"),
    [
        (list[datetime.time], ["12:00:00", "23:59:60"]),
        (set[timedelta], ["P1D", "P1Y"]),
        (tuple[datetime.datetime, ...], ["1990-12-31T23:59:60Z"]),
    ],
)
def test_an_item_without_an_object_is_refused(annotation: object, texts: list[str]) -> None:
    received, response = ask(annotation, texts)
    assert [loc[:2] for loc, _ in errors(response)] == [["query", "value"]]
    assert received == []


def test_the_last_value_of_a_single_argument_counts() -> None:
    received, _ = ask(int, ["x", "1", "2"])
    assert received == [2]


def test_arguments_are_passed_as_the_signature_wants_them() -> None:
    app = Spikard()

    @app.get("/items/{second}")
    def handler(
        first: int, /, second: str, third: bool = True, *, fifth: float, fourth: str = "d"
    ) -> list[object]:
        return [first, second, third, fourth, fifth]

    with TestClient(app) as client:
        for query, expected in [
            ("first=1&fifth=5", [1, "b", True, "d", 5.0]),
            ("fifth=0.5&fourth=x&third=no&first=2", [2, "b", False, "x", 0.5]),
        ]:
            assert client.get(f"/items/b?{query}").json() == expected, query
        response = client.get("/items/b?third=maybe")
        assert sorted(errors(response)) == [
            (["query", "fifth"], "missing"),
            (["query", "first"], "missing"),
            (["query", "third"], "bool_parsing"),
        ]


def test_async_handlers_take_the_same_arguments() -> None:
    app = Spikard()

    @app.get("/")
    async def handler(value: int, *, other: int = 2) -> list[int]:
        return [value, other]

    with TestClient(app) as client:
        assert client.get("/?value=1").json() == [1, 2]
        assert client.get("/?value=1&other=3").json() == [1, 3]
        assert errors(client.get("/?value=x")) == [(["query", "value"], "int_parsing")]


def test_errors_of_all_arguments_come_together() -> None:
    app = Spikard()

    @app.get("/{item}/{day}")
    def handler(item: int, day: datetime.date, limit: int, name: str) -> None:
        raise AssertionError("not called")

    with TestClient(app) as client:
        found = errors(client.get("/x/y?limit=z"))
    assert sorted(found) == [
        (["path", "day"], "date_parsing"),
        (["path", "item"], "int_parsing"),
        (["query", "limit"], "int_parsing"),
        (["query", "name"], "missing"),
    ]


def test_defaults_stand_for_what_is_absent() -> None:
    app = Spikard()

    @app.get("/")
    def handler(
        plain: int = 1,
        marked: int = Query(2),
        annotated: Annotated[int, Query()] = 3,
        optional: int | None = None,
        optional_without_default: int | None = Query(None),
        any_object: Any = "five",
    ) -> list[object]:
        return [plain, marked, annotated, optional, optional_without_default, any_object]

    with TestClient(app) as client:
        assert client.get("/").json() == [1, 2, 3, None, None, "five"]
        assert client.get("/?optional=4&any_object=6").json() == [1, 2, 3, 4, None, "6"]


@pytest.mark.parametrize("default", [Query(default_factory=list), [], Query([])])
def test_no_request_changes_the_default_of_the_next(default: list[int]) -> None:
    app = Spikard()

    def handler(values: list[int] = default) -> list[int]:
        values.append(1)
        return values

    app.get("/")(handler)
    with TestClient(app) as client:
        for _ in range(3):
            assert client.get("/").json() == [1]
        assert client.get("/?values=5").json() == [5, 1]


def test_a_default_factory_is_called_for_requests_without_the_parameter_only() -> None:
    calls = iter(range(10))
    app = Spikard()

    @app.get("/")
    def handler(value: int = Query(default_factory=lambda: next(calls))) -> int:
        return value

    with TestClient(app) as client:
        answers = [client.get(target).json() for target in ["/", "/?value=7", "/", "/"]]
    assert answers == [0, 7, 1, 2]


def test_a_default_factory_that_fails_is_the_servers_fault() -> None:
    app = Spikard()

    def fail() -> int:
        raise ValueError("no default today")

    @app.get("/")
    def handler(value: int = Query(default_factory=fail)) -> int:
        return value

    with TestClient(app) as client:
        assert client.get("/").status_code == 500
        assert client.get("/?value=7").json() == 7


@pytest.mark.parametrize(
    ("template", "annotation", "path", "expected"),
    [
        ("/{value}", str, "/a%20b%2Fc", "a b/c"),
        ("/{value}", int, "/7", 7),
        ("/{value}", uuid.UUID, f"/{uuid.UUID(int=7)}", uuid.UUID(int=7)),
        ("/{value:int}", None, "/007", 7),
        ("/{value:uuid}", str, f"/{uuid.UUID(int=7)}", str(uuid.UUID(int=7))),
        ("/{value:path}", str, "/a/b%20c/d", "a/b c/d"),
        ("/é/{value}", str, "/%C3%A9/%F0%9D%84%9E", "𝄞"),
    ],
)
def test_path_parameters(template: str, annotation: object, path: str, expected: object) -> None:
    received: list[object] = []

    def handler(value: Any) -> None:
        received.append(value)

    handler.__annotations__ = {} if annotation is None else {"value": annotation}
    app = Spikard()
    app.get(template)(handler)
    with TestClient(app) as client:
        client.get(path).raise_for_status()
    assert received == [expected]


def test_an_alias_is_the_name_in_the_request() -> None:
    app = Spikard()

    @app.get("/{item-id}")
    def handler(
        item_id: int = Path(alias="item-id"), sort: str = Query(alias="sort[by]")
    ) -> list[object]:
        return [item_id, sort]

    with TestClient(app) as client:
        assert client.get("/7", params={"sort[by]": "name"}).json() == [7, "name"]
        assert errors(client.get("/x?sort=name")) == [
            (["path", "item-id"], "int_parsing"),
            (["query", "sort[by]"], "missing"),
        ]


def test_arguments_of_a_method_and_of_a_callable_object() -> None:
    class Shop:
        def method(self, value: int) -> int:
            return value + 1

        def __call__(self, value: int) -> int:
            return value + 2

    app = Spikard()
    handlers: list[tuple[str, Callable[[int], int]]] = [
        ("/method", Shop().method),
        ("/object", Shop()),
    ]
    for path, handler in handlers:
        app.get(path)(handler)
    with TestClient(app) as client:
        assert [client.get(path, params={"value": 1}).json() for path, _ in handlers] == [2, 3]
