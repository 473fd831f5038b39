"""`await app.serve()`: the server beside a loop that belongs to somebody else."""

import asyncio
import http.client
import json
import re
import socket
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
import uvloop

import serving
from spikard import ConfigError, Response, RouteError, ServerConfig, Spikard

LoopFactory = Callable[[], asyncio.AbstractEventLoop]
Run = Callable[[Coroutine[Any, Any, None]], None]


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    """Runs a coroutine on a fresh loop of one kind, within a bound."""
    factory: LoopFactory = {
        "asyncio": asyncio.new_event_loop,
        "uvloop": cast(LoopFactory, uvloop.new_event_loop),
    }[request.param]

    def run(test: Coroutine[Any, Any, None]) -> None:
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(asyncio.wait_for(test, serving.PATIENCE))

    return run


class Served:
    """An app that is served by a task of the loop."""

    def __init__(self, port: int, task: "asyncio.Task[None]") -> None:
        self.port = port
        self.task = task
        self.threads = ThreadPoolExecutor(100)

    def ask(self, target: str, method: str = "GET") -> "asyncio.Future[tuple[int, bytes]]":
        """Asks from a thread, and gives status and content to the loop."""

        def fetch() -> tuple[int, bytes]:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
            try:
                connection.request(method, target)
                response = connection.getresponse()
                return response.status, response.read()
            finally:
                connection.close()

        return asyncio.get_running_loop().run_in_executor(self.threads, fetch)

    async def stop(self) -> None:
        """Cancels the task and waits for its end."""
        self.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await self.task


@asynccontextmanager
async def served(app: Spikard, capsys: "pytest.CaptureFixture[str]") -> AsyncIterator[Served]:
    task = asyncio.create_task(app.serve())
    printed = ""
    while not (match := re.search(r"http://127\.0\.0\.1:(\d+)", printed)):
        assert not task.done(), task
        await asyncio.sleep(0)
        printed += capsys.readouterr().out
    served = Served(int(match[1]), task)
    try:
        yield served
    finally:
        if not task.done():
            await served.stop()
        served.threads.shutdown(wait=False)


def make_app(**settings: Any) -> Spikard:
    app = Spikard(config=ServerConfig(port=0, **settings))

    @app.get("/def")
    def plain(n: int) -> int:
        return n + 1

    @app.get("/async")
    async def suspends(n: int) -> int:
        await asyncio.sleep(0.001)
        return n + 2

    @app.get("/loop")
    async def loop() -> str:
        return type(asyncio.get_running_loop()).__module__ + threading.current_thread().name

    @app.get("/large")
    async def large(size: int) -> bytes:
        return b"x" * size

    @app.post("/status", status_code=201)
    def status() -> Response[None]:
        return Response(status_code=204)

    @app.get("/fail/{name}")
    async def fail(name: str) -> None:
        await asyncio.sleep(0)
        raise {
            "system": SystemExit(1),
            "base": BaseException("on purpose"),
            "plain": ValueError("on purpose"),
            "cancelled": asyncio.CancelledError(),
        }[name]

    @app.get("/fail-at-once/{name}")
    def fail_at_once(name: str) -> None:
        raise {"system": SystemExit(1), "plain": ValueError("on purpose")}[name]

    return app


