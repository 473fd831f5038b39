"""Routes and apps at the top level of modules."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

import spikard
from collecting import Modules, Served
from spikard import RouteError, Spikard

ROUTES = """
    from spikard import get

    @get("/users")
    def users(): ...
"""


@pytest.mark.parametrize(
    "source",
    [
        "app = Spikard()\n@get('/a')\ndef a(): ...\n@get('/b')\ndef b(): ...",
        "@get('/a')\ndef a(): ...\n@get('/b')\ndef b(): ...\napp = Spikard()",
        "@get('/a')\ndef a(): ...\napp = Spikard()\n@get('/b')\ndef b(): ...",
    ],
    ids=["above", "below", "between"],
)
def test_an_app_takes_the_routes_of_its_module(
    modules: Modules, served: Served, source: str
) -> None:
    main = modules.load("main", f"from spikard import Spikard, get\n{source}\n")
    assert served(main.app) == ["GET /a", "GET /b"]


def test_every_decorator_declares_its_method(modules: Modules, served: Served) -> None:
    names = ["get", "post", "put", "patch", "delete", "head", "options", "trace"]
    bare = [f"@{name}('/bare')\ndef {name}_bare(): ..." for name in names]
    bound = [f"@app.{name}('/bound')\ndef {name}_bound(): ..." for name in names]
    main = modules.load(
        "main", "\n".join(["from spikard import *", "app = Spikard()", *bare, *bound])
    )
    assert served(main.app) == [
        f"{name.upper()} {path}" for path in ("/bare", "/bound") for name in names
    ]


def test_route_declares_one_route_for_each_method(modules: Modules, served: Served) -> None:
    main = modules.load(
        "main",
        """
        from spikard import Spikard, route

        app = Spikard()

        @route("/a", methods=["get", "QUERY", "GET"], status_code=202, name="a")
        def a(): ...

        @app.route("/b")
        def b(): ...
        """,
    )
    assert served(main.app) == ["GET /a", "QUERY /a", "GET /b"]
    assert [route.status_code for route in main.app.routes] == [202, 202, None]
    assert [route.name for route in main.app.routes] == ["a", "a", None]


def test_a_decorator_returns_the_function_itself(modules: Modules) -> None:
    main = modules.load(
        "main",
        """
        from spikard import Router, Spikard, get

        app = Spikard()
        router = Router()

        def handler(): ...

        results = [get("/a")(handler), app.get("/b")(handler), router.get("/c")(handler)]
        app.include(router)
        """,
    )
    assert all(result is main.handler for result in main.results)
    assert all(route.handler is main.handler for route in main.app.routes)
    assert len(main.app.routes) == 3


def test_a_route_says_where_its_handler_is(modules: Modules) -> None:
    main = modules.load("main", "from spikard import Spikard, get\napp = Spikard()" + ROUTES_BELOW)
    (route,) = main.app.routes
    assert route.handler_name == "main.Users.listed"
    assert route.location == f"{main.__file__}:4"
    assert str(route) == f"GET /users (`main.Users.listed`, {main.__file__}:4)"


ROUTES_BELOW = """
class Users:
    @staticmethod
    @get("/users")
    def listed(): ...
