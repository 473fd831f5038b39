"""From signatures of handlers to plans of arguments."""

import datetime
import functools
import typing
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, NewType, Optional
from uuid import UUID

import pytest

from collecting import Modules
from spikard import Path, Query, SignatureError, Spikard
from spikard.plan import Argument
from spikard.signature import compile_route

if TYPE_CHECKING:
    from fractions import Fraction

UserId = NewType("UserId", int)


def compiled(handler: Callable[..., object], path: str = "/") -> tuple[Argument, ...]:
    app = Spikard()
    app.get(path)(handler)
    return compile_route(app.routes[0]).arguments


def annotated(annotation: object) -> Argument:
    def handler(value: Any) -> None: ...

    handler.__annotations__["value"] = annotation
    (argument,) = compiled(handler)
    return argument


def test_types_become_schemas_and_conversions() -> None:
    def text(format_: str) -> dict[str, object]:
        return {"type": "string", "format": format_}

    def array(items: dict[str, object]) -> dict[str, object]:
        return {"type": "array", "items": items}

    string: dict[str, object] = {"type": "string"}
    integer: dict[str, object] = {"type": "integer"}
    one = "c9bf9e57-1685-4c89-bafb-ff5af830be8a"
    utc = datetime.UTC
    # annotation, schema, converted value, object of it
    for annotation, schema, value, expected in [
        (str, string, "a", "a"),
        (int, integer, 1, 1),
        (float, {"type": "number"}, 1.5, 1.5),
        (bool, {"type": "boolean"}, True, True),
        (UUID, text("uuid"), one, UUID(one)),
        (datetime.date, text("date"), "2026-02-28", datetime.date(2026, 2, 28)),
        (datetime.time, text("time"), "10:30:00", datetime.time(10, 30)),
        (datetime.time, text("time"), "10:30:00z", datetime.time(10, 30, tzinfo=utc)),
        (
            datetime.datetime,
            text("date-time"),
            "2026-02-28t10:30:00.25z",
            datetime.datetime(2026, 2, 28, 10, 30, 0, 250_000, utc),
        ),
        (
            datetime.datetime,
            text("date-time"),
            "2026-02-28T10:30:00+02:00",
            datetime.datetime(2026, 2, 28, 8, 30, tzinfo=utc),
        ),
        (
            datetime.timedelta,
            text("duration"),
            "P1DT2H30M",
            datetime.timedelta(days=1, hours=2, minutes=30),
        ),
        (datetime.timedelta, text("duration"), "P2W", datetime.timedelta(weeks=2)),
        (datetime.timedelta, text("duration"), "PT0.5S", datetime.timedelta(milliseconds=500)),
        (Decimal, text("decimal"), "1.10", Decimal("1.10")),
        (UserId, integer, 1, 1),
        (Any, {}, "a", "a"),
        (list, array(string), ["a"], ["a"]),
        (list[int], array(integer), [1, 1], [1, 1]),
        (set[int], array(integer), [1, 1], {1}),
        (frozenset[UUID], array(text("uuid")), [one, one], frozenset([UUID(one)])),
        (tuple[Decimal, ...], array(text("decimal")), ["1", "2"], (Decimal(1), Decimal(2))),
        (typing.List[UUID], array(text("uuid")), [one], [UUID(one)]),  # noqa: UP006
        (list[Annotated[int, "note"]], array(integer), [1], [1]),
    ]:
        argument = annotated(annotation)
        made = argument.convert(value) if argument.convert else value
        assert argument.schema == schema, annotation
        assert (made, type(made)) == (expected, type(expected)), annotation
        assert argument.required, annotation


def test_values_that_need_no_conversion_have_none() -> None:
    for annotation in (str, int, float, bool, list[str], int | None, Any):
        assert annotated(annotation).convert is None, annotation


@pytest.mark.parametrize(
    ("annotation", "text"),
    [
        (UUID, "no"),
        (datetime.date, "2026-02-30"),
        (datetime.datetime, "2026-12-31T23:59:60Z"),
        (datetime.timedelta, "P1Y"),
        (datetime.timedelta, "P99999999999W"),
        (datetime.timedelta, "P99999999999D"),
    ],
)
def test_texts_without_an_object_are_refused(annotation: object, text: str) -> None:
    convert = annotated(annotation).convert
    assert convert is not None
    with pytest.raises((ValueError, ArithmeticError)):
        convert(text)


@pytest.mark.parametrize(
    "annotation",
    [UUID | None, None | UUID, Optional[UUID], Annotated[UUID | None, "note"]],  # noqa: UP045
    ids=str,
)
def test_optional_arguments_are_none_when_absent(annotation: object) -> None:
    argument = annotated(annotation)
    assert (argument.required, argument.default) == (False, None)
    assert argument.schema == {"type": "string", "format": "uuid"}
    assert argument.convert is UUID


