"""From markers, constraints and types to the schemas and conversions of parameters."""

import datetime
import enum
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import (
    Annotated,
    Any,
    Generic,
    Literal,
    NamedTuple,
    NewType,
    NotRequired,
    TypedDict,
    TypeVar,
)
from uuid import UUID

import annotated_types
import attrs
import msgspec
import pydantic
import pytest
from typing_extensions import TypeAliasType

from spikard import Cookie, Form, Header, Path, Query, SignatureError, Spikard, ValidationError
from spikard.plan import Argument, CompiledRoute
from spikard.signature import compile_route

T = TypeVar("T")
Bounded = TypeVar("Bounded", bound=UUID)
OneOf = TypeVar("OneOf", int, str)
Age = NewType("Age", int)
Adult = Annotated[Age, annotated_types.Ge(18)]
Pair = TypeAliasType("Pair", list[T], type_params=(T,))
Plain = TypeAliasType("Plain", Annotated[int, Query(ge=1)])

DATE = datetime.date(2026, 2, 28)
DAY = datetime.timedelta(days=1)
ID = "c9bf9e57-1685-4c89-bafb-ff5af830be8a"


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Mixed(enum.Enum):
    ONE = 1
    TWO = "two"


class Unusual(enum.Enum):
    PAIR = (1, 2)


def compiled(
    handler: Callable[..., object], path: str = "/", method: str = "POST", **options: Any
) -> CompiledRoute:
    app = Spikard()
    app.route(path, methods=[method], **options)(handler)
    return compile_route(app.routes[0])


def annotated(annotation: object, default: object = ...) -> Argument:
    def plain(value: Any) -> None: ...
    def with_default(value: Any = default) -> None: ...

    handler = plain if default is ... else with_default
    handler.__annotations__ = {"value": annotation}
    (argument,) = compiled(handler, method="GET").arguments
    return argument


@pytest.mark.parametrize(
    ("annotation", "schema", "value", "expected"),
    [
        (bytes, {"type": "string"}, "é", "é".encode()),
        (Literal["a", "b"], {"type": "string", "enum": ["a", "b"]}, "a", "a"),
        (Literal[1, 2], {"type": "integer", "enum": [1, 2]}, 2, 2),
        (Literal[True], {"type": "boolean", "enum": [True]}, True, True),
        (Literal[Color.RED], {"type": "string", "enum": ["red"]}, "red", Color.RED),
        (
            Literal[1, "a"],
            {"anyOf": [{"type": "integer", "enum": [1]}, {"type": "string", "enum": ["a"]}]},
            "a",
            "a",
        ),
        (Color, {"type": "string", "enum": ["red", "blue"]}, "blue", Color.BLUE),
        (Level, {"type": "integer", "enum": [1, 2]}, 2, Level.HIGH),
        (
            Mixed,
            {"anyOf": [{"type": "integer", "enum": [1]}, {"type": "string", "enum": ["two"]}]},
            "two",
            Mixed.TWO,
        ),
        (int | str, {"anyOf": [{"type": "integer"}, {"type": "string"}]}, "a", "a"),
        (
            int | UUID | Color,
            {
                "anyOf": [
                    {"type": "integer"},
                    {"type": "string", "format": "uuid"},
                    {"type": "string", "enum": ["red", "blue"]},
                ]
            },
            "red",
            Color.RED,
        ),
        (
            list[int | datetime.date],
            {
                "type": "array",
                "items": {"anyOf": [{"type": "integer"}, {"type": "string", "format": "date"}]},
            },
            [1, "2026-02-28"],
            [1, DATE],
        ),
        (
            set[Color],
            {"type": "array", "items": {"type": "string", "enum": ["red", "blue"]}},
            ["red"],
            {Color.RED},
        ),
        (Adult, {"type": "integer", "minimum": 18}, 20, 20),
        (
            Pair[UUID],
            {"type": "array", "items": {"type": "string", "format": "uuid"}},
            [ID],
            [UUID(ID)],
        ),
        (Plain, {"type": "integer", "minimum": 1}, 1, 1),
        (Bounded, {"type": "string", "format": "uuid"}, ID, UUID(ID)),
        (OneOf, {"anyOf": [{"type": "integer"}, {"type": "string"}]}, 1, 1),
        (
            list[OneOf],  # type: ignore[valid-type]
            {"type": "array", "items": {"anyOf": [{"type": "integer"}, {"type": "string"}]}},
            [1],
            [1],
        ),
        (T, {}, "a", "a"),
    ],
    ids=str,
)
def test_types(annotation: object, schema: object, value: object, expected: object) -> None:
    argument = annotated(annotation)
    made = argument.convert(value) if argument.convert else value
    assert argument.schema == schema
    assert (made, type(made)) == (expected, type(expected))


