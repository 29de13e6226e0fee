"""Validation of objects against the types of the official SDKs.

The SDKs themselves accept anything. Here pydantic validates their types strictly, and fields that
they do not declare must be listed here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from anthropic.types import ErrorResponse, Message, RawMessageStreamEvent
from openai.types import Model, responses
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from pydantic import BaseModel, TypeAdapter

_ADAPTERS: dict[str, TypeAdapter[Any]] = {
    "chat": TypeAdapter(ChatCompletionChunk),
    "chat whole": TypeAdapter(ChatCompletion),
    "responses": TypeAdapter(responses.ResponseStreamEvent),
    "responses whole": TypeAdapter(responses.Response),
    "responses input": TypeAdapter(responses.ResponseItemList),
    "model": TypeAdapter(Model),
    "messages": TypeAdapter(RawMessageStreamEvent),
    "messages whole": TypeAdapter(Message),
    "messages error": TypeAdapter(ErrorResponse),
}
EXTRA = frozenset(
    {
        # The usual name for reasoning on compatible servers.
        "ChoiceDelta.reasoning_content",
        "ChatCompletionMessage.reasoning_content",
        # In Open Responses' schema, and in OpenAI's own answers, but not in the SDK.
        "Response.frequency_penalty",
        "Response.presence_penalty",
        "Response.store",
        # Required by OpenAI's published schema; not in the SDK.
        "ResponseFunctionCallArgumentsDoneEvent.name",
        # Additions of tokenwire in every dialect's errors.
        "OverloadedErrorObject.code",
        "OverloadedErrorObject.param",
    }
)


def problems(kind: str, value: object) -> list[str]:
    """Return the errors of an object, by the SDK's types."""
    try:
        found = _ADAPTERS[kind].validate_python(value, strict=True)
    except ValueError as error:
        return [str(error)]
    return sorted(set(_extra(found)) - EXTRA)


def _extra(value: object) -> Iterator[str]:
    """Return the fields that the types do not declare."""
    match value:
        case BaseModel():
            for name in value.model_extra or ():
                yield f"{type(value).__name__}.{name}"
            for _, inner in value:
                yield from _extra(inner)
        case list():
            for inner in value:
                yield from _extra(inner)
