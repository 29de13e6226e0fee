"""One request through an ASGI app: what it receives, and where its response goes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import TypedDict

from . import wire
from .types import ASGIApp, Message, Scope

Write = Callable[[bytes], Awaitable[None]]


class CompleteResponse(TypedDict):
    """A complete response, in the form that Mangum's handlers take."""

    status: int
    headers: list[list[bytes]]
    body: bytes


class IncompleteResponse(Exception):
    """The app returned before its response was complete."""


class UnexpectedMessage(Exception):
    """The app sent a message that ASGI does not allow here."""


class Request:
    """The receiving side: the body once, then nothing until the response has no recipient."""

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


class ResponseOver(OSError):
    """The app goes on sending a body that HTTP does not allow."""


class _Bodyless:
    """What an app may still send after a response that has no body (HEAD, 204, 304).

    The response ended with its start, and the app received ``http.disconnect``. It may send a
    body all the same, as for GET: the first part and the last are dropped. One that does not
    listen and sends part after part is stopped, since it may never end.
    """

    def __init__(self) -> None:
        self._is_warned = False
        self._ended = False

    def drop(self, message: Message) -> None:
        """Take a body message.

        Raises:
            UnexpectedMessage: The app has sent its last already, or this is no body.
            ResponseOver: A second part, with more to come.
        """
        if message["type"] != "http.response.body" or self._ended:
            raise UnexpectedMessage(message["type"])
        self._ended = not message.get("more_body", False)
        if not self._ended and self._is_warned:
            raise ResponseOver("the response has no body")
        self._is_warned = True


class StreamedResponse:
    """The sending side, streamed.

    Nothing is written before the first body message, so that a failure between
    ``http.response.start`` and the body is still an error of the invocation, with a status. A
    response without a body (HEAD, 204, 304) is complete, and written, with its start.

    Args:
        request: Disconnected when the response is complete.
        method: The request's: an answer to HEAD has no body.
        write: Takes the bytes of the integration response, prelude first; waits for the
            socket to have room, and raises OSError when they cannot be delivered.
        end: Called once, after the last byte.
        excluded: Names, in lower case, of headers that are not sent.
    """

    def __init__(
        self,
        request: Request,
        method: str,
        write: Write,
        end: Callable[[], None],
        excluded: frozenset[str] = frozenset(),
    ) -> None:
        self._request = request
        self._method = method
        self._write = write
        self._end = end
        self._excluded = excluded
        self._start: Message | None = None
        self._bodyless: _Bodyless | None = None
        self._sent_body = False
        self.begun = False
        self.complete = False

    async def send(self, message: Message) -> None:
        """As ASGI's ``send``.

        Raises:
            UnexpectedMessage: Not a message that may come now.
            OSError: The response cannot be delivered any more, or has no body.
        """
        kind = message["type"]
        if self._bodyless is not None:
            self._bodyless.drop(message)
        elif kind == "http.response.start" and self._start is None:
            await self._begin(message)
        elif kind == "http.response.body" and self._start is not None and not self.complete:
            await self._body(self._start, message)
        else:
            raise UnexpectedMessage(kind)

    async def _begin(self, start: Message) -> None:
        self._start = start
        if wire.forbids_body(start["status"], self._method):
            self._bodyless = _Bodyless()
            await self._send(start, b"", more=False)

    async def _body(self, start: Message, message: Message) -> None:
        body, more = bytes(message.get("body", b"")), message.get("more_body", False)
        if not body and not more and not self._sent_body:
            body = wire.filler(_content_type(start.get("headers", ())))
        self._sent_body = self._sent_body or bool(body)
        await self._send(start, body, more=more)

    async def _send(self, start: Message, body: bytes, *, more: bool) -> None:
        head = b"" if self.begun else self._head(start)
        self.begun = True
        if head or body:
            await self._write(head + body)
        if not more:
            self.complete = True
            self._end()
            self._request.disconnect()

    def _head(self, start: Message) -> bytes:
        return wire.prelude(start["status"], start.get("headers", ()), self._excluded)


def _content_type(headers: Iterable[tuple[bytes, bytes]]) -> str:
    found = (value for name, value in headers if name.lower() == b"content-type")
    return next(found, b"").decode("latin-1")


async def buffered(app: ASGIApp, scope: Scope, request: Request) -> CompleteResponse:
    """The complete response.

    Raises:
        IncompleteResponse: The app returned without ending its response.
        UnexpectedMessage: The app does not keep to ASGI.
    """
    response = _BufferedResponse(request, scope["method"])
    with suppress(ResponseOver):
        await app(scope, request.receive, response.send)
    return response.result()


class _BufferedResponse:
    """The sending side, kept until the app has returned."""

    def __init__(self, request: Request, method: str) -> None:
        self._request = request
        self._method = method
        self._start: Message | None = None
        self._bodyless: _Bodyless | None = None
        self._parts: list[bytes] = []
        self._complete = False

    async def send(self, message: Message) -> None:
        """As ASGI's ``send``; raises what ``StreamedResponse.send`` does."""
        kind = message["type"]
        if self._bodyless is not None:
            self._bodyless.drop(message)
        elif kind == "http.response.start" and self._start is None:
            self._begin(message)
        elif kind == "http.response.body" and self._start is not None and not self._complete:
            self._parts.append(bytes(message.get("body", b"")))
            if not message.get("more_body", False):
                self._end()
        else:
            raise UnexpectedMessage(kind)

    def result(self) -> CompleteResponse:
        """The response.

        Raises:
            IncompleteResponse: It has not come to its end.
        """
        if self._start is None or not self._complete:
            raise IncompleteResponse("the app returned before its response was complete")
        named = self._start.get("headers", ())
        sent = ((name.decode("latin-1"), value.decode("latin-1")) for name, value in named)
        # As UTF-8, since Mangum reads them so; in its JSON they are the characters of latin-1.
        headers = [[name.encode(), value.encode()] for name, value in wire.safe_fields(sent)]
        return {"status": self._start["status"], "headers": headers, "body": b"".join(self._parts)}

    def _begin(self, start: Message) -> None:
        self._start = start
        if wire.forbids_body(start["status"], self._method):
            self._bodyless = _Bodyless()
            self._end()

    def _end(self) -> None:
        self._complete = True
        self._request.disconnect()
