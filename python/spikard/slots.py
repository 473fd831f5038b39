"""One argument of a handler on its way from the signature to the plan."""

import types
import typing
from dataclasses import dataclass
from typing import Any, Literal

from spikard.annotations import ArgumentError
from spikard.constraints import Limits, read_limits
from spikard.params import ParameterMarker

__all__ = ["Default", "Role", "Slot", "only_marker"]

Role = Literal["parameter", "model", "declared", "body", "form", "field", "file", "request", "open"]
"""What an argument is made from. ``"form"`` is content as well, and ``"open"`` is an argument that
says nothing of itself on a route with a ``body_schema``."""


@dataclass(slots=True)
class Slot:
    """One argument, read but not compiled."""

    name: str
    """Its name."""
    written_default: object
    """The default after ``=``, unless that is a marker."""
    keyword_only: bool
    """Whether it is passed by name."""
    annotation: Any
    """The annotation without `Annotated`, with everything inside it resolved."""
    metadata: tuple[object, ...]
    """What `Annotated` holds, and the marker."""
    marker: ParameterMarker | None
    """Its marker."""
    role: Role = "parameter"
    """What it is made from."""

    @property
    def constraints(self) -> Limits:
        """What the value must be."""
        return read_limits(self.metadata)

    @property
    def is_optional(self) -> bool:
        """Whether the annotation allows ``None``."""
        return self.annotation is None or type(None) in _members(self.annotation)

    @property
    def bare(self) -> Any:
        """The annotation without ``None``."""
        rest = [member for member in _members(self.annotation) if member is not type(None)]
        if len(rest) != 1:
            return self.annotation
        is_annotated = typing.get_origin(rest[0]) is typing.Annotated
        return rest[0].__origin__ if is_annotated else rest[0]


def _members(annotation: Any) -> tuple[Any, ...]:
    is_union = typing.get_origin(annotation) in (typing.Union, types.UnionType)
    return typing.get_args(annotation) if is_union else ()


@dataclass(frozen=True, slots=True)
class Default:
    """Whether an argument is required, and else its default or the maker of it."""

    required: bool
    """Whether a request without it is refused."""
    value: object = None
    """Value when it is absent."""
    factory: Any = None
    """Makes that value; goes before it."""

    @classmethod
    def of(cls, value: object) -> "Default":
        """The default that a value is."""
        if isinstance(value, list | set | dict):
            # Each request gets a copy, and cannot change the default of the next.
            return cls(False, None, value.copy)
        return cls(False, value)


def only_marker(metadata: tuple[object, ...]) -> ParameterMarker | None:
    """The marker among the objects of an annotation.

    Raises:
        ArgumentError: There are several.
    """
    markers = [item for item in metadata if isinstance(item, ParameterMarker)]
    if len(markers) > 1:
        raise ArgumentError("it has two markers; keep one, in the annotation or as the default")
    return markers[0] if markers else None
