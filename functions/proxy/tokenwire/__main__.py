"""``python -m tokenwire``: the app under uvicorn, on this machine."""

from __future__ import annotations

import socket
import sys

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
    except ProxyError as error:
        sys.exit(f"tokenwire: {error}")
    print(_greeting(app.state.services, found.registries.stores), file=sys.stderr, flush=True)  # noqa: T201
    _Server(app, Config(app, found.settings)).run()


def _greeting(services: Services, stores: StoreKinds) -> str:
    settings, catalog = services.settings, services.catalog
    off = "; ".join(f"{kind} ({why})" for kind, why in catalog.off.items())
    return (
        f"tokenwire on http://{settings.host}:{settings.port}\n"
        f"  providers: {', '.join(catalog.status) or 'none'}\n"
        f"  off: {off or 'none'}\n"
        f"  streams: {_kept(settings, stores)}\n"
        f"  {services.authenticate.description}"
    )


def _kept(settings: Settings, stores: StoreKinds) -> str:
    """Return where streams are kept, without the address: that may hold a password."""
    if is_reference(settings.store):
        return f"in the store that {settings.store} names"
    return kind_of(settings.store, stores).description


if __name__ == "__main__":
    main()
