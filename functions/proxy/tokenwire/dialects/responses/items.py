"""Items of a response: messages and reasoning. Each returns the events that add to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from ...events import Citation, Reasoning
from ..protocol import JSON

Events = list[tuple[str, JSON]]
"""The names and the bodies of events, in order."""
# Characters at the end of the text (at least) that are searched for a quotation.
_SEARCHED = 4096


class Item(Protocol):
    """One item of ``output``."""

    def close(self) -> Events:
        """Return the events that end the item."""

    def to_json(self) -> JSON:
        """Return the item in its present state."""


class ItemHeader:
    """An item's position and id, and the event that starts it.

    The id is derived from the stream's id, so a client that resumes gets the same item ids.
    """

    def __init__(self, index: int, prefix: str, stream: str) -> None:
        self.at: JSON = {"output_index": index}
        self.id = f"{prefix}_{stream.removeprefix('st_')}_{index}"
        self._opened = False

    def open(self, to_json: Callable[[], JSON]) -> Events:
        """Return ``output_item.added`` on the first call, then nothing."""
        if self._opened:
            return []
        self._opened = True
        return [("response.output_item.added", {**self.at, "item": to_json()})]


class Message:
    """A message: parts of text or refusal.

    ``text_rest`` are the fields that stand in a text delta before the text, as JSON, where the
    last part is text; else empty.
    """

    def __init__(self, index: int, stream: str) -> None:
        self._header = ItemHeader(index, "msg", stream)
        self._parts: list[JSON] = []
        # Text of the last part. Joined once, at its end: repeated concatenation is quadratic.
        self._pieces: list[str] = []
        self._length = 0
        self._at: JSON = {}
        self.text_rest = b""
        self._status = "in_progress"

    def append(self, text: str) -> None:
        """Add a piece of text to the last part, without events."""
        self._pieces.append(text)
        self._length += len(text)

    def add(self, delta: str, *, refusal: bool) -> Events:
        """Add a piece of text to a part of its type."""
        kind, field = ("refusal", "refusal") if refusal else ("output_text", "text")
        events = self._header.open(self.to_json)
        if not self._parts or self._parts[-1]["type"] != kind:
            events += self._close_part()
            extra: JSON = {} if refusal else {"annotations": [], "logprobs": []}
            self._parts.append({"type": kind, field: "", **extra})
            place = {**self._header.at, "item_id": self._header.id}
            self._at = {**place, "content_index": len(self._parts) - 1}
            self.text_rest = b"" if refusal else msgspec.json.encode(self._at)[1:-1]
            part = {**self._at, "part": dict(self._parts[-1])}
            events.append(("response.content_part.added", part))
        if delta:
            self.append(delta)
        rest: JSON = {} if refusal else {"logprobs": []}
        return [*events, (f"response.{kind}.delta", {**self._at, "delta": delta, **rest})]

    def cite(self, event: Citation) -> Events:
        """Add a source to the text so far."""
        events = [] if self._parts else self.add("", refusal=False)
        cited = self._parts[-1].setdefault("annotations", [])
        source = {"type": "url_citation", "url": event.url, "title": event.title}
        place = {"start_index": self._found(event.text), "end_index": self._length}
        cited.append({**source, **place})
        body = {**self._at, "annotation_index": len(cited) - 1, "annotation": cited[-1]}
        return [*events, ("response.output_text.annotation.added", body)]

    def _found(self, quoted: str) -> int:
        """Return the start of the quoted text; 0 if it is not near the end of the part."""
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
        """Return the last part with its complete text."""
        part = self._parts[-1]
        field = "refusal" if part["type"] == "refusal" else "text"
        self._pieces = ["".join(self._pieces)]
        part[field] = self._pieces[0]
        return part

    def _close_part(self) -> Events:
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

    def close(self) -> Events:
        """Return the events that end the part and the item."""
        self._status = "completed"
        item = {**self._header.at, "item": self.to_json()}
        return [*self._close_part(), ("response.output_item.done", item)]

    def to_json(self) -> JSON:
        """Return the item in its present state."""
        if self._pieces:
            self._last()
        kind = {"id": self._header.id, "type": "message", "role": "assistant"}
        return {**kind, "status": self._status, "content": [dict(part) for part in self._parts]}


class ReasoningItem:
    """Reasoning, sent as a summary, which is what clients display."""

    def __init__(self, index: int, stream: str) -> None:
        self._header = ItemHeader(index, "rs", stream)
        self._pieces: list[str] = []
        self._encrypted = ""
        self._status = "in_progress"

    @property
    def is_signed(self) -> bool:
        """Whether the signature has arrived. Later reasoning starts a new item."""
        return bool(self._encrypted)

    def add(self, event: Reasoning) -> Events:
        """Add a piece of reasoning, or its signature."""
        events = self._header.open(self.to_json)
        self._encrypted = event.signature or event.redacted or self._encrypted
        if not event.delta:
            return events
        if not self._pieces:
            part = {"type": "summary_text", "text": ""}
            events.append(("response.reasoning_summary_part.added", {**self._at(), "part": part}))
        self._pieces.append(event.delta)
        body = {**self._at(), "delta": event.delta}
        return [*events, ("response.reasoning_summary_text.delta", body)]

    def _at(self) -> JSON:
        return {**self._header.at, "item_id": self._header.id, "summary_index": 0}

    def close(self) -> Events:
        """Return the events that end the summary and the item."""
        self._status = "completed"
        events: Events = []
        if self._pieces:
            text = "".join(self._pieces)
            part = {"type": "summary_text", "text": text}
            done = {**self._at(), "text": text}
            events.append(("response.reasoning_summary_text.done", done))
            events.append(("response.reasoning_summary_part.done", {**self._at(), "part": part}))
        return [*events, ("response.output_item.done", {**self._header.at, "item": self.to_json()})]

    def to_json(self) -> JSON:
        """Return the item in its present state."""
        text = "".join(self._pieces)
        summary = [{"type": "summary_text", "text": text}] if text else []
        item: dict[str, Any] = {"id": self._header.id, "type": "reasoning", "summary": summary}
        signature = {"encrypted_content": self._encrypted} if self._encrypted else {}
        return {**item, "status": self._status, **signature}
