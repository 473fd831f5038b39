"""Spikard: Python web applications on a Rust HTTP runtime."""

from typing import TYPE_CHECKING

from spikard.app import Spikard
from spikard.config import ServerConfig
from spikard.cookies import SetCookie
from spikard.description import RouteDescription
from spikard.exceptions import (
    BadRequest,
    ConfigError,
    Conflict,
    ErrorEntry,
    Gone,
    HTTPException,
    InternalServerError,
    MethodNotAllowed,
    NotAuthorized,
    NotFound,
    PermissionDenied,
    RequestEntityTooLarge,
    RouteError,
    ServiceUnavailable,
    SignatureError,
    SpikardError,
    TooManyRequests,
    UnattachedRoutesWarning,
    UnsupportedMediaType,
    ValidationError,
)
from spikard.params import Body, Cookie, Form, Header, Path, Query
from spikard.responses import Redirect, Response, StreamingResponse
from spikard.routing import Router, delete, get, head, options, patch, post, put, route, trace

if TYPE_CHECKING:
    from spikard._spikard import Request
    from spikard.uploads import UploadFile

__all__ = [
    "BadRequest",
    "Body",
    "ConfigError",
    "Conflict",
    "Cookie",
    "ErrorEntry",
    "Form",
    "Gone",
    "HTTPException",
    "Header",
    "InternalServerError",
    "MethodNotAllowed",
    "NotAuthorized",
    "NotFound",
    "Path",
    "PermissionDenied",
    "Query",
    "Redirect",
    "Request",
    "RequestEntityTooLarge",
    "Response",
    "RouteDescription",
    "RouteError",
    "Router",
    "ServerConfig",
    "ServiceUnavailable",
    "SetCookie",
    "SignatureError",
    "Spikard",
    "SpikardError",
    "StreamingResponse",
    "TooManyRequests",
    "UnattachedRoutesWarning",
    "UnsupportedMediaType",
    "UploadFile",
    "ValidationError",
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

if not TYPE_CHECKING:
    # The compiled part, and what needs much of the standard library, wait until they are asked for.
    _IN_MODULES = {"Request": "spikard._spikard", "UploadFile": "spikard.uploads"}

    def __getattr__(name: str) -> object:
        """Imports what few applications use."""
        if name not in _IN_MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        value = getattr(import_module(_IN_MODULES[name]), name)
        globals()[name] = value
        return value
