"""`app.run()`: the line it prints, how it stops, and how it says that it cannot start."""

import os
import re
import signal
import socket
import subprocess
import sys
import textwrap
import time
import urllib.request
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

import serving
import spikard

STOP_SIGNALS = [signal.SIGINT, signal.SIGTERM]

APP = """
    import asyncio
    import sys
    import threading
    import time

    from spikard import ServerConfig, Spikard

    app = Spikard(config=ServerConfig(port=0, shutdown_timeout=float(sys.argv[1])))

    def begun():
        print("begun", flush=True)

    @app.get("/hello")
    def hello() -> str:
        return "Hello"

    @app.get("/slow")
    async def slow(seconds: float) -> str:
        begun()
        await asyncio.sleep(seconds)
        return "slow but there"

    @app.get("/blocking", sync_to_thread=False)
    @app.get("/on-a-thread", sync_to_thread=True)
    def blocking(seconds: float) -> str:
        begun()
        time.sleep(seconds)
        return "blocked but there"

    @app.get("/never")
    async def never() -> None:
        try:
            begun()
            await asyncio.Event().wait()
        finally:
            print("cleaned up", flush=True)

    @app.get("/stubborn")
    async def stubborn() -> None:
        begun()
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                print("swallowed", flush=True)

    @app.get("/thread")
    async def thread(seconds: float) -> None:
        await asyncio.to_thread(lambda: (begun(), time.sleep(seconds)))

    @app.get("/background")
    async def background() -> str:
        async def work():
            try:
                await asyncio.Event().wait()
            finally:
                print("background ended", flush=True)

        app.task = asyncio.create_task(work())
        await asyncio.sleep(0)
        return "started"

    app.run()
    print("run returned", flush=True)
"""


def fetch(server: serving.ServerProcess, target: str) -> str:
    with urllib.request.urlopen(server.url + target, timeout=serving.PATIENCE) as response:
        return str(response.read(), "utf-8")


def in_background(
    threads: ThreadPoolExecutor, server: serving.ServerProcess, target: str
) -> "Future[str]":
    """Asks, and returns when the handler has begun."""
    asked = threads.submit(fetch, server, target)
    server.wait_for_stdout("begun")
    return asked


def refused(program: str) -> str:
    """Runs a program that cannot start; returns its one line on standard error."""
    import_path = os.pathsep.join(map(str, [Path(spikard.__file__).parents[1]]))
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        env={**os.environ, "PYTHONPATH": import_path},
        capture_output=True,
        text=True,
        timeout=serving.PATIENCE,
        check=False,
    )
    assert ended.returncode == 3, ended.stderr
    assert ended.stdout == ""
    [line] = ended.stderr.splitlines()
    return line


def test_it_prints_one_line_with_its_address_and_serves() -> None:
    with serving.process(APP, args=["5"]) as server:
        assert fetch(server, "/hello") == '"Hello"'
        assert server.stop() == 0
    [address, returned] = server.stdout_text().splitlines()
    assert re.fullmatch(rf"\S.*http://127\.0\.0\.1:{server.port}\b.*", address)
    assert returned == "run returned"
    assert server.stderr_text() == ""


@pytest.mark.parametrize("number", STOP_SIGNALS)
@pytest.mark.parametrize(
    ("target", "answer"),
    [
        ("/slow?seconds=0.3", "slow but there"),
        ("/blocking?seconds=0.3", "blocked but there"),
        ("/on-a-thread?seconds=0.3", "blocked but there"),
    ],
)
def test_what_is_in_flight_is_answered_first(number: int, target: str, answer: str) -> None:
    with serving.process(APP, args=["10"]) as server, ThreadPoolExecutor() as threads:
        asked = in_background(threads, server, target)
        assert server.stop(number) == 0
        assert asked.result() == f'"{answer}"'
    assert server.stdout_text().endswith("run returned\n")
    assert server.stderr_text() == ""


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_idle_connections_do_not_hold_it_up(number: int) -> None:
    with (
        serving.process(APP, args=["60"]) as server,
        socket.create_connection(("127.0.0.1", server.port)) as used,
        socket.create_connection(("127.0.0.1", server.port)) as fresh,
    ):
        used.sendall(b"GET /hello HTTP/1.1\r\nHost: test\r\n\r\n")
        assert used.recv(1000).startswith(b"HTTP/1.1 200 OK")
        started = time.monotonic()
        assert server.stop(number) == 0
        assert time.monotonic() - started < 5
        assert (used.recv(1000), fresh.recv(1000)) == (b"", b"")


def test_new_connections_are_refused_at_once() -> None:
    with serving.process(APP, args=["30"]) as server, ThreadPoolExecutor() as threads:
        asked = in_background(threads, server, "/slow?seconds=1")
        os.kill(server.pid, signal.SIGTERM)
        deadline = time.monotonic() + serving.PATIENCE
        with pytest.raises(ConnectionError):
            while time.monotonic() < deadline:
                socket.create_connection(("127.0.0.1", server.port)).close()
        assert not asked.done()
        assert server.wait() == 0
        assert asked.result() == '"slow but there"'


