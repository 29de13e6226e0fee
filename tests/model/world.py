"""One state of the model: a store, the process that produces a stream, and those that read it.

The store is the contract's own (``tests.fakes.memory_store``), called request by request: what it
answers is not written down here a second time. Producer and readers are what ``Keeper`` and
``Feed`` do between two requests, without their clocks: a lease may run out at any moment at which
nothing has changed between two looks.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Hashable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from tests.fakes.memory_store import Follower, Log, MemoryStore, Writer
from tokenwire.events import Error
from tokenwire.stores.contract import Batch
from tokenwire.stores.exceptions import Fenced, Missing, Rewound, StoreError, Taken
from tokenwire.stores.records import End, EndReason, Meta, RecordId

T = TypeVar("T")
META = Meta("st_x", "me", "test", "chat", "m", 1)
DONE = End(EndReason.DONE)
LOST = End(EndReason.LOST, Error("lost", ""))
CANCELLED = End(EndReason.CANCELLED, Error("cancelled", ""))
OWN_END = RecordId(1, 3)
NOTHING = RecordId(0, 0)
ReceivedEnd = tuple[RecordId, EndReason]


def words(token: str) -> tuple[Batch, ...]:
    """What the provider of this producer says: no two say the same."""
    one, two = f"{token}1".encode(), f"{token}2".encode()
    return Batch(1, 1, [one]), Batch(1, 2, [two]), Batch(1, 3, [], DONE)


def answer(request: Coroutine[Any, Any, T]) -> T:
    """Carry out one request, now: the store in memory never waits."""
    try:
        request.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    finally:
        request.close()
    raise AssertionError("the store waited")


@dataclass(frozen=True, slots=True)
class Sent:
    """A request of the producer. ``last`` is what it knew of the log when it sent it."""

    kind: str
    batch: int = 0
    last: RecordId = NOTHING


@dataclass(slots=True)
class Producer:
    """What a keeper knows. ``stored`` counts the batches that it thinks the store has."""

    token: str
    adopts: bool = False
    is_made: bool = False
    stored: int = 0
    last: RecordId = NOTHING
    end: ReceivedEnd | None = None
    is_over: bool = False
    is_dead: bool = False
    is_refused: bool = False

    def wants(self) -> list[Sent]:
        """Its next requests: it writes what there is, or looks whether all is well."""
        if self.is_over:
            return []
        if not self.is_made:
            return [Sent("adopt" if self.adopts else "create")]
        writes = [Sent("append", self.stored, self.last)] if self.stored < OWN_END.seq else []
        return [*writes, Sent("heartbeat", 0, self.last)]


@dataclass(slots=True)
class Viewer:
    """What a feed knows. ``quiet`` counts looks at a log in which nothing has changed."""

    is_open: bool = False
    place: RecordId = NOTHING
    blocks: tuple[bytes, ...] = ()
    pulse: int = -1
    quiet: int = 0
    end: ReceivedEnd | None = None
    interrupted: bool = False

    @property
    def is_over(self) -> bool:
        """Whether it reads no more."""
        return self.end is not None or self.interrupted


@dataclass(slots=True)
class World:
    """All of it. ``budget`` says how often each fault may still happen."""

    log: Log | None
    producers: list[Producer]
    viewers: list[Viewer]
    budget: dict[str, int]
    late: tuple[tuple[int, Sent], ...] = ()
    canceller: ReceivedEnd | None = None
    contents: dict[RecordId, Hashable] = field(default_factory=dict)
    clash: tuple[RecordId, Hashable, Hashable] | None = None
    lost_end: bool = False
    kind: type[MemoryStore] = MemoryStore

    def copied(self) -> World:
        """Another like it."""
        return replace(
            self,
            log=None if self.log is None else replace(self.log, batches=list(self.log.batches)),
            producers=[replace(one) for one in self.producers],
            viewers=[replace(one) for one in self.viewers],
            budget=dict(self.budget),
            contents=dict(self.contents),
        )

    def key(self) -> Hashable:
        """What tells it from others: pulses only by whether a viewer would find them changed."""
        log = self.log
        pulse = 0 if log is None else log.heartbeats
        held = None if log is None else (log.producer, tuple(map(_content, log.batches)))
        return (
            held,
            tuple(
                (p.is_made, p.stored, p.last, p.end, p.is_over, p.adopts) for p in self.producers
            ),
            tuple(
                (
                    v.is_open,
                    v.place,
                    len(v.blocks),
                    v.pulse == pulse,
                    v.quiet,
                    v.end,
                    v.interrupted,
                )
                for v in self.viewers
            ),
            tuple(sorted(self.budget.items())),
            self.late,
            self.canceller,
            self.lost_end,
        )

    def store(self) -> MemoryStore:
        """The store as it is."""
        return self.kind(logs={} if self.log is None else {META.id: self.log})

    def keep(self, store: MemoryStore) -> None:
        """Take over what the store holds by now, and note what its ids stand for."""
        self.log = store.logs.get(META.id)
        for batch in [] if self.log is None else self.log.batches:
            for place, what in _records(batch):
                before = self.contents.setdefault(place, what)
                if before != what and self.clash is None:
                    self.clash = (place, before, what)

    def spend(self, fault: str) -> None:
        """One of this kind less."""
        self.budget[fault] -= 1

    def ends(self) -> set[ReceivedEnd]:
        """Every end that a producer or a client received."""
        ends = [*(p.end for p in self.producers), *(v.end for v in self.viewers), self.canceller]
        return {one for one in ends if one is not None}


def _content(batch: Batch) -> Hashable:
    return batch.epoch, batch.first, tuple(batch.blocks), batch.end


def _records(batch: Batch) -> Iterator[tuple[RecordId, Hashable]]:
    for number, block in enumerate(batch.blocks, batch.first):
        yield RecordId(batch.epoch, number), block
    if batch.end is not None:
        yield batch.last, batch.end.reason


Outcome = Callable[[Producer], None]


def carry_out(world: World, who: int, sent: Sent) -> Outcome:
    """Let the store do it; what the producer makes of the answer, if it comes."""
    store, token = world.store(), world.producers[who].token
    outcome: Outcome
    try:
        if sent.kind == "create":
            answer(store.create(META, token))
            outcome = _made
        elif sent.kind == "adopt":
            answer(store.adopt(META.id, token))
            outcome = _made
        else:
            writer = Writer(store, META.id, token, sent.last)
            if sent.kind == "append":
                answer(writer.append(words(token)[sent.batch]))
                outcome = _appended(sent.batch, writer.last)
            else:
                answer(writer.heartbeat())
                outcome = _nothing
    except Fenced as error:
        outcome = _fenced((error.at, error.end.reason))
    except Rewound as error:
        outcome = _went_back(error.last)
    except Missing:
        outcome = _began_anew
    except Taken:
        outcome = _stopped
    world.keep(store)
    return outcome


def _nothing(producer: Producer) -> None:
    pass


def _made(producer: Producer) -> None:
    producer.is_made, producer.adopts = True, False


def _stopped(producer: Producer) -> None:
    producer.is_over = producer.is_refused = True


def _appended(batch: int, last: RecordId) -> Callable[[Producer], None]:
    def outcome(producer: Producer) -> None:
        producer.stored, producer.last = batch + 1, last
        if producer.stored == OWN_END.seq:
            producer.end = (OWN_END, EndReason.DONE)

    return outcome


def _went_back(last: RecordId) -> Callable[[Producer], None]:
    def outcome(producer: Producer) -> None:
        # As ``Ledger.went_back``: it may be more than the producer knew of, if an answer was lost.
        producer.stored, producer.last = last.seq, last

    return outcome


def _began_anew(producer: Producer) -> None:
    if producer.adopts:
        producer.is_over = producer.is_refused = True  # an event of a stream that is gone
        return
    producer.is_made, producer.stored, producer.last = False, 0, NOTHING


def _fenced(end: ReceivedEnd) -> Callable[[Producer], None]:
    def outcome(producer: Producer) -> None:
        # Its own end, found again, is no news; another corrects what it reported.
        own = end == (OWN_END, EndReason.DONE)
        producer.end = end
        producer.is_over = not own
        if own:
            producer.stored, producer.last = end[0].seq, end[0]

    return outcome


def look(world: World, viewer: Viewer) -> None:
    """One turn of a feed: read; and if there is nothing new, check the producer's heartbeat."""
    store = world.store()
    try:
        if not viewer.is_open:
            viewer.is_open = answer(store.open(META.id)) is not None
            return
        follower = Follower(store, META, viewer.place)
        batches = answer(follower.read(0.0))
        viewer.place = follower.place
        for batch in batches:
            _take(viewer, batch)
        if batches:
            viewer.quiet = 0
            return
        pulse = answer(follower.producer_heartbeat())
    except StoreError:
        viewer.quiet = 0
        return
    viewer.quiet = min(viewer.quiet + 1, 2) if pulse == viewer.pulse else 0
    viewer.pulse = pulse


def _take(viewer: Viewer, batch: Batch) -> None:
    if viewer.end is not None:
        return
    following = len(viewer.blocks) + 1
    if batch.epoch == 1:
        if batch.first > following:
            viewer.interrupted = True
            return
        viewer.blocks += tuple(batch.blocks[following - batch.first :])
    if batch.end is not None:
        viewer.end = (batch.last, batch.end.reason)


def lose(world: World, viewer: Viewer) -> None:
    """End the log for a producer that is not heard of."""
    store = world.store()
    viewer.quiet = 0
    try:
        answer(Follower(store, META, viewer.place).end_as_lost(LOST))
    except StoreError:
        viewer.interrupted = True
    world.keep(store)


def cancel(world: World) -> None:
    """End the log on a client's request."""
    store = world.store()
    try:
        at, end = answer(store.close(META.id, CANCELLED))
    except StoreError:
        return
    world.canceller = (at, end.reason)
    world.keep(store)
