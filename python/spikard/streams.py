"""Pumps: what moves the chunks of a streaming response from Python to the connection."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterable, Iterable
from typing import TYPE_CHECKING

from spikard.logs import stream_failed

if TYPE_CHECKING:
    from spikard._spikard import ChunkSink

__all__ = ["pump", "pump_blocking"]

Chunk = str | bytes


async def pump(chunks: AsyncIterable[Chunk], sink: "ChunkSink", handler: str) -> None:
    """Sends what an asynchronous iterator yields, as fast as the client reads.

    The iterator runs in one task from its first step to its last, and is closed in any case.
    """
    event_loop = asyncio.get_running_loop()
    broken: str | None = "the stream was cancelled"
    try:
        async with contextlib.AsyncExitStack() as stack:
            iterator = aiter(chunks)
            if isinstance(iterator, AsyncGenerator):
                await stack.enter_async_context(contextlib.aclosing(iterator))
            async for chunk in iterator:
                if not sink.send(chunk):
                    room = event_loop.create_future()
                    if sink.wait_for(room):
                        await room
        broken = None
    except (Exception, SystemExit) as error:
        # An exit would end the loop, and with it every other request.
        broken = "the stream failed"
        stream_failed(handler, error)
    finally:
        sink.finish(broken)


def pump_blocking(chunks: Iterable[Chunk], sink: "ChunkSink", handler: str) -> None:
    """Sends what an iterator yields, on a thread, until nobody reads any more."""
    broken: str | None = "the stream failed"
    iterator = iter(chunks)
    try:
        for chunk in iterator:
            if not sink.send_blocking(chunk):
                break
        broken = None
    except BaseException as error:
        stream_failed(handler, error)
    finally:
        sink.finish(broken)
        if hasattr(iterator, "close"):
            iterator.close()
