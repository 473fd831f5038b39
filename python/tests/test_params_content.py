"""From arguments that take the content of a request to what decodes it, and its schema."""

import datetime
import enum
import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Generic, Literal, NamedTuple, TypedDict, TypeVar
from uuid import UUID

import attrs
import jsonschema  # type: ignore[import-untyped]
import msgspec
import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikard import Body, Form, Query, SignatureError, Spikard, ValidationError
from spikard.plan import BodyPlan, CompiledRoute, FileRule
from spikard.signature import compile_route

T = TypeVar("T")

# The real ones are compiled; their module and name are what tells them.
UploadFile: Any = type("UploadFile", (), {"__module__": "spikard"})
Request: Any = type("Request", (), {"__module__": "spikard"})


class User(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    user_name: str
    age: Annotated[int, msgspec.Meta(ge=0)] | None = None


class Cat(msgspec.Struct, tag="cat"):
    lives: int = 9


class Dog(msgspec.Struct, tag="dog"):
    name: str


class Zoo(msgspec.Struct):
    animal: Cat | Dog
    others: list[Cat] = []


class Page(msgspec.Struct, Generic[T]):
    items: list[T]
    price: Decimal = Decimal(0)
    seen: datetime.datetime | None = None
    tags: set[str] = set()


class Tree(msgspec.Struct):
    children: list["Tree"] = []


class Point(NamedTuple):
    x: int
    y: int = 0


class Movie(TypedDict):
    title: str
    year: int


@dataclass
class Order:
    id: UUID
    kind: Literal["new", "old"] = "new"


@attrs.define
class Item:
    name: str
    count: int = 1


class Color(enum.Enum):
    RED = "red"


class Model(pydantic.BaseModel):
    name: str = pydantic.Field(min_length=2)
    point: "Inner | None" = None


class Inner(pydantic.BaseModel):
    x: int

    @pydantic.field_validator("x")
    @classmethod
    def small(cls, value: int) -> int:
        if value > 9:
            raise ValueError("too big")
        return value


class Holder(msgspec.Struct):
    model: Model


class Profile(msgspec.Struct):
    name: str
    age: int = 0


class Upload(msgspec.Struct):
    title: str
    file: UploadFile


def compiled(
    handler: Callable[..., object], method: str = "POST", path: str = "/", **options: Any
) -> CompiledRoute:
    app = Spikard()
    app.route(path, methods=[method], **options)(handler)
    return compile_route(app.routes[0])


def handler_of(**annotations: object) -> Callable[..., object]:
    scope: dict[str, Any] = {}
    exec(f"def handler({', '.join(annotations)}): ...", scope)
    handler: Callable[..., object] = scope["handler"]
    handler.__annotations__ = annotations
    handler.__module__ = __name__
    return handler


def body_of(annotation: object, **options: Any) -> BodyPlan:
    body = compiled(handler_of(value=annotation), **options).body
    assert body is not None
    return body


def accepts(body: BodyPlan, value: object) -> bool:
    assert body.schema is not None
    jsonschema.Draft202012Validator.check_schema(body.schema)
    valid: bool = jsonschema.Draft202012Validator(body.schema).is_valid(value)
    return valid


def decodes(body: BodyPlan, value: object) -> bool:
    assert body.decode is not None
    try:
        body.decode(json.dumps(value).encode())
    except (msgspec.ValidationError, ValidationError):
        return False
    return True


ONE = "c9bf9e57-1685-4c89-bafb-ff5af830be8a"


@pytest.mark.parametrize(
    ("annotation", "data", "expected"),
    [
        (User, {"userName": "Ada"}, User("Ada")),
        (Cat | Dog, {"type": "dog", "name": "Rex"}, Dog("Rex")),
        (Page[int], {"items": [1]}, Page([1])),
        (Order, {"id": ONE}, Order(UUID(ONE))),
        (Movie, {"title": "M", "year": 1931}, {"title": "M", "year": 1931}),
        (Point, [1, 2], Point(1, 2)),
        (Item, {"name": "a"}, Item("a")),
        (Model, {"name": "Ada", "point": {"x": 1}}, Model(name="Ada", point=Inner(x=1))),
        (list[Model], [{"name": "Ada"}], [Model(name="Ada")]),
        (Holder, {"model": {"name": "Ada"}}, Holder(Model(name="Ada"))),
        (list[User], [{"userName": "a"}], [User("a")]),
        (dict, {"a": 1}, {"a": 1}),
        (dict[str, int], {"a": 1}, {"a": 1}),
        (Mapping[str, int], {"a": 1}, {"a": 1}),
        (User | None, None, None),
        (Annotated[int, Body()], 3, 3),
        (Annotated[str, Body()], "text", "text"),
        (Annotated[int | str, Body()], "text", "text"),
        (Annotated[Color, Body()], "red", Color.RED),
        (Annotated[list[int], Body()], [1], [1]),
        (Annotated[Any, Body()], [None], [None]),
    ],
    ids=str,
)
def test_content_is_decoded_by_the_owner_of_its_type(
    annotation: object, data: object, expected: object
) -> None:
    route = compiled(handler_of(value=annotation))
    (argument,), body = route.arguments, route.body
    assert body is not None and body.decode is not None
    assert (argument.kind, argument.source, body.argument) == ("body", "body", "value")
    assert (body.kind, body.convert) == ("json", None)
    made = body.decode(json.dumps(data).encode())
    assert (made, type(made)) == (expected, type(expected))
    assert accepts(body, data)


def test_required_and_defaults() -> None:
    def required(value: User) -> None: ...
    def optional(value: User | None) -> None: ...
    def with_default(value: dict[str, int] = {}) -> None: ...  # noqa: B006
    def marked(value: int = Body(3)) -> None: ...
    def by_factory(value: list[int] = Body(default_factory=list)) -> None: ...

    # handler, whether it is required, default
    cases: list[tuple[Callable[..., object], bool, object]] = [
        (required, True, None),
        (optional, False, None),
        (marked, False, 3),
        (with_default, False, None),
        (by_factory, False, None),
    ]
    for handler, is_required, default in cases:
        route = compiled(handler)
        body, (argument,) = route.body, route.arguments
        assert body is not None
        assert (body.required, body.default) == (is_required, default), handler
        assert (argument.required, argument.default) == (is_required, default), handler
        assert argument.default_factory is body.default_factory
    body = compiled(by_factory).body
    assert body is not None and body.default_factory is list


def test_constraints_of_content() -> None:
    body = body_of(Annotated[int, Body(ge=3, title="Size")])
    assert body.schema == {"type": "integer", "minimum": 3, "title": "Size"}
    assert decodes(body, 3) and not decodes(body, 2)
    body = body_of(Annotated[list[Model], Body(max_length=1)])
    assert body.schema is not None and body.schema["maxItems"] == 1
    assert not decodes(body, [{"name": "ab"}] * 2)


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "TRACE"])
def test_methods_without_content(method: str) -> None:
    with pytest.raises(SignatureError, match=r"`User` is content.*`Annotated\[\.\.\., Query"):
        compiled(handler_of(value=User), method)
    body = compiled(handler_of(value=Annotated[User, Body()]), method).body
    assert body is not None and body.kind == "json"


