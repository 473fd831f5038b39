"""From ``gt``, ``max_length`` and the like to the keywords of JSON Schema.

They come from markers, from ``msgspec.Meta``, and from objects of the shape of ``annotated_types``,
which are recognised by their attributes and never imported.
"""

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from spikard.annotations import ArgumentError
from spikard.params import ParameterMarker

__all__ = ["BOUNDS", "LENGTHS", "Limits", "json_number", "plain_schema", "read_limits"]

BOUNDS = ("gt", "ge", "lt", "le", "multiple_of")
"""The words about values that have an order."""
LENGTHS = ("min_length", "max_length")
"""The words about texts and arrays."""
_WORDS = (*BOUNDS, *LENGTHS, "pattern")
_NOTES = ("title", "description", "examples")

KEYWORDS = {
    "gt": "exclusiveMinimum",
    "ge": "minimum",
    "lt": "exclusiveMaximum",
    "le": "maximum",
    "multiple_of": "multipleOf",
}


@dataclass(slots=True)
class Limits:
    """Everything that one annotation says about the value, all of which holds."""

    words: dict[str, list[Any]] = field(default_factory=dict)
    """The values of every word, outermost first."""
    notes: dict[str, object] = field(default_factory=dict)
    """Title, description and examples."""
    raw: dict[str, object] = field(default_factory=dict)
    """Keywords that are given as such."""

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self.words or self.notes or self.raw)

    def numeric(self) -> dict[str, object]:
        """The keywords for a number.

        Raises:
            ArgumentError: A bound is no number, or no number is within the bounds.
        """
        for word in BOUNDS:
            for value in self.words.get(word, ()):
                _check_number(word, value)
        keywords: dict[str, object] = {}
        for word, value in self.tightest().items():
            keywords[KEYWORDS[word]] = json_number(value)
        multiples = [json_number(value) for value in self.words.get("multiple_of", ())]
        return keywords | _all_of("multipleOf", multiples)

    def tightest(self) -> dict[str, Any]:
        """At most one lower and one upper bound.

        Raises:
            ArgumentError: No value is within the bounds.
        """
        kept: dict[str, Any] = {}
        lower = self._tightest("gt", "ge", max)
        upper = self._tightest("lt", "le", min)
        if lower:
            kept[lower[0]] = lower[1]
        if upper:
            kept[upper[0]] = upper[1]
        if lower and upper:
            is_open = lower[0] == "gt" or upper[0] == "lt"
            if lower[1] > upper[1] or (is_open and lower[1] == upper[1]):
                raise ArgumentError(
                    f"no value is within `{lower[0]}={lower[1]}` and `{upper[0]}={upper[1]}`"
                )
        return kept

    def _tightest(
        self, exclusive: str, inclusive: str, choose: Callable[[list[Any]], Any]
    ) -> tuple[str, Any] | None:
        values = [*self.words.get(exclusive, ()), *self.words.get(inclusive, ())]
        if not values:
            return None
        value = choose(values)
        return (exclusive if value in self.words.get(exclusive, ()) else inclusive), value

    def lengths(self, least: str, greatest: str) -> dict[str, object]:
        """The keywords for a number of characters or items.

        Raises:
            ArgumentError: A length is none, or no length is within the bounds.
        """
        for word in LENGTHS:
            for value in self.words.get(word, ()):
                if not isinstance(value, int) or isinstance(value, bool) or value < 0:
                    raise ArgumentError(f"`{word}={value!r}` must be a whole number from 0 on")
        keywords: dict[str, object] = {}
        low = max(self.words.get("min_length", [0]))
        high = min(self.words.get("max_length", [math.inf]))
        if low > high:
            raise ArgumentError(f"no length is within `min_length={low}` and `max_length={high}`")
        if "min_length" in self.words:
            keywords[least] = low
        if "max_length" in self.words:
            keywords[greatest] = high
        return keywords

    def patterns(self) -> dict[str, object]:
        """The keyword for a text that must match.

        Raises:
            ArgumentError: A pattern is no text.
        """
        patterns = self.words.get("pattern", [])
        for pattern in patterns:
            if not isinstance(pattern, str):
                raise ArgumentError(f"`pattern={pattern!r}` must be a text")
        return _all_of("pattern", patterns)


def read_limits(metadata: Iterable[object]) -> Limits:
    """Collects what the objects inside `Annotated`, and markers, say about the value.

    Raises:
        ArgumentError: A raw schema is not plain data.
    """
    limits = Limits()
    for item in metadata:
        for word, value in _said_by(item):
            if word in _WORDS:
                values = limits.words.setdefault(word, [])
                if value not in values:
                    values.append(value)
            elif word == "schema":
                limits.raw = {**plain_schema(value), **limits.raw}
            else:
                limits.notes.setdefault(word, list(value) if word == "examples" else value)
    return limits


def _said_by(item: object) -> Iterator[tuple[str, Any]]:
    if isinstance(item, ParameterMarker):
        for word, value in item.constraints.items():
            if value is not None:
                yield word, value
        return
    if isinstance(item, str | type):
        return
    for word in _WORDS:
        value = getattr(item, word, None)
        if value is not None and not callable(value):
            yield word, value
    extra = getattr(item, "extra_json_schema", None)
    inner = getattr(item, "metadata", None)
    # Only `msgspec.Meta` has the former, and only a field of pydantic the latter.
    if hasattr(item, "extra_json_schema") or isinstance(inner, list):
        for word in _NOTES:
            value = getattr(item, word, None)
            if value is not None:
                yield word, value
    if isinstance(extra, Mapping):
        yield "schema", extra
    if isinstance(inner, list):
        for part in inner:
            yield from _said_by(part)


def plain_schema(schema: object) -> dict[str, Any]:
    """A copy of a JSON Schema that users wrote.

    Raises:
        ArgumentError: It is no object of plain data.
    """
    if not isinstance(schema, Mapping):
        raise ArgumentError(f"the schema {schema!r} must be a dictionary")
    try:
        copied: dict[str, Any] = json.loads(json.dumps(dict(schema), allow_nan=False))
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"the schema {schema!r} is not plain JSON data: {error}") from error
    return copied


def _check_number(word: str, value: object) -> None:
    try:
        is_number = not isinstance(value, bool | str) and math.isfinite(value)  # type: ignore[arg-type]
    except TypeError:
        is_number = False
    if not is_number:
        raise ArgumentError(f"`{word}={value!r}` must be a finite number")
    if word == "multiple_of" and value <= 0:  # type: ignore[operator]
        raise ArgumentError(f"`multiple_of={value!r}` must be greater than 0")


def json_number(value: Any) -> int | float:
    """The number as JSON has it."""
    if isinstance(value, int | float):
        return value
    return int(value) if value == int(value) else float(value)


def _all_of(keyword: str, values: list[Any]) -> dict[str, object]:
    if not values:
        return {}
    if len(values) == 1:
        return {keyword: values[0]}
    return {"allOf": [{keyword: value} for value in values]}
