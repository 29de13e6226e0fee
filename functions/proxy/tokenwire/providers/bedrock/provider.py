"""Amazon Bedrock: Converse for every model, and its OpenAI-compatible endpoint for those with one.

Requests are signed with the process's own AWS credentials (on Lambda, the function's role) by
botocore; the connection is ours, so that nothing blocks the event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from ...dialects.origins import caused_by
from ...dialects.protocol import ParsedRequest
from ...errors import ProxyError
from .. import complete_responses
from ..config import Config
from ..exchange import Post, Sent, exchange
from ..kind import Dependencies
from ..messages_from_chat import from_chat
from ..non_streaming import StreamedBody, read_document
from ..openai.bodies import streamed
from ..paths import segment
from ..protocol import Reply
from ..settings import ProviderSettings
from ..turns import one_call
from .complete_response import events
from .decode import ConverseReader
from .event_stream import EventStream
from .request import request as converse

if TYPE_CHECKING:
    import httpx2

    from ..http import Call, Document, Http
    from .sigv4 import Signer


class _Connection:
    """Signs and sends. The first request imports botocore, in a thread."""

    def __init__(self, region: str, config: Config, list_url: str | None) -> None:
        self._region = region
        self._url = config.base_url or f"https://bedrock-runtime.{region}.amazonaws.com"
        self._list_url = list_url or f"https://bedrock.{region}.amazonaws.com"
        self._config = config
        self._made: tuple[Http, Signer] | None = None
        self._connecting = asyncio.Lock()

    async def post(self, post: Post) -> Sent:
        """Return an open response with status 200.

        Raises:
            ProxyError: There are no AWS credentials (503, ``secret_unavailable``).
            TokenwireError: As ``failures``.
        """
        http, signer = await self._connected()
        call: Call = await asyncio.to_thread(
            signer.sign, f"{self._url}{post.path}", msgspec.json.encode(post.body)
        )
        return Sent(await http.post(call), call.secrets)

    async def list_models(self) -> Document:
        """Request the list of models for text once. Raises as ``post``."""
        http, signer = await self._connected()
        url = f"{self._list_url}/foundation-models?byOutputModality=TEXT"
        call: Call = await asyncio.to_thread(signer.sign, url, b"", "GET")
        return await http.get(call.url, call.headers)

    async def _connected(self) -> tuple[Http, Signer]:
        async with self._connecting:
            if self._made is None:
                self._made = await asyncio.to_thread(_connect, self._region, self._config)
        return self._made

    async def aclose(self) -> None:
        """Close the connections."""
        if self._made is not None:
            await self._made[0].aclose()


def _connect(region: str, config: Config) -> tuple[Http, Signer]:
    from ..http import Http

    try:
        from .sigv4 import Signer
    except ImportError:
        raise ProxyError(
            "Bedrock needs boto3, which is not installed.", code="bad_provider"
        ) from None
    return Http(config.connect_timeout, config.max_retries), Signer("bedrock", region)


@dataclass(frozen=True, slots=True)
class BedrockApi:
    """One of Bedrock's two APIs.

    Args:
        dialect: The dialect of its streams, as ``read`` returns them.
        translate: Translates a request and a model to the POST. Raises ClientError.
        read: Reads the response to the POST, for the model, as blocks.
    """

    dialect: str
    translate: Callable[[ParsedRequest, str], Post]
    read: Callable[[httpx2.Response, str, Post], AsyncIterator[bytes]]


class Bedrock:
    """A provider behind one of Bedrock's APIs.

    Args:
        name: As in ``name/model``.
        region: Where the models run.
        config: How to reach it. Only the configured models are listed: a role that may call a
            model often may not list any.
        api: ``CONVERSE`` or ``OPENAI``.
        list_url: The address that lists the models, if it is not the region's own.
    """

    def __init__(
        self, name: str, region: str, config: Config, api: BedrockApi, list_url: str | None = None
    ) -> None:
        self.name = name
        self.dialect = api.dialect
        self._api = api
        self._models = list(config.models)
        self._connection = _Connection(region, config, list_url)

    async def prepare(self) -> None:
        """Do nothing: importing botocore takes 0.3 s, and not every function uses Bedrock."""

    def open(
        self, request: ParsedRequest, model: str
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """As ``exchange``, with a signed request."""
        return exchange(self._api, self._connection.post, request, model)

    async def models(self) -> list[str]:
        """Return the configured names."""
        return self._models

    async def probe(self) -> Reply:
        """As ``Probed``. A role that may call a model but not list any is no failure."""
        found = await self._connection.list_models()
        if found.status == 403 and _is_denied(found.headers):
            return Reply(200, tuple(self._models), found.headers.get("date", ""))
        return found.reply(_listed)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._connection.aclose()


def _is_denied(headers: Mapping[str, str]) -> bool:
    """Return whether the credentials are right, and lack the permission."""
    return headers.get("x-amzn-errortype", "").startswith("AccessDeniedException")


def _listed(found: Mapping[str, Any]) -> list[str]:
    """Return the models that stream, and can be called without an inference profile."""
    listed = found.get("modelSummaries")
    items = [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
    return [str(item["modelId"]) for item in items if "modelId" in item and _is_callable(item)]


def _is_callable(item: Mapping[str, Any]) -> bool:
    types = item.get("inferenceTypesSupported")
    on_demand = "ON_DEMAND" in types if isinstance(types, list) else True
    return on_demand and item.get("responseStreamingSupported") is not False


def create(
    name: str,
    region: str,
    settings: ProviderSettings,
    dependencies: Dependencies,
    api: BedrockApi,
    list_url: str | None = None,
) -> Bedrock:
    """Create a provider of one of the APIs from its settings."""
    config = Config(
        base_url=settings.base_url,
        connect_timeout=dependencies.connect_timeout,
        max_retries=settings.max_retries,
        models=settings.models,
    )
    return Bedrock(name, region, config, api, list_url)


def _translate_converse(request: ParsedRequest, model: str) -> Post:
    given = request.body if request.dialect == "messages" else from_chat(request.body, model)
    with caused_by(given):
        body = converse(given, model)
    return Post(f"/model/{segment(model)}/converse-stream", body, one_call=one_call(given))


def _translate_openai(request: ParsedRequest, model: str) -> Post:
    return Post("/openai/v1/chat/completions", streamed(request.body, model))


def _read_openai(response: httpx2.Response, model: str, post: Post) -> AsyncIterator[bytes]:
    from ..http import Body

    return StreamedBody(Body(response), complete_responses.chat)


async def _read_converse(response: httpx2.Response, model: str, post: Post) -> AsyncIterator[bytes]:
    """The event stream's messages as blocks; botocore's own parser checks its checksums."""
    from ..http import Body

    request_id = response.headers.get("x-amzn-requestid", "")
    reader = ConverseReader(request_id, model, one_call=post.one_call)
    body = Body(response)
    found, head = await read_document(body)
    if found is not None:
        yield b"".join([reader.read(kind, payload) for kind, payload in events(found)])
        return
    messages = EventStream()
    while head:
        for message in messages.feed(head):
            if blocks := _blocks(message, reader):
                yield blocks
        head = await anext(body, b"")
    if rest := reader.close():
        yield rest


def _blocks(message: Any, reader: ConverseReader) -> bytes:
    headers = message.headers
    if headers.get(":message-type") != "event":
        return reader.failed(str(headers.get(":exception-type") or headers.get(":error-code")))
    return reader.read(str(headers.get(":event-type")), message.payload)


CONVERSE = BedrockApi("messages", _translate_converse, _read_converse)
"""Converse, for every model; its streams come out in the ``messages`` dialect."""

OPENAI = BedrockApi("chat", _translate_openai, _read_openai)
"""The OpenAI-compatible endpoint, for the models that have one; verbatim."""
