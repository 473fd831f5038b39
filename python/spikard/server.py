"""Serving an app on a socket: in a process of its own, or inside a loop that is already running."""

import asyncio
import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NoReturn

from spikard._spikard import Bridge, Listener, Worker
from spikard.event_loop import close_loop, new_worker, run_until_stopped
from spikard.exceptions import SpikardError
from spikard.logs import shutdown_incomplete

if TYPE_CHECKING:
    from spikard.app import Spikard

__all__ = ["run", "serve"]

_START_UP_FAILURE = 3
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def run(app: "Spikard") -> None:
    """Serves `app` until SIGINT or SIGTERM, then finishes what is in flight.

    Prints one line with the address. What is in flight gets ``shutdown_timeout`` seconds; a second
    signal ends the wait.

    Raises:
        RuntimeError: The thread runs an event loop already; `serve` is for that.
        SystemExit: The app cannot be served: status 3, after one line on standard error.
    """
    _refuse_running_loop()
    try:
        application = app.freeze()
        listener = Listener(app.config.host, app.config.port, app.config.backlog)
    except (SpikardError, OSError) as error:
        _fail(error)
    event_loop, worker = new_worker()
    asyncio.set_event_loop(event_loop)
    shutdown = _Shutdown(event_loop, worker, app.config.shutdown_timeout)
    try:
        worker.serve(listener, application, app.config)
        with _stop_signals(event_loop, shutdown.request):
            _announce(listener)
            run_until_stopped(event_loop)
    finally:
        has_ended = close_loop(event_loop, worker, shutdown.remaining())
        asyncio.set_event_loop(None)
    if not has_ended:
        _leave_threads_behind()


async def serve(app: "Spikard") -> None:
    """Serves `app` inside the running event loop, whichever it is, until the task is cancelled.

    The server has a thread of its own and hands requests over in batches: handlers run in this
    loop. On cancellation it finishes what is in flight, for at most ``shutdown_timeout`` seconds;
    a second cancellation ends the wait. Signals are left to the owner of the loop.

    Raises:
        SpikardError: The app or its configuration is not valid.
        OSError: The address cannot be had.
    """
    application = app.freeze()
    event_loop = asyncio.get_running_loop()
    stopped: asyncio.Future[None] = event_loop.create_future()

    def done(unfinished: int, error: str | None) -> None:
        if unfinished:
            shutdown_incomplete(unfinished)
        if error is not None:
            stopped.set_exception(OSError(error))
        else:
            stopped.set_result(None)

    listener = Listener(app.config.host, app.config.port, app.config.backlog)
    bridge = Bridge(event_loop, listener, application, app.config, done)
    event_loop.add_reader(bridge.fileno(), bridge.drain)
    try:
        _announce(listener)
        await asyncio.shield(stopped)
    finally:
        try:
            if not stopped.done():
                bridge.stop(app.config.shutdown_timeout)
                await asyncio.shield(stopped)
        finally:
            bridge.stop(0.0)
            event_loop.remove_reader(bridge.fileno())
            bridge.join()
            # Handlers whose connections were closed at last are cancelled by this.
            bridge.drain()


class _Shutdown:
    """The end of a run: asked for once, hurried by the second request."""

    def __init__(
        self, event_loop: asyncio.AbstractEventLoop, worker: Worker, patience: float
    ) -> None:
        self._event_loop = event_loop
        self._worker = worker
        self._patience = patience
        self._deadline: float | None = None
        self._is_over = False

    def request(self) -> None:
        """Stops to accept and lets requests finish; called again, stops to wait for them."""
        patience = self._patience if self._deadline is None else 0.0
        self._deadline = time.monotonic() + patience
        self._worker.stop(patience, self._done)

    def remaining(self) -> float:
        """Seconds that are left for tasks and threads to end."""
        return 0.0 if self._deadline is None else max(0.0, self._deadline - time.monotonic())

    def _done(self, unfinished: int, error: str | None) -> None:
        assert error is None, "a worker that serves can stop"
        if unfinished:
            shutdown_incomplete(unfinished)
        if not self._is_over:
            self._is_over = True
            # As a callback: nothing else wakes the loop, and a stop alone gives it nothing to do.
            self._event_loop.call_soon(self._event_loop.stop)


@contextlib.contextmanager
def _stop_signals(
    event_loop: asyncio.AbstractEventLoop, request_stop: Callable[[], None]
) -> Iterator[None]:
    """Calls `request_stop` on every stop signal; outside the main thread there are none."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    for number in _STOP_SIGNALS:
        event_loop.add_signal_handler(number, request_stop)
    try:
        yield
    finally:
        for number in _STOP_SIGNALS:
            event_loop.remove_signal_handler(number)


def _announce(listener: Listener) -> None:
    host = f"[{listener.host}]" if ":" in listener.host else listener.host
    print(f"Spikard serves http://{host}:{listener.port} (CTRL+C stops)", flush=True)


def _refuse_running_loop() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise RuntimeError(
        "app.run() needs a thread without a running event loop; inside one, `await app.serve()`"
    )


def _fail(error: Exception) -> NoReturn:
    print(f"spikard: {error}", file=sys.stderr)
    raise SystemExit(_START_UP_FAILURE) from None


def _leave_threads_behind() -> NoReturn:
    """Ends the process though threads still run, which Python itself would wait for."""
    import logging

    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
