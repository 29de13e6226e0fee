"""The logs of one memory store."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass, field

from ..contract import Batch, Keep
from ..exceptions import MAX_VIEWERS, Fenced, Missing, Taken, TooManyViewers
from ..records import End, Meta, RecordId
from ..viewer_leases import mark

NOTHING = RecordId(0, 0)
"""The last record of an empty log."""
_SWEEP = 60.0
"""Seconds between two removals of expired logs. Until then an expired log is only hidden."""


@dataclass(slots=True)
class Log:
    """One stream's records, its producer's token (empty if reserved), and its viewers' leases."""

    meta: Meta
    producer: str
    batches: list[Batch] = field(default_factory=list)
    heartbeats: int = 0
    marks: dict[str, str] = field(default_factory=dict)
    expires: float = math.inf
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def end(self) -> Batch | None:
        """The batch that ends it."""
        return self.batches[-1] if self.batches and self.batches[-1].end else None

    @property
    def last(self) -> RecordId:
        """The id of the last record."""
        return self.batches[-1].last if self.batches else NOTHING

    def check_open(self) -> None:
        """Raise ``Fenced`` if the log has an end."""
        if self.end is not None and self.end.end is not None:
            raise Fenced(self.end.last, self.end.end)

    def add(self, batch: Batch) -> None:
        """Append a batch and wake the readers."""
        self.batches.append(batch)
        self.changed.set()
        self.changed = asyncio.Event()

    def after(self, place: RecordId) -> list[Batch]:
        """Return the batches that end after this record."""
        return [batch for batch in self.batches if batch.last > place]

    def close(self, end: End) -> tuple[RecordId, End]:
        """Write this end in the next epoch if there is none; the end that counts, and its id."""
        try:
            self.check_open()
        except Fenced as error:
            return error.at, error.end
        batch = Batch(max(1, self.last.epoch) + 1, 0, [], end)
        self.add(batch)
        return batch.last, end

    def renew(self, viewer: str, seconds: float) -> None:
        """Store the lease of a viewer.

        Raises:
            Fenced: The log has an end, and the viewer is new.
            TooManyViewers: It has ``MAX_VIEWERS`` others.
        """
        if viewer not in self.marks:
            self.check_open()
            if len(self.marks) >= MAX_VIEWERS:
                raise TooManyViewers
        self.marks[viewer] = mark(seconds)


class Logs:
    """Logs by stream id, each until its time is up.

    Args:
        held: The logs themselves.
        keep: For how long they are kept.
        clock: Returns seconds, from any start.
    """

    def __init__(self, held: dict[str, Log], keep: Keep, clock: Callable[[], float]) -> None:
        self.held = held
        self._keep = keep
        self._clock = clock
        self._swept = clock()

    def find(self, stream_id: str) -> Log | None:
        """Return the log of this id; None if there is none."""
        log = self.held.get(stream_id)
        return None if log is None or log.expires <= self._clock() else log

    def get(self, stream_id: str) -> Log:
        """Return the log of this id.

        Raises:
            Missing: There is none.
        """
        log = self.find(stream_id)
        if log is None:
            raise Missing
        return log

    def make(self, meta: Meta, producer: str) -> None:
        """Make a log. May be repeated with the same arguments.

        Raises:
            Taken: It is there, with other content or another producer.
        """
        self._sweep()
        if self.find(meta.id) is None:
            self.held[meta.id] = Log(meta, producer, expires=self._clock() + self._keep.running)
        log = self.held[meta.id]
        if (log.meta, log.producer) != (meta, producer):
            raise Taken

    def close(self, stream_id: str, end: End) -> tuple[RecordId, End]:
        """End a log, as ``Store.close``."""
        log = self.get(stream_id)
        ended = log.close(end)
        self.ended(log)
        return ended

    def ended(self, log: Log) -> None:
        """Start the time for which a log that has an end is kept."""
        log.expires = min(log.expires, self._clock() + self._keep.ended)

    def _sweep(self) -> None:
        now = self._clock()
        if now - self._swept >= _SWEEP:
            self._swept = now
            for stream_id in [key for key, log in self.held.items() if log.expires <= now]:
                del self.held[stream_id]
