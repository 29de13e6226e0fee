"""How one client is served: the settings, and what a route adds to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from starlette.requests import Request
from starlette.responses import Response

from ..events import Error
from ..gateway.idempotency import KEY_HEADER
from ..gateway.presence import Seat
from ..gateway.services import Services
from ..streams.policy import OnDisconnect

NO_HEADERS: Mapping[str, str] = MappingProxyType({})
POLICY_HEADER = "x-tokenwire-on-disconnect"
GRACE = OnDisconnect(30.0)
"""For clients that can come back: long enough for a reload, short enough not to cost much."""


@dataclass(frozen=True, slots=True)
class Manners:
    """How a client is served.

    Args:
        heartbeat: Seconds of silence before a ping.
        send_timeout: Seconds that one send may take before the client is given up.
        refuse: Makes the response for a stream that failed before it began. None where the
            client must get 200 and the error as an event: an ``EventSource`` gives up on any
            other status, and cannot read its body.
        retry: The SSE reconnection time to announce in the first block, in milliseconds.
        headers: What the client's dialect needs beside the common headers.
        visible: Whether the client's going will be seen on this connection.
    """

    heartbeat: float = 15.0
    send_timeout: float = 30.0
    refuse: Callable[[Error], Response] | None = None
    retry: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    visible: bool = True


def policy(request: Request, services: Services, default: OnDisconnect) -> OnDisconnect:
    """What the caller asks for by header, else what the settings say, else ``default``.

    Raises:
        ClientError: The header is malformed.
    """
    asked = request.headers.get(POLICY_HEADER) or services.settings.on_disconnect
    if asked:
        return OnDisconnect.parse(asked)
    # Whoever sends a key means to come back.
    return GRACE if KEY_HEADER in request.headers and default.grace == 0 else default


def manners(
    services: Services,
    retry: int | None = None,
    refuse: Callable[[Error], Response] | None = None,
    headers: Mapping[str, str] = NO_HEADERS,
    seat: Seat | None = None,
) -> Manners:
    """The settings' pace, with what the route adds to it."""
    settings, seat = services.settings, seat or Seat()
    said = {**headers, **seat.headers}
    return Manners(settings.heartbeat, settings.send_timeout, refuse, retry, said, seat.visible)
