"""Conversion of Converse streams to Messages streams: each block is started and stopped once."""

from __future__ import annotations

import json
from typing import Any

import anthropic
import pytest

from tests.fakes.upstream import Upstream
from tests.matrix.cases import heard, split
from tokenwire.dialects import DIALECTS
from tokenwire.errors import UpstreamError
from tokenwire.events import Error, Event, Finish, Usage
from tokenwire.providers.bedrock.decode import ConverseReader
from tokenwire.sse import data_of

START = ("messageStart", {"role": "assistant"})
TEXT = ("contentBlockDelta", {"contentBlockIndex": 2, "delta": {"text": "Hi"}})
STOP = ("messageStop", {"stopReason": "end_turn"})
COUNTS = {"inputTokens": 7, "outputTokens": 3, "cacheReadInputTokens": 2}
METADATA = ("metadata", {"usage": {**COUNTS, "cacheWriteInputTokens": 5}})


def closed(index: int) -> tuple[str, Any]:
    """The end of a block."""
    return ("contentBlockStop", {"contentBlockIndex": index})


def called(index: int, call: str, **more: Any) -> tuple[str, Any]:
    """The beginning of a tool call."""
    tool = {"toolUseId": call, "name": "f", **more}
    return ("contentBlockStart", {"contentBlockIndex": index, "start": {"toolUse": tool}})


def argued(index: int, arguments: str) -> tuple[str, Any]:
    """A piece of a tool call."""
    delta = {"toolUse": {"input": arguments}}
    return ("contentBlockDelta", {"contentBlockIndex": index, "delta": delta})


def redacted(index: int, data: str) -> tuple[str, Any]:
    """A piece of hidden thinking."""
    delta = {"reasoningContent": {"redactedContent": data}}
    return ("contentBlockDelta", {"contentBlockIndex": index, "delta": delta})


def read(*events: tuple[str, Any], one_call: bool = False) -> bytes:
    """What a reader makes of these events."""
    reader = ConverseReader("r1", "m", one_call=one_call)
    result = [reader.read(kind, json.dumps(payload).encode()) for kind, payload in events]
    return b"".join(result) + reader.close()


def reported(blocks: bytes) -> list[Any]:
    """The JSON of each block."""
    return [json.loads(data_of(block) or b"{}") for block in split(blocks)]


def decoded(blocks: bytes) -> list[Event]:
    """The typed events."""
    decoder = DIALECTS["messages"].decoder()
    return [event for block in split(blocks) for event in decoder.decode(block)]


def test_block_without_content_is_skipped() -> None:
    """An empty block is skipped, and later blocks are numbered without a gap."""
    reported_events = reported(read(START, closed(0), closed(1), TEXT, closed(2), STOP))
    blocks = [(event["type"], event["index"]) for event in reported_events if "index" in event]
    assert blocks == [
        ("content_block_start", 0),
        ("content_block_delta", 0),
        ("content_block_stop", 0),
    ]


async def test_block_without_content_reads_in_the_sdk(provider: Upstream) -> None:
    """anthropic-python, which appends blocks and looks them up by number, can read the answer."""
    provider.answer(read(START, closed(0), TEXT, closed(2), STOP, METADATA))
    base_url = provider.base_url.removesuffix("/v1")
    async with (
        anthropic.AsyncAnthropic(api_key="k", base_url=base_url, max_retries=0) as client,
        client.messages.stream(
            model="m", max_tokens=9, messages=[{"role": "user", "content": "x"}]
        ) as stream,
    ):
        message = await stream.get_final_message()
    (block,) = message.content
    assert block.type == "text"
    assert (block.text, message.stop_reason) == ("Hi", "end_turn")


def test_message_has_an_id_of_its_own() -> None:
    """A missing request id is replaced by a generated one."""
    ids = set()
    for _ in range(2):
        (start,) = reported(ConverseReader("", "m").read("messageStart", b"{}"))
        ids.add(start["message"]["id"])
    assert len(ids) == 2
    assert all(len(message_id) > len("msg_") for message_id in ids)


