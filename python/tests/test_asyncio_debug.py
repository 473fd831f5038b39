"""The debug mode of asyncio, which looks over the shoulder of the loop."""

import asyncio
import time
from collections.abc import Iterator

import pytest

import serving
from spikard import ServerConfig, Spikard, get

app = Spikard(config=ServerConfig(port=0))


@pytest.fixture(scope="module", params=["test-client", "run-debug"])
def runtime(request: pytest.FixtureRequest) -> Iterator[serving.Runtime]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PYTHONASYNCIODEBUG", "1")
        with serving.runtime(request.param, request.module) as running:
            yield running


@get("/debug")
async def debug() -> bool:
    return asyncio.get_running_loop().get_debug()


def test_the_environment_turns_debug_mode_on(runtime: serving.Runtime) -> None:
    assert runtime.value("/debug") is True


def test_debug_mode_is_off_otherwise(request: pytest.FixtureRequest) -> None:
    with serving.runtime("run", request.module) as running:
        assert running.value("/debug") is False


@get("/slow")
async def slow() -> None:
    event_loop = asyncio.get_running_loop()
    event_loop.slow_callback_duration = 0.0
    await asyncio.sleep(0)
    time.sleep(0.001)
    await asyncio.sleep(0)
    event_loop.slow_callback_duration = 60.0


def test_slow_steps_are_reported(runtime: serving.Runtime) -> None:
    runtime.value("/slow")
    runtime.wait_for_log(r"Executing <Task .*slow.* took \d+\.\d+ seconds")


@get("/wrong-thread")
async def wrong_thread() -> str:
    try:
        await asyncio.to_thread(asyncio.get_running_loop().call_soon, print)
    except RuntimeError as error:
        return str(error)
    return "accepted"


def test_calls_from_the_wrong_thread_are_refused(runtime: serving.Runtime) -> None:
    assert "Non-thread-safe operation" in str(runtime.value("/wrong-thread"))


@get("/mixed/{turns:int}")
async def mixed(turns: int) -> int:
    async with asyncio.TaskGroup() as tasks:
        for turn in range(turns):
            tasks.create_task(asyncio.sleep(0.001 * turn))
            tasks.create_task(asyncio.to_thread(int, turn))
    return turns


def test_debug_mode_finds_nothing_to_say(runtime: serving.Runtime) -> None:
    assert runtime.values(["/mixed/5"] * 20) == [5] * 20
    assert "Error" not in runtime.log()
    assert "never awaited" not in runtime.log()
