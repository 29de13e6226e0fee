"""Count a stream's viewers, and act when the last one has left."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Protocol

from ..clock import monotonic
from ..stores.contract import Store
from ..stores.exceptions import StoreError
from .policy import CONTINUE, OnDisconnect

_FIRST_VIEWER = 5.0
"""Seconds within which the first viewer must attach, where the policy has no grace period."""
_POLL = 1.0
"""Seconds between two checks for viewers in other processes, once there are none here."""
_LEASE_CHECK = 0.25
"""Seconds after which a viewer that has left is noticed, at most."""


class Viewers(Protocol):
    """The viewers of one stream whose connections this process sees."""

    def attached(self) -> None:
        """Count one more viewer."""

    def detached(self) -> None:
        """Count one viewer less."""

    def close(self) -> None:
        """Stop counting: the stream is over."""


class ProducerViewers:
    """Cancel a stream of this process when its policy requires it.

    Args:
        policy: The stream's policy on disconnects.
        cancel: Called when there was no viewer for the policy's grace period.
        leased: Returns the seconds for which viewers that this process does not see hold a lease.
    """

    def __init__(
        self,
        policy: OnDisconnect,
        cancel: Callable[[], object],
        leased: Callable[[], Awaitable[float]],
    ) -> None:
        self._policy = policy
        self._cancel = cancel
        self._leased = leased
        self._count = 0
        self._timer: asyncio.TimerHandle | None = None
        self._polling: asyncio.Task[None] | None = None
        self._start_timer(_FIRST_VIEWER)

    def attached(self) -> None:
        """As ``Viewers.attached``."""
        self._count += 1
        self._stop()

    def detached(self) -> None:
        """As ``Viewers.detached``."""
        self._count -= 1
        if not self._count:
            self._start_timer(0.0)

    def close(self) -> None:
        """As ``Viewers.close``."""
        self._stop()
        self._policy = CONTINUE

    def _start_timer(self, without_grace: float) -> None:
        self._stop()
        grace = self._policy.grace
        if grace is not None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(grace or without_grace, self._lapse, grace)

    def _lapse(self, grace: float) -> None:
        self._polling = asyncio.create_task(self._poll(grace))

    async def _poll(self, grace: float) -> None:
        """Cancel once viewers elsewhere, too, have been absent for the grace period."""
        last_leased = -grace
        while True:
            now = monotonic()
            if await self._leased() > 0:
                last_leased = now
            elif now - last_leased >= grace:
                break
            await asyncio.sleep(_POLL)
        self._polling = None  # so that ``cancel`` does not cancel this task
        self._cancel()

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._polling is not None:
            self._polling.cancel()
            self._polling = None


class FollowerViewers:
    """Hold a viewer's lease in the store while a stream of another process is watched here.

    Args:
        store: Where the stream's log is.
        stream_id: The stream.
        viewer: The one name under which all viewers of this process hold the lease.
        lease: Seconds for which one renewal holds.
    """

    def __init__(self, store: Store, stream_id: str, viewer: str, lease: float) -> None:
        self._store = store
        self._id = stream_id
        self._viewer = viewer
        self._lease = lease
        self._count = 0
        self._renewing: asyncio.Task[None] | None = None

    def attached(self) -> None:
        """As ``Viewers.attached``."""
        self._count += 1
        if self._renewing is None or self._renewing.done():
            self._renewing = asyncio.create_task(self._renew())

    def detached(self) -> None:
        """As ``Viewers.detached``. The lease is given up at once."""
        self._count -= 1

    def close(self) -> None:
        """As ``Viewers.close``."""
        if self._renewing is not None:
            self._renewing.cancel()

    async def _renew(self) -> None:
        renewed = -self._lease
        while self._count:
            if monotonic() - renewed > self._lease / 3:
                renewed = monotonic()
                await _ignoring_failures(self._store.renew(self._id, self._viewer, self._lease))
            await asyncio.sleep(min(_LEASE_CHECK, self._lease / 3))
        await _ignoring_failures(self._store.leave(self._id, self._viewer))


async def _ignoring_failures(request: Awaitable[None]) -> None:
    with suppress(StoreError):  # the feed reads from the same store and reports its failures
        await request
