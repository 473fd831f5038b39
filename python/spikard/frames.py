"""Which code is running: the stack frames that decorators and apps are written in."""

import sys
import weakref
from collections.abc import Iterator
from inspect import CO_OPTIMIZED
from types import CodeType, FrameType, ModuleType

__all__ = ["Site", "declaring_frame", "is_function", "location_of", "outward", "site_of"]

Site = ModuleType | CodeType
"""A piece of code that outlives its frame: a module, a function's code, or an `exec`'s."""

# Frames that Python puts between a statement and the code that contains it.
_COMPREHENSIONS = frozenset({"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"})


def outward(frame: FrameType | None) -> Iterator[FrameType]:
    """Yields the frame and its callers, innermost first."""
    while frame is not None:
        yield frame
        frame = frame.f_back


def declaring_frame(frame: FrameType) -> FrameType:
    """Climbs from class bodies and comprehensions to the function or module around them."""
    for outer in outward(frame):
        name = outer.f_code.co_name
        if name == "<module>" or (is_function(outer) and name not in _COMPREHENSIONS):
            return outer
    return frame


def is_function(frame: FrameType) -> bool:
    """Whether the frame belongs to a function, and not to a module, a class body or an `exec`."""
    return bool(frame.f_code.co_flags & CO_OPTIMIZED)


def location_of(frame: FrameType) -> str:
    """File and line the frame is at, such as ``shop/orders.py:12``."""
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def site_of(frame: FrameType) -> Site:
    """The module whose top level the frame runs, or else the code object it runs."""
    if not is_function(frame):
        module = sys.modules.get(frame.f_globals.get("__name__", ""))
        if module is not None and module.__dict__ is frame.f_globals:
            return module
    return frame.f_code


def sites_around(frame: FrameType) -> tuple["weakref.ref[Site]", ...]:
    """The sites of the frame and its callers, held weakly."""
    return tuple(weakref.ref(site_of(outer)) for outer in outward(frame))
