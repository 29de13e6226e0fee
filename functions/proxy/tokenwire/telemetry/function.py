"""The Lambda invocation behind a request, for its log line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


class Invocation(Protocol):
    """The part of a Lambda context object that is used here."""

    @property
    def aws_request_id(self) -> str:
        """Lambda's id of the invocation."""

    @property
    def memory_limit_in_mb(self) -> int | str:
        """The environment's memory; Lambda's own Python runtime gives it as text."""

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the deadline."""


@dataclass(frozen=True, slots=True)
class FunctionRecord:
    """One invocation at the time when the line is written.

    Args:
        request_id: Lambda's own, as in its ``REPORT`` line.
        remaining_ms: Milliseconds that were left before the deadline.
        memory_mb: The environment's memory.
        cold_start: Whether the environment was new; None where the context does not say.
    """

    request_id: str
    remaining_ms: int
    memory_mb: int
    cold_start: bool | None = None


def function_of(scope: Mapping[str, Any]) -> FunctionRecord | None:
    """Return the invocation of an ASGI scope (``aws.context``); None if there is none."""
    context: Invocation | None = scope.get("aws.context")
    if context is None:
        return None
    return FunctionRecord(
        request_id=context.aws_request_id,
        remaining_ms=context.get_remaining_time_in_millis(),
        memory_mb=int(context.memory_limit_in_mb),
        cold_start=getattr(context, "cold_start", None),
    )
