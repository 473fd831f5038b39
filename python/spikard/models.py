"""Types with named fields, whatever library they come from: what they are, and their fields.

Structs of msgspec, dataclasses, typed dictionaries, named tuples, classes of attrs, and models of
pydantic are recognised by their attributes; neither attrs nor pydantic is ever imported.
"""

import dataclasses
import inspect
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from spikard.annotations import ArgumentError, Scope, shown

__all__ = ["Field", "fields_of", "is_model", "is_pydantic", "maker_of"]

ABSENT = object()
"""Stands for a field that a typed dictionary need not have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a model."""

    name: str
    """Name that the model is made with."""
    alias: str | None
    """Name in data, where the model gives it one."""
    annotation: Any
    """Its annotation, with `Annotated`."""
    default: object = ...
    """Value when it is absent; ``...`` where there is none."""
    default_factory: Callable[[], object] | None = None
    """Makes that value; goes before `default`."""


def is_model(annotation: Any) -> bool:
    """Whether the type, or the generic type behind it, has named fields."""
    kind = typing.get_origin(annotation) or annotation
    if not isinstance(kind, type):
        return False
    return (
        hasattr(kind, "__struct_fields__")
        or dataclasses.is_dataclass(kind)
        or typing.is_typeddict(kind)
        or (issubclass(kind, tuple) and hasattr(kind, "_fields"))
        or hasattr(kind, "__attrs_attrs__")
        or is_pydantic(kind)
    )


def is_pydantic(annotation: Any) -> bool:
    """Whether pydantic made the type: a model, or a dataclass of its own."""
    kind = typing.get_origin(annotation) or annotation
    return isinstance(kind, type) and hasattr(kind, "__pydantic_validator__")


def fields_of(model: Any, scope: Scope) -> tuple[list[Field], Scope]:
    """The fields of a model in their order, and the scope of their annotations.

    Raises:
        ArgumentError: An annotation of the model cannot be resolved.
    """
    kind = typing.get_origin(model) or model
    variables = zip(getattr(kind, "__parameters__", ()), typing.get_args(model), strict=False)
    scope = scope.binding(dict(variables))
    try:
        return list(_fields(kind)), scope
    except NameError as error:
        raise ArgumentError(
            f"the name `{error.name}` in an annotation of `{shown(kind)}` does not exist at run "
            "time; import or define it at the top level of the module, outside `if TYPE_CHECKING:`"
        ) from error


def _fields(kind: Any) -> Iterator[Field]:
    if hasattr(kind, "model_fields") and is_pydantic(kind):
        return _pydantic_fields(kind)
    if hasattr(kind, "__struct_fields__"):
        return _struct_fields(kind)
    hints = typing.get_type_hints(kind, include_extras=True)
    if typing.is_typeddict(kind):
        return _typed_dict_fields(kind, hints)
    if hasattr(kind, "__attrs_attrs__"):
        return _attrs_fields(kind, hints)
    if dataclasses.is_dataclass(kind):
        return _dataclass_fields(kind, hints)
    return (
        Field(
            name=name,
            alias=None,
            annotation=hints.get(name, Any),
            default=kind._field_defaults.get(name, ...),
        )
        for name in kind._fields
    )


def _struct_fields(kind: Any) -> Iterator[Field]:
    import msgspec

    for field in msgspec.structs.fields(kind):
        is_factory = field.default_factory is not msgspec.NODEFAULT
        yield Field(
            name=field.name,
            alias=field.encode_name if field.encode_name != field.name else None,
            annotation=field.type,
            default=... if field.default is msgspec.NODEFAULT else field.default,
            default_factory=field.default_factory if is_factory else None,
        )


def _dataclass_fields(kind: Any, hints: dict[str, Any]) -> Iterator[Field]:
    for field in dataclasses.fields(kind):
        if field.init:
            is_factory = field.default_factory is not dataclasses.MISSING
            yield Field(
                name=field.name,
                alias=None,
                annotation=hints[field.name],
                default=... if field.default is dataclasses.MISSING else field.default,
                default_factory=field.default_factory if is_factory else None,  # type: ignore[arg-type]
            )


def _typed_dict_fields(kind: Any, hints: dict[str, Any]) -> Iterator[Field]:
    for name, hint in hints.items():
        while typing.get_origin(hint) in (typing.Required, typing.NotRequired):
            (hint,) = typing.get_args(hint)
        default = ... if name in kind.__required_keys__ else ABSENT
        yield Field(name=name, alias=None, annotation=hint, default=default)


def _attrs_fields(kind: Any, hints: dict[str, Any]) -> Iterator[Field]:
    for attribute in kind.__attrs_attrs__:
        if not attribute.init:
            continue
        default = attribute.default
        factory = getattr(default, "factory", None)
        if getattr(default, "takes_self", False):
            raise ArgumentError(
                f"the default of `{attribute.name}` in `{shown(kind)}` needs the object itself"
            )
        # The singleton of attrs for "no default" has this name.
        is_required = getattr(default, "name", None) == "NOTHING"
        yield Field(
            name=attribute.alias,
            alias=None,
            annotation=hints.get(attribute.name, Any),
            default=... if factory or is_required else default,
            default_factory=factory,
        )


def _pydantic_fields(kind: Any) -> Iterator[Field]:
    for name, info in kind.model_fields.items():
        alias = info.validation_alias if isinstance(info.validation_alias, str) else info.alias
        annotated: Any = typing.Annotated
        yield Field(
            name=alias or name,
            alias=alias,
            annotation=annotated[(info.annotation, info)],
            # An absent field stays unset, and the model makes the default itself.
            default=... if info.is_required() else ABSENT,
        )


def maker_of(model: Any, names: list[str]) -> Callable[..., object]:
    """What makes a model of the values of its fields, passed by position in the order of names."""
    kind = typing.get_origin(model) or model
    if typing.is_typeddict(kind):
        return lambda *values: dict(_present(names, values))
    if hasattr(kind, "model_validate"):
        validate = kind.model_validate
        return lambda *values: validate(dict(_present(names, values)))
    if _takes_by_position(kind, names):
        return kind  # type: ignore[no-any-return]
    return lambda *values: kind(**dict(zip(names, values, strict=True)))


def _present(names: list[str], values: tuple[object, ...]) -> Iterator[tuple[str, object]]:
    for name, value in zip(names, values, strict=True):
        if value is not ABSENT:
            yield name, value


def _takes_by_position(kind: Any, names: list[str]) -> bool:
    try:
        parameters: Mapping[str, inspect.Parameter] = inspect.signature(kind).parameters
    except (TypeError, ValueError):
        return False
    by_position = [
        parameter.name
        for parameter in parameters.values()
        if parameter.kind is parameter.POSITIONAL_OR_KEYWORD
    ]
    return by_position == names == [*parameters]
