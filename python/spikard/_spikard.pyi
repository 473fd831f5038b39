"""The compiled part of `spikard`. Private: its public face is the Python package."""

import asyncio
from collections.abc import Callable, Sequence
from typing import final

from spikard.config import ServerConfig
from spikard.plan import CompiledRoute
from spikard.testing import TestRequest

__all__ = ["Application", "Bridge", "Listener", "TestSession", "Worker"]

@final
class Application:
    """A frozen application. Raises `ValueError` when its routes do not fit together."""

    def __new__(cls, routes: Sequence[CompiledRoute]) -> Application: ...

@final
class Listener:
    """A listening socket; raises `OSError` with one clear sentence when it cannot be had."""

    def __new__(cls, host: str, port: int, backlog: int) -> Listener: ...
    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...
    def close(self) -> None: ...

@final
class Worker:
    """Serves applications on the thread that made it. Belongs to one loop and its selector."""

    def __new__(cls, event_loop: asyncio.SelectorEventLoop, selector: int) -> Worker: ...
    def wait(self) -> bool: ...
    def serve(self, listener: Listener, application: Application, config: ServerConfig) -> None: ...
    def stop(self, patience: float, done: Callable[[int, str | None], object]) -> None: ...
    def test_session(self, application: Application) -> TestSession: ...
    def close(self, patience: float) -> bool: ...

@final
class Bridge:
    """A server on its own thread whose handlers run in the event loop that made it."""

    def __new__(
        cls,
        event_loop: asyncio.AbstractEventLoop,
        listener: Listener,
        application: Application,
        config: ServerConfig,
        done: Callable[[int, str | None], object],
    ) -> Bridge: ...
    def fileno(self) -> int: ...
    def drain(self) -> None: ...
    def stop(self, patience: float) -> None: ...
    def join(self) -> None: ...

@final
class TestSession:
    """Sends requests to an application on the thread of its worker, from every other thread."""

    def send(self, request: TestRequest) -> tuple[int, list[tuple[str, str]], bytes]: ...
