"""Tasks of asyncio inside handlers: what a handler starts, and the task it is itself."""

import asyncio
from collections.abc import Iterator

import pytest

import serving
from spikard import ServerConfig, Spikard, get

app = Spikard(config=ServerConfig(port=0))

finished: list[str] = []
kept: set[asyncio.Task[None]] = set()


@pytest.fixture(scope="module", params=serving.RUNTIMES)
def runtime(request: pytest.FixtureRequest) -> Iterator[serving.Runtime]:
    with serving.runtime(request.param, request.module) as running:
        yield running


async def tell(value: str, *, turns: int = 1) -> str:
    for _ in range(turns):
        await asyncio.sleep(0)
    return value


async def fail(message: str) -> None:
    await asyncio.sleep(0)
    raise LookupError(message)


async def finish(name: str) -> None:
    await asyncio.sleep(0.001)
    finished.append(name)


@get("/finished")
async def has_finished(name: str) -> bool:
    async with asyncio.timeout(10):
        while name not in finished:
            await asyncio.sleep(0.001)
    return True


@get("/current")
async def current() -> dict[str, object]:
    first = asyncio.current_task()
    assert first is not None
    facts: dict[str, object] = {
        "is_task": isinstance(first, asyncio.Task),
        "name": first.get_name(),
        "is_listed": first in asyncio.all_tasks(),
        "is_done": first.done(),
        "is_cancelling": first.cancelling(),
    }
    await asyncio.sleep(0)
    facts["is_same_later"] = asyncio.current_task() is first
    facts["is_listed_later"] = first in asyncio.all_tasks()
    return facts


def test_a_handler_is_a_task_from_its_first_step(runtime: serving.Runtime) -> None:
    facts = runtime.value("/current")
    assert isinstance(facts, dict)
    assert "current" in facts.pop("name")
    assert facts == {
        "is_task": True,
        "is_listed": True,
        "is_done": False,
        "is_cancelling": 0,
        "is_same_later": True,
        "is_listed_later": True,
    }


@get("/current-sync", sync_to_thread=False)
def current_sync() -> list[bool]:
    return [asyncio.current_task() is None, asyncio.get_running_loop().is_running()]


def test_a_def_handler_has_a_loop_but_no_task(runtime: serving.Runtime) -> None:
    assert runtime.value("/current-sync") == [True, True]


@get("/gather")
async def gather() -> list[str]:
    return list(await asyncio.gather(tell("a", turns=3), tell("b", turns=0), tell("c")))


def test_gather_keeps_the_order_of_its_arguments(runtime: serving.Runtime) -> None:
    assert runtime.value("/gather") == ["a", "b", "c"]


@get("/gather-exceptions")
async def gather_exceptions() -> list[str]:
    outcomes = await asyncio.gather(tell("a"), fail("b"), return_exceptions=True)
    try:
        await asyncio.gather(tell("a"), fail("c"))
    except LookupError as error:
        return [*map(repr, outcomes), repr(error)]
    raise AssertionError("gather() swallowed an exception")


def test_gather_passes_exceptions_on(runtime: serving.Runtime) -> None:
    expected = ["'a'", "LookupError('b')", "LookupError('c')"]
    assert runtime.value("/gather-exceptions") == expected


@get("/group")
async def group() -> list[str]:
    async with asyncio.TaskGroup() as tasks:
        started = [tasks.create_task(tell(value, turns=3)) for value in "abc"]
    return [task.result() for task in started]


def test_a_task_group_waits_for_its_tasks(runtime: serving.Runtime) -> None:
    assert runtime.value("/group") == ["a", "b", "c"]


@get("/group-failing")
async def group_failing() -> list[str]:
    forever = None
    try:
        async with asyncio.TaskGroup() as tasks:
            forever = tasks.create_task(asyncio.Event().wait())
            tasks.create_task(fail("one"))
    except* LookupError as group:
        caught = [repr(error) for error in group.exceptions]
    assert forever is not None
    return [*caught, f"cancelled: {forever.cancelled()}", await tell("goes on")]


