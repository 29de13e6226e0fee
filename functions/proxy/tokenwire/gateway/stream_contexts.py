"""The context managers that are entered while a provider's stream is open.

They are classes: a context manager made from a generator takes more memory while it is open.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from types import TracebackType

from ..dialects.origins import caused_by
from ..dialects.protocol import JSON
from ..errors import ClientError
from ..streams.block_stream import BlockStream
from ..streams.framing import Body
from .memory import RequestMemory


class MemoryCharge:
    """Opens a provider's stream, and keeps the request's memory charged while it is open.

    Args:
        open: Opens the stream.
        memory: The memory that the request uses.
    """

    __slots__ = ("_memory", "_opened")

    def __init__(
        self, open: Callable[[], AbstractAsyncContextManager[BlockStream]], memory: RequestMemory
    ) -> None:
        self._opened = open()
        self._memory = memory

    async def __aenter__(self) -> BlockStream:
        self._memory.retain()
        try:
            return await self._opened.__aenter__()
        except BaseException:
            self._memory.release()
            raise

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        try:
            return await self._opened.__aexit__(kind, error, traceback)
        finally:
            self._memory.release()


class OriginalFieldErrors:
    """Sends a translated request. Its errors name the fields of the caller's original request.

    Args:
        opening: Sends the request; its context is the response's body.
        body: The translated request.
    """

    __slots__ = ("_body", "_opening")

    def __init__(self, opening: AbstractAsyncContextManager[Body], body: JSON) -> None:
        self._opening = opening
        self._body = body

    async def __aenter__(self) -> Body:
        with caused_by(self._body):
            return await self._opening.__aenter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        with caused_by(self._body):
            is_handled = await self._opening.__aexit__(kind, error, traceback)
            # Raised again inside ``caused_by``, which then changes the name of its field.
            if isinstance(error, ClientError) and not is_handled:
                raise error
        return is_handled
