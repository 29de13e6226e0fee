"""Providers that answer with one JSON object although a stream was requested."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, MutableMapping
from typing import Any, TypeAlias

import pytest

from tests.fakes.upstream import Step, Upstream
from tests.matrix.cases import Answer, heard, split
from tests.providers.test_openai import FixedKey
from tokenwire.dialects import DIALECTS
from tokenwire.dialects.protocol import ParsedRequest
from tokenwire.errors import UpstreamError
from tokenwire.events import Content, Error, Reasoning
from tokenwire.providers.anthropic import provider as anthropic
from tokenwire.providers.bedrock import provider as bedrock
from tokenwire.providers.bounds import MAX_ERROR
from tokenwire.providers.config import Config
from tokenwire.providers.gemini import provider as gemini
from tokenwire.providers.native import Native
from tokenwire.providers.non_streaming import MAX_DOCUMENT, read_document
from tokenwire.providers.openai.provider import OpenAIProvider
from tokenwire.providers.protocol import Provider

ASK = ParsedRequest("m", True, {"model": "m", "messages": [{"role": "user", "content": "Hi"}]})
JSON_HEADERS = {"content-type": "application/json"}
ARGUMENTS = {"city": "Köln"}
CALL = {"name": "weather", "arguments": json.dumps(ARGUMENTS)}
CHAT = {
    "id": "c1",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": "Grüße  ",
                "tool_calls": [{"id": "call_1", "type": "function", "function": CALL}],
                "later": {"kept": True},
            },
            "finish_reason": "tool_calls",
        }
    ],
    "usage": {"prompt_tokens": 57, "completion_tokens": 17, "total_tokens": 74},
}
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [
        {"type": "text", "text": "Grüße  "},
        {"type": "tool_use", "id": "call_1", "name": "weather", "input": ARGUMENTS},
    ],
    "stop_reason": "tool_use",
    "stop_sequence": None,
    "usage": {"input_tokens": 57, "output_tokens": 17},
}
USED = {"toolUse": {"toolUseId": "call_1", "name": "weather", "input": ARGUMENTS}}
CONVERSE = {
    "output": {"message": {"role": "assistant", "content": [{"text": "Grüße  "}, USED]}},
    "stopReason": "tool_use",
    "usage": {"inputTokens": 57, "outputTokens": 17, "totalTokens": 74},
}
FUNCTION = {"functionCall": {"id": "call_1", "name": "weather", "args": ARGUMENTS}}
GEMINI = {
    "candidates": [{"content": {"parts": [{"text": "Grüße  "}, FUNCTION]}, "finishReason": "STOP"}],
    "usageMetadata": {"promptTokenCount": 57, "candidatesTokenCount": 17},
}
Make: TypeAlias = Callable[[str], Provider]


def native(api: Any) -> Make:
    """A provider with a key, over plain HTTP."""
    return lambda url: Native("n", FixedKey("k"), Config(url, max_retries=0), api)


def aws_api(api: bedrock.BedrockApi) -> Make:
    """One of Bedrock's two."""
    return lambda url: bedrock.Bedrock("b", "us-east-1", Config(url, max_retries=0), api)


def sdk(url: str) -> Provider:
    """The one with OpenAI's SDK."""
    return OpenAIProvider("o", FixedKey("k"), Config(f"{url}/v1", max_retries=0))


KINDS: dict[str, tuple[Make, Any]] = {
    "openai": (sdk, CHAT),
    "bedrock-openai": (aws_api(bedrock.OPENAI), CHAT),
    "bedrock": (aws_api(bedrock.CONVERSE), CONVERSE),
    "anthropic": (native(anthropic.API), MESSAGE),
    "gemini-native": (native(gemini.API), GEMINI),
    "gemini-native, a list": (native(gemini.API), [GEMINI]),
}
kinds = pytest.mark.parametrize("kind", KINDS)


async def read(kind: str, upstream: Upstream, *steps: Step, **how: Any) -> list[Any]:
    """The typed events of what a provider answers."""
    upstream.answer(*steps, **{"headers": JSON_HEADERS, **how})
    provider = KINDS[kind][0](upstream.base_url.removesuffix("/v1"))
    decoder = DIALECTS[provider.dialect].decoder()
    try:
        async with provider.open(ASK, "m") as body:
            blocks = split(b"".join([data async for data in body]))
    finally:
        await provider.aclose()
    assert not blocks or decoder.ends(blocks[-1]) or b"error" in blocks[-1]
    return [event for block in blocks for event in decoder.decode(block)]


