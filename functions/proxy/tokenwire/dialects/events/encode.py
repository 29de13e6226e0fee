"""Encode events as typed events."""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import get_args

import msgspec

from ...events import Citation, Content, Error, Event, Finish, Reasoning, Start, ToolCall, Usage
from ..protocol import JSON
from ..terminator import DONE

TYPES: dict[str, type[Event]] = {
    "start": Start,
    "content": Content,
    "reasoning": Reasoning,
    "citation": Citation,
    "tool_call": ToolCall,
    "usage": Usage,
    "finish": Finish,
    "error": Error,
}
_NAMES = {kind: name for name, kind in TYPES.items()}
_DEFAULTS = {kind: {f.name: f.default for f in fields(kind)} for kind in get_args(Event)}
# Fields that belong to the HTTP response (status) or to the request's dialect (tools).
_OMITTED = frozenset({"status", "tools"})


class EventsEncoder:
    """Encoder of typed events. Only the first ``Start`` and the last usage are sent."""

    held = 0

    def __init__(self) -> None:
        self._started = False
        self._usage: Usage | None = None

    def encode(self, event: Event) -> list[bytes]:
        """Return one block, or none for a repeated ``Start`` and for usage, which is sent last."""
        if type(event) is Content and not event.choice and not event.refusal:
            return [self.text_block(event.delta)]
        if isinstance(event, Start):
            if self._started:
                return []
            self._started = True
        elif isinstance(event, Usage):
            self._usage = event
            return []
        return [_block(body_of(event))]

    def text_block(self, text: str) -> bytes:
        """As ``hotpath.WritesText``."""
        return b'data: {"type":"content","delta":%b}\n\n' % msgspec.json.encode(text)

    def end(self) -> list[bytes]:
        """Return the usage, if known, and ``[DONE]``."""
        return [*self._counted(), DONE]

    def error(self, error: Error) -> list[bytes]:
        """Return the usage so far and the ``error`` event, which ends the stream."""
        return [*self._counted(), _block(body_of(error))]

    def interrupt(self, error: Error) -> list[bytes]:
        """Return the ``error`` event only: the stream continues."""
        return [_block(body_of(error))]

    def _counted(self) -> list[bytes]:
        return [] if self._usage is None else [_block(body_of(self._usage))]


def _block(body: JSON) -> bytes:
    return b"data: " + msgspec.json.encode(body) + b"\n\n"


def body_of(event: Event) -> JSON:
    """Return the JSON object of an event, without fields that have their default values."""
    kind = type(event)
    body: JSON = {"type": _NAMES[kind]}
    for name, default in _DEFAULTS[kind].items():
        value = getattr(event, name)
        if (value != default or default is MISSING or name == "retryable") and name not in _OMITTED:
            body[name] = value
    return body


def error_body(error: Error) -> JSON:
    """Return the same object as the ``error`` event."""
    return body_of(error)
