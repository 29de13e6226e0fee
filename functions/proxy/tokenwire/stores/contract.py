"""The contract of stores, which keep logs outside of the process that writes them.

A store holds logs, as ``records`` describes them, in **batches** of consecutive records. It does
not read blocks. Every store guarantees the following; one test suite checks all stores:

* **One producer.** A log is made once (``create``, or ``reserve`` and then ``adopt``), and only
  the process that made or adopted it, identified by its **token**, may append. Other processes
  get ``Taken``.
* **No hole, no overlap.** A batch begins with the record that follows the log's last one, or
  it is refused with ``Rewound``, which names that last record. An empty log may begin with any
  record, because the producer may no longer hold the earlier ones.
* **The end is final.** An append to a log that has an end raises ``Fenced``, with that end. Any
  process may write an end (``close``): it is in the next epoch, so that its id is greater than any
  the producer can still use. If two processes write one, the first one stays, and both get it.
* **Readers see a prefix.** A reader gets every batch in order, perhaps late; after a store has
  lost records, perhaps some of them again.
* **Liveness without synchronised clocks.** While its producer runs, a log changes at least once
  per lease: by a batch or a heartbeat. (That is the guarantee; the keeper renews three times per
  lease, so that one failed request does no harm.) Readers compare two reads, by their own clock;
  no two clocks are ever compared (``viewer_leases`` documents how viewers' leases work without
  that).

A log is deleted some time after its end, or, if it never gets one, after the longest time that a
stream can take.

Stores fail. The table has the result of each method in four cases: its response was lost, and it
is repeated; the store was rewound (to an older snapshot, or a replica that lagged); the head of the
log (meta, producer, heartbeat) is gone (evicted, expired, deleted); batches are gone. A dash means:
as without the failure. ``nothing more`` means: the repetition changes nothing.

======================  =============  =======================  =================  =================
method                  response lost  store rewound            head missing       batches missing
======================  =============  =======================  =================  =================
``create``              same result    repeated by the keeper   makes a new head   -
``reserve``             same result    -                        -                  -
``adopt``               same result    repeated by the keeper   ``Missing``        -
``append``              same result    ``Rewound``, maybe late  ``Missing``        ``Rewound``
``append_from``         returns        returns, maybe late      returns            returns
``heartbeat``           nothing more   ``Rewound``              ``Missing``        ``Rewound``
``check``               nothing more   ``Rewound``              ``Missing``        ``Rewound``
``open``                -              -                        None               -
``read``                -              waits for the rest       -                  waits for it
``producer_heartbeat``  -              -                        ``Missing``        -
``probe_write``         nothing more   -                        ``Missing``        -
``end_as_lost``         nothing more   ends what is left        -                  ``Missing``: hole
``close``               the first end  -                        ends what is left  -
``renew``               nothing more   -                        ``Missing``        -
``leave``               nothing more   -                        -                  -
``claim``               nothing more   repeated by the keeper   -                  -
``name``                nothing more   -                        -                  -
======================  =============  =======================  =================  =================

* A repetition may arrive at once or later. Together with the first request it has one effect; if it
  arrives after later requests, it has none.
* ``Rewound`` has the last record that is left. The producer writes the rest again, in the same
  batches. ``heartbeat`` always detects lost records; ``append`` may detect them later. If the
  store loses a ``create``, ``adopt`` or ``claim``, the keeper makes the log, and claims its names,
  again.
* If the head is made again, an end among the remaining batches is still the log's end. If batches
  are gone, an end in the head is still the log's end; only the log's own producer may write its
  record again, after all records before it.
* If a reader finds a hole, and the producer does not fill it within a lease, ``end_as_lost`` raises
  ``Missing``.
* If head and batches are gone, a method raises ``Missing`` or returns None. A name that is gone is
  not bound.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from .records import End, Meta, RecordId


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
    def next(self) -> int:
        """The sequence number of the record after it."""
        return self.first + len(self.blocks) + (self.end is not None)

    @property
    def last(self) -> RecordId:
        """The id of its last record."""
        return RecordId(self.epoch, self.next - 1)

    def follows(self, last: RecordId) -> bool:
        """Whether it may come after this record, the last one of its log."""
        return last.seq == 0 or (self.epoch, self.first) == (last.epoch, last.seq + 1)


@dataclass(frozen=True, slots=True)
class NameBinding:
    """What a name is bound to: a stream, and the fingerprint of the request that may use it."""

    stream: str
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class Keep:
    """For how many seconds logs are kept: while the stream runs, and after its end."""

    running: float = 1500.0
    ended: float = 600.0


@dataclass(frozen=True, slots=True)
class Pace:
    """Write after ``seconds`` or after ``blocks`` blocks, whichever comes first.

    The first block and the end never wait.
    """

    seconds: float = 0.0
    blocks: int = 1


class BatchSource(Protocol):
    """A running stream, from which a store takes batches itself."""

    async def follow(self, due: Callable[[object], bool]) -> None:
        """Call ``due`` whenever there may be a batch, until none may be taken any more.

        Args:
            due: Costs little, and may be called any number of times. Its argument has no meaning;
                it returns True.
        """

    def take(self) -> tuple[Batch, int] | None:
        """Return the next batch, and its floor as of ``Writer.append``; None if there is none.

        Not called again before ``took``.
        """

    def took(self, batch: Batch) -> bool:
        """Note that the store has the batch that was taken; return whether there is another."""

    def stop(self) -> None:
        """Note that the store takes no more; ``follow`` returns."""


class Writer(Protocol):
    """The producer's access to a log."""

    @property
    def token(self) -> str:
        """The producer's token, as given to ``create`` or ``adopt``."""

    async def append(self, batch: Batch, floor: int = 1) -> None:
        """Add records, and renew the lease.

        Args:
            batch: The records that follow the last ones. Once offered, a record is always offered
                in the same batch.
            floor: Records below this sequence number may be deleted.

        Raises:
            Fenced: The log has an end (``.at``, ``.end``).
            Rewound: The log's last record (``.last``) is not the one before ``batch.first``.
            Missing: The log is gone.
            Taken: It has another producer.
            StoreError: The store fails.
        """

    def append_from(self, source: BatchSource) -> Awaitable[None]:
        """Append what a source has, together with what other streams have: no task wakes for it.

        Returns when the source's own ``follow`` does. If ``took`` was not called for the last
        batch, its outcome is another than success, or not known: ``append`` it again. A store that
        writes each stream alone, at present or always, returns at once. Raises nothing.
        """

    async def heartbeat(self) -> None:
        """Renew the lease, and check that the log has all that was appended.

        Raises:
            Fenced: The log has an end (``.at``, ``.end``).
            Rewound: The log's last record (``.last``) is not the last one that was appended.
            Missing: The log is gone.
            Taken: It has another producer.
            StoreError: The store fails.
        """

    async def check(self) -> float:
        """Return the remaining seconds of the longest viewer lease; 0 without one.

        Raises:
            Fenced, Rewound, Missing, Taken, StoreError: As ``heartbeat``.
        """


