"""Child processes of handlers: started, spoken to, awaited, killed."""

import asyncio
import signal
import sys
from collections.abc import Iterator

import pytest

import serving
from spikard import ServerConfig, Spikard, get

app = Spikard(config=ServerConfig(port=0))

_ECHO = "import sys; sys.stdout.write(sys.stdin.read().upper()); sys.exit(7)"
_SLEEP = "import time; print('ready', flush=True); time.sleep(3600)"


@pytest.fixture(scope="module", params=serving.RUNTIMES)
def runtime(request: pytest.FixtureRequest) -> Iterator[serving.Runtime]:
    with serving.runtime(request.param, request.module) as running:
        yield running


async def start(source: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-S",
        "-c",
        source,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )


@get("/communicate")
async def communicate(text: str) -> list[object]:
    child = await start(_ECHO)
    output, _ = await child.communicate(text.encode())
    return [output.decode(), child.returncode]


def test_a_child_is_spoken_to_and_awaited(runtime: serving.Runtime) -> None:
    assert runtime.value("/communicate", text="hello") == ["HELLO", 7]


def test_children_of_several_requests_run_at_the_same_time(runtime: serving.Runtime) -> None:
    texts = [f"text-{number}" for number in range(6)]
    answers = runtime.values(f"/communicate?text={text}" for text in texts)
    assert answers == [[text.upper(), 7] for text in texts]


@get("/kill")
async def kill() -> int:
    child = await start(_SLEEP)
    assert child.stdout is not None
    await child.stdout.readline()
    child.terminate()
    async with asyncio.timeout(10):
        return await child.wait()


def test_a_child_can_be_killed(runtime: serving.Runtime) -> None:
    assert runtime.value("/kill") == -signal.SIGTERM


@get("/shell")
async def shell() -> str:
    child = await asyncio.create_subprocess_shell("echo out", stdout=asyncio.subprocess.PIPE)
    output, _ = await child.communicate()
    return output.decode().strip()


def test_a_shell_command_can_be_run(runtime: serving.Runtime) -> None:
    assert runtime.value("/shell") == "out"


@get("/missing")
async def missing() -> str:
    try:
        await asyncio.create_subprocess_exec("/nonexistent/program")
    except FileNotFoundError:
        return "not found"
    return "found"


def test_a_missing_program_is_raised(runtime: serving.Runtime) -> None:
    assert runtime.value("/missing") == "not found"
