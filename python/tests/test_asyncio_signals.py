"""Signals of a process that runs an app: the handlers of the program, and the stop."""

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from types import FrameType

import httpx
import pytest

import serving
from spikard import Spikard
from spikard.testing import TestClient

PROGRAM = """
import asyncio
import os
import signal
import sys
import time

from spikard import ServerConfig, Spikard, get

app = Spikard(config=ServerConfig(port=0, shutdown_timeout=float(sys.argv[1])))
released = asyncio.Event()
received = []


def tell(text):
    print(text, flush=True)


@get("/")
def ready():
    return "ready"


@get("/watch/loop")
async def watch_with_loop():
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, tell, "the loop was told")


@get("/watch/plain", sync_to_thread=False)
def watch_plainly():
    signal.signal(signal.SIGUSR1, lambda number, frame: tell(f"received {number}"))


@get("/watch/raise", sync_to_thread=False)
def watch_and_raise():
    def fail(number, frame):
        raise LookupError("in a signal handler")

    signal.signal(signal.SIGUSR1, fail)


@get("/watch/count", sync_to_thread=False)
def watch_and_count():
    signal.signal(signal.SIGUSR1, lambda number, frame: received.append(number))


@get("/count")
def count():
    return len(received)


@get("/watch/release", sync_to_thread=False)
def watch_and_release():
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, released.set)


@get("/wait")
async def wait():
    try:
        tell("waits")
        await released.wait()
        return "released"
    except asyncio.CancelledError:
        tell("cancelled")
        raise
    finally:
        tell("cleaned up")


@get("/stubborn")
async def stubborn():
    tell("waits")
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            tell("goes on")


@get("/block", sync_to_thread=False)
def block():
    tell("blocks")
    time.sleep(0.3)
    return "blocked"


@get("/stop/{way}", sync_to_thread=False)
def stop(way: str):
    if way == "raise":
        signal.raise_signal(signal.SIGTERM)
    else:
        os.kill(os.getpid(), signal.SIGINT)
    return "stopping"


app.run()
tell("run() has returned")
tell(str(signal.getsignal(signal.SIGINT)))
"""

STOP_SIGNALS = [signal.SIGINT, signal.SIGTERM]


@pytest.fixture
def server() -> Iterator[serving.ServerProcess]:
    with serving.process(PROGRAM, args=["30"]) as server:
        yield server


def get(server: serving.ServerProcess, path: str) -> httpx.Response:
    return httpx.get(server.url + path, timeout=serving.PATIENCE, trust_env=False)


def wait_until_refused(server: serving.ServerProcess) -> None:
    deadline = time.monotonic() + serving.PATIENCE
    while time.monotonic() < deadline:
        try:
            socket.create_connection((server.host, server.port), 1).close()
        except ConnectionRefusedError:
            return
        except ConnectionResetError:
            # It was waiting to be accepted when the server closed its listener.
            continue
    raise AssertionError("the server still accepts connections")


@pytest.mark.parametrize(
    ("way", "told"),
    [("loop", "the loop was told"), ("plain", f"received {int(signal.SIGUSR1)}")],
)
def test_a_signal_handler_runs_while_the_server_waits(
    server: serving.ServerProcess, way: str, told: str
) -> None:
    get(server, f"/watch/{way}")
    os.kill(server.pid, signal.SIGUSR1)
    server.wait_for_stdout(told)
    assert get(server, "/").json() == "ready"
    assert server.stop() == 0
    assert server.stderr_text() == ""


def test_what_a_signal_handler_raises_is_logged_and_serving_goes_on(
    server: serving.ServerProcess,
) -> None:
    get(server, "/watch/raise")
    for _ in range(3):
        os.kill(server.pid, signal.SIGUSR1)
        server.wait_for_stderr("LookupError: in a signal handler")
        assert get(server, "/").json() == "ready"
    assert server.stop() == 0


