"""What a function's start imports and builds, and what waits for its first use."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

_UNNEEDED = {
    "click",
    "dotenv",
    "http.server",
    "opentelemetry.sdk",
    "prometheus_client",
    "pydantic.v1",
    "tokenwire.stores.dynamodb.store",
    "tokenwire.stores.redis.store",
    "tomllib",
    "uvicorn",
    "wsgiref.simple_server",
}
"""For a scrape, a server, a store or a route out of use, or files that Lambda does not have."""
_PROGRAM = """
import asyncio, json, sys
import tokenwire.lambda_handler as function

modules = list(sys.modules)

def routes():
    return [route.path for route in function.app.routes if "dependant" in vars(route)]

async def request():
    import httpx2
    transport = httpx2.ASGITransport(function.app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://tests") as client:
        return (await client.get("/healthz")).status_code

from fastapi.openapi.models import Contact
from pydantic import BaseModel

built = Contact.__pydantic_complete__
contact = Contact(name="a").model_dump(exclude_none=True)
print(json.dumps({
    "sdk": "openai" in modules,
    "boto": "botocore.session" in modules,
    "aiohttp": "aiohttp" in modules,
    "modules": modules,
    "routes": [len(function.app.routes), routes(), asyncio.run(request()), routes()],
    "built": built,
    "contact": contact,
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
        [sys.executable, "-c", _PROGRAM],
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
    assert (found["sdk"], found["boto"], found["aiohttp"]) == (False, False, False)
    assert found["built"] is False
    assert found["contact"] == {"name": "a"}
    assert found["left"] is False, "an app's own models are built as ever"


def test_a_start_imports_nothing_that_it_does_not_use() -> None:
    """What ``/metrics``, a server, a store or ``.env`` need is imported where it is used."""
    modules = set(imported(AWS_LAMBDA_RUNTIME_API="127.0.0.1:9")["modules"])
    assert "tokenwire.telemetry.metrics" in modules
    assert modules & _UNNEEDED == set()


def test_a_start_builds_no_route_and_a_request_builds_its_own() -> None:
    """FastAPI reads the signature of an endpoint, and of its dependencies, when it is requested."""
    count, before, status, after = imported(AWS_LAMBDA_RUNTIME_API="127.0.0.1:9")["routes"]
    assert count > 20
    assert before == []
    assert (status, after) == (200, ["/healthz"])
