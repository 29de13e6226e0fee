"""The app behind a real server on a free port, in the test's own event loop."""

from __future__ import annotations

import asyncio
import itertools
import socket
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvicorn
from aws_lambda_powertools import Logger

from tokenwire.app import create_app
from tokenwire.secrets import Secrets
from tokenwire.server import Config
from tokenwire.settings import load

_NUMBERS = itertools.count()
NOWHERE = Path("/nonexistent")
_QUIET = {"TOKENWIRE_CHECK_PROVIDERS": "false", "TOKENWIRE_DEFAULT_MODEL": "demo/markdown"}


@asynccontextmanager
async def serving(
    environ: Mapping[str, str], around: Callable[[Any], Any] = lambda app: app
) -> AsyncIterator[str]:
    """Tokenwire as this environment configures it; yields its base URL.

    By default it sends a scripted provider nothing that no test has requested.

    Args:
        environ: The environment.
        around: Returns what is served in place of the app.
    """
    settings = load({**_QUIET, **environ}, NOWHERE)
    # Powertools keeps one logger a name for the whole process; each app here has its own.
    logger = Logger(service=f"tokenwire-{next(_NUMBERS)}", stream=sys.stdout)
    app = create_app(settings, Secrets(environ), logger)
    config = Config(around(app), settings)
    config.timeout_graceful_shutdown = 1
    async with listening_at(config) as base_url:
        try:
            yield base_url
        finally:
            await app.state.services.hub.aclose()


@asynccontextmanager
async def listening_at(config: uvicorn.Config) -> AsyncIterator[str]:
    """A uvicorn server in this event loop, on a free port; yields its base URL."""
    server = uvicorn.Server(config)
    listener = socket.create_server(("127.0.0.1", 0))
    task = asyncio.create_task(server._serve([listener]))
    while not server.started:
        await asyncio.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
        listener.close()
