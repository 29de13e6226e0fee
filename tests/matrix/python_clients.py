"""The official Python clients: each sends a request and summarises the answer."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import anthropic
import httpx2
import openai

from tests.matrix.cases import Answer, canonical, heard
from tokenwire.dialects import DIALECTS
from tokenwire.sse import Splitter

HI: Any = [{"role": "user", "content": "Hi"}]


def openai_sdk(base_url: str) -> openai.AsyncOpenAI:
    """OpenAI's client, without the machine's certificates: reading them takes 20 ms."""
    plain = openai.DefaultAsyncHttpxClient(verify=False)
    url = f"{base_url}/v1"
    return openai.AsyncOpenAI(base_url=url, api_key="k", max_retries=0, http_client=plain)


def anthropic_sdk(base_url: str) -> anthropic.AsyncAnthropic:
    """Anthropic's client, without the machine's certificates."""
    plain = anthropic.DefaultAsyncHttpxClient(verify=False)
    return anthropic.AsyncAnthropic(
        base_url=base_url, api_key="k", max_retries=0, http_client=plain
    )


async def chat(base_url: str, model: str) -> Answer:
    """openai-python, Chat Completions."""
    result: dict[str, Any] = {"text": "", "reasoning": "", "finish": "", "usage": None}
    calls: dict[int, list[str]] = {}
    async with openai_sdk(base_url) as client:
        stream: Any = await client.chat.completions.create(
            model=model, messages=HI, stream=True, stream_options={"include_usage": True}
        )
        try:
            async for chunk in stream:
                if chunk.usage:
                    result["usage"] = (chunk.usage.prompt_tokens, chunk.usage.completion_tokens)
                for choice in chunk.choices:
                    delta = choice.delta
                    result["text"] += (delta.content or "") + (delta.refusal or "")
                    result["reasoning"] += getattr(delta, "reasoning_content", None) or ""
                    result["finish"] = choice.finish_reason or result["finish"]
                    for call in delta.tool_calls or ():
                        held = calls.setdefault(call.index, ["", "", ""])
                        held[0] += call.id or ""
                        held[1] += call.function.name or ""
                        held[2] += call.function.arguments or ""
        except openai.APIError as error:
            return Answer(**{**result, "usage": None}, error=word(error.code))
    return Answer(**result, calls=tuple((c[0], c[1], canonical(c[2])) for c in calls.values()))


async def responses(base_url: str, model: str) -> Answer:
    """openai-python, Responses, with the SDK's own accumulator."""
    async with openai_sdk(base_url) as client:
        text = ""
        final: Any = None
        stream: Any = await client.responses.create(model=model, input="Hi", stream=True)
        numbers = []
        async for event in stream:
            numbers.append(event.sequence_number)
            if event.type in ("response.output_text.delta", "response.refusal.delta"):
                text += event.delta
            if event.type == "error":
                return Answer(text, finish="", usage=None, error=word(event.code))
            final = getattr(event, "response", final)
        assert numbers == list(range(len(numbers)))
        assert final.status in ("completed", "incomplete")
        return of_response(json.loads(final.model_dump_json()), text)


def of_response(final: Any, text: str) -> Answer:
    """Summarise a complete response; its text must be the streamed one."""
    items = final["output"]
    parts = [part for item in items if item["type"] == "message" for part in item["content"]]
    assert "".join(part.get("text") or part.get("refusal") for part in parts) == text
    thoughts = [part["text"] for i in items if i["type"] == "reasoning" for part in i["summary"]]
    calls = [i for i in items if i["type"] == "function_call"]
    why = (final.get("incomplete_details") or {}).get("reason")
    complete = "tool_calls" if calls else "stop"
    finish = {"max_output_tokens": "length", None: complete}.get(why) or str(why)
    usage = final["usage"]
    return Answer(
        text,
        "".join(thoughts),
        tuple((c["call_id"], c["name"], canonical(c["arguments"])) for c in calls),
        finish,
        (usage["input_tokens"], usage["output_tokens"]),
    )


async def messages(base_url: str, model: str) -> Answer:
    """anthropic-python, with the SDK's own accumulator."""
    text = ""
    async with anthropic_sdk(base_url) as client:
        try:
            async with client.messages.stream(model=model, messages=HI, max_tokens=99) as stream:
                async for piece in stream.text_stream:
                    text += piece
                final: Any = await stream.get_final_message()
        except anthropic.APIStatusError as error:
            if error.status_code != 200:  # not an error inside the stream
                raise
            kind: Any = error.body
            return Answer(text, finish="", usage=None, error=word(kind["error"]["type"]))
    return of_message(json.loads(final.model_dump_json()))


REASONS = {
    "end_turn": "stop",
    "max_tokens": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}


def of_message(final: Any) -> Answer:
    """Summarise a complete message."""
    blocks, usage = final["content"], final["usage"]
    counted = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
    calls = [block for block in blocks if block["type"] == "tool_use"]
    return Answer(
        "".join(block["text"] for block in blocks if block["type"] == "text"),
        "".join(block["thinking"] for block in blocks if block["type"] == "thinking"),
        tuple((c["id"], c["name"], json.dumps(c["input"], ensure_ascii=False)) for c in calls),
        REASONS[final["stop_reason"]],
        (sum(usage.get(name) or 0 for name in counted), usage["output_tokens"]),
    )


async def typed(base_url: str, model: str) -> Answer:
    """Read the typed events as bytes, without an SDK."""
    async with httpx2.AsyncClient(trust_env=False, verify=False) as client:
        body = {"model": model, "message": "Hi"}
        response = await client.post(f"{base_url}/api/stream", json=body, timeout=20)
    decoder = DIALECTS["events"].decoder()
    events = [e for block in Splitter().feed(response.content) for e in decoder.decode(block)]
    found = heard(events)
    codes = [event.code for event in events if hasattr(event, "code")]
    if not codes:
        return found
    return Answer(found.text, finish="", usage=None, error=word(codes[0]))


def word(code: str | None) -> str:
    """Return an error's code without its prefix."""
    return (code or "").removeprefix("upstream_").removesuffix("_error")


CLIENTS: dict[str, Callable[[str, str], Awaitable[Answer]]] = {
    "openai-python chat": chat,
    "openai-python responses": responses,
    "anthropic-python": messages,
    "typed events": typed,
}