class Follower(Protocol):
    """One reader's position in a log. Each method may also raise ``StoreError``."""

    @property
    def meta(self) -> Meta:
        """The log's first record."""

    async def read(self, wait: float) -> list[Batch]:
        """Return the batches after those read before; wait up to ``wait`` seconds for one.

        Raises:
            Missing: The log is gone.
        """

    async def producer_heartbeat(self) -> int:
        """Return a number that changes when the producer's lease is renewed.

        Raises:
            Missing: The log is gone.
        """

    async def probe_write(self) -> None:
        """Write a value that has no effect: a store that refuses writes raises ``StoreError``.

        Raises:
            Missing: The log is gone.
        """

    async def end_as_lost(self, end: End) -> None:
        """End the log, if no record was added after those read. Either way, continue to read.

        Raises:
            Missing: The log is gone, or what comes next is.
        """


class Names(Protocol):
    """Names for streams. Each method may also raise ``StoreError``."""

    async def claim(
        self, name: str, binding: NameBinding, instead_of: NameBinding | None = None
    ) -> NameBinding | None:
        """Bind the name unless it has another binding already.

        Args:
            name: The name.
            binding: The binding.
            instead_of: A binding that it may have now, and that is replaced.

        Returns:
            Its other binding; nothing has changed then. None if it has the new one.
        """

    async def name(self, name: str, binding: NameBinding) -> None:
        """Bind the name, replacing an earlier binding."""

    async def lookup(self, name: str) -> NameBinding | None:
        """Return what the name is bound to; None if it is not bound."""


class Store(Names, Protocol):
    """A place for logs. Each method may also raise ``StoreError``."""

    @property
    def shared(self) -> bool:
        """Whether other processes read streams from this store.

        If not, an app serves its streams from its own memory, and keeps only the secret that signs
        tickets here, as a name.
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
            token: Identifies the producer: a ``new_token()`` for each.

        Raises:
            Taken: The log exists, with another producer or none.
        """

    async def reserve(self, meta: Meta) -> None:
        """Make a log that has no producer yet. Safe to repeat until it has one.

        Raises:
            Taken: The log exists with other content, or has a producer.
        """

    async def adopt(self, stream_id: str, token: str) -> Writer:
        """Become the producer of a reserved log. Safe to repeat with the same token.

        Args:
            stream_id: Whose log.
            token: As for ``create``.

        Raises:
            Taken: It has one.
            Fenced: It has an end: its viewers have stopped waiting for a producer.
            Missing: There is no such log.
        """

    async def open(self, stream_id: str) -> Follower | None:
        """Return a reader's position at the start of a log; None if there is no such log."""

    async def close(self, stream_id: str, end: End) -> tuple[RecordId, End]:
        """End a log, from any process; return the end that counts, and its id.

        Raises:
            Missing: There is no such log.
        """

    async def renew(self, stream_id: str, viewer: str, seconds: float) -> None:
        """Renew a viewer's lease for so many seconds.

        Raises:
            Missing: There is no such log.
            Fenced: It has an end. The lease of a known viewer may be renewed nevertheless.
            TooManyViewers: It has ``MAX_VIEWERS`` others.
        """

    async def leave(self, stream_id: str, viewer: str) -> None:
        """Give up a viewer's lease."""


async def alone() -> None:
    """Return at once: ``Writer.append_from`` of a store that writes each stream alone."""


def new_token() -> str:
    """Return a new producer's token: 64 random bits."""
    return secrets.token_hex(8)
