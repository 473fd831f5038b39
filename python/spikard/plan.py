"""What crosses to Rust when an app freezes: one `CompiledRoute` per method and path.

Rust reads these objects by attribute, once, and keeps what it needs; a request touches none.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

__all__ = ["Argument", "CompiledRoute"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """One argument of a handler, and how its value is made."""

    name: str
    """Name in the handler's signature."""
    source: Literal["path", "query"]
    """Place in the request."""
    wire_name: str
    """Name in the request."""
    schema: dict[str, object]
    """JSON Schema of the value; empty where the handler does not say: then the converter of the
    path template decides, and text is the default."""
    required: bool
    """Whether a request without it is refused."""
    default: object = None
    """Value when it is absent; ``None`` where it is required."""
    default_factory: Callable[[], object] | None = None
    """Makes the value when it is absent; goes before `default`."""
    convert: Callable[[object], object] | None = None
    """Turns the value (``str``, ``int``, ``float``, ``bool`` or a list of these) into what the
    annotation asks for, and raises ``ValueError`` or ``ArithmeticError`` where it cannot; ``None``
    where nothing is to be done."""
    keyword_only: bool = False
    """Whether it is passed by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledRoute:
    """One method on one path template, ready to be served."""

    method: str
    """Method in upper case."""
    path: str
    """Path template with all prefixes, such as ``/v1/items/{id:int}``."""
    handler: Callable[..., object]
    """The handler, as the decorator received it."""
    name: str
    """Module and qualified name of the handler, such as ``shop.orders.create``."""
    location: str
    """File and line of the handler, such as ``shop/orders.py:12``."""
    arguments: tuple[Argument, ...]
    """Its arguments, in the order of the signature."""
    status_code: int | None = None
    """Status of a reply that does not carry one; ``None``: 200."""
    sync_to_thread: bool | None = None
    """Where the handler runs: ``True`` on a thread, ``False`` on the loop; ``None``: on the loop
    until it has blocked."""
