"""A call of a custom tool, which takes free text, from a call of the function in its place."""

from __future__ import annotations

import msgspec

from ..depth import parsed
from ..protocol import JSON
from .items import Opening, Said


class _Input(msgspec.Struct):
    input: str


class CustomCall:
    """A call of a custom tool. Its text is told when it is whole."""

    def __init__(
        self, index: int, stream: str, call_id: str, name: str, namespace: str = ""
    ) -> None:
        self._opening = Opening(index, "ctc", stream)
        self._head = {"call_id": call_id, "name": name}
        if namespace:
            self._head["namespace"] = namespace
        self._arguments: list[str] = []
        self._status = "in_progress"

    def piece(self, arguments: str) -> Said:
        """A piece of the function's arguments."""
        self._arguments.append(arguments)
        return self._opening.open(self.whole)

    def close(self) -> Said:
        """The text, and the item's end."""
        self._status = "completed"
        at = {**self._opening.at, "item_id": self._opening.id}
        text = self._text()
        said: Said = (
            [("response.custom_tool_call_input.delta", {**at, "delta": text})] if text else []
        )
        item = {**self._opening.at, "item": self.whole()}
        done = ("response.custom_tool_call_input.done", {**at, "input": text})
        return [*said, done, ("response.output_item.done", item)]

    def _text(self) -> str:
        """The text; a model that does not keep to the schema may have written it bare."""
        arguments = "".join(self._arguments)
        try:
            found: _Input = parsed(arguments, _Input)
        except ValueError:
            return arguments
        return found.input

    def whole(self) -> JSON:
        """The item as it stands."""
        text = self._text() if self._status == "completed" else ""
        kind = {"id": self._opening.id, "type": "custom_tool_call", "status": self._status}
        return {**kind, **self._head, "input": text}
