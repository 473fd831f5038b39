"""Settings of the server: frozen when written down, checked when the app starts."""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TypeVar

from spikard.exceptions import ConfigError

__all__ = ["ServerConfig"]

_ConfigT = TypeVar("_ConfigT")

_LONGEST_SECONDS = 86_400.0


def _suggests_field_names(config_class: type[_ConfigT]) -> type[_ConfigT]:
    """Makes the ``TypeError`` for an unknown field say which field may have been meant."""
    known = [field.name for field in fields(config_class)]  # type: ignore[arg-type]
    accept: Callable[..., None] = config_class.__init__

    @functools.wraps(accept)
    def init(self: _ConfigT, *args: object, **settings: object) -> None:
        for name in settings:
            if name not in known:
                raise TypeError(_unknown_field(config_class.__name__, name, known))
        accept(self, *args, **settings)

    config_class.__init__ = init  # type: ignore[method-assign, assignment]
    return config_class


def _unknown_field(config: str, name: str, known: list[str]) -> str:
    # Needed for a typing mistake only, so the import of every app does not pay for it.
    import difflib

    close = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean `{close[0]}`?" if close else f"its fields are {', '.join(known)}"
    return f"{config} has no field `{name}`; {hint}"


@_suggests_field_names
@dataclass(frozen=True, slots=True, kw_only=True)
class ServerConfig:
    """Where and how an app is served.

    Values are checked when the app freezes, so that a mistake in them is one clear line of
    ``app.run()``, wherever they come from.

    Raises:
        TypeError: There is no field of that name; the message suggests one.
    """

    host: str = "127.0.0.1"
    """Host name or address to listen on; ``0.0.0.0`` and ``::`` are all interfaces."""

    port: int = 8000
    """TCP port to listen on, 0 to 65535; 0 lets the operating system choose."""

    backlog: int = 2048
    """Connections the operating system keeps waiting to be accepted, 1 to 65535."""

    shutdown_timeout: float = 30.0
    """Seconds that requests in flight get to finish when the server stops, 0 to 86400."""

    keep_alive_timeout: float = 75.0
    """Seconds an idle connection stays open, 0 to 86400; 0 turns keep-alive off."""

    header_read_timeout: float = 10.0
    """Seconds a client may take to send the head of a request, above 0, at most 86400."""

    max_header_bytes: int = 65_536
    """Bytes of the head of a request, 8192 to 16777216; a longer one is answered 431."""

    max_request_line_bytes: int = 8192
    """Bytes of the request line, 64 to 65534; a longer one is answered 414."""

    max_body_size: int | None = 10 * 1024 * 1024
    """Bytes of the content of a request, from 0; a longer one is answered 413, before it is read
    where its length is known. ``None``: no limit."""

    max_connections: int = 10_000
    """Connections open at the same time, 1 to 1000000; further ones wait to be accepted."""

    def validate(self) -> None:
        """Checks every field; the app calls it when it freezes.

        Raises:
            ConfigError: A value has the wrong type or is out of range; the message names the field.
        """
        _check_host(self.host)
        _check_integer("port", self.port, 0, 65_535)
        _check_integer("backlog", self.backlog, 1, 65_535)
        _check_seconds("shutdown_timeout", self.shutdown_timeout)
        _check_seconds("keep_alive_timeout", self.keep_alive_timeout)
        _check_seconds("header_read_timeout", self.header_read_timeout, zero=False)
        # 8 KiB is the smallest read buffer the HTTP implementation works with, and 65534 bytes the
        # longest request target it can represent.
        _check_integer("max_header_bytes", self.max_header_bytes, 8192, 16_777_216)
        _check_integer("max_request_line_bytes", self.max_request_line_bytes, 64, 65_534)
        if self.max_body_size is not None:
            _check_integer("max_body_size", self.max_body_size, 0, 2**63 - 1)
        _check_integer("max_connections", self.max_connections, 1, 1_000_000)


def _check_host(host: object) -> None:
    right = "a host name or an address, such as '127.0.0.1', '::1' or 'localhost'"
    if not isinstance(host, str):
        raise _wrong("host", host, right)
    if not host or any(character in "/[]@" or character.isspace() for character in host):
        raise _wrong("host", host, f"{right}, without scheme, brackets or path")
    if host.count(":") == 1:
        raise _wrong("host", host, f"{right}; the port goes into `port`")


def _check_integer(name: str, value: object, low: int, high: int) -> None:
    # bool is a subclass of int, and `port=True` is never meant.
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise _wrong(name, value, f"an integer from {low} to {high}")


def _check_seconds(name: str, value: object, *, zero: bool = True) -> None:
    right = f"a number of seconds {'from' if zero else 'above'} 0 to {_LONGEST_SECONDS:.0f}"
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise _wrong(name, value, right)
    if math.isnan(value) or not 0 <= value <= _LONGEST_SECONDS or (value == 0 and not zero):
        raise _wrong(name, value, right)


def _wrong(name: str, given: object, right: str) -> ConfigError:
    return ConfigError(f"`{name}` is {given!r} ({type(given).__name__}); it must be {right}")
