"""Markers that say where an argument of a handler comes from.

A marker is written as the default value, ``name: str = Query(...)``, or inside the annotation,
``name: Annotated[str, Query()]``. Type checkers see ``Any``, so both forms pass in strict mode.
"""

from collections.abc import Callable
from dataclasses import dataclass
from types import EllipsisType
from typing import Any, Literal

from spikard.exceptions import SignatureError

__all__ = ["Path", "Query"]


@dataclass(frozen=True, slots=True)
class ParameterMarker:
    """What `Query` and `Path` return at run time."""

    source: Literal["path", "query"]
    """Place in the request."""
    default: object = ...
    """Value when the parameter is absent; ``...`` where there is none."""
    default_factory: Callable[[], object] | None = None
    """Makes the value when the parameter is absent, anew for each request."""
    alias: str | None = None
    """Name in the request, where it is not the name of the argument."""

    def __post_init__(self) -> None:
        """Refuses markers that contradict themselves."""
        name = self.source.capitalize()
        if self.default is not ... and self.default_factory is not None:
            raise SignatureError(f"{name}() takes `default` or `default_factory`, not both")
        if self.default_factory is not None and not callable(self.default_factory):
            raise SignatureError(f"{name}(default_factory=...) must be callable")
        if self.alias is not None and (not isinstance(self.alias, str) or not self.alias):
            raise SignatureError(f"{name}(alias={self.alias!r}) must be a name")


def Query(  # noqa: N802 - reads as the type it stands for
    default: Any = ...,
    *,
    alias: str | None = None,
    default_factory: Callable[[], object] | None = None,
) -> Any:
    """Takes the argument from the query component of the request.

    Args:
        default: Value when the parameter is absent; ``...`` (the default) makes it required.
        alias: Name of the parameter in the query; default is the name of the argument.
        default_factory: Called for each request without the parameter, instead of `default`.

    Raises:
        SignatureError: Both `default` and `default_factory` are given.
    """
    return ParameterMarker("query", default, default_factory, alias)


def Path(  # noqa: N802 - reads as the type it stands for
    default: EllipsisType = ...,
    *,
    alias: str | None = None,
) -> Any:
    """Takes the argument from the path; path parameters are always required.

    Args:
        default: Nothing but ``...``, which may be written to say "required".
        alias: Name of the parameter in the path template; default is the name of the argument.
    """
    return ParameterMarker("path", default, None, alias)
