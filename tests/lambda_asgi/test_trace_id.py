"""The trace header of an invocation, where tracing libraries look for it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import MutableMapping

import pytest

from lambda_asgi import Handler
from lambda_asgi.runtime import Runtime
from lambda_asgi.types import Receive, Scope, Send
from tests.fakes.runtime_api import runtime_api
from tests.lambda_asgi.test_process import at, started
from tests.lambda_asgi.test_runtime import URL, body, start

ONE, TWO = "Root=1-5759e988-bd862e3fe1be46a994272793", "Root=1-00000000-000000000000000000000000"
TRACE_ID = "_X_AMZN_TRACE_ID"


async def shown(environ: MutableMapping[str, str], *trace_ids: str) -> list[str]:
    """What the variable holds in each of these invocations, one after the other."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start())
        await send(body(environ.get(TRACE_ID, "unset").encode()))

    async with runtime_api() as api:
        environ["AWS_LAMBDA_RUNTIME_API"] = api.address
        runtime = Runtime(environ)
        serving = asyncio.create_task(runtime.run(Handler(app, environ={})))
        found = []
        for trace_id in trace_ids:
            got = await api.invoke(URL, Trace_Id=trace_id).finished()
            found.append(got.payload.decode())
        runtime.stop()
        await serving
    return found


async def test_each_invocation_has_its_own_trace_id() -> None:
    """One at a time: the variable holds this invocation's header, and none where it has none."""
    assert await shown({}, ONE, TWO, "", ONE) == [ONE, TWO, "unset", ONE]


async def test_concurrent_invocations_share_no_variable() -> None:
    """Where several run at once the variable would be another's: it is not set."""
    environ = {"AWS_LAMBDA_MAX_CONCURRENCY": "2", TRACE_ID: "of the process that started us"}
    assert await shown(environ, ONE, TWO) == ["unset", "unset"]


@pytest.mark.outside
@pytest.mark.timeout(120)
async def test_boto3_passes_the_trace_on() -> None:
    """What boto3 sends carries the header by which Lambda sees that a function calls itself."""
    environ = {"AWS_LAMBDA_FUNCTION_NAME": "f", "AWS_DEFAULT_REGION": "us-east-1"}
    keys = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    async with started("calls_itself", **environ, **keys) as (api, _):
        for trace_id in (ONE, TWO):
            got = await api.invoke(at("/"), Trace_Id=trace_id).finished()
            assert got.payload.decode() == trace_id
    assert TRACE_ID not in os.environ
