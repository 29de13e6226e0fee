"""Frameworks of others behind the runtime loop: streaming, bodies, cookies, failures."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.runtime_api import Exchange, RuntimeApi, runtime_api
from tests.lambda_asgi.test_process import at
from tests.suites.launching import PATIENCE, running

pytestmark = [pytest.mark.judge, pytest.mark.timeout(2 * PATIENCE)]
FRAMEWORKS = ("django", "quart", "litestar", "sse_starlette")
ERROR_TYPE = "Lambda-Runtime-Function-Error-Type"


@asynccontextmanager
async def served(framework: str, folder: Path) -> AsyncIterator[RuntimeApi]:
    """A framework's app in a process of its own, and its Runtime API."""
    async with (
        runtime_api() as api,
        running(
            folder / "log",
            "lambda_asgi",
            AWS_LAMBDA_RUNTIME_API=api.address,
            LAMBDA_TASK_ROOT=".",
            _HANDLER="tests.suites.programs.frameworks.handler",
            FRAMEWORK=framework,
            SIGNAL=str(folder / "signal"),
        ),
    ):
        yield api


async def ended(exchange: Exchange) -> Exchange:
    """The exchange, once its answer has ended; the first waits for the packages."""
    await asyncio.wait_for(exchange.done.wait(), PATIENCE)
    return exchange


def posted(path: str, body: str) -> dict[str, Any]:
    """A function URL's POST."""
    event = at(path)
    event["requestContext"]["http"]["method"] = "POST"
    headers = {**event["headers"], "content-length": str(len(body))}
    return {**event, "headers": headers, "body": body, "isBase64Encoded": False}


@pytest.mark.parametrize("framework", FRAMEWORKS)
async def test_framework_runs_unchanged(framework: str, tmp_path: Path) -> None:
    """It reads a body, sets cookies, streams, and its failure in mid-stream reaches Lambda."""
    async with served(framework, tmp_path) as api:
        echoed = await ended(api.invoke(posted("/echo", "hello")))
        assert echoed.payload == b"hello"
        assert [cookie[:3] for cookie in echoed.prelude["cookies"]] == ["a=1", "b=2"]

        streamed = api.invoke(at("/stream"))
        await streamed.until(b"one")
        (tmp_path / "signal").touch()
        await ended(streamed)
        assert b"two" in streamed.payload

        failed = await ended(api.invoke(at("/fail")))
        assert b"begun" in failed.payload
        assert failed.trailers[ERROR_TYPE].startswith("Function.")
        assert b"sk-secret" not in failed.body

        again = await ended(api.invoke(posted("/echo", "again")))
        assert again.payload == b"again"