def test_redacted_pieces_are_one_block() -> None:
    """Pieces of redacted thinking are joined as bytes and encoded as one block."""
    (start, stop, *_) = reported(read(redacted(0, "YQ=="), redacted(0, "YmM="), closed(0)))
    assert start["content_block"] == {"type": "redacted_thinking", "data": "YWJj"}
    assert stop == {"type": "content_block_stop", "index": 0}


def test_what_was_left_open_is_closed() -> None:
    """A block without a stop event is stopped at the end."""
    kinds = [event["type"] for event in reported(read(START, redacted(0, "YQ=="), TEXT, STOP))]
    assert kinds.count("content_block_start") == kinds.count("content_block_stop") == 2
    assert kinds[-2:] == ["message_delta", "message_stop"]


def test_second_call_is_left_out() -> None:
    """If parallel calls are disabled, only the first call is sent."""
    calls = (called(0, "c1"), argued(0, "{}"), closed(0), called(1, "c2"), argued(1, "{}"))
    stream = (START, *calls, closed(1), ("messageStop", {"stopReason": "tool_use"}))
    assert [call[0] for call in heard(decoded(read(*stream))).calls] == ["c1", "c2"]
    only = read(*stream, one_call=True)
    assert [call[0] for call in heard(decoded(only)).calls] == ["c1"]
    assert [event["index"] for event in reported(only) if "index" in event] == [0, 0, 0]


def test_server_tools_are_not_the_callers() -> None:
    """A call of a tool that Bedrock runs is not a tool call for the caller."""
    blocks = read(START, called(0, "s1", type="server_tool_use"), closed(0), TEXT, STOP)
    assert heard(decoded(blocks)).calls == ()
    assert reported(blocks)[1]["content_block"]["type"] == "server_tool_use"


@pytest.mark.parametrize(
    ("reason", "events", "finish"),
    [
        ("end_turn", (TEXT,), "stop"),
        ("content_filtered", (TEXT,), "content_filter"),
        ("model_context_window_exceeded", (TEXT,), "length"),
        ("later", (TEXT,), "stop"),
        ("later", (called(0, "c"), argued(0, "{}")), "tool_calls"),
    ],
)
def test_reasons(reason: str, events: tuple[Any, ...], finish: str) -> None:
    """An unknown stop reason is not a content filter, and is tool_use after a call."""
    found = decoded(read(START, *events, ("messageStop", {"stopReason": reason})))
    assert [event.reason for event in found if isinstance(event, Finish)] == [finish]


@pytest.mark.parametrize("reason", ["malformed_model_output", "malformed_tool_use"])
def test_unreadable_answer_is_an_error(reason: str) -> None:
    """Model output that Bedrock could not parse is an error, not a complete answer."""
    blocks = read(START, TEXT, ("messageStop", {"stopReason": reason}), METADATA)
    assert isinstance(decoded(blocks)[-1], Error)
    assert b"message_stop" not in blocks


def test_cache_writes_are_counted() -> None:
    """Tokens written to a cache are part of the input and are counted separately."""
    usages = [e for e in decoded(read(START, TEXT, STOP, METADATA)) if isinstance(e, Usage)]
    assert usages[-1] == Usage(14, 3, cached_tokens=2, cache_write_tokens=5)


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("contentBlockDelta", b'{"contentBlockIndex": "x"}'),
        ("contentBlockDelta", b'{"contentBlockIndex": 0, "delta": []}'),
        ("contentBlockDelta", b'{"delta": {"toolUse": {"input": "{}"}}}'),
        ("contentBlockDelta", b'{"delta": {"reasoningContent": {"redactedContent": "!"}}}'),
        ("metadata", b'{"usage": {"inputTokens": "many"}}'),
        ("messageStop", b"nonsense"),
    ],
)
def test_what_is_not_converse(kind: str, payload: bytes) -> None:
    """An event with wrong types is an upstream error."""
    with pytest.raises(UpstreamError) as caught:
        ConverseReader("r", "m").read(kind, payload)
    assert caught.value.code == "upstream_malformed"
