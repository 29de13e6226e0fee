"""From a request to a running stream, and from a stream to one client's rendering of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import MappingProxyType

from starlette.requests import Request
from starlette.responses import Response

from ..auth.callers import Caller
from ..errors import ClientError
from ..events import Error
from ..providers.protocol import Provider
from ..streams.log import Attempt, Cursor, Meta
from ..streams.policy import OnDisconnect
from ..streams.pump import Source
from ..streams.stream import Stream, first_after, new_id
from ..streams.viewer import Translated, Verbatim
from ..wire import DIALECTS
from ..wire.protocol import ChatRequest, Dialect, Encoder
from .catalog import Route
from .idempotency import HEADER, Idempotency
from .observation import Observation
from .response import Manners, Reading
from .routing import Candidate, open_first
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
) -> Stream:
    """Start a stream for a validated request, or find the one that it has started before.

    Raises:
        ClientError: Nobody answers for the model; or the key stands for another request.
        ProxyError: There is no room.
    """
    hub = services.hub
    if idempotency and (found := await idempotency.find(hub, caller.id)):
        observation.joins(found, None)
        return found
    model = request.model or services.catalog.default
    plan = services.catalog.resolve(model)
    first = plan.routes[0].provider
    meta = Meta(new_id(), caller.id, first.name, first.dialect, model, int(time.time()))
    attempts: list[Attempt] = []
    source = Source(
        partial(open_first, _candidates(plan.routes, request), plan.patience, attempts),
        DIALECTS[first.dialect].decoder(),
        services.settings.max_block_bytes,
    )
    hub.admit()
    if idempotency and (found := await idempotency.claim(hub, caller.id, meta.id)):
        observation.joins(found, None)
        return found
    observation.begins(meta)
    return await hub.start(meta, source, on_disconnect, observation.seconds_left, attempts)


def _candidates(routes: Sequence[Route], request: ChatRequest) -> list[Candidate]:
    """Whom to ask, in order: those of the route that can be told all of the request.

    Raises:
        ClientError: The first cannot; ``param`` names the field.
    """
    found: list[Candidate] = []
    for route in routes:
        provider = route.provider
        try:
            said = _for(provider, request)
        except ClientError:
            if not found:
                raise
            continue
        opened = partial(provider.open, said, route.model)
        name = f"{provider.name}/{route.model}"
        found.append(Candidate(name, DIALECTS[provider.dialect], opened))
    return found


def _for(provider: Provider, request: ChatRequest) -> ChatRequest:
    """The request in words that the provider takes: its own dialect's, or those of ``chat``.

    Raises:
        ClientError: It cannot be said in them; ``param`` names the field.
    """
    if request.dialect in (provider.dialect, "chat"):
        return request
    body = DIALECTS[request.dialect].to_chat(request.body)
    return replace(request, body=body, dialect="chat", translated=True)


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
    first = first_after(stream, cursor)
    if dialect.name == stream.meta.dialect:
        return Reading(max(first, 1), Verbatim(encoder or dialect.encoder(), prefix, surplus))
    decoder = DIALECTS[stream.meta.dialect].decoder()
    rendering = Translated(decoder, encoder or dialect.encoder(), prefix, muted=first - 1)
    # Replay from the start of what is held, but do not hide that a wanted record is gone.
    return Reading(min(max(first, 1), stream.tail.first), rendering)


def manners(
    services: Services,
    retry: int | None = None,
    refuse: Callable[[Error], Response] | None = None,
    headers: Mapping[str, str] = NO_HEADERS,
) -> Manners:
    """The settings' pace, with what the route adds to it."""
    settings = services.settings
    return Manners(settings.heartbeat, settings.send_timeout, refuse, retry, headers)
