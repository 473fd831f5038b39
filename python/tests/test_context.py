"""Context variables: every request has a context of its own."""

import asyncio
import contextvars
from collections.abc import Iterator

import pytest

import serving
from spikard import ServerConfig, Spikard, get

app = Spikard(config=ServerConfig(port=0))

request_id: contextvars.ContextVar[str] = contextvars.ContextVar("request_id", default="unset")
at_import: contextvars.ContextVar[str] = contextvars.ContextVar("at_import", default="unset")
at_import.set("set by the module")


@pytest.fixture(scope="module", params=serving.RUNTIMES)
def runtime(request: pytest.FixtureRequest) -> Iterator[serving.Runtime]:
    with serving.runtime(request.param, request.module) as running:
        yield running


@get("/sync", sync_to_thread=False)
def set_sync(value: str) -> str:
    before = request_id.get()
    request_id.set(value)
    return f"{before} {request_id.get()}"


@get("/thread", sync_to_thread=True)
def set_on_thread(value: str) -> str:
    before = request_id.get()
    request_id.set(value)
    return f"{before} {request_id.get()}"


@get("/async")
async def set_async(value: str) -> str:
    before = request_id.get()
    request_id.set(value)
    await asyncio.sleep(0.001)
    return f"{before} {request_id.get()}"


@get("/first-step")
async def set_in_first_step(value: str) -> str:
    before = request_id.get()
    request_id.set(value)
    return f"{before} {request_id.get()}"


@get("/failing", sync_to_thread=False)
def set_and_fail(value: str) -> str:
    request_id.set(value)
    raise ValueError(value)


@pytest.mark.parametrize("way", ["sync", "thread", "async", "first-step"])
def test_a_value_is_not_seen_by_the_next_request(runtime: serving.Runtime, way: str) -> None:
    for value in ["one", "two"]:
        assert runtime.value(f"/{way}", value=value) == f"unset {value}"


def test_a_value_is_not_seen_after_a_failure(runtime: serving.Runtime) -> None:
    assert runtime.get("/failing", value="failed").status_code == 500
    assert runtime.value("/sync", value="next") == "unset next"


def test_requests_at_the_same_time_do_not_see_each_other(runtime: serving.Runtime) -> None:
    ways = ["sync", "thread", "async", "first-step"]
    paths = [f"/{ways[number % 4]}?value=v{number}" for number in range(60)]
    assert runtime.values(paths) == [f"unset v{number}" for number in range(60)]


@get("/children")
async def children() -> dict[str, str]:
    """What inherits the context of the handler, and what reaches back into it."""
    event_loop = asyncio.get_running_loop()
    request_id.set("parent")

    async def read_and_set() -> str:
        await asyncio.sleep(0)
        value = request_id.get()
        request_id.set("child")
        return value

    async def awaited() -> None:
        request_id.set("awaited")

    called: asyncio.Future[str] = event_loop.create_future()
    event_loop.call_soon(lambda: called.set_result(request_id.get()))
    timed: asyncio.Future[str] = event_loop.create_future()
    event_loop.call_later(0.001, lambda: timed.set_result(request_id.get()))
    values = {
        "create_task": await asyncio.create_task(read_and_set()),
        "gather": (await asyncio.gather(read_and_set()))[0],
        "call_soon": await called,
        "call_later": await timed,
        "after children": request_id.get(),
        "empty context": await asyncio.create_task(read_and_set(), context=contextvars.Context()),
    }
    await awaited()
    values["after await"] = request_id.get()
    return values


def test_what_a_handler_starts_inherits_its_context(runtime: serving.Runtime) -> None:
    assert runtime.value("/children") == {
        "create_task": "parent",
        "gather": "parent",
        "call_soon": "parent",
        "call_later": "parent",
        "after children": "parent",
        "empty context": "unset",
        "after await": "awaited",
    }


@get("/token")
async def token() -> list[str]:
    """Resets a value after a suspension, which fails in any context but the first step's."""
    given = request_id.set("changed")
    await asyncio.sleep(0.001)
    changed = request_id.get()
    request_id.reset(given)
    return [changed, request_id.get()]


def test_a_token_is_valid_after_a_suspension(runtime: serving.Runtime) -> None:
    assert runtime.value("/token") == ["changed", "unset"]


@get("/run", sync_to_thread=False)
def run_in_context() -> list[str]:
    context = contextvars.copy_context()
    context.run(request_id.set, "inside")
    return [context[request_id], request_id.get()]


def test_a_handler_can_run_in_a_context_of_its_own(runtime: serving.Runtime) -> None:
    assert runtime.value("/run") == ["inside", "unset"]


@get("/at-import")
def read_at_import() -> str:
    return at_import.get()


@get("/at-import-thread", sync_to_thread=True)
def read_at_import_on_thread() -> str:
    return at_import.get()


@get("/at-import-async")
async def read_at_import_async() -> str:
    await asyncio.sleep(0)
    return at_import.get()


@pytest.mark.parametrize("runtime", ["run", "serve-asyncio"], indirect=True, scope="module")
@pytest.mark.parametrize("path", ["/at-import", "/at-import-thread", "/at-import-async"])
def test_a_value_that_was_set_before_the_app_ran_is_seen(
    runtime: serving.Runtime, path: str
) -> None:
    assert runtime.value(path) == "set by the module"


@get("/done-callback")
async def done_callback() -> str:
    """The callbacks of the handler's own task run in its context, too."""
    request_id.set("handler")
    inner = asyncio.create_task(asyncio.sleep(0))
    seen: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    inner.add_done_callback(lambda _: seen.set_result(request_id.get()))
    return await seen


def test_done_callbacks_run_in_the_context_of_the_handler(runtime: serving.Runtime) -> None:
    assert runtime.value("/done-callback") == "handler"