def test_what_is_content_without_a_marker() -> None:
    # annotation, kind of the argument
    for annotation, kind in [
        (User, "body"),
        (User | None, "body"),
        (list[User], "body"),
        (dict[str, Any], "body"),
        (AsyncIterator[bytes], "body"),
        (list[int], "parameter"),
        (int | str, "parameter"),
        (bytes, "parameter"),
        (Any, "parameter"),
        (Color, "parameter"),
        (Literal["a"], "parameter"),
        (Request, "request"),
        (UploadFile, "field"),
        (list[UploadFile], "field"),
        (Annotated[User, Query()], "model"),
        (Annotated[int, Form()], "field"),
        (Annotated[Profile, Form()], "body"),
    ]:
        for method in ("POST", "PUT", "PATCH", "DELETE", "QUERY"):
            if method == "POST" or kind == "body":
                handler = handler_of(value=annotation)
                (argument,) = compiled(handler, method).arguments
                assert argument.kind == kind, (annotation, method)


def test_a_name_of_the_path_is_no_content() -> None:
    with pytest.raises(SignatureError, match="argument `value`: the type `User` is not supported"):
        compiled(handler_of(value=User), path="/{value}")


def test_raw_content() -> None:
    # annotation, kind, whether it is required
    for annotation, kind, required in [
        (Annotated[bytes, Body()], "bytes", True),
        (Annotated[bytes | None, Body()], "bytes", False),
        (AsyncIterator[bytes], "stream", True),
        (Annotated[AsyncIterator[bytes], Body()], "stream", True),
    ]:
        body = body_of(annotation)
        assert (body.kind, body.required) == (kind, required), annotation
        assert (body.schema, body.decode, body.convert) == (None, None, None)


