"""The test client: what it sends, what it gives back, where and how long it lives."""

import asyncio
import contextlib
import gc
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest

import serving
from spikard import ConfigError, Response, RouteError, ServerConfig, Spikard
from spikard.testing import Headers, ResponseStatusError, TestClient

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"]
THREAD_NAME = "spikard-test-client"


def make_app() -> Spikard:
    app = Spikard()

    @app.route("/method", [*METHODS, "BREW"])
    def method() -> Response[None]:
        return Response(headers={"X-Answered": "yes"})

    @app.get("/hello")
    def hello(name: str = "world") -> dict[str, str]:
        return {"message": f"Hello, {name}!"}

    @app.get("/values")
    def values(v: list[str]) -> list[str]:
        return v

    @app.get("/twice")
    async def twice(n: int) -> int:
        await asyncio.sleep(0)
        return 2 * n

    @app.get("/fail")
    def fail() -> None:
        raise RuntimeError("on purpose")

    return app


def client_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == THREAD_NAME]


def test_the_first_page_example() -> None:
    client = TestClient(make_app())
    response = client.get("/hello", params={"name": "Ada"})
    assert response.status_code == 200
    assert response.json()["message"] == "Hello, Ada!"
    client.close()


@pytest.mark.parametrize("method", METHODS)
def test_every_method_has_a_shortcut(method: str) -> None:
    with TestClient(make_app()) as client:
        response = getattr(client, method.lower())("/method")
        assert response.headers["x-answered"] == "yes"
        assert client.request(method, "/method").headers["x-answered"] == "yes"


def test_methods_are_sent_as_given() -> None:
    with TestClient(make_app()) as client:
        assert client.request("BREW", "/method").status_code == 200
        assert client.request("get", "/method").status_code == 405
        with pytest.raises(ValueError, match="method"):
            client.request("BAD METHOD", "/method")


@pytest.mark.parametrize(
    ("url", "params", "expected"),
    [
        ("/values", {"v": "a"}, ["a"]),
        ("/values", {"v": ["a", "b", "a"]}, ["a", "b", "a"]),
        ("/values", {"v": ("a", 1)}, ["a", "1"]),
        ("/values", {"v": True}, ["true"]),
        ("/values", {"v": False}, ["false"]),
        ("/values", {"v": None}, [""]),
        ("/values", {"v": [True, None, 1.5, 2**70]}, ["true", "", "1.5", str(2**70)]),
        ("/values", {"v": "é 𝄞+&=?#%zz\0"}, ["é 𝄞+&=?#%zz\0"]),
        ("/values", [("v", "a"), ("x", "b"), ("v", "c")], ["a", "c"]),
        ("/values?v=a", {"v": "b"}, ["a", "b"]),
        ("/values?v=a&v=b", None, ["a", "b"]),
        ("/values?v=a+b%20c&v=%zz", {}, ["a b c", "%zz"]),
        ("/values?v=é", None, ["é"]),
        ("/values?v=a#fragment", None, ["a"]),
        ("http://example.com/values?v=a", {"v": "b"}, ["a", "b"]),
    ],
)
def test_params_become_the_query(url: str, params: Any, expected: list[str]) -> None:
    with TestClient(make_app()) as client:
        assert client.get(url, params=params).json() == expected


def test_an_empty_list_is_no_parameter() -> None:
    with TestClient(make_app()) as client:
        assert client.get("/values", params={"v": []}).status_code == 422


@pytest.mark.parametrize(
    "contents",
    [
        {"json": {"a": 1}},
        {"json": None},
        {"data": {"a": 1, "b": [True, None]}},
        {"data": [("a", "1"), ("a", "2")]},
        {"data": "text"},
        {"data": b"bytes"},
        {"content": "é"},
        {"content": b"\xff"},
        {"content": b""},
        {"headers": {"Content-Type": "text/plain"}, "json": 1},
        {"headers": [("X-A", "1"), ("X-A", "2")]},
        {"cookies": {"a": "1", "b": "2"}},
    ],
)
@pytest.mark.parametrize("method", ["POST", "GET", "DELETE"])
def test_content_headers_and_cookies_are_sent(method: str, contents: dict[str, Any]) -> None:
    with TestClient(make_app()) as client:
        assert client.request(method, "/method", **contents).status_code == 200


@pytest.mark.parametrize(
    "contents",
    [
        {"json": 1, "data": {"a": 1}},
        {"json": None, "content": b""},
        {"data": "a", "content": "a"},
        {"json": 1, "data": "a", "content": "a"},
    ],
)
def test_a_request_has_one_content(contents: dict[str, Any]) -> None:
    with TestClient(make_app()) as client, pytest.raises(ValueError, match="one content"):
        client.post("/method", **contents)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"content": {"a": 1}}, TypeError),
        ({"json": object()}, TypeError),
        ({"headers": {"bad name": "a"}}, ValueError),
        ({"headers": {"X": "a\r\nY: b"}}, ValueError),
        ({"headers": {"X": "a\0"}}, ValueError),
        ({"cookies": {"a": "b\r\nc"}}, ValueError),
    ],
)
def test_what_is_no_request_is_an_error_of_the_test(
    options: dict[str, Any], error: type[Exception]
) -> None:
    with TestClient(make_app()) as client:
        with pytest.raises(error):
            client.post("/method", **options)
        assert client.post("/method").status_code == 200


