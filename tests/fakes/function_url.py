"""The app behind the local function URL: the same runtime process that Lambda would run."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from lambda_asgi.local.environment import Function
from lambda_asgi.local.front import FunctionUrl
from lambda_asgi.local.http import Server
from lambda_asgi.local.pool import Pool

NOWHERE = Path("/nonexistent")


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
) -> AsyncIterator[str]:
    """A function with this environment and nothing of ours; yields its base URL."""
    kept = {
        name: os.environ[name] for name in ("PATH", "COVERAGE_PROCESS_START") if name in os.environ
    }
    path = {"PYTHONPATH": ":".join(part for part in sys.path if part)}
    function = Function(
        handler,
        {**kept, **path, **environ},
        timeout=timeout,
        memory_mb=memory_mb,
        concurrency=concurrency,
    )
    pool = Pool(function, environments)
    server = Server(FunctionUrl(pool, tells_disconnect=tells_disconnect).serve)
    try:
        yield f"http://127.0.0.1:{await server.listen('127.0.0.1', 0)}"
    finally:
        server.close()
        await pool.close()
