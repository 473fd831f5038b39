"""Tests without a socket: requests go through the pipeline of production, in memory."""

import asyncio
import queue
import threading
import weakref
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http.cookies import SimpleCookie
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeAlias
from urllib.parse import urlencode, urlsplit

import msgspec

from spikard._spikard import Application, TestSession
from spikard.event_loop import close_loop, new_worker, run_until_stopped
from spikard.headers import Headers

if TYPE_CHECKING:
    from spikard.app import Spikard

__all__ = ["Headers", "ResponseStatusError", "TestClient", "TestRequest", "TestResponse"]

Scalar: TypeAlias = str | int | float | bool | None
Params: TypeAlias = Mapping[str, Scalar | Iterable[Scalar]] | Iterable[tuple[str, Scalar]]
HeaderTypes: TypeAlias = Mapping[str, str] | Iterable[tuple[str, str]]

_FORM = "application/x-www-form-urlencoded"


class ResponseStatusError(AssertionError):
    """A response had an error status where the test wanted none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TestRequest:
    """One request, as it crosses to Rust."""

    __test__ = False

    method: str
    target: str
    """Path with an optional query."""
    query: list[tuple[str, str]]
    """Appended to the query of the target, escaped."""
    headers: list[tuple[str, str]]
    cookies: list[tuple[str, str]]
    content: bytes


class TestResponse:
    """The response to one request, read to the end."""

    __test__ = False
    __slots__ = ("content", "headers", "status_code")

    status_code: int
    """Status code, 200 to 599."""
    headers: Headers
    """The fields of the response."""
    content: bytes
    """The content as it came."""

    def __init__(self, status_code: int, headers: Headers, content: bytes) -> None:
        """Holds what came."""
        self.status_code = status_code
        self.headers = headers
        self.content = content

    @property
    def text(self) -> str:
        """The content as text; what is not UTF-8 becomes U+FFFD."""
        return self.content.decode("utf-8", errors="replace")

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies that the response sets, by name; `headers` has their attributes."""
        jar: SimpleCookie = SimpleCookie()
        for field in self.headers.get_list("set-cookie"):
            jar.load(field)
        return {name: morsel.value for name, morsel in jar.items()}

    def json(self) -> Any:
        """The content, parsed as JSON.

        Raises:
            msgspec.DecodeError: The content is not JSON.
        """
        return msgspec.json.decode(self.content)

    def raise_for_status(self) -> Self:
        """Returns the response itself unless its status is an error.

        Raises:
            ResponseStatusError: The status is 400 or above; the message shows the content.
        """
        if self.status_code >= 400:
            raise ResponseStatusError(f"status {self.status_code}: {self.text}")
        return self

    def __repr__(self) -> str:
        """Shows status and size."""
        return f"TestResponse({self.status_code}, {len(self.content)} bytes)"


