"""Whatever a client sends: it is told what is wrong, and the worker goes on."""

import json
import socket
import struct
from collections.abc import Iterator
from typing import Any

import pytest

import serving

APP = """
    import asyncio

    from spikard import ServerConfig, Spikard

    app = Spikard(config=ServerConfig(port=0))

    @app.get("/hello")
    def hello(name: str = "world", n: int = 0) -> list[object]:
        return [name, n]

    @app.get("/items/{item}")
    async def item(item: str) -> str:
        await asyncio.sleep(0)
        return item

    @app.get("/numbers/{number:int}")
    def number(number: int) -> int:
        return number

    @app.get("/all")
    def every(v: list[str]) -> int:
        return len(v)

    @app.post("/items")
    def create() -> str:
        return "created"

    @app.get("/{rest:path}")
    def rest(rest: str) -> str:
        return rest

    app.run()
"""


@pytest.fixture(scope="module")
def shared() -> Iterator[serving.ServerProcess]:
    with serving.process(APP) as server:
        yield server
    assert server.stderr_text() == ""


@pytest.fixture
def server(shared: serving.ServerProcess) -> Iterator[serving.ServerProcess]:
    """The server; after each test it answers, and has logged nothing."""
    yield shared
    status, content = get(shared, b"/hello?name=Ada")
    assert (status, json.loads(content)) == (200, ["Ada", 0])
    assert shared.stderr_text() == ""


def ask(server: serving.ServerProcess, request: bytes) -> tuple[int, bytes]:
    """Status and content of the only response that comes until the server closes."""
    received = serving.raw(server.port, request, timeout=serving.PATIENCE)
    head, _, content = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 "), received[:200]
    return int(head.split(b" ")[1]), content


def get(
    server: serving.ServerProcess, target: bytes, fields: bytes = b"", method: bytes = b"GET"
) -> tuple[int, bytes]:
    return ask(
        server,
        method
        + b" "
        + target
        + b" HTTP/1.1\r\nHost: test\r\nConnection: close\r\n"
        + fields
        + b"\r\n",
    )


@pytest.mark.parametrize(
    "path",
    [
        b"/items/%",
        b"/items/%4",
        b"/items/%zz",
        b"/items/a%2",
        b"/items/%%41",
        b"/items/%u0041",
        b"/items/%ff",
        b"/items/%c3%28",
        b"/items/%ed%a0%80",
        b"/items/%f4%90%80%80",
        b"/items/%c0%af",
        b"/%",
        b"/nothing/%zz",
        b"/numbers/%fe",
    ],
)
def test_a_path_that_is_not_encoded_text_is_400(server: serving.ServerProcess, path: bytes) -> None:
    status, content = get(server, path)
    assert status == 400
    document = json.loads(content)
    assert document["type"] == "https://spikard.dev/errors/bad-request"
    assert document["status"] == 400


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (b"/items/%00", "\0"),
        (b"/items/%0d%0a", "\r\n"),
        (b"/items/a%2Fb", "a/b"),
        (b"/items/%25", "%"),
        (b"/items/+", "+"),
        (b"/items/%C3%A9", "é"),
        (b"/items/%F0%9D%84%9E", "𝄞"),
        (b"/items/..", ".."),
        (b"/items/%2e%2e%2f", "../"),
        (b"/items/;a=b", ";a=b"),
        (b"/items/" + b"x" * 8000, "x" * 8000),
        (b"/" + b"a/" * 2000, "a/" * 2000),
    ],
)
def test_other_paths_are_text(server: serving.ServerProcess, path: bytes, expected: str) -> None:
    status, content = get(server, path)
    assert (status, json.loads(content)) == (200, expected)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (b"name=%", ["%", 0]),
        (b"name=%zz", ["%zz", 0]),
        (b"name=%4", ["%4", 0]),
        (b"name=100%&n=1", ["100%", 1]),
        (b"name=%u0041", ["%u0041", 0]),
        (b"name=%ff", ["\ufffd", 0]),
        (b"name=a%c3%28b", ["a\ufffd(b", 0]),
        (b"name=%00", ["\0", 0]),
        (b"name=%0d%0aX:y", ["\r\nX:y", 0]),
        (b"name=a+b%20c", ["a b c", 0]),
        (b"n%61me=x", ["x", 0]),
        (b"%zz=1&%=2&=3&&&==&name", ["", 0]),
        (b"&&&&", ["world", 0]),
        (b"?????", ["world", 0]),
        (b"name=a=b=c", ["a=b=c", 0]),
        (b"name=a;n=1", ["a;n=1", 0]),
        (b"name[]=a&name.x=b&__proto__=c", ["world", 0]),
        (b"name=" + b"x" * 8000, ["x" * 8000, 0]),
        (b"name=" + b"%41" * 2700, ["A" * 2700, 0]),
        (b"&".join(b"k%d=v" % n for n in range(1000)), ["world", 0]),
    ],
)
def test_a_query_never_fails_to_decode(
    server: serving.ServerProcess, query: bytes, expected: list[Any]
) -> None:
    status, content = get(server, b"/hello?" + query)
    assert (status, json.loads(content)) == (200, expected)


