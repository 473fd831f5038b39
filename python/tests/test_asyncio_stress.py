"""Many requests of every kind at the same time: all are answered, and nothing stays behind."""

import asyncio
import contextvars
import gc
import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from types import CoroutineType

import pytest

import serving
from spikard import ServerConfig, Spikard, get
from spikard.testing import TestClient

app = Spikard(config=ServerConfig(port=0))

CONCURRENCY = 200
DESCRIPTORS = Path("/proc/self/fd" if Path("/proc/self/fd").exists() else "/dev/fd")

background: set[asyncio.Task[None]] = set()


@pytest.fixture(scope="module", params=serving.RUNTIMES)
def runtime(request: pytest.FixtureRequest) -> Iterator[serving.Runtime]:
    with serving.runtime(request.param, request.module) as running:
        yield running


@get("/sync/{number:int}", sync_to_thread=False)
def sync(number: int) -> int:
    return number


@get("/sync-thread/{number:int}", sync_to_thread=True)
def sync_on_thread(number: int) -> int:
    return number


@get("/at-once/{number:int}")
async def at_once(number: int) -> int:
    return number


@get("/yield/{number:int}")
async def yield_once(number: int) -> int:
    return await asyncio.sleep(0, number)


@get("/sleep/{number:int}")
async def sleep(number: int) -> int:
    return await asyncio.sleep(0.001, number)


@get("/gather/{number:int}")
async def gather(number: int) -> int:
    parts = await asyncio.gather(*(asyncio.sleep(0.0001 * part, part) for part in range(4)))
    return number + sum(parts) - 6


@get("/task/{number:int}")
async def start_task(number: int) -> int:
    task = asyncio.create_task(asyncio.sleep(0.001))
    background.add(task)
    task.add_done_callback(background.discard)
    return number


@get("/task-sync/{number:int}", sync_to_thread=False)
def start_task_sync(number: int) -> int:
    task = asyncio.get_running_loop().create_task(asyncio.sleep(0.001))
    background.add(task)
    task.add_done_callback(background.discard)
    return number


@get("/thread/{number:int}")
async def use_thread(number: int) -> int:
    return await asyncio.to_thread(int, str(number))


@get("/threadsafe/{number:int}")
async def call_threadsafe(number: int) -> int:
    event_loop = asyncio.get_running_loop()
    answer: asyncio.Future[int] = event_loop.create_future()
    call = asyncio.to_thread(event_loop.call_soon_threadsafe, answer.set_result, number)
    await call
    return await answer


@get("/timeout/{number:int}")
async def time_out(number: int) -> int:
    try:
        async with asyncio.timeout(0.001):
            await asyncio.Event().wait()
    except TimeoutError:
        return number
    return -1


@get("/socket/{number:int}")
async def use_streams(number: int) -> int:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readline())
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(echo, "127.0.0.1", 0) as server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"%d\n" % number)
        line = await reader.readline()
        writer.close()
        await writer.wait_closed()
        return int(line)


@get("/fail/{number:int}")
async def fail(number: int) -> int:
    await asyncio.sleep(0)
    raise ValueError(number)


KINDS = [
    *["sync", "at-once", "yield", "sleep", "gather", "task", "task-sync", "thread", "threadsafe"],
    *["timeout", "socket", "sync-thread"],
]


@get("/census")
async def census() -> dict[str, int]:
    """What there is more of if something stays behind."""
    while background:
        await asyncio.sleep(0.001)
    gc.collect()
    counts = {
        "running tasks": len(asyncio.all_tasks()),
        "descriptors": len(list(DESCRIPTORS.iterdir())),
        "threads": threading.active_count(),
    }
    for name, kind in KINDS_OF_OBJECTS.items():
        counts[name] = sum(isinstance(thing, kind) for thing in gc.get_objects())
    return counts


KINDS_OF_OBJECTS = {
    "tasks": asyncio.Task,
    "futures": asyncio.Future,
    "contexts": contextvars.Context,
    "coroutines": CoroutineType,
    "exceptions": BaseException,
    "sockets": socket.socket,
}


def request_everything(runtime: serving.Runtime) -> None:
    """Sends several requests over each of many connections, which are closed afterwards."""
    paths = [f"/{KINDS[number % len(KINDS)]}/{number}" for number in range(CONCURRENCY * 3)]
    if runtime.server is None:
        assert runtime.values(paths, at_once=CONCURRENCY) == list(range(len(paths)))
    else:
        answers = asyncio.run(ask_all(runtime.server, paths))
        assert answers == list(range(len(paths)))


async def ask_all(server: serving.ServerProcess, paths: list[str]) -> list[int]:
    shares = [paths[number::CONCURRENCY] for number in range(CONCURRENCY)]
    async with asyncio.timeout(serving.PATIENCE):
        answers = await asyncio.gather(*(ask(server, share) for share in shares))
    return sorted(answer for share in answers for answer in share)


async def ask(server: serving.ServerProcess, paths: list[str]) -> list[int]:
    """Sends the requests over one connection, each after the answer to the one before."""
    reader, writer = await asyncio.open_connection(server.host, server.port)
    answers = []
    for path in paths:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: test\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head)
        assert head.startswith(b"HTTP/1.1 200 "), head
        assert length is not None, head
        answers.append(int(await reader.readexactly(int(length[1]))))
    writer.close()
    await writer.wait_closed()
    return answers


def check_census(runtime: serving.Runtime, before: dict[str, int]) -> None:
    """Asserts that there is not more of anything; connections take a moment to be closed."""
    for _ in range(100):
        after = take_census(runtime)
        if all(after[name] <= before[name] + ALLOWANCE.get(name, 0) for name in before):
            return
    raise AssertionError(f"before {before}, after {after}")


ALLOWANCE = {"contexts": 10, "futures": 10, "exceptions": 10, "threads": 40}
"""Threads of the pool come when there is work, and keep what they did last."""


def take_census(runtime: serving.Runtime) -> dict[str, int]:
    counts = runtime.value("/census")
    assert isinstance(counts, dict)
    return counts


def test_nothing_stays_behind(runtime: serving.Runtime) -> None:
    request_everything(runtime)
    before = take_census(runtime)
    for _ in range(3):
        request_everything(runtime)
    check_census(runtime, before)
    assert runtime.log() == ""


# In the process of the test, pytest keeps the records of the log, and with them the exceptions.
@pytest.mark.parametrize("runtime", serving.SERVERS, indirect=True, scope="module")
def test_nothing_stays_behind_of_failures(runtime: serving.Runtime) -> None:
    runtime.get_all([f"/fail/{number}" for number in range(20)])
    before = take_census(runtime)
    # The client keeps the connections that it has not needed before.
    del before["descriptors"]
    responses = runtime.get_all([f"/fail/{number}" for number in range(200)])
    assert {response.status_code for response in responses} == {500}
    check_census(runtime, before)


def test_clients_end_their_threads() -> None:
    def count() -> tuple[int, int]:
        return threading.active_count(), len(list(DESCRIPTORS.iterdir()))

    with TestClient(app) as client:
        client.get("/sleep/1")
    before = count()
    for number in range(10):
        with TestClient(app) as client:
            assert client.get(f"/thread/{number}").json() == number
    assert count() == before


def test_forgotten_clients_end_their_threads() -> None:
    def is_running() -> bool:
        return any(thread.name == "spikard-test-client" for thread in threading.enumerate())

    client = TestClient(app)
    assert client.get("/sleep/1").json() == 1
    assert is_running()
    del client
    gc.collect()
    assert not is_running()
