"""Replies that are made while they are sent, in every event loop."""

import asyncio
import contextlib
import contextvars
import http.client
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import anyio
import anyio.lowlevel
import httpx
import pytest

import serving
from spikard import ServerConfig, Spikard, StreamingResponse, get
from spikard.testing import TestClient

CHUNK_BYTES = 64 * 1024
LARGE_CHUNKS = 512
"""Chunks of the large stream: 32 MiB."""
AHEAD_CHUNKS = 192
"""How far a generator may be ahead of its client: the buffers of two sockets and of the server."""

app = Spikard(config=ServerConfig(port=0))

happened: list[str] = []
caller: contextvars.ContextVar[str] = contextvars.ContextVar("caller", default="nobody")
made = 0
"""Chunks that the last endless stream has yielded."""


@pytest.fixture(scope="module", params=serving.RUNTIMES)
def runtime(request: pytest.FixtureRequest) -> Iterator[serving.Runtime]:
    with serving.runtime(request.param, request.module) as running:
        yield running


@pytest.fixture(scope="module", params=serving.SERVERS)
def server(request: pytest.FixtureRequest) -> Iterator[serving.Runtime]:
    with serving.runtime(request.param, request.module) as running:
        yield running


def tell(event: str) -> None:
    """Notes an event for `/happened`, and shows it to a test that watches standard output."""
    happened.append(event)
    print(event, flush=True)


@get("/happened")
async def has_happened(event: str) -> list[str]:
    """Answers when the event has happened, with everything that did, in order."""
    async with asyncio.timeout(10):
        while event not in happened:
            await asyncio.sleep(0.001)
    everything = list(happened)
    happened.clear()
    return everything


@get("/async")
async def asynchronous() -> StreamingResponse:
    async def chunks() -> AsyncIterator[str | bytes]:
        yield "é"
        await asyncio.sleep(0)
        yield b""
        yield b"\xff\x00"
        yield ""
        yield "end"

    return StreamingResponse(chunks(), media_type="text/x", headers={"x-a": "1"}, status_code=202)


@get("/async-on-thread")
def asynchronous_on_thread() -> StreamingResponse:
    async def chunks() -> AsyncIterator[str]:
        await asyncio.sleep(0)
        yield "a"
        yield caller.get()

    caller.set("thread")
    return StreamingResponse(chunks())


@get("/sync")
async def synchronous() -> StreamingResponse:
    on_loop = threading.get_ident()

    def chunks() -> Iterator[str | bytes]:
        yield "on the loop" if threading.get_ident() == on_loop else "on a thread"
        yield b" "
        yield caller.get()

    caller.set("for sync")
    return StreamingResponse(chunks())


@get("/list")
def listed() -> StreamingResponse:
    return StreamingResponse(["a", b"b", "c"])


@get("/empty")
async def empty(kind: str) -> StreamingResponse:
    async def nothing() -> AsyncIterator[str]:
        for chunk in list[str]():
            yield chunk

    return StreamingResponse([] if kind == "list" else iter(()) if kind == "sync" else nothing())


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/async", b"\xc3\xa9\xff\x00end"),
        ("/async-on-thread", b"athread"),
        ("/sync", b"on a thread for sync"),
        ("/list", b"abc"),
        ("/empty?kind=list", b""),
        ("/empty?kind=sync", b""),
        ("/empty?kind=async", b""),
    ],
)
def test_chunks_arrive_in_order(runtime: serving.Runtime, path: str, expected: bytes) -> None:
    response = runtime.get(path)
    assert (response.content, response.headers.get("content-length")) == (expected, None)
    if path == "/async":
        assert (response.status_code, response.headers["content-type"]) == (202, "text/x")
        assert response.headers["x-a"] == "1"
    else:
        assert response.status_code == 200
        assert response.headers["content-type"] == "application/octet-stream"
    assert runtime.log() == ""


@get("/head")
async def never_read() -> StreamingResponse:
    async def chunks() -> AsyncIterator[str]:
        while True:
            yield "a"
            await asyncio.sleep(0)

    return StreamingResponse(chunks())


def test_head_sends_nothing_and_ends_the_stream(runtime: serving.Runtime) -> None:
    for _ in range(30):
        response = runtime.client.head("/head")
        assert (response.status_code, response.content) == (200, b"")
        assert response.headers["content-type"] == "application/octet-stream"
    async_streams = runtime.value("/streams")
    assert async_streams == 0
    assert runtime.value("/list-works") == "yes"
    assert runtime.log() == ""


