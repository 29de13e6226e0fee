"""The app behind the local function URL: the same runtime process that Lambda would run."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from lambda_asgi.local.cors import Cors
from lambda_asgi.local.function import Function
from lambda_asgi.local.function_url import FunctionUrl
from lambda_asgi.local.http import Server
from lambda_asgi.local.pool import Pool

NOWHERE = Path("/nonexistent")

# No deployed function has the demo, and few of them ask providers for anything on their own.
_QUIET = {"TOKENWIRE_DEMO": "true", "TOKENWIRE_CHECK_PROVIDERS": "false"}


@asynccontextmanager
async def function_url(
    environ: Mapping[str, str],
    handler: str = "tokenwire.lambda_handler:handler",
    *,
    concurrency: int = 64,
    environments: int = 1,
    timeout: float = 60.0,
    memory_mb: int = 1024,
    tells_disconnect: bool = True,
    streams: bool = True,
    cors: Cors | None = None,
    **more: Any,
) -> AsyncIterator[str]:
    """A function with this environment and nothing of ours; yields its base URL.

    ``more`` are further arguments of ``Function``.
    """
    kept = {
        name: os.environ[name] for name in ("PATH", "COVERAGE_PROCESS_START") if name in os.environ
    }
    path = {"PYTHONPATH": ":".join(part for part in sys.path if part)}
    function = Function(
        handler,
        {**kept, **path, **_QUIET, **environ},
        timeout=timeout,
        memory_mb=memory_mb,
        concurrency=concurrency,
        **more,
    )
    pool = Pool(function, environments)
    url = FunctionUrl(pool, streams=streams, cors=cors, tells_disconnect=tells_disconnect)
    server = Server(url.serve)
    try:
        yield f"http://127.0.0.1:{await server.listen('127.0.0.1', 0)}"
    finally:
        server.close()
        await pool.close()
