"""Encoding and folding take linear work."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, ClassVar

import pytest

from tests.fakes.work import allocated, calls
from tokenwire.dialects import DIALECTS
from tokenwire.dialects.chat.decode import ChatDecoder, _ToolCall
from tokenwire.dialects.chat.fold import fold as chat_fold
from tokenwire.dialects.messages.fold import fold as messages_fold
from tokenwire.events import Citation, Content, Event, Finish, Reasoning, Start, ToolCall

# Quadratic work is at least 3.5 times as much for twice the stream.
_DOUBLE = 2.6
_PIECE = "x" * 500

EVENTS: dict[str, Callable[[int], Event]] = {
    "text": lambda _: Content(_PIECE),
    "refusal": lambda _: Content(_PIECE, refusal=True),
    "reasoning": lambda _: Reasoning(_PIECE),
    "arguments": lambda n: ToolCall(0, "c", "f", " " * 500 if n else "{}"),
    "calls": lambda n: ToolCall(n, f"call_{n}", "f", "{}"),
    "citations": lambda n: (Content(_PIECE), Citation(f"https://a.test/{n}", "t", _PIECE))[n % 2],
    "kinds": lambda n: (Content("x"), Reasoning("y"), Content("z", refusal=True))[n % 3],
}


def stream(kind: str, count: int) -> list[Event]:
    """Return a stream with this number of events of one type."""
    pieces = map(EVENTS[kind], range(count))
    return [Start("st_1", "m"), *pieces, Finish("stop")]


def encoded(dialect: str, events: Iterable[Event]) -> list[bytes]:
    """Encode the complete stream in a dialect."""
    encoder = DIALECTS[dialect].encoder()
    blocks = [block for event in events for block in encoder.encode(event)]
    return [*blocks, *encoder.end()]


@pytest.mark.parametrize("kind", EVENTS)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_encoding_allocates_in_proportion(dialect: str, kind: str) -> None:
    """No encoder copies its earlier output for each event."""

    def work(count: int) -> int:
        return allocated(lambda events: encoded(dialect, events), stream(kind, count))

    assert work(600) < _DOUBLE * work(300)


@pytest.mark.parametrize("kind", EVENTS)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_folding_allocates_in_proportion(dialect: str, kind: str) -> None:
    """No fold copies its earlier result for each block."""

    def work(count: int) -> int:
        return allocated(DIALECTS[dialect].fold, encoded(dialect, stream(kind, count)))

    assert work(600) < _DOUBLE * work(300)


@pytest.mark.parametrize("kind", EVENTS)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_folding_steps_in_proportion(dialect: str, kind: str) -> None:
    """No fold searches its earlier result for each block."""

    def work(count: int) -> int:
        blocks = encoded(dialect, stream(kind, count))
        return calls(lambda: DIALECTS[dialect].fold(blocks))

    assert work(600) < _DOUBLE * work(300)


def chat(count: int, delta: Callable[[int], Any]) -> list[bytes]:
    """Return chunks with these deltas."""
    chunks = ({"choices": [{"index": 0, "delta": delta(n)}]} for n in range(count))
    return [b"data: %b\n\n" % json.dumps(chunk).encode() for chunk in chunks]


ODD_DELTAS: dict[str, Callable[[int], Any]] = {
    "calls that interleave": lambda n: {
        "tool_calls": [{"index": n // 2, "id": f"c{n // 2}", "function": {"arguments": "{}"}}]
    },
    "calls without index": lambda n: {"tool_calls": [{"id": f"c{n}", "function": {}}]},
    "parts, then text": lambda n: {"content": _PIECE if n else [{"type": "text", "text": "a"}]},
    "an unknown text": lambda _: {"x": {"y": _PIECE}},
    "an unknown object that grows": lambda n: {"x": {f"k{n}": "v"}},
    "a name in every piece": lambda _: {"role": "assistant", "content": _PIECE},
}


@pytest.mark.parametrize("kind", ODD_DELTAS)
@pytest.mark.parametrize("measure", [calls, allocated])
def test_odd_chunks_fold_in_proportion(kind: str, measure: Callable[..., int]) -> None:
    """Shapes that tokenwire's encoders do not write are folded in linear work too."""

    def work(count: int) -> int:
        blocks = chat(count, ODD_DELTAS[kind])
        if measure is calls:
            return calls(lambda: chat_fold(blocks))
        return allocated(chat_fold, blocks)

    assert work(600) < _DOUBLE * work(300)


class Compared(str):
    """A string that counts comparisons."""

    __slots__ = ()
    compared: ClassVar[int] = 0

    def __eq__(self, other: object) -> bool:
        Compared.compared += 1
        return str.__eq__(self, other)

    __hash__ = str.__hash__


def test_calls_are_numbered_in_proportion() -> None:
    """Calls without an index are identified without comparing each with all others."""
    decoder = ChatDecoder()
    Compared.compared = 0

    for n in range(500):
        call = _ToolCall(id=Compared(f"call_{n}"))
        assert decoder._position(call, 0) == n

    assert Compared.compared < 1000


def chunk_heads(count: int) -> list[bytes]:
    """Chunks whose usage has a new field each time."""
    heads = ({"choices": [], "usage": {f"k{n}": _PIECE}} for n in range(count))
    return [b"data: %b\n\n" % json.dumps(head).encode() for head in heads]


def message_ends(count: int) -> list[bytes]:
    """``message_delta`` events whose usage has a new field each time."""
    start: list[dict[str, Any]] = [{"type": "message_start", "message": {"usage": {}}}]
    ends = ({"type": "message_delta", "delta": {}, "usage": {f"k{n}": 1}} for n in range(count))
    return [b"data: %b\n\n" % json.dumps(each).encode() for each in itertools.chain(start, ends)]


def message_citations(count: int) -> list[bytes]:
    """One block of text with a citation in every event."""

    def events() -> Iterator[dict[str, Any]]:
        yield {"type": "message_start", "message": {}}
        yield {"type": "content_block_start", "index": 0, "content_block": {"type": "text"}}
        for n in range(count):
            delta = {"type": "citations_delta", "citation": {"n": n}}
            yield {"type": "content_block_delta", "index": 0, "delta": delta}

    return [b"data: %b\n\n" % json.dumps(event).encode() for event in events()]


@pytest.mark.parametrize(
    ("fold", "blocks"),
    [(chat_fold, chunk_heads), (messages_fold, message_ends), (messages_fold, message_citations)],
)
def test_growing_fields_fold_in_proportion(
    fold: Callable[[Iterable[bytes]], Any], blocks: Callable[[int], list[bytes]]
) -> None:
    """Objects and lists that grow with every block are not copied each time."""

    def work(count: int) -> int:
        return allocated(fold, blocks(count))

    assert work(2000) < _DOUBLE * work(1000)
