"""A client that leaves cancels its running handler, and nothing of the request stays behind."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Iterator

import pytest

import serving
from spikard import ServerConfig, Spikard, get

app = Spikard(config=ServerConfig(port=0))

happened: list[str] = []
released = asyncio.Event()


@pytest.fixture(scope="module", params=serving.SERVERS)
def runtime(request: pytest.FixtureRequest) -> Iterator[serving.Runtime]:
    with serving.runtime(request.param, request.module) as running:
        yield running


async def wait_for(event: str) -> None:
    async with asyncio.timeout(10):
        while event not in happened:
            await asyncio.sleep(0.001)


@get("/happened")
async def has_happened(event: str) -> list[str]:
    """Answers when the event has happened; with everything that did, in order."""
    await wait_for(event)
    everything = list(happened)
    happened.clear()
    return everything


def handlers_at_work() -> list[str]:
    """Names of the tasks of handlers, the one that asks excepted."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    return sorted(task.get_name() for task in others if "test_disconnect" in task.get_name())


@get("/idle")
async def idle() -> list[str]:
    """Answers when no other handler is at work any more, or tells which are after a while."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(5):
            while handlers_at_work():
                await asyncio.sleep(0.001)
    return handlers_at_work()


def leave(server: serving.ServerProcess, path: str, *, after: str, reset: bool = False) -> None:
    """Sends a request, and closes the connection as soon as the handler has told of an event."""
    with socket.create_connection((server.host, server.port), serving.PATIENCE) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: test\r\n\r\n".encode())
        server.wait_for_stdout(after)
        if reset:
            # Closing answers with a reset instead of the end of the stream.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def check_nothing_left(runtime: serving.Runtime) -> None:
    assert runtime.value("/idle") == []
    assert runtime.log() == ""


def tell(event: str) -> None:
    """Notes an event for `/happened`, and shows it to a test that watches standard output."""
    happened.append(event)
    print(event, flush=True)


@get("/wait")
async def wait(name: str) -> None:
    try:
        tell(f"{name} waits")
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        tell(f"{name} cancelled")
        raise
    finally:
        await asyncio.sleep(0)
        tell(f"{name} cleaned up")


@pytest.mark.parametrize("reset", [False, True], ids=["close", "reset"])
def test_a_handler_is_cancelled_at_its_await(runtime: serving.Runtime, reset: bool) -> None:
    assert runtime.server is not None
    name = "reset" if reset else "close"
    leave(runtime.server, f"/wait?name={name}", after=f"{name} waits", reset=reset)
    events = runtime.value("/happened", event=f"{name} cleaned up")
    assert events == [f"{name} waits", f"{name} cancelled", f"{name} cleaned up"]
    check_nothing_left(runtime)


@get("/swallow")
async def swallow() -> str:
    try:
        tell("swallow waits")
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        tell("swallow cancelled")
    await asyncio.sleep(0.001)
    tell("swallow returns")
    return "nobody reads this"


def test_a_handler_may_swallow_the_cancellation(runtime: serving.Runtime) -> None:
    assert runtime.server is not None
    leave(runtime.server, "/swallow", after="swallow waits")
    events = runtime.value("/happened", event="swallow returns")
    assert events == ["swallow waits", "swallow cancelled", "swallow returns"]
    check_nothing_left(runtime)


@get("/group")
async def group() -> None:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(wait("one"))
        tasks.create_task(wait("two"))


def test_the_children_of_a_task_group_are_cancelled(runtime: serving.Runtime) -> None:
    assert runtime.server is not None
    leave(runtime.server, "/group", after="two waits")
    runtime.server.wait_for_stdout("one cleaned up")
    events = runtime.value("/happened", event="two cleaned up")
    assert isinstance(events, list)
    # A group cancels its tasks in no particular order.
    assert events[:2] == ["one waits", "two waits"]
    assert sorted(events[2:4]) == ["one cancelled", "two cancelled"]
    assert sorted(events[4:]) == ["one cleaned up", "two cleaned up"]
    check_nothing_left(runtime)


@get("/shield")
async def shield() -> None:
    """Starts what must be finished even when nobody waits for the answer."""

    async def finish() -> None:
        tell("shield waits")
        await released.wait()
        tell("shield finished")

    finishing = asyncio.create_task(finish())
    try:
        await asyncio.shield(finishing)
    except asyncio.CancelledError:
        tell("shield cancelled")
        await finishing
        raise


@get("/release", sync_to_thread=False)
def release() -> None:
    released.set()


def test_shielded_work_is_finished(runtime: serving.Runtime) -> None:
    assert runtime.server is not None
    leave(runtime.server, "/shield", after="shield waits")
    assert runtime.value("/happened", event="shield cancelled") == [
        "shield waits",
        "shield cancelled",
    ]
    runtime.value("/release")
    assert runtime.value("/happened", event="shield finished") == ["shield finished"]
    check_nothing_left(runtime)


@get("/sleep")
async def sleep() -> None:
    try:
        tell("sleep waits")
        await asyncio.sleep(3600)
    finally:
        tell("sleep cleaned up")


@get("/thread")
async def thread() -> None:
    try:
        tell("thread waits")
        await asyncio.to_thread(asyncio.run, asyncio.sleep(0.05))
    finally:
        tell("thread cleaned up")


@get("/timeout")
async def timeout() -> None:
    try:
        tell("timeout waits")
        async with asyncio.timeout(3600):
            await asyncio.Event().wait()
    except TimeoutError:
        tell("timeout expired")
    finally:
        tell("timeout cleaned up")


@pytest.mark.parametrize("name", ["sleep", "thread", "timeout"])
def test_every_kind_of_wait_ends(runtime: serving.Runtime, name: str) -> None:
    assert runtime.server is not None
    leave(runtime.server, f"/{name}", after=f"{name} waits")
    events = runtime.value("/happened", event=f"{name} cleaned up")
    assert events == [f"{name} waits", f"{name} cleaned up"]
    check_nothing_left(runtime)


@get("/fails")
async def fails() -> None:
    try:
        tell("fails waits")
        await asyncio.Event().wait()
    finally:
        raise ValueError("while it cleaned up")


def test_what_fails_while_it_cleans_up_is_logged(request: pytest.FixtureRequest) -> None:
    for name in serving.SERVERS:
        with serving.runtime(name, request.module) as running:
            assert running.server is not None
            leave(running.server, "/fails", after="fails waits")
            running.wait_for_log("ValueError: while it cleaned up")
            assert running.value("/idle") == []


def test_a_client_that_leaves_before_the_first_step_does_no_harm(runtime: serving.Runtime) -> None:
    assert runtime.server is not None
    address = (runtime.server.host, runtime.server.port)
    for number in range(50):
        with socket.create_connection(address, serving.PATIENCE) as connection:
            connection.sendall(b"GET /sleep HTTP/1.1\r\nHost: test\r\n\r\n")
            if number % 2:
                linger = struct.pack("ii", 1, 0)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    # Whether a request was read before its client had left is not known, but all of them end.
    assert runtime.value("/settled") is True
    check_nothing_left(runtime)


@get("/settled")
async def settled() -> bool:
    """Answers when no other handler runs and nothing new has happened for a while."""
    async with asyncio.timeout(10):
        quiet = 0
        while quiet < 20:
            before = len(happened)
            await asyncio.sleep(0.005)
            quiet = quiet + 1 if len(happened) == before and not handlers_at_work() else 0
    happened.clear()
    return True


def test_many_clients_leave_at_the_same_time(runtime: serving.Runtime) -> None:
    assert runtime.server is not None
    address = (runtime.server.host, runtime.server.port)
    connections = [socket.create_connection(address, serving.PATIENCE) for _ in range(50)]
    try:
        for number, connection in enumerate(connections):
            request = f"GET /wait?name=many-{number} HTTP/1.1\r\nHost: test\r\n\r\n"
            connection.sendall(request.encode())
        for number in range(len(connections)):
            runtime.server.wait_for_stdout(f"many-{number} waits")
    finally:
        for connection in connections:
            connection.close()
    for number in range(len(connections)):
        runtime.server.wait_for_stdout(f"many-{number} cleaned up")
    assert runtime.value("/settled") is True
    check_nothing_left(runtime)


@get("/quick")
async def quick() -> str:
    return await asyncio.sleep(0, "quick")


def test_a_client_that_ends_its_half_gets_a_whole_answer_or_none(
    runtime: serving.Runtime,
) -> None:
    """The end of the requests may be taken for leaving, but half an answer is never right."""
    assert runtime.server is not None
    address = (runtime.server.host, runtime.server.port)
    with socket.create_connection(address, serving.PATIENCE) as connection:
        connection.sendall(b"GET /quick HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        received = serving.receive_until_close(connection)
    assert received == b"" or received.endswith(b'"quick"')
    check_nothing_left(runtime)


def test_a_stop_does_not_wait_for_a_client_that_has_left(
    request: pytest.FixtureRequest,
) -> None:
    for name in serving.SERVERS:
        with serving.runtime(name, request.module) as running:
            assert running.server is not None
            leave(running.server, "/wait?name=last", after="last waits")
            running.server.wait_for_stdout("last cleaned up")
            assert running.server.stop() == 0
            assert running.log() == ""
