"""What a store takes of a stream by itself, and when it stops."""

from __future__ import annotations

import asyncio

from tests.fakes.virtual import run
from tokenwire.stores.contract import Batch
from tokenwire.stores.records import End, EndReason
from tokenwire.streams.blocks import Bounds
from tokenwire.streams.ledger import Ledger
from tokenwire.streams.tail import Tail
from tokenwire.streams.tail_batches import TailBatches


class Following:
    """A tail, its batches, and a store that is told when there may be a batch.

    Args:
        bounds: Those of the tail.
        check_at: When a check is due, in seconds from now; one is due after a second of silence.
    """

    def __init__(self, bounds: Bounds | None = None, check_at: float = 3600.0) -> None:
        self.tail = Tail(bounds or Bounds(), end_wait=lambda: 1.0)
        self.ledger = Ledger(self.tail)
        self.worked: list[float] = []
        self.noted = 0
        reader = self.tail.unattached_reader()
        self.batches = TailBatches(reader, self.ledger, lambda: self.tail.first, self.worked.append)
        now = asyncio.get_running_loop().time()
        self.batches.begin(1.0, now + check_at)
        self.task = asyncio.create_task(self.batches.follow(self._due))

    def take(self) -> Batch:
        """Take a batch, as a store does."""
        taken = self.batches.take()
        assert taken is not None
        return taken[0]

    def _due(self, _: object) -> bool:
        self.noted += 1
        return True


def test_blocks_are_noted_where_they_are_appended() -> None:
    """The next batch has all since the last; what the store confirms is in the ledger."""

    async def play() -> None:
        at = Following()
        await asyncio.sleep(0)
        for block in (b"a", b"b"):
            assert at.tail.append_one(block)
        assert at.noted == 2
        one = at.take()
        at.tail.append([b"c", b"d"])
        assert (one, at.batches.unconfirmed, at.ledger.stored) == (
            Batch(1, 1, [b"a", b"b"]),
            one,
            1,
        )
        assert at.batches.took(one)
        assert (at.batches.unconfirmed, at.ledger.stored, len(at.worked)) == (None, 3, 1)
        two = at.take()
        assert two == Batch(1, 3, [b"c", b"d"])
        assert not at.batches.took(two)
        assert at.batches.take() is None
        at.task.cancel()

    run(play)


def test_earlier_blocks_are_noted_at_once() -> None:
    """Blocks that came while the keeper wrote the first ones."""

    async def play() -> None:
        at = Following()
        at.tail.append([b"a"])
        await asyncio.sleep(0)
        assert at.noted == 1
        at.task.cancel()

    run(play)


def test_end_is_left_to_the_keeper() -> None:
    """With the blocks before it that were not taken."""

    async def play() -> None:
        at = Following()
        await asyncio.sleep(0)
        at.tail.append([b"a"])
        at.tail.offer(End(EndReason.DONE))
        await at.task
        assert at.batches.take() is None
        assert not at.batches.is_check_due

    run(play)


def test_follow_ends_after_silence() -> None:
    """A second after the last batch, so that the keeper checks the log."""

    async def play() -> None:
        at = Following()
        for _ in range(3):
            await asyncio.sleep(0.8)
            at.tail.append([b"a"])
            at.batches.took(at.take())
        began = asyncio.get_running_loop().time()
        await at.task
        assert at.batches.is_check_due
        assert asyncio.get_running_loop().time() - began >= 1.0

    run(play)


def test_due_check_ends_it_but_not_at_once() -> None:
    """Though batches come: only a complete check finds lost records. One that has failed waits."""

    async def play() -> None:
        late, overdue = Following(check_at=2.0), Following(check_at=-5.0)
        for _ in range(10):
            await asyncio.sleep(0.3)
            for at in (late, overdue):
                if not at.task.done():
                    at.tail.append([b"a"])
                    at.batches.took(at.take())
        assert (late.task.done(), overdue.task.done()) == (True, True)
        assert (len(late.worked), len(overdue.worked)) == (6, 3)

    run(play)


def test_reader_that_is_behind_takes_nothing() -> None:
    """What the tail has dropped cannot be written: the keeper finds that out."""

    async def play() -> None:
        at = Following(Bounds(window=200, retained=400))
        await asyncio.sleep(0)
        for _ in range(10):
            at.tail.append([b"x" * 100])
        assert at.batches.take() is None
        await at.task
        assert at.batches.unconfirmed is None

    run(play)


def test_nothing_is_taken_past_a_batch_that_is_not_stored() -> None:
    """A store never gets a hole: what is missing is written by the keeper."""

    async def play() -> None:
        at = Following()
        at.tail.append([b"a"])
        at.take()
        at.tail.append([b"b"])
        assert at.batches.take() is None
        await at.task

    run(play)
