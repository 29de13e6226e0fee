"""Google's signatures on tool calls, in responses and requests of every dialect.

Gemini 3 and later refuse a turn's tool call that comes back without its signature
(https://ai.google.dev/gemini-api/docs/thought-signatures). OpenAI's Chat API has no field for it;
Google's compatible endpoint puts it into ``tool_calls[].extra_content``, and clients echo that.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.matrix.cases import split
from tokenwire.dialects import DIALECTS
from tokenwire.dialects.protocol import ParsedRequest
from tokenwire.dialects.signatures import SKIP
from tokenwire.events import Reasoning, ToolCall
from tokenwire.providers.gemini.decode import GeminiReader
from tokenwire.providers.gemini.request import request as to_gemini
from tokenwire.providers.messages_from_chat import from_chat
from tokenwire.providers.openai.bodies import as_it_is, for_google, for_openai
from tokenwire.sse import data_of

CALL = {"functionCall": {"name": "f", "args": {"a": 1}, "id": "c"}, "thoughtSignature": "c2ln"}
CHUNK = {"candidates": [{"content": {"parts": [CALL]}, "finishReason": "STOP"}]}
EXTRA = {"google": {"thought_signature": "c2ln"}}
PLAIN = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
TOOLS = [{"type": "function", "function": {"name": "f"}}]


def from_gemini() -> list[bytes]:
    """Return the blocks of a Gemini answer with a signed call."""
    reader = GeminiReader("gemini-3-pro")
    data = b"data: " + json.dumps(CHUNK).encode() + b"\n\n"
    return split(b"".join(reader.feed(data)) + reader.close())


def answer(dialect: str) -> Any:
    """Encode the complete answer in a dialect."""
    decoder, encoder = DIALECTS["messages"].decoder(), DIALECTS[dialect].encoder()
    events = [event for block in from_gemini() for event in decoder.decode(block)]
    blocks = [block for event in events for block in encoder.encode(event)]
    return DIALECTS[dialect].fold([*blocks, *encoder.end()])


def sent_back(chat: Any) -> Any:
    """Return the model's parts in the next request to Gemini."""
    messages = from_chat({**chat, "tools": TOOLS}, "m")
    return to_gemini(messages, "gemini-3-pro")["contents"][1]["parts"]


SIGNED = [{"functionCall": {"id": "c", "name": "f", "args": {"a": 1}}, "thoughtSignature": "c2ln"}]


def test_chat_carries_it() -> None:
    """The first piece of a call has the signature in ``extra_content``, and requests return it."""
    message = answer("chat")["choices"][0]["message"]
    assert message["tool_calls"][0]["extra_content"] == EXTRA
    assert not message.get("reasoning_content")
    result = {"role": "tool", "tool_call_id": "c", "content": "ok"}
    chat = {"messages": [{"role": "user", "content": "Hi"}, message, result]}
    assert sent_back(chat) == SIGNED


def test_messages_carry_it() -> None:
    """A thinking block before the call has the signature, and requests return it."""
    message = answer("messages")
    result = {"type": "tool_result", "tool_use_id": "c", "content": "ok"}
    turns = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": message["content"]},
        {"role": "user", "content": [result]},
    ]
    body = {"model": "m", "max_tokens": 9, "messages": turns}
    assert to_gemini(body, "gemini-3-pro")["contents"][1]["parts"] == SIGNED
    assert sent_back(DIALECTS["messages"].to_chat(body)) == SIGNED


def test_responses_carry_it() -> None:
    """A reasoning item before the call has the signature, and requests return it."""
    output = answer("responses")["output"]
    result = {"type": "function_call_output", "call_id": "c", "output": "ok"}
    body = {"model": "m", "input": [{"role": "user", "content": "Hi"}, *output, result]}
    request = DIALECTS["responses"].parse(body)
    assert sent_back(DIALECTS["responses"].to_chat(request.body)) == SIGNED


def test_compatible_endpoint_is_understood() -> None:
    """Signatures from Google's Chat endpoint are decoded for other dialects."""
    call = {
        "index": 0,
        "id": "c",
        "type": "function",
        "function": {"name": "f", "arguments": "{}"},
        "extra_content": EXTRA,
    }
    chunk = {
        "id": "x",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "delta": {"tool_calls": [call]}, "finish_reason": None}],
    }
    decoder = DIALECTS["chat"].decoder()
    events = decoder.decode(b"data: " + json.dumps(chunk).encode() + b"\n\n")
    assert Reasoning("", signature="google:c2ln") in events
    assert [event.id for event in events if isinstance(event, ToolCall)] == ["c"]


@pytest.mark.parametrize("extra", [None, {}, {"google": {}}, {"google": {"thought_signature": 5}}])
def test_other_extra_content_is_none(extra: Any) -> None:
    """Other values are not signatures."""
    call = {"id": "c", "function": {"name": "f", "arguments": "{}"}, "extra_content": extra}
    turns = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": "ok"},
    ]
    blocks = from_chat({"messages": turns}, "m")["messages"][1]["content"]
    assert [block["type"] for block in blocks] == ["tool_use"]


def test_openai_does_not_get_it() -> None:
    """OpenAI gets no signature field, which it would refuse, unless the caller itself sent it."""
    message = {"role": "assistant", "tool_calls": [{**PLAIN, "extra_content": EXTRA}]}
    request = ParsedRequest("m", True, {"messages": [message]}, translated=True)
    assert for_openai(request, "m") == {"messages": [{**message, "tool_calls": [PLAIN]}]}
    limited = replace(request, body={"messages": [], "max_tokens": 9})
    assert for_openai(limited, "m") == {"messages": [], "max_completion_tokens": 9}
    own = replace(request, translated=False)
    assert for_openai(own, "m") is as_it_is(own, "m") is own.body


def test_googles_chat_endpoint_gets_one() -> None:
    """The first call of a turn without signatures gets Google's value, for newer models only."""
    signed = {"role": "assistant", "tool_calls": [{**PLAIN, "extra_content": EXTRA}, PLAIN]}
    dropped = {"role": "assistant", "tool_calls": [PLAIN, PLAIN]}
    user = {"role": "user", "content": "x"}
    request = ParsedRequest("m", True, {"messages": [user, signed, dropped]})
    marked = {**PLAIN, "extra_content": {"google": {"thought_signature": SKIP}}}
    assert for_google(request, "gemini-3-pro")["messages"] == [
        user,
        signed,
        {"role": "assistant", "tool_calls": [marked, PLAIN]},
    ]
    assert for_google(request, "gemini-2.5-pro") is request.body


def test_anthropics_signatures_are_not_googles() -> None:
    """A call after Claude's signed thinking has no signature in Chat."""
    encoder = DIALECTS["chat"].encoder()
    encoder.encode(Reasoning("", signature="claudes"))
    (block,) = encoder.encode(ToolCall(0, "c", "f", "{}"))
    assert b"extra_content" not in block
    assert json.loads(data_of(block) or b"")["choices"][0]["delta"]["tool_calls"]
