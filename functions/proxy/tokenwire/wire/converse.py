"""Bedrock Converse, as the Messages API would say it: requests to it, and events from it.

Converse has the same shape under other names (blocks of text, reasoning and tool use, each
opened, filled and closed), so one translation serves every dialect. Its stream is binary; what
comes here are the events inside it.
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from ..sse import named
from .protocol import JSON

_REASONS = {"guardrail_intervened": "refusal", "content_filtered": "refusal"}
_ERRORS = {
    "throttlingException": "rate_limit_error",
    "serviceUnavailableException": "overloaded_error",
    "modelTimeoutException": "timeout_error",
    "validationException": "invalid_request_error",
    "accessDeniedException": "permission_error",
}


class ConverseReader:
    """One stream's events as blocks of a Messages stream.

    Args:
        request_id: Bedrock's own; the message's id.
        model: By Bedrock's name.
    """

    def __init__(self, request_id: str, model: str) -> None:
        self._id = request_id
        self._model = model
        self._opened: set[int] = set()
        self._reason: str | None = None

    def read(self, kind: str, said: JSON) -> bytes:
        """The blocks that say this event; none for one from a later version."""
        return b"".join(_block(event) for event in self._events(kind, said))

    def failed(self, kind: str) -> bytes:
        """The block of an exception inside the stream. Its text stays out, as it may quote."""
        error = {"type": _ERRORS.get(kind, "api_error"), "message": "Bedrock failed."}
        return _block({"type": "error", "error": error})

    def close(self) -> bytes:
        """The end, where no counts came after the reason."""
        return b"".join(_block(event) for event in self._end({}))

    def _events(self, kind: str, said: JSON) -> Iterator[JSON]:
        match kind:
            case "messageStart":
                yield {"type": "message_start", "message": self._message()}
            case "contentBlockStart":
                yield from self._start(said["contentBlockIndex"], said.get("start") or {})
            case "contentBlockDelta":
                yield from self._delta(said["contentBlockIndex"], said.get("delta") or {})
            case "contentBlockStop":
                yield {"type": "content_block_stop", "index": said["contentBlockIndex"]}
            case "messageStop":
                self._reason = said.get("stopReason") or "end_turn"
            case "metadata":
                yield from self._end(said.get("usage") or {})

    def _message(self) -> JSON:
        head = {"id": f"msg_{self._id}", "type": "message", "role": "assistant"}
        rest: JSON = {"content": [], "stop_reason": None, "stop_sequence": None}
        usage = {"input_tokens": 0, "output_tokens": 0}
        return {**head, "model": self._model, **rest, "usage": usage}

    def _start(self, index: int, start: JSON) -> Iterator[JSON]:
        if tool := start.get("toolUse"):
            block = {"type": "tool_use", "id": tool.get("toolUseId"), "name": tool.get("name")}
            yield self._open(index, {**block, "input": {}})

    def _delta(self, index: int, delta: JSON) -> Iterator[JSON]:
        reasoning = delta.get("reasoningContent") or {}
        if hidden := reasoning.get("redactedContent"):
            yield self._open(index, {"type": "redacted_thinking", "data": hidden})
            return
        empty, piece = _piece(delta, reasoning)
        if not piece:
            return
        if index not in self._opened:
            yield self._open(index, empty)
        yield {"type": "content_block_delta", "index": index, "delta": piece}

    def _open(self, index: int, block: JSON) -> JSON:
        self._opened.add(index)
        return {"type": "content_block_start", "index": index, "content_block": block}

    def _end(self, usage: JSON) -> Iterator[JSON]:
        if self._reason is None:
            return
        reason, self._reason = _REASONS.get(self._reason, self._reason), None
        counts = {
            "input_tokens": usage.get("inputTokens", 0),
            "output_tokens": usage.get("outputTokens", 0),
            "cache_read_input_tokens": usage.get("cacheReadInputTokens", 0),
            "cache_creation_input_tokens": usage.get("cacheWriteInputTokens", 0),
        }
        delta = {"stop_reason": reason, "stop_sequence": None}
        yield {"type": "message_delta", "delta": delta, "usage": counts}
        yield {"type": "message_stop"}


def _piece(delta: JSON, reasoning: JSON) -> tuple[JSON, JSON]:
    """An empty block of the kind that this delta fills, and the delta."""
    thinking = {"type": "thinking", "thinking": "", "signature": ""}
    if delta.get("text"):
        return {"type": "text", "text": ""}, {"type": "text_delta", "text": delta["text"]}
    if reasoning.get("text"):
        return thinking, {"type": "thinking_delta", "thinking": reasoning["text"]}
    if reasoning.get("signature"):
        return thinking, {"type": "signature_delta", "signature": reasoning["signature"]}
    if tool := delta.get("toolUse"):
        return {}, {"type": "input_json_delta", "partial_json": tool.get("input", "")}
    return {}, {}


def _block(event: Any) -> bytes:
    return named(event["type"], msgspec.json.encode(event))
