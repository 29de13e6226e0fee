# /// script
# requires-python = ">=3.11"
# dependencies = ["instructor==1.17.0"]
# ///
"""instructor: structured output by the JSON schema of a model, whole and partial."""

from __future__ import annotations

from typing import Any

import instructor
import openai
import report
from pydantic import BaseModel
from report import Outcome


class City(BaseModel):
    """A city."""

    name: str
    population: int


def _client(base_url: str) -> Any:
    client = openai.AsyncOpenAI(base_url=f"{base_url}/v1", api_key="k", max_retries=0)
    return instructor.from_openai(client, mode=instructor.Mode.JSON_SCHEMA)


async def structured(base_url: str, model: str, outcome: Outcome) -> None:
    city = await _client(base_url).create(
        model=model,
        response_model=City,
        max_retries=0,
        messages=[{"role": "user", "content": report.OBJECT}],
    )
    outcome.value = city.model_dump()


async def partial(base_url: str, model: str, outcome: Outcome) -> None:
    async for city in _client(base_url).create_partial(
        model=model,
        response_model=City,
        max_retries=0,
        messages=[{"role": "user", "content": report.OBJECT}],
    ):
        outcome.value = city.model_dump()


async def before(base_url: str, model: str, outcome: Outcome) -> None:
    await _client(base_url).create(
        model=model,
        response_model=City,
        max_retries=0,
        messages=[{"role": "user", "content": report.BEFORE}],
    )


if __name__ == "__main__":
    report.main(
        {"instructor": {"object": structured, "streamed object": partial, "before": before}}
    )
