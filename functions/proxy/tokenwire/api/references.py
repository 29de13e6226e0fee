"""Resolve references to the items of earlier responses, as far as their streams are held."""

from __future__ import annotations

from dataclasses import replace
from time import monotonic

import msgspec

from ..errors import ClientError
from ..streams.stream import Stream
from ..wire.protocol import JSON, ChatRequest
from ..wire.responses_encoder import ResponsesEncoder
from ..wire.responses_references import Reference, not_held, references, with_items
from .collect import apart
from .services import Services
from .translation import translated

_PATIENCE = 2.0
"""Seconds to wait for the end of a response that its client may just have read."""


async def resolved(services: Services, owner: str, request: ChatRequest) -> ChatRequest:
    """The request with the items that it refers to, from the caller's own streams.

    Args:
        services: The app's parts.
        owner: Whose streams count.
        request: Of any dialect; only ``responses`` has references.

    Raises:
        ClientError: An item is not held, or is somebody else's (404, ``item_not_found``), or all
            of them are too large together (413, ``request_too_large``).
        StoreError: The store cannot be asked.
    """
    named = references(request.body) if request.dialect == "responses" else []
    if not named:
        return request
    limit = services.settings.max_body_bytes
    outputs: dict[str, dict[str, JSON]] = {}
    found: dict[str, JSON] = {}
    size = 0
    for reference in named:
        if reference.stream not in outputs:
            outputs[reference.stream] = await _output(services, owner, reference)
        item = outputs[reference.stream].get(reference.item)
        if item is None:
            raise not_held(reference.at)
        found[reference.item] = item
        size += len(msgspec.json.encode(item))
        if size > limit:
            raise _too_large(reference.at, limit)
    return replace(request, body=with_items(request.body, found))


async def _output(services: Services, owner: str, reference: Reference) -> dict[str, JSON]:
    """The items of the stream's response, by their ids."""
    try:
        stream = await services.hub.find(reference.stream, owner)
        blocks = await _blocks(stream)
    except ClientError:
        raise not_held(reference.at) from None
    encoder = ResponsesEncoder()
    await apart(sum(map(len, blocks)), lambda: translated(stream, blocks, encoder))
    return {item["id"]: item for item in encoder.snapshot()["output"]}


async def _blocks(stream: Stream) -> list[bytes]:
    """What is held of the stream, once it has ended or the patience has.

    Raises:
        ClientError: Its beginning is no longer held.
    """
    blocks: list[bytes] = []
    until = monotonic() + _PATIENCE
    with stream.tail.attach(1) as reader:
        while True:
            while taken := reader.take():
                blocks += taken
            left = until - monotonic()
            if reader.ended or reader.interruption or left <= 0:
                return blocks
            await reader.wait(left)


def _too_large(at: str, limit: int) -> ClientError:
    return ClientError(
        f"{at} and the references before it stand for more than {limit} bytes.",
        code="request_too_large",
        status=413,
        param=at,
    )
