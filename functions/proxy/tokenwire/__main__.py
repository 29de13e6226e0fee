"""``python -m tokenwire``: the app under uvicorn, on this machine."""

from __future__ import annotations

import socket
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import uvicorn
from fastapi import FastAPI

from .app import create_app
from .auth.loopback import check_bind
from .configuration import Configuration
from .errors import ProxyError
from .gateway.services import Services
from .references import is_reference
from .server import Config
from .settings import Settings
from .stores.registry import StoreKinds, kind_of


class _Server(uvicorn.Server):
    """Ends the streams before it waits for open responses, which would otherwise never end."""

    def __init__(self, app: FastAPI, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._app = app

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams, each with an error its client can read; then shut down."""
        await self._app.state.services.hub.aclose()
        await super().shutdown(sockets)


def main() -> None:
    """Read the settings, print where the server listens and who may call, and serve."""
    try:
        found = Configuration.of_process()
        app = create_app(found.settings, found.secrets, registries=found.registries)
        check_bind(app.state.services.authenticate, found.settings.host)
        check_workers(found.settings, is_shared=app.state.services.hub.is_shared)
    except ProxyError as error:
        sys.exit(f"tokenwire: {error}")
    print(_greeting(app.state.services, found.registries.stores), file=sys.stderr, flush=True)  # noqa: T201
    if found.settings.workers > 1:
        sys.exit(_serve_together(found))
    _Server(app, Config(app, found.settings)).run()


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


def _serve_together(found: Configuration) -> int:
    """Serve in several processes; return the exit status."""
    from .server.listeners import Listeners
    from .server.workers import Workers  # not on Windows, which cannot fork
    from .telemetry.workers import forget_gauges

    settings = found.settings
    try:
        listeners = Listeners(settings.host, settings.port, settings.workers)
    except OSError as error:
        sys.exit(f"tokenwire: cannot listen on {settings.host}:{settings.port}: {error.strerror}")
    with TemporaryDirectory(prefix="tokenwire-metrics-") as folder:
        run = partial(_work, found, Path(folder))
        return Workers(listeners, run, partial(forget_gauges, Path(folder))).serve()


def _work(
    found: Configuration, folder: Path, worker: int, sockets: Sequence[socket.socket]
) -> None:
    """Serve as one of several processes."""
    from .telemetry.workers import WorkerNumbers

    settings, numbers = found.settings, WorkerNumbers(folder, worker)
    app = create_app(settings, found.secrets, registries=found.registries, numbers=numbers)
    _Server(app, Config(app, settings)).run(list(sockets))


def _greeting(services: Services, stores: StoreKinds) -> str:
    settings, catalog = services.settings, services.catalog
    off = "; ".join(f"{kind} ({why})" for kind, why in catalog.off.items())
    return (
        f"tokenwire on http://{settings.host}:{settings.port}\n"
        f"  providers: {', '.join(catalog.status) or 'none'}\n"
        f"  off: {off or 'none'}\n"
        f"  streams: {_kept(settings, stores)}\n"
        f"  workers: {settings.workers}\n"
        f"  {services.authenticate.description}"
    )


def _kept(settings: Settings, stores: StoreKinds) -> str:
    """Return where streams are kept, without the address: that may hold a password."""
    if is_reference(settings.store):
        return f"in the store that {settings.store} names"
    return kind_of(settings.store, stores).description


if __name__ == "__main__":
    main()
