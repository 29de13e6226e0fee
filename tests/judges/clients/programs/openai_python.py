# /// script
# requires-python = ">=3.11"
# dependencies = ["openai==3.54.0"]
# ///
"""openai-python: Chat Completions and Responses."""

from __future__ import annotations

import json
from typing import Any

import openai
import report
from report import Outcome

TOOLS: Any = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": report.DESCRIPTION,
            "parameters": report.PARAMETERS,
        },
    }
]
FUNCTIONS: Any = [{"type": "function", "strict": True, **TOOLS[0]["function"]}]


def _client(base_url: str) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=f"{base_url}/v1", api_key="k", max_retries=0)


def _user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


async def _chat(base_url: str, model: str, outcome: Outcome, prompt: str) -> None:
    """The loop of the README, word for word but for the options."""
    async with _client(base_url) as client:
        stream = await client.chat.completions.create(
            model=model, messages=[{"role": "user", "content": prompt}], stream=True
        )
        async for chunk in stream:
            outcome.text += chunk.choices[0].delta.content or ""


async def chat_plain(base_url: str, model: str, outcome: Outcome) -> None:
    await _chat(base_url, model, outcome, report.PLAIN)


async def chat_before(base_url: str, model: str, outcome: Outcome) -> None:
    await _chat(base_url, model, outcome, report.BEFORE)


async def chat_inside(base_url: str, model: str, outcome: Outcome) -> None:
    await _chat(base_url, model, outcome, report.INSIDE)


async def chat_usage(base_url: str, model: str, outcome: Outcome) -> None:
    async with _client(base_url) as client:
        stream = await client.chat.completions.create(
            model=model,
            messages=[{"role": "user", "content": report.PLAIN}],
            stream=True,
            stream_options={"include_usage": True},
        )
        total = [0, 0]
        async for chunk in stream:
            outcome.text += "".join(choice.delta.content or "" for choice in chunk.choices)
            if chunk.usage:  # added up, so that a second report of the same tokens shows
                total[0] += chunk.usage.prompt_tokens
                total[1] += chunk.usage.completion_tokens
        outcome.usage = (total[0], total[1])


async def _chat_loop(base_url: str, model: str, outcome: Outcome, prompt: str) -> None:
    messages: Any = [_user(prompt)]
    async with _client(base_url) as client:
        for _ in range(report.ROUNDS):
            async with client.chat.completions.stream(
                model=model, messages=messages, tools=TOOLS
            ) as stream:
                final: Any = await stream.get_final_completion()
            message = final.choices[0].message
            messages.append(message.model_dump(exclude_none=True))
            if not message.tool_calls:
                outcome.text = message.content
                return
            for call in message.tool_calls:
                result = outcome.weather(**json.loads(call.function.arguments))
                messages.append({"role": "tool", "tool_call_id": call.id, "content": result})


async def chat_tool(base_url: str, model: str, outcome: Outcome) -> None:
    await _chat_loop(base_url, model, outcome, report.TOOL)


async def chat_loop(base_url: str, model: str, outcome: Outcome) -> None:
    await _chat_loop(base_url, model, outcome, report.LOOP)


async def chat_object(base_url: str, model: str, outcome: Outcome) -> None:
    form: Any = {
        "type": "json_schema",
        "json_schema": {"name": "city", "strict": True, "schema": report.CITY_SCHEMA},
    }
    async with _client(base_url) as client:
        answer: Any = await client.chat.completions.create(
            model=model, messages=[{"role": "user", "content": report.OBJECT}], response_format=form
        )
        outcome.value = json.loads(answer.choices[0].message.content)


async def chat_cancel(base_url: str, model: str, outcome: Outcome) -> None:
    async with _client(base_url) as client:
        stream = await client.chat.completions.create(
            model=model, messages=[{"role": "user", "content": report.SLOW}], stream=True
        )
        async with stream:
            async for chunk in stream:
                outcome.text += chunk.choices[0].delta.content or ""
                if outcome.text:
                    return


async def _responses(base_url: str, model: str, outcome: Outcome, prompt: str) -> None:
    async with (
        _client(base_url) as client,
        client.responses.stream(model=model, input=prompt) as stream,
    ):
        async for event in stream:
            if event.type == "response.output_text.delta":
                outcome.text += event.delta
            if event.type == "error":
                raise openai.APIError(event.message, request=None, body=None)  # type: ignore[arg-type]
            if event.type == "response.failed":
                raise openai.APIError("failed", request=None, body=None)  # type: ignore[arg-type]
        final = await stream.get_final_response()
        if final.usage:
            outcome.usage = (final.usage.input_tokens, final.usage.output_tokens)


async def responses_plain(base_url: str, model: str, outcome: Outcome) -> None:
    await _responses(base_url, model, outcome, report.PLAIN)


async def responses_before(base_url: str, model: str, outcome: Outcome) -> None:
    await _responses(base_url, model, outcome, report.BEFORE)


async def responses_inside(base_url: str, model: str, outcome: Outcome) -> None:
    await _responses(base_url, model, outcome, report.INSIDE)


async def _responses_loop(base_url: str, model: str, outcome: Outcome, prompt: str) -> None:
    items: Any = [_user(prompt)]
    async with _client(base_url) as client:
        for _ in range(report.ROUNDS):
            async with client.responses.stream(model=model, input=items, tools=FUNCTIONS) as stream:
                final: Any = await stream.get_final_response()
            items += [item.model_dump(exclude_none=True) for item in final.output]
            calls = [item for item in final.output if item.type == "function_call"]
            if not calls:
                outcome.text = final.output_text
                return
            for call in calls:
                result = outcome.weather(**json.loads(call.arguments))
                items.append(
                    {"type": "function_call_output", "call_id": call.call_id, "output": result}
                )


async def responses_tool(base_url: str, model: str, outcome: Outcome) -> None:
    await _responses_loop(base_url, model, outcome, report.TOOL)


async def responses_loop(base_url: str, model: str, outcome: Outcome) -> None:
    await _responses_loop(base_url, model, outcome, report.LOOP)


async def responses_object(base_url: str, model: str, outcome: Outcome) -> None:
    form: Any = {"type": "json_schema", "name": "city", "schema": report.CITY_SCHEMA}
    async with _client(base_url) as client:
        answer = await client.responses.create(
            model=model, input=report.OBJECT, text={"format": form}
        )
        outcome.value = json.loads(answer.output_text)


async def responses_cancel(base_url: str, model: str, outcome: Outcome) -> None:
    async with _client(base_url) as client:
        stream = await client.responses.create(model=model, input=report.SLOW, stream=True)
        async with stream:
            async for event in stream:
                if event.type == "response.output_text.delta":
                    outcome.text += event.delta
                    return


if __name__ == "__main__":
    report.main(
        {
            "openai-python chat": {
                "plain": chat_plain,
                "usage": chat_usage,
                "tool": chat_tool,
                "loop": chat_loop,
                "object": chat_object,
                "before": chat_before,
                "inside": chat_inside,
                "cancel": chat_cancel,
            },
            "openai-python responses": {
                "plain": responses_plain,
                "usage": responses_plain,
                "tool": responses_tool,
                "loop": responses_loop,
                "object": responses_object,
                "before": responses_before,
                "inside": responses_inside,
                "cancel": responses_cancel,
            },
        }
    )
