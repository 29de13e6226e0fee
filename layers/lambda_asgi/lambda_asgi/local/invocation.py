"""One invocation, on its way from a caller to an environment and back."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

AHEAD = 4
"""Parts that an environment may be ahead of the caller; beyond these its writes wait."""


class Throttled(Exception):
    """Every environment is busy, and no more of them are allowed."""


@dataclass(frozen=True, slots=True)
class Start:
    """The response's first part.

    Args:
        content_type: As the runtime sent it; empty if it sent none.
        streamed: Whether the runtime streams the response.
    """

    content_type: str
    streamed: bool


@dataclass(frozen=True, slots=True)
class End:
    """The response's last part: it is complete."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The response's last part: it will not be complete.

    Args:
        kind: The error's type, such as ``Runtime.ExitError``.
        message: What happened.
        body: The runtime's own JSON about the error, if it sent any.
    """

    kind: str
    message: str = ""
    body: bytes = b""

    @property
    def details(self) -> bytes:
        """The error as JSON, as the Invoke API returns it."""
        return (
            self.body or json.dumps({"errorType": self.kind, "errorMessage": self.message}).encode()
        )


Part: TypeAlias = Start | bytes | End | Failed


def new_id() -> str:
    """An id for an invocation."""
    return str(uuid.uuid4())


@dataclass(slots=True)
class Invocation:
    """One event for a function, and the parts of its response.

    Args:
        request_id: Lambda's id for it.
        event: JSON.
        trace_id: The X-Ray header.
        client_context: JSON for ``Lambda-Runtime-Client-Context``; empty for none.
        tenant_id: For ``Lambda-Runtime-Aws-Tenant-Id``; empty for none.
        deadline_ms: Unix time in milliseconds; set when the function gets the event.
        cut: Closes the environment's connection; set while its response is under way.
        failure: How it ended, if it failed.
        reported: Set once the environment is free again.
        log: The end of the log, then.
    """

    request_id: str
    event: bytes
    trace_id: str
    client_context: str = ""
    tenant_id: str = ""
    deadline_ms: int = 0
    cut: Callable[[], None] | None = None
    done: asyncio.Event = field(default_factory=asyncio.Event)
    failure: Failed | None = None
    reported: asyncio.Event = field(default_factory=asyncio.Event)
    log: bytes = b""
    _parts: asyncio.Queue[Part] = field(default_factory=asyncio.Queue)
    _room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AHEAD))

    async def put(self, part: Start | bytes) -> None:
        """Give the caller the response's next part; waits while it is behind."""
        await self._room.acquire()
        self._parts.put_nowait(part)

    async def get(self) -> Part:
        """The response's next part; none follows ``End`` or ``Failed``."""
        part = await self._parts.get()
        self._room.release()
        return part

    async def drain(self) -> End | Failed:
        """Drop the parts until the last, and return that one."""
        while not isinstance(part := await self.get(), End | Failed):
            pass
        return part

    def end(self) -> None:
        """Complete the response. Nothing happens if it has ended before."""
        self._close(End())

    def fail(self, kind: str, message: str = "", body: bytes = b"") -> None:
        """End the response with an error. Nothing happens if it has ended before."""
        self._close(Failed(kind, message, body))

    def _close(self, last: End | Failed) -> None:
        if not self.done.is_set():
            self.done.set()
            self.failure = last if isinstance(last, Failed) else None
            self._parts.put_nowait(last)
