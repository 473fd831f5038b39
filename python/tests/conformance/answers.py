"""Computes what a handler answers from what it received.

Where the expected body shows the source of a value (the same name, or a text that quotes it), the
received value stands there, right or wrong; everything else is the handler's own.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.content import FORM, MULTIPART, media_type_of, sent_members
from conformance.fixtures import Fixture
from conformance.parameters import Argument
from spikard import UploadFile

__all__ = ["Echo", "rendered"]

_TYPES = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    list: "array",
    dict: "object",
}

Received = Mapping[str, Any]
"""What the handler received, by the names of its arguments."""


@dataclass(frozen=True, slots=True)
class _Source:
    """One received value that an expected body may show."""

    names: Sequence[str]
    """The names under which it may stand in the body."""
    path: Sequence[str]
    """The argument, and the member of it."""
    text: str | None
    """What was sent, if it was a text of its own."""
    types: Sequence[str] | None = None
    """Types (of JSON Schema) that it can have; None: only the value that was sent fits."""
    is_optional: bool = False
    """Whether null may stand for it."""
    sent: Any = None
    """The JSON value that was sent."""

    def fits(self, value: Any) -> bool:
        """Tells whether it can be the value at all; otherwise that is the handler's own."""
        if self.types is None:
            return bool(value == self.sent) and isinstance(value, bool) == isinstance(
                self.sent, bool
            )
        if value is None:
            return self.is_optional
        type_ = _TYPES.get(type(value), "")
        return type_ in self.types or (type_ == "integer" and "number" in self.types)

    def value(self, received: Received) -> Any:
        """The received value."""
        value: Any = received
        for name in self.path:
            value = value.get(name) if isinstance(value, dict) else None
        return value


class Echo:
    """The sources of one fixture."""

    def __init__(
        self, fixture: Fixture, declared: Sequence[Argument], content: Mapping[str, str | None]
    ) -> None:
        """Finds them.

        Args:
            fixture: The fixture.
            declared: The arguments that take parameters.
            content: The arguments that take content, each with the file field that it takes; None
                for the whole content.
        """
        texts = _texts(fixture)
        self._parameters = [_of_parameter(argument, texts) for argument in declared]
        self._content: list[_Source] = []
        self._sent: Any = None
        self._body_argument: str | None = None
        for name, field in content.items():
            if field is not None:
                types = ("object", "array", "string")
                source = _Source((field, name), (name,), None, types, is_optional=True)
                self._content.append(source)
            else:
                self._body_argument = name
                self._sent = fixture.request.get("body")
                self._content += _of_content(fixture, name)

    def fill(self, expected: Any, received: Received) -> Any:
        """Makes the body that is expected out of what was received."""
        if len(self._parameters) == 1 and not self._content and not isinstance(expected, dict):
            [source] = self._parameters
            is_echo = expected == source.text
            if is_echo or (not isinstance(expected, str) and source.fits(expected)):
                return source.value(received)
        if (
            self._body_argument is not None
            and self._sent is not None
            and not isinstance(expected, dict)
            and expected == self._sent
        ):
            content = received[self._body_argument]
            return content.decode() if isinstance(content, bytes) else content
        filled = self._fill(expected, received)
        if self._is_whole_content(expected):
            content = received[self._body_argument or ""]
            # Members that nobody sent would be seen in the answer.
            filled |= {name: content[name] for name in content if name not in expected}
        return filled

    def _is_whole_content(self, expected: Any) -> bool:
        return (
            self._body_argument is not None
            and isinstance(expected, dict)
            and bool(self._content)
            and expected.keys() == {source.names[0] for source in self._content}
            and all(self._source_of(*member) in self._content for member in expected.items())
        )

    def _source_of(self, name: str, value: Any) -> _Source | None:
        sources = (*self._parameters, *self._content)
        return next((it for it in sources if name in it.names and it.fits(value)), None)

    def _fill(self, expected: Any, received: Received) -> Any:
        if isinstance(expected, dict):
            if "filename" in expected:
                for file in _files(received.values()):
                    if file["filename"] == expected["filename"]:
                        return _shaped(expected, file)
            filled = {}
            for name, value in expected.items():
                source = self._source_of(name, value)
                filled[name] = (
                    self._fill(value, received)
                    if source is None
                    else _shaped(value, source.value(received))
                )
            return filled
        if isinstance(expected, list):
            return [self._fill(item, received) for item in expected]
        if isinstance(expected, str):
            for source in (*self._parameters, *self._content):
                text = source.text
                if text is None and source in self._parameters:
                    text = "None"
                pattern = rf"(?<!\w){re.escape(text or '')}(?!\w)"
                if text and len(re.findall(pattern, expected)) == 1:
                    value = str(source.value(received))
                    return re.sub(pattern, lambda _, value=value: value, expected)  # type: ignore[misc]
        return expected


