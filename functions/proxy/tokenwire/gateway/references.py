"""Resolve references to the items of earlier responses, as far as their streams are held."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import msgspec

from ..clock import monotonic
from ..dialects.protocol import JSON, ItemReferences, ParsedRequest, Reference
from ..errors import ClientError
from ..streams.stream import Stream
from .offload import apart
from .services import Services
from .translation import decoder_of, translated

MOST_READ = 8
"""How many times the bytes of the longest stream may be read for one request."""
_WAIT = 2.0
"""Seconds to wait for the end of a response that its client may just have read."""


async def resolved(services: Services, owner: str, request: ParsedRequest) -> ParsedRequest:
    """Return the request with the items that it refers to, from the caller's own streams.

    Args:
        services: The app's services.
        owner: The id of the caller.
        request: Of any dialect; most have no references.

    Raises:
        ClientError: An item is not held, or belongs to another caller (404, ``item_not_found``);
            or all of them are too large together (413, ``request_too_large``).
        StoreError: The store fails.
    """
    how = services.dialects[request.dialect].item_references
    named = how.find(request.body) if how else []
    if how is None or not named:
        return request
    items = _Items(services, owner, how)
    found = {reference.item: await items.find(reference) for reference in named}
    return replace(request, body=how.fill(request.body, found))


class _Items:
    """The items of one request's references, within bounds of size."""

    def __init__(self, services: Services, owner: str, how: ItemReferences) -> None:
        self._services = services
        self._owner = owner
        self._how = how
        self._outputs: dict[str, Mapping[str, JSON]] = {}
        self._read = 0
        self._size = 0

    async def find(self, reference: Reference) -> JSON:
        """Return the item that the reference names.

        Raises:
            ClientError: As ``resolved``.
            StoreError: As ``resolved``.
        """
        if reference.stream not in self._outputs:
            self._outputs[reference.stream] = await self._output(reference)
        item = self._outputs[reference.stream].get(reference.item)
        if item is None:
            raise self._how.missing(reference.at)
        self._size += len(msgspec.json.encode(item))
        _check(reference.at, self._size, self._services.settings.max_body_bytes)
        return item

    async def _output(self, reference: Reference) -> Mapping[str, JSON]:
        """Return the items of the stream's response by their ids."""
        try:
            stream = await self._services.hub.find(reference.stream, self._owner)
            blocks = await _blocks(stream)
        except ClientError:
            raise self._how.missing(reference.at) from None
        size = sum(map(len, blocks))
        self._read += size
        limit = MOST_READ * self._services.settings.max_stream_bytes
        _check(reference.at, self._read, limit)
        encoder = self._how.encoder()
        decoder = decoder_of(self._services.dialects, stream)
        await apart(size, lambda: translated(decoder, stream, blocks, encoder))
        return encoder.items()


async def _blocks(stream: Stream) -> list[bytes]:
    """Return the blocks that are held once the stream has ended, or after ``_WAIT``.

    Raises:
        ClientError: Its beginning is no longer held.
    """
    blocks: list[bytes] = []
    until = monotonic() + _WAIT
    with stream.tail.attach(1) as reader:
        while True:
            while taken := reader.take():
                blocks += taken
            left = until - monotonic()
            if reader.ended or reader.interruption or left <= 0:
                return blocks
            await reader.wait(left)


def _check(at: str, size: int, limit: int) -> None:
    if size > limit:
        raise ClientError(
            f"The items of {at} and of the references before it have more than {limit} bytes.",
            code="request_too_large",
            status=413,
            param=at,
        )
