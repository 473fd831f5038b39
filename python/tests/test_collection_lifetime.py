"""Freezing, warnings about routes without an app, and what is let go of."""

import gc
import sys
import types
import warnings
import weakref

import pytest

from collecting import Modules, Served
from spikard import (
    Response,
    RouteError,
    Router,
    ServerConfig,
    SignatureError,
    Spikard,
    UnattachedRoutesWarning,
    get,
)
from spikard.plan import CompiledRoute

ROUTES = "from spikard import get\n\n@get('/users')\ndef users(): ...\n"


def test_freeze_happens_once() -> None:
    app = Spikard()
    assert not app.frozen
    application = app.freeze()
    assert app.frozen
    assert app.freeze() is application


def test_freeze_hands_compiled_routes_to_rust(monkeypatch: pytest.MonkeyPatch) -> None:
    received: list[tuple[CompiledRoute, ...]] = []

    def accept(routes: tuple[CompiledRoute, ...], config: ServerConfig) -> None:
        assert config is app.config
        received.append(routes)

    native = types.SimpleNamespace(Application=accept)
    monkeypatch.setitem(sys.modules, "spikard._spikard", native)
    monkeypatch.setattr("spikard._spikard", native, raising=False)
    app = Spikard()

    @get("/items/{id:int}", status_code=202)
    def item(id: int, tag: str = "none") -> Response[int]:
        return Response(id)

    app.freeze()
    ((route,),) = received
    assert (route.method, route.path, route.status_code) == ("GET", "/items/{id:int}", 202)
    assert route.handler is item
    assert route.name.endswith("test_freeze_hands_compiled_routes_to_rust.<locals>.item")
    assert route.location == f"{__file__}:{item.__code__.co_firstlineno}"
    assert [(argument.name, argument.source) for argument in route.arguments] == [
        ("id", "path"),
        ("tag", "query"),
    ]


def test_conflicts_that_rust_finds_are_route_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(routes: object, config: object) -> object:
        raise ValueError("`a` (a.py:1) and `b` (b.py:1) conflict")

    native = types.SimpleNamespace(Application=refuse)
    monkeypatch.setitem(sys.modules, "spikard._spikard", native)
    monkeypatch.setattr("spikard._spikard", native, raising=False)
    app = Spikard()
    with pytest.raises(RouteError, match=r"`a` \(a\.py:1\) and `b` \(b\.py:1\) conflict"):
        app.freeze()
    assert not app.frozen


def test_an_app_that_could_not_freeze_stays_open(served: Served) -> None:
    app = Spikard()

    @get("/a/{id}")
    def a(id: complex) -> None: ...

    with pytest.raises(SignatureError, match="argument `id`"):
        app.freeze()
    a.__annotations__["id"] = int

    @get("/b")
    def b() -> None: ...

    app.freeze()
    assert served(app) == ["GET /a/{id}", "GET /b"]


def test_a_frozen_app_refuses_routes_and_includes(modules: Modules) -> None:
    main = modules.load("main", "from spikard import Spikard, get\napp = Spikard()\n")
    main.app.freeze()
    late = modules.write("late", "import main\n@main.app.get('/late')\ndef late(): ...\n")
    with pytest.raises(RouteError) as error:
        modules.load("late")
    assert f"GET /late (`late.late`, {late}:2) comes too late" in str(error.value)
    assert f"the app built at {main.__file__}:2" in str(error.value)
    with pytest.raises(RouteError, match=rf"include at {__file__}:\d+ comes too late"):
        main.app.include(Router())


def test_a_bare_decorator_below_a_freeze_is_refused(modules: Modules) -> None:
    source = "from spikard import Spikard, get\napp = Spikard()\napp.freeze()\n"
    with pytest.raises(RouteError, match=r"GET /late .*main\.py:4\) comes too late.*main\.py:2"):
        modules.load("main", source + "@get('/late')\ndef late(): ...\n")

    app = Spikard()
    app.freeze()
    with pytest.raises(RouteError, match="comes too late"):

        @get("/late")
        def late() -> None: ...


def test_routes_before_freeze_are_a_preview(served: Served) -> None:
    app = Spikard()
    assert served(app) == []

    @get("/a")
    def a() -> None: ...

    assert served(app) == ["GET /a"]
    assert not app.frozen


def test_a_module_imported_before_any_app_is_warned_of(modules: Modules, served: Served) -> None:
    users = modules.write("users", ROUTES)
    main = modules.load("main", "import users\nfrom spikard import Spikard\napp = Spikard()\n")
    with pytest.warns(UnattachedRoutesWarning) as caught:
        main.app.freeze()
    assert served(main.app) == []
    (warning,) = caught
    assert (warning.filename, warning.lineno) == (str(users), 3)
    assert f"GET /users (`users.users`, {users}:3) belongs to no app" in str(warning.message)
    assert 'app.include("users")' in str(warning.message)


