"""What crosses to Rust when an app freezes: one `CompiledRoute` per method and path.

Rust reads these objects by attribute, once, and keeps what it needs; a request touches none.

A `CompiledRoute` has its arguments in the order of the signature. What is read of a request is a
flat list: every argument of kind ``"parameter"``, the fields of every ``"model"``, and what is
only checked. The content of the request is read as the one `BodyPlan` says.

Whatever callable of a plan (`convert`, `build`, `decode`, a default factory) raises a
`spikard.HTTPException`, that is the answer; the errors of a `spikard.ValidationError` join those of
the other arguments, and their ``loc`` is complete.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

__all__ = ["Argument", "BodyPlan", "CompiledRoute", "ExceptionHandler", "FileRule"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """One argument of a handler, or one field of a parameter model, and how its value is made."""

    name: str
    """Name in the handler's signature."""
    kind: Literal["parameter", "model", "body", "field", "request"] = "parameter"
    """What it is made from.

    - ``"parameter"``: one value of path, query, header fields or cookies.
    - ``"model"``: `build`, called with the values of `fields`.
    - ``"body"``: the content of the request, as `CompiledRoute.body` says.
    - ``"field"``: one member of the parsed content: plain data, a file, or a list of files.
    - ``"request"``: the `Request` itself; nothing is extracted.
    """
    source: Literal["path", "query", "header", "cookie", "body", "request"]
    """Place in the request."""
    wire_name: str
    """Name in the request; a header's is in lower case. Empty where it has none."""
    schema: dict[str, object]
    """JSON Schema of the value. That of a ``"body"`` is in its `BodyPlan`, those of a ``"model"``
    are in its `fields`. Empty where the handler does not say: then the converter of the path
    template decides, and text is the default. The alternatives of an ``anyOf`` are tried in order,
    and the first that a text has the form of is what it is converted to."""
    required: bool
    """Whether a request without it is refused."""
    default: object = None
    """Value when it is absent; ``None`` where it is required."""
    default_factory: Callable[[], object] | None = None
    """Makes the value when it is absent; goes before `default`."""
    convert: Callable[[object], object] | None = None
    """Turns the value (``str``, ``int``, ``float``, ``bool`` or a list of these; for a ``"field"``
    any plain data) into what the annotation asks for, and raises ``ValueError`` or
    ``ArithmeticError`` where it cannot; ``None`` where nothing is to be done."""
    separator: str | None = None
    """Character that splits one value into the items of an array, after decoding."""
    keyword_only: bool = False
    """Whether it is passed by name."""
    fields: tuple["Argument", ...] = ()
    """The parameters of a ``"model"``; they have no fields of their own."""
    build: Callable[..., object] | None = None
    """Makes a ``"model"`` of one value for each of `fields`, passed by position; absent ones are
    their defaults. Raises ``ValueError`` or ``TypeError`` where the model refuses them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRule:
    """What an uploaded file of one form field must be."""

    field: str
    """Name of the form field."""
    required: bool = True
    """Whether a request without it is refused."""
    content_types: tuple[str, ...] = ()
    """Media types that a part may declare; empty: any."""
    validate_magic_numbers: bool = False
    """Whether the first bytes must agree with the declared media type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyPlan:
    """How the content of the requests to one route is read."""

    argument: str | None
    """The argument that receives it; ``None`` where it is only validated, or where arguments of
    kind ``"field"`` share it."""
    kind: Literal["json", "value", "form", "bytes", "stream"]
    """How it is read.

    - ``"json"``: JSON, which `decode` makes the object of.
    - ``"value"``: JSON or a form, parsed, converted and validated by `schema`; then `convert`.
    - ``"form"``: a form, parsed, converted and validated by `schema`; then `convert`.
    - ``"bytes"``: whole, as it came, of any media type.
    - ``"stream"``: an asynchronous iterator of ``bytes``, of any media type.
    """
    schema: dict[str, object] | None = None
    """JSON Schema (2020-12) of the content; ``None``: anything."""
    decode: Callable[[bytes], object] | None = None
    """For ``"json"``: makes the object in one pass. Any exception means that the content is
    refused; one of `spikard` says itself why."""
    convert: Callable[[object], object] | None = None
    """For ``"value"`` and ``"form"``: makes the object of valid plain data, without the members
    that arguments of kind ``"field"`` take, and raises ``ValueError`` where it cannot; ``None``
    where plain data is asked for."""
    required: bool = True
    """Whether a request without content is refused. ``"value"`` and ``"form"`` take no content as
    an empty object, and refuse what that lacks."""
    default: object = None
    """Value when there is no content and it is not required."""
    default_factory: Callable[[], object] | None = None
    """Makes that value; goes before `default`."""
    files: tuple[FileRule, ...] = ()
    """What uploaded files must be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledRoute:
    """One method on one path template, ready to be served."""

    method: str
    """Method in upper case."""
    path: str
    """Path template with all prefixes, such as ``/v1/items/{id:int}``."""
    handler: Callable[..., object]
    """The handler, as the decorator received it."""
    name: str
    """Module and qualified name of the handler, such as ``shop.orders.create``."""
    location: str
    """File and line of the handler, such as ``shop/orders.py:12``."""
    arguments: tuple[Argument, ...]
    """Its arguments, in the order of the signature."""
    checked: tuple[Argument, ...] = ()
    """Parameters that are converted and validated, and passed to nobody."""
    body: BodyPlan | None = None
    """How the content is read; ``None``: it is left alone, for a ``Request`` to read."""
    status_code: int | None = None
    """Status of a reply that does not carry one; ``None``: 200."""
    sync_to_thread: bool | None = None
    """Where the handler runs: ``True`` on a thread, ``False`` on the loop; ``None``: on the loop
    until it has blocked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceptionHandler:
    """What answers for exceptions of one type, called with the request and the exception.

    It stays in Python: `spikard.exception_handlers` puts it around the handlers of the routes.
    """

    exception_type: type[Exception]
    """The type. For an exception, the handler of the first class in its ``__mro__`` answers."""
    handler: Callable[..., object]
    """The function, ``def`` or ``async def``; what it returns is a reply like a handler's."""
    name: str
    """Module and qualified name of the function."""
    location: str
    """File and line of the function."""
