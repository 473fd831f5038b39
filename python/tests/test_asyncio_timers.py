"""Timers of asyncio inside handlers: they fire, in order, and not early."""

import asyncio
from collections.abc import Iterator

import pytest

import serving
from spikard import ServerConfig, Spikard, get

app = Spikard(config=ServerConfig(port=0))

fired: list[str] = []

_TOLERANCE = 0.002
"""Seconds that a loop which rounds to milliseconds may be early."""


@pytest.fixture(scope="module", params=serving.RUNTIMES)
def runtime(request: pytest.FixtureRequest) -> Iterator[serving.Runtime]:
    with serving.runtime(request.param, request.module) as running:
        yield running


@get("/sleep")
async def sleep(seconds: float) -> dict[str, object]:
    event_loop = asyncio.get_running_loop()
    before = event_loop.time()
    result = await asyncio.sleep(seconds, "result")
    return {
        "result": result,
        "is_early": event_loop.time() - before < seconds - _TOLERANCE,
    }


@pytest.mark.parametrize("seconds", [-1.0, 0.0, 0.0001, 0.001, 0.0015, 0.01, 0.1])
def test_sleep_returns_its_result_and_not_early(runtime: serving.Runtime, seconds: float) -> None:
    assert runtime.value("/sleep", seconds=seconds) == {"result": "result", "is_early": False}


def test_sleeps_of_different_requests_overlap(runtime: serving.Runtime) -> None:
    durations = ["0.2", "0", "0.001", "0.1", "0.02"] * 4
    slept = runtime.values(f"/sleep?seconds={seconds}" for seconds in durations)
    assert slept == [{"result": "result", "is_early": False}] * len(durations)


@get("/order")
async def order() -> list[str]:
    event_loop = asyncio.get_running_loop()
    called: list[str] = []
    done = asyncio.Event()
    now = event_loop.time()
    event_loop.call_later(0.06, done.set)
    event_loop.call_later(0.04, called.append, "third")
    event_loop.call_at(now + 0.02, called.append, "second")
    event_loop.call_later(0, called.append, "first")
    event_loop.call_soon(called.append, "soon")
    event_loop.call_later(0.03, called.append, "cancelled").cancel()
    event_loop.call_at(now - 1, called.append, "past")
    await done.wait()
    return sorted(called[:3]) + called[3:]


def test_timers_fire_in_the_order_of_their_times(runtime: serving.Runtime) -> None:
    assert runtime.value("/order") == ["first", "past", "soon", "second", "third"]


@get("/earlier")
async def earlier() -> list[str]:
    """Sets a timer before one that the loop waits for already."""
    event_loop = asyncio.get_running_loop()
    called: list[str] = []
    late = event_loop.call_later(3600, called.append, "late")
    await asyncio.sleep(0)
    reached = event_loop.create_future()
    event_loop.call_later(0.005, reached.set_result, None)
    await reached
    late.cancel()
    return called


def test_a_timer_may_be_set_before_the_one_that_is_waited_for(runtime: serving.Runtime) -> None:
    assert runtime.value("/earlier") == []


@get("/fired/{name}", sync_to_thread=False)
def fire(name: str) -> None:
    """Sets a timer beside the loop's turn: a ``def`` handler that is done before it fires."""
    asyncio.get_running_loop().call_later(0.01, fired.append, name)


@get("/fired")
async def has_fired(name: str) -> bool:
    async with asyncio.timeout(10):
        while name not in fired:
            await asyncio.sleep(0.001)
    return True


def test_a_timer_set_in_a_def_handler_fires(runtime: serving.Runtime) -> None:
    runtime.value("/fired/alone")
    assert runtime.value("/fired", name="alone") is True


@get("/cancelled-head", sync_to_thread=False)
def cancelled_head() -> None:
    """Leaves the loop with a head of its timers that is cancelled."""
    asyncio.get_running_loop().call_later(0.005, fired.append, "cancelled").cancel()


def test_a_cancelled_timer_is_not_called(runtime: serving.Runtime) -> None:
    runtime.value("/cancelled-head")
    runtime.value("/fired/after-cancelled")
    runtime.value("/fired", name="after-cancelled")
    assert runtime.value("/list") is False


@get("/list", sync_to_thread=False)
def cancelled_has_fired() -> bool:
    return "cancelled" in fired


