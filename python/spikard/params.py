"""Markers that say where an argument of a handler comes from, and what its value must be.

A marker is written as the default value, ``name: str = Query(...)``, or inside the annotation,
``name: Annotated[str, Query()]``. Type checkers see ``Any``, so both forms pass in strict mode.
Constraints are checked before the handler runs; a value that breaks one is answered 422.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import EllipsisType
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack

from spikard.exceptions import SignatureError

if TYPE_CHECKING:
    import datetime
    import decimal

    Bound = float | decimal.Decimal | datetime.date | datetime.timedelta

__all__ = [
    "Body",
    "Constraints",
    "Cookie",
    "Form",
    "Header",
    "ParameterMarker",
    "Path",
    "Query",
    "Source",
]

Source = Literal["path", "query", "header", "cookie", "body", "form"]
"""Place in the request that a marker names."""


class Constraints(TypedDict, total=False):
    """What every marker takes about the value, besides where it comes from.

    They end in the JSON Schema of the argument, together with those of ``msgspec.Meta`` and
    ``annotated_types`` in the same annotation; where two say something, both hold.
    """

    gt: "Bound | None"
    """The value is greater. For numbers, `Decimal`, `date` and `timedelta`."""
    ge: "Bound | None"
    """The value is greater or equal. For the same types as `gt`."""
    lt: "Bound | None"
    """The value is less. For the same types as `gt`."""
    le: "Bound | None"
    """The value is less or equal. For the same types as `gt`."""
    multiple_of: "float | decimal.Decimal | None"
    """The value is a multiple of it; greater than 0. For numbers and `Decimal`."""
    min_length: int | None
    """Least number of characters of a text, or of items of a list."""
    max_length: int | None
    """Greatest number of characters of a text, or of items of a list."""
    pattern: str | None
    """Regular expression (ECMA-262) that is found somewhere in the text."""
    title: str | None
    """Short name, for documents."""
    description: str | None
    """What it is for, for documents."""
    examples: Sequence[object] | None
    """Values that show the use, for documents."""
    schema: Mapping[str, object] | None
    """JSON Schema whose keywords are added to, and go before, all others."""


_KNOWN = frozenset(Constraints.__annotations__)


# Without `eq`: a marker inside `Annotated` must be hashable, whatever it holds.
@dataclass(frozen=True, slots=True, eq=False)
class ParameterMarker:
    """What the markers return at run time."""

    source: Source
    """Place in the request."""
    default: object = ...
    """Value when it is absent; ``...`` where there is none."""
    default_factory: Callable[[], object] | None = None
    """Makes the value when it is absent, anew for each request."""
    alias: str | None = None
    """Name in the request, where it is not the name of the argument."""
    constraints: Constraints = field(default_factory=Constraints)
    """What the value must be."""
    separator: str | None = None
    """Character between the items of one value."""
    convert_underscores: bool = True
    """Whether ``_`` in the name of the argument is ``-`` in the name of the header."""

    def __post_init__(self) -> None:
        """Refuses markers that contradict themselves."""
        name = f"{self.source.capitalize()}()"
        if self.default is not ... and self.default_factory is not None:
            raise SignatureError(f"{name} takes `default` or `default_factory`, not both")
        if self.default_factory is not None and not callable(self.default_factory):
            raise SignatureError(f"{name}: `default_factory` must be callable")
        if self.alias is not None and (not isinstance(self.alias, str) or not self.alias):
            raise SignatureError(f"{name}: the alias {self.alias!r} must be a name")
        separator = self.separator
        if separator is not None and (not isinstance(separator, str) or len(separator) != 1):
            raise SignatureError(f"{name}: the separator {separator!r} must be one character")
        for word in self.constraints:
            if word not in _KNOWN:
                raise SignatureError(f"{name} has no `{word}`; it has {', '.join(sorted(_KNOWN))}")


def Query(  # noqa: N802 - reads as the type it stands for
    default: Any = ...,
    *,
    alias: str | None = None,
    default_factory: Callable[[], object] | None = None,
    separator: str | None = None,
    **constraints: Unpack[Constraints],
) -> Any:
    """Takes the argument from the query component of the request.

    With a Struct, dataclass or other model as its type, every field is one query parameter.

    Args:
        default: Value when the parameter is absent; ``...`` (the default) makes it required.
        alias: Name of the parameter in the query; default is the name of the argument.
        default_factory: Called for each request without the parameter, instead of `default`.
        separator: Character that splits one value into items, after decoding. By default the
            items of a list are the values of a repeated name.
        constraints: See `Constraints`.

    Raises:
        SignatureError: Arguments contradict each other.
    """
    return ParameterMarker("query", default, default_factory, alias, constraints, separator)


def Path(  # noqa: N802 - reads as the type it stands for
    default: EllipsisType = ...,
    *,
    alias: str | None = None,
    **constraints: Unpack[Constraints],
) -> Any:
    """Takes the argument from the path; path parameters are always required.

    Args:
        default: Nothing but ``...``, which may be written to say "required".
        alias: Name of the parameter in the path template; default is the name of the argument.
        constraints: See `Constraints`.
    """
    return ParameterMarker("path", default, None, alias, constraints)


def Header(  # noqa: N802 - reads as the type it stands for
    default: Any = ...,
    *,
    alias: str | None = None,
    default_factory: Callable[[], object] | None = None,
    convert_underscores: bool = True,
    **constraints: Unpack[Constraints],
) -> Any:
    """Takes the argument from a header field of the request.

    With a Struct, dataclass or other model as its type, every field is one header field.

    Args:
        default: Value when the field is absent; ``...`` (the default) makes it required.
        alias: Name of the field, in any case; default is the name of the argument.
        default_factory: Called for each request without the field, instead of `default`.
        convert_underscores: Whether the argument ``x_token`` is the field ``X-Token``. An alias
            is taken as it is.
        constraints: See `Constraints`.

    Raises:
        SignatureError: Arguments contradict each other.
    """
    return ParameterMarker(
        "header",
        default,
        default_factory,
        alias,
        constraints,
        convert_underscores=convert_underscores,
    )


def Cookie(  # noqa: N802 - reads as the type it stands for
    default: Any = ...,
    *,
    alias: str | None = None,
    default_factory: Callable[[], object] | None = None,
    **constraints: Unpack[Constraints],
) -> Any:
    """Takes the argument from a cookie of the request.

    With a Struct, dataclass or other model as its type, every field is one cookie.

    Args:
        default: Value when the cookie is absent; ``...`` (the default) makes it required.
        alias: Name of the cookie; default is the name of the argument.
        default_factory: Called for each request without the cookie, instead of `default`.
        constraints: See `Constraints`.

    Raises:
        SignatureError: Arguments contradict each other.
    """
    return ParameterMarker("cookie", default, default_factory, alias, constraints)


def Body(  # noqa: N802 - reads as the type it stands for
    default: Any = ...,
    *,
    default_factory: Callable[[], object] | None = None,
    **constraints: Unpack[Constraints],
) -> Any:
    """Takes the whole content of the request, whatever the type of the argument.

    ``bytes`` is the content as it came, ``AsyncIterator[bytes]`` the content as it arrives, of any
    media type. Every other type is JSON: a ``str`` is a JSON string. With ``schema=`` the content
    may be a form as well.

    Args:
        default: Value when there is no content; ``...`` (the default) makes it required.
        default_factory: Called for each request without content, instead of `default`.
        constraints: See `Constraints`. ``schema`` stands for the whole schema of the content.

    Raises:
        SignatureError: Arguments contradict each other.
    """
    return ParameterMarker("body", default, default_factory, None, constraints)


def Form(  # noqa: N802 - reads as the type it stands for
    default: Any = ...,
    *,
    alias: str | None = None,
    default_factory: Callable[[], object] | None = None,
    **constraints: Unpack[Constraints],
) -> Any:
    """Takes the argument from a form, urlencoded or multipart.

    A model or a dictionary is the whole form; every other type is the field of its name. Arguments
    of type `UploadFile` and ``list[UploadFile]`` are fields without any marker.

    Args:
        default: Value when the field, or the whole form, is absent; ``...`` (the default) makes
            it required.
        alias: Name of the field; default is the name of the argument.
        default_factory: Called for each request without it, instead of `default`.
        constraints: See `Constraints`.

    Raises:
        SignatureError: Arguments contradict each other.
    """
    return ParameterMarker("form", default, default_factory, alias, constraints)