@pytest.mark.parametrize(
    ("target", "seen"),
    [
        ("/never", "cleaned up"),
        ("/stubborn", "swallowed"),
        ("/thread?seconds=60", "begun"),
        ("/on-a-thread?seconds=60", "begun"),
    ],
)
@pytest.mark.parametrize("timeout", ["0", "0.3"])
def test_patience_ends_with_the_shutdown_timeout(target: str, seen: str, timeout: str) -> None:
    with serving.process(APP, args=[timeout]) as server, ThreadPoolExecutor() as threads:
        asked = in_background(threads, server, target)
        started = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - started < 5
        assert isinstance(asked.exception(), OSError)
    assert seen in server.stdout_text()
    assert "Traceback" not in server.stderr_text()
    assert "Closed 1 connection" in server.stderr_text()


@pytest.mark.parametrize("number", STOP_SIGNALS)
@pytest.mark.parametrize(
    "target", ["/never", "/stubborn", "/thread?seconds=60", "/on-a-thread?seconds=60"]
)
def test_a_second_signal_ends_the_wait(number: int, target: str) -> None:
    with serving.process(APP, args=["60"]) as server, ThreadPoolExecutor() as threads:
        asked = in_background(threads, server, target)
        os.kill(server.pid, number)
        # The second signal is another one than the first only if the first has been seen.
        deadline = time.monotonic() + serving.PATIENCE
        with pytest.raises(ConnectionError):
            while time.monotonic() < deadline:
                socket.create_connection(("127.0.0.1", server.port)).close()
        started = time.monotonic()
        assert server.stop(number) == 0
        assert time.monotonic() - started < 5
        assert isinstance(asked.exception(), OSError)
    assert "Traceback" not in server.stderr_text()
    assert "Closed 1 connection" in server.stderr_text()


def test_tasks_that_handlers_left_behind_are_cancelled() -> None:
    with serving.process(APP, args=["30"]) as server:
        assert fetch(server, "/background") == '"started"'
        started = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - started < 5
    assert "background ended" in server.stdout_text()
    assert server.stderr_text() == ""


def program(config: str, routes: str = "") -> str:
    return f"""
        from spikard import ServerConfig, Spikard
        app = Spikard(config=ServerConfig({config}))
        {routes}
        app.run()
    """


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ("host='no such host.invalid', port=0", ["host", "no such host.invalid"]),
        ("host='no-such-host.invalid', port=0", ["host", "no-such-host.invalid"]),
        ("host='999.1.1.1', port=0", ["999.1.1.1"]),
        ("host='192.0.2.1', port=0", ["192.0.2.1"]),
        ("host='', port=0", ["host"]),
        ("host=None, port=0", ["host", "None"]),
        ("host='http://localhost', port=0", ["host"]),
        ("host='localhost:8000', port=0", ["host", "port"]),
        ("port=70_000", ["port", "70000"]),
        ("port=-1", ["port", "-1"]),
        ("port='x'", ["port", "'x'"]),
        ("port=True", ["port", "True"]),
        ("port=1.5", ["port", "1.5"]),
        ("port=0, shutdown_timeout=-1", ["shutdown_timeout", "-1"]),
        ("port=0, shutdown_timeout=float('nan')", ["shutdown_timeout", "nan"]),
        ("port=0, shutdown_timeout='5'", ["shutdown_timeout", "'5'"]),
        ("port=0, keep_alive_timeout=-0.1", ["keep_alive_timeout"]),
        ("port=0, header_read_timeout=0", ["header_read_timeout"]),
        ("port=0, backlog=0", ["backlog"]),
        ("port=0, max_connections=0", ["max_connections"]),
        ("port=0, max_header_bytes=1", ["max_header_bytes"]),
        ("port=0, max_request_line_bytes=10**9", ["max_request_line_bytes"]),
    ],
)
def test_a_setting_that_is_wrong_is_one_line_and_status_3(config: str, words: list[str]) -> None:
    line = refused(program(config))
    for word in words:
        assert word in line, line


def test_a_taken_port_is_one_line_and_status_3() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        line = refused(program(f"port={port}"))
    assert f"127.0.0.1:{port}" in line
    assert "in use" in line


@pytest.mark.parametrize(
    ("routes", "words"),
    [
        (
            'app.get("/{a}")(lambda a: a); app.get("/{b}")(lambda b: b)',
            ["/{a}", "/{b}", "<string>:4"],
        ),
        ('app.get("/{a")(lambda a: a)', ["`{a`", "<string>:4"]),
        ('app.get("/{a:colour}")(lambda a: a)', ["colour"]),
        ("import os; app.get('/{a}')(lambda b: b); app.get('/{a}')(os.getpid)", ["/{a}"]),
    ],
)
def test_routes_that_cannot_be_served_are_one_line_and_status_3(
    routes: str, words: list[str]
) -> None:
    line = refused(program("port=0", routes))
    for word in words:
        assert word in line, line


