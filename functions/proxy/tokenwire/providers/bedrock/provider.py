"""Amazon Bedrock: Converse for every model, and its OpenAI-compatible endpoint for those with one.

Requests are signed with the process's own AWS credentials (on Lambda, the function's role) by
botocore; the connection is ours, so that nothing blocks the event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from ...dialects.origins import caused_by
from ...dialects.protocol import ChatRequest
from ...errors import ProxyError
from .. import complete_responses
from ..exchange import Post, Sent, exchange
from ..messages_from_chat import from_chat
from ..non_streaming import as_stream, read_document
from ..paths import segment
from ..turns import one_call
from .complete_response import events
from .decode import ConverseReader
from .event_stream import EventStream
from .request import request as converse

if TYPE_CHECKING:
    import httpx2

    from ..http import Call, Http
    from .sigv4 import Signer


@dataclass(frozen=True, slots=True)
class Config:
    """How to reach it.

    Args:
        region: Where the models run.
        base_url: By default the region's runtime endpoint.
        connect_timeout: Seconds.
        max_retries: Before the answer begins.
        models: What to list: Bedrock is not asked, since a role that may call a model often
            may not list any.
    """

    region: str
    base_url: str | None = None
    connect_timeout: float = 10.0
    max_retries: int = 2
    models: Sequence[str] = ()

    @property
    def url(self) -> str:
        """The endpoint's address."""
        return self.base_url or f"https://bedrock-runtime.{self.region}.amazonaws.com"


class _Connection:
    """Signs and sends. botocore is imported by the first request, off the event loop."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._made: tuple[Http, Signer] | None = None
        self._connecting = asyncio.Lock()

    async def post(self, post: Post) -> Sent:
        """An open response with status 200.

        Raises:
            ProxyError: There are no AWS credentials (503, ``secret_unavailable``).
            TokenwireError: As ``failures`` says.
        """
        async with self._connecting:
            if self._made is None:
                self._made = await asyncio.to_thread(_connect, self._config)
        http, signer = self._made
        call: Call = await asyncio.to_thread(
            signer.sign, f"{self._config.url}{post.path}", msgspec.json.encode(post.body)
        )
        return Sent(await http.post(call), call.secrets)

    async def aclose(self) -> None:
        """Close the connections."""
        if self._made is not None:
            await self._made[0].aclose()


def _connect(config: Config) -> tuple[Http, Signer]:
    from ..http import Http

    try:
        from .sigv4 import Signer
    except ImportError:
        raise ProxyError(
            "Bedrock needs boto3, which is not installed.", code="bad_provider"
        ) from None
    return Http(config.connect_timeout, config.max_retries), Signer("bedrock", config.region)


@dataclass(frozen=True, slots=True)
class Api:
    """One of Bedrock's two ways to be asked.

    Args:
        dialect: In which its streams come out.
        ask: A request and a model to the POST. Raises ClientError.
        read: The response, the model and what was posted to the blocks.
    """

    dialect: str
    ask: Callable[[ChatRequest, str], Post]
    read: Callable[[httpx2.Response, str, Post], AsyncIterator[bytes]]


class Bedrock:
    """A provider behind one of Bedrock's APIs.

    Args:
        name: As in ``name/model``.
        config: How to reach it.
        api: ``CONVERSE`` or ``OPENAI``.
    """

    def __init__(self, name: str, config: Config, api: Api) -> None:
        self.name = name
        self.dialect = api.dialect
        self._api = api
        self._models = list(config.models)
        self._connection = _Connection(config)

    async def prepare(self) -> None:
        """Nothing: importing botocore takes a third of a second, and few functions use this."""

    def open(
        self, request: ChatRequest, model: str
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """As ``exchange`` says; signed."""
        return exchange(self._api, self._connection.post, request, model)

    async def models(self) -> list[str]:
        """What was configured."""
        return self._models

    async def aclose(self) -> None:
        """Close the connections."""
        await self._connection.aclose()


def _ask_converse(request: ChatRequest, model: str) -> Post:
    said = request.body if request.dialect == "messages" else from_chat(request.body, model)
    with caused_by(said):
        body = converse(said, model)
    return Post(f"/model/{segment(model)}/converse-stream", body, one_call=one_call(said))


def _ask_openai(request: ChatRequest, model: str) -> Post:
    options = {**(request.body.get("stream_options") or {}), "include_usage": True}
    body = {**request.body, "model": model, "stream": True, "stream_options": options}
    return Post("/openai/v1/chat/completions", body)


async def _read_openai(response: httpx2.Response, model: str, post: Post) -> AsyncIterator[bytes]:
    from ..http import read

    async for data in as_stream(read(response), complete_responses.chat):
        yield data


async def _read_converse(response: httpx2.Response, model: str, post: Post) -> AsyncIterator[bytes]:
    """The event stream's messages as blocks; botocore's own parser checks its checksums."""
    from ..http import read

    request_id = response.headers.get("x-amzn-requestid", "")
    reader = ConverseReader(request_id, model, one_call=post.one_call)
    body = read(response)
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


CONVERSE = Api("messages", _ask_converse, _read_converse)
"""Converse, for every model; its streams come out in the ``messages`` dialect."""

OPENAI = Api("chat", _ask_openai, _read_openai)
"""The OpenAI-compatible endpoint, for the models that have one; verbatim."""
