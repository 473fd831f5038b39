"""HTTP/1.1 as bytes on a socket: connections, methods, targets and content (RFC 9112)."""

import json
import re
import socket
from collections.abc import Iterator

import pytest

import serving

APP = """
    import asyncio

    from spikard import Response, ServerConfig, Spikard

    app = Spikard(config=ServerConfig(port=0))

    @app.get("/")
    def root() -> str:
        return "root"

    @app.get("/hello")
    def hello(name: str = "world") -> str:
        return f"Hello, {name}"

    @app.get("/later")
    async def later() -> str:
        await asyncio.sleep(0.01)
        return "later"

    @app.post("/items", status_code=201)
    def create() -> str:
        return "created"

    @app.route("/any", ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PURGE"])
    def any_method() -> str:
        return "any"

    @app.head("/own")
    def own_head() -> Response[None]:
        return Response(headers={"X-Own": "head", "Content-Length": "1000"})

    @app.options("/own")
    def own_options() -> Response[str]:
        return Response("own", headers={"Allow": "HEAD"})

    app.run()
"""


@pytest.fixture(scope="module")
def server() -> Iterator[serving.ServerProcess]:
    with serving.process(APP) as server:
        yield server
    assert server.stderr_text() == ""


class Received:
    """A response as it came."""

    def __init__(self, head: bytes, content: bytes) -> None:
        self.status_line, *fields = head.decode("latin-1").split("\r\n")
        self.status = int(self.status_line.split(" ")[1])
        self.fields = {
            name.lower(): value for name, value in (field.split(": ", 1) for field in fields)
        }
        self.content = content


def exchange(server: serving.ServerProcess, *requests: str) -> list[Received]:
    """Sends requests at once on one connection; gives the responses until the server closes."""
    received = serving.raw(server.port, "".join(requests).encode("latin-1"))
    responses: list[Received] = []
    while received:
        head, _, received = received.partition(b"\r\n\r\n")
        response = Received(head, b"")
        if not requests[min(len(responses), len(requests) - 1)].startswith("HEAD "):
            length = int(response.fields.get("content-length", "0"))
            response.content, received = received[:length], received[length:]
        responses.append(response)
    return responses


def request(target: str, method: str = "GET", fields: str = "", content: str = "") -> str:
    return f"{method} {target} HTTP/1.1\r\nHost: test\r\n{fields}\r\n{content}"


def last(target: str, method: str = "GET", fields: str = "", content: str = "") -> str:
    return request(target, method, f"{fields}Connection: close\r\n", content)


def test_a_response_is_well_formed(server: serving.ServerProcess) -> None:
    [response] = exchange(server, last("/hello?name=Ada"))
    assert response.status_line == "HTTP/1.1 200 OK"
    assert response.content == b'"Hello, Ada"'
    assert response.fields.pop("date").endswith(" GMT")
    assert response.fields == {
        "connection": "close",
        "content-length": "12",
        "content-type": "application/json",
    }


def test_pipelined_requests_are_answered_in_order(server: serving.ServerProcess) -> None:
    targets = ["/later", "/hello", "/nothing", "/later", "/hello?name=b"]
    responses = exchange(server, *map(request, targets), last("/"))
    contents = [response.content for response in responses]
    assert [response.status for response in responses] == [200, 200, 404, 200, 200, 200]
    assert contents[:2] == [b'"later"', b'"Hello, world"']
    assert contents[3:] == [b'"later"', b'"Hello, b"', b'"root"']


def test_many_pipelined_requests(server: serving.ServerProcess) -> None:
    responses = exchange(server, request("/hello") * 500, last("/"))
    assert [response.status for response in responses] == [200] * 501


@pytest.mark.parametrize(
    ("request_text", "stays"),
    [
        ("GET / HTTP/1.1\r\nHost: test\r\n\r\n", True),
        ("GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n", False),
        ("GET / HTTP/1.0\r\n\r\n", False),
        ("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", True),
    ],
)
def test_the_client_decides_whether_the_connection_stays(
    server: serving.ServerProcess, request_text: str, stays: bool
) -> None:
    responses = exchange(server, request_text, last("/hello"))
    assert [response.content for response in responses] == [
        b'"root"',
        *([b'"Hello, world"'] if stays else []),
    ]


@pytest.mark.parametrize(
    ("method", "target", "status", "content"),
    [
        ("POST", "/items", 201, b'"created"'),
        ("PUT", "/any", 200, b'"any"'),
        ("PATCH", "/any", 200, b'"any"'),
        ("DELETE", "/any", 200, b'"any"'),
        ("TRACE", "/any", 200, b'"any"'),
        ("PURGE", "/any", 200, b'"any"'),
        ("OPTIONS", "/hello", 204, b""),
        ("OPTIONS", "/own", 200, b'"own"'),
        ("OPTIONS", "*", 204, b""),
        ("OPTIONS", "/nothing", 404, None),
        ("BREW", "/hello", 405, None),
        ("get", "/hello", 405, None),
        ("TRACE", "/hello", 405, None),
        ("DELETE", "/hello", 405, None),
        ("POST", "/hello", 405, None),
        ("GET", "/items", 405, None),
        ("CONNECT", "example.com:443", 405, None),
        ("GET", "hello", 400, None),
        ("GET", "example.com:443", 400, None),
        ("GET", "http://example.com/hello", 200, b'"Hello, world"'),
        ("GET", "http://example.com/hello?name=x", 200, b'"Hello, x"'),
        ("GET", "http://example.com", 200, b'"root"'),
        ("GET", "/hello/", 404, None),
        ("GET", "//hello", 404, None),
        ("GET", "/./hello", 404, None),
        ("GET", "/%68ello", 200, b'"Hello, world"'),
    ],
)
def test_methods_and_targets(
    server: serving.ServerProcess, method: str, target: str, status: int, content: bytes | None
) -> None:
    [response] = exchange(server, last(target, method))
    assert response.status == status
    if content is not None:
        assert response.content == content
        return
    assert response.fields["content-type"] == "application/problem+json"
    assert json.loads(response.content)["status"] == status
    assert ("allow" in response.fields) == (status == 405)


