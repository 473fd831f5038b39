"""Builds the handler of a fixture's app, so that the verdict says something about the server.

A handler that returned the expected body would pass every test. It computes the body from what it
received (see `conformance.answers`); where the server has to refuse, it is a trap.
"""

import base64
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Annotated, Any

from conformance.answers import Echo, rendered
from conformance.content import FORM, MULTIPART, media_type_of
from conformance.fixtures import Fixture
from conformance.parameters import Argument, arguments, identifier
from spikard import Body, Response, StreamingResponse

__all__ = ["build_handler", "chunks_of", "must_not_be_reached", "route_options"]

TRAP_STATUS = 299
"""Status of a handler that must not be reached; no fixture expects it."""

_PROBLEM_TYPES = "https://spikard.dev/errors/"
_SERVER_FIELDS = ("content-type", "content-encoding", "vary", "allow")

Answer = Callable[[Mapping[str, Any]], object]


def route_options(fixture: Fixture, *, is_annotated: bool = False) -> dict[str, Any]:
    """What the decorator of the route is given besides path and methods."""
    options: dict[str, Any] = {}
    status: int = fixture.expected["status_code"]
    if status != 200 and status < 400 and not must_not_be_reached(fixture):
        options["status_code"] = status
    properties = {
        argument.wire_name: argument.declaration
        for argument in arguments(fixture, is_annotated=is_annotated)
        if argument.declaration is not None
    }
    if properties:
        options["parameter_schema"] = {"type": "object", "properties": properties}
    if "body_schema" in fixture.handler:
        options["body_schema"] = fixture.handler["body_schema"]
    if fixture.parameters("files"):
        options["file_params"] = fixture.parameters("files")
    return options


def build_handler(
    fixture: Fixture, *, is_async: bool = False, is_annotated: bool = False
) -> Callable[..., object]:
    """Builds a handler with a real signature.

    Args:
        fixture: The fixture.
        is_async: Whether it is a coroutine function. One that reads files always is.
        is_annotated: Whether the signature declares the parameters, where it can.
    """
    declared = list(arguments(fixture, is_annotated=is_annotated))
    content = _content_arguments(fixture, {argument.name for argument in declared})
    namespace: dict[str, Any] = {
        "__name__": __name__,
        "_answer": _answer(fixture, declared, content, is_async=is_async),
        "_rendered": rendered,
    }
    if is_raw := list(content.values()) == [None] and "body_schema" not in fixture.handler:
        is_data = media_type_of(fixture) in (FORM, MULTIPART) or not _is_text(fixture)
        namespace["_Content"] = (
            Annotated[Any, Body(schema={})] if is_data else Annotated[bytes, Body()]
        )
    signature = [f"{name}: _Content" if is_raw else name for name in content]
    # Arguments without a default go first, as the language asks.
    for index, argument in enumerate(sorted(declared, key=lambda it: it.default is not None)):
        text = argument.name
        if argument.annotation is not None:
            namespace[f"_Type{index}"] = argument.annotation
            text += f": _Type{index}"
        if argument.default is not None:
            namespace[f"_default{index}"] = argument.default
            text += f" = _default{index}"
        signature.append(text)
    names = (*(argument.name for argument in declared), *content)
    received = "{" + ", ".join(f"{name!r}: {name}" for name in names) + "}"
    if reads_files := _has_files(fixture):
        received = f"await _rendered({received})"
    source = (
        f"{'async ' if is_async or reads_files else ''}def handler({', '.join(signature)}):\n"
        f"    return _answer({received})\n"
    )
    exec(compile(source, f"<handler of {fixture}>", "exec", dont_inherit=True), namespace)
    handler: Callable[..., object] = namespace["handler"]
    return handler


def must_not_be_reached(fixture: Fixture) -> bool:
    """Tells whether the server has to answer without the handler."""
    method = fixture.request["method"]
    if method != fixture.method and (method, fixture.method) != ("HEAD", "GET"):
        return True
    if fixture.path_texts() is None:
        return True
    expected = fixture.expected
    if expected["status_code"] < 400 or expected["status_code"] == 500:
        return False
    body = expected.get("body")
    document = body if isinstance(body, dict) else {}
    return (
        "validation_errors" in expected
        or "errors" in document
        or str(document.get("type", "")).startswith(_PROBLEM_TYPES)
        or bool(fixture.parameters("files"))
        or any(key in fixture.handler for key in ("body_schema", "middleware", "cors"))
    )


