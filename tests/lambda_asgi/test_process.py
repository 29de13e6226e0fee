"""``python -m lambda_asgi`` as Lambda starts it: init, restore, shutdown, real frameworks."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.runtime_api import RuntimeApi, runtime_api
from tests.lambda_asgi.test_runtime import ERROR_TYPE, URL

pytestmark = pytest.mark.outside


@asynccontextmanager
async def started(
    handler: str, **environ: str
) -> AsyncIterator[tuple[RuntimeApi, asyncio.subprocess.Process]]:
    """The runtime as a process, and its Runtime API."""
    async with runtime_api() as api:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "lambda_asgi",
            env={
                **os.environ,
                "AWS_LAMBDA_RUNTIME_API": api.address,
                "LAMBDA_TASK_ROOT": ".",
                "_HANDLER": f"tests.lambda_asgi.apps.{handler}",
                **environ,
            },
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        yield api, process
        if process.returncode is None:
            process.kill()
        await process.communicate()


def at(path: str) -> dict[str, Any]:
    """A function URL's GET of a path."""
    http = {**URL["requestContext"]["http"], "path": path, "method": "GET"}
    context = {**URL["requestContext"], "http": http}
    return {**URL, "rawPath": path, "requestContext": context, "body": ""}


@pytest.mark.parametrize(
    ("handler", "path", "expected"),
    [
        ("starlette", "/greet", b"hello"),
        ("starlette", "/count", b"0 1 2 "),
        ("litestar", "/count", b"0 1 2 "),
        ("bare", "/", b"plain"),
    ],
)
async def test_frameworks_run_unchanged(handler: str, path: str, expected: bytes) -> None:
    """Any ASGI app, with its lifespan's state, or without one."""
    async with started(handler) as (api, _):
        for _ in range(2):
            assert (await api.invoke(at(path)).finished()).payload == expected


@pytest.mark.measured
async def test_sigterm_shuts_the_app_down() -> None:
    """The app's lifespan ends in order, and the process with status 0."""
    async with started("starlette") as (api, process):
        await api.invoke(at("/greet")).finished()
        process.send_signal(signal.SIGTERM)
        printed, _ = await asyncio.wait_for(process.communicate(), 10)
    assert process.returncode == 0
    assert b"closed in order" in printed


@pytest.mark.measured
@pytest.mark.parametrize(
    ("handler", "kind"),
    [
        ("broken", "Runtime.InitError"),
        ("not_there", "Runtime.HandlerNotFound"),
        ("not_a_handler", "Runtime.HandlerNotFound"),
        (".", "Runtime.MalformedHandlerName"),
    ],
)
async def test_failed_start_is_reported(handler: str, kind: str) -> None:
    """/init/error hears of it, without the exception's text, and the process ends with 1."""
    async with started(handler) as (api, process):
        printed, _ = await asyncio.wait_for(process.communicate(), 20)
    report = api.posts["/runtime/init/error"]
    assert (process.returncode, report["errorType"]) == (1, kind)
    assert kind.encode() in printed
    assert b"secret" not in printed


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("import nowhere", "Runtime.ImportModuleError"),
        ("from os import nothing", "Runtime.ImportModuleError"),
        ("this is no Python", "Runtime.UserCodeSyntaxError"),
        ("raise ValueError('sk-secret')", "Runtime.InitError"),
        ("handler = 5", "Runtime.HandlerNotFound"),
        (None, "Runtime.ImportModuleError"),
    ],
)
async def test_failed_import_has_aws_s_type(source: str | None, kind: str, tmp_path: Path) -> None:
    """A module that cannot be loaded is reported by the types of Lambda's own runtime."""
    if source is not None:
        (tmp_path / "failing.py").write_text(source)
    async with started("", _HANDLER="failing.handler", LAMBDA_TASK_ROOT=str(tmp_path)) as found:
        api, process = found
        printed, _ = await asyncio.wait_for(process.communicate(), 20)
    assert (process.returncode, api.posts["/runtime/init/error"]["errorType"]) == (1, kind)
    assert b"secret" not in printed


async def test_malformed_name_is_reported() -> None:
    """A name without a dot names no handler."""
    async with started("", _HANDLER="handler") as (api, process):
        await asyncio.wait_for(process.communicate(), 20)
    report = api.posts["/runtime/init/error"]
    assert report["errorType"] == "Runtime.MalformedHandlerName"
    assert report["errorMessage"].startswith("MalformedName: a handler is named")


async def test_refused_next_ends_the_process() -> None:
    """When Lambda is done with the environment the process says so, and ends."""
    async with started("bare") as (api, process):
        api.next_status = 403
        printed, _ = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 1
    assert b"/next answered 403" in printed


@pytest.mark.measured
async def test_snapshot_is_taken_after_start() -> None:
    """With SnapStart the app starts, then the snapshot is allowed, then invocations come."""
    async with started("bare", AWS_LAMBDA_INITIALIZATION_TYPE="snap-start") as (api, _):
        got = await api.invoke(at("/")).finished()
    assert "/runtime/restore/next" in api.posts
    assert got.payload == b"plain"
    assert ERROR_TYPE not in got.sent
