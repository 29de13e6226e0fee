"""The demo provider: real chunk bytes at a chosen pace, without a key or a network."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ...dialects.protocol import ParsedRequest
from ...errors import UpstreamError
from .chunks import Chunks
from .play import oddly, play
from .script import MOODS, write


class Demo:
    """A provider of the ``chat`` dialect that follows instructions in the prompt.

    Args:
        pace: Tokens a second.
        name: As in ``name/model``.
    """

    dialect = "chat"

    def __init__(self, pace: float, name: str = "demo") -> None:
        self.name = name
        self._pace = pace

    async def prepare(self) -> None:
        """Nothing to prepare."""

    @asynccontextmanager
    async def open(self, request: ParsedRequest, model: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """Answer the last user message, in the form that the options of the request require.

        Raises:
            UpstreamError: The prompt requests a failure (``/fail before``, ``/drop``).
            ClientError: The request requires something that the demo model cannot do.
        """
        script = write(request, model, self._pace)
        if script.fail == "before":
            raise UpstreamError(
                "The demo provider failed, as instructed.",
                code="upstream_overloaded",
                status=503,
                retryable=True,
            )
        body = play(script, Chunks(model))
        yield oddly(body) if script.odd else body

    async def models(self) -> list[str]:
        """Return the names of its models."""
        return list(MOODS)

    async def aclose(self) -> None:
        """Nothing to close."""
