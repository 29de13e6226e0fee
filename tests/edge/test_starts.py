"""Requests that arrive together begin a few at a time, so that open streams go on meanwhile."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from tests.edge.test_protocol import GET, Stuck
from tokenwire.server import Config
from tokenwire.server.protocol import BoundedProtocol
from tokenwire.server.starts import MIN_TURNS, SECONDS_PER_TURN, StartLimiter
from tokenwire.settings import Settings

MANY = 50


class Iterations:
    """Counts the iterations of the loop."""

    def __init__(self) -> None:
        self.now = 0
        self._loop = asyncio.get_running_loop()
        self._loop.call_soon(self._next)

    def _next(self) -> None:
        self.now += 1
        self._loop.call_soon(self._next)


@pytest.mark.parametrize(("took", "most"), [(0.0, MIN_TURNS), (10 * SECONDS_PER_TURN, 10)])
async def test_few_begin_in_each_iteration(took: float, most: int) -> None:
    """All begin, in their order; more in an iteration after one that has taken long."""
    iterations = Iterations()
    starts = StartLimiter(lambda: iterations.now * took)
    begun: list[tuple[int, int]] = []

    async def request(number: int) -> None:
        await starts.wait_for_turn()
        begun.append((number, iterations.now))

    await asyncio.gather(*map(request, range(MANY)))

    assert [number for number, _ in begun] == list(range(MANY))
    assert max(Counter(iteration for _, iteration in begun).values()) == most


async def test_request_alone_does_not_wait() -> None:
    """It begins in the iteration in which it arrives, also the next one."""
    iterations, starts = Iterations(), StartLimiter()
    for _ in range(3):
        before = iterations.now
        await starts.wait_for_turn()
        assert iterations.now == before
        await asyncio.sleep(0.001)


async def test_turn_of_a_cancelled_request_is_not_lost() -> None:
    """Those behind it begin, and later ones too."""
    starts = StartLimiter()
    tasks = [asyncio.create_task(starts.wait_for_turn()) for _ in range(MIN_TURNS + 4)]
    await asyncio.sleep(0)
    for task in tasks[MIN_TURNS : MIN_TURNS + 3]:
        task.cancel()
    async with asyncio.timeout(10):
        await asyncio.gather(*tasks, return_exceptions=True)
        for _ in range(3 * MIN_TURNS):
            await starts.wait_for_turn()

    assert [task.cancelled() for task in tasks].count(True) == 3


async def test_connections_of_a_server_share_the_turns() -> None:
    """Requests of many connections, which one iteration of the loop has read."""
    begun: list[int] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        begun.append(iterations.now)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})

    config, iterations = Config(app, Settings()), Iterations()
    protocols = [BoundedProtocol(config, ServerState(), {}) for _ in range(MANY)]
    for protocol in protocols:
        protocol.connection_made(Stuck())
        protocol.data_received(GET)
    await asyncio.gather(*(task for protocol in protocols for task in protocol.tasks))

    assert len(begun) == MANY
    assert max(Counter(begun).values()) <= MIN_TURNS
    for protocol in protocols:
        protocol.connection_lost(None)
