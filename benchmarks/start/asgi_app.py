"""An ASGI app without a framework."""

from typing import Any

from lambda_asgi import Handler


async def app(scope: Any, receive: Any, send: Any) -> None:
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"data: 1\n\n"})


handler = Handler(app)
