"""Descriptors of a handler's own beside the sockets of the server: one wait serves both."""

import asyncio
import contextlib
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import serving
from spikard import ServerConfig, Spikard, get

app = Spikard(config=ServerConfig(port=0))


@pytest.fixture(scope="module", params=serving.RUNTIMES)
def runtime(request: pytest.FixtureRequest) -> Iterator[serving.Runtime]:
    with serving.runtime(request.param, request.module) as running:
        yield running


@contextlib.contextmanager
def socketpair() -> Iterator[tuple[socket.socket, socket.socket]]:
    one, other = socket.socketpair()
    with one, other:
        one.setblocking(False)
        other.setblocking(False)
        yield one, other


@get("/reader")
async def reader() -> list[object]:
    event_loop = asyncio.get_running_loop()
    with socketpair() as (one, other):
        readable = asyncio.Event()
        event_loop.add_reader(one, readable.set)
        before = readable.is_set()
        await asyncio.sleep(0.005)
        still_before = readable.is_set()
        event_loop.call_later(0.005, other.send, b"data")
        async with asyncio.timeout(10):
            await readable.wait()
        received = one.recv(100).decode()
        event_loop.remove_reader(one)
        readable.clear()
        other.send(b"nobody watches any more")
        await asyncio.sleep(0.005)
        return [before, still_before, received, readable.is_set()]


def test_add_reader_calls_back_when_data_comes(runtime: serving.Runtime) -> None:
    assert runtime.value("/reader") == [False, False, "data", False]


@get("/reader-level")
async def reader_level() -> int:
    """Leaves data unread: the loop has to call again for what it announced before."""
    event_loop = asyncio.get_running_loop()
    with socketpair() as (one, other):
        calls = 0
        thrice = event_loop.create_future()

        def count() -> None:
            nonlocal calls
            calls += 1
            if calls == 3:
                thrice.set_result(None)

        event_loop.add_reader(one, count)
        other.send(b"data")
        async with asyncio.timeout(10):
            await thrice
        event_loop.remove_reader(one)
        await asyncio.sleep(0.005)
        return calls


def test_unread_data_is_announced_again(runtime: serving.Runtime) -> None:
    assert runtime.value("/reader-level") == 3


@get("/writer")
async def writer() -> list[object]:
    event_loop = asyncio.get_running_loop()
    with socketpair() as (one, other):
        sent = 0
        with contextlib.suppress(BlockingIOError):
            while True:
                sent += one.send(bytes(65_536))
        writable = asyncio.Event()
        event_loop.add_writer(one, writable.set)
        await asyncio.sleep(0.005)
        was_full = not writable.is_set()
        received = 0
        while received < sent:
            received += len(await event_loop.sock_recv(other, 65_536))
        async with asyncio.timeout(10):
            await writable.wait()
        event_loop.remove_writer(one)
        return [was_full, received == sent]


def test_add_writer_calls_back_when_there_is_room(runtime: serving.Runtime) -> None:
    assert runtime.value("/writer") == [True, True]


_kept: list[socket.socket] = []


@get("/reader-sync", sync_to_thread=False)
def reader_sync() -> int:
    """Watches beside the loop's turn, in a handler that is done when the data comes."""
    event_loop = asyncio.get_running_loop()
    one, other = socket.socketpair()
    one.setblocking(False)

    def echo() -> None:
        _kept.append(one)
        event_loop.remove_reader(one)

    event_loop.add_reader(one, echo)
    other.send(b"data")
    other.close()
    return one.fileno()


@get("/reader-sync-result")
async def reader_sync_result(descriptor: int) -> str:
    async with asyncio.timeout(10):
        while not _kept or _kept[-1].fileno() != descriptor:
            await asyncio.sleep(0.001)
    with _kept.pop() as one:
        return one.recv(100).decode()


def test_a_def_handler_can_watch_a_socket(runtime: serving.Runtime) -> None:
    descriptor = runtime.value("/reader-sync")
    assert isinstance(descriptor, int)
    assert runtime.value("/reader-sync-result", descriptor=descriptor) == "data"


@get("/sock")
async def sock() -> str:
    event_loop = asyncio.get_running_loop()
    with socketpair() as (one, other):
        content = os.urandom(1_000_000)
        sending = asyncio.create_task(event_loop.sock_sendall(one, content))
        received = bytearray()
        while len(received) < len(content):
            received += await event_loop.sock_recv(other, 100_000)
        await sending
        return "same" if received == content else "different"


