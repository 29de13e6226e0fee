"""Visits every state that can be reached, and looks for those that must not be."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field

from tests.fakes.memory_store import Log, MemoryStore
from tests.model.world import META, Producer, Viewer, World, cancel, carry_out, look, lose
from tokenwire.stores.exceptions import StoreError

FAULTS = ("lost", "late", "rollback", "flush", "death", "cancel")
"""Answers that are lost; requests that arrive late, after they were given up and repeated; a store
that goes back by some batches; one that forgets all; a producer that dies; a cancel from
elsewhere (which is no fault, but as bounded)."""


def initial(
    viewers: int = 1, workers: int = 0, kind: type[MemoryStore] = MemoryStore, **budget: int
) -> World:
    """Nothing has happened yet.

    Args:
        viewers: How many processes read the stream.
        workers: How many adopt its reserved log (an event may come twice); if 0, one makes it.
        kind: The store.
        budget: How often each of ``FAULTS`` may happen.
    """
    producers = [Producer(f"w{number}", adopts=True) for number in range(workers)]
    return World(
        Log(META, "") if workers else None,
        producers or [Producer("p")],
        [Viewer() for _ in range(viewers)],
        {**dict.fromkeys(FAULTS, 0), **budget},
        kind=kind,
    )


def steps(world: World) -> Iterator[tuple[str, World]]:
    """Every step that can be taken, by name, and where it leads."""
    yield from _producer_steps(world)
    yield from _viewer_steps(world)
    yield from _fault_steps(world)


def _producer_steps(world: World) -> Iterator[tuple[str, World]]:
    for who, producer in enumerate(world.producers):
        for sent in producer.wants():
            after = world.copied()
            carry_out(after, who, sent)(after.producers[who])
            yield sent.kind, after
            if world.budget["lost"]:
                after = world.copied()
                carry_out(after, who, sent)
                after.spend("lost")
                yield f"{sent.kind} without an answer", after
            if world.budget["late"]:
                after = world.copied()
                after.late += ((who, sent),)
                after.spend("late")
                yield f"{sent.kind} on its way", after
        if world.budget["death"] and not producer.is_over:
            after = world.copied()
            after.producers[who].is_over = after.producers[who].is_dead = True
            after.spend("death")
            yield "death", after


def _viewer_steps(world: World) -> Iterator[tuple[str, World]]:
    for who, viewer in enumerate(world.viewers):
        if viewer.is_over:
            continue
        after = world.copied()
        look(after, after.viewers[who])
        yield f"look {who}", after
        if viewer.is_open and world.log is None:
            after = world.copied()
            after.viewers[who].interrupted = True
            yield f"give up {who}", after
        if viewer.quiet >= 2:
            after = world.copied()
            lose(after, after.viewers[who])
            yield f"lose {who}", after


def _fault_steps(world: World) -> Iterator[tuple[str, World]]:
    for place, (who, sent) in enumerate(world.late):
        after = world.copied()
        carry_out(after, who, sent)
        after.late = world.late[:place] + world.late[place + 1 :]
        yield f"{sent.kind} arrives late", after
    if world.budget["cancel"] and world.log is not None:
        after = world.copied()
        cancel(after)
        after.spend("cancel")
        yield "cancel", after
    if world.log is None:
        return
    if world.budget["rollback"]:
        for count in range(1, len(world.log.batches) + 1):
            after = world.copied()
            assert after.log is not None
            after.lost_end |= after.log.end is not None
            del after.log.batches[-count:]
            after.spend("rollback")
            yield f"rollback by {count}", after
    if world.budget["flush"]:
        after = world.copied()
        after.lost_end |= world.log.end is not None
        after.log = None
        after.spend("flush")
        yield "flush", after


@dataclass(slots=True)
class Found:
    """What was visited: how each state was first reached, and where its steps lead."""

    worlds: dict[Hashable, World] = field(default_factory=dict)
    came_from: dict[Hashable, tuple[Hashable, str]] = field(default_factory=dict)
    leads_to: dict[Hashable, set[Hashable]] = field(default_factory=dict)

    def way_to(self, key: Hashable) -> list[str]:
        """The shortest way to this state, in steps."""
        names: list[str] = []
        while key in self.came_from:
            key, name = self.came_from[key]
            names.append(name)
        return names[::-1]

    def first(self, is_wrong: Callable[[World], bool]) -> str:
        """The shortest way to a state that is wrong; empty if there is none."""
        for key, world in self.worlds.items():
            if is_wrong(world):
                return " > ".join(self.way_to(key)) or "at the start"
        return ""

    def stuck(self, is_over: Callable[[World], bool]) -> str:
        """The shortest way to a state from which no way leads to an end; empty if there is none."""
        back: dict[Hashable, list[Hashable]] = {}
        for key, others in self.leads_to.items():
            for other in others:
                back.setdefault(other, []).append(key)
        todo = [key for key, world in self.worlds.items() if is_over(world)]
        live = set(todo)
        while todo:
            for key in back.get(todo.pop(), ()):
                if key not in live:
                    live.add(key)
                    todo.append(key)
        hung = next((key for key in self.worlds if key not in live), None)
        return "" if hung is None else " > ".join(self.way_to(hung)) or "at the start"


def explore(start: World, most: int) -> Found:
    """Visit all that can be reached, breadth first.

    Raises:
        StoreError: There are more states than ``most``: the bounds are too wide.
    """
    found, todo = Found(), deque([start.key()])
    found.worlds[start.key()] = start
    while todo:
        key = todo.popleft()
        leads_to = found.leads_to.setdefault(key, set())
        for name, world in steps(found.worlds[key]):
            after = world.key()
            leads_to.add(after)
            if after not in found.worlds:
                found.worlds[after] = world
                found.came_from[after] = (key, name)
                todo.append(after)
        if len(found.worlds) > most:
            raise StoreError(f"more than {most} states")
    return found
