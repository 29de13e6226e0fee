"""An app that does not listen: it holds up its whole process."""

from __future__ import annotations

import time

from lambda_asgi import Handler
from lambda_asgi.types import Receive, Scope, Send


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Block the event loop past any deadline."""
    assert scope["type"] == "http"
    time.sleep(30)


handler = Handler(app)
