"""What the tests of route collection work with."""

import importlib
import textwrap
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from spikard import Spikard

__all__ = ["Modules", "Served"]

Served = Callable[[Spikard], list[str]]
"""Lists what an app serves, such as ``GET /items``, in order."""


class Modules:
    """Modules that live in a folder of the test, and in `sys.modules` while the test runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.roots: set[str] = set()

    def write(self, name: str, source: str) -> Path:
        """Writes the source of a module; a dotted name makes the packages around it."""
        self.roots.add(name.partition(".")[0])
        path = self.folder.joinpath(*name.split(".")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(source))
        importlib.invalidate_caches()
        return path

    def load(self, name: str, source: str | None = None) -> ModuleType:
        """Imports a module, written before or now."""
        if source is not None:
            self.write(name, source)
        return importlib.import_module(name)