class TestClient:
    """Sends requests to an app in memory, on an event loop in a thread of its own.

    Works in plain code, inside a running event loop, and from several threads at once. It adds no
    field that the test did not ask for except ``Host``, and follows no redirects. The thread starts
    with the first request and ends with `close`, with the ``with`` block, or with the client.

    Args:
        app: The app; it freezes now, so a mistake in its routes is raised here.

    Raises:
        SpikardError: The app or its configuration is not valid.
    """

    __test__ = False

    def __init__(self, app: "Spikard") -> None:
        """Freezes the app."""
        self._application = app.freeze()
        self._lock = threading.Lock()
        self._thread: _LoopThread | None = None
        self._is_closed = False

    def request(
        self,
        method: str,
        url: str,
        *,
        params: Params | None = None,
        json: object = msgspec.UNSET,
        data: Params | str | bytes | None = None,
        content: str | bytes | None = None,
        headers: HeaderTypes | None = None,
        cookies: Mapping[str, str] | None = None,
    ) -> TestResponse:
        """Sends one request and waits for the whole response.

        Args:
            method: Any method; it is sent as given.
            url: Path with an optional query; a scheme and host become the ``Host`` field.
            params: Added to the query. Lists repeat their key; ``True``, ``False`` and ``None``
                become ``true``, ``false`` and the empty text.
            json: Sent as JSON, with its media type unless `headers` gives one.
            data: A mapping or pairs, sent as a form; text and bytes are sent as they are.
            content: Sent as it is, without a media type.
            headers: Fields; pairs may repeat a name.
            cookies: Sent in one ``Cookie`` field, values as they are.

        Raises:
            ValueError: Method, target or a field is not valid HTTP.
            RuntimeError: The client is closed, or a handler of the same client is calling.
        """
        fields = list(headers.items() if isinstance(headers, Mapping) else headers or ())
        body, media_type = _body(json, data, content)
        if media_type and not any(name.lower() == "content-type" for name, _ in fields):
            fields.append(("content-type", media_type))
        parts = urlsplit(url)
        if parts.netloc and not any(name.lower() == "host" for name, _ in fields):
            fields.append(("host", parts.netloc))
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        request = TestRequest(
            method=method,
            target=target,
            query=_pairs(params or ()),
            headers=fields,
            cookies=list((cookies or {}).items()),
            content=body,
        )
        status_code, received, received_content = self._session().send(request)
        return TestResponse(status_code, Headers(received), received_content)

    def get(self, url: str, **options: Any) -> TestResponse:
        """Sends GET; see `request` for the options."""
        return self.request("GET", url, **options)

    def post(self, url: str, **options: Any) -> TestResponse:
        """Sends POST; see `request` for the options."""
        return self.request("POST", url, **options)

    def put(self, url: str, **options: Any) -> TestResponse:
        """Sends PUT; see `request` for the options."""
        return self.request("PUT", url, **options)

    def patch(self, url: str, **options: Any) -> TestResponse:
        """Sends PATCH; see `request` for the options."""
        return self.request("PATCH", url, **options)

    def delete(self, url: str, **options: Any) -> TestResponse:
        """Sends DELETE; see `request` for the options."""
        return self.request("DELETE", url, **options)

    def head(self, url: str, **options: Any) -> TestResponse:
        """Sends HEAD; see `request` for the options."""
        return self.request("HEAD", url, **options)

    def options(self, url: str, **options: Any) -> TestResponse:
        """Sends OPTIONS; see `request` for the options."""
        return self.request("OPTIONS", url, **options)

    def trace(self, url: str, **options: Any) -> TestResponse:
        """Sends TRACE; see `request` for the options."""
        return self.request("TRACE", url, **options)

    def close(self) -> None:
        """Ends the thread of the client; handlers that still run are cancelled."""
        with self._lock:
            self._is_closed = True
            thread, self._thread = self._thread, None
        if thread is not None:
            thread.stop()

    def __enter__(self) -> Self:
        """Returns the client itself."""
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Closes the client."""
        self.close()

    def _session(self) -> TestSession:
        with self._lock:
            if self._is_closed:
                raise RuntimeError("the test client is closed")
            if self._thread is None:
                self._thread = _LoopThread(self._application)
                weakref.finalize(self, self._thread.stop)
            return self._thread.session


class _LoopThread:
    """A thread with an event loop that answers the requests of one client."""

    def __init__(self, application: Application) -> None:
        started: queue.SimpleQueue[
            tuple[asyncio.AbstractEventLoop, TestSession] | BaseException
        ] = queue.SimpleQueue()
        self._thread = threading.Thread(
            target=_run_loop, args=(application, started), name="spikard-test-client", daemon=True
        )
        self._thread.start()
        outcome = started.get()
        if isinstance(outcome, BaseException):
            raise outcome
        self._event_loop, self.session = outcome

    def stop(self) -> None:
        """Stops the loop and waits for the thread, unless it is the one that calls."""
        if self._thread.is_alive():
            self._event_loop.call_soon_threadsafe(self._event_loop.stop)
            if threading.current_thread() is not self._thread:
                self._thread.join()


def _run_loop(
    application: Application,
    started: "queue.SimpleQueue[tuple[asyncio.AbstractEventLoop, TestSession] | BaseException]",
) -> None:
    try:
        event_loop, worker = new_worker()
        asyncio.set_event_loop(event_loop)
        session = worker.test_session(application)
    except BaseException as error:
        started.put(error)
        return
    started.put((event_loop, session))
    try:
        run_until_stopped(event_loop)
    finally:
        close_loop(event_loop, worker, patience=0.0)


def _body(
    json: object, data: Params | str | bytes | None, content: str | bytes | None
) -> tuple[bytes, str]:
    """The bytes to send and the media type that goes with them, if any."""
    given = [value for value in (data, content) if value is not None]
    if len(given) + (json is not msgspec.UNSET) > 1:
        raise ValueError("a request has one content: give one of `json`, `data` and `content`")
    if json is not msgspec.UNSET:
        return msgspec.json.encode(json), "application/json"
    if content is not None and not isinstance(content, str | bytes | bytearray | memoryview):
        raise TypeError(f"`content` must be str or bytes, not {type(content).__name__}")
    raw = data if content is None else content
    if raw is None:
        return b"", ""
    if isinstance(raw, str):
        return raw.encode(), ""
    if isinstance(raw, bytes | bytearray | memoryview):
        return bytes(raw), ""
    return urlencode(_pairs(raw)).encode(), _FORM


def _pairs(params: Params) -> list[tuple[str, str]]:
    items = params.items() if isinstance(params, Mapping) else params
    return [(str(key), _text(value)) for key, values in items for value in _each(values)]


def _each(values: Scalar | Iterable[Scalar]) -> Iterable[Scalar]:
    if isinstance(values, str | int | float | None):
        return (values,)
    return values


def _text(value: Scalar) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
