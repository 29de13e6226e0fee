"""Who watches a stream, and what becomes of it when nobody does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Protocol

from ..clock import monotonic
from ..stores.contract import Store, StoreError
from .policy import OnDisconnect

_FIRST_VIEWER = 5.0
"""Seconds that the first viewer of a stream has, where its policy gives returning ones none."""
_LOOK = 1.0
"""Seconds between two looks for viewers elsewhere, once there is nobody here."""


class Audience(Protocol):
    """The viewers of one stream whose coming and going can be seen here."""

    def enter(self) -> None:
        """One more."""

    def leave(self) -> None:
        """One less."""

    def close(self) -> None:
        """The stream is over."""


class AtTheProducer:
    """Applies the stream's policy once nobody watches it, here or elsewhere.

    Args:
        policy: The stream's.
        abandon: What to do when nobody has watched for long enough.
        elsewhere: For how many seconds somebody in another process, or behind a front door that
            does not tell of disconnects, means to watch. None where there is no store.
    """

    def __init__(
        self,
        policy: OnDisconnect,
        abandon: Callable[[], object],
        elsewhere: Callable[[], Awaitable[float]] | None = None,
    ) -> None:
        self._policy = policy
        self._abandon = abandon
        self._elsewhere = elsewhere
        self._here = 0
        self._timer: asyncio.TimerHandle | None = None
        self._looking: asyncio.Task[None] | None = None
        self._wait(_FIRST_VIEWER)

    def enter(self) -> None:
        """As ``Audience.enter``."""
        self._here += 1
        self._stop()

    def leave(self) -> None:
        """As ``Audience.leave``."""
        self._here -= 1
        if not self._here:
            self._wait(0.0)

    def close(self) -> None:
        """As ``Audience.close``."""
        self._stop()
        self._policy = OnDisconnect(None)

    def _wait(self, without_grace: float) -> None:
        self._stop()
        grace = self._policy.grace
        if grace is not None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(grace or without_grace, self._lapse, grace)

    def _lapse(self, grace: float) -> None:
        if self._elsewhere is None:
            self._abandon()
        else:
            self._looking = asyncio.create_task(self._look(self._elsewhere, grace))

    async def _look(self, elsewhere: Callable[[], Awaitable[float]], grace: float) -> None:
        """Wait until those elsewhere, too, have been gone for as long as the policy says."""
        seen = -grace
        while True:
            now = monotonic()
            if await elsewhere() > 0:
                seen = now
            elif now - seen >= grace:
                break
            await asyncio.sleep(_LOOK)
        self._looking = None  # what follows must not cancel itself
        self._abandon()

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None


class Elsewhere:
    """Tells a stream's producer, through the store, that it is watched here.

    Args:
        store: Where.
        stream_id: Of the stream.
        viewer: The name under which all who watch it here are one viewer.
        lease: Seconds for which one renewal holds.
    """

    def __init__(self, store: Store, stream_id: str, viewer: str, lease: float) -> None:
        self._store = store
        self._id = stream_id
        self._viewer = viewer
        self._lease = lease
        self._here = 0
        self._telling: asyncio.Task[None] | None = None

    def enter(self) -> None:
        """As ``Audience.enter``."""
        self._here += 1
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell())

    def leave(self) -> None:
        """As ``Audience.leave``. That we have left is told at once."""
        self._here -= 1

    def close(self) -> None:
        """As ``Audience.close``."""
        if self._telling is not None:
            self._telling.cancel()

    async def _tell(self) -> None:
        renewed = -self._lease
        while self._here:
            if monotonic() - renewed > self._lease / 3:
                renewed = monotonic()
                await self._say(self._store.renew(self._id, self._viewer, self._lease))
            await asyncio.sleep(min(0.25, self._lease / 3))
        await self._say(self._store.leave(self._id, self._viewer))

    async def _say(self, saying: Awaitable[None]) -> None:
        with suppress(StoreError):  # the feed, which reads from the same store, says so
            await saying


class Nobody:
    """An audience that is of no consequence."""

    def enter(self) -> None:
        """Nothing."""

    def leave(self) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""
