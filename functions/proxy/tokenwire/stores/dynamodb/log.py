"""One stream's log in a table: its producer's access to it, and a reader's position in it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable

from ...clock import monotonic
from ..contract import Batch, BatchSource, Keep, alone
from ..exceptions import Fenced, Missing, Rewound, StoreError, Taken
from ..records import End, Meta, RecordId
from ..viewer_leases import ViewerLeases
from .items import (
    Item,
    Reassembly,
    complete,
    expires_in,
    is_expired,
    key,
    number,
    of_batch,
    place_of,
    text,
)
from .table import IS_FREE, Table

_POLLS = (0.15, 0.1, 0.1, 0.25, 0.5)
"""Seconds from one read to the next: after one that found something, after one that did not, and
so on; the last is repeated. A producer writes every 0.25 s while it has something to write."""


class DynamoDBWriter:
    """As ``contract.Writer``.

    Args:
        table: The table.
        keep: For how long logs are kept.
        stream_id: The stream.
        token: The producer's token, which marks its items.
    """

    def __init__(self, table: Table, keep: Keep, stream_id: str, token: str) -> None:
        self._table = table
        self._keep = keep
        self._id = stream_id
        self.token = token
        self._next = 1
        self._last = RecordId(0, 0)
        self._verified = 0
        self._written: Batch | None = None
        self._leases = ViewerLeases()

    async def append(self, batch: Batch, floor: int = 1) -> None:
        """As ``Writer.append``. ``floor`` is ignored: items are paid for when written."""
        if batch == self._written:
            if batch.end is None:
                await self.check()  # it was written, but perhaps the log was ended since
            return
        self._check_open()
        if not batch.follows(self._last):
            await self.check()  # raises, where the log is not as it was left
            raise Rewound(self._last)
        expires = expires_in(self._keep.running if batch.end is None else self._keep.ended)
        items = of_batch(key(self._id, self._next), batch, self.token, expires)
        for item in items:
            refused = await self._table.put(item, IS_FREE)
            if refused is not None and not _is_same(refused.item, item):
                await self._find_place(refused.item)
        self._next += len(items)
        self._written, self._last = batch, batch.last
        if batch.end is not None:
            await self._verify()

    def append_from(self, source: BatchSource) -> Awaitable[None]:
        """As ``Writer.append_from``."""
        del source
        return alone()

    async def heartbeat(self) -> None:
        """As ``Writer.heartbeat``."""
        await self._around()
        await self._verify()
        self._check_open()
        values: Item = {":one": {"N": "1"}, ":at": expires_in(self._keep.running)["expires_at"]}
        change, gone = "SET expires_at = :at ADD pulse :one", self._leases.abandoned()
        names = {f"v{index}": viewer for index, viewer in enumerate(gone)}
        if names:
            change += " REMOVE " + ", ".join(f"watching.#{name}" for name in names)
        if await self._table.update(key(self._id, 0), change, values, **names) is not None:
            raise Missing

    async def check(self) -> float:
        """As ``Writer.check``. One request: the first item, and the places around the next."""
        marks = (await self._around()).get("watching", {}).get("M", {})
        self._check_open()
        return self._leases.update({viewer: mark.get("S", "") for viewer, mark in marks.items()})

    async def _around(self) -> Item:
        """The first item, if the places around the next are as they were left."""
        wanted = {0, max(self._next - 1, 0), self._next}
        found = await self._table.get_all([key(self._id, place) for place in sorted(wanted)])
        items = {number(item, "sk"): item for item in found}
        if 0 not in items:
            raise Missing
        if self._next in items or not self._is_ours(items, self._next - 1):
            await self._find_place(items.get(self._next))
        return items[0]

    async def _verify(self) -> None:
        """Make sure that what was written since the last time is there, without a hole."""
        first = max(self._verified, 1)
        pk = key(self._id, 0)["pk"]
        items = {number(item, "sk"): item for item in await self._table.places(pk, first)}
        places = range(first, self._next)
        if len(items) != len(places) or not all(self._is_ours(items, place) for place in places):
            await self._find_place(None)
        self._verified = self._next - 1

    def _is_ours(self, items: dict[int, Item], place: int) -> bool:
        """Whether the item in this place is there, and its own; the head has no mark of that."""
        return place in items and (place == 0 or text(items[place], "by") == self.token)

    async def _find_place(self, there: Item | None) -> None:
        """Raise why the log is not as this writer left it, or where the producer must continue.

        Raises:
            Fenced, Taken: Another's item is there.
            Rewound: Items are missing, or there are more than this writer has written.
        """
        if there is not None and text(there, "by") != self.token:
            raise fenced(there)
        items = await self._table.places(key(self._id, 0)["pk"], 1)
        if foreign := next((item for item in items if text(item, "by") != self.token), None):
            found = await self._table.get(key(self._id, number(foreign, "sk")))
            raise Taken if found is None else fenced(found)
        last, seq = complete(items, len(items))
        if last and "end" in items[last - 1]:
            await self._raise_end(last)
        self._next, self._verified, self._written = last + 1, 0, None
        self._last = RecordId(1 if seq else 0, seq)
        raise Rewound(self._last)

    async def _raise_end(self, place: int) -> None:
        """Raise ``Fenced``: this place has an end, written through another writer object."""
        found = await self._table.get(key(self._id, place))
        if found is not None:
            raise fenced(found)

    def _check_open(self) -> None:
        """Raise ``Fenced`` after an own end; another producer's end is at the next place."""
        if self._written is not None and self._written.end is not None:
            raise Fenced(self._written.last, self._written.end)


