"""Apps at work: behind a real socket in a process of their own, or in memory, in every event loop.

`process` runs any program that serves. `runtime` runs the app of a test module in one of
`RUNTIMES`, so that one test says what holds in all of them.
"""

import contextlib
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import IO, TypeAlias

import httpx

import spikard
from spikard.testing import TestClient, TestResponse

__all__ = [
    "OWN_LOOPS",
    "PATIENCE",
    "RUNTIMES",
    "SERVERS",
    "Response",
    "Runtime",
    "ServerProcess",
    "process",
    "raw",
    "receive_until_close",
    "runtime",
    "thread",
]

PATIENCE = 20.0
"""Seconds that anything of a test may take before the test gives up on it."""

RUNTIMES = ("test-client", "run", "run-debug", "serve-asyncio", "serve-uvloop")
"""Where handlers run: under `TestClient`; under ``app.run()``, also with asyncio's debug mode;
under ``app.serve()`` in loops that are not ours.
"""

SERVERS = RUNTIMES[1:]
"""The runtimes with a socket and a process of their own."""

OWN_LOOPS = ("test-client", "run", "run-debug")
"""The runtimes whose loop is ours, so that no handler can end it."""

Response: TypeAlias = TestResponse | httpx.Response

_ADDRESS = re.compile(r"http://(?P<host>\[[^]]+\]|[^:/]+):(?P<port>\d+)")
_SLOW_STEP = re.compile(r"Executing <.*> took [0-9.]+ seconds$")
_IMPORT_PATH = [Path(__file__).parent, Path(spikard.__file__).parents[1]]

_RUN = """
import importlib
import sys

importlib.import_module(sys.argv[1]).app.run()
"""

_SERVE = """
import asyncio
import contextlib
import importlib
import signal
import sys

app = importlib.import_module(sys.argv[1]).app


async def serve():
    serving = asyncio.ensure_future(app.serve())
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, serving.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await serving


importlib.import_module(sys.argv[2]).run(serve())
"""


class ServerProcess:
    """A process that serves: its address, its output, its end."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str]) -> None:
        """Starts the process and waits for the line with its address."""
        self.popen = subprocess.Popen(
            command,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.popen.stdout is not None
        assert self.popen.stderr is not None
        self._stdout = _Output(self.popen.stdout)
        self._stderr = _Output(self.popen.stderr)
        try:
            address = self._stdout.wait_for(_ADDRESS)
        except AssertionError:
            self.stop()
            raise AssertionError(
                f"no address, exit status {self.popen.poll()}\n"
                f"stdout: {self.stdout_text()}\nstderr: {self.stderr_text()}"
            ) from None
        self.host = address["host"]
        self.port = int(address["port"])

    @property
    def pid(self) -> int:
        """The process to send signals to."""
        return self.popen.pid

    @property
    def url(self) -> str:
        """Scheme, host and port, without a slash at the end."""
        return f"http://{self.host}:{self.port}"

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Sends the signal unless the process has ended; returns its exit status."""
        if self.popen.poll() is None:
            self.popen.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """Waits for the end of the process; returns its exit status."""
        try:
            return self.popen.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
            raise AssertionError(f"the server did not end\nstderr: {self.stderr_text()}") from None
        finally:
            self._stdout.close()
            self._stderr.close()

    def stdout_text(self) -> str:
        """What it has printed so far; after its end, everything."""
        return self._stdout.text()

    def stderr_text(self) -> str:
        """What it has written to standard error so far; after its end, everything."""
        return self._stderr.text()

    def wait_for_stdout(self, pattern: str) -> re.Match[str]:
        """Waits until standard output matches the pattern somewhere."""
        return self._stdout.wait_for(re.compile(pattern))

    def wait_for_stderr(self, pattern: str) -> re.Match[str]:
        """Waits until standard error matches the pattern somewhere."""
        return self._stderr.wait_for(re.compile(pattern))


@contextlib.contextmanager
def process(
    program: Path | str, *, env: Mapping[str, str] | None = None, args: Sequence[str] = ()
) -> Iterator[ServerProcess]:
    """Runs a program that serves, and stops it at the end of the block.

    Args:
        program: A file, or source text; the modules of the tests can be imported by it.
        env: Added to the environment.
        args: Arguments of the program.
    """
    with tempfile.TemporaryDirectory() as folder:
        if isinstance(program, str):
            path = Path(folder, "main.py")
            path.write_text(textwrap.dedent(program))
        else:
            path = program
        inherited = os.environ.get("PYTHONPATH")
        import_path = os.pathsep.join([*map(str, _IMPORT_PATH), *filter(None, [inherited])])
        environment = {**os.environ, "PYTHONPATH": import_path, **(env or {})}
        server = ServerProcess([sys.executable, "-B", str(path), *args], environment)
        try:
            yield server
        finally:
            server.stop()


