"""Convert Bedrock Converse streams to Messages streams.

Converse has the same structure under other names (blocks of text, reasoning and tool use), so one
conversion serves every dialect. The stream is binary; this module gets the events inside it.
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
"""

from __future__ import annotations

import secrets
from base64 import b64decode, b64encode
from collections.abc import Iterator

import msgspec

from ...dialects.protocol import JSON
from ...dialects.reading import malformed, read
from ...sse import event_block
from .events import Delta, Event, Reasoning, Start, Usage

_REASONS = {"guardrail_intervened": "refusal", "content_filtered": "refusal"}
_STOP_REASONS = frozenset(
    {"end_turn", "tool_use", "max_tokens", "stop_sequence", "model_context_window_exceeded"}
)
# Bedrock could not parse the model's output: the answer failed and must not look complete.
_FAILURES = frozenset({"malformed_model_output", "malformed_tool_use"})
_ERRORS = {
    "throttlingException": "rate_limit_error",
    "serviceUnavailableException": "overloaded_error",
    "modelTimeoutException": "timeout_error",
    "validationException": "invalid_request_error",
    "accessDeniedException": "permission_error",
}


_EVENT = msgspec.json.Decoder(Event)


class ConverseReader:
    """Converter of one stream's events to blocks of a Messages stream.

    A block is started by its first content, so an empty block is skipped. Blocks are numbered
    without gaps, since clients append them and look them up by number.

    Args:
        request_id: Bedrock's request id, used as the message's id. Generated if empty.
        model: Bedrock's name of the model.
        one_call: Whether to drop tool calls after the first: Converse has no parameter that
            disables parallel tool calls.
    """

    def __init__(self, request_id: str, model: str, *, one_call: bool = False) -> None:
        self._id = request_id or secrets.token_hex(12)
        self._model = model
        self._one_call = one_call
        self._places: dict[int, int] = {}
        self._redacted: dict[int, bytes] = {}
        self._dropped: set[int] = set()
        self._count = 0
        self._calls = 0
        self._reason: str | None = None

    def read(self, kind: str, payload: bytes) -> bytes:
        """Return the blocks of an event; none for an event of a later API version.

        Raises:
            UpstreamError: The payload is not a Converse event (``upstream_malformed``).
        """
        return b"".join(_block(event) for event in self._events(kind, read(payload, _EVENT)))

    def failed(self, kind: str) -> bytes:
        """Return the block for an exception inside the stream, without the provider's text."""
        self._reason = None
        return _block(_failure(_ERRORS.get(kind, "api_error")))

    def close(self) -> bytes:
        """Return the end of the stream, if no usage event followed the stop reason."""
        return b"".join(_block(event) for event in self._end(Usage()))

    def _events(self, kind: str, event: Event) -> Iterator[JSON]:
        index = event.content_block_index
        match kind:
            case "messageStart":
                yield {"type": "message_start", "message": self._message()}
            case "contentBlockStart" if event.start is not None:
                yield from self._start(index, event.start)
            case "contentBlockDelta" if event.delta is not None:
                yield from self._delta(index, event.delta)
            case "contentBlockStop":
                yield from self._stop(index)
            case "messageStop":
                self._reason = event.stop_reason or "end_turn"
            case "metadata":
                yield from self._end(event.usage or Usage())

    def _message(self) -> JSON:
        head = {"id": f"msg_{self._id}", "type": "message", "role": "assistant"}
        rest: JSON = {"content": [], "stop_reason": None, "stop_sequence": None}
        usage = {"input_tokens": 0, "output_tokens": 0}
        return {**head, "model": self._model, **rest, "usage": usage}

    def _start(self, index: int, start: Start) -> Iterator[JSON]:
        tool = start.tool_use
        if tool is None:
            return
        # Tools with another type are run by Bedrock, not by the caller.
        kind = tool.type or "tool_use"
        self._calls += kind == "tool_use"
        if kind == "tool_use" and self._one_call and self._calls > 1:
            self._dropped.add(index)
            return
        block = {"type": kind, "id": tool.tool_use_id, "name": tool.name, "input": {}}
        yield self._open(index, block)

    def _delta(self, index: int, delta: Delta) -> Iterator[JSON]:
        if index in self._dropped:
            return
        reasoning = delta.reasoning_content or Reasoning()
        if reasoning.redacted_content:
            self._redact(index, reasoning.redacted_content)
            return
        empty, piece = _piece(delta, reasoning)
        if piece and index not in self._places:
            yield self._open(index, empty)
        if piece:
            yield {"type": "content_block_delta", "index": self._places[index], "delta": piece}

    def _redact(self, index: int, data: str) -> None:
        """Collect redacted content, which a Messages stream sends in one piece."""
        try:
            self._redacted[index] = self._redacted.get(index, b"") + b64decode(data, validate=True)
        except ValueError:
            raise malformed() from None

    def _stop(self, index: int) -> Iterator[JSON]:
        self._dropped.discard(index)
        if hidden := self._redacted.pop(index, None):
            block = {"type": "redacted_thinking", "data": b64encode(hidden).decode()}
            yield self._open(index, block)
        if (place := self._places.pop(index, None)) is not None:
            yield {"type": "content_block_stop", "index": place}

    def _open(self, index: int, block: JSON) -> JSON:
        if not block:
            raise malformed()  # arguments of a call that was not started
        self._places[index], self._count = self._count, self._count + 1
        place = self._places[index]
        return {"type": "content_block_start", "index": place, "content_block": block}

    def _end(self, usage: Usage) -> Iterator[JSON]:
        if self._reason is None:
            return
        reason, self._reason = self._reason, None
        for index in sorted({*self._places, *self._redacted}):
            yield from self._stop(index)
        if reason in _FAILURES:
            yield _failure("api_error")
            return
        delta = {"stop_reason": self._stop_reason(reason), "stop_sequence": None}
        yield {"type": "message_delta", "delta": delta, "usage": _counts(usage)}
        yield {"type": "message_stop"}

    def _stop_reason(self, reason: str) -> str:
        reason = _REASONS.get(reason, reason)
        if reason in _STOP_REASONS or reason == "refusal":
            return reason
        return "tool_use" if self._calls else "end_turn"


def _piece(delta: Delta, reasoning: Reasoning) -> tuple[JSON, JSON]:
    """Return the empty block for this delta, and the delta."""
    thinking = {"type": "thinking", "thinking": "", "signature": ""}
    if delta.text:
        return {"type": "text", "text": ""}, {"type": "text_delta", "text": delta.text}
    if reasoning.text:
        return thinking, {"type": "thinking_delta", "thinking": reasoning.text}
    if reasoning.signature:
        return thinking, {"type": "signature_delta", "signature": reasoning.signature}
    if delta.tool_use is not None:
        return {}, {"type": "input_json_delta", "partial_json": delta.tool_use.input}
    return {}, {}


def _counts(usage: Usage) -> JSON:
    return {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cache_read_input_tokens": usage.cache_read_input_tokens,
        "cache_creation_input_tokens": usage.cache_write_input_tokens,
    }


def _failure(kind: str) -> JSON:
    return {
        "type": "error",
        "error": {"type": kind, "message": "Bedrock reported an error in its stream."},
    }


def _block(event: JSON) -> bytes:
    return event_block(event["type"], msgspec.json.encode(event))
