"""Serve an app in this process, or in several that share its port."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from pathlib import Path
from socket import socket
from tempfile import TemporaryDirectory

import uvicorn

from ..app import routed
from ..composition import Composition, compose
from ..configuration import Configuration
from ..errors import ProxyError
from ..front import front
from ..gateway.services import Services
from ..server import Config
from ..server.collecting import collect_when_idle
from ..server.listeners import Listeners
from ..settings import Settings

Announce = Callable[[Services], Coroutine[None, None, None]]


class Server(uvicorn.Server):
    """Ends the streams before it waits for open responses, which would otherwise never end."""

    def __init__(
        self, services: Services, config: uvicorn.Config, announce: Announce | None = None
    ) -> None:
        super().__init__(config)
        self._services = services
        self._announce = announce
        self._settling: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Start, and tell what the providers have answered once they have."""
        await super().startup(sockets)
        gc.freeze()
        self._settling = asyncio.create_task(self._settle())

    async def _settle(self) -> None:
        """Announce the providers, and leave all that is imported by then out of collections.

        A full collection walks through every object that is not frozen, and stops all streams
        meanwhile: for 0.1 s with all modules. What modules define is never freed anyway.
        """
        if self._announce is not None:
            await self._announce(self._services)
        if self._services.settings.check_providers:
            await self._services.checks.results()
        gc.freeze()
        await collect_when_idle(lambda: self._services.hub.open_streams == 0)

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """End the streams, each with an error its client can read; then shut down."""
        if self._settling is not None:
            self._settling.cancel()
        await self._services.hub.aclose()
        await super().shutdown(sockets)


def run(
    composition: Composition, sockets: Sequence[socket], announce: Announce | None = None
) -> None:
    """Serve until SIGTERM or SIGINT.

    Args:
        composition: The app's services and layers.
        sockets: Bound.
        announce: Awaited once the server has started, beside it.

    Raises:
        KeyboardInterrupt: It was SIGINT; the server has shut down.
    """
    services = composition.services
    config = Config(front(composition, routed(composition)), services.settings)
    Server(services, config, announce).run(list(sockets))


def check_workers(settings: Settings, *, is_shared: bool) -> None:
    """Refuse several processes whose streams would be found in one of them only.

    Raises:
        ProxyError: Code ``refuse_to_start``.
    """
    if settings.workers > 1 and not is_shared:
        raise ProxyError(
            f"With TOKENWIRE_WORKERS={settings.workers} a stream must be found from every worker: "
            "set TOKENWIRE_STORE to a store that they share, such as redis://HOST.",
            code="refuse_to_start",
        )


def run_together(found: Configuration, listeners: Listeners) -> int:
    """Serve in several processes, one for each listener; return the exit status."""
    from ..server.workers import Workers  # not on Windows, which cannot fork
    from ..telemetry.workers import forget_gauges

    with TemporaryDirectory(prefix="tokenwire-metrics-") as folder:
        work = partial(_work, found, Path(folder))
        return Workers(listeners, work, partial(forget_gauges, Path(folder))).serve()


def _work(found: Configuration, folder: Path, worker: int, sockets: Sequence[socket]) -> None:
    """Serve as one of several processes."""
    from ..telemetry.workers import WorkerNumbers

    settings, numbers = found.settings, WorkerNumbers(folder, worker)
    composition = compose(
        settings, found.secrets, registries=found.registries, numbers=numbers, color=found.color
    )
    run(composition, sockets)
