"""Logs in DynamoDB: one item for what is known of a stream, one for each batch.

Items of a stream share the partition key ``stream#ID``. Sort key 0 is the meta record, with the
pulse and the viewers; 1, 2, 3, … are the batches. Each is put on condition that its place is
free: that is the fence. Whoever ends a log for another takes the place that its producer would
take next.

A write costs by the kilobyte, so batches are compressed, and written a few times a second and
not for every token. Reads poll, fast while there is something to read. DynamoDB deletes expired
items when it finds the time; ``expires_at`` is therefore checked here too.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from .dynamodb_items import Item, Reassembly, key, number, of_batch, place_of
from .log import End, Meta, RecordId
from .store import (
    Batch,
    Fenced,
    Follower,
    Keep,
    Missing,
    Named,
    Pace,
    StoreError,
    Taken,
    Writer,
    pack_json,
    unpack_meta,
    unpack_named,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

T = TypeVar("T")

_POLLS = (0.15, 0.1, 0.1, 0.25, 0.5)
"""Seconds from one read to the next: after one that found something, after one that did not, and
so on; the last is repeated. A producer writes every 0.25 s while it has something to write."""
_ATTEMPTS = 20
"""Tries to end a log whose producer keeps taking the place: it takes four a second."""


class DynamoDBStore:
    """A store in a DynamoDB table with the keys ``pk`` (S) and ``sk`` (N).

    Region, credentials and endpoint are boto3's own business.

    Args:
        table: The table's name.
        keep: For how long logs are kept.
        timeout: Seconds for a connection, and for an answer.
    """

    pace = Pace(0.25, 50)

    def __init__(self, table: str, keep: Keep | None = None, timeout: float = 2.0) -> None:
        self.table = table
        self.keep = keep or Keep()
        self._timeout = timeout
        self._client: DynamoDBClient | None = None
        # boto3 blocks. It is well kept, and a request costs it less than a millisecond.
        self._threads = ThreadPoolExecutor(32, "dynamodb")

    async def prepare(self) -> None:
        """Import boto3 and load its model of DynamoDB; connects on first use."""
        await asyncio.to_thread(self._connected)

    async def aclose(self) -> None:
        """Close every connection."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._client is not None:
            self._client.close()

    async def create(self, meta: Meta) -> Writer:
        """As ``Store.create``."""
        token = secrets.token_hex(8)
        await self._create(meta, token)
        return _Writer(self, meta.id, token)

    async def reserve(self, meta: Meta) -> None:
        """As ``Store.reserve``."""
        await self._create(meta, "")

    async def adopt(self, stream_id: str) -> Writer:
        """As ``Store.adopt``."""
        token = secrets.token_hex(8)
        before = await self.update(
            stream_id,
            "SET producer = :token ADD pulse :one",
            {":token": {"S": token}, ":one": {"N": "1"}, ":none": {"S": ""}},
            condition="producer = :none",
        )
        if before is not None:
            raise _fenced(await self._last(stream_id))
        writer = _Writer(self, stream_id, token)
        await writer.look()
        return writer

    async def open(self, stream_id: str) -> Follower | None:
        """As ``Store.open``."""
        item = await self.get(stream_id, 0)
        if item is None or _is_expired(item):
            return None
        return _Follower(self, unpack_meta(item["meta"]["B"]))

    async def close(self, stream_id: str, end: End) -> tuple[RecordId, End]:
        """As ``Store.close``."""
        for _ in range(_ATTEMPTS):
            last = await self._last(stream_id)
            at, batch = place_of(last)
            if batch is not None and batch.end is not None:
                return batch.last, batch.end
            epoch = (batch.epoch if batch else 1) + 1
            ours = Batch(epoch, 0, [], end)
            if await self.put_end(stream_id, at + 1, ours):
                return ours.last, end
        raise StoreError("DynamoDB failed (contention).")

    async def renew(self, stream_id: str, viewer: str, until: float) -> None:
        """As ``Store.renew``."""
        value = {":until": {"N": f"{until:.3f}"}}
        await self.update(stream_id, "SET viewers.#v = :until", value, {"#v": viewer})

    async def leave(self, stream_id: str, viewer: str) -> None:
        """As ``Store.leave``."""
        await self.update(stream_id, "REMOVE viewers.#v", {}, {"#v": viewer})

    async def claim(self, name: str, meant: Named, instead_of: Named | None = None) -> Named | None:
        """As ``Names.claim``."""
        values = {
            ":now": {"N": str(int(time.time()))},
            ":meant": {"B": pack_json(meant)},
            ":before": {"B": pack_json(instead_of or meant)},
        }
        condition = (
            "attribute_not_exists(pk) OR expires_at < :now OR named = :meant OR named = :before"
        )
        found = await self.put(self._named_item(name, meant), condition, values)
        return None if found is None else unpack_named(found["named"]["B"])

    async def name(self, name: str, meant: Named) -> None:
        """As ``Names.name``."""
        await self.call(
            lambda client: client.put_item(TableName=self.table, Item=self._named_item(name, meant))
        )

    async def named(self, name: str) -> Named | None:
        """As ``Names.named``."""
        item = await self._get({"pk": {"S": f"name#{name}"}, "sk": {"N": "0"}})
        if item is None or _is_expired(item):
            return None
        return unpack_named(item["named"]["B"])

    async def call(self, ask: Callable[[DynamoDBClient], T]) -> T:
        """Carry out one request in a thread.

        Raises:
            StoreError: DynamoDB refuses it, or cannot be reached. The text has its code alone.
        """
        return await asyncio.get_running_loop().run_in_executor(
            self._threads, partial(self._call, ask)
        )

    async def get(self, stream_id: str, place: int) -> Item | None:
        """One item of a stream, as it is now."""
        return await self._get(key(stream_id, place))

    async def put(self, item: Item, condition: str, values: Item | None = None) -> Item | None:
        """Put an item on a condition; what stands there instead, if the condition fails."""
        said: dict[str, Any] = {"ExpressionAttributeValues": values} if values else {}
        return await self.call(
            lambda client: _unless_refused(
                partial(
                    client.put_item,
                    TableName=self.table,
                    Item=item,
                    ConditionExpression=condition,
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                    **said,
                )
            )
        )

    async def put_end(self, stream_id: str, place: int, batch: Batch) -> bool:
        """Put an end for another producer; whether the place was free."""
        (item,) = of_batch(key(stream_id, place), batch, "", self.expires(self.keep.ended))
        return await self.put(item, "attribute_not_exists(pk)") is None

    async def update(
        self,
        stream_id: str,
        expression: str,
        values: Item,
        names: dict[str, str] | None = None,
        condition: str = "attribute_exists(pk)",
    ) -> Item | None:
        """Change a stream's first item; what it is instead, if the condition fails.

        Raises:
            Missing: There is no such log.
        """
        said: dict[str, Any] = {"ExpressionAttributeNames": names} if names else {}
        if values:
            said["ExpressionAttributeValues"] = values
        found = await self.call(
            lambda client: _unless_refused(
                partial(
                    client.update_item,
                    TableName=self.table,
                    Key=key(stream_id, 0),
                    UpdateExpression=expression,
                    ConditionExpression=condition,
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                    **said,
                )
            )
        )
        if found == {}:
            raise Missing
        return found

    def expires(self, seconds: float) -> Item:
        """The attribute that says when an item may be deleted."""
        return {"expires_at": {"N": str(int(time.time() + seconds))}}

    async def _create(self, meta: Meta, token: str) -> None:
        item: Item = {
            **key(meta.id, 0),
            "meta": {"B": pack_json(meta)},
            "producer": {"S": token},
            "pulse": {"N": "0"},
            "viewers": {"M": {}},
            **self.expires(self.keep.running),
        }
        found = await self.put(item, "attribute_not_exists(pk)")
        if found is not None and found["producer"]["S"] != (token or None):
            raise Taken

    async def _last(self, stream_id: str) -> Item:
        said = await self.call(
            lambda client: client.query(
                TableName=self.table,
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues={":pk": key(stream_id, 0)["pk"]},
                ScanIndexForward=False,
                ConsistentRead=True,
                Limit=1,
            )
        )
        if not said["Items"]:
            raise Missing
        return said["Items"][0]

    async def _get(self, at: Item) -> Item | None:
        said = await self.call(
            lambda client: client.get_item(TableName=self.table, Key=at, ConsistentRead=True)
        )
        return said.get("Item")

    def _named_item(self, name: str, meant: Named) -> Item:
        return {
            "pk": {"S": f"name#{name}"},
            "sk": {"N": "0"},
            "named": {"B": pack_json(meant)},
            **self.expires(self.keep.running + self.keep.ended),
        }

    def _call(self, ask: Callable[[DynamoDBClient], T]) -> T:
        client = self._connected()
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return ask(client)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "?")
            raise StoreError(f"DynamoDB failed ({code}).") from None
        except BotoCoreError as error:
            raise StoreError(f"DynamoDB failed ({type(error).__name__}).") from None

    def _connected(self) -> DynamoDBClient:
        if self._client is None:
            import boto3
            from botocore.config import Config

            config = Config(
                connect_timeout=self._timeout,
                read_timeout=self._timeout,
                max_pool_connections=32,
                retries={"mode": "standard", "total_max_attempts": 2},
                tcp_keepalive=True,
            )
            self._client = boto3.client("dynamodb", config=config)
        return self._client


