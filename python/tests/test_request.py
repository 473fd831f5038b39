"""The request itself, as handlers see it that ask for it, in every event loop."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

import serving
from spikard import Body, Request, ServerConfig, Spikard, get, post, put

app = Spikard(config=ServerConfig(port=0))

happened: list[str] = []


@pytest.fixture(scope="module", params=serving.RUNTIMES)
def runtime(request: pytest.FixtureRequest) -> Iterator[serving.Runtime]:
    with serving.runtime(request.param, request.module) as running:
        yield running


@pytest.fixture(scope="module", params=serving.SERVERS)
def server(request: pytest.FixtureRequest) -> Iterator[serving.Runtime]:
    with serving.runtime(request.param, request.module) as running:
        yield running


def connect(runtime: serving.Runtime, head: str, content: bytes = b"") -> socket.socket:
    """A connection over which the start of a request is sent; `head` without its empty line."""
    assert runtime.server is not None
    address = (runtime.server.host, runtime.server.port)
    connection = socket.create_connection(address, serving.PATIENCE)
    connection.sendall(f"{head}\r\nHost: test\r\n\r\n".encode() + content)
    return connection


@get("/happened")
async def has_happened(event: str) -> list[str]:
    """Answers when the event has happened, with everything that did, in order."""
    async with asyncio.timeout(10):
        while event not in happened:
            await asyncio.sleep(0.001)
    everything = list(happened)
    happened.clear()
    return everything


@get("/forget")
async def forget() -> None:
    happened.clear()


def attributes(request: Request) -> dict[str, Any]:
    return {
        "method": request.method,
        "path": request.path,
        "query_string": request.query_string,
        "http_version": request.http_version,
        "headers": request.headers.multi_items(),
        "same": request.headers is request.headers,
        "repr": repr(request),
    }


@get("/attributes/{rest:path}")
def attributes_in_def(rest: str, request: Request) -> dict[str, Any]:
    return attributes(request)


@put("/attributes/{rest:path}")
async def attributes_in_async(request: Request, rest: str) -> dict[str, Any]:
    return attributes(request)


@post("/attributes/{rest:path}", sync_to_thread=True)
def attributes_on_thread(rest: str, request: Request) -> dict[str, Any]:
    return attributes(request)


@pytest.mark.parametrize("method", ["GET", "PUT", "POST"])
def test_attributes(runtime: serving.Runtime, method: str) -> None:
    target = "/attributes/a%20b/%C3%A9?q=%41&q=+&n"
    response = runtime.client.request(method, target, headers={"X-One": "1", "Host": "here"})
    assert response.status_code == 200, response.text
    seen = response.json()
    assert seen["method"] == method
    assert seen["path"] == "/attributes/a%20b/%C3%A9"
    assert seen["query_string"] == "q=%41&q=+&n"
    assert seen["http_version"] == "1.1"
    assert seen["same"] is True
    assert seen["repr"].startswith(f"<Request {method} ")
    assert ["x-one", "1"] in seen["headers"] and ["host", "here"] in seen["headers"]
    assert runtime.log() == ""


@get("/headers")
async def headers(request: Request) -> dict[str, Any]:
    fields = request.headers
    return {
        "joined": fields["X-MANY"],
        "list": fields.get_list("x-Many"),
        "in": ["x-many" in fields, "X-Many" in fields, "x-none" in fields],
        "none": [fields.get("x-none"), fields.get("x-none", "default"), fields.get_list("x-none")],
        "latin": fields["x-latin"],
        "names": sorted(name for name in fields if name.startswith("x-")),
    }


def test_headers(runtime: serving.Runtime) -> None:
    given = [("X-Many", "a"), ("x-latin", "1"), ("x-many", "b, c"), ("X-MANY", "")]
    seen = runtime.client.request("GET", "/headers", headers=given).json()
    assert seen["joined"] == "a, b, c, "
    assert seen["list"] == ["a", "b, c", ""]
    assert seen["in"] == [True, True, False]
    assert seen["none"] == [None, "default", []]
    assert seen["names"] == ["x-latin", "x-many"]


def test_header_values_that_are_no_text_are_latin_1(server: serving.Runtime) -> None:
    assert server.server is not None
    received = serving.raw(
        server.server.port,
        b"GET /headers HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
        b"X-Many: 1\r\nX-Latin: \xe9\xff\r\n\r\n",
    )
    assert '"latin":"éÿ"'.encode() in received


@post("/body")
async def body(request: Request) -> list[object]:
    first = await request.body()
    return [first.decode(), await request.body() == first]


@post("/together")
async def together(request: Request) -> list[str]:
    contents = await asyncio.gather(*(request.body() for _ in range(5)))
    return [content.decode() for content in contents]


@post("/given-up")
async def given_up(request: Request) -> str:
    waiting = asyncio.ensure_future(request.body())
    waiting.cancel()
    await asyncio.sleep(0)
    assert waiting.cancelled()
    return (await request.body()).decode()


@post("/stream")
async def stream(request: Request) -> list[int]:
    total = chunks = 0
    async for chunk in request.stream():
        assert type(chunk) is bytes and chunk
        chunks += 1
        total += len(chunk)
    return [total, chunks]


@post("/mixed")
async def mixed(order: str, request: Request) -> list[str]:
    errors = []
    for way in order.split(","):
        try:
            if way == "body":
                await request.body()
            else:
                async for _ in request.stream():
                    pass
        except RuntimeError as error:
            errors.append(str(error))
    return errors


READ, STREAMED = "the content has been read already", "the content is read by stream() already"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/body", ["content", True]),
        ("/together", ["content"] * 5),
        ("/given-up", "content"),
        ("/stream", [7, 1]),
        ("/mixed?order=body,stream", [READ]),
        ("/mixed?order=stream,body", [STREAMED]),
        ("/mixed?order=stream,stream", [READ]),
        ("/mixed?order=body,stream,body", [READ]),
    ],
)
def test_content(runtime: serving.Runtime, path: str, expected: object) -> None:
    response = runtime.client.post(path, content="content", headers={"content-type": "a/b"})
    assert (response.status_code, response.json()) == (200, expected)
    assert runtime.log() == ""


@pytest.mark.parametrize(
    ("path", "expected"),
    [("/body", ["", True]), ("/together", [""] * 5), ("/stream", [0, 0])],
)
def test_no_content(runtime: serving.Runtime, path: str, expected: object) -> None:
    assert runtime.client.post(path).json() == expected
    assert runtime.log() == ""


@post("/beside")
async def beside(request: Request, value: dict[str, int]) -> list[object]:
    """The content belongs to the argument that takes it."""
    return [value, (await request.body()).decode(), request.headers["content-type"]]


def test_the_request_beside_a_body(runtime: serving.Runtime) -> None:
    response = runtime.client.post("/beside", json={"a": 1})
    assert response.json() == [{"a": 1}, "", "application/json"]


@post("/chunks")
async def chunks(content: AsyncIterator[bytes] = Body()) -> int:
    return sum([len(chunk) async for chunk in content])


@post("/bytes")
def whole(content: bytes = Body()) -> int:
    return len(content)


@pytest.mark.parametrize("path", ["/stream", "/chunks", "/bytes", "/body"])
def test_large_content(runtime: serving.Runtime, path: str) -> None:
    content = b"x" * (4 * 1024 * 1024)
    response = runtime.client.post(path, content=content)
    assert response.status_code == 200
    if path != "/body":
        (total, *_) = [response.json()] if isinstance(response.json(), int) else response.json()
        assert total == len(content)


@post("/step")
async def step(request: Request) -> int:
    total = 0
    async for chunk in request.stream():
        total += len(chunk)
        happened.append(f"{total} bytes")
    return total


def test_a_stream_gives_what_has_come(server: serving.Runtime) -> None:
    head = "POST /step HTTP/1.1\r\nConnection: close\r\nContent-Length: 6"
    with connect(server, head, b"ab") as connection:
        assert server.value("/happened", event="2 bytes") == ["2 bytes"]
        connection.sendall(b"c")
        assert server.value("/happened", event="3 bytes") == ["3 bytes"]
        connection.sendall(b"def")
        assert serving.receive_until_close(connection).endswith(b"\r\n\r\n6")
    assert server.value("/happened", event="6 bytes") == ["6 bytes"]


@post("/impatient")
async def impatient(request: Request) -> list[str]:
    """Gives up waiting for a chunk, again and again, and must get all of them."""
    received = []
    chunks = request.stream()
    happened.append("impatient waits")
    while True:
        try:
            async with asyncio.timeout(0.001):
                received.append((await anext(chunks)).decode())
        except TimeoutError:
            happened.append("gave up")
        except StopAsyncIteration:
            return received


def test_a_chunk_survives_a_wait_given_up(server: serving.Runtime) -> None:
    head = "POST /impatient HTTP/1.1\r\nConnection: close\r\nContent-Length: 40"
    with connect(server, head) as connection:
        for part in range(20):
            server.value("/happened", event="gave up")
            connection.sendall(f"{part:02}".encode())
        received = serving.receive_until_close(connection).partition(b"\r\n\r\n")[2]
    text = received.decode().translate(str.maketrans("", "", '[",]'))
    assert text == "".join(f"{part:02}" for part in range(20))
    server.value("/forget")


@post("/twice-at-once")
async def twice_at_once(request: Request) -> str:
    chunks = request.stream()
    results = await asyncio.gather(anext(chunks), anext(chunks), return_exceptions=True)
    return " ".join(sorted(type(result).__name__ for result in results))


def test_two_readers_of_one_stream_are_a_mistake_of_the_handler(runtime: serving.Runtime) -> None:
    response = runtime.client.post("/twice-at-once", content=b"abc")
    assert response.status_code == 200
    assert response.json() in ("RuntimeError bytes", "StopAsyncIteration bytes")


@post("/slow")
async def slow(request: Request) -> int:
    chunks = request.stream()
    total = len(await anext(chunks))
    happened.append("slow has a chunk")
    while "go" not in happened:
        await asyncio.sleep(0.001)
    happened.clear()
    return total + sum([len(chunk) async for chunk in chunks])


@get("/go")
async def go() -> None:
    happened.append("go")


def test_content_waits_for_its_reader(server: serving.Runtime) -> None:
    size = 9 * 1024 * 1024
    head = f"POST /slow HTTP/1.1\r\nConnection: close\r\nContent-Length: {size}"
    with connect(server, head) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65_536)
        connection.sendall(b"x" * 1024)
        sent = 1024
        server.value("/happened", event="slow has a chunk")
        connection.settimeout(0.3)
        with pytest.raises(TimeoutError):
            while sent < size:
                sent += connection.send(b"x" * min(65_536, size - sent))
        assert sent < 8 * 1024 * 1024
        server.value("/go")
        connection.settimeout(serving.PATIENCE)
        connection.sendall(b"x" * (size - sent))
        assert serving.receive_until_close(connection).endswith(f"\r\n\r\n{size}".encode())
    assert server.log() == ""


@post("/broken/{way}")
async def broken(way: str, request: Request) -> None:
    happened.append("broken reads")
    try:
        if way == "body":
            await request.body()
        else:
            async for _ in request.stream():
                pass
        happened.append("broken read everything")
    except ConnectionError as error:
        happened.append(f"{type(error).__name__}: {str(error).partition(':')[0]}")
        raise
    except asyncio.CancelledError:
        happened.append("cancelled")
        raise
    finally:
        happened.append("broken ended")


@pytest.mark.parametrize("way", ["body", "stream"])
@pytest.mark.parametrize("half", [False, True], ids=["close", "half-close"])
def test_content_that_breaks_off(server: serving.Runtime, way: str, half: bool) -> None:
    head = f"POST /broken/{way} HTTP/1.1\r\nContent-Length: 10"
    with connect(server, head, b"abc") as connection:
        assert server.value("/happened", event="broken reads") == ["broken reads"]
        if half:
            connection.shutdown(socket.SHUT_WR)
            serving.receive_until_close(connection)
    events = server.value("/happened", event="broken ended")
    # Whether the end of the content or the end of the client is seen first is not told.
    assert events in (
        ["ConnectionError: the content of the request broke off", "broken ended"],
        ["cancelled", "broken ended"],
    )


@post("/def")
def in_def(request: Request) -> str:
    """A `def` handler has the content as an argument; here it leaves it alone."""
    return request.headers.get("content-length", "none")


def test_content_that_nobody_reads(runtime: serving.Runtime) -> None:
    for size in (0, 10, 100_000):
        response = runtime.client.post("/def", content=b"x" * size)
        assert response.status_code == 200
    assert runtime.log() == ""


def test_many_requests_at_once(runtime: serving.Runtime) -> None:
    paths = [f"/attributes/{number}?n={number}" for number in range(200)]
    for number, seen in enumerate(runtime.values(paths)):
        assert isinstance(seen, dict)
        assert (seen["path"], seen["query_string"]) == (f"/attributes/{number}", f"n={number}")
