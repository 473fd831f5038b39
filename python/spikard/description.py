"""What a route decorator writes down: immutable, and shared by every app that takes it."""

import re
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any, Protocol, TypedDict

from spikard.exceptions import RouteError
from spikard.frames import Site, location_of

if TYPE_CHECKING:
    from spikard.collection import Collector

__all__ = [
    "Handler",
    "RouteDescription",
    "RouteOptions",
    "definition_of",
    "describe",
    "qualified_name",
]

Handler = Callable[..., object]
"""Whatever can be called to answer a request."""

# A method is a token (RFC 9110, 5.6.2); ours are written in upper case.
_METHOD = re.compile(r"[A-Z0-9!#$%&'*+.^_`|~-]+")


class Home(Protocol):
    """Where bare routes are written down: a module's namespace or a router."""

    included: bool
    """Whether an app or a router includes all of it."""


class RouteOptions(TypedDict, total=False):
    """What a route decorator takes besides path and methods."""

    status_code: int | None
    """Status of replies that do not carry one, 200 to 599; default is 200."""
    name: str | None
    """Name of the route, for links to it."""
    sync_to_thread: bool | None
    """Where a ``def`` handler runs: ``True`` on a thread, ``False`` on the thread of the event
    loop. By default it starts on the loop and moves to threads once a call took more than 5 ms."""
    parameter_schema: Mapping[str, object] | None
    """JSON Schema of an object whose properties are parameters. Each says its ``"source"``
    (``"query"``, ``"path"``, ``"headers"`` or ``"cookie"``), and may say ``optional``,
    ``required``, ``default`` and ``separator``. Values arrive as plain data, in the argument of the
    same name in lower case, with ``_`` for what no name may hold."""
    body_schema: Mapping[str, object] | None
    """JSON Schema of the content, JSON or a form; it arrives as plain data, validated."""
    file_params: Mapping[str, Mapping[str, object]] | None
    """What uploaded files must be, by form field: ``required`` (default ``True``),
    ``content_type`` (media types, default any) and ``validate_magic_numbers`` (default ``False``).
    """


