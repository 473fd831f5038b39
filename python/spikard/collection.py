"""Decorators record, apps collect: the rules by which a route finds its app.

There is no process-wide list of routes, and what other apps exist in the process decides nothing.

1. A bare decorator at the top level of a module notes the route in that module's own namespace.
2. An app notes the namespace that built it, and takes its routes when it freezes, whether they
   stand above or below the app. An app that a function builds does so unless its module has an app
   of its own.
3. An app takes the routes of other modules by `Spikard.include`; any number of apps may.
4. A module that has no app and that nobody includes goes to the app that was current when its
   decorators ran: the one that the nearest code around the import built, or holds by name.
5. Inside a function, a bare decorator binds at once to the app built in the same call, or else to
   the current one.
6. Two apps in one namespace and a bare decorator are an error.
7. Routes that no app takes are warned of, and a frozen app refuses new ones.

What must be known about running code is read from the stack while it runs. Apps are held weakly by
everything but their owners; an app holds the frame that built it only until it freezes.
"""

import itertools
import threading
import warnings
import weakref
from collections.abc import Iterable, Iterator, Sequence
from types import FrameType
from typing import cast

from spikard.description import RouteDescription
from spikard.exceptions import RouteError, UnattachedRoutesWarning
from spikard.frames import (
    declaring_frame,
    is_function,
    location_of,
    outward,
    site_of,
    sites_around,
)
from spikard.includes import Include, IncludeTarget
from spikard.namespace import ModuleRoutes
from spikard.table import RouteTable

__all__ = ["Collector", "declare", "note_router_route", "warn_second_run", "warn_unattached"]

# Guards the two sets below and every step that must not interleave with an app's freezing. No code
# of the user runs under it.
_lock = threading.RLock()
_open_apps: "weakref.WeakSet[Collector]" = weakref.WeakSet()
_waiting_routes: "weakref.WeakSet[RouteDescription]" = weakref.WeakSet()
_serials = itertools.count()


class Collector:
    """The collecting half of an app: which routes are its own, until it freezes."""

    def __init__(self, include: Sequence[IncludeTarget], frame: FrameType) -> None:
        """Notes the code that builds the app, and what it includes."""
        frame = declaring_frame(frame)
        self._serial = next(_serials)
        self._built_at = location_of(frame)
        self._site = weakref.ref(site_of(frame))
        self._code = weakref.ref(frame.f_code)
        self._frozen = False
        self._bound = RouteTable()
        self._adoptable: list[RouteDescription] = []
        if isinstance(include, str) or not isinstance(include, Iterable):
            raise RouteError(
                f"{self._built_at}: `include` must be a list of what the app includes, but it is "
                f"{include!r}"
            )
        self._includes = [
            Include(target, prefix="", tags=(), where=self._built_at) for target in include
        ]
        self._frame: FrameType | None = None
        self._module: ModuleRoutes | None = None
        if is_function(frame):
            self._frame = frame
        else:
            self._module = ModuleRoutes.of(frame.f_globals)
            self._module.add_app(self)
        with _lock:
            _open_apps.add(self)

    @property
    def frozen(self) -> bool:
        """Whether the app has collected its routes and refuses new ones."""
        return self._frozen

    def bind(self, route: RouteDescription) -> None:
        """Adds a route of this app's own.

        Raises:
            RouteError: The app is frozen.
        """
        with _lock:
            if self._frozen:
                raise self._refusal(route)
            self._bound.add(route)

    def add_include(self, include: Include) -> None:
        """Adds an inclusion.

        Raises:
            RouteError: The app is frozen.
        """
        with _lock:
            if self._frozen:
                raise self._refusal(include)
            self._includes.append(include)

    def collect(self) -> tuple[RouteDescription, ...]:
        """Gathers the routes as they stand, importing the modules that are included by name.

        Raises:
            RouteError: It is unclear which app a route belongs to, or an include is not possible.
        """
        included: list[RouteDescription] = []
        # An included module may include further ones while it is imported.
        for number in itertools.count():
            if number >= len(self._includes):
                break
            included += self._includes[number].collected()
        gathered = [*self._own(), *self._bound, *included, *self._adopted()]
        # A declaration that comes along two ways is served once for each path.
        unique = {(id(route.origin), route.method, route.path): route for route in gathered}
        return tuple(unique.values())

    def close(self) -> tuple[RouteDescription, ...]:
        """Gathers the routes for good; from here on the app refuses new ones.

        `release` completes it, `reopen` takes it back.
        """
        while True:
            self.collect()
            warn_unattached(self)
            with _lock:
                # Another thread may have added something meanwhile. What it bound is gathered now;
                # what is still to be imported must not be imported under the lock.
                if all(include.pending_module is None for include in self._includes):
                    routes = self.collect()
                    self._frozen = True
                    _open_apps.discard(self)
                    return routes

    def reopen(self) -> None:
        """Takes `close` back, as the app cannot be frozen after all."""
        with _lock:
            self._frozen = False
            _open_apps.add(self)

    def release(self, routes: Sequence[RouteDescription]) -> None:
        """Marks the routes as served, and lets go of what only an open app needs."""
        for route in routes:
            route.origin.taken = True
        self._frame = None
        self._adoptable.clear()

    def _own(self) -> list[RouteDescription]:
        """The routes of the namespace that built the app."""
        if self._frame is not None:
            module = ModuleRoutes.find(self._frame.f_globals)
            return [] if module is None or module.had_app else list(module)
        if self._module is None or not self._module.routes:
            return []
        routes = list(self._module)
        rivals = [app for app in self._module.apps() if app is not self]
        if rivals:
            raise _ambiguous(routes[0], [self, *rivals])
        return routes

    def _adopted(self) -> Iterator[RouteDescription]:
        """The routes of modules that were declared while this app was current."""
        for route in list(self._adoptable):
            home = route.origin.home
            if isinstance(home, ModuleRoutes) and route in home.routes and not _has_owner(route):
                yield route

    def _refusal(self, late: RouteDescription | Include) -> RouteError:
        return RouteError(
            f"{late} comes too late: the app built at {self._built_at} froze when it was first "
            "run, tested or exported; put this before that, or build the app again first"
        )