@kinds
async def test_json_response_becomes_a_stream(
    kind: str, provider: Upstream, aws: MutableMapping[str, str]
) -> None:
    """Text, calls, reason and usage come as they would have in a stream, with its terminator."""
    whole = json.dumps(KINDS[kind][1], ensure_ascii=False, indent=2).encode()
    events = await read(kind, provider, b"\xef\xbb\xbf \n", whole[:40], whole[40:])
    call = ("call_1", "weather", json.dumps(ARGUMENTS, ensure_ascii=False))
    assert heard(events) == Answer("Grüße  ", calls=(call,), finish="tool_calls")


@kinds
async def test_content_type_is_ignored(
    kind: str, provider: Upstream, aws: MutableMapping[str, str]
) -> None:
    """A JSON object is one whatever its header says."""
    whole = json.dumps(KINDS[kind][1]).encode()
    events = await read(kind, provider, whole, headers={"content-type": "text/event-stream"})
    assert any(isinstance(event, Content) for event in events)


@kinds
@pytest.mark.parametrize("body", [b'{"detail": "Bearer sk-secret"}', b"{not json", b"[5]"])
async def test_other_documents_are_refused(
    kind: str, body: bytes, provider: Upstream, aws: MutableMapping[str, str]
) -> None:
    """Any other document is the provider's fault; nothing of it is passed on."""
    with pytest.raises(UpstreamError) as caught:
        await read(kind, provider, body)
    assert caught.value.code == "upstream_malformed"
    assert "secret" not in caught.value.message


@pytest.mark.parametrize(
    ("kind", "body", "code"),
    [
        ("openai", {"error": {"type": "rate_limit_error"}}, "upstream_rate_limited"),
        (
            "anthropic",
            {"type": "error", "error": {"type": "overloaded_error"}},
            "upstream_overloaded",
        ),
        ("gemini-native", {"error": {"status": "UNAVAILABLE"}}, "upstream_overloaded"),
    ],
)
async def test_error_in_a_200(kind: str, body: Any, code: str, provider: Upstream) -> None:
    """An error object with a good status is an error."""
    *_, last = await read(kind, provider, json.dumps(body).encode())
    assert isinstance(last, Error)
    assert last.code == code


@kinds
async def test_json_responses_are_bounded(
    kind: str, provider: Upstream, aws: MutableMapping[str, str]
) -> None:
    """A document beyond the bound is refused, and not read to its end."""
    part = b'{"a": "' + b"x" * 65536
    with pytest.raises(UpstreamError, match="too large"):
        await read(kind, provider, *[part] * (MAX_DOCUMENT // len(part) + 2))


async def test_document_at_the_bound() -> None:
    """So many bytes are read, and not one more."""

    async def body(size: int) -> AsyncIterator[bytes]:
        yield b"{" + b" " * (size - 2) + b"}"

    found, _ = await read_document(body(MAX_DOCUMENT))
    assert found is not None
    with pytest.raises(UpstreamError):
        await read_document(body(MAX_DOCUMENT + 1))


async def test_space_is_bounded() -> None:
    """A stream of blank lines is a stream: it is not held until something comes."""
    taken = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield b"\n" * 100

    found, head = await read_document(body())
    assert (found, len(head), taken) == (None, 1100, 11)


async def test_json_response_keeps_its_reasoning(
    provider: Upstream, aws: MutableMapping[str, str]
) -> None:
    """Thinking, its signature and what is hidden of it, in one of Converse's answers."""
    thought = {"reasoningText": {"text": "hm", "signature": "s"}}
    content = [
        {"reasoningContent": thought},
        {"reasoningContent": {"redactedContent": "YWJj"}},
        {"text": "a"},
    ]
    answer = {"output": {"message": {"role": "assistant", "content": content}}}
    events = await read("bedrock", provider, json.dumps(answer).encode())
    assert [event for event in events if isinstance(event, Reasoning)] == [
        Reasoning("hm"),
        Reasoning("", signature="s"),
        Reasoning("", redacted="YWJj"),
    ]
    assert heard(events).finish == "stop"


@kinds
async def test_any_success_status_is_accepted(
    kind: str, provider: Upstream, aws: MutableMapping[str, str]
) -> None:
    """A server that creates an answer says 201; its body is no error, and not cut like one."""
    whole = json.dumps(KINDS[kind][1]).encode() + b" " * MAX_ERROR
    events = await read(kind, provider, whole, status=201)
    assert any(isinstance(event, Content) for event in events)
