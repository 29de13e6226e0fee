"""What a function's start imports and builds, and what waits for its first use."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

pytestmark = pytest.mark.outside

_UNNEEDED = {
    "click",
    "dotenv",
    "fastapi",
    "http.server",
    "opentelemetry.sdk",
    "prometheus_client",
    "pydantic",
    "tokenwire.stores.dynamodb.store",
    "tokenwire.stores.redis.store",
    "tomllib",
    "uvicorn",
    "wsgiref.simple_server",
}
"""For a scrape, a server, a store or a route out of use, or files that Lambda does not have."""
_STREAM = {"model": "demo/markdown", "stream": True, "messages": [{"role": "user", "content": "a"}]}
_PROGRAM = """
import asyncio, json, sys
import tokenwire.lambda_handler as function

modules = list(sys.modules)

def built():
    routes = function.rest.prepare().routes
    return [route.path for route in routes if "dependant" in vars(route)]

async def requests():
    import httpx2
    transport = httpx2.ASGITransport(function.app, client=("127.0.0.1", 1))
    async with httpx2.AsyncClient(transport=transport, base_url="http://tests") as client:
        streamed = await client.post("/v1/chat/completions", json=json.loads(sys.argv[1]))
        page = await client.get("/")
        before = "fastapi" in sys.modules
        missing = await client.get("/v1/streams/st_missing")
        return [streamed.status_code, page.status_code, before, missing.status_code, built()]

requested = asyncio.run(requests())

from fastapi.openapi.models import Contact
from pydantic import BaseModel

print(json.dumps({
    "sdk": "openai" in modules,
    "boto": "botocore.session" in modules,
    "modules": modules,
    "requested": requested,
    "built": Contact.__pydantic_complete__,
    "contact": Contact(name="a").model_dump(exclude_none=True),
    "left": "defer_build" in BaseModel.model_config,
}))
"""


def imported(**environ: str) -> dict[str, Any]:
    """What a new process holds after the function's import."""
    # Coverage, if it measures the process, imports what it needs itself.
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.endswith("_API_KEY") and not name.startswith("COVERAGE")
    }
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, json.dumps(_STREAM)],
        env={**kept, "OPENAI_API_KEY": "env-key-of-tests", **environ},
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_a_start_on_demand_imports_no_sdk() -> None:
    """Neither OpenAI's nor AWS's; the models of OpenAPI documents work once they are used."""
    found = imported(AWS_LAMBDA_RUNTIME_API="127.0.0.1:9")
    assert (found["sdk"], found["boto"]) == (False, False)
    assert found["built"] is False
    assert found["contact"] == {"name": "a"}
    assert found["left"] is False, "an app's own models are built as ever"


def test_a_start_imports_nothing_that_it_does_not_use() -> None:
    """What ``/metrics``, a server, a store or ``.env`` need is imported where it is used."""
    modules = set(imported(AWS_LAMBDA_RUNTIME_API="127.0.0.1:9")["modules"])
    assert "tokenwire.telemetry.metrics" in modules
    assert modules & _UNNEEDED == set()


def test_streams_and_the_page_are_served_without_fastapi() -> None:
    """It is imported for the first route with parameters, and builds that one route."""
    streamed, page, before, missing, built = imported(
        AWS_LAMBDA_RUNTIME_API="127.0.0.1:9", TOKENWIRE_DEMO="true", TOKENWIRE_AUTH="none"
    )["requested"]
    assert (streamed, page, before) == (200, 200, False)
    assert (missing, built) == (404, ["/v1/streams/{stream_id}"])


def test_an_environment_that_no_request_waits_for_imports_fastapi_at_its_start() -> None:
    """Such as a provisioned one."""
    found = imported(
        AWS_LAMBDA_RUNTIME_API="127.0.0.1:9",
        AWS_LAMBDA_INITIALIZATION_TYPE="provisioned-concurrency",
    )
    assert "fastapi" in found["modules"]
