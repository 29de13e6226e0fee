"""One request through an ASGI app: what it receives, and where its response goes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypedDict

from . import wire
from .types import ASGIApp, Message, Scope

Write = Callable[[bytes], Awaitable[None]]


class Whole(TypedDict):
    """A whole response, in the form that Mangum's handlers take."""

    status: int
    headers: list[list[bytes]]
    body: bytes


class IncompleteResponse(Exception):
    """The app returned before its response was whole."""


class UnexpectedMessage(Exception):
    """The app sent a message that ASGI does not allow here."""


class Request:
    """The receiving side: the body once, then nothing until there is nobody to answer."""

    def __init__(self, body: bytes) -> None:
        self._body: bytes | None = body
        self._gone = asyncio.Event()

    async def receive(self) -> Message:
        """As ASGI's ``receive``."""
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    def disconnect(self) -> None:
        """The response is over, cannot be delivered any more, or its deadline is near."""
        self._gone.set()


class StreamedResponse:
    """The sending side, streamed.

    Nothing is written before the first body message, so that a failure between
    ``http.response.start`` and the body is still an error of the invocation, with a status.

    Args:
        request: Told when the response is complete.
        method: The request's: an answer to HEAD has no body.
        write: Takes the bytes of the integration response, prelude first; waits for the
            socket to have room, and raises OSError when there is nobody to take them.
        end: Called once, after the last byte.
    """

    def __init__(
        self, request: Request, method: str, write: Write, end: Callable[[], None]
    ) -> None:
        self._request = request
        self._method = method
        self._write = write
        self._end = end
        self._start: Message | None = None
        self._sent_body = False
        self.begun = False
        self.complete = False

    async def send(self, message: Message) -> None:
        """As ASGI's ``send``.

        Raises:
            UnexpectedMessage: Not a message that may come now.
            OSError: The response cannot be delivered any more.
        """
        kind = message["type"]
        if kind == "http.response.start" and self._start is None:
            self._start = message
        elif kind == "http.response.body" and self._start is not None and not self.complete:
            await self._body(self._start, message)
        else:
            raise UnexpectedMessage(kind)

    async def _body(self, start: Message, message: Message) -> None:
        status, headers = start["status"], list(start.get("headers", ()))
        body, more = bytes(message.get("body", b"")), message.get("more_body", False)
        if wire.forbids_body(status, self._method):
            body = b""
        elif not body and not more and not self._sent_body:
            body = wire.filler(_content_type(headers))
        head = b"" if self.begun else wire.prelude(status, headers)
        self._sent_body = self._sent_body or bool(body)
        self.begun = True
        if head or body:
            await self._write(head + body)
        if not more:
            self.complete = True
            self._end()
            self._request.disconnect()


def _content_type(headers: Iterable[tuple[bytes, bytes]]) -> str:
    found = (value for name, value in headers if name.lower() == b"content-type")
    return next(found, b"").decode("latin-1")


async def buffered(app: ASGIApp, scope: Scope, request: Request) -> Whole:
    """The whole response.

    Raises:
        IncompleteResponse: The app returned without ending its response.
        UnexpectedMessage: The app does not keep to ASGI.
    """
    parts: list[bytes] = []
    starts: list[Message] = []
    complete = False

    async def send(message: Message) -> None:
        nonlocal complete
        if message["type"] == "http.response.start" and not starts:
            starts.append(message)
        elif message["type"] == "http.response.body" and starts and not complete:
            parts.append(bytes(message.get("body", b"")))
            if not message.get("more_body", False):
                complete = True
                request.disconnect()
        else:
            raise UnexpectedMessage(message["type"])

    await app(scope, request.receive, send)
    if not complete:
        raise IncompleteResponse("the app returned before its response was whole")
    body = b"" if wire.forbids_body(starts[0]["status"], scope["method"]) else b"".join(parts)
    sent = ((n.decode("latin-1"), v.decode("latin-1")) for n, v in starts[0].get("headers", ()))
    headers = [[n.encode("latin-1"), v.encode("latin-1")] for n, v in wire.safe_fields(sent)]
    return {"status": starts[0]["status"], "headers": headers, "body": body}