@get("/timeout")
async def timeout(seconds: float) -> str:
    try:
        async with asyncio.timeout(seconds) as limit:
            await asyncio.sleep(0 if seconds > 10 else 3600)
    except TimeoutError:
        return "expired" if limit.expired() else "confused"
    return "in time"


@pytest.mark.parametrize(
    ("seconds", "outcome"), [(0, "expired"), (0.01, "expired"), (60, "in time")]
)
def test_timeout_ends_what_takes_longer(
    runtime: serving.Runtime, seconds: float, outcome: str
) -> None:
    assert runtime.value("/timeout", seconds=seconds) == outcome


@get("/timeout-nested")
async def timeout_nested() -> list[str]:
    caught = []
    try:
        async with asyncio.timeout(0.02):
            try:
                async with asyncio.timeout(3600):
                    await asyncio.Event().wait()
            except TimeoutError:
                caught.append("inner")
    except TimeoutError:
        caught.append("outer")
    return caught


def test_the_outer_of_two_timeouts_may_be_the_shorter(runtime: serving.Runtime) -> None:
    assert runtime.value("/timeout-nested") == ["outer"]


@get("/timeout-moved")
async def timeout_moved() -> str:
    async with asyncio.timeout(0.01) as limit:
        limit.reschedule(asyncio.get_running_loop().time() + 60)
        await asyncio.sleep(0.03)
    return "in time"


def test_a_timeout_can_be_moved(runtime: serving.Runtime) -> None:
    assert runtime.value("/timeout-moved") == "in time"


@get("/wait-for")
async def wait_for() -> list[object]:
    outcomes: list[object] = [await asyncio.wait_for(asyncio.sleep(0, "value"), 60)]
    try:
        await asyncio.wait_for(asyncio.Event().wait(), 0.01)
    except TimeoutError:
        outcomes.append("expired")
    return outcomes


def test_wait_for_gives_the_value_or_expires(runtime: serving.Runtime) -> None:
    assert runtime.value("/wait-for") == ["value", "expired"]


@get("/many")
async def many() -> int:
    """More timers than the loop keeps cancelled ones before it makes a new heap."""
    event_loop = asyncio.get_running_loop()
    count = 0

    def add() -> None:
        nonlocal count
        count += 1

    handles = [event_loop.call_later(0.001 + index / 100_000, add) for index in range(400)]
    for handle in handles[::2] + handles[1:100:2]:
        handle.cancel()
    await asyncio.sleep(0.02)
    event_loop.call_later(0.001, add)
    await asyncio.sleep(0.01)
    return count


def test_timers_survive_the_removal_of_cancelled_ones(runtime: serving.Runtime) -> None:
    assert runtime.value("/many") == 400 - 200 - 50 + 1


@get("/far")
async def far(span: str) -> list[object]:
    """Sets timers that the clocks of the operating system cannot tell."""
    seconds = float(span)
    event_loop = asyncio.get_running_loop()
    sleeping = asyncio.create_task(asyncio.sleep(seconds))
    called: list[str] = []
    handle = event_loop.call_later(seconds, called.append, "called")
    await asyncio.sleep(0.005)
    async with asyncio.timeout(seconds):
        await asyncio.sleep(0.005)
    is_sleeping = not sleeping.done()
    sleeping.cancel()
    handle.cancel()
    return [is_sleeping, called]


@pytest.mark.parametrize("span", ["1e7", "1e10", "1e19", "1e300", "inf"])
def test_a_timer_may_be_set_for_ever(runtime: serving.Runtime, span: str) -> None:
    assert runtime.value("/far", span=span) == [True, []]
    assert runtime.value("/sleep", seconds=0.001) == {"result": "result", "is_early": False}


@get("/odd")
async def odd(when: str) -> list[str]:
    event_loop = asyncio.get_running_loop()
    called: list[str] = []
    event_loop.call_at(float(when), called.append, "called")
    await asyncio.sleep(0.005)
    return called


@pytest.mark.parametrize("runtime", serving.OWN_LOOPS, indirect=True, scope="module")
@pytest.mark.parametrize("when", ["nan", "-inf", "-1e300", "0", "-0.0"])
def test_a_time_that_is_none_is_due_at_once(runtime: serving.Runtime, when: str) -> None:
    assert runtime.value("/odd", when=when) == ["called"]
