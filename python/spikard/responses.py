"""What a handler returns when plain data is not enough. Encoding happens in Rust."""

from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar, overload

__all__ = ["Response"]

ContentT_co = TypeVar("ContentT_co", covariant=True)

Headers = Mapping[str, str] | Sequence[tuple[str, str]]


class Response(Generic[ContentT_co]):
    """A reply with its own status, headers or media type.

    Content becomes JSON, unless ``media_type`` says otherwise: then text is sent as UTF-8 and bytes
    as they are. Bytes are always sent as they are.

    A handler makes one for each request, so the values are checked when they are sent: a status or
    a field that HTTP does not allow is answered 500 and logged.

    Args:
        content: What to send; ``None`` sends no content.
        status_code: Status code, 200 to 599.
        headers: Fields, as a mapping, or as pairs where one name occurs several times.
        media_type: Value of ``Content-Type``, such as ``"text/html; charset=utf-8"``.
    """

    __slots__ = ("content", "headers", "media_type", "status_code")

    content: ContentT_co
    status_code: int
    headers: Headers | None
    media_type: str | None

    @overload
    def __init__(
        self: "Response[None]",
        content: None = None,
        *,
        status_code: int = 200,
        headers: Headers | None = None,
        media_type: str | None = None,
    ) -> None: ...

    @overload
    def __init__(
        self,
        content: ContentT_co,
        *,
        status_code: int = 200,
        headers: Headers | None = None,
        media_type: str | None = None,
    ) -> None: ...

    def __init__(
        self,
        content: object = None,
        *,
        status_code: int = 200,
        headers: Headers | None = None,
        media_type: str | None = None,
    ) -> None:
        """Holds the values; see the class for their meaning."""
        self.content = content  # type: ignore[assignment]
        self.status_code = status_code
        self.headers = headers
        self.media_type = media_type

    def __repr__(self) -> str:
        """Shows every value."""
        return (
            f"Response({self.content!r}, status_code={self.status_code}, "
            f"headers={self.headers!r}, media_type={self.media_type!r})"
        )
