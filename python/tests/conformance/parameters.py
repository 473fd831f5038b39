"""Turns the declared parameters of a fixture into the arguments of a handler."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from keyword import iskeyword
from typing import Any, Literal
from uuid import UUID

from conformance.fixtures import Fixture
from spikard import Cookie, Header, Path, Query

__all__ = ["Argument", "UnsupportedError", "annotation", "arguments", "identifier"]

Place = Literal["path", "query", "headers", "cookies"]

_MARKERS: Mapping[str, Callable[..., Any]] = {"query": Query, "headers": Header, "cookies": Cookie}
_SOURCES = {"path": "path", "query": "query", "headers": "headers", "cookies": "cookie"}
_TYPES = {"string": str, "integer": int, "number": float, "boolean": bool}
_FORMATS = {"uuid": UUID, "date": date, "date-time": datetime, "time": time, "decimal": Decimal}
_CONVERTERS = {
    "int": "integer",
    "integer": "integer",
    "float": "number",
    "number": "number",
    "bool": "boolean",
    "boolean": "boolean",
}
_CONSTRAINTS = {
    "minimum": "ge",
    "maximum": "le",
    "exclusiveMinimum": "gt",
    "exclusiveMaximum": "lt",
    "multipleOf": "multiple_of",
    "minLength": "min_length",
    "maxLength": "max_length",
    "minItems": "min_length",
    "maxItems": "max_length",
    "pattern": "pattern",
}
_WORDS = ("enum", "uniqueItems")
"""What a marker says with its ``schema``."""
_DESCRIPTIVE = ("type", "format", "items", "annotation", "description")
_PRESENCE = ("optional", "required", "default", "separator")


class UnsupportedError(Exception):
    """A fixture asks for something that the public API cannot express."""


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of the handler of a fixture that takes a parameter."""

    name: str
    """Name in the signature."""
    wire_name: str
    """Name in the request."""
    place: Place
    """Where it is in the request."""
    schema: Mapping[str, Any]
    """The declaration, with the type that a converter of the route states."""
    annotation: Any = None
    """Its annotation; None where the signature has none."""
    default: Any = None
    """The marker; None where the signature needs none."""
    declaration: Mapping[str, Any] | None = None
    """What ``parameter_schema`` has for it; None where it has nothing."""

    @property
    def is_optional(self) -> bool:
        """Whether it may be absent."""
        return _is_optional(self.schema)


def arguments(fixture: Fixture, *, is_annotated: bool = False) -> Iterator[Argument]:
    """Makes an argument for each parameter of a fixture, files left out.

    Args:
        fixture: The fixture.
        is_annotated: Whether the signature declares them, where it can; otherwise it is the
            ``parameter_schema`` of the route.
    """
    taken: set[str] = set()
    names: set[str] = set()
    for place, wire_name, converter, declared in _parameters(fixture):
        name = identifier(wire_name)
        schema = {"type": _CONVERTERS.get(converter, "string"), **(declared or {})}
        if place == "path" and declared is None:
            # The converter of the route alone must be enough, so nothing else names the type.
            default = Path(alias=wire_name) if name != wire_name else None
            argument = Argument(name, wire_name, place, schema, default=default)
        else:
            # One `parameter_schema` has one property of a name; a second place needs a marker.
            is_double = wire_name in taken or name in names
            name = f"{name}_{place}" if is_double else name
            argument = Argument(name, wire_name, place, schema)
            argument = _argument(argument, declared or {}, is_annotated or is_double)
        if argument.declaration is not None:
            taken.add(wire_name)
        names.add(argument.name)
        yield argument


def _parameters(
    fixture: Fixture,
) -> Iterator[tuple[Place, str, str, Mapping[str, Any] | None]]:
    for wire_name, converter in re.findall(r"\{([^}:]+):?([^}]*)\}", fixture.route):
        yield "path", wire_name, converter, fixture.parameters("path").get(wire_name)
    places: tuple[Place, ...] = ("query", "headers", "cookies")
    for place in places:
        for wire_name, declared in fixture.parameters(place).items():
            yield place, wire_name, "", declared


def _argument(plain: Argument, declared: Mapping[str, Any], is_annotated: bool) -> Argument:
    name, wire_name, place, schema = plain.name, plain.wire_name, plain.place, plain.schema
    if is_annotated:
        try:
            if "separator" in schema and place != "query":
                raise UnsupportedError("separator outside the query")
            type_ = annotation(schema)
        except UnsupportedError:
            # What no marker says, the schema of the route says.
            pass
        else:
            default = schema.get("default") if _is_optional(schema) else ...
            type_ = type_ | None if default is None else type_
            marker = _marker(place, wire_name, schema, default)
            return Argument(name, wire_name, place, schema, type_, marker)
    declaration = {**declared, "source": _SOURCES[place]}
    return Argument(name, wire_name, place, schema, declaration=declaration)


def _marker(place: Place, wire_name: str, schema: Mapping[str, Any], default: Any) -> Any:
    constraints = {word: schema[key] for key, word in _CONSTRAINTS.items() if key in schema}
    words = {key: schema[key] for key in _WORDS if key in schema}
    if words:
        constraints["schema"] = words
    if place == "path":
        return Path(alias=wire_name, **constraints)
    if "separator" in schema:
        constraints["separator"] = schema["separator"]
    return _MARKERS[place](default, alias=wire_name, **constraints)


def annotation(schema: Mapping[str, Any], *, is_item: bool = False) -> Any:
    """Turns the schema of one parameter into the type of the values that it allows.

    Args:
        schema: The schema. What it says besides the type is said by the marker.
        is_item: Whether it belongs to the items of a list, which have no marker.

    Raises:
        UnsupportedError: Type and marker cannot say it.
    """
    known = (*_DESCRIPTIVE, *_PRESENCE)
    for key in schema:
        if key not in known and (is_item or key not in (*_CONSTRAINTS, *_WORDS)):
            raise UnsupportedError(f"parameter keyword {key}")
    type_ = schema.get("type", "string")
    if type_ == "array":
        return list[annotation(schema.get("items", {}), is_item=True)]  # type: ignore[misc]
    if type_ not in _TYPES:
        raise UnsupportedError(f"parameter type {type_}")
    if "format" not in schema:
        return _TYPES[type_]
    if schema["format"] not in _FORMATS:
        raise UnsupportedError(f"parameter format {schema['format']}")
    return _FORMATS[schema["format"]]


def _is_optional(schema: Mapping[str, Any]) -> bool:
    return bool(schema.get("optional")) or schema.get("required") is False or "default" in schema


def identifier(wire_name: str) -> str:
    """Makes the name of an argument: lower case, with ``_`` for what no identifier may hold."""
    name = re.sub(r"[^a-z0-9_]", "_", wire_name.lower())
    return f"{name}_" if iskeyword(name) or name[:1].isdigit() else name
