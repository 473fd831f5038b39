"""`ServerConfig`: defaults, ranges, and what its errors say."""

import dataclasses
import inspect
from typing import Any

import pytest

from spikard import ConfigError, ServerConfig, Spikard


def configured(fields: dict[str, Any]) -> ServerConfig:
    config = ServerConfig(**fields)
    config.validate()
    return config


def test_defaults() -> None:
    assert dataclasses.asdict(ServerConfig()) == {
        "host": "127.0.0.1",
        "port": 8000,
        "backlog": 2048,
        "shutdown_timeout": 30.0,
        "keep_alive_timeout": 75.0,
        "header_read_timeout": 10.0,
        "max_header_bytes": 65_536,
        "max_request_line_bytes": 8192,
        "max_body_size": 10_485_760,
        "max_connections": 10_000,
    }


# field, lowest and highest value
INTEGERS = [
    ("port", 0, 65_535),
    ("backlog", 1, 65_535),
    ("max_header_bytes", 8192, 16_777_216),
    ("max_request_line_bytes", 64, 65_534),
    ("max_connections", 1, 1_000_000),
]


@pytest.mark.parametrize(("field", "low", "high"), INTEGERS)
def test_integers(field: str, low: int, high: int) -> None:
    for value in (low, high):
        assert getattr(configured({field: value}), field) == value
    refused: list[Any] = [low - 1, high + 1, True, str(low), float(low), None]
    for value in refused:
        with pytest.raises(ConfigError) as error:
            configured({field: value})
        assert str(error.value) == (
            f"`{field}` is {value!r} ({type(value).__name__}); "
            f"it must be an integer from {low} to {high}"
        )


@pytest.mark.parametrize(
    ("field", "zero"),
    [("shutdown_timeout", True), ("keep_alive_timeout", True), ("header_read_timeout", False)],
)
def test_seconds(field: str, zero: bool) -> None:
    for value in (0.001, 3, 86_400, *([0, 0.0] if zero else [])):
        assert getattr(configured({field: value}), field) == value
    refused: list[Any] = [
        -1,
        86_401,
        float("nan"),
        float("inf"),
        True,
        "30",
        None,
        *([] if zero else [0, 0.0]),
    ]
    for value in refused:
        with pytest.raises(ConfigError) as error:
            configured({field: value})
        assert f"`{field}` is {value!r}" in str(error.value)
        assert f"seconds {'from' if zero else 'above'} 0 to 86400" in str(error.value)


def test_hosts() -> None:
    for host in ("0.0.0.0", "::", "::1", "localhost", "api.example.com"):
        assert configured({"host": host}).host == host
    # host, part of the message
    cases: list[tuple[Any, str]] = [
        ("", "without scheme, brackets or path"),
        ("http://localhost", "without scheme, brackets or path"),
        ("[::1]", "without scheme, brackets or path"),
        ("local host", "without scheme, brackets or path"),
        ("0.0.0.0:80", "the port goes into `port`"),
        (None, "a host name or an address"),
        (b"localhost", "a host name or an address"),
    ]
    for host, message in cases:
        with pytest.raises(ConfigError) as error:
            configured({"host": host})
        assert f"`host` is {host!r}" in str(error.value), host
        assert message in str(error.value), host


def test_unknown_fields_suggest_known_ones() -> None:
    # field, part of the message
    for field, message in [
        ("prot", "no field `prot`; did you mean `port`?"),
        ("max_connection", "did you mean `max_connections`?"),
        ("colour", "its fields are host, port, backlog"),
    ]:
        with pytest.raises(TypeError) as error:
            configured({field: 1})
        assert message in str(error.value)


def test_it_is_a_frozen_value() -> None:
    config = ServerConfig(port=80)
    assert config == ServerConfig(port=80) != ServerConfig(port=81)
    assert hash(config) == hash(ServerConfig(port=80))
    assert dataclasses.replace(config, port=81).port == 81
    assert not hasattr(config, "__dict__")
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.port = 81  # type: ignore[misc]
    with pytest.raises(TypeError):
        ServerConfig("127.0.0.1")  # type: ignore[call-arg]


def test_every_field_is_documented() -> None:
    source = inspect.getsource(ServerConfig)
    for field in dataclasses.fields(ServerConfig):
        _, _, after = source.partition(f"    {field.name}: ")
        assert after.splitlines()[1].startswith('    """'), field.name


def test_an_app_checks_its_config_when_it_freezes() -> None:
    app = Spikard(config=ServerConfig(port=70_000))
    with pytest.raises(ConfigError, match="`port` is 70000"):
        app.freeze()


def test_an_app_has_a_config() -> None:
    config = ServerConfig(port=80)
    assert Spikard(config=config).config is config
    assert Spikard().config == ServerConfig()
    with pytest.raises(ConfigError, match="`config` is 80; it must be a ServerConfig"):
        Spikard(config=80)  # type: ignore[arg-type]