async def rendered(value: Any) -> Any:
    """Replaces the files in what was received by objects that say what is in them."""
    if isinstance(value, UploadFile):
        content = await value.read()
        return {
            "filename": value.filename,
            "size": value.size,
            "content": content.decode("utf-8", "replace"),
            "content_type": value.content_type,
        }
    if isinstance(value, list):
        return [await rendered(item) for item in value]
    if isinstance(value, dict):
        return {name: await rendered(item) for name, item in value.items()}
    return value


def _texts(fixture: Fixture) -> dict[tuple[str, str], str]:
    """The texts that were sent, by place and name."""
    request = fixture.request
    places: dict[str, Mapping[str, str]] = {
        "path": fixture.path_texts() or {},
        "query": fixture.query_texts(),
        "headers": request.get("headers", {}),
        "cookies": request.get("cookies", {}),
    }
    return {
        (place, name.lower() if place == "headers" else name): text
        for place, texts in places.items()
        for name, text in texts.items()
    }


def _of_parameter(argument: Argument, texts: Mapping[tuple[str, str], str]) -> _Source:
    wire_name = argument.wire_name
    key = wire_name.lower() if argument.place == "headers" else wire_name
    return _Source(
        (argument.name, wire_name, key, *_simple_name(argument)),
        (argument.name,),
        texts.get((argument.place, key)) or None,
        _types(argument.schema, "string"),
        argument.is_optional,
    )


def _simple_name(argument: Argument) -> tuple[str, ...]:
    suffix = f"_{argument.place}"
    is_double = argument.name.endswith(suffix) and not argument.wire_name.endswith(suffix)
    return (argument.name.removesuffix(suffix),) if is_double else ()


def _of_content(fixture: Fixture, argument: str) -> Iterator[_Source]:
    is_form = media_type_of(fixture) in (FORM, MULTIPART)
    properties: Mapping[str, Any] = fixture.handler.get("body_schema", {}).get("properties", {})
    for name, sent in sent_members(fixture).items():
        text = sent if isinstance(sent, str) and sent else None
        if not is_form:
            # JSON is not converted, so nothing but the very value can come back.
            yield _Source((name,), (argument, name), text, sent=sent)
            continue
        schema = properties.get(name, {})
        types = _types(schema, None)
        if sent is None:
            # Files, and members of members: the part decides what they are.
            types = ("string", "object", "array", *types)
        yield _Source((name,), (argument, name), text, types, is_optional="null" in types)


def _types(schema: Mapping[str, Any], default: str | None) -> Sequence[str]:
    declared = schema.get("type", default)
    if declared is None:
        return (*_TYPES.values(), "null")
    return declared if isinstance(declared, list) else (declared,)


def _shaped(expected: Any, value: Any) -> Any:
    """Leaves out what the handler does not tell about a file."""
    if isinstance(expected, list) and isinstance(value, list) and len(expected) == len(value):
        return [_shaped(*pair) for pair in zip(expected, value, strict=True)]
    if isinstance(expected, dict) and "filename" in expected and isinstance(value, dict):
        return {name: value.get(name, own) for name, own in expected.items()}
    return value


def _files(values: Iterable[Any]) -> Iterator[Mapping[str, Any]]:
    for value in values:
        if isinstance(value, dict) and "filename" in value and "size" in value:
            yield value
        elif isinstance(value, dict):
            yield from _files(value.values())
        elif isinstance(value, list):
            yield from _files(value)
