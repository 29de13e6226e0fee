"""The table in ``docs/operate.md``: a store's faults, and who gets what. Each cell is a test."""

from __future__ import annotations

from functools import cache

import pytest

from tests.model.processes import Client, Outcome, play, single

BRIEF = ("refused", "unanswered", "late", "slow")
ALL = {"done"}
TABLE: dict[str, tuple[tuple[str, ...], str, tuple[set[str], ...]]] = {
    "a request fails": (BRIEF, "here", (ALL, ALL, {"done", "done, after a 404"}, ALL)),
    "a read fails": (BRIEF, "there", (ALL, ALL, {"done", "done, after a 503"}, ALL)),
    "away": (
        ("outage",),
        "here",
        (ALL, ALL, {"done", "done, after a 503", "done, after a 404, a 503"}, ALL),
    ),
    "away for the viewer's process": (
        ("cut off",),
        "there",
        (ALL, ALL, {"done, after a 503"}, ALL),
    ),
    "away for the producer": (
        ("cut off", "stuck"),
        "here",
        (ALL, ALL, {"lost", "done", "done, after a 404"}, {"lost", "done"}),
    ),
    "takes no writes": (
        ("full",),
        "here",
        (ALL, ALL, {"done", "done, after a 404"}, ALL),
    ),
    "the producer dies": (
        ("killed",),
        "here",
        ({"?"}, {"?"}, {"lost", "done", "nothing, after a 404"}, {"lost", "done", "nothing"}),
    ),
    "the viewer's process dies": (("killed",), "there", (ALL, ALL, {"?"}, ALL)),
    "goes back": (("rollback 1", "rollback 2"), "here", (ALL, ALL, ALL, ALL)),
    "loses everything": (("flush",), "here", (ALL, ALL, ALL, ALL)),
    "a cancel elsewhere": (("cancel",), "here", ({"done", "cancelled"},) * 4),
}
CELLS = [(row, cell) for row in TABLE for cell in range(4)]
SAID = {"stream_not_found": "a 404", "store_unavailable": "a 503"}


@cache
def outcomes(fault: str, who: str) -> list[Outcome]:
    """One for each request of this process that the fault can meet while the stream runs."""
    plain = play({}).requests
    numbers = [number for number, name in enumerate(plain) if name.startswith(who)]
    return [single(number, fault) for number in numbers]


def word(client: Client, fault: str, place: int, who: str) -> str:
    """What a client got."""
    is_dead = fault == "killed" and (place < 2) == (who == "here") and place < 3
    if is_dead:
        return "?"
    end = "nothing" if client.end is None else client.end[1].value
    refusals = ", ".join(sorted({SAID[code] for code in client.refusals}))
    return f"{end}, after {refusals}" if refusals else end


@pytest.mark.parametrize(("row", "cell"), CELLS)
def test_store_fault(row: str, cell: int) -> None:
    """What the caller, a viewer here, one elsewhere and a late one get: no more, no less."""
    faults, who, expected = TABLE[row]
    found = {
        word(outcome.clients()[cell][1], fault, cell, who)
        for fault in faults
        for outcome in outcomes(fault, who)
    }
    assert found == expected[cell]


@pytest.mark.parametrize(
    "fault", ["outage", "full", "cut off", "stuck", "rollback 2", "flush", "cancel"]
)
def test_everybody_agrees_at_last(fault: str) -> None:
    """A client that comes later, here or elsewhere, receives the end that the store has."""
    for outcome in outcomes(fault, "here"):
        assert outcome.producer == outcome.late.end