class _Writer:
    """The producer's hold on a log."""

    def __init__(self, store: DynamoDBStore, stream_id: str, token: str) -> None:
        self._store = store
        self._id = stream_id
        self._token = token
        self._next = 1
        self._written: Batch | None = None

    async def append(self, batch: Batch, floor: int = 1) -> None:
        """As ``Writer.append``. ``floor`` is not heeded: items are paid for when written."""
        if batch == self._written:
            if batch.end is None:
                await self.look()  # it was written, but perhaps the log was ended since
            return
        self._check_open()
        keep = self._store.keep
        expires = self._store.expires(keep.running if batch.end is None else keep.ended)
        items = of_batch(key(self._id, self._next), batch, self._token, expires)
        for item in items:
            there = await self._store.put(item, "attribute_not_exists(pk)")
            if there is not None and there["by"]["S"] != self._token:
                raise _fenced(there)
        self._next += len(items)
        self._written = batch

    def _check_open(self) -> None:
        """Raises ``Fenced`` after an end of its own; others' stand in the place that is next."""
        if self._written is not None and self._written.end is not None:
            raise Fenced(self._written.last, self._written.end)

    async def beat(self) -> None:
        """As ``Writer.beat``."""
        self._check_open()
        expires = self._store.expires(self._store.keep.running)
        values: Item = {":one": {"N": "1"}, ":at": expires["expires_at"]}
        await self._store.update(self._id, "SET expires_at = :at ADD pulse :one", values)
        await self.look()

    async def look(self) -> float:
        """As ``Writer.look``. One request: the first item, and the place that is next."""
        self._check_open()
        keys = [key(self._id, 0), key(self._id, self._next)]
        table = self._store.table
        said = await self._store.call(
            lambda client: client.batch_get_item(
                RequestItems={table: {"Keys": keys, "ConsistentRead": True}}
            )
        )
        items = {number(item, "sk"): item for item in said["Responses"].get(table, [])}
        if 0 not in items:
            raise Missing
        if (there := items.get(self._next)) is not None and there["by"]["S"] != self._token:
            raise _fenced(there)
        viewers = items[0]["viewers"]["M"]
        return max((float(until["N"]) for until in viewers.values()), default=0.0)


