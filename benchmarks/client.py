"""A client with minimal cost, so that the measurements show the server."""

from __future__ import annotations

import asyncio
import json
import time

from .processes import Running

PATHS = {
    "chat": "/v1/chat/completions",
    "events": "/api/stream",
    "messages": "/v1/messages",
    "responses": "/v1/responses",
    "ui": "/api/chat",
}


def _request(model: str, dialect: str) -> bytes:
    messages = [{"role": "user", "content": "Hi"}]
    request: dict[str, object] = {"model": model, "stream": True, "messages": messages}
    if dialect == "events":
        request = {"model": model, "message": "Hi"}
    elif dialect == "responses":
        request = {"model": model, "stream": True, "input": "Hi"}
    elif dialect == "messages":
        request["max_tokens"] = 99
    elif dialect == "ui":
        parts = [{"type": "text", "text": "Hi"}]
        request = {"model": model, "messages": [{"role": "user", "parts": parts}]}
    body = json.dumps(request).encode()
    head = (
        f"POST {PATHS[dialect]} HTTP/1.1\r\nhost: 127.0.0.1\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Connection:
    """One keep-alive connection to a subject."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def to(cls, subject: Running) -> Connection:
        """Connect."""
        return cls(*await asyncio.open_connection("127.0.0.1", subject.port, limit=2**20))

    async def first_byte(self, model: str, dialect: str = "chat") -> float:
        """Seconds from the request to its first data byte. The answer goes on."""
        began = time.perf_counter()
        self._writer.write(_request(model, dialect))
        await self._reader.readuntil(b"data: ")
        return time.perf_counter() - began

    async def rest(self) -> None:
        """Read the answer to its end."""
        last = b""
        while not last.endswith(b"0\r\n\r\n"):
            data = await self._reader.read(2**18)
            if not data:
                raise RuntimeError("the answer broke off")
            last = (last + data)[-8:]

    def close(self) -> None:
        """Hang up."""
        self._writer.close()
