"""Providers with an API of their own, called with a key over plain HTTP, without an SDK."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import msgspec

from ..dialects.protocol import ParsedRequest
from ..errors import TokenwireError
from .config import Config, configured
from .credentials import values, with_rotation
from .exchange import Post, Sent, exchange
from .kind import Dependencies
from .model_list import ModelList
from .protocol import Key, Reply
from .settings import KeySettings

if TYPE_CHECKING:
    import httpx2

    from .http import Call, Http


@dataclass(frozen=True, slots=True)
class NativeApi:
    """One provider's API.

    Args:
        base_url: Its own address, without a version.
        dialect: The dialect of its streams, as ``read`` returns them.
        key_header: The header that carries its key.
        headers: Further headers of every request.
        translate: Translates a request and a model to the POST. Raises ClientError.
        read: Reads the response to the POST, for the model, as blocks.
        models_path: The path of its list of models.
        listed: Returns the names in that list.
    """

    base_url: str
    dialect: str
    key_header: str
    headers: Mapping[str, str]
    translate: Callable[[ParsedRequest, str], Post]
    read: Callable[[httpx2.Response, str, Post], AsyncIterator[bytes]]
    models_path: str
    listed: Callable[[Mapping[str, Any]], list[str]]


class Native:
    """A provider behind its own API.

    Args:
        name: As in ``name/model``.
        key: The API key; read again for every request.
        config: How to reach it.
        api: Its API.
    """

    def __init__(self, name: str, key: Key, config: Config, api: NativeApi) -> None:
        self.name = name
        self.dialect = api.dialect
        self._api = api
        self._config = config
        self._base_url = config.base_url or api.base_url
        self._secrets = {api.key_header: key, **config.secret_headers}
        self._http: Http | None = None
        self._models = ModelList(config.models, self._fetch_models)
        self._connecting = asyncio.Lock()

    async def prepare(self) -> None:
        """Import the HTTP client and read its certificates."""
        await self._connected()

    async def _connected(self) -> Http:
        async with self._connecting:
            if self._http is None:
                self._http = await asyncio.to_thread(_connect, self._config)
        return self._http

    def open(
        self, request: ParsedRequest, model: str
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """As ``exchange``. Refused secrets are fetched again, once."""
        return exchange(self._api, self._post, request, model)

    async def _post(self, post: Post) -> Sent:
        content = msgspec.json.encode(post.body)
        keys = (*self._secrets.values(), *self._config.secret_query.values())
        return await with_rotation(partial(self._once, post, content), keys)

    async def _once(self, post: Post, content: bytes) -> Sent:
        http = await self._connected()
        call = await self._call(post.path, content, post.headers)
        return Sent(await http.post(call), call.secrets)

    async def _call(self, path: str, content: bytes, more: Mapping[str, str]) -> Call:
        from .http import Call

        secret = await values(self._secrets)
        query = await values(self._config.secret_query)
        url = _with_query(f"{self._base_url}{path}", {**self._config.query, **query})
        # A compressor would delay tokens until it has filled a block.
        plain = {"content-type": "application/json", "accept-encoding": "identity"}
        own = _joined({**self._api.headers, **more}, self._config.headers)
        headers = {**plain, **own, **secret}
        return Call(url, headers, content, (*secret.values(), *query.values()))

    async def models(self) -> list[str]:
        """Return the configured names, or those that the provider lists."""
        return await self._models.get()

    async def probe(self) -> Reply:
        """As ``Probed``."""
        http, call = await self._connected(), await self._call(self._api.models_path, b"", {})
        reply = (await http.get(call.url, call.headers)).reply(self._api.listed)
        if reply.models:
            self._models.hold(reply.models)
        return reply

    async def _fetch_models(self) -> list[str]:
        try:
            return list((await self.probe()).models)
        except TokenwireError:
            return []

    async def aclose(self) -> None:
        """Close the connections."""
        if self._http is not None:
            await self._http.aclose()


def _joined(headers: Mapping[str, str], configured: Mapping[str, str]) -> dict[str, str]:
    """Merge headers; the configured ones win, except that lists of betas are joined."""
    found = {**headers, **configured}
    if "anthropic-beta" in headers and "anthropic-beta" in configured:
        found["anthropic-beta"] = f"{configured['anthropic-beta']},{headers['anthropic-beta']}"
    return found


def _with_query(url: str, query: Mapping[str, str]) -> str:
    if not query:
        return url
    return f"{url}{'&' if '?' in url else '?'}{urlencode(query)}"


def _connect(config: Config) -> Http:
    from .http import Http

    return Http(config.connect_timeout, config.max_retries)


def create(name: str, settings: KeySettings, dependencies: Dependencies, api: NativeApi) -> Native:
    """Create a provider of this API from its settings."""
    # Addresses are often written with the version, as SDKs want them.
    base_url = settings.base_url and settings.base_url.rstrip("/").removesuffix("/v1")
    config = configured(settings, dependencies, base_url)
    return Native(name, dependencies.key(settings.key), config, api)
