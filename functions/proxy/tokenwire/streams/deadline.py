"""The limits on a stream's silence and length, and one timer that enforces them all."""

from __future__ import annotations

import asyncio
import math
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

    One timer serves all limits. It is not moved by progress, which is made with every block: it
    looks at the time of the last progress when it fires. After ``progress``, and until ``pause``,
    it is enough to set ``last`` to ``now()``.

    Raises:
        UpstreamError: Code ``timeout_first_content``, ``timeout_idle`` or ``timeout_total``,
            status 504.
    """

    __slots__ = (
        "_code",
        "_fires_at",
        "_has_progress",
        "_limit",
        "_loop",
        "_timeout",
        "_timeouts",
        "_timer",
        "_total_at",
        "last",
        "now",
    )

    def __init__(self, timeouts: Timeouts) -> None:
        self._timeouts = timeouts
        self._limit = timeouts.first_content
        self._timeout = asyncio.timeout(None)
        self._total_at = self._fires_at = math.inf
        self.last = math.inf
        self._has_progress = False
        self._code = ""

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self.now = self._loop.time
        await self._timeout.__aenter__()
        self.last = self.now()
        self._total_at = self.last + self._timeouts.total
        self._arm()
        return self

    def progress(self) -> None:
        """The answer has begun, and something has just come: silence is counted anew."""
        self._has_progress = True
        self._limit = self._timeouts.idle
        self.last = self.now()
        if self._due < self._fires_at:
            # Only once, where the limit that was in force before is the longer one.
            self._timer.cancel()
            self._arm()

    def pause(self) -> None:
        """We are waiting for a reader, not for the provider: only the total counts."""
        self._limit = math.inf

    @property
    def _due(self) -> float:
        return self.last + self._limit

    def _arm(self) -> None:
        self._fires_at = min(self._due, self._total_at)
        self._timer = self._loop.call_at(self._fires_at, self._check)

    def _check(self) -> None:
        due = min(self._due, self._total_at)
        if self.now() < due:
            self._arm()
        else:
            self._code = self._code_of_due()
            self._timeout.reschedule(due)

    def _code_of_due(self) -> str:
        if self._due >= self._total_at:
            return "timeout_total"
        return "timeout_idle" if self._has_progress else "timeout_first_content"

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        try:
            await self._timeout.__aexit__(kind, error, traceback)
        except TimeoutError:
            raise UpstreamError(
                _MESSAGES[self._code], code=self._code, status=504, retryable=True
            ) from None
