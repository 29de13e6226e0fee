"""The limits on a stream's silence and length, and one timer that enforces them all."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

from ..errors import UpstreamError


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long to wait, in seconds.

    ``first_content`` runs from the request to the first piece of an answer, ``idle``
    between two reads after it, ``total`` over the whole stream. (The provider enforces the limit
    for connecting.)
    """

    first_content: float = 120.0
    idle: float = 60.0
    total: float = 900.0

    def within(self, longest: float) -> Timeouts:
        """Return the same timeouts, with a total of at most ``longest`` seconds."""
        return replace(self, total=min(self.total, longest))


_MESSAGES = {
    "timeout_first_content": "The provider sent no content in time.",
    "timeout_idle": "The provider stopped sending in the middle of its answer.",
    "timeout_total": "The answer took longer than this server allows.",
}


class Deadline:
    """A context that ends with ``UpstreamError`` when the limit in force runs out.

    Raises:
        UpstreamError: Code ``timeout_first_content``, ``timeout_idle`` or ``timeout_total``,
            status 504.
    """

    def __init__(self, timeouts: Timeouts) -> None:
        self._timeouts = timeouts
        self._timer = asyncio.timeout(None)
        self._total_at = 0.0
        self._code = "timeout_first_content"

    async def __aenter__(self) -> Self:
        now = asyncio.get_running_loop().time()
        self._total_at = now + self._timeouts.total
        await self._timer.__aenter__()
        self._arm(now + self._timeouts.first_content, "timeout_first_content")
        return self

    def progress(self) -> None:
        """The answer has begun, and something has just come: silence is counted anew."""
        now = asyncio.get_running_loop().time()
        self._arm(now + self._timeouts.idle, "timeout_idle")

    def pause(self) -> None:
        """We are waiting for a reader, not for the provider: only the total counts."""
        self._arm(self._total_at, "timeout_total")

    def _arm(self, at: float, code: str) -> None:
        if at >= self._total_at:
            at, code = self._total_at, "timeout_total"
        self._code = code
        self._timer.reschedule(at)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            await self._timer.__aexit__(kind, error, traceback)
        except TimeoutError:
            raise UpstreamError(
                _MESSAGES[self._code], code=self._code, status=504, retryable=True
            ) from None