"""


def test_class_bodies_and_comprehensions_belong_to_the_module(
    modules: Modules, served: Served
) -> None:
    main = modules.load(
        "main",
        """
        from spikard import Spikard, get

        def handler(): ...

        [get(f"/{name}")(handler) for name in "ab"]

        class Group:
            @get("/c")
            def c(): ...

            class Inner:
                app = Spikard()
        """,
    )
    assert served(main.Group.Inner.app) == ["GET /a", "GET /b", "GET /c"]


def test_a_decorator_around_ours_belongs_to_the_module_that_applies_it(
    modules: Modules, served: Served
) -> None:
    modules.write(
        "house_style",
        """
        import functools
        from spikard import get

        def api(path):
            def decorate(handler):
                @functools.wraps(handler)
                def wrapper(*args):
                    return handler(*args)
                return get("/api" + path)(wrapper)
            return decorate

        def plain(path):
            return lambda handler: get(path)(handler)
        """,
    )
    main = modules.load(
        "main",
        """
        from house_style import api, plain
        from spikard import Spikard

        @plain("/plain")
        def a(): ...

        app = Spikard()
        app.include("orders")
        """,
    )
    modules.write("orders", 'from house_style import plain\n@plain("/orders")\ndef b(): ...\n')
    assert served(main.app) == ["GET /plain", "GET /orders"]


def test_two_apps_in_one_module_and_a_bare_decorator(modules: Modules) -> None:
    source = """
    from spikard import Spikard, get

    public = Spikard()

    @get("/users")
    def users(): ...

    admin = Spikard()
    """
    main = modules.load("main", source)
    for app in (main.public, main.admin):
        with pytest.raises(RouteError) as error:
            app.freeze()
        for part in (
            f"{main.__file__}:4 and {main.__file__}:9",
            f"GET /users (`main.users`, {main.__file__}:6)",
            "@app.get",
            "Router",
        ):
            assert part in str(error.value)


def test_two_apps_in_one_module_with_decorators_of_their_own(
    modules: Modules, served: Served
) -> None:
    main = modules.load(
        "main",
        """
        from spikard import Spikard

        public, admin = Spikard(), Spikard()

        @public.get("/users")
        @admin.get("/admin/users")
        def users(): ...
        """,
    )
    assert served(main.public) == ["GET /users"]
    assert served(main.admin) == ["GET /admin/users"]


def test_one_module_shared_by_two_apps(modules: Modules, served: Served) -> None:
    users = modules.load("users", ROUTES)
    first, second = Spikard(include=[users]), Spikard(include=["users"])
    second.include(users, prefix="/v2", tags=["v2"])
    assert served(first) == ["GET /users"]
    assert served(second) == ["GET /users", "GET /v2/users"]
    assert [route.tags for route in second.routes] == [(), ("v2",)]


def test_a_module_imported_below_the_app_goes_to_it(modules: Modules, served: Served) -> None:
    modules.write("users", ROUTES)
    main = modules.load("main", "from spikard import Spikard\napp = Spikard()\nimport users\n")
    assert served(main.app) == ["GET /users"]


def test_a_module_imported_by_an_imported_module_goes_to_the_app(
    modules: Modules, served: Served
) -> None:
    modules.write("shop.users", ROUTES)
    modules.write("shop.__init__", "from shop import users")
    main = modules.load("main", "from spikard import Spikard\napp = Spikard()\nimport shop\n")
    assert served(main.app) == ["GET /users"]


def test_the_nearest_app_is_the_current_one(modules: Modules, served: Served) -> None:
    modules.write("users", ROUTES)
    modules.write("orders", ROUTES.replace("users", "orders"))
    modules.write("shop", "from spikard import Spikard\napp = Spikard()\nimport orders\n")
    main = modules.load(
        "main", "from spikard import Spikard\napp = Spikard()\nimport shop\nimport users\n"
    )
    assert served(main.app) == ["GET /users"]
    assert served(main.shop.app) == ["GET /orders"]


@pytest.mark.parametrize(
    ("main_source", "users_source"),
    [
        ("from extensions import app\nimport users", ROUTES),
        ("import users", "    from extensions import app\n" + ROUTES),
    ],
    ids=["importer", "module itself"],
)
def test_an_app_that_is_held_by_name_is_current(
    modules: Modules, served: Served, main_source: str, users_source: str
) -> None:
    modules.write("users", users_source)
    extensions = modules.load("extensions", "from spikard import Spikard\napp = Spikard()\n")
    modules.load("main", main_source)
    assert served(extensions.app) == ["GET /users"]


def test_a_module_with_an_app_of_its_own_goes_to_no_other(modules: Modules, served: Served) -> None:
    modules.write("admin", ROUTES + "\n    from spikard import Spikard\n    app = Spikard()\n")
    main = modules.load("main", "from spikard import Spikard\napp = Spikard()\nimport admin\n")
    assert served(main.app) == []
    assert served(main.admin.app) == ["GET /users"]


@pytest.mark.parametrize("include", ["users", "module"])
def test_a_module_that_another_app_includes_does_not_go_to_the_current_one(
    modules: Modules, served: Served, include: str
) -> None:
    modules.write("users", ROUTES)
    main = modules.load("main", "from spikard import Spikard\napp = Spikard()\nimport users\n")
    other = Spikard(include=[main.users if include == "module" else include])
    assert served(main.app) == []
    assert served(other) == ["GET /users"]


def test_other_apps_in_the_process_change_nothing(modules: Modules, served: Served) -> None:
    bystander = Spikard()
    users = modules.load(
        "users",
        ROUTES.replace("@get", "@bystander.get").replace(
            "from spikard import get", "from spikard import Spikard\n    bystander = Spikard()"
        ),
    )
    main = modules.load(
        "main", "from spikard import Spikard, get\n@get('/a')\ndef a(): ...\napp = Spikard()\n"
    )
    late = Spikard()
    assert served(main.app) == ["GET /a"]
    assert served(users.bystander) == ["GET /users"]
    assert served(bystander) == served(late) == []


def run_script(path: Path, *options: str) -> tuple[str, str]:
    """Runs ``python main.py``; the results are what it wrote to its two outputs."""
    done = subprocess.run(
        [sys.executable, *options, path],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(spikard.__path__[0]).parent)},
    )
    return done.stdout, done.stderr


def test_script_and_module_are_two_namespaces(modules: Modules) -> None:
    path = modules.write(
        "main",
        """
        from spikard import Spikard, get

        app = Spikard()

        @get("/a")
        def a(): ...

        if __name__ == "__main__":
            import main
            import routes

            assert main.app is not app
            for served in (app, main.app):
                print([f"{route.handler_name} {route.path}" for route in served.routes])
        """,
    )
    modules.write("routes", ROUTES)
    output, errors = run_script(path, "-W", "error")
    assert errors == ""
    assert output.splitlines() == [
        "['__main__.a /a', 'routes.users /users']",
        "['main.a /a']",
    ]


def test_routes_bound_to_a_second_run_of_the_script_are_warned_of(modules: Modules) -> None:
    path = modules.write(
        "main",
        """
        import sys, types
        from spikard import Spikard

        app = Spikard()
        import routes

        if __name__ == "__main__":
            sys.modules["spikard.server"] = types.SimpleNamespace(run=Spikard.freeze)
            app.run()
        """,
    )
    routes = modules.write("routes", "from main import app\n@app.get('/users')\ndef users(): ...\n")
    _, errors = run_script(path)
    assert errors.startswith(f"{routes}:2: UnattachedRoutesWarning: GET /users")
    assert "second run of the file that runs as `__main__`" in errors


def test_reload_replaces_routes_and_app(modules: Modules, served: Served) -> None:
    source = """
    from spikard import Spikard, get

    @get("/above")
    def above(): ...

    app = Spikard()

    @get("/below")
    def below(): ...
    """
    main = modules.load("main", source)
    before = main.app
    main.app.freeze()
    modules.write("main", "    # A line more, so that every line number moves.\n" + source)
    importlib.reload(main)
    assert main.app is not before
    assert served(main.app) == ["GET /above", "GET /below"]
    assert [route.handler for route in main.app.routes] == [main.above, main.below]
    main.app.freeze()


def test_reload_of_an_included_module_gives_the_new_handlers(modules: Modules) -> None:
    users = modules.load("users", ROUTES)
    before = users.users
    importlib.reload(users)
    (route,) = Spikard(include=[users]).routes
    assert route.handler is users.users is not before


def test_namesakes_in_one_module_are_a_conflict_and_no_reload(
    modules: Modules, served: Served
) -> None:
    source = """
    from spikard import Spikard, get

    app = Spikard()

    @get("/a")
    def a(): ...

    @get("/a")
    def a(): ...
    """
    main = modules.load("main", source)
    assert served(main.app) == ["GET /a", "GET /a"]
    assert len({route.location for route in main.app.routes}) == 2
    modules.write("main", source.rpartition("@get")[0])
    importlib.reload(main)
    assert served(main.app) == ["GET /a"]


def test_a_copied_namespace_is_a_namespace_of_its_own(modules: Modules, served: Served) -> None:
    users = modules.load("users", ROUTES)
    copy = dict(users.__dict__)
    exec("from spikard import Spikard\napp = Spikard()\n@get('/copy')\ndef copied(): ...", copy)
    assert served(copy["app"]) == ["GET /copy"]
    assert served(Spikard(include=[users])) == ["GET /users"]
