"""What ``import spikard`` gives, and what it costs."""

import ast
import inspect
import os
import pathlib
import pkgutil
import subprocess
import sys
import types

import pytest

import spikard

MODULES = [module.name for module in pkgutil.iter_modules(spikard.__path__)]


def test_all_is_sorted_and_complete() -> None:
    public = {
        name
        for name, value in vars(spikard).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }
    assert spikard.__all__ == sorted(spikard.__all__)
    late = {"Request", "UploadFile"}
    assert set(spikard.__all__) == public - {"TYPE_CHECKING"} | late
    for name in late:
        assert getattr(spikard, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'Uploads'"):
        spikard.Uploads  # type: ignore[attr-defined] # noqa: B018


def test_everything_public_is_documented() -> None:
    for name in spikard.__all__:
        exported = getattr(spikard, name)
        assert inspect.getdoc(exported), name
        if inspect.isclass(exported):
            for member, value in vars(exported).items():
                if not member.startswith("_") and callable(value):
                    assert inspect.getdoc(value), f"{name}.{member}"


def test_public_names_do_not_hide_submodules() -> None:
    assert not set(spikard.__all__) & set(MODULES)


@pytest.mark.parametrize("name", [name for name in MODULES if name != "_spikard"])
def test_every_module_says_what_it_is_for(name: str) -> None:
    path = pathlib.Path(spikard.__path__[0], f"{name}.py")
    module = ast.parse(path.read_text())
    assert ast.get_docstring(module)
    targets = [node.targets[0] for node in module.body if isinstance(node, ast.Assign)]
    assert "__all__" in [target.id for target in targets if isinstance(target, ast.Name)]


def test_import_leaves_heavy_modules_alone() -> None:
    program = "import sys, spikard; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(pathlib.Path(spikard.__path__[0]).parent)},
    ).stdout.split()
    assert "spikard.app" in loaded
    assert not {
        "asyncio",
        "msgspec",
        "difflib",
        "logging",
        "annotationlib",
        "attr",
        "pydantic",
        "spikard._spikard",
    } & set(loaded)


def test_response_holds_its_values() -> None:
    response = spikard.Response(
        "<p>", status_code=201, headers=[("a", "1"), ("a", "2")], media_type="text/html"
    )
    assert repr(response) == (
        "Response('<p>', status_code=201, headers=[('a', '1'), ('a', '2')], media_type='text/html')"
    )
    assert not hasattr(response, "__dict__")
    empty = spikard.Response()
    assert (empty.content, empty.status_code, empty.headers, empty.media_type) == (
        None,
        200,
        None,
        None,
    )


def test_replies_hold_their_values() -> None:
    chunks = iter(["a"])
    stream = spikard.StreamingResponse(chunks, status_code=206, media_type="text/plain")
    assert (stream.content, stream.status_code, stream.media_type) == (chunks, 206, "text/plain")
    redirect = spikard.Redirect("/login")
    assert (redirect.url, redirect.status_code) == ("/login", 307)
    for reply in (stream, redirect):
        assert (reply.headers, reply.cookies) == (None, [])
        assert not hasattr(reply, "__dict__")
        assert repr(reply).startswith(f"{type(reply).__name__}(")


def test_cookies_are_added_in_order() -> None:
    given = spikard.SetCookie(name="given", value="1")
    response = spikard.Response(cookies=[given])
    response.set_cookie("a", "2", max_age=60, domain="example.org", httponly=True, samesite=None)
    response.delete_cookie("b", path="/x")
    assert response.cookies == [
        given,
        spikard.SetCookie(
            name="a", value="2", max_age=60, domain="example.org", httponly=True, samesite=None
        ),
        spikard.SetCookie(name="b", max_age=0, path="/x"),
    ]
    assert repr(response).endswith("cookies=['given', 'a', 'b'])")
    assert spikard.Response().cookies == []
