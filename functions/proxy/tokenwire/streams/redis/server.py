"""One Redis, Valkey, or cluster of them, by redis-py: commands, scripts, and failures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from ..log import RecordId
from ..store import Fenced, Missing, StoreError, Taken, unpack
from .scripts import Script

if TYPE_CHECKING:
    from redis.asyncio import Redis
    from redis.asyncio.cluster import RedisCluster


class Server:
    """Where logs are. Each command may raise ``StoreError``.

    Args:
        url: As redis-py reads it; with ``?cluster=true``, one node of a cluster.
        timeout: Seconds for a connection, and for an answer.
    """

    def __init__(self, url: str, timeout: float) -> None:
        self._url, self._in_cluster = _without_cluster(url)
        self._timeout = timeout
        self._client: Redis | RedisCluster | None = None

    def connected(self) -> Redis | RedisCluster:
        """The client; made by the first call, which imports redis-py. Connects on first use."""
        if self._client is None:
            self._client = self._connect()
        return self._client

    async def aclose(self) -> None:
        """Close every connection."""
        if self._client is not None:
            await self._client.aclose()

    async def on_stream(self, script: Script, stream_id: str, args: Sequence[Any]) -> Any:
        """Run a script on a stream's keys, and say what it refuses in the contract's words.

        Raises:
            Missing: There is no such log.
            Taken: It is another's.
            Fenced: It has an end.
        """
        said = await self.run(script, keys(stream_id), args)
        match said[0]:
            case b"missing":
                raise Missing
            case b"taken":
                raise Taken
            case b"fenced":
                ended = unpack(said[2])
                assert ended.end is not None  # noqa: S101 - the script looks for entries with an end
                raise Fenced(id_of(said[1]), ended.end)
        return said[1:]

    async def run(self, script: Script, names: Sequence[str], args: Sequence[Any]) -> Any:
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
        client = self.connected()
        from redis.exceptions import NoScriptError, RedisClusterException, RedisError

        try:
            return await client.execute_command(*command)
        except NoScriptError:
            raise _Unknown from None
        except (RedisError, RedisClusterException, OSError, TimeoutError) as error:
            raise StoreError(f"Redis failed ({type(error).__name__}).") from None

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


def keys(stream_id: str) -> tuple[str, str, str]:
    """The keys of a log: what is known of it, its entries, its viewers."""
    tag = f"tokenwire:{{{stream_id}}}"
    return f"{tag}:about", f"{tag}:log", f"{tag}:viewers"


def id_of(text: bytes) -> RecordId:
    """An entry's id as a record's."""
    epoch, _, seq = text.decode().partition("-")
    return RecordId(int(epoch), int(seq))


def ms(seconds: float) -> int:
    """Whole milliseconds."""
    return int(seconds * 1000)


def _without_cluster(url: str) -> tuple[str, bool]:
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    said = query.pop("cluster", "false")
    return urlunsplit(parts._replace(query=urlencode(query))), said == "true"