def test_def_and_async_def_are_answered(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    async def test() -> None:
        async with served(make_app(), capsys) as server:
            assert await server.ask("/def?n=1") == (200, b"2")
            assert await server.ask("/async?n=1") == (200, b"3")
            assert await server.ask("/status", "POST") == (204, b"")
            assert (await server.ask("/def?n=x"))[0] == 422
            assert (await server.ask("/nothing"))[0] == 404
            kind = type(asyncio.get_running_loop()).__module__
            name = threading.current_thread().name
            assert await server.ask("/loop") == (200, json.dumps(kind + name).encode())

    run(test())


def test_a_hundred_requests_are_in_flight_together(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    app = make_app()
    here: list[int] = []
    everybody = asyncio.Event()

    @app.get("/meet")
    async def meet(n: int) -> int:
        here.append(n)
        if len(here) == 100:
            everybody.set()
        await everybody.wait()
        return n

    async def test() -> None:
        async with served(app, capsys) as server:
            answers = await asyncio.gather(*(server.ask(f"/meet?n={n}") for n in range(100)))
            assert answers == [(200, str(n).encode()) for n in range(100)]

    run(test())


def test_many_requests_follow_each_other(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    async def test() -> None:
        async with served(make_app(), capsys) as server:
            for first in range(0, 500, 50):
                numbers = range(first, first + 50)
                answers = await asyncio.gather(*(server.ask(f"/async?n={n}") for n in numbers))
                assert answers == [(200, str(n + 2).encode()) for n in numbers]

    run(test())


def test_large_replies_arrive_whole(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    async def test() -> None:
        async with served(make_app(), capsys) as server:
            for size in [0, 4096, 4097, 1 << 20, 8 << 20]:
                status, content = await server.ask(f"/large?size={size}")
                assert (status, len(content)) == (200, size)

    run(test())


def test_no_exception_of_a_handler_ends_the_loop(
    run: Run, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    targets = [f"/fail/{name}" for name in ["system", "base", "plain", "cancelled"]]
    targets += [f"/fail-at-once/{name}" for name in ["system", "plain"]]

    async def test() -> None:
        async with served(make_app(), capsys) as server:
            for target in targets:
                status, content = await server.ask(target)
                assert status == 500, target
                assert b"on purpose" not in content, target
                assert await server.ask("/def?n=1") == (200, b"2"), target

    run(test())
    assert [record.name for record in caplog.records] == ["spikard.error"] * len(targets)


def test_cancellation_answers_what_is_in_flight(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    app = make_app()
    begun, release = asyncio.Event(), asyncio.Event()

    @app.get("/wait")
    async def wait() -> str:
        begun.set()
        await release.wait()
        return "answered"

    async def test() -> None:
        async with served(app, capsys) as server:
            asked = server.ask("/wait")
            await begun.wait()
            server.task.cancel()
            # Refused from now on, while the request in flight goes on.
            while True:
                try:
                    socket.create_connection(("127.0.0.1", server.port)).close()
                except ConnectionError:
                    break
                await asyncio.sleep(0)
            assert not asked.done()
            assert not server.task.done()
            release.set()
            assert await asked == (200, b'"answered"')
            with pytest.raises(asyncio.CancelledError):
                await server.task

    run(test())


async def never_answered(
    app: Spikard, capsys: "pytest.CaptureFixture[str]", end: Callable[[Served], object]
) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    @app.get("/never")
    async def never() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with served(app, capsys) as server:
        asked = server.ask("/never")
        await begun.wait()
        server.task.cancel()
        await asyncio.sleep(0)
        end(server)
        with pytest.raises(asyncio.CancelledError):
            await server.task
        with pytest.raises(OSError):
            await asked
        await ended.wait()


def test_the_shutdown_timeout_ends_the_wait(
    run: Run, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    run(never_answered(make_app(shutdown_timeout=0.1), capsys, lambda _: None))
    assert [record.getMessage() for record in caplog.records] == [
        "Closed 1 connections before their requests were answered"
    ]


def test_a_second_cancellation_ends_the_wait(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run(never_answered(make_app(), capsys, lambda server: server.task.cancel()))


def test_a_client_that_leaves_cancels_its_handler(
    run: Run, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app()
    begun, cancelled = asyncio.Event(), asyncio.Event()

    @app.get("/never")
    async def never() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async def test() -> None:
        async with served(app, capsys) as server:
            _, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(b"GET /never HTTP/1.1\r\nHost: test\r\n\r\n")
            await begun.wait()
            writer.close()
            await cancelled.wait()
            assert await server.ask("/def?n=1") == (200, b"2")

    run(test())
    assert caplog.records == []


def test_it_can_serve_again_and_beside_others(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    async def test() -> None:
        app, other = make_app(), make_app()
        for _ in range(3):
            async with served(app, capsys) as first, served(other, capsys) as second:
                assert first.port != second.port
                assert await first.ask("/def?n=1") == (200, b"2")
                assert await second.ask("/async?n=1") == (200, b"3")

    run(test())
    assert "spikard-server" not in {thread.name for thread in threading.enumerate()}


def test_a_port_that_is_taken_is_an_os_error(run: Run) -> None:
    async def test() -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            app = Spikard(config=ServerConfig(port=taken.getsockname()[1]))
            with pytest.raises(OSError, match="in use"):
                await app.serve()

    run(test())


@pytest.mark.parametrize("host", ["999.1.1.1", "no-such-host.invalid", "192.0.2.1"])
def test_a_host_that_is_not_there_is_an_os_error(run: Run, host: str) -> None:
    async def test() -> None:
        with pytest.raises(OSError, match=re.escape(host)):
            await Spikard(config=ServerConfig(host=host, port=0)).serve()

    run(test())


@pytest.mark.parametrize("settings", [{"port": 70_000}, {"port": "x"}, {"shutdown_timeout": -1}])
def test_a_wrong_setting_is_a_config_error(run: Run, settings: dict[str, Any]) -> None:
    async def test() -> None:
        with pytest.raises(ConfigError, match=next(iter(settings))):
            await Spikard(config=ServerConfig(**settings)).serve()

    run(test())


def test_routes_that_collide_are_a_route_error(run: Run) -> None:
    app = Spikard(config=ServerConfig(port=0))
    app.get("/{a}")(lambda a: a)
    app.get("/{b}")(lambda b: b)

    async def test() -> None:
        with pytest.raises(RouteError):
            await app.serve()

    run(test())
