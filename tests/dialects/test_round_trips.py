"""Encoding and decoding any answer returns the same answer, in each dialect."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from tests.matrix.cases import heard, split
from tokenwire.dialects import DIALECTS
from tokenwire.events import Content, Event, Finish, Reasoning, Start, ToolCall, Usage

# What every dialect supports: text, reasoning, calls, a reason, counts. No lone surrogates.
TEXT = some.text(some.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
COUNT = some.integers(0, 10**6)


@some.composite
def calls(draw: some.DrawFn) -> list[Event]:
    """Draw up to three tool calls with arguments in pieces, possibly interleaved."""
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
    """Draw one complete answer."""
    thoughts: list[Event] = [Reasoning(text) for text in draw(some.lists(TEXT, max_size=3))]
    texts: list[Event] = [Content(text) for text in draw(some.lists(TEXT, max_size=5))]
    called = draw(calls())
    reason = "tool_calls" if called else draw(some.sampled_from(["stop", "length"]))
    read, result = draw(COUNT), draw(COUNT)
    usage = Usage(read, result, draw(some.integers(0, read)), draw(some.integers(0, result)))
    return [*thoughts, *texts, *called, Finish(reason), usage]


@pytest.mark.parametrize("dialect", DIALECTS)
@settings(max_examples=150, deadline=None)
@given(answer=answers())
def test_nothing_is_lost(dialect: str, answer: list[Event]) -> None:
    """An answer that is encoded, split and decoded is the same."""
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
def test_complete_answers_fold(dialect: str, answer: list[Event]) -> None:
    """The folded answer has the complete text."""
    encoder = DIALECTS[dialect].encoder()
    blocks = encoder.encode(Start("st_1", "model-x", 1763700000))
    for event in answer:
        blocks += encoder.encode(event)
    full: Any = DIALECTS[dialect].fold([*blocks, *encoder.end()])
    result = heard(answer)
    texts: dict[str, Callable[[], str]] = {
        "chat": lambda: full["choices"][0]["message"]["content"] or "",
        "messages": lambda: "".join(b["text"] for b in full["content"] if b["type"] == "text"),
        "responses": lambda: "".join(
            part["text"]
            for item in full["output"]
            if item["type"] == "message"
            for part in item["content"]
        ),
    }
    assert texts[dialect]() == result.text
