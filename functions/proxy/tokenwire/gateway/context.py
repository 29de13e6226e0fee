"""The context of a request: its caller, its deadline and the state of its client's connection."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..auth.callers import Caller
from ..clock import monotonic
from ..telemetry import Trace
from .memory import RequestMemory

_CLOSING_SECONDS = 1.5
"""Seconds before Lambda's deadline by which a stream must be over. Its end has to reach the client,
and in the last half second the Lambda runtime treats the client as disconnected."""
_SHORTEST = 0.1
"""Seconds that a stream may take at least, however near the deadline is."""


async def never() -> None:
    """Wait forever: the client of a request without a connection cannot disconnect."""
    await asyncio.Event().wait()


@dataclass(frozen=True, slots=True)
class RequestContext:
    """What use cases may base a decision on. Made once per request; its fields never change.

    Args:
        caller: Who sent the request.
        memory: Charges the bytes that the request holds to its caller.
        disconnected: Returns once the client has disconnected. Wait for it only after the request
            body has been read.
        deadline: When a stream that this request starts must be over, by ``clock.monotonic``;
            infinite where the process has no deadline.
        freezes: Whether the process stops running once the response has ended, as on AWS Lambda.
        function_arn: The Lambda function that serves the request, with its alias; empty elsewhere.
        trace: The request's trace; None if tracing is off.
    """

    caller: Caller
    memory: RequestMemory
    disconnected: Callable[[], Awaitable[None]] = never
    deadline: float = math.inf
    freezes: bool = False
    function_arn: str = ""
    trace: Trace | None = None

    @classmethod
    def of(
        cls,
        scope: Mapping[str, Any],
        caller: Caller,
        memory: RequestMemory,
        disconnected: Callable[[], Awaitable[None]] = never,
        trace: Trace | None = None,
    ) -> RequestContext:
        """Return the context of an ASGI scope; on AWS Lambda ``aws.context`` sets the deadline."""
        invocation = scope.get("aws.context")
        if invocation is None:
            return cls(caller, memory, disconnected, trace=trace)
        return cls(
            caller,
            memory,
            disconnected,
            monotonic() + invocation.get_remaining_time_in_millis() / 1000 - _CLOSING_SECONDS,
            getattr(invocation, "freezes", False),
            getattr(invocation, "invoked_function_arn", ""),
            trace,
        )

    @property
    def seconds_left(self) -> float:
        """Seconds that a stream may still take; infinite where there is no deadline."""
        return max(_SHORTEST, self.deadline - monotonic())
