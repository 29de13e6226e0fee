"""llmock as the upstream: broken streams, and providers that refuse."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import anthropic
import httpx2
import openai
import pytest

from tests.fakes.server import serving
from tests.judges.conftest import Verdict
from tests.judges.parts import NODE, PYTHON, need, run
from tests.judges.starting import llmock, settings
from tests.matrix.cases import Answer
from tests.matrix.python_clients import CLIENTS

PROVIDERS = {
    "openai": ("openai", "/v1"),
    "anthropic": ("anthropic", "/anthropic"),
    "gemini": ("gemini-native", "/gemini"),
}
TEXT = "An answer of several words, so that it can be interrupted."
COMPLETE, TYPED = "complete", "typed error"

Case = tuple[str, Mapping[str, Any], str]
# The fault, and the required outcome of a client.
BROKEN: list[Case] = [
    (
        f"{kind} after {chunks}",
        {"type": "stream_fault", "kind": kind, "after_chunks": chunks},
        TYPED,
    )
    for kind in ("truncate", "disconnect", "malformed")
    for chunks in (1, 4)
]
STALLED: Case = (
    "stall",
    {"type": "stream_fault", "kind": "stall", "after_chunks": 4, "stall_seconds": 0.4},
    COMPLETE,
)
REFUSED: list[Case] = [
    ("400", {"type": "fail", "status": 400, "times": None}, TYPED),
    ("401", {"type": "fail", "status": 401, "times": None}, TYPED),
    ("503 for ever", {"type": "fail", "status": 503, "times": None}, TYPED),
    ("429 once", {"type": "fail", "status": 429, "retry_after": 0.3}, COMPLETE),
    ("500 once", {"type": "fail", "status": 500}, COMPLETE),
]
CASES = [*BROKEN, STALLED, *REFUSED]
# Of the clients that have no exceptions: tokenwire's codes without "upstream_", or the types
# of Messages.
# fmt: off
TYPED_CODES = frozenset([
    "typed", "truncated", "disconnected", "malformed", "bad_request", "invalid_request", "auth",
    "overloaded", "api",
])
# fmt: on
NODE_CLIENTS = ["openai-node chat", "openai-node responses", "anthropic-node"]
_NUMBERS = count()

pytestmark = [
    pytest.mark.judge("llmock", "an upstream that cuts, resets, stalls, garbles or refuses"),
    pytest.mark.timeout(180),
]


@pytest.fixture(scope="session")
def mock() -> Iterator[str]:
    """The base URL of llmock."""
    with llmock() as url:
        yield url


@pytest.fixture
async def app(mock: str, tmp_path: Path) -> AsyncIterator[str]:
    """The base URL of tokenwire in front of it."""
    providers = {name: (kind, mock + path) for name, (kind, path) in PROVIDERS.items()}
    async with serving(settings(tmp_path / "tokenwire.toml", providers)) as url:
        yield url


async def scripted(mock: str, provider: str, fault: Mapping[str, Any]) -> str:
    """Return a model of this provider with that fault."""
    model = f"model-{next(_NUMBERS)}"
    reply = {"type": "reply", "text": TEXT, "times": None}
    behaviors = [{**behavior, "match": {"model": model}} for behavior in (fault, reply)]
    async with httpx2.AsyncClient(base_url=mock, trust_env=False) as client:
        done = await client.post("/_llmock/scenario", json={"behaviors": behaviors})
    assert done.status_code == 201, done.text
    return f"{provider}/{model}"


def judged(text: str, finish: str, error: str) -> str:
    """Whether this is the whole answer, or an error of tokenwire's; else what it is."""
    if error in TYPED_CODES:
        return TYPED
    is_complete = (text, finish, error) == (TEXT, "stop", "")
    return COMPLETE if is_complete else f"{text!r}, finish {finish!r}, error {error!r}"


async def outcome(pending: Awaitable[Answer]) -> str:
    """Return the outcome of a client."""
    try:
        result = await pending
    except (openai.APIError, anthropic.APIError):
        return TYPED
    except Exception as error:
        return f"a raw {type(error).__name__}"
    return judged(result.text, result.finish, result.error)


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("client", CLIENTS)
async def test_python_client(client: str, provider: str, app: str, mock: str) -> None:
    """Each fault ends as it should, in the SDK's own terms."""

    async def one(case: Case) -> tuple[str, str]:
        model = await scripted(mock, provider, case[1])
        return case[0], await outcome(CLIENTS[client](app, model))

    found = dict(await asyncio.gather(*map(one, CASES)))
    assert found == {name: wanted for name, _, wanted in CASES}


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("client", NODE_CLIENTS)
async def test_node_client(client: str, provider: str, app: str, mock: str) -> None:
    """The same for the official clients in Node."""
    for package in ("openai", "@anthropic-ai/sdk"):
        need(Path("tests/node/node_modules") / package)
    models = {await scripted(mock, provider, fault): name for name, fault, _ in CASES}
    done = await run([need(NODE), "tests/node/broken_streams.mjs", client, app, *models], 60)
    assert done.code == 0, done.err
    lines = [{"text": "", "finish": "", "error": ""} | json.loads(x) for x in done.out.splitlines()]
    found = {
        models[line["model"]]: judged(line["text"], line["finish"], line["error"]) for line in lines
    }
    assert found == {name: wanted for name, _, wanted in CASES}


async def test_its_own_verdict(mock: str, verdict: Verdict) -> None:
    """It finds no fault with how tokenwire calls it.

    A stream that was cut is the one thing that it cannot judge: it sees no second attempt, and
    not that the client got an error. The tests above check that.
    """
    done = await run([need(PYTHON / "llmock"), "report", "--url", mock, "--json"], 30)
    result = json.loads(done.out)
    errors = {f["code"] for f in result["findings"] if f["severity"] == "error"}
    clients, providers = len(CLIENTS) + len(NODE_CLIENTS), len(PROVIDERS)
    verdict(
        f"{clients} clients, {providers} providers, {len(CASES)} faults: the complete answer or a "
        "typed error; no error in its own verdict"
    )
    assert errors <= {"truncated_stream_accepted"}, result["findings"]
