# /// script
# requires-python = ">=3.11"
# dependencies = ["openai-agents==0.24.0"]
# ///
"""The OpenAI Agents SDK: its runner over Responses and over Chat Completions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import agents
import openai
import report
from pydantic import BaseModel
from report import Case, Outcome

Make = Callable[[str, str], Any]


class City(BaseModel):
    """A city."""

    name: str
    population: int


def _client(base_url: str) -> Any:
    return openai.AsyncOpenAI(base_url=f"{base_url}/v1", api_key="k", max_retries=0)


def _chat(base_url: str, model: str) -> Any:
    return agents.OpenAIChatCompletionsModel(model=model, openai_client=_client(base_url))


def _responses(base_url: str, model: str) -> Any:
    return agents.OpenAIResponsesModel(model=model, openai_client=_client(base_url))


async def _stream(agent: Any, prompt: str, outcome: Outcome) -> Any:
    result = agents.Runner.run_streamed(agent, prompt, max_turns=report.ROUNDS)
    async for event in result.stream_events():
        data: Any = getattr(event, "data", None)
        if getattr(data, "type", "") == "response.output_text.delta":
            outcome.text += data.delta
    return result


def _text(make: Make, prompt: str) -> Case:
    async def run(base_url: str, model: str, outcome: Outcome) -> None:
        settings = agents.ModelSettings(include_usage=True)
        agent = agents.Agent(name="a", model=make(base_url, model), model_settings=settings)
        result = await _stream(agent, prompt, outcome)
        usage = result.context_wrapper.usage
        outcome.usage = (usage.input_tokens, usage.output_tokens)

    return run


def _loop(make: Make, prompt: str) -> Case:
    async def run(base_url: str, model: str, outcome: Outcome) -> None:
        def get_weather(city: str) -> str:
            """The weather of a city."""
            return str(outcome.weather(city))

        tool: Any = agents.function_tool(get_weather)
        agent = agents.Agent(name="a", model=make(base_url, model), tools=[tool])
        result = await _stream(agent, prompt, Outcome())
        outcome.text = result.final_output

    return run


def _object(make: Make) -> Case:
    async def run(base_url: str, model: str, outcome: Outcome) -> None:
        agent = agents.Agent(name="a", model=make(base_url, model), output_type=City)
        result = await _stream(agent, report.OBJECT, Outcome())
        outcome.value = result.final_output.model_dump()

    return run


def _cancel(make: Make) -> Case:
    async def run(base_url: str, model: str, outcome: Outcome) -> None:
        agent = agents.Agent(name="a", model=make(base_url, model))
        result: Any = agents.Runner.run_streamed(agent, report.SLOW)
        async for event in result.stream_events():
            data: Any = getattr(event, "data", None)
            if getattr(data, "type", "") == "response.output_text.delta":
                outcome.text += data.delta
                result.cancel()
                return

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
    agents.set_tracing_disabled(True)
    report.main(
        {
            "openai-agents chat": _cases(_chat),
            "openai-agents responses": _cases(_responses),
        }
    )
