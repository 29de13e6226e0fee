"""The runtime under AWS's own Runtime Interface Emulator, which the SAM CLI's wheel carries."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.fakes.ports import reserved_port
from tests.sam.conftest import ARCH, run, running

pytestmark = [pytest.mark.sam, pytest.mark.timeout(120)]
IMAGE = f"public.ecr.aws/lambda/python:3.13-{ARCH}"
INVOKE = "/2015-03-31/functions/function/invocations"
JSON = {"content-type": "application/json"}
MEETING = {
    "AWS_LAMBDA_EXEC_WRAPPER": "/opt/lambda-asgi",
    "_HANDLER": "tests.lambda_asgi.meeting:handler",
}
PLAYGROUND = {**MEETING, "_HANDLER": "tests.lambda_asgi.playground:handler"}
RAW = {"AWS_LAMBDA_EXEC_WRAPPER": "/mnt/tests/sam/raw_trailer.sh"}


@pytest.fixture
def emulator(build: Path) -> Path:
    """Its binary."""
    (found,) = Path(".cache/sam").glob(f"lib/python*/site-packages/samcli/local/rapid/*{ARCH}")
    return found.absolute()


def event(name: str, path: str = "/event") -> dict[str, Any]:
    """A front door's event, with another path."""
    found: dict[str, Any] = json.loads(Path(f"events/{name}.json").read_text())
    if "http" in found["requestContext"]:
        found["rawPath"] = found["requestContext"]["http"]["path"] = path
        found["requestContext"]["http"]["method"] = "GET"
        found.pop("body", None)
    else:
        found["path"] = path
    return found


OURS = ("-m", "lambda_asgi")
LONG_TRAILER = ("tests/sam/raw_trailer.py", "5120")
"""A runtime whose error trailers have 5 KB."""


@asynccontextmanager
async def classic(
    emulator: Path, log: Path, runtime: Sequence[str] = OURS
) -> AsyncIterator[httpx2.AsyncClient]:
    """The emulator on this machine, around a runtime: one invocation at a time, or it dies."""
    port = reserved_port()
    command: list[str | Path] = [emulator, "--log-level", "error"]
    command += ["--runtime-interface-emulator-address", f"127.0.0.1:{port}"]
    command += ["--runtime-api-address", f"127.0.0.1:{reserved_port()}"]
    command += [sys.executable, *runtime]
    environ = {
        "_HANDLER": "tests.lambda_asgi.playground:handler",
        "AWS_LAMBDA_FUNCTION_TIMEOUT": "10",
        "LAMBDA_TASK_ROOT": str(Path.cwd()),
        "PYTHONPATH": ":".join(part for part in sys.path if part),
    }
    async with running(command, log, **environ), reaching(f"http://127.0.0.1:{port}") as client:
        yield client


@asynccontextmanager
async def reaching(url: str) -> AsyncIterator[httpx2.AsyncClient]:
    """A client, once a server listens there."""
    async with httpx2.AsyncClient(base_url=url, timeout=30, trust_env=False) as client:
        deadline = time.monotonic() + 30
        while True:
            try:
                await client.get("/")
                break
            except httpx2.HTTPError:
                assert time.monotonic() < deadline
                await asyncio.sleep(0.1)
        yield client


async def test_buffered_answers_are_right(emulator: Path, tmp_path: Path) -> None:
    """Each other front door's event gets its JSON."""
    async with classic(emulator, tmp_path / "log") as client:
        for name in ("http-api-v2", "rest-api-v1", "alb"):
            response = (await client.post(INVOKE, json=event(name))).json()
            assert response["statusCode"] == 200
            assert json.loads(response["body"])["path"] == "/event"


async def test_streamed_answers_are_accepted(emulator: Path, tmp_path: Path) -> None:
    """The emulator takes the streamed form, and hands all of it on at the end: prelude, body."""
    async with classic(emulator, tmp_path / "log") as client:
        for _ in range(3):
            answer = await client.post(INVOKE, json=event("function-url", "/slow"))
            prelude, _, body = answer.content.partition(b"\0" * 8)
            assert json.loads(prelude)["statusCode"] == 200
            assert body.endswith(b"\nlater\n")


async def test_failures_leave_the_runtime_alive(emulator: Path, tmp_path: Path) -> None:
    """An app that raises in mid-stream, or has no answer: the next invocation is served."""
    async with classic(emulator, tmp_path / "log") as client:
        await client.post(INVOKE, json=event("function-url", "/fail?when=within"))
        failed = (await client.post(INVOKE, json={"Records": []})).json()
        assert failed["errorType"] == "Runtime.UnsupportedEvent"
        answer = await client.post(INVOKE, json=event("function-url", "/event"))
        assert b'"path":"/event"' in answer.content


