"""Threads beside a handler, and how they reach its loop."""

import asyncio
import contextvars
import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

import serving
from spikard import ServerConfig, Spikard, get

app = Spikard(config=ServerConfig(port=0))

variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")

called: list[str] = []


@pytest.fixture(scope="module", params=serving.RUNTIMES)
def runtime(request: pytest.FixtureRequest) -> Iterator[serving.Runtime]:
    with serving.runtime(request.param, request.module) as running:
        yield running


@get("/executor")
async def executor() -> list[bool]:
    event_loop = asyncio.get_running_loop()
    own = threading.get_ident()
    default = await event_loop.run_in_executor(None, threading.get_ident)
    with ThreadPoolExecutor(1) as pool:
        other = await event_loop.run_in_executor(pool, threading.get_ident)
    return [default != own, other != own]


def test_an_executor_runs_in_another_thread(runtime: serving.Runtime) -> None:
    assert runtime.value("/executor") == [True, True]


@get("/executor-fails")
async def executor_fails() -> str:
    try:
        await asyncio.get_running_loop().run_in_executor(None, int, "seven")
    except ValueError as error:
        return str(error)
    return "no exception"


def test_an_exception_in_an_executor_is_raised_at_the_await(runtime: serving.Runtime) -> None:
    assert "seven" in str(runtime.value("/executor-fails"))


@get("/to-thread")
async def to_thread() -> list[str]:
    variable.set("set by the handler")

    def read_and_set() -> str:
        value = variable.get()
        variable.set("set by the thread")
        return value

    return [await asyncio.to_thread(read_and_set), variable.get()]


def test_to_thread_takes_the_context_along(runtime: serving.Runtime) -> None:
    assert runtime.value("/to-thread") == ["set by the handler", "set by the handler"]


@get("/blocking")
async def blocking() -> str:
    """Blocks threads until each of them has another one beside it."""
    barrier = threading.Barrier(2)
    await asyncio.gather(*(asyncio.to_thread(barrier.wait, 10) for _ in range(2)))
    return "met"


def test_threads_run_at_the_same_time(runtime: serving.Runtime) -> None:
    assert runtime.values(["/blocking"] * 10) == ["met"] * 10


@get("/threadsafe")
async def threadsafe() -> list[str]:
    """Is called back by a foreign thread while the loop has nothing else to wait for."""
    event_loop = asyncio.get_running_loop()
    done = asyncio.Event()
    order: list[str] = []

    def call() -> None:
        event_loop.call_soon_threadsafe(order.append, "first")
        event_loop.call_soon_threadsafe(order.append, "second")
        event_loop.call_soon_threadsafe(done.set)

    thread = threading.Timer(0.01, call)
    thread.start()
    async with asyncio.timeout(10):
        await done.wait()
    thread.join()
    return order


def test_call_soon_threadsafe_wakes_the_loop(runtime: serving.Runtime) -> None:
    assert runtime.value("/threadsafe") == ["first", "second"]
    assert runtime.values(["/threadsafe"] * 10) == [["first", "second"]] * 10


@get("/run-coroutine")
async def run_coroutine() -> str:
    event_loop = asyncio.get_running_loop()

    async def thread_name() -> str:
        await asyncio.sleep(0.001)
        return threading.current_thread().name

    def ask() -> str:
        return asyncio.run_coroutine_threadsafe(thread_name(), event_loop).result(10)

    name = await asyncio.to_thread(ask)
    return "own thread" if name == threading.current_thread().name else name


def test_run_coroutine_threadsafe_answers_the_thread(runtime: serving.Runtime) -> None:
    assert runtime.value("/run-coroutine") == "own thread"


@get("/own-loop")
async def own_loop() -> str:
    """Runs a stock loop in a thread: the shared wait belongs to its own thread alone."""

    async def sleep() -> str:
        return await asyncio.sleep(0.001, "slept")

    return await asyncio.to_thread(asyncio.run, sleep())


def test_a_thread_can_run_a_loop_of_its_own(runtime: serving.Runtime) -> None:
    assert runtime.values(["/own-loop"] * 5) == ["slept"] * 5


@get("/soon/{name}", sync_to_thread=False)
def soon(name: str) -> None:
    asyncio.get_running_loop().call_soon(called.append, name)


@get("/called")
async def was_called(name: str) -> bool:
    async with asyncio.timeout(10):
        while name not in called:
            await asyncio.sleep(0)
    return True


def test_call_soon_from_a_def_handler_is_called(runtime: serving.Runtime) -> None:
    runtime.value("/soon/name")
    assert runtime.value("/called", name="name") is True


@get("/soon-alone/{name}", sync_to_thread=False)
def soon_alone(name: str) -> None:
    """Schedules what shows by itself: no further request wakes the loop."""
    asyncio.get_running_loop().call_soon(logging.warning, name)


def test_call_soon_from_a_def_handler_needs_no_further_request(runtime: serving.Runtime) -> None:
    runtime.value("/soon-alone/logged-by-the-callback")
    runtime.wait_for_log("logged-by-the-callback")
