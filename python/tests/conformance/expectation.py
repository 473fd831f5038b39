"""Compares a response with what a fixture expects.

The cases of ``testing_data/expectations.json`` fix what is found, here and in the Rust crate
``spikard-fixtures``.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

__all__ = ["Mismatch", "check"]

_ANY_STRING = ".*"
_WITHOUT_CONTENT = (204, 205, 304)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_SETS = (
    "access-control-allow-methods",
    "access-control-allow-headers",
    "access-control-expose-headers",
)

Headers = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One difference between a response and what a fixture expects."""

    place: str
    """Place in ``expected_response``: a JSON Pointer (RFC 6901)."""
    expected: object
    """What the fixture expects there."""
    actual: object
    """What the response has."""

    def __str__(self) -> str:
        """Says place, expectation and finding on one line."""
        return f"{self.place}: expected {self.expected!r}, got {self.actual!r}"


def check(
    expected: Mapping[str, Any], status: int, headers: Headers, content: bytes
) -> list[Mismatch]:
    """Finds every difference between a response and the ``expected_response`` of a fixture."""
    return [
        *_check_status(expected, status),
        *_check_body(expected, status, headers, content),
        *_check_validation_errors(expected, content),
        *_check_headers(expected, headers),
        *_check_cookies(expected, headers),
    ]


def _check_status(expected: Mapping[str, Any], status: int) -> Iterator[Mismatch]:
    if status != expected["status_code"]:
        yield Mismatch("/status_code", expected["status_code"], status)


def _check_body(
    expected: Mapping[str, Any], status: int, headers: Headers, content: bytes
) -> Iterator[Mismatch]:
    if "body" not in expected:
        return
    body = expected["body"]
    if isinstance(body, str) and not _is_json(headers):
        is_expected = _is_text(content) if body == _ANY_STRING else body.encode() == content
        if not is_expected:
            yield Mismatch("/body", body, content)
        return
    # Responses of these statuses have no content (RFC 9110, 15); null is all one can say of it.
    if body is None and status in _WITHOUT_CONTENT and not content:
        return
    try:
        actual = _parse(content)
    except ValueError:
        yield Mismatch("/body", body, content)
        return
    if expected["status_code"] >= 400:
        yield from _compare_members(body, actual)
    else:
        yield from _compare(body, actual, "/body")


def _check_validation_errors(expected: Mapping[str, Any], content: bytes) -> Iterator[Mismatch]:
    if "validation_errors" not in expected:
        return
    try:
        document = _parse(content)
    except ValueError:
        document = None
    if isinstance(document, dict) and "errors" in document:
        yield from _compare_errors(
            expected["validation_errors"], document["errors"], "/validation_errors"
        )
    else:
        yield Mismatch("/validation_errors", "a list of errors", content)


def _compare_members(expected: Any, actual: Any) -> Iterator[Mismatch]:
    """Compares an error document, which may have more members than the expected ones."""
    if not (isinstance(expected, dict) and isinstance(actual, dict)):
        yield from _compare(expected, actual, "/body")
        return
    for name, value in expected.items():
        place = _step("/body", name)
        if name not in actual:
            yield Mismatch(place, value, "nothing")
        elif name == "errors" and _are_errors(value):
            yield from _compare_errors(value, actual[name], place)
        else:
            yield from _compare(value, actual[name], place)


def _compare(expected: Any, actual: Any, place: str) -> Iterator[Mismatch]:
    """Compares exactly, numbers by value."""
    if expected == _ANY_STRING and isinstance(actual, str):
        return
    if isinstance(expected, dict) and isinstance(actual, dict):
        for name, value in expected.items():
            if name in actual:
                yield from _compare(value, actual[name], _step(place, name))
            else:
                yield Mismatch(_step(place, name), value, "nothing")
        for name in actual.keys() - expected.keys():
            yield Mismatch(_step(place, name), "nothing", actual[name])
    elif isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        for index, (value, other) in enumerate(zip(expected, actual, strict=True)):
            yield from _compare(value, other, _step(place, index))
    elif isinstance(expected, bool) != isinstance(actual, bool) or expected != actual:
        yield Mismatch(place, expected, actual)


def _compare_errors(expected: list[Any], actual: Any, place: str) -> Iterator[Mismatch]:
    """Compares lists of errors in any order: each expected entry needs one of its own."""
    if not isinstance(actual, list):
        yield Mismatch(place, "a list of errors", actual)
        return
    if len(expected) != len(actual):
        yield Mismatch(place, f"{len(expected)} errors", f"{len(actual)} errors")
    taken: dict[int, int] = {}
    for index, error in enumerate(expected):
        if not _assign(index, expected, actual, taken, set()):
            nearest = [entry for entry in actual if _member(entry, "loc") == _member(error, "loc")]
            found = nearest[0] if nearest else "no error at this place"
            yield Mismatch(_step(place, index), error, found)


def _assign(
    index: int, expected: list[Any], actual: list[Any], taken: dict[int, int], visited: set[int]
) -> bool:
    """Finds an actual entry for one expected, moving earlier ones to others that fit them too."""
    for slot, entry in enumerate(actual):
        if slot in visited or not _is_error(expected[index], entry):
            continue
        visited.add(slot)
        if slot not in taken or _assign(taken[slot], expected, actual, taken, visited):
            taken[slot] = index
            return True
    return False


