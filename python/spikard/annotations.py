"""From what stands in an annotation to types: texts, aliases and type variables are resolved."""

import functools
import inspect
import operator
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["ArgumentError", "Scope", "scope_of", "shown"]

_ANNOTATED: Any = typing.Annotated


class ArgumentError(Exception):
    """Why an argument cannot be served; its reader says where."""


class Scope:
    """The names and type variables that annotations may use."""

    __slots__ = ("_names", "_variables")

    def __init__(
        self, names: Mapping[str, object], variables: Mapping[object, object] | None = None
    ) -> None:
        """Takes the values of names, and what type variables stand for."""
        self._names = names
        self._variables = variables or {}

    def binding(self, variables: Mapping[object, object]) -> "Scope":
        """The same with further type variables bound."""
        return Scope(self._names, {**self._variables, **variables})

    def resolved(self, annotation: Any) -> Any:
        """The annotation behind texts, forward references, `NewType`, aliases and variables.

        Raises:
            ArgumentError: A text cannot be evaluated.
        """
        while True:
            if isinstance(annotation, str):
                annotation = self._evaluated(annotation)
            elif hasattr(annotation, "__forward_arg__"):
                annotation = self._evaluated(annotation.__forward_arg__)
            elif isinstance(annotation, typing.NewType):
                annotation = annotation.__supertype__
            elif isinstance(annotation, typing.TypeVar):
                annotation = self._variable(annotation)
            elif _is_alias(annotation):
                annotation = annotation.__value__
            elif _is_alias(origin := typing.get_origin(annotation)):
                bound = zip(origin.__type_params__, typing.get_args(annotation), strict=False)
                annotation = self.binding(dict(bound)).deep(origin.__value__)
            else:
                return annotation

    def deep(self, annotation: Any) -> Any:
        """The annotation resolved, and everything inside it; for libraries that take it whole.

        Raises:
            ArgumentError: A text cannot be evaluated.
        """
        annotation = self.resolved(annotation)
        origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
        if origin is None or origin is typing.Literal:
            return annotation
        if origin is _ANNOTATED:
            return _ANNOTATED[(self.deep(annotation.__origin__), *annotation.__metadata__)]
        made = tuple(self.deep(item) for item in inner)
        if all(new is old for new, old in zip(made, inner, strict=True)):
            return annotation
        if origin in (typing.Union, types.UnionType):
            return functools.reduce(operator.or_, made)
        return origin[made]

    def unwrapped(self, annotation: Any) -> tuple[Any, tuple[object, ...]]:
        """The annotation without `Annotated`, and the metadata, innermost last."""
        annotation = self.resolved(annotation)
        metadata: tuple[object, ...] = ()
        while typing.get_origin(annotation) is _ANNOTATED:
            metadata += annotation.__metadata__
            annotation = self.resolved(annotation.__origin__)
        return annotation, metadata

    def members(self, annotation: Any) -> list[Any] | None:
        """The members of a union, those of unions inside it too; ``None`` for any other type."""
        if typing.get_origin(annotation) not in (typing.Union, types.UnionType):
            return None
        found: list[Any] = []
        for member in typing.get_args(annotation):
            member = self.resolved(member)
            found += self.members(member) or [member]
        return found

    def _variable(self, variable: typing.TypeVar) -> Any:
        if variable in self._variables:
            return self._variables[variable]
        if getattr(variable, "has_default", lambda: False)():
            return getattr(variable, "__default__", Any)
        if variable.__constraints__:
            return functools.reduce(operator.or_, variable.__constraints__)
        return variable.__bound__ if variable.__bound__ is not None else Any

    def _evaluated(self, text: str) -> Any:
        try:
            return eval(text, dict(self._names))
        except NameError as error:
            name = error.name or text
            raise ArgumentError(
                f"the name `{name}` of its annotation `{text}` does not exist at run time; import "
                f"or define `{name}` at the top level of the module, outside `if TYPE_CHECKING:`"
            ) from error
        except Exception as error:
            raise ArgumentError(f"its annotation `{text}` cannot be evaluated: {error}") from error


def scope_of(handler: Callable[..., object]) -> Scope:
    """What the annotations of a handler may use.

    Names are its globals and those of enclosing functions. A method of ``Crud[User]``, or of a
    class that inherits from it, knows what the type variables of ``Crud`` stand for.
    """
    function: Any = inspect.unwrap(handler)
    while hasattr(function, "func") and hasattr(function, "keywords"):
        function = inspect.unwrap(function.func)
    owner = getattr(function, "__self__", None)
    function = getattr(function, "__func__", function)
    if not hasattr(function, "__globals__"):
        owner = function
        function = inspect.unwrap(type(function).__call__)
    names = dict(getattr(function, "__globals__", {}))
    code, cells = getattr(function, "__code__", None), getattr(function, "__closure__", None)
    for name, cell in zip(code.co_freevars if code else (), cells or (), strict=False):
        try:
            names[name] = cell.cell_contents
        except ValueError:
            # The enclosing function has not assigned it yet.
            continue
    for parameter in getattr(function, "__type_params__", ()):
        names.setdefault(parameter.__name__, parameter)
    variables: dict[object, object] = {}
    if owner is not None:
        _bind(owner, getattr(owner, "__orig_class__", None), variables)
    return Scope(names, variables)


def _bind(owner: Any, alias: Any, variables: dict[object, object]) -> None:
    """Notes what the type variables of a generic class and of its bases stand for."""
    if alias is not None:
        owner = typing.get_origin(alias) or alias
        given = typing.get_args(alias)
        for variable, value in zip(getattr(owner, "__parameters__", ()), given, strict=False):
            variables.setdefault(variable, variables.get(value, value))
    kind = owner if isinstance(owner, type) else type(owner)
    for base in vars(kind).get("__orig_bases__", kind.__bases__):
        if typing.get_origin(base) is not typing.Generic and base is not object:
            _bind(typing.get_origin(base) or base, base, variables)


def _is_alias(annotation: object) -> bool:
    return type(annotation).__name__ == "TypeAliasType"


def shown(annotation: object) -> str:
    """The annotation as messages show it."""
    return annotation.__qualname__ if isinstance(annotation, type) else str(annotation)
