"""Stores: where a log is kept outside of the process that writes it. The contract, in prose.

A store holds what ``log`` describes, in **batches** of consecutive records. It does not read
blocks. Whatever it is made of, it keeps these promises, and one suite of tests holds all of them
to it:

* **One producer.** A log is made once (``create``, or ``reserve`` and then ``adopt``), and only
  the process that made or adopted it, known by its **token**, may append. Everybody else gets
  ``Taken``.
* **No hole, no overlap.** A batch begins with the record that follows the log's last one, or
  it is refused with ``Rewound``, which names that last record; where there is no record yet, a
  log may begin with any (the earlier part may no longer be held).
* **The end is final.** Whoever appends to a log that has an end gets ``Fenced``, with the end
  that counts. Anybody may write an end (``close``): it stands in the next epoch, so that its id
  is greater than any the producer can still use. If two try, one wins, and both learn which.
* **Readers see a prefix.** A reader gets every batch in order, perhaps late; after a store has
  lost records, perhaps some of them again.
* **A pulse, and no clock.** A living producer's log changes at least once per lease: it gains a
  batch, or its pulse moves. Readers compare what they see with what they saw, by their own
  clock; no two clocks are ever compared (``watchers`` says how viewers' leases do without).

A log is forgotten some time after its end, or, if it never gets one, after the longest time
that a stream can take.

Stores fail. For each request, what holds when

1. **its answer is lost**: the request may be repeated, at once or later, and counts once. The
   repetition of ``create``, ``reserve``, ``adopt`` and ``append`` succeeds where the first did;
   of ``close`` it returns the end that the first wrote; of ``lose``, ``beat``, ``look``,
   ``probe``, ``renew``, ``leave``, ``claim`` and ``name`` it changes nothing more. A repetition
   that arrives after later requests changes nothing.
2. **the store goes back in time** (an older snapshot, a replica that lagged): ``append``,
   ``beat`` and ``look`` compare what the store has with what it was given, and raise
   ``Rewound`` with the last record that is left; the producer writes the rest again, in the
   same batches. (``append`` may notice late; ``beat`` always does.) A reader that is ahead of
   the store reads on once the store is where the reader is; if the producer is dead, ``lose``
   ends the log at its present last record. ``create``, ``adopt`` and ``claim`` that were undone
   are repeated by whoever needs them: the keeper makes the log, and claims its names, again.
3. **a part of it is gone** (evicted, expired, deleted). Without its head (meta, producer,
   pulse): ``open`` returns None; ``append``, ``beat``, ``look``, ``adopt``, ``pulse``, ``probe``
   and ``renew`` raise ``Missing``; ``close`` still works where there are batches; ``create``
   makes a new head for the batches that are left, and an end among them still counts. Without
   its batches, or some: as if it had gone back in time, but an end that the head knows still
   counts; only its own producer may write it again, after all that came before it. A reader
   that finds a hole that is not filled within a lease gets ``Missing`` from ``lose``. Without
   anything: ``Missing``, or None. Without a name: nothing is named.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import msgspec

from ..errors import ProxyError
from .records import End, Meta, RecordId

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive records of one epoch: blocks, then perhaps the end.

    ``first`` is the sequence number of the first of them.
    """

    epoch: int
    first: int
    blocks: list[bytes] = field(default_factory=list)
    end: End | None = None

    @property
    def last(self) -> RecordId:
        """The id of its last record."""
        count = len(self.blocks) + (self.end is not None)
        return RecordId(self.epoch, self.first + count - 1)

    def follows(self, last: RecordId) -> bool:
        """Whether it may come after this record, the last one of its log."""
        return last.seq == 0 or (self.epoch, self.first) == (last.epoch, last.seq + 1)


@dataclass(frozen=True, slots=True)
class Named:
    """What a name stands for: a stream, and the request that may ask for it by this name."""

    stream: str
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class Keep:
    """For how long logs are kept, in seconds: one that runs, and one that has ended."""

    running: float = 1500.0
    ended: float = 600.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a producer writes: at once, or after ``seconds`` or ``blocks``, if those come.

    The first block and the end never wait.
    """

    seconds: float = 0.0
    blocks: int = 1


class StoreError(ProxyError):
    """The store did not do what it was asked, and may do it if asked again."""

    def __init__(self, what: str) -> None:
        super().__init__(what, code="store_unavailable", status=503, retryable=True)


class Missing(StoreError):
    """There is no such log; there may have been."""

    def __init__(self) -> None:
        super().__init__("The stream is not in the store.")


class Rewound(StoreError):
    """The log does not end where its producer goes on: the store has lost records.

    ``last`` is the id of the last record that it has; its sequence number is 0 if it has none.
    """

    def __init__(self, last: RecordId) -> None:
        super().__init__("The store has lost records.")
        self.last = last


class Taken(StoreError):
    """Another process is the producer of this log."""

    def __init__(self) -> None:
        super().__init__("The stream has a producer.")


class Fenced(StoreError):
    """The log has an end, and nothing can come after it."""

    def __init__(self, at: RecordId, end: End) -> None:
        super().__init__("The stream is over.")
        self.at = at
        self.end = end


MAX_VIEWERS = 100
"""Viewers of one stream whose disconnects no process sees. Who has a ticket can make up names."""


class Crowded(StoreError):
    """The stream has as many such viewers as it may have."""

    def __init__(self) -> None:
        super().__init__("The stream has as many viewers as it may have.")
        self.code, self.status = "overloaded", 429


class Writer(Protocol):
    """The producer's hold on a log. Each method may also raise ``StoreError``.

    Raises:
        Fenced: The log is over.
        Missing: It is gone.
        Rewound: It has lost records.
        Taken: It has another producer.
    """

    @property
    def token(self) -> str:
        """The producer's, as given to ``create`` or ``adopt``."""

    async def append(self, batch: Batch, floor: int = 1) -> None:
        """Add records, and renew the lease.

        Args:
            batch: The records that follow the last ones. Once offered, a record is always offered
                in the same batch.
            floor: The oldest sequence number that is worth keeping.
        """

    async def beat(self) -> None:
        """Renew the lease: move the pulse. Make sure that all records are there."""

    async def look(self) -> float:
        """For how many seconds somebody elsewhere means to watch; 0 if nobody does."""


