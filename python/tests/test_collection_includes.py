"""What apps and routers include."""

import pytest

from collecting import Modules, Served
from spikard import RouteError, Router, Spikard, get
from spikard.includes import IncludeTarget

ROUTES = """
    from spikard import Router, get

    @get("/users")
    def users(): ...

    @get("/")
    def index(): ...

    router = Router("/r", tags=["router"])

    @router.get("/")
    def root(): ...

    @router.get("/x")
    def x(): ...
"""


def test_include_takes_modules_names_routers_and_handlers(modules: Modules, served: Served) -> None:
    users = modules.load("shop.users", ROUTES)
    # target, prefix, what is served
    for target, prefix, expected in [
        (users, "", ["GET /users", "GET /"]),
        ("shop.users", "", ["GET /users", "GET /"]),
        ("shop.users", "/v1", ["GET /v1/users", "GET /v1"]),
        (users.router, "", ["GET /r", "GET /r/x"]),
        (users.router, "/v1", ["GET /v1/r", "GET /v1/r/x"]),
        (users.users, "", ["GET /users"]),
        (users.users, "/{tenant}", ["GET /{tenant}/users"]),
    ]:
        app = Spikard()
        app.include(target, prefix=prefix)
        assert served(app) == expected, f"{target!r} under {prefix!r}"


def test_routers_nest(served: Served) -> None:
    inner, outer = Router("/inner", tags=["i", "all"]), Router("/outer", tags=["o", "all"])

    @inner.get("/{id}")
    def one(id: int) -> None: ...

    outer.include(inner, prefix="/between", tags=["b"])
    app = Spikard()
    app.include(outer, prefix="/v1", tags=["v1"])
    assert served(app) == ["GET /v1/outer/between/inner/{id}"]
    assert app.routes[0].tags == ("v1", "o", "all", "b", "i")


def test_a_router_takes_routes_until_the_app_freezes(served: Served) -> None:
    router = Router()
    app = Spikard(include=[router])

    @router.get("/late")
    def late() -> None: ...

    assert served(app) == ["GET /late"]


def test_a_module_by_name_is_imported_when_the_app_freezes(
    modules: Modules, served: Served
) -> None:
    # The module uses the app that includes it: the usual circle of imports.
    modules.write(
        "users",
        """
        from main import app
        from spikard import get

        @app.get("/bound")
        def bound(): ...

        @get("/bare")
        def bare(): ...

        app.include("orders", prefix="/orders")
        """,
    )
    modules.write("orders", "from spikard import get\n@get('/')\ndef orders(): ...\n")
    main = modules.load("main", "from spikard import Spikard\napp = Spikard(include=['users'])\n")
    main.app.freeze()
    assert served(main.app) == ["GET /bound", "GET /bare", "GET /orders"]


def test_what_is_included_twice_is_served_once_for_each_path(
    modules: Modules, served: Served
) -> None:
    users = modules.load("users", ROUTES)
    app = Spikard(include=[users, "users", users.users])
    assert served(app) == ["GET /users", "GET /"]


def test_a_handler_gives_the_routes_it_has_by_now(served: Served) -> None:
    router, app = Router(), Spikard()

    def handler() -> None: ...

    router.get("/a")(handler)
    router.get("/a")(handler)
    router.post("/b")(handler)
    app.include(handler)
    assert served(app) == ["GET /a", "POST /b"]


