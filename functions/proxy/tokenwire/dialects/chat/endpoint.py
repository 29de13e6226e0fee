"""The endpoint of OpenAI Chat Completions."""

from __future__ import annotations

from ..endpoint import Body, Endpoint, Schema
from ..schema.shapes import ANY, NULLABLE, NUMBER, TEXT, list_of, object_of, one_of
from .schema import Request

ERROR = Schema(
    "OpenAIError",
    object_of(
        {"error": object_of({"message": TEXT, "type": TEXT, "param": NULLABLE, "code": NULLABLE})}
    ),
)
_CHOICE = object_of(
    {
        "index": NUMBER,
        "message": object_of({"role": one_of("assistant"), "content": ANY, "refusal": NULLABLE}),
        "logprobs": {"type": ["object", "null"]},
        "finish_reason": one_of("stop", "length", "tool_calls", "content_filter", "function_call"),
    }
)
_COMPLETION = object_of(
    {
        "id": TEXT,
        "object": one_of("chat.completion"),
        "created": NUMBER,
        "model": TEXT,
        "choices": list_of(_CHOICE),
    },
    {"usage": {"type": ["object", "null"]}},
)
_EXAMPLE = {
    "model": "demo/markdown",
    "messages": [{"role": "user", "content": "Hello"}],
    "stream": True,
}
ENDPOINT = Endpoint(
    path="/v1/chat/completions",
    summary="Create a chat completion",
    description=(
        'Answers as OpenAI does: with a JSON object, or with chunks if `"stream": true`.\n\n'
        "`model` is `provider/model`, an alias, or a bare name for the default provider. Fields "
        "that tokenwire does not know go to the provider unchanged. The response's `X-Stream-Id` "
        "is the id of the stream for `GET /v1/streams/{id}`."
    ),
    tag="OpenAI Chat Completions",
    body=Body("ChatRequest", Request, _EXAMPLE),
    events="`chat.completion.chunk` objects, then `[DONE]`",
    answer=Schema("ChatCompletion", _COMPLETION),
    error=ERROR,
    error_paths=("/v1/chat", "/v1/models"),
)