def test_sockets_can_be_awaited(runtime: serving.Runtime) -> None:
    assert runtime.value("/sock") == "same"
    assert runtime.values(["/sock"] * 5) == ["same"] * 5


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while line := await reader.readline():
        writer.write(line.upper())
        await writer.drain()
    writer.close()
    await writer.wait_closed()


@get("/streams")
async def streams(lines: int) -> list[str]:
    """Talks over TCP to a server that runs in the same loop."""
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("localhost", port, family=socket.AF_INET)
        replies = []
        for number in range(lines):
            writer.write(f"line {number}\n".encode())
            await writer.drain()
            replies.append((await reader.readline()).decode().strip())
        writer.close()
        await writer.wait_closed()
        return replies


def test_streams_talk_to_a_server_in_the_same_loop(runtime: serving.Runtime) -> None:
    assert runtime.value("/streams", lines=3) == ["LINE 0", "LINE 1", "LINE 2"]
    assert runtime.values(["/streams?lines=20"] * 10) == [[f"LINE {n}" for n in range(20)]] * 10


@get("/unix-streams")
async def unix_streams() -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "socket"))
        async with await asyncio.start_unix_server(echo, path):
            reader, writer = await asyncio.open_unix_connection(path)
            writer.write(b"over a unix socket\n")
            writer.write_eof()
            reply = await reader.read()
            writer.close()
            await writer.wait_closed()
            return reply.decode()


def test_streams_work_over_unix_sockets(runtime: serving.Runtime) -> None:
    assert runtime.value("/unix-streams") == "OVER A UNIX SOCKET\n"


@get("/open")
async def open_connection(port: int) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"ping\n")
    reply = await reader.readline()
    writer.close()
    await writer.wait_closed()
    return reply.decode()


def test_streams_talk_to_a_server_elsewhere(runtime: serving.Runtime) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(serving.PATIENCE)
        port = listener.getsockname()[1]

        def answer() -> None:
            with listener.accept()[0] as connection:
                connection.settimeout(serving.PATIENCE)
                connection.sendall(connection.recv(100).replace(b"ping", b"pong"))

        with serving.thread(answer):
            assert runtime.value("/open", port=port) == "pong\n"


@get("/refused")
async def refused(port: int) -> str:
    try:
        await asyncio.open_connection("127.0.0.1", port)
    except ConnectionRefusedError:
        return "refused"
    return "accepted"


def test_a_refused_connection_is_raised(runtime: serving.Runtime) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert runtime.value("/refused", port=port) == "refused"


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.received: asyncio.Queue[bytes] = asyncio.Queue()

    def datagram_received(self, data: bytes, address: object) -> None:
        self.received.put_nowait(data)


@get("/datagrams")
async def datagrams() -> list[str]:
    event_loop = asyncio.get_running_loop()
    receiving, protocol = await event_loop.create_datagram_endpoint(
        _Datagrams, local_addr=("127.0.0.1", 0)
    )
    address = receiving.get_extra_info("sockname")
    sending, _ = await event_loop.create_datagram_endpoint(_Datagrams, remote_addr=address)
    sending.sendto(b"first")
    sending.sendto(b"second")
    async with asyncio.timeout(10):
        texts = [(await protocol.received.get()).decode() for _ in range(2)]
    sending.close()
    receiving.close()
    return texts


def test_datagrams_come_in(runtime: serving.Runtime) -> None:
    assert runtime.value("/datagrams") == ["first", "second"]


@get("/pipes")
async def pipes() -> str:
    event_loop = asyncio.get_running_loop()
    read_end, write_end = os.pipe()
    reader = asyncio.StreamReader()
    transport, _ = await event_loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(read_end, "rb")
    )
    with os.fdopen(write_end, "wb", buffering=0) as pipe:
        pipe.write(b"through a pipe")
    async with asyncio.timeout(10):
        text = (await reader.read()).decode()
    transport.close()
    return text


def test_pipes_can_be_read(runtime: serving.Runtime) -> None:
    assert runtime.value("/pipes") == "through a pipe"


@get("/resolve")
async def resolve() -> list[str]:
    event_loop = asyncio.get_running_loop()
    infos = await event_loop.getaddrinfo("localhost", 80, family=socket.AF_INET)
    return sorted({str(info[4][0]) for info in infos})


def test_names_are_resolved(runtime: serving.Runtime) -> None:
    assert runtime.value("/resolve") == ["127.0.0.1"]
