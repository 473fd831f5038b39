"""From a handler's signature to the plan of its inputs: compiled once, when the app freezes.

Every argument has a role. A marker gives it; without one, a name of the path template is a path
parameter, a type with fields or a dictionary is the content, and everything else is a query
parameter. `Request` and `UploadFile` say their role themselves.
"""

import inspect
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Literal

from spikard.annotations import ArgumentError, Scope, scope_of, shown
from spikard.bodies import (
    explained,
    is_content,
    is_stream,
    is_upload,
    is_whole_form,
    native_name,
)
from spikard.content import content_plan, whole_of
from spikard.declared import (
    DeclaredParameter,
    argument_name,
    declared_parameters,
    file_rules,
)
from spikard.description import RouteDescription
from spikard.exceptions import SignatureError
from spikard.kinds import Kind, KindReader, check_agreement, is_untyped
from spikard.models import Field, fields_of, is_model, is_pydantic, maker_of
from spikard.params import ParameterMarker
from spikard.plan import Argument, CompiledRoute
from spikard.slots import Default, Role, Slot, only_marker

__all__ = ["compile_route"]

Place = Literal["path", "query", "header", "cookie"]

# Name of a path parameter, with or without a converter: `{id}`, `{id:int}`.
_TEMPLATE_NAME = re.compile(r"\{([^{}:]+)(?::[^{}]*)?\}")

# Name of a field or a cookie: a token (RFC 9110, 5.6.2).
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")

# Content of these requests has no meaning (RFC 9110, 9.3), so none is expected by type alone.
_WITHOUT_CONTENT = ("GET", "HEAD", "OPTIONS", "TRACE", "CONNECT")

_BINARY: dict[str, object] = {"type": "string", "format": "binary"}


