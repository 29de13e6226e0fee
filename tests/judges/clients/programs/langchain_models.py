# /// script
# requires-python = ">=3.11"
# dependencies = ["langchain-openai==1.7.3", "langchain-anthropic==1.7.7"]
# ///
"""LangChain: ChatOpenAI over Chat Completions and over Responses, and ChatAnthropic."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import report
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_openai import ChatOpenAI
from report import Case, Outcome

Make = Callable[[str, str], Any]
TOOL: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": report.DESCRIPTION,
        "parameters": report.PARAMETERS,
    },
}


def _chat(base_url: str, model: str) -> Any:
    options: Any = {"base_url": f"{base_url}/v1", "api_key": "k", "max_retries": 0}
    return ChatOpenAI(model=model, stream_usage=True, **options)


def _responses(base_url: str, model: str) -> Any:
    options: Any = {"base_url": f"{base_url}/v1", "api_key": "k", "max_retries": 0}
    return ChatOpenAI(model=model, use_responses_api=True, **options)


def _anthropic(base_url: str, model: str) -> Any:
    options: Any = {"base_url": base_url, "api_key": "k", "max_retries": 0}
    return ChatAnthropic(model=model, max_tokens=999, **options)


async def _whole(model: Any, messages: Any, outcome: Outcome) -> Any:
    """Add up a stream, as LangChain's own agents do."""
    whole: Any = None
    async for chunk in model.astream(messages):
        whole = chunk if whole is None else whole + chunk
        outcome.text = whole.text
    return whole


def _text(make: Make, prompt: str) -> Case:
    async def run(base_url: str, model: str, outcome: Outcome) -> None:
        whole = await _whole(make(base_url, model), prompt, outcome)
        if whole.usage_metadata:
            usage = whole.usage_metadata
            outcome.usage = (usage["input_tokens"], usage["output_tokens"])

    return run


def _loop(make: Make, prompt: str) -> Case:
    async def run(base_url: str, model: str, outcome: Outcome) -> None:
        bound = make(base_url, model).bind_tools([TOOL])
        messages: list[Any] = [HumanMessage(prompt)]
        for _ in range(report.ROUNDS):
            message = await _whole(bound, messages, outcome)
            messages.append(message)
            if not message.tool_calls:
                return
            for call in message.tool_calls:
                result = outcome.weather(**call["args"])
                messages.append(ToolMessage(result, tool_call_id=call["id"]))

    return run


def _object(make: Make) -> Case:
    async def run(base_url: str, model: str, outcome: Outcome) -> None:
        schema = {"title": "city", **report.CITY_SCHEMA}
        bound = make(base_url, model).with_structured_output(schema, method="json_schema")
        outcome.value = await bound.ainvoke(report.OBJECT)

    return run


def _cancel(make: Make) -> Case:
    async def run(base_url: str, model: str, outcome: Outcome) -> None:
        stream = make(base_url, model).astream(report.SLOW)
        async for chunk in stream:
            outcome.text += chunk.text
            if outcome.text:
                break
        await stream.aclose()

    return run


def _cases(make: Make) -> Mapping[str, Case]:
    return {
        "plain": _text(make, report.PLAIN),
        "usage": _text(make, report.PLAIN),
        "tool": _loop(make, report.TOOL),
        "loop": _loop(make, report.LOOP),
        "object": _object(make),
        "before": _text(make, report.BEFORE),
        "inside": _text(make, report.INSIDE),
        "cancel": _cancel(make),
    }


if __name__ == "__main__":
    report.main(
        {
            "langchain chat": _cases(_chat),
            "langchain responses": _cases(_responses),
            "langchain anthropic": _cases(_anthropic),
        }
    )
