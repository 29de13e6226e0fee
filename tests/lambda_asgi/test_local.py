"""The local function URL, from the client's side and from the function's."""

from __future__ import annotations

import asyncio
import base64
import os
import re
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from lambda_asgi.local import child
from lambda_asgi.local.reload import watch
from tests.fakes.function_url import function_url

pytestmark = pytest.mark.outside


def resident_mb(pid: int) -> int:
    """What a process holds."""
    found = child.resident_mb(pid)
    assert found is not None
    return found


PLAYGROUND = "tests.lambda_asgi.playground:handler"


@asynccontextmanager
async def calling(handler: str = PLAYGROUND, **how: Any) -> AsyncIterator[httpx2.AsyncClient]:
    """A function as Lambda runs it by default (one request at a time), and a client."""
    settings = {"concurrency": 1, "environments": 10, "tells_disconnect": False, **how}
    async with (
        function_url({}, handler, **settings) as url,
        httpx2.AsyncClient(base_url=url, timeout=60, trust_env=False, verify=False) as client,
    ):
        yield client


async def test_event_is_faithful() -> None:
    """Every field of payload format 2.0, as AWS documents it for function URLs."""
    async with calling() as client:
        response = await client.post(
            "/caf%C3%A9?a=1&a=2&b=x%20y&c=",
            content='{"text": "ü"}'.encode(),
            headers=[
                ("content-type", "application/json"),
                ("Cookie", "one=1; two=2"),
                ("X-Twice", "a"),
                ("x-twice", "b"),
                ("user-agent", "test/1"),
            ],
        )
    payload = response.json()
    event, context = payload["event"], payload["event"]["requestContext"]
    port = client.base_url.port
    assert event["version"] == "2.0"
    assert event["routeKey"] == context["routeKey"] == context["stage"] == "$default"
    assert event["rawPath"] == payload["raw_path"] == "/caf%C3%A9"
    assert payload["path"] == "/café"
    assert event["rawQueryString"] == "a=1&a=2&b=x%20y&c="
    assert event["queryStringParameters"] == {"a": "1,2", "b": "x y", "c": ""}
    assert event["cookies"] == ["one=1", "two=2"]
    headers = event["headers"]
    assert (headers["x-twice"], headers["host"]) == ("a,b", f"127.0.0.1:{port}")
    assert headers["x-forwarded-for"] == context["http"]["sourceIp"] == "127.0.0.1"
    assert (headers["x-forwarded-proto"], headers["x-forwarded-port"]) == ("http", str(port))
    trace = re.fullmatch(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}", headers["x-amzn-trace-id"])
    assert trace is not None
    assert payload["context"]["trace_id"] == f"{trace[0]};Sampled=0"
    assert (event["body"], event["isBase64Encoded"]) == ('{"text": "ü"}', False)
    assert context["domainName"].startswith(f"{context['apiId']}.lambda-url.")
    assert context["domainPrefix"] == context["apiId"]
    assert context["accountId"] == "anonymous"
    assert context["http"]["method"] == "POST"
    assert context["http"]["path"] == "/caf%C3%A9"
    assert context["http"]["protocol"] == "HTTP/1.1"
    assert context["http"]["userAgent"] == "test/1"
    assert re.fullmatch(r"\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d \+0000", context["time"])
    assert abs(context["timeEpoch"] / 1000 - time.time()) < 60
    assert re.fullmatch(r"[0-9a-f-]{36}", context["requestId"])
    assert 0 < payload["context"]["left"] <= 60_000


async def test_get_leaves_out_what_is_not_there() -> None:
    """Without query, cookies and body the event has no such keys."""
    async with calling() as client:
        event = (await client.get("/event")).json()["event"]
    assert not {"queryStringParameters", "cookies", "body"} & event.keys()
    assert (event["rawQueryString"], event["isBase64Encoded"]) == ("", False)


@pytest.mark.parametrize(
    ("content_type", "encoded"),
    [
        ("application/json", False),
        ("text/plain; charset=utf-8", False),
        ("application/x-www-form-urlencoded", True),
        ("application/octet-stream", True),
        ("", True),
    ],
)
async def test_bodies_are_text_or_base64(content_type: str, encoded: bool) -> None:
    """By the content type, as function URLs do; the app gets the same bytes either way."""
    headers = {"content-type": content_type} if content_type else {}
    async with calling() as client:
        payload = (await client.post("/event", content=b"a=1", headers=headers)).json()
        raw = (await client.post("/event", content=b"\xff\x00", headers=headers)).json()
    assert payload["event"]["isBase64Encoded"] is encoded
    assert base64.b64decode(payload["body"]) == b"a=1"
    assert raw["event"]["isBase64Encoded"] is True
    assert base64.b64decode(raw["body"]) == b"\xff\x00"