def compile_route(route: RouteDescription) -> CompiledRoute:
    """Compiles the signature of a route's handler.

    Raises:
        SignatureError: An argument cannot be served; the message names it and the fix.
    """
    inputs = _Inputs(route)
    return CompiledRoute(
        method=route.method,
        path=route.path,
        handler=route.handler,
        name=route.handler_name,
        location=route.location,
        arguments=inputs.arguments,
        checked=inputs.checked,
        body=inputs.body,
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
    # functools.partial settles its keyword arguments; they are no input of the request.
    settled = getattr(route.handler, "keywords", None) or {}
    return [it for it in signature.parameters.values() if it.name not in settled]


class _Inputs:
    """The inputs of one route."""

    def __init__(self, route: RouteDescription) -> None:
        self._route = route
        self._in_path = set(_TEMPLATE_NAME.findall(route.path))
        self._scope = scope_of(route.handler)
        parameters = _parameters(route)
        names = {parameter.name: parameter for parameter in parameters}
        with self._blaming(None):
            self._declared = {
                argument_name(it.wire_name, names): it
                for it in declared_parameters(route.parameter_schema)
            }
            self._rules = {
                argument_name(it.field, names): it for it in file_rules(route.file_params)
            }
        slots = []
        for parameter in parameters:
            with self._blaming(parameter.name):
                slots.append(self._slot(parameter))
        self._settle_open(slots)
        plans = {slot.name: self._argument(slot) for slot in slots}
        self.checked = tuple(
            self._checked(declared)
            for name, declared in self._declared.items()
            if name not in plans
        )
        with self._blaming(None):
            whole = whole_of(slots)
        with self._blaming(whole.name if whole else None):
            rules = [*self._rules.values()]
            self.body = content_plan(whole, [*plans.values()], rules, route.body_schema)
        self.arguments = tuple(plans.values())
        self._refuse_doubles()

    @contextmanager
    def _blaming(self, name: str | None) -> Iterator[None]:
        """Says which argument of which handler a mistake is about."""
        where = f"{self._route}: argument `{name}`" if name else str(self._route)
        try:
            yield
        except ArgumentError as error:
            raise SignatureError(f"{where}: {error}") from error.__cause__
        except RecursionError as error:
            raise SignatureError(f"{where}: its annotation refers to itself without end") from error

    def _slot(self, parameter: inspect.Parameter) -> Slot:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            stars = "*" if parameter.kind is parameter.VAR_POSITIONAL else "**"
            raise ArgumentError(
                f"`{stars}{parameter.name}` has no names to look for in a request; name "
                "every argument"
            )
        annotation, metadata = self._scope.unwrapped(parameter.annotation)
        written = parameter.default
        if isinstance(written, ParameterMarker):
            metadata = (written, *metadata)
            written = inspect.Parameter.empty
        slot = Slot(
            name=parameter.name,
            written_default=written,
            keyword_only=parameter.kind is parameter.KEYWORD_ONLY,
            annotation=self._scope.deep(annotation),
            metadata=metadata,
            marker=only_marker(metadata),
        )
        slot.role = self._role(slot)
        return slot

    def _role(self, slot: Slot) -> Role:
        marker, bare = slot.marker, slot.bare
        if native_name(bare) == "Request":
            if marker is not None:
                raise ArgumentError("the request itself takes no marker; remove it")
            return "request"
        if self._is_file(bare):
            if marker is not None and marker.source != "form":
                raise ArgumentError("a file is a field of a form; its marker is Form()")
            return "file"
        if slot.name in self._declared:
            if marker is not None:
                raise ArgumentError("it is in `parameter_schema` and has a marker; keep one")
            return "declared"
        if marker is not None:
            if marker.source == "body":
                return "body"
            if marker.source == "form":
                return "form" if is_whole_form(slot.annotation) else "field"
            return "model" if is_model(bare) else "parameter"
        if slot.name in self._in_path:
            return "parameter"
        if slot.name in self._rules:
            return "file"
        if is_content(slot.annotation) or is_stream(slot.annotation):
            if self._route.method in _WITHOUT_CONTENT:
                raise ArgumentError(
                    f"`{shown(slot.annotation)}` is content, and a {self._route.method} request "
                    "has none; write `Annotated[..., Query()]` for parameters, or Body() where "
                    "it is content in spite of that"
                )
            return "body"
        is_open = is_untyped(slot.annotation) and slot.written_default is inspect.Parameter.empty
        takes_content = self._route.body_schema is not None or bool(self._rules)
        return "open" if is_open and takes_content else "parameter"

    def _is_file(self, bare: Any) -> bool:
        return is_upload(bare) or is_upload(_items_of(bare))

    def _settle_open(self, slots: list[Slot]) -> None:
        """Finds the argument for the content among those that say nothing of themselves."""
        has_body = any(slot.role in ("body", "form") for slot in slots)
        if self._route.body_schema is None:
            # Of a route that declares files alone, the arguments of their names take the content.
            has_body = has_body or any(slot.role == "file" for slot in slots)
        candidates = [slot for slot in slots if slot.role == "open"]
        if not has_body and len(candidates) > 1:
            names = " and ".join(f"`{slot.name}`" for slot in candidates)
            raise SignatureError(
                f"{self._route}: {names} could each be the content of `body_schema`; mark the "
                "one that is with Body()"
            )
        for slot in candidates:
            slot.role = "parameter" if has_body else "body"

    def _argument(self, slot: Slot) -> Argument:
        with self._blaming(slot.name):
            match slot.role:
                case "request":
                    return Argument(
                        name=slot.name,
                        kind="request",
                        source="request",
                        wire_name="",
                        schema={},
                        required=True,
                        keyword_only=slot.keyword_only,
                    )
                case "declared":
                    return self._declared_argument(slot, self._declared[slot.name])
                case "model":
                    return self._model(slot)
                case "field":
                    return self._field(slot)
                case "file":
                    return self._file(slot)
                case "body" | "form":
                    default = self._default(slot, is_optional=slot.is_optional)
                    return Argument(
                        name=slot.name,
                        kind="body",
                        source="body",
                        wire_name="",
                        schema={},
                        required=default.required,
                        default=default.value,
                        default_factory=default.factory,
                        keyword_only=slot.keyword_only,
                    )
                case _:
                    return self._parameter(slot)

    def _parameter(self, slot: Slot) -> Argument:
        marker = slot.marker
        source, wire_name = self._place(slot.name, marker)
        kind = self._kind(source, wire_name, slot)
        default = self._default(slot, is_optional=kind.optional, in_path=source == "path")
        return _parameter(slot.name, source, wire_name, kind, default, marker, slot.keyword_only)

    def _kind(self, source: str, wire_name: str, slot: Slot) -> Kind:
        return self._read(self._scope, source, wire_name, slot.annotation, slot.metadata)

    def _read(
        self,
        scope: Scope,
        source: str,
        wire_name: str,
        annotation: Any,
        metadata: tuple[object, ...],
    ) -> Kind:
        place = {"header": "headers"}.get(source, source)
        return KindReader(scope, (place, wire_name)).read(annotation, metadata)

    def _place(
        self, name: str, marker: ParameterMarker | None, alias: str | None = None
    ) -> tuple[Place, str]:
        """Where a parameter is in the request, and its name there."""
        if marker is not None and marker.alias is not None:
            alias = marker.alias
        wire_name = alias or name
        if marker is None:
            return ("path" if wire_name in self._in_path else "query"), wire_name
        if marker.source == "body" or marker.source == "form":
            raise ArgumentError("a parameter cannot be the content of the request")
        if marker.source == "path" and wire_name not in self._in_path:
            raise ArgumentError(f"Path() needs `{{{wire_name}}}` in the path template")
        if marker.source == "header":
            if alias is None and marker.convert_underscores:
                wire_name = wire_name.replace("_", "-")
            wire_name = wire_name.lower()
        if marker.source in ("header", "cookie") and not _TOKEN.fullmatch(wire_name):
            raise ArgumentError(f"`{wire_name}` cannot be the name of a {marker.source}")
        return marker.source, wire_name

    def _default(self, slot: Slot, *, is_optional: bool, in_path: bool = False) -> Default:
        written, marker = slot.written_default, slot.marker
        if marker is not None:
            in_marker = marker.default is not ... or marker.default_factory is not None
            if in_marker and in_path:
                raise ArgumentError("a path parameter is always there; remove the default")
            if in_marker and written is not inspect.Parameter.empty:
                raise ArgumentError("it has two defaults; keep one, in the marker or after `=`")
            if marker.default_factory is not None:
                return Default(False, None, marker.default_factory)
            if marker.default is not ...:
                written = marker.default
        if in_path:
            # A handler on two paths may have a default for the one without this parameter.
            return Default(True)
        if written is inspect.Parameter.empty:
            return Default(not is_optional)
        return Default.of(written)

    def _declared_argument(self, slot: Slot, declared: DeclaredParameter) -> Argument:
        kind = self._kind(declared.source, declared.wire_name, slot)
        check_agreement(kind, declared.schema)
        base = {} if kind.members else kind.schema
        kind = replace(kind, schema={**base, **declared.schema})
        default = Default(declared.required)
        if not declared.required and declared.default is not None:
            default = Default.of(_converted(kind, declared.default))
        if declared.source != "path" and slot.written_default is not inspect.Parameter.empty:
            written = Default.of(slot.written_default)
            if not default.required and declared.default not in (None, slot.written_default):
                raise ArgumentError("it has two defaults; keep one, in the schema or after `=`")
            default = written
        self._check_declared(declared)
        plan = _parameter(
            slot.name, declared.source, declared.wire_name, kind, default, None, slot.keyword_only
        )
        return _separated(plan, declared.separator)

    def _checked(self, declared: DeclaredParameter) -> Argument:
        with self._blaming(declared.wire_name):
            self._check_declared(declared)
            default = Default(declared.required)
            kind = Kind(declared.schema)
            plan = _parameter(
                declared.wire_name, declared.source, declared.wire_name, kind, default, None, False
            )
            return _separated(plan, declared.separator)

    def _check_declared(self, declared: DeclaredParameter) -> None:
        if declared.source == "path" and declared.wire_name not in self._in_path:
            raise ArgumentError(f"`{{{declared.wire_name}}}` is missing in the path template")

    def _model(self, slot: Slot) -> Argument:
        marker, model = slot.marker, slot.bare
        assert marker is not None
        has_default = marker.default is not ... or marker.default_factory is not None
        if slot.is_optional or has_default or (slot.written_default is not inspect.Parameter.empty):
            raise ArgumentError(
                f"`{shown(model)}` is made of single parameters, each with a default of its own; "
                "it can have none, nor be None, as a whole"
            )
        if slot.constraints or marker.alias or marker.separator:
            raise ArgumentError(
                f"`{shown(model)}` is made of single parameters; constraints, alias and separator "
                "belong to its fields"
            )
        fields, scope = fields_of(model, self._scope)
        plans = tuple(self._model_field(field, marker, scope) for field in fields)
        build = maker_of(model, [field.name for field in fields])
        if is_pydantic(model):
            place = {"header": "headers"}.get(marker.source, marker.source)
            build = explained(build, (place,), {it.name: it.wire_name for it in plans})
        source, _ = self._place(slot.name, replace(marker, source="query"))
        source = plans[0].source if plans else source  # type: ignore[assignment]
        return Argument(
            name=slot.name,
            kind="model",
            source=source,
            wire_name="",
            schema={},
            required=any(plan.required for plan in plans),
            keyword_only=slot.keyword_only,
            fields=plans,
            build=build,
        )

    def _model_field(self, field: Field, outer: ParameterMarker, scope: Scope) -> Argument:
        try:
            annotation, metadata = scope.unwrapped(field.annotation)
            marker = only_marker(metadata)
            if marker is not None and marker.source != outer.source:
                raise ArgumentError("its marker is not the one of the model")
            marker = marker or replace(outer, default=..., default_factory=None)
            source, wire_name = self._place(field.name, marker, field.alias)
            kind = self._read(scope, source, wire_name, annotation, metadata)
            default = Default(True)
            if field.default_factory is not None:
                default = Default(False, None, field.default_factory)
            elif field.default is not ...:
                default = Default.of(field.default)
            if source == "path":
                default = Default(True)
            return _parameter(field.name, source, wire_name, kind, default, marker, False)
        except ArgumentError as error:
            raise ArgumentError(f"field `{field.name}`: {error}") from error.__cause__

    def _field(self, slot: Slot) -> Argument:
        wire_name = (slot.marker.alias if slot.marker else None) or slot.name
        kind = self._kind("body", wire_name, slot)
        default = self._default(slot, is_optional=kind.optional)
        return Argument(
            name=slot.name,
            kind="field",
            source="body",
            wire_name=wire_name,
            schema=kind.schema or {"type": "string"},
            required=default.required,
            default=default.value,
            default_factory=default.factory,
            convert=kind.convert,
            keyword_only=slot.keyword_only,
        )

    def _file(self, slot: Slot) -> Argument:
        rule = self._rules.get(slot.name)
        alias = slot.marker.alias if slot.marker else None
        if slot.constraints.words:
            raise ArgumentError("what a file must be is said by `file_params` of the route")
        bare = slot.bare
        schema = _BINARY
        convert: Any = None
        if is_upload(_items_of(bare)):
            schema = {"type": "array", "items": _BINARY}
            container = getattr(bare, "__origin__", list)
            convert = None if container is list else container
        default = self._default(slot, is_optional=slot.is_optional)
        if rule is not None and not rule.required and default.required:
            default = Default(False)
        return Argument(
            name=slot.name,
            kind="field",
            source="body",
            wire_name=alias or (rule.field if rule else slot.name),
            schema={**schema, **slot.constraints.notes},
            required=default.required,
            default=default.value,
            default_factory=default.factory,
            convert=convert,
            keyword_only=slot.keyword_only,
        )

    def _refuse_doubles(self) -> None:
        taken: dict[tuple[str, str], str] = {}
        for argument in (*self.arguments, *self.checked):
            for plan in argument.fields or (argument,):
                if not plan.wire_name:
                    continue
                name = argument.name if plan is argument else f"{argument.name}.{plan.name}"
                other = taken.setdefault((plan.source, plan.wire_name), name)
                if other != name:
                    raise SignatureError(
                        f"{self._route}: arguments `{other}` and `{name}` both take the "
                        f"{plan.source} parameter `{plan.wire_name}`; change one alias"
                    )


def _parameter(
    name: str,
    source: Place,
    wire_name: str,
    kind: Kind,
    default: Default,
    marker: ParameterMarker | None,
    keyword_only: bool,
) -> Argument:
    if source == "path" and kind.schema.get("type") == "array":
        raise ArgumentError("a path parameter is one value, not several; use a scalar type")
    plan = Argument(
        name=name,
        source=source,
        wire_name=wire_name,
        schema=kind.schema,
        required=default.required,
        default=default.value,
        default_factory=default.factory,
        convert=kind.convert,
        keyword_only=keyword_only,
    )
    return _separated(plan, marker.separator if marker is not None else None)


def _separated(plan: Argument, separator: str | None) -> Argument:
    if separator is not None and plan.schema.get("type") != "array":
        raise ArgumentError("a separator splits a value into items; annotate it as a list")
    return replace(plan, separator=separator)


def _converted(kind: Kind, value: Any) -> object:
    """A default, given as plain data, as the object that the annotation asks for."""
    if kind.convert is None:
        return value
    try:
        return kind.convert(value)
    except Exception as error:
        raise ArgumentError(f"its default {value!r} is not of its type: {error}") from error


def _items_of(annotation: Any) -> Any:
    """The type of the items of a list, set or tuple."""
    if getattr(annotation, "__origin__", None) in (list, set, frozenset, tuple):
        return annotation.__args__[0]
    return None
