"""The routes and apps of one module, kept in the module's own namespace."""

import threading
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spikard.description import RouteDescription
from spikard.table import RouteTable

if TYPE_CHECKING:
    from spikard.collection import Collector

__all__ = ["NAMESPACE_KEY", "ModuleRoutes"]

NAMESPACE_KEY = "__spikard_routes__"

_creating = threading.RLock()


@dataclass(slots=True)
class _BuiltApp:
    app: "weakref.ref[Collector]"
    was_named: bool = False


class ModuleRoutes:
    """What a module declares with bare decorators, and the apps that were built at its top level.

    It lives and dies with the namespace, so ``__main__`` and ``main`` have one each.
    """

    __slots__ = ("_apps", "included", "namespace", "routes")

    def __init__(self, namespace: dict[str, object]) -> None:
        """Starts empty; use `of` to get the one of a namespace."""
        self.namespace: dict[str, object] = namespace
        self.routes: RouteTable = RouteTable()
        self.included: bool = False
        self._apps: list[_BuiltApp] = []

    @classmethod
    def find(cls, namespace: dict[str, object]) -> "ModuleRoutes | None":
        """The one of the namespace, if it has any."""
        own = namespace.get(NAMESPACE_KEY)
        # A copied namespace, as doctest makes, carries the one of the original along.
        if isinstance(own, ModuleRoutes) and own.namespace is namespace:
            return own
        return None

    @classmethod
    def of(cls, namespace: dict[str, object]) -> "ModuleRoutes":
        """The one of the namespace, made when there is none."""
        with _creating:
            own = cls.find(namespace)
            if own is None:
                own = cls(namespace)
                namespace[NAMESPACE_KEY] = own
            return own

    @property
    def name(self) -> str:
        """Name of the module."""
        return str(self.namespace.get("__name__", "__main__"))

    @property
    def had_app(self) -> bool:
        """Whether an app was ever built here."""
        return bool(self._apps)

    def add_app(self, app: "Collector") -> None:
        """Notes an app that is being built here."""
        for earlier in self._apps:
            built = earlier.app()
            if built is not None and self._names(built):
                earlier.was_named = True
        self._apps.append(_BuiltApp(weakref.ref(app)))

    def apps(self) -> list["Collector"]:
        """The apps built here that still stand, in the order in which they were built.

        ``app = Spikard()`` run again, by a reload or a notebook cell, takes the name away from the
        former app, and with it the place in this list.
        """
        standing = []
        for built in list(self._apps):
            app = built.app()
            if app is not None and (not built.was_named or self._names(app)):
                standing.append(app)
        return standing

    def _names(self, app: "Collector") -> bool:
        return any(value is app for value in list(self.namespace.values()))

    def __iter__(self) -> Iterator[RouteDescription]:
        """Yields the routes as they stand at this moment."""
        return iter(self.routes)