def test_a_request_alone_leaves_the_content_alone() -> None:
    route = compiled(handler_of(value=Request))
    assert route.body is None
    assert [(it.kind, it.source) for it in route.arguments] == [("request", "request")]


def test_pydantic_names_its_errors_itself() -> None:
    body = body_of(Model)
    assert body.decode is not None
    with pytest.raises(ValidationError) as refused:
        body.decode(b'{"name": "a", "point": {"x": 10}}')
    assert [(it["type"], it["loc"], it["input"]) for it in refused.value.errors] == [
        ("string_too_short", ["body", "name"], "a"),
        ("value_error", ["body", "point", "x"], 10),
    ]
    assert refused.value.errors[0]["ctx"] == {"min_length": 2}
    json.dumps(refused.value.errors)
    # Content that is no JSON is not the model's affair.
    with pytest.raises(pydantic.ValidationError):
        body.decode(b"{")


def test_schema_given_as_such() -> None:
    schema = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}

    def open_(body): ...  # type: ignore[no-untyped-def]
    def plain(data: dict[str, Any]) -> None: ...
    def typed(data: Profile) -> None: ...
    def marked(data: Annotated[Any, Body()]) -> None: ...
    def with_query(data, page: int = 1): ...  # type: ignore[no-untyped-def]
    def nobody() -> None: ...

    # handler, argument, what plain data becomes
    data = {"name": "Ada"}
    cases: list[tuple[Callable[..., object], str | None, object]] = [
        (open_, "body", data),
        (plain, "data", data),
        (typed, "data", Profile("Ada")),
        (marked, "data", data),
        (with_query, "data", data),
        (nobody, None, data),
    ]
    for handler, argument, made in cases:
        body = compiled(handler, body_schema=schema).body
        assert body is not None
        assert (body.argument, body.kind, body.schema) == (argument, "value", schema), handler
        assert (body.convert(data) if body.convert else data) == made, handler
    in_marker = body_of(Annotated[dict[str, Any], Body(schema=schema)])
    assert (in_marker.kind, in_marker.schema) == ("value", schema)


def test_forms() -> None:
    body = body_of(Annotated[Profile, Form()])
    assert (body.kind, body.decode) == ("form", None)
    assert body.schema == {
        "title": "Profile",
        "type": "object",
        "properties": {"name": {"type": "string"}, "age": {"type": "integer", "default": 0}},
        "required": ["name"],
    }
    assert body.convert is not None
    # A member that the schema could not convert is still a text.
    assert body.convert({"name": "Ada", "age": "3"}) == Profile("Ada", 3)
    plain = body_of(Annotated[dict[str, Any], Form()])
    assert (plain.kind, plain.convert) == ("form", None)
    optional = body_of(Annotated[Profile | None, Form()])
    assert (optional.schema, optional.required) == (body.schema, False)
    recursive = body_of(Annotated[Tree, Form()])
    assert accepts(recursive, {"children": [{"children": []}]})
    assert not accepts(recursive, {"children": [{"children": 1}]})


