"""One Redis, Valkey, or cluster of them, by redis-py: commands, scripts, and failures."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from ...clock import monotonic
from ..encoding import unpack
from ..exceptions import Fenced, Missing, Rewound, StoreError, Taken, TooManyViewers
from ..records import End, RecordId
from .scripts import APPEND_ALL, Script

if TYPE_CHECKING:
    from redis.asyncio import Redis
    from redis.asyncio.cluster import RedisCluster

    from .flusher import Flusher
    from .group import GroupReader
    from .group_writer import GroupWriter


Entries: TypeAlias = list[tuple[bytes, dict[bytes, bytes]]]
"""Entries of one stream: their ids and fields."""

_SLOTS = 64
"""Commands sent at once, except reads that wait: each takes a connection."""


class Refused(Exception):
    """The server refuses a read of several streams: one of them may be the reason."""


class Server:
    """The connections to one server or cluster. Each command may raise ``StoreError``.

    Args:
        url: As redis-py reads it; with ``?cluster=true``, one node of a cluster.
        timeout: Seconds for a connection, and for an answer.
        connect: Makes the client, where that is not redis-py's own.
        idle: Seconds after which an unused connection is closed.

    ``group`` reads many streams at once, ``writers`` writes them; both are None in a cluster, and
    before the first command.
    """

    def __init__(
        self,
        url: str,
        timeout: float,
        connect: Callable[[], Any] | None = None,
        idle: float = 20.0,
    ) -> None:
        self._idle = idle
        self._url, self._in_cluster = _without_cluster(url)
        self._timeout = timeout
        self._client: Redis | RedisCluster | None = None
        self._slots = asyncio.Semaphore(_SLOTS)
        self._make_client = connect or self._connect
        self._reconnected = -1.0
        self._flusher: Flusher | None = None
        self.group: GroupReader | None = None
        self.writers: GroupWriter | None = None

    def connected(self) -> Redis | RedisCluster:
        """The client; made by the first call, which imports redis-py. Connects on first use."""
        if self._client is None:
            self._client = self._make_client()
        return self._client

    async def aclose(self) -> None:
        """Close every connection."""
        if self.group is not None:
            await self.group.aclose()
        if self.writers is not None:
            await self.writers.aclose()
        if self._flusher is not None:
            await self._flusher.aclose()
        if self._client is not None:
            await self._client.aclose()

    async def on_stream(
        self, script: Script, stream_id: str, args: Sequence[Any], *, at_once: bool = True
    ) -> Any:
        """Run a script on a stream's keys; raise its refusals as the exceptions of the contract.

        Args:
            script: The script.
            stream_id: The stream.
            args: Its arguments.
            at_once: Whether a request waits for it; if not, it waits for those of other streams.

        Raises:
            Missing: There is no such log.
            Taken: It has another producer.
            Fenced: It has an end.
            Rewound: It has lost records.
            TooManyViewers: It has ``MAX_VIEWERS`` others.
        """
        response = await self.run(script, keys(stream_id), args, at_once=at_once)
        match response[0]:
            case b"missing":
                raise Missing
            case b"taken":
                raise Taken
            case b"too_many_viewers":
                raise TooManyViewers
            case b"rewound":
                raise Rewound(id_of(response[1]))
            case b"fenced":
                raise Fenced(id_of(response[1]), _end_in(response[2]))
        return response[1:]

    async def run(
        self, script: Script, names: Sequence[str], args: Sequence[Any], *, at_once: bool = True
    ) -> Any:
        """Run a script, sending its text only where the server does not have it."""
        on = (len(names), *names, *args)
        try:
            return await self.together("EVALSHA", script.sha, *on, at_once=at_once)
        except _Unknown:
            return await self.together("EVAL", script.text, *on)

    async def together(self, *command: Any, at_once: bool = True) -> Any:
        """As ``send``, in one flush with other commands; alone in a cluster."""
        self.connected()
        if self._flusher is None:
            return await self.send(*command)
        try:
            return await self._repeated(partial(self._flusher.send, at_once=at_once), command)
        except Exception as error:
            raise as_ours(error) from None

    async def send(self, *command: Any) -> Any:
        """Send a command, and return its response. One that fails on the way is sent once more.

        This is the boundary of redis-py: whatever it raises leaves as ``StoreError``. Its transport
        raises more than its own errors (uvloop's closed handle is a ``RuntimeError``).

        Raises:
            StoreError: The server refuses it, or cannot be reached. The text names the kind of
                failure alone: the message of a client library may quote an address or a password.
        """
        try:
            send = self.connected().execute_command
            if "BLOCK" in command:
                return await self._repeated(send, command)
            async with asyncio.timeout(3 * self._timeout), self._slots:
                return await self._repeated(send, command)
        except Exception as error:
            raise as_ours(error) from None

    async def _repeated(self, send: Callable[..., Awaitable[Any]], command: Sequence[Any]) -> Any:
        try:
            return await send(*command)
        except Exception as error:
            if not await self._may_repeat(error):
                raise
        return await send(*command)

    async def _may_repeat(self, error: Exception) -> bool:
        """Whether another connection may do better. Leaves a server that has stepped down."""
        from redis.exceptions import ResponseError

        if not isinstance(error, ResponseError):
            return True
        if not _STEPPED_DOWN.search(str(getattr(error, "status_code", "")) + " " + str(error)):
            return False
        await self._reconnect()
        return True

    async def _reconnect(self) -> None:
        """Leave every open connection, at most once a second: a name may lead elsewhere by now."""
        pool: Any = getattr(self._client, "connection_pool", None)
        if pool is None or monotonic() - self._reconnected < 1.0:
            return  # a cluster's client finds out by itself
        self._reconnected = monotonic()
        await pool.update_active_connections_for_reconnect()
        with suppress(Exception):
            await pool.disconnect(inuse_connections=False)

    def _connect(self) -> Redis | RedisCluster:
        from redis.asyncio import Redis
        from redis.asyncio.cluster import RedisCluster
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff

        from .flusher import Flusher
        from .group import GroupReader
        from .group_writer import GroupWriter
        from .pool import ShrinkingPool

        settings: dict[str, Any] = {
            "protocol": 2,
            "socket_connect_timeout": self._timeout,
            "socket_timeout": self._timeout,
            # ``send`` tries again, after more kinds of failure.
            "retry": Retry(NoBackoff(), 0),
            # One reader that waits holds a connection for as long.
            "max_connections": 10_000,
        }
        if self._in_cluster:
            cluster: RedisCluster = RedisCluster.from_url(self._url, **settings)
            return cluster
        pool = ShrinkingPool.from_url(self._url, idle=self._idle, **settings)
        self._flusher = Flusher(pool, 1.5 * self._timeout, 3 * self._timeout)
        self.group = GroupReader(pool, self._timeout, self._repeated)
        self.writers = GroupWriter(partial(self.run, APPEND_ALL))
        return Redis.from_pool(pool)


_STEPPED_DOWN = re.compile(
    r"\b(READONLY|LOADING|MASTERDOWN|CLUSTERDOWN|NOREPLICAS|UNBLOCKED|TRYAGAIN)\b"
)
"""Refusals of a server that is no primary (any more, or yet); another one may be by now."""


def as_ours(error: Exception) -> StoreError:
    """Return redis-py's error as one of the contract."""
    from redis.exceptions import NoScriptError

    if isinstance(error, StoreError):
        return error
    if isinstance(error, NoScriptError):
        return _Unknown()
    return StoreError(f"Redis failed ({type(error).__name__}).")


class _Unknown(StoreError):
    """The server does not have this script yet."""

    def __init__(self) -> None:
        super().__init__("The script is not loaded.")


def keys(stream_id: str) -> tuple[str, str]:
    """The keys of a log: what is known of it, with its viewers; and its entries."""
    tag = f"tokenwire:{{{stream_id}}}"
    return f"{tag}:about", f"{tag}:log"


def id_of(text: bytes) -> RecordId:
    """An entry's id as a record's.

    Raises:
        StoreError: It is no id.
    """
    with reading():
        epoch, _, seq = text.decode().partition("-")
        return RecordId(int(epoch), int(seq))


@contextmanager
def reading() -> Iterator[None]:
    """Raise ``StoreError`` if the response that is read here has another shape."""
    try:
        yield
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise StoreError(f"Redis holds an unexpected value ({type(error).__name__}).") from None


def _end_in(data: bytes) -> End:
    end = unpack(data).end
    if end is None:
        raise StoreError("Redis holds something that is not an end.")
    return end


def ms(seconds: float) -> int:
    """Return whole milliseconds."""
    return int(seconds * 1000)


def _without_cluster(url: str) -> tuple[str, bool]:
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    cluster = query.pop("cluster", "false")
    return urlunsplit(parts._replace(query=urlencode(query))), cluster == "true"
