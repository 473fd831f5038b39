"""Files that arrive in multipart forms."""

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import httpx
import pytest

import serving
from spikard import Form, Response, ServerConfig, Spikard, UploadFile, get, post
from spikard.testing import TestClient, TestResponse

BOUNDARY = "----boundary"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"
MEBIBYTE = 1024 * 1024

app = Spikard(config=ServerConfig(port=0))


@pytest.fixture(scope="module", params=serving.RUNTIMES)
def runtime(request: pytest.FixtureRequest) -> Iterator[serving.Runtime]:
    with serving.runtime(request.param, request.module) as running:
        yield running


def part(name: str, content: bytes, filename: str | None = None, fields: str = "") -> bytes:
    shown = f'; filename="{filename}"' if filename is not None else ""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{shown}\r\n{fields}\r\n'
    return head.encode() + content + b"\r\n"


END = f"--{BOUNDARY}--\r\n".encode()


def send(
    client: TestClient | httpx.Client, path: str, *parts: bytes, media_type: str = MULTIPART
) -> TestResponse | httpx.Response:
    content = b"".join([*parts, END])
    return client.post(path, content=content, headers={"content-type": media_type})


async def seen(file: UploadFile) -> dict[str, Any]:
    content = await file.read()
    return {
        "filename": file.filename,
        "content_type": file.content_type,
        "size": file.size,
        "is_whole": len(content) == file.size,
        "start": content[:8].decode(),
        "rest": (await file.read()).decode(),
        "field": file.headers.get("X-Own"),
    }


@post("/one")
async def one(file: UploadFile) -> dict[str, Any]:
    return await seen(file)


@post("/several")
async def several(files: list[UploadFile], title: str = Form("none")) -> list[Any]:
    return [title, *[await seen(file) for file in files]]


@post("/optional")
async def optional(file: UploadFile | None = None) -> str:
    return "none" if file is None else file.filename


@post("/pieces")
async def pieces(file: UploadFile) -> dict[str, Any]:
    sizes = [len(chunk) async for chunk in file.chunks(400_000)]
    await file.seek(3)
    after_seek = await file.read(4)
    following = await file.read(2)
    await file.seek(10**12)
    beyond = await file.read()
    await file.seek(0)
    return {
        "chunks": sum(sizes),
        "longest": max(sizes),
        "after_seek": after_seek.decode(),
        "following": following.decode(),
        "beyond": beyond.decode(),
        "again": len(await file.read()),
        "nothing": (await file.read(0)).decode(),
    }


@post("/echo")
async def echo(file: UploadFile) -> Response[bytes]:
    name = {"content-disposition": f'attachment; filename="{file.filename}"'}
    return Response(await file.read(), media_type=file.content_type, headers=name)


@post("/save")
async def save(file: UploadFile, path: str) -> int:
    await file.read(10)
    await file.save(path)
    return len(await file.read())


