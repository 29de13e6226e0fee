"""The context of a request: made once, with a deadline that stays where it is."""

from __future__ import annotations

import asyncio
import dataclasses
import inspect
import math
from dataclasses import dataclass

import pytest

from tests.fakes.virtual import run
from tokenwire.auth.callers import Caller
from tokenwire.gateway.context import RequestContext
from tokenwire.gateway.memory import RequestMemory
from tokenwire.http import dependencies


@dataclass
class Invocation:
    """As Lambda's context object."""

    milliseconds: int
    freezes: bool = True
    invoked_function_arn: str = "arn:x"

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the deadline."""
        return self.milliseconds


def context(invocation: Invocation | None) -> RequestContext:
    """The context of a request to this invocation."""
    scope = {} if invocation is None else {"aws.context": invocation}
    return RequestContext.of(scope, Caller("me"), RequestMemory(lambda _: True))


async def test_context_never_changes() -> None:
    """No field can be assigned; without Lambda there is no deadline and nothing freezes."""
    found = context(None)
    assert (found.seconds_left, found.freezes, found.function_arn) == (math.inf, False, "")
    for field in dataclasses.fields(found):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(found, field.name, None)


def test_deadline_comes_nearer() -> None:
    """The time that a slow upload took is missing from what a stream may take."""

    async def act() -> None:
        found = context(Invocation(60_000))
        assert (found.freezes, found.function_arn) == (True, "arn:x")
        assert found.seconds_left == pytest.approx(58.5)
        await asyncio.sleep(20)
        assert found.seconds_left == pytest.approx(38.5)
        await asyncio.sleep(60)
        assert found.seconds_left == pytest.approx(0.1)

    run(act)


def test_client_without_a_connection_stays() -> None:
    """A worker's request has no client that could disconnect."""

    async def act() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(context(None).disconnected(), 1000)

    run(act)


def test_dependencies_run_in_the_event_loop() -> None:
    """FastAPI would run a function that is no coroutine in a thread, for every request."""
    found = (
        dependencies.services,
        dependencies.summary,
        dependencies.context,
        dependencies.viewer_context,
    )
    assert all(map(inspect.iscoroutinefunction, found))
