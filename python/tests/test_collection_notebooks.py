"""Cells of a notebook: pieces of code that run in one namespace, again and again."""

import pytest

from collecting import Served
from spikard import RouteError, Spikard


class Notebook:
    """A namespace, and a way to run cells in it."""

    def __init__(self) -> None:
        self.namespace: dict[str, object] = {}
        self.run("from spikard import Spikard, get")

    def run(self, cell: str) -> None:
        exec(cell, self.namespace)

    @property
    def app(self) -> Spikard:
        app = self.namespace["app"]
        assert isinstance(app, Spikard)
        return app


HELLO = "@get('/hello')\ndef hello(): return {number}"


@pytest.fixture
def notebook() -> Notebook:
    return Notebook()


def answers(app: Spikard) -> list[object]:
    return [route.handler() for route in app.routes]


def test_a_cell_that_runs_again_replaces_its_route(notebook: Notebook) -> None:
    notebook.run("app = Spikard()")
    for number in (1, 2, 3):
        notebook.run(HELLO.format(number=number))
    assert answers(notebook.app) == [3]


def test_a_bound_route_is_replaced_as_well(notebook: Notebook) -> None:
    notebook.run("app = Spikard()")
    for number in (1, 2):
        notebook.run(HELLO.replace("@get", "@app.get").format(number=number))
    assert answers(notebook.app) == [2]


def test_one_compiled_cell_that_runs_again_replaces_its_route(notebook: Notebook) -> None:
    notebook.run("app = Spikard()")
    cell = compile(HELLO.format(number=1), "<cell>", "exec")
    exec(cell, notebook.namespace)
    exec(cell, notebook.namespace)
    assert answers(notebook.app) == [1]


@pytest.mark.parametrize("keep", ["", "client = app"], ids=["dropped", "kept by a client"])
def test_an_app_that_is_built_again_takes_over(
    notebook: Notebook, served: Served, keep: str
) -> None:
    notebook.run(HELLO.format(number=1))
    notebook.run("app = Spikard()")
    notebook.run(keep.replace("app", "[app]"))
    notebook.app.freeze()
    notebook.run("app = Spikard()")
    notebook.run("@get('/more')\ndef more(): ...")
    assert served(notebook.app) == ["GET /hello", "GET /more"]
    notebook.app.freeze()


def test_a_frozen_app_refuses_the_routes_of_later_cells(notebook: Notebook) -> None:
    notebook.run("app = Spikard()")
    notebook.run(HELLO.format(number=1))
    notebook.app.freeze()
    with pytest.raises(RouteError, match=r"GET /hello .*too late.*build the app again"):
        notebook.run(HELLO.format(number=2))


def test_two_names_are_two_apps(notebook: Notebook) -> None:
    notebook.run("app = Spikard()")
    notebook.run("other = Spikard()")
    notebook.run(HELLO.format(number=1))
    with pytest.raises(RouteError, match="could belong to any of the apps"):
        notebook.app.freeze()


def test_two_apps_without_names_are_two_apps(notebook: Notebook) -> None:
    notebook.run("apps = {'a': Spikard(), 'b': Spikard()}")
    notebook.run(HELLO.format(number=1))
    notebook.run("app = apps['a']")
    with pytest.raises(RouteError, match="could belong to any of the apps"):
        notebook.app.freeze()
