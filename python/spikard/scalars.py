"""The types an argument may have: their JSON Schemas, and how text becomes their objects.

Rust checks a value against the schema first, so a conversion sees only texts of the right form. It
raises ``ValueError`` for the few that have no counterpart in Python, such as a 61st second.
"""

import datetime
import decimal
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["PLAIN", "SCALARS", "Convert", "Scalar"]

Convert = Callable[[Any], object]
"""Makes the annotated object of a value that came out of JSON or a text."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """A type of single values."""

    schema: dict[str, object]
    """Its JSON Schema."""
    convert: Convert | None = None
    """Makes the object; ``None`` where the value is the object already."""


def _date_time(text: str) -> datetime.datetime:
    # RFC 3339 allows "t" and "z"; Python reads the capitals only.
    return datetime.datetime.fromisoformat(text.upper())


def _time(text: str) -> datetime.time:
    return datetime.time.fromisoformat(text.upper())


def _duration(text: str) -> datetime.timedelta:
    # A format of weeks alone is in RFC 3339, appendix A, and not in msgspec.
    if text[-1:] in "Ww":
        return datetime.timedelta(weeks=int(text[1:-1]))
    import msgspec

    return msgspec.convert(text, datetime.timedelta)


SCALARS: dict[object, Scalar] = {
    str: Scalar({"type": "string"}),
    int: Scalar({"type": "integer"}),
    float: Scalar({"type": "number"}),
    bool: Scalar({"type": "boolean"}),
    bytes: Scalar({"type": "string"}, str.encode),
    uuid.UUID: Scalar({"type": "string", "format": "uuid"}, uuid.UUID),
    datetime.date: Scalar({"type": "string", "format": "date"}, datetime.date.fromisoformat),
    datetime.datetime: Scalar({"type": "string", "format": "date-time"}, _date_time),
    datetime.time: Scalar({"type": "string", "format": "time"}, _time),
    datetime.timedelta: Scalar({"type": "string", "format": "duration"}, _duration),
    decimal.Decimal: Scalar({"type": "string", "format": "decimal"}, decimal.Decimal),
}
"""Every type of single values that an annotation may name."""

PLAIN: dict[type, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}
"""The types that Rust converts texts to, and their names in a JSON Schema."""
