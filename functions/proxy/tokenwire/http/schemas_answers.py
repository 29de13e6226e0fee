"""What the API answers: by route, with what has gone well and what may go wrong."""

from __future__ import annotations

from ..dialects.protocol import JSON
from ..stores.records import EndReason

_TEXT: JSON = {"type": "string"}
_NUMBER: JSON = {"type": "integer"}
_ANY: JSON = {}
_NULLABLE: JSON = {"type": ["string", "null"]}


def _object(required: JSON, optional: JSON | None = None) -> JSON:
    properties = {**required, **(optional or {})}
    return {"type": "object", "required": list(required), "properties": properties}


def _list(items: JSON) -> JSON:
    return {"type": "array", "items": items}


def _one(*values: str) -> JSON:
    return {"type": "string", "enum": list(values)}


def _ref(name: str) -> JSON:
    return {"$ref": f"#/components/schemas/{name}"}


_CHAT_ERROR = _object({"message": _TEXT, "type": _TEXT, "param": _NULLABLE, "code": _NULLABLE})
_MESSAGES_ERROR = _object({"type": _TEXT, "message": _TEXT, "code": _TEXT, "param": _NULLABLE})
_CODED: JSON = {"code": _TEXT, "retryable": {"type": "boolean"}}
_CHOICE = _object(
    {
        "index": _NUMBER,
        "message": _object({"role": _one("assistant"), "content": _ANY, "refusal": _NULLABLE}),
        "logprobs": {"type": ["object", "null"]},
        "finish_reason": _one("stop", "length", "tool_calls", "content_filter", "function_call"),
    }
)
_MODEL: JSON = {"id": _TEXT, "object": _one("model"), "created": _NUMBER, "owned_by": _TEXT}
_REASONS = [reason.value for reason in EndReason]

COMPONENTS: JSON = {
    "ChatCompletion": _object(
        {
            "id": _TEXT,
            "object": _one("chat.completion"),
            "created": _NUMBER,
            "model": _TEXT,
            "choices": _list(_CHOICE),
        },
        {"usage": {"type": ["object", "null"]}},
    ),
    "Response": _object(
        {
            "id": _TEXT,
            "object": _one("response"),
            "created_at": {"type": "number"},
            "status": _one("in_progress", "completed", "incomplete", "failed", "cancelled"),
            "model": _TEXT,
            "output": _list({"type": "object"}),
            "error": {"type": ["object", "null"]},
            "usage": {"type": ["object", "null"]},
        }
    ),
    "InputItems": _object(
        {
            "object": _one("list"),
            "data": _list(_object({"id": _TEXT, "type": _TEXT})),
            "first_id": _TEXT,
            "last_id": _TEXT,
            "has_more": {"type": "boolean"},
        }
    ),
    "Message": _object(
        {
            "id": _TEXT,
            "type": _one("message"),
            "role": _one("assistant"),
            "model": _TEXT,
            "content": _list(_object({"type": _TEXT})),
            "stop_reason": _NULLABLE,
            "stop_sequence": _NULLABLE,
            "usage": _object({"input_tokens": _NUMBER, "output_tokens": _NUMBER}),
        }
    ),
    "Model": _object(_MODEL),
    "Models": _object(
        {"object": _one("list"), "data": _list(_ref("Model")), "default": _TEXT},
    ),
    "Started": _object({"id": _TEXT, "url": _TEXT, "expires_at": _NUMBER}),
    "Shared": _object({"url": _TEXT, "expires_at": _NUMBER}),
    "Ended": _object(
        {"id": _TEXT, "end_reason": {"type": ["string", "null"], "enum": [*_REASONS, None]}}
    ),
    "Alive": _object({"status": _one("ok")}),
    "Ready": _object(
        {"status": _one("ok", "shutting_down")},
        {
            "providers": {"type": "object", "additionalProperties": _TEXT},
            "off": {"type": "object", "additionalProperties": _TEXT},
            "store": _one("ok", "degraded"),
        },
    ),
    "OpenAIError": _object({"error": _CHAT_ERROR}),
    "AnthropicError": _object({"type": _one("error"), "error": _MESSAGES_ERROR}),
    "UIError": _object({"error": _TEXT, **_CODED}),
    "EventsError": _object(
        {"type": _one("error"), "message": _TEXT, **_CODED},
        {"param": _TEXT, "retry_after": {"type": "number"}},
    ),
}
ERRORS = {
    "chat": "OpenAIError",
    "responses": "OpenAIError",
    "messages": "AnthropicError",
    "ui": "UIError",
    "events": "EventsError",
}
"""The schema of each dialect's error."""

