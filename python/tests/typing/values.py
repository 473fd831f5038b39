"""Settings and responses are checked where they are written."""

from collections.abc import Coroutine
from typing import Any, assert_type

from spikard import Response, RouteDescription, ServerConfig, Spikard

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
