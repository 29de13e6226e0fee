"""The environments of one function: which one takes an invocation, and when one more starts."""

from __future__ import annotations

import asyncio

from .call import Call, Throttled
from .environment import Environment, Function
from .invoke import InvokeApi
from .report import say


class Pool:
    """Environments, started as needed.

    Args:
        function: What they run.
        limit: How many there may be.
    """

    def __init__(self, function: Function, limit: int) -> None:
        self._function = function
        self._limit = limit
        self._environments: list[Environment] = []
        self._running: set[asyncio.Task[None]] = set()
        self._invoke_api = InvokeApi(self.invoke)

    def invoke(self, call: Call) -> None:
        """Have an invocation run; its answer comes through the call.

        Raises:
            Throttled: No environment is free.
        """
        environment = self._free() or self._one_more()
        environment.reserve()
        task = asyncio.create_task(environment.invoke(call))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def replace(self) -> None:
        """Let the next invocation find new code."""
        say("the code has changed: new environments from here on")
        for environment in self._environments:
            environment.retire()

    async def close(self) -> None:
        """Stop every environment."""
        await self._invoke_api.close()
        for environment in self._environments:
            environment.kill("closed")
            await environment.wait()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _free(self) -> Environment | None:
        self._environments = [e for e in self._environments if e.busy or not e.retired]
        return next((e for e in self._usable() if e.busy < self._function.concurrency), None)

    def _one_more(self) -> Environment:
        if len(self._environments) >= self._limit:
            raise Throttled
        environment = Environment(self._function, self._invoke_api)
        self._environments.append(environment)
        return environment

    def _usable(self) -> list[Environment]:
        return [environment for environment in self._environments if not environment.retired]