@dataclass(frozen=True)
class Runtime:
    """An app that answers."""

    name: str
    client: TestClient | httpx.Client
    server: ServerProcess | None
    """``None`` under `TestClient`."""
    logged: "_Text"

    def get(self, path: str, **params: str | int | float) -> Response:
        """Sends GET."""
        return self.client.get(path, params=params or None)

    def get_all(self, paths: Iterable[str], *, at_once: int = 20) -> list[Response]:
        """Sends GET for every path, many at the same time; the responses come in the same order."""
        with ThreadPoolExecutor(at_once) as threads:
            return list(threads.map(self.get, paths))

    def values(self, paths: Iterable[str], *, at_once: int = 20) -> list[object]:
        """The JSON of responses that must all be 200, requested many at the same time."""
        responses = self.get_all(paths, at_once=at_once)
        for response in responses:
            assert response.status_code == 200, f"{response.text}\n{self.log()}"
        return [response.json() for response in responses]

    def value(self, path: str, **params: str | int | float) -> object:
        """The JSON of a response that must be 200."""
        response = self.get(path, **params)
        assert response.status_code == 200, f"{path}: {response.text}\n{self.log()}"
        return response.json()

    def log(self) -> str:
        """What is logged so far, as it looks on standard error, but for debug mode's slow steps.

        Which steps are slow depends on what else the machine has to do.
        """
        lines = self.logged.text().splitlines(keepends=True)
        return "".join(line for line in lines if not _SLOW_STEP.match(line))

    def wait_for_log(self, pattern: str) -> re.Match[str]:
        """Waits until the log matches the pattern somewhere."""
        return self.logged.wait_for(re.compile(pattern))


@contextlib.contextmanager
def runtime(name: str, module: ModuleType) -> Iterator[Runtime]:
    """Lets the `app` of a test module answer in one of `RUNTIMES`.

    A process of its own must end with status 0, and Python must not have warned in it.
    """
    if name == "test-client":
        logged = _LogText()
        logging.getLogger().addHandler(logged)
        try:
            with TestClient(module.app) as client:
                yield Runtime(name, client, None, logged.text)
        finally:
            logging.getLogger().removeHandler(logged)
        return
    assert module.__file__ is not None
    way, _, kind = name.partition("-")
    args = [Path(module.__file__).stem, kind]
    env = {"PYTHONWARNINGS": "default", "PYTHONASYNCIODEBUG": "1" if kind == "debug" else ""}
    with process(_RUN if way == "run" else _SERVE, env=env, args=args) as server:
        with httpx.Client(base_url=server.url, timeout=PATIENCE, trust_env=False) as client:
            yield Runtime(name, client, server, server._stderr)
        assert server.stop() == 0, server.stderr_text()
        assert "Warning: " not in server.stderr_text(), server.stderr_text()


def raw(port: int, request: bytes, *, host: str = "127.0.0.1", timeout: float = 5.0) -> bytes:
    """Sends bytes; returns all that comes until the server closes or `timeout` seconds passed."""
    with socket.create_connection((host, port), timeout=timeout) as connection:
        with contextlib.suppress(ConnectionError):
            connection.sendall(request)
        return receive_until_close(connection, timeout=timeout)


def receive_until_close(connection: socket.socket, *, timeout: float = 5.0) -> bytes:
    """Everything that comes until the other side closes or `timeout` seconds passed."""
    deadline = time.monotonic() + timeout
    received = bytearray()
    with contextlib.suppress(TimeoutError, ConnectionError):
        while (left := deadline - time.monotonic()) > 0:
            connection.settimeout(left)
            part = connection.recv(65_536)
            if not part:
                break
            received += part
    return bytes(received)


@contextlib.contextmanager
def thread(target: Callable[[], None]) -> Iterator[None]:
    """Runs a function beside the block, and raises what it raised."""
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(target)
        yield
        running.result(PATIENCE)


class _Text:
    """Text that grows in one thread while another waits for a part of it."""

    def __init__(self) -> None:
        self._text = ""
        self._is_open = True
        self._changed = threading.Condition()

    def append(self, text: str) -> None:
        with self._changed:
            self._text += text
            self._changed.notify_all()

    def end(self) -> None:
        with self._changed:
            self._is_open = False
            self._changed.notify_all()

    def text(self) -> str:
        with self._changed:
            return self._text

    def wait_for(self, pattern: re.Pattern[str]) -> re.Match[str]:
        def has_come() -> bool:
            return not self._is_open or pattern.search(self._text) is not None

        with self._changed:
            self._changed.wait_for(has_come, PATIENCE)
            match = pattern.search(self._text)
        assert match is not None, f"{pattern.pattern!r} does not occur in:\n{self._text}"
        return match


class _Output(_Text):
    """What a process writes, read by a thread so that the process never waits for a reader."""

    def __init__(self, stream: IO[str]) -> None:
        super().__init__()
        self._stream = stream
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def close(self) -> None:
        # A child of the process may have inherited the pipe and keep it open.
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), "something still writes to the pipe of the process"
        self._stream.close()

    def _read(self) -> None:
        for line in self._stream:
            self.append(line)
        self.end()


class _LogText(logging.Handler):
    """The log of this process."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.text = _Text()

    def emit(self, record: logging.LogRecord) -> None:
        self.text.append(self.format(record) + "\n")