async def test_long_trailer_ends_the_environment(emulator: Path, tmp_path: Path) -> None:
    """What the bound on our trailers is for: at 5 KB Lambda's HTTP server panics."""
    async with classic(emulator, tmp_path / "log", LONG_TRAILER) as client:
        failed = (await client.post(INVOKE, json=event("function-url"))).json()
    assert failed["errorType"] == "Runtime.ExitError"
    assert "suspiciously long trailer" in (tmp_path / "log").read_text()


async def test_long_trace_leaves_the_environment_alive(emulator: Path, tmp_path: Path) -> None:
    """A failure in mid-stream with a stack of more than 5 KB: the same process serves on."""
    async with classic(emulator, tmp_path / "log") as client:
        pids = [await pid(client, path) for path in ("/deep", "/deep", "/slow")]
    assert len(set(pids)) == 1
    assert "suspiciously long" not in (tmp_path / "log").read_text()


async def pid(client: httpx2.AsyncClient, path: str) -> str:
    """The first line of a streamed body: the id of the process that served it."""
    answer = await client.post(INVOKE, json=event("function-url", path))
    return answer.content.partition(b"\0" * 8)[2].decode().splitlines()[0]


@asynccontextmanager
async def managed(
    emulator: Path, build: Path, concurrency: int, environ: Mapping[str, str] = MEETING
) -> AsyncIterator[httpx2.AsyncClient]:
    """The multi-concurrent emulator, in a container with the built artifacts, as Lambda has it."""
    here = Path.cwd()
    port = reserved_port()
    command = ["docker", "run", "--rm", "--detach", "--publish", f"127.0.0.1:{port}:8080"]
    for source, target in (
        (emulator, "/usr/local/bin/rie"),
        (build / "ProxyFunction", "/var/task"),
        (build / "LambdaAsgiLayer", "/opt"),
        (here / "tests", "/mnt/tests"),
    ):
        command += ["--volume", f"{source}:{target}:ro"]
    for name, value in {
        "AWS_LAMBDA_MAX_CONCURRENCY": str(concurrency),
        "AWS_LAMBDA_FUNCTION_NAME": "function",
        "_HANDLER": "none",
        "PYTHONPATH": "/mnt",
        "PYTHONDONTWRITEBYTECODE": "1",
        **environ,
    }.items():
        command += ["--env", f"{name}={value}"]
    started = await run([*command, "--entrypoint", "/usr/local/bin/rie", IMAGE])
    assert started.status == 0, started.err
    container = started.out.strip()
    try:
        async with reaching(f"http://127.0.0.1:{port}") as client:
            yield client
    finally:
        await run(["docker", "rm", "--force", container])


async def test_concurrent_streams_interleave(emulator: Path, build: Path) -> None:
    """Four streams in one process: each ends only once all four have begun."""
    async with managed(emulator, build, 4) as client:
        await up(client, "/alone")
        pending = (
            client.post(INVOKE, json=event("function-url", f"/meet/{n}"), headers=JSON)
            for n in range(4)
        )
        answers = await asyncio.gather(*pending)
    bodies = [answer.content.partition(b"\0" * 8)[2].decode().split() for answer in answers]
    assert [body[0] for body in bodies] == ["0", "1", "2", "3"]
    assert len({body[1] for body in bodies}) == 1, "one process"
    assert all(body[2] == "met-4" for body in bodies)


async def up(client: httpx2.AsyncClient, path: str) -> None:
    """Wait for the function: the emulator listens before it is up."""
    deadline = time.monotonic() + 30
    while True:
        probe = await client.post(INVOKE, json=event("function-url", path), headers=JSON)
        if probe.status_code == 200 and b"\0" * 8 in probe.content:
            return
        assert time.monotonic() < deadline, probe.content
        await asyncio.sleep(0.2)


async def test_long_trace_leaves_a_concurrent_environment_alive(
    emulator: Path, build: Path
) -> None:
    """On Managed Instances too: the stack arrives as the error, and the process serves on."""
    async with managed(emulator, build, 2, PLAYGROUND) as client:
        await up(client, "/slow?seconds=0")
        before = await pid(client, "/slow?seconds=0")
        failed = await client.post(INVOKE, json=event("function-url", "/deep"), headers=JSON)
        after = await pid(client, "/slow?seconds=0")
    assert failed.json()["errorType"] == "Function.ValueError"
    assert "in descend" in failed.json()["stackTrace"][0]
    assert after == before


async def test_long_trailer_loses_the_error_of_a_concurrent_environment(
    emulator: Path, build: Path
) -> None:
    """There a trailer of 5 KB is no panic, but nothing of it arrives, and its connection ends."""
    async with managed(emulator, build, 2, RAW) as client:
        deadline = time.monotonic() + 30
        while True:
            answer = await client.post(INVOKE, json=event("function-url"), headers=JSON)
            if answer.json()["errorType"] != "Runtime.Unavailable":
                break
            assert time.monotonic() < deadline, "the runtime never came up"
            await asyncio.sleep(0.2)
    assert answer.json() == {"errorType": "Runtime.TruncatedResponse"}
