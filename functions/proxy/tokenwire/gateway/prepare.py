"""From a request to whom it is put to, and how."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial

from ..dialects import DIALECTS, checks
from ..dialects.origins import caused_by
from ..dialects.protocol import JSON, ChatRequest
from ..errors import ClientError
from ..providers.protocol import Provider
from ..stores.records import Attempt, Meta
from ..streams.pump import Source
from ..streams.stream import new_id
from .catalog import Route
from .fallback import Body, Candidate, open_first
from .hold import Hold
from .services import Services


@dataclass(frozen=True, slots=True)
class Prepared:
    """All that a stream needs to start."""

    meta: Meta
    source: Source
    attempts: list[Attempt]


def prepare(
    services: Services, owner: str, request: ChatRequest, stream_id: str | None = None
) -> Prepared:
    """Find who answers a request, and put it in their words.

    Args:
        services: The app's parts.
        owner: Whose stream it will be.
        request: What is asked.
        stream_id: Of a stream that has an id already.

    Raises:
        ClientError: Nobody answers for the model, its name is malformed, or the request cannot
            be put to them.
    """
    model = checks.named(request.model, "model") or services.catalog.default
    plan = services.catalog.resolve(model)
    first = plan.routes[0].provider
    created = int(time.time())
    tools = DIALECTS[request.dialect].tools(request.body)
    meta = Meta(stream_id or new_id(), owner, first.name, first.dialect, model, created, tools)
    attempts: list[Attempt] = []
    source = Source(
        partial(open_first, _candidates(plan.routes, request), plan.patience, attempts),
        DIALECTS[first.dialect].decoder(),
        services.settings.max_block_bytes,
        DIALECTS[first.dialect].repair(),
    )
    return Prepared(meta, source, attempts)


def holding(source: Source, hold: Hold | None) -> Source:
    """The source, with the request's bytes on the account for as long as it is open.

    A provider's client has the body until its response is over.
    """
    if hold is None:
        return source

    @asynccontextmanager
    async def opened() -> AsyncIterator[AsyncIterator[bytes]]:
        with hold.shared():
            async with source.open() as body:
                yield body

    return replace(source, open=opened)


def _candidates(routes: Sequence[Route], request: ChatRequest) -> list[Candidate]:
    """The route's providers that can express the request, in order. Nothing is sent yet.

    Raises:
        ClientError: None can, or the first cannot, which is the one that the route is meant for;
            ``param`` names the caller's field.
    """
    found: list[Candidate] = []
    for route in routes:
        try:
            found.append(candidate(route, request))
        except ClientError:
            if not found:
                raise
    return found


def candidate(route: Route, request: ChatRequest) -> Candidate:
    """One provider with the request in its own terms; nothing is sent.

    Raises:
        ClientError: It cannot be expressed there; ``param`` names the caller's field.
    """
    provider = route.provider
    translated = _for(provider, request)
    with caused_by(translated.body):
        opening = _led_back(provider.open(translated, route.model), translated.body)
    return Candidate(f"{provider.name}/{route.model}", DIALECTS[provider.dialect], opening)


@asynccontextmanager
async def _led_back(opening: AbstractAsyncContextManager[Body], body: JSON) -> AsyncIterator[Body]:
    """The provider's stream; a field that it finds at fault is named as the caller named it."""
    with caused_by(body):
        async with opening as stream:
            yield stream


def _for(provider: Provider, request: ChatRequest) -> ChatRequest:
    """The request in words that the provider takes: its own dialect's, or those of ``chat``.

    Raises:
        ClientError: It cannot be said in them; ``param`` names the field.
    """
    if request.dialect in (provider.dialect, "chat"):
        return request
    body = DIALECTS[request.dialect].to_chat(request.body)
    return replace(request, body=body, dialect="chat", translated=True)
