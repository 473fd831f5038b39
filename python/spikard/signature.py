"""From a handler's signature to the plan of its arguments: compiled once, when the app freezes."""

import inspect
import re
import sys
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NoReturn

from spikard.description import RouteDescription
from spikard.exceptions import SignatureError
from spikard.params import ParameterMarker
from spikard.plan import Argument, CompiledRoute
from spikard.scalars import SCALARS, Convert, Scalar

__all__ = ["compile_route"]

_SUPPORTED = (
    f"{', '.join(sorted(kind.__name__ for kind in SCALARS if isinstance(kind, type)))}, "
    "each also as `T | None` and inside list, set, frozenset or tuple[T, ...]"
)

# Name of a path parameter, with or without a converter: `{id}`, `{id:int}`.
_TEMPLATE_NAME = re.compile(r"\{([^{}:]+)(?::[^{}]*)?\}")

_CONTAINERS: tuple[type, ...] = (list, set, frozenset, tuple)


def compile_route(route: RouteDescription) -> CompiledRoute:
    """Compiles the signature of a route's handler.

    Raises:
        SignatureError: An argument cannot be served; the message names it and the fix.
    """
    return CompiledRoute(
        method=route.method,
        path=route.path,
        handler=route.handler,
        name=route.handler_name,
        location=route.location,
        arguments=_arguments(route),
        status_code=route.status_code,
        sync_to_thread=_sync_to_thread(route),
    )


def _sync_to_thread(route: RouteDescription) -> bool | None:
    if not inspect.iscoroutinefunction(route.handler):
        return route.sync_to_thread
    if route.sync_to_thread:
        raise SignatureError(
            f"`{route.handler_name}` ({route.location}): an async handler runs on the event loop; "
            "`sync_to_thread=True` is for `def` handlers"
        )
    return False


def _arguments(route: RouteDescription) -> tuple[Argument, ...]:
    in_path = set(_TEMPLATE_NAME.findall(route.path))
    # functools.partial settles its keyword arguments; they are no input of the request.
    settled = getattr(route.handler, "keywords", None) or {}
    names = _names_in_reach(route.handler)
    taken: dict[tuple[str, str], str] = {}
    arguments = []
    for parameter in _parameters(route):
        if parameter.name in settled:
            continue
        argument = _Reader(route, parameter, names, in_path).argument()
        other = taken.setdefault((argument.source, argument.wire_name), argument.name)
        if other != argument.name:
            raise SignatureError(
                f"{route}: arguments `{other}` and `{argument.name}` both take the "
                f"{argument.source} parameter `{argument.wire_name}`; change one alias"
            )
        arguments.append(argument)
    return tuple(arguments)


def _parameters(route: RouteDescription) -> list[inspect.Parameter]:
    try:
        if sys.version_info >= (3, 14):
            import annotationlib

            signature = inspect.signature(
                route.handler, annotation_format=annotationlib.Format.FORWARDREF
            )
        else:
            signature = inspect.signature(route.handler)
    except (TypeError, ValueError) as error:
        raise SignatureError(f"{route}: Python knows no signature of this handler") from error
    return list(signature.parameters.values())


def _names_in_reach(handler: Callable[..., object]) -> Mapping[str, object]:
    """The names that annotations written as text may use: globals and enclosing functions'."""
    function: Any = inspect.unwrap(handler)
    while hasattr(function, "func") and hasattr(function, "keywords"):
        function = inspect.unwrap(function.func)
    function = getattr(function, "__func__", function)
    if not hasattr(function, "__globals__"):
        function = inspect.unwrap(type(function).__call__)
    names = dict(getattr(function, "__globals__", {}))
    code, cells = getattr(function, "__code__", None), getattr(function, "__closure__", None)
    for name, cell in zip(code.co_freevars if code else (), cells or (), strict=False):
        try:
            names[name] = cell.cell_contents
        except ValueError:
            # The enclosing function has not assigned it yet.
            continue
    return names


@dataclass(frozen=True, slots=True)
class _Kind:
    """What an annotation comes to."""

    schema: dict[str, object]
    convert: Convert | None = None
    optional: bool = False


