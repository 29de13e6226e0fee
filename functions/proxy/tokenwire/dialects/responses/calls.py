"""Tool calls as items of a response: function calls, and calls of custom tools."""

from __future__ import annotations

from typing import Protocol

import msgspec

from ...events import ToolName
from ..depth import parsed
from ..protocol import JSON
from .items import Events, ItemHeader


class CallFormat(Protocol):
    """How one type of tool call is written. Stateless."""

    prefix: str
    """The first part of its item's id."""
    type: str

    def delta(self, at: JSON, arguments: str) -> Events:
        """Return the events of a piece of the arguments."""

    def done(self, at: JSON, name: str, arguments: str) -> Events:
        """Return the events of the complete arguments."""

    def fields(self, arguments: str, *, is_complete: bool) -> JSON:
        """Return the item's field for the arguments so far."""


class FunctionFormat:
    """A function call: its arguments are JSON text and are streamed."""

    prefix = "fc"
    type = "function_call"

    def delta(self, at: JSON, arguments: str) -> Events:
        """Return ``arguments.delta``; nothing for an empty piece."""
        body = {**at, "delta": arguments}
        return [("response.function_call_arguments.delta", body)] if arguments else []

    def done(self, at: JSON, name: str, arguments: str) -> Events:
        """Return ``arguments.done``."""
        body = {**at, "name": name, "arguments": arguments}
        return [("response.function_call_arguments.done", body)]

    def fields(self, arguments: str, *, is_complete: bool) -> JSON:
        """Return ``arguments``."""
        return {"arguments": arguments}


class _Input(msgspec.Struct):
    input: str


class CustomFormat:
    """A call of a custom tool, which takes free text.

    The model calls a function with one string instead (see ``tools``), so the text is known
    only when the function's arguments are complete.
    """

    prefix = "ctc"
    type = "custom_tool_call"

    def delta(self, at: JSON, arguments: str) -> Events:
        """Return nothing: the text is not known yet."""
        return []

    def done(self, at: JSON, name: str, arguments: str) -> Events:
        """Return the text in one ``input.delta``, if there is any, and ``input.done``."""
        text = _text(arguments)
        delta = ("response.custom_tool_call_input.delta", {**at, "delta": text})
        done = ("response.custom_tool_call_input.done", {**at, "input": text})
        return [delta, done] if text else [done]

    def fields(self, arguments: str, *, is_complete: bool) -> JSON:
        """Return ``input``, which is empty until the call is complete."""
        return {"input": _text(arguments) if is_complete else ""}


def _text(arguments: str) -> str:
    """Return the text; a model that ignores the schema may have written it without JSON."""
    try:
        found: _Input = parsed(arguments, _Input)
    except ValueError:
        return arguments
    return found.input


_FUNCTION: CallFormat = FunctionFormat()
_CUSTOM: CallFormat = CustomFormat()


class Call:
    """A tool call, named as the request names the tool."""

    def __init__(self, index: int, stream: str, call_id: str, tool: ToolName) -> None:
        self._format = _CUSTOM if tool.is_custom else _FUNCTION
        self._header = ItemHeader(index, self._format.prefix, stream)
        self._names = {"call_id": call_id, "name": tool.name}
        if tool.namespace:
            self._names["namespace"] = tool.namespace
        self._arguments: list[str] = []
        self._status = "in_progress"

    def add(self, arguments: str) -> Events:
        """Add a piece of the function's arguments, which may be empty."""
        events = self._header.open(self.to_json)
        self._arguments.append(arguments)
        return events + self._format.delta(self._at(), arguments)

    def _at(self) -> JSON:
        return {**self._header.at, "item_id": self._header.id}

    def close(self) -> Events:
        """Return the events that end the arguments and the item."""
        self._status = "completed"
        done = self._format.done(self._at(), self._names["name"], "".join(self._arguments))
        item = {**self._header.at, "item": self.to_json()}
        return [*done, ("response.output_item.done", item)]

    def to_json(self) -> JSON:
        """Return the item in its present state."""
        head = {"id": self._header.id, "type": self._format.type, "status": self._status}
        is_complete = self._status == "completed"
        fields = self._format.fields("".join(self._arguments), is_complete=is_complete)
        return {**head, **self._names, **fields}
