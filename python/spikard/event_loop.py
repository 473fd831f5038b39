"""The event loop of a worker: stock asyncio whose wait happens in Rust."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

from spikard._spikard import Worker
from spikard.logs import threads_left, turn_failed

__all__ = ["close_loop", "contain_exit", "new_worker", "run_until_stopped"]

_ResultT = TypeVar("_ResultT")

_GRACE = 1.0
"""Seconds that cancelled tasks and threads get to end, even where no time is left."""


class _SharedWaitSelector(selectors.DefaultSelector):
    """A selector that leaves the waiting to the worker's runtime.

    ``select()`` enters Rust, which waits for sockets, timers and this selector together.
    """

    worker: Worker | None = None

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Waits, and returns the events of the loop's own descriptors.

        The timeout needs no mention: Rust reads the loop's timers itself.
        """
        assert self.worker is not None, "the loop runs before its worker is made"
        return super().select(0) if self.worker.wait() else []


def new_worker() -> tuple[asyncio.SelectorEventLoop, Worker]:
    """Makes an event loop for the current thread and the worker that drives it."""
    selector = _SharedWaitSelector()
    event_loop = asyncio.SelectorEventLoop(selector)
    selector.worker = Worker(event_loop, selector.fileno())
    return event_loop, selector.worker


def run_until_stopped(event_loop: asyncio.AbstractEventLoop) -> None:
    """Runs the loop until ``stop()``, whatever tasks and callbacks raise.

    asyncio lets ``SystemExit`` and ``KeyboardInterrupt`` of a task pass through the loop. Signals
    arrive as callbacks here, so such an exception is a handler's, and must not stop the others.
    """
    while True:
        try:
            event_loop.run_forever()
        except SystemError:
            # The driver of the loop has failed; nothing would run after it.
            raise
        except BaseException as error:
            turn_failed(error)
        else:
            return


def close_loop(event_loop: asyncio.AbstractEventLoop, worker: Worker, patience: float) -> bool:
    """Cancels what still runs in a stopped loop, and closes worker and loop.

    Tasks and threads get `patience` seconds, and one second in any case.

    Returns:
        Whether everything has ended; otherwise threads are left that Python waits for at exit.
    """
    patience = max(patience, _GRACE)
    executor_has_ended = False
    try:
        tasks = asyncio.all_tasks(event_loop)
        for task in tasks:
            task.cancel()
        if tasks:
            event_loop.run_until_complete(asyncio.wait(tasks, timeout=patience))
        event_loop.run_until_complete(event_loop.shutdown_asyncgens())
        executor_has_ended = event_loop.run_until_complete(_end_executor(event_loop, patience))
    finally:
        threads_have_ended = worker.close(patience)
        event_loop.close()
    if executor_has_ended and threads_have_ended:
        return True
    threads_left()
    return False


async def _end_executor(event_loop: asyncio.AbstractEventLoop, patience: float) -> bool:
    ending = asyncio.ensure_future(event_loop.shutdown_default_executor())
    done, _ = await asyncio.wait([ending], timeout=patience)
    return bool(done)


def contain_exit(handler: Coroutine[Any, Any, _ResultT]) -> Coroutine[Any, Any, _ResultT]:
    """Runs a handler in a loop that is not ours, which its ``SystemExit`` must not end.

    Instead of that the coroutine raises ``RuntimeError``.
    """
    return _Contained(handler)


class _Contained(Coroutine[Any, Any, _ResultT]):
    """Passes everything on: a task that is cancelled before its first step closes the handler."""

    __slots__ = ("_handler",)

    def __init__(self, handler: Coroutine[Any, Any, _ResultT]) -> None:
        self._handler = handler

    def send(self, value: Any, /) -> Any:
        try:
            return self._handler.send(value)
        except SystemExit as error:
            raise RuntimeError("the handler raised SystemExit") from error

    def throw(self, *exception: Any) -> Any:
        try:
            return self._handler.throw(*exception)
        except SystemExit as error:
            raise RuntimeError("the handler raised SystemExit") from error

    def close(self) -> None:
        self._handler.close()

    def __await__(self) -> Any:
        return self._handler.__await__()

    def __getattr__(self, name: str) -> Any:
        # What asyncio shows of a coroutine: its name, its code, its frame.
        return getattr(self._handler, name)
