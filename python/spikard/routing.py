"""The route decorators: of a module (`get`), of a `Router`, and of an app (``@app.get``).

A decorator returns the function it is given, unchanged, and notes a `RouteDescription`. Who takes
the route is decided by the rules of `spikard.collection`.
"""

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from types import FrameType
from typing import Protocol, TypeVar, Unpack

from spikard.collection import declare, note_router_route
from spikard.description import RouteDescription, RouteOptions, describe
from spikard.exceptions import RouteError
from spikard.frames import location_of
from spikard.includes import (
    HANDLER_KEY,
    Include,
    IncludeTarget,
    RouteSource,
    checked_prefix,
    checked_tags,
    prefixed,
)
from spikard.table import RouteTable

__all__ = [
    "RouteDecorator",
    "RouteDecorators",
    "Router",
    "delete",
    "get",
    "head",
    "options",
    "patch",
    "post",
    "put",
    "route",
    "trace",
]

HandlerT = TypeVar("HandlerT", bound=Callable[..., object])


class RouteDecorator(Protocol):
    """A decorator that gives back the very function it is applied to."""

    def __call__(self, handler: HandlerT, /) -> HandlerT:
        """Declares the route and returns the handler."""
        ...


Recorder = Callable[[list[RouteDescription], FrameType], None]


def _decorator(
    record: Recorder,
    path: str,
    methods: Sequence[str],
    options: RouteOptions,
) -> RouteDecorator:
    if callable(path):
        where = location_of(sys._getframe(2))
        raise RouteError(f"{where}: a route decorator needs its path, as in @get('/items')")

    def decorate(handler: HandlerT, /) -> HandlerT:
        frame = sys._getframe(1)
        routes = describe(handler, frame, path=path, methods=methods, options=options)
        record(routes, frame)
        _attach(handler, routes)
        return handler

    return decorate


def _attach(handler: Callable[..., object], routes: list[RouteDescription]) -> None:
    """Adds the descriptions to the handler, so that it can be included by itself."""
    again = {(route.method, route.path) for route in routes}
    kept = [
        route
        for route in getattr(handler, HANDLER_KEY, ())
        # A wrapper made with functools.wraps carries the descriptions of what it wraps.
        if route.handler is handler and (route.method, route.path) not in again
    ]
    try:
        setattr(handler, HANDLER_KEY, (*kept, *routes))
    except AttributeError:
        # A bound method or a slotted object takes no attributes, and cannot be included alone.
        return


class RouteDecorators(ABC):
    """The decorators that an app and a `Router` have in common."""

    @abstractmethod
    def _record(self, routes: list[RouteDescription], frame: FrameType) -> None:
        """Notes the routes that a decorator describes."""

    def get(self, path: str, **options: Unpack[RouteOptions]) -> RouteDecorator:
        """Declares a handler for GET; see `spikard.get`."""
        return _decorator(self._record, path, ["GET"], options)

    def post(self, path: str, **options: Unpack[RouteOptions]) -> RouteDecorator:
        """Declares a handler for POST; see `spikard.get`."""
        return _decorator(self._record, path, ["POST"], options)

    def put(self, path: str, **options: Unpack[RouteOptions]) -> RouteDecorator:
        """Declares a handler for PUT; see `spikard.get`."""
        return _decorator(self._record, path, ["PUT"], options)

    def patch(self, path: str, **options: Unpack[RouteOptions]) -> RouteDecorator:
        """Declares a handler for PATCH; see `spikard.get`."""
        return _decorator(self._record, path, ["PATCH"], options)

    def delete(self, path: str, **options: Unpack[RouteOptions]) -> RouteDecorator:
        """Declares a handler for DELETE; see `spikard.get`."""
        return _decorator(self._record, path, ["DELETE"], options)

    def head(self, path: str, **options: Unpack[RouteOptions]) -> RouteDecorator:
        """Declares a handler for HEAD; see `spikard.get`."""
        return _decorator(self._record, path, ["HEAD"], options)

    def options(self, path: str, **options: Unpack[RouteOptions]) -> RouteDecorator:
        """Declares a handler for OPTIONS; see `spikard.get`."""
        return _decorator(self._record, path, ["OPTIONS"], options)

    def trace(self, path: str, **options: Unpack[RouteOptions]) -> RouteDecorator:
        """Declares a handler for TRACE; see `spikard.get`."""
        return _decorator(self._record, path, ["TRACE"], options)

    def route(
        self,
        path: str,
        methods: Sequence[str] = ("GET",),
        **options: Unpack[RouteOptions],
    ) -> RouteDecorator:
        """Declares a handler for several methods; see `spikard.route`."""
        return _decorator(self._record, path, methods, options)


