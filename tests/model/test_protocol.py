"""The store protocol, in every interleaving of its requests and faults up to these bounds."""

from __future__ import annotations

import os
from dataclasses import dataclass

import pytest

from tests.fakes.memory_store import Log, MemoryStore
from tests.model.explore import Found, explore, initial
from tests.model.world import OWN_END, World, words
from tokenwire.stores.contract import Batch
from tokenwire.stores.exceptions import Taken
from tokenwire.stores.records import End, EndReason, Meta, RecordId

# It computes for seconds, and what it explores changes with the contract of stores only.
pytestmark = pytest.mark.slow

MOST = 400_000
Case = dict[str, int]
QUIET: list[Case] = [
    {},
    {"viewers": 2},
    {"lost": 2},
    {"late": 1, "cancel": 1},
    {"death": 1, "cancel": 1},
    {"lost": 1, "late": 1, "cancel": 1},
    {"workers": 2},
    {"workers": 2, "lost": 1},
]
"""Networks that lose and delay, processes that stop and come back: the store itself holds."""
LOSSES: list[Case] = [
    {"rollback": 1, "cancel": 1},
    {"rollback": 1, "lost": 1},
    {"rollback": 2},
    {"rollback": 1, "death": 1},
    {"flush": 1, "cancel": 1},
    {"flush": 1, "death": 1},
    {"workers": 2, "rollback": 1},
]
"""A store that loses what it had acknowledged."""
if os.environ.get("TOKENWIRE_SOAK"):
    QUIET += [
        {"viewers": 2, "lost": 1, "late": 1},
        {"viewers": 2, "late": 1, "cancel": 1, "death": 1},
        {"lost": 2, "late": 1, "cancel": 1},
        {"workers": 2, "late": 1, "cancel": 1},
    ]
    LOSSES += [
        {"viewers": 2, "rollback": 1, "cancel": 1},
        {"rollback": 1, "late": 1, "cancel": 1},
        {"flush": 1, "late": 1, "lost": 1},
        {"rollback": 1, "flush": 1, "cancel": 1},
        {"rollback": 3, "lost": 1},
    ]


def name_of(case: Case) -> str:
    """The bounds, as a test's name."""
    return "-".join(f"{name}{count}" for name, count in case.items()) or "none"


def visit(case: Case, kind: type[MemoryStore] = MemoryStore) -> Found:
    """Everything that can happen within these bounds."""
    start = dict(case)
    viewers, workers = start.pop("viewers", 1), start.pop("workers", 0)
    return explore(initial(viewers, workers, kind, **start), MOST)


def shows_foreign_blocks(world: World) -> bool:
    """A viewer has blocks that are not a prefix of one producer's blocks."""
    written = [tuple(b for batch in words(p.token) for b in batch.blocks) for p in world.producers]
    return any(all(v.blocks != one[: len(v.blocks)] for one in written) for v in world.viewers)


def is_done_without_all(world: World) -> bool:
    """A viewer received a complete end without having all blocks."""
    return any(
        v.end == (OWN_END, EndReason.DONE) and len(v.blocks) < OWN_END.seq - 1
        for v in world.viewers
    )


def has_a_torn_log(world: World) -> bool:
    """The store holds a hole, two ends, or something behind an end."""
    batches = [] if world.log is None else world.log.batches
    following = [1, *(batch.last.seq + 1 for batch in batches if batch.epoch == 1)]
    firsts = [batch.first for batch in batches if batch.epoch == 1]
    ends = [batch for batch in batches if batch.end is not None]
    return firsts != following[:-1] or len(ends) > 1 or (bool(ends) and batches[-1] != ends[0])


def fences_itself(world: World) -> bool:
    """The only producer was refused because of another one, or because its log is gone."""
    return len(world.producers) == 1 and world.producers[0].is_refused


def has_two_ends(world: World) -> bool:
    """Two received different ends from a store that has lost no end."""
    return len(world.ends()) > 1 and not world.lost_end


def gives_up(world: World) -> bool:
    """A viewer was sent away without an end."""
    return any(viewer.interrupted for viewer in world.viewers)


def uses_an_id_twice(world: World) -> bool:
    """An id has stood for two contents."""
    return world.clash is not None


def uses_a_record_id_twice(world: World) -> bool:
    """The same, except for an end that another process than the producer wrote."""
    return world.clash is not None and world.clash[0].epoch == 1


def is_over(world: World) -> bool:
    """Nothing waits: all have received an end, or there is no stream."""
    waiting = [v for v in world.viewers if not v.is_over and (v.is_open or world.log is not None)]
    return not waiting and all(p.end or p.is_over for p in world.producers)


ALWAYS = (shows_foreign_blocks, is_done_without_all, has_a_torn_log, has_two_ends)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("case", QUIET, ids=name_of)
def test_store_that_holds(case: Case) -> None:
    """One end, the same for all; a prefix for every reader; no id twice; nothing waits for ever."""
    found = visit(case)
    for is_wrong in (*ALWAYS, fences_itself, gives_up, uses_an_id_twice):
        assert found.first(is_wrong) == "", is_wrong.__doc__
    assert found.stuck(is_over) == ""


@pytest.mark.timeout(600)
@pytest.mark.parametrize("case", LOSSES, ids=name_of)
def test_store_that_loses_what_it_had(case: Case) -> None:
    """An end that was received stays the end, unless the store loses it; nothing waits for ever."""
    found = visit(case)
    for is_wrong in (*ALWAYS, uses_a_record_id_twice):
        assert found.first(is_wrong) == "", is_wrong.__doc__
    assert found.stuck(is_over) == ""


def test_ends_can_differ_where_the_store_loses_one() -> None:
    """As the documents say: this is the shortest way, and it needs an end that was acknowledged."""
    found = visit({"rollback": 1})
    way = found.first(lambda world: len(world.ends()) > 1).split(" > ")
    assert way[:4] == ["create", "append", "append", "append"]
    assert any(step.startswith("rollback") for step in way)


class Forgetful(MemoryStore):
    """Knows no token: a ``create`` that is repeated finds the log taken."""

    async def _make(self, meta: Meta, producer: str) -> None:
        if meta.id in self.logs:
            raise Taken
        await super()._make(meta, producer)


class Generous(MemoryStore):
    """Lets the last end win."""

    async def close(self, stream_id: str, end: End) -> tuple[RecordId, End]:
        """As ``Store.close``, but for who wins."""
        log = self.found.get(stream_id)
        log.batches = [batch for batch in log.batches if batch.end is None]
        log.add(Batch(2, 0, [], end))
        return RecordId(2, 0), end


@dataclass(slots=True)
class OpenLog(Log):
    """Has no fence."""

    def check_open(self) -> None:
        """Never raises."""


class Unfenced(MemoryStore):
    """Lets a producer write behind an end."""

    async def _make(self, meta: Meta, producer: str) -> None:
        self.logs.setdefault(meta.id, OpenLog(meta, producer))


def test_model_finds_a_producer_that_fences_itself() -> None:
    """A create that cannot be repeated."""
    assert visit({"lost": 1}, Forgetful).first(fences_itself) == "create without an answer > create"


def test_model_finds_a_second_end() -> None:
    """A cancel after the end, which wins."""
    assert visit({"cancel": 1}, Generous).first(has_two_ends).endswith("cancel")


def test_model_finds_a_zombie() -> None:
    """A producer that wakes after its end, and writes."""
    way = visit({"cancel": 1}, Unfenced).first(has_a_torn_log)
    assert way.split(" > ")[-1] == "append"
    assert "cancel" in way
