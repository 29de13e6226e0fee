"""HTTP clients with arbitrary bytes: send them on a socket and read the response."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeAlias

import httpx2


@dataclass
class Wire:
    """One connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> bool:
        """Send bytes and return whether the server accepted them."""
        with suppress(OSError):
            self.writer.write(data)
            await self.writer.drain()
            return not self.writer.is_closing()
        return False

    async def rest(self) -> bytes:
        """Read everything until the server closes the connection."""
        found = b""
        with suppress(OSError):
            while data := await self.reader.read(65536):
                found += data
        return found

    async def status(self) -> int:
        """Return the status of the only response before the connection is closed."""
        return int((await self.rest())[9:12])

    def close(self) -> None:
        """Leave."""
        self.writer.transport.abort()


Dial: TypeAlias = Callable[[httpx2.AsyncClient], Awaitable[Wire]]


def request(method: str, path: str, body: bytes = b"", *headers: str) -> bytes:
    """Return a complete request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body