def _is_error(expected: Any, actual: Any) -> bool:
    """Tells whether ``actual`` is the error that ``expected`` describes."""
    for key in ("loc", "type", "msg", "input"):
        if key in expected and not _is_equal(expected[key], _member(actual, key)):
            return False
    ctx = _member(actual, "ctx")
    if isinstance(expected.get("ctx"), dict):
        return all(_is_equal(value, _member(ctx, name)) for name, value in expected["ctx"].items())
    return "ctx" not in expected or _is_equal(expected["ctx"], ctx)


def _is_equal(expected: Any, actual: Any) -> bool:
    return not any(_compare(expected, actual, ""))


_ABSENT = object()


def _member(value: Any, name: str) -> Any:
    return value.get(name, _ABSENT) if isinstance(value, dict) else _ABSENT


def _are_errors(value: Any) -> bool:
    return isinstance(value, list) and all(_member(error, "loc") is not _ABSENT for error in value)


def _check_headers(expected: Mapping[str, Any], headers: Headers) -> Iterator[Mismatch]:
    for name, value in expected.get("headers", {}).items():
        values = _values(headers, name)
        if value == "<<absent>>":
            is_expected = not values
        else:
            is_expected = bool(values) and _is_value(name.lower(), value, values)
        if not is_expected:
            yield Mismatch(_step("/headers", name), value, ", ".join(values) or "nothing")


def _is_value(name: str, expected: str, values: Sequence[str]) -> bool:
    """Tells whether ``values``, at least one, are the expected value of a field."""
    joined = ", ".join(values)
    if expected == "<<present>>":
        return True
    if expected == "<<uuid>>":
        return _UUID.fullmatch(joined) is not None
    if ".*" in expected:
        try:
            return re.fullmatch(expected, joined) is not None
        except re.error:
            return False
    if name == "content-type":
        expected_type, expected_parameters = _media_type(expected)
        actual_type, actual_parameters = _media_type(joined)
        return expected_type == actual_type and expected_parameters <= actual_parameters
    if name == "vary":
        return _list_members(expected) <= _list_members(joined)
    if name in _SETS:
        return _list_members(expected) == _list_members(joined)
    if name == "set-cookie":  # the only field whose values cannot be joined (RFC 9110, 5.3)
        return expected in values
    return joined == expected


def _media_type(field: str) -> tuple[str, set[tuple[str, str]]]:
    """Splits off the parameters; names and the value of ``charset`` are case-insensitive."""
    essence, *parts = field.split(";")
    parameters = set()
    for part in parts:
        name, equals, value = part.partition("=")
        name, value = name.strip().lower(), value.strip().strip('"')
        if equals:
            parameters.add((name, value.lower() if name == "charset" else value))
    return essence.strip().lower(), parameters


def _list_members(field: str) -> set[str]:
    return {member.strip().lower() for member in field.split(",") if member.strip()}


def _check_cookies(expected: Mapping[str, Any], headers: Headers) -> Iterator[Mismatch]:
    cookies = dict(_set_cookies(headers))
    for name, cookie in expected.get("cookies", {}).items():
        place = _step("/cookies", name)
        if name not in cookies:
            yield Mismatch(place, cookie, "nothing")
            continue
        value, attributes = cookies[name]
        if value != cookie["value"]:
            yield Mismatch(f"{place}/value", cookie["value"], value)
        age = attributes.get("max-age")
        if "max_age" not in cookie:
            age = age if age is not None else attributes.get("expires")
            if age is not None:
                yield Mismatch(f"{place}/max_age", "nothing", age)
        elif age is None or not re.fullmatch(r"[+-]?\d+", age) or int(age) != cookie["max_age"]:
            yield Mismatch(f"{place}/max_age", cookie["max_age"], age)
        for attribute, normalize in _ATTRIBUTES.items():
            if attribute in cookie:
                actual = attributes.get(attribute)
                if actual is None or normalize(actual) != normalize(cookie[attribute]):
                    yield Mismatch(f"{place}/{attribute}", cookie[attribute], actual)
        for attribute in ("secure", "httponly"):
            if attribute in cookie and cookie[attribute] != (attribute in attributes):
                yield Mismatch(f"{place}/{attribute}", cookie[attribute], attributes.get(attribute))


_ATTRIBUTES: Mapping[str, Callable[[str], str]] = {
    "path": str,
    # Domains are case-insensitive, and a leading dot says nothing (RFC 6265, 5.2.3).
    "domain": lambda domain: domain.lstrip(".").lower(),
    "samesite": str.lower,
}


def _set_cookies(headers: Headers) -> Iterator[tuple[str, tuple[str, dict[str, str]]]]:
    """Splits ``Set-Cookie`` fields as a browser does (RFC 6265, 5.2)."""
    for field in _values(headers, "set-cookie"):
        pair, *parts = field.split(";")
        name, equals, value = pair.partition("=")
        attributes = {}
        for part in parts:
            attribute, _, text = part.partition("=")
            attributes[attribute.strip().lower()] = text.strip()
        if equals:
            yield name.strip(), (value.strip(), attributes)


def _values(headers: Headers, name: str) -> list[str]:
    return [value for other, value in headers if other.lower() == name.lower()]


def _is_json(headers: Headers) -> bool:
    media_type = next(iter(_values(headers, "content-type")), "").partition(";")[0].strip().lower()
    return media_type == "application/json" or media_type.endswith("+json")


def _is_text(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _parse(content: bytes) -> Any:
    return json.loads(content.decode(), parse_constant=_refuse_constant)


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _step(place: str, token: object) -> str:
    """Goes one step further down (RFC 6901, 3)."""
    return f"{place}/{str(token).replace('~', '~0').replace('/', '~1')}"
