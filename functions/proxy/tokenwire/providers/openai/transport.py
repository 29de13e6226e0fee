"""Requests to a server that is compatible with OpenAI's API, with OpenAI's SDK and without.

With it, the SDK gives the headers and lists the models. Without it is for processes that start
while a request waits: importing the SDK takes longer than all the rest of such a process's first
response. Both retry, authenticate, refuse redirects and report failures alike:
tests/providers/test_openai.py runs against each.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlencode

from ..config import Config
from ..model_list import names
from ..protocol import Key, Reply

if TYPE_CHECKING:
    import httpx2
    from openai import AsyncOpenAI

    from ..http import Http

_BASE_URL = "https://api.openai.com/v1"
# Compression would hold tokens back until a block of the compressor is full.
_ACCEPT = {"Accept": "application/json"}
_HEADERS = {"Content-Type": "application/json", "Accept-Encoding": "identity"}


class Transport(Protocol):
    """Requests to one server, over its pool of connections."""

    async def post(
        self, content: bytes, key: str, headers: Mapping[str, str], query: Mapping[str, str]
    ) -> httpx2.Response:
        """Post a request to ``/chat/completions``.

        Args:
            content: The JSON body.
            key: The API key.
            headers: Headers with secret values.
            query: URL parameters with secret values.

        Returns:
            A response with a status of success, whose body has not been read.

        Raises:
            TokenwireError: There is none, after the last retry.
        """

    async def models(self, key: str, headers: Mapping[str, str], query: Mapping[str, str]) -> Any:
        """The names that the server lists. Raises whatever goes wrong."""

    async def aclose(self) -> None:
        """Close the connections."""


def connect(key: Key, config: Config) -> Transport:
    """Return the configured transport. Its import takes up to a second."""
    return Sdk(key, config) if config.sdk else Plain(config)


class Sdk:
    """Requests with the headers of OpenAI's SDK, which also lists the models.

    They are sent as ``Plain`` does: the SDK builds each request anew from models of pydantic, which
    takes as long as all the rest of a request (docs/decisions.md).
    """

    def __init__(self, key: Key, config: Config) -> None:
        self._client = _client(key, config)
        found = self._client.default_headers.items()
        headers = {name: value for name, value in found if isinstance(value, str)}
        self._plain = Plain(config, headers)

    async def post(
        self, content: bytes, key: str, headers: Mapping[str, str], query: Mapping[str, str]
    ) -> httpx2.Response:
        """As ``Transport``."""
        return await self._plain.post(content, key, headers, query)

    async def models(self, key: str, headers: Mapping[str, str], query: Mapping[str, str]) -> Any:
        """As ``Transport``."""
        listed = self._client.models.list(timeout=5.0, extra_headers=headers, extra_query=query)
        return [model.id async for model in listed]

    async def aclose(self) -> None:
        """As ``Transport``."""
        await self._client.close()
        await self._plain.aclose()


class Plain:
    """Requests through the HTTP client alone.

    Args:
        config: How to reach the server.
        headers: Of every request; the configured ones replace them.
    """

    def __init__(self, config: Config, headers: Mapping[str, str] = _ACCEPT) -> None:
        from ..http import Http

        self._config = config
        self._own = _lower({**headers, **_HEADERS})
        self._configured = _lower(config.headers)
        self._base_url = (config.base_url or _BASE_URL).rstrip("/")
        self._http: Http = Http(config.connect_timeout, config.max_retries)

    async def post(
        self, content: bytes, key: str, headers: Mapping[str, str], query: Mapping[str, str]
    ) -> httpx2.Response:
        """As ``Transport``."""
        from ..http import Call

        secrets = (key, *headers.values(), *query.values())
        url = self._url("/chat/completions", query)
        return await self._http.post(Call(url, self._headers(key, headers), content, secrets))

    async def models(self, key: str, headers: Mapping[str, str], query: Mapping[str, str]) -> Any:
        """As ``Transport``."""
        return (await self.probe(key, headers, query)).models

    async def probe(self, key: str, headers: Mapping[str, str], query: Mapping[str, str]) -> Reply:
        """Request the list of models once. Raises as ``Http.get``."""
        url = self._url("/models", query)
        return (await self._http.get(url, self._headers(key, headers))).reply(names)

    async def aclose(self) -> None:
        """As ``Transport``."""
        await self._http.aclose()

    def _headers(self, key: str, headers: Mapping[str, str]) -> dict[str, str]:
        # A configured `authorization` (Azure's `api-key` beside it) replaces ours.
        own = {**self._own, "authorization": f"Bearer {key}"}
        return {**own, **self._configured, **_lower(headers)}

    def _url(self, path: str, query: Mapping[str, str]) -> str:
        parameters = {**self._config.query, **query}
        return f"{self._base_url}{path}" + (f"?{urlencode(parameters)}" if parameters else "")


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _client(key: Key, config: Config) -> AsyncOpenAI:
    import httpx2
    from openai import AsyncOpenAI

    from ..http import client as http_client

    client = AsyncOpenAI(
        api_key=key.__call__,
        base_url=config.base_url or _BASE_URL,
        max_retries=config.max_retries,
        default_headers=dict(config.headers),
        default_query=dict(config.query),
        timeout=httpx2.Timeout(None, connect=config.connect_timeout),
        http_client=http_client(config.connect_timeout),
    )
    client.organization = client.project = None  # not from the environment behind our back
    return client
