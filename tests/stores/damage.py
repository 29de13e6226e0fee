"""What befalls a store: it goes back in time, or loses a part of a stream, or everything.

Done to the servers themselves, behind the back of the store that is tested.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from tests.fakes.memory_store import Log, MemoryStore
from tests.stores.servers import TABLE, Server, client, redis_command
from tokenwire.stores.redis.server import keys


class Damage(Protocol):
    """Ways to damage one stream's log."""

    def copied(self, stream_id: str) -> Any:
        """The log as it is now."""

    def put_back(self, stream_id: str, copy: Any) -> None:
        """Let the log be as it was when it was copied."""

    def lose_head(self, stream_id: str) -> None:
        """Remove what is known of the log, but not its batches."""

    def lose_batches(self, stream_id: str, count: int = 0) -> None:
        """Remove the last so many batches, or all; but not what is known of the log."""

    def lose_everything(self) -> None:
        """Remove all logs and names."""

    def refuse(self, *, on: bool) -> bool:
        """Let the store refuse writes, or take them again; whether it can."""

    def close(self) -> None:
        """Close its connections."""


class OfRedis:
    """As ``Damage``, to a Redis or Valkey."""

    def __init__(self, server: Server) -> None:
        self._run: Callable[..., Any] = partial(redis_command, server)

    def refuse(self, *, on: bool) -> bool:
        """As ``Damage.refuse``: as a replica, of a primary that is not there."""
        self._run("REPLICAOF", *(("127.0.0.1", "1") if on else ("NO", "ONE")))
        return on

    def close(self) -> None:
        """As ``Damage.close``."""

    def copied(self, stream_id: str) -> list[Any]:
        """As ``Damage.copied``."""
        return [self._run("DUMP", key) for key in keys(stream_id)]

    def put_back(self, stream_id: str, copy: list[Any]) -> None:
        """As ``Damage.put_back``."""
        for key, data in zip(keys(stream_id), copy, strict=True):
            self._run("DEL", key)
            if data is not None:
                self._run("RESTORE", key, 60_000, data)

    def lose_head(self, stream_id: str) -> None:
        """As ``Damage.lose_head``."""
        self._run("DEL", keys(stream_id)[0])

    def lose_batches(self, stream_id: str, count: int = 0) -> None:
        """As ``Damage.lose_batches``: Redis evicts whole keys."""
        assert count == 0
        self._run("DEL", keys(stream_id)[1])

    def lose_everything(self) -> None:
        """As ``Damage.lose_everything``."""
        self._run("FLUSHALL")


class OfDynamoDB:
    """As ``Damage``, to a table."""

    def __init__(self, server: Server) -> None:
        self._client = client(server.environ["AWS_ENDPOINT_URL_DYNAMODB"])

    def refuse(self, *, on: bool) -> bool:
        """As ``Damage.refuse``: it cannot."""
        del on
        return False

    def close(self) -> None:
        """As ``Damage.close``."""
        self._client.close()

    def copied(self, stream_id: str) -> list[Any]:
        """As ``Damage.copied``."""
        response = self._client.query(
            TableName=TABLE,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": f"stream#{stream_id}"}},
            ConsistentRead=True,
        )
        return response["Items"]

    def put_back(self, stream_id: str, copy: list[Any]) -> None:
        """As ``Damage.put_back``: the head first, so that the log is never gone."""
        for item in copy:
            self._client.put_item(TableName=TABLE, Item=item)
        kept = [item["sk"] for item in copy]
        self._remove([item for item in self.copied(stream_id) if item["sk"] not in kept])

    def lose_head(self, stream_id: str) -> None:
        """As ``Damage.lose_head``."""
        self._remove(self.copied(stream_id)[:1])

    def lose_batches(self, stream_id: str, count: int = 0) -> None:
        """As ``Damage.lose_batches``."""
        self._remove(self.copied(stream_id)[1:][-count:])

    def lose_everything(self) -> None:
        """As ``Damage.lose_everything``."""
        # A page of a scan has at most 1 MB, and other tests leave items in the same table.
        for page in self._client.get_paginator("scan").paginate(
            TableName=TABLE, ConsistentRead=True
        ):
            self._remove(page["Items"])

    def _remove(self, items: list[Any]) -> None:
        keys = [{"pk": item["pk"], "sk": item["sk"]} for item in items]
        for first in range(0, len(keys), 25):
            wanted: Any = [{"DeleteRequest": {"Key": key}} for key in keys[first : first + 25]]
            self._client.batch_write_item(RequestItems={TABLE: wanted})


class OfMemory:
    """As ``Damage``, to the plainest store."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def refuse(self, *, on: bool) -> bool:
        """As ``Damage.refuse``: it cannot."""
        del on
        return False

    def close(self) -> None:
        """As ``Damage.close``."""

    def copied(self, stream_id: str) -> Log | None:
        """As ``Damage.copied``."""
        return self._store.copied(stream_id)

    def put_back(self, stream_id: str, copy: Log | None) -> None:
        """As ``Damage.put_back``."""
        self._store.put_back(stream_id, copy)

    def lose_head(self, stream_id: str) -> None:
        """As ``Damage.lose_head``."""
        self._store.logs[stream_id].headless = True

    def lose_batches(self, stream_id: str, count: int = 0) -> None:
        """As ``Damage.lose_batches``."""
        batches = self._store.logs[stream_id].batches
        del batches[-count if count else 0 :]

    def lose_everything(self) -> None:
        """As ``Damage.lose_everything``."""
        self._store.flush()


def damage_of(server: Server) -> Damage:
    """Ways to damage what is on this server."""
    return OfDynamoDB(server) if server.url.startswith("dynamodb") else OfRedis(server)
