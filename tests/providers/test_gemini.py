"""Gemini's native API: what its compatible endpoint leaves out, as the Messages API has it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.fakes.upstream import Upstream
from tests.matrix.cases import CASES, answer, heard, meaning, recording, split
from tests.providers.test_openai import FixedKey
from tokenwire.dialects import DIALECTS
from tokenwire.dialects.protocol import ParsedRequest
from tokenwire.errors import UpstreamError
from tokenwire.events import Citation, Error, Reasoning
from tokenwire.providers.config import Config
from tokenwire.providers.gemini.decode import GeminiReader
from tokenwire.providers.gemini.provider import API
from tokenwire.providers.native import Native

ASK = ParsedRequest("m", True, {"model": "m", "messages": [{"role": "user", "content": "Hi"}]})


def decoded(blocks: bytes) -> list[Any]:
    """The typed events of a Messages stream."""
    decoder = DIALECTS["messages"].decoder()
    return [event for block in split(blocks) for event in decoder.decode(block)]


def read(*pieces: bytes) -> bytes:
    """What a reader makes of a stream that came in these pieces."""
    reader = GeminiReader("gemini-x")
    return b"".join(block for piece in pieces for block in reader.feed(piece)) + reader.close()


def unnamed(blocks: bytes) -> bytes:
    """The stream without the id that is made up where Google sends none."""
    return re.sub(rb"msg_[0-9a-f]{24}", b"msg_x", blocks)


@pytest.mark.parametrize("case", CASES)
def test_recording_means_the_case(case: str) -> None:
    """The same answers as from all other providers, wherever the stream is cut."""
    stream = recording(case, "gemini")
    whole = read(stream)
    for at in range(0, len(stream), 13):
        assert unnamed(read(stream[:at], stream[at:])) == unnamed(whole)
    events = decoded(whole)
    assert "secret" not in repr(events)
    if case == "error":
        assert isinstance(events[-1], Error)
        assert events[-1].code == "upstream_overloaded"
    else:
        assert heard(events) == meaning(case, "gemini")


def test_what_the_compatible_endpoint_leaves_out() -> None:
    """Signatures of thoughts, sources of grounding, and a prompt that was blocked."""
    assert Reasoning("", signature="google:c2ln") in decoded(read(recording("reasoning", "gemini")))
    (cited,) = [
        e for e in decoded(read(recording("grounded", "gemini"))) if isinstance(e, Citation)
    ]
    assert (cited.url, cited.title) == ("https://a.test/", "A")
    blocked = read(b'data: {"promptFeedback": {"blockReason": "SAFETY"}}\n\n')
    assert heard(decoded(blocked)).finish == "content_filter"
    part = {"thoughtSignature": "s", "functionCall": {"name": "f"}}
    candidate = {"content": {"parts": [part]}, "finishReason": "STOP"}
    signed = json.dumps({"candidates": [candidate, {"index": 1}]}).encode()
    events = decoded(read(b"data: " + signed + b"\n\n"))
    assert Reasoning("", signature="google:s") in events
    ((call, name, arguments),) = heard(events).calls
    assert (call[:5], name, arguments) == ("call_", "f", "{}")


def test_stream_that_breaks_off_has_no_end() -> None:
    """Without a finish reason there is no terminator, so it cannot look whole."""
    assert b"message_stop" not in read(
        b'data: {"candidates": [{"content": {"parts": [{"text": "a"}]}}]}\n\n'
    )
    with pytest.raises(UpstreamError):
        read(b"data: nonsense\n\n")


async def complete(client: Native) -> bytes:
    """The whole body of an answer."""
    async with client.open(ASK, "gemini-x") as body:
        return b"".join([piece async for piece in body])


async def test_requests_and_models(provider: Upstream) -> None:
    """Its own path, its own header; the models' names without their prefix."""
    answer(provider, "text", "gemini")
    config = Config(provider.base_url.removesuffix("/v1"), max_retries=0)
    client = Native("gemini", FixedKey("AIza-key"), config, API)
    body = await complete(client)
    assert body.endswith(b'event: message_stop\ndata: {"type":"message_stop"}\n\n')
    (received,) = provider.requests
    assert received.path == "/v1beta/models/gemini-x:streamGenerateContent?alt=sse"
    assert received.headers["x-goog-api-key"] == "AIza-key"
    assert received.json == {
        "contents": [{"role": "user", "parts": [{"text": "Hi"}]}],
        "generationConfig": {
            "maxOutputTokens": 8192,
            "thinkingConfig": {"includeThoughts": True},
        },
    }
    provider.script_anew()
    provider.answer(b'{"models": [{"name": "models/gemini-x"}]}')
    assert await client.models() == ["gemini-x"]
    provider.script_anew()
    provider.answer(b"data: " + b"x" * (1024 * 1024 + 1))
    with pytest.raises(UpstreamError):
        await complete(client)
    await client.aclose()
