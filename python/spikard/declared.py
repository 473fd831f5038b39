"""Inputs that a route declares with schemas: ``parameter_schema=`` and ``file_params=``."""

import keyword
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from spikard.annotations import ArgumentError
from spikard.constraints import plain_schema
from spikard.plan import FileRule

__all__ = ["DeclaredParameter", "argument_name", "declared_parameters", "file_rules"]

_SOURCES: dict[object, Literal["path", "query", "header", "cookie"]] = {
    "query": "query",
    "path": "path",
    "header": "header",
    "headers": "header",
    "cookie": "cookie",
    "cookies": "cookie",
}

# Keys of a property that are no JSON Schema; those of cookies mean nothing in a request.
_OWN_KEYS = (
    "source",
    "optional",
    "required",
    "default",
    "separator",
    "annotation",
    "samesite",
    "secure",
    "httponly",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredParameter:
    """One property of a ``parameter_schema``."""

    source: Literal["path", "query", "header", "cookie"]
    """Place in the request."""
    wire_name: str
    """Name in the request; a header's is in lower case."""
    schema: dict[str, Any]
    """JSON Schema of the value."""
    required: bool
    """Whether a request without it is refused."""
    default: Any
    """Value when it is absent, plain data."""
    separator: str | None
    """Character that splits one value into items."""


def argument_name(wire_name: str, names: Mapping[str, object]) -> str:
    """The argument that receives a parameter: its name in lower case, ``_`` for other characters.

    A keyword of Python, and a name that starts with a digit, have a ``_`` more at the end or at the
    start, where the signature has it so.
    """
    name = re.sub(r"[^a-z0-9_]", "_", wire_name.lower())
    if keyword.iskeyword(name) or name[:1].isdigit():
        return next((it for it in (f"{name}_", f"_{name}") if it in names), f"{name}_")
    return name


def declared_parameters(schema: Mapping[str, object] | None) -> list[DeclaredParameter]:
    """Reads a ``parameter_schema``.

    Raises:
        ArgumentError: It is not what a route can take.
    """
    whole = plain_schema(schema or {})
    properties = whole.get("properties", {})
    if not isinstance(properties, dict) or (whole and "properties" not in whole):
        raise ArgumentError(
            "`parameter_schema` needs `properties`, an object with a schema for each"
        )
    listed = whole.get("required")
    if listed is not None and not isinstance(listed, list):
        raise ArgumentError("`required` of `parameter_schema` must be a list of names")
    return [_declared(name, value, listed) for name, value in properties.items()]


def _declared(name: str, given: Any, listed: list[Any] | None) -> DeclaredParameter:
    where = f"`{name}` of `parameter_schema`"
    if not isinstance(given, dict):
        raise ArgumentError(f"{where} must be an object")
    source = _SOURCES.get(given.get("source"))
    if source is None:
        raise ArgumentError(
            f"{where} has the source {given.get('source')!r}; "
            "there are query, path, headers and cookie"
        )
    for word in ("optional", "required"):
        if not isinstance(given.get(word, True), bool):
            raise ArgumentError(f"{where}: `{word}` must be true or false")
    separator = given.get("separator")
    if separator is not None and (not isinstance(separator, str) or len(separator) != 1):
        raise ArgumentError(f"{where}: the separator {separator!r} must be one character")
    optional = given.get("optional", False) or "default" in given
    if not optional:
        optional = not given.get("required", listed is None or name in listed)
    if source == "path" and "default" in given:
        raise ArgumentError(f"{where}: a path parameter is always there; remove the default")
    return DeclaredParameter(
        source=source,
        wire_name=name.lower() if source == "header" else name,
        schema={key: value for key, value in given.items() if key not in _OWN_KEYS},
        required=source == "path" or not optional,
        default=given.get("default"),
        separator=separator,
    )


def file_rules(given: Mapping[str, Mapping[str, object]] | None) -> list[FileRule]:
    """Reads ``file_params``.

    Raises:
        ArgumentError: It is not what a route can take.
    """
    return [_file_rule(field, rule) for field, rule in (given or {}).items()]


def _file_rule(field: str, rule: object) -> FileRule:
    where = f"`{field}` of `file_params`"
    if not isinstance(field, str) or not isinstance(rule, Mapping):
        raise ArgumentError(
            f"{where} must be a dictionary such as {{'content_type': ['image/png']}}"
        )
    for key in rule:
        if key not in ("required", "optional", "content_type", "validate_magic_numbers"):
            raise ArgumentError(
                f"{where} has {key!r}; there are required, content_type and validate_magic_numbers"
            )
    for key in ("required", "optional", "validate_magic_numbers"):
        if not isinstance(rule.get(key, True), bool):
            raise ArgumentError(f"{where}: `{key}` must be true or false")
    types = rule.get("content_type") or []
    types = [types] if isinstance(types, str) else types
    if not isinstance(types, list | tuple) or not all(
        isinstance(type_, str) and "/" in type_ for type_ in types
    ):
        raise ArgumentError(f"{where}: `content_type` must be a list of media types")
    return FileRule(
        field=field,
        required=bool(rule.get("required", True)) and not rule.get("optional", False),
        content_types=tuple(type_.lower() for type_ in types),
        validate_magic_numbers=bool(rule.get("validate_magic_numbers", False)),
    )
