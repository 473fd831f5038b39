"""The log of the framework, through `logging` under the name ``spikard.error``."""

import logging

__all__ = [
    "handler_blocks",
    "handler_failed",
    "shutdown_incomplete",
    "stream_failed",
    "threads_left",
    "turn_failed",
]

_error_log = logging.getLogger("spikard.error")


def handler_failed(handler: str, error: BaseException) -> None:
    """Logs what a handler raised, with its traceback; the client is answered 500."""
    _error_log.error("Handler %s failed", handler, exc_info=error)


def handler_blocks(handler: str, seconds: float) -> None:
    """Logs, once per handler, that a ``def`` handler blocks and runs on threads from now on."""
    _error_log.warning(
        "Handler %s blocked the event loop for %.0f ms and runs on a thread from now on; "
        "`sync_to_thread` decides by hand",
        handler,
        seconds * 1000,
    )


def turn_failed(error: BaseException) -> None:
    """Logs what a task or callback raised to end the process; the worker goes on."""
    name = type(error).__name__
    _error_log.error("%s in a task or callback; serving goes on", name, exc_info=error)


def stream_failed(handler: str, error: BaseException) -> None:
    """Logs what the iterator of a streaming response raised; its connection is cut."""
    _error_log.error("The stream of handler %s failed", handler, exc_info=error)


def shutdown_incomplete(connections: int) -> None:
    """Logs that requests were given up because ``shutdown_timeout`` was over."""
    _error_log.warning("Closed %d connections before their requests were answered", connections)


def threads_left() -> None:
    """Logs that threads of handlers outlived ``shutdown_timeout``."""
    _error_log.warning("Threads of handlers still run; they are left behind")