def declare(routes: list[RouteDescription], frame: FrameType) -> None:
    """Records the routes of one bare decorator.

    Raises:
        RouteError: It is unclear which app the routes belong to, or that app is frozen.
    """
    frame = declaring_frame(frame)
    if is_function(frame):
        top_level = _applied_at_top_level(routes[0], frame)
        if top_level is None:
            app = _app_inside_function(routes[0], frame)
            for route in routes:
                app.bind(route)
            return
        frame = top_level
    module = ModuleRoutes.of(frame.f_globals)
    _refuse_late(module, routes[0], frame)
    current = None if module.had_app else _current_app(frame)
    for route in routes:
        route.origin.home = module
        with _lock:
            module.routes.add(route)
            if current is not None:
                route.origin.app = weakref.ref(current)
                current._adoptable.append(route)
            _waiting_routes.add(route)
        if current is None:
            route.origin.sites = sites_around(frame)


def note_router_route(route: RouteDescription, frame: FrameType) -> None:
    """Remembers a route of a router, which waits for an app to include the router."""
    route.origin.sites = sites_around(frame)
    with _lock:
        _waiting_routes.add(route)


def warn_unattached(app: Collector, *, everywhere: bool = False) -> None:
    """Warns of routes that no app takes, each once.

    Before an app freezes only of those that the code which built it has declared or imported: a
    test suite imports modules that other tests include. An app that is about to run speaks for
    the whole process, and warns of routes ``everywhere``.
    """
    with _lock:
        waiting = sorted(_waiting_routes, key=lambda route: route.location)
    for route in waiting:
        if route.origin.taken:
            _waiting_routes.discard(route)
        elif not (_has_owner(route) or _awaits_current_app(route)) and (
            everywhere or any(site() is app._site() for site in route.origin.sites)
        ):
            _waiting_routes.discard(route)
            _warn(route, f"{route} belongs to no app, so nothing answers it; {_remedy(route)}")


def warn_second_run(app: Collector) -> None:
    """Warns of routes that are bound to the app of a second run of the app's own file.

    A script that other modules import runs twice, as ``__main__`` and under its name, and builds
    its app each time. What the others bind to theirs is not served by the one that runs.
    """
    with _lock:
        apps = [other for other in _open_apps if other is not app]
    for other in apps:
        mine, its = app._module, other._module
        if mine is None or its is None or mine is its or app._built_at != other._built_at:
            continue
        for route in other._bound:
            _warn(
                route,
                f"{route} is bound to the app of module `{its.name}`, a second run of the file "
                f"that runs as `{mine.name}`; build the app in a module that is no script, or put "
                "the route on a Router",
            )


