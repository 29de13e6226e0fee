"""Resolve a request to an ordered list of provider calls."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from ..dialects.origins import caused_by
from ..dialects.protocol import Dialect, ParsedRequest
from ..errors import ClientError
from ..providers.protocol import Provider
from ..stores.records import Meta
from ..streams.facts import Attempt
from ..streams.fallback import Candidate, open_first
from ..streams.pump import Source
from ..streams.stream import new_id
from .catalog import Route
from .memory import RequestMemory
from .services import Services
from .stream_contexts import MemoryCharge, OriginalFieldErrors


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a stream needs to start."""

    meta: Meta
    source: Source
    attempts: list[Attempt]


def prepare(
    services: Services, owner: str, request: ParsedRequest, stream_id: str | None = None
) -> Prepared:
    """Find the providers for a request, and translate the request for each of them.

    Args:
        services: The app's services.
        owner: The id of the caller that the stream will belong to.
        request: The request; with a model.
        stream_id: The id of a stream that has one already.

    Raises:
        ClientError: No provider has the model, or the provider cannot express the request.
    """
    model = request.model
    plan = services.catalog.resolve(model)
    first = plan.routes[0].provider
    created = int(time.time())
    dialects = services.dialects
    tools = dialects[request.dialect].tools(request.body)
    meta = Meta(stream_id or new_id(), owner, first.name, first.dialect, model, created, tools)
    attempts: list[Attempt] = []
    source = Source(
        partial(
            open_first,
            _candidates(dialects, plan.routes, request),
            plan.patience,
            attempts,
            services.settings.max_block_bytes,
        ),
        dialects[first.dialect].decoder(),
        dialects[first.dialect].repair(),
    )
    return Prepared(meta, source, attempts)


def holding(source: Source, memory: RequestMemory) -> Source:
    """Return the source, which keeps the request's bytes charged for as long as it is open.

    The client of a provider keeps the request body until the response is over.
    """
    return Source(partial(MemoryCharge, source.open, memory), source.decoder, source.repair)


def _candidates(
    dialects: Mapping[str, Dialect], routes: Sequence[Route], request: ParsedRequest
) -> list[Candidate]:
    """Return the routes whose providers can express the request, in order. Nothing is sent yet.

    Raises:
        ClientError: The first provider cannot, which is the one that the alias is meant for;
            ``param`` names the caller's field.
    """
    found: list[Candidate] = []
    for route in routes:
        try:
            found.append(candidate(dialects, route, request))
        except ClientError:
            if not found:
                raise
    return found


def candidate(dialects: Mapping[str, Dialect], route: Route, request: ParsedRequest) -> Candidate:
    """Return one provider with the request translated for it; nothing is sent.

    Raises:
        ClientError: The provider cannot express the request; ``param`` names the caller's field.
    """
    provider = route.provider
    translated = _translated(dialects, provider, request)
    with caused_by(translated.body):
        opening = OriginalFieldErrors(provider.open(translated, route.model), translated.body)
    return Candidate(f"{provider.name}/{route.model}", dialects[provider.dialect], opening)


def _translated(
    dialects: Mapping[str, Dialect], provider: Provider, request: ParsedRequest
) -> ParsedRequest:
    """Return the request in the provider's own dialect, or in ``chat``, which it can translate.

    Raises:
        ClientError: ``chat`` cannot express it; ``param`` names the field.
    """
    if request.dialect in (provider.dialect, "chat"):
        return request
    body = dialects[request.dialect].to_chat(request.body)
    return replace(request, body=body, dialect="chat", translated=True)