class _Follower:
    """One reader's place in a log."""

    def __init__(self, store: DynamoDBStore, meta: Meta) -> None:
        self._store = store
        self._read = Reassembly()
        self._quiet = 0
        self._due = 0.0
        self._is_first = True
        self.meta = meta

    async def read(self, wait: float) -> list[Batch]:
        """As ``Follower.read``."""
        until = time.monotonic() + wait
        while True:
            pause = min(self._due, until) - time.monotonic()
            if pause > 0:
                await asyncio.sleep(pause)
            found = await self._query()
            if found or time.monotonic() >= until:
                return found

    async def pulse(self) -> int:
        """As ``Follower.pulse``."""
        item = await self._store.get(self.meta.id, 0)
        if item is None:
            raise Missing
        return number(item, "pulse")

    async def lose(self, end: End) -> None:
        """As ``Follower.lose``."""
        if self._read.over:
            return
        batch = Batch(self._read.epoch + 1, 0, [], end)
        await self._store.put_end(self.meta.id, self._read.place + 1, batch)

    async def _query(self) -> list[Batch]:
        place, found = -1, list[Batch]()
        # A page may hold pieces of one batch only; or begin further on, if it is a stale one.
        while self._read.place > place and (items := await self._page()):
            place = self._read.place
            if any("end" in item and _is_expired(item) for item in items):
                raise Missing
            if found := [batch for item in items for batch in self._read.take(item)]:
                break
        self._quiet = 0 if found else self._quiet + 1
        self._due = time.monotonic() + _POLLS[min(self._quiet, len(_POLLS) - 1)]
        return found

    async def _page(self) -> list[Item]:
        # The first read tells who has come too late, so it must not be stale. A later one that
        # is will see the rest next time, for half the price.
        consistent, self._is_first = self._is_first, False
        values: Item = {
            ":pk": key(self.meta.id, 0)["pk"],
            ":after": {"N": str(self._read.place)},
        }
        said = await self._store.call(
            lambda client: client.query(
                TableName=self._store.table,
                KeyConditionExpression="pk = :pk AND sk > :after",
                ExpressionAttributeValues=values,
                ConsistentRead=consistent,
            )
        )
        return said["Items"]


def _fenced(item: Item) -> StoreError:
    _, batch = place_of(item)
    if batch is None or batch.end is None:
        return Taken()
    return Fenced(batch.last, batch.end)


def _is_expired(item: Item) -> bool:
    return number(item, "expires_at") < time.time()


def _unless_refused(ask: Callable[[], object]) -> Item | None:
    """None if it was done; if its condition failed, the item that is there, or ``{}``."""
    from botocore.exceptions import ClientError

    try:
        ask()
    except ClientError as error:
        said: Any = error.response
        if said.get("Error", {}).get("Code") != "ConditionalCheckFailedException":
            raise
        found: Item = said.get("Item", {})
        return found
    return None
