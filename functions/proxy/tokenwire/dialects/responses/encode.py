"""Encode OpenAI Responses streams: numbered events around items, and the items' parts."""

from __future__ import annotations

from collections.abc import Mapping
from sys import getsizeof
from typing import TypeVar

import msgspec

from ...events import (
    Citation,
    Content,
    Error,
    Event,
    Finish,
    Reasoning,
    Start,
    ToolCall,
    ToolName,
    Usage,
)
from ...sse import event_block
from ..protocol import JSON, size_of
from ..terminator import DONE
from .calls import Call
from .items import Events, Item, Message, ReasoningItem
from .object import failure, response, settings, usage

_ItemT = TypeVar("_ItemT", bound=Item)

_TEXT = event_block(
    "response.output_text.delta",
    b'{"type":"response.output_text.delta","sequence_number":%d,%b,"delta":%b,"logprobs":[]}',
)
_INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}


class ResponsesEncoder:
    """Encoder of one response: items of reasoning, messages and tool calls.

    Only choice 0 is encoded: a Responses object has no parallel choices.

    Args:
        after: The last ``sequence_number`` that the client has. Events up to it become empty
            blocks.
        request: The request's body, whose settings the response repeats.
    """

    def __init__(self, after: int = -1, request: JSON | None = None) -> None:
        self.held = 0
        self._after = after
        self._settings = settings(request or {})
        self._sequence = 0
        self._start: Start | None = None
        self._items: list[Item] = []
        self._open_items: list[Item] = []
        self._pending: Events = []
        self._calls: dict[int, Call] = {}
        self._tools: dict[str, ToolName] = {}
        self._finish: Finish | None = None
        self._usage: Usage | None = None

    @property
    def next_number(self) -> int:
        """The ``sequence_number`` of the next event, which is the number of events so far."""
        return self._sequence

    def encode(self, event: Event) -> list[bytes]:
        """Return the event's blocks; nothing for usage and finish, which are sent at the end."""
        if getattr(event, "choice", 0):
            return []
        match event:
            case Start():
                return self._begin(event)
            case Usage():
                self._usage = event
            case Finish():
                self._finish = event
        return self._blocks(self._delta_events(event))

    def text_block(self, text: str) -> bytes | None:
        """As ``hotpath.WritesText``."""
        item = self._open_items[-1] if self._open_items else None
        if not isinstance(item, Message) or not item.text_rest or self._sequence <= self._after:
            return None
        self.held += getsizeof(text) + 8  # as size_of, which takes any number of texts
        item.append(text)
        self._sequence += 1
        data = msgspec.json.encode(text)
        return _TEXT % (self._sequence - 1, item.text_rest, data)

    def _delta_events(self, event: Event) -> Events:
        self.held += _text_size(event)
        match event:
            case Content(delta=delta, refusal=refusal):
                return self._message().add(delta, refusal=refusal)
            case Reasoning():
                return self._reasoning(event).add(event)
            case Citation(url=url) if url:
                return self._message().cite(event)
            case ToolCall():
                return self._call(event).add(event.arguments)
            case _:
                return []

    def _begin(self, start: Start) -> list[bytes]:
        if self._start is not None:
            return []
        self._start = start
        self._tools = {tool.function: tool for tool in start.tools}
        response: JSON = {"response": self.snapshot()}
        return self._blocks([("response.created", response), ("response.in_progress", response)])

    def _message(self) -> Message:
        found = self._open_items[-1] if self._open_items else None
        if isinstance(found, Message):
            return found
        return self._add_item(Message(*self._next_item_place()))

    def _reasoning(self, event: Reasoning) -> ReasoningItem:
        found = self._open_items[-1] if self._open_items else None
        if isinstance(found, ReasoningItem) and not (found.is_signed or event.redacted):
            return found
        return self._add_item(ReasoningItem(*self._next_item_place()))

    def _call(self, event: ToolCall) -> Call:
        if event.call not in self._calls:
            call = self._new_call(event)
            # Parallel calls stay open together: their pieces may be interleaved.
            mixed = bool(self._open_items) and isinstance(self._open_items[-1], Call)
            self._calls[event.call] = call
            self._add_item(call, beside=mixed)
        return self._calls[event.call]

    def _new_call(self, event: ToolCall) -> Call:
        """Return a new call item, under the tool name that the request used."""
        call_id, name = event.id or f"call_{event.call}", event.name or ""
        tool = self._tools.get(name) or ToolName(name, name)
        return Call(*self._next_item_place(), call_id, tool)

    def _next_item_place(self) -> tuple[int, str]:
        """Return the index of the next item, and the id of the stream."""
        return len(self._items), self._start.id if self._start else ""

    def _add_item(self, item: _ItemT, *, beside: bool = False) -> _ItemT:
        if not beside:
            self._pending += self._close_open_items()
        self._items.append(item)
        self._open_items.append(item)
        return item

    def _close_open_items(self) -> Events:
        closing, self._open_items = self._open_items, []
        return [event for item in closing for event in item.close()]

    def end(self) -> list[bytes]:
        """Return the ends of the open items, ``completed`` or ``incomplete``, and ``[DONE]``."""
        begun = self._begin(Start("", ""))
        closed = self._blocks(self._close_open_items())
        status = "incomplete" if self._incomplete_reason() else "completed"
        last: JSON = {"response": self.snapshot(status)}
        return begun + closed + self._blocks([(f"response.{status}", last)]) + [DONE]

    def error(self, error: Error) -> list[bytes]:
        """Return ``error``, ``response.failed`` and ``[DONE]``.

        Some SDKs raise on ``error``, others on ``response.failed``. For ``cancelled``,
        ``response.failed`` has the status ``cancelled`` and no error.
        """
        begun = self._begin(Start("", ""))
        is_cancelled = error.code == "cancelled"
        found = self.snapshot("cancelled" if is_cancelled else "failed")
        found["error"] = None if is_cancelled else failure(error)
        raised: JSON = {"code": error.code, "message": error.message, "param": error.param}
        last: JSON = {"response": found}
        return begun + self._blocks([("error", raised), ("response.failed", last)]) + [DONE]

    def interrupt(self, error: Error) -> list[bytes]:
        """Return ``error`` without a sequence number.

        So the sequence numbers stay valid when the client resumes. The nested error object has the
        form of an error response, so that the SDKs raise it.
        """
        fields: JSON = {"code": error.code, "message": error.message, "param": error.param}
        body = {"type": "error", **fields, "error": {"type": "server_error", **fields}}
        return [event_block("error", msgspec.json.encode(body))]

    def snapshot(self, status: str = "in_progress") -> JSON:
        """Return the response object in its present state."""
        output = [item.to_json() for item in self._items]
        found = response(self._start or Start("", ""), status, output) | self._settings
        if status != "in_progress" and self._usage is not None:
            found["usage"] = usage(self._usage)
        if status == "incomplete":
            found["incomplete_details"] = {"reason": self._incomplete_reason()}
        return found

    def items(self) -> Mapping[str, JSON]:
        """Return the items of the response by their ids."""
        return {item["id"]: item for item in self.snapshot()["output"]}

    def _incomplete_reason(self) -> str | None:
        return _INCOMPLETE.get(self._finish.reason) if self._finish else None

    def _blocks(self, events: Events) -> list[bytes]:
        pending, self._pending = self._pending, []
        blocks = []
        for name, body in pending + events:
            event = {"type": name, "sequence_number": self._sequence, **body}
            # An empty block keeps its position: ids count the blocks of a record.
            is_new = self._sequence > self._after
            blocks.append(event_block(name, msgspec.json.encode(event)) if is_new else b"")
            self._sequence += 1
        return blocks


def _text_size(event: Event) -> int:
    match event:
        case Content(delta=text) | Reasoning(delta=text) | ToolCall(arguments=text):
            return size_of(text)
        case Citation(url=url, title=title, text=text):
            return size_of(url, title, text)
        case _:
            return 0
