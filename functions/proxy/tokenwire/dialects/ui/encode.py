"""Encode AI SDK UI message streams (version 1 of the protocol, as AI SDK 7 reads it)."""

from __future__ import annotations

from typing import Any

import msgspec

from ...events import Citation, Content, Error, Event, Finish, Reasoning, Start, ToolCall, Usage
from ..depth import parsed
from ..protocol import JSON, size_of
from ..terminator import DONE

_REASONS = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool-calls",
    "function_call": "tool-calls",
    "content_filter": "content-filter",
}


class UIEncoder:
    """Encoder of one assistant message with one step.

    Of parallel choices only the first is encoded. Usage and the stream's id, for which the protocol
    has no part, are sent in transient ``data-`` parts, which clients do not store.
    """

    def __init__(self) -> None:
        self.held = 0
        self._started = False
        self._open: tuple[str, str] | None = None
        self._text_head = b""
        self._count = 0
        # By call: its names, and the pieces of its arguments, which are joined once.
        self._calls: dict[int, tuple[dict[str, str], list[str]]] = {}
        self._finish: Finish | None = None
        self._usage: Usage | None = None

    def encode(self, event: Event) -> list[bytes]:
        """Return the event's parts; nothing for usage and finish, which are sent at the end."""
        if getattr(event, "choice", 0):
            return []
        match event:
            case Content(delta=delta):
                return self._text("text", delta)
            case Reasoning(delta=delta):
                return self._text("reasoning", delta) if delta else []
            case ToolCall():
                return self._call(event)
            case _:
                return self._rare(event)

    def text_block(self, text: str) -> bytes | None:
        """As ``hotpath.WritesText``."""
        if not self._text_head:
            return None
        return b'%b,"delta":%b}\n\n' % (self._text_head, msgspec.json.encode(text))

    def _rare(self, event: Event) -> list[bytes]:
        match event:
            case Start() if not self._started:
                return self._start(event)
            case Usage():
                self._usage = event
            case Finish():
                self._finish = event
            case Citation(url=url) if url:
                self._count += 1
                source = {"sourceId": f"source-{self._count}", "url": url}
                title = {"title": event.title} if event.title else {}
                return [_part("source-url", **source, **title)]
        return []

    def _start(self, start: Start) -> list[bytes]:
        self._started = True
        stream: JSON = {"id": start.id, "model": start.model}
        return [
            _part("start", messageId=start.id),
            _part("data-stream", data=stream, transient=True),
            _part("start-step"),
        ]

    def _text(self, kind: str, delta: str) -> list[bytes]:
        parts: list[bytes] = []
        if self._open is None or self._open[0] != kind:
            parts = self._closed()
            self._count += 1
            self._open = (kind, f"{kind}-{self._count}")
            parts.append(_part(f"{kind}-start", id=self._open[1]))
            if kind == "text":
                self._text_head = _open_ended("text-delta", id=self._open[1])
        return [*parts, _part(f"{kind}-delta", id=self._open[1], delta=delta)]

    def _call(self, event: ToolCall) -> list[bytes]:
        parts: list[bytes] = []
        if event.call not in self._calls:
            head = {"toolCallId": event.id or f"call_{event.call}", "toolName": event.name or ""}
            self._calls[event.call] = (head, [])
            parts = [*self._closed(), _part("tool-input-start", **head)]
        head, arguments = self._calls[event.call]
        if event.arguments:
            arguments.append(event.arguments)
            self.held += size_of(event.arguments)
            piece = {"toolCallId": head["toolCallId"], "inputTextDelta": event.arguments}
            parts.append(_part("tool-input-delta", **piece))
        return parts

    def _closed(self) -> list[bytes]:
        if self._open is None:
            return []
        (kind, name), self._open, self._text_head = self._open, None, b""
        return [_part(f"{kind}-end", id=name)]

    def end(self) -> list[bytes]:
        """Return the ends of open parts, complete tool inputs, and the ends of step and message."""
        start = [] if self._started else self._start(Start("", ""))
        inputs = [_input(head, "".join(pieces)) for head, pieces in self._calls.values()]
        reason = _REASONS.get(self._finish.reason, "other") if self._finish else "stop"
        last = [_part("finish-step"), _part("finish", finishReason=reason), DONE]
        return [*start, *self._closed(), *inputs, *self._counted(), *last]

    def _counted(self) -> list[bytes]:
        if self._usage is None:
            return []
        counts = {name: getattr(self._usage, name) for name in Usage.__slots__}
        return [_part("data-usage", data=counts, transient=True)]

    def error(self, error: Error) -> list[bytes]:
        """Return ``abort`` for a cancelled stream, ``error`` for any other error."""
        start = [] if self._started else self._start(Start("", ""))
        if error.code == "cancelled":
            return [*start, *self._closed(), *self._counted(), _part("abort"), DONE]
        return [*start, *self._counted(), *_raised(error)]

    def interrupt(self, error: Error) -> list[bytes]:
        """Return the error's code and ``error``."""
        return _raised(error)


def _raised(error: Error) -> list[bytes]:
    about: JSON = {"code": error.code, "retryable": error.retryable}
    data = _part("data-error", data=about, transient=True)
    return [data, _part("error", errorText=error.message)]


def _part(kind: str, **fields: Any) -> bytes:
    return b"data: %b\n\n" % msgspec.json.encode({"type": kind, **fields})


def _open_ended(kind: str, **fields: Any) -> bytes:
    """Return the beginning of a part that gets one more field."""
    return _part(kind, **fields).removesuffix(b"}\n\n")


def _input(head: dict[str, str], arguments: str) -> bytes:
    try:
        value = parsed(arguments or "{}")
    except ValueError:
        why = "The model's arguments for this tool are not valid JSON."
        return _part("tool-input-error", **head, input=arguments, errorText=why)
    return _part("tool-input-available", **head, input=value)


def error_body(error: Error) -> JSON:
    """Return the error body. ``error`` comes first: ``useChat`` displays the body as text."""
    return {"error": error.message, "code": error.code, "retryable": error.retryable}