def test_places_names_and_defaults() -> None:
    def plain(a, b=1): ...  # type: ignore[no-untyped-def]
    def typed(a: int, b: int = 1, c: int | None = None) -> None: ...
    def markers(
        a: int = Query(...), b: int = Query(1), c: int = Query(default_factory=int)
    ) -> None: ...
    def inside(
        a: Annotated[int, Query()], b: Annotated[int, Query(1)], c: Annotated[int, Query()] = 2
    ) -> None: ...
    def alias(a: str = Query(alias="sort-by"), b: str = Path(alias="id")) -> None: ...
    def by_name(a: int, /, *, b: int, c: int = 1) -> None: ...
    def twice(id: int | None = None) -> None: ...
    def query_in_spite(id: int = Query(1)) -> None: ...

    # handler, path; per argument: name, source, wire name, required, default
    cases: list[tuple[Callable[..., object], str, list[tuple[object, ...]]]] = [
        (plain, "/", [("a", "query", "a", True, None), ("b", "query", "b", False, 1)]),
        (plain, "/{a}", [("a", "path", "a", True, None), ("b", "query", "b", False, 1)]),
        (plain, "/{a:int}/{b}", [("a", "path", "a", True, None), ("b", "path", "b", True, None)]),
        (
            typed,
            "/x{a:int}",
            [
                ("a", "path", "a", True, None),
                ("b", "query", "b", False, 1),
                ("c", "query", "c", False, None),
            ],
        ),
        (
            markers,
            "/",
            [
                ("a", "query", "a", True, None),
                ("b", "query", "b", False, 1),
                ("c", "query", "c", False, None),
            ],
        ),
        (
            inside,
            "/",
            [
                ("a", "query", "a", True, None),
                ("b", "query", "b", False, 1),
                ("c", "query", "c", False, 2),
            ],
        ),
        (
            alias,
            "/{id}/{unused}",
            [("a", "query", "sort-by", True, None), ("b", "path", "id", True, None)],
        ),
        (
            by_name,
            "/",
            [
                ("a", "query", "a", True, None),
                ("b", "query", "b", True, None),
                ("c", "query", "c", False, 1),
            ],
        ),
        (twice, "/", [("id", "query", "id", False, None)]),
        (twice, "/{id}", [("id", "path", "id", True, None)]),
        (query_in_spite, "/{id}", [("id", "query", "id", False, 1)]),
    ]
    for handler, path, expected in cases:
        arguments = [
            (it.name, it.source, it.wire_name, it.required, it.default)
            for it in compiled(handler, path)
        ]
        assert arguments == expected, f"{handler.__name__} at {path}"
    assert [it.keyword_only for it in compiled(by_name)] == [False, True, True]
    assert [it.schema for it in compiled(plain)] == [{}, {}]
    assert compiled(markers)[2].default_factory is int


def test_a_mutable_default_is_copied_for_each_request() -> None:
    shared = ["a"]

    def plain(tags: list[str] = shared) -> None: ...
    def marked(tags: list[str] = Query(shared)) -> None: ...

    for handler in (plain, marked):
        (argument,) = compiled(handler)
        assert argument.default_factory is not None
        made = argument.default_factory()
        assert made == shared and made is not shared


def test_kinds_of_callables(modules: Modules) -> None:
    def function(a: int, b: int = 1) -> None: ...

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> None: ...

    class Methods:
        def method(self, a: int, b: int = 1) -> None: ...

        @classmethod
        def on_class(cls, a: int, b: int = 1) -> None: ...

        @staticmethod
        def static(a: int, b: int = 1) -> None: ...

        def __call__(self, a: int, b: int = 1) -> None: ...

    async def coroutine(a: int, b: int = 1) -> None: ...

    def three(a: int, service: object, b: int = 1) -> None: ...

    texts = modules.load(
        "texts",
        """
        from __future__ import annotations
        import functools
        from uuid import UUID as Id

        def function(a: int, service: Id, b: "int" = 1): ...

        class Caller:
            def __call__(self, a: int, b: int = 1): ...
            def method(self, a: int, b: int = 1): ...

        class Counter:
            pass

        partial = functools.partial(function, service=Counter())
        """,
    )
    # handler, its qualified name, names of its arguments
    for handler, name in [
        (function, "function"),
        (wrapper, "function"),
        (Methods().method, "Methods.method"),
        (Methods.on_class, "Methods.on_class"),
        (Methods.static, "Methods.static"),
        (Methods(), "Methods"),
        (coroutine, "coroutine"),
        (functools.partial(three, service=object()), "three"),
        (functools.partial(three, 1), "three"),
        (texts.partial, "function"),
        (texts.Caller(), "Caller"),
        (texts.Caller().method, "Caller.method"),
    ]:
        app = Spikard()
        app.get("/")(handler)
        route = compile_route(app.routes[0])
        assert route.name.rpartition("<locals>.")[2].rpartition("texts.")[2] == name
        assert route.location.rpartition(":")[0] in (__file__, texts.__file__), name
        if handler is not None and getattr(handler, "args", ()) == (1,):
            assert [it.name for it in route.arguments] == ["service", "b"]
            continue
        assert [it.name for it in route.arguments] == ["a", "b"], name
        assert [it.schema for it in route.arguments] == [{"type": "integer"}] * 2, name


