"""The route decorators: of a module (`get`), of a `Router`, and of an app (``@app.get``).

A decorator returns the function it is given, unchanged, and notes a `RouteDescription`. Who takes
the route is decided by the rules of `spikard.collection`.
"""

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from types import FrameType
from typing import Protocol, TypeVar

from spikard.collection import declare, note_router_route
from spikard.description import RouteDescription, describe
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
    status_code: int | None,
    name: str | None,
) -> RouteDecorator:
    if callable(path):
        where = location_of(sys._getframe(2))
        raise RouteError(f"{where}: a route decorator needs its path, as in @get('/items')")

    def decorate(handler: HandlerT, /) -> HandlerT:
        frame = sys._getframe(1)
        routes = describe(
            handler, frame, path=path, methods=methods, status_code=status_code, name=name
        )
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

    def get(
        self, path: str, *, status_code: int | None = None, name: str | None = None
    ) -> RouteDecorator:
        """Declares a handler for GET; see `spikard.get`."""
        return _decorator(self._record, path, ["GET"], status_code, name)

    def post(
        self, path: str, *, status_code: int | None = None, name: str | None = None
    ) -> RouteDecorator:
        """Declares a handler for POST; see `spikard.get`."""
        return _decorator(self._record, path, ["POST"], status_code, name)

    def put(
        self, path: str, *, status_code: int | None = None, name: str | None = None
    ) -> RouteDecorator:
        """Declares a handler for PUT; see `spikard.get`."""
        return _decorator(self._record, path, ["PUT"], status_code, name)

    def patch(
        self, path: str, *, status_code: int | None = None, name: str | None = None
    ) -> RouteDecorator:
        """Declares a handler for PATCH; see `spikard.get`."""
        return _decorator(self._record, path, ["PATCH"], status_code, name)

    def delete(
        self, path: str, *, status_code: int | None = None, name: str | None = None
    ) -> RouteDecorator:
        """Declares a handler for DELETE; see `spikard.get`."""
        return _decorator(self._record, path, ["DELETE"], status_code, name)

    def head(
        self, path: str, *, status_code: int | None = None, name: str | None = None
    ) -> RouteDecorator:
        """Declares a handler for HEAD; see `spikard.get`."""
        return _decorator(self._record, path, ["HEAD"], status_code, name)

    def options(
        self, path: str, *, status_code: int | None = None, name: str | None = None
    ) -> RouteDecorator:
        """Declares a handler for OPTIONS; see `spikard.get`."""
        return _decorator(self._record, path, ["OPTIONS"], status_code, name)

    def trace(
        self, path: str, *, status_code: int | None = None, name: str | None = None
    ) -> RouteDecorator:
        """Declares a handler for TRACE; see `spikard.get`."""
        return _decorator(self._record, path, ["TRACE"], status_code, name)

    def route(
        self,
        path: str,
        methods: Sequence[str] = ("GET",),
        *,
        status_code: int | None = None,
        name: str | None = None,
    ) -> RouteDecorator:
        """Declares a handler for several methods; see `spikard.route`."""
        return _decorator(self._record, path, methods, status_code, name)


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


def get(path: str, *, status_code: int | None = None, name: str | None = None) -> RouteDecorator:
    """Declares a handler for GET requests to the path.

    Args:
        path: Path template, such as ``/items/{id:int}``; starts with a slash.
        status_code: Status of replies that do not carry one, 100 to 599; default is 200.
        name: Name of the route, for links to it.

    Returns:
        A decorator that returns the function itself, unchanged.

    Raises:
        RouteError: When it is applied: an argument is wrong, or it is unclear which app the route
            belongs to. The message names the function, its file and line.
    """
    return _decorator(declare, path, ["GET"], status_code, name)


def post(path: str, *, status_code: int | None = None, name: str | None = None) -> RouteDecorator:
    """Declares a handler for POST requests to the path; arguments and errors as for `get`."""
    return _decorator(declare, path, ["POST"], status_code, name)


def put(path: str, *, status_code: int | None = None, name: str | None = None) -> RouteDecorator:
    """Declares a handler for PUT requests to the path; arguments and errors as for `get`."""
    return _decorator(declare, path, ["PUT"], status_code, name)


def patch(path: str, *, status_code: int | None = None, name: str | None = None) -> RouteDecorator:
    """Declares a handler for PATCH requests to the path; arguments and errors as for `get`."""
    return _decorator(declare, path, ["PATCH"], status_code, name)


def delete(path: str, *, status_code: int | None = None, name: str | None = None) -> RouteDecorator:
    """Declares a handler for DELETE requests to the path; arguments and errors as for `get`."""
    return _decorator(declare, path, ["DELETE"], status_code, name)


def head(path: str, *, status_code: int | None = None, name: str | None = None) -> RouteDecorator:
    """Declares a handler for HEAD requests to the path; arguments and errors as for `get`.

    Without one, HEAD is answered by the handler for GET, and the content is left out.
    """
    return _decorator(declare, path, ["HEAD"], status_code, name)


def options(
    path: str, *, status_code: int | None = None, name: str | None = None
) -> RouteDecorator:
    """Declares a handler for OPTIONS requests to the path; arguments and errors as for `get`.

    Without one, OPTIONS is answered 204 with the methods of the path in ``Allow``.
    """
    return _decorator(declare, path, ["OPTIONS"], status_code, name)


def trace(path: str, *, status_code: int | None = None, name: str | None = None) -> RouteDecorator:
    """Declares a handler for TRACE requests to the path; arguments and errors as for `get`."""
    return _decorator(declare, path, ["TRACE"], status_code, name)


def route(
    path: str,
    methods: Sequence[str] = ("GET",),
    *,
    status_code: int | None = None,
    name: str | None = None,
) -> RouteDecorator:
    """Declares a handler for requests to the path with any of the methods.

    Args:
        path: Path template, such as ``/items/{id:int}``; starts with a slash.
        methods: Methods, such as ``["GET", "POST"]``; any token is possible.
        status_code: Status of replies that do not carry one, 100 to 599; default is 200.
        name: Name of the route, for links to it.

    Raises:
        RouteError: As for `get`.
    """
    return _decorator(declare, path, methods, status_code, name)
