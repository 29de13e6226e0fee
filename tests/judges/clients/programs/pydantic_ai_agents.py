# /// script
# requires-python = ">=3.11"
# dependencies = ["pydantic-ai-slim[openai,anthropic]==2.68.0"]
# ///
"""pydantic-ai: agents over Chat Completions, Responses and Messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import anthropic
import openai
import report
from pydantic import BaseModel
from pydantic_ai import Agent, NativeOutput
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider
from report import Case, Outcome

Make = Callable[[str, str], Any]


class City(BaseModel):
    """A city."""

    name: str
    population: int


def _openai(base_url: str) -> Any:
    client = openai.AsyncOpenAI(base_url=f"{base_url}/v1", api_key="k", max_retries=0)
    return OpenAIProvider(openai_client=client)


def _chat(base_url: str, model: str) -> Any:
    return OpenAIChatModel(model, provider=_openai(base_url))


def _responses(base_url: str, model: str) -> Any:
    return OpenAIResponsesModel(model, provider=_openai(base_url))


def _anthropic(base_url: str, model: str) -> Any:
    client = anthropic.AsyncAnthropic(base_url=base_url, api_key="k", max_retries=0)
    return AnthropicModel(model, provider=AnthropicProvider(anthropic_client=client))


async def _read(agent: Any, prompt: str, outcome: Outcome) -> None:
    async with agent.run_stream(prompt) as result:
        async for text in result.stream_text():
            outcome.text = text
        usage = result.usage() if callable(result.usage) else result.usage
        outcome.usage = (usage.input_tokens, usage.output_tokens)


def _text(make: Make, prompt: str) -> Case:
    async def run(base_url: str, model: str, outcome: Outcome) -> None:
        await _read(Agent(make(base_url, model)), prompt, outcome)

    return run


def _loop(make: Make, prompt: str) -> Case:
    async def run(base_url: str, model: str, outcome: Outcome) -> None:
        def get_weather(city: str) -> str:
            """The weather of a city."""
            return str(outcome.weather(city))

        agent = Agent(make(base_url, model), tools=[get_weather])
        # A run to the end, streamed turn by turn: `run_stream` stops at the first text.
        async with agent.iter(prompt) as turns:
            async for node in turns:
                if Agent.is_model_request_node(node):
                    async with node.stream(turns.ctx) as stream:
                        async for _ in stream:
                            pass
        assert turns.result is not None
        outcome.text = turns.result.output

    return run


def _object(make: Make) -> Case:
    async def run(base_url: str, model: str, outcome: Outcome) -> None:
        agent: Any = Agent(make(base_url, model), output_type=NativeOutput(City))
        result = await agent.run(report.OBJECT)
        outcome.value = result.output.model_dump()

    return run


def _cancel(make: Make) -> Case:
    async def run(base_url: str, model: str, outcome: Outcome) -> None:
        agent = Agent(make(base_url, model))
        async with agent.run_stream(report.SLOW) as result:
            async for text in result.stream_text(debounce_by=None):
                outcome.text = text
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
    report.main(
        {
            "pydantic-ai chat": _cases(_chat),
            "pydantic-ai responses": _cases(_responses),
            "pydantic-ai anthropic": _cases(_anthropic),
        }
    )
