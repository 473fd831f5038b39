"""Libraries that stand on asyncio, as clients inside handlers: anyio and httpx."""

import asyncio
import http.server
from collections.abc import Iterator
from http import HTTPStatus

import anyio
import anyio.from_thread
import anyio.to_thread
import httpx
import pytest

import serving
from spikard import ServerConfig, Spikard, get

app = Spikard(config=ServerConfig(port=0))


@pytest.fixture(scope="module", params=serving.RUNTIMES)
def runtime(request: pytest.FixtureRequest) -> Iterator[serving.Runtime]:
    with serving.runtime(request.param, request.module) as running:
        yield running


@get("/task-group")
async def task_group() -> list[str]:
    told: list[str] = []

    async def tell(value: str, delay: float) -> None:
        await anyio.sleep(delay)
        told.append(value)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(tell, "second", 0.01)
        tasks.start_soon(tell, "first", 0.0)
    return told


def test_anyio_runs_a_task_group(runtime: serving.Runtime) -> None:
    assert runtime.value("/task-group") == ["first", "second"]


@get("/task-group-failing")
async def task_group_failing() -> list[str]:
    outcome: list[str] = []

    async def wait() -> None:
        try:
            await anyio.sleep_forever()
        except anyio.get_cancelled_exc_class():
            outcome.append("cancelled")
            raise

    async def fail() -> None:
        raise LookupError("failed")

    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(wait)
            await anyio.lowlevel.checkpoint()
            tasks.start_soon(fail)
    except* LookupError as group:
        outcome += [str(error) for error in group.exceptions]
    return outcome


def test_anyio_cancels_a_task_group_that_fails(runtime: serving.Runtime) -> None:
    assert runtime.value("/task-group-failing") == ["cancelled", "failed"]


@get("/fail-after")
async def fail_after() -> list[object]:
    outcome: list[object] = []
    try:
        with anyio.fail_after(0.01):
            await anyio.sleep_forever()
    except TimeoutError:
        outcome.append("expired")
    with anyio.move_on_after(0.01) as scope:
        await anyio.sleep_forever()
    outcome.append(scope.cancelled_caught)
    with anyio.fail_after(60):
        await anyio.sleep(0.001)
    return outcome


def test_anyio_ends_what_takes_too_long(runtime: serving.Runtime) -> None:
    assert runtime.value("/fail-after") == ["expired", True]


@get("/first-step-scope")
async def first_step_scope() -> str:
    """Opens and closes a scope before anything is awaited: it asks for the current task."""
    with anyio.CancelScope() as scope:
        scope.deadline = anyio.current_time() + 60
    return anyio.get_current_task().name or ""


def test_anyio_finds_the_task_in_the_first_step(runtime: serving.Runtime) -> None:
    assert "first_step_scope" in str(runtime.value("/first-step-scope"))


@get("/to-thread")
async def to_thread() -> str:
    def ask() -> str:
        return anyio.from_thread.run(tell)

    async def tell() -> str:
        await anyio.sleep(0)
        return "from the loop"

    return await anyio.to_thread.run_sync(ask)


def test_anyio_goes_to_a_thread_and_back(runtime: serving.Runtime) -> None:
    assert runtime.value("/to-thread") == "from the loop"
    assert runtime.values(["/to-thread"] * 10) == ["from the loop"] * 10


@get("/stream")
async def stream() -> list[int]:
    send, receive = anyio.create_memory_object_stream[int](1)

    async def produce() -> None:
        async with send:
            for number in range(5):
                await send.send(number)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(produce)
        async with receive:
            return [number async for number in receive]
    raise AssertionError("unreachable")


def test_anyio_streams_between_tasks(runtime: serving.Runtime) -> None:
    assert runtime.value("/stream") == list(range(5))


class _Other(http.server.BaseHTTPRequestHandler):
    """Another server, plain and synchronous."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(f"got {self.path}".encode())

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["content-length"]))
        self._answer(content.upper())

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""

    def _answer(self, content: bytes) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture(scope="module")
def other_url() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Other)
    with server, serving.thread(server.serve_forever):
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@get("/ask")
async def ask(url: str) -> list[str]:
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        got = await client.get("/path")
        posted = await client.post("/", content=b"content" * 20_000)
        several = await asyncio.gather(*(client.get(f"/{number}") for number in range(5)))
    assert posted.text == "CONTENT" * 20_000
    return [got.text, *(response.text for response in several)]


def test_httpx_asks_another_server(runtime: serving.Runtime, other_url: str) -> None:
    expected = ["got /path", *(f"got /{number}" for number in range(5))]
    assert runtime.value("/ask", url=other_url) == expected
    assert runtime.values([f"/ask?url={other_url}"] * 8) == [expected] * 8


@get("/ask-refused")
async def ask_refused(url: str) -> str:
    async with httpx.AsyncClient(trust_env=False) as client:
        try:
            await client.get(url)
        except httpx.ConnectError:
            return "refused"
    return "answered"


def test_httpx_reports_a_refused_connection(runtime: serving.Runtime) -> None:
    assert runtime.value("/ask-refused", url="http://127.0.0.1:1/") == "refused"


@get("/ask-itself")
async def ask_itself(url: str, depth: int) -> int:
    """Asks this very server again, on the same thread."""
    if depth == 0:
        return 0
    async with httpx.AsyncClient(trust_env=False) as client:
        response = await client.get(f"{url}/ask-itself", params={"url": url, "depth": depth - 1})
    answer: int = response.json()
    return answer + 1


@pytest.mark.parametrize("runtime", serving.SERVERS, indirect=True, scope="module")
def test_httpx_asks_the_server_it_runs_in(runtime: serving.Runtime) -> None:
    assert runtime.server is not None
    assert runtime.value("/ask-itself", url=runtime.server.url, depth=5) == 5
