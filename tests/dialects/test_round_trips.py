"""Any answer that a dialect can say comes back from it as it was: property-tested."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from tests.matrix.cases import heard, split
from tokenwire.dialects import DIALECTS
from tokenwire.events import Content, Event, Finish, Reasoning, Start, ToolCall, Usage

# What every dialect promises: text, thinking, calls, a reason, counts. A lone surrogate is no text.
TEXT = some.text(some.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
COUNT = some.integers(0, 10**6)


@some.composite
def calls(draw: some.DrawFn) -> list[Event]:
    """Up to three tool calls, their arguments in pieces; parallel ones may come mixed."""
    found: list[Event] = []
    number = draw(some.integers(0, 3))
    for call in range(number):
        found.append(ToolCall(call, f"call_{call}", draw(some.sampled_from(["f", "weather"]))))
    pieces = [
        [ToolCall(call, arguments=part) for part in ('{"a":', " 1", "}")] for call in range(number)
    ]
    while any(pieces):
        turn = draw(some.integers(0, number - 1))
        if pieces[turn]:
            found.append(pieces[turn].pop(0))
    return found


@some.composite
def answers(draw: some.DrawFn) -> list[Event]:
    """One whole answer."""
    thoughts: list[Event] = [Reasoning(text) for text in draw(some.lists(TEXT, max_size=3))]
    texts: list[Event] = [Content(text) for text in draw(some.lists(TEXT, max_size=5))]
    called = draw(calls())
    reason = "tool_calls" if called else draw(some.sampled_from(["stop", "length"]))
    read, said = draw(COUNT), draw(COUNT)
    usage = Usage(read, said, draw(some.integers(0, read)), draw(some.integers(0, said)))
    return [*thoughts, *texts, *called, Finish(reason), usage]


@pytest.mark.parametrize("dialect", DIALECTS)
@settings(max_examples=150, deadline=None)
@given(answer=answers())
def test_nothing_is_lost(dialect: str, answer: list[Event]) -> None:
    """Encoded, cut into blocks, and decoded again, it is the same answer."""
    encoder, decoder = DIALECTS[dialect].encoder(), DIALECTS[dialect].decoder()
    blocks = encoder.encode(Start("st_1", "model-x", 1763700000))
    for event in answer:
        blocks += encoder.encode(event)
    blocks += encoder.end()
    back = [event for block in split(b"".join(blocks)) for event in decoder.decode(block)]
    assert heard(back) == heard(answer)
    if dialect == "responses":
        assert blocks.pop() == b"data: [DONE]\n\n"  # after its own terminator
    assert decoder.ends(blocks[-1])
    assert not any(decoder.ends(block) for block in blocks[:-1])


@pytest.mark.parametrize("dialect", ["chat", "messages", "responses"])
@settings(max_examples=60, deadline=None)
@given(answer=answers())
def test_whole_answers_fold(dialect: str, answer: list[Event]) -> None:
    """The folded answer has all of the text, whatever the pieces were."""
    encoder = DIALECTS[dialect].encoder()
    blocks = encoder.encode(Start("st_1", "model-x", 1763700000))
    for event in answer:
        blocks += encoder.encode(event)
    whole: Any = DIALECTS[dialect].fold([*blocks, *encoder.end()])
    said = heard(answer)
    texts: dict[str, Callable[[], str]] = {
        "chat": lambda: whole["choices"][0]["message"]["content"] or "",
        "messages": lambda: "".join(b["text"] for b in whole["content"] if b["type"] == "text"),
        "responses": lambda: "".join(
            part["text"]
            for item in whole["output"]
            if item["type"] == "message"
            for part in item["content"]
        ),
    }
    assert texts[dialect]() == said.text
