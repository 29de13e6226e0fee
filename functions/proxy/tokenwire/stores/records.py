"""The stream log: its records, their ids, and the contract that every log keeps.

A log is the truth about one stream. It holds, in order:

1. the **meta** record, sequence number 0, written before the provider is called, so that
   a stream can be found and resumed before its first token;
2. the provider's **blocks**, verbatim, one record each, numbered from 1 without a gap;
3. one **end** record. The first end in the log wins, and nothing counts after it.

Every record has an id ``epoch-seq``. A writer owns one epoch; another process that ends the log
writes in a higher one, so an id is never used twice for different content. Ids order by
epoch, then by sequence number.

Reading is by cursor: "what comes after this id". Replaying the past and following the
present are the same loop, so there is no seam in which a block is lost or doubled. A client
that was cut in the middle of a record's blocks names the part that it has (see ``Cursor``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from ..errors import ClientError
from ..events import Error, Start, ToolName

_ID = re.compile(
    r"(?:(?P<stream>[A-Za-z0-9_-]{1,64})\.)?(?P<epoch>\d{1,9})-(?P<seq>\d{1,12})"
    r"(?:\.(?P<part>\d{1,4}))?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True, order=True)
class RecordId:
    """The place of one record in its log; also the SSE ``id`` of its events."""

    epoch: int
    seq: int

    def __str__(self) -> str:
        return f"{self.epoch}-{self.seq}"


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last record that a client has: a record id, and its stream where the id names one.

    A record may become several blocks in a client's dialect. Then all but the last of them have
    ids with a ``part``, ``epoch-seq.part``, counted from 1: so many blocks of ``last`` the client
    has. With ``part`` 0 it has all of the record.
    """

    last: RecordId
    stream: str | None = None
    part: int = 0

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """Read ``epoch-seq`` or ``stream.epoch-seq``, either with ``.part`` after it.

        Raises:
            ClientError: It is neither (code ``invalid_cursor``).
        """
        match = _ID.fullmatch(text)
        if match is None:
            raise ClientError(
                "The cursor is not an event id of a stream, such as 1-57.",
                code="invalid_cursor",
                param="last_event_id",
            )
        last = RecordId(int(match["epoch"]), int(match["seq"]))
        return cls(last, match["stream"], int(match["part"] or 0))


class EndReason(StrEnum):
    """Why a stream has ended."""

    DONE = "done"
    ERROR = "error"
    CANCELLED = "cancelled"
    LOST = "lost"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class End:
    """The last record. ``error`` is what clients get, and is absent only for ``done``.

    ``block`` is the provider's own terminator, verbatim, where it sent one.
    """

    reason: EndReason
    error: Error | None = None
    block: bytes = b""


@dataclass(frozen=True, slots=True)
class Meta:
    """The first record: what is known of a stream before its provider has answered.

    ``owner`` is the id of the caller it belongs to, ``dialect`` the one its blocks are in,
    ``created`` Unix time in seconds, ``tools`` as in ``events.Start``.
    """

    id: str
    owner: str
    provider: str
    dialect: str
    model: str
    created: int
    tools: tuple[ToolName, ...] = ()

    @property
    def start(self) -> Start:
        """The stream's first event, which does not wait for the provider."""
        return Start(self.id, self.model, self.created, self.tools)
