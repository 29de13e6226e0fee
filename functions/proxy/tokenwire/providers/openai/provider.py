"""OpenAI and compatible servers (vLLM, Ollama, Groq, Azure, OpenRouter): Chat Completions.

The official SDK gives the headers and lists the models, unless ``openai_sdk = false``. The body of
the response is read as bytes: parsing a block into SDK objects costs about 100 times as much as
forwarding it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial

import msgspec

from ...dialects.protocol import JSON, ParsedRequest
from .. import complete_responses
from ..config import Config
from ..credentials import values, with_rotation
from ..exchange import Sent
from ..guard import Guarded
from ..model_list import ModelList
from ..non_streaming import StreamedBody
from ..protocol import Key, Reply
from .bodies import Amend, as_it_is, for_openai, streamed
from .transport import Plain, Transport, connect


class OpenAIProvider:
    """A provider that speaks the ``chat`` dialect.

    Args:
        name: As in ``name/model``.
        key: The API key; read again for every request.
        config: How to reach it.
        amend: Changes a request's body to what this provider accepts.
    """

    dialect = "chat"

    def __init__(self, name: str, key: Key, config: Config, amend: Amend = as_it_is) -> None:
        self.name = name
        self._key = key
        self._config = config
        self._amend = for_openai if config.base_url is None else amend
        self._transport: Transport | None = None
        self._models = ModelList(config.models, self._fetch_models)
        self._connecting = asyncio.Lock()

    async def prepare(self) -> None:
        """Create the transport now; importing the SDK takes most of a second."""
        await self._connected()

    def open(
        self, request: ParsedRequest, model: str
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Send the request when entered; yield the response body as it arrives.

        The body that is sent is the request's, amended for this provider, with ``model`` replaced
        and ``stream`` and ``include_usage`` set.

        Raises:
            TokenwireError: When entered, the provider refused or failed.
            ProxyError: When entered, the key cannot be read.
        """
        return self._posted(self._amend(request, model), model)

    @asynccontextmanager
    async def _posted(self, body: JSON, model: str) -> AsyncIterator[AsyncIterator[bytes]]:
        from ..http import Body

        config = self._config
        keys = (self._key, *config.secret_headers.values(), *config.secret_query.values())
        sent = await with_rotation(
            partial(self._send, msgspec.json.encode(streamed(body, model))), keys
        )
        try:
            yield Guarded(StreamedBody(Body(sent.response), complete_responses.chat), sent.secrets)
        finally:
            await sent.response.aclose()

    async def _send(self, body: bytes) -> Sent:
        key = await self._key()  # without one, fail with our own error before the SDK does
        headers = await values(self._config.secret_headers)
        query = await values(self._config.secret_query)
        transport = await self._connected()
        response = await transport.post(body, key, headers, query)
        return Sent(response, (key, *headers.values(), *query.values()))

    async def models(self) -> list[str]:
        """Return the configured names, or those that the provider lists."""
        return await self._models.get()

    async def probe(self) -> Reply:
        """As ``Probed``. Without the SDK, which would retry, and hides the response."""
        headers = await values(self._config.secret_headers)
        query = await values(self._config.secret_query)
        key, plain = await self._key(), await asyncio.to_thread(Plain, self._config)
        try:
            reply = await plain.probe(key, headers, query)
        finally:
            await plain.aclose()
        if reply.models:
            self._models.hold(reply.models)
        return reply

    async def _fetch_models(self) -> list[str]:
        try:
            transport = await self._connected()
            headers = await values(self._config.secret_headers)
            query = await values(self._config.secret_query)
            return sorted(await transport.models(await self._key(), headers, query))
        except Exception:
            # Whatever failed, there is nothing to list; a request for a model reports the cause.
            return []

    async def _connected(self) -> Transport:
        if self._transport is not None:
            return self._transport
        async with self._connecting:
            if self._transport is None:
                # In a thread: importing the SDK would block every other stream.
                self._transport = await asyncio.to_thread(connect, self._key, self._config)
        return self._transport

    async def aclose(self) -> None:
        """Close the connections."""
        if self._transport is not None:
            await self._transport.aclose()