def _warn(route: RouteDescription, message: str) -> None:
    file, _, line = route.location.rpartition(":")
    warnings.warn_explicit(message, UnattachedRoutesWarning, file, int(line))


def _applied_at_top_level(route: RouteDescription, frame: FrameType) -> FrameType | None:
    """The module's frame, where a function of the user's applies our decorator for a module.

    A decorator that wraps ours runs in a function, but what it decorates stands at the top level
    of the module that is running further out.
    """
    if "<locals>" in route.handler_name:
        return None
    for outer in outward(frame):
        if _apps_built_by(outer):
            return None
        if not is_function(outer):
            in_module = outer.f_globals is getattr(route.handler, "__globals__", None)
            return outer if in_module else None
    return None


def _app_inside_function(route: RouteDescription, frame: FrameType) -> Collector:
    """The app that a bare decorator inside a function binds to."""
    for apps in itertools.chain(_apps_outward(frame), [_apps_named_in(frame.f_globals)]):
        candidates = [app for app in apps if not app.frozen] or apps[-1:]
        if len(candidates) > 1:
            raise _ambiguous(route, candidates)
        if candidates:
            return candidates[0]
    raise RouteError(
        f"{route}: a bare decorator inside a function needs an app that is built before it; build "
        "the app above it, or use @app.get or a Router"
    )


def _current_app(frame: FrameType) -> Collector | None:
    """The open app that the nearest code on the stack built, or holds by name."""
    if not _open_apps:
        return None
    for apps in _apps_outward(frame):
        candidates = [app for app in apps if not app.frozen]
        if candidates:
            return candidates[-1]
    return None


def _apps_outward(frame: FrameType) -> Iterator[list[Collector]]:
    """Yields the apps in reach of each piece of code on the stack, innermost first."""
    for outer in outward(frame):
        yield _apps_built_by(outer)
        module = ModuleRoutes.find(outer.f_globals)
        if module is not None:
            yield module.apps()
        yield _apps_named_in(outer.f_locals)


def _apps_built_by(frame: FrameType) -> list[Collector]:
    """The open apps that this call of a function built, in order."""
    with _lock:
        built = [app for app in _open_apps if app._frame is frame]
    return sorted(built, key=lambda app: app._serial)


def _apps_named_in(variables: dict[str, object]) -> list[Collector]:
    """The one app among the variables; none if there are several."""
    # The types are asked, as isinstance() makes lazy proxies load the object behind them; and the
    # set of them first, as it is quick and a module of many handlers asks once for each.
    values = list(variables.values())
    if not any(issubclass(kind, Collector) for kind in set(map(type, values))):
        return []
    named = {id(value): value for value in values if issubclass(type(value), Collector)}
    return cast("list[Collector]", list(named.values())) if len(named) == 1 else []


def _refuse_late(module: ModuleRoutes, route: RouteDescription, frame: FrameType) -> None:
    """Refuses a route for a namespace whose apps are all frozen, unless the module is reloading."""
    apps = module.apps()
    if not apps or not all(app.frozen for app in apps):
        return
    running_its_file = frame.f_code.co_filename == module.namespace.get("__file__")
    if running_its_file and all(app._code() is not frame.f_code for app in apps):
        return
    raise apps[-1]._refusal(route)


def _has_owner(route: RouteDescription) -> bool:
    """Whether the route's own module has an app, or an app or a router includes it."""
    origin, home = route.origin, route.origin.home
    if origin.included or (home is not None and home.included):
        return True
    if not isinstance(home, ModuleRoutes):
        return False
    with _lock:
        by_name = {include.pending_module for app in _open_apps for include in app._includes}
    return home.had_app or home.name in by_name


def _awaits_current_app(route: RouteDescription) -> bool:
    app = route.origin.app() if route.origin.app is not None else None
    return app is not None and not app.frozen


def _ambiguous(route: RouteDescription, apps: list[Collector]) -> RouteError:
    lines = " and ".join(app._built_at for app in sorted(apps, key=lambda app: app._serial))
    return RouteError(
        f"{route} could belong to any of the apps built at {lines}; use the decorator of the one "
        "that is meant, such as @app.get, or put the route on a Router that it includes"
    )


def _remedy(route: RouteDescription) -> str:
    if isinstance(route.origin.home, ModuleRoutes):
        return f'include its module, as in `app.include("{route.origin.home.name}")`'
    return "include its Router, as in `app.include(router)`"