async def test_cookies_redirects_and_bytes() -> None:
    """Cookies stay apart, a redirect leads back here, bytes are bytes."""
    async with calling() as client:
        moved = await client.get("/cookies")
        assert (moved.status_code, moved.headers["location"]) == (303, "/event")
        assert len(moved.headers.get_list("set-cookie")) == 2
        followed = await client.get("/cookies", follow_redirects=True)
        assert followed.json()["event"]["cookies"] == ["a=1", "b=2"]
        slashed = await client.get("/event/", follow_redirects=True)
        assert slashed.status_code == 200
        assert (await client.get("/binary")).content == bytes(range(256))


async def test_responses_without_a_body() -> None:
    """HEAD, 204 and 304 have none, and the connection is good for the next request."""
    async with calling() as client:
        for method, path, status in (
            ("HEAD", "/binary", 200),
            ("GET", "/status/204", 204),
            ("GET", "/status/304", 304),
            ("GET", "/event", 200),
        ):
            response = await client.request(method, path)
            assert response.status_code == status
            assert (response.content == b"") is (path != "/event")
        assert (await client.get("/status/200")).content == b"\n"


async def test_large_bodies_up_to_lambda_s_limits() -> None:
    """1 MiB goes in, 20 MiB does not: Lambda takes 6 MB; out goes what streams."""
    async with calling() as client:
        sent = await client.post("/length", content=b"x" * 2**20)
        assert sent.json() == 2**20
        refused = await client.post("/length", content=b"x" * (20 * 2**20))
        assert refused.status_code == 413
        assert len((await client.get("/much?mib=20")).content) == 20 * 2**20

        async def chunks() -> AsyncIterator[bytes]:
            for _ in range(10):
                yield b"y" * 1000

        assert (await client.post("/length", content=chunks())).json() == 10_000


async def test_hundred_megabytes_in_constant_memory() -> None:
    """The function's process and ours hold a window of a streamed answer, not the answer."""
    async with calling() as client:
        pid = (await client.get("/event")).json()["pid"]
        before, ours = resident_mb(pid), resident_mb(os.getpid())
        size = 0
        async with client.stream("GET", "/much?mib=100") as response:
            async for part in response.aiter_bytes():
                size += len(part)
        after = resident_mb(pid)
    assert size == 100 * 2**20
    assert after < before + 30
    assert resident_mb(os.getpid()) < ours + 30


async def test_one_request_per_environment() -> None:
    """Two requests at a time need two processes; two in a row, one."""
    async with calling() as client:
        first, second = await asyncio.gather(client.get("/slow"), client.get("/slow"))
        third = await client.get("/slow?seconds=0")
    assert first.text.split()[1] == second.text.split()[1] == "later"
    pids = {first.text.split()[0], second.text.split()[0]}
    assert len(pids) == 2
    assert third.text.split()[0] in pids


async def test_concurrent_requests_share_an_environment() -> None:
    """With concurrency, one process answers both, at the same time."""
    async with calling(concurrency=2, environments=1) as client:
        first, second = await asyncio.gather(client.get("/slow"), client.get("/slow"))
    assert first.text.split()[0] == second.text.split()[0]


async def test_no_room_is_a_429() -> None:
    """Past the last environment Lambda throttles."""
    async with calling(environments=1) as client:
        both = await asyncio.gather(client.get("/slow"), client.get("/slow"))
    assert sorted(response.status_code for response in both) == [200, 429]


async def test_function_does_not_see_its_client_leave(capfd: pytest.CaptureFixture[str]) -> None:
    """As on Lambda: the client leaves, and the function goes on to the end."""
    async with calling(environments=1) as client:
        async with client.stream("GET", "/unaware") as response:
            parts = response.aiter_bytes()
            await anext(parts)
            await response.aclose()
        assert await left_as(client) == "to the end"


async def test_function_can_see_its_client_leave(capfd: pytest.CaptureFixture[str]) -> None:
    """By choice, writes fail once the client has left."""
    async with calling(environments=1, tells_disconnect=True) as client:
        async with client.stream("GET", "/unaware") as response:
            parts = response.aiter_bytes()
            await anext(parts)
            await response.aclose()
        assert await left_as(client) == "cut short"
    assert "the client left" in capfd.readouterr().out


async def left_as(client: httpx2.AsyncClient) -> str:
    """What ``/unaware`` came to, once its environment is free again."""
    async with asyncio.timeout(20):
        while (answer := await client.get("/left")).status_code == 429:
            await asyncio.sleep(0.05)
    found: str = answer.json()
    return found


