"""What a function's start imports and builds, and what waits for its first use."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

_UNNEEDED = {"dotenv", "http.server", "prometheus_client", "uvicorn", "wsgiref.simple_server"}
"""For a scrape, for a server, or for files that Lambda does not have."""
_PROGRAM = """
import json, sys
import tokenwire.lambda_handler as function
from fastapi.openapi.models import Contact
from pydantic import BaseModel

built = Contact.__pydantic_complete__
contact = Contact(name="a").model_dump(exclude_none=True)
print(json.dumps({
    "sdk": "openai" in sys.modules,
    "boto": "botocore.session" in sys.modules,
    "aiohttp": "aiohttp" in sys.modules,
    "modules": list(sys.modules),
    "built": built,
    "contact": contact,
    "left": "defer_build" in BaseModel.model_config,
}))
"""


def imported(**environ: str) -> dict[str, Any]:
    """What a new process holds after the function's import."""
    kept = {k: v for k, v in os.environ.items() if not k.endswith("_API_KEY")}
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


def test_a_start_imports_nothing_for_servers_and_scrapes() -> None:
    """What ``/metrics``, a server or ``.env`` need is imported where it is used."""
    modules = set(imported(AWS_LAMBDA_RUNTIME_API="127.0.0.1:9")["modules"])
    assert "tokenwire.telemetry.metrics" in modules
    assert modules & _UNNEEDED == set()
