"""The store: logs, viewers and names in one table."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

from ..contract import Batch, Follower, Keep, NameBinding, Pace, Writer
from ..encoding import pack_json, unpack_binding, unpack_meta
from ..exceptions import MAX_VIEWERS, Missing, StoreError, Taken, TooManyViewers
from ..records import End, Meta, RecordId
from ..viewer_leases import mark
from .items import Item, binary, expires_in, is_expired, key, place_of
from .log import DynamoDBFollower, DynamoDBWriter, fenced, put_end
from .table import IS_FREE, IS_THERE, Table

_ATTEMPTS = 20
"""Tries to end a log whose producer keeps taking the place: it takes four a second."""
_IS_KNOWN = f"{IS_THERE} AND attribute_exists(watching.#viewer)"
_HAS_ROOM = f"{IS_THERE} AND size(watching) < :most"
_MAY_CLAIM = f"{IS_FREE} OR expires_at < :now OR named = :binding OR named = :before"


class DynamoDBStore:
    """A store in a DynamoDB table with the keys ``pk`` (S) and ``sk`` (N).

    Args:
        table: The table's name.
        keep: For how long logs are kept.
        timeout: Seconds for a connection, and for an answer.
    """

    shared = True
    pace = Pace(0.25, 50)

    def __init__(self, table: str, keep: Keep | None = None, timeout: float = 2.0) -> None:
        self.table = Table(table, timeout)
        self.keep = keep or Keep()

    async def prepare(self) -> None:
        """Import boto3 and load its model of DynamoDB; connects on first use."""
        await asyncio.to_thread(self.table.connected)

    async def aclose(self) -> None:
        """Close every connection."""
        self.table.close()

    async def create(self, meta: Meta, token: str) -> Writer:
        """As ``Store.create``."""
        await self._create(meta, token)
        return DynamoDBWriter(self.table, self.keep, meta.id, token)

    async def reserve(self, meta: Meta) -> None:
        """As ``Store.reserve``."""
        await self._create(meta, "")

    async def adopt(self, stream_id: str, token: str) -> Writer:
        """As ``Store.adopt``."""
        # First, so that a refused adoption leaves nothing: a cancel in between refuses the appends.
        if "end" in (last := await self._last(stream_id)):
            raise fenced(last)
        change = "SET producer = :token ADD pulse :one"
        values = {":token": {"S": token}, ":one": {"N": "1"}, ":none": {"S": ""}}
        condition = "producer = :none OR producer = :token"
        if await self.table.update(key(stream_id, 0), change, values, condition) is not None:
            raise fenced(await self._last(stream_id))
        return DynamoDBWriter(self.table, self.keep, stream_id, token)

    async def open(self, stream_id: str) -> Follower | None:
        """As ``Store.open``."""
        item = await self.table.get(key(stream_id, 0))
        if item is None or is_expired(item):
            return None
        return DynamoDBFollower(self.table, self.keep, unpack_meta(binary(item, "meta")))

    async def close(self, stream_id: str, end: End) -> tuple[RecordId, End]:
        """As ``Store.close``."""
        for _ in range(_ATTEMPTS):
            at, batch = place_of(await self._last(stream_id))
            if batch is not None and batch.end is not None:
                return batch.last, batch.end
            ours = Batch((batch.epoch if batch else 1) + 1, 0, [], end)
            if await put_end(self.table, key(stream_id, at + 1), ours, self.keep):
                return ours.last, end
        raise StoreError("DynamoDB failed (contention).")

    async def renew(self, stream_id: str, viewer: str, seconds: float) -> None:
        """As ``Store.renew``."""
        at, change = key(stream_id, 0), "SET watching.#viewer = :mark"
        values = {":mark": {"S": mark(seconds)}}
        refused = await self.table.update(at, change, values, _IS_KNOWN, viewer=viewer)
        if refused is None:
            return
        if not refused.item:
            raise Missing
        if "end" in (last := await self._last(stream_id)):
            raise fenced(last)
        values |= {":most": {"N": str(MAX_VIEWERS)}}
        if await self.table.update(at, change, values, _HAS_ROOM, viewer=viewer) is not None:
            raise TooManyViewers

    async def leave(self, stream_id: str, viewer: str) -> None:
        """As ``Store.leave``."""
        with suppress(Missing):
            await self._change_viewers(stream_id, "REMOVE watching.#viewer", {}, viewer)

    async def claim(
        self, name: str, binding: NameBinding, instead_of: NameBinding | None = None
    ) -> NameBinding | None:
        """As ``Names.claim``."""
        values = {
            ":now": {"N": str(int(time.time()))},
            ":binding": {"B": pack_json(binding)},
            ":before": {"B": pack_json(instead_of or binding)},
        }
        refused = await self.table.put(self._named_item(name, binding), _MAY_CLAIM, values)
        return None if refused is None else unpack_binding(binary(refused.item, "named"))

    async def name(self, name: str, binding: NameBinding) -> None:
        """As ``Names.name``."""
        await self.table.put(self._named_item(name, binding))

    async def lookup(self, name: str) -> NameBinding | None:
        """As ``Names.lookup``."""
        item = await self.table.get(_name_key(name))
        if item is None or is_expired(item):
            return None
        return unpack_binding(binary(item, "named"))

    async def _create(self, meta: Meta, token: str) -> None:
        item: Item = {
            **key(meta.id, 0),
            "meta": {"B": pack_json(meta)},
            "producer": {"S": token},
            "pulse": {"N": "0"},
            "watching": {"M": {}},
            **expires_in(self.keep.running),
        }
        refused = await self.table.put(item, IS_FREE)
        if refused is not None and not _is_same(refused.item, item):
            raise Taken

    async def _last(self, stream_id: str) -> Item:
        found = await self.table.last(key(stream_id, 0)["pk"])
        if found is None:
            raise Missing
        return found

    async def _change_viewers(self, stream_id: str, change: str, values: Item, viewer: str) -> None:
        at = key(stream_id, 0)
        if await self.table.update(at, change, values, viewer=viewer) is not None:
            raise Missing

    def _named_item(self, name: str, binding: NameBinding) -> Item:
        lasts = expires_in(self.keep.running + self.keep.ended)
        return {**_name_key(name), "named": {"B": pack_json(binding)}, **lasts}


def _is_same(there: Item, item: Item) -> bool:
    """Return whether the log that is there is the one to be made: a repeated request."""
    made = ("meta", "producer")
    return all(name in there and there[name] == item[name] for name in made)


def _name_key(name: str) -> Item:
    return {"pk": {"S": f"name#{name}"}, "sk": {"N": "0"}}
