"""The trace of a request, continued to the provider."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from ..providers.protocol import TRACE_HEADERS
from ..stores.records import Meta
from ..streams.block_stream import BlockStream
from ..streams.pump import Source
from ..telemetry import Trace


def traced(source: Source, trace: Trace | None, meta: Meta) -> Source:
    """Return the source; if there is a trace, its headers are sent to the provider."""
    if trace is None:
        return source
    headers = trace.inference(meta.id, meta.provider, meta.model)

    @asynccontextmanager
    async def opened() -> AsyncIterator[BlockStream]:
        token = TRACE_HEADERS.set(headers)
        try:
            async with source.open() as blocks:
                yield blocks
        finally:
            TRACE_HEADERS.reset(token)

    return replace(source, open=opened)