@get("/memory")
def memory() -> int:
    """Most resident memory of the process so far, in KiB."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


@get("/descriptors")
def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.parametrize("size", [0, 3, MEBIBYTE, MEBIBYTE + 1, 3 * MEBIBYTE])
def test_one_file(runtime: serving.Runtime, size: int) -> None:
    content = (b"abc" * (size // 3 + 1))[:size]
    own = "Content-Type: image/png\r\nX-Own: yes\r\n"
    response = send(runtime.client, "/one", part("file", content, "é.png", own))
    assert (response.status_code, response.json()) == (
        200,
        {
            "filename": "é.png",
            "content_type": "image/png",
            "size": size,
            "is_whole": True,
            "start": content[:8].decode(),
            "rest": "",
            "field": "yes",
        },
    )
    assert runtime.log() == ""


def test_several_of_one_field(runtime: serving.Runtime) -> None:
    files = [part("files", text * 4, f"{text.decode()}.txt") for text in (b"a", b"b", b"c")]
    response = send(runtime.client, "/several", files[0], part("title", b"T"), *files[1:])
    assert response.status_code == 200, response.text
    title, *received = response.json()
    assert title == "T"
    assert [(it["filename"], it["start"]) for it in received] == [
        ("a.txt", "aaaa"),
        ("b.txt", "bbbb"),
        ("c.txt", "cccc"),
    ]
    assert {it["content_type"] for it in received} == {"application/octet-stream"}
    (single,) = send(runtime.client, "/several", files[0]).json()[1:]
    assert single["filename"] == "a.txt"


@pytest.mark.parametrize("size", [1000, 2 * MEBIBYTE])
def test_reading_in_pieces(runtime: serving.Runtime, size: int) -> None:
    content = (b"0123456789" * size)[:size]
    response = send(runtime.client, "/pieces", part("file", content, "a"))
    assert response.status_code == 200, response.text
    assert response.json() == {
        "chunks": size,
        "longest": min(size, 400_000),
        "after_seek": "3456",
        "following": "78",
        "beyond": "",
        "again": size,
        "nothing": "",
    }


def test_an_echoed_file(runtime: serving.Runtime) -> None:
    content = bytes(range(256))
    response = send(
        runtime.client, "/echo", part("file", content, "a.txt", "Content-Type: a/b\r\n")
    )
    assert (response.status_code, response.content) == (200, content)
    assert response.headers["content-type"] == "a/b"
    assert response.headers["content-disposition"] == 'attachment; filename="a.txt"'


@pytest.mark.parametrize("size", [5, 11, 2 * MEBIBYTE])
def test_saving(runtime: serving.Runtime, tmp_path: Path, size: int) -> None:
    path = tmp_path / "saved"
    content = b"x" * size
    url = f"/save?path={path}"
    response = send(runtime.client, url, part("file", content, "../../evil"))
    assert (response.status_code, response.json()) == (200, max(size - 10, 0))
    assert path.read_bytes() == content


def test_saving_where_it_is_not_possible(runtime: serving.Runtime, tmp_path: Path) -> None:
    for size in (1, 2 * MEBIBYTE):
        url = f"/save?path={tmp_path}/none/saved"
        assert send(runtime.client, url, part("file", b"x" * size, "a")).status_code == 500
    runtime.wait_for_log(r"(?s)FileNotFoundError: .*FileNotFoundError: ")


def errors_of(response: TestResponse | httpx.Response) -> list[tuple[str, list[str]]]:
    assert response.status_code == 422, response.text
    return [(entry["type"], entry["loc"]) for entry in response.json()["errors"]]


def test_a_missing_file() -> None:
    with TestClient(app) as client:
        assert errors_of(send(client, "/one", part("other", b"a", "a"))) == [
            ("missing", ["files", "file"])
        ]
        assert errors_of(send(client, "/several")) == [("missing", ["files", "files"])]
        assert send(client, "/optional").json() == "none"
        assert send(client, "/optional", part("file", b"", "a")).json() == "a"
        # A text is no file.
        assert len(errors_of(send(client, "/one", part("file", b"text")))) == 1


whole = part("file", b"abc", "a.txt") + END


@pytest.mark.parametrize(
    ("media_type", "content"),
    [
        ("multipart/form-data", whole),
        ("multipart/form-data; boundary=", whole),
        (f"multipart/form-data; boundary={'x' * 71}", whole),
        ("multipart/form-data; boundary=other", whole),
        (MULTIPART, whole[: -len(END)]),
        (MULTIPART, whole[:30]),
        (MULTIPART, whole[:-20]),
        (MULTIPART, b""),
        (MULTIPART, b"nothing of the kind"),
        (MULTIPART, part("file", b"a", "a", "no field\r\n") + END),
        (MULTIPART, f"--{BOUNDARY}\r\n\r\nabc\r\n".encode() + END),
        (MULTIPART, part("file", b"a", "a", "X-A: 1\r\n" * 9) + END),
        (MULTIPART, part("file", b"a", "a", f"X-A: {'y' * 5000}\r\n") + END),
    ],
)
def test_malformed_forms_are_4xx(media_type: str, content: bytes) -> None:
    with TestClient(app) as client:
        response = client.post("/one", content=content, headers={"content-type": media_type})
        # A request without any content lacks the file instead.
        expected = (422,) if not content else (400, 413)
        assert response.status_code in expected, response.text
        assert response.headers["content-type"] == "application/problem+json"
        assert client.get("/descriptors").status_code == 200


def test_the_boundary_is_named() -> None:
    with TestClient(app) as client:
        response = client.post(
            "/one", content=whole, headers={"content-type": "multipart/form-data"}
        )
    assert (response.status_code, "boundary" in response.json()["detail"]) == (400, True)


@pytest.mark.parametrize(
    ("parts", "status_code"),
    [
        ([part("files", b"a", "a")] * 1000, 200),
        ([part("files", b"a", "a")] * 1001, 413),
        ([part("other", b"a")] * 1001, 413),
        ([part("title", b"a" * MEBIBYTE), part("files", b"a", "a")], 200),
        ([part("title", b"a" * (MEBIBYTE + 1)), part("files", b"a", "a")], 413),
        ([part("files", b"a" * (10 * MEBIBYTE), "a")], 413),
    ],
    ids=["1000 files", "1001 files", "1001 fields", "1 MiB field", "longer field", "long file"],
)
def test_limits(parts: list[bytes], status_code: int) -> None:
    with TestClient(app) as client:
        assert send(client, "/several", *parts).status_code == status_code


@pytest.mark.parametrize("media_type", ["application/json", "text/plain", "image/png"])
def test_other_media_types_are_415(media_type: str) -> None:
    with TestClient(app) as client:
        response = send(client, "/one", part("file", b"a", "a"), media_type=media_type)
    assert response.status_code == 415


@pytest.mark.parametrize("name", serving.SERVERS)
def test_temporary_files_go_with_their_request(name: str) -> None:
    with serving.runtime(name, sys.modules[__name__]) as running:
        check_descriptors(running)


def check_descriptors(runtime: serving.Runtime) -> None:
    before = runtime.value("/descriptors")
    for _ in range(20):
        send(runtime.client, "/optional", part("file", b"x" * 2 * MEBIBYTE, "a"))
        # Cut in the middle of the file.
        content = part("file", b"x" * 2 * MEBIBYTE, "a")
        response = runtime.client.post(
            "/optional", content=content, headers={"content-type": MULTIPART}
        )
        assert response.status_code == 400
    after = runtime.value("/descriptors")
    assert isinstance(before, int) and isinstance(after, int) and after <= before + 1


LARGE = """
    from pathlib import Path

    from spikard import ServerConfig, Spikard, UploadFile

    app = Spikard(config=ServerConfig(port=0, max_body_size=65 * 1024 * 1024))

    @app.post("/save")
    async def save(file: UploadFile, path: str) -> int:
        await file.save(path)
        return file.size

    @app.get("/memory")
    def memory() -> int:
        status = Path("/proc/self/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0])

    app.run()
"""


def test_a_large_file_is_never_in_memory(tmp_path: Path) -> None:
    size = 64 * MEBIBYTE
    head, end = part("file", b"", "a")[:-2], b"\r\n" + END
    with serving.process(LARGE) as server:
        before = httpx.get(f"{server.url}/memory", trust_env=False).json()
        for number in range(2):
            path = tmp_path / str(number)
            with socket.create_connection((server.host, server.port), 10) as connection:
                length = len(head) + size + len(end)
                connection.sendall(
                    f"POST /save?path={path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                    f"Content-Type: {MULTIPART}\r\nContent-Length: {length}\r\n\r\n".encode()
                    + head
                )
                for _ in range(64):
                    connection.sendall(b"x" * MEBIBYTE)
                connection.sendall(end)
                received = serving.receive_until_close(connection)
            assert received.endswith(f"\r\n\r\n{size}".encode())
            assert path.stat().st_size == size
        after = httpx.get(f"{server.url}/memory", trust_env=False).json()
    assert after - before < 8 * 1024


@post("/marked")
async def marked(file: Annotated[UploadFile, Form(alias="upload-file")]) -> str:
    return file.filename


def test_an_alias() -> None:
    with TestClient(app) as client:
        assert send(client, "/marked", part("upload-file", b"", "a")).json() == "a"
        assert errors_of(send(client, "/marked")) == [("missing", ["files", "upload-file"])]