def test_a_restart_takes_over_the_port() -> None:
    with serving.process(APP, args=["5"]) as server:
        fetch(server, "/hello")
    source = APP.replace("port=0", f"port={server.port}")
    with serving.process(source, args=["5"]) as again:
        assert again.port == server.port
        assert fetch(again, "/hello") == '"Hello"'


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


def test_it_listens_on_ipv6() -> None:
    host = "::1" if has_ipv6() else "127.0.0.1"
    source = APP.replace("port=0", f"host={host!r}, port=0")
    with serving.process(source, args=["5"]) as server:
        assert fetch(server, "/hello") == '"Hello"'
        shown = f"[{host}]" if ":" in host else host
        assert f"http://{shown}:{server.port}" in server.stdout_text()


def test_localhost_is_a_host() -> None:
    source = APP.replace("port=0", "host='localhost', port=0")
    with serving.process(source, args=["5"]) as server:
        assert fetch(server, "/hello") == '"Hello"'


TWICE = """
    import os
    import signal
    import threading
    import urllib.request

    from spikard import ServerConfig, Spikard

    def make_app(answer):
        app = Spikard(config=ServerConfig(port=0))

        @app.get("/")
        async def handler() -> str:
            return answer

        @app.get("/stop")
        def stop() -> None:
            os.kill(os.getpid(), signal.SIGTERM)

        return app

    first, second = make_app("first"), make_app("second")
    for app in [first, second, first]:
        app.run()
        print("returned", flush=True)
    signal.raise_signal(signal.SIGTERM)
"""


def test_it_can_run_again_after_it_has_stopped() -> None:
    with serving.process(TWICE) as server:
        for runs, answer in enumerate(["first", "second", "first"], 1):
            server.wait_for_stdout(rf"(http://[\s\S]*){{{runs}}}\n")
            ports = re.findall(r"http://[^:]+:(\d+)", server.stdout_text())
            url = f"http://127.0.0.1:{ports[-1]}"
            with urllib.request.urlopen(url, timeout=serving.PATIENCE) as response:
                assert response.read().decode() == f'"{answer}"'
            serving.raw(int(ports[-1]), b"GET /stop HTTP/1.0\r\n\r\n")
            server.wait_for_stdout(rf"(returned[\s\S]*){{{runs}}}")
        # The handlers of the signals are what they were before.
        assert server.wait() == -signal.SIGTERM


NESTED = """
    import asyncio

    from spikard import ServerConfig, Spikard

    async def main():
        app = Spikard(config=ServerConfig(port=0))
        try:
            app.run()
        except RuntimeError as error:
            print(f"told: {error}", flush=True)
        task = asyncio.create_task(app.serve())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(main())
"""


def test_inside_a_running_loop_it_points_to_serve() -> None:
    with serving.process(NESTED) as server:
        assert server.wait() == 0
    assert "told: " in server.stdout_text()
    assert "await app.serve()" in server.stdout_text()
    assert server.stderr_text() == ""


THREAD = """
    import os
    import sys
    import threading

    from spikard import ServerConfig, Spikard

    app = Spikard(config=ServerConfig(port=0))

    @app.get("/")
    async def handler() -> str:
        return threading.current_thread().name

    thread = threading.Thread(target=app.run, name="server", daemon=True)
    thread.start()
    thread.join()
"""


def test_it_serves_in_another_thread_than_the_main_one() -> None:
    with serving.process(THREAD) as server:
        assert fetch(server, "/") == '"server"'
        # Without a handler of ours, SIGTERM ends the process as it ends every other.
        assert server.stop() == -signal.SIGTERM


BUSY = """
    from spikard import ServerConfig, Spikard

    app = Spikard(config=ServerConfig(port=0))

    @app.get("/{name}")
    async def fail(name: str) -> None:
        raise {"system": SystemExit(7), "key": KeyboardInterrupt(), "base": BaseException()}[name]

    @app.get("/def/{name}")
    def fail_at_once(name: str) -> None:
        raise {"system": SystemExit(7), "key": KeyboardInterrupt(), "base": BaseException()}[name]

    app.run()
"""


def test_no_exception_of_a_handler_ends_it() -> None:
    with serving.process(BUSY) as server:
        for target in ["/system", "/key", "/base", "/def/system", "/def/key", "/def/base"]:
            received = serving.raw(server.port, f"GET {target} HTTP/1.0\r\n\r\n".encode())
            assert received.startswith(b"HTTP/1.1 500 ") or b" 500 " in received[:20], target
        assert server.stop() == 0
    assert server.stderr_text().count("Handler ") == 6
