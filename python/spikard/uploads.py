"""Files that arrive in a multipart form. Parsing and storing happen in Rust."""

import os
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from spikard.headers import Headers

if TYPE_CHECKING:
    from spikard._spikard import UploadData

__all__ = ["UploadFile"]

_CHUNK_BYTES = 64 * 1024


class UploadFile:
    """One uploaded file (RFC 7578): in memory up to 1 MiB, past that in a temporary file.

    What waits for the disk waits on a thread. The temporary file goes with the object.
    """

    __slots__ = ("_data", "content_type", "filename", "headers")

    filename: str
    """File name that the client gave; a hint, never a path to trust."""
    content_type: str
    """Media type that the part declares; ``application/octet-stream`` if none."""
    headers: Headers
    """All fields of the part."""

    def __init__(
        self, filename: str, content_type: str, headers: Headers, data: "UploadData"
    ) -> None:
        """Made by the framework."""
        self.filename = filename
        self.content_type = content_type
        self.headers = headers
        self._data = data

    @property
    def size(self) -> int:
        """Length in bytes."""
        return self._data.size

    async def read(self, size: int = -1) -> bytes:
        """At most `size` bytes from the current position; all that is left by default."""
        if self._data.is_on_disk:
            return await _on_thread(self._data.read, size)
        return self._data.read(size)

    async def seek(self, offset: int) -> None:
        """Moves to `offset`, in bytes from the start."""
        self._data.seek(offset)

    async def save(self, path: "str | os.PathLike[str]") -> None:
        """Writes the whole file to `path`, without a detour through Python's memory.

        Raises:
            OSError: It cannot be written there.
        """
        await _on_thread(self._data.save, os.fspath(path))

    async def chunks(self, size: int = _CHUNK_BYTES) -> AsyncIterator[bytes]:
        """Yields the rest of the file in pieces of at most `size` bytes."""
        while chunk := await self.read(size):
            yield chunk

    def __repr__(self) -> str:
        """Shows name, media type and size."""
        return f"UploadFile({self.filename!r}, {self.content_type!r}, {self.size} bytes)"


_P = ParamSpec("_P")
_ResultT = TypeVar("_ResultT")


async def _on_thread(
    function: Callable[_P, _ResultT], *args: _P.args, **kwargs: _P.kwargs
) -> _ResultT:
    # Not at the top: the import of every app would wait for asyncio.
    from asyncio import to_thread

    return await to_thread(function, *args, **kwargs)
