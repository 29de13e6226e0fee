"""From a request to a running stream, and from a stream to one client's rendering of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from ..auth.callers import Caller
from ..events import Error
from ..streams.hub import Stream, first_after, new_id
from ..streams.log import Cursor, Meta
from ..streams.policy import OnDisconnect
from ..streams.pump import Source
from ..streams.viewer import Translated, Verbatim
from ..wire import DIALECTS
from ..wire.protocol import ChatRequest, Dialect
from .observation import Observation
from .response import Manners, Reading
from .services import Services

POLICY_HEADER = "x-tokenwire-on-disconnect"
GRACE = OnDisconnect(30.0)
"""For clients that can come back: long enough for a reload, short enough not to cost much."""


def policy(request: Request, services: Services, default: OnDisconnect) -> OnDisconnect:
    """What the caller asks for by header, else what the settings say, else ``default``.

    Raises:
        ClientError: The header is malformed.
    """
    asked = request.headers.get(POLICY_HEADER) or services.settings.on_disconnect
    return OnDisconnect.parse(asked) if asked else default


def begin(
    services: Services,
    caller: Caller,
    request: ChatRequest,
    on_disconnect: OnDisconnect,
    observation: Observation,
) -> Stream:
    """Start a stream for a validated request.

    Raises:
        ClientError: Nobody answers for the model.
        ProxyError: There is no room.
    """
    model = request.model or services.catalog.default
    route = services.catalog.resolve(model)
    provider = route.provider
    meta = Meta(new_id(), caller.id, provider.name, provider.dialect, model, int(time.time()))
    source = Source(
        partial(provider.open, request, route.model),
        DIALECTS[provider.dialect].decoder(),
        services.settings.max_block_bytes,
    )
    observation.begins(meta)
    return services.hub.start(meta, source, on_disconnect, observation.seconds_left)


def join(
    stream: Stream,
    dialect: Dialect,
    cursor: Cursor | None = None,
    *,
    prefix: str = "",
    surplus: Callable[[bytes], bool] | None = None,
) -> Reading:
    """How a client of ``dialect`` reads the stream from ``cursor`` on.

    Raises:
        ClientError: The cursor is not of this stream.
    """
    first = first_after(stream, cursor)
    if dialect.name == stream.meta.dialect:
        return Reading(max(first, 1), Verbatim(dialect.encoder(), prefix, surplus))
    decoder = DIALECTS[stream.meta.dialect].decoder()
    rendering = Translated(decoder, dialect.encoder(), prefix, muted=first - 1)
    # Replay from the start of what is held, but do not hide that a wanted record is gone.
    return Reading(min(max(first, 1), stream.tail.first), rendering)


def manners(
    services: Services,
    retry: int | None = None,
    refuse: Callable[[Error], Response] | None = None,
) -> Manners:
    """The settings' pace, with what the route adds to it."""
    settings = services.settings
    return Manners(settings.heartbeat, settings.send_timeout, refuse, retry)