def test_optional_unions_and_literals() -> None:
    # annotation, schema
    for annotation, schema in [
        (int | str | None, {"anyOf": [{"type": "integer"}, {"type": "string"}]}),
        (Literal["a", None], {"type": "string", "enum": ["a"]}),
        (Color | None, {"type": "string", "enum": ["red", "blue"]}),
        (Annotated[int, msgspec.Meta(ge=1)] | None, {"type": "integer", "minimum": 1}),
        (Annotated[int | None, Query(ge=1)], {"type": "integer", "minimum": 1}),
    ]:
        argument = annotated(annotation)
        assert (argument.schema, argument.required) == (schema, False), annotation


@pytest.mark.parametrize(
    ("annotation", "schema"),
    [
        (
            Annotated[int, Query(ge=1, lt=10, multiple_of=3)],
            {"type": "integer", "minimum": 1, "exclusiveMaximum": 10, "multipleOf": 3},
        ),
        (
            Annotated[float, Query(gt=0.5, le=2)],
            {"type": "number", "exclusiveMinimum": 0.5, "maximum": 2},
        ),
        (Annotated[float, Query(ge=Decimal("0.5"))], {"type": "number", "minimum": 0.5}),
        (
            Annotated[str, Query(min_length=1, max_length=5, pattern="^a")],
            {"type": "string", "minLength": 1, "maxLength": 5, "pattern": "^a"},
        ),
        (
            Annotated[list[str], Query(min_length=1), annotated_types.MaxLen(2)],
            {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 2},
        ),
        (
            list[Annotated[int, annotated_types.Interval(gt=0, le=9)]],
            {"type": "array", "items": {"type": "integer", "exclusiveMinimum": 0, "maximum": 9}},
        ),
        (
            Annotated[str, annotated_types.Len(2, 3)],
            {"type": "string", "minLength": 2, "maxLength": 3},
        ),
        (Annotated[int, annotated_types.MultipleOf(5)], {"type": "integer", "multipleOf": 5}),
        (
            Annotated[int, pydantic.Field(ge=3, description="of it")],
            {"type": "integer", "minimum": 3, "description": "of it"},
        ),
        (
            Annotated[int, msgspec.Meta(gt=0, title="Size", extra_json_schema={"x": 1})],
            {"type": "integer", "exclusiveMinimum": 0, "title": "Size", "x": 1},
        ),
        # All of several constraints hold.
        (Annotated[Adult, Query(ge=21, le=99)], {"type": "integer", "minimum": 21, "maximum": 99}),
        (Annotated[Adult, Query(gt=3)], {"type": "integer", "minimum": 18}),
        (
            Annotated[int, Query(ge=1), msgspec.Meta(gt=1)],
            {"type": "integer", "exclusiveMinimum": 1},
        ),
        (
            Annotated[str, Query(pattern="a"), msgspec.Meta(pattern="b")],
            {"type": "string", "allOf": [{"pattern": "a"}, {"pattern": "b"}]},
        ),
        (
            Annotated[int | str, Query(ge=1, max_length=3)],
            {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "maxLength": 3}]},
        ),
        (
            Annotated[
                str, Query(title="T", description="D", examples=("a",), schema={"format": "email"})
            ],
            {
                "type": "string",
                "title": "T",
                "description": "D",
                "examples": ["a"],
                "format": "email",
            },
        ),
        (Annotated[Any, Query(min_length=2)], {"type": "string", "minLength": 2}),
        (
            Annotated[Any, Query(schema={"type": "integer"}, ge=2)],
            {"type": "integer", "minimum": 2},
        ),
        (Annotated[Any, Query(schema={"anyOf": []})], {"anyOf": []}),
        (Annotated[Any, Query(title="T")], {"title": "T"}),
    ],
    ids=str,
)
def test_constraints(annotation: object, schema: object) -> None:
    assert annotated(annotation).schema == schema


