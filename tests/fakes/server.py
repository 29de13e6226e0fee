"""The app behind a real server on a free port, in the test's own event loop."""

from __future__ import annotations

import asyncio
import functools
import itertools
import socket
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import uvicorn
from aws_lambda_powertools import Logger

from tokenwire.app import create_app
from tokenwire.registries import Registries
from tokenwire.secrets import Secrets
from tokenwire.server import Config
from tokenwire.settings import load

_NUMBERS = itertools.count()
NOWHERE = Path("/nonexistent")
_QUIET = {"TOKENWIRE_CHECK_PROVIDERS": "false", "TOKENWIRE_DEFAULT_MODEL": "demo/markdown"}


@functools.cache
def _registries(_: tuple[str, ...]) -> Registries:
    """The registries with this path of imports. Reading what packages publish takes 4 to 10 ms."""
    return Registries.load()


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
    registries = _registries(tuple(sys.path))
    settings = load({**_QUIET, **environ}, NOWHERE, registries=registries)
    # Powertools keeps one logger a name for the whole process; each app here has its own.
    logger = Logger(service=f"tokenwire-{next(_NUMBERS)}", stream=sys.stdout)
    app = create_app(settings, Secrets(environ), logger, registries=registries)
    config = Config(around(app), settings)
    config.timeout_graceful_shutdown = 1
    async with listening_at(config) as base_url:
        try:
            yield base_url
        finally:
            await app.state.services.hub.aclose()


@asynccontextmanager
async def listening_at(config: uvicorn.Config) -> AsyncIterator[str]:
    """A uvicorn server in this event loop, on a free port; yields its base URL.

    ``uvicorn.Server.serve`` looks every 0.1 s whether it should end, and then waits 0.1 s at least
    for its connections. Thousands of tests would wait for that, so this starts and ends its parts.
    """
    server = uvicorn.Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    listener = socket.create_server(("127.0.0.1", 0))
    await server.startup([listener])
    await server.on_tick(0)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        await _end(server)
        listener.close()


async def _end(server: uvicorn.Server) -> None:
    """Accept nothing more, let what runs end in the configured time, and cancel the rest."""
    state = server.server_state
    for listener in server.servers:
        listener.close()
    for connection in list(state.connections):
        connection.shutdown()
    with suppress(TimeoutError):
        async with asyncio.timeout(server.config.timeout_graceful_shutdown):
            while state.connections or state.tasks:
                await asyncio.sleep(0.002)
    for task in list(state.tasks):
        task.cancel()
    await server.lifespan.shutdown()
