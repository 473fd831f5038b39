"""The app: collects routes, freezes them into the Rust service, and serves."""

import sys
import threading
from collections.abc import Callable, Sequence
from types import FrameType
from typing import TYPE_CHECKING, TypeVar

from spikard.collection import Collector, warn_second_run, warn_unattached
from spikard.config import ServerConfig
from spikard.description import RouteDescription, definition_of, qualified_name
from spikard.exceptions import ConfigError, RouteError
from spikard.frames import location_of
from spikard.includes import Include, IncludeTarget
from spikard.routing import RouteDecorators

if TYPE_CHECKING:
    from spikard._spikard import Application
    from spikard.plan import CompiledRoute, ExceptionHandler

__all__ = ["Spikard"]

AnswerT = TypeVar("AnswerT", bound=Callable[..., object])


class Spikard(RouteDecorators, Collector):
    """An app: its routes and the settings it is served with.

    It takes the routes that bare decorators (``@get``) declare in the module that builds it, those
    of its own decorators (``@app.get``), and what it includes. `spikard.collection` has the rules.

    Args:
        config: Settings of the server; default is ``ServerConfig()``.
        include: Modules, dotted module names, `Router` objects or handlers whose routes it takes.

    Raises:
        ConfigError: ``config`` is not a `ServerConfig`.
        RouteError: Something in ``include`` cannot be included.
    """

    def __init__(
        self, *, config: ServerConfig | None = None, include: Sequence[IncludeTarget] = ()
    ) -> None:
        """Notes where it is built; see the class for the arguments."""
        if config is not None and not isinstance(config, ServerConfig):
            raise ConfigError(f"`config` is {config!r}; it must be a ServerConfig")
        super().__init__(include, _building_frame(self))
        self._config = config if config is not None else ServerConfig()
        self._freezing = threading.RLock()
        self._routes: tuple[RouteDescription, ...] = ()
        self._exception_handlers: dict[type[Exception], ExceptionHandler] = {}
        self._application: Application | None = None
        self._runs = False

    @property
    def config(self) -> ServerConfig:
        """Settings of the server."""
        return self._config

    @property
    def routes(self) -> tuple[RouteDescription, ...]:
        """The routes the app serves; before it is frozen, those it would serve by now.

        Raises:
            RouteError: It is unclear which app a route belongs to, or an include is not possible.
        """
        return self._routes if self.frozen else self.collect()

    def include(self, target: IncludeTarget, *, prefix: str = "", tags: Sequence[str] = ()) -> None:
        """Takes the routes of a module, of a `Router`, or of one handler.

        A module gives what its bare decorators declare, up to the moment when the app freezes. A
        module that is named by a text is imported at that moment.

        Args:
            target: A module, its full dotted name, a `Router`, or a handler with a decorator.
            prefix: Path put before every route; starts, and does not end, with a slash. The path
                ``/`` under ``/v1`` is ``/v1``.
            tags: Groups every route belongs to.

        Raises:
            RouteError: The app is frozen, or an argument is wrong.
        """
        where = location_of(sys._getframe(1))
        self.add_include(Include(target, prefix=prefix, tags=tags, where=where))

    def exception_handler(self, exception_type: type[Exception]) -> Callable[[AnswerT], AnswerT]:
        """Declares what answers when a handler raises an exception of a type.

        The function takes the request and the exception, and returns what a handler may return;
        it may be ``async``. Of several that fit, the one of the most specific type answers. What it
        raises itself is answered 500.

        Args:
            exception_type: The type; its subclasses are included. What the framework refuses
                before a handler runs is not raised by one, and has its own answers.

        Raises:
            RouteError: The app is frozen, the type is no exception, or has a function already.
        """
        from spikard.plan import ExceptionHandler

        where = location_of(sys._getframe(1))
        if not isinstance(exception_type, type) or not issubclass(exception_type, Exception):
            raise RouteError(f"{where}: {exception_type!r} is no type of exceptions")

        def decorate(handler: AnswerT, /) -> AnswerT:
            if self.frozen:
                raise RouteError(f"{where}: the app is frozen and takes no exception handlers")
            if not callable(handler):
                raise RouteError(f"{where}: {handler!r} is no function")
            other = self._exception_handlers.get(exception_type)
            plan = ExceptionHandler(
                exception_type=exception_type,
                handler=handler,
                name=qualified_name(handler),
                location=definition_of(handler) or where,
            )
            # Running the source again, as a notebook does, declares the same function again.
            if other is not None and other.name != plan.name:
                raise RouteError(
                    f"{where}: `{exception_type.__qualname__}` is handled by `{other.name}` "
                    f"({other.location}) already"
                )
            self._exception_handlers[exception_type] = plan
            return handler

        return decorate

    def freeze(self) -> "Application":
        """Collects the routes, compiles every handler's signature, and builds the Rust service.

        Happens once, on the first call; `run`, `serve` and the test client call it. When it fails
        the app stays open, and the next call tries again.

        Returns:
            The service, the same on every call.

        Raises:
            ConfigError: A setting has the wrong type or is out of range.
            RouteError: Routes conflict, or it is unclear which app one belongs to.
            SignatureError: A handler's signature cannot be served.

        Warns:
            UnattachedRoutesWarning: Routes near the app belong to no app.
        """
        with self._freezing:
            if self._application is None:
                # Compiling needs much of the standard library that an import should not wait for.
                from spikard.signature import compile_route

                self._config.validate()
                self._routes = self.close()
                try:
                    compiled = tuple(compile_route(route) for route in self._routes)
                    handlers = tuple(self._exception_handlers.values())
                    self._application = _built(compiled, handlers, self._config)
                except BaseException:
                    self.reopen()
                    raise
                self.release(self._routes)
            if self._runs:
                warn_unattached(self, everywhere=True)
                warn_second_run(self)
            return self._application

    def run(self) -> None:
        """Serves the app on ``config.host`` and ``config.port`` until SIGINT or SIGTERM.

        Raises:
            SystemExit: The app cannot be served: status 3, after one line on standard error.
            RuntimeError: The thread runs an event loop already; `serve` is for that.

        Warns:
            UnattachedRoutesWarning: Routes anywhere in the process belong to no app.
        """
        from spikard import server

        self._runs = True
        server.run(self)

    async def serve(self) -> None:
        """Serves the app inside the running event loop, until it is cancelled.

        Raises:
            SpikardError: As for `freeze`.
            OSError: The address cannot be had.

        Warns:
            UnattachedRoutesWarning: As for `freeze`.
        """
        from spikard import server

        await server.serve(self)

    def __repr__(self) -> str:
        """Says where the app was built."""
        return f"<{type(self).__name__} built at {self._built_at}>"

    def _record(self, routes: list[RouteDescription], frame: FrameType) -> None:
        for route in routes:
            self.bind(route)


def _built(
    compiled: "tuple[CompiledRoute, ...]",
    exception_handlers: "tuple[ExceptionHandler, ...]",
    config: ServerConfig,
) -> "Application":
    from spikard import _spikard

    try:
        if exception_handlers:
            from spikard.exception_handlers import answering

            compiled = tuple(answering(route, exception_handlers) for route in compiled)
        return _spikard.Application(compiled, config)
    except ValueError as error:
        raise RouteError(str(error)) from error


def _building_frame(app: Spikard) -> FrameType:
    """The frame that calls the constructor, past the constructors of subclasses."""
    frame = sys._getframe(2)
    while frame.f_back is not None and frame.f_code.co_name == "__init__":
        if frame.f_locals.get(frame.f_code.co_varnames[0]) is not app:
            break
        frame = frame.f_back
    return frame