@pytest.mark.parametrize("target", ["/hello", "/later", "/nothing"])
def test_head_is_get_without_content(server: serving.ServerProcess, target: str) -> None:
    [get] = exchange(server, last(target))
    first, second = exchange(server, request(target, "HEAD"), last(target, "HEAD"))
    for head in [first, second]:
        assert head.status == get.status
        assert head.fields["content-length"] == get.fields["content-length"]
        assert head.fields["content-type"] == get.fields["content-type"]


def test_a_handler_of_head_knows_the_length(server: serving.ServerProcess) -> None:
    [head] = exchange(server, last("/own", "HEAD"))
    assert (head.fields["x-own"], head.fields["content-length"]) == ("head", "1000")


def test_204_has_neither_content_nor_length(server: serving.ServerProcess) -> None:
    first, second = exchange(server, request("/hello", "OPTIONS"), last("/"))
    assert set(first.fields["allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}
    assert "content-length" not in first.fields
    assert "transfer-encoding" not in first.fields
    assert second.content == b'"root"'


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize(
    ("fields", "content"),
    [
        ("Content-Length: 5\r\n", "abcde"),
        ("Content-Length: 0\r\n", ""),
        ("Transfer-Encoding: chunked\r\n", "0\r\n\r\n"),
        ("Transfer-Encoding: chunked\r\n", "5\r\nabcde\r\n0\r\n\r\n"),
        ("Transfer-Encoding: chunked\r\n", "5;a=b\r\nabcde\r\n0\r\nTrailer: x\r\n\r\n"),
        ("Content-Length: 40\r\n", "GET /nothing HTTP/1.1\r\nHost: smuggled\r\n\r\n"),
        ("Content-Length: 70000\r\n", "x" * 70_000),
    ],
)
def test_content_that_no_handler_reads_is_no_request(
    server: serving.ServerProcess, method: str, fields: str, content: str
) -> None:
    first, *others = exchange(server, request("/any", method, fields, content), last("/"))
    assert (first.status, first.content) == (200, b'"any"')
    # What was not worth reading to its end costs the connection.
    assert [response.content for response in others] in ([b'"root"'], [])


def test_expect_continue_is_answered_by_the_response(server: serving.ServerProcess) -> None:
    """No handler reads the content, so nobody asks the client for it (RFC 9110, 10.1.1)."""
    fields = "Expect: 100-continue\r\nContent-Length: 5\r\n"
    [response] = exchange(server, request("/any", "POST", fields))
    assert (response.status, response.content) == (200, b'"any"')
    assert response.fields["connection"] == "close"


def test_a_response_does_not_wait_for_what_follows(server: serving.ServerProcess) -> None:
    for following in [b"", b"\r\n", b"GET /hel", b"GARBAGE\r\n\r\n"]:
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
            connection.sendall(request("/").encode() + following)
            received = b""
            while b'"root"' not in received:
                part = connection.recv(1000)
                assert part, following
                received += part


def test_a_request_may_come_in_pieces(server: serving.ServerProcess) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in last("/hello").encode():
            connection.sendall(bytes([byte]))
        received = serving.receive_until_close(connection)
    assert re.match(rb"HTTP/1.1 200 OK\r\n", received)


def limited(settings: str) -> str:
    return APP.replace("port=0", f"port=0, {settings}")


@pytest.mark.parametrize(
    ("settings", "request_text", "status"),
    [
        ("max_request_line_bytes=64", last("/hello?name=" + "x" * 40), 200),
        ("max_request_line_bytes=64", last("/hello?name=" + "x" * 60), 414),
        ("max_header_bytes=8192", last("/", fields=f"X: {'x' * 8000}\r\n"), 200),
        ("max_header_bytes=8192", last("/", fields=f"X: {'x' * 8192}\r\n"), 431),
        ("keep_alive_timeout=0", request("/"), 200),
    ],
)
def test_the_configuration_moves_the_limits(settings: str, request_text: str, status: int) -> None:
    with serving.process(limited(settings)) as server:
        [response] = exchange(server, request_text)
        assert response.status == status
        assert response.fields["connection"] == "close"


@pytest.mark.parametrize("settings", ["keep_alive_timeout=1", "header_read_timeout=1"])
def test_the_configuration_moves_the_deadlines(settings: str) -> None:
    with (
        serving.process(limited(settings)) as server,
        socket.create_connection(("127.0.0.1", server.port)) as connection,
    ):
        connection.sendall(request("/").encode())
        assert connection.recv(1000).endswith(b'"root"')
        if settings.startswith("header"):
            connection.sendall(b"GET / HT")
        connection.settimeout(10)
        assert connection.recv(1) == b""


def test_the_configuration_moves_the_number_of_connections() -> None:
    def asked(connection: socket.socket) -> bytes:
        connection.sendall(request("/").encode())
        return connection.recv(1000)

    with serving.process(limited("max_connections=1")) as server:
        address = ("127.0.0.1", server.port)
        with (
            socket.create_connection(address, timeout=10) as first,
            socket.create_connection(address, timeout=10) as second,
        ):
            second.sendall(request("/").encode())
            assert asked(first).endswith(b'"root"')
            assert asked(first).endswith(b'"root"')
            second.setblocking(False)
            with pytest.raises(BlockingIOError):
                second.recv(1)
            first.close()
            second.settimeout(10)
            assert second.recv(1000).endswith(b'"root"')