class Router(RouteDecorators, RouteSource):
    """Routes that are declared together and included together, by any number of apps.

    Args:
        prefix: Path put before every route; starts, and does not end, with a slash.
        tags: Groups every route belongs to.

    Raises:
        RouteError: The prefix or the tags are not possible.
    """

    def __init__(self, prefix: str = "", *, tags: Sequence[str] = ()) -> None:
        """Starts empty; see the class for the arguments."""
        where = location_of(sys._getframe(1))
        self._prefix = checked_prefix(prefix, where)
        self._tags = checked_tags(tags, where)
        self._own = RouteTable()
        self._includes: list[Include] = []

    def include(self, target: IncludeTarget, *, prefix: str = "", tags: Sequence[str] = ()) -> None:
        """Takes the routes of a module, another router or a handler; see `Spikard.include`.

        Raises:
            RouteError: An argument is wrong, or the other router includes this one.
        """
        where = location_of(sys._getframe(1))
        if isinstance(target, RouteSource) and target.reaches(self):
            raise RouteError(f"{where}: a Router cannot include itself, nor what includes it")
        self._includes.append(Include(target, prefix=prefix, tags=tags, where=where))

    def reaches(self, source: RouteSource) -> bool:
        """Whether it is ``source``, or includes it, directly or through others."""
        routers = (include.router for include in self._includes)
        return self is source or any(router and router.reaches(source) for router in routers)

    def collected(self) -> Iterator[RouteDescription]:
        """Yields its routes, prefixes joined and tags added."""
        for route in self._own:
            yield prefixed(route, self._prefix, self._tags)
        for include in self._includes:
            for route in include.collected():
                yield prefixed(route, self._prefix, self._tags)

    def _record(self, routes: list[RouteDescription], frame: FrameType) -> None:
        for route in routes:
            route.origin.home = self
            self._own.add(route)
            note_router_route(route, frame)


def get(path: str, **options: Unpack[RouteOptions]) -> RouteDecorator:
    """Declares a handler for GET requests to the path.

    Args:
        path: Path template, such as ``/items/{id:int}``; starts with a slash.
        options: See `RouteOptions`.

    Returns:
        A decorator that returns the function itself, unchanged.

    Raises:
        RouteError: When it is applied: an argument is wrong, or it is unclear which app the route
            belongs to. The message names the function, its file and line.
    """
    return _decorator(declare, path, ["GET"], options)


def post(path: str, **options: Unpack[RouteOptions]) -> RouteDecorator:
    """Declares a handler for POST requests to the path; arguments and errors as for `get`."""
    return _decorator(declare, path, ["POST"], options)


def put(path: str, **options: Unpack[RouteOptions]) -> RouteDecorator:
    """Declares a handler for PUT requests to the path; arguments and errors as for `get`."""
    return _decorator(declare, path, ["PUT"], options)


def patch(path: str, **options: Unpack[RouteOptions]) -> RouteDecorator:
    """Declares a handler for PATCH requests to the path; arguments and errors as for `get`."""
    return _decorator(declare, path, ["PATCH"], options)


def delete(path: str, **options: Unpack[RouteOptions]) -> RouteDecorator:
    """Declares a handler for DELETE requests to the path; arguments and errors as for `get`."""
    return _decorator(declare, path, ["DELETE"], options)


def head(path: str, **options: Unpack[RouteOptions]) -> RouteDecorator:
    """Declares a handler for HEAD requests to the path; arguments and errors as for `get`.

    Without one, HEAD is answered by the handler for GET, and the content is left out.
    """
    return _decorator(declare, path, ["HEAD"], options)


def options(path: str, **options: Unpack[RouteOptions]) -> RouteDecorator:
    """Declares a handler for OPTIONS requests to the path; arguments and errors as for `get`.

    Without one, OPTIONS is answered 204 with the methods of the path in ``Allow``.
    """
    return _decorator(declare, path, ["OPTIONS"], options)


def trace(path: str, **options: Unpack[RouteOptions]) -> RouteDecorator:
    """Declares a handler for TRACE requests to the path; arguments and errors as for `get`."""
    return _decorator(declare, path, ["TRACE"], options)


def route(
    path: str,
    methods: Sequence[str] = ("GET",),
    **options: Unpack[RouteOptions],
) -> RouteDecorator:
    """Declares a handler for requests to the path with any of the methods.

    Args:
        path: Path template, such as ``/items/{id:int}``; starts with a slash.
        methods: Methods, such as ``["GET", "POST"]``; any token is possible.
        options: See `RouteOptions`.

    Raises:
        RouteError: As for `get`.
    """
    return _decorator(declare, path, methods, options)
