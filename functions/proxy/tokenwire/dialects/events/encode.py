"""Encode events as typed events."""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import get_args

import msgspec

from ...events import Citation, Content, Error, Event, Finish, Reasoning, Start, ToolCall, Usage
from ..protocol import JSON

_DONE = b"data: [DONE]\n\n"
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
# What of an error concerns the HTTP response, and of a start the dialect of the request.
_UNSAID = frozenset({"status", "tools"})


class EventsEncoder:
    """Writes typed events: of ``Start`` the first, which names the stream; of usage the last."""

    held = 0

    def __init__(self) -> None:
        self._started = False
        self._usage: Usage | None = None

    def encode(self, event: Event) -> list[bytes]:
        """One block for each event but a second ``Start``, and usage, which comes at the end."""
        if type(event) is Content and not event.choice and not event.refusal:
            # Nearly all of them.
            return [
                b'data: {"type":"content","delta":' + msgspec.json.encode(event.delta) + b"}\n\n"
            ]
        if isinstance(event, Start):
            if self._started:
                return []
            self._started = True
        elif isinstance(event, Usage):
            self._usage = event
            return []
        return [_block(body_of(event))]

    def end(self) -> list[bytes]:
        """The usage, then ``[DONE]``."""
        return [*self._counted(), _DONE]

    def error(self, error: Error) -> list[bytes]:
        """The usage so far, then the ``error`` event, which is the last."""
        return [*self._counted(), _block(body_of(error))]

    def interrupt(self, error: Error) -> list[bytes]:
        """The ``error`` event alone: the stream goes on."""
        return [_block(body_of(error))]

    def _counted(self) -> list[bytes]:
        return [] if self._usage is None else [_block(body_of(self._usage))]


def _block(body: JSON) -> bytes:
    return b"data: " + msgspec.json.encode(body) + b"\n\n"


def body_of(event: Event) -> JSON:
    """The JSON object of a typed event; fields with their default values are left out."""
    kind = type(event)
    said: JSON = {"type": _NAMES[kind]}
    for name, default in _DEFAULTS[kind].items():
        value = getattr(event, name)
        if (value != default or default is MISSING or name == "retryable") and name not in _UNSAID:
            said[name] = value
    return said


def error_body(error: Error) -> JSON:
    """The same object as the ``error`` event."""
    return body_of(error)
