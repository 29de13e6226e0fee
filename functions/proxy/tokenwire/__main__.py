"""``python -m tokenwire``: the app under uvicorn, on this machine."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from .app import create_app
from .auth.callers import check_bind
from .errors import ProxyError
from .provision import off
from .references import is_reference
from .secrets import ParameterStore
from .server import Config
from .settings import Settings, environment, load


class _Server(uvicorn.Server):
    """uvicorn waits for open responses before it tells the app; ours end when they are told."""

    def __init__(self, app: FastAPI, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._app = app

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams, each with an error its client can read; then shut down."""
        await self._app.state.services.hub.aclose()
        await super().shutdown(sockets)


def main() -> None:
    """Read the settings, say where and for whom it listens, and serve until told to stop."""
    try:
        environ = environment(os.environ, Path.cwd())
        settings = load(environ, Path.cwd(), ParameterStore().read)
        check_bind(settings, settings.host)
        app = create_app(settings)
    except ProxyError as error:
        sys.exit(f"tokenwire: {error}")
    print(_greeting(settings), file=sys.stderr, flush=True)  # noqa: T201
    _Server(app, Config(app, settings)).run()


def _greeting(settings: Settings) -> str:
    on = [*settings.providers, *(["demo"] if settings.demo else [])]
    if settings.auth == "none":
        door = "Anyone who can reach it may use it (TOKENWIRE_AUTH=none)."
    elif settings.api_keys:
        door = f"Callers need one of {len(settings.api_keys)} keys."
    else:
        door = "No keys are set, so it answers on this machine only."
    return (
        f"tokenwire on http://{settings.host}:{settings.port}\n"
        f"  providers: {', '.join(on) or 'none'}\n"
        f"  off: {'; '.join(f'{kind} ({why})' for kind, why in off(settings).items()) or 'none'}\n"
        f"  streams: {_kept(settings)}\n"
        f"  {door}"
    )


def _kept(settings: Settings) -> str:
    """Where streams are kept, without an address: that may hold a password."""
    if settings.store == "memory://":
        return "in this process; TOKENWIRE_STORE=redis://… lets others share them"
    if is_reference(settings.store):
        return f"in the store that {settings.store} names"
    return f"in {settings.store.partition('://')[0].replace('rediss', 'redis')}"


if __name__ == "__main__":
    main()