class Follower(Protocol):
    """One reader's place in a log. Each method may also raise ``StoreError``."""

    @property
    def meta(self) -> Meta:
        """The log's first record."""

    async def read(self, wait: float) -> list[Batch]:
        """The batches after those read before; waits for one, for so many seconds at most.

        Raises:
            Missing: The log is gone.
        """

    async def pulse(self) -> int:
        """A number that changes when the producer's lease is renewed.

        Raises:
            Missing: The log is gone.
        """

    async def probe(self) -> None:
        """Write something of no consequence: a store that takes no writes raises ``StoreError``.

        Raises:
            Missing: The log is gone.
        """

    async def lose(self, end: End) -> None:
        """End the log, if nothing has come after what was read. Either way, read on.

        Raises:
            Missing: The log is gone, or what comes next is.
        """


class Names(Protocol):
    """Names for streams. Each method may also raise ``StoreError``."""

    async def claim(self, name: str, meant: Named, instead_of: Named | None = None) -> Named | None:
        """Let the name stand for this, unless it stands for something else already.

        Args:
            name: The name.
            meant: What it shall stand for.
            instead_of: What it may have stood for.

        Returns:
            What it stands for, if not what was meant; then nothing has changed.
        """

    async def name(self, name: str, meant: Named) -> None:
        """Let the name stand for this from now on."""

    async def named(self, name: str) -> Named | None:
        """What the name stands for."""


class Store(Names, Protocol):
    """A place for logs. Each method may also raise ``StoreError``."""

    @property
    def shared(self) -> bool:
        """Whether streams are read from here by others than the app that writes them.

        If not, an app serves its streams from its own memory, and stores only names here.
        """

    @property
    def pace(self) -> Pace:
        """How often a producer is to write."""

    @property
    def keep(self) -> Keep:
        """For how long logs are kept."""

    async def prepare(self) -> None:
        """Get ready: import clients. Does not fail if the store cannot be reached."""

    async def aclose(self) -> None:
        """Close every connection."""

    async def create(self, meta: Meta, token: str) -> Writer:
        """Make a log, as its producer. Safe to repeat with the same token.

        Args:
            meta: Its first record.
            token: By which the store knows the producer: ``new_token()``, one a producer.

        Raises:
            Taken: It is there already, with another producer or none.
        """

    async def reserve(self, meta: Meta) -> None:
        """Make a log for a producer that is still to come. Safe to repeat until one has come.

        Raises:
            Taken: It is there already, of another content, or has a producer.
        """

    async def adopt(self, stream_id: str, token: str) -> Writer:
        """Become the producer of a reserved log. Safe to repeat with the same token.

        Args:
            stream_id: Whose log.
            token: As for ``create``.

        Raises:
            Taken: It has one.
            Fenced: It is over: whoever waited for a producer has given up.
            Missing: There is no such log.
        """

    async def open(self, stream_id: str) -> Follower | None:
        """A reader's place at the beginning of a log; None if there is no such log."""

    async def close(self, stream_id: str, end: End) -> tuple[RecordId, End]:
        """End a log, from anywhere; the end that counts, and its id.

        Raises:
            Missing: There is no such log.
        """

    async def renew(self, stream_id: str, viewer: str, seconds: float) -> None:
        """Record that this viewer means to watch for so many seconds more.

        Raises:
            Missing: There is no such log.
            Fenced: It has an end. A viewer that is known already may be taken all the same.
            Crowded: It has ``MAX_VIEWERS`` others.
        """

    async def leave(self, stream_id: str, viewer: str) -> None:
        """Record that this viewer has left."""


def new_token() -> str:
    """A producer's token: 64 random bits."""
    return secrets.token_hex(8)


_packer = msgspec.msgpack.Encoder()
_unpacker = msgspec.msgpack.Decoder(Batch)
_meta_decoder = msgspec.json.Decoder(Meta)
_named_decoder = msgspec.json.Decoder(Named)


def pack(batch: Batch) -> bytes:
    """A batch as one MessagePack value."""
    return _packer.encode(batch)


def unpack(data: bytes) -> Batch:
    """The batch in these bytes.

    Raises:
        StoreError: They are not one.
    """
    return _decoded(_unpacker.decode, data, "a batch")


def pack_json(value: Meta | Named) -> bytes:
    """A small record as JSON."""
    return msgspec.json.encode(value)


def unpack_meta(data: bytes) -> Meta:
    """The meta record in these bytes.

    Raises:
        StoreError: They are not one.
    """
    return _decoded(_meta_decoder.decode, data, "a stream")


def unpack_named(data: bytes) -> Named:
    """What a name stands for.

    Raises:
        StoreError: The bytes do not say it.
    """
    return _decoded(_named_decoder.decode, data, "a name")


def _decoded(decode: Callable[[bytes], T], data: bytes, what: str) -> T:
    try:
        return decode(data)
    except (msgspec.MsgspecError, TypeError, UnicodeDecodeError):
        raise StoreError(f"The store holds something that is not {what}.") from None