@dataclass(slots=True, kw_only=True)
class Origin:
    """The circumstances of a declaration, for the rules of `spikard.collection`."""

    code: "weakref.ref[CodeType]"
    """The code that ran the decorator."""
    line: int
    """Its line."""
    home: Home | None = None
    """Where the route is written down; ``None`` for a route that went to its app at once."""
    sites: tuple["weakref.ref[Site]", ...] = ()
    """The code around the declaration, where no app was current."""
    app: "weakref.ref[Collector] | None" = None
    """The app that was current."""
    included: bool = False
    """Whether an app or a router includes this very function."""
    taken: bool = False
    """Whether a frozen app serves it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, weakref_slot=True)
class RouteDescription:
    """One method on one path template, and the handler that answers it."""

    method: str
    """Method in upper case."""
    path: str
    """Path template, such as ``/items/{id:int}``."""
    handler: Handler
    """The handler, as the decorator received it."""
    handler_name: str
    """Module and qualified name of the handler, such as ``shop.orders.create``."""
    location: str
    """File and line of the handler, such as ``shop/orders.py:12``."""
    name: str | None = None
    """Name of the route, if it was given one."""
    status_code: int | None = None
    """Status of a reply that does not carry one; ``None``: 200."""
    sync_to_thread: bool | None = None
    """Whether a ``def`` handler runs on a thread; ``None``: once it has blocked."""
    parameter_schema: Mapping[str, object] | None = None
    """JSON Schema of parameters, if it was given one."""
    body_schema: Mapping[str, object] | None = None
    """JSON Schema of the content, if it was given one."""
    file_params: Mapping[str, Mapping[str, object]] | None = None
    """What uploaded files must be, if that was given."""
    tags: tuple[str, ...] = ()
    """Groups the route belongs to, outermost first."""
    origin: Origin = field(repr=False)

    def __str__(self) -> str:
        """Names the route and its handler in messages."""
        return f"{self.method} {self.path} (`{self.handler_name}`, {self.location})"


def describe(
    handler: Handler,
    frame: FrameType,
    *,
    path: object,
    methods: object,
    options: RouteOptions,
) -> list[RouteDescription]:
    """Checks what a decorator was given and describes it, one route for each method.

    Raises:
        RouteError: The path, a method, an option or the handler is not possible.
    """
    if not callable(handler) or isinstance(handler, type):
        raise RouteError(
            f"{location_of(frame)}: a route decorator belongs on a function, not on {handler!r}"
        )
    handler_name = qualified_name(handler)
    location = definition_of(handler) or location_of(frame)
    where = f"`{handler_name}` ({location})"

    if not isinstance(path, str) or not path.startswith("/"):
        raise RouteError(f"{where}: the path must start with '/', but it is {path!r}")
    if isinstance(methods, str) or not isinstance(methods, list | tuple | set | frozenset):
        raise RouteError(f"{where}: `methods` must be a list such as ['GET'], not {methods!r}")
    if not methods:
        raise RouteError(f"{where}: `methods` must name at least one method")
    for method in methods:
        if not isinstance(method, str) or not _METHOD.fullmatch(method.upper()):
            raise RouteError(f"{where}: {method!r} is not a method")
    _check_options(options, where)

    upper = [method.upper() for method in methods]
    return [
        RouteDescription(
            method=method,
            path=path,
            handler=handler,
            handler_name=handler_name,
            location=location,
            name=options.get("name"),
            status_code=options.get("status_code"),
            sync_to_thread=options.get("sync_to_thread"),
            parameter_schema=options.get("parameter_schema"),
            body_schema=options.get("body_schema"),
            file_params=options.get("file_params"),
            origin=Origin(code=weakref.ref(frame.f_code), line=frame.f_lineno),
        )
        for method in dict.fromkeys(sorted(upper) if isinstance(methods, set) else upper)
    ]


def _check_options(options: RouteOptions, where: str) -> None:
    for option in options:
        if option not in RouteOptions.__annotations__:
            known = ", ".join(RouteOptions.__annotations__)
            raise RouteError(f"{where}: {option!r} is no option of a route; there are {known}")
    status_code = options.get("status_code")
    if status_code is not None and (
        not isinstance(status_code, int)
        or isinstance(status_code, bool)
        or not 200 <= status_code <= 599
    ):
        raise RouteError(f"{where}: the status code must be 200 to 599, but it is {status_code!r}")
    name = options.get("name")
    if name is not None and (not isinstance(name, str) or not name):
        raise RouteError(f"{where}: the name of a route must be text, but it is {name!r}")
    sync_to_thread = options.get("sync_to_thread")
    if sync_to_thread not in (True, False, None):
        raise RouteError(f"{where}: `sync_to_thread` must be True, False or None")
    for option in ("parameter_schema", "body_schema", "file_params"):
        schema = options.get(option)
        if schema is not None and not isinstance(schema, Mapping):
            raise RouteError(f"{where}: `{option}` must be a dictionary, but it is {schema!r}")


def qualified_name(handler: Handler) -> str:
    """Module and qualified name of a handler, whatever kind of callable it is."""
    named = _unwrapped(handler)
    if not hasattr(named, "__qualname__"):
        named = type(named)
    return f"{named.__module__}.{named.__qualname__}"


def _unwrapped(handler: object) -> object:
    """Looks through `functools.partial` and `functools.wraps`."""
    seen: set[int] = set()
    while id(handler) not in seen:
        seen.add(id(handler))
        if hasattr(handler, "__wrapped__"):
            handler = handler.__wrapped__
        elif hasattr(handler, "func") and hasattr(handler, "keywords"):
            handler = handler.func
    return handler


def definition_of(handler: Handler) -> str | None:
    """File and first line of the handler's definition, where it has one in Python."""
    function: Any = _unwrapped(handler)
    if not hasattr(function, "__code__"):
        function = getattr(function, "__func__", type(function).__call__)
    code = getattr(function, "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code is not None else None
