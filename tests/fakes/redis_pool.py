"""A pool of connections to a Redis that answers on command, and counts what it receives."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from redis.exceptions import ResponseError


@dataclass(eq=False)
class Connection:
    """One connection.

    Args:
        pool: To which it belongs.
    """

    pool: Pool
    sent: list[bytes] = field(default_factory=list)

    async def send_packed_command(self, data: list[bytes], *, check_health: bool = True) -> None:
        """Take encoded commands."""
        del check_health
        self.sent.append(b"".join(data))
        self.pool.flushes.append(self.sent[-1])

    async def read_response(self, *, timeout: float) -> Any:
        """Return the next response, when there may be one."""
        del timeout
        await self.pool.answers.wait()
        response = self.pool.responses.popleft() if self.pool.responses else b"OK"
        if isinstance(response, Exception):
            raise response
        return response

    async def disconnect(self, *, nowait: bool = False) -> None:
        """Count it."""
        del nowait
        self.pool.disconnected += 1


class Pool:
    """As redis-py's pool.

    ``flushes`` are the bytes of each write; ``answers`` lets responses come; ``responses`` are the
    next ones, if they are not all ``OK``.
    """

    def __init__(self) -> None:
        self.flushes: list[bytes] = []
        self.answers = asyncio.Event()
        self.answers.set()
        self.responses: deque[Any] = deque()
        self.in_use = self.most = self.disconnected = 0

    async def get_connection(self) -> Connection:
        """Return a connection."""
        self.in_use += 1
        self.most = max(self.most, self.in_use)
        return Connection(self)

    async def release(self, connection: Connection) -> None:
        """Take it back."""
        del connection
        self.in_use -= 1


def refusal(text: str = "WRONGTYPE") -> Exception:
    """Return what redis-py raises for an error that the server returns."""
    return ResponseError(text)