def test_bounds_of_types_that_travel_as_texts() -> None:
    day = datetime.timedelta(days=1)
    # annotation, text that fits, text that does not, code, context
    for annotation, valid, invalid, code, context in [
        (Annotated[Decimal, Query(gt=0)], "0.01", "0", "greater_than", {"gt": 0}),
        (Annotated[Decimal, Query(le=0.5)], "0.5", "0.51", "less_than_equal", {"le": 0.5}),
        (
            Annotated[Decimal, Query(multiple_of=Decimal("0.5"))],
            "1.5",
            "1.2",
            "validation_error",
            {"multiple_of": 0.5},
        ),
        (
            Annotated[datetime.date, Query(ge=DATE)],
            "2026-02-28",
            "2026-02-27",
            "greater_than_equal",
            {"ge": "2026-02-28"},
        ),
        (
            Annotated[datetime.timedelta, Query(lt=day)],
            "PT1H",
            "P1D",
            "less_than",
            {"lt": "1 day, 0:00:00"},
        ),
        (
            list[Annotated[Decimal, annotated_types.Gt(1)]],
            ["2"],
            ["2", "1"],
            "greater_than",
            {"gt": 1},
        ),
    ]:
        convert = annotated(annotation).convert
        assert convert is not None
        convert(valid)
        with pytest.raises(ValidationError) as refused:
            convert(invalid)
        (error,) = refused.value.errors
        input_ = invalid[-1] if isinstance(invalid, list) else invalid
        assert (error["type"], error["loc"], error["input"]) == (code, ["query", "value"], input_)
        assert error["ctx"] == context, annotation


def test_places_and_wire_names() -> None:
    # marker, name of the argument, source, wire name
    for marker, name, source, wire_name in [
        (Query(), "a_b", "query", "a_b"),
        (Query(alias="A-b"), "x", "query", "A-b"),
        (Header(), "x_token", "header", "x-token"),
        (Header(convert_underscores=False), "x_token", "header", "x_token"),
        (Header(alias="X-API-Key"), "key", "header", "x-api-key"),
        (Cookie(), "session_id", "cookie", "session_id"),
        (Cookie(alias="Session"), "session", "cookie", "Session"),
        (Path(), "id", "path", "id"),
        (Path(alias="id"), "user", "path", "id"),
    ]:

        def handler(value: Any) -> None: ...

        scope: dict[str, Any] = {"marker": marker}
        exec(f"def handler({name}=marker): ...", scope)
        (argument,) = compiled(scope["handler"], "/{id}").arguments
        assert (argument.source, argument.wire_name) == (source, wire_name), marker
        assert argument.kind == "parameter"


def test_separators() -> None:
    assert annotated(Annotated[list[int], Query(separator="|")]).separator == "|"
    assert annotated(list[int]).separator is None


class Page(msgspec.Struct):
    number: Annotated[int, msgspec.Meta(ge=1)]
    size: int = 20
    tags: list[str] = msgspec.field(default_factory=list)


class Renamed(msgspec.Struct, rename="camel", kw_only=True):
    page_number: int
    sort_by: Literal["name", "age"] | None = None


@dataclass
class Filters:
    since: datetime.date
    text: Annotated[str, Query(alias="q", min_length=2)] = ""
    ids: list[UUID] = field(default_factory=list)


class Options(TypedDict):
    limit: int
    offset: NotRequired[int]


class Point(NamedTuple):
    x: float
    y: float = 0.0


@attrs.define
class Window:
    start: int
    end: int = 10
    labels: list[str] = attrs.field(factory=list)


class Credentials(pydantic.BaseModel):
    x_token: str
    level: int = pydantic.Field(1, ge=1, alias="x_level")

    @pydantic.field_validator("x_token")
    @classmethod
    def known(cls, value: str) -> str:
        if value == "bad":
            raise ValueError("unknown token")
        return value


