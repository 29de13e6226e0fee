"""One invocation between the front door and an environment, and the parts of its answer."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

AHEAD = 4
"""Parts that an environment may be ahead of the client; beyond, its writes wait."""


class Throttled(Exception):
    """Every environment is busy, and there may be no more of them."""


class NotAResponse(ValueError):
    """JSON that is not an integration response."""


@dataclass(frozen=True, slots=True)
class Prelude:
    """The head of an answer."""

    status: int
    headers: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, said: Any) -> Prelude:
        """Read an integration response's ``statusCode``, ``headers`` and ``cookies``.

        Raises:
            NotAResponse: It is not one.
        """
        if not (isinstance(said, dict) and isinstance(said.get("statusCode"), int)):
            raise NotAResponse("there is no statusCode")
        headers = [(str(name), str(value)) for name, value in (said.get("headers") or {}).items()]
        for name, values in (said.get("multiValueHeaders") or {}).items():
            headers += [(name, str(value)) for value in values]
        headers += [("set-cookie", str(value)) for value in said.get("cookies") or ()]
        return cls(said["statusCode"], tuple(headers))


@dataclass(frozen=True, slots=True)
class End:
    """The answer is whole."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The answer will not become whole."""

    kind: str
    message: str = ""


Part: TypeAlias = Prelude | bytes | End | Failed


@dataclass(slots=True)
class Call:
    """One invocation.

    Args:
        request_id: Lambda's name for it.
        event: What the function gets, as JSON.
        trace_id: The X-Ray header.
        deadline_ms: Unix time in milliseconds; set when the function gets the event.
        let_go: Cuts the environment's response; set while one is under way.
    """

    request_id: str
    event: bytes
    trace_id: str
    deadline_ms: int = 0
    let_go: Callable[[], None] | None = None
    done: asyncio.Event = field(default_factory=asyncio.Event)
    failure: Failed | None = None
    _parts: asyncio.Queue[Part] = field(default_factory=asyncio.Queue)
    _room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AHEAD))

    async def put(self, part: Prelude | bytes) -> None:
        """Give the client the next part; waits while it is behind."""
        await self._room.acquire()
        self._parts.put_nowait(part)

    async def get(self) -> Part:
        """The next part; after ``End`` or ``Failed`` there is none."""
        part = await self._parts.get()
        self._room.release()
        return part

    def end(self) -> None:
        """The answer is whole."""
        self._close(End())

    def fail(self, kind: str, message: str = "") -> None:
        """The answer will not become whole."""
        self._close(Failed(kind, message))

    def _close(self, last: End | Failed) -> None:
        if not self.done.is_set():
            self.done.set()
            self.failure = last if isinstance(last, Failed) else None
            self._parts.put_nowait(last)


async def put_buffered(call: Call, answer: bytes) -> None:
    """Give the client a buffered answer, as a function URL reads it.

    JSON with a ``statusCode`` is a response; any other JSON is the body of one.
    """
    try:
        said = json.loads(answer)
        prelude = Prelude.of(said)
        body = str(said.get("body") or "")
        data = base64.b64decode(body) if said.get("isBase64Encoded") else body.encode()
    except ValueError:
        prelude, data = Prelude(200, (("content-type", "application/json"),)), answer
    await call.put(prelude)
    await call.put(data)
    call.end()
