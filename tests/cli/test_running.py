"""The server that the command starts."""

from __future__ import annotations

import asyncio
import gc
import socket

from tests.fakes.server import NOWHERE
from tokenwire.app import routed
from tokenwire.cli.running import Server
from tokenwire.composition import compose
from tokenwire.front import front
from tokenwire.secrets import Secrets
from tokenwire.server import Config
from tokenwire.settings import load


async def test_a_started_server_leaves_its_modules_out_of_collections() -> None:
    """Else each full collection stops all streams for as long as a walk through them takes."""
    composition = compose(load({}, NOWHERE), Secrets({}))
    config = Config(front(composition, routed(composition)), composition.services.settings)
    config.load()
    server = Server(composition.services, config)
    server.lifespan = config.lifespan_class(config)
    before = len(gc.get_objects())
    with socket.create_server(("127.0.0.1", 0)) as listener:
        await server.startup([listener])
        try:
            await asyncio.sleep(0)
            assert gc.get_freeze_count() > before / 2
            assert len(gc.get_objects()) < before / 2
        finally:
            gc.unfreeze()
            await server.shutdown([listener])
