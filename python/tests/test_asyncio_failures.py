"""Handlers that fail: 500 to the client, the traceback to the log, and serving goes on."""

import asyncio
import gc
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterator

import pytest

import serving
from spikard import ServerConfig, Spikard, get
from spikard.testing import TestClient

app = Spikard(config=ServerConfig(port=0))

_PROBLEM = {
    "type": "https://spikard.dev/errors/internal-server-error",
    "title": "Internal Server Error",
    "status": 500,
    "detail": "Internal server error",
}


class Stop(BaseException):
    """Not an `Exception`."""


EXCEPTIONS: dict[str, Callable[[str], BaseException]] = {
    "ValueError": ValueError,
    "SystemExit": SystemExit,
    "KeyboardInterrupt": KeyboardInterrupt,
    "GeneratorExit": GeneratorExit,
    "Stop": Stop,
    "CancelledError": asyncio.CancelledError,
    "TimeoutError": TimeoutError,
    "StopAsyncIteration": StopAsyncIteration,
    "ExceptionGroup": lambda text: ExceptionGroup(text, [KeyError(1), ValueError(2)]),
}


in_own_loops = pytest.mark.parametrize("runtime", serving.OWN_LOOPS, indirect=True, scope="module")
"""Where a loop belongs to somebody else, what asyncio lets through a task ends that loop."""


@pytest.fixture(scope="module", params=serving.RUNTIMES)
def runtime(request: pytest.FixtureRequest) -> Iterator[serving.Runtime]:
    with serving.runtime(request.param, request.module) as running:
        yield running


def fail(kind: str, text: str) -> None:
    raise EXCEPTIONS[kind](text)


async def fail_later(kind: str, text: str) -> None:
    await asyncio.sleep(0)
    fail(kind, text)


@get("/sync", sync_to_thread=False)
def fail_sync(kind: str, text: str) -> None:
    fail(kind, text)


@get("/on-thread", sync_to_thread=True)
def fail_on_thread(kind: str, text: str) -> None:
    fail(kind, text)


@get("/first-step")
async def fail_in_first_step(kind: str, text: str) -> None:
    fail(kind, text)


@get("/after-suspension")
async def fail_after_suspension(kind: str, text: str) -> None:
    await fail_later(kind, text)


@get("/created-task")
async def fail_in_created_task(kind: str, text: str) -> None:
    await asyncio.create_task(fail_later(kind, text))


@get("/group")
async def fail_in_group(kind: str, text: str) -> None:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(fail_later(kind, text))
        tasks.create_task(asyncio.sleep(3600))


@get("/fine")
async def fine() -> str:
    return await asyncio.sleep(0, "fine")


def check_failure(runtime: serving.Runtime, response: serving.Response, *logged: str) -> None:
    """Asserts the problem document, the log, and that the next request is answered."""
    assert response.status_code == 500
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json() == _PROBLEM
    for text in logged:
        runtime.wait_for_log(text)
    assert runtime.value("/fine") == "fine"


@pytest.mark.parametrize("way", ["sync", "on-thread", "first-step", "after-suspension"])
@pytest.mark.parametrize("kind", [kind for kind in EXCEPTIONS if kind != "KeyboardInterrupt"])
def test_what_a_handler_raises_costs_one_response(
    runtime: serving.Runtime, way: str, kind: str
) -> None:
    check_raising(runtime, way, kind)


@in_own_loops
@pytest.mark.parametrize("way", ["sync", "on-thread", "first-step", "after-suspension"])
def test_an_interrupt_that_a_handler_raises_costs_one_response(
    runtime: serving.Runtime, way: str
) -> None:
    check_raising(runtime, way, "KeyboardInterrupt")


def check_raising(runtime: serving.Runtime, way: str, kind: str) -> None:
    secret = f"secret-{way}-{kind}"
    response = runtime.get(f"/{way}", kind=kind, text=secret)
    name = f"fail_{way.replace('-', '_')}".replace("fail_first", "fail_in_first")
    check_failure(runtime, response, f"Handler [a-z_.]*{name} failed", f"{kind}: .*{secret}")
    assert secret not in response.text + str(response.headers)
    assert "Traceback (most recent call last)" in runtime.log()


@pytest.mark.parametrize("way", ["created-task", "group"])
@pytest.mark.parametrize("kind", ["ValueError", "Stop"])
def test_what_an_awaited_task_raises_costs_one_response(
    runtime: serving.Runtime, way: str, kind: str
) -> None:
    secret = f"secret-{way}-{kind}"
    response = runtime.get(f"/{way}", kind=kind, text=secret)
    check_failure(runtime, response, f"{kind}: {secret}")


