"""Everything Spikard raises or warns of on its own account.

SpikardError
├── ConfigError         a setting has the wrong type or is out of range
└── RouteError          a route, or where it belongs, is wrong
    └── SignatureError  a handler's signature cannot be served

UserWarning
└── UnattachedRoutesWarning  routes were declared that no app serves
"""

__all__ = [
    "ConfigError",
    "RouteError",
    "SignatureError",
    "SpikardError",
    "UnattachedRoutesWarning",
]


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
