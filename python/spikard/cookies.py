"""The cookies of a reply: what a ``Set-Cookie`` field says. Rust writes the field."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import datetime

__all__ = ["SameSite", "SetCookie"]

SameSite = Literal["strict", "lax", "none"]
"""With which requests of other sites a cookie is sent along."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetCookie:
    """One cookie that a reply sets (RFC 6265, section 4.1).

    Without ``max_age`` and ``expires`` the client keeps it until its session ends.
    """

    name: str
    """Name; a token, so without spaces and separators."""
    value: str = ""
    """Value; without spaces, quotes, commas, semicolons and backslashes."""
    max_age: int | None = None
    """Lifetime in seconds; 0 deletes the cookie."""
    expires: "datetime.datetime | None" = None
    """When its life ends, with a time zone; ``max_age`` goes before it."""
    path: str | None = "/"
    """Path under which the client sends it; ``None``: the folder of the request."""
    domain: str | None = None
    """Domain with all its subdomains; ``None``: the very host of the request."""
    secure: bool = False
    """Whether it is sent over TLS only; ``samesite="none"`` needs it."""
    httponly: bool = False
    """Whether scripts cannot read it."""
    samesite: SameSite | None = "lax"
    """With which requests of other sites it is sent along; ``None``: the client decides."""
