"""OpenAI, and whatever speaks its Chat Completions API: vLLM, Ollama, Groq, Azure, OpenRouter.

The official SDK makes the request (keys, retries, proxies, errors are its craft) and hands over
the open response; the body is read as bytes, since typing a block costs a hundred times what
passing it on does.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import msgspec

from ...dialects.protocol import JSON, ChatRequest
from ...errors import TokenwireError
from .. import complete_responses
from ..config import Config
from ..exchange import Sent
from ..guard import guarded
from ..non_streaming import as_stream
from ..protocol import Key
from .bodies import Amend, as_it_is, for_openai
from .transport import Transport, connect

if TYPE_CHECKING:
    import httpx2

_MODELS_TTL = 300.0


class OpenAI:
    """A provider that speaks the ``chat`` dialect.

    Args:
        name: As in ``name/model``.
        key: The API key; asked for with every request.
        config: How to reach it.
        amend: What it wants otherwise than others.
    """

    dialect = "chat"

    def __init__(self, name: str, key: Key, config: Config, amend: Amend = as_it_is) -> None:
        self.name = name
        self._key = key
        self._config = config
        self._amend = for_openai if config.base_url is None else amend
        self._transport: Transport | None = None
        self._models: tuple[float, list[str]] | None = None
        self._asking = asyncio.Lock()
        self._connecting = asyncio.Lock()

    async def prepare(self) -> None:
        """Import what sends requests; the SDK takes most of a second."""
        await self._connected()

    @asynccontextmanager
    async def open(self, request: ChatRequest, model: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """Post the caller's own body, with the model's real name, streamed, and usage asked for.

        Raises:
            TokenwireError: As ``failures.translate`` says.
        """
        sent = await self._post(_encoded(self._amend(request, model), model))
        try:
            yield guarded(as_stream(_read(sent.response), complete_responses.chat), sent.secrets)
        finally:
            await sent.response.aclose()

    async def _post(self, body: bytes) -> Sent:
        try:
            return await self._send(body)
        except TokenwireError as error:
            if error.code != "upstream_auth" or not await self._rotated():
                raise
            return await self._send(body)  # a key was rotated: once more, with the new one

    async def _rotated(self) -> bool:
        keys = (
            self._key,
            *self._config.secret_headers.values(),
            *self._config.secret_query.values(),
        )
        return any([await key.refresh() for key in keys])

    async def _send(self, body: bytes) -> Sent:
        key = await self._key()  # a missing one is a clear error of ours, before any of the SDK's
        headers = await _values(self._config.secret_headers)
        query = await _values(self._config.secret_query)
        transport = await self._connected()
        response = await transport.post(body, key, headers, query)
        return Sent(response, (key, *headers.values(), *query.values()))

    async def models(self) -> list[str]:
        """What was configured, or what it says it has; asked for at most every five minutes."""
        if self._config.models:
            return list(self._config.models)
        async with self._asking:
            if self._models is None or time.monotonic() - self._models[0] > _MODELS_TTL:
                self._models = (time.monotonic(), await self._ask())
            return self._models[1]

    async def _ask(self) -> list[str]:
        try:
            transport = await self._connected()
            headers = await _values(self._config.secret_headers)
            query = await _values(self._config.secret_query)
            return sorted(await transport.models(await self._key(), headers, query))
        except Exception:
            # Any failure at all means that there is nothing to list; asking for a model
            # will say what is wrong.
            return []

    async def _connected(self) -> Transport:
        async with self._connecting:
            if self._transport is None:
                # In a thread: importing the SDK would hold up every other stream.
                self._transport = await asyncio.to_thread(connect, self._key, self._config)
        return self._transport

    async def aclose(self) -> None:
        """Close the connections."""
        if self._transport is not None:
            await self._transport.aclose()


async def _values(keys: Mapping[str, Key]) -> dict[str, str]:
    return {name: await key() for name, key in keys.items()}


def _encoded(body: JSON, model: str) -> bytes:
    options: JSON = body.get("stream_options") or {}
    asked = {**body, "model": model, "stream": True}
    return msgspec.json.encode({**asked, "stream_options": {**options, "include_usage": True}})


async def _read(response: httpx2.Response) -> AsyncIterator[bytes]:
    from ..failures import broken

    try:
        async for chunk in response.aiter_bytes():
            yield chunk
    except Exception as error:
        raise broken(error) from None
