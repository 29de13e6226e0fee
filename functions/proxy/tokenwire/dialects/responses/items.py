"""The items of a response: each says how it is opened, filled and closed, and what it is whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from ...events import Citation, Reasoning
from ..protocol import JSON

Said = list[tuple[str, JSON]]
# A citation is looked for in so many characters (or some more) at the end of the text before it.
_SEARCHED = 4096


class Item(Protocol):
    """One item of ``output``."""

    def close(self) -> Said:
        """The events that close it."""

    def whole(self) -> JSON:
        """The item as it stands."""


class Opening:
    """An item's place and id, and its opening, which is said once.

    The id follows from the stream's, so that a client that resumes meets the same items.
    """

    def __init__(self, index: int, prefix: str, stream: str) -> None:
        self.at: JSON = {"output_index": index}
        self.id = f"{prefix}_{stream.removeprefix('st_')}_{index}"
        self._opened = False

    def open(self, whole: Callable[[], JSON]) -> Said:
        """``output_item.added``, the first time."""
        if self._opened:
            return []
        self._opened = True
        return [("response.output_item.added", {**self.at, "item": whole()})]


class Message:
    """A message: parts of text or refusal."""

    def __init__(self, index: int, stream: str) -> None:
        self._opening = Opening(index, "msg", stream)
        self._parts: list[JSON] = []
        # Of the last part. Joined once, at its end: adding texts costs the square of them.
        self._pieces: list[str] = []
        self._length = 0
        self._at: JSON = {}
        self._status = "in_progress"

    def add(self, delta: str, *, refusal: bool) -> Said:
        """A piece of text, in a part of its kind."""
        kind, field = ("refusal", "refusal") if refusal else ("output_text", "text")
        said = self._opening.open(self.whole)
        if not self._parts or self._parts[-1]["type"] != kind:
            said += self._close_part()
            extra: JSON = {} if refusal else {"annotations": [], "logprobs": []}
            self._parts.append({"type": kind, field: "", **extra})
            place = {**self._opening.at, "item_id": self._opening.id}
            self._at = {**place, "content_index": len(self._parts) - 1}
            part = {**self._at, "part": dict(self._parts[-1])}
            said.append(("response.content_part.added", part))
        if delta:
            self._pieces.append(delta)
            self._length += len(delta)
        rest: JSON = {} if refusal else {"logprobs": []}
        return [*said, (f"response.{kind}.delta", {**self._at, "delta": delta, **rest})]

    def cite(self, event: Citation) -> Said:
        """A source of the text so far."""
        said = [] if self._parts else self.add("", refusal=False)
        cited = self._parts[-1].setdefault("annotations", [])
        source = {"type": "url_citation", "url": event.url, "title": event.title}
        place = {"start_index": self._found(event.text), "end_index": self._length}
        cited.append({**source, **place})
        body = {**self._at, "annotation_index": len(cited) - 1, "annotation": cited[-1]}
        return [*said, ("response.output_text.annotation.added", body)]

    def _found(self, quoted: str) -> int:
        """Where a quoted text begins; 0 if it is not within the last characters of the part."""
        tail: list[str] = []
        held = 0
        for piece in reversed(self._pieces):
            if held >= _SEARCHED:
                break
            tail.append(piece[-_SEARCHED:])
            held += len(tail[-1])
        at = "".join(reversed(tail)).rfind(quoted) if 0 < len(quoted) <= held else -1
        return self._length - held + at if at >= 0 else 0

    def _last(self) -> JSON:
        """The last part, with all of its text."""
        part = self._parts[-1]
        field = "refusal" if part["type"] == "refusal" else "text"
        self._pieces = ["".join(self._pieces)]
        part[field] = self._pieces[0]
        return part

    def _close_part(self) -> Said:
        if not self._parts:
            return []
        part = self._last()
        self._pieces, self._length = [], 0
        field = "refusal" if part["type"] == "refusal" else "text"
        rest: JSON = {} if field == "refusal" else {"logprobs": []}
        done = {**self._at, field: part[field], **rest}
        return [
            (f"response.{part['type']}.done", done),
            ("response.content_part.done", {**self._at, "part": part}),
        ]

    def close(self) -> Said:
        """The part's end and the item's."""
        self._status = "completed"
        item = {**self._opening.at, "item": self.whole()}
        return [*self._close_part(), ("response.output_item.done", item)]

    def whole(self) -> JSON:
        """The item as it stands."""
        if self._pieces:
            self._last()
        kind = {"id": self._opening.id, "type": "message", "role": "assistant"}
        return {**kind, "status": self._status, "content": [dict(part) for part in self._parts]}


class Thought:
    """Reasoning, said as a summary: that is what clients show."""

    def __init__(self, index: int, stream: str) -> None:
        self._opening = Opening(index, "rs", stream)
        self._pieces: list[str] = []
        self._encrypted = ""
        self._status = "in_progress"

    @property
    def sealed(self) -> bool:
        """Whether it has its signature: whatever follows is another thought."""
        return bool(self._encrypted)

    def think(self, event: Reasoning) -> Said:
        """A piece of thinking, or its seal."""
        said = self._opening.open(self.whole)
        self._encrypted = event.signature or event.redacted or self._encrypted
        if not event.delta:
            return said
        if not self._pieces:
            part = {"type": "summary_text", "text": ""}
            said.append(("response.reasoning_summary_part.added", {**self._at(), "part": part}))
        self._pieces.append(event.delta)
        body = {**self._at(), "delta": event.delta}
        return [*said, ("response.reasoning_summary_text.delta", body)]

    def _at(self) -> JSON:
        return {**self._opening.at, "item_id": self._opening.id, "summary_index": 0}

    def close(self) -> Said:
        """The summary's end and the item's."""
        self._status = "completed"
        said: Said = []
        if self._pieces:
            text = "".join(self._pieces)
            part = {"type": "summary_text", "text": text}
            whole = {**self._at(), "text": text}
            said.append(("response.reasoning_summary_text.done", whole))
            said.append(("response.reasoning_summary_part.done", {**self._at(), "part": part}))
        return [*said, ("response.output_item.done", {**self._opening.at, "item": self.whole()})]

    def whole(self) -> JSON:
        """The item as it stands."""
        text = "".join(self._pieces)
        summary = [{"type": "summary_text", "text": text}] if text else []
        item: dict[str, Any] = {"id": self._opening.id, "type": "reasoning", "summary": summary}
        sealed = {"encrypted_content": self._encrypted} if self._encrypted else {}
        return {**item, "status": self._status, **sealed}


class Call:
    """A function call."""

    def __init__(
        self, index: int, stream: str, call_id: str, name: str, namespace: str = ""
    ) -> None:
        self._opening = Opening(index, "fc", stream)
        self._head = {"call_id": call_id, "name": name}
        if namespace:
            self._head["namespace"] = namespace
        self._arguments: list[str] = []
        self._status = "in_progress"

    def piece(self, arguments: str) -> Said:
        """A piece of its arguments, if there is one."""
        said = self._opening.open(self.whole)
        if not arguments:
            return said
        self._arguments.append(arguments)
        body = {**self._at(), "delta": arguments}
        return [*said, ("response.function_call_arguments.delta", body)]

    def _at(self) -> JSON:
        return {**self._opening.at, "item_id": self._opening.id}

    def close(self) -> Said:
        """The arguments' end and the item's."""
        self._status = "completed"
        done = {**self._at(), "name": self._head["name"], "arguments": "".join(self._arguments)}
        item = {**self._opening.at, "item": self.whole()}
        name = "response.function_call_arguments.done"
        return [(name, done), ("response.output_item.done", item)]

    def whole(self) -> JSON:
        """The item as it stands."""
        kind = {"id": self._opening.id, "type": "function_call", "status": self._status}
        return {**kind, **self._head, "arguments": "".join(self._arguments)}
