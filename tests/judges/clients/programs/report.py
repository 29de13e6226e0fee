"""The protocol of a client program: run the cases, print one JSON line for each outcome.

A program is started as ``PROGRAM BASE_URL MODEL...``. It runs every case of each of its clients
against every model and prints the outcomes; the tests compare them. A client is what its users
write: the SDK or the framework reads the stream, keeps the conversation and calls the tools.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

PLAIN = "What is the capital of France?"
TOOL = "What is the weather in Paris?"
LOOP = "Please compare two cities."
OBJECT = "Please describe a city as JSON."
BEFORE = "Please refuse for the rate."
INSIDE = "Please break in the middle."
SLOW = "Please count slowly."
COMMAND = "Please run the weather command."
EDIT = "Please write the weather into the file."

WEATHER = {"Paris": "sunny", "Rome": "rainy"}
DESCRIPTION = "The weather of a city."
PARAMETERS: dict[str, Any] = {
    "type": "object",
    "properties": {"city": {"type": "string", "description": "The city's name."}},
    "required": ["city"],
    "additionalProperties": False,
}
CITY_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "population": {"type": "integer"}},
    "required": ["name", "population"],
    "additionalProperties": False,
}
ROUNDS = 4
"""Turns after which a tool loop that has not ended is given up."""


@dataclasses.dataclass
class Outcome:
    """What one client had at the end of one case.

    Args:
        text: The answer's text; that of the last turn, where there are several.
        calls: The tool calls, in order: name and decoded arguments.
        usage: Input and output tokens as the client counted them.
        value: The decoded object of structured output.
        error: The class of the exception that the client raised.
    """

    text: str = ""
    calls: list[tuple[str, Any]] = dataclasses.field(default_factory=list)
    usage: tuple[int, int] | None = None
    value: Any = None
    error: str = ""

    def weather(self, city: str) -> str:
        """Record a call of the tool and return its result."""
        self.calls.append(("get_weather", {"city": city}))
        return WEATHER[city]


Case = Callable[[str, str, Outcome], Awaitable[None]]
"""Takes the base URL, the model and the outcome to fill in."""


def main(
    clients: Mapping[str, Mapping[str, Case]], patience: float = 20, at_once: int = 100
) -> None:
    """Run every case of every client with every model that the command line names.

    Args:
        clients: The cases of each client, by name.
        patience: Seconds that one case may take.
        at_once: How many cases may run at the same time.
    """
    asyncio.run(_all(clients, sys.argv[1], sys.argv[2:], patience, at_once))


async def _all(
    clients: Mapping[str, Mapping[str, Case]],
    base_url: str,
    models: list[str],
    patience: float,
    at_once: int,
) -> None:
    gate = asyncio.Semaphore(at_once)

    async def one(client: str, case: str, run: Case, model: str) -> None:
        async with gate:
            await _one(client, case, run, base_url, model, patience)

    for client, cases in clients.items():
        await asyncio.gather(*(one(client, c, run, m) for c, run in cases.items() for m in models))


async def _one(
    client: str, case: str, run: Case, base_url: str, model: str, patience: float
) -> None:
    outcome = Outcome()
    detail = ""
    try:
        async with asyncio.timeout(patience):
            await run(base_url, model, outcome)
    except Exception as error:
        outcome.error = type(error).__name__
        detail = str(error)
    line = {"client": client, "case": case, "model": model, "detail": detail}
    print(json.dumps(line | dataclasses.asdict(outcome)), flush=True)
