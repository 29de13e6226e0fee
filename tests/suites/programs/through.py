"""A pytest plugin: requests of a ``TestClient`` go through lambda_asgi, as from a function URL.

The request becomes an event, the event a scope; the app's messages become a streamed response, and
its prelude and body what the client gets. Lifespans and WebSockets do not pass Lambda, and go
straight to the app.
"""

from __future__ import annotations

import base64
import json
from typing import Any

import starlette.testclient

from lambda_asgi import Context, Handler
from lambda_asgi.cycle import Request, ResponseOver, StreamedResponse

CONTEXT = Context("req-1", 99_999_999_999_999)
_Direct = starlette.testclient.TestClient


class Through:
    """An ASGI app in front of an ASGI app, with Lambda's forms between them."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        base = scope.get("root_path") or "/"
        handler = Handler(self._app, environ={}, api_gateway_base_path=base)
        event = event_of(scope, await body_of(receive))
        front = handler.front_door(event, CONTEXT)
        assert front is not None
        inner = handler.scope(front, event)
        inner["state"] = scope.get("state", {})
        sent = bytearray()

        async def write(data: bytes) -> None:
            sent.extend(data)

        request = Request(front.body)
        response = StreamedResponse(request, scope["method"], write, lambda: None)
        try:
            await self._app(inner, request.receive, response.send)
        except ResponseOver:
            pass
        finally:
            if sent:
                await _deliver(bytes(sent), send)


async def body_of(receive: Any) -> bytes:
    """The whole body of a request."""
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    return body


def event_of(scope: Any, body: bytes) -> dict[str, Any]:
    """The event that a function URL makes of a request."""
    headers: dict[str, str] = {}
    for name, value in ((n.decode("latin-1"), v.decode("latin-1")) for n, v in scope["headers"]):
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    cookies = headers.pop("cookie", None)
    headers["x-forwarded-proto"] = scope["scheme"]
    path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
    client = scope.get("client") or ("", 0)
    context = {
        "domainName": "a.lambda-url.us-east-1.on.aws",
        "http": {"method": scope["method"], "path": path, "sourceIp": client[0]},
    }
    return {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": scope["query_string"].decode("latin-1"),
        "headers": headers,
        **({"cookies": cookies.split("; ")} if cookies else {}),
        "requestContext": context,
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
    }


async def _deliver(sent: bytes, send: Any) -> None:
    head, _, body = sent.partition(b"\0" * 8)
    prelude = json.loads(head)
    fields = [*prelude["headers"].items(), *(("set-cookie", c) for c in prelude["cookies"])]
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in fields]
    await send({"type": "http.response.start", "status": prelude["statusCode"], "headers": headers})
    await send({"type": "http.response.body", "body": body})


class ThroughClient(_Direct):
    """A ``TestClient`` of the app behind lambda_asgi."""

    __test__ = False

    def __init__(self, app: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(Through(app), *args, **kwargs)


# pytest imports its plugins before a suite's own modules, which import this name.
starlette.testclient.TestClient = ThroughClient  # type: ignore[misc]
