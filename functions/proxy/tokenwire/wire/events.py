"""The ``events`` dialect: one small JSON object per event, for front ends of one's own.

    data: {"type":"start","id":"st_…","model":"…","created":1}
    data: {"type":"content","delta":"…"}
    data: {"type":"finish","reason":"stop"}
    data: [DONE]

Fields that say nothing (choice 0, no refusal, no cached tokens) are left out. A stream that is
not whole ends with an ``error`` event, and without ``[DONE]``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import MISSING, fields
from typing import Any, get_args

import msgspec

from ..errors import ClientError
from ..events import Citation, Content, Error, Event, Finish, Reasoning, Start, ToolCall, Usage
from ..sse import data_of
from . import as_is
from .origins import made, moved
from .protocol import JSON, ChatRequest, Dialect
from .reading import read
from .schema import check
from .schema.chat import Options
from .schema.events import Request

_DONE = b"data: [DONE]\n\n"
_TYPES: dict[str, type[Event]] = {
    "start": Start,
    "content": Content,
    "reasoning": Reasoning,
    "citation": Citation,
    "tool_call": ToolCall,
    "usage": Usage,
    "finish": Finish,
    "error": Error,
}
_NAMES = {kind: name for name, kind in _TYPES.items()}
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
        return [_block(_body(event))]

    def end(self) -> list[bytes]:
        """The usage, then ``[DONE]``."""
        return [*self._counted(), _DONE]

    def error(self, error: Error) -> list[bytes]:
        """The usage so far, then the ``error`` event, which is the last."""
        return [*self._counted(), _block(_body(error))]

    def interrupt(self, error: Error) -> list[bytes]:
        """The ``error`` event alone: the stream goes on."""
        return [_block(_body(error))]

    def _counted(self) -> list[bytes]:
        return [] if self._usage is None else [_block(_body(self._usage))]


def _block(body: JSON) -> bytes:
    return b"data: " + msgspec.json.encode(body) + b"\n\n"


def _body(event: Event) -> JSON:
    kind = type(event)
    said: JSON = {"type": _NAMES[kind]}
    for name, default in _DEFAULTS[kind].items():
        value = getattr(event, name)
        if (value != default or default is MISSING or name == "retryable") and name not in _UNSAID:
            said[name] = value
    return said


class _Typed(msgspec.Struct):
    type: str


_TYPED = msgspec.json.Decoder(_Typed)
_DECODERS: dict[str, msgspec.json.Decoder[Any]] = {
    name: msgspec.json.Decoder(kind) for name, kind in _TYPES.items()
}


class EventsDecoder:
    """Reads what the encoder writes."""

    may_lack_end = False

    def notable(self, block: bytes) -> bool:
        """True for all: no provider speaks this dialect, so no stream is passed on in it."""
        return True

    def ends(self, block: bytes) -> bool:
        """Whether this is ``data: [DONE]``."""
        return (data_of(block) or b"").strip() == b"[DONE]"

    def decode(self, block: bytes) -> list[Event]:
        """The event; none for the terminator, or for a type from a later version.

        Raises:
            UpstreamError: It is not a typed event (``upstream_malformed``).
        """
        data = data_of(block)
        if not data or self.ends(block):
            return []
        decoder = _DECODERS.get(read(data, _TYPED).type)
        return [] if decoder is None else [read(data, decoder)]


def error_body(error: Error) -> JSON:
    """The same object as the ``error`` event."""
    return _body(error)


_KNOWN = frozenset(field.name for field in msgspec.structs.fields(Request))
_PASSED = tuple(field.name for field in msgspec.structs.fields(Options))


def parse(raw: object) -> ChatRequest:
    """``{"message": "…"}`` or ``{"messages": […]}``, and what else ``schema.events`` knows.

    Raises:
        ClientError: A field is missing, malformed or unknown; ``param`` names it.
    """
    body = check(raw, Request)
    for name, value in body.items():
        if name not in _KNOWN and value is not None:
            raise ClientError(
                f"{name} is not a parameter of this route.", code="unknown_parameter", param=name
            )
    model = body.get("model") or ""
    passed = {name: body[name] for name in _PASSED if name in body}
    chat: JSON = {**passed, "model": model, "messages": _messages(body)}
    return ChatRequest(model=model, stream=True, body=made("", chat))


def _messages(body: JSON) -> list[JSON]:
    message, messages = body.get("message"), body.get("messages")
    if (message is None) == (messages is None):
        raise ClientError(
            "One of message and messages is required, and only one.",
            code="missing_required_parameter",
            param="message",
        )
    if message is not None:
        turns = [made("message", {"role": "user", "content": message})]
    else:
        turns = [moved(f"messages[{n}]", turn) for n, turn in enumerate(messages or ())]
    system = body.get("system")
    return (
        turns if system is None else [made("system", {"role": "system", "content": system}), *turns]
    )


def fold(blocks: Iterable[bytes]) -> JSON:
    """The events, in a list: this dialect has no other way to say a whole answer."""
    decoder = EventsDecoder()
    return {"events": [_body(event) for block in blocks for event in decoder.decode(block)]}


DIALECT = Dialect("events", EventsDecoder, EventsEncoder, parse, error_body, fold, as_is.to_chat)