def test_fields_of_forms_and_files() -> None:
    def handler(
        name: Annotated[str, Form(min_length=1)],
        photo: UploadFile,
        tags: Annotated[list[str], Form(alias="tag")],
        when: Annotated[datetime.date | None, Form()],
        others: tuple[UploadFile, ...] = (),
        page: int = 1,
    ) -> None: ...

    route = compiled(handler)
    # name, kind, wire name, whether it is required
    assert [(it.name, it.kind, it.wire_name, it.required) for it in route.arguments] == [
        ("name", "field", "name", True),
        ("photo", "field", "photo", True),
        ("tags", "field", "tag", True),
        ("when", "field", "when", False),
        ("others", "field", "others", False),
        ("page", "parameter", "page", False),
    ]
    body = route.body
    assert body is not None
    assert (body.argument, body.kind, body.convert) == (None, "form", None)
    binary = {"type": "string", "format": "binary"}
    assert body.schema == {
        "type": "object",
        "properties": {
            "name": {"type": "string", "minLength": 1},
            "tag": {"type": "array", "items": {"type": "string"}},
            "when": {"type": "string", "format": "date"},
            "photo": binary,
            "others": {"type": "array", "items": binary},
        },
        "required": ["name", "tag"],
    }
    assert body.files == (
        FileRule(field="photo", required=True),
        FileRule(field="others", required=False),
    )
    assert [it.convert for it in route.arguments][4] is tuple


def test_a_model_beside_files_is_a_form() -> None:
    for annotation in (Profile, Annotated[Profile, Form()]):
        body = compiled(handler_of(data=annotation, photo=UploadFile)).body
        assert body is not None and body.schema is not None
        assert (body.argument, body.kind) == ("data", "form")
        assert set(body.schema["properties"]) == {"name", "age", "photo"}  # type: ignore[call-overload]
        assert body.schema["required"] == ["name"]


def test_files_inside_models() -> None:
    body = body_of(Annotated[Upload, Form()])
    assert body.schema is not None and body.convert is not None
    assert body.schema["properties"]["file"] == {"type": "string", "format": "binary"}  # type: ignore[index]
    file = UploadFile()
    assert body.convert({"title": "a", "file": file}) == Upload("a", file)
    with pytest.raises(ValueError, match="Input should be a file"):
        body.convert({"title": "a", "file": "b"})


def test_declared_files() -> None:
    rules: dict[str, dict[str, object]] = {
        "profile-image": {
            "content_type": ["image/PNG", "image/jpeg"],
            "validate_magic_numbers": True,
        },
        "notes": {"required": False, "content_type": "text/plain"},
    }
    expected = (
        FileRule(
            field="profile-image",
            content_types=("image/png", "image/jpeg"),
            validate_magic_numbers=True,
        ),
        FileRule(field="notes", required=False, content_types=("text/plain",)),
    )

    def single(profile_image, notes): ...  # type: ignore[no-untyped-def]
    def whole(data: dict[str, Any]) -> None: ...
    def untyped(data): ...  # type: ignore[no-untyped-def]
    def nobody() -> None: ...

    for handler in (single, whole, untyped, nobody):
        body = compiled(handler, file_params=rules).body
        assert body is not None
        assert (body.kind, body.files) == ("form", expected), handler
    arguments = compiled(single, file_params=rules).arguments
    assert [(it.kind, it.wire_name, it.required) for it in arguments] == [
        ("field", "profile-image", True),
        ("field", "notes", False),
    ]

    def beside(notes, page): ...  # type: ignore[no-untyped-def]

    arguments = compiled(beside, file_params=rules).arguments
    assert [(it.kind, it.source) for it in arguments] == [("field", "body"), ("parameter", "query")]
    body = compiled(whole, file_params=rules, body_schema={"type": "object"}).body
    assert body is not None and (body.kind, body.files) == ("value", expected)


