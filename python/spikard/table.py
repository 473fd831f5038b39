"""An ordered table of routes in which declaring a handler again replaces what it was."""

from collections.abc import Iterator

from spikard.description import RouteDescription

__all__ = ["RouteTable"]


class RouteTable:
    """Route descriptions in the order of declaration.

    Running the same source again (`importlib.reload`, a notebook cell) declares the same handler,
    method and path again, and the new description takes the place of the old one. Two functions of
    one name in one piece of source are not that: both stay, and freezing reports the conflict.
    """

    __slots__ = ("_routes",)

    def __init__(self) -> None:
        """Starts empty."""
        self._routes: dict[tuple[object, ...], RouteDescription] = {}

    def add(self, route: RouteDescription) -> None:
        """Appends the route, or puts it in the place of its former self."""
        key = _key(route)
        former = self._routes.get(key)
        if former is not None:
            if _same_run(former, route):
                key = (*key, route.origin.line)
            else:
                self._forget_namesakes(key)
        self._routes[key] = route

    def _forget_namesakes(self, key: tuple[object, ...]) -> None:
        size = len(key)
        for other in [k for k in self._routes if len(k) > size and k[:size] == key]:
            del self._routes[other]

    def __iter__(self) -> Iterator[RouteDescription]:
        """Yields the routes as they stand at this moment."""
        return iter(list(self._routes.values()))

    def __contains__(self, route: RouteDescription) -> bool:
        """Whether this very description is in the table."""
        key = _key(route)
        return any(self._routes.get(k) is route for k in (key, (*key, route.origin.line)))

    def __bool__(self) -> bool:
        """Whether there are any routes."""
        return bool(self._routes)


def _key(route: RouteDescription) -> tuple[object, ...]:
    return (route.handler_name, route.method, route.path)


def _same_run(former: RouteDescription, route: RouteDescription) -> bool:
    code = former.origin.code()
    return (
        code is not None and code is route.origin.code() and former.origin.line != route.origin.line
    )
