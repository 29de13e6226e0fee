"""The script as an ASGI app: for lambda_asgi, Mangum, and uvicorn behind the Web Adapter."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

LONG = "sk-secret" * 556


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Do what the path names."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
    else:
        await SCENES.get(scope["path"], _empty)(send)


async def _lifespan(receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})


async def _start(send: Any, status: int, *headers: tuple[bytes, bytes]) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})


async def _body(send: Any, body: bytes, *, more: bool = False) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": more})


async def _streamed(send: Any) -> None:
    signal = Path(os.environ["SIGNAL"])
    await _start(send, 200, (b"content-type", b"text/plain"))
    await _body(send, b"one", more=True)
    for _ in range(100):
        if signal.exists():
            break
        await asyncio.sleep(0.02)
    await _body(send, b"two" if signal.exists() else b"late")


async def _headers(send: Any) -> None:
    await _start(
        send,
        201,
        (b"content-type", b"text/plain"),
        (b"x-one", b"1"),
        (b"x-two", b"1"),
        (b"x-two", b"2"),
        (b"set-cookie", b"a=1; Expires=Wed, 21 Oct 2099 07:28:00 GMT"),
        (b"set-cookie", b"b=2"),
    )
    await _body(send, b"hello")


async def _empty(send: Any) -> None:
    await _start(send, 200, (b"content-type", b"text/plain"))
    await _body(send, b"")


async def _no_content(send: Any) -> None:
    await _start(send, 204)
    await _body(send, b"")


async def _before(send: Any) -> None:
    raise ValueError("sk-secret")


async def _inside(send: Any) -> None:
    await _start(send, 200, (b"content-type", b"text/plain"))
    await _body(send, b"begun", more=True)
    await asyncio.sleep(0.1)
    raise ValueError("sk-secret")


async def _long(send: Any) -> None:
    await _start(send, 200, (b"content-type", b"text/plain"))
    await _body(send, b"begun", more=True)
    await asyncio.sleep(0.1)
    raise ValueError(LONG)


async def _deadline(send: Any) -> None:
    await _start(send, 200, (b"content-type", b"text/plain"))
    await _body(send, b"begun", more=True)
    await asyncio.sleep(5)
    await _body(send, b"late")


SCENES = {
    "/streamed": _streamed,
    "/headers": _headers,
    "/empty": _empty,
    "/no-content": _no_content,
    "/before": _before,
    "/inside": _inside,
    "/long": _long,
    "/deadline": _deadline,
}
