"""One stream's log in Redis: the producer's hold on it, and a reader's place in it."""

from __future__ import annotations

from typing import Any

from ..log import End, Meta
from ..store import Batch, Fenced, Keep, Missing, Taken, pack, unpack
from .scripts import APPEND, CLOSE, LOOK
from .server import Server, id_of, keys, ms

_PAGE = 256
"""Entries that one read asks for."""


class RedisWriter:
    """As ``store.Writer``.

    Args:
        server: Where.
        keep: For how long.
        stream_id: Whose log.
        token: By which the server knows it.
    """

    def __init__(self, server: Server, keep: Keep, stream_id: str, token: str) -> None:
        self._server = server
        self._keep = keep
        self._id = stream_id
        self._token = token

    async def append(self, batch: Batch, floor: int = 1) -> None:
        """As ``Writer.append``."""
        has_end = batch.end is not None
        args = [
            str(batch.last),
            self._token,
            pack(batch),
            "1" if has_end else "",
            ms(self._keep.ended if has_end else self._keep.running),
            f"{batch.epoch}-{floor}" if floor > 1 else "",
        ]
        await self._server.on_stream(APPEND, self._id, args)

    async def beat(self) -> None:
        """As ``Writer.beat``."""
        await self._server.on_stream(LOOK, self._id, [ms(self._keep.running)])

    async def look(self) -> float:
        """As ``Writer.look``."""
        said = await self._server.on_stream(LOOK, self._id, [""])
        return float(said[0])


class RedisFollower:
    """As ``store.Follower``.

    Args:
        server: Where.
        keep: For how long an end is kept.
        meta: The log's first record.
    """

    def __init__(self, server: Server, keep: Keep, meta: Meta) -> None:
        self._server = server
        self._keep = keep
        self._last = "0-0"
        self.meta = meta

    async def read(self, wait: float) -> list[Batch]:
        """As ``Follower.read``. A blocked read holds a connection of its own."""
        block = ["BLOCK", max(1, ms(wait))] if wait > 0 else []
        log = keys(self.meta.id)[1]
        said = await self._server.ask("XREAD", "COUNT", _PAGE, *block, "STREAMS", log, self._last)
        if not said:
            return []
        ((_, entries),) = said
        self._last = entries[-1][0].decode()
        return [_batch(entry_id, fields) for entry_id, fields in entries]

    async def pulse(self) -> int:
        """As ``Follower.pulse``."""
        said = await self._server.ask("HGET", keys(self.meta.id)[0], "pulse")
        if said is None:
            raise Missing
        return int(said)

    async def lose(self, end: End) -> None:
        """As ``Follower.lose``."""
        args = closing(end, self._keep, self._last)
        try:
            await self._server.on_stream(CLOSE, self.meta.id, args)
        except (Fenced, Taken):
            return  # somebody was faster, or the producer lives


def closing(end: End, keep: Keep, after: str = "") -> list[Any]:
    """What ``CLOSE`` is told; ``after`` names the entry that has to be the last one."""
    # Whoever closes a log does not know its epoch; the script does.
    return [pack(Batch(0, 0, [], end)), after, ms(keep.ended)]


def _batch(entry_id: bytes, fields: dict[bytes, bytes]) -> Batch:
    batch = unpack(fields[b"batch"])
    at = id_of(entry_id)
    return batch if batch.epoch else Batch(at.epoch, at.seq, [], batch.end)