def test_many_values_of_one_name(server: serving.ServerProcess) -> None:
    status, content = get(server, b"/all?" + b"v&" * 4000)
    assert (status, content) == (200, b"4000")


WIDE = APP.replace("port=0", "port=0, max_request_line_bytes=65_534")


def test_ten_thousand_pairs_within_wider_limits() -> None:
    with serving.process(WIDE) as server:
        status, content = get(server, b"/all?" + b"v=%41&" * 10_000)
        assert (status, content) == (200, b"10000")
        status, content = get(server, b"/hello?" + b"a=b&" * 10_000 + b"name=x")
        assert (status, json.loads(content)) == (200, ["x", 0])
        status, content = get(server, b"/hello?" + b"n=x&" * 10_000)
        assert status == 422
        assert len(json.loads(content)["errors"]) == 1
    assert server.stderr_text() == ""


@pytest.mark.parametrize(
    ("target", "statuses"),
    [
        (b"/hello?" + b"a=b&" * 10_000, {414}),
        (b"/" + b"x" * 8192, {414}),
        (b"/" + b"x" * 100 * 1024, {414}),
        (b"/hello?" + b"x" * 100 * 1024, {414}),
        # Longer than what is buffered of a head: nothing tells the line from the fields.
        (b"/hello?" + b"x" * 1024 * 1024, {414, 431}),
    ],
)
def test_a_target_that_is_too_long_is_refused(
    server: serving.ServerProcess, target: bytes, statuses: set[int]
) -> None:
    assert get(server, target)[0] in statuses


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        (b"X: " + b"x" * 60_000 + b"\r\n", 200),
        (b"X: " + b"x" * 100 * 1024 + b"\r\n", 431),
        (b"X: " + b"x" * 1024 * 1024 + b"\r\n", 431),
        (b"X" * 100 * 1024 + b": x\r\n", 431),
        (b"".join(b"X-%d: x\r\n" % n for n in range(98)), 200),
        (b"".join(b"X-%d: x\r\n" % n for n in range(99)), 431),
        (b"".join(b"X-%d: x\r\n" % n for n in range(10_000)), 431),
        (b"X: \xff\xfe\xe9\r\n", 200),
        (b"X: " + "é𝄞".encode() + b"\r\n", 200),
        (b"X:\r\n", 200),
        (b"X: a\0b\r\n", 400),
        (b"X: a\rb\r\n", 400),
        (b"X\0: a\r\n", 400),
        (b"X : a\r\n", 400),
        (b": a\r\n", 400),
        (b"no colon\r\n", 400),
        (b"X: a\r\n folded\r\n", 400),
        ("é: a\r\n".encode(), 400),
    ],
)
def test_fields(server: serving.ServerProcess, fields: bytes, status: int) -> None:
    assert get(server, b"/hello", fields)[0] == status


