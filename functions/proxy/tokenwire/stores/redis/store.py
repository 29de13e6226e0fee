"""The store: logs, viewers and names in one Redis."""

from __future__ import annotations

from ..contract import Follower, Keep, NameBinding, Pace, Writer
from ..encoding import pack_json, unpack_binding, unpack_meta
from ..exceptions import MAX_VIEWERS, Fenced
from ..records import End, Meta, RecordId
from ..viewer_leases import mark
from .log import RedisFollower, RedisWriter, closing
from .scripts import ADOPT, CLAIM, CLOSE, CREATE, WATCH
from .server import Server, id_of, keys, ms


class RedisStore:
    """A store in Redis or Valkey.

    Args:
        url: ``redis://`` or ``rediss://`` (TLS), as redis-py reads it; ``?cluster=true`` for a
            cluster, such as ElastiCache Serverless.
        keep: For how long logs are kept.
        timeout: Seconds for a connection, and for a command beyond what it is meant to wait.
        idle: Seconds after which an unused connection is closed.
    """

    shared = True
    pace = Pace()

    def __init__(
        self, url: str, keep: Keep | None = None, timeout: float = 2.0, idle: float = 20.0
    ) -> None:
        self._server = Server(url, timeout, idle=idle)
        self.keep = keep or Keep()

    async def prepare(self) -> None:
        """Import the client, which takes some 0.3 s; connects on first use."""
        self._server.connected()

    async def aclose(self) -> None:
        """Close every connection."""
        await self._server.aclose()

    async def create(self, meta: Meta, token: str) -> Writer:
        """As ``Store.create``."""
        await self._create(meta, token)
        return RedisWriter(self._server, self.keep, meta.id, token)

    async def reserve(self, meta: Meta) -> None:
        """As ``Store.reserve``."""
        await self._create(meta, "")

    async def adopt(self, stream_id: str, token: str) -> Writer:
        """As ``Store.adopt``."""
        await self._server.on_stream(ADOPT, stream_id, [token])
        return RedisWriter(self._server, self.keep, stream_id, token)

    async def open(self, stream_id: str) -> Follower | None:
        """As ``Store.open``."""
        response = await self._server.together("HGET", keys(stream_id)[0], "meta")
        return (
            None
            if response is None
            else RedisFollower(self._server, self.keep, unpack_meta(response))
        )

    async def close(self, stream_id: str, end: End) -> tuple[RecordId, End]:
        """As ``Store.close``."""
        try:
            response = await self._server.on_stream(CLOSE, stream_id, closing(end, self.keep))
        except Fenced as error:
            return error.at, error.end
        return id_of(response[0]), end

    async def renew(self, stream_id: str, viewer: str, seconds: float) -> None:
        """As ``Store.renew``."""
        await self._server.on_stream(WATCH, stream_id, [viewer, mark(seconds), MAX_VIEWERS])

    async def leave(self, stream_id: str, viewer: str) -> None:
        """As ``Store.leave``."""
        await self._server.together("HDEL", keys(stream_id)[0], f"viewer {viewer}")

    async def claim(
        self, name: str, binding: NameBinding, instead_of: NameBinding | None = None
    ) -> NameBinding | None:
        """As ``Names.claim``."""
        before = pack_json(instead_of) if instead_of else b""
        args = [pack_json(binding), before, self._longest()]
        response = await self._server.run(CLAIM, [_name(name)], args)
        return unpack_binding(response) if response else None

    async def name(self, name: str, binding: NameBinding) -> None:
        """As ``Names.name``."""
        await self._server.together("SET", _name(name), pack_json(binding), "PX", self._longest())

    async def lookup(self, name: str) -> NameBinding | None:
        """As ``Names.lookup``."""
        response = await self._server.together("GET", _name(name))
        return unpack_binding(response) if response else None

    async def _create(self, meta: Meta, token: str) -> None:
        args = [pack_json(meta), token, ms(self.keep.running)]
        await self._server.on_stream(CREATE, meta.id, args)

    def _longest(self) -> int:
        return ms(self.keep.running + self.keep.ended)


def _name(name: str) -> str:
    return f"tokenwire:name:{name}"
