"""Runs one fixture: an app, a request through the test client, a verdict."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from conformance.expectation import Mismatch, check
from conformance.fixtures import Fixture
from conformance.handlers import build_handler, must_not_be_reached, status_of_route
from conformance.parameters import UnsupportedError
from spikard import Spikard
from spikard.testing import TestClient

__all__ = ["build_app", "run"]

_PLACES = {"headers": "header", "cookies": "cookie", "files": "file"}
_LIMITS = (
    "max_body_size",
    "max_header_size",
    "max_uri_length",
    "max_nesting_depth",
    "health_check",
)
_IN_TARGET = "".join(set(map(chr, range(0x21, 0x7F))) - set('"#<>`'))
"""What a request target may hold as it is; a raw path or query is sent otherwise untouched."""


def run(fixture: Fixture, *, is_async: bool = False) -> list[Mismatch]:
    """Sends the request of a fixture to its app and compares the response.

    Raises:
        UnsupportedError: The public API cannot express the fixture.
    """
    app = build_app(fixture, is_async=is_async)
    headers, content = _content(fixture)
    method: str = fixture.request["method"]
    with TestClient(app) as client:
        response = client.request(
            method,
            _target(fixture),
            headers=headers,
            cookies=fixture.request.get("cookies"),
            content=content,
        )
    received = response.content
    mismatches = check(
        fixture.expected, response.status_code, response.headers.multi_items(), received
    )
    if received and (method == "HEAD" or response.status_code in (204, 304)):
        mismatches.append(Mismatch("/body", "no content (RFC 9110, 6.4.1)", received))
    return mismatches


def build_app(fixture: Fixture, *, is_async: bool = False) -> Spikard:
    """Builds the app of a fixture: one route.

    Raises:
        UnsupportedError: The public API cannot express the fixture.
    """
    _require_supported(fixture)
    app = Spikard()
    handler = build_handler(fixture, is_async=is_async)
    route = app.route(fixture.route, [fixture.method], status_code=status_of_route(fixture))
    route(handler)
    return app


def _require_supported(fixture: Fixture) -> None:
    """Refuses what has no place in the public API."""
    document, handler = fixture.document, fixture.handler
    if not fixture.is_exchange:
        raise UnsupportedError(f"channels ({document.get('protocol', 'no protocol')})")
    request, expected = fixture.request, fixture.expected
    for place, name in _PLACES.items():
        if fixture.parameters(place):
            raise UnsupportedError(f"{name} parameters")
    if handler.get("middleware"):
        raise UnsupportedError(f"middleware {', '.join(handler['middleware'])}")
    if "cors" in handler or any(
        name.lower().startswith("access-control-") for name in expected.get("headers", {})
    ):
        raise UnsupportedError("cors")
    if fixture.category == "request_id":
        raise UnsupportedError("middleware request_id")
    for key in ("body_schema", *_LIMITS):
        if key in handler:
            raise UnsupportedError(key)
    for key in ("streaming", "background"):
        if key in document:
            raise UnsupportedError(key)
    if request.get("files") or request.get("data"):
        raise UnsupportedError("multipart")
    if expected.get("cookies"):
        raise UnsupportedError("cookies of a response")
    if _echoes_content(request.get("body"), expected) and not must_not_be_reached(fixture):
        raise UnsupportedError("content in a handler")


def _echoes_content(sent: Any, expected: Mapping[str, Any]) -> bool:
    body = expected.get("body")
    if expected["status_code"] >= 400 or not sent or not body:
        return False
    if isinstance(sent, dict) and isinstance(body, dict):
        return bool(sent == body or any(name in body and body[name] == sent[name] for name in sent))
    return bool(sent == body)


def _target(fixture: Fixture) -> str:
    """Makes the request target, with what a target may not hold percent-encoded."""
    target = quote(fixture.path, safe=_IN_TARGET)
    query = fixture.raw_query()
    if query is None:
        params = {
            name: [_text(item) for item in value] if isinstance(value, list) else _text(value)
            for name, value in fixture.request.get("query_params", {}).items()
        }
        query = urlencode(params, doseq=True, quote_via=quote, safe="")
        return f"{target}?{query}" if query else target
    return f"{target}?{quote(query, safe=_IN_TARGET)}"


def _content(fixture: Fixture) -> tuple[dict[str, str], bytes | None]:
    """Makes header fields and content of the request."""
    request = fixture.request
    headers = dict(request.get("headers", {}))
    if request.get("form_data"):
        fields = {
            name: [_text(item) for item in value] if isinstance(value, list) else _text(value)
            for name, value in request["form_data"].items()
        }
        media_type: str | None = "application/x-www-form-urlencoded"
        content = urlencode(fields, doseq=True).encode()
    elif isinstance(request.get("body"), str):
        media_type, content = None, request["body"].encode()
    elif "body" in request:
        media_type, content = "application/json", json.dumps(request["body"]).encode()
    else:
        return headers, None
    is_given = any(name.lower() == "content-type" for name in headers)
    # The one case of its kind shows what happens without the field, and has no other way to say so.
    if media_type and not is_given and "missing_content_type" not in fixture.name:
        headers["Content-Type"] = media_type
    return headers, content


def _text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)
