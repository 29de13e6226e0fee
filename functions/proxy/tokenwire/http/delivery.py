"""How a streaming response is delivered: its pace, and what else a route chooses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from starlette.responses import Response

from ..events import Error
from ..settings import Settings


@dataclass(frozen=True, slots=True)
class DeliveryOptions:
    """How a streaming response is delivered.

    Args:
        heartbeat: Seconds of silence before a heartbeat.
        send_timeout: Maximum seconds for one send; after them the response is abandoned.
        retry: The SSE reconnection time to announce in the first block, in milliseconds; None
            for none.
        error_response: Makes the response for a stream that failed before its first block. None
            where such a stream must be a 200 with the error as an event: an ``EventSource`` stops
            at any other status, and cannot read its body.
    """

    heartbeat: float = 15.0
    send_timeout: float = 30.0
    retry: int | None = None
    error_response: Callable[[Error], Response] | None = None

    @classmethod
    def of(
        cls,
        settings: Settings,
        *,
        retry: bool = False,
        error_response: Callable[[Error], Response] | None = None,
    ) -> DeliveryOptions:
        """Return the settings' options, with the reconnection time where ``retry`` is true."""
        milliseconds = settings.retry if retry else None
        return cls(settings.heartbeat, settings.send_timeout, milliseconds, error_response)
