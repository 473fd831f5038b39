"""Fixtures that several test files share."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from collecting import Modules, Served
from spikard import Spikard


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Modules]:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    written = Modules(tmp_path)
    yield written
    for name in list(sys.modules):
        if name.partition(".")[0] in written.roots:
            del sys.modules[name]


@pytest.fixture
def served() -> Served:
    def served(app: Spikard) -> list[str]:
        return [f"{route.method} {route.path}" for route in app.routes]

    return served
