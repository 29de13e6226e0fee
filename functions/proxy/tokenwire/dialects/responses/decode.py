"""Decode OpenAI Responses streams."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import msgspec
from msgspec import Struct

from ...events import Citation, Content, Error, Event, Finish, Reasoning, Start, ToolCall, Usage
from ...sse import data_of, event_of
from ..reading import malformed, notable_unless, read
from ..terminator import is_done
from ..upstream import reported


class _Details(Struct):
    cached_tokens: int = 0
    reasoning_tokens: int = 0


class _Usage(Struct):
    input_tokens: int = 0
    output_tokens: int = 0
    input_tokens_details: _Details | None = None
    output_tokens_details: _Details | None = None


class _Why(Struct):
    reason: str | None = None


class _Response(Struct):
    id: str = ""
    model: str | None = None
    created_at: float = 0
    incomplete_details: _Why | None = None
    usage: _Usage | None = None
    error: Any = None


class _Item(Struct):
    type: str = ""
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None
    encrypted_content: str | None = None


class _Event(Struct):
    type: str
    response: _Response | None = None
    item: _Item | None = None
    output_index: int = 0
    delta: str | None = None
    annotation: Any = None
    code: str | None = None


class _Typed(Struct):
    type: str = ""


class _Plain(Struct):
    """A text delta."""

    type: Literal["response.output_text.delta"]
    delta: str


_EVENT = msgspec.json.Decoder(_Event, strict=False)
_PLAIN = msgspec.json.Decoder(_Plain)
_TYPED = msgspec.json.Decoder(_Typed)
_HEAD = b"event: response.output_text.delta\ndata:"
_ENDS = ("response.completed", "response.incomplete")


class ResponsesDecoder:
    """Decoder of one stream. Numbers the function calls."""

    may_lack_end = False
    notable = staticmethod(notable_unless(_HEAD, _PLAIN))
    """False for a text delta, identified by its event name and its type."""

    def __init__(self) -> None:
        self._calls: dict[int, int] = {}
        self._filled: set[int] = set()

    def ends(self, block: bytes) -> bool:
        """Return whether the block ends the response."""
        return b"response." in block and read(data_of(block) or b"{}", _TYPED).type in _ENDS

    def decode(self, block: bytes) -> list[Event]:
        """Return the events that the block stands for.

        Raises:
            UpstreamError: The block is not an event of the Responses API (``upstream_malformed``).
        """
        data = data_of(block)
        if not data or is_done(block):
            return []
        event, name = read(data, _EVENT), event_of(block)
        if name == b"error":
            return [_error(event.code or "")]
        if not event.type.startswith("response.") and event.type.encode() not in (name, b"error"):
            raise malformed()
        return list(self._events(event))

    def _events(self, event: _Event) -> Iterator[Event]:
        response = event.response or _Response()
        match event.type:
            case "response.created":
                yield Start(response.id, response.model or "", int(response.created_at))
            case "response.output_text.delta" if event.delta:
                yield Content(event.delta)
            case "response.refusal.delta" if event.delta:
                yield Content(event.delta, refusal=True)
            case "response.completed" | "response.incomplete":
                yield from self._finished(response)
            case "error" | "response.failed":
                error = response.error if isinstance(response.error, dict) else {}
                yield _error(event.code or str(error.get("code")))
            case _:
                yield from self._of_item(event)

    def _of_item(self, event: _Event) -> Iterator[Event]:
        match event.type:
            case "response.reasoning_summary_text.delta" | "response.reasoning_text.delta":
                yield Reasoning(event.delta or "")
            case "response.function_call_arguments.delta" if event.output_index in self._calls:
                self._filled.add(event.output_index)
                yield ToolCall(self._calls[event.output_index], arguments=event.delta or "")
            case "response.output_item.added" if event.item and event.item.type == "function_call":
                self._calls[event.output_index] = len(self._calls)
                call = self._calls[event.output_index]
                yield ToolCall(call, event.item.call_id, event.item.name)
            case "response.output_item.done" if event.item:
                yield from self._closed(event.output_index, event.item)
            case "response.output_text.annotation.added" if isinstance(event.annotation, dict):
                yield _citation(event.annotation)

    def _closed(self, index: int, item: _Item) -> Iterator[Event]:
        if item.type == "reasoning" and item.encrypted_content:
            yield Reasoning("", signature=item.encrypted_content)
        if item.type == "function_call" and item.arguments and index not in self._filled:
            yield ToolCall(self._calls.get(index, 0), arguments=item.arguments)

    def _finished(self, response: _Response) -> Iterator[Event]:
        why = response.incomplete_details.reason if response.incomplete_details else None
        default = "tool_calls" if self._calls else "stop"
        yield Finish({"max_output_tokens": "length", None: default}.get(why, why or default))
        if (usage := response.usage) is not None:
            cached = usage.input_tokens_details or _Details()
            thought = usage.output_tokens_details or _Details()
            yield Usage(
                usage.input_tokens,
                usage.output_tokens,
                cached.cached_tokens,
                thought.reasoning_tokens,
            )


def _citation(source: dict[str, Any]) -> Citation:
    url, title = source.get("url"), source.get("title")
    data = msgspec.json.encode(source).decode()
    return Citation(str(url or ""), str(title or ""), data=data)


def _error(code: str) -> Error:
    """Return the error event. The provider's text is not included: it may contain anything."""
    words = code.lower()
    if "rate_limit" in words:
        return reported("upstream_rate_limited")
    if "overloaded" in words or "unavailable" in words:
        return reported("upstream_overloaded")
    return reported("upstream_error")