def test_annotations_as_text(modules: Modules) -> None:
    texts = modules.load(
        "texts",
        """
        from __future__ import annotations
        from typing import Annotated, Optional
        from spikard import Path, Query

        def handler(
            id: Annotated[Id, Path()],
            ids: Annotated[list["Id"], Query(alias="i")],
            when: Optional["datetime"] = None,
        ): ...

        def enclosing():
            from decimal import Decimal

            def handler(price: Decimal):
                return Decimal(price)

            return handler

        # Later than the handlers: annotations are read when the app freezes.
        from datetime import datetime
        from uuid import UUID as Id
        """,
    )
    one, many, when = compiled(texts.handler, "/{id}")
    assert (one.source, one.convert) == ("path", UUID)
    assert (many.wire_name, many.schema) == (
        "i",
        {"type": "array", "items": {"type": "string", "format": "uuid"}},
    )
    assert when.schema == {"type": "string", "format": "date-time"}
    assert compiled(texts.enclosing())[0].convert is Decimal


def test_errors_name_the_argument_and_the_fix() -> None:
    def type_checking(value: "Fraction") -> None: ...
    def not_python(value: Any) -> None: ...
    def unsupported(value: complex) -> None: ...
    def nested(value: list[list[int]]) -> None: ...
    def union(value: int | complex) -> None: ...
    def pair(value: tuple[int, str]) -> None: ...
    def optional_items(value: list[int | None]) -> None: ...
    def unhashable(value: Any) -> None: ...
    def positional(*value: int) -> None: ...
    def keywords(**value: int) -> None: ...
    def no_such_path(value: int = Path()) -> None: ...
    def default_in_path(id: Annotated[int, Path(3)]) -> None: ...
    def many_in_path(id: list[int]) -> None: ...
    def two_markers(value: Annotated[int, Query()] = Query(1)) -> None: ...
    def two_defaults(value: Annotated[int, Query(1)] = 2) -> None: ...
    def one_name(value: int, other: int = Query(alias="value")) -> None: ...

    not_python.__annotations__["value"] = "list["
    unhashable.__annotations__["value"] = {"a": 1}
    # handler, argument, parts of the message
    cases: list[tuple[Callable[..., object], str, list[str]]] = [
        (type_checking, "value", ["the name `Fraction`", "outside `if TYPE_CHECKING:`"]),
        (not_python, "value", ["its annotation `list[` cannot be evaluated"]),
        (unsupported, "value", ["the type `complex` is not supported", "UUID", "`T | None`"]),
        (nested, "value", ["the type `list[int]` is not supported"]),
        (union, "value", ["the type `int | complex` is not supported"]),
        (pair, "value", ["the type `tuple[int, str]` is not supported", "tuple[T, ...]"]),
        (optional_items, "value", ["the type `int | None` is not supported"]),
        (unhashable, "value", ["the type `{'a': 1}` is not supported"]),
        (positional, "value", ["`*value` has no names", "name every argument"]),
        (keywords, "value", ["`**value` has no names", "name every argument"]),
        (no_such_path, "value", ["Path() needs `{value}` in the path template"]),
        (default_in_path, "id", ["a path parameter is always there; remove the default"]),
        (many_in_path, "id", ["a path parameter is one value"]),
        (two_markers, "value", ["it has two markers"]),
        (two_defaults, "value", ["it has two defaults"]),
        (one_name, "other", ["both take the query parameter `value`; change one alias"]),
    ]
    for handler, argument, parts in cases:
        with pytest.raises(SignatureError) as error:
            compiled(handler, "/{id}")
        message = str(error.value)
        where = f"{__name__}.test_errors_name_the_argument_and_the_fix.<locals>.{handler.__name__}"
        for part in [f"`{where}`", __file__, f"`{argument}`", *parts]:
            assert part in message, f"{part!r} in {message!r}"


def test_a_callable_without_a_signature() -> None:
    with pytest.raises(SignatureError, match="Python knows no signature"):
        compiled(max)


def test_markers_that_contradict_themselves() -> None:
    # arguments of Query, part of the message
    cases: list[tuple[dict[str, Any], str]] = [
        ({"default": 1, "default_factory": int}, "`default` or `default_factory`, not both"),
        ({"default_factory": 1}, "must be callable"),
        ({"alias": ""}, "must be a name"),
        ({"alias": 1}, "must be a name"),
    ]
    for arguments, message in cases:
        with pytest.raises(SignatureError, match=message):
            Query(**arguments)
