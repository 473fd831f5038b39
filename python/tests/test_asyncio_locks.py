"""Locks, queues and events between the requests of one app, and generators that end."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

import serving
from spikard import ServerConfig, Spikard, get

app = Spikard(config=ServerConfig(port=0))

lock = asyncio.Lock()
semaphore = asyncio.Semaphore(3)
bounded: asyncio.Queue[int] = asyncio.Queue(2)
mailbox: asyncio.Queue[str] = asyncio.Queue()
condition = asyncio.Condition()
events: dict[str, asyncio.Event] = {}
inside = 0
most_inside = 0
closed: list[str] = []


@pytest.fixture(scope="module", params=serving.RUNTIMES)
def runtime(request: pytest.FixtureRequest) -> Iterator[serving.Runtime]:
    with serving.runtime(request.param, request.module) as running:
        yield running


@asynccontextmanager
async def counted() -> AsyncIterator[int]:
    """How many are inside the block, this one included."""
    global inside, most_inside
    inside += 1
    most_inside = max(most_inside, inside)
    try:
        yield inside
    finally:
        inside -= 1


@get("/lock")
async def hold_lock() -> int:
    async with lock, counted() as count:
        await asyncio.sleep(0.001)
        return count


def test_a_lock_lets_one_request_in(runtime: serving.Runtime) -> None:
    assert runtime.values(["/lock"] * 40) == [1] * 40


@get("/semaphore")
async def hold_semaphore() -> int:
    async with semaphore, counted() as count:
        await asyncio.sleep(0.001)
        return count


def test_a_semaphore_lets_some_requests_in(runtime: serving.Runtime) -> None:
    counts = runtime.values(["/semaphore"] * 40)
    assert set(counts) <= {1, 2, 3}


@get("/queue/put")
async def put(value: int) -> None:
    async with asyncio.timeout(10):
        await bounded.put(value)


@get("/queue/take")
async def take() -> int:
    async with asyncio.timeout(10):
        return await bounded.get()


def test_a_queue_carries_values_between_requests(runtime: serving.Runtime) -> None:
    paths = [path for n in range(20) for path in ("/queue/take", f"/queue/put?value={n}")]
    values = runtime.values(paths, at_once=len(paths))
    taken = [value for value in values if isinstance(value, int)]
    assert sorted(taken) == list(range(20))


@get("/event/wait")
async def event_wait(name: str) -> str:
    async with asyncio.timeout(10):
        await events.setdefault(name, asyncio.Event()).wait()
    return "seen"


@get("/event/set", sync_to_thread=False)
def event_set(name: str) -> str:
    """Lets others go on, from beside the loop's turn."""
    events.setdefault(name, asyncio.Event()).set()
    return "set"


def test_an_event_set_in_a_def_handler_lets_others_go_on(runtime: serving.Runtime) -> None:
    paths = [*["/event/wait?name=one"] * 10, "/event/set?name=one"]
    assert runtime.values(paths) == [*["seen"] * 10, "set"]


@get("/mail/read")
async def read_mail() -> str:
    async with asyncio.timeout(10):
        return await mailbox.get()


@get("/mail/write", sync_to_thread=False)
def write_mail(text: str) -> None:
    mailbox.put_nowait(text)


def test_put_nowait_in_a_def_handler_wakes_a_waiting_request(runtime: serving.Runtime) -> None:
    paths = [*["/mail/read"] * 5, *[f"/mail/write?text={n}" for n in "abcde"]]
    values = runtime.values(paths)
    assert sorted(map(str, values[:5])) == list("abcde")


@get("/condition/wait")
async def condition_wait() -> str:
    async with asyncio.timeout(10), condition:
        await condition.wait()
    return "notified"


@get("/condition/notify")
async def condition_notify(waiters: int) -> None:
    async with asyncio.timeout(10):
        while len(condition._waiters) < waiters:
            await asyncio.sleep(0.001)
        async with condition:
            condition.notify_all()


def test_a_condition_notifies_waiting_requests(runtime: serving.Runtime) -> None:
    paths = [*["/condition/wait"] * 5, "/condition/notify?waiters=5"]
    assert runtime.values(paths) == [*["notified"] * 5, None]


async def numbers(name: str) -> AsyncIterator[int]:
    try:
        for number in range(1000):
            await asyncio.sleep(0)
            yield number
    finally:
        await asyncio.sleep(0)
        closed.append(name)


@get("/generator")
async def generator(name: str) -> int:
    """Leaves an async generator in the middle; the loop has to close it."""
    async for number in numbers(name):
        if number == 3:
            return number
    return -1


@get("/closed")
async def is_closed(name: str) -> bool:
    async with asyncio.timeout(10):
        while name not in closed:
            await asyncio.sleep(0)
    return True


def test_an_abandoned_async_generator_is_closed(runtime: serving.Runtime) -> None:
    assert runtime.value("/generator", name="abandoned") == 3
    assert runtime.value("/closed", name="abandoned") is True


_open: list[AsyncIterator[int]] = []


@get("/generator/keep")
async def keep_generator() -> int:
    """Keeps an async generator open, for the end of the loop to close."""

    async def last_words() -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            await asyncio.sleep(0)
            print("closed at the end", flush=True)

    generator = last_words()
    _open.append(generator)
    return await anext(generator)


@pytest.mark.parametrize("name", serving.SERVERS)
def test_the_end_of_the_loop_closes_async_generators(
    name: str, request: pytest.FixtureRequest
) -> None:
    with serving.runtime(name, request.module) as running:
        assert running.value("/generator/keep") == 1
        assert running.server is not None
        assert running.server.stop() == 0
        assert "closed at the end" in running.server.stdout_text()


@get("/barrier")
async def barrier(size: int) -> bool:
    """Answers when `size` requests are here: they are handled side by side."""
    event = events.setdefault("barrier", asyncio.Event())
    async with counted() as count, asyncio.timeout(10):
        if count == size:
            event.set()
        await event.wait()
    return True


def test_requests_are_handled_side_by_side(runtime: serving.Runtime) -> None:
    assert runtime.values(["/barrier?size=30"] * 30, at_once=30) == [True] * 30