def chunks_of(fixture: Fixture) -> list[str | bytes] | None:
    """The pieces that the handler streams; None if it does not."""
    if "streaming" not in fixture.document:
        return None
    return [
        base64.b64decode(chunk["base64"]) if chunk["type"] == "bytes" else chunk["value"]
        for chunk in fixture.document["streaming"]["chunks"]
    ]


def _content_arguments(fixture: Fixture, taken: set[str]) -> dict[str, str | None]:
    """The arguments that take content, each with its file field; None for the whole content."""
    if "body_schema" not in fixture.handler and fixture.parameters("files"):
        return {identifier(field): field for field in fixture.parameters("files")}
    if "body_schema" in fixture.handler or _shows_content(fixture):
        return {"content" if "body" in taken else "body": None}
    return {}


def _shows_content(fixture: Fixture) -> bool:
    """Tells whether a handler of a route without a schema has to look at the content."""
    request, body = fixture.request, fixture.expected.get("body")
    if must_not_be_reached(fixture) or fixture.expected["status_code"] >= 400 or not body:
        return False
    sent: Any = {**request.get("form_data", {}), **request.get("data", {})}
    sent |= {file["field_name"]: file for file in request.get("files", ())}
    if isinstance(request.get("body"), dict):
        sent |= request["body"]
    if isinstance(body, dict):
        return any(name in body for name in sent)
    return bool(request.get("body") == body)


def _is_text(fixture: Fixture) -> bool:
    media_type = media_type_of(fixture)
    return isinstance(fixture.request.get("body"), str) and "json" not in media_type


def _has_files(fixture: Fixture) -> bool:
    return bool(fixture.request.get("files") or fixture.parameters("files"))


def _answer(
    fixture: Fixture,
    declared: Sequence[Argument],
    content: Mapping[str, str | None],
    *,
    is_async: bool,
) -> Answer:
    expected = fixture.expected
    status: int = expected["status_code"]
    if must_not_be_reached(fixture):
        return lambda received: Response({"reached": "the handler"}, status_code=TRAP_STATUS)
    if status == 500:
        return _raise

    headers = {name.lower(): value for name, value in expected.get("headers", {}).items()}
    own = {
        name: value
        for name, value in headers.items()
        if not _is_set_by_server(name, value, fixture)
    }
    chunks = chunks_of(fixture)
    if chunks is not None:
        media_type = fixture.document["streaming"].get("content_type")
        return lambda received: StreamingResponse(
            _stream(chunks) if is_async else iter(chunks),
            status_code=status,
            headers=own,
            media_type=media_type,
        )

    media_type = headers.get("content-type")
    if media_type is not None and (media_type.startswith("<<") or _is_json(media_type)):
        media_type = None
    cookies = expected.get("cookies", {})
    echo = Echo(fixture, declared, content)

    def answer(received: Mapping[str, Any]) -> object:
        if "body" in expected:
            body = echo.fill(expected["body"], received)
        elif 200 <= status < 300 and status != 204:
            body = {
                name: value.decode(errors="replace") if isinstance(value, bytes) else value
                for name, value in received.items()
            }
        else:
            body = None
        is_plain = not own and not cookies and media_type is None
        if is_plain and status < 400 and "body" in expected:
            return body
        response = Response(body, status_code=status, headers=own, media_type=media_type)
        for name, cookie in cookies.items():
            attributes = {key: value for key, value in cookie.items() if key != "value"}
            attributes = {"path": None, "samesite": None, **attributes}
            response.set_cookie(name, echo.fill(cookie["value"], received), **attributes)
        return response

    return answer


def _raise(received: Mapping[str, Any]) -> object:
    raise RuntimeError(f"the handler raises, with {received!r} at hand")


async def _stream(chunks: Sequence[str | bytes]) -> AsyncIterator[str | bytes]:
    for chunk in chunks:
        yield chunk


def _is_set_by_server(name: str, value: str, fixture: Fixture) -> bool:
    if name in _SERVER_FIELDS:
        # A handler for OPTIONS says itself what is allowed.
        return not (name == "allow" and fixture.method == "OPTIONS")
    return name.startswith("access-control-") or value.startswith("<<") or ".*" in value


def _is_json(media_type: str) -> bool:
    return media_type.partition(";")[0].strip().lower() == "application/json"
