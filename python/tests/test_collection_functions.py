"""Routes and apps inside functions: factories, tests, threads."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from collecting import Modules, Served
from spikard import Query, RouteError, Router, Spikard, get

FACTORY = """
    from spikard import Spikard, get

    def create_app():
        app = Spikard()

        @get("/a")
        def a(): ...

        return app
"""


def test_a_decorator_binds_to_the_app_built_in_the_same_call(served: Served) -> None:
    app = Spikard()

    @get("/a")
    def a(name: str = Query(...)) -> str:
        return name

    assert served(app) == ["GET /a"]
    assert app.routes[0].handler is a


def test_every_call_of_a_factory_builds_an_app_of_its_own(modules: Modules, served: Served) -> None:
    main = modules.load("main", FACTORY)
    first, second = main.create_app(), main.create_app()
    assert served(first) == served(second) == ["GET /a"]
    assert first.routes[0].handler is not second.routes[0].handler


def test_nested_factories_keep_their_routes_apart(served: Served) -> None:
    def create_admin() -> Spikard:
        app = Spikard()

        @get("/admin")
        def admin() -> None: ...

        return app

    app = Spikard()

    @get("/before")
    def before() -> None: ...

    admin = create_admin()

    @get("/after")
    def after() -> None: ...

    assert served(app) == ["GET /before", "GET /after"]
    assert served(admin) == ["GET /admin"]


def test_a_function_that_a_factory_calls_binds_to_the_factory_s_app(
    modules: Modules, served: Served
) -> None:
    main = modules.load(
        "main",
        """
        from spikard import Spikard, get

        def add_users():
            @get("/users")
            def users(): ...

        def create_app():
            built = Spikard()
            add_users()
            return built

        app = create_app()
        """,
    )
    again = main.create_app()
    assert served(main.app) == served(again) == ["GET /users"]


def test_a_function_that_is_given_an_app_binds_to_it(served: Served) -> None:
    def add_users(app: Spikard) -> None:
        @get("/users")
        def users() -> None: ...

    given = Spikard()
    add_users(given)
    assert served(given) == ["GET /users"]


def test_a_function_binds_to_the_app_of_its_module(modules: Modules, served: Served) -> None:
    main = modules.load(
        "main",
        """
        from spikard import Spikard, get

        app = Spikard()

        def add_users():
            @get("/users")
            def users(): ...
        """,
    )
    main.add_users()
    assert served(main.app) == ["GET /users"]


def test_a_module_imported_inside_a_factory_goes_to_its_app(
    modules: Modules, served: Served
) -> None:
    modules.write("users", "from spikard import get\n@get('/users')\ndef users(): ...\n")
    main = modules.load(
        "main",
        """
        from spikard import Spikard

        def create_app():
            app = Spikard()
            import users
            return app
        """,
    )
    assert served(main.create_app()) == ["GET /users"]


def test_a_factory_takes_the_routes_of_its_module(modules: Modules, served: Served) -> None:
    main = modules.load(
        "main",
        "    @get('/module')\n    def m(): ...\n".join(
            [FACTORY.partition("    def")[0], "    def" + FACTORY.partition("    def")[2]]
        ),
    )
    assert served(main.create_app()) == ["GET /module", "GET /a"]
    assert served(main.create_app()) == ["GET /module", "GET /a"]


def test_a_factory_leaves_the_routes_of_its_module_to_the_module_s_app(
    modules: Modules, served: Served
) -> None:
    main = modules.load(
        "main",
        FACTORY + "\n    app = Spikard()\n\n    @get('/module')\n    def m(): ...\n",
    )
    assert served(main.create_app()) == ["GET /a"]
    assert served(main.app) == ["GET /module"]


def test_two_apps_in_one_call_and_a_bare_decorator() -> None:
    first, second = Spikard(), Spikard()
    with pytest.raises(RouteError) as error:

        @get("/a")
        def a() -> None: ...

    for app in (first, second):
        assert repr(app).rpartition("built at ")[2].rstrip(">") in str(error.value)
    assert "@app.get" in str(error.value)


def test_a_decorator_in_a_function_without_an_app(modules: Modules) -> None:
    main = modules.load(
        "main",
        """
        from spikard import get

        def add_users():
            @get("/users")
            def users(): ...
        """,
    )
    with pytest.raises(RouteError, match=r"`main.add_users.<locals>.users`.*@app.get or a Router"):
        main.add_users()


def test_an_app_that_is_gone_binds_nothing(served: Served) -> None:
    app = Spikard()
    app = Spikard()

    @get("/a")
    def a() -> None: ...

    assert served(app) == ["GET /a"]


def test_a_subclass_is_built_where_its_constructor_is_called(
    modules: Modules, served: Served
) -> None:
    main = modules.load(
        "main",
        """
        from spikard import Spikard, get

        class Shop(Spikard):
            def __init__(self, title):
                super().__init__()
                self.title = title

        class GrandShop(Shop):
            def __init__(self):
                super().__init__("grand")

        app = GrandShop()

        @get("/a")
        def a(): ...
        """,
    )
    assert served(main.app) == ["GET /a"]


async def build_in_coroutine() -> tuple[Spikard, Spikard]:
    import asyncio

    async def create(name: str) -> Spikard:
        app = Spikard()
        await asyncio.sleep(0)

        @get(f"/{name}")
        def handler() -> None: ...

        return app

    first, second = await asyncio.gather(create("a"), create("b"))
    return first, second


def test_coroutines_that_take_turns_keep_their_routes_apart(served: Served) -> None:
    import asyncio

    first, second = asyncio.run(build_in_coroutine())
    assert (served(first), served(second)) == (["GET /a"], ["GET /b"])


def test_threads_that_build_apps_at_the_same_time(modules: Modules, served: Served) -> None:
    shared = modules.load("shared", "from spikard import get\n@get('/s')\ndef s(): ...\n")
    threads = 8
    together = threading.Barrier(threads)

    def build(number: int) -> list[list[str]]:
        results = []
        together.wait()
        for round_ in range(20):
            app = Spikard(include=[shared])

            @get(f"/{number}/{round_}")
            def bare() -> None: ...

            @app.get(f"/bound/{number}/{round_}")
            def bound() -> None: ...

            app.freeze()
            results.append(served(app))
        return results

    with ThreadPoolExecutor(threads) as pool:
        for number, results in enumerate(pool.map(build, range(threads))):
            for round_, result in enumerate(results):
                assert result == [
                    f"GET /{number}/{round_}",
                    f"GET /bound/{number}/{round_}",
                    "GET /s",
                ]


def test_threads_that_add_and_freeze_one_app(served: Served) -> None:
    app = Spikard()
    together = threading.Barrier(4)
    refused = []

    def add(number: int) -> int:
        together.wait()
        for index in range(50):
            try:
                app.get(f"/{number}/{index}")(lambda: None)
            except RouteError:
                refused.append(number)
                return index
        return 50

    def freeze() -> object:
        together.wait()
        return app.freeze()

    with ThreadPoolExecutor(4) as pool:
        adding = [pool.submit(add, number) for number in range(2)]
        freezing = [pool.submit(freeze) for _ in range(2)]
        added = sum(future.result() for future in adding)
        assert freezing[0].result() is freezing[1].result()
    assert len(served(app)) == added


def test_a_router_in_a_function_needs_no_app(served: Served) -> None:
    router = Router("/v1")

    @router.get("/a")
    def a() -> None: ...

    assert served(Spikard(include=[router])) == ["GET /v1/a"]
