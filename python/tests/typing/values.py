"""Settings and responses are checked where they are written."""

from collections.abc import AsyncIterator, Coroutine, Iterator
from typing import Any, assert_type

from spikard import (
    Redirect,
    Response,
    RouteDescription,
    ServerConfig,
    SetCookie,
    Spikard,
    StreamingResponse,
)

config = ServerConfig(port=80, shutdown_timeout=5)
assert_type(config.shutdown_timeout, float)
ServerConfig(prot=80)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
ServerConfig(port="80")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
ServerConfig("host")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
config.port = 81  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]

app = Spikard(config=config)
assert_type(app.config, ServerConfig)
assert_type(app.routes, tuple[RouteDescription, ...])
serving: Coroutine[Any, Any, None] = app.serve()

assert_type(Response(), Response[None])
assert_type(Response({"a": 1}, status_code=201), Response[dict[str, int]])
wide: Response[object] = Response(1, headers=[("set-cookie", "a=1"), ("set-cookie", "b=2")])
Response(b"", media_type=1)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]

wide.set_cookie("a", "1", max_age=60, samesite="strict")
wide.delete_cookie("a")
assert_type(wide.cookies, list[SetCookie])
wide.set_cookie("a", samesite="Lax")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Response(1, cookies=["a=1"])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType, reportCallIssue]


def lines() -> Iterator[str]:
    yield "a"


async def pieces() -> AsyncIterator[bytes]:
    yield b"a"


StreamingResponse(lines())
StreamingResponse(pieces(), media_type="image/png")
StreamingResponse([1])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
Redirect("/a", 303)