def test_wrong_includes_say_where(modules: Modules) -> None:
    modules.write("empty", "")
    modules.write("broken", "import missing_dependency")
    # target, options, part of the message
    cases: list[tuple[IncludeTarget, dict[str, object], str]] = [
        ("nowhere", {}, "there is no module `nowhere`"),
        ("empty.part", {}, "there is no module `empty.part`"),
        ("empty", {}, "module `empty` declares no routes"),
        (modules.load("empty"), {}, "module `empty` declares no routes"),
        (".relative", {}, "'.relative' is not the full dotted name of a module"),
        ("main:app", {}, "'main:app' is not the full dotted name of a module"),
        (lambda: None, {}, "it takes a module, the dotted name of one, a Router, or a function"),
        (Spikard(), {}, "it takes a module"),  # type: ignore[list-item]
        (Router(), {"prefix": "v1"}, "a prefix must start with '/'"),
        (Router(), {"prefix": "/v1/"}, "a prefix must start with '/'"),
        (Router(), {"prefix": "/"}, "a prefix must start with '/'"),
        (Router(), {"tags": "users"}, "tags must be a list of texts"),
        (Router(), {"tags": [1]}, "a tag must be text"),
    ]
    for target, options, message in cases:
        app = Spikard()
        with pytest.raises(RouteError) as error:
            app.include(target, **options)  # type: ignore[arg-type]
            app.freeze()
        assert message in str(error.value), f"{target!r} {options}"
        assert str(error.value).startswith(f"{__file__}:"), f"{target!r} {options}"


def test_an_error_inside_an_included_module_is_its_own(modules: Modules) -> None:
    modules.write("broken", "import missing_dependency")
    with pytest.raises(ModuleNotFoundError, match="missing_dependency"):
        Spikard(include=["broken"]).freeze()


def test_routers_do_not_include_themselves() -> None:
    inner, middle, outer = Router(), Router(), Router()
    middle.include(inner)
    outer.include(middle)
    for router in (inner, middle, outer):
        with pytest.raises(RouteError, match=f"{__file__}:.*cannot include itself"):
            inner.include(router)


@pytest.mark.parametrize("include", ["users", 1], ids=str)
def test_include_is_a_list(include: object) -> None:
    with pytest.raises(RouteError, match=f"{__file__}:.*`include` must be a list"):
        Spikard(include=include)  # type: ignore[arg-type]


def test_wrong_routers_say_where() -> None:
    for arguments, message in [({"prefix": "v1"}, "prefix"), ({"tags": "v1"}, "tags")]:
        with pytest.raises(RouteError, match=f"{__file__}:.*{message}"):
            Router(**arguments)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (("users",), {}, "the path must start with '/', but it is 'users'"),
        (("",), {}, "the path must start with '/', but it is ''"),
        ((1,), {}, "the path must start with '/', but it is 1"),
        (("/a", []), {}, "`methods` must name at least one method"),
        (("/a", "GET"), {}, "`methods` must be a list such as ['GET'], not 'GET'"),
        (("/a", ["GET POST"]), {}, "'GET POST' is not a method"),
        (("/a", [""]), {}, "'' is not a method"),
        (("/a",), {"status_code": 99}, "the status code must be 200 to 599, but it is 99"),
        (("/a",), {"status_code": 600}, "the status code must be 200 to 599, but it is 600"),
        (("/a",), {"status_code": True}, "the status code must be 200 to 599, but it is True"),
        (("/a",), {"status_code": "200"}, "the status code must be 200 to 599, but it is '200'"),
        (("/a",), {"name": ""}, "the name of a route must be text, but it is ''"),
    ],
)
def test_wrong_decorators_name_the_function(
    arguments: tuple[object, ...], options: dict[str, object], message: str
) -> None:
    def handler() -> None: ...

    line = handler.__code__.co_firstlineno
    name = "test_wrong_decorators_name_the_function.<locals>.handler"
    with pytest.raises(RouteError) as error:
        Spikard().route(*arguments, **options)(handler)  # type: ignore[arg-type]
    assert message in str(error.value)
    assert f".{name}` ({__file__}:{line})" in str(error.value)


@pytest.mark.parametrize("target", [Spikard, 1, "text", None], ids=repr)
def test_a_decorator_on_something_else(target: object) -> None:
    with pytest.raises(RouteError, match=f"{__file__}:.*belongs on a function, not on"):
        get("/a")(target)  # type: ignore[type-var]


def test_a_decorator_without_a_path() -> None:
    with pytest.raises(RouteError, match=f"{__file__}:.*needs its path"):

        @get  # type: ignore[arg-type]
        def handler() -> None: ...