@in_own_loops
@pytest.mark.parametrize("kind", ["SystemExit", "KeyboardInterrupt"])
def test_an_exit_in_a_created_task_does_not_stop_the_worker(
    runtime: serving.Runtime, kind: str
) -> None:
    secret = f"exit-in-task-{kind}"
    response = runtime.get("/created-task", kind=kind, text=secret)
    check_failure(runtime, response, f"{kind}: {secret}", f"{kind} in a task or callback")


@get("/callback-exits", sync_to_thread=False)
def callback_exits(kind: str) -> None:
    asyncio.get_running_loop().call_soon(fail, kind, "in a callback")


@in_own_loops
@pytest.mark.parametrize("kind", ["SystemExit", "KeyboardInterrupt"])
def test_an_exit_in_a_callback_does_not_stop_the_worker(
    runtime: serving.Runtime, kind: str
) -> None:
    runtime.get("/callback-exits", kind=kind)
    runtime.wait_for_log(f"{kind} in a task or callback")
    assert runtime.value("/fine") == "fine"


@get("/stop-loop", sync_to_thread=False)
def stop_loop() -> None:
    """Ends a turn of the loop's own that nobody asked for."""
    asyncio.get_running_loop().call_soon(fail, "SystemExit", "once")
    asyncio.get_running_loop().call_soon(fail, "SystemExit", "twice")


@in_own_loops
def test_two_exits_in_one_turn_are_both_survived(runtime: serving.Runtime) -> None:
    runtime.get("/stop-loop")
    runtime.wait_for_log("SystemExit: once")
    runtime.wait_for_log("SystemExit: twice")
    assert runtime.value("/fine") == "fine"


def test_many_failures_at_the_same_time(runtime: serving.Runtime) -> None:
    ways = ["sync", "on-thread", "first-step", "after-suspension"]
    paths = [f"/{ways[n % 4]}?kind=SystemExit&text=at-once" for n in range(60)]
    responses = runtime.get_all([*paths, "/fine"])
    assert [response.status_code for response in responses] == [500] * 60 + [200]


async def never() -> str:
    raise AssertionError("nobody awaits this coroutine")


class _Awaitable:
    def __await__(self) -> Generator[None, None, None]:
        yield


@get("/coroutine")
async def returns_coroutine() -> Coroutine[None, None, str]:
    return never()


@get("/future")
async def returns_future() -> asyncio.Future[None]:
    return asyncio.get_running_loop().create_future()


@get("/sync-future", sync_to_thread=False)
def returns_future_sync() -> asyncio.Future[None]:
    return asyncio.get_running_loop().create_future()


@get("/awaitable")
def returns_awaitable() -> Awaitable[None]:
    return _Awaitable()


@get("/object")
def returns_object() -> object:
    return object()


@get("/nested")
async def returns_nested() -> object:
    await asyncio.sleep(0)
    return {"deep": [1, {"er": app}]}


@get("/function")
def returns_function() -> object:
    return fail


@get("/generator")
def returns_generator() -> object:
    return (number for number in range(3))


@get("/keys")
def returns_keys() -> object:
    return {(1, 2): 3}


@get("/recursive")
def returns_recursive() -> object:
    endless: list[object] = []
    endless.append(endless)
    return endless


@get("/surrogate")
def returns_surrogate() -> str:
    return "\ud800"


@pytest.mark.parametrize(
    ("path", "logged"),
    [
        ("/coroutine", "returned coroutine, which cannot be sent: an `await` is missing"),
        ("/future", r"returned _asyncio\.Future, which cannot be sent"),
        ("/sync-future", r"returned _asyncio\.Future, which cannot be sent"),
        ("/awaitable", r"returned [a-z_.]*_Awaitable, which cannot be sent"),
        ("/object", "returned object, which cannot be sent"),
        ("/nested", "TypeError: Encoding objects of type Spikard"),
        ("/function", "returned function, which cannot be sent"),
        ("/generator", "returned generator, which cannot be sent"),
        ("/keys", "returned dict, which cannot be sent"),
        ("/recursive", "RecursionError"),
        ("/surrogate", "UnicodeEncodeError"),
    ],
)
def test_what_cannot_be_encoded_is_named_in_the_log(
    runtime: serving.Runtime, path: str, logged: str
) -> None:
    if runtime.name == "serve-uvloop":
        logged = logged.replace(r"_asyncio\.Future", r"[a-z_.]*Future")
    check_failure(runtime, runtime.get(path), logged)


