"""The environments of one function: which one takes an invocation, and when another one starts."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

from .environment import Environment, InitFailed
from .function import Function
from .invocation import Failed, Invocation, Throttled
from .invoke import InvokeApi
from .report import notice

STARTS = max(2, os.cpu_count() or 1)
"""Environments that start at a time: a start is CPU work, which more of them only slow down."""


class Startable(Protocol):
    """What a pool needs of an environment."""

    retired: bool

    async def start(self) -> None:
        """Run the init phase, or raise ``InitFailed``."""

    async def invoke(self, invocation: Invocation) -> None:
        """Run one invocation to its end."""

    def stop(self, reason: str = "SPINDOWN") -> None:
        """Begin to shut down."""

    async def wait(self) -> None:
        """Wait for the end of the shutdown."""


@dataclass(eq=False, slots=True)
class _Member:
    environment: Startable
    ready: bool = False
    busy: int = 0

    @property
    def is_over(self) -> bool:
        """Whether it takes no more invocations, and has none."""
        return self.ready and self.environment.retired and not self.busy


class Pool:
    """Starts environments as needed; invocations wait for the first that is ready or free.

    Args:
        function: What they run.
        limit: Environments at a time.
        starts: Environments that start at a time.
        make: Makes an environment.
    """

    def __init__(
        self,
        function: Function,
        limit: int,
        *,
        starts: int = STARTS,
        make: Callable[[Function, InvokeApi], Startable] = Environment,
    ) -> None:
        self.invoke_api = InvokeApi(self.invoke)
        self._function = function
        self._limit = limit
        self._starts = starts
        self._make = make
        self._members: list[_Member] = []
        self._waiting: deque[Invocation] = deque()
        self._tasks: set[asyncio.Task[None]] = set()

    def invoke(self, invocation: Invocation) -> None:
        """Run an invocation; its response comes through it.

        Raises:
            Throttled: Every environment is busy, and there are as many as allowed.
        """
        taken = sum(member.busy for member in self._members) + len(self._waiting)
        if taken >= self._limit * self._function.concurrency:
            raise Throttled
        self._waiting.append(invocation)
        self._dispatch()

    def replace(self) -> None:
        """Have further invocations run in new environments, with new code."""
        notice("the code has changed: further requests run in new environments")
        for member in self._members:
            member.environment.retired = True
        self._dispatch()

    async def close(self) -> None:
        """Stop every environment."""
        await self.invoke_api.close()
        self._limit = 0
        for member in self._members:
            self._run(_stop(member.environment))
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _dispatch(self) -> None:
        """Give waiting invocations to free environments, and start what is missing."""
        for ended in [m for m in self._members if m.is_over]:
            self._members.remove(ended)
            self._run(_stop(ended.environment))
        while self._waiting and (member := self._free()) is not None:
            member.busy += 1
            self._run(self._invoke(member, self._waiting.popleft()))
        while self._wants_another():
            member = _Member(self._make(self._function, self.invoke_api))
            self._members.append(member)
            self._run(self._start(member))

    def _free(self) -> _Member | None:
        room = self._function.concurrency
        return next(
            (
                member
                for member in self._members
                if member.ready and not member.environment.retired and member.busy < room
            ),
            None,
        )

    def _wants_another(self) -> bool:
        starting = sum(not member.ready for member in self._members)
        needed = -(-len(self._waiting) // self._function.concurrency)
        return starting < min(needed, self._starts) and len(self._members) < self._limit

    async def _start(self, member: _Member) -> None:
        try:
            await member.environment.start()
        except InitFailed as error:
            self._members.remove(member)
            self._fail(error.failure)
        except OSError as error:
            # Of the machine, such as too many open files.
            self._members.remove(member)
            self._fail(Failed("Sandbox.Failure", f"No environment can be started: {error}"))
        member.ready = True
        self._dispatch()

    def _fail(self, failure: Failed) -> None:
        """Fail the invocations that the environment would have taken."""
        for _ in range(min(self._function.concurrency, len(self._waiting))):
            invocation = self._waiting.popleft()
            invocation.fail(failure.kind, failure.message, failure.body)
            invocation.reported.set()

    async def _invoke(self, member: _Member, invocation: Invocation) -> None:
        try:
            await member.environment.invoke(invocation)
        finally:
            member.busy -= 1
            invocation.reported.set()
            self._dispatch()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _stop(environment: Startable) -> None:
    environment.stop()
    await environment.wait()
