"""What a handler returns when plain data is not enough. Encoding happens in Rust.

A handler makes these for each request, so their values are checked when they are sent: a status or
a field that HTTP does not allow is answered 500 and logged.
"""

from collections.abc import AsyncIterable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar, overload

from spikard.cookies import SameSite, SetCookie

if TYPE_CHECKING:
    import datetime

__all__ = ["Redirect", "Response", "StreamingResponse"]

ContentT_co = TypeVar("ContentT_co", covariant=True)

Headers = Mapping[str, str] | Sequence[tuple[str, str]]

Chunks = AsyncIterable[str | bytes] | Iterable[str | bytes]
"""What a stream is made of: pieces of text or bytes, made now or while it is sent."""


class _Reply:
    """What all replies have: fields and cookies."""

    __slots__ = ("cookies", "headers", "status_code")

    status_code: int
    headers: Headers | None
    cookies: list[SetCookie]

    def __init__(
        self, status_code: int, headers: Headers | None, cookies: Iterable[SetCookie]
    ) -> None:
        """Holds the values."""
        self.status_code = status_code
        self.headers = headers
        self.cookies = [*cookies]

    def set_cookie(
        self,
        name: str,
        value: str = "",
        *,
        max_age: int | None = None,
        expires: "datetime.datetime | None" = None,
        path: str | None = "/",
        domain: str | None = None,
        secure: bool = False,
        httponly: bool = False,
        samesite: SameSite | None = "lax",
    ) -> None:
        """Adds a cookie; each is a ``Set-Cookie`` field of its own.

        Args:
            name: Name of the cookie.
            value: Its value.
            max_age: Lifetime in seconds; without it, and `expires`, the cookie lives as long as
                the session of the client.
            expires: When its life ends, with a time zone.
            path: Path under which it is sent; ``None``: the folder of the request.
            domain: Domain with its subdomains; by default the very host of the request.
            secure: Whether it is sent over TLS only.
            httponly: Whether scripts cannot read it.
            samesite: With which requests of other sites it is sent along.
        """
        cookie = SetCookie(
            name=name,
            value=value,
            max_age=max_age,
            expires=expires,
            path=path,
            domain=domain,
            secure=secure,
            httponly=httponly,
            samesite=samesite,
        )
        self.cookies.append(cookie)

    def delete_cookie(
        self,
        name: str,
        *,
        path: str | None = "/",
        domain: str | None = None,
        secure: bool = False,
        httponly: bool = False,
        samesite: SameSite | None = "lax",
    ) -> None:
        """Asks the client to forget a cookie; path and domain are those it was set with."""
        self.set_cookie(
            name,
            max_age=0,
            path=path,
            domain=domain,
            secure=secure,
            httponly=httponly,
            samesite=samesite,
        )


class Response(_Reply, Generic[ContentT_co]):
    """A reply with its own status, headers, cookies or media type.

    Content becomes JSON, unless ``media_type`` says otherwise: then text is sent as UTF-8 and bytes
    as they are. Bytes are always sent as they are.

    Args:
        content: What to send; ``None`` sends no content.
        status_code: Status code, 100 to 599.
        headers: Fields, as a mapping, or as pairs where one name occurs several times.
        media_type: Value of ``Content-Type``, such as ``"text/html; charset=utf-8"``.
        cookies: Cookies to set; `set_cookie` adds further ones.
    """

    __slots__ = ("content", "media_type")

    content: ContentT_co
    media_type: str | None

    @overload
    def __init__(
        self: "Response[None]",
        content: None = None,
        *,
        status_code: int = 200,
        headers: Headers | None = None,
        media_type: str | None = None,
        cookies: Iterable[SetCookie] = (),
    ) -> None: ...

    @overload
    def __init__(
        self,
        content: ContentT_co,
        *,
        status_code: int = 200,
        headers: Headers | None = None,
        media_type: str | None = None,
        cookies: Iterable[SetCookie] = (),
    ) -> None: ...

    def __init__(
        self,
        content: object = None,
        *,
        status_code: int = 200,
        headers: Headers | None = None,
        media_type: str | None = None,
        cookies: Iterable[SetCookie] = (),
    ) -> None:
        """Holds the values; see the class for their meaning."""
        super().__init__(status_code, headers, cookies)
        self.content = content  # type: ignore[assignment]
        self.media_type = media_type

    def __repr__(self) -> str:
        """Shows the values; of cookies the names alone, since their values may be secret."""
        names = [cookie.name for cookie in self.cookies]
        shown = f", cookies={names!r}" if names else ""
        return (
            f"Response({self.content!r}, status_code={self.status_code}, "
            f"headers={self.headers!r}, media_type={self.media_type!r}{shown})"
        )


class StreamingResponse(_Reply):
    """A reply whose content is made while it is sent.

    Every piece is sent as soon as it is there, and the next one is asked for when the client has
    room for it. A client that leaves ends the iteration; an exception cuts the connection, since
    the status is sent by then.

    Args:
        content: Iterator of pieces, text (sent as UTF-8) or bytes. An asynchronous one runs on the
            event loop, any other on a thread.
        status_code: Status code, 200 to 599.
        headers: Fields, as a mapping, or as pairs where one name occurs several times.
        media_type: Value of ``Content-Type``; default is ``application/octet-stream``.
        cookies: Cookies to set; `set_cookie` adds further ones.
    """

    __slots__ = ("content", "media_type")

    content: Chunks
    media_type: str | None

    def __init__(
        self,
        content: Chunks,
        *,
        status_code: int = 200,
        headers: Headers | None = None,
        media_type: str | None = None,
        cookies: Iterable[SetCookie] = (),
    ) -> None:
        """Holds the values; see the class for their meaning."""
        super().__init__(status_code, headers, cookies)
        self.content = content
        self.media_type = media_type

    def __repr__(self) -> str:
        """Shows the values."""
        return (
            f"StreamingResponse({self.content!r}, status_code={self.status_code}, "
            f"headers={self.headers!r}, media_type={self.media_type!r})"
        )


class Redirect(_Reply):
    """A reply that sends the client to another URL.

    Args:
        url: The URL, absolute or relative to the request; the value of ``Location``.
        status_code: 301, 302, 303, 307 or 308; 307 (the default) and 308 keep the method.
        headers: Fields besides ``Location``.
        cookies: Cookies to set; `set_cookie` adds further ones.
    """

    __slots__ = ("url",)

    url: str

    def __init__(
        self,
        url: str,
        status_code: int = 307,
        *,
        headers: Headers | None = None,
        cookies: Iterable[SetCookie] = (),
    ) -> None:
        """Holds the values; see the class for their meaning."""
        super().__init__(status_code, headers, cookies)
        self.url = url

    def __repr__(self) -> str:
        """Shows the values."""
        return f"Redirect({self.url!r}, status_code={self.status_code}, headers={self.headers!r})"
