"""Apps behind real sockets, each in a process that prints its address and stops on SIGTERM."""

import contextlib
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
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

import spikard

__all__ = ["PATIENCE", "ServerProcess", "process", "raw", "receive_until_close"]

PATIENCE = 20.0
"""Seconds that anything of a test may take before the test gives up on it."""

_ADDRESS = re.compile(r"http://(?P<host>\[[^]]+\]|[^:/]+):(?P<port>\d+)")
_IMPORT_PATH = [Path(__file__).parent, Path(spikard.__file__).parents[1]]


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

    def wait_for_stdout(self, pattern: str) -> "re.Match[str]":
        """Waits until standard output matches the pattern somewhere."""
        return self._stdout.wait_for(re.compile(pattern))

    def wait_for_stderr(self, pattern: str) -> "re.Match[str]":
        """Waits until standard error matches the pattern somewhere."""
        return self._stderr.wait_for(re.compile(pattern))


class _Output:
    """What a process writes, read by a thread so that the process never waits for a reader."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._text = ""
        self._is_open = True
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def text(self) -> str:
        with self._changed:
            return self._text

    def wait_for(self, pattern: "re.Pattern[str]") -> "re.Match[str]":
        def has_come() -> bool:
            return not self._is_open or pattern.search(self._text) is not None

        with self._changed:
            self._changed.wait_for(has_come, PATIENCE)
            match = pattern.search(self._text)
        assert match is not None, f"{pattern.pattern!r} does not occur in:\n{self._text}"
        return match

    def close(self) -> None:
        # A child of the process may have inherited the pipe and keep it open.
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), "something still writes to the pipe of the process"
        self._stream.close()

    def _read(self) -> None:
        for line in self._stream:
            with self._changed:
                self._text += line
                self._changed.notify_all()
        with self._changed:
            self._is_open = False
            self._changed.notify_all()


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