@dataclass
class Between(Generic[T]):
    low: T
    high: T


@pytest.mark.parametrize(
    ("annotation", "wire_names", "required", "values", "expected"),
    [
        (
            Annotated[Page, Query()],
            ["number", "size", "tags"],
            [True, False, False],
            [1, 2, ["a"]],
            Page(1, 2, ["a"]),
        ),
        (
            Annotated[Renamed, Query()],
            ["pageNumber", "sortBy"],
            [True, False],
            [1, "age"],
            Renamed(page_number=1, sort_by="age"),
        ),
        (
            Annotated[Filters, Query()],
            ["since", "q", "ids"],
            [True, False, False],
            [DATE, "ab", []],
            Filters(DATE, "ab"),
        ),
        (
            Annotated[Options, Query()],
            ["limit", "offset"],
            [True, False],
            [1, 2],
            {"limit": 1, "offset": 2},
        ),
        (Annotated[Options, Query()], ["limit", "offset"], [True, False], [1, ...], {"limit": 1}),
        (Annotated[Point, Cookie()], ["x", "y"], [True, False], [1.0, 2.0], Point(1.0, 2.0)),
        (
            Annotated[Window, Query()],
            ["start", "end", "labels"],
            [True, False, False],
            [1, 2, []],
            Window(1, 2),
        ),
        (
            Annotated[Credentials, Header()],
            ["x-token", "x_level"],
            [True, False],
            ["a", 2],
            Credentials(x_token="a", x_level=2),
        ),
        (
            Annotated[Credentials, Header()],
            ["x-token", "x_level"],
            [True, False],
            ["a", ...],
            Credentials.model_validate({"x_token": "a"}),
        ),
        (Annotated[Between[int], Query()], ["low", "high"], [True, True], [1, 2], Between(1, 2)),
    ],
    ids=str,
)
def test_parameter_models(
    annotation: object,
    wire_names: list[str],
    required: list[bool],
    values: list[Any],
    expected: object,
) -> None:
    argument = annotated(annotation)
    assert argument.kind == "model"
    assert [it.wire_name for it in argument.fields] == wire_names
    assert [it.required for it in argument.fields] == required
    assert argument.required is any(required)
    assert argument.build is not None
    given = [
        it.default if value is ... else value
        for it, value in zip(argument.fields, values, strict=True)
    ]
    made = argument.build(*given)
    assert (made, type(made)) == (expected, type(expected))


def test_fields_of_parameter_models_are_parameters() -> None:
    number, size, tags = annotated(Annotated[Page, Query()]).fields
    assert (number.name, number.source, number.schema) == (
        "number",
        "query",
        {"type": "integer", "minimum": 1},
    )
    assert (size.default, tags.default_factory) == (20, list)
    since, text, ids = annotated(Annotated[Filters, Query()]).fields
    assert since.convert is not None and since.convert("2026-02-28") == DATE
    assert text.schema == {"type": "string", "minLength": 2}
    assert ids.convert is not None and ids.convert([ID]) == [UUID(ID)]
    # What makes the model by position needs no wrapper.
    assert annotated(Annotated[Page, Query()]).build is Page
    assert [it.schema for it in annotated(Annotated[Between[int], Query()]).fields] == [
        {"type": "integer"}
    ] * 2


def test_what_a_pydantic_model_refuses_is_told_in_place() -> None:
    build = annotated(Annotated[Credentials, Header()]).build
    assert build is not None
    with pytest.raises(ValidationError) as refused:
        build("bad", 2)
    (error,) = refused.value.errors
    assert error["loc"] == ["headers", "x-token"]
    assert error["type"] == "value_error"
    assert error["input"] == "bad"


class Crud(Generic[T]):
    def read(self, key: T) -> None: ...


class Users(Crud[UUID]): ...


class Chain(Generic[Bounded], Crud[Bounded]): ...


def test_type_variables_of_classes() -> None:
    # handler, schema
    cases: list[tuple[Callable[..., object], dict[str, object]]] = [
        (Users().read, {"type": "string", "format": "uuid"}),
        (Crud[int]().read, {"type": "integer"}),
        (Chain[UUID]().read, {"type": "string", "format": "uuid"}),
        (Crud().read, {}),
    ]
    for handler, schema in cases:
        (argument,) = compiled(handler).arguments
        assert argument.schema == schema


