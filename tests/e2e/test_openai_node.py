"""The official openai-node client with another base URL, with pings and ids."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import Serve
from tests.fakes.heartbeats import Heartbeats
from tests.fakes.node import Program, needs_package, program
from tests.fakes.upstream import DONE, ROLE, STOP, Upstream, chunk, complete, text

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


PAUSE = b""
"""Stands for a pause until the next heartbeat."""
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
    PAUSE,
    chunk({"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]}),
    chunk(finish="tool_calls"),
    DONE,
)
OVERLOADED = b'data: {"error":{"type":"overloaded_error"}}\n\n'


@pytest.mark.parametrize(
    ("job", "steps", "seen"),
    [
        ("text", (ROLE, PAUSE, text("a"), PAUSE, text("b"), STOP, DONE), ["a", "b"]),
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
    job: str, steps: tuple[bytes, ...], seen: Any, sdk: Program, provider: Upstream, serve: Serve
) -> None:
    """Text, usage, tools, non-streaming answers and errors are correct in the SDK."""
    heartbeats = Heartbeats()
    provider.answer(*(step or heartbeats.next for step in steps))
    assert await ran(sdk, job, provider, serve, heartbeats) == seen


async def test_error_before_stream(sdk: Program, provider: Upstream, serve: Serve) -> None:
    """An error status is the SDK's own exception."""
    provider.answer(status=429, headers={"x-should-retry": "false"})
    assert await ran(sdk, "error", provider, serve, Heartbeats(), "15s") == {
        "name": "RateLimitError",
        "code": "upstream_rate_limited",
        "status": 429,
    }


async def ran(
    sdk: Program,
    job: str,
    provider: Upstream,
    serve: Serve,
    heartbeats: Heartbeats,
    seconds: str = "20ms",
) -> Any:
    """Return what the SDK reads."""
    http = await serve(
        provider,
        heartbeats.around,
        TOKENWIRE_HEARTBEAT=seconds,
        TOKENWIRE_API_KEYS="key-one-of-tests",
    )
    return await sdk.run(f"{http.base_url}/v1", job)
