"""What the annotation of a parameter comes to: a JSON Schema, and what makes the object."""

import datetime
import decimal
import enum
import inspect
import math
import operator
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NoReturn

from spikard.annotations import ArgumentError, Scope, shown
from spikard.constraints import BOUNDS, LENGTHS, Limits, json_number, read_limits
from spikard.exceptions import ErrorEntry, ValidationError
from spikard.scalars import PLAIN, SCALARS, Convert

__all__ = ["Kind", "KindReader", "check_agreement", "is_untyped"]

_SUPPORTED = (
    f"{', '.join(sorted(kind.__name__ for kind in SCALARS if isinstance(kind, type)))}, "
    "Literal, Enum, unions of these, "
    "each also as `T | None` and inside list, set, frozenset or tuple[T, ...]"
)

_CONTAINERS: tuple[type, ...] = (list, set, frozenset, tuple)

# Types with an order that travel as texts: their bounds are checked on the object.
_ORDERED: dict[object, tuple[type, ...]] = {
    decimal.Decimal: (decimal.Decimal, int, float),
    datetime.date: (datetime.date,),
    datetime.timedelta: (datetime.timedelta,),
}


# Keywords of a schema that say the type in their own way.
_TYPELESS = {"$ref", "allOf", "anyOf", "oneOf"}


@dataclass(frozen=True, slots=True)
class Kind:
    """What an annotation comes to."""

    schema: dict[str, object]
    """JSON Schema of the value; empty where the annotation says nothing."""
    convert: Convert | None = None
    """Makes the object; ``None`` where the value is the object already."""
    optional: bool = False
    """Whether the annotation allows ``None``."""
    ordered: type | None = None
    """The type, if its bounds are checked on the object."""
    members: tuple["Kind", ...] = ()
    """The members of a union, of a literal or of an enumeration of several plain types."""


class KindReader:
    """Reads the annotations of one argument.

    Args:
        scope: What annotations may use.
        loc: Place of the argument in errors.
    """

    def __init__(self, scope: Scope, loc: tuple[str, str]) -> None:
        """Holds the values; see the class for their meaning."""
        self._scope = scope
        self._loc = loc

    def read(self, annotation: object, metadata: tuple[object, ...] = ()) -> Kind:
        """What the annotation, and the metadata around it, come to.

        Raises:
            ArgumentError: The type cannot be a parameter, or a limit is not for it.
        """
        annotation, inside = self._scope.unwrapped(annotation)
        metadata += inside
        members = self._scope.members(annotation)
        if members is not None and type(None) in members:
            rest = [member for member in members if member is not type(None)]
            if len(rest) == 1:
                return replace(self.read(rest[0], metadata), optional=True)
            union = self._limited(self._union(rest, annotation), read_limits(metadata))
            return replace(union, optional=True)
        limits = read_limits(metadata)
        if is_untyped(annotation):
            return self._limited_text(limits)
        origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
        container = next((kind for kind in _CONTAINERS if kind is (origin or annotation)), None)
        if container is None:
            return self._limited(self._scalar(annotation), limits)
        if container is tuple and inner[1:] not in ((), (...,)):
            _refuse_type(annotation)
        item = self._item(inner[0]) if inner else Kind({"type": "string"})
        schema: dict[str, object] = {"type": "array", "items": item.schema}
        return self._limited(Kind(schema, _items_converted(container, item.convert)), limits)

    def _item(self, annotation: object) -> Kind:
        annotation, metadata = self._scope.unwrapped(annotation)
        kind = self._scalar(annotation)
        if kind.optional:
            _refuse_type(annotation)
        return self._limited(kind, read_limits(metadata))

    def _scalar(self, annotation: Any) -> Kind:
        members = self._scope.members(annotation)
        if members is not None:
            if type(None) in members:
                _refuse_type(annotation)
            return self._union(members, annotation)
        if typing.get_origin(annotation) is typing.Literal:
            return _literal(annotation)
        if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
            return _enumeration(annotation)
        try:
            scalar = SCALARS.get(annotation)
        except TypeError:
            # Not hashable, so no type at all.
            scalar = None
        if scalar is None:
            _refuse_type(annotation)
        ordered = annotation if annotation in _ORDERED else None
        return Kind(dict(scalar.schema), scalar.convert, ordered=ordered)

    def _union(self, members: list[Any], annotation: object) -> Kind:
        kinds = []
        for member in members:
            try:
                kinds.append(self._item(member))
            except ArgumentError as error:
                if "is not supported" in str(error):
                    _refuse_type(annotation)
                raise
        return _any_of(kinds)

    def _limited_text(self, limits: Limits) -> Kind:
        """Limits of an argument without a type: text is the default, if they are for text."""
        for word in BOUNDS:
            if word in limits.words and "type" not in limits.raw:
                raise ArgumentError(
                    f"`{word}` needs a type; annotate the argument, as in `value: int`"
                )
        if not limits:
            return Kind({})
        if not limits.words and not limits.raw:
            return Kind({**limits.notes})
        text: dict[str, object] = {"type": limits.raw.get("type", "string")}
        if not limits.words and not _TYPELESS.isdisjoint(limits.raw):
            text = {}
        return self._limited(Kind(text), limits)

    def _limited(self, kind: Kind, limits: Limits) -> Kind:
        """The kind with the limits in its schema, and in its conversion where they must be."""
        if not limits:
            return kind
        if kind.members and limits.words:
            kind = self._limited_members(kind, limits)
        else:
            kind = self._limited_single(kind, limits)
        check_agreement(kind, limits.raw)
        return replace(kind, schema={**kind.schema, **limits.notes, **limits.raw})

    def _limited_members(self, kind: Kind, limits: Limits) -> Kind:
        """Every member takes the words that are for it, and every word must be for some member."""
        for word in limits.words:
            if not any(word in _words_for(member) for member in kind.members):
                _refuse_word(word, kind)
        members = []
        for member in kind.members:
            own = {w: values for w, values in limits.words.items() if w in _words_for(member)}
            members.append(self._limited_single(member, Limits(own)))
        return replace(_any_of(members), optional=kind.optional)

    def _limited_single(self, kind: Kind, limits: Limits) -> Kind:
        for word in limits.words:
            if word not in _words_for(kind):
                _refuse_word(word, kind)
        schema = dict(kind.schema)
        if kind.ordered is not None:
            return replace(kind, convert=self._bounded(kind, limits))
        if schema.get("type") == "array":
            schema |= limits.lengths("minItems", "maxItems")
        elif schema.get("type") == "string":
            schema |= limits.lengths("minLength", "maxLength") | limits.patterns()
        else:
            schema |= limits.numeric()
        return replace(kind, schema=schema)

    def _bounded(self, kind: Kind, limits: Limits) -> Convert | None:
        if not limits.words or kind.ordered is None or kind.convert is None:
            return kind.convert
        limits = Limits(
            {w: [_bound(kind.ordered, w, v) for v in limits.words[w]] for w in limits.words}
        )
        rules = [(word, bound) for word, bound in limits.tightest().items()]
        rules += [("multiple_of", bound) for bound in limits.words.get("multiple_of", ())]
        return _Bounded(kind.convert, self._loc, rules)