def test_nothing_is_said_of_coroutines_that_are_never_awaited(runtime: serving.Runtime) -> None:
    check_failure(runtime, runtime.get("/coroutine"))
    assert runtime.value("/collect") is None
    assert "never awaited" not in runtime.log()


@get("/collect")
def collect() -> None:
    gc.collect()


@get("/recursion")
def recurse() -> None:
    recurse()


@get("/recursion-async")
async def recurse_async() -> None:
    await recurse_async()


@get("/own-loop", sync_to_thread=False)
def run_loop() -> None:
    awaited = never()
    try:
        asyncio.run(awaited)
    finally:
        awaited.close()


@get("/cancels-itself")
async def cancel_itself() -> None:
    task = asyncio.current_task()
    assert task is not None
    task.cancel()
    await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("path", "logged"),
    [
        ("/recursion", r"recurse failed(.|\n)*RecursionError"),
        ("/recursion-async", r"recurse_async failed(.|\n)*RecursionError"),
        ("/own-loop", r"asyncio\.run\(\) cannot be called from a running event loop"),
        ("/cancels-itself", r"cancel_itself failed(.|\n)*CancelledError"),
    ],
)
def test_what_python_refuses_costs_one_response(
    runtime: serving.Runtime, path: str, logged: str
) -> None:
    check_failure(runtime, runtime.get(path), logged)


@get("/uncancelled")
async def uncancel() -> str:
    task = asyncio.current_task()
    assert task is not None
    task.cancel()
    try:
        await asyncio.sleep(0)
    except asyncio.CancelledError:
        task.uncancel()
    return await asyncio.sleep(0, "went on")


def test_a_handler_that_takes_its_cancellation_back_answers(runtime: serving.Runtime) -> None:
    assert runtime.value("/uncancelled") == "went on"


@get("/wrapped", sync_to_thread=False)
def returns_coroutine_of_another() -> Coroutine[None, None, str]:
    """What a decorator makes of an ``async def`` handler: called, it gives a coroutine."""
    return fine()


def test_a_coroutine_of_a_def_handler_is_awaited(runtime: serving.Runtime) -> None:
    assert runtime.value("/wrapped") == "fine"


@get("/wrapped-slow")
def returns_coroutine_late() -> Coroutine[None, None, str]:
    time.sleep(0.02)
    return fine()


def test_a_def_handler_that_gives_coroutines_stays_on_the_loop(runtime: serving.Runtime) -> None:
    """However long its call takes: nobody could await the coroutine on a thread."""
    for _ in range(3):
        assert runtime.value("/wrapped-slow") == "fine"


def test_a_kept_exception_keeps_no_thread_from_ending(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its traceback holds the frames of the loop, which other threads then let go of."""
    unraisable: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", unraisable.append)
    keeping = Spikard()
    kept: list[BaseException] = []

    @keeping.get("/keep")
    async def keep() -> None:
        await asyncio.sleep(0)
        try:
            fail("Stop", "kept")
        except Stop as error:
            kept.append(error)

    with TestClient(keeping) as client:
        assert client.get("/keep").status_code == 200
    kept.clear()
    gc.collect()
    assert unraisable == []


def test_a_handler_cannot_wait_for_the_client_that_called_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    asking = Spikard()

    @asking.get("/fine")
    async def fine_too() -> str:
        return "fine"

    @asking.get("/sync")
    def ask_sync() -> int:
        return client.get("/fine").status_code

    @asking.get("/async")
    async def ask_async() -> int:
        await asyncio.sleep(0)
        return client.get("/fine").status_code

    @asking.get("/thread")
    async def ask_in_thread() -> int:
        return (await asyncio.to_thread(client.get, "/fine")).status_code

    with TestClient(asking) as client:
        for path in ["/sync", "/async"]:
            caplog.clear()
            assert client.get(path).status_code == 500, path
            assert "a handler cannot wait for a test client of its own application" in caplog.text
        assert client.get("/thread").json() == 200


@get("/other-client")
def calls_other_client() -> int:
    with TestClient(app) as client:
        return client.get("/fine").status_code


def test_a_handler_can_use_another_client(runtime: serving.Runtime) -> None:
    assert runtime.value("/other-client") == 200
