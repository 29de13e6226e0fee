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
from importlib.util import find_spec
from typing import TYPE_CHECKING, cast

import msgspec

from ...dialects.protocol import JSON, ChatRequest
from ...errors import TokenwireError
from .. import json_answers as whole
from ..config import Config
from ..exchange import Sent
from ..guard import guarded
from ..protocol import Key
from ..whole import streamed
from .bodies import Amend, as_it_is, for_openai

if TYPE_CHECKING:
    import httpx2
    from openai import AsyncOpenAI

_MODELS_TTL = 300.0
_MAX_CONNECTIONS = 10_000
# Compression would hold tokens back until a block of the compressor is full.
_HEADERS = {"Content-Type": "application/json", "Accept-Encoding": "identity"}


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
        self._client: AsyncOpenAI | None = None
        self._models: tuple[float, list[str]] | None = None
        self._asking = asyncio.Lock()
        self._connecting = asyncio.Lock()

    async def prepare(self) -> None:
        """Import the SDK and make its client; that takes most of a second."""
        await self._connected()

    @asynccontextmanager
    async def open(self, request: ChatRequest, model: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """Post the caller's own body, with the model's real name, streamed, and usage asked for.

        Raises:
            TokenwireError: As ``failures.translate`` says.
        """
        sent = await self._post(_encoded(self._amend(request, model), model))
        try:
            yield guarded(streamed(_read(sent.response), whole.chat), sent.secrets)
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
        client = await self._connected()
        import httpx2
        from openai import AsyncStream

        from .failures import translate

        try:
            # `cast_to` the raw response is the SDK's documented way to its undecoded body.
            response = await client.post(
                "/chat/completions",
                cast_to=httpx2.Response,
                content=body,
                options={"headers": {**_HEADERS, **headers}, "params": query},
                stream=True,
                stream_cls=AsyncStream[object],
            )
        except Exception as error:
            raise translate(error, key, *headers.values(), *query.values()) from None
        secrets = (key, *headers.values(), *query.values())
        return Sent(cast("httpx2.Response", response), secrets)

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
            client = await self._connected()
            listed = client.models.list(
                timeout=5.0,
                extra_headers=await _values(self._config.secret_headers),
                extra_query=await _values(self._config.secret_query),
            )
            return sorted([model.id async for model in listed])
        except Exception:
            # Any failure at all means that there is nothing to list; asking for a model
            # will say what is wrong.
            return []

    async def _connected(self) -> AsyncOpenAI:
        async with self._connecting:
            if self._client is None:
                # In a thread: importing the SDK would hold up every other stream.
                self._client = await asyncio.to_thread(_connect, self._key, self._config)
        return self._client

    async def aclose(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.close()


def _connect(key: Key, config: Config) -> AsyncOpenAI:
    import httpx2
    from openai import AsyncOpenAI, DefaultAioHttpClient, DefaultAsyncHttpxClient

    from ..bounds import bound

    transport = DefaultAioHttpClient if find_spec("aiohttp") else DefaultAsyncHttpxClient
    timeout = httpx2.Timeout(None, connect=config.connect_timeout)
    client = AsyncOpenAI(
        api_key=key.__call__,
        base_url=config.base_url or "https://api.openai.com/v1",
        max_retries=config.max_retries,
        default_headers=dict(config.headers),
        default_query=dict(config.query),
        timeout=timeout,
        # A provider never sends us elsewhere: the configuration alone names hosts.
        http_client=transport(
            timeout=timeout,
            follow_redirects=False,
            event_hooks={"response": [bound]},
            limits=httpx2.Limits(max_connections=_MAX_CONNECTIONS, max_keepalive_connections=100),
        ),
    )
    client.organization = client.project = None  # not from the environment behind our back
    return client


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
