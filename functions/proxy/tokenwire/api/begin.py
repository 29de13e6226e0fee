"""From a request to a running stream, and from a stream to one client's rendering of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from starlette.requests import Request
from starlette.responses import Response

from ..auth.callers import Caller
from ..events import Error
from ..streams.log import Cursor
from ..streams.policy import OnDisconnect
from ..streams.stream import Stream, first_after
from ..streams.viewer import Ids, Translated, Verbatim
from ..wire import DIALECTS
from ..wire.protocol import ChatRequest, Dialect, Encoder
from .handover import hand_over, needs_worker
from .idempotency import HEADER, Idempotency
from .observation import Observation
from .preparing import holding, prepare
from .presence import Seat
from .references import resolved
from .response import Manners, Reading
from .services import Services

NO_HEADERS: Mapping[str, str] = MappingProxyType({})
POLICY_HEADER = "x-tokenwire-on-disconnect"
GRACE = OnDisconnect(30.0)
"""For clients that can come back: long enough for a reload, short enough not to cost much."""


def policy(request: Request, services: Services, default: OnDisconnect) -> OnDisconnect:
    """What the caller asks for by header, else what the settings say, else ``default``.

    Raises:
        ClientError: The header is malformed.
    """
    asked = request.headers.get(POLICY_HEADER) or services.settings.on_disconnect
    if asked:
        return OnDisconnect.parse(asked)
    # Whoever sends a key means to come back.
    return GRACE if HEADER in request.headers and default.grace == 0 else default


async def begin(
    services: Services,
    caller: Caller,
    request: ChatRequest,
    on_disconnect: OnDisconnect,
    observation: Observation,
    idempotency: Idempotency | None = None,
    *,
    alone: bool = False,
) -> Stream:
    """Start a stream for a validated request, or find the one that it has started before.

    Args:
        services: The app's parts.
        caller: Whose stream it will be.
        request: What is asked.
        on_disconnect: What becomes of it without viewers.
        observation: The request's record.
        idempotency: The request's key.
        alone: Whether the response ends before the stream does.

    Raises:
        ClientError: Nobody answers for the model; or the key stands for another request.
        ProxyError: There is no room.
    """
    hub = services.hub
    if idempotency and (found := await idempotency.find(hub, caller.id)):
        observation.joins(found, None)
        return found
    elsewhere = needs_worker(services, observation, on_disconnect, alone=alone)
    request = await resolved(services, caller.id, request)
    prepared = prepare(services, caller.id, request)
    meta = prepared.meta
    hub.admit(caller.id)
    if idempotency and (found := await idempotency.claim(hub, caller.id, meta.id)):
        observation.joins(found, None)
        return found
    if elsewhere:
        stream = await hand_over(services, meta, request, on_disconnect, observation)
        observation.joins(stream, None)
        return stream
    observation.begins(meta)
    left = observation.seconds_left
    source = holding(prepared.source, observation.hold)
    return await hub.start(meta, source, on_disconnect, left, prepared.attempts)


def join(
    stream: Stream,
    dialect: Dialect,
    cursor: Cursor | None = None,
    *,
    prefix: str = "",
    surplus: Callable[[bytes], bool] | None = None,
    encoder: Encoder | None = None,
) -> Reading:
    """How a client of ``dialect`` reads the stream from ``cursor`` on.

    Args:
        stream: What is read.
        dialect: The client's.
        cursor: What it has; None for a client that has nothing.
        prefix: Stands before each id.
        surplus: Tells blocks to be left out.
        encoder: Other than a new one of the dialect's.

    Raises:
        ClientError: The cursor is not of this stream.
    """
    first, ids = first_after(stream, cursor), Ids(prefix, cursor)
    if dialect.name == stream.meta.dialect:
        return Reading(max(first, 1), Verbatim(encoder or dialect.encoder(), ids, surplus))
    decoder = DIALECTS[stream.meta.dialect].decoder()
    rendering = Translated(decoder, encoder or dialect.encoder(), ids, muted=first - 1)
    # Replay from the start of what is held, but do not hide that a wanted record is gone.
    return Reading(min(max(first, 1), stream.tail.first), rendering)


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