def check_agreement(kind: Kind, schema: Mapping[str, object]) -> None:
    """Makes sure that a value of the schema is what the annotation asks for.

    Raises:
        ArgumentError: It is of another type.
    """
    says, wants = schema.get("type"), kind.schema.get("type")
    if isinstance(says, str) and isinstance(wants, str) and says != wants:
        raise ArgumentError(
            f"its annotation asks for a value of type {wants}, but its schema says {says}"
        )


def is_untyped(annotation: object) -> bool:
    """Whether an annotation says nothing."""
    return annotation in (inspect.Parameter.empty, Any, object)


_RULES: dict[str, tuple[Callable[[Any, Any], bool], str, str]] = {
    "gt": (operator.gt, "greater_than", "Input should be greater than {}"),
    "ge": (operator.ge, "greater_than_equal", "Input should be greater than or equal to {}"),
    "lt": (operator.lt, "less_than", "Input should be less than {}"),
    "le": (operator.le, "less_than_equal", "Input should be less than or equal to {}"),
    "multiple_of": (
        lambda value, of: value % of == 0,
        "validation_error",
        "Value must be a multiple of {}",
    ),
}


class _Bounded:
    """Converts a text, and refuses an object out of bounds with the words of the wire."""

    __slots__ = ("_convert", "_loc", "_rules")

    def __init__(self, convert: Convert, loc: tuple[str, str], rules: list[tuple[str, Any]]):
        self._convert = convert
        self._loc = loc
        self._rules = rules

    def __call__(self, text: Any) -> object:
        value = self._convert(text)
        broken = [
            ErrorEntry(
                type=type_,
                loc=[*self._loc],
                msg=message.format(bound),
                input=text,
                ctx={word: _plain(bound)},
            )
            for word, bound in self._rules
            for holds, type_, message in [_RULES[word]]
            if not holds(value, bound)
        ]
        if broken:
            raise ValidationError(broken)
        return value


def _plain(bound: Any) -> object:
    is_number = isinstance(bound, int | decimal.Decimal)
    return json_number(bound) if is_number else str(bound)


def _bound(kind: type, word: str, value: Any) -> Any:
    """The bound as an object of the type that it bounds."""
    fits = isinstance(value, _ORDERED[kind]) and not isinstance(value, bool | datetime.datetime)
    if kind is decimal.Decimal and fits:
        number = decimal.Decimal(str(value)) if isinstance(value, float) else value
        if not math.isfinite(number) or (word == "multiple_of" and number <= 0):
            raise ArgumentError(f"`{word}={value!r}` is no possible bound")
        return number
    if not fits:
        raise ArgumentError(f"`{word}={value!r}` must be a {kind.__name__}")
    return value


