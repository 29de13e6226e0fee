"""The official openai-node client with another base URL, with pings and ids."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import Serve
from tests.fakes.node import Program, needs_package, program
from tests.fakes.upstream import DONE, ROLE, STOP, Step, Upstream, chunk, complete, text

pytestmark = [
    pytest.mark.outside,
    pytest.mark.xdist_group("openai-node"),
    needs_package("openai"),
]


@pytest.fixture(scope="module")
def sdk() -> Iterator[Program]:
    """Run the SDK in one process."""
    with program("openai_client.mjs") as found:
        yield found


def pause() -> Step:
    """Wait long enough for some heartbeats."""

    async def wait() -> None:
        await asyncio.sleep(0.1)

    return wait


CALL = (
    ROLE,
    chunk(
        {
            "tool_calls": [
                {
                    "index": 0,
                    "id": "c",
                    "type": "function",
                    "function": {"name": "f", "arguments": ""},
                }
            ]
        }
    ),
    pause(),
    chunk({"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]}),
    chunk(finish="tool_calls"),
    DONE,
)
OVERLOADED = b'data: {"error":{"type":"overloaded_error"}}\n\n'


@pytest.mark.parametrize(
    ("job", "steps", "seen"),
    [
        ("text", (ROLE, pause(), text("a"), pause(), text("b"), STOP, DONE), ["a", "b"]),
        ("usage", complete("a"), {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}),
        ("tools", CALL, [{"name": "f", "arguments": "{}"}]),
        ("whole", complete("Hel", "lo"), "Hello"),
        (
            "error",
            (ROLE, OVERLOADED),
            {"name": "APIError", "code": "upstream_overloaded", "status": None},
        ),
    ],
)
async def test_openai_node(
    job: str, steps: tuple[Step, ...], seen: Any, sdk: Program, provider: Upstream, serve: Serve
) -> None:
    """Text, usage, tools, non-streaming answers and errors are correct in the SDK."""
    provider.answer(*steps)
    assert await ran(sdk, job, provider, serve) == seen


async def test_error_before_stream(sdk: Program, provider: Upstream, serve: Serve) -> None:
    """An error status is the SDK's own exception."""
    provider.answer(status=429, headers={"x-should-retry": "false"})
    assert await ran(sdk, "error", provider, serve, heartbeat="15s") == {
        "name": "RateLimitError",
        "code": "upstream_rate_limited",
        "status": 429,
    }


async def ran(
    sdk: Program, job: str, provider: Upstream, serve: Serve, heartbeat: str = "20ms"
) -> Any:
    """Return what the SDK reads."""
    http = await serve(
        provider, TOKENWIRE_HEARTBEAT=heartbeat, TOKENWIRE_API_KEYS="key-one-of-tests"
    )
    return await sdk.run(f"{http.base_url}/v1", job)