def test_a_response_shows_everything() -> None:
    app = Spikard()

    @app.get("/")
    def handler() -> Response[str]:
        return Response(
            "é",
            status_code=201,
            headers=[("Set-Cookie", "a=1; Path=/"), ("Set-Cookie", "b=2"), ("X-A", "1")],
            media_type="text/plain; charset=utf-8",
        )

    with TestClient(app) as client:
        response = client.get("/")
    assert response.status_code == 201
    assert response.content == "é".encode()
    assert response.text == "é"
    assert response.headers["X-A"] == response.headers["x-a"] == "1"
    assert response.headers.get("missing") is None
    assert "x-A" in response.headers
    assert response.headers.get_list("SET-COOKIE") == ["a=1; Path=/", "b=2"]
    assert response.headers["set-cookie"] == "a=1; Path=/, b=2"
    assert response.cookies == {"a": "1", "b": "2"}
    assert response.raise_for_status() is response
    assert "201" in repr(response)
    with pytest.raises(msgspec.DecodeError):
        response.json()


def test_headers_are_a_mapping_without_regard_to_case() -> None:
    headers = Headers([("A", "1"), ("b", "2"), ("a", "3")])
    assert dict(headers) == {"a": "1, 3", "b": "2"}
    assert list(headers) == ["a", "b"]
    assert len(headers) == 2
    assert headers.multi_items() == [("a", "1"), ("b", "2"), ("a", "3")]
    assert headers.get_list("c") == []
    assert "c" not in headers
    with pytest.raises(KeyError):
        headers["c"]


@pytest.mark.parametrize(("target", "status"), [("/fail", 500), ("/nothing", 404)])
def test_raise_for_status_shows_the_content(target: str, status: int) -> None:
    with TestClient(make_app()) as client:
        response = client.get(target)
        with pytest.raises(ResponseStatusError, match=f"{status}.*spikard.dev/errors"):
            response.raise_for_status()


def test_content_that_is_not_utf8_is_shown_with_replacements() -> None:
    app = Spikard()

    @app.get("/")
    def handler() -> bytes:
        return b"a\xffb"

    with TestClient(app) as client:
        assert client.get("/").text == "a\ufffdb"


def test_redirects_are_not_followed() -> None:
    app = Spikard()

    @app.get("/")
    def handler() -> Response[None]:
        return Response(status_code=302, headers={"Location": "/else"})

    with TestClient(app) as client:
        response = client.get("/")
    assert (response.status_code, response.headers["location"]) == (302, "/else")


def test_an_app_without_routes_is_404_everywhere() -> None:
    with TestClient(Spikard()) as client:
        for method in METHODS:
            assert client.request(method, "/").status_code == 404, method
        assert client.get("/a/b?c").status_code == 404


def test_a_failing_handler_does_not_end_the_client() -> None:
    app = make_app()

    @app.get("/exit/{name}")
    async def leave(name: str) -> None:
        raise {"system": SystemExit(1), "key": KeyboardInterrupt(), "base": BaseException()}[name]

    with TestClient(app) as client:
        for name in ["system", "key", "base"]:
            assert client.get(f"/exit/{name}").status_code == 500, name
            assert client.get("/twice?n=1").json() == 2, name


def test_it_works_inside_a_running_loop() -> None:
    async def main() -> list[int]:
        with TestClient(make_app()) as client:
            return [client.get("/twice", params={"n": n}).json() for n in range(3)]

    assert asyncio.run(main()) == [0, 2, 4]


def test_several_threads_share_a_client() -> None:
    with TestClient(make_app()) as client, ThreadPoolExecutor(50) as threads:

        def ask(first: int) -> list[int]:
            numbers = range(first, first + 20)
            return [client.get("/twice", params={"n": n}).json() for n in numbers]

        answers = list(threads.map(ask, range(0, 1000, 20)))
    assert answers == [[2 * n for n in range(first, first + 20)] for first in range(0, 1000, 20)]


def test_requests_of_several_threads_are_in_flight_together() -> None:
    app = Spikard()
    waiting: list[asyncio.Future[None]] = []

    @app.get("/")
    async def meet() -> int:
        waiting.append(asyncio.get_running_loop().create_future())
        if len(waiting) == 20:
            for future in waiting:
                future.set_result(None)
        await waiting[-1]
        return len(waiting)

    with TestClient(app) as client, ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(lambda _: client.get("/").json(), range(20)))
    assert answers == [20] * 20


def test_clients_of_one_app_and_of_several_live_side_by_side() -> None:
    first, second = make_app(), make_app()

    @second.get("/second")
    def only() -> str:
        return "second"

    with TestClient(first) as a, TestClient(first) as b, TestClient(second) as c:
        for _ in range(3):
            assert [client.get("/twice?n=1").json() for client in (a, b, c)] == [2, 2, 2]
        assert [client.get("/second").status_code for client in (a, b, c)] == [404, 404, 200]
        a.close()
        assert b.get("/twice?n=2").json() == 4


