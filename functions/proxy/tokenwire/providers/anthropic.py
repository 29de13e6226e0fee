"""Anthropic: the Messages API. Its blocks pass verbatim.

https://docs.anthropic.com/en/api/messages
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..wire.messages_from_chat import from_chat
from ..wire.protocol import ChatRequest
from .exchange import verbatim
from .native import Api, names


def _ask(request: ChatRequest, model: str) -> tuple[str, Any]:
    if request.dialect == "messages":
        return "/v1/messages", {**request.body, "model": model, "stream": True}
    return "/v1/messages", from_chat(request.body, model)


def _listed(said: Mapping[str, Any]) -> list[str]:
    return names(said, "data", "id")


API = Api(
    base_url="https://api.anthropic.com",
    dialect="messages",
    key_header="x-api-key",
    headers={"anthropic-version": "2023-06-01"},
    ask=_ask,
    read=verbatim,
    models_path="/v1/models?limit=1000",
    listed=_listed,
)