def test_declared_parameters() -> None:
    properties: dict[str, object] = {
        "X-API-Key": {"type": "string", "source": "headers", "minLength": 3},
        "id": {"type": "string", "format": "uuid", "source": "path"},
        "tags": {
            "type": "array",
            "items": {"type": "string"},
            "source": "query",
            "separator": "|",
            "optional": True,
        },
        "since": {"type": "string", "format": "date", "source": "query", "default": "2026-02-28"},
        "class": {"type": "integer", "source": "query", "required": False},
        "session": {"type": "string", "source": "cookie", "httponly": True},
        "unused": {"type": "integer", "source": "query"},
    }
    schema = {"type": "object", "properties": properties}

    def handler(
        x_api_key: Any,
        id: str,
        tags: Any,
        since: datetime.date,
        class_: Any,
        session: str,
        free: int = 1,
    ) -> None: ...

    route = compiled(handler, "/{id}", parameter_schema=schema)
    # name, source, wire name, schema, required, default, separator
    assert [
        (it.name, it.source, it.wire_name, it.schema, it.required, it.default, it.separator)
        for it in route.arguments
    ] == [
        ("x_api_key", "header", "x-api-key", {"type": "string", "minLength": 3}, True, None, None),
        ("id", "path", "id", {"type": "string", "format": "uuid"}, True, None, None),
        ("tags", "query", "tags", {"type": "array", "items": {"type": "string"}}, False, None, "|"),
        ("since", "query", "since", {"type": "string", "format": "date"}, False, DATE, None),
        ("class_", "query", "class", {"type": "integer"}, False, None, None),
        ("session", "cookie", "session", {"type": "string"}, True, None, None),
        ("free", "query", "free", {"type": "integer"}, False, 1, None),
    ]
    # As sent, unless the annotation asks for more.
    assert [it.convert is not None for it in route.arguments] == [False] * 3 + [True] + [False] * 3
    assert [(it.wire_name, it.required) for it in route.checked] == [("unused", True)]


def test_required_list_of_declared_parameters() -> None:
    schema = {
        "type": "object",
        "properties": {
            "a": {"type": "integer", "source": "query"},
            "b": {"type": "integer", "source": "query"},
            "c": {"type": "integer", "source": "query", "required": True},
        },
        "required": ["a"],
    }

    def handler(a, b, c): ...  # type: ignore[no-untyped-def]

    arguments = compiled(handler, parameter_schema=schema).arguments
    assert [it.required for it in arguments] == [True, False, True]