def test_a_handler_can_be_a_client_of_another_app() -> None:
    inner, outer = TestClient(make_app()), Spikard()

    @outer.get("/")
    def handler() -> object:
        return inner.get("/twice?n=21").json()

    with inner, TestClient(outer) as client:
        assert client.get("/").json() == 42


def test_a_handler_that_asks_its_own_client_is_told() -> None:
    app = Spikard()
    told: list[str] = []

    @app.get("/")
    def handler() -> None:
        try:
            client.get("/")
        except RuntimeError as error:
            told.append(str(error))

    with TestClient(app) as client:
        assert client.get("/").status_code == 200
    assert len(told) == 1
    assert "same thread" in told[0]


def test_a_closed_client_says_so() -> None:
    client = TestClient(make_app())
    assert client.get("/hello").status_code == 200
    client.close()
    client.close()
    with pytest.raises(RuntimeError, match="closed"):
        client.get("/hello")
    unused = TestClient(make_app())
    unused.close()
    with pytest.raises(RuntimeError, match="closed"):
        unused.get("/hello")


def test_closing_ends_the_thread_and_the_handlers() -> None:
    app = Spikard()
    begun, ended = threading.Event(), threading.Event()

    @app.get("/")
    async def never() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    client = TestClient(app)
    errors: list[Exception] = []

    def ask() -> None:
        try:
            client.get("/")
        except RuntimeError as error:
            errors.append(error)

    before = client_threads()
    asking = threading.Thread(target=ask)
    asking.start()
    assert begun.wait(serving.PATIENCE)
    client.close()
    asking.join(serving.PATIENCE)
    assert not asking.is_alive()
    assert ended.is_set()
    assert client_threads() == before


def test_the_thread_starts_with_the_first_request() -> None:
    before = client_threads()
    client = TestClient(make_app())
    assert client_threads() == before
    client.get("/hello")
    assert len(client_threads()) == len(before) + 1
    client.close()
    assert client_threads() == before


def test_a_forgotten_client_ends_its_thread() -> None:
    before = client_threads()
    client = TestClient(make_app())
    client.get("/hello")
    gone = weakref.ref(client)
    del client
    gc.collect()
    assert gone() is None
    deadline = time.monotonic() + serving.PATIENCE
    while client_threads() != before and time.monotonic() < deadline:
        threading.Event().wait(0.01)
    assert client_threads() == before


def test_many_clients_leave_nothing_behind() -> None:
    before = client_threads()
    app = make_app()
    for n in range(50):
        with TestClient(app) as client:
            assert client.get(f"/twice?n={n}").json() == 2 * n
    assert client_threads() == before


def test_a_block_that_fails_closes_its_client() -> None:
    before = client_threads()
    with contextlib.suppress(ZeroDivisionError), TestClient(make_app()) as client:
        client.get("/hello")
        raise ZeroDivisionError
    assert client_threads() == before


def test_mistakes_of_the_app_are_raised_at_once() -> None:
    app = Spikard()
    for _ in range(2):
        app.get("/same/{a}")(lambda a: a)
        app.get("/same/{b}")(lambda b: b)
    with pytest.raises(RouteError):
        TestClient(app)


@pytest.mark.parametrize("settings", [{"port": 70_000}, {"port": "x"}, {"shutdown_timeout": -1.0}])
def test_a_wrong_configuration_is_raised_at_once(settings: dict[str, Any]) -> None:
    app = Spikard(config=ServerConfig(**settings))
    with pytest.raises(ConfigError, match=next(iter(settings))):
        TestClient(app)


def test_nothing_is_sent_that_was_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = []

    class Session:
        def send(self, request: Any) -> tuple[int, list[tuple[str, str]], bytes]:
            sent.append(request)
            return 200, [], b""

    client = TestClient(make_app())
    monkeypatch.setattr(client, "_session", Session)
    client.get("/a")
    client.post("/a", json={"a": 1}, headers={"X-A": "1"}, cookies={"c": "d"})
    client.post("/a", data={"a": [1, "é "]})
    client.post("/a", data="text")
    client.post("/a", content=b"bytes")
    client.post("/a", json=1, headers=[("content-TYPE", "text/x")])
    client.get("http://example.com")
    seen = [(r.target, r.headers, r.cookies, r.content) for r in sent]
    form = "application/x-www-form-urlencoded"
    assert seen == [
        ("/a", [], [], b""),
        ("/a", [("X-A", "1"), ("content-type", "application/json")], [("c", "d")], b'{"a":1}'),
        ("/a", [("content-type", form)], [], b"a=1&a=%C3%A9+"),
        ("/a", [], [], b"text"),
        ("/a", [], [], b"bytes"),
        ("/a", [("content-TYPE", "text/x")], [], b"1"),
        ("/", [("host", "example.com")], [], b""),
    ]