class _Reader:
    """Reads one argument of one handler."""

    def __init__(
        self,
        route: RouteDescription,
        parameter: inspect.Parameter,
        names: Mapping[str, object],
        in_path: set[str],
    ) -> None:
        self._route = route
        self._parameter = parameter
        self._names = names
        self._in_path = in_path

    def argument(self) -> Argument:
        parameter = self._parameter
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            stars = "*" if parameter.kind is parameter.VAR_POSITIONAL else "**"
            self._refuse(
                f"`{stars}{parameter.name}` has no names to look for in a request; name "
                "every argument"
            )
        annotation, marker = self._marked()
        kind = self._kind(annotation)
        wire_name = marker.alias if marker and marker.alias else parameter.name
        source = self._source(marker, wire_name)
        if source == "path" and kind.schema.get("type") == "array":
            self._refuse("a path parameter is one value, not several; use a scalar type")
        required, default, factory = self._default(source, marker, kind)
        return Argument(
            name=parameter.name,
            source=source,
            wire_name=wire_name,
            schema=kind.schema,
            required=required,
            default=default,
            default_factory=factory,
            convert=kind.convert,
            keyword_only=parameter.kind is parameter.KEYWORD_ONLY,
        )

    def _marked(self) -> tuple[object, ParameterMarker | None]:
        """The annotation without `Annotated`, and the one marker of the argument."""
        annotation = self._resolved(self._parameter.annotation)
        metadata: tuple[object, ...] = ()
        while typing.get_origin(annotation) is typing.Annotated:
            metadata += annotation.__metadata__
            annotation = self._resolved(annotation.__origin__)
        markers = [
            item
            for item in (*metadata, self._parameter.default)
            if isinstance(item, ParameterMarker)
        ]
        if len(markers) > 1:
            self._refuse("it has two markers; keep one, in the annotation or as the default")
        return annotation, markers[0] if markers else None

    def _source(self, marker: ParameterMarker | None, wire_name: str) -> Literal["path", "query"]:
        if marker is None:
            return "path" if wire_name in self._in_path else "query"
        if marker.source == "path" and wire_name not in self._in_path:
            self._refuse(f"Path() needs `{{{wire_name}}}` in the path template")
        return marker.source

    def _default(
        self, source: str, marker: ParameterMarker | None, kind: _Kind
    ) -> tuple[bool, object, Callable[[], object] | None]:
        """Whether the argument is required, and else its default or the maker of it."""
        written = self._parameter.default
        if isinstance(written, ParameterMarker):
            written = inspect.Parameter.empty
        if marker is not None:
            in_marker = marker.default is not ... or marker.default_factory is not None
            if in_marker and source == "path":
                self._refuse("a path parameter is always there; remove the default")
            if in_marker and written is not inspect.Parameter.empty:
                self._refuse("it has two defaults; keep one, in the marker or after `=`")
            if marker.default_factory is not None:
                return False, None, marker.default_factory
            if marker.default is not ...:
                written = marker.default
        if source == "path":
            # A handler on two paths may have a default for the one without this parameter.
            return True, None, None
        if written is inspect.Parameter.empty:
            return not kind.optional, None, None
        if isinstance(written, list | set | dict):
            # Each request gets a copy, and cannot change the default of the next.
            return False, None, written.copy
        return False, written, None

    def _kind(self, annotation: object) -> _Kind:
        annotation = self._resolved(annotation)
        if annotation in (inspect.Parameter.empty, Any, object):
            return _Kind({})
        origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
        if origin in (typing.Union, types.UnionType):
            members = [item for item in map(self._resolved, inner) if item is not type(None)]
            if len(members) == 1 and len(inner) == 2:
                kind = self._kind(members[0])
                return _Kind(kind.schema, kind.convert, optional=True)
            self._refuse_type(annotation)
        container = next((kind for kind in _CONTAINERS if kind is (origin or annotation)), None)
        if container is None:
            scalar = self._scalar(annotation)
            return _Kind(dict(scalar.schema), scalar.convert)
        if container is tuple and inner[1:] not in ((), (...,)):
            self._refuse_type(annotation)
        item = self._scalar(inner[0]) if inner else SCALARS[str]
        schema: dict[str, object] = {"type": "array", "items": dict(item.schema)}
        return _Kind(schema, _items_converted(container, item.convert))

    def _scalar(self, annotation: Any) -> Scalar:
        annotation = self._resolved(annotation)
        while typing.get_origin(annotation) is typing.Annotated:
            annotation = self._resolved(annotation.__origin__)
        try:
            scalar = SCALARS.get(annotation)
        except TypeError:
            # Not hashable, so no type at all.
            scalar = None
        if scalar is None:
            self._refuse_type(annotation)
        return scalar

    def _resolved(self, annotation: Any) -> Any:
        """The annotation behind texts, forward references, `NewType` and ``type`` aliases."""
        while True:
            if isinstance(annotation, str):
                annotation = self._evaluated(annotation)
            elif hasattr(annotation, "__forward_arg__"):
                annotation = self._evaluated(annotation.__forward_arg__)
            elif isinstance(annotation, typing.NewType):
                annotation = annotation.__supertype__
            elif type(annotation).__name__ == "TypeAliasType":
                annotation = annotation.__value__
            else:
                return annotation

    def _evaluated(self, text: str) -> object:
        try:
            return eval(text, dict(self._names))
        except NameError as error:
            name = error.name or text
            self._refuse(
                f"the name `{name}` of its annotation `{text}` does not exist at run time; import "
                f"or define `{name}` at the top level of the module, outside `if TYPE_CHECKING:`",
                cause=error,
            )
        except Exception as error:
            self._refuse(f"its annotation `{text}` cannot be evaluated: {error}", cause=error)

    def _refuse_type(self, annotation: object) -> NoReturn:
        shown = annotation.__qualname__ if isinstance(annotation, type) else str(annotation)
        self._refuse(f"the type `{shown}` is not supported; supported are {_SUPPORTED}")

    def _refuse(self, why: str, *, cause: Exception | None = None) -> NoReturn:
        raise SignatureError(f"{self._route}: argument `{self._parameter.name}`: {why}") from cause


def _items_converted(container: type, convert: Convert | None) -> Convert | None:
    """Converts every item of a list, and makes the container of them."""
    if convert is None:
        return None if container is list else container
    return lambda items: container(convert(item) for item in items)
