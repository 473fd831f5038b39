"""Exception handlers: what answers in the place of a handler that raises.

A route of an app without exception handlers is served as it is. In an app with some, the handler is
called by a function that catches what it raises; the request is one more argument of that function.
"""

import asyncio
import inspect
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from spikard.plan import Argument, CompiledRoute, ExceptionHandler

if TYPE_CHECKING:
    from spikard._spikard import Request

__all__ = ["answering"]

_REQUEST = Argument(
    name="request", kind="request", source="request", wire_name="", schema={}, required=True
)


def answering(route: CompiledRoute, handlers: Sequence[ExceptionHandler]) -> CompiledRoute:
    """The same route, with its exceptions answered by the handler of the most specific type."""
    by_type = {handler.exception_type: handler for handler in handlers}
    call = _answer_async if inspect.iscoroutinefunction(route.handler) else _answer
    return replace(
        route, handler=call(route.handler, by_type), arguments=(_REQUEST, *route.arguments)
    )


def _answer(
    handler: Callable[..., object], by_type: dict[type[Exception], ExceptionHandler]
) -> Callable[..., object]:
    def call(request: "Request", *args: object, **kwargs: object) -> object:
        try:
            return handler(*args, **kwargs)
        except Exception as error:
            answer = _find(by_type, error)
            if answer is None:
                raise
            reply = answer.handler(request, error)
            return _wait(reply) if inspect.iscoroutine(reply) and not _on_loop() else reply

    return call


def _answer_async(
    handler: Callable[..., object], by_type: dict[type[Exception], ExceptionHandler]
) -> Callable[..., object]:
    async def call(request: "Request", *args: object, **kwargs: object) -> object:
        try:
            return await handler(*args, **kwargs)  # type: ignore[misc]
        except Exception as error:
            answer = _find(by_type, error)
            if answer is None:
                raise
            reply = answer.handler(request, error)
            return await reply if inspect.iscoroutine(reply) else reply

    return call


def _find(
    by_type: dict[type[Exception], ExceptionHandler], error: Exception
) -> ExceptionHandler | None:
    found = (by_type.get(kind) for kind in type(error).__mro__)
    return next((handler for handler in found if handler is not None), None)


def _on_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _wait(reply: Coroutine[Any, Any, object]) -> object:
    """Runs an ``async`` exception handler for a handler on a thread, which has no loop."""
    return asyncio.run(reply)
