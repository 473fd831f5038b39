"""Where `def` handlers run: on the event loop until they block, then on threads."""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextvars import ContextVar

import pytest

from spikard import Request, RouteError, SignatureError, Spikard
from spikard.testing import TestClient

WAIT = 10.0
"""Seconds after which a test that waits has failed."""

VISITOR: ContextVar[str] = ContextVar("visitor", default="nobody")


def block() -> None:
    """Blocks for more than the 5 ms that a call on the loop may take."""
    threading.Event().wait(0.02)


async def on_loop() -> int:
    """Names the thread of the event loop."""
    return threading.get_ident()


def test_a_quick_handler_stays_on_the_loop() -> None:
    app = Spikard()
    app.get("/loop")(on_loop)
    app.get("/quick")(lambda: threading.get_ident())

    with TestClient(app) as client:
        loop = client.get("/loop").json()
        assert {client.get("/quick").json() for _ in range(20)} == {loop}


def test_a_handler_that_blocked_runs_on_threads(caplog: pytest.LogCaptureFixture) -> None:
    app = Spikard()
    app.get("/loop")(on_loop)

    @app.get("/blocking")
    def blocking() -> tuple[int, str]:
        block()
        return threading.get_ident(), threading.current_thread().name

    with TestClient(app) as client, caplog.at_level(logging.WARNING, "spikard.error"):
        loop = client.get("/loop").json()
        assert client.get("/blocking").json()[0] == loop
        for _ in range(3):
            ident, name = client.get("/blocking").json()
            assert ident != loop
            assert name == "spikard-sync"
    [record] = caplog.records
    assert "blocking blocked the event loop" in record.getMessage()


def test_a_blocking_handler_does_not_delay_others() -> None:
    app = Spikard()
    entered, release = threading.Event(), threading.Event()

    @app.get("/blocking", sync_to_thread=True)
    def blocking() -> bool:
        entered.set()
        return release.wait(WAIT)

    app.get("/quick")(lambda: "quick")

    with TestClient(app) as client, ThreadPoolExecutor(1) as others:
        blocked = others.submit(client.get, "/blocking")
        assert entered.wait(WAIT)
        assert client.get("/quick").json() == "quick"
        assert not blocked.done()
        release.set()
        assert blocked.result(WAIT).json() is True


def test_blocking_calls_run_beside_each_other() -> None:
    app = Spikard()
    together = threading.Barrier(10)
    app.get("/meet", sync_to_thread=True)(lambda: together.wait(WAIT))

    with TestClient(app) as client, ThreadPoolExecutor(10) as others:
        met = [others.submit(client.get, "/meet") for _ in range(10)]
        assert sorted(answer.result(WAIT).json() for answer in met) == list(range(10))


@pytest.mark.parametrize("to_thread", [True, False])
def test_sync_to_thread_decides(to_thread: bool) -> None:
    app = Spikard()
    app.get("/loop")(on_loop)

    @app.get("/where", sync_to_thread=to_thread)
    def where() -> int:
        block()
        return threading.get_ident()

    with TestClient(app) as client:
        loop = client.get("/loop").json()
        for _ in range(3):
            assert (client.get("/where").json() != loop) is to_thread


def test_a_thread_answers_as_the_loop_does(caplog: pytest.LogCaptureFixture) -> None:
    app = Spikard()

    @app.get("/item/{item_id:int}", sync_to_thread=True, status_code=202)
    def item(item_id: int, *, tag: str = "none") -> dict[str, object]:
        seen = VISITOR.get()
        VISITOR.set("an earlier request")
        return {"item_id": item_id, "tag": tag, "seen": seen}

    @app.get("/broken", sync_to_thread=True)
    def broken() -> None:
        raise ValueError("secret")

    with TestClient(app) as client, caplog.at_level(logging.ERROR, "spikard.error"):
        for _ in range(2):
            response = client.get("/item/7", params={"tag": "é"})
            assert response.status_code == 202
            assert response.json() == {"item_id": 7, "tag": "é", "seen": "nobody"}
        assert client.get("/item/x").status_code == 422
        response = client.get("/broken")
        assert response.status_code == 500
        assert "secret" not in response.text
    assert "ValueError: secret" in caplog.text


def test_more_than_the_pool_takes_is_refused() -> None:
    app = Spikard()
    release = threading.Event()
    app.get("/blocking", sync_to_thread=True)(lambda: release.wait(WAIT))

    asked = 1200
    with TestClient(app) as client, ThreadPoolExecutor(asked) as others:
        answers = [others.submit(client.get, "/blocking") for _ in range(asked)]
        refused = next(as_completed(answers, WAIT)).result()
        assert refused.status_code == 503
        assert refused.json()["detail"] == "Too many requests wait for a thread"
        release.set()
        statuses = [answer.result(WAIT).status_code for answer in answers]
    assert set(statuses) == {200, 503}
    assert statuses.count(200) >= 1024


def test_the_option_is_checked() -> None:
    app = Spikard()
    with pytest.raises(RouteError, match="`sync_to_thread` must be True, False or None"):
        app.get("/wrong", sync_to_thread="yes")(block)  # type: ignore[arg-type]
    with pytest.raises(RouteError, match="'sync' is no option of a route"):
        app.get("/wrong", sync=True)(block)  # type: ignore[call-arg]
    app.get("/coroutine", sync_to_thread=True)(on_loop)
    with pytest.raises(SignatureError, match="an async handler runs on the event loop"):
        app.freeze()


def test_content_is_read_on_the_loop_alone(caplog: pytest.LogCaptureFixture) -> None:
    app = Spikard()

    @app.post("/read", sync_to_thread=True)
    def read(request: Request) -> object:
        return request.body()

    with TestClient(app) as client, caplog.at_level(logging.ERROR, "spikard.error"):
        assert client.post("/read", content="x").status_code == 500
    assert "the content of a request is read on the event loop" in caplog.text
