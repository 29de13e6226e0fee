# /// script
# requires-python = ">=3.11"
# dependencies = ["llama-index-llms-openai-like==0.8.1"]
# ///
"""LlamaIndex: the OpenAI-compatible LLM, and an agent with a tool."""

from __future__ import annotations

import json
from typing import Any

import report
from llama_index.core.llms import ChatMessage
from llama_index.core.tools import FunctionTool
from llama_index.llms.openai_like import OpenAILike
from pydantic import BaseModel
from report import Case, Outcome


class City(BaseModel):
    """A city."""

    name: str
    population: int


def _llm(base_url: str, model: str) -> Any:
    return OpenAILike(
        model=model,
        api_base=f"{base_url}/v1",
        api_key="k",
        is_chat_model=True,
        is_function_calling_model=True,
        should_use_structured_outputs=True,
        max_retries=0,
        additional_kwargs={"stream_options": {"include_usage": True}},
    )


def _text(prompt: str) -> Case:
    async def run(base_url: str, model: str, outcome: Outcome) -> None:
        stream = await _llm(base_url, model).astream_chat(
            [ChatMessage(role="user", content=prompt)]
        )
        total = [0, 0]
        async for chunk in stream:
            outcome.text = chunk.message.content or outcome.text
            if usage := getattr(chunk.raw, "usage", None):
                total[0] += usage.prompt_tokens
                total[1] += usage.completion_tokens
        outcome.usage = (total[0], total[1])

    return run


def _loop(prompt: str) -> Case:
    async def run(base_url: str, model: str, outcome: Outcome) -> None:
        def get_weather(city: str) -> str:
            """The weather of a city."""
            return str(outcome.weather(city))

        llm, tool = _llm(base_url, model), FunctionTool.from_defaults(get_weather)
        history: list[Any] = [ChatMessage(role="user", content=prompt)]
        for _ in range(report.ROUNDS):
            stream = await llm.astream_chat_with_tools([tool], chat_history=history)
            chunk: Any = [chunk async for chunk in stream][-1]
            history.append(chunk.message)
            calls = llm.get_tool_calls_from_response(chunk, error_on_no_tool_call=False)
            if not calls:
                outcome.text = chunk.message.content
                return
            for call in calls:
                result = get_weather(**call.tool_kwargs)
                more = {"tool_call_id": call.tool_id}
                history.append(ChatMessage(role="tool", content=result, additional_kwargs=more))

    return run


async def structured(base_url: str, model: str, outcome: Outcome) -> None:
    """By the response format, as the mock answers with JSON in the text."""
    form = {
        "type": "json_schema",
        "json_schema": {"name": "city", "strict": True, "schema": report.CITY_SCHEMA},
    }
    message = ChatMessage(role="user", content=report.OBJECT)
    answer = await _llm(base_url, model).achat([message], response_format=form)
    outcome.value = City(**json.loads(answer.message.content)).model_dump()


async def cancel(base_url: str, model: str, outcome: Outcome) -> None:
    message = ChatMessage(role="user", content=report.SLOW)
    stream = await _llm(base_url, model).astream_chat([message])
    async for chunk in stream:
        outcome.text = chunk.message.content or ""
        if outcome.text:
            break
    await stream.aclose()


if __name__ == "__main__":
    report.main(
        {
            "llamaindex chat": {
                "plain": _text(report.PLAIN),
                "usage": _text(report.PLAIN),
                "tool": _loop(report.TOOL),
                "loop": _loop(report.LOOP),
                "object": structured,
                "before": _text(report.BEFORE),
                "inside": _text(report.INSIDE),
                "cancel": cancel,
            }
        }
    )
