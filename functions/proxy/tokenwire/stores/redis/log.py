"""One stream's log in Redis: its producer's access to it, and a reader's position in it."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Sequence
from typing import Any

from ..contract import Batch, BatchSource, Keep, alone
from ..encoding import pack, unpack
from ..exceptions import Fenced, Missing, Rewound, Taken
from ..records import End, Meta
from ..viewer_leases import ViewerLeases
from .group_writer import GroupWriter, Member, first_kept
from .scripts import APPEND, CLOSE, LOOK, SET, Script
from .server import Entries, Refused, Server, id_of, keys, ms, reading

_PAGE = 256 * 1024
"""Bytes that one read requests, about: its response must be complete within the time-out."""
_FEW, _MANY = 8, 256
"""Entries that one read requests: at first, and at most."""


class RedisWriter:
    """As ``contract.Writer``.

    Args:
        server: The server.
        keep: For how long logs are kept.
        stream_id: The stream.
        token: The producer's token.
    """

    def __init__(self, server: Server, keep: Keep, stream_id: str, token: str) -> None:
        self._server = server
        self._keep = keep
        self._id = stream_id
        self.token = token
        self._last = "0-0"
        self._leases = ViewerLeases()

    async def append(self, batch: Batch, floor: int = 1) -> None:
        """As ``Writer.append``."""
        has_end = batch.end is not None
        last = str(batch.last)
        args = [
            last,
            self._last,
            self.token,
            pack(batch),
            "1" if has_end else "",
            ms(self._keep.ended if has_end else self._keep.running),
            first_kept(batch, floor),
            batch.first,
        ]
        # The end is waited for, by viewers here.
        await self._run(APPEND, args, at_once=has_end)
        self._last = last

    def append_from(self, source: BatchSource) -> Awaitable[None]:
        """As ``Writer.append_from``."""
        group = self._server.writers
        if group is None or not group.is_open or self._last == "0-0":
            return alone()
        return self._append_from(group, Member(keys(self._id), self.token, self._last, source))

    async def _append_from(self, group: GroupWriter, member: Member) -> None:
        await group.append_from(member)
        self._last = member.last

    async def heartbeat(self) -> None:
        """As ``Writer.heartbeat``."""
        lasts = ms(self._keep.running)
        await self._run(LOOK, [lasts, self._last, self.token, *self._leases.abandoned()])

    async def check(self) -> float:
        """As ``Writer.check``."""
        (marks,) = await self._run(LOOK, ["", self._last, self.token])
        with reading():
            names = [name.decode() for name in marks]
            return self._leases.update(dict(zip(names[::2], names[1::2], strict=True)))

    async def _run(self, script: Script, args: Sequence[Any], *, at_once: bool = False) -> Any:
        try:
            return await self._server.on_stream(script, self._id, args, at_once=at_once)
        except Rewound as error:
            self._last = str(error.last)
            raise


class RedisFollower:
    """As ``contract.Follower``.

    Args:
        server: The server.
        keep: For how long an end is kept.
        meta: The log's first record.
    """

    def __init__(self, server: Server, keep: Keep, meta: Meta) -> None:
        self._server = server
        self._keep = keep
        self._last = "0-0"
        self._over: Batch | None = None
        self._count = _FEW
        self._sizes = [0]
        self.meta = meta

    async def read(self, wait: float) -> list[Batch]:
        """As ``Follower.read``. Streams that are followed to their end share a blocked read."""
        count, self._count = self._count, 1  # if it fails, it was too much
        entries = await self._entries(wait if self._over is None else 0.0, count)
        self._count = count
        if not entries:
            over, self._over = self._over, None
            return [] if over is None else [over]
        with reading():
            found = [_batch(entry_id, fields) for entry_id, fields in entries]
            self._last = entries[-1][0].decode()
            if found[-1].end is not None:
                self._over = None
            self._sizes = [len(fields[b"batch"]) for _, fields in entries]
            self._count = _next_count(count, self._sizes)
        return found

    async def _entries(self, wait: float, count: int) -> Entries:
        log, group = keys(self.meta.id)[1], self._server.group
        if wait > 0 and group is not None and count >= _FEW and group.takes(log):
            try:
                return await group.read(log, self._last, wait, max(self._sizes))
            except Refused:
                count = 1  # alone, until it has been read
        block = ["BLOCK", max(1, ms(wait))] if wait > 0 else []
        response = await self._server.send(
            "XREAD", "COUNT", count, *block, "STREAMS", log, self._last
        )
        if not response:
            return []
        with reading():
            ((_, entries),) = response
            found: Entries = entries
            return found

    async def producer_heartbeat(self) -> int:
        """As ``Follower.producer_heartbeat``."""
        response = await self._server.together("HGET", keys(self.meta.id)[0], "pulse")
        if response is None:
            raise Missing
        with reading():
            return int(response)

    async def probe_write(self) -> None:
        """As ``Follower.probe_write``."""
        await self._server.on_stream(SET, self.meta.id, ["probe", secrets.token_hex(4)])

    async def end_as_lost(self, end: End) -> None:
        """As ``Follower.end_as_lost``."""
        args = closing(end, self._keep, self._last)
        try:
            await self._server.on_stream(CLOSE, self.meta.id, args)
        except Fenced as error:
            # Another process ended it. Its entry may be lost, or not be after what was read.
            self._over = Batch(error.at.epoch, error.at.seq, [], error.end)
        except Taken:
            return  # the producer is running


def _next_count(count: int, sizes: list[int]) -> int:
    """Return how many entries to request next: few enough to arrive well within the time-out."""
    fit = _PAGE // max(1, *sizes)
    return max(1, min(fit, count * 2, _MANY))


def closing(end: End, keep: Keep, after: str = "") -> list[Any]:
    """Return the arguments of ``CLOSE``; with ``after``, no entry may be later than that."""
    # The caller does not know the log's epoch; the script does.
    return [pack(Batch(0, 0, [], end)), after, ms(keep.ended)]


def _batch(entry_id: bytes, fields: dict[bytes, bytes]) -> Batch:
    batch = unpack(fields[b"batch"])
    at = id_of(entry_id)
    return batch if batch.epoch else Batch(at.epoch, at.seq, [], batch.end)
