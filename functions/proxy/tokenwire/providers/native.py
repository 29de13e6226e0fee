"""Providers that are spoken to in an API of their own, with a key, over plain HTTP."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import msgspec

from ..dialects.protocol import ChatRequest
from ..errors import TokenwireError
from .config import Config
from .exchange import Post, Sent, exchange
from .protocol import Key

if TYPE_CHECKING:
    import httpx2

    from .http import Call, Http

_MODELS_TTL = 300.0


@dataclass(frozen=True, slots=True)
class Api:
    """One provider's API.

    Args:
        base_url: Its own address, without a version.
        dialect: In which its streams come out.
        key_header: The header that its key goes in.
        headers: What else it wants in every request.
        ask: A request and a model to the POST. Raises ClientError.
        read: The response, the model and what was posted to the blocks.
        models_path: Where it lists its models.
        listed: The names in that list.
    """

    base_url: str
    dialect: str
    key_header: str
    headers: Mapping[str, str]
    ask: Callable[[ChatRequest, str], Post]
    read: Callable[[httpx2.Response, str, Post], AsyncIterator[bytes]]
    models_path: str
    listed: Callable[[Mapping[str, Any]], list[str]]


class Native:
    """A provider behind its own API.

    Args:
        name: As in ``name/model``.
        key: The API key; asked for with every request.
        config: How to reach it.
        api: What it speaks.
    """

    def __init__(self, name: str, key: Key, config: Config, api: Api) -> None:
        self.name = name
        self.dialect = api.dialect
        self._api = api
        self._config = config
        self._base_url = config.base_url or api.base_url
        self._secrets = {api.key_header: key, **config.secret_headers}
        self._http: Http | None = None
        self._models: tuple[float, list[str]] | None = None
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
        self, request: ChatRequest, model: str
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """As ``exchange`` says. A key that was refused is asked for anew, once."""
        return exchange(self._api, self._post, request, model)

    async def _post(self, post: Post) -> Sent:
        content = msgspec.json.encode(post.body)
        try:
            return await self._once(post, content)
        except TokenwireError as error:
            if error.code != "upstream_auth" or not await self._rotated():
                raise
            return await self._once(post, content)  # a key was rotated

    async def _once(self, post: Post, content: bytes) -> Sent:
        http = await self._connected()
        call = await self._call(post.path, content, post.headers)
        return Sent(await http.post(call), call.secrets)

    async def _call(self, path: str, content: bytes, more: Mapping[str, str]) -> Call:
        from .http import Call

        secret = {name: await key() for name, key in self._secrets.items()}
        said = {name: await key() for name, key in self._config.secret_query.items()}
        url = _with_query(f"{self._base_url}{path}", {**self._config.query, **said})
        # Compression would hold tokens back until a block of the compressor is full.
        plain = {"content-type": "application/json", "accept-encoding": "identity"}
        own = _joined({**self._api.headers, **more}, self._config.headers)
        headers = {**plain, **own, **secret}
        return Call(url, headers, content, (*secret.values(), *said.values()))

    async def _rotated(self) -> bool:
        keys = (*self._secrets.values(), *self._config.secret_query.values())
        return any([await key.refresh() for key in keys])

    async def models(self) -> list[str]:
        """What was configured, or what it says it has; asked for at most every five minutes."""
        if self._config.models:
            return list(self._config.models)
        if self._models is None or time.monotonic() - self._models[0] > _MODELS_TTL:
            self._models = (time.monotonic(), await self._ask())
        return self._models[1]

    async def _ask(self) -> list[str]:
        try:
            http, call = await self._connected(), await self._call(self._api.models_path, b"", {})
        except TokenwireError:
            return []
        said = await http.get(call.url, call.headers)
        return sorted(self._api.listed(said)) if isinstance(said, dict) else []

    async def aclose(self) -> None:
        """Close the connections."""
        if self._http is not None:
            await self._http.aclose()


def _joined(headers: Mapping[str, str], configured: Mapping[str, str]) -> dict[str, str]:
    """The configuration's headers count for more; lists of betas are joined."""
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


def names(said: Mapping[str, Any], field: str, key: str) -> list[str]:
    """The names in a list of models."""
    found = said.get(field)
    items = found if isinstance(found, list) else []
    return [str(item[key]) for item in items if isinstance(item, dict) and key in item]
