"""Objects held against the types of the official SDKs: nothing missing, nothing of another type.

The SDKs themselves read anything. Here their types are validated by pydantic, strictly, and what
they do not declare has to be among the fields that are named here.
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
        # The compatible servers' common name for thinking.
        "ChoiceDelta.reasoning_content",
        "ChatCompletionMessage.reasoning_content",
        # In Open Responses' schema, and in OpenAI's own answers, but not in the SDK.
        "Response.frequency_penalty",
        "Response.presence_penalty",
        "Response.store",
        # Required by OpenAI's published schema; not in the SDK.
        "ResponseFunctionCallArgumentsDoneEvent.name",
        # Ours, in every dialect's errors.
        "OverloadedErrorObject.code",
        "OverloadedErrorObject.param",
    }
)


def problems(kind: str, value: object) -> list[str]:
    """What is wrong with an object, by the SDK's types."""
    try:
        found = _ADAPTERS[kind].validate_python(value, strict=True)
    except ValueError as error:
        return [str(error)]
    return sorted(set(_extra(found)) - EXTRA)


def _extra(value: object) -> Iterator[str]:
    """Fields that the types do not declare."""
    match value:
        case BaseModel():
            for name in value.model_extra or ():
                yield f"{type(value).__name__}.{name}"
            for _, inner in value:
                yield from _extra(inner)
        case list():
            for inner in value:
                yield from _extra(inner)
