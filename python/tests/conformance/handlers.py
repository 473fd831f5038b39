"""Builds the handler of a fixture's app, so that the verdict says something about the server.

A handler that returned the expected body would pass every test. It computes the body from what it
received, wherever the fixture shows where a value comes from; where the server has to refuse, it is
a trap.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from conformance.fixtures import Fixture
from conformance.parameters import Argument, arguments
from spikard import Response

__all__ = ["build_handler", "status_of_route"]

TRAP_STATUS = 299
"""Status of a handler that must not be reached; no fixture expects it."""

_PROBLEM_TYPES = "https://spikard.dev/errors/"
_SERVER_FIELDS = ("content-type", "content-encoding", "vary", "allow")
_JSON_TYPES = {str: "string", bool: "boolean", int: "integer", float: "number", list: "array"}

Answer = Callable[[Mapping[str, Any]], object]


def build_handler(fixture: Fixture, *, is_async: bool = False) -> Callable[..., object]:
    """Builds a handler with a real signature.

    Raises:
        UnsupportedError: A parameter cannot be declared with the public API.
    """
    declared = list(arguments(fixture))
    # Arguments without a default go first, as the language asks.
    declared.sort(key=lambda argument: argument.default is not None)
    namespace: dict[str, Any] = {"__name__": __name__, "_answer": _answer(fixture, declared)}
    parameters = []
    for index, argument in enumerate(declared):
        text = argument.name
        if argument.annotation is not None:
            namespace[f"_Type{index}"] = argument.annotation
            text += f": _Type{index}"
        if argument.default is not None:
            namespace[f"_default{index}"] = argument.default
            text += f" = _default{index}"
        parameters.append(text)
    received = ", ".join(f"{argument.wire_name!r}: {argument.name}" for argument in declared)
    source = (
        f"{'async ' if is_async else ''}def handler({', '.join(parameters)}):\n"
        f"    return _answer({{{received}}})\n"
    )
    exec(compile(source, f"<handler of {fixture}>", "exec", dont_inherit=True), namespace)
    handler: Callable[..., object] = namespace["handler"]
    return handler


def status_of_route(fixture: Fixture) -> int | None:
    """The status that the route declares, for handlers that return plain data."""
    status: int = fixture.expected["status_code"]
    return None if status == 200 or status >= 400 or must_not_be_reached(fixture) else status


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
        or any(key in fixture.handler for key in ("body_schema", "middleware", "cors"))
    )


def _answer(fixture: Fixture, declared: Sequence[Argument]) -> Answer:
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
    media_type = headers.get("content-type")
    if media_type is not None and (media_type.startswith("<<") or _is_json(media_type)):
        media_type = None
    texts = {**(fixture.path_texts() or {}), **fixture.query_texts()}

    def answer(received: Mapping[str, Any]) -> object:
        if "body" in expected:
            content = _fill_body(expected["body"], declared, received, texts)
        elif 200 <= status < 300 and status != 204:
            content = dict(received)
        else:
            content = None
        if not own and media_type is None and status < 400 and "body" in expected:
            return content
        return Response(content, status_code=status, headers=own, media_type=media_type)

    return answer


def _raise(received: Mapping[str, Any]) -> object:
    raise RuntimeError(f"the handler raises, with {received!r} at hand")


def _is_set_by_server(name: str, value: str, fixture: Fixture) -> bool:
    if name in _SERVER_FIELDS:
        # A handler for OPTIONS says itself what is allowed.
        return not (name == "allow" and fixture.method == "OPTIONS")
    return name.startswith("access-control-") or value.startswith("<<") or ".*" in value


def _is_json(media_type: str) -> bool:
    return media_type.partition(";")[0].strip().lower() == "application/json"


def _fill_body(
    expected: Any,
    declared: Sequence[Argument],
    received: Mapping[str, Any],
    texts: Mapping[str, str],
) -> Any:
    if len(declared) == 1 and not isinstance(expected, dict):
        [argument] = declared
        is_echo = expected == texts.get(argument.wire_name)
        if is_echo or (not isinstance(expected, str) and _may_come_from(argument, expected)):
            return received[argument.wire_name]
    return _fill(expected, declared, received, texts)


def _fill(
    expected: Any,
    declared: Sequence[Argument],
    received: Mapping[str, Any],
    texts: Mapping[str, str],
) -> Any:
    """Puts what was received where the same name stands, and into texts that quote it."""
    if isinstance(expected, dict):
        filled = {}
        for name, value in expected.items():
            sources = [
                argument
                for argument in declared
                if name in (argument.name, argument.wire_name) and _may_come_from(argument, value)
            ]
            filled[name] = (
                received[sources[0].wire_name]
                if sources
                else _fill(value, declared, received, texts)
            )
        return filled
    if isinstance(expected, str):
        for argument in declared:
            text = texts.get(argument.wire_name) or "None"
            pattern = rf"(?<!\w){re.escape(text)}(?!\w)"
            if len(re.findall(pattern, expected)) == 1:
                value = str(received[argument.wire_name])
                return re.sub(pattern, lambda _, value=value: value, expected)  # type: ignore[misc]
    return expected


def _may_come_from(argument: Argument, value: Any) -> bool:
    """Tells whether an argument of this declaration can have the value at all.

    A member ``"id": 1`` beside a parameter ``id`` of type string is a value of the handler's own.
    """
    if value is None:
        return argument.is_optional
    type_ = argument.schema.get("type", "string")
    value_type = _JSON_TYPES.get(type(value))
    return type_ == value_type or (type_ == "number" and value_type == "integer")
