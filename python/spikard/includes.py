"""What an app or a router takes from elsewhere: modules, routers and single handlers."""

import importlib
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import replace
from types import ModuleType
from typing import TypeAlias

from spikard.description import Handler, RouteDescription
from spikard.exceptions import RouteError
from spikard.namespace import ModuleRoutes

__all__ = ["HANDLER_KEY", "Include", "IncludeTarget", "RouteSource"]

HANDLER_KEY = "__spikard_routes__"
"""Attribute of a handler that holds its route descriptions."""


class RouteSource(ABC):
    """A collection of routes that can be included: a `Router`."""

    included: bool = False
    """Whether an app or a router includes it."""

    @abstractmethod
    def reaches(self, source: "RouteSource") -> bool:
        """Whether it is ``source``, or includes it, directly or through others."""

    @abstractmethod
    def collected(self) -> Iterator[RouteDescription]:
        """Yields its routes, prefixes joined and tags added."""


IncludeTarget: TypeAlias = ModuleType | str | RouteSource | Handler
"""A module, its dotted name, a `Router`, or a handler with route decorators."""


class Include:
    """One inclusion: where routes come from, and what is put before them."""

    __slots__ = ("_prefix", "_tags", "_target", "_where")

    def __init__(
        self, target: IncludeTarget, *, prefix: str, tags: Sequence[str], where: str
    ) -> None:
        """Checks the target; a module that is named is imported when the app freezes.

        Raises:
            RouteError: The target, the prefix or the tags are not possible.
        """
        self._where = where
        self._target = target
        self._prefix = checked_prefix(prefix, where)
        self._tags = checked_tags(tags, where)
        self._claim()

    def __str__(self) -> str:
        """Says in messages where it was written."""
        return f"the include at {self._where}"

    @property
    def router(self) -> RouteSource | None:
        """The router it includes, if it is one."""
        return self._target if isinstance(self._target, RouteSource) else None

    @property
    def pending_module(self) -> str | None:
        """Name of the module it still has to import."""
        return self._target if isinstance(self._target, str) else None

    def collected(self) -> Iterator[RouteDescription]:
        """Yields the routes, prefix joined and tags added.

        Raises:
            RouteError: The module does not exist or declares no routes.
        """
        for route in self._found():
            yield prefixed(route, self._prefix, self._tags)

    def _claim(self) -> None:
        """Marks what is included, so that no other app takes it for want of an owner."""
        target = self._target
        if isinstance(target, str) and target in sys.modules:
            target = sys.modules[target]
        if isinstance(target, ModuleType):
            ModuleRoutes.of(target.__dict__).included = True
        elif isinstance(target, RouteSource):
            target.included = True
        elif isinstance(target, str):
            if not all(part.isidentifier() for part in target.split(".")):
                raise RouteError(
                    f"{self._where}: {target!r} is not the full dotted name of a module"
                )
        else:
            for route in self._descriptions(target):
                route.origin.included = True

    def _found(self) -> list[RouteDescription]:
        if isinstance(self._target, str):
            self._target = self._imported(self._target)
        if isinstance(self._target, RouteSource):
            return list(self._target.collected())
        if not isinstance(self._target, ModuleType):
            return self._descriptions(self._target)
        module = ModuleRoutes.of(self._target.__dict__)
        module.included = True
        if not module.routes:
            raise RouteError(
                f"{self._where}: module `{self._target.__name__}` declares no routes with bare "
                "decorators such as @get; include the module or the Router that has them"
            )
        return list(module)

    def _imported(self, name: str) -> ModuleType:
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            # A module that is there and fails to import something else speaks for itself.
            if error.name is None or not f"{name}.".startswith(f"{error.name}."):
                raise
            raise RouteError(f"{self._where}: there is no module `{name}` to include") from error

    def _descriptions(self, handler: object) -> list[RouteDescription]:
        routes = [route for route in getattr(handler, HANDLER_KEY, ()) if route.handler is handler]
        if not routes:
            raise RouteError(
                f"{self._where}: {handler!r} cannot be included; it takes a module, the dotted "
                "name of one, a Router, or a function with a route decorator"
            )
        return routes


def prefixed(route: RouteDescription, prefix: str, tags: tuple[str, ...]) -> RouteDescription:
    """The route below a prefix; ``/`` below ``/v1`` is ``/v1``."""
    if not prefix and not tags:
        return route
    path = prefix if prefix and route.path == "/" else prefix + route.path
    return replace(route, path=path, tags=tuple(dict.fromkeys((*tags, *route.tags))))


def checked_prefix(prefix: object, where: str) -> str:
    """The prefix, if it is one.

    Raises:
        RouteError: It is neither empty nor a path that starts, and does not end, with a slash.
    """
    if prefix == "":
        return ""
    if not isinstance(prefix, str) or not prefix.startswith("/") or prefix.endswith("/"):
        raise RouteError(
            f"{where}: a prefix must start with '/' and must not end with it, but it is {prefix!r}"
        )
    return prefix


def checked_tags(tags: object, where: str) -> tuple[str, ...]:
    """The tags as a tuple.

    Raises:
        RouteError: They are not a sequence of texts.
    """
    if isinstance(tags, str) or not isinstance(tags, Sequence):
        raise RouteError(f"{where}: tags must be a list of texts, but they are {tags!r}")
    for tag in tags:
        if not isinstance(tag, str) or not tag:
            raise RouteError(f"{where}: a tag must be text, but one is {tag!r}")
    return tuple(tags)
