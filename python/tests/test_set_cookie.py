"""The cookies that replies set: `SetCookie`, `set_cookie`, `delete_cookie`."""

import datetime
from collections.abc import Iterable
from typing import Any

import pytest

from spikard import Redirect, Response, SetCookie, Spikard, StreamingResponse
from spikard.testing import TestClient

UTC = datetime.UTC
MOMENT = datetime.datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
EAST = datetime.timezone(datetime.timedelta(hours=5, minutes=30))


def fields_of(reply: object) -> tuple[int, list[str]]:
    """Status and ``Set-Cookie`` fields of a reply."""
    app = Spikard()

    @app.get("/")
    async def handler() -> object:
        return reply

    with TestClient(app) as client:
        response = client.get("/")
    return response.status_code, response.headers.get_list("set-cookie")


def cookies(*given: SetCookie) -> tuple[int, list[str]]:
    return fields_of(Response(None, cookies=given))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, "a=1; Path=/; SameSite=Lax"),
        ({"value": ""}, "a=; Path=/; SameSite=Lax"),
        ({"max_age": 60}, "a=1; Max-Age=60; Path=/; SameSite=Lax"),
        ({"max_age": 0}, "a=1; Max-Age=0; Path=/; SameSite=Lax"),
        ({"max_age": -1}, "a=1; Max-Age=-1; Path=/; SameSite=Lax"),
        (
            {"expires": MOMENT},
            "a=1; Expires=Wed, 02 Jan 2030 03:04:05 GMT; Path=/; SameSite=Lax",
        ),
        (
            {"expires": MOMENT.astimezone(EAST)},
            "a=1; Expires=Wed, 02 Jan 2030 03:04:05 GMT; Path=/; SameSite=Lax",
        ),
        ({"path": "/deep"}, "a=1; Path=/deep; SameSite=Lax"),
        ({"path": None}, "a=1; SameSite=Lax"),
        ({"domain": "example.com"}, "a=1; Path=/; Domain=example.com; SameSite=Lax"),
        ({"secure": True}, "a=1; Path=/; Secure; SameSite=Lax"),
        ({"httponly": True}, "a=1; Path=/; HttpOnly; SameSite=Lax"),
        ({"samesite": "strict"}, "a=1; Path=/; SameSite=Strict"),
        ({"samesite": "none", "secure": True}, "a=1; Path=/; Secure; SameSite=None"),
        ({"samesite": None}, "a=1; Path=/"),
        (
            {
                "max_age": 5,
                "expires": MOMENT,
                "path": "/p",
                "domain": "d",
                "secure": True,
                "httponly": True,
                "samesite": "strict",
            },
            "a=1; Max-Age=5; Expires=Wed, 02 Jan 2030 03:04:05 GMT; Path=/p; Domain=d; Secure; "
            "HttpOnly; SameSite=Strict",
        ),
    ],
    ids=str,
)
def test_attributes(options: dict[str, Any], expected: str) -> None:
    given: dict[str, Any] = {"value": "1", **options}
    assert cookies(SetCookie(name="a", **given)) == (200, [expected])
    reply = Response(None)
    reply.set_cookie("a", **given)
    assert fields_of(reply) == (200, [expected])


@pytest.mark.parametrize("name", ["a", "__Host-a", "a.b", "!#$%&'*+-.^_`|~09"])
@pytest.mark.parametrize("value", ["", "x", "a=b==", "!#$%&'()*+-./:<=>?@[]^_`{|}~", "x" * 4000])
def test_names_and_values_that_are_allowed(name: str, value: str) -> None:
    reply = cookies(SetCookie(name=name, value=value, path=None, samesite=None))
    assert reply == (200, [f"{name}={value}"])


def test_several() -> None:
    reply = Response("a", cookies=[SetCookie(name="a", value="1"), SetCookie(name="b", value="2")])
    reply.set_cookie("a", "3", path="/x")
    reply.delete_cookie("c", domain="example.com", secure=True, httponly=True, samesite="none")
    assert fields_of(reply)[1] == [
        "a=1; Path=/; SameSite=Lax",
        "b=2; Path=/; SameSite=Lax",
        "a=3; Path=/x; SameSite=Lax",
        "c=; Max-Age=0; Path=/; Domain=example.com; Secure; HttpOnly; SameSite=None",
    ]


def test_cookies_beside_fields_of_ones_own() -> None:
    reply = Response(None, headers=[("Set-Cookie", "own=1"), ("x", "y")])
    reply.set_cookie("a")
    assert sorted(fields_of(reply)[1]) == ["a=; Path=/; SameSite=Lax", "own=1"]


def test_every_kind_of_reply_has_them() -> None:
    one = [SetCookie(name="a", value="1", path=None, samesite=None)]
    replies: Iterable[tuple[object, int]] = [
        (Response(None, cookies=one, status_code=204), 204),
        (Response(b"x", cookies=one, status_code=404), 404),
        (Redirect("/", cookies=one), 307),
        (StreamingResponse(["x"], cookies=one), 200),
    ]
    for reply, status_code in replies:
        assert fields_of(reply) == (status_code, ["a=1"]), reply


def test_the_client_reads_them() -> None:
    app = Spikard()

    @app.get("/")
    def handler() -> Response[None]:
        return Response(cookies=[SetCookie(name="a", value="1"), SetCookie(name="b", value="2")])

    with TestClient(app) as client:
        assert client.get("/").cookies == {"a": "1", "b": "2"}


wrong_type: Any = 3


@pytest.mark.parametrize(
    "cookie",
    [
        SetCookie(name=""),
        SetCookie(name="a b"),
        SetCookie(name="a=b"),
        SetCookie(name="a;b"),
        SetCookie(name="a\r\nb"),
        SetCookie(name="ä"),
        SetCookie(name=wrong_type),
        SetCookie(name="a", value="b c"),
        SetCookie(name="a", value="b;c"),
        SetCookie(name="a", value="b,c"),
        SetCookie(name="a", value='"b"'),
        SetCookie(name="a", value="b\\c"),
        SetCookie(name="a", value="b\r\nSet-Cookie: c=d"),
        SetCookie(name="a", value="\0"),
        SetCookie(name="a", value="é"),
        SetCookie(name="a", value="\ud800"),
        SetCookie(name="a", value=wrong_type),
        SetCookie(name="a", path="/;b"),
        SetCookie(name="a", path="/\r\nx: y"),
        SetCookie(name="a", domain="b;c"),
        SetCookie(name="a", domain="b\n"),
        SetCookie(name="a", samesite=wrong_type),
        SetCookie(name="a", samesite="Never"),  # type: ignore[arg-type]
        SetCookie(name="a", max_age="soon"),  # type: ignore[arg-type]
        SetCookie(name="a", max_age=10**30),
        SetCookie(name="a", expires="soon"),  # type: ignore[arg-type]
        wrong_type,
        None,
    ],
    ids=repr,
)
def test_what_a_cookie_cannot_say_is_500(
    cookie: SetCookie, caplog: pytest.LogCaptureFixture
) -> None:
    assert cookies(cookie) == (500, [])
    (record,) = caplog.records
    assert "failed" in record.message and record.exc_info is not None


def test_an_error_names_the_cookie(caplog: pytest.LogCaptureFixture) -> None:
    assert cookies(SetCookie(name="session", value="a;b"))[0] == 500
    assert "session" in caplog.text


def test_values_stay_out_of_repr() -> None:
    reply = Response("x", cookies=[SetCookie(name="session", value="secret")])
    assert "session" in repr(reply) and "secret" not in repr(reply)
