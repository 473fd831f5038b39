"""What decodes the content of requests, and the JSON Schema of what it takes.

Decoding itself is the work of the library that owns the type: msgspec for Structs, dataclasses,
typed dictionaries, named tuples, classes of attrs and plain types; pydantic for its own models.
The schema names every error of content that the decoder refuses, so it takes what the decoder
takes, and where the two cannot agree, more.
"""

import functools
import sys
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spikard.annotations import ArgumentError, shown
from spikard.constraints import Limits
from spikard.exceptions import ErrorEntry, ValidationError
from spikard.models import is_model, is_pydantic

__all__ = ["Codec", "codec_of", "is_content", "is_upload", "is_whole_form"]

_STREAMS = ("AsyncIterator", "AsyncIterable", "AsyncGenerator")


@dataclass(frozen=True, slots=True)
class Codec:
    """What makes objects of one type."""

    schema: dict[str, Any]
    """JSON Schema (2020-12) of what it takes."""
    decode: Callable[[bytes], object]
    """From JSON."""
    convert: Callable[[object], object] | None
    """From plain data; ``None`` where the object is plain data."""


def native_name(annotation: Any) -> str | None:
    """The name of a class of this package, whatever module or compiled part it is in."""
    is_native = (
        isinstance(annotation, type) and annotation.__module__.partition(".")[0] == "spikard"
    )
    return annotation.__name__ if is_native else None


def is_upload(annotation: Any) -> bool:
    """Whether the type is `UploadFile`."""
    return native_name(annotation) == "UploadFile"


def is_stream(annotation: Any) -> bool:
    """Whether the type is an asynchronous iterator."""
    kind = typing.get_origin(annotation) or annotation
    return isinstance(kind, type) and kind.__name__ in _STREAMS


def is_content(annotation: Any) -> bool:
    """Whether an argument of the type is the content of the request without any marker."""
    if is_model(annotation):
        return True
    origin = typing.get_origin(annotation) or annotation
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return True
    if origin is typing.Literal:
        return False
    return any(is_content(item) for item in typing.get_args(annotation))


def is_whole_form(annotation: Any) -> bool:
    """Whether an argument of the type, marked with `Form`, is the form and not one field of it."""
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        members = [item for item in typing.get_args(annotation) if item is not type(None)]
        return bool(members) and all(is_whole_form(item) for item in members)
    origin = typing.get_origin(annotation) or annotation
    return is_model(annotation) or (isinstance(origin, type) and issubclass(origin, Mapping))


def codec_of(annotation: Any, limits: Limits, *, strict: bool = True) -> Codec:
    """Compiles what makes objects of a type.

    Args:
        annotation: The type, with everything inside it resolved.
        limits: What the value must be besides.
        strict: Whether `convert` refuses texts for other types, as JSON does.

    Raises:
        ArgumentError: No library can make the type.
    """
    if annotation is object:
        annotation = Any
    if _uses_pydantic(annotation):
        codec = _pydantic(annotation, limits)
    else:
        codec = _msgspec(annotation, limits, strict=strict)
    return Codec({**codec.schema, **limits.notes, **limits.raw}, codec.decode, codec.convert)


def _msgspec(annotation: Any, limits: Limits, *, strict: bool) -> Codec:
    import msgspec

    try:
        if words := _words(limits):
            annotation = _constrained(annotation, msgspec.Meta(**words))
        info = list(_types_in(msgspec.inspect.type_info(annotation)))
        for part in info:
            if isinstance(part, msgspec.inspect.CustomType):
                _check_foreign(part.cls)
        definitions: dict[str, Any] = {}
        schema = msgspec.json.schema(
            annotation, schema_hook=lambda kind: _foreign_schema(kind, definitions)
        )
        if definitions:
            schema["$defs"] = {**definitions, **schema.get("$defs", {})}
        decode = msgspec.json.Decoder(annotation, dec_hook=_foreign).decode
    except ArgumentError:
        raise
    except NameError as error:
        raise ArgumentError(
            f"the name `{error.name}` in the annotations of `{shown(annotation)}` does not exist "
            "at run time; import or define it at the top level of the module, outside "
            "`if TYPE_CHECKING:`"
        ) from error
    except Exception as error:
        raise ArgumentError(f"the type `{shown(annotation)}` cannot be decoded: {error}") from error
    convert = functools.partial(msgspec.convert, type=annotation, strict=strict, dec_hook=_foreign)
    is_plain = annotation in (Any, dict, list, dict[str, Any], list[Any])
    tags = {
        (part.tag_field, part.tag)
        for part in info
        if isinstance(part, msgspec.inspect.StructType) and part.tag_field is not None
    }
    relaxed = _relaxed(schema, frozenset(tags))
    return Codec(relaxed, decode, None if is_plain else convert)


def _words(limits: Limits) -> dict[str, Any]:
    """The words as arguments of ``msgspec.Meta`` and of pydantic's ``Field``."""
    limits.numeric()
    limits.patterns()
    words = limits.tightest()
    lengths = limits.lengths("min_length", "max_length")
    for word in ("multiple_of", "pattern"):
        values = limits.words.get(word, [])
        if len(values) > 1:
            raise ArgumentError(
                f"`{word}` is given as {values[0]!r} and as {values[1]!r}; keep one"
            )
        if values:
            words[word] = values[0]
    return words | lengths


