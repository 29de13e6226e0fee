"""Decode AI SDK UI message streams."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Struct

from ...events import Citation, Content, Error, Event, Finish, Reasoning, Start, ToolCall, Usage
from ...sse import data_of
from ..reading import read
from ..terminator import is_done
from ..upstream import reported


class _Part(Struct):
    type: str
    messageId: str | None = None  # noqa: N815 - the protocol's own names
    delta: str | None = None
    toolCallId: str | None = None  # noqa: N815
    toolName: str | None = None  # noqa: N815
    inputTextDelta: str | None = None  # noqa: N815
    finishReason: str | None = None  # noqa: N815
    url: str | None = None
    title: str | None = None
    data: Any = None


_PART = msgspec.json.Decoder(_Part)
_REASONS = {"tool-calls": "tool_calls", "content-filter": "content_filter"}


class UIDecoder:
    """Decoder of one stream. Numbers the tool calls."""

    may_lack_end = False

    def __init__(self) -> None:
        self._calls: dict[str, int] = {}

    def notable(self, block: bytes) -> bool:
        """Return True always: no provider speaks this dialect, so blocks never pass unread."""
        return True

    def ends(self, block: bytes) -> bool:
        """Return whether the block is ``data: [DONE]``."""
        return is_done(block)

    def decode(self, block: bytes) -> list[Event]:
        """Return the part's events; none for the terminator or for parts of a later version.

        Raises:
            UpstreamError: The block is not a part (``upstream_malformed``).
        """
        data = data_of(block)
        return [] if not data or self.ends(block) else list(self._events(read(data, _PART)))

    def _events(self, part: _Part) -> Iterator[Event]:
        match part.type:
            case "text-delta" if part.delta:
                yield Content(part.delta)
            case "reasoning-delta" if part.delta:
                yield Reasoning(part.delta)
            case "finish":
                reason = part.finishReason or "stop"
                yield Finish(_REASONS.get(reason, reason))
            case "source-url":
                yield Citation(part.url or "", part.title or "")
            case "abort":
                yield Error("cancelled", "The stream was cancelled.", status=499)
            case "error":
                yield reported("upstream_error")
            case _:
                yield from self._of_tool_or_data(part)

    def _of_tool_or_data(self, part: _Part) -> Iterator[Event]:
        data = part.data if isinstance(part.data, dict) else {}
        match part.type:
            case "tool-input-start" if part.toolCallId:
                self._calls[part.toolCallId] = len(self._calls)
                yield ToolCall(self._calls[part.toolCallId], part.toolCallId, part.toolName)
            case "tool-input-delta" if part.toolCallId in self._calls:
                call = self._calls[part.toolCallId]
                yield ToolCall(call, arguments=part.inputTextDelta or "")
            case "data-stream":
                yield Start(str(data.get("id", "")), str(data.get("model", "")))
            case "data-usage":
                counts = {k: v for k, v in data.items() if k in Usage.__slots__ and type(v) is int}
                yield Usage(**{"input_tokens": 0, "output_tokens": 0, **counts})
