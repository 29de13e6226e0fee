"""Logs in Redis or Valkey: one stream (the data type) for each, and one hash beside it.

An entry is a batch, and its id is that of the batch's last record: ``epoch-seq`` is what Redis
calls an id too. Redis takes no entry whose id is not greater than the last one's. That is the
fence: a producer in epoch 1 cannot write after an end that stands at ``2-0``.

Every change is one Lua script over the keys of one stream, which share a hash tag, so that they
live in one slot of a cluster. Needs Redis 6.2 or Valkey 7.2, and a user with ``@stream``,
``@hash``, ``@sortedset``, ``@string``, ``@keyspace`` and ``@scripting``.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from .log import End, Meta, RecordId
from .redis_scripts import ADOPT, APPEND, CLAIM, CLOSE, CREATE, LOOK, Script
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
    pack,
    pack_json,
    unpack,
    unpack_meta,
    unpack_named,
)

if TYPE_CHECKING:
    from redis.asyncio import Redis
    from redis.asyncio.cluster import RedisCluster

_PAGE = 256
"""Entries that one read asks for."""


class RedisStore:
    """A store in Redis or Valkey.

    Args:
        url: ``redis://`` or ``rediss://`` (TLS), as redis-py reads it; ``?cluster=true`` for a
            cluster, such as ElastiCache Serverless.
        keep: For how long logs are kept.
        timeout: Seconds for a connection, and for a command beyond what it is meant to wait.
    """

    pace = Pace()

    def __init__(self, url: str, keep: Keep | None = None, timeout: float = 2.0) -> None:
        self._url, self._in_cluster = _without_cluster(url)
        self._timeout = timeout
        self.keep = keep or Keep()
        self._client: Redis | RedisCluster | None = None

    async def prepare(self) -> None:
        """Import the client, which takes some 0.3 s; connects on first use."""
        self._connected()

    async def aclose(self) -> None:
        """Close every connection."""
        if self._client is not None:
            await self._client.aclose()

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
        await self.run(ADOPT, stream_id, [token])
        return _Writer(self, stream_id, token)

    async def open(self, stream_id: str) -> Follower | None:
        """As ``Store.open``."""
        said = await self.ask("HGET", keys(stream_id)[0], "meta")
        return None if said is None else _Follower(self, unpack_meta(said))

    async def close(self, stream_id: str, end: End) -> tuple[RecordId, End]:
        """As ``Store.close``."""
        try:
            return await self.end(stream_id, end, "")
        except Fenced as error:
            return error.at, error.end

    async def renew(self, stream_id: str, viewer: str, until: float) -> None:
        """As ``Store.renew``."""
        _, _, viewers = keys(stream_id)
        await self.ask("ZADD", viewers, until, viewer)
        await self.ask("PEXPIREAT", viewers, int((until + self.keep.ended) * 1000))

    async def leave(self, stream_id: str, viewer: str) -> None:
        """As ``Store.leave``."""
        await self.ask("ZREM", keys(stream_id)[2], viewer)

    async def claim(self, name: str, meant: Named, instead_of: Named | None = None) -> Named | None:
        """As ``Names.claim``."""
        before = pack_json(instead_of) if instead_of else b""
        said = await self.eval(CLAIM, [_name(name)], [pack_json(meant), before, self._longest()])
        return unpack_named(said) if said else None

    async def name(self, name: str, meant: Named) -> None:
        """As ``Names.name``."""
        await self.ask("SET", _name(name), pack_json(meant), "PX", self._longest())

    async def named(self, name: str) -> Named | None:
        """As ``Names.named``."""
        said = await self.ask("GET", _name(name))
        return unpack_named(said) if said else None

    async def end(self, stream_id: str, end: End, after: str) -> tuple[RecordId, End]:
        """End a log; if ``after`` names an entry, only where that is the last one."""
        batch = pack(Batch(0, 0, [], end))
        said = await self.run(CLOSE, stream_id, [batch, after, _ms(self.keep.ended)])
        return _id(said[0]), end

    async def run(self, script: Script, stream_id: str, args: Sequence[Any]) -> Any:
        """Run a script on a stream's keys, and say what it refuses in the contract's words.

        Raises:
            Missing: There is no such log.
            Taken: It is another's.
            Fenced: It has an end.
        """
        said = await self.eval(script, keys(stream_id), args)
        match said[0]:
            case b"missing":
                raise Missing
            case b"taken":
                raise Taken
            case b"fenced":
                ended = unpack(said[2])
                assert ended.end is not None  # noqa: S101 - the script looks for entries with an end
                raise Fenced(_id(said[1]), ended.end)
        return said[1:]

    async def eval(self, script: Script, names: Sequence[str], args: Sequence[Any]) -> Any:
        """Run a script, sending its text only where the server does not have it."""
        try:
            return await self.ask("EVALSHA", script.sha, len(names), *names, *args)
        except _Unknown:
            return await self.ask("EVAL", script.text, len(names), *names, *args)

    async def ask(self, *command: Any) -> Any:
        """One command's answer.

        Raises:
            StoreError: The server refuses it, or cannot be reached. The text names the kind of
                failure alone: what a client library says may quote an address or a password.
        """
        client = self._connected()
        from redis.exceptions import NoScriptError, RedisClusterException, RedisError

        try:
            return await client.execute_command(*command)
        except NoScriptError:
            raise _Unknown from None
        except (RedisError, RedisClusterException, OSError, TimeoutError) as error:
            raise StoreError(f"Redis failed ({type(error).__name__}).") from None

    async def _create(self, meta: Meta, token: str) -> None:
        await self.run(CREATE, meta.id, [pack_json(meta), token, _ms(self.keep.running)])

    def _longest(self) -> int:
        return _ms(self.keep.running + self.keep.ended)

    def _connected(self) -> Redis | RedisCluster:
        if self._client is None:
            self._client = self._connect()
        return self._client

    def _connect(self) -> Redis | RedisCluster:
        from redis.asyncio import Redis
        from redis.asyncio.cluster import RedisCluster
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff

        kind: Any = RedisCluster if self._in_cluster else Redis
        found: Redis | RedisCluster = kind.from_url(
            self._url,
            protocol=2,
            socket_connect_timeout=self._timeout,
            socket_timeout=self._timeout,
            # An environment that was frozen finds its sockets dead: one more try, on a new one.
            retry=Retry(NoBackoff(), 1),
            # One reader that waits holds a connection for as long.
            max_connections=10_000,
        )
        return found


class _Unknown(StoreError):
    """The server does not have this script yet."""

    def __init__(self) -> None:
        super().__init__("The script is not loaded.")


class _Writer:
    """The producer's hold on a log."""

    def __init__(self, store: RedisStore, stream_id: str, token: str) -> None:
        self._store = store
        self._id = stream_id
        self._token = token

    async def append(self, batch: Batch, floor: int = 1) -> None:
        """As ``Writer.append``."""
        keep = self._store.keep
        has_end = batch.end is not None
        args = [
            str(batch.last),
            self._token,
            pack(batch),
            "1" if has_end else "",
            _ms(keep.ended if has_end else keep.running),
            f"{batch.epoch}-{floor}" if floor > 1 else "",
        ]
        await self._store.run(APPEND, self._id, args)

    async def beat(self) -> None:
        """As ``Writer.beat``."""
        await self._store.run(LOOK, self._id, [_ms(self._store.keep.running)])

    async def look(self) -> float:
        """As ``Writer.look``."""
        said = await self._store.run(LOOK, self._id, [""])
        return float(said[0])


