"""Everything Spikard raises or warns of on its own account, and what handlers raise to answer.

SpikardError
├── ConfigError         a setting has the wrong type or is out of range
├── RouteError          a route, or where it belongs, is wrong
│   └── SignatureError  a handler's signature cannot be served
└── HTTPException       ends a request with a problem document (RFC 9457)
    ├── BadRequest             400
    ├── NotAuthorized          401
    ├── PermissionDenied       403
    ├── NotFound               404
    ├── MethodNotAllowed       405
    ├── Conflict               409
    ├── Gone                   410
    ├── RequestEntityTooLarge  413
    ├── UnsupportedMediaType   415
    ├── ValidationError        422, with a list of errors
    ├── TooManyRequests        429
    ├── InternalServerError    500
    └── ServiceUnavailable     503

UserWarning
└── UnattachedRoutesWarning  routes were declared that no app serves
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NotRequired, TypedDict

__all__ = [
    "BadRequest",
    "ConfigError",
    "Conflict",
    "ErrorEntry",
    "Gone",
    "HTTPException",
    "InternalServerError",
    "MethodNotAllowed",
    "NotAuthorized",
    "NotFound",
    "PermissionDenied",
    "RequestEntityTooLarge",
    "RouteError",
    "ServiceUnavailable",
    "SignatureError",
    "SpikardError",
    "TooManyRequests",
    "UnattachedRoutesWarning",
    "UnsupportedMediaType",
    "ValidationError",
]

Headers = Mapping[str, str] | Sequence[tuple[str, str]]


class SpikardError(Exception):
    """Base of all errors of this package."""


class ConfigError(SpikardError):
    """A setting has the wrong type or is out of range; the message names the field."""


class RouteError(SpikardError):
    """A route is wrong, or it is unclear which app has it; the message says where and why."""


class SignatureError(RouteError):
    """A handler's signature cannot be served; the message names the argument and the fix."""


class UnattachedRoutesWarning(UserWarning):
    """Routes were declared that no app serves; the message says where and how to include them."""


class ErrorEntry(TypedDict):
    """One member of ``errors`` in a problem document of status 422."""

    type: str
    """Code of the cause, such as ``missing``."""
    loc: list[str]
    """Place in the request: ``path``, ``query``, ``headers``, ``cookie``, ``body`` or ``files``,
    then the names and array indices that lead there."""
    msg: str
    """The cause, for people."""
    input: object
    """What was received; ``None`` where nothing was."""
    ctx: NotRequired[Mapping[str, object]]
    """Facts that the message tells, such as the bound."""


class HTTPException(SpikardError):
    """Ends the request with a problem document (RFC 9457).

    It may be raised anywhere below a handler. The named subclasses are the same with the status
    code fixed; subclasses of one's own may fix ``type`` and ``title`` as well, as class attributes.

    Args:
        status_code: Status code, 400 to 599.
        detail: What went wrong this time, for the client; by default the phrase of the status.
        headers: Fields of the response besides ``Content-Type``, as for `Response`.
        type: URI of the kind of problem; by default one that belongs to the status.
        title: Name of the kind of problem; by default one that belongs to the status.
        extra: Further members of the problem document; plain data.
    """

    status_code: int = 500
    """Status code of the response."""
    detail: str = ""
    """What went wrong this time; empty: the phrase of the status."""
    headers: Headers | None = None
    """Fields of the response."""
    type: str | None = None
    """URI of the kind of problem; ``None``: the one of the status."""
    title: str | None = None
    """Name of the kind of problem; ``None``: the one of the status."""
    extra: Mapping[str, object] | None = None
    """Further members of the problem document."""
    errors: tuple[ErrorEntry, ...] = ()
    """The entries of ``errors``; empty for all but a `ValidationError`."""

    def __init__(
        self,
        status_code: int,
        detail: str = "",
        *,
        headers: Headers | None = None,
        type: str | None = None,
        title: str | None = None,
        extra: Mapping[str, object] | None = None,
    ) -> None:
        """Holds the values; see the class for their meaning."""
        super().__init__(status_code, detail)
        self.status_code = status_code
        self._describe(detail, headers, type, title, extra)

    def _describe(
        self,
        detail: str,
        headers: Headers | None,
        type: str | None,
        title: str | None,
        extra: Mapping[str, object] | None,
    ) -> None:
        # What is not given stays as the class says.
        if detail:
            self.detail = detail
        if headers is not None:
            self.headers = headers
        if type is not None:
            self.type = type
        if title is not None:
            self.title = title
        if extra is not None:
            self.extra = extra

    def __str__(self) -> str:
        """Status and detail."""
        return f"{self.status_code}: {self.detail}" if self.detail else str(self.status_code)


