"""Runs one fixture: an app, a request through the test client, a verdict."""

from urllib.parse import quote, urlencode

from conformance.content import content_of, text_of
from conformance.expectation import Mismatch, check
from conformance.fixtures import Fixture
from conformance.handlers import build_handler, chunks_of, must_not_be_reached, route_options
from conformance.parameters import UnsupportedError
from spikard import ServerConfig, Spikard
from spikard.testing import TestClient

__all__ = ["build_app", "run"]

_LIMITS = (
    "max_body_size",
    "max_header_size",
    "max_uri_length",
    "max_nesting_depth",
    "health_check",
)
_IN_TARGET = "".join(set(map(chr, range(0x21, 0x7F))) - set('"#<>`'))
"""What a request target may hold as it is; a raw path or query is sent otherwise untouched."""


def run(fixture: Fixture, *, is_async: bool = False, is_annotated: bool = False) -> list[Mismatch]:
    """Sends the request of a fixture to its app and compares the response.

    Raises:
        UnsupportedError: The public API cannot express the fixture.
    """
    app = build_app(fixture, is_async=is_async, is_annotated=is_annotated)
    headers, content = content_of(fixture)
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
    expected = dict(fixture.expected)
    chunks = None if must_not_be_reached(fixture) else chunks_of(fixture)
    if chunks is not None:
        # The body of such a fixture is a rendering for readers.
        expected.pop("body", None)
    mismatches = check(expected, response.status_code, response.headers.multi_items(), received)
    if chunks is not None:
        streamed = b"".join(it.encode() if isinstance(it, str) else it for it in chunks)
        if received != streamed:
            mismatches.append(Mismatch("/body", streamed, received))
    if received and (method == "HEAD" or response.status_code in (204, 304)):
        mismatches.append(Mismatch("/body", "no content (RFC 9110, 6.4.1)", received))
    return mismatches


def build_app(fixture: Fixture, *, is_async: bool = False, is_annotated: bool = False) -> Spikard:
    """Builds the app of a fixture: one route.

    Raises:
        UnsupportedError: The public API cannot express the fixture.
    """
    _require_supported(fixture)
    app = Spikard(config=_config(fixture))
    handler = build_handler(fixture, is_async=is_async, is_annotated=is_annotated)
    options = route_options(fixture, is_annotated=is_annotated)
    app.route(fixture.route, [fixture.method], **options)(handler)
    return app


def _config(fixture: Fixture) -> ServerConfig:
    """The settings that the fixture asks for."""
    limit = fixture.handler.get("middleware", {}).get("body_limit")
    return ServerConfig() if limit is None else ServerConfig(max_body_size=limit["max_bytes"])


def _require_supported(fixture: Fixture) -> None:
    """Refuses what has no place in the public API."""
    document, handler = fixture.document, fixture.handler
    if not fixture.is_exchange:
        raise UnsupportedError(f"channels ({document.get('protocol', 'no protocol')})")
    unknown = [name for name in handler.get("middleware", {}) if name != "body_limit"]
    if unknown:
        raise UnsupportedError(f"middleware {', '.join(unknown)}")
    if "cors" in handler or any(
        name.lower().startswith("access-control-") for name in fixture.expected.get("headers", {})
    ):
        raise UnsupportedError("cors")
    if fixture.category == "request_id":
        raise UnsupportedError("middleware request_id")
    for key in _LIMITS:
        if key in handler:
            raise UnsupportedError(key)
    if "background" in document:
        raise UnsupportedError("background")


def _target(fixture: Fixture) -> str:
    """Makes the request target, with what a target may not hold percent-encoded."""
    target = quote(fixture.path, safe=_IN_TARGET)
    query = fixture.raw_query()
    if query is None:
        params = {
            name: [text_of(item) for item in value] if isinstance(value, list) else text_of(value)
            for name, value in fixture.request.get("query_params", {}).items()
        }
        query = urlencode(params, doseq=True, quote_via=quote, safe="")
        return f"{target}?{query}" if query else target
    return f"{target}?{quote(query, safe=_IN_TARGET)}"