def test_signals_and_requests_mix(server: serving.ServerProcess) -> None:
    get(server, "/watch/count")
    with httpx.Client(base_url=server.url, timeout=serving.PATIENCE, trust_env=False) as client:
        for number in range(1, 101):
            os.kill(server.pid, signal.SIGUSR1)
            assert client.get("/").json() == "ready"
            # Between the two requests the signal has come: the kernel delivers it first.
            assert client.get("/count").json() == number


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_a_stop_lets_the_running_handler_finish(
    server: serving.ServerProcess, number: signal.Signals
) -> None:
    get(server, "/watch/release")

    def ask() -> None:
        response = get(server, "/wait")
        assert (response.status_code, response.json()) == (200, "released")

    with serving.thread(ask):
        server.wait_for_stdout("waits")
        os.kill(server.pid, number)
        wait_until_refused(server)
        os.kill(server.pid, signal.SIGUSR1)
    assert server.wait() == 0
    assert server.stderr_text() == ""
    assert "run() has returned" in server.stdout_text()
    assert "default_int_handler" in server.stdout_text()


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_a_second_signal_cancels_the_running_handler(
    server: serving.ServerProcess, number: signal.Signals
) -> None:
    with serving.thread(lambda: expect_disconnect(server, "/wait")):
        server.wait_for_stdout("waits")
        os.kill(server.pid, number)
        wait_until_refused(server)
        os.kill(server.pid, number)
        assert server.wait() == 0
    assert "cancelled\ncleaned up\nrun() has returned" in server.stdout_text()


def test_the_shutdown_timeout_cancels_the_running_handler() -> None:
    with serving.process(PROGRAM, args=["0.1"]) as server:
        with serving.thread(lambda: expect_disconnect(server, "/wait")):
            server.wait_for_stdout("waits")
            os.kill(server.pid, signal.SIGTERM)
            assert server.wait() == 0
        assert "cancelled\ncleaned up\nrun() has returned" in server.stdout_text()
        assert "Closed 1 connection" in server.stderr_text()


def test_a_handler_that_swallows_every_cancellation_does_not_keep_the_process() -> None:
    with serving.process(PROGRAM, args=["0.1"]) as server:
        with serving.thread(lambda: expect_disconnect(server, "/stubborn")):
            server.wait_for_stdout("waits")
            os.kill(server.pid, signal.SIGTERM)
            assert server.wait() == 0
        assert "goes on" in server.stdout_text()


def expect_disconnect(server: serving.ServerProcess, path: str) -> None:
    with pytest.raises(httpx.TransportError):
        get(server, path)


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_a_stop_waits_for_a_blocking_handler(
    server: serving.ServerProcess, number: signal.Signals
) -> None:
    def ask() -> None:
        response = get(server, "/block")
        assert (response.status_code, response.json()) == (200, "blocked")

    with serving.thread(ask):
        server.wait_for_stdout("blocks")
        os.kill(server.pid, number)
    assert server.wait() == 0
    assert server.stderr_text() == ""


@pytest.mark.parametrize("way", ["raise", "kill"])
def test_a_handler_can_stop_its_server(server: serving.ServerProcess, way: str) -> None:
    assert get(server, f"/stop/{way}").json() == "stopping"
    assert server.wait() == 0
    assert server.stderr_text() == ""


def test_idle_connections_do_not_hold_up_a_stop(server: serving.ServerProcess) -> None:
    with httpx.Client(base_url=server.url, trust_env=False) as client:
        assert client.get("/").json() == "ready"
        assert server.stop() == 0
    assert server.stderr_text() == ""


class InterruptError(Exception):
    """Raised by a signal handler of the test."""


def test_a_waiting_test_client_can_be_interrupted() -> None:
    app = Spikard()
    interrupted = threading.Event()

    @app.get("/")
    def interrupt() -> bool:
        os.kill(os.getpid(), signal.SIGUSR1)
        return interrupted.wait(serving.PATIENCE)

    def raise_error(number: int, frame: FrameType | None) -> None:
        raise InterruptError

    former = signal.signal(signal.SIGUSR1, raise_error)
    try:
        with TestClient(app) as client:
            with pytest.raises(InterruptError):
                client.get("/")
            interrupted.set()
            assert client.get("/missing").status_code == 404
    finally:
        interrupted.set()
        signal.signal(signal.SIGUSR1, former)
