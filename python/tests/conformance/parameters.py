"""Turns the declared parameters of a fixture into the arguments of a handler."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from keyword import iskeyword
from typing import Any
from uuid import UUID

from conformance.fixtures import Fixture
from spikard import Path, Query

__all__ = ["Argument", "UnsupportedError", "annotation", "arguments"]

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
_DESCRIPTIVE = ("type", "format", "items", "annotation", "description")
_PRESENCE = ("optional", "required", "default")


class UnsupportedError(Exception):
    """A fixture asks for something that the public API cannot express."""


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of the handler of a fixture."""

    name: str
    """Name in the signature."""
    wire_name: str
    """Name in the request."""
    schema: Mapping[str, Any]
    """The declaration."""
    annotation: Any
    """Its annotation; None where the converter of the route decides."""
    default: Any
    """The marker; None where the signature needs none."""

    @property
    def is_optional(self) -> bool:
        """Whether it may be absent."""
        return _is_optional(self.schema)


def arguments(fixture: Fixture) -> Iterator[Argument]:
    """Makes an argument for each path and query parameter of a fixture."""
    for wire_name, converter in re.findall(r"\{([^}:]+):?([^}]*)\}", fixture.route):
        declared = fixture.parameters("path").get(wire_name)
        schema = {"type": _CONVERTERS.get(converter, "string"), **(declared or {})}
        name = _identifier(wire_name)
        yield Argument(
            name=name,
            wire_name=wire_name,
            schema=schema,
            # A converter alone must be enough, so nothing else names the type then.
            annotation=None if converter and declared is None else annotation(schema),
            default=Path(alias=wire_name) if name != wire_name else None,
        )
    for wire_name, declared_query in fixture.parameters("query").items():
        schema = dict(declared_query)
        name = _identifier(wire_name)
        default = schema.get("default") if _is_optional(schema) else ...
        type_ = annotation(schema)
        yield Argument(
            name=name,
            wire_name=wire_name,
            schema=schema,
            annotation=type_ | None if default is None else type_,
            default=Query(default, alias=wire_name) if name != wire_name else Query(default),
        )


def annotation(schema: Mapping[str, Any]) -> Any:
    """Turns the schema of one parameter into the annotation that declares the same.

    Raises:
        UnsupportedError: No annotation does.
    """
    for key in schema:
        if key not in _DESCRIPTIVE + _PRESENCE:
            raise UnsupportedError(f"parameter keyword {key}")
    type_ = schema.get("type", "string")
    if type_ == "array":
        return list[annotation(schema.get("items", {}))]  # type: ignore[misc]
    if type_ not in _TYPES:
        raise UnsupportedError(f"parameter type {type_}")
    if "format" not in schema:
        return _TYPES[type_]
    if schema["format"] not in _FORMATS:
        raise UnsupportedError(f"parameter format {schema['format']}")
    return _FORMATS[schema["format"]]


def _is_optional(schema: Mapping[str, Any]) -> bool:
    return bool(schema.get("optional")) or schema.get("required") is False or "default" in schema


def _identifier(wire_name: str) -> str:
    """Makes the name of an argument: lower case, with ``_`` for what no identifier may hold."""
    name = re.sub(r"[^a-z0-9_]", "_", wire_name.lower())
    return f"{name}_" if iskeyword(name) or name[:1].isdigit() else name
