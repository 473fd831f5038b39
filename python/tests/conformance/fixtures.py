"""Fixture files: the one loader that pytest and the conformance runner share."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

__all__ = ["TESTING_DATA", "Fixture", "read_folder"]

TESTING_DATA = Path(__file__).resolve().parents[3] / "testing_data"
"""The folder of the fixtures that belong to this workspace."""

_REPEAT = re.compile(r"\{\{\s*repeat\s+'([^']*)'\s+(\d{1,7})\s+times\s*\}\}")


@dataclass(frozen=True, slots=True)
class Fixture:
    """One test case: the content of one file."""

    category: str
    """Folder of the file."""
    name: str
    """Name of the file without ``.json``."""
    document: Mapping[str, Any]
    """What the file says."""

    def __str__(self) -> str:
        """Names the file, as a list of known gaps does."""
        return f"{self.category}/{self.name}.json"

    @property
    def is_exchange(self) -> bool:
        """Whether it is an exchange; otherwise it is a message of a channel."""
        return "request" in self.document

    @property
    def handler(self) -> Mapping[str, Any]:
        """The configuration of the route under test; empty where the request alone describes it."""
        handler: Mapping[str, Any] = self.document.get("handler", {})
        return handler

    @property
    def request(self) -> Mapping[str, Any]:
        """What is sent."""
        request: Mapping[str, Any] = self.document["request"]
        return request

    @property
    def expected(self) -> Mapping[str, Any]:
        """What must come back."""
        expected: Mapping[str, Any] = self.document["expected_response"]
        return expected

    @property
    def path(self) -> str:
        """Path of the request without its query, as sent."""
        path: str = self.request["path"]
        return path.partition("?")[0]

    @property
    def route(self) -> str:
        """Path template of the route under test."""
        route: str = self.handler.get("route", self.path)
        return route

    @property
    def method(self) -> str:
        """Method that the route under test is registered for."""
        method: str = self.handler.get("method", self.request["method"])
        if not self.handler and method == "OPTIONS":
            for name, value in self.request.get("headers", {}).items():
                if name.lower() == "access-control-request-method":
                    method = value
        return method

    def parameters(self, place: str) -> Mapping[str, Mapping[str, Any]]:
        """The declared inputs of one place by their names in the request."""
        places: Mapping[str, Mapping[str, Any]] = self.handler.get("parameters", {})
        return places.get(place, {})

    def path_texts(self) -> dict[str, str] | None:
        """What the path has in the place of each parameter; None if it does not match the route."""
        texts = {}
        template, sent = self.route[1:].split("/"), self.path[1:].split("/")
        for index, segment in enumerate(template):
            takes_rest = segment.endswith(":path}")
            text = unquote("/".join(sent[index:] if takes_rest else sent[index : index + 1]))
            if segment.startswith("{"):
                texts[segment[1:-1].partition(":")[0]] = text
            elif segment != text:
                return None
            if takes_rest:
                return texts if text else None
        return texts if len(template) == len(sent) and all(texts.values()) else None

    def query_texts(self) -> dict[str, str]:
        """The texts that the query has; of a repeated name the last."""
        raw = self.raw_query()
        if raw is not None:
            return dict(parse_qsl(raw, keep_blank_values=True))
        params: Mapping[str, Any] = self.request.get("query_params", {})
        return {name: value for name, value in params.items() if isinstance(value, str)}

    def raw_query(self) -> str | None:
        """The query as it stands in the file; None if it has to be encoded."""
        path: str = self.request["path"]
        _, mark, query = path.partition("?")
        return query if mark else self.request.get("query_string")


def read_folder(folder: Path) -> list[Fixture]:
    """Reads every ``<category>/<name>.json`` of a folder, sorted by category and name.

    Files in the folder itself, and files of other kinds, are left alone. The grammar is checked by
    ``cargo test -p spikard-fixtures``, not here.
    """
    return [
        Fixture(file.parent.name, file.stem, json.loads(expand(file.read_text(encoding="utf-8"))))
        for file in sorted(folder.glob("*/*.json"))
    ]


def expand(text: str) -> str:
    """Writes out ``{{ repeat 'x' 2000 times }}`` in the text of a file."""
    return _REPEAT.sub(lambda match: match[1] * int(match[2]), text)
