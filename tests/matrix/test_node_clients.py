"""Each provider's recordings, read by the official Node clients and the AI SDK."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace

import httpx2
import pytest

from tests.fakes.node import Program, needs_package, program
from tests.fakes.upstream import DONE, ROLE, STOP, Upstream, text
from tests.matrix.cases import CASES, PROVIDERS, Answer, answer, meaning
from tests.matrix.test_python_clients import app

CLIENTS = [
    "openai-chat",
    "openai-responses",
    "anthropic",
    "ui",
    "ai-openai",
    "ai-openai-chat",
    "ai-compatible",
    "ai-anthropic",
]

pytestmark = [
    pytest.mark.outside,
    pytest.mark.xdist_group("node clients"),
    needs_package("ai"),
]


@pytest.fixture(scope="module")
def clients() -> Iterator[Program]:
    """Run all of them in one process."""
    with program("clients.mjs") as found:
        yield found


async def ask(clients: Program, client: str, base_url: str, model: str) -> Answer:
    """Return what one client reads."""
    result = await clients.run(client, base_url, model)
    usage = result.pop("usage")
    calls = tuple(
        (id_, name, json.dumps(a, ensure_ascii=False)) for id_, name, a in result.pop("calls")
    )
    return Answer(**result, calls=calls, usage=None if usage is None else (usage[0], usage[1]))


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("dialect", PROVIDERS)
async def test_client_understands(
    dialect: str, client: str, clients: Program, provider: Upstream, aws: object
) -> None:
    """Every client reads the same answers, with pings and ids in the stream."""
    async with app(provider, TOKENWIRE_HEARTBEAT="20ms") as base_url:
        for case in CASES:
            answer(provider, case, dialect)
            result = await ask(clients, client, base_url, f"{PROVIDERS[dialect]}/model-x")
            if case == "error":  # some providers count before they fail
                result = replace(result, usage=None)
            assert result == expected(case, dialect, client), case


async def test_use_chat_resumes(clients: Program, provider: Upstream, aws: object) -> None:
    """After a reload the AI SDK's transport reads the running answer again; after its end, none."""
    gate = asyncio.Event()
    provider.answer(ROLE, text("one "), gate, text("two"), STOP, DONE)
    parts = [{"type": "text", "text": "Hi"}]
    body = {
        "id": "chat-1",
        "model": "openai/m",
        "messages": [{"id": "1", "role": "user", "parts": parts}],
    }
    async with (
        app(provider) as base_url,
        httpx2.AsyncClient(base_url=base_url, trust_env=False, verify=False, timeout=30) as client,
    ):
        pending = asyncio.create_task(client.post("/api/chat", json=body))
        await asyncio.wait_for(provider.arrived.wait(), 5)
        resuming = asyncio.create_task(ask(clients, "ui-resume", base_url, "openai/m"))
        while "tokenwire_open_viewers 2.0" not in (await client.get(f"{base_url}/metrics")).text:
            await asyncio.sleep(0.02)
        gate.set()
        assert (await resuming).text == "one two"
        await pending
        assert (await ask(clients, "ui-resume", base_url, "openai/m")).error == "nothing to resume"
    assert len(provider.requests) == 1


def expected(case: str, dialect: str, client: str) -> Answer:
    """Return the part of an answer that a client can report."""
    result = meaning(case, dialect)
    if case == "refusal" and client in ("ai-openai", "ai-openai-chat", "ai-compatible"):
        return replace(result, finish="content_filter")  # its name for every refusal
    if case == "reasoning" and client == "ai-openai-chat":
        return replace(result, reasoning="")  # OpenAI's own chat API has no thinking to read
    return result