FAILURES = {
    400: "The request is at fault; `param` names the field.",
    401: "A key or ticket is missing, wrong or expired.",
    403: "A server without keys answers its own machine.",
    404: "There is no such model, stream, response or path.",
    405: "The path has no such method; `Allow` names those that it has.",
    408: "The request's body did not arrive in time.",
    410: "The stream, or the part of it after the cursor, is no longer held.",
    413: "The request is too large.",
    422: "The Idempotency-Key stands for another request; or the provider refused this one.",
    429: "The provider is limiting requests, or this caller has all that one may have.",
    431: "The request's head is too large.",
    499: "The stream was cancelled, or the client left.",
    500: "The server failed.",
    501: "There is no store, which this needs on AWS Lambda.",
    502: "The provider failed.",
    503: "The server or the provider is overloaded, or going away.",
    504: "The provider took too long.",
    529: "The provider is overloaded.",
}

_Answer = tuple[str, JSON]


def _json(name: str) -> JSON:
    return {"application/json": {"schema": _ref(name)}}


def _said(text: str, name: str) -> _Answer:
    return text, {"content": _json(name)}


def _events(of: str, name: str | None = None) -> _Answer:
    # The schema of each event, as its fields stand in the stream.
    event = _object({"data": _TEXT}, {"event": _TEXT, "id": _TEXT, "retry": _NUMBER})
    stream = {"text/event-stream": {"schema": {**event, "description": f"Events: {of}."}}}
    whole = {} if name is None else _json(name)
    text = "The answer, as it comes" + ("; or whole, without `stream`." if name else ".")
    return text, {"content": {**whole, **stream}}


_NOTHING: _Answer = ("Nothing is left to send: do not come back.", {})
_DONE: _Answer = ("Done.", {})
_CHUNKS = "`chat.completion.chunk` objects, then `[DONE]`"
_RESPONSES = "those of OpenAI Responses, then `[DONE]`"
_MESSAGES = "those of Anthropic Messages, then `message_stop`"
_PARTS = "UI message parts of the AI SDK, then `[DONE]`"
_TYPED = "objects with a `type`: `start`, `content`, …, `finish`, `usage`; then `[DONE]`"

ANSWERS: dict[tuple[str, str], dict[int, _Answer]] = {
    ("post", "/v1/chat/completions"): {200: _events(_CHUNKS, "ChatCompletion")},
    ("post", "/v1/responses"): {200: _events(_RESPONSES, "Response")},
    ("get", "/v1/responses/{response_id}"): {200: _events(_RESPONSES, "Response")},
    ("post", "/v1/responses/{response_id}/cancel"): {200: _said("The response.", "Response")},
    ("get", "/v1/responses/{response_id}/input_items"): {200: _said("A page.", "InputItems")},
    ("post", "/v1/messages"): {200: _events(_MESSAGES, "Message")},
    ("get", "/v1/models"): {200: _said("The models.", "Models")},
    ("get", "/v1/models/{model}"): {200: _said("The model.", "Model")},
    ("post", "/api/chat"): {200: _events(_PARTS)},
    ("get", "/api/chat/{chat_id}/stream"): {200: _events(_PARTS), 204: _NOTHING},
    ("post", "/api/chat/{chat_id}/stop"): {200: _said("How the stream ended.", "Ended")},
    ("post", "/api/stream"): {200: _events(_TYPED)},
    ("get", "/api/stream"): {200: _events(_TYPED), 204: _NOTHING},
    ("post", "/v1/streams"): {201: _said("The stream, and where to watch it.", "Started")},
    ("get", "/v1/streams/{stream_id}"): {
        200: _events("those of the `format`, which is one of the dialects"),
        204: _NOTHING,
    },
    ("post", "/v1/streams/{stream_id}/viewers/{viewer}"): {204: _DONE},
    ("post", "/v1/streams/{stream_id}/viewers/{viewer}/leave"): {204: _DONE},
    ("post", "/v1/streams/{stream_id}/ticket"): {200: _said("Where to watch it.", "Shared")},
    ("post", "/v1/streams/{stream_id}/cancel"): {200: _said("How the stream ended.", "Ended")},
    ("get", "/healthz"): {200: _said("The process is alive.", "Alive")},
    ("get", "/readyz"): {
        200: _said("It takes requests.", "Ready"),
        503: _said("It is shutting down.", "Ready"),
    },
    ("get", "/metrics"): {200: ("The metrics.", {"content": {"text/plain": {"schema": _TEXT}}})},
}
"""What each route answers when nothing has gone wrong."""