@get("/streams")
async def streams() -> int:
    """Answers when no stream is at work any more, or after a while how many are."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(5):
            while count := sum("never_read" in task.get_name() for task in asyncio.all_tasks()):
                await asyncio.sleep(0.001)
    return count


@get("/list-works")
async def works() -> str:
    return "yes"


def large(chunks: int) -> Iterator[bytes]:
    piece = b"x" * CHUNK_BYTES
    for _ in range(chunks):
        yield piece


async def large_async(chunks: int) -> AsyncIterator[bytes]:
    for piece in large(chunks):
        yield piece


@get("/large")
async def large_stream(kind: str) -> StreamingResponse:
    stream = large(LARGE_CHUNKS) if kind == "sync" else large_async(LARGE_CHUNKS)
    return StreamingResponse(stream)


@get("/memory")
def memory() -> int:
    """Most resident memory of the process so far, in KiB."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


@pytest.mark.parametrize("kind", ["async", "sync"])
def test_a_large_stream_is_never_in_memory(server: serving.Runtime, kind: str) -> None:
    before = server.value("/memory")
    assert isinstance(server.client, httpx.Client)
    received = 0
    with server.client.stream("GET", "/large", params={"kind": kind}) as response:
        for piece in response.iter_raw():
            assert not piece.strip(b"x")
            received += len(piece)
    after = server.value("/memory")
    assert received == LARGE_CHUNKS * CHUNK_BYTES
    assert isinstance(before, int) and isinstance(after, int)
    assert after - before < 12 * 1024
    assert server.log() == ""


@pytest.mark.parametrize("kind", ["async", "sync"])
def test_a_large_stream_arrives_in_memory(kind: str) -> None:
    with TestClient(app) as client:
        content = client.get(f"/large?kind={kind}").content
    assert content == b"x" * (LARGE_CHUNKS * CHUNK_BYTES)


@get("/endless")
async def endless(kind: str) -> StreamingResponse:
    def chunks() -> Iterator[bytes]:
        global made
        made = 0
        try:
            while True:
                made += 1
                yield b"x" * CHUNK_BYTES
        except GeneratorExit:
            tell("sync closed")
            raise
        finally:
            tell("sync ended")

    async def asynchronous() -> AsyncIterator[bytes]:
        global made
        made = 0
        try:
            while True:
                made += 1
                yield b"x" * CHUNK_BYTES
        except (GeneratorExit, asyncio.CancelledError):
            tell("async closed")
            raise
        finally:
            await asyncio.sleep(0)
            tell("async ended")

    return StreamingResponse(chunks() if kind == "sync" else asynchronous())


@get("/made")
async def made_when_still() -> int:
    """How many chunks are made when no further one follows for a while."""
    still, before = 0, made
    async with asyncio.timeout(10):
        while still < 100:
            await asyncio.sleep(0.001)
            still = still + 1 if made == before else 0
            before = made
    return made


@pytest.mark.parametrize("kind", ["async", "sync"])
def test_a_generator_waits_for_its_client_and_ends_with_it(
    server: serving.Runtime, kind: str
) -> None:
    assert server.server is not None
    address = (server.server.host, server.server.port)
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        connection.settimeout(serving.PATIENCE)
        connection.connect(address)
        connection.sendall(f"GET /endless?kind={kind} HTTP/1.1\r\nHost: test\r\n\r\n".encode())
        assert connection.recv(1) == b"H"
        waiting = server.value("/made")
        assert isinstance(waiting, int) and 0 < waiting < AHEAD_CHUNKS
        taken = 0
        while taken < 8 * 1024 * 1024:
            taken += len(connection.recv(1024 * 1024))
        going_on = server.value("/made")
        assert isinstance(going_on, int) and going_on > waiting
        assert going_on < AHEAD_CHUNKS + taken // CHUNK_BYTES
    events = server.value("/happened", event=f"{kind} ended")
    assert events == [f"{kind} closed", f"{kind} ended"]
    assert server.log() == ""


@get("/waiting")
async def waiting() -> StreamingResponse:
    async def chunks() -> AsyncIterator[str]:
        try:
            yield "first"
            tell("stream waits")
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            tell("stream cancelled")
            raise
        finally:
            await asyncio.sleep(0)
            tell("stream ended")

    return StreamingResponse(chunks())


def test_a_generator_that_awaits_is_cancelled(server: serving.Runtime) -> None:
    assert server.server is not None
    with socket.create_connection((server.server.host, server.server.port), serving.PATIENCE) as it:
        it.sendall(b"GET /waiting HTTP/1.1\r\nHost: test\r\n\r\n")
        server.server.wait_for_stdout("stream waits")
    events = server.value("/happened", event="stream ended")
    assert events == ["stream waits", "stream cancelled", "stream ended"]
    assert server.log() == ""