def test_mistakes() -> None:
    def value(annotation: object) -> Callable[..., object]:
        def handler(value: Any) -> None: ...

        handler.__annotations__ = {"value": annotation}
        return handler

    # annotation of `value`, part of the message
    cases: list[tuple[object, str]] = [
        (Annotated[int, Query(min_length=1)], "`min_length` is for texts and lists"),
        (Annotated[str, Query(ge=1)], "`ge` is for numbers, Decimal, date and timedelta"),
        (Annotated[bool, Query(ge=1)], "`ge` is for numbers"),
        (Annotated[UUID, Query(pattern="a")], "`pattern` is for texts, which its type is not"),
        (Annotated[Color, Query(min_length=1)], "`min_length` is for texts and lists"),
        (Annotated[list[int], Query(ge=1)], "`list[Annotated[T, Query(ge=...)]]`"),
        (Annotated[int | float, Query(pattern="a")], "`pattern` is for texts"),
        (Annotated[int, Query(ge=2, le=1)], "no value is within `ge=2` and `le=1`"),
        (Annotated[int, Query(gt=1, le=1)], "no value is within `gt=1` and `le=1`"),
        (Annotated[int, Query(ge=float("nan"))], "`ge=nan` must be a finite number"),
        (Annotated[int, annotated_types.Ge("1")], "`ge='1'` must be a finite number"),
        (Annotated[int, Query(multiple_of=0)], "`multiple_of=0` must be greater than 0"),
        (Annotated[str, Query(min_length=-1)], "`min_length=-1` must be a whole number"),
        (Annotated[str, Query(min_length=2, max_length=1)], "no length is within"),
        (
            Annotated[str, msgspec.Meta(pattern="a"), annotated_types.Len(3, 2)],
            "no length is within",
        ),
        (Annotated[datetime.date, Query(ge=1)], "`ge=1` must be a date"),
        (Annotated[datetime.date, Query(multiple_of=1)], "`multiple_of` is for numbers"),
        (Annotated[datetime.datetime, Query(ge=1)], "`ge` is for numbers"),
        (Annotated[Decimal, Query(ge=Decimal("nan"))], "is no possible bound"),
        (Annotated[Any, Query(ge=1)], "`ge` needs a type"),
        (Annotated[int, Query(schema={"type": "string"})], "asks for a value of type integer"),
        (Annotated[str, Query(schema={"x": object()})], "is not plain JSON data"),
        (Annotated[str, Query(separator=",")], "a separator splits a value into items"),
        (Annotated[str, Header(alias="a b")], "`a b` cannot be the name of a header"),
        (Annotated[str, Cookie(alias="a;b")], "`a;b` cannot be the name of a cookie"),
        (Unusual, "`Unusual.PAIR` has the value (1, 2)"),
        (Literal[b"a"], "which no text stands for"),
        (list[list[int]], "the type `list[int]` is not supported"),
        (list[int] | int, "is not supported"),
        (Annotated[Page | None, Query()], "each with a default of its own"),
        (Annotated[Page, Query(ge=1)], "constraints, alias and separator belong to its fields"),
        (Annotated[Page, Path()], "field `number`: Path() needs `{number}`"),
        (Annotated[Between[complex], Query()], "field `low`: the type `complex` is not supported"),
        (Annotated[Filters, Header()], "field `text`: its marker is not the one of the model"),
    ]
    for annotation, message in cases:
        with pytest.raises(SignatureError) as error:
            compiled(value(annotation), method="GET")
        assert message in str(error.value), annotation
        assert "argument `value`" in str(error.value), annotation


def test_mistakes_in_declared_parameters() -> None:
    def handler(a: int = 3) -> None: ...

    # properties, part of the message
    cases: list[tuple[dict[str, object], str]] = [
        ({"a": 1}, "`a` of `parameter_schema` must be an object"),
        ({"a": {}}, "has the source None; there are query, path, headers and cookie"),
        ({"a": {"source": "query", "optional": 1}}, "`optional` must be true or false"),
        ({"a": {"source": "query", "separator": "ab"}}, "must be one character"),
        ({"a": {"source": "query", "separator": ","}}, "a separator splits a value into items"),
        ({"a": {"source": "path"}}, "`{a}` is missing in the path template"),
        ({"a": {"source": "query", "type": "string"}}, "asks for a value of type integer"),
        ({"a": {"source": "query", "type": "integer", "default": 4}}, "it has two defaults"),
        ({"b": {"source": "path"}}, "`{b}` is missing in the path template"),
    ]
    for properties, message in cases:
        with pytest.raises(SignatureError) as error:
            compiled(handler, parameter_schema={"type": "object", "properties": properties})
        assert message in str(error.value), properties
    with pytest.raises(SignatureError, match="needs `properties`"):
        compiled(handler, parameter_schema={"type": "object"})

    def marked(a: int = Query()) -> None: ...

    with pytest.raises(SignatureError, match="has a marker; keep one"):
        compiled(marked, parameter_schema={"properties": {"a": {"source": "query"}}})


def test_markers_that_contradict_themselves() -> None:
    # marker, arguments, part of the message
    cases: list[tuple[Callable[..., object], dict[str, Any], str]] = [
        (Query, {"separator": "ab"}, "the separator 'ab' must be one character"),
        (Query, {"grater": 1}, "has no `grater`"),
        (Header, {"default": 1, "default_factory": int}, "not both"),
        (Cookie, {"alias": ""}, "must be a name"),
        (Form, {"default_factory": 1}, "must be callable"),
    ]
    for marker, arguments, message in cases:
        with pytest.raises(SignatureError, match=message):
            marker(**arguments)
