"""Anthropic, natively: the Messages API, over plain HTTP.

https://docs.anthropic.com/en/api/messages
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from ..errors import TokenwireError
from ..wire.messages_from_chat import from_chat
from ..wire.protocol import ChatRequest
from .protocol import Key

if TYPE_CHECKING:
    from .http import Call, Http

VERSION = "2023-06-01"
BASE_URL = "https://api.anthropic.com"
_MODELS_TTL = 300.0


@dataclass(frozen=True, slots=True)
class Config:
    """How to reach it.

    Args:
        base_url: Without ``/v1``.
        connect_timeout: Seconds.
        max_retries: Before the answer begins.
        headers: Sent with every request (``anthropic-beta``).
        secret_headers: Headers whose values are secrets; asked for with every request.
        models: What to list, where the place should not be asked.
    """

    base_url: str = BASE_URL
    connect_timeout: float = 10.0
    max_retries: int = 2
    headers: Mapping[str, str] = field(default_factory=dict)
    secret_headers: Mapping[str, Key] = field(default_factory=dict)
    models: Sequence[str] = ()


class Anthropic:
    """A provider that speaks the ``messages`` dialect.

    Args:
        name: As in ``name/model``.
        key: The API key; asked for with every request.
        config: How to reach it.
    """

    dialect = "messages"

    def __init__(self, name: str, key: Key, config: Config) -> None:
        self.name = name
        self._config = config
        self._secrets = {"x-api-key": key, **config.secret_headers}
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

    @asynccontextmanager
    async def open(self, request: ChatRequest, model: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """Post the caller's own body, or its translation from ``chat``, streamed.

        Raises:
            ClientError: The request cannot be said in the Messages API.
            TokenwireError: As ``failures`` says.
        """
        from .http import read

        response = await self._post(msgspec.json.encode(_body(request, model)))
        try:
            yield read(response)
        finally:
            await response.aclose()

    async def _post(self, content: bytes) -> Any:
        http = await self._connected()
        try:
            return await http.post(await self._call(content))
        except TokenwireError as error:
            if error.code != "upstream_auth" or not await self._rotated():
                raise
            return await http.post(await self._call(content))  # the key was rotated

    async def _call(self, content: bytes) -> Call:
        from .http import Call

        secret = {name: await key() for name, key in self._secrets.items()}
        # Compression would hold tokens back until a block of the compressor is full.
        plain = {"content-type": "application/json", "accept-encoding": "identity"}
        headers = {**plain, "anthropic-version": VERSION, **self._config.headers, **secret}
        url = f"{self._config.base_url}/v1/messages"
        return Call(url, headers, content, tuple(secret.values()))

    async def _rotated(self) -> bool:
        return any([await key.refresh() for key in self._secrets.values()])

    async def models(self) -> list[str]:
        """What was configured, or what it says it has; asked for at most every five minutes."""
        if self._config.models:
            return list(self._config.models)
        if self._models is None or time.monotonic() - self._models[0] > _MODELS_TTL:
            self._models = (time.monotonic(), await self._ask())
        return self._models[1]

    async def _ask(self) -> list[str]:
        try:
            http, call = await self._connected(), await self._call(b"")
        except TokenwireError:
            return []
        said = await http.get(f"{self._config.base_url}/v1/models?limit=1000", call.headers)
        data = said.get("data") if isinstance(said, dict) else None
        found = data if isinstance(data, list) else []
        return sorted(str(one["id"]) for one in found if isinstance(one, dict) and "id" in one)

    async def aclose(self) -> None:
        """Close the connections."""
        if self._http is not None:
            await self._http.aclose()


def _connect(config: Config) -> Http:
    from .http import Http

    return Http(config.connect_timeout, config.max_retries)


def _body(request: ChatRequest, model: str) -> dict[str, Any]:
    if request.dialect == "messages":
        return {**request.body, "model": model, "stream": True}
    return from_chat(request.body, model)
