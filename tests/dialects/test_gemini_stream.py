"""Gemini's streams: reasons, calls and their signatures, counts, bounds."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.matrix.cases import heard, split
from tokenwire.dialects import DIALECTS
from tokenwire.errors import UpstreamError
from tokenwire.events import Error, Event, Reasoning, Start, Usage
from tokenwire.providers.gemini.decode import GeminiReader
from tokenwire.sse import MAX_BLOCK

CALL = {"functionCall": {"name": "f", "args": {"a": 1}}}


def chunk(*parts: Any, finish: str | None = None, **more: Any) -> bytes:
    """Return one chunk of an answer."""
    candidate = {"content": {"parts": list(parts)}, "finishReason": finish}
    return b"data: " + json.dumps({"candidates": [candidate], **more}).encode() + b"\r\n\r\n"


def read(*chunks: bytes, one_call: bool = False) -> list[Event]:
    """Return the typed events of these chunks."""
    reader = GeminiReader("gemini-x", one_call=one_call)
    blocks = b"".join(block for chunk in chunks for block in reader.feed(chunk)) + reader.close()
    decoder = DIALECTS["messages"].decoder()
    return [event for block in split(blocks) for event in decoder.decode(block)]


@pytest.mark.parametrize(
    ("part", "reason", "finish"),
    [
        ({"text": "a"}, "STOP", "stop"),
        ({"text": "a"}, "MAX_TOKENS", "length"),
        ({"text": "a"}, "SPII", "content_filter"),
        ({"text": "a"}, "OTHER", "stop"),
        ({"text": "a"}, "FROM_A_LATER_VERSION", "stop"),
        (CALL, "STOP", "tool_calls"),
        (CALL, "FROM_A_LATER_VERSION", "tool_calls"),
    ],
)
def test_reasons(part: dict[str, Any], reason: str, finish: str) -> None:
    """Only filter reasons become content_filter; an unknown reason after a call does not."""
    assert heard(read(chunk(part, finish=reason))).finish == finish


@pytest.mark.parametrize("reason", ["MALFORMED_FUNCTION_CALL", "MISSING_THOUGHT_SIGNATURE"])
def test_unreadable_answer_is_an_error(reason: str) -> None:
    """Model output that Google could not parse is an error, not a complete answer."""
    events = read(chunk({"text": "a"}), chunk(finish=reason))
    assert isinstance(events[-1], Error)


def test_calls_have_ids_of_their_own() -> None:
    """A call without an id gets a unique generated one."""
    first, second = (heard(read(chunk(CALL, CALL, finish="STOP"))).calls for _ in range(2))
    assert len({call[0] for call in (*first, *second)}) == 4


def test_second_call_is_left_out() -> None:
    """If parallel calls are disabled, only the first call and its signature are sent."""
    signed = {**CALL, "thoughtSignature": "s1"}
    events = read(chunk(signed, {**CALL, "thoughtSignature": "s2"}, finish="STOP"), one_call=True)
    assert len(heard(events).calls) == 1
    assert [e.signature for e in events if isinstance(e, Reasoning)] == ["google:s1"]


def test_message_has_an_id_of_its_own() -> None:
    """A missing response id is replaced by a generated one."""
    starts = [read(chunk({"text": "a"}))[0] for _ in range(2)]
    ids = {event.id for event in starts if isinstance(event, Start)}
    assert len(ids) == 2
    assert all(len(message_id) > len("msg_") for message_id in ids)


def test_counts() -> None:
    """Reasoning counts as output, tool prompts of Google as input."""
    counts = {
        "promptTokenCount": 10,
        "toolUsePromptTokenCount": 4,
        "candidatesTokenCount": 3,
        "thoughtsTokenCount": 2,
        "cachedContentTokenCount": 6,
    }
    events = read(chunk({"text": "a"}, finish="STOP", usageMetadata=counts))
    usages = [event for event in events if isinstance(event, Usage)]
    assert usages[-1] == Usage(14, 5, cached_tokens=6, reasoning_tokens=2)


@pytest.mark.parametrize(
    "data",
    [
        b"data: nonsense\n\n",
        b'data: {"candidates": 5}\n\n',
        b'data: {"candidates": [{"content": "x"}]}\n\n',
        b'data: {"candidates": [{"content": {"parts": [{"functionCall": "x"}]}}]}\n\n',
        b"data: " + b"x" * (MAX_BLOCK + 1),
    ],
)
def test_what_is_not_gemini(data: bytes) -> None:
    """A chunk with wrong types, or one that is too large, is an upstream error without retry."""
    with pytest.raises(UpstreamError) as caught:
        list(GeminiReader("m").feed(data))
    assert (caught.value.code, caught.value.retryable) == ("upstream_malformed", False)
