"""An app whose streams wait for each other: only truly concurrent ones come to an end."""

from __future__ import annotations

import asyncio
import os

from lambda_asgi import Handler
from lambda_asgi.types import Receive, Scope, Send

HOW_MANY = 4
_here: set[str] = set()
_all_here = asyncio.Event()


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Begin to answer, wait for the others, end."""
    assert scope["type"] == "http"
    name = scope["path"].rpartition("/")[2]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    line = f"{name} {os.getpid()} ".encode()
    await send({"type": "http.response.body", "body": line, "more_body": True})
    if scope["path"].startswith("/meet/"):
        _here.add(name)
        if len(_here) == HOW_MANY:
            _all_here.set()
        await _all_here.wait()
    await send({"type": "http.response.body", "body": f"met-{len(_here)}".encode()})


handler = Handler(app)
