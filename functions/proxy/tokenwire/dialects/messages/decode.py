"""Decode Anthropic Messages streams: named events around numbered content blocks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import msgspec
from msgspec import Struct

from ...events import Citation, Content, Error, Event, Finish, Reasoning, Start, ToolCall, Usage
from ...sse import data_of, event_of
from ..comparison import all_plain_by_comparison
from ..reading import malformed, notable_unless, read
from ..upstream import reported
from .encode import STOP_REASONS


class _Block(Struct):
    type: str = ""
    text: str | None = None
    thinking: str | None = None
    signature: str | None = None
    data: str | None = None
    id: str | None = None
    name: str | None = None
    input: Any = None


class _Delta(Struct):
    type: str = ""
    text: str | None = None
    partial_json: str | None = None
    thinking: str | None = None
    signature: str | None = None
    citation: Any = None
    stop_reason: str | None = None
    stop_sequence: str | None = None


class _OutputDetails(Struct):
    thinking_tokens: int | None = None


class _Usage(Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    output_tokens_details: _OutputDetails | None = None


class _Message(Struct):
    id: str | None = None
    model: str | None = None
    usage: _Usage | None = None


class _Event(Struct):
    type: str
    message: _Message | None = None
    index: int | None = None
    content_block: _Block | None = None
    delta: _Delta | None = None
    usage: _Usage | None = None
    error: Any = None


class _PlainDelta(Struct, gc=False):
    type: str


class _Plain(Struct, gc=False):
    """A content delta."""

    type: Literal["content_block_delta"]
    index: int
    delta: _PlainDelta


class _TextDelta(_Delta, kw_only=True, gc=False):
    type: Literal["text_delta"]
    text: str


class _Text(_Event, kw_only=True, gc=False):
    """A piece of text."""

    type: Literal["content_block_delta"]
    delta: _TextDelta


_EVENT = msgspec.json.Decoder(_Event)
_PLAIN = msgspec.json.Decoder(_Plain)
_TEXT = msgspec.json.Decoder(_Text)
_HEAD = b"event: content_block_delta\ndata:"
_notable = notable_unless(_HEAD, _PLAIN)
_TYPES = frozenset(
    {
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
        "ping",
        "error",
    }
)

REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}
"""Finish reasons of ``chat`` by stop reason. Other reasons are kept unchanged."""


class MessagesDecoder:
    """Decoder of one stream. Numbers the tool calls and accumulates the usage."""

    may_lack_end = False
    notable = staticmethod(_notable)
    """False for a ``content_block_delta``, identified by its event name and its type."""
    all_plain = staticmethod(
        all_plain_by_comparison(_notable, b"text", b"thinking", b"partial_json")
    )
    """As ``hotpath.ReadsMany``."""

    def __init__(self) -> None:
        self._calls: dict[int, int] = {}
        self._usage = _Usage()

    def text_of(self, block: bytes) -> str | None:
        """As ``hotpath.ReadsText``."""
        if not block.startswith(_HEAD):
            return None
        try:
            return _TEXT.decode(block[len(_HEAD) :]).delta.text or None
        except (ValueError, RecursionError):
            return None

    def ends(self, block: bytes) -> bool:
        """Return whether the block is ``message_stop``."""
        return b"message_stop" in block and _type_of(block) == "message_stop"

    def decode(self, block: bytes) -> list[Event]:
        """Return the events that the block stands for.

        Raises:
            UpstreamError: The block is not an event of the Messages API (``upstream_malformed``).
        """
        data = data_of(block)
        if not data:
            return []
        event, name = read(data, _EVENT), event_of(block)
        if name == b"error":
            return [error_of(event.error)]
        # An unknown type is from a later API version if the event's name is the same.
        if event.type not in _TYPES and event.type.encode() != name:
            raise malformed()
        return list(self._events(event))

    def _events(self, event: _Event) -> Iterator[Event]:
        match event.type:
            case "message_start" if event.message is not None:
                yield Start(event.message.id or "", event.message.model or "")
                # Zero counts are not usage yet.
                yield from (u for u in self._counted(event.message.usage) if u != Usage(0, 0))
            case "content_block_start" if event.content_block is not None:
                yield from self._opened(event.index or 0, event.content_block)
            case "content_block_delta" if event.delta is not None:
                yield from self._piece(event.index or 0, event.delta)
            case "message_delta":
                if event.delta is not None and event.delta.stop_reason:
                    yield _finish(event.delta.stop_reason, event.delta.stop_sequence or "")
                yield from self._counted(event.usage)
            case "error":
                yield error_of(event.error)

    def _opened(self, index: int, block: _Block) -> Iterator[Event]:
        match block.type:
            case "tool_use":
                self._calls[index] = len(self._calls)
                # The input is complete here if the server does not stream it.
                arguments = msgspec.json.encode(block.input).decode() if block.input else ""
                yield ToolCall(self._calls[index], block.id, block.name, arguments)
            case "text" if block.text:
                yield Content(block.text)
            case "thinking" if block.thinking:
                yield Reasoning(block.thinking)
            case "redacted_thinking" if block.data:
                yield Reasoning("", redacted=block.data)

    def _piece(self, index: int, delta: _Delta) -> Iterator[Event]:
        match delta.type:
            case "text_delta" if delta.text:
                yield Content(delta.text)
            case "thinking_delta" if delta.thinking:
                yield Reasoning(delta.thinking)
            case "signature_delta" if delta.signature:
                yield Reasoning("", signature=delta.signature)
            case "input_json_delta" if delta.partial_json and index in self._calls:
                yield ToolCall(self._calls[index], arguments=delta.partial_json)
            case "citations_delta" if isinstance(delta.citation, dict):
                yield _citation(delta.citation)

    def _counted(self, usage: _Usage | None) -> Iterator[Event]:
        if usage is None:
            return
        held = self._usage
        for name in usage.__struct_fields__:
            if (value := getattr(usage, name)) is not None:
                setattr(held, name, value)
        cached, written = held.cache_read_input_tokens or 0, held.cache_creation_input_tokens or 0
        details = held.output_tokens_details or _OutputDetails()
        yield Usage(
            # Anthropic's count excludes cached tokens; those of other providers include them.
            input_tokens=(held.input_tokens or 0) + cached + written,
            output_tokens=held.output_tokens or 0,
            cached_tokens=cached,
            reasoning_tokens=details.thinking_tokens or 0,
            cache_write_tokens=written,
        )


def _type_of(block: bytes) -> str:
    data = data_of(block)
    return read(data, _EVENT).type if data else ""


def _finish(reason: str, sequence: str) -> Finish:
    ours = REASONS.get(reason, reason)
    # The provider's own reason is kept only if the encoder would write another one for ours.
    detail = "" if STOP_REASONS.get(ours) == reason else reason
    return Finish(ours, detail=detail, sequence=sequence)


def _citation(source: dict[str, Any]) -> Citation:
    def text(*names: str) -> str:
        return next((v for name in names if isinstance(v := source.get(name), str)), "")

    return Citation(
        url=text("url", "source"),
        title=text("title", "document_title"),
        text=text("cited_text"),
        data=msgspec.json.encode(source).decode(),
    )


_ERRORS = {
    "overloaded_error": "upstream_overloaded",
    "rate_limit_error": "upstream_rate_limited",
    "timeout_error": "upstream_timeout",
    "authentication_error": "upstream_auth",
    "permission_error": "upstream_auth",
    "billing_error": "upstream_quota",
    "invalid_request_error": "upstream_invalid_request",
    "request_too_large": "upstream_invalid_request",
}


def error_of(error: object) -> Error:
    """Return the event for an error inside a stream. The provider's text is not included."""
    kind = error.get("type") if isinstance(error, dict) else None
    code = _ERRORS.get(str(kind), "upstream_error")
    # Anthropic has a status of its own for an overload, which its SDKs know.
    return reported(code, 529 if code == "upstream_overloaded" else None)
