"""Hub, keeper, feed and viewers as they are, with faults at every request to the store."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator

import pytest

from tests.model.processes import BLOCKS, LOSSES, NETWORK, PROCESS, Client, Outcome, play, single
from tokenwire.stores.records import EndReason, RecordId

# It computes for seconds, and what it explores changes with the stores and their followers only.
pytestmark = pytest.mark.slow

FAULTS = (*NETWORK, *PROCESS, *LOSSES)
SILENT = {"cut off", "outage", "stuck", "killed"}
"""Faults that last longer than a lease: a process cannot be distinguished from a dead one."""
UNCONFIRMED = SILENT | {"full"}
"""Faults that last longer than the caller waits for the store's word on the end."""
REFUSALS = {"stream_not_found", "store_unavailable", "connection_expired"}
COMPLETE = (RecordId(1, len(BLOCKS) + 1), EndReason.DONE)
REQUESTS = 45
"""More than there are while the stream runs, with one fault."""
PLANS = 10_000 if os.environ.get("TOKENWIRE_SOAK") else 150


def wrongs(outcome: Outcome, plan: dict[int, str]) -> Iterator[str]:
    """What should not be, in a sentence each."""
    faults = set(plan.values())
    for name, client in outcome.clients():
        yield from _wrong_blocks(name, client)
    ends = {client.end for _, client in outcome.clients() if not client.unconfirmed} - {None}
    ends_seen = {outcome.viewer.end, outcome.late.end} - {None}
    if "killed" not in faults:
        ends_seen |= {outcome.producer}
    if len(ends_seen) > 1 and not outcome.had_end:
        yield f"ends differ for good: {ends_seen}"
    if len(ends) > 1 and not (faults & UNCONFIRMED or outcome.had_end):
        yield f"the store answered, and two received different ends: {ends}"
    if not faults & {*SILENT, "cancel"} and ends_seen != {COMPLETE} and len(faults) == 1:
        yield f"a stream was not whole: {ends_seen}"
    if len(plan) < 3 and not {*outcome.viewer.refusals} <= REFUSALS:
        yield f"a viewer was refused: {outcome.viewer.refusals}"


def _wrong_blocks(name: str, client: Client) -> Iterator[str]:
    if client.blocks != BLOCKS[: len(client.blocks)]:
        yield f"the {name} lost, doubled or re-ordered a block: {client.blocks}"
    if client.end == COMPLETE and client.blocks != BLOCKS:
        yield f"the {name} received a complete end, and has {len(client.blocks)} blocks"


def failures(plan: dict[int, str], *, takes: bool = False) -> list[str]:
    """What goes wrong with this plan, and a store that takes batches itself or does not."""
    try:
        if len(plan) == 1:
            outcome = single(*next(iter(plan.items())), takes=takes)
        else:
            outcome = play(plan, takes=takes)
    except TimeoutError:
        return [f"{plan}: a task waits for ever"]
    return [f"{plan}: {what}" for what in wrongs(outcome, plan)]


@pytest.mark.parametrize("takes", [False, True], ids=["alone", "together"])
def test_no_fault(*, takes: bool) -> None:
    """Every client has all blocks, and none reconnected."""
    outcome = play({}, takes=takes)
    assert [client.end for _, client in outcome.clients()] == [COMPLETE] * 4
    assert [client.blocks for _, client in outcome.clients()] == [BLOCKS] * 4
    assert outcome.viewer.refusals == []
    assert 15 < len(outcome.requests) < REQUESTS


@pytest.mark.parametrize("takes", [False, True], ids=["alone", "together"])
@pytest.mark.parametrize("fault", FAULTS)
def test_one_fault_at_every_request(fault: str, *, takes: bool) -> None:
    """Nothing lost, doubled or re-ordered; one end, but where the store was silent or lost it."""
    numbers = range(REQUESTS)
    assert [what for number in numbers for what in failures({number: fault}, takes=takes)] == []


@pytest.mark.timeout(1200)
def test_several_faults() -> None:
    """Two or three of them, at any requests; a failure prints its plan, to be played again."""
    chance = random.Random(1)
    found: list[str] = []
    for _ in range(PLANS):
        count = chance.choice([2, 2, 3])
        plan = {chance.randrange(REQUESTS): chance.choice(FAULTS) for _ in range(count)}
        found += failures(plan) + failures(plan, takes=True)
    assert found == []


@pytest.mark.parametrize("fault", ["stuck", "cut off"])
def test_ends_differ_only_while_the_store_is_silent(fault: str) -> None:
    """Longer than a lease: lost for others, whole for the caller; the producer is corrected."""
    outcomes = [single(number, fault) for number in range(REQUESTS)]
    differing = [
        one for one in outcomes if one.caller.end == COMPLETE and one.viewer.end != COMPLETE
    ]
    assert differing
    assert {one.producer for one in differing} == {(RecordId(2, 0), EndReason.LOST)}


@pytest.mark.parametrize(
    "plan",
    [
        {8: "cancel", 9: "late", 29: "rollback 2"},
        {2: "refused", 10: "late", 15: "cancel"},
        {4: "unanswered", 10: "late", 12: "cancel"},
    ],
    ids=["cancelled before", "cancelled meanwhile", "after a lost answer"],
)
def test_ends_differ_where_the_store_is_known_to_fail(plan: dict[int, str]) -> None:
    """A cancel elsewhere, and the end comes between a failed append and its repetition.

    Clients of this process receive `done` at once, not after a second; the producer is corrected.
    """
    outcome = play(plan)
    cancelled = (RecordId(2, 0), EndReason.CANCELLED)
    here, elsewhere = (outcome.caller, outcome.beside), (outcome.viewer, outcome.late)
    assert [(client.end, client.unconfirmed) for client in here] == [(COMPLETE, True)] * 2
    assert [(client.end, client.unconfirmed) for client in elsewhere] == [(cancelled, False)] * 2
    assert outcome.producer == cancelled
    assert failures(plan) == []


def test_a_store_that_works_again_has_the_last_word() -> None:
    """The same failure, but over before the end comes: every client receives the cancellation."""
    outcome = play({8: "cancel", 9: "refused"})
    ends_seen = {(client.end, client.unconfirmed) for _, client in outcome.clients()}
    assert ends_seen == {((RecordId(2, 0), EndReason.CANCELLED), False)}