def test_a_task_group_cancels_the_others_when_one_fails(runtime: serving.Runtime) -> None:
    expected = ["LookupError('one')", "cancelled: True", "goes on"]
    assert runtime.value("/group-failing") == expected


@get("/create/{name}")
async def create(name: str) -> str:
    task = asyncio.create_task(finish(name), name="the-name")
    kept.add(task)
    task.add_done_callback(kept.discard)
    return task.get_name()


@get("/create-sync/{name}", sync_to_thread=False)
def create_sync(name: str) -> str:
    task = asyncio.get_running_loop().create_task(finish(name), name="the-name")
    kept.add(task)
    task.add_done_callback(kept.discard)
    return task.get_name()


@pytest.mark.parametrize("way", ["create", "create-sync"])
def test_a_created_task_outlives_its_handler(runtime: serving.Runtime, way: str) -> None:
    assert runtime.value(f"/{way}/{way}") == "the-name"
    assert runtime.value("/finished", name=way) is True


@get("/cancel-child")
async def cancel_child() -> list[object]:
    child = asyncio.create_task(asyncio.Event().wait())
    await asyncio.sleep(0)
    child.cancel("enough")
    try:
        await child
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        assert task is not None
        return [child.cancelled(), str(error), task.cancelling()]
    raise AssertionError("the child was not cancelled")


def test_a_handler_can_cancel_its_child(runtime: serving.Runtime) -> None:
    assert runtime.value("/cancel-child") == [True, "enough", 0]


@get("/wait")
async def wait() -> list[object]:
    quick = asyncio.create_task(tell("quick"))
    slow = asyncio.create_task(asyncio.Event().wait())
    done, pending = await asyncio.wait({quick, slow}, return_when=asyncio.FIRST_COMPLETED)
    slow.cancel()
    in_order = [
        await next_one
        for next_one in asyncio.as_completed([tell("second", turns=9), tell("first", turns=1)])
    ]
    return [done == {quick}, pending == {slow}, in_order]


def test_wait_and_as_completed_see_who_is_first(runtime: serving.Runtime) -> None:
    assert runtime.value("/wait") == [True, True, ["first", "second"]]


@get("/shield")
async def shield() -> str:
    inner = asyncio.create_task(finish("shielded"))
    try:
        async with asyncio.timeout(0):
            await asyncio.shield(inner)
    except TimeoutError:
        await inner
        return "ended later"
    return "not cancelled"


def test_shield_keeps_the_inner_task(runtime: serving.Runtime) -> None:
    assert runtime.value("/shield") == "ended later"


@get("/future")
async def future() -> str:
    answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(answer.set_result, "set")
    return await answer


def test_a_future_can_be_awaited(runtime: serving.Runtime) -> None:
    assert runtime.value("/future") == "set"


@get("/exception-handler")
async def exception_handler() -> list[str]:
    """Lets a task fail that nobody waits for."""
    event_loop = asyncio.get_running_loop()
    reported: asyncio.Future[list[str]] = event_loop.create_future()

    def report(_: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        if not reported.done():
            reported.set_result([str(context["message"]), repr(context["exception"])])

    event_loop.set_exception_handler(report)
    try:
        task = asyncio.create_task(fail("nobody waits"))
        await asyncio.wait({task})
        del task
        async with asyncio.timeout(10):
            return await reported
    finally:
        event_loop.set_exception_handler(None)


def test_an_exception_nobody_awaits_reaches_the_handler_of_the_loop(
    runtime: serving.Runtime,
) -> None:
    assert runtime.value("/exception-handler") == [
        "Task exception was never retrieved",
        "LookupError('nobody waits')",
    ]


@get("/callback-fails", sync_to_thread=False)
def callback_fails() -> None:
    def fail_at_once() -> None:
        raise LookupError("in a callback")

    asyncio.get_running_loop().call_soon(fail_at_once)


def test_an_exception_in_a_callback_is_logged_and_the_loop_goes_on(
    runtime: serving.Runtime,
) -> None:
    assert runtime.value("/callback-fails") is None
    runtime.wait_for_log("LookupError: in a callback")
    assert runtime.value("/gather") == ["a", "b", "c"]
