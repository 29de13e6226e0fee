"""Hostile streams: three processes, a network and a store with random faults, numbered tokens.

Each viewer checks every token against what its number says, so that nothing lost, doubled or
re-ordered escapes it. One more reads in the process that runs the stream.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.fakes.relay import Relay, relay
from tests.stores.damage import Damage
from tests.stores.servers import Server
from tests.stores.test_processes import LEASE, Node, node
from tests.stores.troubles import freeze, harass, troubled
from tokenwire.streams.stream import new_id

AT_ONCE = 10
PATIENCE = 120
"""Seconds for one round, which takes four on a machine that has nothing else to do."""
EXPECTED = {"viewers", "clean", "fenced", "another end", "callers", "agree", "early end"}
"""What may be counted. ``fenced``: a viewer received ``lost``, as every client will, for a producer
that had not written to the store for a lease. ``early end``: the same for a stream whose own caller
had received its complete end by then (the table in ``docs/operate.md``). ``another end``: the store
had acknowledged an end and lost it, while the producer was frozen (the second case there)."""


@asynccontextmanager
async def relayed(server: Server) -> AsyncIterator[tuple[Relay, Node]]:
    """A process whose way to the store is a relay of its own."""
    async with relay(server.port) as between:
        url, environ = server.url, dict(server.environ)
        if url.startswith("dynamodb"):
            environ["AWS_ENDPOINT_URL_DYNAMODB"] = between.base_url
        else:
            url = f"redis://127.0.0.1:{between.port}"
        async with node(Server([], server.folder, url, between.port, environ)) as one:
            yield between, one


async def one_round(
    nodes: list[Node], relays: list[Relay], damage: Damage, *, freezes: bool = False
) -> Counter[str]:
    """Ten streams at once, each with two viewers in each of two processes; what came of them.

    Args:
        nodes: The process that runs them, and those of the viewers.
        relays: Their ways to the store.
        damage: What befalls it.
        freezes: Whether the first process is stopped now and then, so that others end its streams.
    """
    blocks = {new_id(): random.randint(5, 80) for _ in range(AT_ONCE)}
    began = time.monotonic()
    troubles = [harass(relays, damage, list(blocks))]
    if freezes:
        troubles.append(freeze(nodes[0]))
    async with troubled(troubles):
        await begin(nodes, blocks)
        try:
            async with asyncio.timeout(PATIENCE):
                runs, *watched = await asyncio.gather(*(lines(one, AT_ONCE) for one in nodes))
        except TimeoutError:
            await print_waits(nodes)
            return Counter(hung=1)
    for between in relays:
        between.stalled = between.refuses = False
        between.delay = between.lose = 0
    if (took := time.monotonic() - began) > PATIENCE / 4:
        print(f"a round took {took:.0f} s")  # noqa: T201
    reports = [line for of_one in watched for line in of_one]
    return tallied({run["id"]: run for run in runs}, reports, blocks, freezes=freezes)


async def begin(nodes: list[Node], blocks: dict[str, int]) -> None:
    """Start the streams and their viewers."""
    producer, *others = nodes
    for stream_id, count in blocks.items():
        command = {"id": stream_id, "blocks": count, "pause": random.choice([0.002, 0.02, 0.05])}
        await producer.tell(do="perform", **command)
        for one in others:
            await one.tell(do="watch", **command, viewers=2, spread=0.5, retries=10_000)


async def lines(one: Node, count: int) -> list[dict[str, Any]]:
    """So many lines of a process."""
    return [await one.hear(PATIENCE) for _ in range(count)]


async def print_waits(nodes: list[Node]) -> None:
    """Print what the processes wait for, and the rest of their output."""
    for place, one in enumerate(nodes):
        await one.tell(do="explain")
        while "waits" not in (line := await one.hear(10)):
            print(place, line)  # noqa: T201
        print(place, *line["waits"], sep="\n  ")  # noqa: T201


def tallied(
    runs: dict[str, dict[str, Any]],
    watched: list[dict[str, Any]],
    blocks: dict[str, int],
    *,
    freezes: bool,
) -> Counter[str]:
    """What was counted.

    Args:
        runs: Of each stream, the end that the store has, what its caller received, and for how
            long the store did not hear of its producer.
        watched: What its viewers in other processes received.
        blocks: How many it has.
        freezes: Whether the producer was frozen now and then.
    """
    found: Counter[str] = Counter()
    for line in watched:
        run, whole = runs[line["id"]], f"1-{blocks[line['id']] + 1}"
        for viewer in line["viewers"]:
            is_short = viewer["at"] == whole and viewer["blocks"] != blocks[line["id"]]
            what = _outcome(run, viewer, whole)
            if viewer["at"] != run["at"]:
                may_differ = freezes and run["silent"] > LEASE and what in {"clean", "fenced"}
                what = "another end" if may_differ else "disagree"
            found.update(viewers=1, faults=len(viewer["faults"]) + is_short)
            found[what] += 1
            if what not in EXPECTED or viewer["faults"] or is_short:
                print(line["id"], what, viewer, run, whole)  # noqa: T201
    for stream_id, run in runs.items():
        caller, whole = run["caller"], f"1-{blocks[stream_id] + 1}"
        found.update(callers=1, faults=len(caller["faults"]))
        found[_agreement(run, whole)] += 1
    return +found


def _outcome(run: dict[str, Any], viewer: dict[str, Any], whole: str) -> str:
    if viewer["at"] == whole and viewer["reason"] == "done":
        return "clean"
    is_fenced = viewer["code"] == "lost" and run["silent"] > LEASE
    return "fenced" if is_fenced else f"{viewer['reason']} {viewer['code']}"


def _agreement(run: dict[str, Any], whole: str) -> str:
    caller = run["caller"]
    if caller["at"] == run["at"]:
        return "agree"
    is_early = caller["at"] == whole and caller["reason"] == "done" and run["silent"] > LEASE
    return "early end" if is_early else f"caller: {caller['reason']} {caller['at']}"