@pytest.mark.parametrize(
    "request_line",
    [
        b"",
        b"GARBAGE",
        b"GET",
        b"GET /hello",
        b"GET  /hello HTTP/1.1",
        b"GET /hello HTTP/1.1 more",
        b"GET /hello HTTP/9.9",
        b"GET /hello HTTP/1.1\x00",
        b"GET /he\x00llo HTTP/1.1",
        b"GET /he llo HTTP/1.1",
        b"GET /he\x7fllo HTTP/1.1",
        b"GET ? HTTP/1.1",
        b"G\x00T /hello HTTP/1.1",
        b"G(T /hello HTTP/1.1",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\xff" * 100,
        bytes(range(14, 256)),
    ],
)
def test_what_is_no_request_is_400_and_closed(
    server: serving.ServerProcess, request_line: bytes
) -> None:
    received = serving.raw(server.port, request_line + b"\r\nHost: test\r\n\r\n")
    assert received.startswith(b"HTTP/1.1 400 "), received[:100]
    assert b"\r\nconnection: close\r\n" in received.lower()


@pytest.mark.parametrize(
    ("method", "status"),
    [
        (b"BREW", 405),
        (b"get", 405),
        (b"Get", 405),
        (b"TRACE", 405),
        (b"M-SEARCH", 405),
        (b"X" * 1000, 405),
        (b"!#$%&'*+-.^_`|~09", 405),
    ],
)
def test_other_methods_are_405(server: serving.ServerProcess, method: bytes, status: int) -> None:
    assert get(server, b"/hello", method=method)[0] == status


@pytest.mark.parametrize(
    "unfinished",
    [
        b"",
        b"G",
        b"GET /hello HTTP/1.1",
        b"GET /hello HTTP/1.1\r\nHost: test\r\n",
        b"POST /items HTTP/1.1\r\nHost: test\r\nContent-Length: 100\r\n\r\nabc",
        b"POST /items HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nabc",
        b"POST /items HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /items HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
        b"GET /hello HTTP/1.1\r\nHost: test\r\n\r\n" * 100,
        b"\r\n" * 1000,
    ],
)
@pytest.mark.parametrize("reset", [False, True])
def test_a_client_may_leave_at_any_point(
    server: serving.ServerProcess, unfinished: bytes, reset: bool
) -> None:
    for _ in range(10):
        connection = socket.create_connection(("127.0.0.1", server.port), timeout=5)
        connection.sendall(unfinished)
        if reset:
            linger = struct.pack("ii", 1, 0)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        connection.close()


def test_chunks_that_are_none_end_the_connection(server: serving.ServerProcess) -> None:
    for chunks in [b"zz\r\n", b"-1\r\n", b"5\r\nabcdefgh\r\n", b"ffffffffffffffffff\r\n"]:
        received = serving.raw(
            server.port,
            b"POST /items HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks,
        )
        # The handler did not ask for the content, so it has answered.
        assert received.count(b"HTTP/1.1 ") == 1, chunks


def test_errors_of_many_clients_at_once(server: serving.ServerProcess) -> None:
    connections = [
        socket.create_connection(("127.0.0.1", server.port), timeout=10) for _ in range(100)
    ]
    requests = [
        b"GET /items/%zz HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n",
        b"GET /hello?n=x HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n",
        b"GARBAGE\r\n\r\n",
        b"GET /items/fine HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n",
    ]
    for n, connection in enumerate(connections):
        connection.sendall(requests[n % 4])
    for n, connection in enumerate(connections):
        received = serving.receive_until_close(connection)
        assert int(received.split(b" ")[1]) == [400, 422, 400, 200][n % 4]
        connection.close()