@pytest.mark.measured
async def test_failures_look_as_on_lambda(capfd: pytest.CaptureFixture[str]) -> None:
    """502 before the first byte; after it, a connection that breaks off. And one may go on."""
    async with calling() as client:
        failed = await client.get("/fail?when=before")
        # Starlette answers 500 itself, and raises for its server to log.
        assert failed.status_code == 500
        with pytest.raises(httpx2.RemoteProtocolError):
            await client.get("/fail?when=within")
        crashed = await client.get("/crash")
        assert (crashed.status_code, crashed.json()) == (502, {"message": "Internal Server Error"})
        assert crashed.headers["x-amzn-errortype"] == "Runtime.ExitError"
        assert (await client.get("/event")).json()["context"]["cold_start"] is True
    output = capfd.readouterr().out
    assert "Error Type: Function.ValueError" in output
    assert "Runtime exited with error: exit status 7" in output


@pytest.mark.measured
async def test_timeout_kills(capfd: pytest.CaptureFixture[str]) -> None:
    """At the deadline the process is stopped, whatever it does, and the log has a line about it."""
    async with calling("tests.lambda_asgi.stubborn:handler", timeout=1) as client:
        response = await client.get("/")
    assert response.status_code == 502
    assert "Task timed out after 1.00 seconds" in capfd.readouterr().out


@pytest.mark.measured
async def test_memory_limit_kills(capfd: pytest.CaptureFixture[str]) -> None:
    """A process that takes more than its share is stopped."""
    async with calling(memory_mb=200) as client:
        response = await client.get("/hog")
    assert response.status_code == 502
    assert response.headers["x-amzn-errortype"] == "Runtime.OutOfMemory"
    assert "Runtime.OutOfMemory" in capfd.readouterr().out


async def test_reports_are_lambda_s(capfd: pytest.CaptureFixture[str]) -> None:
    """START, END and REPORT for each request; the cold start is in the first one's."""
    async with calling() as client:
        await client.get("/event")
        await client.get("/event")
    lines = capfd.readouterr().out.splitlines()
    reports = [line for line in lines if line.startswith("REPORT")]
    form = (
        r"REPORT RequestId: [0-9a-f-]{36}\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\t"
        r"Memory Size: 1024 MB\tMax Memory Used: \d+ MB"
    )
    assert re.fullmatch(form + r"\tInit Duration: [\d.]+ ms", reports[0])
    assert re.fullmatch(form, reports[1])
    assert sum(line.startswith("START RequestId: ") for line in lines) == 2
    assert sum(line.startswith("END RequestId: ") for line in lines) == 2


@pytest.mark.measured
@pytest.mark.parametrize(
    ("handler", "logged"),
    [
        ("tests.lambda_asgi.apps:broken", "LifespanError"),
        ("tests.lambda_asgi.nothing:handler", "No module named 'tests.lambda_asgi.nothing'"),
        ("tests.lambda_asgi.apps:not_a_handler", "is not a lambda_asgi.Handler"),
        ("nonsense", "a handler is named module:attribute"),
    ],
)
async def test_failed_starts_say_why(
    handler: str, logged: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """502 to the client, the cause to the developer; and the next request tries again."""
    async with calling(handler) as client:
        for _ in range(2):
            response = await client.get("/")
            assert response.status_code == 502
            assert response.headers["x-amzn-errortype"] == "Runtime.InitError"
    output = capfd.readouterr().out
    assert logged in output
    assert output.count("INIT_REPORT") == 2


async def test_malformed_requests_are_400() -> None:
    """Malformed requests get a 400, and other requests are not affected."""
    async with calling() as client:
        for nonsense in (b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\nbad header\r\n\r\n"):
            reader, writer = await asyncio.open_connection("127.0.0.1", client.base_url.port)
            writer.write(nonsense)
            assert (await reader.read()).startswith(b"HTTP/1.1 400 Bad Request\r\n")
            writer.close()
        assert (await client.get("/event")).status_code == 200


async def test_http10_and_expect_are_spoken() -> None:
    """An old client gets a body without chunks; one that waits for 100 gets it."""
    async with calling() as client:
        reader, writer = await asyncio.open_connection("127.0.0.1", client.base_url.port)
        writer.write(b"GET /binary HTTP/1.0\r\n\r\n")
        assert (await reader.read()).endswith(b"\r\n\r\n" + bytes(range(256)))
        writer.close()
        reader, writer = await asyncio.open_connection("127.0.0.1", client.base_url.port)
        writer.write(
            b"POST /length HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
            b"Connection: close\r\nContent-Length: 3\r\n\r\n"
        )
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"abc")
        assert b"\r\n\r\n1\r\n3\r\n0\r\n\r\n" in await reader.read()
        writer.close()


@pytest.mark.measured
async def test_change_of_code_is_noticed(tmp_path: Path) -> None:
    """A changed, a new and a removed file each; other files are ignored."""
    (tmp_path / "a.py").write_text("1")
    (tmp_path / "__pycache__").mkdir()
    changes: asyncio.Queue[None] = asyncio.Queue()
    watching = asyncio.create_task(watch(tmp_path, lambda: changes.put_nowait(None), pause=0.01))
    await asyncio.sleep(0)
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "__pycache__" / "a.py").write_text("x")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(changes.get(), 0.1)
    (tmp_path / "b.py").write_text("2")
    await asyncio.wait_for(changes.get(), 5)
    (tmp_path / "b.py").unlink()
    await asyncio.wait_for(changes.get(), 5)
    watching.cancel()