def _words_for(kind: Kind) -> tuple[str, ...]:
    """The words that say something about values of the kind."""
    if kind.ordered is not None:
        return BOUNDS if kind.ordered is decimal.Decimal else BOUNDS[:4]
    if "enum" in kind.schema:
        return ()
    match kind.schema.get("type"):
        case "integer" | "number":
            return BOUNDS
        case "array":
            return LENGTHS
        case "string" if "format" not in kind.schema:
            return (*LENGTHS, "pattern")
    return ()


def _refuse_word(word: str, kind: Kind) -> NoReturn:
    if word in BOUNDS:
        fits = "numbers, Decimal" + ("" if word == "multiple_of" else ", date and timedelta")
    elif word in LENGTHS:
        fits = "texts and lists"
    else:
        fits = "texts"
    hint = ""
    if kind.schema.get("type") == "array":
        hint = f"; for the items write `list[Annotated[T, Query({word}=...)]]`"
    raise ArgumentError(f"`{word}` is for {fits}, which its type is not{hint}")


def _refuse_type(annotation: object) -> NoReturn:
    raise ArgumentError(
        f"the type `{shown(annotation)}` is not supported; supported are {_SUPPORTED}"
    )


def _literal(annotation: Any) -> Kind:
    objects: dict[tuple[type, object], object] = {}
    is_optional = False
    for item in _literal_items(annotation):
        if item is None:
            is_optional = True
        else:
            value = item.value if isinstance(item, enum.Enum) else item
            if type(value) not in PLAIN:
                raise ArgumentError(
                    f"`{shown(annotation)}` has {value!r}, which no text stands for"
                )
            objects.setdefault((type(value), value), item)
    if not objects:
        _refuse_type(annotation)
    return replace(_choice(objects), optional=is_optional)


def _literal_items(annotation: Any) -> typing.Iterator[Any]:
    for item in typing.get_args(annotation):
        if typing.get_origin(item) is typing.Literal:
            yield from _literal_items(item)
        else:
            yield item


def _enumeration(annotation: type[enum.Enum]) -> Kind:
    objects: dict[tuple[type, object], object] = {}
    for item in annotation:
        value = item.value
        # A member of `class Color(str, Enum)` has a value of a plain type; so has an `IntEnum`.
        if type(value) not in PLAIN:
            raise ArgumentError(
                f"`{annotation.__qualname__}.{item.name}` has the value {value!r}; values of an "
                "enumeration in a request must be str, int, float or bool"
            )
        objects[type(value), value] = item
    if not objects:
        _refuse_type(annotation)
    kind = _choice(objects)
    # Calling the type lets its own `_missing_` decide as well.
    return kind if kind.members else replace(kind, convert=annotation)


def _choice(objects: dict[tuple[type, object], object]) -> Kind:
    """One of some values, each standing for an object."""
    kinds = []
    for plain in dict.fromkeys(type_ for type_, _ in objects):
        chosen = {value: item for (type_, value), item in objects.items() if type_ is plain}
        schema: dict[str, object] = {"type": PLAIN[plain], "enum": [*chosen]}
        is_itself = all(value is item for value, item in chosen.items())
        kinds.append(Kind(schema, None if is_itself else _Lookup(chosen)))
    return kinds[0] if len(kinds) == 1 else _any_of(kinds)


class _Lookup:
    """Gives the object that a value stands for."""

    __slots__ = ("_objects",)

    def __init__(self, objects: dict[Any, object]):
        self._objects = objects

    def __call__(self, value: Any) -> object:
        try:
            return self._objects[value]
        except KeyError:
            raise ValueError(f"{value!r} is none of the values") from None


def _any_of(kinds: list[Kind]) -> Kind:
    flat = [member for kind in kinds for member in (kind.members or (kind,))]
    convert = _FirstOf(flat) if any(kind.convert for kind in flat) else None
    return Kind({"anyOf": [kind.schema for kind in flat]}, convert, members=tuple(flat))


class _FirstOf:
    """Converts a value of a union: the first member of its plain type that takes it.

    Rust tries the members in order as well, so a text comes here only as a text, and a number as
    the first kind of number that it is.
    """

    __slots__ = ("_members",)

    def __init__(self, members: list[Kind]):
        types = {name: plain for plain, name in PLAIN.items()}
        self._members = [(types[str(kind.schema["type"])], kind.convert) for kind in members]

    def __call__(self, value: Any) -> object:
        refusal: Exception | None = None
        for plain, convert in self._members:
            if plain is not type(value):
                continue
            if convert is None:
                return value
            try:
                return convert(value)
            except (ValueError, ArithmeticError, ValidationError) as error:
                refusal = refusal or error
        raise refusal or ValueError(f"{value!r} has none of the types")


def _items_converted(container: type, convert: Convert | None) -> Convert | None:
    """Converts every item of a list, and makes the container of them."""
    if convert is None:
        return None if container is list else container
    return lambda items: container(convert(item) for item in items)
