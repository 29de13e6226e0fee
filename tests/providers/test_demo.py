"""The demo provider: real bytes, and every misbehaviour on request."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tokenwire.dialects.chat.decode import ChatDecoder
from tokenwire.dialects.chat.fold import fold
from tokenwire.dialects.protocol import ParsedRequest
from tokenwire.errors import UpstreamError
from tokenwire.providers.demo import Demo
from tokenwire.providers.demo import answers as demo_text
from tokenwire.sse import Splitter

FAST = 1_000_000.0


async def body(prompt: Any, model: str = "markdown", **more: Any) -> bytes:
    """Everything the demo sends for a prompt."""
    messages = [{"role": "user", "content": prompt}, *more.pop("then", [])]
    request = ParsedRequest(model, True, {"messages": messages, **more})
    async with Demo(FAST).open(request, model) as sent:
        return b"".join([piece async for piece in sent])


async def complete(prompt: Any, model: str = "markdown", **more: Any) -> dict[str, Any]:
    """The answer as one object."""
    blocks = Splitter().feed(await body(prompt, model, **more))
    assert ChatDecoder().ends(blocks[-1])
    return fold(blocks[:-1])


async def text(prompt: Any, **more: Any) -> str:
    """The answer's text."""
    found: str = (await complete(prompt, **more))["choices"][0]["message"]["content"]
    return found


async def test_answers_suit_the_prompt() -> None:
    """The words of the prompt choose the answer, and the pieces make it whole."""
    assert await text("/help") == demo_text.HELP
    assert await text("Show me Python") == demo_text.CODE
    assert await text("on AWS?") == demo_text.LAMBDA
    assert await text("resume a stream") == demo_text.STREAMING
    assert await text("good morning") == demo_text.HELLO
    assert (
        await text([{"type": "text", "text": "on AWS?"}, {"type": "image_url"}]) == demo_text.LAMBDA
    )
    assert await text(None) == demo_text.HELLO


async def test_exact_words() -> None:
    """A text that the prompt requests word by word is the answer."""
    assert await text("Say exactly: alpha beta") == "alpha beta"
    assert await text("Repeat this exactly, nothing else: «日本» 🎉\n x") == "«日本» 🎉\n x"
    system = [{"role": "system", "content": 'Reply with exactly the word "quartz".'}]
    assert await text("And then?", then=[*system, {"role": "user", "content": "hi"}]) == "quartz"


async def test_chunks_are_real() -> None:
    """The blocks are OpenAI's: role first, one id, a finish, usage, [DONE]."""
    blocks = Splitter().feed(await body("hi"))
    chunks = [json.loads(block[6:]) for block in blocks[:-1]]
    assert chunks[0]["choices"][0]["delta"]["role"] == "assistant"
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert len({chunk["id"] for chunk in chunks}) == 1
    assert chunks[-2]["choices"][0]["finish_reason"] == "stop"
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"]["completion_tokens"] == len(chunks) - 3
    assert blocks[-1] == b"data: [DONE]\n\n"


async def test_tool_then_answer() -> None:
    """A tool is called, and with its result the demo answers in words."""
    call = (await complete("/tool"))["choices"][0]
    assert call["finish_reason"] == "tool_calls"
    (found,) = call["message"]["tool_calls"]
    assert json.loads(found["function"]["arguments"]) == {"city": "Bielefeld"}
    assert "all is well" in await text("/tool", then=[{"role": "tool", "content": "sunny"}])
    assert (await complete("x", model="tool"))["choices"][0]["finish_reason"] == "tool_calls"


async def test_reasoning_and_refusal() -> None:
    """Thinking comes before the answer; a refusal is not content."""
    thought = (await complete("hi /reason"))["choices"][0]["message"]
    assert thought["reasoning_content"]
    assert thought["content"] == demo_text.HELLO
    refused = (await complete("/refuse"))["choices"][0]["message"]
    assert refused["refusal"].startswith("I must decline")


async def test_length_is_chosen() -> None:
    """As many words as were requested."""
    assert len((await text("/long 123")).split()) == 123
    assert len((await text("/long")).split()) == 400


async def test_failures_on_request() -> None:
    """Before the stream, inside it, or by hanging up."""
    with pytest.raises(UpstreamError) as before:
        await body("/fail before")
    assert before.value.code == "upstream_overloaded"
    with pytest.raises(UpstreamError) as dropped:
        await body("/drop")
    assert dropped.value.code == "upstream_disconnected"
    inside = await body("/fail")
    assert b'{"error":' in inside.splitlines()[-2].replace(b" ", b"")
    assert b"[DONE]" not in inside


async def test_odd_bytes_mean_the_same() -> None:
    """A BOM, comments, CRLF and cuts in mid-character change nothing."""
    plain, odd = await text("hi"), await text("hi /odd")
    assert plain == odd


async def test_waits_are_instructions() -> None:
    """Waiting and stalling only take time."""
    assert await text("hi /wait 0001 /stall 1 /slow /fast /unknown")


async def test_unknown_model_is_404() -> None:
    """It says which there are."""
    with pytest.raises(UpstreamError, match="markdown") as caught:
        await body("hi", model="none")
    assert caught.value.status == 404
    assert "markdown" in await Demo(FAST).models()
    await Demo(FAST).aclose()
