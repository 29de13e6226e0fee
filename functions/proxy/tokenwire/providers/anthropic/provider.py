"""Anthropic: the Messages API. Its blocks pass verbatim.

https://docs.anthropic.com/en/api/messages
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from ...dialects.origins import caused_by
from ...dialects.protocol import ParsedRequest
from .. import complete_responses
from ..exchange import Post
from ..messages_from_chat import from_chat
from ..model_list import names
from ..native import NativeApi
from ..non_streaming import StreamedBody
from .request import request as legal

if TYPE_CHECKING:
    import httpx2


def _translate(request: ParsedRequest, model: str) -> Post:
    if request.dialect == "messages":
        body = {**request.body, "model": model, "stream": True}
        return Post("/v1/messages", body, request.headers)
    translated = from_chat(request.body, model)
    with caused_by(translated):
        return Post("/v1/messages", legal(translated, model))


def _read(response: httpx2.Response, model: str, post: Post) -> AsyncIterator[bytes]:
    from ..http import Body

    return StreamedBody(Body(response), complete_responses.messages)


API = NativeApi(
    base_url="https://api.anthropic.com",
    dialect="messages",
    key_header="x-api-key",
    headers={"anthropic-version": "2023-06-01"},
    translate=_translate,
    read=_read,
    models_path="/v1/models?limit=1000",
    listed=names,
)
