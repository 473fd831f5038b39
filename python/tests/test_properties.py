"""What holds for whatever content is sent: what is accepted, and which places are named."""

import json
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikard import Body, Spikard
from spikard.testing import TestClient

settings.register_profile("spikard", derandomize=True, database=None, deadline=None)
fixed = settings(settings.get_profile("spikard"), max_examples=150)


class Address(msgspec.Struct):
    street: str
    number: int = 1


class Person(msgspec.Struct, rename="camel"):
    full_name: Annotated[str, msgspec.Meta(min_length=1, max_length=8)]
    age: Annotated[int, msgspec.Meta(ge=0, lt=150)] | None = None
    tags: set[str] = set()
    address: Address | None = None


class Strict(msgspec.Struct, forbid_unknown_fields=True):
    a: int
    b: float = 0.0


class Circle(msgspec.Struct, tag="circle"):
    radius: float


class Square(msgspec.Struct, tag="square"):
    side: int


class Tree(msgspec.Struct):
    value: bool
    children: list["Tree"] = []


TYPES: dict[str, Any] = {
    "person": Person,
    "strict": Strict,
    "shape": Circle | Square,
    "tree": Tree,
    "people": list[Person],
    "numbers": dict[str, int],
    "mixed": int | str | list[bool] | None,
    "literal": Literal["a", "b", 3],
    "pair": tuple[int, str],
    "object": dict[str, Any],
}

app = Spikard()


def declare(name: str, annotation: Any) -> None:
    async def handler(value):  # type: ignore[no-untyped-def]
        return None

    handler.__annotations__["value"] = Annotated[annotation, Body()]
    app.post(f"/{name}")(handler)


for name, annotation in TYPES.items():
    declare(name, annotation)


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(app) as opened:
        yield opened


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-3, 200)
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "a", "b", "circle", "square", "123456789"])
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
)
NAMES = ["fullName", "age", "tags", "address", "street", "number", "a", "type", "side", "value"]
anything = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5)
    ),
    max_leaves=12,
)


def object_of(required: dict[str, Any], optional: dict[str, Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(required, optional=optional)


address = object_of({"street": st.text(max_size=3)}, {"number": st.integers(0, 9)})
person = object_of(
    {"fullName": st.text("abc", min_size=1, max_size=8)},
    {
        "age": st.none() | st.integers(0, 149),
        "tags": st.lists(st.sampled_from("ab"), max_size=3),
        "address": st.none() | address,
    },
)
tree = st.recursive(
    object_of({"value": st.booleans()}, {}),
    lambda inner: object_of({"value": st.booleans(), "children": st.lists(inner, max_size=2)}, {}),
    max_leaves=6,
)
VALID: dict[str, st.SearchStrategy[Any]] = {
    "person": person,
    "strict": object_of({"a": st.integers(-9, 9)}, {"b": st.integers(0, 9) | st.just(0.5)}),
    "shape": object_of({"type": st.just("circle"), "radius": st.integers(0, 9)}, {})
    | object_of({"type": st.just("square"), "side": st.integers(0, 9)}, {}),
    "tree": tree,
    "people": st.lists(person, max_size=3),
    "numbers": st.dictionaries(st.text("ab", max_size=2), st.integers(-9, 9), max_size=4),
    "mixed": st.none() | st.integers() | st.text("ab") | st.lists(st.booleans()),
    "literal": st.sampled_from(["a", "b", 3]),
    "pair": st.tuples(st.integers(0, 9), st.text("ab")),
    "object": st.dictionaries(st.sampled_from(NAMES), anything, max_size=3),
}


@st.composite
def almost(draw: Callable[[st.SearchStrategy[Any]], Any], valid: st.SearchStrategy[Any]) -> Any:
    """Valid content, in which something may stand in the place of something else."""
    value = draw(valid)
    for _ in range(draw(st.integers(0, 2))):
        value = draw(replaced(value))
    return value


@st.composite
def replaced(draw: Callable[[st.SearchStrategy[Any]], Any], value: Any) -> Any:
    if not isinstance(value, dict | list | tuple) or not value or draw(st.integers(0, 3)) == 0:
        return draw(anything)
    if isinstance(value, dict):
        key = draw(st.sampled_from(sorted(value)))
        rest = {name: member for name, member in value.items() if name != key}
        if draw(st.booleans()):
            rest[key] = draw(replaced(value[key]))
        return rest
    index = draw(st.integers(0, len(value) - 1))
    return [*value[:index], draw(replaced(value[index])), *value[index + 1 :]]


def accepts(annotation: Any, content: bytes) -> bool:
    try:
        msgspec.json.decode(content, type=annotation)
    except msgspec.MsgspecError:
        return False
    return True


@pytest.mark.parametrize("name", TYPES)
def test_content_is_accepted_exactly_when_its_decoder_takes_it(
    client: TestClient, name: str
) -> None:
    outcomes = set()

    @fixed
    @given(almost(VALID[name]) | anything)
    def check(value: Any) -> None:
        content = json.dumps(value).encode()
        response = client.post(f"/{name}", content=content)
        expected = accepts(TYPES[name], content)
        assert response.status_code == (200 if expected else 422), (content, response.text)
        outcomes.add(expected)
        if not expected:
            errors = response.json()["errors"]
            assert errors and all(entry["loc"][0] == "body" for entry in errors)

    check()
    assert outcomes == {True, False}


@fixed
@given(
    st.binary(min_size=1, max_size=12)
    | st.text('[]{}":,01e.-ntfaul \\', min_size=1, max_size=12).map(str.encode)
)
def test_any_bytes_are_answered(content: bytes) -> None:
    with TestClient(app) as client:
        for name, annotation in TYPES.items():
            response = client.post(f"/{name}", content=content)
            assert response.status_code in (200, 400, 422), response.text
            assert (response.status_code == 200) == accepts(annotation, content)


RIGHT: dict[str, Any] = {
    "fullName": "Ada",
    "age": 36,
    "tags": ["a", "b", "c"],
    "address": {"street": "Main", "number": 2},
}

# place in one person, what is wrong there
WRONG: list[tuple[tuple[str | int, ...], object]] = [
    (("fullName",), 3),
    (("fullName",), ""),
    (("fullName",), "123456789"),
    (("age",), "36"),
    (("age",), -1),
    (("age",), 150),
    (("age",), 1.5),
    (("tags", 0), None),
    (("tags", 2), 7),
    (("address", "street"), []),
    (("address", "number"), "2"),
    (("address", "number"), True),
]


def put(value: Any, place: tuple[str | int, ...], wrong: object) -> None:
    for step in place[:-1]:
        value = value[step]
    value[place[-1]] = wrong


@fixed
@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(WRONG)), max_size=12))
def test_what_is_wrong_is_named_and_nothing_else(
    mistakes: list[tuple[int, tuple[tuple[str | int, ...], object]]],
) -> None:
    people: list[Any] = json.loads(json.dumps([RIGHT] * 4))
    places = set()
    for index, (place, wrong) in mistakes:
        put(people, (index, *place), wrong)
        places.add(("body", str(index), *map(str, place)))
    with TestClient(app) as client:
        response = client.post("/people", json=people)
    if not places:
        assert response.status_code == 200
        return
    assert response.status_code == 422
    errors = response.json()["errors"]
    assert sorted(tuple(entry["loc"]) for entry in errors) == sorted(places)
    count = len(places)
    assert response.json()["detail"] == (
        f"{count} validation error{'s' if count > 1 else ''} in request"
    )
