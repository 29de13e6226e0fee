"""Repair of chunks without required fields, and of repeated usage."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.fakes.framing import framed
from tests.fakes.upstream import DONE, ROLE, STOP, chunk, complete, text, usage
from tests.streams.test_pump import held, sends
from tokenwire.dialects.chat import DIALECT
from tokenwire.dialects.chat.repair import ChatRepair, reason_of
from tokenwire.errors import UpstreamError
from tokenwire.sse import data_of
from tokenwire.streams.blocks import Bounds
from tokenwire.streams.deadline import Timeouts
from tokenwire.streams.facts import Facts
from tokenwire.streams.pump import Pump, Source
from tokenwire.streams.tail import Tail


def block(body: dict[str, Any]) -> bytes:
    """Return one block with this object."""
    return b"data: " + json.dumps(body).encode() + b"\n\n"


def mended(*blocks: bytes) -> list[Any]:
    """Return the logged objects of a stream, including its rest."""
    repair = ChatRepair()
    kept = [found for each in blocks if (found := repair.block(each))] + repair.rest()
    return [json.loads(data_of(each) or b"") for each in kept]


async def pumped(*pieces: bytes) -> bytes:
    """Return the log of a stream."""
    tail = Tail(Bounds())
    source = Source(framed(sends(*pieces)), DIALECT.decoder(), repair=DIALECT.repair())
    await Pump(source, tail, Facts(), Timeouts()).run()
    return held(tail)


async def test_openai_s_own_chunks_pass_untouched() -> None:
    """A stream that fits the schema is not changed."""
    sent = b"".join(complete("Hel", "lö"))
    assert await pumped(sent) + DONE == sent


async def test_what_is_missing_is_filled_in() -> None:
    """A missing id, object, date, index and finish reason are added, for strictly typed clients."""
    log = await pumped(
        block({"choices": [{"delta": {"role": "assistant"}}]}),
        block({"id": None, "created": "x", "choices": [{"delta": {"content": "a"}}]}),
        block({"model": "m", "choices": [{"delta": None, "finish_reason": "stop"}]}),
        DONE,
    )
    first, second, last = (json.loads(b[6:]) for b in log.split(b"\n\n") if b)
    assert first["id"].startswith("chatcmpl-")
    assert {first["id"]} == {second["id"], last["id"]}
    assert [each["object"] for each in (first, last)] == ["chat.completion.chunk"] * 2
    assert (first["created"], first["model"], last["model"]) == (0, "", "m")
    assert second["choices"] == [{"index": 0, "delta": {"content": "a"}, "finish_reason": None}]
    assert last["choices"] == [{"index": 0, "delta": {}, "finish_reason": "stop"}]


async def test_head_is_taken_from_the_first_chunk() -> None:
    """Later chunks without an id get the id of the stream."""
    log = await pumped(
        ROLE, text("a"), block({"choices": [{"delta": {"content": "b"}}]}), STOP, DONE
    )
    assert log.count(b'"id":"chatcmpl-1"') == 4
    assert log.count(b'"model":"gpt-x"') == 4


COUNTS = {"prompt_tokens": 1, "completion_tokens": 9, "total_tokens": 10}


async def test_usage_is_kept_once_and_last() -> None:
    """Running totals in chunks with choices become one chunk before the terminator."""
    totals = [chunk({"content": "a"}, usage={**COUNTS, "completion_tokens": n}) for n in (1, 2)]
    log = await pumped(ROLE, *totals, chunk(finish="stop", usage=COUNTS), DONE)
    *chunks, counted = (json.loads(b[6:]) for b in log.split(b"\n\n") if b)
    assert [each["usage"] for each in chunks] == [None] * 4
    assert (counted["choices"], counted["usage"]) == ([], COUNTS)
    assert counted["id"] == "chatcmpl-1"


async def test_usage_before_the_finish_comes_last() -> None:
    """Usage is last, from any position; a valid usage chunk keeps its bytes."""
    assert await pumped(ROLE, usage(), STOP, usage(7, 8), DONE) == ROLE + STOP + usage(7, 8)


async def test_usage_without_a_terminator() -> None:
    """Usage is logged even if the server sends no [DONE]."""
    assert await pumped(ROLE, usage(), STOP) == ROLE + STOP + usage()


@pytest.mark.parametrize(
    ("payload", "counts"),
    [
        ({"prompt_tokens": "3", "completion_tokens": 2.0}, (3, 2, 5)),
        ({"prompt_tokens": 3, "total_tokens": 3, "completion_tokens": None}, (3, 0, 3)),
        ({"prompt_tokens": [], "completion_tokens": "x", "prompt_tokens_details": None}, (0, 0, 0)),
    ],
)
def test_counts_are_integers(payload: dict[str, Any], counts: tuple[int, int, int]) -> None:
    """Strings, fractions and missing values become the three counts that the schema requires."""
    (found,) = mended(chunk(choices=[], usage=payload))
    assert (
        tuple(found["usage"][f"{of}_tokens"] for of in ("prompt", "completion", "total")) == counts
    )
    assert None not in found["usage"].values()


@pytest.mark.parametrize(
    ("reason", "calls", "expected"),
    [
        (None, False, None),
        ("", False, None),
        ("stop", True, "stop"),
        ("MAX_TOKENS", False, "length"),
        ("model_length", False, "length"),
        ("safety", False, "content_filter"),
        ("later_reason", False, "stop"),
        ("later_reason", True, "tool_calls"),
    ],
)
def test_finish_reasons_are_openai_s(reason: str | None, calls: bool, expected: str | None) -> None:
    """An unknown finish reason becomes tool_calls after a call, else stop."""
    assert reason_of(reason, has_calls=calls) == expected
    call = {"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f"}}]}
    found = mended(chunk(call if calls else {"content": "x"}), chunk(finish=reason))
    assert found[-1]["choices"][0]["finish_reason"] == expected


def test_tool_calls_are_numbered() -> None:
    """If the server omits the index, a new id starts a new call."""
    pieces = [{"id": "a"}, {"id": None}, {"id": "b"}, {"id": "a"}, {"index": 7}]
    found = mended(*(chunk({"tool_calls": [piece]}) for piece in pieces))
    assert [each["choices"][0]["delta"]["tool_calls"][0]["index"] for each in found] == [
        0,
        0,
        1,
        0,
        7,
    ]


def test_lists_of_parts_become_texts() -> None:
    """Mistral's lists of parts become strings, with the usual name for reasoning."""
    thinking = {"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}, 5]}
    deltas = [[thinking], [{"type": "text", "text": "a"}, thinking], [{"type": "later"}]]
    found = mended(*(chunk({"content": content}) for content in deltas))
    assert [each["choices"][0]["delta"] for each in found] == [
        {"reasoning_content": "Hm"},
        {"content": "a", "reasoning_content": "Hm"},
        {"content": ""},
    ]


def test_numbers_that_are_none_become_null() -> None:
    """``NaN`` becomes null: it is not JSON, and some clients fail on it."""
    odd = text("x").replace(b'"logprobs":null', b'"logprobs":NaN')
    (found,) = mended(odd)
    assert found["choices"][0]["logprobs"] is None


def test_garbage_is_malformed() -> None:
    """A block that is not a chunk is an upstream error, as in the decoder."""
    with pytest.raises(UpstreamError):
        ChatRepair().block(b"data: [\n\n")
