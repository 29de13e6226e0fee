"""Gemini's native API, for what its OpenAI-compatible endpoint leaves out.

https://ai.google.dev/api/generate-content
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any

from ...dialects.origins import caused_by
from ...dialects.protocol import ParsedRequest
from ..exchange import Post
from ..messages_from_chat import from_chat
from ..model_list import names
from ..native import NativeApi
from ..non_streaming import StreamedBody
from ..paths import segment
from ..turns import one_call
from .chunks import event_stream
from .decode import GeminiReader
from .request import request as translated

if TYPE_CHECKING:
    import httpx2


def _translate(request: ParsedRequest, model: str) -> Post:
    messages = request.body if request.dialect == "messages" else from_chat(request.body, model)
    with caused_by(messages):
        body = translated(messages, model)
    path = f"/v1beta/models/{segment(model)}:streamGenerateContent?alt=sse"
    return Post(path, body, one_call=one_call(messages))


async def _read(response: httpx2.Response, model: str, post: Post) -> AsyncIterator[bytes]:
    from ..http import Body

    reader = GeminiReader(model, one_call=post.one_call)
    async for data in StreamedBody(Body(response), event_stream):
        for block in reader.feed(data):
            yield block
    if rest := reader.close():
        yield rest


def _listed(listed: Mapping[str, Any]) -> list[str]:
    return [name.removeprefix("models/") for name in names(listed, "models", "name")]


API = NativeApi(
    base_url="https://generativelanguage.googleapis.com",
    dialect="messages",
    key_header="x-goog-api-key",
    headers={},
    translate=_translate,
    read=_read,
    models_path="/v1beta/models?pageSize=1000",
    listed=_listed,
)