async def test_bytecode_of_changed_code_is_removed(tmp_path: Path) -> None:
    """Python would use it if the file kept its size and was saved twice in one second."""
    (tmp_path / "a.py").write_text("1")
    (tmp_path / "__pycache__").mkdir()
    for name in ("a.cpython-313.pyc", "ab.cpython-313.pyc"):
        (tmp_path / "__pycache__" / name).write_bytes(b"")
    changes: asyncio.Queue[None] = asyncio.Queue()
    watching = asyncio.create_task(watch(tmp_path, lambda: changes.put_nowait(None), pause=0.01))
    await asyncio.sleep(0)
    os.utime(tmp_path / "a.py", (1.25, 1.25))
    await asyncio.wait_for(changes.get(), 5)
    assert [path.name for path in (tmp_path / "__pycache__").iterdir()] == ["ab.cpython-313.pyc"]
    watching.cancel()


@pytest.mark.measured
async def test_command_serves_and_reloads(tmp_path: Path) -> None:
    """``python -m lambda_asgi.local``: variables from a file, new code for the next request."""
    (tmp_path / "vars.env").write_text("# a comment\nexport GREETING='hello'\n")
    code = tmp_path / "site.py"
    (tmp_path / "greeting.py").write_text(APP)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "lambda_asgi.local", "greeting:handler", "--port", "0", "--reload"),
        *("--env-file", "vars.env"),
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    line = (await asyncio.wait_for(process.stdout.readline(), 20)).decode()
    environments = (await asyncio.wait_for(process.stdout.readline(), 20)).decode()
    assert re.fullmatch(r"  environments: 10 at most, \d+ start at a time\n", environments)
    url = line.removeprefix("function URL: ").strip()
    async with httpx2.AsyncClient(
        base_url=url, timeout=30, trust_env=False, verify=False
    ) as client:
        assert (await client.get("/")).text == "hello 1"
        # Of another size: Python takes bytecode for current if the source has the size and the
        # second that it had when it was compiled.
        (tmp_path / "greeting.py").write_text(APP.replace("} 1", "} two"))
        async with asyncio.timeout(20):
            while b"the code has changed" not in await process.stdout.readline():
                pass
        assert (await client.get("/")).text == "hello two"
    assert not code.exists()
    process.terminate()
    assert await asyncio.wait_for(process.wait(), 20) == 0


APP = """
import os
from lambda_asgi import Handler

async def app(scope, receive, send):
    assert scope["type"] == "http"
    body = f"{os.environ['GREETING']} 1".encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})

handler = Handler(app)
"""


async def test_taken_port_is_reported(tmp_path: Path) -> None:
    """Not a traceback: which address, and why."""
    async with calling() as client:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "lambda_asgi.local", PLAYGROUND, "--port", str(client.base_url.port)),
            stderr=asyncio.subprocess.PIPE,
        )
        _, error = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 1
    assert error.decode().startswith(f"cannot listen on 127.0.0.1:{client.base_url.port}: ")
    assert "Choose another address with --host and --port." in error.decode()


@pytest.mark.measured
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "give a handler (module:attribute), --command or --template\n"),
        (("--template", "/nonexistent"), "[Errno 2] No such file or directory: '/nonexistent'\n"),
    ],
)
async def test_bad_options_are_explained(arguments: tuple[str, ...], message: str) -> None:
    """One line, and exit status 1."""
    assert await failed_with("-m", "lambda_asgi.local", *arguments) == message


async def test_missing_library_is_named() -> None:
    """h11 is not in the layer; a developer's machine may not have it."""
    code = "import runpy, sys; sys.modules['h11'] = None; runpy.run_module('lambda_asgi.local', "
    error = await failed_with("-c", code + "run_name='__main__')")

    assert error == "python -m lambda_asgi.local needs h11: pip install h11\n"


async def failed_with(*arguments: str) -> str:
    """What Python writes to stderr before it exits with status 1."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, stderr=asyncio.subprocess.PIPE
    )
    _, error = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 1
    return error.decode()