def test_mistakes() -> None:
    class Odd: ...

    # handler, options, parts of the message
    cases: list[tuple[Callable[..., object], dict[str, Any], list[str]]] = [
        (
            handler_of(a=User, b=Order),
            {},
            ["arguments `a` and `b` would each be the content", "a: User; b: Order"],
        ),
        (handler_of(a=Annotated[Odd, Body()]), {}, ["the type `", "Odd` cannot be decoded"]),
        (handler_of(a=Annotated[list[Odd], Body()]), {}, ["Odd` cannot be decoded; use a msgspec"]),
        (handler_of(a=Annotated[dict[str, Dog | User], Body()]), {}, ["cannot be decoded"]),
        (handler_of(a=list["Missing"]), {}, ["argument `a`", "the name `Missing`"]),  # type: ignore[name-defined] # noqa: F821
        (handler_of(a=User | Model), {}, ["pydantic cannot take `", "User"]),
        (handler_of(a=Annotated[int, Body(pattern="a")]), {}, ["argument `a`"]),
        (handler_of(a=Annotated[int | str, Body(ge=2)]), {}, ["belong to the member"]),
        (handler_of(a=Annotated[int, Body(ge=2, le=1)]), {}, ["no value is within"]),
        (handler_of(a=Annotated[bytes, Body(min_length=1)]), {}, ["is not looked at"]),
        (handler_of(a=Annotated[Request, Query()]), {}, ["the request itself takes no marker"]),
        (handler_of(a=Annotated[UploadFile, Query()]), {}, ["its marker is Form()"]),
        (handler_of(a=Annotated[User, Body()], b=UploadFile), {}, ["mark it Form()"]),
        (handler_of(a=Annotated[list[Profile], Form()]), {}, ["is not supported"]),
        (handler_of(a=Any, b=Any), {"body_schema": {}}, ["`a` and `b` could each", "Body()"]),
        (handler_of(a=Annotated[Any, Body(schema={})]), {"body_schema": {}}, ["keep one"]),
        (handler_of(a=Any), {"body_schema": {"a": object()}}, ["is not plain JSON data"]),
        (handler_of(), {"file_params": {"a": 1}}, ["`a` of `file_params` must be a dictionary"]),
        (handler_of(), {"file_params": {"a": {"types": []}}}, ["`a` of `file_params` has 'types'"]),
        (handler_of(), {"file_params": {"a": {"required": 1}}}, ["must be true or false"]),
        (handler_of(), {"file_params": {"a": {"content_type": [1]}}}, ["a list of media types"]),
        (
            handler_of(a=Annotated[str, Form()], b=Annotated[str, Form(alias="a")]),
            {},
            ["`a` and `b` both take the body parameter `a`"],
        ),
    ]
    for handler, options, parts in cases:
        with pytest.raises(SignatureError) as error:
            compiled(handler, **options)
        for part in parts:
            assert part in str(error.value), f"{part!r} in {error.value}"


def test_names_that_a_model_cannot_see() -> None:
    class Hidden(msgspec.Struct):
        value: "NotThere"  # type: ignore[name-defined] # noqa: F821

    with pytest.raises(SignatureError, match="the name `NotThere` in the annotations"):
        compiled(handler_of(a=Hidden))


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-20, 20)
    | st.floats(allow_nan=False, allow_infinity=False).filter(lambda value: value % 1 != 0)
    | st.sampled_from(["", "cat", "dog", "new", "old", "red", "ab"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "lives", "name", "userName", "age", "animal", "others", "items"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(value=json_values)
def test_the_schema_takes_what_the_decoder_takes(value: object) -> None:
    for annotation, content in [
        (User, value),
        (Zoo, value),
        (Zoo, {"animal": value}),
        (Cat | Dog, value),
        (Cat | Dog | None, value),
        (Page[int], {"items": [1], "tags": value}),
        (Page[User | None], {"items": [value]}),
        (Item, value),
        (dict[str, Cat], {"a": value}),
        (Annotated[int | None, Body(ge=0)], value),
        (Annotated[list[Color], Body(min_length=1)], value),
        (Tree, {"children": value}),
    ]:
        body = _compiled_once(annotation)
        assert accepts(body, content) == decodes(body, content), (annotation, content)


_bodies: list[tuple[object, BodyPlan]] = []


def _compiled_once(annotation: object) -> BodyPlan:
    for known, body in _bodies:
        if known == annotation:
            return body
    _bodies.append((annotation, body_of(annotation)))
    return _bodies[-1][1]


def test_where_the_schema_of_msgspec_asks_for_more_than_its_decoder() -> None:
    # annotation, content that the decoder takes
    for annotation, content in [
        (Cat, {}),
        (Zoo, {"animal": {"type": "cat"}, "others": [{}]}),
        (Page[int], {"items": [], "price": 1.5}),
        (Page[int], {"items": [], "price": 2, "tags": ["a", "a"]}),
        (Page[int], {"items": [], "seen": "2026-02-28T10:30:00"}),
    ]:
        body = body_of(annotation)
        assert decodes(body, content), annotation
        assert accepts(body, content), annotation
