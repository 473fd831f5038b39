"""Spikard: Python web applications on a Rust HTTP runtime."""

from spikard.app import Spikard
from spikard.config import ServerConfig
from spikard.description import RouteDescription
from spikard.exceptions import (
    ConfigError,
    RouteError,
    SignatureError,
    SpikardError,
    UnattachedRoutesWarning,
)
from spikard.params import Path, Query
from spikard.responses import Response
from spikard.routing import Router, delete, get, head, options, patch, post, put, route, trace

__all__ = [
    "ConfigError",
    "Path",
    "Query",
    "Response",
    "RouteDescription",
    "RouteError",
    "Router",
    "ServerConfig",
    "SignatureError",
    "Spikard",
    "SpikardError",
    "UnattachedRoutesWarning",
    "delete",
    "get",
    "head",
    "options",
    "patch",
    "post",
    "put",
    "route",
    "trace",
]