class _NamedHTTPException(HTTPException):
    """An `HTTPException` whose class says the status."""

    status_code: int = 500

    def __init__(
        self,
        detail: str = "",
        *,
        headers: Headers | None = None,
        type: str | None = None,
        title: str | None = None,
        extra: Mapping[str, object] | None = None,
    ) -> None:
        """Holds the values; see `HTTPException` for their meaning."""
        Exception.__init__(self, detail)
        self._describe(detail, headers, type, title, extra)


class BadRequest(_NamedHTTPException):
    """400: the request makes no sense."""

    status_code = 400


class NotAuthorized(_NamedHTTPException):
    """401: it is not known who asks; ``headers`` should have a ``WWW-Authenticate``."""

    status_code = 401


class PermissionDenied(_NamedHTTPException):
    """403: who asks may not do this."""

    status_code = 403


class NotFound(_NamedHTTPException):
    """404: there is no such thing."""

    status_code = 404


class MethodNotAllowed(_NamedHTTPException):
    """405: the method is not for this resource; ``headers`` should have an ``Allow``."""

    status_code = 405


class Conflict(_NamedHTTPException):
    """409: the state of the resource does not permit this."""

    status_code = 409


class Gone(_NamedHTTPException):
    """410: there was such a thing, and it will not come back."""

    status_code = 410


class RequestEntityTooLarge(_NamedHTTPException):
    """413: the content is longer than the operation takes."""

    status_code = 413


class UnsupportedMediaType(_NamedHTTPException):
    """415: the content is of a media type that the operation does not take."""

    status_code = 415


class TooManyRequests(_NamedHTTPException):
    """429: the client asks too often; ``headers`` may have a ``Retry-After``."""

    status_code = 429


class InternalServerError(_NamedHTTPException):
    """500: the server failed, and says so on purpose."""

    status_code = 500


class ServiceUnavailable(_NamedHTTPException):
    """503: the server cannot do this now; ``headers`` may have a ``Retry-After``."""

    status_code = 503


class ValidationError(HTTPException):
    """422: parts of the request are wrong, each named by one entry of ``errors``.

    Several are joined with ``+``, or with `combined`.

    Args:
        errors: The entries; usually they come from `from_field`.
        detail: By default the number of errors.
        headers: Fields of the response besides ``Content-Type``.
    """

    status_code: int = 422

    def __init__(
        self,
        errors: Iterable[ErrorEntry] = (),
        *,
        detail: str = "",
        headers: Headers | None = None,
    ) -> None:
        """Holds the values; see the class for their meaning."""
        self.errors = tuple(errors)
        Exception.__init__(self, self.errors)
        self._describe(detail, headers, None, None, None)

    @classmethod
    def from_field(
        cls,
        loc: str | Sequence[str | int],
        msg: str,
        *,
        type: str = "value_error",
        input: object = None,
        ctx: Mapping[str, object] | None = None,
    ) -> "ValidationError":
        """One error at one place.

        Args:
            loc: The place, such as ``("body", "items", 2, "price")``; a text is a place of its own.
            msg: What is wrong, for the client.
            type: Code of the cause.
            input: What was received; plain data.
            ctx: Facts that the message tells; plain data.
        """
        places = [loc] if isinstance(loc, str) else [str(place) for place in loc]
        entry = ErrorEntry(type=type, loc=places, msg=msg, input=input)
        if ctx is not None:
            entry["ctx"] = ctx
        return cls([entry])

    @classmethod
    def combined(cls, errors: Iterable["ValidationError"]) -> "ValidationError":
        """One exception with the entries of all."""
        return cls(entry for error in errors for entry in error.errors)

    def __add__(self, other: "ValidationError") -> "ValidationError":
        """One exception with the entries of both."""
        if not isinstance(other, ValidationError):
            return NotImplemented
        return ValidationError.combined((self, other))

    def __str__(self) -> str:
        """Status, and every place with what is wrong there."""
        listed = "; ".join(f"{'.'.join(entry['loc'])}: {entry['msg']}" for entry in self.errors)
        return f"{self.status_code}: {self.detail or listed}"
