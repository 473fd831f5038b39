"""Makes header fields and content of the request of a fixture."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode

from conformance.fixtures import Fixture

__all__ = ["FORM", "MULTIPART", "content_of", "media_type_of", "sent_members", "text_of"]

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"

_BOUNDARY = "boundary-of-a-fixture"


def content_of(fixture: Fixture) -> tuple[dict[str, str], bytes | None]:
    """Makes header fields and content of the request."""
    request = fixture.request
    headers = dict(request.get("headers", {}))
    field = _content_type(headers)
    if _is_multipart(request):
        found = re.search(r'boundary="?([^";]+)', field or "")
        boundary = found[1] if found else _BOUNDARY
        media_type = f"{MULTIPART}; boundary={boundary}"
        content = _multipart(request, boundary)
    elif request.get("form_data"):
        media_type = FORM
        fields = {name: _texts(value) for name, value in request["form_data"].items()}
        content = urlencode(fields, doseq=True).encode()
    elif isinstance(request.get("body"), str):
        media_type, content = "", request["body"].encode()
    elif "body" in request:
        media_type, content = "application/json", json.dumps(request["body"]).encode()
    else:
        return headers, None
    # The one case of its kind shows what happens without the field, and has no other way to say so.
    if media_type and field is None and "missing_content_type" not in fixture.name:
        headers["Content-Type"] = media_type
    return headers, content


def media_type_of(fixture: Fixture) -> str:
    """The media type of the request without parameters; empty if it has none."""
    field = _content_type(content_of(fixture)[0]) or ""
    return field.partition(";")[0].strip().lower()


def sent_members(fixture: Fixture) -> dict[str, Any]:
    """The members of the content as they are sent: JSON values, or the texts of a form.

    Of files, of repeated fields and of ``a[b]=c`` there is only the name.
    """
    request = fixture.request
    media_type = media_type_of(fixture)
    if _is_multipart(request):
        fields = {**request.get("form_data", {}), **request.get("data", {})}
        files = {file["field_name"]: None for file in request.get("files", ())}
        return {**files, **{name: _sent(value) for name, value in fields.items()}}
    if request.get("form_data"):
        return {name: _sent(value) for name, value in request["form_data"].items()}
    body = request.get("body")
    if isinstance(body, dict):
        return body
    if not isinstance(body, str) or media_type in ("text/plain", MULTIPART):
        return {}
    if media_type == FORM:
        pairs = parse_qsl(body, keep_blank_values=True)
        counts = Counter(name for name, _ in pairs)
        names = {name.partition("[")[0]: None for name in counts}
        return names | {name: text for name, text in pairs if counts[name] == 1 and "[" not in name}
    try:
        document = json.loads(body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def text_of(value: object) -> str:
    """The text of a value in a query or a form."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def _content_type(headers: Mapping[str, str]) -> str | None:
    return next((value for name, value in headers.items() if name.lower() == "content-type"), None)


def _is_multipart(request: Mapping[str, Any]) -> bool:
    is_meant = str(request.get("content_type", "")).startswith(MULTIPART)
    has_fields = bool(request.get("data") or (is_meant and request.get("form_data")))
    return bool(request.get("files")) or has_fields


def _texts(value: object) -> str | list[str]:
    return [text_of(item) for item in value] if isinstance(value, list) else text_of(value)


def _sent(value: object) -> str | None:
    return None if isinstance(value, dict | list) else text_of(value)


def _multipart(request: Mapping[str, Any], boundary: str) -> bytes:
    """Encodes fields, then files, in their order (RFC 7578)."""
    parts = [*_field_parts(request), *_file_parts(request.get("files") or ())]
    lines = []
    for headers, content in parts:
        lines += [f"--{boundary}".encode(), *(line.encode() for line in headers), b"", content]
    return b"\r\n".join([*lines, f"--{boundary}--".encode(), b""])


def _field_parts(request: Mapping[str, Any]) -> Iterator[tuple[list[str], bytes]]:
    fields = {**(request.get("form_data") or {}), **(request.get("data") or {})}
    for name, value in fields.items():
        headers = [f'Content-Disposition: form-data; name="{_quoted(name)}"']
        for item in value if isinstance(value, list) else [value]:
            yield headers, text_of(item).encode()


def _file_parts(files: Sequence[Mapping[str, Any]]) -> Iterator[tuple[list[str], bytes]]:
    for file in files:
        disposition = f'Content-Disposition: form-data; name="{_quoted(file["field_name"])}"'
        if file.get("filename") is not None:
            disposition += f'; filename="{_quoted(file["filename"])}"'
        headers = [disposition]
        if file.get("content_type") is not None:
            headers.append(f"Content-Type: {file['content_type']}")
        headers += [f"{name}: {value}" for name, value in (file.get("headers") or {}).items()]
        if file.get("magic_bytes") is not None:
            yield headers, bytes.fromhex(file["magic_bytes"])
        else:
            yield headers, (file.get("content") or "").encode()


def _quoted(name: str) -> str:
    """Escapes a name as browsers do in a form."""
    return name.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")
