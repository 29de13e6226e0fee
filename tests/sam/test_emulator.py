"""The runtime under AWS's own Runtime Interface Emulator, which the SAM CLI's wheel carries."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
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


@asynccontextmanager
async def classic(emulator: Path, log: Path) -> AsyncIterator[httpx2.AsyncClient]:
    """The emulator on this machine, around our runtime: one invocation at a time, or it dies."""
    port = reserved_port()
    command: list[str | Path] = [emulator, "--log-level", "error"]
    command += ["--runtime-interface-emulator-address", f"127.0.0.1:{port}"]
    command += ["--runtime-api-address", f"127.0.0.1:{reserved_port()}"]
    command += [sys.executable, "-m", "lambda_asgi"]
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
    """A client, once somebody listens there."""
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
            said = (await client.post(INVOKE, json=event(name))).json()
            assert said["statusCode"] == 200
            assert json.loads(said["body"])["path"] == "/event"


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


@asynccontextmanager
async def managed(
    emulator: Path, build: Path, concurrency: int
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
        "AWS_LAMBDA_EXEC_WRAPPER": "/opt/lambda-asgi",
        "AWS_LAMBDA_FUNCTION_NAME": "function",
        "_HANDLER": "tests.lambda_asgi.meeting:handler",
        "PYTHONPATH": "/mnt",
        "PYTHONDONTWRITEBYTECODE": "1",
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
        deadline = time.monotonic() + 30
        while True:  # the emulator listens before the function is up
            probe = await client.post(INVOKE, json=event("function-url", "/alone"), headers=JSON)
            if probe.status_code == 200 and b"\0" * 8 in probe.content:
                break
            assert time.monotonic() < deadline, probe.content
            await asyncio.sleep(0.2)
        asking = (
            client.post(INVOKE, json=event("function-url", f"/meet/{n}"), headers=JSON)
            for n in range(4)
        )
        answers = await asyncio.gather(*asking)
    bodies = [answer.content.partition(b"\0" * 8)[2].decode().split() for answer in answers]
    assert [body[0] for body in bodies] == ["0", "1", "2", "3"]
    assert len({body[1] for body in bodies}) == 1, "one process"
    assert all(body[2] == "met-4" for body in bodies)
