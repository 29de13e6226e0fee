# /// script
# requires-python = ">=3.11"
# dependencies = ["anthropic==2.12.0"]
# ///
"""anthropic-python: Messages, with the SDK's own accumulator."""

from __future__ import annotations

import json
from typing import Any

import anthropic
import report
from report import Outcome

TOOLS: Any = [
    {
        "name": "get_weather",
        "description": report.DESCRIPTION,
        "input_schema": report.PARAMETERS,
    }
]


def _client(base_url: str) -> anthropic.AsyncAnthropic:
    return anthropic.AsyncAnthropic(base_url=base_url, api_key="k", max_retries=0)


async def _text(base_url: str, model: str, outcome: Outcome, prompt: str) -> None:
    async with (
        _client(base_url) as client,
        client.messages.stream(
            model=model, max_tokens=999, messages=[{"role": "user", "content": prompt}]
        ) as stream,
    ):
        async for piece in stream.text_stream:
            outcome.text += piece
        usage = (await stream.get_final_message()).usage
        outcome.usage = (usage.input_tokens, usage.output_tokens)


async def plain(base_url: str, model: str, outcome: Outcome) -> None:
    await _text(base_url, model, outcome, report.PLAIN)


async def before(base_url: str, model: str, outcome: Outcome) -> None:
    await _text(base_url, model, outcome, report.BEFORE)


async def inside(base_url: str, model: str, outcome: Outcome) -> None:
    await _text(base_url, model, outcome, report.INSIDE)


async def _loop(base_url: str, model: str, outcome: Outcome, prompt: str) -> None:
    messages: Any = [{"role": "user", "content": prompt}]
    async with _client(base_url) as client:
        for _ in range(report.ROUNDS):
            async with client.messages.stream(
                model=model, max_tokens=999, messages=messages, tools=TOOLS
            ) as stream:
                final: Any = await stream.get_final_message()
            messages.append({"role": "assistant", "content": final.content})
            calls = [block for block in final.content if block.type == "tool_use"]
            if not calls:
                outcome.text = "".join(block.text for block in final.content)
                return
            results = [
                {
                    "type": "tool_result",
                    "tool_use_id": call.id,
                    "content": outcome.weather(**call.input),
                }
                for call in calls
            ]
            messages.append({"role": "user", "content": results})


async def tool(base_url: str, model: str, outcome: Outcome) -> None:
    await _loop(base_url, model, outcome, report.TOOL)


async def loop(base_url: str, model: str, outcome: Outcome) -> None:
    await _loop(base_url, model, outcome, report.LOOP)


async def structured(base_url: str, model: str, outcome: Outcome) -> None:
    config: Any = {"format": {"type": "json_schema", "schema": report.CITY_SCHEMA}}
    async with _client(base_url) as client:
        message: Any = await client.messages.create(
            model=model,
            max_tokens=999,
            messages=[{"role": "user", "content": report.OBJECT}],
            output_config=config,
        )
        outcome.value = json.loads(message.content[0].text)


async def cancel(base_url: str, model: str, outcome: Outcome) -> None:
    async with (
        _client(base_url) as client,
        client.messages.stream(
            model=model, max_tokens=999, messages=[{"role": "user", "content": report.SLOW}]
        ) as stream,
    ):
        async for piece in stream.text_stream:
            outcome.text += piece
            return


if __name__ == "__main__":
    report.main(
        {
            "anthropic-python": {
                "plain": plain,
                "usage": plain,
                "tool": tool,
                "loop": loop,
                "object": structured,
                "before": before,
                "inside": inside,
                "cancel": cancel,
            }
        }
    )