@get("/broken")
async def broken(kind: str, when: str) -> StreamingResponse:
    def fail() -> None:
        raise ValueError(f"{kind} {when}")

    def chunks() -> Iterator[str]:
        if when == "before":
            fail()
        yield "first"
        if when == "exit":
            raise SystemExit(9)
        fail()

    async def asynchronous() -> AsyncIterator[object]:
        if when == "before":
            fail()
        yield "first"
        if when == "type":
            yield 3
        if when == "exit":
            raise SystemExit(9)
        fail()

    if kind == "sync":
        return StreamingResponse([3] if when == "type" else chunks())  # type: ignore[list-item]
    return StreamingResponse(asynchronous())  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["async", "sync"])
@pytest.mark.parametrize(
    ("when", "cause"),
    [
        ("before", "ValueError: {kind} before"),
        ("middle", "ValueError: {kind} middle"),
        ("exit", "SystemExit: 9"),
        ("type", "TypeError: a stream yields str or bytes, not int"),
    ],
)
def test_a_generator_that_fails_cuts_the_connection(
    server: serving.Runtime, kind: str, when: str, cause: str
) -> None:
    assert server.server is not None
    before = len(server.log())
    target = f"/broken?kind={kind}&when={when}"
    connection = http.client.HTTPConnection(server.server.host, server.server.port, timeout=10)
    with pytest.raises((http.client.IncompleteRead, ConnectionError, http.client.BadStatusLine)):
        connection.request("GET", target)
        connection.getresponse().read()
    connection.close()
    server.wait_for_log(cause.format(kind=kind))
    assert server.value("/list-works") == "yes"
    logged = server.log()[before:]
    assert logged.count("Traceback") == 1
    assert "test_streaming.broken" in logged


@pytest.mark.parametrize("content", [3, None, object()])
def test_what_cannot_be_iterated_is_500(content: object, caplog: pytest.LogCaptureFixture) -> None:
    own = Spikard()

    @own.get("/")
    async def handler() -> StreamingResponse:
        return StreamingResponse(content)  # type: ignore[arg-type]

    with TestClient(own) as client:
        assert client.get("/").status_code == 500
    assert "is not iterable" in caplog.text


def test_a_stream_that_fails_is_an_error_of_the_test_client(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with TestClient(app) as client:
        for kind in ("async", "sync"):
            with pytest.raises(Exception, match="the stream failed"):
                client.get(f"/broken?kind={kind}&when=middle")
        assert client.get("/list").content == b"abc"
    assert caplog.text.count("ValueError: ") == 2


@get("/context")
async def context() -> StreamingResponse:
    async def chunks() -> AsyncIterator[str]:
        yield caller.get()
        token = caller.set("changed")
        yield caller.get()
        await asyncio.sleep(0)
        yield caller.get()
        # Only in the context it was made in.
        caller.reset(token)
        yield caller.get()

    caller.set("handler")
    return StreamingResponse("".join([chunk]) + " " async for chunk in chunks())


def test_context_variables_of_a_generator(runtime: serving.Runtime) -> None:
    assert runtime.get("/context").text == "handler changed changed handler "
    assert runtime.log() == ""


@get("/tasks")
async def tasks() -> StreamingResponse:
    async def chunks() -> AsyncIterator[str]:
        task = asyncio.current_task()
        for _ in range(200):
            await asyncio.sleep(0)
            assert asyncio.current_task() is task
            yield "x" * 4096
        with anyio.move_on_after(0.01) as scope:
            yield "inside"
            await anyio.sleep_forever()
        yield f" {scope.cancelled_caught}"
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.lowlevel.checkpoint)
            yield " group"
        try:
            async with asyncio.timeout(0.01):
                await asyncio.Event().wait()
        except TimeoutError:
            yield " timeout"

    return StreamingResponse(chunks())


def test_one_task_runs_the_whole_generator(runtime: serving.Runtime) -> None:
    response = runtime.get("/tasks")
    assert response.text == "x" * 4096 * 200 + "inside True group timeout"
    assert runtime.log() == ""


def test_many_streams_at_once(runtime: serving.Runtime) -> None:
    paths = ["/tasks", "/sync", "/context", "/list"] * 10
    responses = runtime.get_all(paths)
    assert [len(it.content) for it in responses] == [819_225, 20, 32, 3] * 10
    assert runtime.log() == ""