class DynamoDBFollower:
    """As ``contract.Follower``.

    Args:
        table: The table.
        keep: For how long an end is kept.
        meta: The log's first record.
    """

    def __init__(self, table: Table, keep: Keep, meta: Meta) -> None:
        self._table = table
        self._keep = keep
        self._read = Reassembly()
        self._quiet = 0
        self._due = 0.0
        self._is_first = True
        self.meta = meta

    async def read(self, wait: float) -> list[Batch]:
        """As ``Follower.read``."""
        until = monotonic() + wait
        while True:
            pause = min(self._due, until) - monotonic()
            if pause > 0:
                await asyncio.sleep(pause)
            found = await self._query()
            if found or monotonic() >= until:
                return found

    async def producer_heartbeat(self) -> int:
        """As ``Follower.producer_heartbeat``."""
        item = await self._table.get(key(self.meta.id, 0))
        if item is None:
            raise Missing
        return number(item, "pulse")

    async def probe_write(self) -> None:
        """As ``Follower.probe_write``."""
        nonce = {":nonce": {"S": secrets.token_hex(4)}}
        if await self._table.update(key(self.meta.id, 0), "SET probe = :nonce", nonce) is not None:
            raise Missing

    async def end_as_lost(self, end: End) -> None:
        """As ``Follower.end_as_lost``."""
        if self._read.over:
            return
        last = await self._table.last(key(self.meta.id, 0)["pk"])
        if last is None:
            raise Missing
        at, batch = place_of(last)
        is_over = batch is not None and batch.end is not None
        if at > self._read.place:
            if await self._table.get(key(self.meta.id, self._read.place + 1)) is None:
                raise Missing  # a hole that was not filled
        elif is_over:
            self._read.place = at - 1  # the table went back, and the log was ended there
        else:
            ours = Batch(self._read.epoch + 1, 0, [], end)
            await put_end(self._table, key(self.meta.id, at + 1), ours, self._keep)
            self._read.place = at

    async def _query(self) -> list[Batch]:
        place, found = -1, list[Batch]()
        # A page may hold pieces of one batch only; or begin further on, if it is a stale one.
        while self._read.place > place and (items := await self._page()):
            place = self._read.place
            if any("end" in item and is_expired(item) for item in items):
                raise Missing
            if found := [batch for item in items for batch in self._read.take(item)]:
                break
        self._quiet = 0 if found else self._quiet + 1
        self._due = monotonic() + _POLLS[min(self._quiet, len(_POLLS) - 1)]
        return found

    async def _page(self) -> list[Item]:
        # The first read must not be stale: it decides whether the log is there. A later one that is
        # stale costs half, and the next one returns the rest.
        consistent, self._is_first = self._is_first, False
        pk = key(self.meta.id, 0)["pk"]
        return await self._table.after(pk, self._read.place, consistent=consistent)


def _is_same(there: Item, item: Item) -> bool:
    """Return whether the item in a place is the one to be put there: a repeated request."""
    return all(there.get(name) == item[name] for name in ("by", "batch"))


async def put_end(table: Table, at: Item, batch: Batch, keep: Keep) -> bool:
    """Put an end into another producer's log; return whether the place was free."""
    (item,) = of_batch(at, batch, "", expires_in(keep.ended))
    return await table.put(item, IS_FREE) is None


def fenced(item: Item) -> StoreError:
    """Return the error for a write to the place of this item."""
    _, batch = place_of(item)
    if batch is None or batch.end is None:
        return Taken()
    return Fenced(batch.last, batch.end)