def test_a_module_imported_in_the_function_that_builds_the_app(modules: Modules) -> None:
    modules.load("users", ROUTES)
    app = Spikard()
    with pytest.warns(UnattachedRoutesWarning, match="GET /users"):
        app.freeze()


def test_a_router_that_no_app_includes_is_warned_of(modules: Modules) -> None:
    main = modules.load(
        "main",
        """
        from spikard import Router, Spikard

        router = Router()

        @router.get("/users")
        def users(): ...

        app = Spikard()
        """,
    )
    with pytest.warns(UnattachedRoutesWarning, match=r"GET /users .*app.include\(router\)"):
        main.app.freeze()


def test_a_route_is_warned_of_once(modules: Modules) -> None:
    source = "import users\nfrom spikard import Spikard\napps = [Spikard(), Spikard()]\n"
    modules.write("users", ROUTES)
    main = modules.load("main", source)
    with pytest.warns(UnattachedRoutesWarning):
        main.apps[0].freeze()
    main.apps[1].freeze()


def test_a_warning_that_is_an_error_leaves_the_app_open(modules: Modules) -> None:
    modules.write("users", ROUTES)
    main = modules.load("main", "import users\nfrom spikard import Spikard\napp = Spikard()\n")
    with warnings.catch_warnings(), pytest.raises(UnattachedRoutesWarning):
        warnings.simplefilter("error")
        main.app.freeze()
    main.app.include("users")
    main.app.freeze()
    assert len(main.app.routes) == 1


def test_apps_say_nothing_about_modules_of_others(modules: Modules) -> None:
    # A test suite imports at its top what single tests include.
    modules.write("users", ROUTES)
    suite = modules.load(
        "suite",
        """
        import users
        from spikard import Spikard

        def test_health():
            Spikard().freeze()

        def test_users():
            Spikard(include=[users]).freeze()
        """,
    )
    suite.test_health()
    suite.test_users()


@pytest.fixture
def run_freezes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes `Spikard.run` return as soon as the app is frozen."""
    # What other tests declared and dropped is no part of the process that runs.
    gc.collect()
    server = types.SimpleNamespace(run=Spikard.freeze)
    monkeypatch.setitem(sys.modules, "spikard.server", server)
    monkeypatch.setattr("spikard.server", server, raising=False)


@pytest.mark.usefixtures("run_freezes")
def test_two_apps_on_one_line_are_no_second_run(modules: Modules) -> None:
    main = modules.load(
        "main",
        "from spikard import Spikard\na, b = Spikard(), Spikard()\n@b.get('/')\ndef c(): ...\n",
    )
    main.a.run()


@pytest.mark.usefixtures("run_freezes")
def test_an_app_that_runs_warns_of_the_whole_process(modules: Modules) -> None:
    modules.write("users", ROUTES)
    suite = modules.load(
        "suite",
        "import users\nfrom spikard import Spikard\ndef create_app(): return Spikard()\n",
    )
    app = suite.create_app()
    app.freeze()
    with pytest.warns(UnattachedRoutesWarning, match="GET /users"):
        app.run()


def test_apps_and_what_they_hold_are_let_go_of() -> None:
    class Resource:
        pass

    def build(*, freeze: bool) -> list["weakref.ref[object]"]:
        resource = Resource()
        app = Spikard()

        @get("/a")
        def a() -> None:
            assert resource is not None

        if freeze:
            app.freeze()
        return [weakref.ref(app), weakref.ref(resource), weakref.ref(a)]

    for freeze in (False, True):
        held = build(freeze=freeze)
        gc.collect()
        assert [reference() for reference in held] == [None, None, None], f"{freeze=}"


def test_a_frozen_app_holds_no_variables_of_its_factory() -> None:
    class Resource:
        pass

    def create() -> tuple[Spikard, "weakref.ref[Resource]"]:
        resource = Resource()
        app = Spikard()
        app.freeze()
        return app, weakref.ref(resource)

    app, resource = create()
    gc.collect()
    assert app.frozen
    assert resource() is None


def test_a_module_is_let_go_of_with_its_routes(modules: Modules) -> None:
    users = modules.load("users", ROUTES)
    held = [weakref.ref(held) for held in (users, users.users, *users.__spikard_routes__)]
    app = Spikard(include=[users])
    app.freeze()
    del app, users, sys.modules["users"]
    gc.collect()
    assert [reference() for reference in held] == [None, None, None]


def test_a_handler_that_many_apps_bind_does_not_grow() -> None:
    def handler() -> None: ...

    for _ in range(100):
        Spikard().get("/a")(handler)
    assert len(handler.__spikard_routes__) == 1  # type: ignore[attr-defined]