class _Follower:
    """One reader's place in a log."""

    def __init__(self, store: RedisStore, meta: Meta) -> None:
        self._store = store
        self._last = "0-0"
        self.meta = meta

    async def read(self, wait: float) -> list[Batch]:
        """As ``Follower.read``. A blocked read holds a connection of its own."""
        block = ["BLOCK", max(1, int(wait * 1000))] if wait > 0 else []
        log = keys(self.meta.id)[1]
        said = await self._store.ask("XREAD", "COUNT", _PAGE, *block, "STREAMS", log, self._last)
        if not said:
            return []
        entries = said[log.encode()][0] if isinstance(said, dict) else said[0][1]
        self._last = entries[-1][0].decode()
        return [_batch(entry_id, fields) for entry_id, fields in entries]

    async def pulse(self) -> int:
        """As ``Follower.pulse``."""
        said = await self._store.ask("HGET", keys(self.meta.id)[0], "pulse")
        if said is None:
            raise Missing
        return int(said)

    async def lose(self, end: End) -> None:
        """As ``Follower.lose``."""
        try:
            await self._store.end(self.meta.id, end, self._last)
        except (Fenced, Taken):
            return  # somebody was faster, or the producer lives


def keys(stream_id: str) -> tuple[str, str, str]:
    """The keys of a log: what is known of it, its entries, its viewers."""
    tag = f"tokenwire:{{{stream_id}}}"
    return f"{tag}:about", f"{tag}:log", f"{tag}:viewers"


def _name(name: str) -> str:
    return f"tokenwire:name:{name}"


def _batch(entry_id: bytes, fields: Any) -> Batch:
    said = (
        dict(fields)
        if isinstance(fields, dict)
        else dict(zip(fields[::2], fields[1::2], strict=True))
    )
    batch = unpack(said[b"batch"])
    # Whoever closes a log does not know its epoch; the script does.
    at = _id(entry_id)
    return batch if batch.epoch else Batch(at.epoch, at.seq, [], batch.end)


def _id(text: bytes) -> RecordId:
    epoch, _, seq = text.decode().partition("-")
    return RecordId(int(epoch), int(seq))


def _ms(seconds: float) -> int:
    return int(seconds * 1000)


def _without_cluster(url: str) -> tuple[str, bool]:
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    said = query.pop("cluster", "false")
    return urlunsplit(parts._replace(query=urlencode(query))), said == "true"
