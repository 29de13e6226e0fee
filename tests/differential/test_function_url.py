"""AWS's own runtimes, and the Web Adapter, as the local function URL's ``--command``."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import httpx2
import pytest

from tests.differential.runtimes import PROGRAMS, RUNTIMES, NotHere, Runtime
from tests.fakes.function_url import function_url
from tests.fakes.ports import reserved_port

pytestmark = pytest.mark.outside

_KEPT = ("HOME", "PATH", "SSL_CERT_FILE")
"""Variables of this process that uv needs to install a runtime's packages."""


def command(runtime: Runtime) -> tuple[str, ...]:
    """What to start: with a server beside it, a shell that starts both."""
    if not runtime.beside:
        return tuple(runtime.command)
    return ("sh", "-c", f"{shlex.join(runtime.beside)} & exec {shlex.join(runtime.command)}")


def environ(runtime: Runtime, signal: Path) -> dict[str, str]:
    """The runtime's variables; only ours finds the packages of the tests."""
    port = str(reserved_port())
    found = {name: os.environ[name] for name in _KEPT if name in os.environ}
    found |= {"SIGNAL": str(signal), "AWS_LWA_PORT": port, "UV_PYTHON_DOWNLOADS": "never"}
    if runtime.title != "lambda_asgi":
        found["PYTHONPATH"] = ""
    return {**found, **runtime.environ}


@pytest.mark.timeout(120)
@pytest.mark.parametrize("runtime", RUNTIMES, ids=lambda runtime: str(runtime.title))
async def test_runtime_behind_the_local_function_url(runtime: Runtime, tmp_path: Path) -> None:
    """Status, headers, cookies and body arrive; the first part before the second is made."""
    try:
        runtime.check()
    except NotHere as reason:
        pytest.skip(str(reason))
    signal = tmp_path / "signal"
    variables = environ(runtime, signal)
    directory = Path(variables.pop("LAMBDA_TASK_ROOT", PROGRAMS))
    async with (
        function_url(
            variables,
            variables.pop("_HANDLER", "bootstrap"),
            command=command(runtime),
            directory=directory,
            concurrency=1,
        ) as url,
        httpx2.AsyncClient(base_url=url, timeout=60, trust_env=False) as client,
    ):
        headers = await client.get("/headers")
        body = ""
        async with client.stream("GET", "/streamed") as streamed:
            async for part in streamed.aiter_text():
                body += part
                signal.touch()

    assert (headers.status_code, headers.text, headers.headers["x-one"]) == (201, "hello", "1")
    assert len(headers.headers.get_list("set-cookie")) == 2
    # AWS's Python runtime does not stream: the second part was made before the first arrived.
    assert (streamed.status_code, body) == (
        200,
        "onelate" if "Mangum" in runtime.title else "onetwo",
    )
