"""The compiled part of `spikard`. Private: its public face is the Python package."""

import asyncio
from asyncio import Future
from collections.abc import Awaitable, Callable, Sequence
from typing import final

from spikard.config import ServerConfig
from spikard.headers import Headers
from spikard.plan import CompiledRoute
from spikard.testing import TestRequest

__all__ = [
    "Application",
    "Bridge",
    "ChunkSink",
    "ContentStream",
    "Listener",
    "Request",
    "TestSession",
    "UploadData",
    "Worker",
]

@final
class Application:
    """A frozen application. Raises `ValueError` when its routes do not fit together."""

    def __new__(cls, routes: Sequence[CompiledRoute], config: ServerConfig) -> Application: ...

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
class Request:
    """A request, for handlers that ask for it by annotation."""

    @property
    def method(self) -> str:
        """Method as sent."""

    @property
    def path(self) -> str:
        """Path of the request target as sent, percent-encoded."""

    @property
    def query_string(self) -> str:
        """Query component of the request target as sent; empty when there is none."""

    @property
    def http_version(self) -> str:
        """Version of HTTP, such as ``1.1``."""

    @property
    def headers(self) -> Headers:
        """The header fields."""

    def body(self) -> Future[bytes]:
        """The whole content, to be awaited; as often as one likes.

        Raises:
            ConnectionError: When awaited: the content broke off.
            RuntimeError: `stream` reads the content already.
        """

    def stream(self) -> ContentStream:
        """The content as it arrives, read no faster than it is asked for.

        Raises:
            RuntimeError: The content has been read already.
        """

@final
class ContentStream:
    """The chunks of a request's content."""

    def __aiter__(self) -> ContentStream: ...
    def __anext__(self) -> Awaitable[bytes]: ...

@final
class ChunkSink:
    """Where a pump puts the chunks of a streaming response."""

    def send(self, chunk: str | bytes) -> bool: ...
    def wait_for(self, room: Future[None]) -> bool: ...
    def send_blocking(self, chunk: str | bytes) -> bool: ...
    def finish(self, broken: str | None = None) -> None: ...
    def pumped_by(self, task: object) -> None: ...

@final
class UploadData:
    """The bytes of an uploaded file; its methods block where they are on disk."""

    @property
    def size(self) -> int: ...
    @property
    def is_on_disk(self) -> bool: ...
    def read(self, limit: int) -> bytes: ...
    def seek(self, offset: int) -> None: ...
    def save(self, path: str) -> None: ...

@final
class TestSession:
    """Sends requests to an application on the thread of its worker, from every other thread."""

    def send(self, request: TestRequest) -> tuple[int, list[tuple[str, str]], bytes]: ...