def _constrained(annotation: Any, meta: object) -> Any:
    """The type with the constraints; they are for the one that is not ``None``."""
    annotated: Any = typing.Annotated
    if typing.get_origin(annotation) not in (typing.Union, types.UnionType):
        return annotated[annotation, meta]
    rest = [member for member in typing.get_args(annotation) if member is not type(None)]
    if len(rest) > 1:
        raise ArgumentError(
            f"constraints on `{shown(annotation)}` belong to the member that they are for, as in "
            "`Annotated[int, msgspec.Meta(ge=1)] | str`"
        )
    return annotated[rest[0], meta] | None


def _types_in(info: Any) -> Iterator[Any]:
    """Every description of a type inside one of ``msgspec.inspect``."""
    seen: set[int] = set()
    waiting = [info]
    while waiting:
        part = waiting.pop()
        if isinstance(part, tuple):
            waiting += part
        elif hasattr(part, "__struct_fields__") and id(part) not in seen:
            seen.add(id(part))
            yield part
            waiting += [getattr(part, name) for name in part.__struct_fields__]


def _check_foreign(kind: Any) -> None:
    if not is_upload(kind) and not hasattr(kind, "model_validate"):
        raise ArgumentError(
            f"the type `{shown(kind)}` cannot be decoded; use a msgspec.Struct, a dataclass, a "
            "TypedDict, a NamedTuple, a class of attrs, a model of pydantic, or plain types"
        )


def _foreign(kind: Any, value: Any) -> object:
    """Makes an object of a type that msgspec does not know."""
    if isinstance(value, kind):
        return value
    if is_upload(kind):
        raise ValueError("Input should be a file")
    return kind.model_validate(value)


def _foreign_schema(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    """The schema of such a type; its definitions go where references look for them."""
    if is_upload(kind):
        return {"type": "string", "format": "binary"}
    schema: dict[str, Any] = kind.model_json_schema()
    definitions.update(schema.pop("$defs", {}))
    return schema


# Keywords whose value is data, not a schema.
_DATA = ("const", "default", "enum", "examples")


def _relaxed(schema: dict[str, Any], tags: frozenset[tuple[str, Any]]) -> dict[str, Any]:
    """The schema without what msgspec writes into it and does not ask for."""
    made: dict[str, Any] = {}
    for key, value in schema.items():
        if key in ("properties", "$defs"):
            made[key] = {name: _relaxed(part, tags) for name, part in value.items()}
        elif key in _DATA:
            made[key] = value
        elif isinstance(value, dict):
            made[key] = _relaxed(value, tags)
        elif isinstance(value, list):
            made[key] = [_relaxed(part, tags) if isinstance(part, dict) else part for part in value]
        else:
            made[key] = value
    # A list with an item twice becomes a set.
    made.pop("uniqueItems", None)
    if made.get("type") == "string" and made.get("format") == "decimal":
        made["type"] = ["string", "number"]
    # The tag of a Struct may be missing, except where it tells several apart.
    properties = made.get("properties", {})
    for name, tag in tags:
        if properties.get(name) == {"enum": [tag]} and name in made.get("required", ()):
            made["required"] = [other for other in made["required"] if other != name]
    if "discriminator" in made:
        made["required"] = [made["discriminator"]["propertyName"]]
    return made


def _uses_pydantic(annotation: Any) -> bool:
    return is_pydantic(annotation) or (
        typing.get_origin(annotation) is not typing.Literal
        and not is_model(annotation)
        and any(_uses_pydantic(item) for item in typing.get_args(annotation))
    )


def _pydantic(annotation: Any, limits: Limits) -> Codec:
    pydantic = sys.modules["pydantic"]
    try:
        if words := _words(limits):
            annotation = _constrained(annotation, pydantic.Field(**words))
        adapter = pydantic.TypeAdapter(annotation)
        schema = adapter.json_schema()
    except ArgumentError:
        raise
    except Exception as error:
        # The rest of a message of pydantic is about settings of its own.
        why = str(error).partition("\n")[0]
        raise ArgumentError(f"pydantic cannot take `{shown(annotation)}`: {why}") from error
    return Codec(
        schema,
        explained(adapter.validate_json, ("body",)),
        explained(adapter.validate_python, ("body",)),
    )


def explained(
    make: Callable[..., object], place: tuple[str, ...], names: Mapping[str, str] | None = None
) -> Callable[..., object]:
    """Calls pydantic, and names its errors in the words of the wire, which are its own.

    Args:
        make: What makes the object.
        place: Where the data is in the request.
        names: Names in the request, where they are not those of the model.
    """

    def made(*arguments: object) -> object:
        try:
            return make(*arguments)
        except ValueError as error:
            listed = _pydantic_errors(error)
            if not listed or any(entry["type"] == "json_invalid" for entry in listed):
                raise
            raise ValidationError(_entry(entry, place, names or {}) for entry in listed) from error

    return made


def _pydantic_errors(error: ValueError) -> Sequence[dict[str, Any]]:
    errors = getattr(error, "errors", None)
    return errors(include_url=False) if callable(errors) else ()


def _entry(entry: dict[str, Any], place: tuple[str, ...], names: Mapping[str, str]) -> ErrorEntry:
    inside = [str(part) for part in entry["loc"]]
    if inside:
        inside[0] = names.get(inside[0], inside[0])
    made = ErrorEntry(
        type=entry["type"], loc=[*place, *inside], msg=entry["msg"], input=_plain(entry["input"])
    )
    if "ctx" in entry:
        made["ctx"] = {key: _plain(value) for key, value in entry["ctx"].items()}
    return made


def _plain(value: object) -> object:
    """The value, or its text where it is no plain data, such as an exception of a validator."""
    is_plain = value is None or isinstance(value, str | int | float | list | dict)
    return value if is_plain else str(value)
